"""Convolution, gathers, masks and recurrences in plain text, index LaTeX and scalar LaTeX."""

from __future__ import annotations

import re

import pytest

import symbackprop as sb
from symbackprop.notation.writing.line_breaks import break_right_side, estimate_width
from symbackprop.notation.writing.plain_text import break_line

CONVOLUTION = """
input x[N,C,H,W0], y[N,K,H-R+1,W0-S+1]
param w[K,C,R,S]
z[n,k,p:H-R+1,q:W0-S+1] = sum(c, r, s, w[k,c,r,s]*x[n,c,p+r-1,q+s-1])
loss = sum(n, k, p, q, (z[n,k,p,q] - y[n,k,p,q])^2)
"""
EMBEDDING = """
index tok[N] in V
param E[V,D]
input y[N,D]
loss = sum(n, d, (E[tok[n],d] - y[n,d])^2)
"""
TRIANGLE = """
param A[N,N], v[N]
s[i] = sum(j, where(j <= i, A[i,j]*v[j], 0))
loss = sum(i, s[i]^2)
"""
CUMULATIVE = """
param x[N,T]
s[n,0] = 1
s[n,t] = s[n,t-1]*x[n,t]
loss = sum(n, t, s[n,t]^2)
"""
BACKWARD = """
param u
input x[T]
g[t] = u*g[t+1] + x[t]
loss = g[1]^2
"""
TRANSPOSED = """
param x[P], w[R]
input y[2*P+R]
z[i:2*P+R] = sum(p, r, where(2*p + r - 2 == i, w[r]*x[p], 0))
loss = sum(i, (z[i] - y[i])^2)
"""
POOL = """
input x[N,H], g[N,H//2]
m[n,p:H//2] = max(r:2, x[n,2*p+r-2])
loss = sum(n, p, g[n,p]*m[n,p])
"""
CLASSES = """
index t[N] in K
param x[N,K]
loss = sum(n, k, where(k == t[n], 0, x[n,k]^2)) - sum(n, x[n,t[n]])
"""
LSTM = """
input x[T,D], y[T,H]
param Wf[H,D], Uf[H,H], Wu[H,D], Uu[H,H]
f[t,k] = sigmoid(sum(d, Wf[k,d]*x[t,d]) + sum(j, Uf[k,j]*h[t-1,j]))
u[t,k] = tanh(sum(d, Wu[k,d]*x[t,d]) + sum(j, Uu[k,j]*h[t-1,j]))
c[t,k] = f[t,k]*c[t-1,k] + u[t,k]
h[t,k] = f[t,k]*tanh(c[t,k])
loss = sum(t, k, (h[t,k] - y[t,k])^2)
"""
ARGMAX = """
param x[N,K]
a[n] = argmax(k, x[n,k])
loss = sum(n, x[n,a[n]]^2) + sum(n, x[n,argmax(k, -x[n,k])])
"""
PROGRAMS = (
    CONVOLUTION, EMBEDDING, TRIANGLE, CUMULATIVE, BACKWARD, TRANSPOSED, POOL, CLASSES, LSTM, ARGMAX,
)  # fmt: skip


def derivation(text: str, *wrt: str) -> sb.Derivation:
    """The derivation of a program by its parameters, or by `wrt`."""
    return sb.derive(sb.parse(text), wrt=wrt or None)


@pytest.mark.parametrize("text", PROGRAMS, ids=range(len(PROGRAMS)))
def test_text_reads_back_as_an_equal_program(text: str) -> None:
    """The forward pass with its adjoints is said by its text, which fits a terminal and reads back equal."""
    d = derivation(text)
    again = sb.parse(d.program.text())

    assert again == d.program
    assert hash(again) == hash(d.program)
    assert sb.parse(f"{sb.parse(text).text()}{d.text()}\n") == d.program
    assert all(len(line) <= 80 for line in d.text().splitlines())


def test_a_program_with_another_adjoint_differs() -> None:
    """Equality of programs with adjoints is no matter of course."""
    d = derivation(TRIANGLE)

    assert sb.parse(d.program.text().replace("2*s[i]", "3*s[i]")) != d.program


def test_axes_of_an_adjoint_keep_the_letters_of_their_tensor() -> None:
    """An axis that no read has an index alone on is called after its size; other letters stay."""
    d = derivation(CONVOLUTION, "x")

    assert d["x"].indices == ("n", "c", "h", "i")  # w is a tensor
    assert derivation(EMBEDDING)["E"].indices == ("v", "d")
    assert "sum(k, r, s" in d.text()


def test_scatter_is_a_sum_over_what_was_read() -> None:
    """The adjoint of a gather sums over the places that read an entry."""
    d = derivation(EMBEDDING)

    assert "where(tok[n] == v," in d.text()
    assert r"\sum_{n :\, \mathit{tok}_{n} = v}" in d["E"].latex()


