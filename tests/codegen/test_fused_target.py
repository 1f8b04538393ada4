"""NumPy's code with loops over rows that numba compiles: against NumPy and JAX, what becomes a loop, and its errors."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import warnings
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
from oracle_programs import ATTENTION, CLASSIFIER, GATED_CELL, LAYER_NORM, ORACLE_PROGRAMS, OracleProgram
from program_check import judge_target
from program_generator import generate_program
from target_check import LIMITS, compare, example

import symbackprop as sb

NORM = """
    input x[N,D], g[N,D]
    param gamma[D], beta[D]
    mu[n] = sum(j, x[n,j])/D
    v[n] = sum(j, (x[n,j] - mu[n])^2)/D
    xhat[n,i] = (x[n,i] - mu[n])/sqrt(v[n] + 1e-5)
    loss = sum(n, i, g[n,i]*(gamma[i]*xhat[n,i] + beta[i]))
"""
SEEDS = (0, 3, 6, 18, 25, 38)
"""The random programs that numba compiles, which takes it seconds each."""
HEAD = "input x[N,D], g[N,D]\nparam w[D]\n"
EDGES = (0.0, -0.0, 1.0, 0.625, -0.625, -88.7, -103.5, 710.0, -745.0, 1e30, 5e-324, np.inf, -np.inf, np.nan, -np.nan)
BODIES = {
    "softmax": "m[n] = sum(j, exp(x[n,j]*w[j]))\na[n,i] = exp(x[n,i]*w[i])/m[n]",
    "relu": "a[n,i] = relu(x[n,i]*w[i] + 1)",
    "sigmoid and tanh": "a[n,i] = sigmoid(x[n,i]*w[i])*tanh(x[n,i])",
    "maximum and modulus": "q[n] = max(j, x[n,j]*w[j])\na[n,i] = abs(x[n,i]*w[i] - q[n])",
    "softplus": "a[n,i] = softplus(x[n,i]*w[i])",
    "error function": "a[n,i] = gelu(x[n,i]*w[i])",
    "choices": "a[n,i] = where(x[n,i] > 0, log(x[n,i]), x[n,i]^2)/w[i] + where(x[n,i] == 1, exp(x[n,i]), 1/x[n,i])",
    "powers": "a[n,i] = (x[n,i]*w[i])^3 + (x[n,i]^2 + 1)^(-3/2) + sqrt(abs(x[n,i]))",
}


def write_fused(text: str, wrt: list[str] | None = None) -> str:
    """The code of a program."""
    return sb.derive(sb.parse(text), wrt).compile("fused").source


def count_loops(source: str) -> int:
    """The number of functions that numba compiles."""
    return source.count("@compiled")


def assert_near(given: Any, wanted: Any, dtype: str, factor: float = 1.0) -> None:
    """Arrays are as near as the targets have to be, and agree in what is not finite."""
    one, two = np.asarray(given, "float64"), np.asarray(wanted, "float64")
    finite = np.isfinite(two)
    largest = np.max(np.abs(two[finite]), initial=1e-300)

    assert np.asarray(given).dtype == dtype
    assert np.array_equal(one[~finite], two[~finite], equal_nan=True)
    assert np.max(np.abs(one[finite] - two[finite]), initial=0) <= factor * LIMITS[dtype] * largest


def assert_same(derivation: sb.Derivation, dtype: str, params: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """Value and gradients of two calls are NumPy's; return the code."""
    f = derivation.compile("fused", dtype)
    cast = [{k: np.asarray(a, dtype if np.asarray(a).dtype.kind == "f" else None) for k, a in d.items()}
            for d in (params, data)]  # fmt: skip
    wanted, gradients = derivation.compile("numpy", dtype)(cast[0], **cast[1])
    for _ in range(2):
        value, found = f(cast[0], **cast[1])
        assert_near(value, wanted, dtype)
        for name, gradient in gradients.items():
            assert_near(found[name], gradient, dtype)
    return f.source


@pytest.mark.parametrize("dtype", LIMITS)
def test_functions_of_entries_are_those_of_numpy(dtype: str) -> None:
    """Within two units in the last place, at what is not finite and where results are denormal too."""
    functions, limits = import_module(f"symbackprop.codegen.rows_{dtype}"), np.finfo(dtype)
    span = 110 if dtype == "float32" else 760
    u = np.concatenate([np.linspace(-span, span, 20001), np.linspace(-1, 1, 2001), EDGES]).astype(dtype)
    for own, name in ((functions.row_exp, "exp"), (functions.row_tanh, "tanh")):

        @numba.njit  # type: ignore[untyped-decorator]
        def fill(given: Any, out: Any) -> None:
            for place in range(given.size):
                out[place] = own(given[place])  # noqa: B023

        out = np.empty_like(u)
        fill(u, out)
        with np.errstate(all="ignore"):
            exact = getattr(np, name)(u.astype(np.longdouble))
            wanted = exact.astype(dtype)
        finite = np.isfinite(wanted)
        error = np.abs(out[finite] - exact[finite])

        assert np.array_equal(out[~finite], wanted[~finite], equal_nan=True)
        assert np.all(error <= 2 * limits.eps * np.abs(exact[finite]) + 2 * limits.smallest_subnormal)


