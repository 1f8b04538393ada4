"""Straight-line code for tiny networks: Python and numba against NumPy and JAX, its loop, its limits and its errors."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracle_programs import CLASSIFIER, ORACLE_PROGRAMS, SEED_NETWORK, OracleProgram
from program_check import judge_target
from program_generator import generate_program
from target_check import compare, example

import symbackprop as sb
from symbackprop.codegen import scalar_nodes
from symbackprop.codegen.python_runtime import Careful, CarefulMath

PROGRAMS = 60
BATCH = 10
COMPILED = (0, 3, 9, 17)
"""The random programs that numba compiles, which takes it seconds each."""
EMBEDDING = """
    index tok[N] in V, at[N] in N
    input g[N,D]
    param E[V,D]
    e[n,d] = E[tok[at[n]],d]*tok[n]
    loss = sum(n, d, g[n,d]*sin(e[n,d])) + sum(n, E[tok[n]+1,1]^2)
"""


@pytest.mark.parametrize("program", ORACLE_PROGRAMS, ids=lambda p: p.name)
def test_python_gives_what_numpy_gives(program: OracleProgram) -> None:
    """Value and gradients are NumPy's, within 1e-12 of the largest entry."""
    assert compare("python", *example(program), dtype="float64") == []


@pytest.mark.parametrize("dtype", ("float64", "float32"))
@pytest.mark.parametrize("program", (SEED_NETWORK, CLASSIFIER), ids=lambda p: p.name)
def test_numba_gives_what_numpy_gives(program: OracleProgram, dtype: str) -> None:
    """The same code compiled; it warns of nothing."""
    assert compare("numba", *example(program), dtype=dtype) == []


@pytest.mark.parametrize("dtype", ("float64", "float32"))
def test_a_read_by_data_that_may_be_outside(dtype: str) -> None:
    """A number stands beside the entries among which integer data choose; they are of one type."""
    d = sb.derive(sb.parse(EMBEDDING))
    rng = np.random.default_rng(0)
    sizes = {"N": 3, "D": 2, "V": 4}
    data = {"tok": np.array([4, 1, 2]), "at": np.array([2, 3, 1]), "g": rng.normal(size=(3, 2))}
    params = {"E": rng.normal(size=(4, 2))}
    value, gradients = d.compile("numba", dtype, sizes=sizes)(params, **data)
    wanted, exact = d.compile()(params, **data)

    tolerance = 1e-12 if dtype == "float64" else 1e-5
    assert value == pytest.approx(wanted, rel=tolerance)
    np.testing.assert_allclose(gradients["E"], exact["E"], atol=10 * tolerance)


