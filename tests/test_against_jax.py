"""Compiled derivatives against JAX in float64: ten programs of our own, and 1,000 random ones over the whole language.

A random program asks for its gradients, and two in five for second derivatives or products with a vector besides.
`python tests/oracles/hunt.py --programs 50000` judges as many more as are asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
import sympy
from index_ranges import SizedProgram, size_program
from jax_oracle import make_differentiator
from oracle_programs import ATTENTION, CLASSIFIER, FACTORISATION, ORACLE_PROGRAMS, QUADRATIC_FORMS, OracleProgram
from program_check import LEAST_MARGIN, TOLERANCE, VALUE, differences, find_case, judge, run_compiled
from program_generator import generate_program
from random_formulas import BINARY, KINKED, KINKED_PAIRS, OTHERS, SMOOTH
from shrinking import report, shrink

import symbackprop as sb
from symbackprop.calculus import chain
from symbackprop.calculus.guards import Guard, Within
from symbackprop.functions import FUNCTION_BY_NAME

PROGRAMS = 1000
BATCH = 10
XLA_SEEDS = range(0, PROGRAMS, 100)


def leaves_of(program: OracleProgram, sized: SizedProgram) -> dict[str, np.ndarray]:
    """Data for a program: positive constants, targets that sum to one where the program assumes that."""
    source = np.random.default_rng(7)
    leaves = {name: source.normal(size=sized.shapes[name]) for name in sized.kinds}
    for name in sized.names_of_kind("const"):
        leaves[name] = np.abs(leaves[name]) + 0.1
    if program is CLASSIFIER:
        leaves["y"] = np.exp(leaves["y"])
        leaves["y"] /= leaves["y"].sum(axis=1, keepdims=True)
    return leaves


@pytest.mark.parametrize("program", ORACLE_PROGRAMS, ids=lambda p: p.name)
def test_gradients_of_our_programs_equal_those_of_jax(program: OracleProgram) -> None:
    """The compiled gradients by the parameters are JAX's within 1e-12 of the largest entry."""
    sized = size_program(program.text, program.sizes)
    leaves = leaves_of(program, sized)
    expected = make_differentiator(sized, "loss", sized.names_of_kind("param"))(leaves)
    value, gradients = run_compiled(sb.derive(sb.parse(program.text)), sized, leaves)

    assert expected.margin > LEAST_MARGIN
    assert differences({VALUE: value, **gradients}, {VALUE: expected.value, **expected.derivatives}) == []


@pytest.mark.parametrize("program", (ATTENTION, FACTORISATION, QUADRATIC_FORMS), ids=lambda p: p.name)
def test_gradients_by_inputs_equal_those_of_jax(program: OracleProgram) -> None:
    """The result has exactly the tensors of `wrt`, inputs included."""
    sized = size_program(program.text, program.sizes)
    leaves = leaves_of(program, sized)
    wrt = (*sized.names_of_kind("input"), sized.names_of_kind("param")[0])
    expected = make_differentiator(sized, "loss", wrt)(leaves)
    value, gradients = run_compiled(sb.derive(sb.parse(program.text), wrt=wrt), sized, leaves)

    assert differences({VALUE: value, **gradients}, {VALUE: expected.value, **expected.derivatives}) == []


@pytest.mark.parametrize("first", range(0, PROGRAMS, BATCH))
def test_derivatives_of_random_programs_equal_those_of_jax(first: int) -> None:
    """What the code of a random program gives is JAX's within 1e-12 of the largest entry; a fault is shrunk.

    A program of which no data keep away from the kinks (it compares equal things) says nothing; there are few.
    """
    outcomes = {seed: judge(generate_program(seed)) for seed in range(first, first + BATCH)}
    faults = [report(generate_program(seed), found) for seed, found in outcomes.items() if found]

    assert not faults, "\n".join(faults)
    assert sum(found is None for found in outcomes.values()) <= BATCH // 2


