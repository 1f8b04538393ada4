"""The code of a program: its kernel for a target, with what a call of it takes and returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symbackprop.calculus.definitions import Definition
from symbackprop.calculus.programs import Program
from symbackprop.codegen.layouts import Layout, make_layout
from symbackprop.codegen.planning import make_plan
from symbackprop.codegen.targets import ScalarTarget, Target
from symbackprop.errors import ArgumentError

DTYPES = ("float64", "float32")


@dataclass(frozen=True, slots=True)
class Code:
    """The source of a kernel that computes the tensor `value` and one gradient for each of `gradients`."""

    target: Target | ScalarTarget
    dtype: str
    value: str
    gradients: tuple[str, ...]
    layout: Layout
    source: str


class CodeHolder:
    """What is said of a function by the code that it runs."""

    code: Code

    @property
    def dtype(self) -> str:
        """The precision, "float64" or "float32"."""
        return self.code.dtype

    @property
    def source(self) -> str:
        """The code that runs."""
        return self.code.source

    @property
    def layout(self) -> Layout:
        """Which arrays and sizes a call takes."""
        return self.code.layout

    @property
    def gradient_names(self) -> tuple[str, ...]:
        """The tensors of wrt, in order."""
        return self.code.gradients


def write_code(
    program: Program,
    adjoints: Sequence[Definition],
    value: str,
    gradients: Mapping[str, str],
    target: Target,
    dtype: str = "float64",
    comments: Mapping[str, str] | None = None,
) -> Code:
    """The code of a program and of adjoint definitions.

    `value` is the tensor whose value is returned, `gradients` gives for each tensor of wrt the name of its adjoint, and
    `comments` what to write above a tensor in the source.
    """
    if dtype not in DTYPES:
        raise ArgumentError(f"The dtype {dtype!r} is not one of {', '.join(DTYPES)}.")
    program.tensor(value)
    everything = program.extended(tuple(adjoints))
    for adjoint in gradients.values():
        everything.tensor(adjoint)
    layout = make_layout(program, everything.definitions)
    plan = target.rearrange(make_plan(program, adjoints, value, gradients))
    arrays = (*layout["params"], *layout["data"])
    source = target.write(plan, arrays, layout["order"], comments or {}, target.dialect)
    return Code(target, dtype, value, tuple(gradients), layout, source)
