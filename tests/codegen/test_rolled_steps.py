"""Loops along a batch in code for numba: which programs have one, and that they give what NumPy and JAX give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from program_check import find_case, judge_target
from program_generator import generate_program

import symbackprop as sb
from symbackprop.codegen.rolling import Rolled, roll

LOGITS = "input x[N,D]\nindex y[N] in K\nparam W[K,D]\nz[n,k] = sum(d, W[k,d]*x[n,d])\n"
LABELS = LOGITS + "p[n,k] = exp(z[n,k])/sum(j, exp(z[n,j]))\nloss = -sum(n, log(p[n,y[n]]))/N\n"
PENALTY = LOGITS + "loss = sum(n, k, z[n,k]^2*y[n])/(2*N) + sum(k, d, W[k,d]^2)/3\n"
FACTOR = LOGITS.replace("param W[K,D]", "param W[K,D], c") + "s = sum(n, k, z[n,k]^2)\nloss = c*s + c^2\n"
ROOT = LOGITS + "s = sum(n, k, z[n,k]^2)\nloss = sqrt(s + N)\n"
BATCH_NORM = (
    "input x[N,D], g[N,D]\nm[d] = mean(n, x[n,d])\nv[d] = mean(n, (x[n,d] - m[d])^2)\n"
    "loss = sum(n, d, g[n,d]*(x[n,d] - m[d])/sqrt(v[d] + 1))\n"
)
CENTRED = "input x[N]\nparam w\nm = mean(n, x[n])\nloss = sum(n, tanh(w*(x[n] - m)))\n"
NEIGHBOURS = "input x[N]\nparam w\nloss = sum(n, tanh(w*x[n])*x[n+1])\n"
FIRST = "input x[N]\nparam w\nloss = sum(n, tanh(w*x[n])*x[1])\n"
PLACES = "input x[N]\nparam w\nloss = sum(n, n*tanh(w*x[n]))\n"
PAIRS = "input x[N]\nparam w\nloss = sum(n, m:N, tanh(w*x[n]*x[m]))\n"
GRAM = "input x[N,D]\nparam w\nA[i:N,j:N] = sum(d, x[i,d]*x[j,d])\nloss = sum(i, j, tanh(w*A[i,j]))\n"
LARGEST = "input x[N]\nparam w\nloss = w*max(n, x[n])\n"
STEPS = "input x[N]\nparam w\nh[n:N] = tanh(w*h[n-1] + x[n])\nloss = sum(n, h[n]^2)\n"
NEXT = "input x[N], t[N]\nindex y[N] in N\nparam w\nloss = sum(n, tanh(w*x[n])*t[y[n]])\n"
CASES: dict[str, tuple[str, dict[str, int], str]] = {
    "labels": (LABELS, {"N": 5, "D": 3, "K": 4}, "N"),
    "penalty beside the sum": (PENALTY, {"N": 5, "D": 3, "K": 4}, "N"),
    "what follows a sum": (FACTOR, {"N": 5, "D": 3, "K": 4}, "N"),
    "what comes back from it": (ROOT, {"N": 5, "D": 3, "K": 4}, ""),
    "features of batch norm": (BATCH_NORM, {"N": 5, "D": 3}, "D"),
    "what every sample reads": (CENTRED, {"N": 5}, ""),
    "neighbours": (NEIGHBOURS, {"N": 5}, ""),
    "the first sample": (FIRST, {"N": 5}, ""),
    "places": (PLACES, {"N": 5}, ""),
    "pairs": (PAIRS, {"N": 5}, ""),
    "the features of pairs": (GRAM, {"N": 5, "D": 3}, ""),
    "the largest": (LARGEST, {"N": 5}, ""),
    "a recurrence": (STEPS, {"N": 5}, ""),
    "an integer that names another sample": (NEXT, {"N": 5}, ""),
    "one sample": (CENTRED.replace("m = mean(n, x[n])", "m = w"), {"N": 1}, ""),
}


def derive(text: str) -> sb.Derivation:
    program = sb.parse(text)
    leaves = [t.name for t in program.tensors if t.is_leaf and t.range is None]
    return sb.derive(program, leaves)


def find_loop(d: sb.Derivation, sizes: Mapping[str, int]) -> Rolled | None:
    return roll(d.core.program, d.unconditional.definitions, d.core.numerator.name, sizes)


@pytest.mark.parametrize("name", CASES)
def test_what_treats_samples_alike_has_a_loop(name: str) -> None:
    """The largest size along which each entry is made from the same entry; none where entries meet before the end."""
    text, sizes, along = CASES[name]

    found = find_loop(derive(text), sizes)

    assert (found.size if found else "") == along


@pytest.mark.parametrize("name", [name for name, (_, _, along) in CASES.items() if along])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_loop_gives_what_numpy_gives(name: str, dtype: str) -> None:
    """The value and all gradients, those of the data too, which have an entry for each sample."""
    text, sizes, _ = CASES[name]
    d, rng = derive(text), np.random.default_rng(0)
    arrays = {
        t.name: rng.normal(size=[size.evaluate(sizes) for size in t.axes])
        if t.range is None
        else rng.integers(1, t.range.evaluate(sizes) + 1, [size.evaluate(sizes) for size in t.axes])
        for t in d.program.tensors
        if t.is_leaf
    }
    params = {t.name: arrays.pop(t.name) for t in d.program.tensors if t.role.value == "param"}
    f = d.compile("numba", dtype, sizes=sizes)
    wanted_value, wanted = d.compile()(params, **arrays)

    value, found = f(params, **arrays)

    assert "for t1 in range(" in f.source
    tolerance = 1e-12 if dtype == "float64" else 1e-5
    np.testing.assert_allclose(value, wanted_value, rtol=tolerance)
    for wrt, array in wanted.items():
        np.testing.assert_allclose(found[wrt], array, atol=tolerance * np.max(np.abs(array)))


@pytest.mark.parametrize("seed", (11, 24, 41, 73, 253))
def test_random_programs_with_loops_give_what_jax_gives(seed: int) -> None:
    """Programs over the whole language that have a loop, against JAX's own gradients of the same formulas."""
    program = generate_program(seed)
    case = find_case(program)
    assert case is not None
    assert find_loop(sb.derive(sb.parse(program.text), wrt=program.params, of=program.of), case.sized.sizes)

    assert judge_target(program, "numba") == []


def test_a_large_batch_is_compiled_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The code is as long for a thousand samples as for two, and a descent over it is NumPy's."""
    network = sb.mlp([2, 3, 1], activation="tanh")
    d = sb.derive(network)
    few, many = (d.compile("numba", sizes={"N": n}) for n in (3, 1000))
    rng = np.random.default_rng(0)
    data: dict[str, Any] = {"x": rng.normal(size=(1000, 2)), "y": rng.normal(size=(1000, 1))}
    losses, moved = many.descend(network.init(0), 0.25, 3, **data)
    plain, params = d.compile(), network.init(0)
    for loss in losses:
        value, gradients = plain(params, **data)
        assert abs(value - loss) < 1e-12
        params = {name: theta - 0.25 * gradients[name] for name, theta in params.items()}

    assert few.source.count("\n") == many.source.count("\n")
    for name, theta in params.items():
        np.testing.assert_allclose(moved[name], theta, rtol=1e-12)
