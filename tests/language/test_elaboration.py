"""Elaboration: what programs mean, what they are refused for, and what stays beside them."""

from __future__ import annotations

import contextlib
import itertools
import math
import re
import time
from collections.abc import Mapping

import pytest
import sympy

from symbackprop.calculus.chain import derive
from symbackprop.calculus.definitions import Definition, Term
from symbackprop.calculus.expansion import Expansion
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Count, Role, Slot
from symbackprop.errors import (
    CycleError,
    FormulaError,
    LimitError,
    RangeError,
    ShapeError,
    SymBackpropError,
    UnsaidShapeError,
    UnsupportedError,
)
from symbackprop.language import Limits, read_program, read_statements, write_program
from symbackprop.language import tree as t

GIVEN = """input x[N], y[N, K], s
param W[K, N], v[N], M[N, N], c
"""


def show_slot(slot: Slot) -> str:
    """A slot as text: `W[k,n]`, or the form of a number."""
    return str(slot.value) if isinstance(slot, Count) else f"{slot.tensor.name}[{','.join(map(str, slot.at))}]"


def show_term(term: Term) -> str:
    """A term as text: its bound indices, its body, what its slots read."""
    return f"{','.join(map(str, term.bound))}: {term.body} | {' '.join(map(show_slot, term.slots))}".strip()


def show(definition: Definition) -> str:
    """A definition as text."""
    return " + ".join(map(show_term, definition.terms))


MEANINGS = [
    ("z = c*s", ["z = : s0*s1 | c[] s[]"]),
    ("z[k] = sum(n, W[k,n]*x[n]) + c", ["z = n: s0*s1 | W[k,n] x[n] + : s0 | c[]"]),
    ("z = -sum(n, x[n])/N", ["z = n: -s0/s1 | x[n] N"]),
    ("z = mean(n, k, y[n,k])", ["z = n,k: s0/(s1*s2) | y[n,k] N K"]),
    ("z = mean(i:3, c)", ["z = : s0 | c[]"]),
    ("z[n] = x[n] + c - v[n]", ["z = : s0 + s1 - s2 | x[n] c[] v[n]"]),
    ("z = c - (s - sum(n, x[n]))", ["z = : s0 - s1 | c[] s[] + n: s0 | x[n]"]),
    ("z = sum(n, x[n])^2", ["z_sum = n: s0 | x[n]", "z = : s0**2 | z_sum[]"]),
    ("z[n] = exp(x[n])/sum(j, exp(x[j]))", ["z_sum = j: exp(s0) | x[j]", "z = : exp(s0)/s1 | x[n] z_sum[]"]),
    ("z[n] = tanh(x[n])", ["z = : tanh(s0) | x[n]"]),
    ("z[n] = c*tanh(x[n])", ["z_tanh = : tanh(s0) | x[n]", "z = : s0*s1 | c[] z_tanh[n]"]),
    ("z[n] = silu(x[n])", ["z_sigmoid = : 1/(1 + exp(-s0)) | x[n]", "z = : s0*s1 | x[n] z_sigmoid[n]"]),
    ("z[n] = sin(x[n])*c", ["z = : s1*sin(s0) | x[n] c[]"]),
    ("z[n] = leaky_relu(x[n], 0.2)", ["z = : Piecewise((s0, s0 > 0), (s0/5, True)) | x[n]"]),
    ("z[n] = sigmoid'(x[n])", ["z = : exp(-s0)/(1 + exp(-s0))**2 | x[n]"]),
    ("z[i] = M[i,i]", ["z = : s0 | M[i,i]"]),
    ("z = sum(i, j, M[i,j]*M[j,i])", ["z = i,j: s0*s1 | M[i,j] M[j,i]"]),
    ("z = x[1] + y[2,1]", ["z = : s0 + s1 | x[1] y[2,1]"]),
    ("z[n] = n*x[n]/N", ["z = : s0*s1/s2 | n x[n] N"]),
    ("z[i:3] = i^2", ["z = : s0**2 | i"]),
    ("z[n:N] = sin(n/10000^(2*n/N))", ["z = : sin(s0/10000**(2*s0/s1)) | n N"]),
    ("z[n] = x[n]*sum(n, v[n])", ["z = p: s0*s1 | x[n] v[p]"]),
    ("z[n] = where(n == 2, x[n], 0)", ["z = : Piecewise((s1, Eq(s0, 2)), (0, True)) | n x[n]"]),
    ("z = where(c > 0 and not s > 1, 1, 2)", ["z = : Piecewise((1, (s1 <= 1) & (s0 > 0)), (2, True)) | c[] s[]"]),
    ("z[n] = x[n]*sqrt(2)/pi", ["z = : sqrt(2)*s0/pi | x[n]"]),
    ("z = 0.1*c + 1e-3", ["z = : s0/10 + 1/1000 | c[]"]),
    ("z = sum(n:N, c)", ["z = : s0*s1 | c[] N"]),
]


