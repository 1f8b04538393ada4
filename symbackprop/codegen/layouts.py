"""Which arrays and sizes a call of generated code takes, as plain Python values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from symbackprop.calculus.definitions import Definition
from symbackprop.calculus.guards import Within
from symbackprop.calculus.indices import Affine, Atom, Quotient, Remainder
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Count, Role
from symbackprop.codegen.binding import measure

Layout = dict[str, Any]


def make_layout(program: Program, definitions: Sequence[Definition]) -> Layout:
    """Which arrays and sizes a call takes, as plain Python values."""
    params = {t.name: _plain_axes(t.axes) for t in program.leaves if t.role is Role.PARAM}
    data = {t.name: _plain_axes(t.axes) for t in program.leaves if t.role is not Role.PARAM}
    integers = {t.name: _plain_axis(t.range) for t in program.leaves if t.range is not None}
    made = dict.fromkeys(axis for d in definitions for axis in d.tensor.axes if len(axis.terms) > 1 or axis.constant)
    forms = [axis for t in program.leaves for axis in t.axes]
    forms += [t.range for t in program.leaves if t.range is not None]
    for definition in definitions:
        forms += definition.tensor.axes
        for term in definition.terms:
            forms += [i.size for i in term.bound]
            forms += [form for s in term.slots for form in ((s.value,) if isinstance(s, Count) else s.at)]
            forms += [form for g in term.guards for form in ((g.form, g.size) if isinstance(g, Within) else (g.form,))]
    order = tuple(dict.fromkeys(n for form in forms for n in form.names))
    known = _sizes_of_arrays([axis for t in program.leaves for axis in t.axes])
    return {
        "params": params,
        "data": data,
        "integers": integers,
        "made": tuple(map(_plain_axis, made)),
        "sizes": tuple(n for n in order if n not in known),
        "order": order,
    }


def _plain_axes(axes: Sequence[Affine]) -> tuple[Any, ...]:
    return tuple(map(_plain_axis, axes))


def _plain_axis(axis: Affine) -> tuple[Any, ...]:
    """A size as (constant, parts); a part is a name or ("//", size, size) with its coefficient."""
    return axis.constant, tuple((_plain_atom(atom), c) for atom, c in axis.terms)


def _plain_atom(atom: Atom) -> Any:
    if isinstance(atom, Quotient | Remainder):
        return "//" if isinstance(atom, Quotient) else "%", _plain_axis(atom.form), _plain_axis(atom.divisor)
    return str(atom)


def _sizes_of_arrays(axes: Sequence[Affine]) -> set[str]:
    """The sizes that follow from the shapes, one equation after another."""
    known: set[str] = set()
    found = True
    while found:
        found = False
        for axis in axes:
            unknown = [n for n in axis.names if n not in known]
            if len(unknown) == 1 and all(isinstance(atom, str) for atom, _ in axis.terms):
                known.add(unknown[0])
                found = True
    return known


def show_layout(layout: Layout) -> str:
    """A layout as Python source."""
    lines = [f"    {key!r}: {value!r}," for key, value in layout.items()]
    return "\n".join(["{", *lines, "}"])


def fix_layout(layout: Layout, sizes: Mapping[str, int]) -> Layout:
    """The layout at given sizes: all axes are numbers, and a call gives no size.

    >>> fix_layout({"params": {"w": ((0, (("N", 1),)),)}, "data": {}, "integers": {}}, {"N": 3})["params"]
    {'w': ((3, ()),)}
    """

    def fixed(axis: Any) -> tuple[Any, ...]:
        return measure(axis, dict(sizes)), ()

    arrays = {group: {n: tuple(map(fixed, axes)) for n, axes in layout[group].items()} for group in ("params", "data")}
    integers = {name: fixed(axis) for name, axis in layout["integers"].items()}
    return {**arrays, "integers": integers, "made": (), "sizes": (), "order": ()}
