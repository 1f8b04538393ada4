"""The code of a program at given sizes as straight lines over floats, for networks too small for arrays."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from symbackprop.calculus.definitions import Definition
from symbackprop.calculus.expansion import check_sizes
from symbackprop.calculus.programs import Program
from symbackprop.codegen.code import DTYPES, Code
from symbackprop.codegen.layouts import fix_layout, make_layout
from symbackprop.codegen.rolling import Rolled, roll
from symbackprop.codegen.scalar_functions import write_functions
from symbackprop.codegen.scalar_plan import make_scalar_plan
from symbackprop.codegen.scalar_steps import Batch, Output, write_step
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
    tensors = program.extended(tuple(adjoints)).tensors()
    called = {value: value, **{adjoint: name for name, adjoint in gradients.items()}}
    values = dict(sizes.items())
    outputs = {
        tensor: Output(name, tuple(size.evaluate(values) for size in tensors[tensor].shape))
        for tensor, name in called.items()
    }
    layout["outputs"] = tuple(output.shape for output in outputs.values())
    comments = comments or {}
    if not target.arrays:
        source = write_functions(make_scalar_plan(program, adjoints, value, gradients, sizes), comments)
        return Code(target, dtype, value, tuple(gradients), layout, source)
    rolled = roll(program, adjoints, value, sizes)
    adjoint_names = {adjoint: adjoint for adjoint in gradients.values()}
    floats = {t.name for t in program.leaves if t.range is None} if dtype == "float32" else set()
    if rolled is None:
        source = write_step(make_scalar_plan(program, adjoints, value, adjoint_names, sizes), outputs, comments, floats)
    else:
        source = _write_rolled(rolled, value, adjoint_names, sizes, outputs, comments, floats)
    return Code(target, dtype, value, tuple(gradients), layout, source)


def _write_rolled(
    rolled: Rolled,
    value: str,
    adjoints: Mapping[str, str],
    sizes: Mapping[str, int],
    outputs: Mapping[str, Output],
    comments: Mapping[str, str],
    single: Collection[str],
) -> str:
    """The source of a step with a loop, and what follows it."""
    along = {name: axis for name, tensor in rolled.inside.tensors().items()
             if (axis := rolled.axis(tensor)) is not None}  # fmt: skip
    first, *others = [*(t.name for t in rolled.totals), *(name for name in adjoints if name in along)]
    inside = make_scalar_plan(rolled.inside, (), first, {name: name for name in others}, {**sizes, rolled.size: 1})
    behind = {name: name for name in adjoints if name not in along}
    after = make_scalar_plan(rolled.after, (), value, behind, sizes)
    return write_step(after, outputs, comments, single, Batch(inside, rolled.count, along))
