"""The libraries that generated code runs on. Nothing here imports them: a module can be written without its library."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from symbackprop.codegen.dialects import Dialect, JaxDialect, NumpyDialect, TorchDialect
from symbackprop.codegen.fused_kernels import write_fused_kernel
from symbackprop.codegen.loop_writers import write_kernel
from symbackprop.codegen.numpy_kernels import write_numpy_kernel
from symbackprop.codegen.rebuilding import keep_plan
from symbackprop.codegen.records import Plan
from symbackprop.codegen.row_groups import Grouping, find_groups, keep_apart
from symbackprop.codegen.unrolled_tiles import unroll_tiles
from symbackprop.codegen.window_products import add_up_products
from symbackprop.errors import UnknownNameError


@dataclass(frozen=True, slots=True)
class Target:
    """A library: how its operations are written, and which module of this package it runs on.

    `write` makes the source of a plan, given its arrays and sizes and what stands above which tensor. `runtime` is the
    module of this package on which generated code runs, and whose functions a standalone module carries, as it does
    those of `helpers`, further modules, some for a precision; `extra` is the extra of this package that brings the
    library. `group` finds the values of a plan that are made together.
    """

    name: str
    dialect: Dialect
    write: Callable[[Plan, Sequence[str], Sequence[str], Mapping[str, str], Dialect], str]
    runtime: str
    extra: str = ""
    helpers: tuple[str, ...] = ()
    group: Callable[[Plan, Collection[int]], Grouping] = keep_apart
    rearrange: Callable[[Plan], Plan] = keep_plan

    def modules(self, dtype: str) -> tuple[str, ...]:
        """The modules of this package whose functions generated code calls.

        >>> find_target("fused").modules("float32")
        ('numpy_runtime', 'windows_runtime', 'rows_runtime', 'rows_float32')
        """
        return (self.runtime, *(helper.format(dtype=dtype) for helper in self.helpers))


def use_slices(plan: Plan) -> Plan:
    """The plan for a library that reads and writes slices of arrays."""
    return unroll_tiles(add_up_products(plan))


@dataclass(frozen=True, slots=True)
class ScalarTarget:
    """Straight-line code over floats at given sizes; `arrays` are what it works on, nested lists without."""

    name: str
    runtime: str
    arrays: bool
    extra: str = ""


TARGETS = (
    Target(
        "numpy", NumpyDialect(), write_numpy_kernel, "numpy_runtime", helpers=("windows_runtime",),
        rearrange=use_slices,
    ),  # fmt: skip
    Target(
        "fused", NumpyDialect(), write_fused_kernel, "numpy_runtime", "numba",
        ("windows_runtime", "rows_runtime", "rows_{dtype}"), find_groups, use_slices,
    ),  # fmt: skip
    Target("jax", JaxDialect(), write_kernel, "jax_runtime", "jax"),
    Target("torch", TorchDialect(), write_kernel, "torch_runtime", "torch"),
)
SCALAR_TARGETS = (
    ScalarTarget("python", "python_runtime", False),
    ScalarTarget("numba", "numba_runtime", True, "numba"),
)


def find_target(name: str) -> Target:
    """The target of a name that works on arrays; UnknownNameError lists what there is.

    >>> find_target("jax").dialect.name
    'JAX'
    """
    for target in TARGETS:
        if target.name == name:
            return target
    known = tuple(target.name for target in (*TARGETS, *SCALAR_TARGETS))
    raise UnknownNameError(f"There is no target {name!r}; there are {', '.join(known)}.", name=name, known=known)


def find_scalar_target(name: str) -> ScalarTarget | None:
    """The target of a name whose code is written out at given sizes; None where it is none of them."""
    return next((target for target in SCALAR_TARGETS if target.name == name), None)
