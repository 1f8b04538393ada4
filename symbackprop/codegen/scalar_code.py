"""The code of a program at given sizes as straight lines over floats, for networks too small for arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symbackprop.calculus.definitions import Definition
from symbackprop.calculus.expansion import check_sizes
from symbackprop.calculus.programs import Program
from symbackprop.codegen.code import DTYPES, Code
from symbackprop.codegen.layouts import fix_layout, make_layout
from symbackprop.codegen.scalar_functions import write_functions, write_step
from symbackprop.codegen.scalar_plan import make_scalar_plan
from symbackprop.codegen.targets import ScalarTarget
from symbackprop.errors import ArgumentError


def write_scalar_code(
    program: Program,
    adjoints: Sequence[Definition],
    value: str,
    gradients: Mapping[str, str],
    target: ScalarTarget,
    sizes: Mapping[str, int],
    dtype: str = "float64",
    comments: Mapping[str, str] | None = None,
) -> Code:
    """The code of a program and of adjoint definitions at `sizes`; the rest is as for `write_code`.

    Raises ArgumentError for sizes that do not fit, LimitError where the code would be too long.
    """
    if dtype not in DTYPES:
        raise ArgumentError(f"The dtype {dtype!r} is not one of {', '.join(DTYPES)}.")
    if dtype != "float64" and not target.arrays:
        raise ArgumentError(f"The target {target.name!r} computes in float64 only, not in {dtype!r}.")
    check_sizes(program, sizes)
    layout = fix_layout(make_layout(program, (*program.definitions, *adjoints)), sizes)
    plan = make_scalar_plan(program, adjoints, value, gradients, sizes)
    layout["outputs"] = tuple(block.shape for block in (plan.value, *plan.gradients))
    write = write_step if target.arrays else write_functions
    return Code(target, dtype, value, tuple(gradients), layout, write(plan, comments or {}))
