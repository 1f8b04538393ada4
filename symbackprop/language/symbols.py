"""What the names of a program mean: tensors, sizes and indices, and where each was introduced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from symbackprop.calculus.indices import Affine, Index
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Role, Tensor
from symbackprop.errors import RangeError, ShapeError, UnsaidShapeError
from symbackprop.language.index_forms import read_size
from symbackprop.language.tree import (
    Access,
    Binder,
    Chain,
    Declaration,
    Define,
    Entry,
    Expression,
    Name,
    Node,
    Number,
    Reduce,
    Statement,
    children,
    walk,
)
from symbackprop.language.wording import fail
from symbackprop.language.writer import write_tree


@dataclass(slots=True)
class Symbols:
    """The names of one program while it is elaborated; `lines` says where each was introduced (0: before the text).

    `later` are the definitions of tensors that are still to come, `bases` the bases of recurrences, and `expected` what
    is known of tensors that were read before they were defined. Sizes, tensors and constants share one namespace;
    indices may not carry a name from it. `calls` are the values of whole-matrix calls, under names such as "inv(A)".
    """

    tensors: dict[str, Tensor] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    later: dict[str, Define] = field(default_factory=dict)
    bases: dict[str, Define] = field(default_factory=dict)
    expected: dict[str, Tensor | None] = field(default_factory=dict)
    calls: dict[str, Tensor] = field(default_factory=dict)

    def __contains__(self, name: object) -> bool:
        """Whether a name is taken."""
        return name in self.tensors or name in self.sizes or name in self.lines

    def introduce(self, node: Node, name: str) -> None:
        """Note where a tensor is introduced; FormulaError if its name is taken."""
        if name in self.lines:
            raise fail(node, f"{name} a second time", f"a new name: {name} is a tensor since line {self.lines[name]}")
        if name in self.sizes:
            raise fail(node, f"the tensor {name}", f"a new name: {name} is a size since line {self.sizes[name]}")
        self.lines[name] = node.line

    def introduce_size(self, node: Node, name: str) -> None:
        """Note where a size is introduced; FormulaError if a tensor has its name."""
        if name in self.lines:
            raise fail(node, f"the size {name}", f"a new name: {name} is a tensor since line {self.lines[name]}")
        self.sizes.setdefault(name, node.line)

    def check_index(self, node: Node, name: str) -> None:
        """FormulaError if an index carries the name of a tensor or of a size."""
        for kind, lines in (("tensor", self.lines), ("size", self.sizes)):
            if name in lines:
                raise fail(node, f"the index {name}", f"another letter: {name} is a {kind} since line {lines[name]}")

    def tensor(self, node: Name | Access) -> Tensor:
        """The tensor that a node reads; FormulaError where it does not exist or not yet."""
        found = self.tensors.get(node.name)
        if found is not None and found.role is not Role.HIDDEN:
            return found
        if node.name in self.calls:
            return self.calls[node.name]
        known = ", ".join(t.name for t in self.tensors.values() if t.role is not Role.HIDDEN) or "nothing yet"
        raise fail(node, f"the unknown name {node.name!r}", f"a tensor that stands above: {known}")

    def expect(self, name: str) -> Tensor | None:
        """A tensor by its name, also one that is defined further down; None while its sizes are not known."""
        known = self.calls.get(name) or self.tensors.get(name)
        if known is not None or name not in self.later:
            return known
        if name not in self.expected:
            self.expected[name] = None  # while it is looked for
            sizes = head_ranges(self.later[name], self.bases.get(name), self)
            found = [size for size in sizes if size is not None]
            if len(found) < len(sizes):
                del self.expected[name]
                return None
            self.expected[name] = make_tensor(name, found, self.bases.get(name))
        return self.expected[name]


def head_ranges(step: Define, base: Define | None, symbols: Symbols) -> list[Affine | None]:
    """The sizes of the indices on the left side of a definition, as far as it and its base tell."""
    if not isinstance(step.head, Access):
        return []
    sizes: list[Affine | None] = []
    for place, index in enumerate(step.head.indices):
        given = index.range if isinstance(index, Binder) else None
        found = infer_range(index.name, (step.body,), symbols) if isinstance(index, Name | Binder) else None
        twin = base.head.indices[place] if base is not None and isinstance(base.head, Access) else None
        if found is None and base is not None and isinstance(twin, Name | Binder):
            given = given or (twin.range if isinstance(twin, Binder) else None)
            found = infer_range(twin.name, (base.body,), symbols)
        sizes.append(read_size(given) if given is not None else found[0] if found is not None else None)
    return sizes


def make_tensor(name: str, sizes: Sequence[Affine], base: Define | None) -> Tensor:
    """A defined tensor; a base adds one entry to its axis."""
    marks = [0] * len(sizes)
    if base is not None and isinstance(base.head, Access):
        if len(base.head.indices) != len(sizes):
            raise fail(base.head, f"{len(base.head.indices)} indices in {write_tree(base.head)}",
                       f"{len(sizes)}, as in the other definition of {name}", kind=ShapeError)  # fmt: skip
        place = next(k for k, i in enumerate(base.head.indices) if not isinstance(i, Name | Binder))
        at = base.head.indices[place]
        marks[place] = -1 if isinstance(at, Number) and at.value == 0 else 1
        if marks[place] == 1 and isinstance(at, Expression) and read_size(at) != sizes[place] + Affine.of(1):
            raise fail(base.head, f"a base at {write_tree(at)}", f"0, or {sizes[place]}+1 at the far end",
                       kind=ShapeError)  # fmt: skip
    return Tensor(name, tuple(sizes), Role.DEFINED, bases=tuple(marks) if any(marks) else ())


def collect_symbols(statements: Iterable[Statement]) -> Symbols:
    """Every name that statements introduce, checked against each other; their tensors are still to be made."""
    symbols = Symbols()
    listed = tuple(statements)
    for statement in listed:
        if isinstance(statement, Declaration):
            symbols.introduce(statement, statement.name)
        elif isinstance(statement, Define):
            head = statement.head
            if isinstance(head, Access):
                _check_head(head)
            _introduce_definition(statement, symbols)
    for name, base in symbols.bases.items():
        if name not in symbols.later:
            raise fail(base, f"the base {write_tree(base.head)} alone", f"a step too, as {name}[t, ...] = ...")
    for statement in listed:
        for size in _size_trees(statement):
            for node, _ in walk(size):
                if isinstance(node, Name):
                    symbols.introduce_size(node, node.name)
    for statement in listed:
        _check_indices(statement, symbols)
    return symbols


def _introduce_definition(statement: Define, symbols: Symbols) -> None:
    """Note a definition; the base and the step of a recurrence carry one name."""
    head = statement.head
    mine, other = (symbols.bases, symbols.later) if is_base(statement) else (symbols.later, symbols.bases)
    if is_base(statement) and head.name in mine:
        first = mine[head.name]
        found = f"a second base of {head.name}"
        raise fail(head, found, f"one: {write_tree(first.head)} stands in line {first.line}")
    if head.name not in other or head.name in mine:
        symbols.introduce(head, head.name)
    mine[head.name] = statement


def program_symbols(program: Program) -> Symbols:
    """The names of a program that is already elaborated."""
    symbols = Symbols(program.tensors(), dict.fromkeys(program.size_names, 0))
    symbols.lines |= dict.fromkeys(symbols.tensors, 0)
    return symbols


def _check_head(head: Access) -> None:
    """A definition has distinct plain indices on its left side, and the base of a recurrence one fixed place."""
    seen: set[str] = set()
    fixed = 0
    for index in head.indices:
        if not isinstance(index, Name | Binder):
            fixed += 1
            if fixed > 1 or not is_base_place(index):
                found = f"`{write_tree(index)}` on the left side of {write_tree(head)}"
                raise fail(index, found, "an index such as i, or the base of a recurrence: h[0,i], or h[T+1,i]")
            continue
        if index.name in seen:
            raise fail(index, f"the index {index.name} twice on the left side", "a different index on each axis")
        seen.add(index.name)


def is_base_place(index: Expression | Binder) -> bool:
    """Whether an index on a left side is where the base of a recurrence stands: 0, or a size plus one."""
    if isinstance(index, Number):
        return index.value.denominator == 1 and index.value != 1
    return isinstance(index, Chain) and all(isinstance(n, Name | Number | Chain) for n, _ in walk(index))


def is_base(statement: Define) -> bool:
    """Whether a definition is the base of a recurrence."""
    head = statement.head
    return isinstance(head, Access) and any(not isinstance(i, Name | Binder) for i in head.indices)


def _size_trees(statement: Statement) -> Iterable[Expression]:
    """The trees of sizes in a statement: axes and given ranges."""
    if isinstance(statement, Declaration):
        yield from children(statement)  # type: ignore[misc]  # axes and range are expressions
        return
    for node, _ in walk(statement):
        if isinstance(node, Binder) and node.range is not None:
            yield node.range


def _check_indices(statement: Statement, symbols: Symbols) -> None:
    """No index that a statement introduces carries a taken name."""
    if isinstance(statement, Define) and isinstance(statement.head, Access):
        for index in statement.head.indices:
            if isinstance(index, Name | Binder):
                symbols.check_index(index, index.name)
    for node, _ in walk(statement):
        if isinstance(node, Reduce):
            for binder in node.binders:
                symbols.check_index(binder, binder.name)


def infer_range(name: str, trees: Iterable[Node], symbols: Symbols) -> tuple[Affine, Access] | None:
    """The size of the axes on which an index stands alone, with the first such read; None where there is none.

    ShapeError names both places where two sizes differ.
    """
    found: tuple[Affine, Access] | None = None
    for access, place in reads_alone(name, trees):
        tensor = symbols.expect(access.name)
        if tensor is None or place >= len(tensor.axes):
            continue
        size = tensor.axes[place]
        if found is None:
            found = size, access
        elif found[0] != size:
            first = f"{found[0]} in {write_tree(found[1])}" + (f" (line {found[1].line})" if found[1].line else "")
            raise RangeError(
                f"index {name} runs over {first} and over {size} in {write_tree(access)}; "
                "sizes are equal if their names are: give both axes one size, or use two indices",
                line=access.line or None,
                column=access.column or None,
                found=f"{size} for {name} in {write_tree(access)}",
                expected=f"{found[0]} for {name} as in {write_tree(found[1])}",
            )
    return found


def reads_alone(name: str, trees: Iterable[Node]) -> Iterable[tuple[Access, int]]:
    """The reads in which an index stands alone on an axis and is not shadowed, in reading order."""
    waiting = list(reversed(list(trees)))
    while waiting:
        node = waiting.pop()
        access = _shape_of(node) if isinstance(node, Entry) else node
        if isinstance(access, Access):
            for place, index in enumerate(access.indices):
                if isinstance(index, Name) and index.name == name:
                    yield access, place
        if isinstance(node, Reduce) and any(b.name == name for b in node.binders):
            waiting.extend(b.range for b in reversed(node.binders) if b.range is not None)
            continue
        waiting.extend(reversed(children(node)))


def _shape_of(entry: Entry) -> Access | None:
    """A read with the axes of a whole-matrix call: inv(A) has those of A, and solve(A, b) those of b."""
    last = entry.call.arguments[-1] if entry.call.arguments else None
    return Access(last.name, entry.indices, line=entry.line, column=entry.column) if isinstance(last, Name) else None


def free_indices(trees: Iterable[Node], symbols: Symbols) -> dict[str, Name]:
    """The names that stand in brackets, are not bound there and mean nothing else, in reading order."""
    found: dict[str, Name] = {}

    def visit(node: Node, bound: frozenset[str], inside: bool) -> None:
        if isinstance(node, Name):
            if inside and node.name not in bound and node.name not in symbols and node.name != "pi":
                found.setdefault(node.name, node)
            return
        if isinstance(node, Reduce):
            bound |= {b.name for b in node.binders}
        if isinstance(node, Access | Entry):
            for index in node.indices:
                visit(index, bound, True)
            return
        for child in children(node):
            visit(child, bound, inside)

    for tree in trees:
        visit(tree, frozenset(), False)
    return found


def resolve_binder(binder: Binder | Name, trees: Iterable[Node], symbols: Symbols) -> Affine:
    """The range of an index where it is introduced: given there, or inferred from the axes where it stands alone."""
    inferred = infer_range(binder.name, trees, symbols)
    given = read_size(binder.range) if isinstance(binder, Binder) and binder.range is not None else None
    if given is not None:
        if inferred is not None and inferred[0] != given:
            raise fail(
                binder,
                f"{binder.name} over {given}",
                f"{inferred[0]}, over which {binder.name} runs in {write_tree(inferred[1])}",
                kind=RangeError,
            )
        return given
    if inferred is None:
        hint = f"it stands alone on no axis, so give it where it is introduced, as in {binder.name}:N"
        raise fail(binder, f"the index {binder.name} without a range", "a range", hint, UnsaidShapeError)
    return inferred[0]


def check_axis(node: Access, tensor: Tensor, place: int, index: Index) -> None:
    """ShapeError where an index stands alone on an axis of another size."""
    if tensor.axes[place] != index.size:
        raise fail(
            node,
            f"{index.name} over {index.size} on axis {place + 1} of {write_tree(node)}",
            f"an index over {tensor.axes[place]}",
            kind=ShapeError,
        )


Scope = Mapping[str, Index]
"""What the letters in scope stand for; an index that had to give way carries another name."""
