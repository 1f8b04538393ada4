"""What the traced code sees in the place of `float`, `type`, `isinstance`, `bytes` and `np.ndarray`.

Traced numbers pass for floats and arrays of them for arrays of floats, so that the code takes the branches that it
takes on floats.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symbackprop.proof.stops import TracingStoppedError
from symbackprop.proof.traced_selections import Selection
from symbackprop.proof.traced_truths import Truth
from symbackprop.proof.traced_values import PythonFloat, Traced


class _FloatType(type):
    """The type of a `float` that lets traced numbers through."""

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, float) or (isinstance(value, Traced) and not isinstance(value, Truth))

    def __call__(cls, value: Any = 0.0) -> Any:
        return value.item() if isinstance(value, Traced) else float(value)


class TracedFloat(float, metaclass=_FloatType):
    """`float` in traced code, as a function, a type and a dtype."""

    dtype = np.dtype(np.float64)


class _BytesType(type):
    """The type of `bytes` that reads no memory."""

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, bytes)

    def __call__(cls, *args: Any) -> Any:
        if any(isinstance(each, np.ndarray) for each in args):
            raise TracingStoppedError("bytes reads raw memory, which is not traced")
        return bytes(*args)


class TracedBytes(bytes, metaclass=_BytesType):
    """`bytes` in traced code."""


class _ArrayType(type):
    """The type of arrays, which must not be called: what it makes holds whatever was in memory."""

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, np.ndarray | Selection)

    def __call__(cls, *_: Any, **__: Any) -> Any:
        raise TracingStoppedError("np.ndarray(...) holds whatever was in memory; np.zeros is traced")

    def __getattr__(cls, name: str) -> Any:
        return getattr(np.ndarray, name)


class TracedNdarray(metaclass=_ArrayType):
    """`np.ndarray` in traced code."""


TracedNdarray.__name__ = np.ndarray.__name__


class TracedType(type):
    """`type` in traced code: traced numbers are floats, and arrays of them arrays."""

    def __new__(cls, *args: Any) -> Any:
        """The type of a value, or a new class."""
        if len(args) > 1:
            return type(*args)
        if isinstance(args[0], Traced):
            return _type_of(args[0])
        return TracedNdarray if isinstance(args[0], np.ndarray | Selection) else type(args[0])


def _type_of(value: Traced) -> type:
    """The type that the code meets where floats are computed with."""
    if isinstance(value, Truth):
        return np.bool_
    value.check_type()
    return float if isinstance(value, PythonFloat) else np.float64


def is_instance(value: Any, kinds: Any) -> bool:
    """`isinstance` in traced code."""
    if isinstance(kinds, tuple):
        return any(is_instance(value, kind) for kind in kinds)
    kind = type if kinds is TracedType else kinds
    if isinstance(value, Traced):
        value = _type_of(value)(0)
    return isinstance(value, kind)
