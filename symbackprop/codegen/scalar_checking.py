"""The functions at the end of a standalone module of straight-line Python: its public interface and its check.

Their source is copied; the names in capitals, `_forward`, `_backward` and what `python_runtime` and `binding` define
are those of that module.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Any

from symbackprop.codegen.python_runtime import flatten, nest, read_arrays, run_backward, run_forward, shapes_of

VALUE = ""
GRADIENTS: tuple[str, ...] = ()
LAYOUT: dict[str, Any] = {"params": {}, "data": {}, "integers": {}}
_forward: Callable[..., tuple[Any, Any]] = lambda: (0, ())  # noqa: E731 - stands for generated code
_backward: Callable[..., tuple[Any, ...]] = lambda: ()  # noqa: E731 - stands for generated code


def forward(params: dict[str, Any], /, **data: Any) -> tuple[Any, Any]:
    """The value, and what the backward pass needs; arrays are nested lists."""
    value, saved = run_forward(_forward, read_arrays(LAYOUT, params, data))
    return value, saved


def backward(saved: Any) -> dict[str, Any]:
    """The gradients by name, as nested lists."""
    return dict(zip(GRADIENTS, run_backward(_backward, saved), strict=True))


def value_and_grad(params: dict[str, Any], /, **data: Any) -> tuple[Any, dict[str, Any]]:
    """The value and the gradients."""
    value, saved = forward(params, **data)
    return value, backward(saved)


def make_example() -> tuple[dict[str, Any], dict[str, Any]]:
    """Random arguments."""
    drawn, shapes = random.Random(0), shapes_of(LAYOUT)
    made: list[dict[str, Any]] = []
    for group in (LAYOUT["params"], LAYOUT["data"]):
        filled = {}
        for name in group:
            largest = LAYOUT["integers"].get(name)
            draw = partial(drawn.uniform, 0.1, 0.9) if largest is None else partial(drawn.randint, 1, largest[0])
            filled[name] = nest(iter(draw, None), shapes[name])
        made.append(filled)
    return made[0], made[1]


def measure_error(params: dict[str, Any], data: dict[str, Any], tolerance: float) -> dict[str, float]:
    """For each gradient its distance from a central difference along a random direction.

    It is relative to the difference, or to what rounding of the value makes of it at the tolerance, if that is more.
    """
    drawn, step, shapes = random.Random(1), 1e-6, shapes_of(LAYOUT)
    _, gradients = value_and_grad(params, **data)
    errors = {}
    for name, gradient in gradients.items():
        group = params if name in params else data
        given = flatten(group[name])
        direction = [drawn.uniform(-1, 1) for _ in given]
        ends = []
        for sign in (1, -1):
            moved = [entry + sign * step * d for entry, d in zip(given, direction, strict=True)]
            changed = {**group, name: nest(iter(moved), shapes[name])}
            value, _ = forward(changed, **data) if name in params else forward(params, **changed)
            ends.append(flatten(value))
        expected = [(up - down) / (2 * step) for up, down in zip(*ends, strict=True)]
        entries, count = flatten(gradient), len(direction)
        rows = [entries[k * count : (k + 1) * count] for k in range(len(expected))]
        found = [sum(g * d for g, d in zip(row, direction, strict=True)) for row in rows]
        rounding = 2.0**-50 * max(map(abs, ends[0])) / step
        scale = max(*map(abs, expected), rounding / tolerance, 1e-300)
        errors[name] = max(abs(f - e) for f, e in zip(found, expected, strict=True)) / scale
    return errors


def check_gradients() -> int:
    """Print how far each gradient is from finite differences; 0 if all are near, 1 if one is not."""
    tolerance = 1e-6
    errors = measure_error(*make_example(), tolerance)
    for name, error in errors.items():
        verdict = "agrees" if error <= tolerance else "DIFFERS"
        print(f"d {VALUE} / d {name}: {verdict} with finite differences, relative distance {error:.1e}")
    return 0 if all(error <= tolerance for error in errors.values()) else 1
