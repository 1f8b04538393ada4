"""The functions at the end of a standalone module: its public interface and its check against finite differences.

Their source is copied; the names in capitals, `Library`, `_forward`, `_backward` and what `binding` defines are those
of that module. They need no library of arrays beyond that.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from symbackprop.codegen.binding import bind, measure, write_out

DTYPE: Any = float
EPSILON = 2.0**-52
VALUE = ""
GRADIENTS: tuple[str, ...] = ()
LAYOUT: dict[str, Any] = {"params": {}, "data": {}, "integers": {}, "made": (), "sizes": (), "order": ()}
Library: Any = None
_forward: Callable[..., tuple[Any, Any]] = lambda: (0, ())  # noqa: E731 - stands for generated code
_backward: Callable[..., tuple[Any, ...]] = lambda: ()  # noqa: E731 - stands for generated code


def forward(params: dict[str, Any], /, **data: Any) -> tuple[Any, Any]:
    """The value, and what the backward pass needs."""
    with Library.scope(DTYPE):
        arrays, sizes = bind(LAYOUT, params, data, DTYPE, Library)
        return _forward(*arrays.values(), *(sizes[name] for name in LAYOUT["order"]))


def backward(saved: Any) -> dict[str, Any]:
    """The gradients by name."""
    with Library.scope(DTYPE):
        return dict(zip(GRADIENTS, _backward(*saved), strict=True))


def value_and_grad(params: dict[str, Any], /, **data: Any) -> tuple[Any, dict[str, Any]]:
    """The value and the gradients; out= takes arrays to write the gradients into."""
    free = "out" not in LAYOUT["data"] and "out" not in LAYOUT["sizes"]
    out = data.pop("out", None) if free else None
    with Library.scope(DTYPE):
        arrays, sizes = bind(LAYOUT, params, data, DTYPE, Library)
        ordered = tuple(sizes[name] for name in LAYOUT["order"])
        given = tuple(arrays.values())
        targets = Library.named(out, GRADIENTS)
        if targets is not None and not Library.can_write(targets, [arrays[name] for name in GRADIENTS], given):
            targets = None
        value, found = Library.run(_forward, _backward, given, ordered, targets)
        gradients = dict(zip(GRADIENTS, found, strict=True))
        if out is not None:
            write_out(out, gradients, Library)
            gradients = dict(out)
        return value if value.ndim else value[()], gradients


def fill(shape: Sequence[int], draw: Callable[[], Any]) -> Any:
    """Nested lists of what is drawn."""
    return [fill(shape[1:], draw) for _ in range(shape[0])] if shape else draw()


def make_example(seed: int = 0) -> tuple[dict[str, Any], dict[str, Any]]:
    """Random arguments between 0.1 and 0.9, integers in their ranges, with the first sizes from 2 upwards that fit."""
    drawn = random.Random(seed)
    axes = [axis for group in (LAYOUT["params"], LAYOUT["data"]) for axes in group.values() for axis in axes]
    sizes: dict[str, int] = {}
    for start in itertools.product(range(2, 9), repeat=len(LAYOUT["order"])):
        sizes = {name: value + number for number, (name, value) in enumerate(zip(LAYOUT["order"], start, strict=True))}
        if all(measure(axis, sizes) >= 1 for axis in (*axes, *LAYOUT["made"])):
            break
    made: list[dict[str, Any]] = []
    for group in (LAYOUT["params"], LAYOUT["data"]):
        filled = {}
        for name in group:
            shape, largest = [measure(axis, sizes) for axis in group[name]], LAYOUT["integers"].get(name)
            if largest is None:
                filled[name] = Library.cast(name, fill(shape, partial(drawn.uniform, 0.1, 0.9)), DTYPE)
            else:
                filled[name] = Library.cast(name, fill(shape, partial(drawn.randint, 1, measure(largest, sizes))), None)
        made.append(filled)
    return made[0], {**made[1], **{name: sizes[name] for name in LAYOUT["sizes"]}}


def measure_error(params: dict[str, Any], data: dict[str, Any], tolerance: float) -> dict[str, float]:
    """For each gradient its distance from a central difference along a random direction.

    It is relative to the difference, or to what rounding of the value makes of it at the tolerance, if that is more.
    """
    drawn = random.Random(1)
    step = 1e-6 if EPSILON < 1e-10 else 1e-2
    _, gradients = value_and_grad(params, **data)
    errors = {}
    for name, gradient in gradients.items():
        group = params if name in params else data
        given = Library.cast(name, group[name], DTYPE)
        direction = Library.cast(name, fill(given.shape, partial(drawn.uniform, -1, 1)), DTYPE)
        ends = []
        for sign in (1, -1):
            moved = {**group, name: given + sign * step * direction}
            value, _ = forward(moved, **data) if name in params else forward(params, **moved)
            ends.append(value)
        expected = (ends[0] - ends[1]) / (2 * step)
        found = gradient * direction
        while found.ndim > expected.ndim:
            found = found.sum(-1)
        rounding = 4 * EPSILON * float(abs(ends[0]).max()) / step
        scale = max(float(abs(expected).max()), rounding / tolerance, 1e-300)
        errors[name] = float(abs(found - expected).max()) / scale
    return errors


def check_gradients() -> int:
    """Print how far each gradient is from finite differences; 0 if all are near, 1 if one is not."""
    tolerance = 1e-6 if EPSILON < 1e-10 else 1e-2
    with Library.scope(DTYPE):
        errors = measure_error(*make_example(), tolerance)
    for name, error in errors.items():
        verdict = "agrees" if error <= tolerance else "DIFFERS"
        print(f"d {VALUE} / d {name}: {verdict} with finite differences, relative distance {error:.1e}")
    return 0 if all(error <= tolerance for error in errors.values()) else 1
