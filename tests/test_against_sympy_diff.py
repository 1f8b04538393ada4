"""Derived gradients, written out at the smallest sizes, against `sympy.diff` of the written-out program, to 30 digits."""

from __future__ import annotations

import pytest
import sympy
from index_ranges import size_program
from oracle_programs import CLASSIFIER, ORACLE_PROGRAMS, QUADRATIC_FORMS, OracleProgram
from program_generator import SMALL_VALUES, generate_program
from sympy_oracle import Expander, Family, Point, differentiate, disagreements, leaf_symbol, rational_points

import symbackprop as sb

SEEDS = range(300)


def expand_gradients(derivation: sb.Derivation, expander: Expander) -> Family:
    """The gradients of a derivation, entry by entry, as the package writes them out."""
    sizes = dict(expander.program.sizes)
    return {name: gradient.expand(sizes) for name, gradient in derivation.gradients.items()}


def random_case(seed: int) -> tuple[sb.Derivation, str, Expander, Family, list[Point]]:
    """A random program at its smallest sizes with `sympy.diff`'s derivatives and three points away from the kinks."""
    for offset in range(20):
        program = generate_program(seed + 1000 * offset)
        expander = Expander(size_program(program.text, program.sizes(SMALL_VALUES)))
        expected = differentiate(expander, program.of, program.params)
        points = rational_points(expander, seed)
        if points:
            derivation = sb.derive(sb.parse(program.text), wrt=program.params, of=program.of)
            return derivation, str(program), expander, expected, points
    raise AssertionError(f"seed {seed}: no points away from the kinks")


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
    given = expand_gradients(sb.derive(sb.parse(program.small_text or program.text)), expander)
    expected = differentiate(expander, "loss", expander.program.names_of_kind("param"))

    assert len(points) == 3
    assert disagreements(expander, expected, given, points) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_gradients_of_random_programs_equal_sympy_diff(seed: int) -> None:
    """A random program at its smallest sizes has the derivatives of `sympy.diff` to 30 digits."""
    derivation, text, expander, expected, points = random_case(seed)
    faults = disagreements(expander, expected, expand_gradients(derivation, expander), points)

    assert faults == [], text


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
    given = {name: gradient.expand(dict(QUADRATIC_FORMS.smallest)) for name, gradient in twice.gradients.items()}

    assert disagreements(expander, expected, given, rational_points(expander, 2)) == []


@pytest.mark.parametrize("program", ORACLE_PROGRAMS, ids=lambda p: p.name)
def test_a_planted_error_is_caught_by_sympy_diff(program: OracleProgram) -> None:
    """A derivative with one entry wrong in its 20th digit is found, and so is a missing entry."""
    expander, points = small_case(program, 3)
    name = expander.program.names_of_kind("param")[-1]
    expected = differentiate(expander, "loss", (name,))
    at = next(entry for entry, derivative in expected[name].items() if derivative != 0)
    nearly = {name: {**expected[name], at: expected[name][at] * (1 + sympy.Rational(1, 10**20)) + sympy.Rational(1, 10**25)}}

    assert disagreements(expander, expected, expected, points) == []
    assert disagreements(expander, expected, nearly, points) != []
    assert disagreements(expander, expected, {name: {}}, points) != []
