"""The mechanism of update rules: what is printed is what runs, entry by entry or as one number for all parameters."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

from symbackprop.errors import ArgumentError, DivergenceError
from symbackprop.training import OPTIMIZERS, SGD, Adam, ClipByNorm, Optimizer, Schedule, WeightDecay, cosine
from symbackprop.training.equations import (
    ETA,
    GRADIENT,
    STEP,
    THETA,
    Kind,
    Total,
    UpdateRule,
    compile_rule,
    write_equation,
)

COMPOSED = ClipByNorm(WeightDecay(Adam(cosine(0.1, steps=7)), 0.1), 0.5)
EVERY = (*(optimizer(0.1) for optimizer in OPTIMIZERS), COMPOSED)


def make_steps(optimizer: Optimizer, params: dict[str, np.ndarray], gradients: list[dict[str, np.ndarray]]) -> None:
    """Make one step for each set of gradients, writing into the parameters."""
    memory = optimizer.start(params)
    for step, gradient in enumerate(gradients, 1):
        optimizer.update(params, gradient, memory, step)


def evaluate_by_hand(optimizer: Optimizer, theta: list[sp.Float], gradients: list[list[sp.Float]]) -> list[sp.Float]:
    """Make the steps with SymPy alone: substitute into the printed equations, one after another, in 30 digits."""
    rule, count = optimizer.rule, len(theta)
    own = [{THETA: value, **{slot: sp.Float(0) for slot in rule.state}} for value in theta]
    for step, gradient in enumerate(gradients, 1):
        shared: dict[sp.Symbol, sp.Expr] = {sp.Symbol(name): sp.Float(v, 30) for name, v in optimizer.constants.items()}
        shared[STEP] = sp.Integer(step)
        local = [{**own[entry], GRADIENT: gradient[entry]} for entry in range(count)]
        for target, expression in rule.assignments:
            sums = {
                total: sp.Add(*(total.args[0].subs({**shared, **values}) for values in local))
                for total in expression.atoms(Total)
            }
            for values in local:
                values[target] = sp.N(expression.xreplace(sums).subs({**shared, **values}), 30)
        own = [{symbol: values[symbol] for symbol in own[0]} for values in local]
    return [values[THETA] for values in own]


@pytest.mark.parametrize("optimizer", EVERY, ids=lambda optimizer: optimizer.rule.name)
def test_the_printed_equations_are_those_that_run(optimizer: Optimizer) -> None:
    """Substituting into the assignments, one after another, gives the steps that run, over two parameters."""
    generator = np.random.default_rng(2)
    start, slopes = generator.normal(size=3), generator.normal(size=(4, 3))
    params = {"w": start[:2].copy(), "b": np.array(start[2])}
    make_steps(optimizer, params, [{"w": slope[:2], "b": slope[2]} for slope in slopes])

    exact = evaluate_by_hand(
        optimizer, [sp.Float(v, 30) for v in start], [[sp.Float(v, 30) for v in slope] for slope in slopes]
    )

    np.testing.assert_allclose([*params["w"], params["b"]], [float(value) for value in exact], rtol=1e-13)


@pytest.mark.parametrize("optimizer", EVERY, ids=lambda optimizer: optimizer.rule.name)
def test_single_precision_stays_single(optimizer: Optimizer) -> None:
    """Parameters and state keep their dtype, and numbers without an axis are updated too."""
    params = {"w": np.ones((2, 2), dtype=np.float32), "b": np.array(1.0, dtype=np.float32)}
    memory = optimizer.start(params)
    compiled = compile_rule(optimizer.rule)
    optimizer.update(params, {name: np.ones_like(value) for name, value in params.items()}, memory, 1)

    tensors = [*params.values(), *(tensor for slot in memory.values() for tensor in slot.values())]
    assert {tensor.dtype for tensor in tensors} == {np.dtype(np.float32)}
    assert params["b"] < 1
    assert params["b"] == params["w"][0, 0]
    # Nothing is computed in double precision on the way either.
    ones = dict.fromkeys(("theta", "g", *memory, "mhat", "vhat"), np.ones(2, dtype=np.float32))
    numbers = dict.fromkeys(("eta", "norm", "kappa", "s"), 0.5) | {k: float(v) for k, v in optimizer.constants.items()}
    for assignment in compiled:
        if assignment.kind is Kind.ENTRYWISE:
            assert assignment.formula({**numbers, "t": 3}, ones).dtype == np.float32


@pytest.mark.parametrize("optimizer", EVERY, ids=lambda optimizer: optimizer.rule.name)
def test_gradients_are_not_changed(optimizer: Optimizer) -> None:
    """A rule that assigns g writes into a copy: the arrays of the caller stay."""
    gradient = np.array([3.0, -4.0])
    make_steps(optimizer, {"w": np.ones(2)}, [{"w": gradient}])

    np.testing.assert_array_equal(gradient, [3.0, -4.0])


def test_the_norm_is_that_of_all_parameters() -> None:
    """A gradient of norm 5, spread over two parameters, is scaled to the limit; a shorter one stays."""
    params = {"w": np.zeros(1), "b": np.array(0.0)}
    make_steps(ClipByNorm(SGD(1.0), 1.0), params, [{"w": np.array([3.0]), "b": np.array(4.0)}])

    assert params["w"][0] == pytest.approx(-0.6, rel=1e-6)
    assert params["b"] == pytest.approx(-0.8, rel=1e-6)

    params = {"w": np.zeros(1), "b": np.array(0.0)}
    make_steps(ClipByNorm(SGD(1.0), 6.0), params, [{"w": np.array([3.0]), "b": np.array(4.0)}])

    assert (params["w"][0], params["b"]) == (-3.0, -4.0)


def test_what_reads_no_entry_is_shared() -> None:
    """The norm, the scale and the learning rate are one number for all parameters; no other target is."""
    shared = [assignment.target for assignment in compile_rule(COMPOSED.rule) if assignment.kind is Kind.SHARED]

    assert shared == ["norm", "kappa", "s", "eta"]


def test_sums_print() -> None:
    """A sum over all parameters has its own sign, also raised to a power."""
    assert write_equation(Total(GRADIENT**2) ** 2) == "total(g^2)^2"
    assert sp.latex(Total(GRADIENT) ** 2) == r"\left(\sum_{\text{all}} g\right)^{2}"
    assert sp.latex(2 * Total(GRADIENT)) == r"2 \sum_{\text{all}} g"


def test_a_number_without_a_value_stops_the_step() -> None:
    """Where a shared equation has no value the message names it and the step."""
    schedule = Schedule("pole", ((ETA, 1 / (STEP - 2)),), ())

    assert schedule.at(3) == 1.0
    with pytest.raises(DivergenceError, match="eta has no finite value at step 2"):
        schedule.at(2)
    with pytest.raises(DivergenceError, match="norm has no finite value at step 1 .it overflows.; take a smaller"):
        make_steps(ClipByNorm(SGD(0.1), 1.0), {"w": np.ones(2)}, [{"w": np.full(2, np.inf)}])


def test_rules_are_checked_when_they_are_made() -> None:
    """A symbol without a value, an assigned constant and a rule about no rule are refused, by name."""

    class Unfinished(SGD):
        """A rule that reads what nothing assigns."""

        equations = UpdateRule("Unfinished", (), ((THETA, THETA - ETA * sp.Symbol("q")),))

    with pytest.raises(ArgumentError, match="Unfinished: nothing gives q a value"):
        Unfinished(0.1)
    with pytest.raises(ArgumentError, match="the equations assign eta"):
        Schedule("twice", ((ETA, ETA),), (("eta", 1.0),))
    with pytest.raises(ArgumentError, match="ClipByNorm is built around an optimizer"):
        ClipByNorm(0.1, 1.0)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="lambda would stand for two constants"):
        WeightDecay(WeightDecay(SGD(0.1), 0.1), 0.2)
    with pytest.raises(ArgumentError, match="c is -1"):
        ClipByNorm(SGD(0.1), -1)


def test_optimisers_are_values() -> None:
    """Optimisers compare by their constants and parts, and can be keys."""
    assert SGD(0.1) == SGD(0.1)
    assert len({SGD(0.1), SGD(0.1), Adam(0.1), WeightDecay(SGD(0.1), 0.1), WeightDecay(SGD(0.1), 0.2)}) == 4
    assert SGD(cosine(0.1, 5)) == SGD(cosine(0.1, 5)) != SGD(cosine(0.1, 6))
