"""`np.linalg` in traced code: what has a formula in the entries; the rest runs on constants, or is not traced."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import sympy as sp

from symbackprop.proof.stops import PointRejectedError, TracingStoppedError
from symbackprop.proof.traced_constants import NotConstantError, as_floats
from symbackprop.proof.traced_paths import TracedPath
from symbackprop.proof.traced_values import Traced

_LARGEST = 5
_UNTRACED = (
    "cond", "eig", "eigh", "eigvals", "eigvalsh", "lstsq", "matrix_rank", "pinv", "qr", "svd",
    "svdvals", "tensorinv", "tensorsolve",
)  # fmt: skip


class SignAndLog(NamedTuple):
    """The sign of a determinant and the logarithm of its absolute value."""

    sign: Any
    logabsdet: Any


class LinalgShim:
    """The part of `np.linalg` that has a formula in the entries."""

    def __init__(self, path: TracedPath) -> None:
        self._path = path
        self.LinAlgError = np.linalg.LinAlgError

    def __getattr__(self, name: str) -> Any:
        found = getattr(np.linalg, name)
        if name in _UNTRACED:
            return lambda *args, **options: self._of_constants(found, args, options)
        return lambda *args, **options: self._path.settle(found(*args, **options))

    def _of_constants(self, function: Any, args: Any, options: Any) -> Any:
        """What NumPy makes of numbers that are known."""
        try:
            known, named = as_floats((args, options))
        except NotConstantError as error:
            name = function.__name__
            raise TracingStoppedError(f"np.linalg.{name} is not traced: it has no formula in the entries") from error
        made = function(*known, **named)
        return tuple(map(self._path.settle, made)) if isinstance(made, tuple) else self._path.settle(made)

    def cholesky(self, a: Any, *, upper: bool = False) -> Any:
        """The lower factor L of L L^T, row by row, of the lower half of each matrix; upper is its transpose."""
        matrices = self._exact(a)
        half = "upper" if upper else "lower"
        note = f"The {half} half is all that np.linalg.cholesky reads: by the rest the derivative is 0."
        self._path.notes[note] = None
        if upper:
            matrices = np.swapaxes(matrices, -1, -2)
        made = np.asarray(self._each(self._square(matrices, "cholesky"), self._factor, matrices.shape[-2:]))
        return self._path.settle(np.swapaxes(made, -1, -2) if upper else made)

    def _factor(self, matrix: Any) -> Any:
        """The factor of one matrix, at points where it has one; that its pivots are positive is what the roots need."""
        made = np.full(matrix.shape, self._path.zero, dtype=object)
        for i in range(len(matrix)):
            for j in range(i + 1):
                rest = matrix[i, j] - sum((made[i, k] * made[j, k] for k in range(j)), self._path.zero)
                if i != j:
                    made[i, j] = rest / made[j, j]
                    continue
                if self._path.handles_errors and self._path.sign(rest.expression) <= 0:
                    self._path.refuse(self.LinAlgError("Matrix is not positive definite"))
                if not self._path.is_positive_here(rest.expression):
                    raise PointRejectedError("np.linalg.cholesky is taken of a matrix that is not positive definite")
                made[i, i] = self._path.function("sqrt", rest)
                self._path.compared.append(made[i, i].needs)
        return made

    def det(self, a: Any) -> Any:
        """The determinant of each matrix."""
        matrices = self._matrices(a, "det")
        return self._each(matrices, lambda m: np.asarray(_determinant(m), dtype=object), ())

    def inv(self, a: Any) -> Any:
        """The inverse of each matrix: cofactors over the determinant."""
        matrices = self._matrices(a, "inv")
        return self._each(matrices, _inverse, matrices.shape[-2:])

    def solve(self, a: Any, b: Any) -> Any:
        """What a matrix takes to b."""
        inverse = np.asarray(self.inv(a))
        right = self._exact(b)
        return self._path.settle(inverse @ right)

    def slogdet(self, a: Any) -> SignAndLog:
        """The sign of the determinant, which is known on a path, and the logarithm of its absolute value."""
        determinant = np.asarray(self.det(a), dtype=object)
        signs = _each_entry(lambda each: self._path.constant(self._path.sign(each.expression)), determinant)
        logarithms = _each_entry(lambda each: self._path.function("log", each), determinant * signs)
        return SignAndLog(self._path.settle(signs), self._path.settle(logarithms))

    def norm(self, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
        """The Euclidean norm, over all entries or along axes, and the norms that need no more than sums and extrema."""
        values = self._exact(x)
        if ord is None and axis is None:
            values, kept = values.reshape(-1), (1,) * values.ndim
            total = self._root(np.sum(values * values))
            return self._path.settle(np.asarray(total, dtype=object).reshape(kept)) if keepdims else total
        axes = tuple(range(values.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        if ord is None or (ord == 2 and len(axes) == 1) or (ord == "fro" and len(axes) == 2):
            return self._root(np.sum(values * values, axis=axes, keepdims=keepdims))
        if ord == 1 and len(axes) == 1:
            return self._path.settle(np.sum(np.abs(values), axis=axes, keepdims=keepdims))
        if ord == np.inf and len(axes) == 1:
            return self._path.settle(np.max(np.abs(values), axis=axes[0], keepdims=keepdims))
        over = "1 axis" if len(axes) == 1 else f"{len(axes)} axes"
        raise TracingStoppedError(f"np.linalg.norm with ord={ord!r} over {over} is not traced")

    def _root(self, values: Any) -> Any:
        return self._path.settle(_each_entry(lambda each: self._path.function("sqrt", each), values))

    def _exact(self, value: Any) -> np.ndarray[Any, Any]:
        """An array of traced numbers, as a plain one."""
        values = np.asarray(value)
        return self._path.exact(values) if values.dtype.kind != "O" or not values.ndim else values

    def _matrices(self, a: Any, name: str) -> np.ndarray[Any, Any]:
        return self._square(self._exact(a), name)

    @staticmethod
    def _square(matrices: np.ndarray[Any, Any], name: str) -> np.ndarray[Any, Any]:
        if matrices.ndim < 2 or matrices.shape[-1] != matrices.shape[-2]:
            raise np.linalg.LinAlgError("Last 2 dimensions of the array must be square")
        if matrices.shape[-1] > _LARGEST:
            raise TracingStoppedError(
                f"np.linalg.{name} is traced up to {_LARGEST} by {_LARGEST} entries; give smaller shapes"
            )
        return matrices

    def _each(self, matrices: Any, function: Callable[[Any], Any], shape: tuple[int, ...]) -> Any:
        """A function of each matrix of a stack."""
        leading = matrices.shape[:-2]
        made = np.empty((*leading, *shape), dtype=object)
        for place in np.ndindex(*leading):
            made[place] = function(matrices[place])
        return self._path.settle(made)


def _each_entry(function: Callable[[Any], Any], values: Any) -> Any:
    return np.frompyfunc(function, 1, 1)(values)


def _minors(matrix: Any, rows: Sequence[int]) -> dict[tuple[int, ...], Any]:
    """Determinants of the last k of some rows, by the columns chosen, each expanded along its first row."""
    known: dict[tuple[int, ...], Any] = {(): 1}
    for count in range(1, len(rows) + 1):
        row = rows[-count]
        for columns in itertools.combinations(range(len(matrix)), count):
            terms = [
                (-1) ** k * matrix[row, column] * known[(*columns[:k], *columns[k + 1 :])]
                for k, column in enumerate(columns)
            ]
            known[columns] = sum(terms[1:], terms[0])
    return known


def _determinant(matrix: Any) -> Any:
    size = len(matrix)
    return _minors(matrix, range(size))[tuple(range(size))]


def _inverse(matrix: Any) -> np.ndarray[Any, Any]:
    size = len(matrix)
    determinant = _determinant(matrix)
    if isinstance(determinant, Traced) and determinant.expression == sp.S.Zero:
        raise np.linalg.LinAlgError("Singular matrix")
    made = np.empty((size, size), dtype=object)
    for i in range(size):
        minors = _minors(matrix, [k for k in range(size) if k != i])
        for j in range(size):
            columns = tuple(k for k in range(size) if k != j)
            made[j, i] = (-1) ** (i + j) * minors[columns] / determinant
    return made
