"""All layers of the catalogue. Adding one is one object in its file, and its name in the tuple at the end of that."""

from __future__ import annotations

from types import MappingProxyType

from symbackprop.networks.connections import CONNECTIONS
from symbackprop.networks.convolutions import CONVOLUTIONS
from symbackprop.networks.normalisations import NORMALISATIONS
from symbackprop.networks.sequences import SEQUENCES

LAYERS = (*CONNECTIONS, *CONVOLUTIONS, *NORMALISATIONS, *SEQUENCES)
LAYER_BY_NAME = MappingProxyType({fragment.name: fragment for fragment in LAYERS})
