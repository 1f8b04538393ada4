"""Every entry of the live catalogue against JAX, and against `sympy.diff` of the program written out.

Adding an entry needs no change here: its sizes and its data come from the entry itself.
"""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
import sympy
from catalogue_cases import CatalogueCase, find_cases
from program_check import VALUE, run_compiled

import symbackprop as sb

ENTRIES = sb.catalogue()
TOLERANCE = 1e-10  # of the largest entry of an array
SCREEN = 40  # lines


def faults(given: dict[str, np.ndarray], wanted: dict[str, np.ndarray]) -> list[str]:
    """Where arrays differ by more than the tolerance."""
    assert given.keys() == wanted.keys()
    found = []
    for name, one in wanted.items():
        array, scale = np.asarray(given[name]), float(np.max(np.abs(one)))
        error = float(np.max(np.abs(array - one))) if array.shape == np.shape(one) else np.inf
        if not error <= TOLERANCE * scale:
            found.append(f"{name} is off by {error:.3g} where the largest entry is {scale:.3g}")
    return found


def run(case: CatalogueCase) -> dict[str, np.ndarray]:
    """The value and the gradients of the compiled code."""
    value, gradients = run_compiled(case.entry.derivation, case.sized, case.leaves)
    return {VALUE: value, **gradients}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.kind}-{entry.name}")
def test_value_and_gradients_are_those_of_jax(entry: sb.Entry) -> None:
    """At every choice of sizes, for every parameter and every input."""
    cases = list(find_cases(entry))

    assert len(cases) >= 2, "an entry names two choices of sizes at least"
    for case in cases:
        assert faults(run(case), {VALUE: case.expected.value, **case.expected.derivatives}) == [], case.sizes


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.kind}-{entry.name}")
def test_gradients_are_those_of_sympy_diff(entry: sb.Entry) -> None:
    """`sympy.diff` of the program written out, at the smallest choice of sizes."""
    case = min(find_cases(entry), key=lambda case: sum(case.sizes.values()))
    integers = {name: case.leaves[name] for name in case.sized.names_of_kind("index")}
    loss = entry.program.expand(case.sizes, integers)
    symbols = {
        name: [sympy.Symbol(f"{name}[{','.join(str(k + 1) for k in at)}]", real=True) for at in np.ndindex(shape)]
        for name, shape in case.sized.shapes.items()
        if name in case.sized.kinds and name not in integers
    }
    derived = [sympy.diff(loss, s) for name in entry.derivation.gradients for s in symbols[name]]
    evaluate = sympy.lambdify([s for group in symbols.values() for s in group], derived, modules="math", cse=True)
    flat = evaluate(*(float(number) for name in symbols for number in np.ravel(case.leaves[name])))
    given = np.concatenate([np.ravel(run(case)[name]) for name in entry.derivation.gradients])

    assert faults({"gradients": given}, {"gradients": np.array(flat, float)}) == []


def test_a_planted_mistake_is_found() -> None:
    """Code of a program with one sign turned is caught, and so is a relative error of 1e-9."""
    case = next(find_cases(sb.find_entry("log_softmax")))
    wanted = {VALUE: case.expected.value, **case.expected.derivatives}
    wrong = case.entry.program.text().replace("x[n,i] - log", "x[n,i] + log")
    mistaken = sb.derive(sb.parse(wrong), list(case.entry.derivation.gradients))
    value, gradients = run_compiled(mistaken, case.sized, case.leaves)

    assert faults(run(case), wanted) == []
    assert len(faults({VALUE: value, **gradients}, wanted)) >= 2
    assert faults({name: array * (1 + 1e-9) for name, array in wanted.items()}, wanted)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.kind}-{entry.name}")
def test_every_fold_is_certified(entry: sb.Entry) -> None:
    """What is printed of an entry is proved again, and its gradients stay under a screen."""
    verdict = entry.derivation.certify()

    assert verdict.proved, str(verdict)
    assert len(entry.derivation.text().splitlines()) <= SCREEN


def test_the_page_of_the_catalogue_is_up_to_date() -> None:
    """examples/catalogue.md says what is derived now."""
    script = Path(__file__).parents[2] / "examples" / "catalogue.py"

    assert script.with_suffix(".md").read_text(encoding="utf-8") == runpy.run_path(str(script))["render"]()
