"""The contract of a compiled function: its arguments, what it returns, and the errors that it raises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from compiled import compile_numpy

from symbackprop.calculus.chain import derive
from symbackprop.calculus.programs import Program
from symbackprop.codegen import CompiledFunction
from symbackprop.errors import ArgumentError, DataError, ShapeError

Builder = Callable[..., Program]
SIZES = {"N": 4, "D": 3, "K": 5, "H": 2}

MLP = (
    "W[H,D] b[H] V[K,H] c[K]",
    "x[N,D] y[N,K]",
    {
        "z[n,h]": ["d: W[h,d]*x[n,d]", "b[h]"],
        "a[n,h]": ["tanh(z[n,h])"],
        "q[n,k]": ["h: V[k,h]*a[n,h]", "c[k]"],
        "loss[]": ["n,k: (q[n,k] - y[n,k])**2/(N*K)"],
    },
)


def gradient_function(program: Program, of: str, wrt: list[str], dtype: str = "float64") -> CompiledFunction:
    """The compiled function of the adjoints as the chain rule gives them."""
    adjoints = derive(program, of, wrt)
    return compile_numpy(program, adjoints.definitions, of, {n: adjoints.adjoint_name(n) for n in wrt}, dtype)


def draw(program: Program, sizes: dict[str, int], seed: int = 0) -> dict[str, np.ndarray]:
    """Random entries for every leaf."""
    rng = np.random.default_rng(seed)
    return {t.name: rng.uniform(-1, 1, [a.evaluate(dict(sizes)) for a in t.axes]) for t in program.leaves}


def call(function: CompiledFunction, values: dict[str, Any], **more: Any) -> tuple[Any, dict[str, Any]]:
    """Call with the parameters in a dict and the rest by keyword."""
    params = {n: v for n, v in values.items() if n in function.layout["params"]}
    return function(params, **{n: v for n, v in values.items() if n not in params}, **more)


def test_results_belong_to_the_caller(build: Builder) -> None:
    """Writing into a result changes neither an input nor another result, also where a gradient is an input."""
    program = build("v[D] w[D]", "x[D]", {"loss[]": ["d: v[d]*x[d] + w[d]*x[d]"]})
    values = draw(program, SIZES)
    kept = {n: v.copy() for n, v in values.items()}
    function = gradient_function(program, "loss", ["v", "w", "x"])
    _, gradients = call(function, values)
    expected = gradients["w"].copy()
    gradients["v"][:] = 7
    np.testing.assert_array_equal(gradients["w"], expected)
    for name, array in values.items():
        np.testing.assert_array_equal(array, kept[name])
        assert not any(np.shares_memory(array, g) for g in gradients.values())


def test_out_is_written_in_place(build: Builder) -> None:
    """out= fills the arrays of the caller and returns them; wrong names, shapes and dtypes are errors."""
    program = build(*MLP)
    values = draw(program, SIZES)
    function = gradient_function(program, "loss", ["W", "b"])
    _, expected = call(function, values)
    out = {"W": np.zeros((2, 3)), "b": np.zeros(2)}
    _, gradients = call(function, values, out=out)
    assert gradients["W"] is out["W"]
    np.testing.assert_array_equal(out["W"], expected["W"])
    np.testing.assert_array_equal(out["b"], expected["b"])
    for bad in ({"W": out["W"]}, {**out, "b": np.zeros(3)}, {**out, "b": np.zeros(2, dtype=np.float32)}, [1]):
        with pytest.raises(ArgumentError, match="out"):
            call(function, values, out=bad)


def test_lists_and_integers_are_cast_once(build: Builder) -> None:
    """Python lists and integer arrays give what float arrays give, and a scalar parameter's gradient is 0-d."""
    program = build("w[]", "x[N]", {"loss[]": ["n: (w[]*x[n])**2/N"]})
    function = gradient_function(program, "loss", ["w", "x"])
    value, gradients = function({"w": 3}, x=[1, 2])
    assert value == 22.5
    assert gradients["w"].shape == ()
    assert gradients["w"] == 15
    np.testing.assert_array_equal(gradients["x"], [9, 18])
    assert function.value({"w": 3}, x=np.array([1, 2])) == 22.5


def test_wrong_names_are_listed_together(build: Builder) -> None:
    """Missing and extra names, in params and in keywords, stand in one message."""
    program = build(*MLP)
    function = gradient_function(program, "loss", ["W"])
    values = draw(program, SIZES)
    with pytest.raises(ArgumentError) as error:
        function({"W": values["W"], "x": values["x"], "b": values["b"]}, y=values["y"], Z=1, N=4)
    for part in ("missing in params: V, c", "not expected in params: x", "missing in keywords: x", "keywords: Z, N"):
        assert part in str(error.value)


def test_shapes_are_checked_by_name_and_axis(build: Builder) -> None:
    """A wrong shape names the tensor, the axis, what was expected and why; an empty axis and text are errors."""
    program = build(*MLP)
    function = gradient_function(program, "loss", ["W"])
    values = draw(program, SIZES)
    with pytest.raises(ShapeError, match=r"axis 2 of x has 4 entries; expected D = 3 \(D = 3 by axis 2 of W\)"):
        call(function, {**values, "x": np.zeros((4, 4))})
    with pytest.raises(ShapeError, match=r"b has shape \(2, 1\); expected 1 axes \[H\]"):
        call(function, {**values, "b": np.zeros((2, 1))})
    with pytest.raises(ShapeError, match="at least one entry"):
        call(function, {**values, "x": np.zeros((0, 3)), "y": np.zeros((0, 5))})
    with pytest.raises(DataError, match="y has entries of type"):
        call(function, {**values, "y": [["a"] * 5] * 4})
    with pytest.raises(DataError, match="not an array"):
        call(function, {**values, "y": [[1.0], [1.0, 2.0]]})


def test_sizes_that_no_array_carries_come_by_keyword(build: Builder) -> None:
    """A size that is read as a number only is an argument; one that an array carries is not."""
    program = build("w[D]", "x[N,D]", {"loss[]": ["n,d: w[d]*x[n,d]/T"]})
    function = gradient_function(program, "loss", ["w"])
    _, gradients = function({"w": [1.0, 1.0]}, x=[[1.0, 2.0]], T=4)
    np.testing.assert_array_equal(gradients["w"], [0.25, 0.5])
    with pytest.raises(ArgumentError, match="missing in keywords: T"):
        function({"w": [1.0, 1.0]}, x=[[1.0, 2.0]])
    with pytest.raises(DataError, match="size T is 0"):
        function({"w": [1.0, 1.0]}, x=[[1.0, 2.0]], T=0)


def test_names_are_mangled_and_comments_stay_comments(build: Builder) -> None:
    """Tensors called as Python, NumPy or the generated code call things work; a newline in a comment adds no code."""
    program = build(
        "np[D] lambda[D] t1[D]",
        "DTYPE[D] out[D]",
        {"sum[d]": ["np[d]*lambda[d]*out[d]"], "loss[]": ["d: sum[d]*t1[d]*DTYPE[d]"]},
    )
    adjoints = derive(program, "loss", ["np", "t1"])
    names = {n: adjoints.adjoint_name(n) for n in ("np", "t1")}
    function = compile_numpy(program, adjoints.definitions, "loss", names, comments={"sum": "first\nraise SystemExit"})
    value, gradients = function({"np": [2.0], "lambda": [3.0], "t1": [5.0]}, DTYPE=[7.0], out=[1.0])
    assert value == 210
    assert gradients["np"] == 105
    assert gradients["t1"] == 42
    assert "# first raise SystemExit" in function.source
