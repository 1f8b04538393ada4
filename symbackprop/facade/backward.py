"""Hand-written NumPy, proved or refuted."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

from symbackprop.errors import ArgumentError
from symbackprop.proof import Verdict
from symbackprop.proof.backward_shapes import judge_backward
from symbackprop.proof.tracing import Subject, make_upstream

_MOST_ENTRIES = 1_000_000


def verify_backward(
    forward: Callable[..., Any],
    backward: Callable[..., Any] | None = None,
    *,
    shapes: Mapping[str, tuple[int, ...]],
    data: Mapping[str, Any] | None = None,
    seconds: float = 10.0,
) -> Verdict:
    """Decide whether a hand-written backward returns the derivatives of its forward. It runs your code, unchanged.

    `out, cache = forward(**inputs)` and `grads = backward(dout, cache)`, with the gradients in the order of `shapes`
    or in a mapping by name. Without `backward`, `forward(**inputs)` returns `(output, upstream, {"x": dx, ...})`, where
    `upstream(output)` makes the upstream gradient. `data` holds what is not differentiated: labels, masks, options.
    The proof holds at the given shapes and at another choice of sizes, if the code accepts one; `seconds` of the
    processor bound each. Each run begins with the state that the code has now, and leaves it alone; where a call after
    another one gives another output or gradient, nothing is decided.

    >>> import numpy as np
    >>> def forward(x, w):
    ...     return x @ w, (x, w)
    >>> def backward(dout, cache):
    ...     x, w = cache
    ...     return dout @ w.T, x.T @ dout
    >>> print(verify_backward(forward, backward, shapes={"x": (2, 3), "w": (3, 2)}))
    Proved for the shapes x=(2, 3), w=(3, 2) and x=(3, 4), w=(4, 2).
    """
    for what, function in (("forward", forward), ("backward", backward)):
        if not (callable(function) or (what == "backward" and function is None)):
            raise ArgumentError(f"{what} is a function, not {function!r}.")
    allowed = _read_seconds(seconds)
    fixed = _read_shapes(shapes)
    twice = [name for name in fixed if name in (data or ())]
    if twice:
        raise ArgumentError(f"shapes and data both name {', '.join(twice)}; an input is derived by, or it is given.")
    _check_call(forward, (*fixed, *(data or ())))
    return judge_backward(Subject(forward, backward, fixed, dict(data or {})), allowed)


def upstream(output: Any) -> Any:
    """The gradient that arrives at an output: symbols while a backward is verified, ones otherwise."""
    return make_upstream(output)


def _check_call(forward: Callable[..., Any], names: Sequence[str]) -> None:
    """ArgumentError where forward cannot be called with the inputs that shapes and data name."""
    try:
        signature = inspect.signature(forward)
    except ValueError:  # as of a function that is not written in Python
        return
    try:
        signature.bind(**dict.fromkeys(names))
    except TypeError as error:
        raise ArgumentError(
            f"forward{signature} is called with {', '.join(names)}, the inputs that shapes and data name: {error}."
        ) from error


def _read_seconds(seconds: Any) -> float:
    """The time as a number of seconds."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0:
        raise ArgumentError(f"seconds is a positive number such as 10, not {seconds!r}.")
    return float(seconds)


def _read_shapes(shapes: Any) -> dict[str, tuple[int, ...]]:
    """The shapes as tuples; one size stands for a vector."""
    if not isinstance(shapes, Mapping):
        raise ArgumentError(f'shapes is a mapping from inputs to shapes, such as {{"x": (2, 3)}}, not {shapes!r}.')
    fixed: dict[str, tuple[int, ...]] = {}
    for name, shape in shapes.items():
        sizes = (shape,) if isinstance(shape, int) else tuple(shape) if isinstance(shape, tuple | list) else (None,)
        if not all(isinstance(size, int) and not isinstance(size, bool) and size > 0 for size in sizes):
            raise ArgumentError(f"the shape of {name} is a tuple of positive integers such as (2, 3), not {shape!r}.")
        fixed[name] = sizes
    if not fixed:
        raise ArgumentError('shapes is empty; give the shape of each input, such as {"x": (2, 3)}.')
    if (entries := sum(map(prod, fixed.values()))) > _MOST_ENTRIES:
        raise ArgumentError(f"shapes have {entries} entries, each of which is traced; at most {_MOST_ENTRIES} are.")
    return fixed
