"""Mistakes in a part of the paths of the chain rule are named, and the gradients without them are proved."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from path_mistakes import MISTAKES

import symbackprop as sb
from symbackprop.proof import backward_diagnosis, equality

Case = Callable[..., Any]
NAMES = [f"{case.__name__} {wrong}" for case, wrong, *_ in MISTAKES]


@pytest.mark.parametrize(("case", "wrong", "shapes", "data", "words"), MISTAKES, ids=NAMES)
def test_a_mistake_in_a_part_is_named(
    case: Case, wrong: str, shapes: dict[str, tuple[int, ...]], data: dict[str, Any], words: str
) -> None:
    """In words that say which part it is."""
    refuted = sb.verify_backward(case, shapes=shapes, data={**data, "wrong": wrong}, seconds=60)

    assert sb.verify_backward(case, shapes=shapes, data=data, seconds=60).proved
    assert refuted.refuted
    assert words in refuted.diagnosis


@pytest.mark.parametrize(("case", "wrong", "shapes", "data"), [each[:4] for each in MISTAKES], ids=NAMES)
def test_nothing_is_said_of_a_part_that_is_not_proved(
    monkeypatch: pytest.MonkeyPatch, case: Case, wrong: str, shapes: dict[str, tuple[int, ...]], data: dict[str, Any]
) -> None:
    """Agreement in numbers is not enough."""
    monkeypatch.setattr(backward_diagnosis, "_same", lambda *_: False)
    monkeypatch.setattr(equality, "diagnose", lambda *_: "")
    verdict = sb.verify_backward(case, shapes=shapes, data={**data, "wrong": wrong}, seconds=60)

    assert verdict.refuted
    assert re.search("is not the derivative|0 where the derivative is( not)?$|does not read", verdict.diagnosis)
