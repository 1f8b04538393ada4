"""Explanations of programs with index arithmetic, integer data and recurrences."""

from __future__ import annotations

import numpy as np
import pytest

import symbackprop as sb

RECURRENCE = """
input x[T,D], y[T,H]
param U[H,H], W[H,D], h0[H]
h[0,i] = h0[i]
h[t,i] = tanh(sum(j, U[i,j]*h[t-1,j]) + sum(d, W[i,d]*x[t,d]))
loss = sum(t, i, (h[t,i] - y[t,i])^2)
"""
BACKWARD = """
param u, g0
input x[2]
g[2+1] = g0^2
g[t:2] = tanh(u*g[t+1] + x[t])
loss = sum(t, g[t]^2) + g[1]
"""
CELL = """
input x[2,1], y[2,1]
param W[1,1], U[1,1]
f[t,k] = sigmoid(sum(d, W[k,d]*x[t,d]) + sum(j, U[k,j]*h[t-1,j]))
c[t,k] = f[t,k]*c[t-1,k] + x[t,k]
h[t,k] = f[t,k]*tanh(c[t,k])
loss = sum(t, k, (h[t,k] - y[t,k])^2)
"""
EMBEDDING = """
index tok[N] in V
param E[V,D]
input y[N,D]
s[n,d] = E[tok[n],d]
loss = sum(n, d, (s[n,d] - y[n,d])^2)
"""


def sized(text: str, **sizes: int) -> str:
    """A program with numbers for sizes."""
    for name, size in sizes.items():
        text = (
            text.replace(f"[{name},", f"[{size},").replace(f",{name}]", f",{size}]").replace(f"[{name}]", f"[{size}]")
        )
    return text


def nodes(explanation: sb.facade.derivations.Explanation) -> list[str]:
    """The nodes of each path."""
    return [" ".join(map(str, path.nodes)) for path in explanation.paths]


def test_paths_lead_through_time() -> None:
    """With two steps, a weight of a recurrence reaches the loss through each step that it takes part in."""
    d = sb.derive(sb.parse(sized(RECURRENCE, T=2, D=1, H=1)))
    explanation = d.explain("U[1,1]")

    assert nodes(explanation) == [
        "U[1,1] h[1,1] h[2,1] loss",
        "U[1,1] h[1,1] loss",
        "U[1,1] h[2,1] loss",
    ]
    assert "Proved" in explanation.verdict
    assert nodes(d.explain("h0[1]"))[0] == "h0[1] h[0,1] h[1,1] h[2,1] loss"


@pytest.mark.parametrize(("text", "entry"), [(BACKWARD, "u"), (BACKWARD, "g0"), (CELL, "U[1,1]")])
def test_sum_of_the_paths_is_the_gradient(text: str, entry: str) -> None:
    """Also backward in time, and with several tensors in one cycle."""
    explanation = sb.derive(sb.parse(text)).explain(entry)

    assert explanation.paths
    assert "Proved" in explanation.verdict


@pytest.mark.parametrize(("language", "sentence"), [("en", "number is a symbol"), ("zh", "步数为符号")])
def test_symbolic_steps_go_through_the_adjoints(language: str, sentence: str) -> None:
    """How many paths there are depends on T, so the explanation names the adjoints, base and step."""
    explanation = sb.derive(sb.parse(RECURRENCE)).explain("U[1,2]", language=language)

    assert explanation.count is None
    assert not explanation.paths
    assert [str(a.of) for a in explanation.adjoints] == ["U[1,2]", "h[0,i]", "h[t,i]"]
    assert sentence in explanation.text()
    assert explanation.latex().count(r"\partial h_{0i}") == 1
    assert explanation.mermaid().startswith("graph LR")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_integer_data_are_given_with_the_others(language: str) -> None:
    """The rows of an embedding that a token reads get its numbers."""
    data = {"tok": [2, 3, 2], "E": np.ones((3, 2)), "y": np.zeros((3, 2))}
    explanation = sb.derive(sb.parse(EMBEDDING)).explain("E[2,1]", language=language, at=data)

    assert explanation.number == 4
    assert explanation.paths[0].number == 4
    assert "where(tok[n] == 2," in explanation.text()


def test_wrong_integer_data_are_named() -> None:
    """A token outside of its range, a number with a fraction, a token that is missing."""
    d = sb.derive(sb.parse(EMBEDDING))
    data = {"E": np.ones((3, 2)), "y": np.zeros((3, 2))}

    with pytest.raises(sb.SymBackpropError, match="tok"):
        d.explain("E[2,1]", at=data)
    with pytest.raises(sb.SymBackpropError, match="tok"):
        d.explain("E[2,1]", at={**data, "tok": [2, 4, 2]})
    with pytest.raises(sb.SymBackpropError, match="tok holds float64"):
        d.explain("E[2,1]", at={**data, "tok": [2.0, 3.0, 2.0]})


def test_integer_definitions_carry_no_paths() -> None:
    """An argmax is no step of a path: nothing is differentiated by it."""
    text = "param x[2]\na = argmax(k, x[k])\nloss = x[a]^2"
    explanation = sb.derive(sb.parse(text)).explain("x[1]")

    assert nodes(explanation) == ["x[1] loss"]
    assert "Proved" in explanation.verdict


def test_a_size_that_is_only_a_range_is_a_size() -> None:
    """The largest class of data that are used as numbers carries no axis, and is given as other sizes are."""
    program = sb.parse("index tok[N] in D\nparam b[N]\nloss = sum(n, b[n]^2*tok[n])")
    d = sb.derive(program)

    assert d.certify().proved
    assert str(program.expand({"N": 1, "D": 3}, data={"tok": [2]})) == "2*b[1]**2"
    assert d.explain("b[1]", at={"b": [1.0, 2.0], "tok": [1, 2], "D": 2}).number == 2
    with pytest.raises(sb.ArgumentError, match="no size for D"):
        program.expand({"N": 1}, data={"tok": [2]})
