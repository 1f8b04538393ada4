"""Deciding equality: verdicts with proofs, witnesses and diagnoses."""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from symbackprop.proof.certificates import certify as certify
    from symbackprop.proof.equality import decide as decide
    from symbackprop.proof.equality import state_domain as state_domain
    from symbackprop.proof.rounding import approximates as approximates
    from symbackprop.proof.verdict import Interval as Interval
    from symbackprop.proof.verdict import Verdict as Verdict
    from symbackprop.proof.verdict import Witness as Witness

PLACES = MappingProxyType({
    "certificates": "certify",
    "equality": "decide state_domain",
    "rounding": "approximates",
    "verdict": "Interval Verdict Witness",
})
"""The modules that hold these names."""


def __getattr__(name: str) -> object:
    """Import a name when it is first asked for (PEP 562)."""
    for place, names in PLACES.items():
        if name in names.split():
            return getattr(import_module(f"symbackprop.proof.{place}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
