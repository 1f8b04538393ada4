"""Optimizers and schedules by the names that the command line gives them."""

from __future__ import annotations

import pytest

from symbackprop.cli.learning import OPTIMIZER_NAMES, Recipe, read_schedule
from symbackprop.errors import SymBackpropError


@pytest.mark.parametrize("name", OPTIMIZER_NAMES)
@pytest.mark.parametrize(
    "schedule", [None, "cosine", "cosine:9,0.01", "polynomial_decay", "step_decay:5", "exponential_decay:0.9"]
)
def test_every_optimizer_has_its_option(name: str, schedule: str | None) -> None:
    """Each name of the catalogue makes that optimizer, with and without a schedule and decay."""
    plain = Recipe(name, None, schedule, None, None, None).make(100)
    decayed = Recipe(name, None, schedule, 10, 0.5, None).make(100)

    assert plain.rule.name.lower().startswith(name)
    assert decayed.constants["lambda"] == 0.5
    assert ("norm" in plain.text()) is False
    assert ("s <-" in plain.text()) is (schedule is not None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cosin", "There is no schedule 'cosin'; there are step_decay, exponential_decay, cosine, polynomial_decay"),
        ("step_decay", "write step_decay:EVERY,FACTOR"),
        ("step_decay:1,2,3", "has 3 numbers; write step_decay:EVERY,FACTOR"),
        ("step_decay:1.5", "every is 1.5"),
        ("cosine:ten", "holds 'ten', which is no number"),
        ("inverse_sqrt:", "write inverse_sqrt:WARMUP"),
    ],
)
def test_wrong_schedules_are_refused(text: str, message: str) -> None:
    """A schedule that cannot be read says what to write."""
    with pytest.raises(SymBackpropError, match=message):
        read_schedule(text, 0.1, 10)
