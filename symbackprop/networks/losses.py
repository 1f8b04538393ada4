"""All losses of the catalogue. Adding one is one object in its file, and its name in the tuple at the end of that."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from symbackprop.errors import ArgumentError, UnknownNameError
from symbackprop.networks.classification import CLASSIFICATION
from symbackprop.networks.embeddings import EMBEDDINGS
from symbackprop.networks.fragments import Setting, check_settings, is_number
from symbackprop.networks.objectives import Loss
from symbackprop.networks.penalties import PENALTIES
from symbackprop.networks.regression import REGRESSION

LOSSES = (*REGRESSION, *CLASSIFICATION, *EMBEDDINGS)
LOSS_BY_NAME = MappingProxyType({loss.fragment.name: loss for loss in LOSSES})
PENALTY_BY_NAME = MappingProxyType({p.fragment.name.removesuffix("_penalty"): p for p in PENALTIES})


def loss(name: str, **settings: Setting) -> Loss:
    """A loss of the catalogue by name, with the settings that are chosen for it.

    UnknownNameError lists the losses, ArgumentError the settings that there are.

    >>> loss("huber", delta=2).fragment.settings
    {'delta': 2}
    """
    if name not in LOSS_BY_NAME:
        known = tuple(LOSS_BY_NAME)
        raise UnknownNameError(f"There is no loss {name!r}; there are {', '.join(known)}.", name=name, known=known)
    found = LOSS_BY_NAME[name]
    check_settings(found.fragment, settings)
    for key, value in settings.items():
        if not is_number(value):
            raise ArgumentError(f"The setting {key} of {name} is {value!r}; give a number, such as {key}=2.")
    return replace(found, fragment=replace(found.fragment, settings={**found.fragment.settings, **settings}))


def find_loss(given: str | Loss) -> Loss:
    """A loss that is given by name or as it is."""
    return given if isinstance(given, Loss) else loss(given)


def penalty(name: str) -> Loss:
    """A penalty of the catalogue, "l1" or "l2"; UnknownNameError lists what there is."""
    if name not in PENALTY_BY_NAME:
        known = tuple(PENALTY_BY_NAME)
        raise UnknownNameError(f"There is no penalty {name!r}; there are {', '.join(known)}.", name=name, known=known)
    return PENALTY_BY_NAME[name]