@pytest.mark.parametrize("program", ORACLE_PROGRAMS, ids=lambda p: p.name)
def test_fused_code_gives_what_numpy_gives(program: OracleProgram) -> None:
    """Value and gradients within 1e-12 of the largest entry, in several places and layouts."""
    assert compare("fused", *example(program), dtype="float64") == []


@pytest.mark.parametrize("program", (CLASSIFIER, LAYER_NORM, ATTENTION, GATED_CELL), ids=lambda p: p.name)
def test_single_precision_stays_single(program: OracleProgram) -> None:
    """Within 1e-5, from loops in which nothing has become double."""
    assert compare("fused", *example(program), dtype="float32") == []


@pytest.mark.parametrize("seed", SEEDS)
def test_random_programs_give_what_jax_gives(seed: int) -> None:
    """Random programs over the whole language, against JAX's own gradients of the same formulas."""
    assert judge_target(generate_program(seed), "fused") == []


def conv_net() -> sb.Network:
    """Windows, first maxima, tiles and class numbers."""
    layers = [sb.layer("conv2d", "relu", K=3, R=3, S=3), sb.layer("max_pool2d"), sb.layer("flatten"), sb.Dense(4)]
    return sb.Network(input=(1, 10, 8), layers=layers, loss="cross_entropy_index")


def transformer() -> sb.Network:
    """Attention of two heads under a mask, layer normalisation and residuals."""
    return sb.Network(input=(5, 8), layers=sb.transformer_block(2, 4, 16, feed_forward="feed_forward"), loss="mse")


def recurrence() -> sb.Network:
    """A loop over steps, with states that are read one step back."""
    return sb.Network(input=(6, 3), layers=[sb.layer("lstm", H=4)], loss="mse")


@pytest.mark.parametrize("dtype", LIMITS)
@pytest.mark.parametrize("make", (conv_net, transformer, recurrence), ids=lambda make: make.__name__)
def test_networks_give_what_numpy_gives(make: Any, dtype: str) -> None:
    """The kinds of networks that the benchmarks race."""
    network, rng = make(), np.random.default_rng(0)
    program, sizes = network.program.core, {"N": 3}
    data: dict[str, Any] = {}
    for leaf in program.leaves:
        shape = tuple(axis.integer or sizes[str(axis)] for axis in leaf.axes)
        if leaf.name not in network.init(0):
            data[leaf.name] = rng.normal(size=shape) if leaf.range is None else rng.integers(1, 5, shape)

    source = assert_same(sb.derive(network), dtype, network.init(0), data)

    assert count_loops(source) > 1


@pytest.mark.parametrize("dtype", LIMITS)
@pytest.mark.parametrize("body", BODIES)
def test_what_is_not_finite_is_what_numpy_says(body: str, dtype: str) -> None:
    """Infinite or nan, kinks and tails; a single entry, and a whole row."""
    d = sb.derive(sb.parse(f"{HEAD}{BODIES[body]}\nloss = sum(n, i, g[n,i]*a[n,i])"), ["x", "w"])
    rng = np.random.default_rng(0)
    f, fused = d.compile("numpy", dtype), d.compile("fused", dtype)
    w = {"w": rng.normal(size=7).astype(dtype)}
    for edge in EDGES:
        x = rng.normal(size=(4, 7)).astype(dtype)
        with np.errstate(all="ignore"):
            x[1, 3] = x[2] = edge
        data = {"x": x, "g": rng.normal(size=(4, 7)).astype(dtype)}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value, gradients = f(w, **data)
            other, others = fused(w, **data)
        assert_near(other, value, dtype, 100)
        for name, gradient in gradients.items():
            assert_near(others[name], gradient, dtype, 100)


def test_a_norm_is_one_loop_a_pass() -> None:
    """Sums of a row, what reads them, the loss, and sums over rows: nothing is left to NumPy."""
    source = write_fused(NORM, ["x", "gamma", "beta"])

    assert count_loops(source) == 2
    assert source.count("row_plus(") == 3 + 2
    assert "gamma_bar[" in source
    assert not re.search(r"^    np\.", source[source.index("def _forward") :], re.MULTILINE)


