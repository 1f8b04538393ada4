"""The JAX target: its results against NumPy's and JAX's own, and its modules run by themselves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracle_programs import ORACLE_PROGRAMS
from program_check import judge_target
from program_generator import generate_program
from target_check import LIMITS, compare, example

import symbackprop as sb
from symbackprop.codegen import jax_runtime

PROGRAMS = 60
BATCH = 10
SOFTMAX = "input x[N,K], g[N,K]\nz[n,i] = exp(x[n,i]) / sum(j, exp(x[n,j]))\nloss = sum(n, i, g[n,i]*z[n,i])"


@pytest.mark.parametrize("dtype", LIMITS)
@pytest.mark.parametrize("program", ORACLE_PROGRAMS, ids=lambda p: p.name)
def test_our_programs_give_what_numpy_gives(program: object, dtype: str) -> None:
    """Value and gradients are NumPy's, within 1e-12 or 1e-5 of the largest entry."""
    assert compare("jax", *example(program), dtype=dtype) == []


@pytest.mark.parametrize("first", range(0, PROGRAMS, BATCH))
def test_random_programs_give_what_jax_gives_by_itself(first: int) -> None:
    """Random programs over the whole language, against JAX's own gradients of the same formulas."""
    outcomes = [judge_target(generate_program(seed), "jax") for seed in range(first, first + BATCH)]

    assert [fault for found in outcomes for fault in found or ()] == []
    assert outcomes.count(None) <= BATCH // 2


def test_results_are_arrays_of_jax_in_the_precision_that_was_asked_for() -> None:
    """float64 needs no setting of JAX, and float32 is float32."""
    derivation = sb.derive(sb.parse(SOFTMAX), ["x"])
    data = {"x": np.ones((2, 3)), "g": np.eye(2, 3)}
    for dtype in LIMITS:
        value, gradients = derivation.compile("jax", dtype)({}, **data)
        assert isinstance(value, jax.Array)
        assert value.dtype == gradients["x"].dtype == dtype


def test_logits_of_800_stay_finite() -> None:
    """The stable rewrites are those of NumPy."""
    derivation = sb.derive(sb.parse(SOFTMAX), ["x"])
    data = {"x": np.array([[800.0, -800.0, 0.0]]), "g": np.array([[1.0, 2.0, 3.0]])}
    value, gradients = derivation.compile("jax")({}, **data)

    assert float(value) == 1.0
    assert np.isfinite(gradients["x"]).all()


def test_a_call_inside_another_jit_is_part_of_it() -> None:
    """A training loop can stay inside JAX: the function takes what is being traced."""
    f = sb.derive(sb.parse("param w[D]\ninput x[N,D], y[N]\nloss = sum(n, (sum(d, w[d]*x[n,d]) - y[n])^2)/N")).compile(
        "jax", "float32"
    )
    x, y = jnp.eye(3), jnp.arange(3.0)

    @jax.jit
    def descend(w: jax.Array) -> jax.Array:
        def step(_: int, w: jax.Array) -> jax.Array:
            return w - 0.5 * f({"w": w}, x=x, y=y)[1]["w"]

        return jax.lax.fori_loop(0, 100, step, w)

    assert np.allclose(descend(jnp.zeros(3)), y, atol=1e-5)


def test_mistakes_of_the_caller_are_named() -> None:
    """Shapes and names are checked as they are for NumPy; arrays of JAX cannot be written into."""
    f = sb.derive(sb.parse("param w[D]\ninput x[D]\nloss = sum(d, w[d]*x[d])")).compile("jax")
    with pytest.raises(sb.ShapeError, match="axis 1 of x has 3 entries"):
        f({"w": np.ones(2)}, x=np.ones(3))
    with pytest.raises(sb.ArgumentError, match="missing in keywords: x"):
        f({"w": np.ones(2)})
    with pytest.raises(sb.ArgumentError, match="cannot be written into"):
        f({"w": np.ones(2)}, x=np.ones(2), out={"w": jnp.ones(2)})
    with pytest.raises(sb.ArgumentError, match="float16"):
        sb.derive(sb.parse("param w\nloss = w^2")).compile("jax", "float16")


@pytest.mark.parametrize("program", ORACLE_PROGRAMS, ids=lambda p: p.name)
def test_a_module_of_its_own_checks_itself(program: object, tmp_path: Path) -> None:
    """The printed module imports JAX and no symbackprop, and its gradients agree with finite differences."""
    text = sb.derive(sb.parse(program.text)).source("jax")  # type: ignore[attr-defined]
    path = tmp_path / "module.py"
    path.write_text(text, encoding="utf-8")
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=False, cwd=tmp_path)

    assert "import symbackprop" not in text
    assert "numpy as np" not in text
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "agrees" in done.stdout


def test_a_planted_error_in_a_module_is_seen(tmp_path: Path) -> None:
    """The check of a module fails where a gradient is wrong."""
    text = sb.derive(sb.parse("param w[D]\ninput x[D]\nloss = sum(d, sin(w[d])*x[d])")).source("jax")
    assert "jnp.cos" in text
    path = tmp_path / "module.py"
    path.write_text(text.replace("jnp.cos", "jnp.sin"), encoding="utf-8")
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=False, cwd=tmp_path)

    assert done.returncode == 1
    assert "DIFFERS" in done.stdout


def test_reads_and_sums_outside_of_an_array_are_left_out() -> None:
    """Places count from 1; what is not among them reads 0, and adds to nothing."""
    places, values = jnp.array([0, 3, 2, -1, 4, 3]), jnp.arange(1.0, 7.0)

    assert jax_runtime.scatter(3, places, values).tolist() == [0, 3, 8]
    assert jax_runtime.gather(values[:3], places).tolist() == [0, 3, 2, 0, 0, 3]
    assert jax_runtime.take(jnp.eye(2), 3, None).tolist() == [0, 0]
