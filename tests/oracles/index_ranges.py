"""What both oracles need to know of a program before they give it a meaning: declarations, shapes, ranges of indices.

Written from the text of language.md alone, over the neutral tree of the reader; nothing here is shared with the engine.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from symbackprop.language.reader import read_statements
from symbackprop.language.tree import (
    Access,
    Binder,
    Chain,
    Declaration,
    Define,
    Expression,
    Name,
    Negate,
    Node,
    Number,
    Reduce,
    children,
)

Shape = tuple[int, ...]
UNKNOWN = 0  # the size of an axis along which a definition steps, until that is read
SIZE_OPERATIONS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "//": operator.floordiv, "%": operator.mod}


@dataclass(frozen=True)
class SizedProgram:
    """A program at given sizes: its leaves with their kinds, its definitions with the ranges of their free indices.

    A definition that steps has its base in `bases`; its shape is without the base. `circles` are definitions that are
    computed together, step by step.
    """

    sizes: Mapping[str, int]
    kinds: Mapping[str, str]
    shapes: Mapping[str, Shape]
    definitions: tuple[Define, ...]
    bases: Mapping[str, Define]
    circles: tuple[tuple[Define, ...], ...]

    def names_of_kind(self, kind: str) -> tuple[str, ...]:
        """The leaves that are declared `input`, `param` or `const`, in order."""
        return tuple(name for name, declared in self.kinds.items() if declared == kind)


def size_program(text: str, sizes: Mapping[str, int]) -> SizedProgram:
    """Read a program and work out the shape of every tensor."""
    kinds: dict[str, str] = {}
    shapes: dict[str, Shape] = {}
    definitions: list[Define] = []
    bases: dict[str, Define] = {}
    statements = read_statements(text)
    for statement in statements:
        if isinstance(statement, Define) and is_base(statement):
            bases[statement.head.name] = statement
    for statement in statements:
        if isinstance(statement, Declaration):
            kinds[statement.name] = statement.kind
            shapes[statement.name] = tuple(size_value(axis, sizes) for axis in statement.axes)
        elif isinstance(statement, Define) and not is_base(statement):
            if not definitions:
                shapes |= {name: shape_of_base(base, shapes) for name, base in bases.items()}
            shapes[statement.head.name] = tuple(
                find_range(name, written, (statement.body,), shapes, sizes) for name, written in free_indices(statement)
            )
            definitions.append(statement)
    return SizedProgram(sizes, kinds, shapes, tuple(definitions), bases, find_circles(definitions))


def shape_of_base(base: Define, shapes: Mapping[str, Shape]) -> Shape:
    """What a base says of the shape of its tensor, as far as it reads leaves."""
    found = []
    for index in base.head.indices if isinstance(base.head, Access) else ():
        known = set(axes_of(index.name, base.body, shapes)) if isinstance(index, Name) else set()
        found.append(known.pop() if len(known) == 1 else UNKNOWN)
    return tuple(found)


def is_base(definition: Define) -> bool:
    """Whether a definition gives the entry from which another one of the same name steps."""
    indices = definition.head.indices if isinstance(definition.head, Access) else ()
    return any(not isinstance(i, Name | Binder) for i in indices)


def find_steps(circle: Sequence[Define]) -> tuple[dict[str, int], bool] | None:
    """The axis along which each definition of a circle steps, and whether backwards; None for one that does not step.

    The index that steps has the letter `t` in each of them.
    """
    names = {d.head.name for d in circle}
    reads = [a for d in circle for a in accesses(d.body) if a.name in names]
    if not reads:
        return None
    axes = {d.head.name: [i for i, _ in free_indices(d)].index("t") for d in circle}
    steps = {a.indices[axes[a.name]] for a in reads} - {Name("t")}
    signs = {step.operators for step in steps if isinstance(step, Chain) and step.operands[0] == Name("t")}
    if signs not in ({("+",)}, {("-",)}) or any(not isinstance(step, Chain) for step in steps):
        raise TypeError(f"the oracles do not read the steps {steps}")
    return axes, signs == {("+",)}


def accesses(node: Node) -> Iterator[Access]:
    """Every read with indices below a node."""
    if isinstance(node, Access):
        yield node
    for child in children(node):
        yield from accesses(child)


def find_circles(definitions: Sequence[Define]) -> tuple[tuple[Define, ...], ...]:
    """The definitions in groups: one alone, or all from one that reads a later one up to that."""
    groups: list[list[Define]] = []
    end = -1  # of the group that is open
    for k, definition in enumerate(definitions):
        if k <= end:
            groups[-1].append(definition)
        else:
            groups.append([definition])
        ahead = [later for later in range(k, len(definitions)) if reads(definition, definitions[later].head.name)]
        end = max([end, *ahead])
    return tuple(map(tuple, groups))


def reads(node: Node, name: str) -> bool:
    """Whether a tensor is read anywhere below the body of a definition."""
    waiting: list[Node] = [node.body] if isinstance(node, Define) else [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, Access | Name) and current.name == name:
            return True
        waiting += children(current)
    return False


def free_indices(definition: Define) -> tuple[tuple[str, Expression | None], ...]:
    """The indices on the left of a definition, each with its range where that is written."""
    if isinstance(definition.head, Name):
        return ()
    found = []
    for index in definition.head.indices:
        if isinstance(index, Binder):
            found.append((index.name, index.range))
        elif isinstance(index, Name):
            found.append((index.name, None))
    return tuple(found)


def size_value(size: Expression, sizes: Mapping[str, int]) -> int:
    """The value of a size."""
    match size:
        case Number(value) if value.denominator == 1:
            return int(value)
        case Name(name):
            return sizes[name]
        case Negate(operand):
            return -size_value(operand, sizes)
        case Chain(operands, operators):
            total = size_value(operands[0], sizes)
            for sign, operand in zip(operators, operands[1:], strict=True):
                value = size_value(operand, sizes)
                total = SIZE_OPERATIONS[sign](total, value)
            return total
    raise TypeError(f"{size} is not a size that the oracles read")


def find_range(
    name: str,
    written: Expression | None,
    bodies: Sequence[Node],
    shapes: Mapping[str, Shape],
    sizes: Mapping[str, int],
) -> int:
    """The range of an index: as written, else the size of an axis where it stands alone."""
    if written is not None:
        return size_value(written, sizes)
    found = {size for body in bodies for size in axes_of(name, body, shapes)}
    if len(found) != 1:
        raise ValueError(f"the index {name} has the ranges {sorted(found)}")
    return found.pop()


def axes_of(name: str, node: Node, shapes: Mapping[str, Shape]) -> Iterator[int]:
    """The size of every axis that is known on which an index stands alone, below no binder that hides it."""
    if isinstance(node, Reduce) and any(binder.name == name for binder in node.binders):
        return
    if isinstance(node, Access):
        for axis, form in enumerate(node.indices):
            if form == Name(name) and shapes.get(node.name, (UNKNOWN,) * (axis + 1))[axis] != UNKNOWN:
                yield shapes[node.name][axis]
    for child in children(node):
        yield from axes_of(name, child, shapes)