def test_a_cell_is_one_loop_a_step() -> None:
    """The gates of an LSTM, whose products stay matrix products, and what they make."""
    source = sb.derive(recurrence()).compile("fused").source
    step = next(part for part in source.split(" in zip(") if "np.dot(u" in part).split("\n    t")[0]

    assert step.count("np.dot(") == 4
    assert len(re.findall(r"^ +rows\d+\(", step, re.MULTILINE)) == 1
    assert not re.search(r"np\.(?!dot)\w+\(", step)


@pytest.mark.parametrize(
    "body,loops",
    [
        ("a[n,i] = x[n,i]*w[i]\nb[n,i] = a[n,i] + sum(j, a[n,j])\nloss = sum(n, i, b[n,i]^2)", 2),
        # The sum of a column is known when all rows are done, and is read then.
        ("a[n,i] = x[n,i]*w[i]\nb[n,i] = exp(a[n,i])*sum(m, a[m,i])\nloss = sum(n, i, b[n,i]^2)", 4),
        # What is read as it lies and turned is two things.
        ("a[i,j] = exp(w[i])*w[j]\nb[i,j] = a[i,j]*a[j,i]\nloss = sum(i, j, b[i,j]^2)", None),
        # A product of matrices stands between what comes before it and what comes after.
        ("a[n,i] = exp(x[n,i]*w[i])\nb[n,m] = sum(j, a[n,j]*a[m,j])\nloss = sum(n, m, exp(b[n,m])*b[m,n])", None),
        # Products stand between y and p, and between a and c.
        (
            "y[n,i] = tanh(x[n,i]*w[i])\na[n,i] = tanh(g[n,i])\nb[n,m] = sum(i, a[n,i]*a[m,i])\n"
            "c[n,i] = sum(m, b[n,m]*g[m,i])\np[n] = sum(j, y[n,j]*w[j])\nq[n,i] = a[n,i]*p[n]\n"
            "loss = sum(n, i, tanh(c[n,i])*y[n,i]*q[n,i]^2)",
            None,
        ),
        ("a[n,i] = x[n,i]*w[i]\nq[n] = max(j, a[n,j])\nloss = sum(n, i, (a[n,i] - q[n])^2*tanh(g[n,i]))", None),
        ("r[n] = sum(i, x[n,i]*w[i])\ns[n] = log(1 + r[n]^2)\nloss = sum(n, i, exp(s[n])*g[n,i]*w[i])", None),
        ("a[n,i] = where(n == i, x[n,i]*w[i], exp(g[n,i]))\nloss = sum(n, i, a[n,i]^2)", None),
        ("a[n,i] = where(n + 1 <= i, x[n,i]*w[i], exp(g[n,i]))\nloss = sum(n, i, a[n,i]^3)", None),
        ("e[i] = exp(w[i])\np[i] = e[i]/sum(j, e[j])\nloss = sum(i, p[i]*log(p[i]))*mean(n, x[n,1])", None),
    ],
)  # fmt: skip
def test_groups_keep_what_they_compute(body: str, loops: int | None) -> None:
    """Sums over rows, turned reads, products in between, conditions on places, and a single row."""
    rng = np.random.default_rng(0)
    text = (HEAD if "x[" in body else "input g[N,D]\nparam w[D]\n") + body
    d = sb.derive(sb.parse(text), [name for name in ("x", "w") if f"{name}[" in body])
    data = {"x": rng.normal(size=(5, 5)), "g": rng.normal(size=(5, 5))}
    needed = {leaf.name for leaf in d.program.core.leaves}
    source = assert_same(d, "float64", {"w": rng.normal(size=5)}, {k: a for k, a in data.items() if k in needed})

    assert count_loops(source) >= 1
    assert loops in (None, count_loops(source))


def test_loops_read_through_views() -> None:
    """A shift of a shift, a repeated row, and what a view shows beyond its array."""
    text = """
        input x[N,6]
        param w[N,6]
        a[n,i:4] = x[n,i+1]
        b[n,i:2] = a[n,i+1]*w[n,i+3]
        c[n,i:6] = w[n,i-2]*w[n,7-i]
        loss = sum(n, i, tanh(b[n,i])*exp(a[n,i+2])) + sum(n, i, exp(c[n,i])*c[n,i])
    """
    rng = np.random.default_rng(0)
    source = assert_same(
        sb.derive(sb.parse(text)), "float64", {"w": rng.normal(size=(3, 6))}, {"x": rng.normal(size=(3, 6))}
    )

    assert "x[i0, i1 + o]" in source


