"""Gradients of the compiled code against JAX in float64, for ten programs of our own and 300 random ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from index_ranges import SizedProgram, size_program
from jax_oracle import Leaves, Result, differentiate_twice, make_differentiator
from oracle_programs import ATTENTION, CLASSIFIER, FACTORISATION, ORACLE_PROGRAMS, QUADRATIC_FORMS, OracleProgram
from program_generator import SIZE_VALUES, RandomProgram, generate_program
from shared_derivations import derive_text

import symbackprop as sb

SEEDS = range(300)
TOLERANCE = 1e-12
LEAST_MARGIN = 1e-3
ATTEMPTS = 40


def run_compiled(
    derivation: sb.Derivation, program: SizedProgram, leaves: Leaves
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Run the compiled code on the leaves of a program."""
    params = program.names_of_kind("param")
    data = {name: leaves[name] for name in program.kinds if name not in params}
    carried = {str(axis) for t in derivation.core.program.leaves for axis in t.axes}
    free = {name: size for name, size in program.sizes.items() if name not in carried}
    return derivation.compile()({name: leaves[name] for name in params}, **data, **free)


def differences(value: object, gradients: Mapping[str, np.ndarray], expected: Result) -> list[str]:
    """Say where a value and its gradients differ from JAX's by more than 1e-12 of the largest entry."""
    faults = []
    pairs = {"the value": (np.asarray(value), expected.value)}
    assert set(gradients) == set(expected.derivatives)
    pairs |= {name: (gradients[name], one) for name, one in expected.derivatives.items()}
    # A gradient whose terms cancel is measured against a hundredth of the largest entry of all.
    largest = max(float(np.max(np.abs(one))) for _, one in pairs.values())
    for name, (given, wanted) in pairs.items():
        if np.shape(given) != wanted.shape:
            faults.append(f"{name}: shape {np.shape(given)}, expected {wanted.shape}")
            continue
        scale = max(float(np.max(np.abs(wanted))), 1e-2 * largest)
        error = float(np.max(np.abs(given - wanted)))
        if not error <= TOLERANCE * scale:
            faults.append(f"{name}: off by {error:.3g} where the largest entry is {scale:.3g}")
    return faults


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


def random_case(seed: int) -> tuple[RandomProgram, SizedProgram, Leaves, Result]:
    """A random program, data for it away from every kink, and JAX's derivatives there.

    Where no data keep away from a kink (a comparison of equal things, a relu of a relu), the next program is taken.
    """
    for offset in range(20):
        program = generate_program(seed + 1000 * offset)
        sizes = program.sizes(SIZE_VALUES)
        sized = size_program(program.text, sizes)
        differentiate = make_differentiator(sized, program.of, program.params)
        for attempt in range(ATTEMPTS):
            leaves = program.data(sizes, attempt)
            result = differentiate(leaves)
            if result.margin > LEAST_MARGIN:
                return program, sized, leaves, result
    raise AssertionError(f"seed {seed}: no data away from the kinks")


@pytest.mark.parametrize("program", ORACLE_PROGRAMS, ids=lambda p: p.name)
def test_gradients_of_our_programs_equal_those_of_jax(program: OracleProgram) -> None:
    """The compiled gradients by the parameters are JAX's within 1e-12 of the largest entry."""
    sized = size_program(program.text, program.sizes)
    leaves = leaves_of(program, sized)
    expected = make_differentiator(sized, "loss", sized.names_of_kind("param"))(leaves)
    value, gradients = run_compiled(sb.derive(sb.parse(program.text)), sized, leaves)

    assert expected.margin > LEAST_MARGIN
    assert differences(value, gradients, expected) == []


@pytest.mark.parametrize("program", (ATTENTION, FACTORISATION, QUADRATIC_FORMS), ids=lambda p: p.name)
def test_gradients_by_inputs_equal_those_of_jax(program: OracleProgram) -> None:
    """The result has exactly the tensors of `wrt`, inputs included."""
    sized = size_program(program.text, program.sizes)
    leaves = leaves_of(program, sized)
    wrt = (*sized.names_of_kind("input"), sized.names_of_kind("param")[0])
    expected = make_differentiator(sized, "loss", wrt)(leaves)
    value, gradients = run_compiled(sb.derive(sb.parse(program.text), wrt=wrt), sized, leaves)

    assert differences(value, gradients, expected) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_gradients_of_random_programs_equal_those_of_jax(seed: int) -> None:
    """The compiled gradients of a random program are JAX's within 1e-12 of the largest entry."""
    program, sized, leaves, expected = random_case(seed)
    value, gradients = run_compiled(derive_text(program.text, program.of, program.params), sized, leaves)
    faults = differences(value, gradients, expected)

    assert faults == [], str(program)


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
    expected = differentiate_twice(sized, leaves, "loss", first, second)
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

    assert differences(expected.value, expected.derivatives, expected) == []
    assert [fault.split(":")[0] for fault in differences(expected.value, nearly, expected)] == [name]
    if expected.derivatives[name].ndim > 1:
        assert [fault.split(":")[0] for fault in differences(expected.value, turned, expected)] == [name]
    assert differences(expected.value, expected.derivatives, replace(expected, value=expected.value + 1)) != []


def test_random_programs_use_every_feature() -> None:
    """Each feature occurs in at least five of the 300 programs, parameters with several readers in fifty."""
    found: Counter[str] = Counter()
    for seed in SEEDS:
        found.update(feature for feature, count in generate_program(seed).features.items() if count)
    required = (
        "sum", "mean", "nested sum", "repeated index", "two patterns in one definition", "shadowed", "where", "and, or",
        "not", "condition on values", "condition on indices", "scalar", "literal size", "size as a number",
        "index as a number", "explicit range", "kinked", "extreme", "a definition nobody reads",
        "a parameter nobody reads", "a tensor for its numerator", "several readers",
    )  # fmt: skip

    assert [feature for feature in required if found[feature] < 5] == []
    assert found["a parameter with several readers"] >= 50


def test_a_seed_gives_one_program() -> None:
    """The generator is a function of its seed."""
    assert [generate_program(3).text, generate_program(4).text] == [generate_program(3).text, generate_program(4).text]
    assert generate_program(3).text != generate_program(4).text
