"""What generated NumPy code calls beside NumPy; a standalone module gets a copy of the source."""

from __future__ import annotations

import math

import numpy as np


def gather(array, *indices):  # type: ignore[no-untyped-def]
    """The array read at indices that count from 1; 0 where one of them is outside its axis."""
    inside = True
    for size, index in zip(array.shape, indices, strict=True):
        inside = inside & (index >= 1) & (index <= size)
    clipped = tuple(np.clip(index, 1, size) - 1 for size, index in zip(array.shape, indices, strict=True))
    return np.where(inside, array[clipped], 0)


def take(array, *places):  # type: ignore[no-untyped-def]
    """The array at places that count from 1, None keeping an axis; zeros where a place is outside its axis."""
    inside = all(p is None or 1 <= p <= size for p, size in zip(places, array.shape, strict=True))
    at = tuple(slice(None) if p is None else int(p) - 1 if inside else 0 for p in places)
    return array[at] if inside else np.zeros_like(array[at])


def scatter(size, index, values):  # type: ignore[no-untyped-def]
    """The sums of the values into `size` entries that `index` counts from 1; what is outside is left out."""
    index = np.broadcast_to(index, values.shape[: np.ndim(index)])
    result = np.zeros((size, *values.shape[index.ndim :]), dtype=values.dtype)
    inside = (index >= 1) & (index <= size)
    np.add.at(result, index[inside] - 1, values[inside])
    return result


def matrix_inverse(matrix):  # type: ignore[no-untyped-def]
    """The inverse of a square matrix; nan where there is none."""
    try:
        return np.linalg.inv(matrix)
    except np.linalg.LinAlgError:
        return np.full_like(matrix, np.nan)


def log_determinant(matrix):  # type: ignore[no-untyped-def]
    """The logarithm of the absolute value of a determinant."""
    return np.linalg.slogdet(matrix)[1]


def erf(u):  # type: ignore[no-untyped-def]
    """The error function, which NumPy does not have."""
    u = np.asarray(u)
    return np.vectorize(math.erf, otypes=[u.dtype])(u)


HELPERS = (gather, take, scatter, matrix_inverse, log_determinant, erf)
"""What generated code may call, in the order in which a standalone module carries it."""
