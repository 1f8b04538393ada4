"""What is traced is held against a run on plain floats, and what only floats do is said or is a branch."""

from __future__ import annotations

import json
import math
import random
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symbackprop as sb


def squares(x: Any) -> Any:
    """Half of the squares."""
    return x**2 / 2, x


def as_json(x: Any) -> bool:
    """Whether a library that is not traced takes the numbers; of traced ones it raises."""
    try:
        json.dumps([float(each) for each in x.tolist()])
    except Exception:
        return False
    return True


def is_python(x: Any) -> bool:
    """Whether numbers of a list are floats of Python, as they are."""
    return all(type(each) is float for each in x.tolist())


def is_complex(x: Any) -> bool:
    """Whether a root of a negative float of Python is complex, as it is."""
    return any(type(each**0.5) is complex for each in [-abs(float(each)) for each in x])


def takes_a_list(x: Any) -> bool:
    """Whether an entry may be a list, as it may not."""
    try:
        x.copy()[0] = [1]
    except (TypeError, ValueError):
        return False
    return True


@pytest.mark.parametrize("question", [as_json, is_python, is_complex, takes_a_list])
@pytest.mark.parametrize("swapped", [False, True])
def test_code_that_tells_a_traced_number_from_a_float_is_neither_proved_nor_refuted(
    question: Callable[[Any], bool], swapped: bool
) -> None:
    """Whichever branch is right: what was traced is not what NumPy runs."""
    on_floats = question(np.array([1.0, -2.0, 3.0]))

    def backward(dout: Any, x: Any) -> Any:
        return dout * x * (1 if (question(x) == on_floats) != swapped else 3)

    verdict = sb.verify_backward(squares, backward, shapes={"x": (3,)})

    assert verdict.undecided, str(verdict)


def test_what_differs_on_floats_is_said_with_both_values() -> None:
    """The entry of the gradient as NumPy returns it, and as it was traced."""

    def backward(dout: Any, x: Any) -> Any:
        return dout * x * (1 if is_python(x) else 3)

    verdict = sb.verify_backward(squares, backward, shapes={"x": (3,)})

    assert "on plain floats the gradient of x has an entry" in verdict.reason


@pytest.mark.parametrize(
    ("other", "said"),
    [(lambda g: g.sum(), "the shape (3,), and ()"), (lambda g: g[None], "the shape (3,), and (1, 3)")],
)
def test_another_shape_on_floats_is_said(other: Callable[[Any], Any], said: str) -> None:
    """Before the shape that was traced is held against that of the input."""

    def backward(dout: Any, x: Any) -> Any:
        return dout * x if is_python(x) else other(dout * x)

    verdict = sb.verify_backward(squares, backward, shapes={"x": (3,)})

    assert verdict.undecided
    assert f"on plain floats the gradient of x has {said} when the code is traced" in verdict.reason


@pytest.mark.parametrize("calls", [2, 3, 6])
def test_state_that_shows_in_a_later_call_is_seen(calls: int) -> None:
    """A counter of steps, which one earlier call does not show."""
    steps = [0]

    def backward(dout: Any, x: Any) -> Any:
        steps[0] += 1
        return dout * x * (1 if steps[0] < calls else 0.5)

    verdict = sb.verify_backward(squares, backward, shapes={"x": (3,)})

    assert verdict.undecided
    assert "keeps state between calls" in verdict.reason
    assert steps == [0]


def test_a_call_that_raises_later_is_seen() -> None:
    """As where a cache is used up by the third one."""
    left = [1, 2]

    def backward(dout: Any, x: Any) -> Any:
        left.pop()
        return dout * x

    verdict = sb.verify_backward(squares, backward, shapes={"x": (3,)})

    assert verdict.undecided
    assert "what is returned is not the same" in verdict.reason


def by_root(x: Any) -> Any:
    """A branch that asks for a root, which is NaN below 0; a comparison with NaN is false."""
    return np.where(np.sqrt(x) >= 0, x**2, x), x


@pytest.mark.parametrize(
    "compare",
    [
        lambda x: np.sqrt(x) >= 0,
        lambda x: (np.log(x) > 0) | (np.log(x) <= 0),
        lambda x: np.log(x) == np.log(x),
        lambda x: x**0.5 >= 0,
        lambda x: np.array([bool(root + 1) for root in np.sqrt(x)]),
    ],
)
def test_what_a_comparison_needs_is_among_the_conditions(compare: Callable[[Any], Any]) -> None:
    """Where it compares no number it is false, whatever holds elsewhere."""
    verdict = sb.verify_backward(squares, lambda d, x: np.where(compare(x), d * x, 0), shapes={"x": (2,)})

    assert not verdict.refuted
    assert verdict.undecided or any(each in verdict.hypotheses for each in ("x[0] >= 0", "x[0] > 0")), str(verdict)


