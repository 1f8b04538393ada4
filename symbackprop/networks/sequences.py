"""Attention, positions and recurrence, as formula text."""

from __future__ import annotations

from symbackprop.networks.fragments import Fragment

SEQUENCES: tuple[Fragment, ...] = ()
