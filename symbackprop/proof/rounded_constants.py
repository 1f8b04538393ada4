"""Constants that a claim rounds: the exact value that a decimal stands for, and how far off it is, by balls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from math import e, log, pi, sqrt

import sympy

from symbackprop.calculus.expansion import Expansion
from symbackprop.calculus.tensors import Role, Tensor
from symbackprop.errors import SymBackpropError
from symbackprop.language import tree as t
from symbackprop.language.elaboration import Elaborator
from symbackprop.language.reader import read_expression
from symbackprop.language.symbols import Symbols
from symbackprop.language.writer import write_tree
from symbackprop.proof.bounds import bound_magnitude, write_bound
from symbackprop.proof.trials import Trial

KNOWN = {
    "pi": pi, "2*pi": 2 * pi, "pi/2": pi / 2, "1/pi": 1 / pi, "2/pi": 2 / pi, "sqrt(pi)": sqrt(pi),
    "sqrt(2)": sqrt(2), "1/sqrt(2)": 1 / sqrt(2), "sqrt(2*pi)": sqrt(2 * pi), "1/sqrt(2*pi)": 1 / sqrt(2 * pi),
    "sqrt(2/pi)": sqrt(2 / pi), "sqrt(pi/2)": sqrt(pi / 2), "1/sqrt(pi)": 1 / sqrt(pi), "2/sqrt(pi)": 2 / sqrt(pi),
    "sqrt(3)": sqrt(3), "1/sqrt(3)": 1 / sqrt(3), "exp(1)": e, "exp(-1)": 1 / e, "log(2)": log(2),
    "1/log(2)": 1 / log(2), "log(10)": log(10), "log(2*pi)": log(2 * pi), "log(2*pi)/2": log(2 * pi) / 2,
    "1/3": 1 / 3, "2/3": 2 / 3, "1/6": 1 / 6, "1/7": 1 / 7, "1/9": 1 / 9, "1/12": 1 / 12, "1/24": 1 / 24,
}  # fmt: skip
"""Formulas that people write as decimals, and their values, by which they are guessed."""
RANGE = 10
"""Up to this, and down to its negative, it is said how far off a claim about one number is."""


def list_rounded_constants(trial: Trial) -> Iterator[str]:
    """Constants with whose exact values the claim is right, and how far off they are."""
    for exact in _list_choices(trial.question.tree):
        made = trial.read(_put(trial.question.tree, exact))
        if made is None or not trial.is_truth(*made):
            continue
        words = [say_rounded(value, tree) for value, tree in exact.items()]
        if all(words):
            yield f"the claim has {' and '.join(words)}{_say_value(trial, exact)}"


def _list_choices(tree: t.Expression) -> Iterator[dict[Fraction, t.Expression]]:
    """The decimals of a formula that stand for known constants: one of them, or all."""
    found: dict[Fraction, t.Expression] = {}
    for node, _ in t.walk(tree):
        if isinstance(node, t.Number) and node.value.denominator > 1:
            match = find_constant(node.value)
            if match is not None:
                found[node.value] = read_expression(match)
    yield from ({value: exact} for value, exact in found.items())
    if len(found) > 1:
        yield found


def find_constant(value: Fraction) -> str | None:
    """The known constant that a decimal of three figures or more is the rounding of.

    >>> find_constant(Fraction("0.7979")), find_constant(Fraction("0.81"))
    ('sqrt(2/pi)', None)
    """
    digits = 0
    while (value * 10**digits).denominator != 1:
        digits += 1
        if digits > 15:
            return None
    if len(str(abs(value.numerator * 10**digits // value.denominator)).lstrip("0")) < 3:
        return None
    distance, text = min((abs(float(value) - known), text) for text, known in KNOWN.items())
    return text if distance < 10.0**-digits else None


def _put(tree: t.Expression, exact: Mapping[Fraction, t.Expression]) -> t.Expression:
    """The formula with other parts in place of numbers."""

    def change(node: t.Node) -> t.Node:
        if isinstance(node, t.Number) and node.value in exact:
            return replace(exact[node.value], line=node.line, column=node.column)
        return t.map_children(node, change)

    changed = change(tree)
    assert isinstance(changed, t.Expression)
    return changed


def constant_value(tree: t.Expression) -> sympy.Expr:
    """A formula without names as an expression.

    >>> constant_value(read_expression("1/sqrt(2)"))
    sqrt(2)/2
    """
    made = Elaborator(Symbols()).define("constant", (), tree, Role.DEFINED)
    return sympy.Add(*(term.body for term in made.terms))


def say_rounded(value: Fraction, exact: t.Expression) -> str:
    """A decimal with the constant that it stands for and how far off it is; nothing where no bound was found.

    >>> say_rounded(Fraction("0.7979"), read_expression("sqrt(2/pi)"))
    '0.7979 in place of sqrt(2/pi), off by at most 1.6e-05'
    """
    gap = _bound_gap(value, exact)
    if gap is None:
        return ""
    return f"{write_tree(t.Number(value))} in place of {write_tree(exact)}, off by at most {write_bound(gap)}"


def _bound_gap(value: Fraction, exact: t.Expression) -> Fraction | None:
    """An upper bound on how far a decimal is from the constant that it stands for."""
    return bound_magnitude(constant_value(exact) - sympy.Rational(value.numerator, value.denominator))


def _say_value(trial: Trial, exact: Mapping[Fraction, t.Expression]) -> str:
    """How far off a claim about one number is, by the mean value theorem in the rounded constants.

    Nothing is said of a claim about more, or where no bound was found.
    """
    q = trial.question
    if q.left.indices or q.program.size_names:
        return ""
    rounded = {value: t.Name(f"rounded{k}") for k, value in enumerate(exact)}
    leaves = tuple(Tensor(name.name, (), Role.CONST) for name in rounded.values())
    program = replace(q.program, leaves=(*q.program.leaves, *leaves))
    try:
        made = trial.read(_put(q.tree, rounded), program)
        if made is None:
            return ""
        expansion = Expansion(program.extended(made[1]), {})
        claim = sympy.Add(*(expansion.term(term, expansion.start({})) for term in made[0].terms))
    except SymBackpropError:
        return ""
    symbols = {value: sympy.Symbol(name.name, real=True) for value, name in rounded.items()}
    others = claim.free_symbols - set(symbols.values())
    if len(others) != 1:
        return ""
    (variable,) = others
    total = Fraction(0)
    between = {}
    for value, symbol in symbols.items():
        gap = _bound_gap(value, exact[value])
        if gap is None:
            return ""
        between[symbol.name] = (value - gap, value + gap)
    for symbol in symbols.values():
        slope = bound_magnitude(sympy.diff(claim, symbol), between, (variable.name, -RANGE, RANGE))
        if slope is None:
            return ""
        low, high = between[symbol.name]
        total += slope * (high - low) / 2
    return f"; for {variable.name} from -{RANGE} to {RANGE} its value is off by at most {write_bound(total)}"
