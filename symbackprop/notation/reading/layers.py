r"""Equations for every layer: \delta^{(l)} = (W^{(l+1)})^\top \delta^{(l+1)} \odot \sigma'(z^{(l)}).

A small letter in brackets above names of which only numbered ones exist stands for their numbers; the equation is one
for each number at which all of its names exist. A large L in its place is the last layer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from symbackprop.language.tree import map_children
from symbackprop.language.wording import fail
from symbackprop.notation.reading.blocks import LatexStatement
from symbackprop.notation.reading.extents import Extent
from symbackprop.notation.reading.instances import put_number
from symbackprop.notation.reading.refusals import ambiguous
from symbackprop.notation.reading.syntax import (
    Beside,
    Numeral,
    Scripts,
    Sum,
    Symbol,
    Syntax,
    bare,
    walk_syntax,
    write_syntax,
)  # fmt: skip
from symbackprop.notation.reading.vocabulary import Vocabulary, label_of

LAST = "L"


@dataclass(frozen=True, slots=True)
class LayerStatement:
    """What a statement says of one layer; `letter` is empty where it speaks of none in general."""

    statement: LatexStatement
    letter: str = ""
    layer: int = 0
    layers: tuple[int, ...] = ()

    @property
    def shown(self) -> str:
        r"""Which layer of which this is, in LaTeX: `\quad (l = 1 \text{ of } 1, 2)`."""
        if not self.letter:
            return ""
        if self.letter == LAST:
            return rf" \quad ({LAST} = {self.layer})"
        return rf" \quad ({self.letter} = {self.layer} \text{{ of }} {', '.join(map(str, self.layers))})"


def expand_layers(statement: LatexStatement, vocabulary: Vocabulary) -> tuple[LayerStatement, ...]:
    """The statement for each layer that the program has, or as it is where it names its layers.

    FormulaError where there is no layer at which all names exist, or the letter stands for something else as well.
    """
    statement, last = _with_last(statement, vocabulary)
    said = statement.extents
    marks = [mark for side in statement.sides for mark in _marks(side)]
    letters = dict.fromkeys(mark.letter for mark in marks)
    generic = [letter for letter in letters if all(_numbers(m, vocabulary) for m in marks if m.letter == letter)]
    if not generic:
        return (LayerStatement(statement, LAST if last else "", last, (last,)),)
    if len(generic) > 1:
        raise fail(statement, f"the letters {' and '.join(generic)} for layers", "one letter for layers")
    (letter,) = generic
    mine = [mark for mark in marks if mark.letter == letter]
    _check_letter(statement, letter, len(mine), vocabulary)
    numbers = [_numbers(mark, vocabulary) for mark in mine]
    known = frozenset[int]().union(*numbers)
    layers = tuple(
        layer
        for layer in range(min(known), max(known) + 1)
        if all(mark.number_at(layer) in found for mark, found in zip(mine, numbers, strict=True))
    )
    if not layers:
        names = ", ".join(dict.fromkeys(write_syntax(mark.node) for mark in mine))
        raise fail(statement, f"{names} for a layer {letter}", "names that exist together at some layer")
    for extent in said:
        if extent.letter == letter:
            _check_layers(extent, layers, vocabulary)
    statement = replace(statement, extents=tuple(extent for extent in said if extent.letter != letter))
    return tuple(LayerStatement(_at(statement, letter, layer), letter, layer, layers) for layer in layers)


def _check_layers(extent: Extent, layers: tuple[int, ...], vocabulary: Vocabulary) -> None:
    """An error where the layers that an equation is said to hold for are not those at which its names exist."""
    first, last = (None if end is None else _layer_at(end, vocabulary) for end in (extent.first, extent.last))
    if extent.first is None or extent.last is None:
        fits = (extent.first is None or first == layers[0]) and (extent.last is None or last == layers[-1])
    else:
        fits = {first, last} == {layers[0], layers[-1]}
    if not fits or extent.relation == "!=":
        listed = ", ".join(map(str, layers))
        raise fail(extent, f"`{extent.shown}`", f"the layers at which the names of the equation exist, {listed}")


def _layer_at(end: Syntax, vocabulary: Vocabulary) -> int | None:
    """The layer that an end of a range is, L being the last one."""
    last = max((int(entry.label) for entry in vocabulary.entries if entry.label.isdigit()), default=0)
    found = bare(put_number(end, LAST, last))
    return int(found.text) if isinstance(found, Numeral) and found.text.isdigit() else None


@dataclass(frozen=True, slots=True)
class _Mark:
    """A symbol with a layer above it that a letter counts: that many layers behind the letter."""

    node: Scripts
    letter: str
    offset: int

    def number_at(self, layer: int) -> int:
        return layer + self.offset


def _marks(side: Syntax) -> Iterator[_Mark]:
    """The symbols of a side with a letter, or a letter and a number added to it, in brackets above."""
    return (mark for node in walk_syntax(side) if (mark := _mark(node)) is not None)


def _mark(node: Syntax) -> _Mark | None:
    if not isinstance(node, Scripts) or node.above is None or not isinstance(bare(node.base), Symbol):
        return None
    above = bare(node.above)
    label = label_of(above.parts[0] if isinstance(above, Beside) else above)
    counted = _counted(bare(label)) if label is not None else None
    return _Mark(node, *counted) if counted is not None else None


def _counted(label: Syntax) -> tuple[str, int] | None:
    if isinstance(label, Symbol) and not label.accents and not label.font:
        return (label.name, 0) if len(label.name) == 1 or label.name == r"\ell" else None
    if not isinstance(label, Sum) or len(label.parts) != 2 or label.signs[0]:
        return None
    first, second = map(bare, label.parts)
    counted = _counted(first) if isinstance(first, Symbol) else None
    if counted is None or not isinstance(second, Numeral) or not second.text.isdigit():
        return None
    return counted[0], int(second.text) if label.signs[1] == "+" else -int(second.text)


def _numbers(mark: _Mark, vocabulary: Vocabulary) -> frozenset[int]:
    """The layers at which a name exists; none where it also exists without one, so that a sample may stand above."""
    base = bare(mark.node.base)
    entries = vocabulary.find(base, mark.node.primes) if isinstance(base, Symbol) else ()
    if any(not entry.label and not entry.below and entry.rank for entry in entries):
        return frozenset()
    return frozenset(int(entry.label) for entry in entries if entry.label.isdigit())


def _check_letter(statement: LatexStatement, letter: str, marked: int, vocabulary: Vocabulary) -> None:
    """An error where the letter of the layers stands elsewhere, or is a name of the program."""
    everywhere = sum(part == Symbol(letter) for side in statement.sides for part in walk_syntax(side))
    if everywhere > marked or vocabulary.find(Symbol(letter)):
        raise ambiguous(statement.line, statement.column, f"the letter {letter} above names and elsewhere",
                        ("a layer", "an index or a number"), "use another letter for layers")  # fmt: skip


def _with_last(statement: LatexStatement, vocabulary: Vocabulary) -> tuple[LatexStatement, int]:
    """The statement with the last layer in place of L above its names, and that layer, 0 where none is meant."""
    marks = [mark for side in statement.sides for mark in _marks(side) if mark.letter == LAST]
    if not marks or not all(_numbers(mark, vocabulary) for mark in marks):
        return statement, 0
    last = max(int(entry.label) for entry in vocabulary.entries if entry.label.isdigit())

    def placed(node: Syntax) -> Syntax:
        mark = _mark(node)
        if mark is None or mark.letter != LAST or mark.node.above is None:
            return map_children(node, placed)
        return replace(mark.node, above=put_number(mark.node.above, LAST, last))

    return replace(statement, sides=tuple(map(placed, statement.sides))), last


def _at(statement: LatexStatement, letter: str, layer: int) -> LatexStatement:
    return replace(statement, sides=tuple(put_number(side, letter, layer) for side in statement.sides))