def test_a_maximum_needs_all_that_it_is_of() -> None:
    """The condition of the wrong branch is among those of the proof."""
    verdict = sb.verify_backward(by_root, lambda d, x: 2 * d * x, shapes={"x": (2,)})

    assert verdict.proved
    assert set(verdict.hypotheses) >= {"x[0] >= 0", "x[1] >= 0"}


RAISING = {
    "sqrt": lambda x: math.sqrt(x),
    "log": lambda x: math.log(x),
    "pow": lambda x: math.pow(x, 0.5),
    "log1p": lambda x: math.log1p(x - 1),
}


@pytest.mark.parametrize("name", RAISING)
def test_an_error_of_the_math_module_is_a_branch(name: str) -> None:
    """The handler is taken where floats take it, whether or not the result is used."""

    def forward(x: Any) -> Any:
        made = []
        for each in x:
            try:
                RAISING[name](each)
                made.append(2 * each)
            except ValueError:
                made.append(3 * each)
        return np.array(made), x

    right = sb.verify_backward(forward, lambda d, x: d * np.where(x > 0, 2, 3), shapes={"x": (2,)})
    wrong = sb.verify_backward(forward, lambda d, x: 2 * d, shapes={"x": (2,)})

    assert right.proved, str(right)
    assert wrong.refuted, str(wrong)


def test_a_matrix_without_a_factor_is_a_branch() -> None:
    """Cholesky is asked whether a matrix is positive definite."""

    def forward(x: Any) -> Any:
        try:
            np.linalg.cholesky(np.array([[x[0], x[1]], [x[1], x[2]]]))
            scale = 1.0
        except np.linalg.LinAlgError:
            scale = 2.0
        return scale * x**2, (x, scale)

    right = sb.verify_backward(forward, lambda d, c: 2 * d * c[0] * c[1], shapes={"x": (3,)})
    wrong = sb.verify_backward(forward, lambda d, c: 2 * d * c[0], shapes={"x": (3,)})

    assert right.proved, str(right)
    assert wrong.refuted, str(wrong)


def test_an_error_that_nothing_handles_leaves_its_inputs_out() -> None:
    """Another handler of the code does not make a branch of it."""

    def forward(x: Any) -> Any:
        try:
            scale = {}["none"]
        except KeyError:
            scale = 2
        return scale * math.sqrt(x), x

    verdict = sb.verify_backward(forward, lambda d, x: d / math.sqrt(x), shapes={"x": ()})

    assert verdict.proved, str(verdict)
    assert any("where forward raises" in note and "math domain error" in note for note in verdict.notes)


def test_an_overflow_that_a_handler_waits_for_is_told() -> None:
    """Beyond the largest float the math module raises, which tracing does not."""

    def forward(x: Any) -> Any:
        try:
            return math.log(1 + math.exp(x)), x
        except OverflowError:
            return x, x

    verdict = sb.verify_backward(forward, lambda d, x: d / (1 + np.exp(-x)), shapes={"x": ()})

    assert verdict.proved
    assert any("Overflow was not judged: math.exp" in note for note in verdict.notes)


def silent(x: Any) -> Any:
    """NaN where nothing was asked for, in silence."""
    with np.errstate(invalid="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.seterr(all="ignore")
        return x**2 / 2, x


def raising(x: Any) -> Any:
    """An error in its place."""
    with np.errstate(over="raise"):
        return x**2 / 2, x


def warning(x: Any) -> Any:
    """The same for warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return x**2 / 2, x


@pytest.mark.parametrize(("forward", "said"), [(silent, ""), (raising, "np.errstate"), (warning, "warnings.simple")])
def test_errors_in_place_of_what_floats_do_in_silence_are_not_traced(forward: Any, said: str) -> None:
    """Silence is; the line is named where it is broken."""
    verdict = sb.verify_backward(forward, lambda d, x: d * x, shapes={"x": (2,)})

    assert verdict.proved == (not said), str(verdict)
    assert said in verdict.reason


def test_a_mask_that_no_float_survives_is_minus_infinity() -> None:
    """From exp(-746) on, which is 0 in floats."""
    mask = np.array([True, False, True])

    def forward(x: Any) -> Any:
        e = np.exp(np.where(mask, x, -800.0))
        p = e / e.sum()
        return p, p

    right = sb.verify_backward(forward, lambda d, p: p * (d - (d * p).sum()), shapes={"x": (3,)})

    assert right.proved, str(right)
    assert any("counts as minus infinity" in each for each in right.hypotheses)


def test_generators_are_as_they_were() -> None:
    """Code that seeds NumPy's generator, or Python's, leaves both alone once it is judged."""

    def forward(x: Any) -> Any:
        np.random.seed(0)
        random.seed(0)
        return x**2, x

    before = np.random.get_state()[1].tolist(), random.getstate()
    verdict = sb.verify_backward(forward, lambda dout, x: 2 * dout * x, shapes={"x": (2,)})

    assert not verdict.refuted
    assert (np.random.get_state()[1].tolist(), random.getstate()) == before
