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


def erf(u):  # type: ignore[no-untyped-def]
    """The error function, which NumPy does not have."""
    u = np.asarray(u)
    return np.vectorize(math.erf, otypes=[u.dtype])(u)