@pytest.mark.parametrize(("line", "meaning"), MEANINGS, ids=[line for line, _ in MEANINGS])
def test_line_means_its_definitions(line: str, meaning: list[str]) -> None:
    """Each line becomes the definitions that the language says, what is nested before what reads it."""
    program = read_program(GIVEN + line)
    assert [f"{d.tensor.name} = {show(d)}" for d in program.definitions] == meaning
    assert all(d.tensor.role is Role.HIDDEN for d in program.definitions[:-1])


@pytest.mark.parametrize("line", [line for line, _ in MEANINGS])
def test_program_text_reads_back_equal(line: str) -> None:
    """The text of a program reads back as an equal program."""
    program = read_program(GIVEN + line)
    assert read_program(write_program(program)) == program


def test_equal_nested_parts_share_a_definition() -> None:
    """What is nested twice is named once, also under other letters."""
    program = read_program(GIVEN + "a[n] = x[n]/sum(i, exp(x[i]))\nb[m] = v[m]/sum(j, exp(x[j]))")
    assert [d.tensor.name for d in program.definitions] == ["a_sum", "a", "b"]


def test_hidden_names_give_way_to_the_users() -> None:
    """A name of the user's, also one further down, is never taken by a nested part."""
    program = read_program(GIVEN + "z = sum(n, x[n])^2\nz_sum = c")
    assert [d.tensor.name for d in program.definitions] == ["z_sum2", "z", "z_sum"]


def evaluate(tree: t.Node, scope: Mapping[str, int], sizes: Mapping[str, int], data: Mapping[str, object]) -> float:
    """The value of a tree by plain recursion: an oracle that shares nothing with elaboration.

    `data` holds nested lists; an index runs over the first axis where it stands alone.
    """

    def value(node: t.Node, here: Mapping[str, int] = scope) -> float:
        return evaluate(node, here, sizes, data)

    match tree:
        case t.Number(number):
            return float(number)
        case t.Name(name):
            found = here[name] if name in (here := scope) else sizes.get(name, data.get(name))
            assert isinstance(found, int | float)
            return float(found)
        case t.Access(name, indices):
            entry = data[name]
            for index in indices:
                assert isinstance(entry, list)
                entry = entry[int(value(index)) - 1]
            assert isinstance(entry, float)
            return entry
        case t.Negate(operand):
            return -value(operand)
        case t.Power(base, exponent):
            return float(value(base) ** value(exponent))
        case t.Chain(operands, operators):
            total = value(operands[0])
            for operator, operand in zip(operators, operands[1:], strict=True):
                other = value(operand)
                total = {"+": total + other, "-": total - other, "*": total * other, "/": total / other}[operator]
            return total
        case t.Apply(function, (argument,)):
            return {"exp": math.exp, "tanh": math.tanh, "sqrt": math.sqrt}[function](value(argument))
        case t.Reduce(operation, binders, body):
            names = [b.name for b in binders]
            values = [
                value(body, {**scope, **dict(zip(names, point, strict=True))})
                for point in itertools.product(range(1, 3), repeat=len(names))
            ]
            return sum(values) / (len(values) if operation == "mean" else 1)
    raise AssertionError(tree)


