r"""The names of formulas in index notation: entries of tensors, indices, Kronecker's delta and Euler's number.

A name that nobody declared is a real scalar where every name is allowed, and an error elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from symbackprop.calculus.indices import Affine
from symbackprop.errors import FormulaError
from symbackprop.language import tree as t
from symbackprop.language.arithmetic import indicator
from symbackprop.language.wording import fail
from symbackprop.notation.reading.deltas import Delta
from symbackprop.notation.reading.doubtful_scripts import check_scripts
from symbackprop.notation.reading.doubts import doubtful_prime
from symbackprop.notation.reading.entries import find_whole, parts_below, read_entry, read_inverse_entry, split_indices
from symbackprop.notation.reading.kronecker import is_kronecker
from symbackprop.notation.reading.letters import index_letter, scalar_name
from symbackprop.notation.reading.marks import check_above, check_imaginary
from symbackprop.notation.reading.refusals import ambiguous
from symbackprop.notation.reading.scopes import check_numbered
from symbackprop.notation.reading.syntax import (
    Beside,
    Group,
    Numeral,
    Operator,
    Scripts,
    Symbol,
    Syntax,
    bare,
    walk_syntax,
    write_syntax,
)  # fmt: skip
from symbackprop.notation.reading.terms import TermReader
from symbackprop.notation.reading.vocabulary import DERIVED, label_of


@dataclass(slots=True)
class NameReader(TermReader):
    """Reads names of numbers; `inside` is set where indices stand.

    `deltas` are those that were read so far, whose indices are looked at when the whole formula is known.
    """

    inside: bool = False
    deltas: list[Delta] = field(default_factory=list)
    ranges: Mapping[str, set[Affine]] = field(default_factory=dict)

    def name(self, node: Syntax) -> t.Expression:
        scripts = node if isinstance(node, Scripts) else Scripts(node)
        symbol = bare(scripts.base)
        if not isinstance(symbol, Symbol):
            raise fail(node, f"`{write_syntax(node)}`", "a name")
        if is_kronecker(scripts, symbol, self.vocabulary, self.ranges):
            return self._kronecker(scripts, node)
        if _is_euler(scripts, symbol) and symbol.font == "mathrm":
            return self._exponential(scripts, node)
        found = read_entry(node, self.vocabulary, self.index)
        if found is not None:
            value, above = found
            if _is_euler(scripts, symbol) and above is not None and _has_letters(above):
                readings = ("a power of Euler's number", "a power of e, a name")
                raise ambiguous(node.line, node.column, f"`{write_syntax(node)}`", readings,
                                r"write \mathrm{e} or \exp for the number, or (e)^{...} for the name")  # fmt: skip
            self.note_font(symbol, node)
            placed = replace(value, line=node.line, column=node.column)
            check_scripts(scripts, placed, above, self.vocabulary)
            if any(entry.origin == DERIVED for entry in self.vocabulary.find(symbol, scripts.primes)):
                self.deltas.append(Delta(node, placed))
            return placed if above is None else self.raised(placed, above, node)
        letter = index_letter(scripts)
        if letter == "e" and letter in self.letters and scripts.above is not None:
            raise ambiguous(node.line, node.column, f"`{write_syntax(node)}`", ("a power of Euler's number",
                            "a power of the index e"), r"write \exp, or another letter")  # fmt: skip
        if letter is not None and (letter in self.letters or self.inside) and self.is_index(letter, node):
            made = t.Name(letter, line=node.line, column=node.column)
            return made if scripts.above is None else self.raised(made, scripts.above, node)
        if symbol.name == r"\pi" and scripts.below is None and not symbol.accents:
            pi = t.Name("pi", line=node.line, column=node.column)
            return pi if scripts.above is None else self.raised(pi, scripts.above, node)
        if _is_euler(scripts, symbol):
            return self._exponential(scripts, node)
        return self._unlisted(scripts, symbol, node)

    def is_index(self, letter: str, node: Syntax) -> bool:
        """Whether a letter can be an index: it carries no name of the program."""
        return letter not in self.vocabulary.tensors and letter not in self.vocabulary.sizes and bool(node)

    def _kronecker(self, scripts: Scripts, node: Syntax) -> t.Expression:
        cuts = split_indices(parts_below(scripts.below), 2) if scripts.below is not None else ()
        if len(cuts) != 1:
            raise fail(node, f"`{write_syntax(node)}`", r"two indices, as in \delta_{ij}")
        left, right = (self.index(part) for part in cuts[0])
        made = indicator(t.Compare("==", left, right, line=node.line, column=node.column), node)
        if r"\delta" not in self.vocabulary.functions:
            self.deltas.append(Delta(node, made))
        return made

    def _exponential(self, scripts: Scripts, node: Syntax) -> t.Expression:
        if scripts.primes or (scripts.above is not None and label_of(scripts.above) is not None
                              and isinstance(bare(label_of(scripts.above) or node), Symbol | Numeral)
                              and not self.vocabulary.open):  # fmt: skip
            raise self.unknown(node)
        above = scripts.above
        constant = above is None or not _has_letters(above)
        symbol = bare(scripts.base)
        if constant and isinstance(symbol, Symbol) and not symbol.font:
            power_of = "a power of " if above is not None else ""
            readings = (f"{power_of}Euler's number", f"{power_of}e, a name")
            raise ambiguous(node.line, node.column, f"`{write_syntax(node)}`", readings,
                            r"write \mathrm{e} or \exp for the number, or declare e")  # fmt: skip
        if above is not None:
            check_imaginary(above, self.letters, self.vocabulary)
        power: t.Expression = self.number("1", node) if above is None else self.read(above)
        return t.Apply("exp", (power,), line=node.line, column=node.column)

    def _unlisted(self, scripts: Scripts, symbol: Symbol, node: Syntax) -> t.Expression:
        """A symbol that no entry is: a real scalar of its own name where every name is allowed."""
        if not self.vocabulary.open:
            raise self._misfit(node, symbol, scripts)
        if scripts.primes and (symbol.name.isupper() or write_syntax(symbol) in self.values):
            raise doubtful_prime(node)
        if symbol.font == "mathbb" or symbol.name == r"\infty":
            raise fail(node, f"`{write_syntax(symbol)}`", "a real number", "declare what it stands for")
        if isinstance(symbol, Operator):
            raise fail(node, f"`\\operatorname{{{symbol.name}}}`, which is no function that is known",
                       "a function of the catalogue", "write its formula, or declare what it stands for")  # fmt: skip
        check_above(scripts, symbol, self.vocabulary)
        above = scripts.above
        if label_of(above) is not None if above is not None else False:
            above = None
        self.note_font(symbol, node)
        parts = parts_below(scripts.below) if scripts.below is not None else ()
        inner = {
            index_letter(Scripts(part)) for whole in parts for part in walk_syntax(whole) if isinstance(part, Symbol)
        }
        if inner & self.letters:  # an entry, because an index of a sum stands below
            check_numbered(parts, node)
            count = sum(len(part.parts) if isinstance(part, Beside) else 1 for part in map(bare, parts))
            cuts = split_indices(parts, count)
            if len(cuts) != 1:
                raise fail(node, f"the indices of `{write_syntax(node)}`", "indices with commas between them")
            base = scalar_name(replace(scripts, below=None), symbol)
            made: t.Expression = t.Access(base, tuple(map(self.index, cuts[0])), line=node.line, column=node.column)
        else:
            made = t.Name(scalar_name(scripts, symbol), line=node.line, column=node.column)
        return made if above is None else self.raised(made, above, node)

    def _misfit(self, node: Syntax, symbol: Symbol, scripts: Scripts) -> FormulaError:
        """The error for a name that is unknown, or whose indices do not fit."""
        entries = self.vocabulary.find(symbol, scripts.primes)
        for entry in entries:
            if isinstance(entry.value, t.Name) and entry.value.name in self.vocabulary.tensors:
                tensor = self.vocabulary.tensors[entry.value.name]
                axes = f"[{', '.join(map(str, tensor.axes))}]" if tensor.axes else ", a scalar"
                return fail(node, f"`{write_syntax(node)}`", f"an entry of {tensor.name}{axes}",
                            "write one index for each axis")  # fmt: skip
        return self.unknown(node)

    def index(self, node: Syntax) -> t.Expression:
        """An index: a letter, a number, or arithmetic of them."""
        reader = replace(self, inside=True)
        made: t.Expression = reader.read(node)
        if not _is_index(made):
            raise fail(node, f"`{write_syntax(node)}` as an index", "a letter, a number, or a sum of them")
        return made

    def entry_of(self, group: Group, below: Syntax, node: Syntax) -> t.Expression:
        """An entry of a name, (x)_i, of the inverse of a matrix, (A^{-1})_{ij}, or of a solution, (A^{-1} b)_i."""
        found = read_inverse_entry(group, below, self.vocabulary, self.index)
        inner = bare(group.parts[0])
        named = inner if isinstance(inner, Scripts) else Scripts(inner, line=node.line, column=node.column)
        if found is None and len(group.parts) == 1 and isinstance(bare(named.base), Symbol) and named.below is None:
            if not self.vocabulary.open and find_whole(inner, self.vocabulary) is not None:
                return self.name(replace(named, below=below))  # (x)_i
        whole = find_whole(inner, self.vocabulary) if found is None and isinstance(inner, Scripts) else None
        if whole is not None:  # (W_f)_{kd}
            cuts = split_indices(parts_below(below), len(self.vocabulary.tensors[whole.name].axes))
            if len(cuts) == 1 and cuts[0]:
                return t.Access(whole.name, tuple(map(self.index, cuts[0])), line=node.line, column=node.column)
        if found is None:
            raise fail(node, "a subscript of brackets", "a name", "write the entry by its name")
        return replace(found, line=node.line, column=node.column)


def _is_euler(scripts: Scripts, symbol: Symbol) -> bool:
    """Whether a symbol can be the number e."""
    return symbol.name == "e" and symbol.font in ("", "mathrm") and not symbol.accents and scripts.below is None


def _has_letters(node: Syntax) -> bool:
    return any(isinstance(part, Symbol) for part in walk_syntax(node))


def _is_index(tree: t.Node) -> bool:
    """Whether an expression is made of letters, numbers, entries and argmax alone."""
    if isinstance(tree, t.Reduce):
        return tree.operation == "argmax"
    kinds = t.Name | t.Number | t.Chain | t.Negate | t.Access
    return isinstance(tree, kinds) and all(map(_is_index, t.children(tree)))
