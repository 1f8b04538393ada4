"""Deciding equality: verdicts with proofs, witnesses and diagnoses."""

from __future__ import annotations

from symbackprop.proof.equality import decide as decide
from symbackprop.proof.equality import state_domain as state_domain
from symbackprop.proof.rounding import approximates as approximates
from symbackprop.proof.verdict import Interval as Interval
from symbackprop.proof.verdict import Verdict as Verdict
from symbackprop.proof.verdict import Witness as Witness
