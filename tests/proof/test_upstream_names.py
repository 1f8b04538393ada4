"""The upstream gradient of each output is one of its own, whatever the inputs are called and whatever else is asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symbackprop as sb

SHAPES = {"local": (2, 3), "upstream": (2, 3)}


def gate(local: Any, upstream: Any) -> Any:
    """A product whose second factor is called as the gradient that arrives."""
    return local * upstream, (local, upstream)


def test_an_input_called_upstream_is_no_upstream_gradient() -> None:
    """A backward that reads the input in its place is refuted, the right one proved."""
    right = sb.verify_backward(gate, lambda dout, c: (dout * c[1], dout * c[0]), shapes=SHAPES)
    wrong = sb.verify_backward(gate, lambda dout, c: (c[1] * c[1], c[0] * c[1]), shapes=SHAPES)
    other = sb.verify_backward(gate, lambda dout, c: (dout * dout, dout * c[0]), shapes=SHAPES)

    assert right.proved
    assert wrong.refuted
    assert other.refuted
    assert "upstream[0,0]*upstream_[0,0]" in str(wrong)


def test_an_input_called_as_one_of_several_outputs() -> None:
    """`upstream1` and `upstream2` of two outputs."""

    def forward(upstream1: Any, upstream2: Any) -> Any:
        return (upstream1 * upstream2, upstream2**2), (upstream1, upstream2)

    shapes = {"upstream1": (2,), "upstream2": (2,)}
    right = sb.verify_backward(forward, lambda d, c: (d[0] * c[1], d[0] * c[0] + 2 * d[1] * c[1]), shapes=shapes)
    wrong = sb.verify_backward(forward, lambda d, c: (d[0] * c[1], c[0] * c[0] + 2 * d[1] * c[1]), shapes=shapes)

    assert right.proved
    assert wrong.refuted


@pytest.mark.parametrize(("swapped", "proved"), [(False, True), (True, False)])
def test_two_outputs_whose_gradients_are_asked_for_one_by_one(swapped: bool, proved: bool) -> None:
    """Each call makes another one."""

    def case(x: Any) -> Any:
        y, z = x**2, x**3
        u, v = sb.upstream(y), sb.upstream(z)
        one, other = (v, u) if swapped else (u, v)
        return (y, z), (u, v), {"x": 2 * x * one + 3 * x**2 * other}

    verdict = sb.verify_backward(case, shapes={"x": (3,)})

    assert (verdict.proved, verdict.refuted) == (proved, not proved)


def test_what_arrives_at_something_else_does_not_count() -> None:
    """The gradient that would arrive at the input stands for nothing that arrives at the output; that of the same
    output is the same however often it is asked for.
    """

    def of_the_input(x: Any) -> Any:
        y = x**2
        return y, sb.upstream(y), {"x": 2 * x * sb.upstream(x)}

    def of_the_output(x: Any) -> Any:
        y = x**2
        return y, sb.upstream(y), {"x": 2 * x * sb.upstream(y)}

    assert sb.verify_backward(of_the_input, shapes={"x": (3,)}).refuted
    assert sb.verify_backward(of_the_output, shapes={"x": (3,)}).proved


def sigmoids(x: Any) -> Any:
    """With the place of the largest, an integer."""
    p = 1 / (1 + np.exp(-x))
    return (p, np.argmax(p)), p


def doubled(x: Any) -> Any:
    """With a number that depends on nothing."""
    return (2 * x, 3), x


def test_outputs_beside_which_integers_are_returned() -> None:
    """Predictions, counts and constants: nothing arrives there that could change."""
    shapes = {"x": (3,)}

    assert sb.verify_backward(sigmoids, lambda d, p: d[0] * p * (1 - p), shapes=shapes).proved
    assert sb.verify_backward(sigmoids, lambda d, p: d[0] * p, shapes=shapes).refuted
    assert sb.verify_backward(doubled, lambda d, _: 2 * d[0], shapes=shapes).proved
    assert sb.verify_backward(doubled, lambda d, _: 3 * d[0], shapes=shapes).refuted