SHADOWED = [
    "x[n]*sum(n, x[n]*sum(n, v[n]))",
    "x[n]*sum(n, x[n]*sum(m, v[m]*x[n]))",
    "sum(n, M[n,n])*x[n] - mean(i, M[i,n]*sum(n, M[n,i]))",
    "sum(i, x[i]*exp(M[n,i] - sum(i, M[i,n]*v[i])))",
    "tanh(sum(n, x[n])*v[n])^2 - sum(i, j, M[i,j]*M[j,n])*x[n]",
    "mean(i, (M[i,n] - mean(n, M[i,n]*mean(i, x[i]*M[n,i])))^2)/(1 + sqrt(sum(j, x[j]^2)))",
    "-(x[n] - (v[n] - sum(n, x[n])*(v[n] + sum(m, x[m]*v[n]))))",
]


@pytest.mark.parametrize("body", SHADOWED)
def test_shadowed_letters_mean_the_innermost(body: str) -> None:
    """Inner letters shadow outer ones however sums are merged and renamed: equal to plain recursion over the tree."""
    text = f"input x[2], v[2], M[2, 2]\nz[n] = {body}\nloss = sum(n, z[n]*n)"
    data: dict[str, object] = {"x": [0.3, -0.7], "v": [1.1, 0.4], "M": [[0.2, -0.5], [0.9, 0.6]]}
    program = read_program(text)
    expansion = Expansion(program, {})
    define = next(s for s in read_statements(text) if isinstance(s, t.Define))
    for n in (1, 2):
        entry = expansion.entry("z", (n,))
        point = {
            symbol: sympy.Float(evaluate(t.Access(*_split(str(symbol))), {}, {}, data)) for symbol in entry.free_symbols
        }
        assert float(entry.subs(point)) == pytest.approx(evaluate(define.body, {"n": n}, {}, data), rel=1e-12)


def _split(symbol: str) -> tuple[str, tuple[t.Expression, ...]]:
    name, _, rest = symbol.rstrip("]").partition("[")
    return name, tuple(t.Number(int(i)) for i in rest.split(","))  # type: ignore[arg-type]  # an int serves as a Fraction