def test_descent_in_single_precision() -> None:
    """A loop in float32 goes where the one in float64 does, on arrays of float32 and on lists alike."""
    d = sb.derive(sb.parse("input x[N]\nparam w[N], b\nloss = (sum(n, tanh(w[n]*x[n])) + b - 2)^2"))
    params, x = {"w": [0.5, -0.25], "b": 1.0}, [1.0, 2.0]
    wanted, wanted_end = d.compile("numba", sizes={"N": 2}).descend(params, 0.125, 20, x=x)
    f = d.compile("numba", "float32", sizes={"N": 2})
    exact = {name: np.array(value, "float32") for name, value in params.items()}

    for start, data in ((params, x), (exact, np.array(x, "float32"))):
        losses, end = f.descend(start, 0.125, 20, x=data)

        assert losses.dtype == end["w"].dtype == end["b"].dtype == np.float32
        np.testing.assert_allclose(losses, wanted, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(end["w"], wanted_end["w"], rtol=1e-5)
    assert exact["w"].tolist() == params["w"]
    with pytest.raises(sb.ArgumentError, match="float16"):
        d.compile("numba", "float16", sizes={"N": 2})


@pytest.mark.parametrize("first", range(0, PROGRAMS, BATCH))
def test_random_programs_give_what_jax_gives(first: int) -> None:
    """Random programs over the whole language, against JAX's own gradients of the same formulas."""
    outcomes = [judge_target(generate_program(seed), "python") for seed in range(first, first + BATCH)]

    assert [fault for found in outcomes for fault in found or ()] == []
    assert outcomes.count(None) <= BATCH // 2


@pytest.mark.parametrize("seed", COMPILED)
def test_random_programs_compiled_give_what_jax_gives(seed: int) -> None:
    """Conditions, integer data and recurrences among them."""
    assert judge_target(generate_program(seed), "numba") == []


def test_a_wrong_operation_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison with NumPy fails where a difference becomes a sum."""
    monkeypatch.setattr(scalar_nodes.Nodes, "negative", lambda self, part: part)

    assert compare("python", *example(CLASSIFIER), dtype="float64") != []


def test_integer_data_choose_entries() -> None:
    """Positions that data say, one inside the other, and past the end where a read is 0."""
    d = sb.derive(sb.parse(EMBEDDING))
    rng = np.random.default_rng(0)
    params = {"E": rng.normal(size=(3, 2))}
    data = {"tok": np.array([3, 1, 2, 2]), "at": np.array([4, 4, 1, 2]), "g": rng.normal(size=(4, 2))}
    value, gradients = d.compile()(params, **data)
    for target in ("python", "numba"):
        found, others = d.compile(target, sizes={"N": 4, "D": 2, "V": 3})(params, **data)  # type: ignore[call-overload]

        assert math.isclose(found, value, rel_tol=1e-14)
        assert np.allclose(others["E"], gradients["E"], rtol=1e-14, atol=1e-14)
        with pytest.raises(sb.DataError, match="tok holds 4"):
            d.compile(target, sizes={"N": 1, "D": 2, "V": 3})(  # type: ignore[call-overload]
                params, tok=[4], at=[1], g=[[1.0, 2.0]]
            )


def test_every_entry_is_computed_once() -> None:
    """The assignments grow in step with the layers, and a function is called once for each unit."""
    sizes = [4, 8, 16]
    sources = [sb.derive(sb.mlp([2] * n, activation="tanh", batch=None)).compile("python").source for n in sizes]
    lengths = [source.count(" = ") for source in sources]

    assert lengths[2] - lengths[1] == 2 * (lengths[1] - lengths[0])
    assert [source.count("math.tanh") for source in sources] == [2 * (n - 2) for n in sizes]


def test_a_branch_that_is_not_taken_is_not_computed() -> None:
    """A logarithm of what is not positive raises nothing where it is not chosen."""
    f = sb.derive(sb.parse("param w[2]\nloss = sum(i, where(w[i] > 0, log(w[i]), w[i]^2))")).compile("python")

    assert f({"w": [-3.0, 1.0]}) == (9.0, {"w": [-6.0, 1.0]})
    assert "math.log(w_1) if t1 else" in f.source


@pytest.mark.parametrize("text", ("log(w) + 1/(1+w)", "exp(1000 + w)", "w^(1/3)", "1/w^3 + sqrt(w - 1)", "sinh(w-800)"))
def test_what_is_not_finite_is_what_numpy_says(text: str) -> None:
    """Infinite or nan as floats of every library are, where Python's own raise an error."""
    d = sb.derive(sb.parse(f"param w\nloss = {text}"))
    for w in (0.0, -1.0, -8.0):
        with np.errstate(all="ignore"):
            value, gradients = d.compile()({"w": w})
        found, others = d.compile("python")({"w": w})

        assert [found, others["w"]] == pytest.approx([float(value), float(gradients["w"])], rel=1e-12, nan_ok=True)


def test_careful_floats_are_those_of_numpy() -> None:
    """Every operation and function, at ordinary numbers and at poles."""
    numbers = [0.0, -0.0, 1.0, -1.0, 2.5, -3.0, 800.0, -800.0, math.inf, -math.inf, math.nan]
    names = ("exp", "log", "sqrt", "log1p", "expm1", "sinh", "cosh", "tanh", "sin", "tan", "atanh", "asin", "acosh")
    renamed = {"atanh": "arctanh", "asin": "arcsin", "acosh": "arccosh"}
    with np.errstate(all="ignore"):
        for u in numbers:
            for name in names:
                expected = getattr(np, renamed.get(name, name))(np.float64(u))
                assert getattr(CarefulMath(), name)(u) == pytest.approx(expected, rel=1e-14, nan_ok=True), (name, u)
            for v in numbers:
                pairs = [
                    (Careful(u) + v, np.float64(u) + v), (u - Careful(v), u - np.float64(v)),
                    (Careful(u) * v, np.float64(u) * v), (Careful(u) / v, np.float64(u) / v),
                    (u / Careful(v), u / np.float64(v)), (CarefulMath().pow(u, v), np.float64(u) ** v),
                    (Careful(u) ** 3, np.float64(u) ** 3),
                ]  # fmt: skip
                for given, expected in pairs:
                    assert float(given) == pytest.approx(float(expected), rel=1e-14, nan_ok=True), (u, v)


def descend_in_numpy(d: sb.Derivation, params: dict[str, Any], rate: float, batches: list[dict[str, Any]]) -> Any:
    """Gradient descent as anyone would write it."""
    f, losses, params = d.compile(), [], dict(params)
    for batch in batches:
        loss, gradients = f(params, **batch)
        losses.append(loss)
        params = {name: theta - rate * gradients[name] for name, theta in params.items()}
    return losses, params


@pytest.mark.parametrize("target", ("python", "numba"))
def test_descend_is_gradient_descent(target: Any) -> None:
    """On the same data at every step, and on batches one after the other."""
    network = sb.mlp([2, 3, 1], activation="tanh")
    d, rng = sb.derive(network), np.random.default_rng(0)
    f = d.compile(target, sizes={"N": 2})
    start = network.init(0)
    x, y = rng.normal(size=(3, 2, 2)), rng.normal(size=(3, 2, 1))
    cases = [
        (({"x": x[0], "y": y[0]}), [{"x": x[0], "y": y[0]}] * 7),
        ({"x": x, "y": y}, [{"x": x[k % 3], "y": y[k % 3]} for k in range(7)]),
        ({"x": x, "y": y[0]}, [{"x": x[k % 3], "y": y[0]} for k in range(7)]),
    ]
    for data, batches in cases:
        losses, params = f.descend(start, 0.1, 7, **data)
        expected, wanted = descend_in_numpy(d, start, 0.1, batches)

        assert np.allclose(losses, expected, rtol=1e-12, atol=0)
        assert all(np.allclose(params[name], wanted[name], rtol=1e-12, atol=1e-14) for name in wanted)
    assert all(np.array_equal(start[name], array) for name, array in network.init(0).items())
    assert np.size(f.descend(start, 0.1, 0, x=x, y=y)[0]) == 0


@pytest.mark.parametrize("target", ("python", "numba"))
def test_mistakes_of_the_caller_are_named(target: Any) -> None:
    """Names, shapes, types and sizes; lists of another kind are never taken for numbers."""
    d = sb.derive(sb.parse("param w[D], b\ninput x[D], y[D]\nloss = sum(d, w[d]*x[d] + y[d]) + b"))
    f = d.compile(target, sizes={"D": 2})
    good: dict[str, Any] = {"x": [1.0, 2.0], "y": [0.5, 0.5]}
    params: dict[str, Any] = {"w": [1.0, 3.0], "b": 1}

    assert float(f(params, **good)[0]) == 9.0
    for wrong, error, message in (
        ({"x": [1.0]}, sb.ShapeError, "axis 1 of x has 1 entries; expected 2"),
        ({"x": [[1.0], [2.0]]}, sb.ShapeError, "x has shape"),
        ({"y": [[1.0], [2.0]]}, sb.ShapeError, "y has shape"),
        ({"y": [1.0, [2.0]]}, sb.DataError, "y is not an array|y has entries"),
        ({"x": ["1", "2"]}, sb.DataError, "x has entries"),
        ({"y": [1.0, 2j]}, sb.DataError, "y has entries"),
        ({"z": 1.0}, sb.ArgumentError, "not expected in keywords: z"),
    ):
        with pytest.raises(error, match=message):
            f(params, **{**good, **wrong})
    with pytest.raises(sb.ArgumentError, match="missing in params: b"):
        f({"w": [1.0, 2.0]}, **good)
    with pytest.raises(sb.ShapeError, match="numbers of batches differ"):
        f.descend(params, 0.1, 3, x=[[1.0, 2.0]] * 3, y=[[1.0, 2.0]] * 2)
    with pytest.raises(sb.ShapeError, match="x: no batch|x has shape .0,.; every axis needs"):
        f.descend(params, 0.1, 3, x=np.ones((0, 2)), y=[1.0, 2.0])
    for rate, steps in ((0.1, -1), (math.nan, 1), (0.1, 1.5), ("0.1", 1)):
        with pytest.raises(sb.ArgumentError, match="at least 0 steps"):
            f.descend(params, rate, steps, **good)
    with pytest.raises(sb.SymBackpropError, match="b is not an array|b has entries"):
        f({**params, "b": 10**400}, **good)
    with pytest.raises(sb.ArgumentError, match="no size for D"):
        d.compile(target)
    with pytest.raises(sb.ArgumentError, match="float64 only"):
        d.compile("python", "float32", sizes={"D": 2})
    with pytest.raises(sb.ArgumentError, match="moves parameters"):
        sb.derive(sb.parse("param w\ninput x\nloss = w*x"), "x").compile(target).descend({"w": 1.0}, 0.1, 1, x=1.0)


def test_limits_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Code that would be too long, and what numba cannot do."""
    d = sb.derive(sb.mlp(["D", 4, 1]))
    with pytest.raises(sb.LimitError, match="more than 50000 operations; take smaller sizes"):
        d.compile("python", sizes={"D": 4, "N": 2000})
    with pytest.raises(sb.LimitError, match="numba would take minutes"):
        d.compile("numba", sizes={"D": 1000, "N": 4})
    inverse = sb.derive(sb.parse("param A[N,N]\nB[i,j] = inv(A)[i,j]\nloss = sum(i, j, B[i,j]^2)"))
    with pytest.raises(sb.UnsupportedError, match="no numba code for functions of whole matrices"):
        inverse.compile("numba", sizes={"N": 2})
    with pytest.raises(sb.ArgumentError, match="leave sizes= away"):
        d.compile("numpy", sizes={"D": 4, "N": 2})  # type: ignore[call-overload]
    with pytest.raises(sb.UnknownNameError, match="numpy, fused, jax, torch, python, numba"):
        d.compile("fortran")


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says which extra brings numba."""
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.delitem(sys.modules, "symbackprop.codegen.numba_runtime", raising=False)
    with pytest.raises(sb.ArgumentError, match=r"pip install 'symbackprop\[numba\]'"):
        sb.derive(sb.parse("param w\nloss = w^2")).compile("numba")


@pytest.mark.parametrize("program", ORACLE_PROGRAMS, ids=lambda p: p.name)
def test_a_module_of_its_own_checks_itself(program: OracleProgram, tmp_path: Path) -> None:
    """The module needs no library at all, and its gradients agree with finite differences."""
    text = sb.derive(sb.parse(program.text)).source("python", sizes=program.sizes)
    path = tmp_path / "module.py"
    path.write_text(text, encoding="utf-8")
    done = subprocess.run([sys.executable, "-I", str(path)], capture_output=True, text=True, check=False, cwd=tmp_path)
    imports = {line.split()[1] for line in text.splitlines() if line.startswith(("import ", "from "))}

    assert imports <= {"__future__", "functools", "keyword", "math", "random", "types", "typing"}
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "agrees" in done.stdout


def test_a_planted_error_in_a_module_is_seen(tmp_path: Path) -> None:
    """The check of a module fails where a gradient is wrong."""
    text = sb.derive(sb.parse("param w[D]\ninput x[D]\nloss = sum(d, sin(w[d])*x[d])")).source("python", {"D": 2})
    assert "math.cos(w_1)" in text
    path = tmp_path / "module.py"
    path.write_text(text.replace("math.cos(w_1)", "math.sin(w_1)"), encoding="utf-8")
    done = subprocess.run([sys.executable, "-I", str(path)], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "DIFFERS" in done.stdout
