"""Definitions that read themselves: which form a cycle, and along which axis in which direction it steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symbackprop.calculus.definitions import Definition
from symbackprop.calculus.guards import Equal
from symbackprop.calculus.indices import Affine


@dataclass(frozen=True, slots=True)
class Recurrence:
    """Definitions that are computed together, step by step: for each tensor the axis along which it steps.

    `direction` is 1 where a step reads what is before it, and -1 where it reads what is behind it. The definitions
    stand in an order in which each reads, within one step, only what stands before it.
    """

    definitions: tuple[Definition, ...]
    axes: tuple[tuple[str, int], ...]
    direction: int


def find_cycles(definitions: Sequence[Definition]) -> dict[str, tuple[str, ...]]:
    """For every tensor in a cycle of definitions, the tensors of that cycle in their order; without cycles nothing."""
    place = {d.tensor.name: k for k, d in enumerate(definitions)}
    uses = [[place[n] for n in d.uses() if n in place] for d in definitions]
    if all(other < k for k, found in enumerate(uses) for other in found):
        return {}
    cycles: dict[str, tuple[str, ...]] = {}
    for component in _components(uses):
        first = component[0]
        if len(component) > 1 or first in uses[first]:
            names = tuple(definitions[k].tensor.name for k in sorted(component))
            cycles |= dict.fromkeys(names, names)
    return cycles


def _components(uses: Sequence[Sequence[int]]) -> list[list[int]]:
    """The strongly connected components of a graph, each after those that it reads (Tarjan's algorithm)."""
    number: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    found: list[list[int]] = []
    for root in range(len(uses)):
        if root in number:
            continue
        work = [(root, 0)]
        while work:
            node, done = work.pop()
            if done == 0:
                number[node] = low[node] = len(number)
                stack.append(node)
            following = uses[node]
            pushed = False
            for k in range(done, len(following)):
                other = following[k]
                if other not in number:
                    work += [(node, k + 1), (other, 0)]
                    pushed = True
                    break
                if other in stack:
                    low[node] = min(low[node], number[other])
            if pushed:
                continue
            if low[node] == number[node]:
                start = stack.index(node)
                found.append(sorted(stack[start:]))
                del stack[start:]
            if work:
                parent = work[-1][0]
                low[parent] = min(low[parent], low[node])
    return found


def arrange(definitions: Sequence[Definition]) -> tuple[tuple[Definition, ...], ...]:
    """The definitions in groups, each group after what it reads: one definition, or a cycle of them.

    The order is that of `definitions` wherever that is possible.
    """
    place = {d.tensor.name: k for k, d in enumerate(definitions)}
    uses = [[place[n] for n in d.uses() if n in place] for d in definitions]
    if all(other < k for k, found in enumerate(uses) for other in found):
        return tuple((d,) for d in definitions)
    return tuple(tuple(definitions[k] for k in component) for component in _components(uses))


def read_recurrence(group: Sequence[Definition]) -> Recurrence | None:
    """How a cycle of definitions steps, or None where it does not step by one along one axis in one direction."""
    own = {d.tensor.name: d for d in group}
    for axis in range(max(len(d.indices) for d in group)):
        for direction in (1, -1):
            axes = {group[0].tensor.name: axis}
            if _steps(own, axes, direction) and len(axes) == len(group):
                order = _order_within(group, axes)
                if order is not None:
                    return Recurrence(order, tuple(axes.items()), direction)
    return None


def _steps(own: dict[str, Definition], axes: dict[str, int], direction: int) -> bool:
    """Whether all reads inside a cycle stay at a step or go one back; finds the axes of the other tensors."""
    waiting = list(axes)
    while waiting:
        name = waiting.pop()
        definition = own[name]
        if axes[name] >= len(definition.indices):
            return False
        for number, _, read in definition.reads():
            other = read.tensor.name
            if other not in own:
                continue
            here = _places_of(definition, number, axes[name])
            near = (*here, *(place - Affine.of(direction) for place in here))
            places = [k for k, form in enumerate(read.at) if form in near]
            known = axes.get(other)
            if known is None:
                if len(places) != 1:
                    return False
                axes[other] = places[0]
                waiting.append(other)
            elif known not in places:
                return False
    return True


def _order_within(group: Sequence[Definition], axes: dict[str, int]) -> tuple[Definition, ...] | None:
    """The definitions of a cycle in an order for one step, None where a step reads itself."""
    own = {d.tensor.name: d for d in group}
    needs = {d.tensor.name: _same_step(d, own, axes) for d in group}
    done: list[str] = []
    while len(done) < len(group):
        ready = [d.tensor.name for d in group if d.tensor.name not in done and needs[d.tensor.name] <= set(done)]
        if not ready:
            return None
        done.append(ready[0])
    return tuple(own[name] for name in done)


def _same_step(definition: Definition, own: dict[str, Definition], axes: dict[str, int]) -> set[str]:
    """The tensors of a cycle that a definition reads at its own step."""
    found = set()
    for number, _, read in definition.reads():
        if read.tensor.name in own:
            here = _places_of(definition, number, axes[definition.tensor.name])
            if read.at[axes[read.tensor.name]] in here:
                found.add(read.tensor.name)
    return found


def _places_of(definition: Definition, term: int, axis: int) -> tuple[Affine, ...]:
    """How the step at which a term holds can be written: the index of the axis, and where a guard fixes it that."""
    index = Affine.of(definition.indices[axis])
    fixed = (
        place
        for guard in definition.terms[term].guards
        if isinstance(guard, Equal)
        for place in (index - guard.form, index + guard.form)
        if not place.indices
    )
    return index, *fixed
