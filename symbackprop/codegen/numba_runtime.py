"""Straight-line code compiled by numba, on arrays of NumPy; a loop of gradient steps is one call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numba
import numpy as np

from symbackprop.codegen.binding import bind
from symbackprop.codegen.code import Code
from symbackprop.codegen.numpy_runtime import Library
from symbackprop.codegen.scalar_compiled import ScalarFunction, check_batches, load_functions, translate

FLOAT = np.dtype(np.float64)


@numba.njit(error_model="numpy")  # type: ignore[untyped-decorator]
def select(condition: Any, value: Any, other: Any) -> Any:
    """One number or another."""
    return value if condition else other


class Function(ScalarFunction):
    """Straight-line code that numba has compiled, which it does at the first call."""

    def __init__(self, code: Code) -> None:
        super().__init__(code)
        names: dict[str, Any] = {"select": select}
        for name, function in load_functions(code.source, {}).items():
            # The values of functions that are not finite are those of NumPy.
            names[name] = numba.njit(error_model="numpy")(function)
            function.__globals__.update(names)
        self._step = names["_step"]
        self._loop: Any = names.get("_loop")
        self._outputs = code.layout["outputs"]

    def __call__(self, params: Mapping[str, Any], /, **data: Any) -> tuple[Any, dict[str, Any]]:
        """The value and its gradients as arrays of NumPy, in the order of wrt."""
        value, *gradients = self._run(self._read(params, data))
        return value, dict(zip(self.code.gradients, gradients, strict=True))

    def value(self, params: Mapping[str, Any], /, **data: Any) -> Any:
        """The value alone."""
        return self(params, **data)[0]

    def _run(self, arrays: list[Any]) -> list[Any]:
        """The value and the gradients."""
        made = [np.empty(shape or 1) for shape in self._outputs]
        self._step(*arrays, *made)
        return [array if shape else array[0] for array, shape in zip(made, self._outputs, strict=True)]

    def _read(self, params: Mapping[str, Any], data: Mapping[str, Any]) -> list[Any]:
        """The arguments of a call as arrays in C's order, a scalar with one entry."""
        if not self.layout["integers"] and len(params) + len(data) == len(self.shapes):
            groups = (self.layout["params"], params), (self.layout["data"], data)
            arrays = [given.get(name) for names, given in groups for name in names]
            if all(map(_fits, arrays, self.shapes.values())):
                return arrays
        bound, _ = translate(lambda: bind(self.layout, params, data, np.float64, Library))
        return [_contiguous(array) for array in bound.values()]

    def _descend(
        self, params: Mapping[str, Any], learning_rate: float, steps: int, data: Mapping[str, Any]
    ) -> tuple[Any, dict[str, Any]]:
        integers = self.layout["integers"]
        given = {n: Library.cast(n, v, None if n in integers else np.float64) for n, v in data.items()}
        long = {name: len(a) for name, a in given.items() if a.ndim == len(self.shapes.get(name, ())) + 1}
        count = check_batches(long)
        bound: dict[str, Any] = {}
        for k in reversed(range(count if any(name in integers for name in long) else 1)):
            batch = {name: array[k] if name in long else array for name, array in given.items()}
            bound, _ = bind(self.layout, params, batch, np.float64, Library)
        moved = {name: np.array(bound[name], order="C") for name in self.layout["params"]}
        batches = [
            _contiguous(given[name] if name in long else bound[name]).reshape(-1, *(self.shapes[name] or (1,)))
            for name in self.layout["data"]
        ]
        made = [np.empty(shape or 1) for shape in self._outputs]
        losses = np.empty(steps)
        self._loop(*(np.atleast_1d(a) for a in moved.values()), *batches, *made, losses, float(learning_rate))
        return losses, moved


def _fits(array: Any, shape: tuple[int, ...]) -> bool:
    """Whether a value can be handed on as it is."""
    return (
        type(array) is np.ndarray
        and array.dtype is FLOAT
        and array.shape == (shape or None)  # a scalar becomes an array first
        and array.flags.c_contiguous
    )


def _contiguous(array: Any) -> Any:
    """An array in C's order, a scalar with one entry."""
    return np.ascontiguousarray(array, dtype=np.int64 if array.dtype.kind in "iu" else np.float64)
