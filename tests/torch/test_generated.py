"""Generated NumPy gradients of a small network against torch.autograd in float64."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
import torch
from compiled import compile_numpy

from symbackprop.calculus.chain import derive
from symbackprop.calculus.definitions import Definition, make_term, slot_symbol
from symbackprop.calculus.indices import Affine, Index
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Read, Role, Tensor

S = [slot_symbol(k) for k in range(3)]


def tensor(name: str, axes: str, role: Role = Role.DEFINED) -> Tensor:
    """A tensor whose sizes are letters."""
    return Tensor(name, tuple(Affine.of(a) for a in axes), role)


def read(source: Tensor, *at: Index) -> Read:
    """A read at plain indices."""
    return Read(source, tuple(Affine.of(i) for i in at))


def define(
    target: Tensor, free: tuple[Index, ...], *terms: tuple[tuple[Index, ...], sympy.Expr, tuple[Read, ...]]
) -> Definition:
    """target[free] = the sum of (bound, body, reads)."""
    return Definition(target, free, tuple(t for t in (make_term(*term) for term in terms) if t))


@pytest.fixture
def program() -> Program:
    """tanh layer, linear layer, cross-entropy of the softmax, summed over the batch."""
    n, d, h, k, j = (Index(c, Affine.of(c.upper() if c != "j" else "K")) for c in "ndhkj")
    x, y = tensor("x", "ND", Role.INPUT), tensor("y", "NK", Role.INPUT)
    w, b, v = tensor("W", "HD", Role.PARAM), tensor("b", "H", Role.PARAM), tensor("V", "KH", Role.PARAM)
    z, a, q, p = tensor("z", "NH"), tensor("a", "NH"), tensor("q", "NK"), tensor("p", "NK")
    total, loss = tensor("S", "N", Role.HIDDEN), tensor("loss", "")
    definitions = (
        define(z, (n, h), ((d,), S[0] * S[1], (read(w, h, d), read(x, n, d))), ((), S[0], (read(b, h),))),
        define(a, (n, h), ((), sympy.tanh(S[0]), (read(z, n, h),))),
        define(q, (n, k), ((h,), S[0] * S[1], (read(v, k, h), read(a, n, h)))),
        define(total, (n,), ((j,), sympy.exp(S[0]), (read(q, n, j),))),
        define(p, (n, k), ((), sympy.exp(S[0]) / S[1], (read(q, n, k), read(total, n)))),
        define(loss, (), ((n, k), -S[0] * sympy.log(S[1]), (read(y, n, k), read(p, n, k)))),
    )
    return Program((x, y, w, b, v), definitions, (), "loss")


@pytest.mark.parametrize("scale", [1.0, 1000.0])
def test_gradients_equal_torch_autograd(program: Program, scale: float) -> None:
    """Loss and gradients by parameters and input equal torch's to 1e-12 of the largest entry, also for huge logits."""
    wrt = ["W", "b", "V", "x"]
    adjoints = derive(program, "loss", wrt)
    function = compile_numpy(program, adjoints.definitions, "loss", {t: adjoints.adjoint_name(t) for t in wrt})
    rng = np.random.default_rng(0)
    shapes = {"W": (4, 3), "b": (4,), "V": (5, 4), "x": (6, 3)}
    arrays = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    arrays["V"] *= scale
    targets = rng.dirichlet(np.ones(5), size=6)
    value, gradients = function({t: arrays[t] for t in ("W", "b", "V")}, x=arrays["x"], y=targets)

    leaves = {name: torch.tensor(array, dtype=torch.float64, requires_grad=True) for name, array in arrays.items()}
    logits = torch.tanh(leaves["x"] @ leaves["W"].T + leaves["b"]) @ leaves["V"].T
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(targets), reduction="sum")
    loss.backward()
    assert value == pytest.approx(loss.item(), rel=1e-13)
    for name, leaf in leaves.items():
        expected = leaf.grad.numpy()
        np.testing.assert_allclose(gradients[name], expected, rtol=0, atol=1e-12 * np.abs(expected).max())
