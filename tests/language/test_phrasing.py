"""Core definitions as formulas that a person would write."""

from __future__ import annotations

import pytest
import sympy

from symbackprop.calculus.chain import derive
from symbackprop.calculus.definitions import Definition, make_term, slot_symbol
from symbackprop.calculus.expansion import Expansion
from symbackprop.calculus.guards import Equal
from symbackprop.calculus.indices import Affine, Index
from symbackprop.calculus.tensors import Count, Read, Role, Tensor
from symbackprop.language import read_expression, read_program, write_tree
from symbackprop.language.phrasing import affine_tree, phrase_body, phrase_definition
from symbackprop.language.substitution import substitute_names

a, b, c, d = (slot_symbol(k) for k in range(4))
N, K = Index("n", Affine.of("N")), Index("i", Affine.of("K"))


def read(name: str, *indices: Index) -> Read:
    """A tensor read at plain indices."""
    tensor = Tensor(name, tuple(i.size for i in indices), Role.DEFINED)
    return Read(tensor, tuple(Affine.of(i) for i in indices))


SLOTS = (read("a"), read("y"), Count(Affine.of("N")), Count(Affine.of("K")))


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (2 * (a - b) / (c * d), "2*(a - y)/(N*K)"),
        (2 * a * (1 - a) * (a - b) / (c * d), "2*a*(1 - a)*(a - y)/(N*K)"),
        (2 * (a - b) * (1 - a**2) / c, "2*(a - y)*(1 - a^2)/N"),
        (-a * (a - 1), "a*(1 - a)"),
        (b - a, "y - a"),
        (2 * (b - a) / 3, "2*(y - a)/3"),
        (-a - b, "-(a + y)"),
        (a * b - b, "(a - 1)*y"),
        (1 / (1 + sympy.exp(-a)), "sigmoid(a)"),
        (-b * sympy.log(a) / c, "-log(a)*y/N"),
        (sympy.sqrt(a) / 2, "sqrt(a)/2"),
        (a / sympy.sqrt(d), "a/sqrt(K)"),
        (a**3 + 2 * a, "a*(2 + a^2)"),
        (sympy.Piecewise((a, a > 0), (0, True)), "where(a > 0, a, 0)"),
        (sympy.Piecewise((a, sympy.And(a > 0, b < 1)), (b, True)), "where(a > 0 and y < 1, a, y)"),
        (sympy.pi * a + sympy.E, "exp(1) + pi*a"),
        (sympy.Integer(0), "0"),
        (sympy.Rational(-3, 2), "-3/2"),
    ],
)
def test_bodies_are_written_in_reading_order(body: sympy.Expr, text: str) -> None:
    """Constants factored, positive terms first, what divides behind one slash."""
    assert write_tree(phrase_body(body, SLOTS)) == text


def test_sums_carry_out_what_does_not_change() -> None:
    """Factors without the bound index stand before the sum; a sum over its range is a mean."""
    scaled = make_term((K,), a * b / c, (read("x", N, K), read("s", N), Count(Affine.of("K"))))
    assert scaled is not None
    definition = Definition(Tensor("m", (N.size,), Role.ADJOINT), (N,), (scaled,))

    assert write_tree(phrase_definition(definition)) == "m[n] = mean(i, x[n,i])*s[n]"


def test_what_terms_share_is_written_once() -> None:
    """Layer normalisation: 1/s stands behind one bracket."""
    j = Index("j", K.size)
    g, mean = read("g", N, K), Count(K.size)
    terms = (
        make_term((), a / b, (g, read("s", N))),
        make_term((j,), -a / (b * c), (read("g", N, j), read("s", N), mean)),
        make_term((j,), -a * b * c / (d * slot_symbol(4)), (
            read("g", N, j), read("h", N, j), read("h", N, K), read("s", N), mean,
        )),
    )  # fmt: skip
    definition = Definition(Tensor("x_bar", (N.size, K.size), Role.ADJOINT), (N, K), tuple(t for t in terms if t))

    assert write_tree(phrase_definition(definition)) == (
        "x_bar[n,i] = (g[n,i] - mean(j, g[n,j]) - mean(j, g[n,j]*h[n,j])*h[n,i])/s[n]"
    )


def test_guards_are_where_and_unknown_ranges_are_given() -> None:
    """An uncontracted delta is `where`; an index that no read names brings its range."""
    m = Index("m", N.size)
    term = make_term((), sympy.Integer(1), (), (Equal(Affine.of(N) - Affine.of(m)),))
    assert term is not None
    definition = Definition(Tensor("eye", (N.size, N.size), Role.ADJOINT), (N, m), (term,))

    assert write_tree(phrase_definition(definition)) == "eye[n:N,m:N] = where(m == n, 1, 0)"


def test_hidden_parts_stand_where_they_are_read() -> None:
    """A nested sum in an adjoint is written as the sum that it is, its letters out of the way."""
    program = read_program("param z[K]\np[i] = exp(z[i])/sum(j, exp(z[j]))\nloss = p[1]^2")
    hidden = {d.tensor.name: d for d in program.definitions if d.tensor.role is Role.HIDDEN}
    texts = [write_tree(phrase_definition(d, hidden)) for d in derive(program, "p", ["z"]).definitions]

    assert texts == [
        "p_by_p_sum[i] = -exp(z[i])/sum(j, exp(z[j]))^2",
        "p_by_z[i,j] = (p_by_p_sum[i] + where(i == j, 1/sum(k, exp(z[k])), 0))*exp(z[j])",
    ]


def test_substitution_captures_nothing() -> None:
    """A binder gives way to a name that comes in from outside, and shadows what it binds."""
    tree = read_expression("x[i] + sum(j, W[i,j]) + sum(i, x[i])")
    moved = substitute_names(tree, {"i": read_expression("j")})

    assert write_tree(moved) == "x[j] + sum(k, W[j,k]) + sum(i, x[i])"


def test_affine_forms_are_written_positive_first() -> None:
    """Index arithmetic with its signs."""
    form = Affine.of("T") * -2 + Affine.of("S") + Affine.of(-1)

    assert write_tree(affine_tree(form)) == "S - 2*T - 1"
    assert write_tree(affine_tree(Affine.of("T") * -1)) == "0 - T"


def test_phrases_of_adjoints_read_back_as_they_are() -> None:
    """A program with its raw adjoints, written as text, is read again as a program that means the same."""
    program = read_program(
        "input x[N, D], y[N, K]\nparam W[K, D]\nz[n,k] = sum(d, W[k,d]*x[n,d])\n"
        "a[n,k] = tanh(z[n,k])\nloss = mean(n, k, (a[n,k] - y[n,k])^2)"
    )
    adjoints = derive(program, "loss", ["W"]).definitions
    head = "input x[N, D], y[N, K], a[N, K], z[N, K]\nparam W[K, D]\n"
    text = head + "\n".join(write_tree(phrase_definition(d)) for d in adjoints)
    again = read_program(text + "\nloss = sum(k, d, W_bar[k,d])")

    sizes = {"N": 2, "D": 2, "K": 2}
    meant = Expansion(program.extended(adjoints), sizes, frozenset({"a", "z"}))
    read_back = Expansion(again, sizes)

    for entry in meant.entries("W_bar"):
        assert sympy.expand(meant.entry("W_bar", entry) - read_back.entry("W_bar", entry)) == 0
