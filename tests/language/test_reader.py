"""Reading: a table of texts that are programs, and of texts that are not with all that their errors say."""

from __future__ import annotations

import time
from fractions import Fraction

import pytest

from symbackprop.errors import FormulaError, LimitError
from symbackprop.language.limits import Limits
from symbackprop.language.reader import read_expression, read_statements
from symbackprop.language.tree import (
    Access,
    And,
    Apply,
    Binder,
    Chain,
    Claim,
    Compare,
    Declaration,
    Define,
    Derivative,
    Entry,
    Name,
    Negate,
    Not,
    Number,
    Or,
    Power,
    Reduce,
    Where,
)

A, B, C, X = Name("a"), Name("b"), Name("c"), Name("x")
ONE, TWO = Number(Fraction(1)), Number(Fraction(2))

EXPRESSIONS = [
    ("a + b - c", Chain((A, B, C), ("+", "-"))),
    ("a - (b - c)", Chain((A, Chain((B, C), ("-",))), ("-",))),
    ("-x^2", Negate(Power(X, TWO))),
    ("a^b^c", Power(A, Power(B, C))),
    ("2^-x", Power(TWO, Negate(X))),
    ("-a*b", Negate(Chain((A, B), ("*",)))),
    ("a*-b/c", Chain((A, Negate(B), C), ("*", "/"))),
    ("(((a)))", A),
    ("0.1", Number(Fraction(1, 10))),
    ("1e-5", Number(Fraction(1, 100000))),
    ("pi", Name("pi")),
    ("sigmoid(a)", Apply("sigmoid", (A,))),
    ("sigmoid'(a)", Apply("sigmoid", (A,), True)),
    ("sum(i, j, W[i,j])", Reduce("sum", (Binder("i"), Binder("j")), Access("W", (Name("i"), Name("j"))))),
    ("max(i:N, x[i])", Reduce("max", (Binder("i", Name("N")),), Access("x", (Name("i"),)))),
    ("argmax(i, x[i])", Reduce("argmax", (Binder("i"),), Access("x", (Name("i"),)))),
    ("argmax + a", Chain((Name("argmax"), A), ("+",))),
    ("E[tok[n],d]", Access("E", (Access("tok", (Name("n"),)), Name("d")))),
    ("x[i//2, j%2]", Access("x", (Chain((Name("i"), TWO), ("//",)), Chain((Name("j"), TWO), ("%",))))),
    ("inv(a)[i,j]", Entry(Apply("inv", (A,)), (Name("i"), Name("j")))),
    ("where(a == b, 1, 2)", Where(Compare("==", A, B), ONE, TWO)),
    (
        "where(not a < b and b < c or c != x, 1, 2)",
        Where(Or((And((Not(Compare("<", A, B)), Compare("<", B, C))), Compare("!=", C, X))), ONE, TWO),
    ),
    ("order + android + inside", Chain((Name("order"), Name("android"), Name("inside")), ("+", "+"))),
]


@pytest.mark.parametrize(("text", "tree"), EXPRESSIONS, ids=[text for text, _ in EXPRESSIONS])
def test_expression_is_read(text: str, tree: object) -> None:
    """Each expression becomes the one tree that the language says."""
    assert read_expression(text) == tree


def test_program_is_read_with_places() -> None:
    """Declarations split, newlines in brackets do not end a line, comments vanish, places are kept."""
    text = (
        'param W[K, D] as "\\mathbf{W}", b[K]  # weights\n'
        "index tok[N] in V\n\n"
        "z[n,k] = sum(d,\n   W[k,d]*x[n,d]) + b[k]\n"
        "y[n, p:P] = x[n, 2*p-2]"
    )
    weights, bias, tok, z, y = read_statements(text)
    assert weights == Declaration("param", "W", (Name("K"), Name("D")), "\\mathbf{W}")
    assert bias == Declaration("param", "b", (Name("K"),))
    assert tok == Declaration("index", "tok", (Name("N"),), None, Name("V"))
    assert (z.line, z.column, y.line, bias.column) == (4, 1, 6, 32)
    assert isinstance(z, Define)
    assert isinstance(z.body, Chain)
    assert (z.body.operands[1].line, z.body.operands[1].column) == (5, 21)
    assert isinstance(y, Define)
    assert y.head == Access("y", (Name("n"), Binder("p", Name("P"))))


CLAIMS = [
    (
        "claim d loss / d W[k,d] = 0",
        Claim(Derivative(Name("loss"), Access("W", (Name("k"), Name("d")))), (Number(Fraction(0)),)),
    ),
    ("claim d = 1", Claim(Name("d"), (ONE,))),
    ("claim d / a = 1", Claim(Chain((Name("d"), A), ("/",)), (ONE,))),
    ("claim a = b = c expect refuted", Claim(A, (B, C), None, True)),
    ("claim a ~ -2.04e-7", Claim(A, (), "-2.04e-7")),
    ("claim expect = refuted", Claim(Name("expect"), (Name("refuted"),))),
    ("claim d a[1] / d b = 2 ~ 2.0", Claim(Derivative(Access("a", (ONE,)), B), (TWO,), "2.0")),
]


@pytest.mark.parametrize(("text", "claim"), CLAIMS, ids=[text for text, _ in CLAIMS])
def test_claim_is_read(text: str, claim: Claim) -> None:
    """Heads, chains, digits and the expectation of a claim are told apart."""
    assert read_statements(text) == (claim,)


