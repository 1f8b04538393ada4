"""Arguments of generated code: arrays by name, their shapes checked and the sizes of their axes bound.

This module needs no library of arrays, because standalone modules carry its source: what is printed is what runs here.
A layout is a dict: "params" and "data" map the name of a tensor to its axes, "sizes" is the tuple of size names that no
array carries, "integers" maps integer data to the largest entry that it may hold, and "made" are axes of what is
computed. An axis is (constant, ((size name, coefficient), ...)); in place of a name may stand ("//" or "%", axis,
axis).
"""

from __future__ import annotations

import keyword
from typing import Any


class BindingError(ValueError):
    """Arguments that do not fit; `kind` is "names", "shape", "data" or "out"."""

    def __init__(self, kind: str, message: str) -> None:
        self.kind = kind
        super().__init__(message)


def bind(layout: Any, params: Any, data: Any, dtype: Any, library: Any) -> tuple[dict[str, Any], dict[str, int]]:
    """The arrays and the sizes that a call gives, cast to dtype where they are not of it.

    `library` makes arrays and looks at the entries of integer ones.
    """
    if not hasattr(params, "keys"):
        raise BindingError("names", f"The first argument is a {type(params).__name__}; give a dict of parameters.")
    check_names(layout, params, data)
    arrays = {name: library.cast(name, params[name], dtype) for name in layout["params"]}
    integers = layout["integers"]
    arrays.update(
        {name: library.cast(name, data[name], None if name in integers else dtype) for name in layout["data"]}
    )
    sizes = {name: check_size(name, data[name]) for name in layout["sizes"]}
    tensors = {**layout["params"], **layout["data"]}
    source = dict.fromkeys(sizes, "its keyword")
    waiting = [(name, place, axis) for name in tensors for place, axis in enumerate(tensors[name])]
    for name, axes in tensors.items():
        if arrays[name].ndim != len(axes):
            letters = ", ".join(show_axis(axis) for axis in axes)
            expected = f"{len(axes)} axes [{letters}]" if axes else "a scalar"
            raise BindingError("shape", f"{name} has shape {tuple(arrays[name].shape)}; expected {expected}.")
        if 0 in arrays[name].shape:
            raise BindingError(
                "shape", f"{name} has shape {tuple(arrays[name].shape)}; every axis needs at least one entry."
            )
    while waiting:
        later = []
        for name, place, axis in waiting:
            unknown = [n for n in names_in(axis) if n not in sizes]
            got = arrays[name].shape[place]
            if len(unknown) > 1 or (unknown and any(not isinstance(n, str) for n, _ in axis[1])):
                later.append((name, place, axis))
                continue
            known = measure(axis, {**dict.fromkeys(unknown, 0), **sizes})
            if unknown:
                size, coefficient = unknown[0], dict(axis[1])[unknown[0]]
                value, rest = divmod(got - known, coefficient)
                if rest or value < 1:
                    wanted = f"{show_axis(axis)} for some {size} >= 1"
                    message = f"axis {place + 1} of {name} has {got} entries; expected {wanted}."
                    raise BindingError("shape", message)
                sizes[size], source[size] = value, f"axis {place + 1} of {name}"
            elif got != known:
                origin = ", ".join(f"{n} = {sizes[n]} by {source[n]}" for n in names_in(axis))
                wanted = f"{show_axis(axis)} = {known}" + (f" ({origin})" if origin else "") if origin else str(known)
                message = f"axis {place + 1} of {name} has {got} entries; expected {wanted}."
                raise BindingError("shape", message)
        if len(later) == len(waiting):
            names = sorted({n for _, _, axis in later for n in names_in(axis) if n not in sizes})
            raise BindingError("shape", f"The sizes {', '.join(names)} do not follow from the shapes.")
        waiting = later
    for axis in layout["made"]:
        if measure(axis, sizes) < 1:
            origin = ", ".join(f"{n} = {sizes[n]} by {source[n]}" for n in names_in(axis))
            message = f"{show_axis(axis)} = {measure(axis, sizes)} ({origin}); every axis needs at least one entry."
            raise BindingError("shape", message)
    for name, largest in integers.items():
        limit = measure(largest, sizes)
        shown = show_axis(largest)
        if not library.is_integer(arrays[name]):
            kind = library.kind(arrays[name])
            raise BindingError("data", f"{name} has entries of type {kind}; expected integers from 1 to {shown}.")
        wrong = library.find_outside(arrays[name], limit)
        if wrong is not None:
            shown = shown if shown == str(limit) else f"{shown} = {limit}"
            raise BindingError("data", f"{name} holds {wrong}; its entries count from 1 to {shown}.")
    return arrays, sizes


