"""The PyTorch target: its results against NumPy's and JAX's, its node in PyTorch's graph, its modules by themselves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from oracle_programs import ORACLE_PROGRAMS, OracleProgram
from program_check import judge_target
from program_generator import generate_program
from target_check import LIMITS, compare, example

import symbackprop as sb
from symbackprop.codegen import torch_runtime

PROGRAMS = 100
BATCH = 20
LINEAR = "param w[D]\ninput x[N,D], y[N]\nloss = sum(n, (sum(d, w[d]*x[n,d]) - y[n])^2)/N"


@pytest.mark.parametrize("dtype", LIMITS)
@pytest.mark.parametrize("program", ORACLE_PROGRAMS, ids=lambda p: p.name)
def test_our_programs_give_what_numpy_gives(program: OracleProgram, dtype: str) -> None:
    """Value and gradients are NumPy's, within 1e-12 or 1e-5 of the largest entry."""
    assert compare("torch", *example(program), dtype=dtype) == []


@pytest.mark.parametrize("first", range(0, PROGRAMS, BATCH))
def test_random_programs_give_what_jax_gives(first: int) -> None:
    """Random programs over the whole language, against JAX's gradients of the same formulas."""
    outcomes = [judge_target(generate_program(seed), "torch") for seed in range(first, first + BATCH)]

    assert [fault for found in outcomes for fault in found or ()] == []
    assert outcomes.count(None) <= BATCH // 2


def test_results_are_tensors_in_the_precision_that_was_asked_for() -> None:
    """Nothing of a call stays in PyTorch's own graph."""
    derivation = sb.derive(sb.parse(LINEAR))
    for dtype in LIMITS:
        w = torch.ones(2, dtype=torch.float64, requires_grad=True)
        value, gradients = derivation.compile("torch", dtype)({"w": w}, x=np.eye(2), y=[0, 1])
        assert isinstance(value, torch.Tensor)
        assert value.dtype == gradients["w"].dtype == getattr(torch, dtype)
        assert not value.requires_grad


def test_an_attached_value_has_the_derived_backward_pass() -> None:
    """`attach` gives a node of PyTorch's graph: what is computed before and behind it is PyTorch's."""
    f = sb.derive(sb.parse(LINEAR), ["w", "x"]).compile("torch")
    w, scale = torch.tensor([1.0, 2.0], requires_grad=True), torch.tensor(3.0, requires_grad=True)
    x, y = torch.tensor([[1.0, 0.5], [2.0, -1.0]], dtype=torch.float64), torch.tensor([1.0, 2.0], dtype=torch.float64)
    loss = torch.sin(f.attach({"w": (w * scale).to(torch.float64)}, x=x, y=y))  # type: ignore[attr-defined]
    loss.backward()
    v, factor = w.detach().clone().requires_grad_(), scale.detach().clone().requires_grad_()
    torch.sin(((x @ (v * factor).to(torch.float64) - y) ** 2).mean()).backward()  # type: ignore[no-untyped-call]

    assert torch.allclose(w.grad, v.grad)
    assert torch.allclose(scale.grad, factor.grad)


def test_an_attached_tensor_is_contracted_with_what_arrives() -> None:
    """The same for a tensor in place of a loss."""
    f = sb.derive(sb.parse("param W[K,D]\ninput x[D]\nz[k] = tanh(sum(d, W[k,d]*x[d]))\nloss = sum(k, z[k])"), of="z")
    compiled = f.compile("torch")
    W = torch.randn(3, 2, dtype=torch.float64, requires_grad=True)
    V = W.detach().clone().requires_grad_()
    x, g = torch.tensor([0.3, -0.7], dtype=torch.float64), torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    (compiled.attach({"W": W}, x=x) * g).sum().backward()  # type: ignore[attr-defined]
    (torch.tanh(V @ x) * g).sum().backward()  # type: ignore[no-untyped-call]

    assert torch.allclose(W.grad, V.grad, rtol=1e-12)


