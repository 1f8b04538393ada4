"""What the compiled code of a random program gives, against JAX: value, gradients, second derivatives and products."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from index_ranges import SizedProgram, size_program
from jax_oracle import Differentiator, Leaves, Result, make_differentiator
from program_generator import SIZE_VALUES, RandomProgram

import symbackprop as sb

TOLERANCE = 1e-12
LEAST_MARGIN = 1e-3
ATTEMPTS = 40


@dataclass(frozen=True)
class Case:
    """A program with data away from every kink, and JAX's derivatives there."""

    program: RandomProgram
    sized: SizedProgram
    leaves: Leaves
    differentiator: Differentiator
    expected: Result


def find_case(program: RandomProgram) -> Case | None:
    """Data for a program; None where none keep away from a kink, as for a comparison of equal things."""
    sizes = program.sizes(SIZE_VALUES)
    sized = size_program(program.text, sizes)
    integers = {name: a for name, a in program.data(sizes, 0).items() if sized.kinds[name] == "index"}
    differentiator = make_differentiator(sized, program.of, program.params, integers)
    for attempt in range(ATTEMPTS):
        leaves = program.data(sizes, attempt)
        result = differentiator(leaves)
        if result.margin > LEAST_MARGIN:
            return Case(program, sized, leaves, differentiator, result)
    return None


def run_compiled(
    derivation: sb.Derivation, program: SizedProgram, leaves: Leaves
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Run the compiled code on leaves; what is no parameter goes in by keyword, directions and cotangents too."""
    run = derivation.compile()
    params = program.names_of_kind("param")
    data = {name: array for name, array in leaves.items() if name not in params}
    return run({name: leaves[name] for name in params}, **data, **{n: program.sizes[n] for n in run.layout["sizes"]})


def differences(given: Mapping[str, object], wanted: Mapping[str, np.ndarray], least: float = 0.0) -> list[str]:
    """Say where arrays differ by more than 1e-12 of the largest entry of what is wanted."""
    if set(given) != set(wanted):
        return [f"given {sorted(given)}, expected {sorted(wanted)}"]
    faults = []
    # What cancels is measured against a hundredth of the largest entry of all.
    largest = max(least, *(float(np.max(np.abs(one))) for one in wanted.values()))
    for name, one in wanted.items():
        array = np.asarray(given[name])
        if array.shape != one.shape:
            faults.append(f"{name}: shape {array.shape}, expected {one.shape}")
            continue
        scale = max(float(np.max(np.abs(one))), 1e-2 * largest)
        error = float(np.max(np.abs(array - one)))
        if not error <= TOLERANCE * scale:
            faults.append(f"{name}: off by {error:.3g} where the largest entry is {scale:.3g}")
    return faults


def find_faults(case: Case, derivation: sb.Derivation) -> list[str]:
    """Say where a derivation and JAX differ; what is refused or warns is a fault too."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return _first_faults(case, derivation) or _second_faults(case, derivation)
    except Exception as error:
        return [f"{type(error).__name__}: {error}"]


def judge(program: RandomProgram) -> list[str] | None:
    """What is wrong with the derivatives of a program; None where no data keep away from its kinks."""
    case = find_case(program)
    if case is None:
        return None
    try:
        derivation = sb.derive(sb.parse(program.text), wrt=program.params, of=program.of)
    except Exception as error:
        return [f"{type(error).__name__}: {error}"]
    return find_faults(case, derivation)


def _first_faults(case: Case, derivation: sb.Derivation) -> list[str]:
    value, gradients = run_compiled(derivation, case.sized, case.leaves)
    return differences(
        {"the value": value, **gradients}, {"the value": case.expected.value, **case.expected.derivatives}
    )


def _second_faults(case: Case, derivation: sb.Derivation) -> list[str]:
    """The second derivatives or the product that a program asks for."""
    program, leaves, expected = case.program, case.leaves, case.expected
    source = np.random.default_rng([program.seed, 1000])
    directions = {name: source.normal(size=case.sized.shapes[name]) for name in program.params}
    given = {**leaves, **{f"{name}_dot": array for name, array in directions.items()}}
    if program.second == "hvp":
        value, moved = run_compiled(derivation.hvp(), case.sized, given)
        wanted = case.differentiator.along(leaves, directions).derivatives
        return differences({"the value": value, **moved}, {"the value": expected.value, **wanted})
    if program.second == "jvp":
        value, moved = run_compiled(derivation.jvp(), case.sized, given)
        wanted = {program.of: case.differentiator.along(leaves, directions).value}
        return differences({"the value": value, **moved}, {"the value": expected.value, **wanted})
    if program.second == "vjp":
        cotangent = source.normal(size=expected.value.shape)
        name = f"{program.of}_cotangent"
        _, pulled = run_compiled(derivation.vjp(), case.sized, {**leaves, name: cotangent})
        axes = cotangent.ndim
        return differences(
            pulled, {n: np.tensordot(cotangent, one, axes) for n, one in expected.derivatives.items()}
        )
    if program.second == "hessian":
        first, second = program.pair
        value, found = run_compiled(derivation.hessian(first, second), case.sized, leaves)
        wanted = case.differentiator.twice(leaves, first, second)
        return differences(
            {f"the gradient by {first}": value, second: found[second]},
            {f"the gradient by {first}": expected.derivatives[first], second: wanted},
        )
    return []
