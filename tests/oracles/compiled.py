"""Definitions compiled without a derivation, for tests of the code that is generated from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symbackprop.calculus.definitions import Definition
from symbackprop.calculus.programs import Program
from symbackprop.codegen import CompiledFunction, compile_code, find_target, write_code, write_module


def compile_numpy(
    program: Program,
    adjoints: Sequence[Definition],
    value: str,
    gradients: Mapping[str, str],
    dtype: str = "float64",
    comments: Mapping[str, str] | None = None,
) -> CompiledFunction:
    """The function of a program and of adjoint definitions."""
    return compile_code(write_code(program, adjoints, value, gradients, find_target("numpy"), dtype, comments))


def source_numpy(
    program: Program, adjoints: Sequence[Definition], value: str, gradients: Mapping[str, str], dtype: str
) -> str:
    """The same as a module of its own."""
    return write_module(write_code(program, adjoints, value, gradients, find_target("numpy"), dtype))
