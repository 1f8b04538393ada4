r"""Symbols with scripts as entries of tensors: which scripts belong to the name, which are indices, which are powers.

Every reading that fits the rank of a tensor is found; with two of them it is an error that shows both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from symbackprop.calculus.indices import Affine
from symbackprop.errors import FormulaError
from symbackprop.language import tree as t
from symbackprop.language.wording import fail
from symbackprop.language.writer import write_tree
from symbackprop.notation.reading.commands import TRANSPOSED
from symbackprop.notation.reading.doubtful_names import doubtful_name
from symbackprop.notation.reading.factors import without_scripts
from symbackprop.notation.reading.letters import index_letter
from symbackprop.notation.reading.refusals import ambiguous
from symbackprop.notation.reading.syntax import (
    Beside,
    Group,
    Numeral,
    Operator,
    Scripts,
    Sum,
    Symbol,
    Syntax,
    bare,
    walk_syntax,
    write_syntax,
)  # fmt: skip
from symbackprop.notation.reading.vocabulary import DERIVED, NUMBER_PI, Entry, Vocabulary, label_of, script_text

EXTREMES = tuple(
    made for name in ("argmax", "argmin") for made in (Symbol(name), Operator(name), Symbol(rf"\{name}"))
) + (Symbol(r"\arg"),)
ReadIndex = Callable[[Syntax], t.Expression]


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a symbol: what it stands for, the parts that are its indices, and the power above it."""

    value: t.Expression
    indices: tuple[Syntax, ...]
    above: Syntax | None


def find_readings(node: Syntax, vocabulary: Vocabulary, before: int = DERIVED + 1) -> tuple[Reading, ...]:
    """The readings of a symbol with its scripts that fit the ranks of tensors, those of one origin `before` another."""
    scripts = node if isinstance(node, Scripts) else Scripts(node)
    symbol = bare(scripts.base)
    if not isinstance(symbol, Symbol):
        raise fail(node, f"`{write_syntax(node)}`", "a name")
    entries = vocabulary.find(symbol, scripts.primes)
    for origin in sorted({entry.origin for entry in entries if entry.origin < before}):
        found = [r for e in entries if e.origin == origin for r in _entry_readings(e, scripts, vocabulary)]
        found = [reading for reading in found if not _is_before_first(reading, vocabulary)]
        if found:
            return tuple(dict.fromkeys(found))
    return ()


def find_slices(node: Syntax, vocabulary: Vocabulary) -> tuple[tuple[Reading, int], ...]:
    """The readings of a symbol that lacks one index of a tensor, and the place of that index: the last, or the first
    where samples are the last."""
    scripts = node if isinstance(node, Scripts) else Scripts(node)
    symbol = bare(scripts.base)
    entries = vocabulary.find(symbol, scripts.primes) if isinstance(symbol, Symbol) else ()
    for origin in sorted({entry.origin for entry in entries}):
        found = [
            (reading, 0 if tensor_named(entry) in vocabulary.behind else entry.rank - 1)
            for entry in entries
            if entry.origin == origin and entry.rank > 1 and not isinstance(entry.value, t.Access)
            for reading in _entry_readings(entry, scripts, vocabulary, entry.rank - 1)
        ]
        if found:
            return tuple(dict.fromkeys(found))
    return ()


def _is_before_first(reading: Reading, vocabulary: Vocabulary) -> bool:
    """Whether an index is below 0, or 0 on an axis that counts from 1, so that h^{(0)}_{ni} is h0[n,i]."""
    tensor = vocabulary.tensors.get(reading.value.name) if isinstance(reading.value, t.Name) else None
    if tensor is None or len(reading.indices) != len(tensor.axes):
        return False
    pairs = zip(reading.indices, tensor.marks, strict=True)
    return any(_is_negative(index) or (bare(index) == Numeral("0") and mark != -1) for index, mark in pairs)


def _is_negative(index: Syntax) -> bool:
    """Whether an index is a number below 0."""
    node = bare(index)
    return isinstance(node, Sum) and node.signs == ("-",) and isinstance(bare(node.parts[0]), Numeral)


