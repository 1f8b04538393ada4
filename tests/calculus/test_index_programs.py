"""Index arithmetic, integer tensors, extremes, recurrences: gradients against `sympy.diff` of the loss."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest
import sympy

from symbackprop.calculus.chain import Adjoints, derive
from symbackprop.calculus.definitions import Definition
from symbackprop.calculus.evaluation import Evaluation
from symbackprop.calculus.expansion import Expansion, entries_of, entry_symbol
from symbackprop.calculus.indices import Point
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Role
from symbackprop.language.program_text import read_program, write_program


@dataclass(frozen=True)
class Case:
    """A program with small sizes, integer data, and what it is derived by."""

    name: str
    text: str
    sizes: Mapping[str, int]
    wrt: tuple[str, ...]
    data: Mapping[Point, int] = field(default_factory=dict)


CASES = (
    Case("strided convolution", """
input x[N], y[P]
param w[R]
z[p:P] = sum(r, w[r]*x[2*p+r-2])
loss = sum(p, (z[p] - y[p])^2)
""", {"N": 7, "P": 4, "R": 3}, ("w", "x")),
    Case("dilated convolution without padding", """
input x[N], y[N-2*R+2]
param w[R], b
z[p:N-2*R+2] = tanh(sum(r, w[r]*x[p+2*r-2]) + b)
loss = sum(p, (z[p] - y[p])^2)
""", {"N": 6, "R": 2}, ("w", "b", "x")),
    Case("transposed convolution", """
param x[P]
input w[R], y[2*P+R]
z[i:2*P+R] = sum(p, r, where(2*p + r - 2 == i, w[r]*x[p], 0))
loss = sum(i, (z[i] - y[i])^2)
""", {"P": 3, "R": 2}, ("x", "w")),
    Case("two-dimensional convolution", """
