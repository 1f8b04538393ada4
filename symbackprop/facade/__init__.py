"""What users hold: thin, frozen values around those of the engine, each method calling one reader of them."""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from symbackprop.facade.explanations import explain as explain
    from symbackprop.facade.networks import Network as Network

PLACES = MappingProxyType({
    "explanations": "explain",
    "networks": "Network",
})
"""The modules that hold these names."""


def __getattr__(name: str) -> object:
    """Import a name when it is first asked for (PEP 562)."""
    for place, names in PLACES.items():
        if name in names.split():
            return getattr(import_module(f"symbackprop.facade.{place}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
