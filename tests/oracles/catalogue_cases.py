"""Data for the entries of the catalogue: away from every kink, within the domain of the formulas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from index_ranges import SizedProgram, size_program
from jax_oracle import Result, make_differentiator

import symbackprop as sb
from symbackprop.language import write_program
from symbackprop.networks import Setting

LEAST_MARGIN = 1e-3
ATTEMPTS = 60


@dataclass(frozen=True)
class CatalogueCase:
    """An entry at sizes and data, and JAX's derivatives by everything that its own derivation asks for."""

    entry: sb.Entry
    sizes: Mapping[str, int]
    sized: SizedProgram
    leaves: Mapping[str, np.ndarray]
    expected: Result


def choose(name: str, settings: Mapping[str, Setting]) -> sb.Entry:
    """The entry of a layer with other settings."""
    fragment = sb.layer(name).fragment
    return sb.Entry(name, "layer", write_program(fragment.example(settings)), fragment.source, "", fragment.sizes)


def find_cases(entry: sb.Entry) -> Iterator[CatalogueCase]:
    """A case for each of the choices of sizes that an entry names.

    Values are drawn around 0 and, for what is defined for positive numbers alone, between 0 and 1.
    """
    for number, sizes in enumerate(entry.sizes):
        yield _find_case(entry, sizes, number)


def _find_case(entry: sb.Entry, sizes: Mapping[str, int], number: int) -> CatalogueCase:
    program = entry.program
    sized = size_program(program.text(), sizes)
    ranges = {t.name: t.range.evaluate(sizes) for t in program.tensors if t.range is not None}
    wrt = tuple(entry.derivation.gradients)
    for attempt in range(ATTEMPTS):
        source = np.random.default_rng([number, attempt])
        leaves = {}
        for name, kind in sized.kinds.items():
            shape = sized.shapes[name]
            if kind == "index":
                leaves[name] = source.integers(1, ranges[name] + 1, size=shape)
            else:
                leaves[name] = source.normal(size=shape) if attempt % 2 == 0 else source.uniform(0.1, 0.9, size=shape)
        integers = {name: leaves[name] for name in ranges}
        with np.errstate(all="ignore"):
            expected = make_differentiator(sized, "loss", wrt, integers)(leaves)
        found = (expected.value, *expected.derivatives.values())
        if expected.margin > LEAST_MARGIN and all(np.isfinite(array).all() for array in found):
            return CatalogueCase(entry, sizes, sized, leaves, expected)
    raise AssertionError(f"no data of {entry.name} at {dict(sizes)} keep away from its kinks")