BAD = [
    (
        GIVEN + "z = q + 1",
        3,
        5,
        FormulaError,
        "the unknown name 'q'",
        "a tensor that stands above: x, y, s, W, v, M, c",
    ),
    (GIVEN + "z = foo(c)", 3, 5, FormulaError, "the unknown function 'foo'", None),
    (GIVEN + "z = c(s)", 3, 5, FormulaError, "the unknown function 'c'", None),
    (
        GIVEN + "z = x[n]",
        3,
        7,
        FormulaError,
        "the index n, which nothing introduces",
        "an index in scope (none is in scope)",
    ),
    (GIVEN + "z[n] = W[n,n]", 3, 8, RangeError, "N for n in W[n,n]", "K for n as in W[n,n]"),
    (GIVEN + "z = sum(i, x[i]*y[1,i])", 3, 17, RangeError, "K for i in y[1,i]", "N for i as in x[i]"),
    (GIVEN + "z[i:K] = x[i]", 3, 3, RangeError, "i over K", "N, over which i runs in x[i]"),
    (GIVEN + "z = sum(i, c)", 3, 9, UnsaidShapeError, "the index i without a range", "a range"),
    (GIVEN + "z = x[n,k]", 3, 5, ShapeError, "2 indices in x[n,k]", "1 (N)"),
    (GIVEN + "z = W", 3, 5, ShapeError, "W without indices", "2 of them: W[i,j]"),
    (GIVEN + "z = c[1]", 3, 5, ShapeError, "1 index in c[1]", "0 (none: it is a scalar)"),
    (GIVEN + "z = N[1]", 3, 5, FormulaError, "indices on the size N", "the name of a tensor"),
    ("input x[3]\nz = x[4]", 2, 7, ShapeError, "the literal index 4 in x[4]", "1 to 3"),
    ("input x[N]\nz = x[0]", 2, 7, ShapeError, "the literal index 0 in x[0]", "1 to N"),
    ("input x[0]", 1, 9, UnsaidShapeError, "the size 0", "a size of at least 1"),
    ("input x[N*N]", 1, 9, FormulaError, "`N*N` in the size `N*N`", None),
    ("input x[N/2]", 1, 9, FormulaError, "`/` in the size `N/2`", "`//`, the quotient rounded down"),
    ("input x[N//0]", 1, 9, FormulaError, "`// 0` in the size `N//0`", "a positive integer or a size to divide by"),
    ("input x[N]\nz[n:N] = x[n*n]", 2, 12, FormulaError, "`n*n` in x[n*n]", "integer factors only, such as 2*i"),
    ("input x[N]\nz[n:N] = x[n/2]", 2, 12, FormulaError, "`/` in x[n/2]", "`//`, the quotient rounded down"),
    ("input x[N]\nz[n:N] = x[n+1] + x[2*p]", 2, 23, FormulaError, "the index p, which nothing introduces", None),
    ("input x[N]\nz = sum(n, x[n+1])", 2, 9, UnsaidShapeError, "the index n without a range", "a range"),
    (
        "index tok[N] in V\ninput E[K]\nz[n] = E[tok[n]]",
        3,
        10,
        ShapeError,
        "tok[n], which is 1 to V, on axis 1 of E",
        "an index over K",
    ),
    (
        "index tok[N] in V\ninput E[V, N]\nz[n] = E[tok[m],n]",
        3,
        14,
        FormulaError,
        "the index m, which nothing introduces",
        None,
    ),
    ("input x[T]\nh[1] = x[1]", 2, 3, FormulaError, "`1` on the left side of h[1]", None),
    ("input x[T]\nh[0] = x[1]", 2, 1, FormulaError, "the base h[0] alone", "a step too, as h[t, ...] = ..."),
    ("input x[T]\nh[t] = h[t-1] + x[t]\nh[t] = x[t]", 3, 1, FormulaError, "h a second time", None),
    ("input x[T]\nh[0] = x[1]\nh[T+1] = x[1]\nh[t] = h[t-1] + x[t]", 3, 1, FormulaError, "a second base of h", None),
    ("input x[T]\nh[T+2] = x[1]\nh[t] = h[t+1] + x[t]", 2, 1, ShapeError, "a base at T + 2", None),
    ("input x[T]\nh[0,j] = x[1]\nh[t] = h[t-1] + x[t]", 2, 1, ShapeError, "2 indices in h[0,j]", None),
    ("input x[T]\nh[t] = h[t-1] + h[t+1] + x[t]", 2, None, CycleError, "a circle of definitions: h", None),
    ("input x[T]\nh[t] = h[t-2] + x[t]", 2, None, CycleError, "a circle of definitions: h", None),
    (
        "input x[T]\na[t] = b[t-1] + x[t]\nb[t] = a[t+1] + x[t]",
        2,
        None,
        CycleError,
        "a circle of definitions: a, b",
        None,
    ),
    ("const k[3]", 1, 7, FormulaError, "axes of the constant k", "a scalar; data with axes is an input"),
    ("input x\nparam x", 2, 7, FormulaError, "x a second time", "a new name: x is a tensor since line 1"),
    ("input x\nx = 2", 2, 1, FormulaError, "x a second time", "a new name: x is a tensor since line 1"),
    ("input N\nparam w[N]", 2, 9, FormulaError, "the size N", "a new name: N is a tensor since line 1"),
    (GIVEN + "z[c] = x[c]", 3, 3, FormulaError, "the index c", "another letter: c is a tensor since line 2"),
    (GIVEN + "z = sum(N, x[N])", 3, 9, FormulaError, "the index N", "another letter: N is a size since line 1"),
    (
        GIVEN + "z[i,i] = M[i,i]",
        3,
        5,
        FormulaError,
        "the index i twice on the left side",
        "a different index on each axis",
    ),
    (GIVEN + "z = sum(i, i, M[i,i])", 3, 12, FormulaError, "the index i twice", "different indices in one reduction"),
    (GIVEN + "z = b + 1\nb = c", 3, 5, FormulaError, "b before its definition in line 4", "a tensor that stands above"),
    (GIVEN + "z = b + 1\nb = z", 3, 5, CycleError, "b in a circle of definitions (line 4)", None),
    (GIVEN + "z = z + 1", 3, 5, CycleError, "z in a circle of definitions (line 3)", None),
    (GIVEN + "z = maximum(c)", 3, 5, FormulaError, "1 argument of maximum", "2"),
    (GIVEN + "z = sigmoid(c, 2)", 3, 5, FormulaError, "2 arguments of sigmoid", "1"),
    (GIVEN + "z = elu(c, s)", 3, 5, FormulaError, "a parameter of elu that is no number", "a number such as 0.2"),
    (GIVEN + "z[n] = x[n]*(n/2)//c", 3, 8, FormulaError, "`//` in `x[n]*(n/2)//c`", "+ - * / or ^"),
    (GIVEN + "z = c//2", 3, 5, FormulaError, "`//` in `c//2`", "+ - * / or ^"),
    (GIVEN + "z = c/0", 3, 7, FormulaError, "`0`, which is 0", "something nonzero"),
    (GIVEN + "z = c + log(0 - 1)", 3, 13, FormulaError, "`0 - 1`, which is -1", "something positive"),
    (GIVEN + "z = sqrt(-2)", 3, 10, FormulaError, "`-2`, which is -2", "something nonnegative"),
    (GIVEN + "z = x[c]", 3, 7, FormulaError, "the tensor c as an index", "an index, or an entry of an index tensor"),
    (GIVEN + "z = adj(c)", 3, 5, FormulaError, "adj outside a claim", "an expression"),
    (GIVEN + "loss = c\nz = loss + 1", 4, None, FormulaError, "the scalar z, which reads loss", None),
    (GIVEN + "loss = c\nr[n] = loss*x[n]\nz = r[1]", 5, None, FormulaError, "the scalar z, which reads loss", None),
    (GIVEN + "z = 2^(c - c + 9999)", 3, 5, LimitError, "a power of literals", "at most 4096 bits"),
    (GIVEN + "z = (2*c)^99999", 3, 6, LimitError, "a power of literals", "at most 4096 bits"),
    (GIVEN + "z = exp(1e900*log(2))", 3, 5, LimitError,
     "the exponential of a large literal in exp(1e900*log(2))", "at most 4096 bits"),
    (GIVEN + "z = where(exp(exp(exp(9))) > 2, c, s)", 3, 15, LimitError,
     "the exponential of a large literal in exp(exp(9))", "at most 4096 bits"),
]