def find_ranges(syntax: Syntax, vocabulary: Vocabulary) -> dict[str, set[Affine]]:
    """The sizes of the axes along which the letters of a formula stand, where one reading says so."""
    found: dict[str, set[Affine]] = {}
    for node in walk_syntax(syntax):
        if not isinstance(node, Scripts) or not isinstance(bare(node.base), Symbol):
            continue
        readings = [r for r in find_readings(node, vocabulary, DERIVED) if isinstance(r.value, t.Name)]
        if len(readings) == 1 and isinstance(readings[0].value, t.Name):
            tensor = vocabulary.tensors.get(readings[0].value.name)
            for index, size in zip(readings[0].indices, tensor.axes if tensor is not None else (), strict=False):
                letter = index_letter(Scripts(bare(index)))
                if letter is not None:
                    found.setdefault(letter, set()).add(size)
    return found


def find_whole(node: Syntax, vocabulary: Vocabulary) -> t.Name | None:
    """The whole tensor that a symbol is by itself, or None where it is none or an entry.

    Of a program with w and w1 it is an error that shows both what w_1 may be. The number pi is no tensor.
    """
    found = tuple(pair for pair in find_powers(node, vocabulary) if pair[0] != NUMBER_PI)
    if len({value for value, _ in found}) > 1:
        raise doubtful_name(node, (value for value, _ in found), vocabulary)
    whole = [value for value, above in found if above is None and isinstance(value, t.Name)]
    if len(found) != 1 or len(whole) != 1:
        return None
    numbered = isinstance(node, Scripts) and node.below is not None
    others = find_readings(node, vocabulary) if numbered else ()
    entries = [r for r in others if r.indices and all(isinstance(bare(i), Numeral) for i in r.indices)]
    if entries:
        shown = f"{write_tree(entries[0].value)}[{', '.join(map(write_syntax, entries[0].indices))}]"
        raise ambiguous(node.line, node.column, f"`{write_syntax(node)}`", (whole[0].name, shown),
                        "declare what it stands for")  # fmt: skip
    return replace(whole[0], line=node.line, column=node.column)


def find_powers(node: Syntax, vocabulary: Vocabulary) -> tuple[tuple[t.Expression, Syntax | None], ...]:
    """What a symbol without indices may be, of whatever rank, with the power above it."""
    scripts = node if isinstance(node, Scripts) else Scripts(node)
    symbol = bare(scripts.base)
    if not isinstance(symbol, Symbol):
        return ()
    entries = vocabulary.find(symbol, scripts.primes)
    for origin in sorted({entry.origin for entry in entries}):
        mine = [e for e in entries if e.origin == origin]
        found = [(e.value, above) for e in mine for first, parts, above in _splits(e, scripts) if not (*first, *parts)]
        found = [pair for pair in found if not _is_turned_pi(*pair)] or found
        if found:
            return tuple(dict.fromkeys(found))
    return ()


def _is_turned_pi(value: t.Expression, above: Syntax | None) -> bool:
    """Whether the number pi would have a transpose, which is that of a vector."""
    return value == NUMBER_PI and above is not None and write_syntax(bare(above)) in TRANSPOSED


def _entry_readings(
    entry: Entry, scripts: Scripts, vocabulary: Vocabulary, count: int | None = None
) -> Iterator[Reading]:
    """The readings with as many indices as there are axes, or with another count of them."""
    for first, parts, above in _splits(entry, scripts):
        rank = 0 if isinstance(entry.value, t.Access) else entry.rank if count is None else count
        for behind in _sample_orders(entry, vocabulary) if first and parts else (False,):
            for indices in split_indices((*parts, *first) if behind else (*first, *parts), rank):
                yield Reading(entry.value, indices, above)


def _sample_orders(entry: Entry, vocabulary: Vocabulary) -> tuple[bool, ...]:
    """Whether a sample is the last index and not the first; both where the axes are of one size."""
    name = tensor_named(entry)
    tensor = vocabulary.tensors.get(name)
    if tensor is not None and len(tensor.axes) > 1 and len(set(tensor.axes)) == 1:
        return False, True
    return (name in vocabulary.behind,)


