"""Derivations that the tests of both oracles look at, made once for both: folding is most of their time."""

from __future__ import annotations

from functools import cache

import symbackprop as sb


@cache
def derive_text(text: str, of: str, wrt: tuple[str, ...]) -> sb.Derivation:
    """The derivation of a program given as text."""
    return sb.derive(sb.parse(text), wrt=wrt, of=of)