@pytest.mark.parametrize(
    ("text", "line", "column", "kind", "found", "expected"), BAD, ids=[b[0].split("\n")[-1] for b in BAD]
)
def test_error_says_what_is_wrong(
    text: str, line: int, column: int | None, kind: type[FormulaError], found: str, expected: str | None
) -> None:
    """What means nothing is refused with its place, what was found and what was expected."""
    with pytest.raises(FormulaError) as caught:
        read_program(text)
    error = caught.value
    assert (type(error), error.line, error.column, error.found) == (kind, line, column, found)
    if expected is not None:
        assert error.expected == expected


def test_range_clash_names_both_places() -> None:
    """Two sizes for one index are shown with the reads and the line that they come from."""
    with pytest.raises(ShapeError) as caught:
        read_program("input x[N, D]\nparam W[K, H]\nz[n,k] = sum(j,\n  W[k,j]*x[n,j])")
    assert "H in W[k,j] (line 4) and over D in x[n,j]" in str(caught.value)


CALLS = [
    ("z = logdet(A)", ShapeError, "found logdet of A[N, D], expected a square matrix"),
    ("z = det(b)", ShapeError, "found det of b[N], expected a square matrix"),
    ("z = det(c)", ShapeError, "found det of c, a scalar, expected a square matrix"),
    ("z = logdet(S, S)", FormulaError, "found 2 arguments of logdet, expected 1"),
    ("z = det(S*S)", FormulaError, "found `S*S` in det, expected the name of a tensor; define it first"),
    ("z = sum(i, inv(S)[i])", ShapeError, "found 1 index in inv(S)[i], expected 2"),
    ("z[i] = inv(S)[i,i] + inv(S)", ShapeError, "found inv(S) without indices, expected an entry of it"),
    ("z[i] = solve(S, d)[i]", ShapeError, "found solve of S[N, N] and d[D], expected a right side whose first axis"),
    ("z[i,j] = det(S)[i,j]", FormulaError, "found an entry of det, expected an entry of inv(A) or of solve(A, b)"),
    ("z[i,j] = S_inv[i,j] + inv(S)[i,j]", FormulaError, "found the unknown name 'S_inv'"),
]