def tensor_named(entry: Entry) -> str:
    """The tensor that a name is, or is the adjoint of; nothing where it is an entry or a number."""
    value = entry.value.arguments[0] if isinstance(entry.value, t.Apply) else entry.value
    return value.name if isinstance(value, t.Name) else ""


def list_sampled(sides: Sequence[Syntax], vocabulary: Vocabulary) -> tuple[str, ...]:
    """The tensors that are written with a sample in brackets above."""
    found: dict[str, None] = {}
    for node in (part for side in sides for part in walk_syntax(side)):
        if not isinstance(node, Scripts) or node.above is None or not isinstance(symbol := bare(node.base), Symbol):
            continue
        for entry in vocabulary.find(symbol, node.primes):
            tensor = vocabulary.tensors.get(tensor_named(entry))
            if tensor is not None and tensor.axes and any(first for first, _, _ in _splits(entry, node)):
                found[tensor.name] = None
    return tuple(found)


def _splits(
    entry: Entry, scripts: Scripts
) -> Iterator[tuple[tuple[Syntax, ...], tuple[Syntax, ...], Syntax | None]]:
    """What is left of the scripts when the name has taken its own: the sample, the indices below, and the power."""
    above = scripts.above
    first: tuple[Syntax, ...] = ()
    label = label_of(above) if above is not None else None
    turned = label_and_more(above) if above is not None else None
    if entry.label.startswith("^"):
        if above is None or f"^{write_syntax(bare(above))}" != entry.label:
            return
        above = None
    elif entry.label:
        if label is not None and script_text(label) == entry.label:
            above = None
        elif turned is not None and script_text(turned[0]) == entry.label:
            above, sample = turned[1], label_of(turned[1])
            if sample is not None:
                above, first = None, (sample,)  # layer and sample: a^{[1](n)}
        else:
            return
    elif label is not None:
        above, first = None, (label,)  # a sample: x^{(n)}
    elif turned is not None and write_syntax(bare(turned[1])) in TRANSPOSED:
        first, above = (turned[0],), turned[1]  # x^{(n)\top}
    elif turned is not None:
        return
    below = parts_below(scripts.below)
    if not entry.below:
        yield first, below, above
    elif scripts.below is not None:
        for count in range(1, len(below) + 1):
            if ",".join(map(script_text, below[:count])) == entry.below:
                yield first, below[count:], above


def label_and_more(above: Syntax) -> tuple[Syntax, Syntax] | None:
    r"""A label and what stands behind it, as in W^{(2)\top}."""
    node = bare(above)
    if isinstance(node, Beside) and len(node.parts) == 2:
        label = label_of(node.parts[0])
        return (label, node.parts[1]) if label is not None else None
    return None


def parts_below(below: Syntax | None) -> tuple[Syntax, ...]:
    """The parts of a subscript that commas separate."""
    if below is None:
        return ()
    node = below
    while isinstance(node, Group) and node.opened == "{":
        if len(node.parts) > 1:
            return node.parts
        node = node.parts[0]
    return (node,)


def split_indices(parts: tuple[Syntax, ...], rank: int) -> tuple[tuple[Syntax, ...], ...]:
    """The ways to read parts as so many indices: parts side by side are apart where their number says so.

    >>> len(split_indices((Beside((Symbol("i"), Symbol("j"))),), 2)), len(split_indices((Numeral("123"),), 2))
    (1, 2)
    """
    if len(parts) == rank:
        return () if any(_is_word(part) for part in parts) else (parts,)
    if not parts or len(parts) > rank:
        return ()
    found: list[tuple[Syntax, ...]] = []
    for chosen in product(*(_cuts(part) for part in parts)):
        flat = tuple(index for cut in chosen for index in cut)
        if len(flat) == rank and flat not in found:
            found.append(flat)
    return tuple(found)


