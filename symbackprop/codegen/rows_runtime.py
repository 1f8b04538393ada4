"""What loops over rows are compiled by, and what they call in any precision; a standalone module gets a copy."""

from __future__ import annotations

from typing import Any

import numba
from numba.core.compiler import CompilerBase, DefaultPassBuilder


class Unaliased(CompilerBase):  # type: ignore[misc]
    """Compiles a loop for arrays none of which shows memory that it writes through another: without knowing that, LLVM
    computes entry after entry where there are many arrays.
    """

    def define_pipelines(self) -> list[Any]:
        """Those of numba."""
        self.state.flags.noalias = True
        return [DefaultPassBuilder.define_nopython_pipeline(self.state)]


def compiled(function: Any) -> Any:
    """A loop, compiled when it is first called; the values of functions that are not finite are those of NumPy."""
    return numba.njit(error_model="numpy", nogil=True, no_cfunc_wrapper=True, pipeline_class=Unaliased)(function)


@numba.njit(fastmath={"reassoc", "nsz"})  # type: ignore[untyped-decorator]
def row_plus(total: Any, term: Any) -> Any:
    """A sum, whose terms are added in any order, several at a time."""
    return total + term


@numba.njit  # type: ignore[untyped-decorator]
def row_larger(one: Any, other: Any) -> Any:
    """The larger number, or what is not a number."""
    return one if one >= other or one != one else other


@numba.njit  # type: ignore[untyped-decorator]
def row_square(number: Any) -> Any:
    """A number times itself."""
    return number * number
