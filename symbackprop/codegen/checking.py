"""The functions at the end of a standalone module: its public interface and its check against finite differences.

Their source is copied; the names in capitals, `_forward`, `_backward` and what `binding` defines are those of that
module.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from symbackprop.codegen.binding import bind, measure, write_out

DTYPE: Any = np.float64
VALUE = ""
GRADIENTS: tuple[str, ...] = ()
LAYOUT: dict[str, Any] = {"params": {}, "data": {}, "integers": {}, "made": (), "sizes": (), "order": ()}
_forward: Callable[..., tuple[Any, Any]] = lambda: (np.zeros(()), ())  # noqa: E731 - stands for generated code
_backward: Callable[..., tuple[Any, ...]] = lambda: ()  # noqa: E731 - stands for generated code


def forward(params: dict[str, Any], /, **data: Any) -> tuple[Any, Any]:
    """The value, and what the backward pass needs."""
    arrays, sizes = bind(LAYOUT, params, data, DTYPE)
    return _forward(*arrays.values(), *(sizes[name] for name in LAYOUT["order"]))


def backward(saved: Any) -> dict[str, Any]:
    """The gradients by name."""
    return dict(zip(GRADIENTS, _backward(*saved), strict=True))


def value_and_grad(params: dict[str, Any], /, **data: Any) -> tuple[Any, dict[str, Any]]:
    """The value and the gradients; out= takes arrays to write the gradients into."""
    free = "out" not in LAYOUT["data"] and "out" not in LAYOUT["sizes"]
    out = data.pop("out", None) if free else None
    value, saved = forward(params, **data)
    gradients = backward(saved)
    if out is not None:
        write_out(out, gradients)
        gradients = dict(out)
    return value if value.ndim else value[()], gradients


def make_example(seed: int = 0) -> tuple[dict[str, Any], dict[str, Any]]:
    """Random arguments between 0.1 and 0.9, integers in their ranges, with the first sizes from 2 upwards that fit."""
    rng = np.random.default_rng(seed)
    axes = [axis for group in (LAYOUT["params"], LAYOUT["data"]) for axes in group.values() for axis in axes]
    for start in itertools.product(range(2, 9), repeat=len(LAYOUT["order"])):
        sizes = {name: value + number for number, (name, value) in enumerate(zip(LAYOUT["order"], start, strict=True))}
        if all(measure(axis, sizes) >= 1 for axis in (*axes, *LAYOUT["made"])):
            break
    made = []
    for group in (LAYOUT["params"], LAYOUT["data"]):
        shapes = {name: [measure(axis, sizes) for axis in group[name]] for name in group}
        made.append({name: rng.uniform(0.1, 0.9, shape).astype(DTYPE) for name, shape in shapes.items()})
    for name, largest in LAYOUT["integers"].items():
        made[1][name] = rng.integers(1, measure(largest, sizes) + 1, np.shape(made[1][name]))
    return made[0], {**made[1], **{name: sizes[name] for name in LAYOUT["sizes"]}}


def measure_error(params: dict[str, Any], data: dict[str, Any], tolerance: float) -> dict[str, float]:
    """For each gradient its distance from a central difference along a random direction.

    It is relative to the difference, or to what rounding of the value makes of it at the tolerance, if that is more.
    """
    rng = np.random.default_rng(1)
    step = 1e-6 if DTYPE == np.float64 else 1e-2
    _, gradients = value_and_grad(params, **data)
    errors = {}
    for name, gradient in gradients.items():
        group = params if name in params else data
        direction = rng.standard_normal(np.shape(group[name])).astype(DTYPE)
        ends = []
        for sign in (1, -1):
            moved = {**group, name: (group[name] + DTYPE(sign * step) * direction).astype(DTYPE)}
            value, _ = forward(moved, **data) if name in params else forward(params, **moved)
            ends.append(np.asarray(value, dtype=float))
        expected = (ends[0] - ends[1]) / (2 * step)
        found = (gradient * direction).sum(axis=tuple(range(expected.ndim, gradient.ndim)))
        rounding = 4 * float(np.finfo(DTYPE).eps) * float(np.abs(ends[0]).max()) / step
        scale = max(float(np.abs(expected).max()), rounding / tolerance, 1e-300)
        errors[name] = float(np.abs(found - expected).max()) / scale
    return errors


def check_gradients() -> int:
    """Print how far each gradient is from finite differences; 0 if all are near, 1 if one is not."""
    tolerance = 1e-6 if DTYPE == np.float64 else 1e-2
    errors = measure_error(*make_example(), tolerance)
    for name, error in errors.items():
        verdict = "agrees" if error <= tolerance else "DIFFERS"
        print(f"d {VALUE} / d {name}: {verdict} with finite differences, relative distance {error:.1e}")
    return 0 if all(error <= tolerance for error in errors.values()) else 1


CONTENTS = (forward, backward, value_and_grad, make_example, measure_error, check_gradients)
"""What a standalone module carries of this one, in order."""
