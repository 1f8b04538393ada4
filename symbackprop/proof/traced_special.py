"""What the traced code sees in the place of `scipy.special`, where it is installed."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import sympy as sp

from symbackprop.proof.module_shims import TracedUfunc
from symbackprop.proof.path_signs import NO_TRACE
from symbackprop.proof.stops import TracingStoppedError
from symbackprop.proof.traced_paths import TracedPath


class SpecialShim:
    """The elementwise functions by their names, and what is made of exp, log and sums; the rest is not traced."""

    def __init__(self, path: TracedPath) -> None:
        self._path = path

    def __getattr__(self, name: str) -> Any:
        found = getattr(sys.modules["scipy.special"], name)
        if isinstance(found, np.ufunc):
            return TracedUfunc(self._path, found)
        raise TracingStoppedError(f"scipy.special.{name} has no trace; {NO_TRACE}")

    def logsumexp(self, a: Any, axis: Any = None, b: Any = 1, keepdims: bool = False) -> Any:
        """The logarithm of a sum of exponentials, each times b."""
        return self._each(sp.log, np.sum(self._each(sp.exp, a) * (1 if b is None else b), axis=axis, keepdims=keepdims))

    def softmax(self, x: Any, axis: Any = None) -> Any:
        """Exponentials over their sum."""
        exps = self._each(sp.exp, x)
        return exps / np.sum(exps, axis=axis, keepdims=True)

    def log_softmax(self, x: Any, axis: Any = None) -> Any:
        """The logarithm of that."""
        return self._path.settle(np.asarray(x)) - self.logsumexp(x, axis=axis, keepdims=True)

    def _each(self, function: Any, values: Any) -> Any:
        entries = self._path.exact(np.asarray(values, dtype=object))
        return self._path.settle(np.frompyfunc(lambda entry: entry.apply(function), 1, 1)(entries))
