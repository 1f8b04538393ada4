"""Randomness in traced code: what a seed fixes is the same in every run, and what none fixes cannot be judged."""

from __future__ import annotations

import random
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import sympy as sp

from symbackprop.proof.stops import TracingStoppedError
from symbackprop.proof.traced_paths import TracedPath
from symbackprop.proof.traced_values import Traced

_MAKERS = ("default_rng", "RandomState", "Random")


class SeededSource:
    """A generator of random numbers that was given a seed; its floats are taken exactly as they are drawn."""

    def __init__(self, path: TracedPath, generator: Any) -> None:
        self._path, self._generator = path, generator

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._generator, name)
        return lambda *args, **options: self._exact(
            method(*map(_plain, args), **{k: _plain(v) for k, v in options.items()})
        )

    def _exact(self, value: Any) -> Any:
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            made = np.empty(value.shape, dtype=object)
            for place in np.ndindex(*value.shape):
                made[place] = self._drawn(value[place])
            return self._path.settle(made)
        if isinstance(value, np.ndarray) and value.dtype.kind == "O" and self._path.reading.comparisons_open:
            raise TracingStoppedError("numbers whose comparisons are left open are drawn from")
        return self._drawn(value) if isinstance(value, float | np.floating) else value

    def _drawn(self, value: Any) -> Traced:
        return Traced(self._path, sp.Rational(*float(value).as_integer_ratio()))


class RandomShim:
    """`np.random` or `random` in traced code: it draws once it was seeded, from a source of its own."""

    def __init__(self, path: TracedPath, module: ModuleType, name: str, start: Callable[[Any], Any]) -> None:
        self._path, self._module, self._name, self._start = path, module, name, start
        self._source: SeededSource | None = None

    def seed(self, seed: Any = None) -> None:
        """Start to draw what this seed gives."""
        if seed is None:
            raise TracingStoppedError(f"{self._name}.seed without a number is random; give it one")
        self._source = SeededSource(self._path, self._start(seed))

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._module, name)
        if name in _MAKERS:
            return lambda seed=None: self._make(name, seed)
        if isinstance(found, type) and issubclass(found, random.Random):
            raise TracingStoppedError(f"{self._name}.{name} is random and takes no seed")
        return found if isinstance(found, type) else lambda *args, **options: self._draw(name, *args, **options)

    def _draw(self, name: str, *args: Any, **options: Any) -> Any:
        if self._source is None:
            raise TracingStoppedError(
                f"{self._name}.{name} is random; seed it in the code, or hand the numbers over in data"
            )
        return getattr(self._source, name)(*args, **options)

    def _make(self, name: str, seed: Any) -> SeededSource:
        if seed is None:
            raise TracingStoppedError(f"{self._name}.{name} without a seed is random; give it one")
        return SeededSource(self._path, getattr(self._module, name)(seed))


def numpy_random(path: TracedPath) -> RandomShim:
    """What stands for `np.random` on a path."""
    return RandomShim(path, np.random, "np.random", np.random.RandomState)


def python_random(path: TracedPath) -> RandomShim:
    """What stands for `random` on a path."""
    return RandomShim(path, random, "random", random.Random)


def _plain(value: Any) -> Any:
    """An argument as a plain number, where it is a constant."""
    return float(value) if isinstance(value, Traced) else value
