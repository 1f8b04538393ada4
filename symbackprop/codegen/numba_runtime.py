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
        self._float: Any = np.dtype(code.dtype)

    def __call__(self, params: Mapping[str, Any], /, **data: Any) -> tuple[Any, dict[str, Any]]:
        """The value and its gradients as arrays of NumPy, in the order of wrt."""
        value, *gradients = self._run(self._read(params, data))
        return value, dict(zip(self.code.gradients, gradients, strict=True))

    def value(self, params: Mapping[str, Any], /, **data: Any) -> Any:
        """The value alone."""
        return self(params, **data)[0]

    def _run(self, arrays: list[Any]) -> list[Any]:
        """The value and the gradients."""
        made = [np.empty(shape or 1, self._float) for shape in self._outputs]
        self._step(*arrays, *made)
        return [array if shape else array[0] for array, shape in zip(made, self._outputs, strict=True)]

    def _read(self, params: Mapping[str, Any], data: Mapping[str, Any]) -> list[Any]:
        """The arguments of a call as arrays in C's order, a scalar with one entry."""
        arrays = self._take(params, data)
        if arrays is not None:
            return arrays
        bound, _ = translate(lambda: bind(self.layout, params, data, self._float, Library))
        return [self._contiguous(array) for array in bound.values()]

    def _take(self, params: Mapping[str, Any], data: Mapping[str, Any]) -> list[Any] | None:
        """The arguments of a call as they are, where they are arrays that need no look at their entries."""
        if self.layout["integers"] or len(params) + len(data) != len(self.shapes):
            return None
        groups = (self.layout["params"], params), (self.layout["data"], data)
        arrays = [given.get(name) for names, given in groups for name in names]
        return arrays if all(map(self._fits, arrays, self.shapes.values())) else None

    def _descend(
        self, params: Mapping[str, Any], learning_rate: float, steps: int, data: Mapping[str, Any]
    ) -> tuple[Any, dict[str, Any]]:
        names = tuple(self.layout["params"])
        arrays = self._take(params, data)
        if arrays is None:
            start, batches = self._bind_batches(params, data)
        else:
            start, batches = arrays[: len(names)], [array[None] for array in arrays[len(names) :]]
        moved = [np.array(array, order="C") for array in start]
        made = [np.empty(shape or 1, self._float) for shape in self._outputs]
        losses = np.empty(steps, self._float)
        changed = [array if array.ndim else array.reshape(1) for array in moved]
        self._loop(*changed, *batches, *made, losses, float(learning_rate))
        return losses, dict(zip(names, moved, strict=True))

    def _bind_batches(self, params: Mapping[str, Any], data: Mapping[str, Any]) -> tuple[list[Any], list[Any]]:
        """The parameters, and the data with an axis of batches in front."""
        integers = self.layout["integers"]
        given = {n: Library.cast(n, v, None if n in integers else self._float) for n, v in data.items()}
        long = {name: len(a) for name, a in given.items() if a.ndim == len(self.shapes.get(name, ())) + 1}
        count = check_batches(long)
        bound: dict[str, Any] = {}
        for k in reversed(range(count if any(name in integers for name in long) else 1)):
            batch = {name: array[k] if name in long else array for name, array in given.items()}
            bound, _ = bind(self.layout, params, batch, self._float, Library)
        batches = [
            self._contiguous(given[name] if name in long else bound[name]).reshape(-1, *(self.shapes[name] or (1,)))
            for name in self.layout["data"]
        ]
        return [bound[name] for name in self.layout["params"]], batches

    def _fits(self, array: Any, shape: tuple[int, ...]) -> bool:
        """Whether a value can be handed on as it is."""
        return (
            type(array) is np.ndarray
            and array.dtype is self._float
            and array.shape == (shape or None)  # a scalar becomes an array first
            and array.flags.c_contiguous
        )

    def _contiguous(self, array: Any) -> Any:
        """An array in C's order, a scalar with one entry."""
        return np.ascontiguousarray(array, dtype=np.int64 if array.dtype.kind in "iu" else self._float)
