"""Programs as code: stable rewrites, a plan of array operations and its source for each library, straight lines."""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

from symbackprop.codegen.code import Code as Code
from symbackprop.codegen.code import write_code as write_code
from symbackprop.codegen.functions import CompiledFunction as CompiledFunction
from symbackprop.codegen.functions import compile_code as compile_code
from symbackprop.codegen.planning import make_plan as make_plan
from symbackprop.codegen.targets import ScalarTarget as ScalarTarget
from symbackprop.codegen.targets import find_scalar_target as find_scalar_target
from symbackprop.codegen.targets import find_target as find_target

if TYPE_CHECKING:
    from symbackprop.codegen.block_functions import BlockFunction as BlockFunction
    from symbackprop.codegen.block_functions import compile_blocks as compile_blocks
    from symbackprop.codegen.costs import Costs as Costs
    from symbackprop.codegen.costs import measure_costs as measure_costs
    from symbackprop.codegen.modules import write_module as write_module
    from symbackprop.codegen.scalar_code import write_scalar_code as write_scalar_code
    from symbackprop.codegen.scalar_compiled import ScalarFunction as ScalarFunction
    from symbackprop.codegen.scalar_compiled import compile_scalar_code as compile_scalar_code

PLACES = MappingProxyType({
    "block_functions": "BlockFunction compile_blocks",
    "costs": "Costs measure_costs",
    "modules": "write_module",
    "scalar_code": "write_scalar_code",
    "scalar_compiled": "ScalarFunction compile_scalar_code",
})
"""The modules that hold what compiling for arrays does not need."""


def __getattr__(name: str) -> object:
    """Import a name when it is first asked for (PEP 562)."""
    for place, names in PLACES.items():
        if name in names.split():
            return getattr(import_module(f"symbackprop.codegen.{place}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