BAD = [
    ("z = 2x", 1, 6, "`x`", "an operator or the end of the line", "2*x"),
    ("z = (a)(b)", 1, 8, "`(`", "an operator or the end of the line", "(...)*(...)"),
    ("z = x y", 1, 7, "`y`", "an operator or the end of the line", "x*y"),
    ("z = a**2", 1, 6, "`**`", "a formula", "x^2"),
    ("z = where(a < b < c, 1, 2)", 1, 17, "<", "one comparison", "a < b and b < c"),
    ("input sum[N]", 1, 7, "the reserved word `sum`", "a name", "another name"),
    ("x = 1\nz = in + 2", 2, 5, "the reserved word `in`", "an expression", "another name"),
    ("param w[N", 1, 8, "`[` that is never closed", "`]`", ""),
    ("z = x)", 1, 6, "`)`", "a bracket that it closes", ""),
    ("z = x[i)", 1, 8, "`)`", "`]`", "line 1, column 6"),
    ("z = a +", 1, 8, "the end of the line", "an expression", ""),
    ("z = a +\nb = 2", 1, 8, "the end of the line", "an expression", ""),
    ("z = a + * b", 1, 9, "`*`", "an expression", ""),
    ("z = where(a = b, 1, 0)", 1, 13, "`=`", "`,`", "write =="),
    ("z == 3", 1, 3, "`==`", "`=` or `[`", "write = to define"),
    ("z = x\x00", 1, 6, "the character U+0000", "a formula", ""),
    ("z = 2 \u00d7 3", 1, 7, "`\u00d7`", "a formula", "write *"),
    ("z = sum(x)", 1, 5, "sum without an index", "an index and a body", "sum(i, x[i])"),
    ("z = sum(2, x)", 1, 9, "an expression", "the name of an index", ""),
    ("claim x", 1, 7, "the end of the claim", "`=` or `~`", ""),
    ("claim d loss / w = 3", 1, 16, "`w`", "`d`", ""),
    ("z = a > b", 1, 5, "a condition", "an expression", "where"),
    ("z = where(a, 1, 2)", 1, 11, "an expression", "a condition", "x > 0"),
    ("z = where(a > b, 1)", 1, 19, "`)`", "`,`", ""),
    ("index a[N]", 1, 11, "the end of the line", "`in`", ""),
    ("claim a = b expect", 1, 19, "the end of the line", "`refuted`", ""),
    ("inptu x[N]", 1, 7, "`x`", "`=` or `[`", "begins with input"),
    ("z = x'", 1, 7, "the end of the line", "`(`", "transposes"),
    ("z = x[i:3]", 1, 7, "a range", "an expression", "introduced"),
    ("z = .5", 1, 5, "`.`", "a formula", "0.5"),
    ('input x as "y', 1, 12, '`"`', "a formula", "same line"),
    ("z = -", 1, 6, "the end of the line", "an expression", ""),
]


@pytest.mark.parametrize(("text", "line", "column", "found", "expected", "hint"), BAD, ids=[repr(b[0]) for b in BAD])
def test_error_names_place_found_expected(
    text: str, line: int, column: int, found: str, expected: str, hint: str
) -> None:
    """An error carries line, column, what was found and what was expected, and a hint where the mistake is common."""
    with pytest.raises(FormulaError) as caught:
        read_statements(text)
    error = caught.value
    assert (error.line, error.column, error.found, error.expected) == (line, column, found, expected)
    assert hint in str(error)
    assert str(error).startswith(f"line {line}, column {column}: found")


HOSTILE = [
    ("z = " + "(" * 5000 + "x" + ")" * 5000, "nesting"),
    ("z = " + "-" * 3000 + "x", "nesting"),
    ("z = " + "sin(" * 300 + "x" + ")" * 300, "nesting"),
    ("z = " + "x^" * 3000 + "x", "nesting"),
    ("z = 9^9^9^9", "4096 bits"),
    ("z = (9^1000)^1000", "4096 bits"),
    ("z = 2^(5*1000)", "4096 bits"),
    ("z = x^(-2)^99999", "4096 bits"),
    ("z = 1e999999", "4096 bits"),
    ("z = 1e-99999999999999999999", "4096 bits"),
    ("z = " + "9" * 5000, "4096 bits"),
    ("\n".join(f"z{i} = x" for i in range(50_000)), "10000"),
]


@pytest.mark.parametrize(("text", "expected"), HOSTILE, ids=[text[:24] for text, _ in HOSTILE])
def test_hostile_text_is_refused_quickly(text: str, expected: str) -> None:
    """What would take long or recurse deep is a LimitError within a moment."""
    started = time.perf_counter()
    with pytest.raises(LimitError) as caught:
        read_statements(text)
    assert time.perf_counter() - started < 2
    assert expected in (caught.value.expected or "")


def test_limits_can_be_raised() -> None:
    """The caller's limits hold instead of the standard ones, in both directions."""
    deep = "(" * 250 + "x" + ")" * 250
    assert read_expression(deep, Limits(nesting=300)) == X
    assert read_expression("2^5000", Limits(power_bits=5000)) == Power(TWO, Number(Fraction(5000)))
    with pytest.raises(LimitError):
        read_statements("a = 1\nb = 2", Limits(definitions=1))


def test_long_formula_is_no_deep_formula() -> None:
    """A sum of many terms is one node, however long."""
    tree = read_expression(" + ".join(["x"] * 3000))
    assert tree == Chain((X,) * 3000, ("+",) * 2999)


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment", "   \t\r\n"])
def test_empty_text_is_an_empty_program(text: str) -> None:
    """A text without statements is a program without statements."""
    assert read_statements(text) == ()


def test_error_in_the_middle_of_carriage_returns() -> None:
    """Lines that end in CRLF count as one line each."""
    with pytest.raises(FormulaError) as caught:
        read_statements("a = 1\r\nb = 2\r\nc = 2 a\r\n")
    assert (caught.value.line, caught.value.column) == (3, 7)