def _cuts(part: Syntax) -> tuple[tuple[Syntax, ...], ...]:
    """The ways to cut one part into indices: letters one by one, digits one by one or together."""
    node = bare(part)
    if isinstance(node, Numeral) and node.text.isdigit() and len(node.text) > 1:
        return tuple(tuple(replace(node, text=piece) for piece in cut) for cut in _digit_cuts(node.text))
    if isinstance(node, Beside):
        found = [tuple(i for cut in chosen for i in cut) for chosen in product(*(_cuts(p) for p in node.parts))]
        return tuple(found) if _is_word(node) else (*found, (node,))
    return ((node,),)


def _is_word(part: Syntax) -> bool:
    """Whether letters stand side by side, which as one index would be their product; 2i is one, and an argmax."""
    node = bare(part)
    if not isinstance(node, Beside) or without_scripts(node.parts[0]) in EXTREMES:
        return False
    return not any(isinstance(bare(inner), Numeral) for inner in node.parts)


def _digit_cuts(text: str) -> Iterator[tuple[str, ...]]:
    if len(text) > 6:
        yield (text,)
        return
    for gaps in product((False, True), repeat=len(text) - 1):
        pieces, start = [], 0
        for place, gap in enumerate(gaps, start=1):
            if gap:
                pieces.append(text[start:place])
                start = place
        yield (*pieces, text[start:])


def read_entry(node: Syntax, vocabulary: Vocabulary, read: ReadIndex) -> tuple[t.Expression, Syntax | None] | None:
    """The entry that a symbol with scripts is, and what stands above it as a power; None where no name fits.

    AmbiguousFormulaError shows the readings where there are several.
    """
    made: dict[tuple[t.Expression, Syntax | None], Reading] = {}
    failure: FormulaError | None = None
    for reading in find_readings(node, vocabulary):
        try:
            value = _with_indices(reading.value, tuple(read(i) for i in reading.indices))
            made[(value, reading.above)] = reading
        except FormulaError as error:
            failure = failure or error
    if len(made) > 1:
        if len({(reading.indices, reading.above) for reading in made.values()}) == 1:
            raise doubtful_name(node, (reading.value for reading in made.values()), vocabulary)
        texts = tuple(write_tree(value) for value, _ in made)
        raise ambiguous(node.line, node.column, f"`{write_syntax(node)}`", texts, _advice(node))
    if not made and failure is not None:
        raise failure
    return next(iter(made), None)


def _advice(node: Syntax) -> str:
    """How to write an entry that has several readings."""
    if isinstance(node, Scripts) and node.above is not None and label_of(node.above) is not None:
        return f"write all indices below, with commas between them, or declare what `{write_syntax(node)}` stands for"
    return "put commas between indices"


def _with_indices(value: t.Expression, indices: tuple[t.Expression, ...]) -> t.Expression:
    if not indices:
        return value
    match value:
        case t.Name(name):
            return t.Access(name, indices)
        case t.Apply("adj", (t.Name(name),)):
            return t.Apply("adj", (t.Access(name, indices),))
    raise TypeError(f"{write_tree(value)} has no entries")


def read_inverse_entry(group: Group, below: Syntax, vocabulary: Vocabulary, read: ReadIndex) -> t.Entry | None:
    """The entry of an inverse, or of an inverse times a tensor, that stands in brackets; None where it is neither."""
    inner = bare(group.parts[0])
    row = inner.parts if isinstance(inner, Beside) else (inner,)
    inverse = bare(row[0])
    if len(group.parts) > 1 or len(row) > 2 or not isinstance(inverse, Scripts) or inverse.above is None:
        return None
    if write_syntax(bare(inverse.above)) != "-1":
        return None
    base = bare(inverse.base)
    if isinstance(base, Group) and len(base.parts) == 1 and inverse.below is None:
        base = bare(base.parts[0])
    elif isinstance(base, Symbol):
        base = replace(inverse, above=None) if inverse.below is not None else base
    names = tuple(find_whole(part, vocabulary) for part in (base, *row[1:]))
    known = tuple(name for name in names if name is not None)
    if len(known) < len(names):
        return None
    cuts = split_indices(parts_below(below), len(vocabulary.tensors[known[-1].name].axes))
    if len(cuts) != 1:
        return None
    return t.Entry(t.Apply("solve" if len(row) == 2 else "inv", known), tuple(map(read, cuts[0])))