def names_in(axis: Any) -> list[str]:
    """The sizes that an axis names."""
    found: dict[str, None] = {}
    for part, _ in axis[1]:
        found.update(dict.fromkeys([part] if isinstance(part, str) else names_in(part[1]) + names_in(part[2])))
    return list(found)


def measure(axis: Any, sizes: dict[str, int]) -> int:
    """The number of entries of an axis."""
    total: int = axis[0]
    for part, coefficient in axis[1]:
        if isinstance(part, str):
            value = sizes[part]
        else:
            whole, rest = divmod(measure(part[1], sizes), measure(part[2], sizes))
            value = whole if part[0] == "//" else rest
        total += coefficient * value
    return total


def check_names(layout: Any, params: Any, data: Any) -> None:
    """Every wrong, missing and extra name in one message."""
    expected = {"params": tuple(layout["params"]), "keywords": tuple(layout["data"]) + tuple(layout["sizes"])}
    problems = []
    for place, given in (("params", params), ("keywords", data)):
        missing = [str(name) for name in expected[place] if name not in given]
        extra = [str(name) for name in given if name not in expected[place]]
        if missing:
            problems.append(f"missing in {place}: {', '.join(missing)}")
        if extra:
            problems.append(f"not expected in {place}: {', '.join(extra)}")
    if problems:
        call = ["{" + ", ".join(f"{name!r}: ..." for name in expected["params"]) + "}"]
        call += [
            f"{name}=..." if not keyword.iskeyword(name) else f"**{{{name!r}: ...}}" for name in expected["keywords"]
        ]
        raise BindingError("names", f"{'; '.join(problems)}. Call it as f({', '.join(call)}).")


def check_size(name: str, value: Any) -> int:
    """A size that the caller gives as a number."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or value.__index__() < 1:
        raise BindingError("data", f"The size {name} is {value!r}; expected an integer of at least 1.")
    return int(value)


def show_axis(axis: Any) -> str:
    """An axis as a formula: N, 2*D or T+1."""
    constant, parts = axis
    names = [
        (part if isinstance(part, str) else f"({show_axis(part[1])}){part[0]}({show_axis(part[2])})", c)
        for part, c in parts
    ]
    text = (
        "+".join(name if c == 1 else f"-{name}" if c == -1 else f"{c}*{name}" for name, c in names)
        if parts
        else str(constant)
    )
    return (text + (f"{constant:+d}" if constant and parts else "")).replace("+-", "-")


def write_out(out: Any, gradients: dict[str, Any], library: Any) -> None:
    """Copy the gradients into the arrays of the caller."""
    if not hasattr(out, "keys") or set(out) != set(gradients):
        names = ", ".join(gradients)
        raise BindingError("out", f"out needs exactly the arrays {names}; it is {describe(out)}.")
    for name, gradient in gradients.items():
        if out[name] is not gradient and not library.fits(out[name], gradient):
            target, expected = library.describe(out[name]), library.describe(gradient)
            raise BindingError("out", f"out[{name!r}] is {target}; expected an array of {expected}.")
    for name, gradient in gradients.items():
        if out[name] is not gradient:
            library.copy_into(out[name], gradient)


def describe(out: Any) -> str:
    """What stands in `out`, for a message."""
    return f"a dict of {', '.join(map(str, out)) or 'nothing'}" if hasattr(out, "keys") else f"a {type(out).__name__}"
