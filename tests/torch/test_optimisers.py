"""The update rules and the schedules give the numbers of torch.optim."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler

import symbackprop as sb
from symbackprop import training
from symbackprop.training import (
    OPTIMIZERS,
    SCHEDULES,
    SGD,
    Adagrad,
    Adam,
    AdamW,
    ClipByNorm,
    Momentum,
    Nesterov,
    Optimizer,
    RMSprop,
    Schedule,
    WeightDecay,
    cosine,
    exponential_decay,
    inverse_sqrt,
    polynomial_decay,
    step_decay,
    warm_up,
)

Tensors = list[torch.Tensor]
PAIRS: tuple[tuple[Optimizer, Callable[[Tensors], torch.optim.Optimizer]], ...] = (
    (SGD(0.1), lambda tensors: torch.optim.SGD(tensors, lr=0.1)),
    (Momentum(0.05), lambda tensors: torch.optim.SGD(tensors, lr=0.05, momentum=0.9)),
    (Momentum(0.05, beta=0.5), lambda tensors: torch.optim.SGD(tensors, lr=0.05, momentum=0.5)),
    (Nesterov(0.05), lambda tensors: torch.optim.SGD(tensors, lr=0.05, momentum=0.9, nesterov=True)),
    (Nesterov(0.05, beta=0.5), lambda tensors: torch.optim.SGD(tensors, lr=0.05, momentum=0.5, nesterov=True)),
    (Adagrad(), lambda tensors: torch.optim.Adagrad(tensors)),
    (Adagrad(0.1, eps=1e-3), lambda tensors: torch.optim.Adagrad(tensors, lr=0.1, eps=1e-3)),
    (RMSprop(), lambda tensors: torch.optim.RMSprop(tensors)),
    (RMSprop(0.1, alpha=0.5, eps=1e-3), lambda tensors: torch.optim.RMSprop(tensors, lr=0.1, alpha=0.5, eps=1e-3)),
    (Adam(), lambda tensors: torch.optim.Adam(tensors)),
    (
        Adam(0.1, beta1=0.8, beta2=0.9, eps=1e-4),
        lambda tensors: torch.optim.Adam(tensors, lr=0.1, betas=(0.8, 0.9), eps=1e-4),
    ),
    (AdamW(), lambda tensors: torch.optim.AdamW(tensors)),
    (AdamW(0.1, weight_decay=0.3), lambda tensors: torch.optim.AdamW(tensors, lr=0.1, weight_decay=0.3)),
)
DECAYED: tuple[tuple[Optimizer, Callable[[Tensors], torch.optim.Optimizer]], ...] = (
    (SGD(0.1), lambda tensors: torch.optim.SGD(tensors, lr=0.1, weight_decay=0.2)),
    (Momentum(0.1), lambda tensors: torch.optim.SGD(tensors, lr=0.1, momentum=0.9, weight_decay=0.2)),
    (Nesterov(0.1), lambda tensors: torch.optim.SGD(tensors, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.2)),
    (Adagrad(), lambda tensors: torch.optim.Adagrad(tensors, weight_decay=0.2)),
    (RMSprop(), lambda tensors: torch.optim.RMSprop(tensors, weight_decay=0.2)),
    (Adam(), lambda tensors: torch.optim.Adam(tensors, weight_decay=0.2)),
)
SCHEDULED: tuple[tuple[Schedule, Callable[[torch.optim.Optimizer], lr_scheduler.LRScheduler]], ...] = (
    (step_decay(0.3, every=7), lambda other: lr_scheduler.StepLR(other, 7)),
    (exponential_decay(0.3, 0.9), lambda other: lr_scheduler.ExponentialLR(other, 0.9)),
    (cosine(0.3, steps=40, least=0.01), lambda other: lr_scheduler.CosineAnnealingLR(other, 40, eta_min=0.01)),
    (polynomial_decay(0.3, steps=25, power=2), lambda other: lr_scheduler.PolynomialLR(other, 25, power=2)),
    (polynomial_decay(0.3, steps=25), lambda other: lr_scheduler.LinearLR(other, 1, 1e-300, total_iters=25)),
    (
        inverse_sqrt(0.3, warmup=8),
        lambda other: lr_scheduler.LambdaLR(other, lambda n: min((n + 1) / 8, ((n + 1) / 8) ** -0.5)),
    ),
    (
        warm_up(cosine(0.3, steps=30), steps=10),
        lambda other: lr_scheduler.SequentialLR(
            other,
            [lr_scheduler.LinearLR(other, 0.1, 1, total_iters=9), lr_scheduler.CosineAnnealingLR(other, 30)],
            milestones=[10],
        ),
    ),
)


def make_gradients(steps: int) -> tuple[list[np.ndarray], list[list[np.ndarray]]]:
    """Return two parameters and gradients of very different sizes for them."""
    generator = np.random.default_rng(3)
    shapes = ((4, 5), (5,))
    start = [generator.normal(size=shape) for shape in shapes]
    sizes = 10.0 ** generator.integers(-4, 3, size=steps)
    return start, [[generator.normal(size=shape) * size for shape in shapes] for size in sizes]


def follow_both(
    optimizer: Optimizer,
    make: Callable[[Tensors], torch.optim.Optimizer],
    steps: int,
    prepare: Callable[[Tensors], Any] = lambda tensors: None,
    schedule: Callable[[torch.optim.Optimizer], lr_scheduler.LRScheduler] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return all entries after the same gradients under our rule and under PyTorch's, which `prepare` sees first."""
    start, gradients = make_gradients(steps)
    params = {f"w{place}": value.copy() for place, value in enumerate(start)}
    memory = optimizer.start(params)
    tensors = [torch.tensor(value, requires_grad=True) for value in start]
    other = make(tensors)
    scheduler = None if schedule is None else schedule(other)
    for step, slopes in enumerate(gradients, 1):
        optimizer.update(params, dict(zip(params, slopes, strict=True)), memory, step)
        for tensor, slope in zip(tensors, slopes, strict=True):
            tensor.grad = torch.tensor(slope)
        prepare(tensors)
        other.step()
        if scheduler is not None:
            scheduler.step()
    ours = np.concatenate([value.ravel() for value in params.values()])
    return ours, np.concatenate([tensor.detach().numpy().ravel() for tensor in tensors])