def test_mistakes_of_the_caller_are_named() -> None:
    """Shapes, names, integer data and `out=` are checked as they are for NumPy."""
    f = sb.derive(sb.parse("param E[V,D]\nindex t[N] in V\nloss = sum(n, d, E[t[n],d]^2)")).compile("torch")
    with pytest.raises(sb.DataError, match="t holds 4; its entries count from 1 to V = 3"):
        f({"E": np.ones((3, 2))}, t=[1, 4])
    with pytest.raises(sb.DataError, match="t has entries of type float64; expected integers"):
        f({"E": np.ones((3, 2))}, t=np.array([1.0, 2.0]))
    with pytest.raises(sb.ShapeError, match="E has shape"):
        f({"E": np.ones(3)}, t=[1, 2])
    out = {"E": torch.zeros(3, 2, dtype=torch.float64)}
    assert f({"E": np.ones((3, 2))}, t=[1, 3], out=out)[1]["E"] is out["E"]
    assert out["E"].tolist() == [[2, 2], [0, 0], [2, 2]]
    with pytest.raises(sb.ArgumentError, match="float32 of shape"):
        f({"E": np.ones((3, 2))}, t=[1, 3], out={"E": torch.zeros(3, 2)})


@pytest.mark.parametrize("program", ORACLE_PROGRAMS, ids=lambda p: p.name)
def test_a_module_of_its_own_checks_itself(program: OracleProgram, tmp_path: Path) -> None:
    """The printed module imports PyTorch and no symbackprop, and its gradients agree with finite differences."""
    text = sb.derive(sb.parse(program.text)).source("torch")
    path = tmp_path / "module.py"
    path.write_text(text, encoding="utf-8")
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=False, cwd=tmp_path)

    assert "import symbackprop" not in text
    assert "numpy" not in text
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "agrees" in done.stdout


def test_reads_and_sums_outside_of_a_tensor_are_left_out() -> None:
    """Places count from 1; what is not among them reads 0, and adds to nothing."""
    places, values = torch.tensor([0, 3, 2, -1, 4, 3]), torch.arange(1.0, 7.0)

    assert torch_runtime.scatter(3, places, values).tolist() == [0, 3, 8]
    assert torch_runtime.gather(values[:3], places).tolist() == [0, 3, 2, 0, 0, 3]
    assert torch_runtime.take(torch.eye(2), 3, None).tolist() == [0, 0]


@pytest.mark.parametrize("text", [
    "input R[N, M]\nparam U[N, K], V[M, K]\nloss = sum(n, m, (R[n,m] - sum(k, U[n,k]*V[m,k]))^2)",
    "input R[N, N]\nparam U[N, N], V[N, N]\nloss = sum(n, m, U[n,m]*U[m,n]^2*R[n,m]) + sum(n, V[n,n]*U[n,n]^3)",
])  # fmt: skip
def test_hessians_with_deltas_are_those_of_numpy(text: str) -> None:
    """What is 0 except where axes agree is placed there on PyTorch as on NumPy."""
    rng = np.random.default_rng(3)
    params, data = {name: rng.normal(size=(3, 3)) for name in "UV"}, {"R": rng.normal(size=(3, 3))}
    hessian = sb.derive(sb.parse(text)).hessian("U")
    _, given = hessian.compile("torch")(params, **data)
    _, expected = hessian.compile()(params, **data)
    np.testing.assert_allclose(given["U"].numpy(), expected["U"], rtol=1e-12, atol=1e-12)


def test_positive_parts_and_their_slopes_are_no_selects() -> None:
    """A select takes ten times as long as another function of entries; the values are the same where there is no
    number, and at infinity.
    """
    f = sb.derive(sb.parse("param W[D]\ninput v[D]\nloss = sum(i, v[i]*relu(W[i]))"), ["W"]).compile("torch")
    w = torch.tensor([-torch.inf, -2.0, -0.0, 3.0, torch.nan, torch.inf], dtype=torch.float64)
    loss, gradients = f({"W": w[:5]}, v=torch.full((5,), 2.0, dtype=torch.float64))

    assert "torch.where" not in f.source
    assert float(loss) == 6
    assert gradients["W"].tolist() == [0, 0, 0, 2, 0]
    assert float(f({"W": w[5:]}, v=torch.ones(1, dtype=torch.float64))[0]) == float("inf")