def test_triangular_sums_have_limits() -> None:
    """A condition that is an end of the range of a sum is its limit."""
    d = derivation(TRIANGLE)

    assert r"\sum_{j=1}^{i}" in sb.parse(TRIANGLE).latex()
    assert r"&= \sum_{i=j}^{N} \bar{s}_{i} A_{ij}" in d["v"].latex()
    assert r"\bar{s}_{i} v_{j}\,[j \le i]" in d["A"].latex()


def test_ranges_of_forms_stand_below_the_sum() -> None:
    """A condition on a form stands below the sum, as a chain, beside the range of the index."""
    text = TRANSPOSED.replace("loss = sum(i, (z[i] - y[i])^2)", "loss = sum(i, exp(z[i]))")
    written = derivation(text, "x").latex()

    assert r"\sum_{\substack{1 \le " in sb.parse(TRANSPOSED).latex()
    assert r"\begin{cases}" not in written
    assert r"= i}} w_{r} x_{p}" in sb.parse(TRANSPOSED).latex()


def test_masks_of_classes_are_brackets() -> None:
    """Equality with integer data is Iverson's bracket."""
    assert r"[k = t_{n}]" in derivation(CLASSES)["x"].latex()


def test_recurrences_show_base_step_and_end() -> None:
    """Both lines of a recurrence are printed, and what is 0 beyond its last step is said."""
    d = derivation(CUMULATIVE)

    assert r"s_{n0} &= 1 \\" in sb.parse(CUMULATIVE).latex()
    assert r"\bar{s}_{n0} = \frac{\partial L}{\partial s_{n0}} &= " in d.latex()
    assert r"\quad (\bar{s}_{n,T+1} = 0)" in d.latex()
    assert r"(g_{T+1} = 0)" in sb.parse(BACKWARD).latex()
    assert r"(\bar{g}_{0} = 0)" in derivation(BACKWARD).latex()


def test_scalar_notation_takes_the_steps_in_their_order() -> None:
    """At given sizes each step is written out, the adjoint from the last step to the base."""
    d = derivation(CUMULATIVE)
    sizes = {"N": 1, "T": 3}
    heads = re.findall(r"^\\bar\{s\}_\{(1\d)\}", d.latex("scalar", sizes=sizes), flags=re.MULTILINE)

    assert heads == ["13", "12", "11", "10"]
    assert r"s_{11} &= s_{10} x_{11}" in sb.parse(CUMULATIVE).latex("scalar", sizes=sizes)
    assert r"s_{10} &= 1" in sb.parse(CUMULATIVE).latex("scalar", sizes=sizes)


def test_scalar_notation_drops_what_is_read_outside() -> None:
    """A convolution with padding at given sizes has no term for the padding."""
    text = "input x[N]\nparam w[R]\nz[p:N] = sum(r, w[r]*x[p+r-2])\nloss = sum(p, z[p]^2)"
    written = sb.parse(text).latex("scalar", sizes={"N": 3, "R": 3})

    assert r"z_{1} &= w_{2} x_{1} + w_{3} x_{2}" in written
    assert r"z_{2} &= w_{1} x_{1} + w_{2} x_{2} + w_{3} x_{3}" in written


def test_index_quotients_keep_their_brackets() -> None:
    """(n+1)//2 is the floor of (n+1)/2."""
    text = "param x[N]\nloss = sum(n:N, x[(n+1)//2]^2*(n%2 + 1))"

    assert r"\left\lfloor (n+1) / 2 \right\rfloor" in sb.parse(text).latex()
    assert r"(n \bmod 2) + 1" in sb.parse(text).latex()


def test_comparisons_are_broken_last() -> None:
    """A line is broken inside a comparison only where that alone is too long for it."""
    line = "u[n] = sum(k, where(1 <= alpha + beta + gamma and alpha + beta + gamma <= delta + 1, x[n,k], 0))"
    broken = break_line(line, 60)

    assert max(map(len, broken.splitlines())) <= 60
    assert "1 <= alpha + beta + gamma" in broken
    assert "alpha + beta + gamma <= delta + 1" in broken
    assert len(break_line(f"loss = {'tanh(a + b*' * 60}c{')' * 60}")) > 0


def test_wide_right_sides_are_continued() -> None:
    """A sum that is wider than the page goes on on the next line; brackets around the break are of one height."""
    terms = " + ".join(rf"\frac{{{letter * 30}}}{{2}}" for letter in "abcd")
    inside = break_right_side(rf"2\left({terms}\right)", 70)

    assert break_right_side(terms, 70).count("\n") == 1
    assert inside.startswith(r"2\Bigl(")
    assert inside.endswith(r"\Bigr)")
    assert estimate_width(r"\sum_{i=1}^{N} x_{i}") < 8


def test_ranges_that_only_a_recurrence_would_tell_are_written() -> None:
    """An adjoint that reads itself one step back says the range of the letters that nothing else stands for."""
    text = "param x[T]\nh[t] = x[t]*h[t-1] + x[t]\na[q:N,t] = h[t]^2\nloss = a[1,1]"
    d = sb.derive(sb.parse(text), "x", of="a")

    assert "[q:N," in d.text()
    assert sb.parse(d.program.text()) == d.program
