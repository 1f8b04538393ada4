"""Code that cannot be traced is undecided, with the line that stopped it and what to do about it."""

from __future__ import annotations

import cmath
import contextlib
import math
import secrets
import time
import uuid
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import linalg, special

import symbackprop as sb

Case = Callable[..., Any]
CURVE = np.vectorize(lambda v: math.exp(v) if v < 0 else v)


def again(x: Any) -> Any:
    """A recursion without an end."""
    return again(x)


def into_integers(x: Any) -> Any:
    """An array of integers takes no floats."""
    made = np.zeros(x.shape, dtype=int)
    made += x
    return made


STOPPED: list[tuple[Case, str]] = [
    (lambda x: special.gamma(x), "scipy.special.gamma has no trace; write it out with"),
    (lambda x: special.ellipk(x), "scipy.special.ellipk has no trace; write it out with"),
    (lambda x: np.interp(x, [0, 1], [0, 1]), "np.interp has no trace; write it out with"),
    (lambda x: np.fft.fft(x).real, "np.fft has no trace; write it out with"),
    (lambda x: CURVE(x), "np.vectorize has no trace, as the first result decides on the type of all; write the loop"),
    (lambda x: linalg.expm(np.outer(x, x)), "by code that is not traced; write it with NumPy, or hand it over in data"),
    (lambda x: np.array([cmath.exp(v) for v in x]).real, "by code that is not traced; write it with NumPy"),
    (lambda x: x * np.random.rand(*x.shape), "np.random.rand is random; seed it in the code, or hand the numbers over"),
    (lambda x: np.abs(x * 1j), "complex numbers are not traced; keep real and imaginary parts in arrays"),
    (lambda x: x * len(f"{x[0]:.3f}"), "a traced number is written into a text; leave that out"),
    (lambda x: np.linalg.svd(np.outer(x, x))[1], "np.linalg.svd is not traced: it has no formula in the entries"),
    (into_integers, "np.add gives floats, which do not go into an array of int64"),
    (again, "maximum recursion depth exceeded"),
]


@pytest.mark.parametrize(("function", "reason"), STOPPED, ids=[str(k) for k in range(len(STOPPED))])
def test_what_stopped_it_is_said_with_its_line(function: Case, reason: str) -> None:
    """Nothing is guessed."""
    verdict = sb.verify_backward(lambda x: (function(x), x), lambda d, x: d * x, shapes={"x": (3,)})

    assert verdict.undecided, str(verdict)
    assert reason in verdict.reason
    assert "test_untraced_code.py:" in verdict.reason


FOLLOWED: list[tuple[Case, Case]] = [
    (lambda x: np.array([math.exp(v) for v in x]), lambda x: np.exp(x)),
    (lambda x: np.array([float(v) ** 2 for v in x]), lambda x: 2 * x),
    (lambda x: x**2 if x[0] > 0 else -x, lambda x: 2 * x if x[0] > 0 else -np.ones_like(x)),
    (lambda x: np.sort(x), lambda x: np.ones_like(x)),
    (lambda x: x * (np.argsort(x) == 0), lambda x: 1.0 * (np.argsort(x) == 0)),
    (lambda x: np.unique(x), lambda x: np.ones_like(x)),
    (lambda x: special.expit(x), lambda x: special.expit(x) * (1 - special.expit(x))),
]


@pytest.mark.parametrize(("function", "slope"), FOLLOWED, ids=[str(k) for k in range(len(FOLLOWED))])
def test_what_can_be_followed_is_judged(function: Case, slope: Case) -> None:
    """The sum of the results is proved, and refuted with another slope."""
    right = sb.verify_backward(lambda x: (np.sum(function(x)), x), lambda d, x: d * slope(x), shapes={"x": (2,)})
    wrong = sb.verify_backward(lambda x: (np.sum(function(x)), x), lambda d, x: d * slope(x) * 2, shapes={"x": (2,)})

    assert right.proved, str(right)
    assert wrong.refuted, str(wrong)


def test_a_small_number_that_all_is_multiplied_by_is_no_stabiliser() -> None:
    """Without it both sides are 0, which says nothing."""
    verdict = sb.verify_backward(lambda x: (x / 2048, x), lambda d, x: d * x / 2048, shapes={"x": (2,)})

    assert verdict.refuted
    assert "eps = 0" not in verdict.diagnosis


def solves(x: Any) -> Any:
    """A fallback that NumPy never takes."""
    try:
        return np.interp(x, [0.0, 1.0], [0.0, 1.0])
    except Exception:
        return 0 * x


def solves_silently(x: Any) -> Any:
    """The same with a bare handler."""
    try:
        return np.fft.fft(x).real
    except:  # noqa: E722
        return 0 * x


def suppresses(x: Any) -> Any:
    """The same with a context manager."""
    with contextlib.suppress(Exception):
        return np.percentile(x, 50) + x
    return 0 * x


def writes_text(x: Any) -> Any:
    """A traced number has no text."""
    try:
        return len(f"{x[0]:.2e}") * x
    except TypeError:
        return x
    except Exception:
        return 0 * x