@pytest.mark.parametrize(("line", "kind", "message"), CALLS, ids=[line for line, _, _ in CALLS])
def test_whole_matrix_calls_are_checked(line: str, kind: type[FormulaError], message: str) -> None:
    """A call of a matrix says what is wrong with it, where."""
    with pytest.raises(kind, match=re.escape(message)) as caught:
        read_program(f"input A[N, D], S[N, N], b[N], d[D], c\n{line}")
    assert "line 2, column" in str(caught.value)


def test_assumptions_have_no_whole_matrix_calls() -> None:
    """Beside an assumption nothing is defined, so that a determinant in one is refused by name."""
    with pytest.raises(UnsupportedError, match=r"line 2, column \d+: .*whole-matrix call det\(S\)"):
        read_program("input S[N, N]\nassume det(S) > 0")


DOMAINS = [
    ("z = 1/c", [("nonzero", "s0 | c[]")]),
    ("z = c/c", [("nonzero", "s0 | c[]")]),
    ("z = c/N", []),
    ("z = c/(N - K)", [("nonzero", "s0 - s1 | N K")]),
    ("z = c/(1 + exp(-s))", []),
    ("z[n] = exp(x[n])/sum(i, exp(x[i]))", []),
    ("z = c/(s^2 + 1)", []),
    ("z = log(exp(c))", []),
    ("z = log(c)", [("positive", "s0 | c[]")]),
    ("z = s^c", [("positive", "s0 | s[]")]),
    ("z = s^(-2)", [("nonzero", "s0 | s[]")]),
    ("z = s^(1/3)", [("nonnegative", "s0 | s[]")]),
    ("z = sqrt(s)", [("nonnegative", "s0 | s[]")]),
    ("z[n] = where(x[n] > 0, log(x[n]), 0)", [("positive", "Piecewise((s0, s0 > 0), (1, True)) | x[n]")]),
]


@pytest.mark.parametrize(("line", "domain"), DOMAINS, ids=[line for line, _ in DOMAINS])
def test_domain_is_kept_from_the_text(line: str, domain: list[tuple[str, str]]) -> None:
    """Denominators, radicands and logarithms are kept as conditions, unless they always hold."""
    definition = read_program(GIVEN + line).definitions[-1]
    kept = [(c.kind, f"{c.body} | {' '.join(map(show_slot, c.slots))}") for c in definition.domain]
    assert kept == domain


def test_assumptions_are_elaborated() -> None:
    """An assumption holds for all values of its free indices; `==` and `=` are one."""
    program = read_program(GIVEN + "assume sum(k, y[n,k]) = 1\nassume c > 0\nassume x[n] == v[n]")
    first, second, third = program.assumptions
    assert [i.name for i in first.indices] == ["n"]
    assert [show_term(term) for term in first.left] == ["k: s0 | y[n,k]"]
    assert [show_term(term) for term in first.right] == [": 1 |"]
    assert (second.indices, second.relation, second.right) == ((), ">", ())
    assert third.relation == "="
    assert read_program(write_program(program)) == program


@pytest.mark.parametrize("assumed", ["x[n] <= x[n+1]", "x[n-1] = 2*x[n]", "where(x[n] > 0, x[n+1], 0) = 0"])
def test_assumptions_read_entries_that_there_are(assumed: str) -> None:
    """x[n+1] at the last n would be the 0 of a program, and x[N] below it."""
    with pytest.raises(FormulaError, match="no entry for some n, in an assumption"):
        read_program(GIVEN + f"assume {assumed}")
    read_program(GIVEN + "assume where(n < N, x[n+1] - x[n], 0) >= 0\nassume sum(n:N-1, x[n+1]) = 1")


