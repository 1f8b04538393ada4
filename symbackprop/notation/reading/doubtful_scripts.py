r"""Scripts that say two things: x_{2i}, x_{2,i} and x^2_i beside x2, A^\top_{ij}, A^{-1}_{ij}, (A B)^2_{ij}."""

from __future__ import annotations

from dataclasses import replace

from symbackprop.calculus.indices import Affine
from symbackprop.language import tree as t
from symbackprop.language import write_tree
from symbackprop.notation.reading.commands import TRANSPOSED
from symbackprop.notation.reading.refusals import ambiguous
from symbackprop.notation.reading.syntax import (
    Beside,
    Group,
    Marked,
    Numeral,
    Scripts,
    Symbol,
    Syntax,
    bare,
    walk_syntax,
    write_syntax,
)
from symbackprop.notation.reading.vocabulary import DECLARED, Vocabulary, label_of


def check_scripts(scripts: Scripts, value: t.Expression, above: Syntax | None, vocabulary: Vocabulary) -> None:
    """AmbiguousFormulaError where the indices of what was read, or what is left above it, may mean something else."""
    read = value.arguments[0] if isinstance(value, t.Apply) else value
    tensor = vocabulary.tensors.get(read.name) if isinstance(read, t.Name | t.Access) else None
    if tensor is None:
        return
    if isinstance(read, t.Access):
        _check_glued(scripts, read, vocabulary)
    if above is None:
        return
    _check_numbered(scripts, len(tensor.axes), vocabulary)
    if isinstance(read, t.Access):
        check_entry(scripts, above, tensor.axes)


def check_entry(scripts: Scripts, above: Syntax, axes: tuple[Affine, ...]) -> None:
    r"""AmbiguousFormulaError for what may be an entry of a power, an inverse or a transpose, or that of an entry.

    `above` is what stands there behind a label. In print A_{ij}^2 looks as A^2_{ij} does, but who writes the indices
    first raises the entry; for the inverse, and the transpose, many do not.
    """
    if scripts.below is None or len(axes) != 2 or isinstance(bare(above), Marked):
        return
    power, base, indices = write_syntax(bare(above)), write_syntax(scripts.base), write_indices(scripts.below)
    turned, inverted, after = power.removeprefix("-") in TRANSPOSED, power == "-1", _is_below_first(scripts)
    if not turned and (axes[0] != axes[1] or (after and not inverted)):
        return
    entry = f"{base}_{{{indices}}}"
    if turned:
        readings = (f"an entry of {base}^{{{power}}}", f"the entry {entry}, turned")
        hint = rf"write ({base}^{{{power}}})_{{{indices}}} for the entry of the transpose"
    elif inverted:
        readings = (f"an entry of the inverse of {base}", f"the inverse of the entry {entry}")
        hint = rf"write ({base}^{{-1}})_{{{indices}}} for the entry of the inverse, 1 / {entry} for the other"
    else:
        readings = (f"an entry of the power {base}^{{{power}}}", f"the power of the entry {entry}")
        hint = rf"write ({entry})^{{{power}}} for the power of the entry, a sum over products of entries for the other"
    shown = f"{entry}^{{{power}}}" if after else f"{base}^{{{power}}}_{{{indices}}}"
    raise ambiguous(scripts.line, scripts.column, f"`{shown}`", readings, hint)


def write_indices(below: Syntax) -> str:
    """Indices, with commas where they have some."""
    if isinstance(below, Group) and len(below.parts) > 1:
        return ",".join(map(write_syntax, below.parts))
    return write_syntax(bare(below))


def _check_glued(scripts: Scripts, read: t.Access, vocabulary: Vocabulary) -> None:
    """x_{2i} is x at 2i, or an entry of x2 where the program has one; W_{1,d} and W_{11} are of W, or of W1."""
    symbol, below = bare(scripts.base), None if scripts.below is None else bare(scripts.below)
    parts: tuple[Syntax, ...] = below.parts if isinstance(below, Beside | Group) else ()
    if isinstance(below, Numeral) and below.text.isdigit():
        parts = tuple(replace(below, text=digit) for digit in below.text)
    if not isinstance(symbol, Symbol) or below is None or not parts or not isinstance(first := bare(parts[0]), Numeral):
        return
    if scripts.above is not None and any(label_of(part) is not None for part in walk_syntax(scripts.above)):
        return  # x^{(3)}_{2i} says already which x it is
    number, rest, together = first.text, parts[1:], not isinstance(below, Group)
    entries = vocabulary.find(symbol, scripts.primes)
    others = [e for e in entries if e.below == number and e.rank == len(rest)]
    own = [e for e in entries if e.value == t.Name(read.name)]
    said = any(e.origin == DECLARED or e.below == number for e in own)
    if not others or said or (not together and number == "0"):  # h_{0,i} is what h begins with
        return
    base, name = write_syntax(scripts.base), f"{write_syntax(scripts.base)}{number}"
    if len(read.indices) > len(rest) or isinstance(below, Numeral):
        hint = f"declare which it is: names {base}_{number} = {write_tree(others[0].value)}, or {base} = {read.name}"
    else:
        hint = (rf"write {base}_{{{number},{','.join(map(write_syntax, rest))}}} for the entry of {name}, "
                rf"{number} \cdot for a product")  # fmt: skip
    raise ambiguous(scripts.line, scripts.column, f"`{base}_{{{write_indices(below)}}}`",
                    (write_tree(read), f"an entry of {name}"), hint)  # fmt: skip


def _check_numbered(scripts: Scripts, rank: int, vocabulary: Vocabulary) -> None:
    """x^2_i is a power of an entry of x, or an entry of x2 where the program has one; W^2 and w^1 likewise."""
    symbol, above = bare(scripts.base), None if scripts.above is None else bare(scripts.above)
    if not isinstance(above, Numeral) or not isinstance(symbol, Symbol) or _is_below_first(scripts):
        return
    numbered = [e for e in vocabulary.find(symbol, scripts.primes) if above.text in (e.below, e.label)]
    if not (rank or above.text == "1") or all(entry.rank != rank for entry in numbered):
        return
    base, indices = write_syntax(scripts.base), ""
    power = rf"{base} {base}, or \odot,"
    if scripts.below is not None:
        indices = f"_{{{write_indices(scripts.below)}}}"
        power = f"{base}{indices}^{{{above.text}}}"
    readings = (f"a power of {base}{indices}", f"{base}{above.text}{indices}")
    raise ambiguous(scripts.line, scripts.column, f"`{base}^{{{above.text}}}{indices}`", readings,
                    rf"write {power} for the power, {base}^{{({above.text})}}{indices} for the other")  # fmt: skip


def _is_below_first(scripts: Scripts) -> bool:
    """Whether the indices are written before what stands above."""
    below, above = scripts.below, scripts.above
    return below is not None and above is not None and (below.line, below.column) < (above.line, above.column)
