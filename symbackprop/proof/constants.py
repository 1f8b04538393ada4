"""Constants that were rounded: decimals in a formula with the exact value that they stand for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from math import e, log, pi, sqrt

from symbackprop.language import tree as t
from symbackprop.language.reader import read_expression
from symbackprop.language.writer import write_tree

KNOWN = {
    "pi": pi, "2*pi": 2 * pi, "pi/2": pi / 2, "1/pi": 1 / pi, "2/pi": 2 / pi, "sqrt(pi)": sqrt(pi),
    "sqrt(2)": sqrt(2), "1/sqrt(2)": 1 / sqrt(2), "sqrt(2*pi)": sqrt(2 * pi), "1/sqrt(2*pi)": 1 / sqrt(2 * pi),
    "sqrt(2/pi)": sqrt(2 / pi), "sqrt(pi/2)": sqrt(pi / 2), "1/sqrt(pi)": 1 / sqrt(pi), "2/sqrt(pi)": 2 / sqrt(pi),
    "sqrt(3)": sqrt(3), "1/sqrt(3)": 1 / sqrt(3), "exp(1)": e, "exp(-1)": 1 / e, "log(2)": log(2),
    "1/log(2)": 1 / log(2), "log(10)": log(10), "log(2*pi)": log(2 * pi), "log(2*pi)/2": log(2 * pi) / 2,
    "1/3": 1 / 3, "2/3": 2 / 3, "1/6": 1 / 6, "1/7": 1 / 7, "1/9": 1 / 9, "1/12": 1 / 12, "1/24": 1 / 24,
}  # fmt: skip
"""Formulas that people write as decimals, and their values."""


def exact_constants(tree: t.Expression) -> Iterator[tuple[str, t.Expression]]:
    """The formula with its rounded constants made exact, with words that say by how much they were off."""
    found: dict[Fraction, str] = {}
    for node, _ in t.walk(tree):
        if isinstance(node, t.Number) and node.value.denominator > 1:
            match = _closest(node)
            if match is not None:
                found[node.value] = match
    choices = [(value,) for value in found] + ([tuple(found)] if len(found) > 1 else [])
    for chosen in choices:
        words = [
            f"{write_tree(t.Number(value))} in place of {found[value]}, off by at most {_error(value, found[value])}"
            for value in chosen
        ]
        yield f"has {' and '.join(words)}", _put(tree, {value: found[value] for value in chosen})


def _closest(node: t.Number) -> str | None:
    """The known constant that a decimal of three figures or more is the rounding of."""
    digits = 0
    while (node.value * 10**digits).denominator != 1:
        digits += 1
        if digits > 15:
            return None
    if len(str(abs(node.value.numerator * 10**digits // node.value.denominator)).lstrip("0")) < 3:
        return None
    near = [(abs(float(node.value) - value), text) for text, value in KNOWN.items()]
    distance, text = min(near)
    return text if distance < 10.0**-digits else None


def _error(value: Fraction, text: str) -> str:
    """An upper bound on how far a decimal is from the constant, to two figures, rounded up."""
    distance = abs(float(value) - KNOWN[text]) * (1 + 1e-9) + 1e-15
    exponent = 0
    while distance * 10**exponent < 10:
        exponent += 1
    figures = int(distance * 10**exponent) + 1
    return f"{figures / 10**exponent:.1e}"


def _put(tree: t.Expression, exact: dict[Fraction, str]) -> t.Expression:
    def change(node: t.Node) -> t.Node:
        if isinstance(node, t.Number) and node.value in exact:
            return replace(read_expression(exact[node.value]), line=node.line, column=node.column)
        return t.map_children(node, change)

    changed = change(tree)
    assert isinstance(changed, t.Expression)
    return changed
