"""Derived gradients at the smallest sizes against `sympy.diff` of the written-out program, to 30 digits."""

from __future__ import annotations

import pytest
import sympy
from index_ranges import size_program
from oracle_programs import CLASSIFIER, COSINE, ORACLE_PROGRAMS, QUADRATIC_FORMS, OracleProgram
from program_generator import SMALL_VALUES, RandomProgram, generate_program
from sympy_oracle import (
    Entries,
    Expander,
    Point,
    definition_entries,
    differentiate,
    disagreements,
    expression_entries,
    leaf_symbol,
    rational_points,
)

import symbackprop as sb

PROGRAMS = 300
BATCH = 10


def gradient_entries(derivation: sb.Derivation, expander: Expander) -> Entries:
    """The entries of the gradients of a derivation, by the definitions that it prints."""
    names = {name: gradient.name for name, gradient in derivation.gradients.items()}
    return definition_entries(derivation.program.core, names, expander.program.sizes)


def random_faults(program: RandomProgram) -> list[str]:
    """Where the derivatives of a random program at its smallest sizes are not those of `sympy.diff`.

    They are compared at three points away from the kinks; a program that compares equal things has none.
    """
    expander = Expander(size_program(program.text, program.sizes(SMALL_VALUES)))
    expected = differentiate(expander, program.of, program.params)
    points = rational_points(expander, program.seed)
    if not points:
        return []
    derivation = sb.derive(sb.parse(program.text), wrt=program.params, of=program.of)
    return disagreements(expander, expected, gradient_entries(derivation, expander), points)


def small_case(program: OracleProgram, seed: int) -> tuple[Expander, list[Point]]:
    """One of our programs at its smallest sizes, with three points that satisfy what it assumes.

    A comparison is met when the program is written out, so that comes first.
    """
    expander = Expander(size_program(program.small_text or program.text, program.smallest))
    expander.entry("loss", ())
    points = []
    for point in rational_points(expander, seed, positive=expander.program.names_of_kind("const")):
        changed = dict(point)
        if program is CLASSIFIER:  # targets sum to 1
            for n in range(1, program.smallest["N"] + 1):
                changed[leaf_symbol("y", (n, 2))] = 1 - changed[leaf_symbol("y", (n, 1))]
        points.append(changed)
    return expander, points


@pytest.mark.parametrize("program", ORACLE_PROGRAMS, ids=lambda p: p.name)
def test_gradients_of_our_programs_equal_sympy_diff(program: OracleProgram) -> None:
    """At the smallest sizes and three rational points each entry is that of `sympy.diff` to 30 digits."""
    expander, points = small_case(program, 1)
    given = gradient_entries(sb.derive(sb.parse(program.small_text or program.text)), expander)
    expected = differentiate(expander, "loss", expander.program.names_of_kind("param"))

    assert len(points) == 3
    assert disagreements(expander, expected, given, points) == []


@pytest.mark.parametrize("first", range(0, PROGRAMS, BATCH))
def test_gradients_of_random_programs_equal_sympy_diff(first: int) -> None:
    """Random programs of plain indices, sums and means have the derivatives of `sympy.diff` to 30 digits.

    Index arithmetic is held to `sympy.diff` in tests/calculus, and the whole language to JAX.
    """
    programs = [generate_program(seed, plain=True) for seed in range(first, first + BATCH)]
    faults = {str(program): found for program in programs if (found := random_faults(program))}

    assert not faults, "\n".join(f"{text}{found}" for text, found in faults.items())


def test_second_derivatives_equal_sympy_diff() -> None:
    """Deriving a gradient again gives the second derivatives of `sympy.diff`."""
    expander = Expander(size_program(QUADRATIC_FORMS.text, QUADRATIC_FORMS.smallest))
    once = sb.derive(sb.parse(QUADRATIC_FORMS.text), wrt="V")
    twice = sb.derive(once.program, wrt=("V", "c"), of=once["V"].name)
    expected = {
        name: {
            (*top, *at): sympy.diff(first, leaf_symbol(name, at))
            for top, first in differentiate(expander, "loss", ("V",))["V"].items()
            for at in expander.entries(name)
        }
        for name in ("V", "c")
    }

    assert disagreements(expander, expected, gradient_entries(twice, expander), rational_points(expander, 2)) == []


@pytest.mark.parametrize("program", ORACLE_PROGRAMS, ids=lambda p: p.name)
def test_a_planted_error_is_caught_by_sympy_diff(program: OracleProgram) -> None:
    """A derivative with one entry wrong in its 20th digit is found."""
    expander, points = small_case(program, 3)
    name = expander.program.names_of_kind("param")[-1]
    expected = differentiate(expander, "loss", (name,))
    at = next(entry for entry, derivative in expected[name].items() if derivative != 0)
    error = sympy.Rational(1, 10**20)
    nearly = {name: {**expected[name], at: expected[name][at] * (1 + error) + error}}

    assert disagreements(expander, expected, expression_entries(expected, expander.conditions), points) == []
    assert disagreements(expander, expected, expression_entries(nearly, expander.conditions), points) != []


@pytest.mark.parametrize("program", (CLASSIFIER, COSINE, QUADRATIC_FORMS), ids=lambda p: p.name)
def test_written_out_gradients_equal_sympy_diff(program: OracleProgram) -> None:
    """`Gradient.expand` gives the same entries, in the symbols of `Program.expand`."""
    expander, points = small_case(program, 5)
    derivation = sb.derive(sb.parse(program.text))
    expected = differentiate(expander, "loss", expander.program.names_of_kind("param"))
    given = {name: gradient.expand(dict(program.smallest)) for name, gradient in derivation.gradients.items()}

    assert all(set(given[name]) == set(entries) for name, entries in expected.items())
    assert disagreements(expander, expected, expression_entries(given), points) == []