def test_assumption_names_no_hidden_definition() -> None:
    """Beside an assumption nothing is defined: functions stay in place, nested sums are refused."""
    program = read_program(GIVEN + "assume 2*tanh(c) > 1")
    assert show_term(program.assumptions[0].left[0]) == ": 2*tanh(s0) | c[]"
    with pytest.raises(UnsupportedError, match="assume the sum itself"):
        read_program(GIVEN + "assume sqrt(sum(n, x[n])) > 1")


@pytest.mark.parametrize(
    ("lines", "loss"),
    [
        ("z = c", "z"),
        ("z = c\nu = s", "u"),
        ("loss = c\nu[n] = loss*x[n]", "loss"),
        ("loss = c\nu = s", "loss"),
        ("", None),
    ],
)
def test_loss_is_the_scalar_called_so_or_the_last(lines: str, loss: str | None) -> None:
    """The loss is the scalar called loss, else the last scalar that is defined."""
    assert read_program(GIVEN + lines).loss == loss


def test_derived_program_has_a_text() -> None:
    """Adjoints, which no user wrote, have a text that reads back with the same values."""
    program = read_program(
        GIVEN + "p[k] = exp(sum(n, W[k,n]*x[n]))/sum(j, exp(sum(n, W[j,n]*x[n])))\nloss = -sum(k, log(p[k]))"
    )
    derived = program.extended(derive(program, "loss", ("W", "v")).definitions)
    again = read_program(write_program(derived))
    before, after = (Expansion(p, {"N": 2, "K": 2}) for p in (derived, again))
    entry, same = before.entry("W_bar", (1, 2)), after.entry("W_bar", (1, 2))
    point = {symbol: sympy.Rational(k + 1, 7) for k, symbol in enumerate(sorted(entry.free_symbols, key=str))}
    assert entry.subs(point).evalf(30) == pytest.approx(same.subs(point).evalf(30), rel=1e-25)
    assert after.entry("v_bar", (1,)) == 0


DEEP = ["sin(@)", "tanh(@)", "sqrt(1 + @)", "1/(1 + @)", "(1 + @)*s", "where(c > 0, @, 0)", "sum(n, x[n]*@)", "-@"]


@pytest.mark.parametrize("level", DEEP)
def test_deepest_allowed_nesting_is_read_written_and_derived(level: str) -> None:
    """A formula nested to the limit is no error anywhere, and takes a moment."""
    started = time.perf_counter()
    formula = "c"
    for _ in range(90):
        formula = level.replace("@", formula)
    program = read_program(GIVEN + "z = " + formula)
    assert read_program(write_program(program)) == program
    assert derive(program, "z", ("c",)).gradient("c").tensor.name == "c_bar"
    assert time.perf_counter() - started < 5


def test_limits_reach_elaboration() -> None:
    """A raised limit on powers holds where SymPy multiplies them out, too."""
    assert read_program("param c\nz = (2*c)^5000", Limits(power_bits=6000)).loss == "z"


@pytest.mark.parametrize("seed", range(40))
def test_mutilated_text_is_an_error_of_ours(seed: int) -> None:
    """A program with some characters dropped, doubled or swapped is read or refused, never a crash."""
    text = list(
        GIVEN + "z[n] = exp(x[n])/sum(j, exp(x[j])) + relu(c)^2\nloss = mean(n, where(z[n] > 0.5, z[n], -1e-2))\n"
    )
    state = seed * 7919 + 1
    for _ in range(3):
        state = (state * 1103515245 + 12345) % 2**31
        place = state % len(text)
        text[place : place + 1] = [[], [text[place]] * 2, ["("], ["\x00"], ["1e9"], ["["], ["]"]][state // 997 % 7]
    program: Program | None = None
    with contextlib.suppress(SymBackpropError):
        program = read_program("".join(text))
    assert program is None or read_program(write_program(program)) == program
