"""Verdicts, expressions, errors and outlines as JSON and back, between the process that judges and the one that asks.

Expressions are trees of heads and arguments, of a closed table of heads, and come back as they were: SymPy evaluates
nothing anew. Integers are hexadecimal, since Python refuses long decimal ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import sympy as sp
from sympy.functions.elementary.piecewise import ExprCondPair

from symbackprop import errors
from symbackprop.errors import SymBackpropError, UnsupportedError
from symbackprop.notation.reading.refusals import AmbiguousFormulaError, UnknownCommandError
from symbackprop.proof.budget import BudgetExceededError
from symbackprop.proof.evaluation import EVALUATED_FUNCTIONS
from symbackprop.proof.outlines import Contents, Judgement, Link, Outline, Unjudged
from symbackprop.proof.verdict import Interval, Verdict, Witness

Data = dict[str, Any]

_CONSTANTS: Mapping[str, sp.Basic] = MappingProxyType(
    {str(each): each for each in (sp.pi, sp.E, sp.I, sp.oo, -sp.oo, sp.zoo, sp.nan, sp.true, sp.false)}
)
_HEADS: Mapping[str, type[sp.Basic]] = MappingProxyType({
    head.__name__: head
    for head in (
        sp.Add, sp.Mul, sp.Pow, *EVALUATED_FUNCTIONS, ExprCondPair, sp.ITE, sp.And, sp.Or, sp.Not,
        sp.Eq, sp.Ne, sp.Lt, sp.Le, sp.Gt, sp.Ge,
    )
})  # fmt: skip
_ERRORS: Mapping[str, type[SymBackpropError]] = MappingProxyType({
    each.__name__: each
    for each in (*vars(errors).values(), AmbiguousFormulaError, UnknownCommandError, BudgetExceededError)
    if isinstance(each, type) and issubclass(each, SymBackpropError)
})  # fmt: skip


def write_expression(expression: sp.Basic) -> list[Any]:
    """An expression as nested lists; UnsupportedError where its table has no such head.

    >>> write_expression(sp.Symbol("x") / 2)
    ['Mul', ['Rational', '1/2'], ['Symbol', 'x', {}]]
    """
    if isinstance(expression, sp.Rational):
        return ["Rational", write_fraction(Fraction(int(expression.p), int(expression.q)))]
    if type(expression) is sp.Symbol:
        return ["Symbol", expression.name, dict(expression._assumptions_orig)]
    if str(expression) in _CONSTANTS and not expression.args:
        return ["Constant", str(expression)]
    name = type(expression).__name__
    if _HEADS.get(name) is not type(expression):
        raise UnsupportedError(f"{name} has no form in which a verdict could be handed over.")
    return [name, *map(write_expression, expression.args)]


def read_expression(data: list[Any]) -> sp.Basic:
    """The expression that was written, argument by argument.

    >>> x = sp.Symbol("x", real=True)
    >>> read_expression(write_expression(2 * (x - 1))) == 2 * (x - 1)
    True
    """
    name, *arguments = data
    if name == "Rational":
        value = read_fraction(arguments[0])
        return sp.Rational(value.numerator, value.denominator)
    if name == "Symbol":
        return sp.Symbol(arguments[0], **arguments[1])
    if name == "Constant":
        return _CONSTANTS[arguments[0]]
    parts = [read_expression(argument) for argument in arguments]
    return _HEADS[name](*parts) if name == "ExprCondPair" else _HEADS[name](*parts, evaluate=False)


def write_fraction(value: Fraction) -> str:
    """A fraction as p/q, in hexadecimal.

    >>> write_fraction(Fraction(-17, 3)), read_fraction("-11/3")
    ('-11/3', Fraction(-17, 3))
    """
    return f"{value.numerator:x}/{value.denominator:x}"


def read_fraction(text: str) -> Fraction:
    """The fraction that was written."""
    numerator, _, denominator = text.partition("/")
    return Fraction(int(numerator, 16), int(denominator, 16))


def write_judgement(judgement: Judgement) -> Data:
    """What was found out about a link."""
    verdict = judgement.verdict
    sides = {"left": verdict.left, "right": verdict.right}
    return {
        "derived": judgement.derived,
        "status": verdict.status,
        "scope": verdict.scope,
        "for_all_sizes": verdict.for_all_sizes,
        "hypotheses": list(verdict.hypotheses),
        "witness": None if verdict.witness is None else _write_witness(verdict.witness),
        "diagnosis": verdict.diagnosis,
        "reason": verdict.reason,
        "notes": list(verdict.notes),
        **{name: None if side is None else write_expression(side) for name, side in sides.items()},
        "relation": verdict.relation,
        "formulas": [write_expression(formula) for formula in verdict.formulas],
    }


def read_judgement(data: Data) -> Judgement:
    """The judgement that was written, equal to it in every part."""
    changed: Data = {
        "hypotheses": tuple(data["hypotheses"]),
        "witness": None if data["witness"] is None else _read_witness(data["witness"]),
        "notes": tuple(data["notes"]),
        **{name: None if data[name] is None else read_expression(data[name]) for name in ("left", "right")},
        "formulas": tuple(map(read_expression, data["formulas"])),
    }
    verdict = Verdict(**{name: value for name, value in {**data, **changed}.items() if name != "derived"})
    return Judgement(verdict, data["derived"])


def _write_witness(witness: Witness) -> Data:
    sides = {"left": witness.left, "right": witness.right}
    return {
        "point": [[name, write_fraction(value)] for name, value in witness.point],
        **{name: [write_fraction(side.lower), write_fraction(side.upper)] for name, side in sides.items()},
    }


def _read_witness(data: Data) -> Witness:
    left, right = (Interval(*map(read_fraction, data[name])) for name in ("left", "right"))
    return Witness(tuple((name, read_fraction(value)) for name, value in data["point"]), left, right)


def write_error(error: SymBackpropError) -> Data:
    """An error by the name of its class and its fields; of a class that is not known here, its nearest base."""
    name = next(kind.__name__ for kind in type(error).__mro__ if _ERRORS.get(kind.__name__) is kind)
    return {"error": name, "text": str(error), "fields": dict(vars(error))}


def read_error(data: Data) -> SymBackpropError:
    """The error that was written."""
    kind = _ERRORS[data["error"]]
    error = kind.__new__(kind, data["text"])  # the classes have different fields, all of them texts and numbers
    for name, value in data["fields"].items():
        setattr(error, name, tuple(value) if isinstance(value, list) else value)
    return error


def write_contents(contents: Contents) -> Data:
    """What a document claims."""
    return asdict(contents)


def read_contents(data: Data) -> Contents:
    """The contents that were written."""
    outlines = tuple(
        Outline(**{**each, "links": tuple(Link(**link) for link in each["links"])}) for each in data["outlines"]
    )
    return Contents(outlines, tuple(Unjudged(**each) for each in data["unjudged"]))