def exported(kind: type) -> set[type]:
    """Return the optimizers of a kind that the package exports."""
    found = {value for value in vars(training).values() if isinstance(value, type) and issubclass(value, kind)}
    return found - {kind}


@pytest.mark.parametrize(("optimizer", "make"), PAIRS, ids=[str(pair[0]) for pair in PAIRS])
def test_a_hundred_steps_equal_those_of_torch(optimizer: Optimizer, make: Any) -> None:
    """A hundred steps with gradients of very different sizes agree with torch.optim to 1e-12."""
    ours, theirs = follow_both(optimizer, make, 100)

    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


def test_every_exported_optimizer_and_schedule_has_its_pair() -> None:
    """What the package exports is compared with torch: a new rule without a pair fails here."""
    assert {type(optimizer) for optimizer, _ in PAIRS} == set(OPTIMIZERS)
    assert exported(Optimizer) == {*OPTIMIZERS, WeightDecay, ClipByNorm}
    assert {type(optimizer) for optimizer, _ in DECAYED} == set(OPTIMIZERS) - {AdamW}
    assert {schedule.rule.name.partition(" after")[0] for schedule, _ in SCHEDULED} | {"warm-up"} == {
        "step decay", "exponential decay", "cosine", "polynomial decay", "inverse square root", "warm-up"
    }  # fmt: skip
    assert len(SCHEDULES) == 6
    assert all(getattr(sb, item.__name__) is item for item in (*OPTIMIZERS, *SCHEDULES, WeightDecay, ClipByNorm))


def test_the_defaults_are_those_of_torch() -> None:
    """Each optimizer that torch gives a rate has torch's constants where nothing is said."""
    tensors = [torch.zeros(1, requires_grad=True)]
    for ours, theirs in (
        (Adagrad(), torch.optim.Adagrad(tensors)),
        (RMSprop(), torch.optim.RMSprop(tensors)),
        (Adam(), torch.optim.Adam(tensors)),
        (AdamW(), torch.optim.AdamW(tensors)),
    ):
        given = dict(theirs.defaults)
        if "betas" in given:
            given["beta1"], given["beta2"] = given.pop("betas")
        expected = {name: given[name] for name in vars(ours)}
        assert vars(ours) == expected


@pytest.mark.parametrize(("optimizer", "make"), DECAYED, ids=[str(pair[0]) for pair in DECAYED])
def test_weight_decay_equals_that_of_torch(optimizer: Optimizer, make: Any) -> None:
    """Weight decay through the gradient is torch.optim's argument of that name."""
    ours, theirs = follow_both(WeightDecay(optimizer, 0.2), make, 100)

    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("optimizer", "make"), PAIRS, ids=[str(pair[0]) for pair in PAIRS])
def test_clipping_equals_that_of_torch(optimizer: Optimizer, make: Any) -> None:
    """Gradients above and below the limit are scaled by the norm of both parameters as clip_grad_norm_ does."""
    ours, theirs = follow_both(
        ClipByNorm(optimizer, 0.5), make, 100, prepare=lambda tensors: torch.nn.utils.clip_grad_norm_(tensors, 0.5)
    )

    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("schedule", "make"), SCHEDULED, ids=[schedule.name for schedule, _ in SCHEDULED])
def test_schedules_equal_those_of_torch(schedule: Schedule, make: Any) -> None:
    """Forty steps under a schedule agree with torch.optim.lr_scheduler, for Adam as for SGD."""
    for ours_of, theirs_of in ((SGD, torch.optim.SGD), (Adam, torch.optim.Adam)):
        ours, theirs = follow_both(
            ours_of(schedule), lambda tensors, of=theirs_of: of(tensors, lr=0.3), 40, schedule=make
        )
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


def test_all_parts_together_equal_torch() -> None:
    """Clipping, weight decay and a schedule around one rule, in the order in which a training with torch has them."""
    ours, theirs = follow_both(
        ClipByNorm(WeightDecay(Adam(cosine(0.3, steps=40)), 0.2), 0.5),
        lambda tensors: torch.optim.Adam(tensors, lr=0.3, weight_decay=0.2),
        40,
        prepare=lambda tensors: torch.nn.utils.clip_grad_norm_(tensors, 0.5),
        schedule=lambda other: lr_scheduler.CosineAnnealingLR(other, 40),
    )

    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


def test_another_constant_is_seen() -> None:
    """The comparison can fail: another epsilon, another limit and another order of the parts give other numbers."""
    ours, theirs = follow_both(Adam(eps=1e-6), lambda tensors: torch.optim.Adam(tensors), 20)
    assert np.abs(ours - theirs).max() > 1e-9

    def clip(tensors: Tensors) -> None:
        torch.nn.utils.clip_grad_norm_(tensors, 0.5)

    def decayed(tensors: Tensors) -> torch.optim.Optimizer:
        return torch.optim.SGD(tensors, lr=0.1, weight_decay=0.2)

    for optimizer in (ClipByNorm(WeightDecay(SGD(0.1), 0.2), 0.50001), WeightDecay(ClipByNorm(SGD(0.1), 0.5), 0.2)):
        ours, theirs = follow_both(optimizer, decayed, 20, prepare=clip)
        assert np.abs(ours - theirs).max() > 1e-9
