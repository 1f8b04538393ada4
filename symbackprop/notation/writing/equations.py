"""Definitions as equations, in the notation that is asked for, and equations as one `align` environment."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from symbackprop.calculus.definitions import Definition
from symbackprop.calculus.expansion import check_sizes
from symbackprop.calculus.indices import Atom
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Role, Tensor
from symbackprop.errors import ArgumentError
from symbackprop.language.phrasing import affine_tree, hidden_definitions, phrase_statements
from symbackprop.language.tree import Access, Binder, Define, Expression, Name, Node
from symbackprop.notation.writing.addends import has_delta
from symbackprop.notation.writing.entries import EntryWriter
from symbackprop.notation.writing.index_latex import IndexWriter
from symbackprop.notation.writing.kronecker import commutations, vectorised, write_structured
from symbackprop.notation.writing.line_breaks import WIDTH, break_note, estimate_width
from symbackprop.notation.writing.masks import Masks
from symbackprop.notation.writing.matrix_latex import MatrixWriter, flipped_tensors
from symbackprop.notation.writing.names import Names, choose_names, seed_legend, small_symbol
from symbackprop.notation.writing.steps import Steps, find_steps

NOTATIONS = ("index", "matrix", "scalar")
LAYOUTS = ("batch", "column")
INDEX_NOTE = r"\quad\text{(in index notation)}"


@dataclass(frozen=True, slots=True)
class Equation:
    """left = right in LaTeX; `note` is said behind it, `tensor` is the name of what is defined."""

    tensor: str
    left: str
    right: str
    note: str = ""

    def __str__(self) -> str:
        return f"{self.left} = {self.right}{self.note}"


def write_definitions(
    definitions: Sequence[Definition],
    program: Program,
    notation: str = "index",
    layout: str = "batch",
    names: str | Mapping[str, str] | None = None,
    sizes: Mapping[str, int] | None = None,
) -> str:
    r"""Definitions as an `align*` environment, a line each; those of hidden tensors stand where they are read.

    `notation` is "index", "matrix" or "scalar" (entry by entry, which needs a value in `sizes` for each size with a
    name); `layout` is "batch" or "column" for matrices; `names` is None, "seed" or a mapping of names to TeX.

    >>> from symbackprop.calculus.definitions import make_term, slot_symbol
    >>> from symbackprop.calculus.tensors import Read
    >>> w, loss = Tensor("w", (), Role.PARAM), Tensor("loss", (), Role.DEFINED)
    >>> square = Definition(loss, (), (make_term((), slot_symbol(0) ** 2, (Read(w, ()),)),))
    >>> print(write_definitions((square,), Program((w,), (square,), (), "loss")))
    \begin{align*}
    L &= w^{2}
    \end{align*}
    """
    table = {**program.tensors(), **{d.tensor.name: d.tensor for d in definitions}}
    chosen = choose_names(table, program.size_names, names)
    legend = seed_legend(chosen) if names == "seed" else None
    equations = make_equations(definitions, program, notation, layout, names, sizes)
    return align(equations, () if legend is None else (legend,))


def align(equations: Sequence[Equation], above: Sequence[str] = ()) -> str:
    """Equations under each other, their signs of equality aligned."""
    room = WIDTH - max((int(estimate_width(e.left)) for e in equations), default=0)
    lines = [*above, *(f"{e.left} &= {break_note(e.right, e.note, room)}" for e in equations)]
    return "\n".join((r"\begin{align*}", " \\\\\n".join(lines), r"\end{align*}"))


def make_equations(
    definitions: Sequence[Definition],
    program: Program,
    notation: str = "index",
    layout: str = "batch",
    names: str | Mapping[str, str] | None = None,
    sizes: Mapping[str, int] | None = None,
) -> tuple[Equation, ...]:
    """The equations that `write_definitions` sets."""
    if notation not in NOTATIONS:
        raise ArgumentError(f"notation={notation!r} is none of {', '.join(NOTATIONS)}.")
    if layout not in LAYOUTS:
        raise ArgumentError(f"layout={layout!r} is none of {', '.join(LAYOUTS)}.")
    table = {**program.tensors(), **{d.tensor.name: d.tensor for d in definitions}}
    shown = [d for d in definitions if d.tensor.role is not Role.HIDDEN]
    reads = frozenset(r.tensor.name for d in definitions for _, _, r in d.reads())
    chosen = choose_names(table, program.size_names, names)
    writer = _EquationWriter(chosen, reads, Masks(chosen, frozenset(map(small_symbol, program.size_names))))
    hidden = hidden_definitions(program) | {d.tensor.name: d for d in definitions if d.tensor.role is Role.HIDDEN}
    taken = frozenset((*table, *program.size_names))
    steps = find_steps((*program.definitions, *definitions))
    found: list[Equation] = []
    for definition in _with_denominators(shown, hidden):
        statements = phrase_statements(definition, hidden, taken)
        if notation == "scalar":
            direction = steps.directions.get(definition.tensor.name)
            known = _needed_sizes(program, definitions, sizes)
            last_first = direction is not None and direction[1] in definition.tensor.marks  # the steps end at the base
            for statement in statements[::-1] if last_first else statements:
                found += writer.scalar(definition, statement, known, direction)
        elif notation == "matrix" and len(statements) == 1:
            found.append(writer.matrix(definition, statements[0].body, layout))
        else:
            note = "" if notation == "index" else INDEX_NOTE
            made = [writer.index(definition, s, note) for s in statements]
            ends = [] if notation != "index" else writer.ends(definition, statements[-1], steps)
            found += [*made[:-1], replace(made[-1], note=made[-1].note + "".join(ends))]
    named = [mask.equation(IndexWriter(chosen)) for mask in writer.masks.made.values()]
    named += commutations(" ".join(equation.right for equation in found))
    return (*found, *(Equation("", left, right, note) for left, right, note in named))


def _with_denominators(shown: Sequence[Definition], hidden: Mapping[str, Definition]) -> list[Definition]:
    """Definitions, before each derivative by something that has no name of its user the definition of that."""
    found: dict[str, Definition] = {}
    for definition in shown:
        below = hidden.get(definition.tensor.denominator or "")
        if below is not None and not below.indices == ():
            found.setdefault(below.tensor.name, below)
        found[definition.tensor.name] = definition
    return list(found.values())


def _needed_sizes(
    program: Program, definitions: Sequence[Definition], sizes: Mapping[str, int] | None
) -> Mapping[str, int]:
    given = dict(sizes or {})
    if given:
        check_sizes(program, given)
    axes = [axis for d in definitions for axis in d.tensor.axes]
    needed = dict.fromkeys((*program.size_names, *(n for axis in axes for n in axis.names)))
    missing = [n for n in needed if n not in given]
    if missing:
        raise ArgumentError(
            f'Scalar notation needs a number for each size: give sizes={{"{missing[0]}": 2, ...}}, '
            f"or --size {missing[0]}=2 to the command."
        )
    return given


@dataclass(frozen=True, slots=True)
class _EquationWriter:
    """Writes one definition as an equation; `reads` are the tensors whose symbols other equations use."""

    names: Names
    reads: frozenset[str]
    masks: Masks

    def index(self, definition: Definition, statement: Define, note: str = "") -> Equation:
        writer = IndexWriter(self.names)
        left = self._left(definition.tensor, [writer.index(i) for i in _places(statement)])
        return Equation(definition.tensor.name, left, writer.write(statement.body), note)

    def ends(self, definition: Definition, statement: Define, steps: Steps) -> list[str]:
        r"""What the first step of a recurrence without a base reads: `\quad (h_{0,i} = 0)`."""
        writer = IndexWriter(self.names)
        made = []
        for place, end in steps.ends.get(definition.tensor.name, ()):
            at: list[Node] = list(_places(statement))
            at[place] = affine_tree(end)
            made.append(rf"\quad ({self.names.entry(definition.tensor.name, [writer.index(i) for i in at])} = 0)")
        return made

    def matrix(self, definition: Definition, body: Expression, layout: str) -> Equation:
        shape = tuple(i.name for i in definition.indices)
        flipped = flipped_tensors(self.names.tensors) if layout == "column" else frozenset[str]()
        tensor = definition.tensor
        if tensor.name in flipped:
            shape = shape[::-1]
        symbol = self.names.symbol(tensor.name, matrix=len(shape) == 2)
        plain = symbol is not None or (tensor.denominator is not None and len(shape) <= 2)
        ranges = {i.name: str(i.size) for i in definition.indices}
        writer, opened = MatrixWriter(self.names, flipped, self.masks).prepared(body, ranges)
        right = None
        if not flipped & self.reads and (has_delta(opened) or len(shape) > 2):
            sizes = [IndexWriter(self.names).index(affine_tree(i.size)) for i in definition.indices]
            above = self.names.tensors.get(tensor.numerator or "")
            right = write_structured(writer, opened, shape, sizes, 2 if above is None else len(above.axes))
        if right is None and plain:
            right = writer.write(opened, shape)
        if right is not None and len(shape) > 2:
            return Equation(tensor.name, self._vectorised(tensor), right)
        if right is None:
            indices = tuple(Name(i.name) for i in definition.indices)
            head = Access(tensor.name, indices) if indices else Name(tensor.name)
            return self.index(definition, Define(head, body), INDEX_NOTE)
        left = "" if symbol is None else symbol.write()
        if tensor.denominator is not None:
            derivative = self.names.derivative(tensor.name, (), matrix=True)
            left = f"{left} = {derivative}" if left and tensor.name in self.reads else derivative
        return Equation(tensor.name, left, right)

    def _vectorised(self, tensor: Tensor) -> str:
        """The derivative of a matrix by a matrix, its axes put together in pairs."""
        above = self.names.tensors[tensor.numerator or ""]
        below = self.names.symbol(tensor.denominator or "", matrix=True)
        inner = self.names.tensors.get(above.denominator or "")
        if inner is not None and inner.is_leaf and above.numerator is not None and len(tensor.axes) == 4:
            first = self.names.symbol(inner.name, matrix=True)
            top = self.names.symbol(above.numerator)
            parts = [s.write() for s in (top, first, below) if s is not None]
            return vectorised(parts[0], parts[1], parts[2])
        symbol = self.names.symbol(above.name, matrix=True)
        under = self.names.tensors[tensor.denominator or ""]
        sides = ((symbol, above.axes, "", ""), (below, under.axes, r"\top", r"^{\top}"))
        parts = [
            rf"\operatorname{{vec}}({s.write()}){behind}" if len(axes) == 2 else s.write("", raised)
            for s, axes, raised, behind in sides
            if s is not None
        ]
        return rf"\frac{{\partial {parts[0]}}}{{\partial {parts[1]}}}"

    def scalar(
        self, definition: Definition, statement: Define, sizes: Mapping[str, int], direction: tuple[int, int] | None
    ) -> list[Equation]:
        """An equation for each entry, in the order in which a recurrence takes them: `direction` is (axis, 1 or -1)."""
        entries = EntryWriter(self.names.tensors, sizes)
        known: dict[Atom, int] = dict(sizes.items())
        ranges: list[Sequence[int]] = []
        for place, index in enumerate(_places(statement)):
            if isinstance(index, Name | Binder):
                whole = range(1, definition.tensor.axes[place].evaluate(known) + 1)
                ranges.append(whole[::-1] if direction == (place, -1) else whole)
            else:
                ranges.append([entries.number(index)])
        letters = [i.name if isinstance(i, Name | Binder) else "" for i in _places(statement)]
        found = []
        for point in itertools.product(*ranges):
            values = {letter: k for letter, k in zip(letters, point, strict=True) if letter}
            right = IndexWriter(self.names).write(entries.expand(statement.body, values))
            left = self._left(definition.tensor, [str(k) for k in point])
            found.append(Equation(definition.tensor.name, left, right))
        return found

    def _left(self, tensor: Tensor, indices: list[str]) -> str:
        """What is defined; an adjoint as the derivative that it is, with its symbol where others read it."""
        if tensor.denominator is None:
            return self.names.entry(tensor.name, indices)
        derivative = self.names.derivative(tensor.name, indices)
        if tensor.name not in self.reads or self.names.symbol(tensor.name) is None:
            return derivative
        return f"{self.names.entry(tensor.name, indices)} = {derivative}"


def _places(statement: Define) -> tuple[Expression | Binder, ...]:
    """What stands in the brackets of the left side."""
    return statement.head.indices if isinstance(statement.head, Access) else ()
