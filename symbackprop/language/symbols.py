"""What the names of a program mean: tensors, sizes and indices, and where each was introduced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from symbackprop.calculus.indices import Affine, Index
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Role, Tensor
from symbackprop.errors import FormulaError, ShapeError, UnsupportedError
from symbackprop.language.tree import (
    Access,
    Binder,
    Chain,
    Declaration,
    Define,
    Entry,
    Expression,
    Name,
    Negate,
    Node,
    Number,
    Reduce,
    Statement,
    children,
    walk,
)
from symbackprop.language.writer import write_tree


def fail(
    node: Node, found: str, expected: str, hint: str = "", kind: type[FormulaError] = FormulaError
) -> FormulaError:
    """The error at a node: what was found, what was expected, and how to mend it."""
    message = f"found {found}, expected {expected}" + (f"; {hint}" if hint else "")
    return kind(message, line=node.line or None, column=node.column or None, found=found, expected=expected)


def unsupported(node: Node, what: str, instead: str) -> UnsupportedError:
    """The error for what means something and is not done yet."""
    place = f"line {node.line}, column {node.column}: " if node.line else ""
    return UnsupportedError(f"{place}{what} is not supported in this version; {instead}.")


@dataclass(slots=True)
class Symbols:
    """The names of one program while it is elaborated; `lines` says where each was introduced (0: before the text).

    `later` are the tensors that are defined further down, with the line of each. Sizes, tensors and constants share one
    namespace; indices may not carry a name from it.
    """

    tensors: dict[str, Tensor] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    later: dict[str, Define] = field(default_factory=dict)

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
        known = ", ".join(t.name for t in self.tensors.values() if t.role is not Role.HIDDEN) or "nothing yet"
        raise fail(node, f"the unknown name {node.name!r}", f"a tensor that stands above: {known}")


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
            symbols.introduce(head, head.name)
            symbols.later[head.name] = statement
    for statement in listed:
        for size in _size_trees(statement):
            for node, _ in walk(size):
                if isinstance(node, Name):
                    symbols.introduce_size(node, node.name)
    for statement in listed:
        _check_indices(statement, symbols)
    return symbols


def program_symbols(program: Program) -> Symbols:
    """The names of a program that is already elaborated."""
    symbols = Symbols(program.tensors(), dict.fromkeys(program.size_names, 0))
    symbols.lines |= dict.fromkeys(symbols.tensors, 0)
    return symbols


def _check_head(head: Access) -> None:
    """A definition has distinct plain indices on its left side; anything else is a recurrence or a mistake."""
    seen: set[str] = set()
    for index in head.indices:
        if isinstance(index, Number) or (isinstance(index, Chain | Negate) and _is_affine(index)):
            raise unsupported(index, f"a recurrence ({write_tree(head)} on the left side)", "write each step by itself")
        if not isinstance(index, Name | Binder):
            raise fail(index, f"`{write_tree(index)}` on the left side", "an index such as i")
        if index.name in seen:
            raise fail(index, f"the index {index.name} twice on the left side", "a different index on each axis")
        seen.add(index.name)


def _is_affine(node: Node) -> bool:
    return all(isinstance(n, Name | Number | Chain | Negate) for n, _ in walk(node))


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


def read_size(tree: Expression) -> Affine:
    """The integer-affine form of a size: `N`, `3`, `2*D`, `T+1`.

    >>> print(read_size(Chain((Name("D"), Name("E")), ("+",))))
    D+E
    """
    form = _read_affine(tree)
    if form.integer is not None and form.integer < 1:
        raise fail(tree, f"the size {form}", "a size of at least 1", kind=ShapeError)
    return form


def _read_affine(tree: Expression) -> Affine:
    if isinstance(tree, Name) and tree.name != "pi":
        return Affine.of(tree.name)
    if isinstance(tree, Number) and tree.value.denominator == 1:
        return Affine.of(int(tree.value))
    if isinstance(tree, Negate):
        return _read_affine(tree.operand) * -1
    if isinstance(tree, Chain):
        if "//" in tree.operators or "%" in tree.operators:
            raise unsupported(tree, f"the size {write_tree(tree)}", "give the size a name of its own")
        total = _read_affine(tree.operands[0])
        for operator, operand in zip(tree.operators, tree.operands[1:], strict=True):
            other = _read_affine(operand)
            if operator in "+-":
                total = total + other if operator == "+" else total - other
            elif operator == "*" and (total.integer is not None or other.integer is not None):
                total = total * other.integer if other.integer is not None else other * total.constant
            else:
                raise fail(tree, f"the size `{write_tree(tree)}`", "a sum of names with integer factors, such as 2*D+1")
        return total
    raise fail(tree, f"the size `{write_tree(tree)}`", "an integer, a name or a sum of them, such as N, 3 or 2*D+1")


def infer_range(name: str, trees: Iterable[Node], symbols: Symbols) -> tuple[Affine, Access] | None:
    """The size of the axes on which an index stands alone, with the first such read; None where there is none.

    ShapeError names both places where two sizes differ.
    """
    found: tuple[Affine, Access] | None = None
    for access, place in _alone(name, trees):
        tensor = symbols.tensors.get(access.name)
        if tensor is None or place >= len(tensor.axes):
            continue
        size = tensor.axes[place]
        if found is None:
            found = size, access
        elif found[0] != size:
            first = f"{found[0]} in {write_tree(found[1])}" + (f" (line {found[1].line})" if found[1].line else "")
            raise ShapeError(
                f"index {name} runs over {first} and over {size} in {write_tree(access)}; "
                "sizes are equal if their names are: give both axes one size, or use two indices",
                line=access.line or None,
                column=access.column or None,
                found=f"{size} for {name} in {write_tree(access)}",
                expected=f"{found[0]} for {name} as in {write_tree(found[1])}",
            )
    return found


def _alone(name: str, trees: Iterable[Node]) -> Iterable[tuple[Access, int]]:
    """The reads in which an index stands alone on an axis and is not shadowed, in reading order."""
    waiting = list(reversed(list(trees)))
    while waiting:
        node = waiting.pop()
        if isinstance(node, Access):
            for place, index in enumerate(node.indices):
                if isinstance(index, Name) and index.name == name:
                    yield node, place
        if isinstance(node, Reduce) and any(b.name == name for b in node.binders):
            waiting.extend(b.range for b in reversed(node.binders) if b.range is not None)
            continue
        waiting.extend(reversed(children(node)))


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
                kind=ShapeError,
            )
        return given
    if inferred is None:
        _refuse_arithmetic(binder.name, trees)
        hint = f"it stands alone on no axis, so give it where it is introduced, as in {binder.name}:N"
        raise fail(binder, f"the index {binder.name} without a range", "a range", hint, ShapeError)
    return inferred[0]


def _refuse_arithmetic(name: str, trees: Iterable[Node]) -> None:
    """UnsupportedError where an index stands on an axis only in index arithmetic or in a whole-matrix call."""
    for tree in trees:
        for node, _ in walk(tree):
            if not isinstance(node, Access | Entry):
                continue
            if any(isinstance(below, Name) and below.name == name for i in node.indices for below, _ in walk(i)):
                call = isinstance(node, Entry)
                what = f"the whole-matrix call {write_tree(node)}" if call else f"index arithmetic ({write_tree(node)})"
                raise unsupported(node, what, "use plain indices and literals")


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