def test_functions_that_numpy_computes_faster_are_left_to_it() -> None:
    """The logarithm of every entry is NumPy's; that of a number of each row is the loop's."""
    many = write_fused(f"{HEAD}loss = sum(n, i, g[n,i]*w[i]*log(1 + x[n,i]^2)*x[n,i])")
    few = write_fused(f"{HEAD}r[n] = sum(i, x[n,i]*w[i]^2)\nloss = sum(n, i, exp(g[n,i])*log(r[n])*x[n,i])", ["x"])

    assert "np.log(" in many[many.index("def _forward") :]
    assert "np.log(" in few[: few.index("@Workspaces")]


def test_sums_of_many_rows_keep_their_digits() -> None:
    """In single precision a hundred thousand small terms are not lost in their sum, for each place and for all."""
    d = sb.derive(sb.parse("input x[N,D]\nparam w[D]\na[n,i] = tanh(x[n,i]*w[i])\nloss = sum(n, i, a[n,i])"))
    x = np.random.default_rng(0).uniform(0.1, 1, size=(200_000, 3))
    wanted, gradients = d.compile()({"w": np.ones(3)}, x=x)
    f = d.compile("fused", "float32")
    value, found = f({"w": np.ones(3, "float32")}, x=x.astype("float32"))

    assert "rows == 128" in f.source
    assert_near(value, wanted, "float32", 0.1)
    assert_near(found["w"], gradients["w"], "float32", 0.3)


def test_arrays_of_any_layout_are_taken() -> None:
    """Turned, strided, read-only and of other types; and nothing of the caller's is changed."""
    d, rng = sb.derive(sb.parse(NORM), ["x", "gamma", "beta"]), np.random.default_rng(0)
    f, plain = d.compile("fused"), d.compile("numpy")
    params = {"gamma": rng.normal(size=8)[::2], "beta": rng.normal(size=4).astype("float32")}
    fixed = rng.normal(size=(3, 4))
    fixed.flags.writeable = False
    for data in ({"x": rng.normal(size=(4, 3)).T, "g": fixed}, {"x": np.ones((3, 4), int), "g": fixed[::-1, ::-1]}):
        before = {name: np.array(array) for name, array in data.items()}
        value, gradients = f(params, **data)
        wanted, expected = plain(params, **data)

        assert_near(value, wanted, "float64")
        for name, gradient in expected.items():
            assert_near(gradients[name], gradient, "float64")
        assert all(np.array_equal(data[name], array) for name, array in before.items())


def test_gradients_are_the_callers_own() -> None:
    """A further call leaves them, `out` takes them, and threads do not disturb each other."""
    d, rng = sb.derive(sb.parse(NORM), ["x", "gamma", "beta"]), np.random.default_rng(0)
    f = d.compile("fused")
    params = {"gamma": rng.normal(size=40), "beta": rng.normal(size=40)}
    batches = [{"x": rng.normal(size=(30, 40)), "g": rng.normal(size=(30, 40))} for _ in range(4)]
    wanted = [f(params, **batch)[1] for batch in batches]
    for batch, expected in zip(batches, wanted, strict=True):
        out = {"x": np.empty((30, 40)), "gamma": np.empty(40), "beta": np.empty(40)}
        _, returned = f(params, **batch, out=out)
        assert all(returned[name] is out[name] and np.array_equal(out[name], expected[name]) for name in out)
    wrong: list[int] = []

    def run(place: int) -> None:
        for _ in range(50):
            _, found = f(params, **batches[place])
            if not all(np.array_equal(found[name], wanted[place][name]) for name in found):
                wrong.append(place)

    threads = [threading.Thread(target=run, args=(place,)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says which extra brings numba."""
    monkeypatch.setitem(sys.modules, "numba", None)
    for name in ("rows_runtime", "rows_float64"):
        monkeypatch.delitem(sys.modules, f"symbackprop.codegen.{name}", raising=False)
    with pytest.raises(sb.ArgumentError, match=r"target 'fused' needs numba: pip install 'symbackprop\[numba\]'"):
        sb.derive(sb.parse("param w\nloss = w^2")).compile("fused")


def test_numpy_code_needs_no_numba() -> None:
    """Compiling for NumPy, or writing a module for a place that has numba, does not import it."""
    code = (
        "import sys, symbackprop as sb; d = sb.derive(sb.mlp([3, 2])); d.compile(); d.source('fused');"
        "print('numba' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout.split() == ["False"]


def test_a_planted_error_in_a_module_is_seen(tmp_path: Path) -> None:
    """The check of a module of its own fails where a loop computes something else."""
    text = sb.derive(sb.parse(NORM)).source("fused")
    path = tmp_path / "module.py"
    wrong = text.replace("\n        gamma_bar[i1] += ", "\n        gamma_bar[i1] += DTYPE(1.001)*")
    assert wrong != text
    path.write_text(wrong, encoding="utf-8")
    done = subprocess.run([sys.executable, "-I", str(path)], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "gamma: DIFFERS" in done.stdout