def asks_for_a_method(x: Any) -> Any:
    """np.float64 has this method."""
    return 0 * x if not hasattr(x[0], "is_integer") else 3 * x


def asks_for_a_hash(x: Any) -> Any:
    """np.float64 has a hash."""
    try:
        return 0 * x * hash(x[0])
    except TypeError:
        return 3 * x


@pytest.mark.parametrize(
    "handled", [solves, solves_silently, suppresses, writes_text, asks_for_a_method, asks_for_a_hash]
)
def test_no_handler_hides_that_something_is_not_traced(handled: Any) -> None:
    """Code that catches every error would else go on where NumPy does not."""

    def backward(dout: Any, x: Any) -> Any:
        return 2 * dout * x + 0 * handled(x)

    verdict = sb.verify_backward(lambda x: ((x**2).sum(), x), backward, shapes={"x": (2,)})

    assert verdict.undecided
    assert "test_untraced_code.py" in verdict.reason


def test_handlers_of_what_numpy_raises_run() -> None:
    """A KeyError, a shape that does not fit: NumPy raises them too."""

    def forward(x: Any) -> Any:
        try:
            scale = {"a": 2}["b"]
        except KeyError:
            scale = 3
        try:
            x = x + np.ones(x.shape[0] + 7)
        except ValueError:
            x = x * scale
        return x, scale

    verdict = sb.verify_backward(forward, lambda dout, scale: dout * scale, shapes={"x": (2,)})

    assert verdict.proved


def test_the_type_of_an_array_has_its_name() -> None:
    """Code that compares names of types takes the branch that it takes on arrays."""

    def backward(dout: Any, x: Any) -> Any:
        return 2 * dout * x if type(x).__name__ == "ndarray" else 0 * x

    assert sb.verify_backward(lambda x: ((x**2).sum(), x), backward, shapes={"x": (2,)}).proved


@pytest.mark.parametrize(
    ("asks", "said"),
    [
        (lambda x: {x[0].item()}, "a float that depends on an input is put into a set or is a key of a dictionary"),
        (lambda x: {float(x[0]): 1}, "a float that depends on an input is put into a set or is a key of a dictionary"),
        (lambda x: {x[0]}, "a float that depends on an input is put into a set or is a key of a dictionary"),
        (lambda x: x.view(np.int64), "view(int64) reads raw memory"),
        (lambda x: x.view("u1"), "view(uint8) reads raw memory"),
    ],
)
def test_what_is_not_traced_is_named_as_in_the_code(asks: Any, said: str) -> None:
    """By no name of what floats are traced as."""

    def forward(x: Any) -> Any:
        asks(x)
        return x, None

    verdict = sb.verify_backward(forward, lambda dout, cache: dout, shapes={"x": (2,)})

    assert verdict.undecided
    assert said in verdict.reason
    assert "Traced" not in verdict.reason
    assert "PythonFloat" not in verdict.reason


def test_a_view_as_an_array_shows_the_same_memory() -> None:
    """What is written to it is written to the array."""

    def backward(dout: Any, x: Any) -> Any:
        dx = np.zeros_like(x)
        dx.view(np.ndarray)[...] = 2 * dout * x
        return dx

    assert sb.verify_backward(lambda x: ((x**2).sum(), x), backward, shapes={"x": (2,)}).proved


@pytest.mark.parametrize(("shape", "told"), [((), False), ((3,), True)])
def test_where_there_are_no_sizes_none_are_spoken_of(shape: tuple[int, ...], told: bool) -> None:
    """A number has no axes whose lengths may happen to be equal."""

    def forward(x: Any) -> Any:
        assert np.shape(x) == shape
        return x**2, x

    verdict = sb.verify_backward(forward, lambda dout, x: 2 * dout * x, shapes={"x": shape})

    assert verdict.proved
    assert any("sizes that happen to be equal" in note for note in verdict.notes) == told


@pytest.mark.parametrize(
    ("chance", "reason"),
    [
        (lambda: secrets.randbelow(997) == 1, "secrets.randbelow is random"),
        (lambda: uuid.uuid4().int % 997 == 1, "uuid.uuid4 is random"),
        (lambda: time.time() % 1000 < 1, "time.time reads a clock"),
    ],
)
def test_what_differs_from_run_to_run_is_not_judged(chance: Callable[[], bool], reason: str) -> None:
    """A run would show one of its ways only."""
    verdict = sb.verify_backward(
        lambda x: (2 * x, None), lambda dout, _: 3 * dout if chance() else 2 * dout, shapes={"x": (2,)}
    )

    assert verdict.undecided
    assert reason in verdict.reason


@pytest.mark.parametrize(
    ("shapes", "data", "message"),
    [
        ({"x": (99_999, 99_999)}, None, "at most 1000000 are"),
        ({"x": (2,)}, {"x": 1.0}, "shapes and data both name x"),
    ],
)
def test_shapes_that_cannot_be_traced_are_errors(shapes: Any, data: Any, message: str) -> None:
    """Before any array is made."""
    with pytest.raises(sb.ArgumentError, match=message):
        sb.verify_backward(lambda x: (x, None), lambda dout, _: dout, shapes=shapes, data=data)
