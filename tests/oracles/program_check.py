"""What the compiled code of a random program gives, against JAX: value, gradients, second derivatives and products."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from index_ranges import SizedProgram, size_program
from jax_oracle import Differentiator, Leaves, Result, make_differentiator
from program_generator import RandomProgram

import symbackprop as sb
from symbackprop.codegen.blocks import BlockArray

TOLERANCE = 1e-12
NOISY_RUNS = 8
VALUE = "the value"
LEAST_MARGIN = 1e-3
ATTEMPTS = 40
WRITTEN_OUT = ("python", "numba")
"""The targets whose code is written at given sizes."""

Arrays = Mapping[str, np.ndarray]


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
    sizes = program.sizes()
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
    derivation: sb.Derivation, program: SizedProgram, leaves: Leaves, target: str = "numpy", dtype: str = "float64"
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Run the compiled code on leaves; what is no parameter goes in by keyword, directions and cotangents too."""
    sizes = dict(program.sizes) if target in WRITTEN_OUT else None
    run = derivation.compile(target, dtype, sizes=sizes)
    params, data = split_leaves(program, leaves)
    return run(params, **data, **{n: program.sizes[n] for n in run.layout["sizes"]})


def run_blocks(derivation: sb.Derivation, program: SizedProgram, leaves: Leaves) -> dict[str, BlockArray]:
    """Run the compiled code that keeps the structure on leaves."""
    run = derivation.compile_blocks()
    params, data = split_leaves(program, leaves)
    return run(params, **data, **{n: program.sizes[n] for n in run.kernel.layout["sizes"]})


def split_leaves(program: SizedProgram, leaves: Leaves) -> tuple[Leaves, Leaves]:
    """The parameters, and what goes in by keyword."""
    params = program.names_of_kind("param")
    return {name: leaves[name] for name in params}, {n: array for n, array in leaves.items() if n not in params}


def differences(
    given: Mapping[str, object], wanted: Arrays, uncertain: Mapping[str, float] = MappingProxyType({})
) -> list[str]:
    """Say where arrays differ by more than 1e-12 of the largest entry of what is wanted, or than is uncertain."""
    if set(given) != set(wanted):
        return [f"given {sorted(given)}, expected {sorted(wanted)}"]
    faults = []
    # What cancels is measured against a hundredth of the largest entry of all.
    largest = max(float(np.max(np.abs(one))) for one in wanted.values())
    for name, one in wanted.items():
        array = np.asarray(given[name])
        if array.shape != one.shape:
            faults.append(f"{name}: shape {array.shape}, expected {one.shape}")
            continue
        scale = max(float(np.max(np.abs(one))), 1e-2 * largest)
        error = float(np.max(np.abs(array - one)))
        if not error <= max(TOLERANCE * scale, uncertain.get(name, 0.0)):
            faults.append(f"{name}: off by {error:.3g} where the largest entry is {scale:.3g}")
    return faults


def compare(case: Case, given: Mapping[str, object], wanted: Callable[[Differentiator], Arrays]) -> list[str]:
    """Say where what is given is not what JAX gives.

    Float64 does not determine every result to twelve digits, as where 1 - tanh(u)^2 is all but 0. So a difference is
    held against ten times the spread of JAX's own result when each of its operations rounds otherwise.
    """
    expected = wanted(case.differentiator)
    faults = differences(given, expected)
    if not faults:
        return []
    spread = dict.fromkeys(expected, 0.0)
    for seed in range(NOISY_RUNS):
        for name, one in wanted(case.differentiator.noisy(seed)).items():
            spread[name] = max(spread[name], float(np.max(np.abs(one - expected[name]))))
    return differences(given, expected, {name: 10 * one for name, one in spread.items()})


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


def judge_target(program: RandomProgram, target: str) -> list[str] | None:
    """What a target computes wrongly of the gradients of a program; None where no data keep away from its kinks."""
    case = find_case(program)
    if case is None:
        return None
    derivation = sb.derive(sb.parse(program.text), wrt=program.params, of=program.of)
    return [f"{fault}\n{program.text}" for fault in _first_faults(case, derivation, target)]


def _first_faults(case: Case, derivation: sb.Derivation, target: str = "numpy") -> list[str]:
    value, gradients = run_compiled(derivation, case.sized, case.leaves, target)

    def wanted(by: Differentiator) -> Arrays:
        result = by(case.leaves)
        return {VALUE: result.value, **result.derivatives}

    return compare(case, {VALUE: value, **gradients}, wanted)


def _second_faults(case: Case, derivation: sb.Derivation) -> list[str]:
    """The second derivatives or the product that a program asks for."""
    program, leaves = case.program, case.leaves
    source = np.random.default_rng([program.seed, 1000])
    directions = {name: source.normal(size=case.sized.shapes[name]) for name in program.params}
    cotangent = source.normal(size=case.sized.shapes[program.of])
    moving = {**leaves, **{f"{name}_dot": array for name, array in directions.items()}}
    if program.second == "hvp":
        value, moved = run_compiled(derivation.hvp(), case.sized, moving)
        return compare(
            case,
            {VALUE: value, **moved},
            lambda by: {VALUE: by(leaves).value, **by.along(leaves, directions).derivatives},
        )
    if program.second == "jvp":
        value, moved = run_compiled(derivation.jvp(), case.sized, moving)
        return compare(
            case,
            {VALUE: value, **moved},
            lambda by: {VALUE: by(leaves).value, program.of: by.along(leaves, directions).value},
        )
    if program.second == "vjp":
        given = {**leaves, f"{program.of}_cotangent": cotangent}
        value, pulled = run_compiled(derivation.vjp(), case.sized, given)

        def weigh(by: Differentiator) -> Arrays:
            result, axes = by(leaves), cotangent.ndim
            weighted = {name: np.tensordot(cotangent, one, axes) for name, one in result.derivatives.items()}
            return {VALUE: np.tensordot(cotangent, result.value, axes), **weighted}

        return compare(case, {VALUE: value, **pulled}, weigh)
    if program.second == "hessian":
        first, second = program.pair
        hessian = derivation.hessian(first, second)
        value, found = run_compiled(hessian, case.sized, leaves)
        blocks = run_blocks(hessian, case.sized, leaves)[second]
        along = blocks @ directions[second]

        def differentiate(by: Differentiator) -> Arrays:
            whole = by.twice(leaves, first, second)
            moved = np.tensordot(whole, directions[second], np.ndim(directions[second]))
            return {"first": by(leaves).derivatives[first], "second": whole, "blocks": whole, "along": moved}

        given = {"first": value, "second": found[second], "blocks": blocks.dense(), "along": along}
        return compare(case, given, differentiate)
    return []
