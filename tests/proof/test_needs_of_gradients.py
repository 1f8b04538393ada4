"""What a returned gradient needs to have a value: it is no witness where it has none."""

from __future__ import annotations

from typing import Any

import numpy as np

import symbackprop as sb


def judge(forward: Any, backward: Any) -> sb.Verdict:
    """The verdict on a function of one array, whose backward reads it."""
    return sb.verify_backward(lambda x: (forward(x), x), backward, shapes={"x": (2,)})


def test_a_gradient_without_a_value_on_a_path_is_not_told_by_one() -> None:
    """sqrt(x)^2 is no number below 0; it is not x there."""
    verdict = judge(lambda x: x * np.abs(x), lambda d, x: 2 * d * np.sqrt(x) ** 2)

    assert verdict.undecided
    assert "it has no value there, as it needs x[0] >= 0" in str(verdict)
    assert "where x[0] < 0" in str(verdict)


def test_a_witness_has_a_value_on_both_sides() -> None:
    """The point lies where the logarithm has a value."""
    verdict = judge(lambda x: x**3, lambda d, x: 2 * d * np.log(x - 5))

    assert verdict.refuted
    assert verdict.witness is not None
    assert dict(verdict.witness.point)["x[0]"] > 5


def test_what_holds_where_both_have_a_value_is_proved_there() -> None:
    """With the condition among the hypotheses, as for a logarithm."""
    verdict = judge(lambda x: np.sqrt(x**2), lambda d, x: d * np.sqrt(x) / np.sqrt(x))

    assert verdict.proved
    assert verdict.hypotheses == ("x[0] > 0", "x[1] > 0", "x[2] > 0")


def test_a_mistake_beside_a_root_is_still_refuted() -> None:
    """The claim has values, and another one."""
    verdict = judge(lambda x: x**3, lambda d, x: 2 * d * np.sqrt(x) ** 4)

    assert verdict.refuted
    assert "lacks the factor 3/2" in verdict.diagnosis


def test_half_precision_is_noted() -> None:
    """Its rounding shows in every third digit."""
    half = judge(np.square, lambda d, x: 2 * d * x.astype(np.float16))
    single = judge(np.square, lambda d, x: 2 * d * x.astype(np.float32))

    assert "float16 keeps three digits" in str(half).replace("Float16", "float16")
    assert "float16" not in str(single).lower()
