"""What crosses between two processes comes back as it was: verdicts, expressions, errors, outlines."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest
import sympy as sp

from symbackprop import errors
from symbackprop.errors import SymBackpropError, UnsupportedError
from symbackprop.functions import FUNCTION_BY_NAME, expand_applications
from symbackprop.notation.reading import AmbiguousFormulaError
from symbackprop.proof import Interval, Verdict, Witness, approximates, decide
from symbackprop.proof.documents import read_document
from symbackprop.proof.outlines import Contents, Judgement
from symbackprop.proof.passages import judge_passage
from symbackprop.proof.wire import (
    read_contents,
    read_error,
    read_expression,
    read_fraction,
    read_judgement,
    write_contents,
    write_error,
    write_expression,
    write_fraction,
    write_judgement,
)

EXAMPLES = Path(__file__).parent.parent.parent / "examples"

x, y = sp.symbols("x y", real=True)
u = sp.Symbol("u", positive=True)
W = sp.Symbol("W[1,2]")
ONE = Fraction(1)


def sent(judgement: Judgement) -> Judgement:
    """A judgement that went through JSON."""
    return read_judgement(json.loads(json.dumps(write_judgement(judgement))))


def is_same(first: Verdict, second: Verdict) -> bool:
    """Whether two verdicts are equal, and print and build alike."""
    texts = [(str(v), v.latex(), sp.srepr(v.left), sp.srepr(v.right), sp.srepr(v.formulas)) for v in (first, second)]
    return first == second and texts[0] == texts[1]


def test_verdicts_of_the_examples_come_back() -> None:
    """Each verdict of the gallery, and of the numbers of the page on the post, is equal to itself sent."""
    gallery = read_document((EXAMPLES / "mistakes.md").read_text(encoding="utf-8"))
    page = read_document((EXAMPLES / "seed.md").read_text(encoding="utf-8"))
    numbers = [p for p in page.passages if any(" ~ " in link.text for link in p.outline.links)]
    passages = [(gallery.program, p) for p in gallery.passages] + [(page.program, p) for p in numbers]
    judgements = [judgement for program, passage in passages for judgement in judge_passage(program, passage)]

    assert len(judgements) > 60
    assert sum(j.verdict.left is not None for j in judgements) >= 3
    for judgement in judgements:
        assert is_same(sent(judgement).verdict, judgement.verdict)
        assert sent(judgement).derived == judgement.derived


@pytest.mark.parametrize(
    "verdict",
    [
        decide(sp.exp(x) ** 2 / sp.sqrt(y), sp.exp(2 * x) / sp.sqrt(y), (y > 0,)),
        decide(sp.Abs(x), sp.Piecewise((x, x > 0), (-x, True))),
        decide(sp.log(u), sp.log(u) + sp.Rational(1, 3)),
        decide(x / x + sp.log(x * y), sp.log(x) + sp.log(y)),
        approximates(1000 * sp.Rational(4, 5) ** 100 + sp.erf(1) * sp.pi * sp.E, "6.2"),
        Verdict("refuted", witness=Witness((("x", Fraction(7**9000, 3)),), Interval(ONE, ONE), Interval(-ONE, ONE))),
        Verdict("undecided", scope="", for_all_sizes=False, reason="it", notes=("ü \ud800", "b"), diagnosis="d"),
    ],
)  # fmt: skip
def test_verdicts_on_scalars_come_back(verdict: Verdict) -> None:
    """Verdicts with sides, relations, hypotheses, notes and very long numbers."""
    assert is_same(sent(Judgement(verdict)).verdict, verdict)


@pytest.mark.parametrize("name", FUNCTION_BY_NAME)
def test_formulas_of_the_catalogue_come_back(name: str) -> None:
    """Each definition and its derivative, as SymPy holds them."""
    function = FUNCTION_BY_NAME[name]
    formula = expand_applications(function.formula(*sp.symbols("x y z", real=True)[: function.arity]))
    for each in (formula, formula.diff(x)):
        back = read_expression(json.loads(json.dumps(write_expression(each))))
        assert back == each
        assert sp.srepr(back) == sp.srepr(each)


@pytest.mark.parametrize(
    "expression",
    [
        sp.Mul(2, sp.Add(x, 1, evaluate=False), evaluate=False),
        sp.Add(x, x, evaluate=False),
        sp.log(sp.exp(W)),
        sp.Pow(sp.Integer(8), sp.Rational(1, 3), evaluate=False),
        sp.exp(sp.log(u, evaluate=False), evaluate=False),
        sp.And(x > 0, sp.Or(y < 1, sp.Ne(x, y))),
        sp.Not(sp.Eq(x, 0)),
        sp.ITE(x > 0, y > 0, y < 1),
        sp.Integer(7) ** 9000,
        sp.oo - sp.I,
        sp.true,
    ],
)
def test_nothing_is_evaluated_on_the_way(expression: sp.Basic) -> None:
    """What was not simplified is not simplified by being sent."""
    back = read_expression(json.loads(json.dumps(write_expression(expression))))

    assert back == expression
    if not isinstance(expression, sp.Integer):
        assert sp.srepr(back) == sp.srepr(expression)


@pytest.mark.parametrize("expression", [sp.Function("f")(x), sp.Integral(x, x), sp.Dummy("x"), sp.Float(0.5)])
def test_heads_outside_the_table_are_refused(expression: sp.Basic) -> None:
    """The table is closed: a name in the data never becomes a class that is not in it."""
    with pytest.raises(UnsupportedError, match="has no form"):
        write_expression(expression)
    with pytest.raises(KeyError):
        read_expression([type(expression).__name__, ["Symbol", "x", {}]])


@pytest.mark.parametrize("value", [Fraction(0), Fraction(-1, 3), Fraction(10**6000 + 1, 10**5000)])
def test_fractions_come_back(value: Fraction) -> None:
    """Of any length: Python refuses to write long integers in decimal."""
    assert read_fraction(write_fraction(value)) == value


@pytest.mark.parametrize(
    "error",
    [
        errors.FormulaError("found it", line=3, column=4, found="it", expected="that"),
        errors.ShapeError("no line"),
        errors.LimitError("large", line=2),
        errors.UnknownNameError("no x", name="x", known=("y", "z")),
        errors.DocumentError("line 3: no"),
        errors.UnsupportedError("not yet"),
        AmbiguousFormulaError("two readings", ("a b", "ab"), line=1, column=None),
    ],
)
def test_errors_come_back(error: SymBackpropError) -> None:
    """With their class, their fields and their message."""
    back = read_error(json.loads(json.dumps(write_error(error))))

    assert type(back) is type(error)
    assert (str(back), vars(back)) == (str(error), vars(error))


def test_an_error_of_an_unknown_class_is_its_nearest_base() -> None:
    """A subclass from elsewhere is still caught by the name of its base."""

    class StrangeError(errors.ShapeError):
        """Known to nobody."""

    assert type(read_error(write_error(StrangeError("no", line=1)))) is errors.ShapeError


def test_contents_come_back() -> None:
    """What a document claims, with the links of its formulas."""
    document = read_document((EXAMPLES / "seed_latex.md").read_text(encoding="utf-8"))
    contents = Contents(tuple(passage.outline for passage in document.passages), document.unjudged)

    assert read_contents(json.loads(json.dumps(write_contents(contents)))) == contents
    assert any(len(outline.links) > 1 for outline in contents.outlines)
