r"""LaTeX in index notation, and scalars, as trees of the formula language.

A sum reaches to the end of its term. A letter that it binds and that stands again behind its end is an error that shows
both readings, because people write it and mean the longer one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction as Rational

from symbackprop.errors import FormulaError, UnsupportedError
from symbackprop.language import tree as t
from symbackprop.language.wording import fail
from symbackprop.language.writer import write_tree
from symbackprop.notation.reading.entries import find_whole, parts_below, read_entry, split_indices
from symbackprop.notation.reading.factors import Factor, head_parts, plain_values
from symbackprop.notation.reading.lexemes import ambiguous
from symbackprop.notation.reading.sums import Bounds, read_bounds
from symbackprop.notation.reading.syntax import (
    Beside,
    Cases,
    Group,
    Marked,
    Numeral,
    Relation,
    Scripts,
    Symbol,
    Syntax,
    bare,
    walk_syntax,
    write_syntax,
)  # fmt: skip
from symbackprop.notation.reading.terms import TIMES, TermReader
from symbackprop.notation.reading.vocabulary import DERIVED, LOSSES, Vocabulary, label_of, script_text

TRANSPOSED = ("T", r"\top", r"\intercal", r"\mathrm{T}", r"\mathsf{T}", r"\mathbf{T}")
FLIPPED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "!=": "==", "=": "!="}


def read_formula(syntax: Syntax, vocabulary: Vocabulary, letters: tuple[str, ...] = ()) -> t.Expression:
    r"""The meaning of a formula in index notation; `letters` are indices that stand for something around it.

    >>> from symbackprop.notation.reading.grammar import read_syntax
    >>> from symbackprop.notation.reading.vocabulary import make_vocabulary
    >>> write_tree(read_formula(read_syntax(r"\frac{e^{-x}}{(1+e^{-x})^2}"), make_vocabulary()))
    'exp(-x)/(1 + exp(-x))^2'
    """
    reader = IndexReader(vocabulary, frozenset(letters), plain_values(syntax))
    found: t.Expression = reader.read(syntax)
    return found


def read_head(syntax: Syntax, vocabulary: Vocabulary) -> t.Derivative | None:
    r"""The derivative that a formula is as a whole, such as \nabla_w L; None where it is none.

    Both \frac{\partial L}{\partial w} and \partial L / \partial w are read, and whole tensors as well as entries.
    """
    parts = head_parts(syntax)
    if parts is None:
        return None
    of, wrt = parts
    return IndexReader(vocabulary).head(of, wrt, bare(syntax))


@dataclass(slots=True)
class IndexReader(TermReader):
    """Reads formulas whose parts are numbers; `inside` is set where indices stand."""

    inside: bool = False

    def number(self, text: str, node: Syntax) -> t.Expression:
        written = f"0{text}" if text.startswith(".") else text
        return t.Number(Rational(written), written, line=node.line, column=node.column)

    def name(self, node: Syntax) -> t.Expression:
        scripts = node if isinstance(node, Scripts) else Scripts(node)
        symbol = bare(scripts.base)
        if not isinstance(symbol, Symbol):
            raise fail(node, f"`{write_syntax(node)}`", "a name")
        if self._is_kronecker(scripts, symbol):
            return self._kronecker(scripts, node)
        found = read_entry(node, self.vocabulary, self.index)
        if found is not None:
            value, above = found
            self.note_font(symbol, node)
            placed = replace(value, line=node.line, column=node.column)
            return placed if above is None else self.raised(placed, above, node)
        letter = _letter(scripts)
        if letter == "e" and letter in self.letters and scripts.above is not None:
            raise ambiguous(node.line, node.column, f"`{write_syntax(node)}`", ("a power of Euler's number",
                            "a power of the index e"), r"write \exp, or another letter")  # fmt: skip
        if letter is not None and (letter in self.letters or self.inside) and self._is_index(letter, node):
            made = t.Name(letter, line=node.line, column=node.column)
            return made if scripts.above is None else self.raised(made, scripts.above, node)
        if symbol.name == r"\pi" and scripts.below is None and not symbol.accents:
            pi = t.Name("pi", line=node.line, column=node.column)
            return pi if scripts.above is None else self.raised(pi, scripts.above, node)
        if symbol.name == "e" and symbol.font in ("", "mathrm") and not symbol.accents and scripts.below is None:
            return self._exponential(scripts, node)
        return self._unlisted(scripts, symbol, node)

    def _is_index(self, letter: str, node: Syntax) -> bool:
        """Whether a letter can be an index: it carries no name of the program."""
        return letter not in self.vocabulary.tensors and letter not in self.vocabulary.sizes and bool(node)

    def _is_kronecker(self, scripts: Scripts, symbol: Symbol) -> bool:
        """Whether a delta with two indices is 1 where they are equal; an error where it may be an adjoint as well."""
        if symbol.name != r"\delta" or symbol.accents or symbol.font or scripts.above is not None or scripts.primes:
            return False
        if self.vocabulary.functions.get(r"\delta") == "kronecker":
            return True
        if self.vocabulary.open or scripts.below is None or len(split_indices(parts_below(scripts.below), 2)) != 1:
            return False
        entries = [e for e in self.vocabulary.find(symbol) if not e.label and not e.below and e.rank == 2]
        if any(entry.origin != DERIVED for entry in entries):
            return False
        for entry in entries:
            of = entry.value.arguments[0] if isinstance(entry.value, t.Apply) else entry.value
            axes = self.vocabulary.tensors[of.name].axes if isinstance(of, t.Name) else ()
            if len(set(axes)) == 1:
                readings = (f"the adjoint of {write_tree(of)}", "Kronecker's delta")
                raise ambiguous(scripts.line, scripts.column, f"`{write_syntax(scripts)}`", readings,
                                r"declare \delta = kronecker, or a name for the adjoint")  # fmt: skip
        return not entries

    def _kronecker(self, scripts: Scripts, node: Syntax) -> t.Expression:
        cuts = split_indices(parts_below(scripts.below), 2) if scripts.below is not None else ()
        if len(cuts) != 1:
            raise fail(node, f"`{write_syntax(node)}`", r"two indices, as in \delta_{ij}")
        left, right = (self.index(part) for part in cuts[0])
        one, zero = t.Number(Rational(1), "1"), t.Number(Rational(0), "0")
        place = {"line": node.line, "column": node.column}
        return t.Where(t.Compare("==", left, right, **place), one, zero, **place)

    def _exponential(self, scripts: Scripts, node: Syntax) -> t.Expression:
        if scripts.primes or (scripts.above is not None and label_of(scripts.above) is not None
                              and isinstance(bare(label_of(scripts.above) or node), Symbol | Numeral)
                              and not self.vocabulary.open):  # fmt: skip
            raise self.unknown(node)
        above = scripts.above
        constant = above is None or not any(isinstance(part, Symbol) for part in walk_syntax(above))
        symbol = bare(scripts.base)
        if constant and isinstance(symbol, Symbol) and not symbol.font:
            readings = ("a power of Euler's number", "a power of e, a name")
            raise ambiguous(node.line, node.column, f"`{write_syntax(node)}`", readings,
                            r"write \mathrm{e} or \exp for the number, or declare e")  # fmt: skip
        power: t.Expression = self.number("1", node) if above is None else self.read(above)
        return t.Apply("exp", (power,), line=node.line, column=node.column)

    def _unlisted(self, scripts: Scripts, symbol: Symbol, node: Syntax) -> t.Expression:
        """A symbol that no entry is: a real scalar of its own name where every name is allowed."""
        if not self.vocabulary.open:
            raise self._misfit(node, symbol, scripts)
        name, above = scalar_name(scripts, symbol), scripts.above
        if label_of(above) is not None if above is not None else False:
            above = None
        self.note_font(symbol, node)
        made: t.Expression = t.Name(name, line=node.line, column=node.column)
        parts = parts_below(scripts.below) if scripts.below is not None else ()
        inner = {_letter(Scripts(part)) for whole in parts for part in walk_syntax(whole) if isinstance(part, Symbol)}
        if inner & self.letters:  # an entry, because an index of a sum stands below
            count = sum(len(part.parts) if isinstance(part, Beside) else 1 for part in map(bare, parts))
            cuts = split_indices(parts, count)
            if len(cuts) != 1:
                raise fail(node, f"the indices of `{write_syntax(node)}`", "indices with commas between them")
            base = scalar_name(replace(scripts, below=None), symbol)
            made = t.Access(base, tuple(map(self.index, cuts[0])), line=node.line, column=node.column)
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

    def apply(self, function: str, arguments: tuple[t.Expression, ...], primed: bool, node: Syntax) -> t.Expression:
        return t.Apply(function, arguments, primed, line=node.line, column=node.column)

    def raised(self, base: t.Expression, above: Syntax, node: Syntax) -> t.Expression:
        exponent = bare(above)
        shown = write_syntax(exponent)
        if isinstance(exponent, Marked) or shown == r"\star":
            sign = exponent.sign if isinstance(exponent, Marked) else shown
            if isinstance(exponent, Marked) and exponent.operand is not None and sign in (r"\odot", r"\circ"):
                return t.Power(base, self.read(exponent.operand), line=node.line, column=node.column)
            raise fail(node, f"`{write_syntax(node)}`", "a power", "declare what the name with its mark stands for")
        if shown in TRANSPOSED:
            known = self.vocabulary.find(Symbol("T")) or "T" in self.vocabulary.sizes
            if shown == "T" and known:
                raise ambiguous(node.line, node.column, f"`{write_syntax(node)}`", ("a transpose", "the power T"),
                                r"write ^\top, or ^{(T)}")  # fmt: skip
            if shown == "T" and self.vocabulary.open:
                raise ambiguous(node.line, node.column, f"`{write_syntax(node)}`", ("a transpose", "the power T"),
                                "declare T")  # fmt: skip
            raise fail(node, f"the transpose `{write_syntax(node)}`", "a number",
                       "transposes belong to claims about whole matrices")  # fmt: skip
        if isinstance(exponent, Symbol) and _letter(Scripts(exponent)) in self.letters:
            raise ambiguous(node.line, node.column, f"`{write_syntax(node)}`", ("a power", "an index above"),
                            "write indices below, or samples in brackets above")  # fmt: skip
        inner = label_of(above)
        if inner is not None and not self.vocabulary.open:
            raise ambiguous(node.line, node.column, f"`{write_syntax(node)}`", ("a layer or a sample", "a power"),
                            "write powers without brackets")  # fmt: skip
        return t.Power(base, self.read(above), line=node.line, column=node.column)

    def add(self, signs: tuple[str, ...], parts: tuple[t.Expression, ...], node: Syntax) -> t.Expression:
        self._check_bound(parts, node)
        first = t.Negate(parts[0], line=node.line, column=node.column) if signs[0] == "-" else parts[0]
        if len(parts) == 1:
            return first
        return t.Chain((first, *parts[1:]), signs[1:], line=node.line, column=node.column)

    def multiply(self, signs: tuple[str, ...], parts: tuple[t.Expression, ...], node: Syntax) -> t.Expression:
        operators: list[str] = []
        operands = list(_opened(parts[0]))
        operators += ["*"] * (len(operands) - 1)
        for sign, part in zip(signs[1:], parts[1:], strict=True):
            if sign not in (*TIMES, "/", r"\odot"):
                raise fail(node, f"`{sign}` between numbers", r"\cdot or \frac")
            inner = _opened(part) if sign != "/" else (part,)
            operators += ["/" if sign == "/" else "*", *["*"] * (len(inner) - 1)]
            operands += inner
        return t.Chain(tuple(operands), tuple(operators), line=node.line, column=node.column)

    def divide(self, top: t.Expression, bottom: t.Expression, node: Syntax) -> t.Expression:
        above = _opened(top)
        return t.Chain((*above, bottom), (*["*"] * (len(above) - 1), "/"), line=node.line, column=node.column)

    def index(self, node: Syntax) -> t.Expression:
        """An index: a letter, a number, or arithmetic of them."""
        reader = replace(self, inside=True)
        made: t.Expression = reader.read(node)
        for part, _ in t.walk(made):
            if not isinstance(part, t.Name | t.Number | t.Chain | t.Negate | t.Access):
                raise fail(node, f"`{write_syntax(node)}` as an index", "a letter, a number, or a sum of them")
        return made

    # Sums and extremes.

    def reduction(self, sign: str, scripts: Scripts | None, body: tuple[Factor, ...], node: Syntax) -> t.Expression:
        if sign in (r"\prod",):
            raise UnsupportedError(f"{write_syntax(node)}: the formula language has no products over an index.")
        if not body:
            raise fail(node, f"`{sign}` with nothing behind it", "what is summed" if sign == r"\sum" else "a formula")
        if body[0].sign:
            raise fail(node, f"`{sign}` with `{body[0].sign}` behind it", "a formula")
        operation = {r"\sum": "sum", r"\max": "max", r"\min": "min"}.get(sign, "argmax")
        if operation != "sum" and len(body) > 1:
            shown = write_syntax(node)
            raise ambiguous(node.line, node.column, f"`{shown}` before several factors", (f"{shown} of the first",
                            f"{shown} of their product"), "bracket what it is taken of")  # fmt: skip
        if scripts is None or scripts.below is None:
            raise fail(node, f"`{sign}` without an index below", rf"{sign}_{{i}}")
        bounds = read_bounds(scripts, self)
        for name in bounds.names:
            if not self._is_index(name, node):
                raise fail(node, f"the index {name}", "another letter", f"{name} is a tensor or a size")
        inner = replace(self, letters=self.letters | set(bounds.names))
        made: t.Expression = inner.term(body, body[0].node)
        return self._reduced(operation, bounds, made, node)

    def _reduced(self, operation: str, bounds: Bounds, body: t.Expression, node: Syntax) -> t.Expression:
        place = {"line": node.line, "column": node.column}
        if bounds.conditions:
            if operation != "sum":
                raise UnsupportedError(f"{write_syntax(node)}: an extreme under a condition has no form yet.")
            condition = bounds.conditions[0] if len(bounds.conditions) == 1 else t.And(bounds.conditions, **place)
            body = t.Where(condition, body, t.Number(Rational(0), "0", **place), **place)
        return t.Reduce(operation, bounds.binders, body, **place)

    def _check_bound(self, parts: tuple[t.Expression, ...], node: Syntax) -> None:
        """An error where an index of a sum stands again in a later addend."""
        bound: set[str] = set()
        for part in parts:
            again = sorted(bound & set(_free_letters(part)))
            if again:
                letter = again[0]
                raise ambiguous(node.line, node.column, f"the index {letter} behind the end of its sum",
                                (f"{letter} bound by the sum before it", f"another {letter}"),
                                "bracket what is summed, or use another letter")  # fmt: skip
            bound |= {b.name for n, _ in t.walk(part) if isinstance(n, t.Reduce) for b in n.binders}

    # The rest.

    def absolute(self, group: Group) -> t.Expression:
        if group.opened == "||":
            raise fail(group, f"the norm `{write_syntax(group)}` of a number", "bars for an absolute value",
                       "norms belong to claims about whole matrices")  # fmt: skip
        if len(group.parts) > 1:
            raise fail(group, f"`{write_syntax(group)}`", "one formula between bars")
        return t.Apply("abs", (self.read(group.parts[0]),), line=group.line, column=group.column)

    def cases(self, node: Cases) -> t.Expression:
        *rows, last = node.rows
        if last.conditions and not (len(rows) == 1 and _complementary(rows[0].conditions, last.conditions)):
            raise fail(last, "cases without a row for what is left", r"\text{otherwise} in the last row")
        value: t.Expression = self.read(last.value)
        for row in reversed(rows):
            if not row.conditions:
                raise fail(row, "otherwise before the last row", "a condition")
            made = [c for one in row.conditions for c in self.conditions(one)]
            condition = made[0] if len(made) == 1 else t.And(tuple(made))
            value = t.Where(condition, self.read(row.value), value, line=node.line, column=node.column)
        return value

    def conditions(self, node: Syntax) -> tuple[t.Condition, ...]:
        """The comparisons of a condition, each of two sides."""
        inner = bare(node)
        if not isinstance(inner, Relation):
            raise fail(node, f"`{write_syntax(node)}`", "a condition such as x > 0")
        sides = [self.read(part) for part in inner.parts]
        made = []
        for operator, left, right in zip(inner.operators, sides, sides[1:], strict=False):
            if operator in (":=", r"\approx"):
                raise fail(node, f"`{operator}` in a condition", "a comparison")
            made.append(
                t.Compare("==" if operator == "=" else operator, left, right, line=node.line, column=node.column)
            )
        return tuple(made)

    def mask(self, relation: Relation, node: Syntax) -> t.Expression:
        made = self.conditions(relation)
        one, zero = t.Number(Rational(1), "1"), t.Number(Rational(0), "0")
        return t.Where(made[0] if len(made) == 1 else t.And(made), one, zero, line=node.line, column=node.column)

    def derivative(self, of: Syntax, wrt: Syntax, node: Syntax) -> t.Expression:
        head = self.head(of, wrt, node)
        whole = isinstance(head.wrt, t.Name) and head.wrt.name in self.vocabulary.tensors
        if isinstance(head.of, t.Name) and head.of.name == self.vocabulary.loss:
            if whole and self.vocabulary.tensors[head.wrt.name].axes:
                raise fail(node, f"the derivative by all of {head.wrt.name}", "one by an entry, with its indices")
            return t.Apply("adj", (head.wrt,), line=node.line, column=node.column)
        tensors = self.vocabulary.tensors
        for part in (head.of, head.wrt):
            if part.name not in tensors:
                raise UnsupportedError(
                    f"line {node.line}, column {node.column}: {write_tree(head)} is taken of or by no tensor of a "
                    "program; derivatives stand in claims about programs."
                )
            if isinstance(part, t.Name) and tensors[part.name].axes:
                raise fail(node, f"the derivative of or by all of {part.name}", "one of an entry, with its indices")
        return t.Apply("adj", (head.of, head.wrt), line=node.line, column=node.column)

    def head(self, of: Syntax, wrt: Syntax, node: Syntax) -> t.Derivative:
        """The names of a derivative."""
        above, below = self._derived(of), self._entry(wrt)
        return t.Derivative(above, below, line=node.line, column=node.column)

    def _derived(self, of: Syntax) -> t.Name | t.Access:
        """What is derived; the loss has the names that textbooks give it, where nothing else has them."""
        loss = self.vocabulary.loss
        if isinstance(of, Symbol) and not self.vocabulary.find(of) and loss is not None and write_syntax(of) in LOSSES:
            return t.Name(loss, line=of.line, column=of.column)
        return self._entry(of)

    def _entry(self, node: Syntax) -> t.Name | t.Access:
        value = find_whole(node, self.vocabulary) or self.name(bare(node))
        if not isinstance(value, t.Name | t.Access):
            raise fail(node, f"`{write_syntax(node)}` in a derivative", "a tensor or an entry of one")
        return value


def scalar_name(scripts: Scripts, symbol: Symbol) -> str:
    r"""The name of the formula language that a symbol without meaning gets.

    >>> scalar_name(Scripts(Symbol("y", ("hat",)), Symbol("n")), Symbol("y", ("hat",)))
    'yhat_n'
    """
    base = symbol.name.removeprefix("\\")
    base = {"varepsilon": "eps"}.get(base, base) + "".join(symbol.accents)
    label = label_of(scripts.above) if scripts.above is not None else None
    name = base
    if label is not None:
        text = re.sub(r"[^A-Za-z0-9]+", "_", script_text(label)).strip("_")
        name += text if text.isdigit() else f"_sup_{text}"
    if scripts.below is not None:
        name += "_" + re.sub(r"[^A-Za-z0-9]+", "_", script_text(scripts.below)).strip("_")
    name += "_prime" * scripts.primes
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) or name in t.RESERVED:
        shown = write_syntax(scripts) if scripts.below or scripts.above else write_syntax(symbol)
        raise fail(symbol, f"`{shown}`", "a name of letters and digits", "declare what it stands for")
    return name


def _letter(scripts: Scripts) -> str | None:
    """The index that a symbol without a subscript is."""
    symbol = bare(scripts.base)
    if not isinstance(symbol, Symbol) or symbol.accents or symbol.font or scripts.below is not None:
        return None
    name = symbol.name.removeprefix("\\")
    single = len(name) == 1 or symbol.name.startswith("\\")
    return name + "_prime" * scripts.primes if single and name.isalpha() and name != "infty" else None


def _opened(tree: t.Expression) -> tuple[t.Expression, ...]:
    """The factors of a product without a division."""
    if isinstance(tree, t.Chain) and set(tree.operators) == {"*"}:
        return tree.operands
    return (tree,)


def _free_letters(tree: t.Expression) -> Iterator[str]:
    """The letters in brackets that no sum in the tree binds."""
    waiting: list[tuple[t.Node, frozenset[str]]] = [(tree, frozenset())]
    while waiting:
        node, bound = waiting.pop()
        if isinstance(node, t.Reduce):
            bound |= {b.name for b in node.binders}
        if isinstance(node, t.Access):
            for part, _ in t.walk(node):
                if isinstance(part, t.Name) and part.name not in bound:
                    yield part.name
        waiting += [(child, bound) for child in t.children(node)]


def _complementary(first: tuple[Syntax, ...], second: tuple[Syntax, ...]) -> bool:
    """Whether of two conditions one always holds, and never both."""
    if len(first) != 1 or len(second) != 1:
        return False
    one, other = bare(first[0]), bare(second[0])
    if not (isinstance(one, Relation) and isinstance(other, Relation)) or len(one.parts) != 2 or len(other.parts) != 2:
        return False
    return one.parts == other.parts and FLIPPED.get(one.operators[0]) == other.operators[0]
