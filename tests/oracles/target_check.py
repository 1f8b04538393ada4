"""Generated code of one library against that of NumPy, on the same arrays."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from index_ranges import SizedProgram, size_program
from jax_oracle import Leaves
from oracle_programs import CLASSIFIER, OracleProgram
from program_check import run_compiled

import symbackprop as sb

LIMITS: Mapping[str, float] = MappingProxyType({"float64": 1e-12, "float32": 1e-5})
"""How far results may be apart, relative to the largest entry."""


def example(program: OracleProgram) -> tuple[sb.Derivation, SizedProgram, Leaves]:
    """The derivation of one of our programs, with leaves for it."""
    sized = size_program(program.text, program.sizes)
    source = np.random.default_rng(7)
    leaves = {name: source.normal(size=sized.shapes[name]) for name in sized.kinds}
    for name in sized.names_of_kind("const"):
        leaves[name] = np.abs(leaves[name]) + 0.1
    if program is CLASSIFIER:
        leaves["y"] = np.exp(leaves["y"]) / np.exp(leaves["y"]).sum(axis=1, keepdims=True)
    return sb.derive(sb.parse(program.text)), sized, leaves


def compare(target: str, derivation: sb.Derivation, sized: SizedProgram, leaves: Leaves, dtype: str) -> list[str]:
    """What a target computes otherwise than NumPy does, each in a line."""
    value, gradients = run_compiled(derivation, sized, leaves, "numpy", dtype)
    other, others = run_compiled(derivation, sized, leaves, target, dtype)
    wanted = {"value": np.asarray(value), **gradients}
    given = {"value": np.asarray(other), **{name: np.asarray(array) for name, array in others.items()}}
    assert given.keys() == wanted.keys()
    largest = max(float(np.max(np.abs(array))) for array in wanted.values())
    faults = []
    for name, array in wanted.items():
        scale = max(float(np.max(np.abs(array))), 1e-2 * largest)  # what cancels is measured against the rest
        if given[name].shape != array.shape or given[name].dtype != dtype:
            faults.append(f"{name}: {given[name].dtype} of shape {given[name].shape}, expected {array.shape}")
        elif not float(np.max(np.abs(given[name] - array))) <= LIMITS[dtype] * scale:
            faults.append(f"{name}: off by {np.max(np.abs(given[name] - array)):.3g} where the largest is {scale:.3g}")
    return faults