@pytest.mark.parametrize(
    ("program", "first", "second"),
    (
        (CLASSIFIER, "W2", "W1"),
        (CLASSIFIER, "b2", "b2"),
        (FACTORISATION, "U", "V"),
        (FACTORISATION, "U", "U"),
        (QUADRATIC_FORMS, "W", "W"),
        (QUADRATIC_FORMS, "V", "c"),
    ),
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_second_derivatives_equal_those_of_jax(program: OracleProgram, first: str, second: str) -> None:
    """Deriving a gradient again gives JAX's second derivatives, axes of the first tensor before those of the second."""
    sized = size_program(program.text, program.sizes)
    leaves = leaves_of(program, sized)
    expected = make_differentiator(sized, "loss", dict.fromkeys((first, second))).twice(leaves, first, second)
    once = sb.derive(sb.parse(program.text), wrt=first)
    twice = sb.derive(once.program, wrt=second, of=once[first].name)
    _, given = run_compiled(twice, sized, leaves)

    assert np.shape(given[second]) == expected.shape
    assert np.max(np.abs(given[second] - expected)) <= TOLERANCE * np.max(np.abs(expected))


@pytest.mark.parametrize("program", ORACLE_PROGRAMS, ids=lambda p: p.name)
def test_a_planted_error_is_caught_by_jax(program: OracleProgram) -> None:
    """A gradient with one entry off by one part in a million, or transposed, is found."""
    sized = size_program(program.text, program.sizes)
    leaves = leaves_of(program, sized)
    expected = make_differentiator(sized, "loss", sized.names_of_kind("param"))(leaves)
    name = sized.names_of_kind("param")[0]
    wrong = np.array(expected.derivatives[name])
    wrong.flat[int(np.argmax(np.abs(wrong)))] *= 1 + 1e-6
    nearly = {**expected.derivatives, name: wrong}
    turned = {**expected.derivatives, name: expected.derivatives[name].T}

    def faults(derivatives: dict[str, np.ndarray]) -> list[str]:
        return [fault.split(":")[0] for fault in differences(derivatives, expected.derivatives)]

    assert faults(expected.derivatives) == []
    assert faults(nearly) == [name]
    if expected.derivatives[name].ndim > 1:
        assert faults(turned) == [name]
    assert differences({VALUE: expected.value + 1}, {VALUE: expected.value}) != []


@pytest.mark.parametrize("seed", XLA_SEEDS)
def test_numpy_evaluates_what_xla_computes(seed: int) -> None:
    """What JAX traced has the values that XLA computes, for one program in a hundred."""
    case = find_case(generate_program(seed))
    if case is not None:
        compiled = case.differentiator.compiled(case.leaves)
        given = {VALUE: case.expected.value, **case.expected.derivatives}
        assert differences(given, {VALUE: compiled.value, **compiled.derivatives}) == []
        assert abs(case.expected.margin - compiled.margin) <= TOLERANCE or case.expected.margin == np.inf


def test_second_derivatives_are_those_of_differences() -> None:
    """JAX's second derivatives by the traced function are the slopes of its first ones."""
    case = find_case(next(p for p in map(generate_program, range(100)) if p.second == "hvp" and p.of == "loss"))
    assert case is not None
    directions = {name: np.ones(case.sized.shapes[name]) for name in case.program.params}
    step = 1e-5
    ahead, behind = (
        case.differentiator({**case.leaves, **{n: case.leaves[n] + sign * step * directions[n] for n in directions}})
        for sign in (1, -1)
    )
    for name, change in case.differentiator.along(case.leaves, directions).derivatives.items():
        slope = (ahead.derivatives[name] - behind.derivatives[name]) / (2 * step)
        np.testing.assert_allclose(change, slope, rtol=1e-6, atol=1e-6 * (1 + np.max(np.abs(slope))))


FEATURES = (
    "sum", "mean", "max", "min", "argmax", "mean over several", "an extreme over several", "argmax over several",
    "nested sum", "explicit range", "shadowed", "scalar", "literal size", "an affine size", "a quotient as a size",
    "repeated index", "two patterns in one definition", "several readers",
    "shift", "stride", "reversed", "two indices", "dilation", "quotient", "remainder", "literal index",
    "gather", "gather with a shift", "two-dimensional integers", "integer entry at a form", "argmax as a tensor",
    "size as a number", "index as a number", "integer form as a number", "integer entry as a number",
    "argmax as a number",
    "where", "and, or", "not", "condition on values", "condition on indices", "condition on integer data",
    "condition on a remainder",
    "forward in time", "backward in time", "base", "base that is read", "two tensors in a circle",
    "a sum over the step before", "an index form at the step before", "a step along the second axis",
    "inv", "solve", "det", "logdet", "a function of a matrix inside a formula",
    "a definition nobody reads", "a parameter nobody reads", "a tensor for its numerator",
    "an input for its denominator", "hessian", "hvp", "jvp", "vjp", "hessian of a tensor", "hvp of a tensor",
    "jvp of a tensor", "vjp of a tensor", "second derivatives by two tensors",
    *SMOOTH, *KINKED, *KINKED_PAIRS, *BINARY, "other",
)  # fmt: skip


def test_random_programs_use_every_feature() -> None:
    """Each feature occurs in at least five of the programs; one in four asks for second derivatives."""
    found: Counter[str] = Counter()
    second = 0
    for seed in range(PROGRAMS):
        program = generate_program(seed)
        found.update(feature for feature, count in program.features.items() if count)
        second += program.second in ("hessian", "hvp")

    assert [feature for feature in FEATURES if found[feature] < 5] == []
    assert found["a parameter with several readers"] >= PROGRAMS // 6
    assert second >= PROGRAMS // 4


def test_random_programs_apply_every_function() -> None:
    """Every function of the catalogue stands in a template of the generator."""
    templates = " ".join((*SMOOTH, *KINKED, *KINKED_PAIRS, *BINARY, *OTHERS))

    assert [name for name in FUNCTION_BY_NAME if f"{name}(" not in templates] == []


def test_a_seed_gives_one_program() -> None:
    """The generator is a function of its seed."""
    assert [generate_program(3).text, generate_program(4).text] == [generate_program(3).text, generate_program(4).text]
    assert generate_program(3).text != generate_program(4).text


def plant_tanh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the derivatives of what has tanh in it a part in a million too large."""
    right = chain.partial

    def wrong(body: sympy.Expr, slot: int) -> sympy.Expr:
        return right(body, slot) * (sympy.Rational(1000001, 1000000) if body.has(sympy.tanh) else 1)

    monkeypatch.setattr(chain, "partial", wrong)


def plant_range(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drop the guards that keep what an adjoint reads inside its range."""
    right = chain.drop_implied

    def wrong(guards: tuple[Guard, ...], *rest: object) -> tuple[Guard, ...]:
        return tuple(g for g in right(guards, *rest) if not isinstance(g, Within))

    monkeypatch.setattr(chain, "drop_implied", wrong)


@pytest.mark.parametrize(("plant", "mark"), [(plant_tanh, "tanh("), (plant_range, "[")], ids=["tanh", "range"])
def test_a_planted_mistake_is_found_and_shrunk(
    plant: Callable[[pytest.MonkeyPatch], None], mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistake in the engine shows in one of the first programs, of which one of a few short lines is made."""
    plant(monkeypatch)
    found = next(p for p in map(generate_program, range(100)) if judge(p))
    smallest = shrink(found, lambda program: bool(judge(program)), 250)
    monkeypatch.undo()

    definitions = [line for line in smallest.text.splitlines() if " = " in line]
    assert len(definitions) <= 4, str(smallest)
    assert mark in smallest.text
    assert len(smallest.text) <= 200 < len(found.text), str(smallest)
    assert judge(smallest) == []