input x[C, H, H]
param w[C, R, R]
z[p:(H-R)//2+1, q:(H-R)//2+1] = sum(c, r, s, w[c,r,s]*x[c,2*p+r-2,2*q+s-2])
loss = sum(p, q, z[p,q]^3)
""", {"C": 2, "H": 4, "R": 2}, ("w", "x")),
    Case("max pooling", """
param x[N, 4]
m[n,p:2] = max(r:2, x[n,2*p+r-2]^2)
loss = sum(n, p, m[n,p]^2)
""", {"N": 2}, ("x",)),
    Case("exponential at the edge", """
param x[N]
z[n:N] = exp(x[n+1]) + n*x[n-1]^2
loss = sum(n, z[n]^2)
""", {"N": 3}, ("x",)),
    Case("quotients and remainders", """
param x[N]
z[p:N] = x[p%2+1]*x[(p+1)//2] + x[N-p+1] + p//2
loss = sum(p, z[p]^2*p)
""", {"N": 5}, ("x",)),
    Case("every second entry", """
param x[N]
loss = sum(p:N//2, x[2*p]^3) + x[2]*x[N]
""", {"N": 5}, ("x",)),
    Case("embedding", """
index tok[N] in V
param E[V, D]
input y[N]
s[n] = sum(d, E[tok[n],d]^2)
loss = sum(n, (s[n] - tok[n]*y[n])^2)
""", {"N": 3, "V": 3, "D": 2}, ("E",), {("tok", (1,)): 2, ("tok", (2,)): 3, ("tok", (3,)): 2}),
    Case("cross-entropy by class", """
index y[N] in K
param z[N, K]
lse[n] = log(sum(k, exp(z[n,k])))
loss = -sum(n, z[n,y[n]] - lse[n])/N
""", {"N": 2, "K": 3}, ("z",), {("y", (1,)): 3, ("y", (2,)): 1}),
    Case("argmax and extremes", """
param x[N, K]
index y[N] in K
a[n] = argmax(k, x[n,k])
loss = (sum(n, x[n,a[n]]^2) + sum(n, k, where(k == y[n], x[n,k], x[n,k]/2)) + sum(n, max(i, j, x[n,i] - 2*x[n,j]))
        + min(n, k, x[n,k]^2) + sum(n, argmax(i, j, x[n,i] + 3*x[n,j])*x[n,1]))
""", {"N": 2, "K": 2}, ("x",), {("y", (1,)): 2, ("y", (2,)): 1}),
    Case("recurrence with a base", """
input x[T, D], y[T, H]
param U[H, H], W[H, D], h0[H]
h[0,i] = h0[i]
h[t,i] = tanh(sum(j, U[i,j]*h[t-1,j]) + sum(d, W[i,d]*x[t,d]))
loss = sum(t, i, (h[t,i] - y[t,i])^2)
""", {"T": 2, "D": 1, "H": 2}, ("U", "W", "h0", "x")),
    Case("recurrence backward in time", """
input x[T]
param u, g0
g[T+1] = g0^2
g[t] = tanh(u*g[t+1] + x[t])
loss = sum(t, g[t]^2) + g[1] + g[T+1]
""", {"T": 3}, ("u", "g0", "x")),
    Case("several tensors in one cycle", """
input x[T, D]
param U[H, H], V[H, H], b[H], W[H, D]
gate[t,k] = sigmoid(sum(d, W[k,d]*x[t,d]) + sum(j, U[k,j]*h[t-1,j]))
new[t:T,k] = tanh(b[k] + sum(j, V[k,j]*h[t-1,j]))
c[t,k] = c[t-1,k]*(1 - gate[t,k]) + gate[t,k]*new[t,k]
h[t,k] = tanh(c[t,k])*gate[t,k]
loss = sum(t, k, h[t,k]^2)
""", {"T": 2, "D": 1, "H": 2}, ("U", "V", "b", "W")),
    Case("stepping along the second axis", """
param x[N, T]
s[n,0] = 1
s[n,t] = s[n,t-1]*x[n,t]
loss = sum(n, s[n,T]) + sum(n, t, s[n,t]^2)
""", {"N": 2, "T": 3}, ("x",)),
    Case("a first step of its own", """
param W[D], V[D]
h[t:T,d:D] = sin(where(t != 1 or V[d] < 0.1, W[d], V[d]) + h[t+1,d]/2)
loss = leaky_relu(3*sum(t, d:D, h[t,d+1]), 0.2)
""", {"T": 3, "D": 2}, ("W", "V")),
    Case("causal attention", """
param q[T], k[T], v[T]
e[t,u] = where(u <= t, exp(q[t]*k[u]), 0)
o[t] = sum(u, e[t,u]*v[u])/sum(u, e[t,u])
loss = sum(t, o[t]^2)
""", {"T": 3}, ("q", "k", "v")),
    Case("inverse", """
param A[N, N]
B[i,j] = inv(A)[i,j]
loss = sum(i, j, B[i,j]*B[j,i]*i) + sum(i, inv(A)[1,i])
""", {"N": 2}, ("A",)),
    Case("solution, determinant and its logarithm", """
param A[N, N]
input b[N]
v[i] = solve(A, b)[i]
loss = sum(i, v[i]^2) + logdet(A)*det(A)
""", {"N": 2}, ("A", "b")),
    Case("functions of a Gram matrix", """
param X[N, D]
input w[N], R[D, N]
G[i,j] = sum(n, w[n]*X[n,i]*X[n,j])
loss = logdet(G) + sum(i, tanh(inv(G)[i,i])) + sum(i, n, solve(G, R)[i,n]^2)
""", {"N": 3, "D": 2}, ("X", "w")),
)  # fmt: skip


def numbers(case: Case, program: Program) -> dict[sympy.Symbol, sympy.Float]:
    """A value of thirty digits for every entry of what is given (rationals grow at every operation)."""
    source = random.Random(case.name)
    return {
        entry_symbol(leaf.name, entry): sympy.Float(sympy.Rational(source.randint(-99, 99), 61), 30)
        for leaf in program.leaves
        if leaf.role is not Role.INDEX
        for entry in entries_of(leaf, case.sizes)
    }


def worst_error(case: Case, adjoints: Adjoints) -> float:
    """The greatest difference between a gradient and `sympy.diff` of the loss."""
    program = adjoints.program
    expansion = Expansion(program.extended(adjoints.definitions), case.sizes, data=case.data)
    loss, point = expansion.entry("loss", ()), numbers(case, program)
    worst = 0.0
    for name in case.wrt:
        for entry in entries_of(program.tensor(name), case.sizes):
            expected = sympy.diff(loss, entry_symbol(name, entry)).xreplace(point)
            given = expansion.entry(adjoints.adjoint_name(name), entry).xreplace(point)
            worst = max(worst, abs(float((expected - given).evalf(20))))
    return worst


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_gradients_equal_sympy_diff(case: Case) -> None:
    """The chain rule gives the derivatives of the written-out loss."""
    program = read_program(case.text)

    assert worst_error(case, derive(program, "loss", case.wrt)) < 1e-15


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_planted_error_is_found(case: Case) -> None:
    """A gradient whose first term lacks a factor, or a guard, differs."""
    adjoints = derive(read_program(case.text), "loss", case.wrt)
    name = adjoints.adjoint_name(case.wrt[0])

    def spoil(definition: Definition) -> Definition:
        if definition.tensor.name != name:
            return definition
        first, *rest = definition.terms
        return replace(definition, terms=(replace(first, body=first.body * 2), *rest))

    spoiled = replace(adjoints, steps=tuple(replace(s, adjoint=spoil(s.adjoint)) for s in adjoints.steps))

    assert worst_error(case, spoiled) > 1e-6


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_text_reads_back_with_the_same_meaning(case: Case) -> None:
    """The text of a program with its adjoints reads back, and its adjoints have the same values."""
    program = read_program(case.text)
    adjoints = derive(program, "loss", case.wrt)
    whole = program.extended(adjoints.definitions)
    again = read_program(write_program(whole))
    point = {str(symbol): float(value) for symbol, value in numbers(case, program).items()}

    def given(name: str, entry: tuple[int, ...]) -> float:
        return point[str(entry_symbol(name, entry))]

    first, second = (Evaluation(p, case.sizes, given, case.data) for p in (whole, again))
    for name in (adjoints.adjoint_name(n) for n in case.wrt):
        for entry in entries_of(whole.tensor(name), case.sizes):
            assert first.entry(name, entry) == pytest.approx(second.entry(name, entry), rel=1e-12, abs=1e-12)
    assert write_program(read_program(write_program(program))) == write_program(program)
