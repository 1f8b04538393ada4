r"""LaTeX in index notation, and scalars, as trees of the formula language.

A sum reaches to the end of its term. A letter that it binds and that stands again behind its end is an error that shows
both readings, because people write it and mean the longer one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction as Rational

from symbackprop.calculus.indices import Affine
from symbackprop.errors import FormulaError, UnsupportedError
from symbackprop.functions import FUNCTION_BY_NAME
from symbackprop.language import tree as t
from symbackprop.language.substitution import substitute_names
from symbackprop.language.wording import fail
from symbackprop.notation.reading.applications import BIG
from symbackprop.notation.reading.commands import TRANSPOSED
from symbackprop.notation.reading.conditions import choose_row, read_conditions
from symbackprop.notation.reading.deltas import Delta
from symbackprop.notation.reading.differentials import head_parts, second_parts
from symbackprop.notation.reading.doubts import check_power, doubtful_prime, may_be_indexed
from symbackprop.notation.reading.entries import find_whole, parts_below, read_entry, read_inverse_entry, split_indices
from symbackprop.notation.reading.factors import Factor, is_name, without_scripts
from symbackprop.notation.reading.inner_products import join_vectors, read_inner_product, read_norm, square_of_norm
from symbackprop.notation.reading.instances import expand_product, expand_sum
from symbackprop.notation.reading.kronecker import is_kronecker
from symbackprop.notation.reading.letters import (
    index_letter,
    opened_product,
    scalar_name,
)  # fmt: skip
from symbackprop.notation.reading.marks import LAYERS, check_above, check_imaginary, check_marked
from symbackprop.notation.reading.points import adjoint_of, derive_formula, put_in, read_point
from symbackprop.notation.reading.refusals import ambiguous
from symbackprop.notation.reading.scopes import check_numbered, check_scopes
from symbackprop.notation.reading.slopes import find_slope
from symbackprop.notation.reading.sums import Bounds, end_early, read_bounds
from symbackprop.notation.reading.syntax import (
    Beside,
    Cases,
    Compound,
    Evaluated,
    Group,
    Marked,
    Matrix,
    Numeral,
    Operator,
    Product,
    Relation,
    Scripts,
    Symbol,
    Syntax,
    bare,
    walk_syntax,
    write_syntax,
)  # fmt: skip
from symbackprop.notation.reading.terms import TIMES, TermReader
from symbackprop.notation.reading.vocabulary import DERIVED, QUOTIENTS, Vocabulary, label_of

WHOLE = {r"\det": "det", r"\tr": "tr", "tr": "tr", "Tr": "tr", "trace": "tr", "diag": "diag", "det": "det"}
"""Functions of whole matrices."""


def read_head(syntax: Syntax, vocabulary: Vocabulary) -> t.Derivative | None:
    r"""The derivative that a formula is as a whole, such as \nabla_w L; None where it is none.

    Both \frac{\partial L}{\partial w} and \partial L / \partial w are read, and whole tensors as well as entries.
    """
    parts = head_parts(syntax, vocabulary)
    if parts is None:
        second = second_parts(syntax, vocabulary)
        if second is None or not vocabulary.is_loss(second[0]):
            return None
        first, again = (IndexReader(vocabulary).head(second[0], by, bare(syntax)) for by in second[1:])
        return first and again and replace(again, of=t.Apply("adj", (first.wrt,), line=first.line, column=first.column))
    of, wrt = parts
    return IndexReader(vocabulary).head(of, wrt, bare(syntax)) if is_name(of) else None


@dataclass(slots=True)
class IndexReader(TermReader):
    """Reads formulas whose parts are numbers; `inside` is set where indices stand.

    `deltas` are those that were read so far, whose indices are looked at when the whole formula is known.
    """

    inside: bool = False
    deltas: list[Delta] = field(default_factory=list)
    ranges: Mapping[str, set[Affine]] = field(default_factory=dict)

    def factor(self, row: tuple[Factor, ...], follows: bool) -> tuple[t.Expression, int]:
        made = read_inner_product(row, self.vocabulary, self.letters | self.ranges.keys(), self._vector)
        if made is not None:
            return made, 2
        read: tuple[t.Expression, int] = TermReader.factor(self, row, follows)
        return read

    def inner(self, group: Group) -> t.Expression:
        if len(group.parts) == 2 and not self.vocabulary.open:
            left, right = map(bare, group.parts)
            taken = self.letters | self.ranges.keys()
            made = join_vectors(left, right, self.vocabulary, taken, self._vector)
            if made is not None:
                return made
        read: t.Expression = TermReader.inner(self, group)
        return read

    def _vector(self, node: Syntax, letter: str) -> t.Expression:
        """An entry of a vector, at a letter of its own."""
        return self.binding((letter,)).name(node)

    def _formula(self, node: Syntax, letter: str) -> t.Expression:
        """A formula of vectors, at a letter of its own."""
        read: t.Expression = self.binding((letter,)).read(node)
        return read

    def number(self, text: str, node: Syntax) -> t.Expression:
        written = f"0{text}" if text.startswith(".") else text
        return t.Number(Rational(written), written, line=node.line, column=node.column)

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
            if above is not None:
                check_power(scripts, placed, self.vocabulary)
            if any(entry.origin == DERIVED for entry in self.vocabulary.find(symbol, scripts.primes)):
                self.deltas.append(Delta(node, placed))
            return placed if above is None else self.raised(placed, above, node)
        letter = index_letter(scripts)
        if letter == "e" and letter in self.letters and scripts.above is not None:
            raise ambiguous(node.line, node.column, f"`{write_syntax(node)}`", ("a power of Euler's number",
                            "a power of the index e"), r"write \exp, or another letter")  # fmt: skip
        if letter is not None and (letter in self.letters or self.inside) and self._is_index(letter, node):
            made = t.Name(letter, line=node.line, column=node.column)
            return made if scripts.above is None else self.raised(made, scripts.above, node)
        if symbol.name == r"\pi" and scripts.below is None and not symbol.accents:
            pi = t.Name("pi", line=node.line, column=node.column)
            return pi if scripts.above is None else self.raised(pi, scripts.above, node)
        if _is_euler(scripts, symbol):
            return self._exponential(scripts, node)
        return self._unlisted(scripts, symbol, node)

    def _is_index(self, letter: str, node: Syntax) -> bool:
        """Whether a letter can be an index: it carries no name of the program."""
        return letter not in self.vocabulary.tensors and letter not in self.vocabulary.sizes and bool(node)

    def _kronecker(self, scripts: Scripts, node: Syntax) -> t.Expression:
        cuts = split_indices(parts_below(scripts.below), 2) if scripts.below is not None else ()
        if len(cuts) != 1:
            raise fail(node, f"`{write_syntax(node)}`", r"two indices, as in \delta_{ij}")
        left, right = (self.index(part) for part in cuts[0])
        one, zero = t.Number(Rational(1), "1"), t.Number(Rational(0), "0")
        place = {"line": node.line, "column": node.column}
        made = t.Where(t.Compare("==", left, right, **place), one, zero, **place)
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

    def _function(self, base: Symbol, scripts: Scripts | None, row: tuple[Factor, ...]) -> str | None:
        known = base.accents or self.vocabulary.find(base)
        if base.name in WHOLE and WHOLE[base.name] != "det" and not known:
            raise fail(base, f"`{write_syntax(base)}` of a whole matrix", "a formula of entries",
                       "traces and diagonals belong to claims about whole matrices")  # fmt: skip
        return "det" if base.name in WHOLE and not known else TermReader._function(self, base, scripts, row)

    def argument(self, function: str, node: Syntax) -> t.Expression:
        """What a function is taken of: a number, or for a determinant a whole matrix by its name."""
        if function == "exp":
            check_imaginary(node, self.letters, self.vocabulary)
        if function != "det":
            read: t.Expression = TermReader.argument(self, function, node)
            return read
        whole = find_whole(bare(node), self.vocabulary)
        if whole is None or len(self.vocabulary.tensors[whole.name].axes) != 2:
            raise fail(node, f"the determinant of `{write_syntax(node)}`", "the name of a matrix, or a written-out one")
        return whole

    def apply(self, function: str, arguments: tuple[t.Expression, ...], primed: bool, node: Syntax) -> t.Expression:
        inner = arguments[0].arguments[0] if isinstance(arguments[0], t.Apply) else None
        if function == "log" and isinstance(inner, t.Apply) and inner.function == "det" and not primed:
            if isinstance(arguments[0], t.Apply) and arguments[0].function == "abs":
                return t.Apply("logdet", inner.arguments, line=node.line, column=node.column)
        return t.Apply(function, arguments, primed, line=node.line, column=node.column)

    def derived(
        self, function: str, arguments: tuple[t.Expression, ...], primes: int, node: Syntax
    ) -> t.Expression:
        if len(arguments) != 1:
            raise fail(node, f"`{write_syntax(node)}` of {len(arguments)} arguments", "a function of one")
        if function not in FUNCTION_BY_NAME and function not in QUOTIENTS:  # one that a document defines
            return t.Apply(function + "'" * (primes - 1), arguments, True, line=node.line, column=node.column)
        argument = t.Name("u")
        value: t.Expression = self._applied(function, (argument,), 0, node)
        for _ in range(primes):
            value = find_slope(value, argument.name)
        return replace(substitute_names(value, {argument.name: arguments[0]}), line=node.line, column=node.column)

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
        if isinstance(exponent, Symbol) and exponent.name in LAYERS and self.vocabulary.is_loss(exponent):
            raise ambiguous(node.line, node.column, f"`{write_syntax(node)}`", ("a power of the loss", "a layer"),
                            f"write ^{{({exponent.name})}} for the layer")  # fmt: skip
        bound = isinstance(exponent, Symbol) and index_letter(Scripts(exponent)) in self.letters
        if bound and may_be_indexed(base, node, self.vocabulary):
            raise ambiguous(node.line, node.column, f"`{write_syntax(node)}`", ("a power", "an index above"),
                            "write indices below, or samples in brackets above")  # fmt: skip
        inner = label_of(above)
        if inner is not None and not self.vocabulary.open:
            raise ambiguous(node.line, node.column, f"`{write_syntax(node)}`", ("a layer or a sample", "a power"),
                            "write powers without brackets")  # fmt: skip
        check_marked(node, above)
        square = square_of_norm(base) if exponent == Numeral("2") else None
        return square or t.Power(base, self.read(above), line=node.line, column=node.column)

    def add(self, signs: tuple[str, ...], parts: tuple[t.Expression, ...], node: Syntax) -> t.Expression:
        check_scopes(parts, node, self.vocabulary.open)
        first = t.Negate(parts[0], line=node.line, column=node.column) if signs[0] == "-" else parts[0]
        if len(parts) == 1:
            return first
        return t.Chain((first, *parts[1:]), signs[1:], line=node.line, column=node.column)

    def multiply(self, signs: tuple[str, ...], parts: tuple[t.Expression, ...], node: Syntax) -> t.Expression:
        if r"\bmod" in signs and len(parts) == 2:
            return t.Chain(parts, ("%",), line=node.line, column=node.column)
        operators: list[str] = []
        operands = list(opened_product(parts[0]))
        operators += ["*"] * (len(operands) - 1)
        for sign, part in zip(signs[1:], parts[1:], strict=True):
            if sign not in (*TIMES, "/", r"\odot") and (sign != r"\circ" or self.vocabulary.open):
                raise fail(node, f"`{sign}` between numbers", r"\cdot or \frac")
            inner = opened_product(part) if sign != "/" else (part,)
            operators += ["/" if sign == "/" else "*", *["*"] * (len(inner) - 1)]
            operands += inner
        return t.Chain(tuple(operands), tuple(operators), line=node.line, column=node.column)

    def divide(self, top: t.Expression, bottom: t.Expression, node: Syntax) -> t.Expression:
        above = opened_product(top)
        return t.Chain((*above, bottom), (*["*"] * (len(above) - 1), "/"), line=node.line, column=node.column)

    def index(self, node: Syntax) -> t.Expression:
        """An index: a letter, a number, or arithmetic of them."""
        reader = replace(self, inside=True)
        made: t.Expression = reader.read(node)
        if not _is_index(made):
            raise fail(node, f"`{write_syntax(node)}` as an index", "a letter, a number, or a sum of them")
        return made

    def floor(self, group: Group) -> t.Expression:
        inner = bare(group.parts[0])
        if len(group.parts) > 1 or not isinstance(inner, Product) or inner.operators != ("/",):
            raise fail(group, f"`{write_syntax(group)}`", r"a quotient of whole numbers, \lfloor i / 2 \rfloor")
        left, right = (self.read(part) for part in inner.parts)
        return t.Chain((left, right), ("//",), line=group.line, column=group.column)

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

    # Sums and extremes.

    def binding(self, names: Iterable[str]) -> IndexReader:
        """The reader inside a sum over indices of these names."""
        return replace(self, letters=self.letters | frozenset(names))

    def reduction(self, sign: str, scripts: Scripts | None, body: tuple[Factor, ...], node: Syntax) -> t.Expression:
        if not body:
            raise fail(node, f"`{sign}` with nothing behind it", "what is summed" if sign == r"\sum" else "a formula")
        if body[0].sign:
            raise fail(node, f"`{sign}` with `{body[0].sign}` behind it", "a formula")
        if sign == r"\prod":
            factors = [self.term(row, row[0].node) for row in expand_product(scripts, body, node)]
            return self.multiply(("",) + (r"\cdot",) * (len(factors) - 1), tuple(factors), node)
        addends = expand_sum(scripts, body) if sign == r"\sum" and self.vocabulary.open else None
        if addends is not None:
            made_all = tuple(self.term(row, row[0].node) for row in addends)
            return self.add(("", *"+" * (len(addends) - 1)), made_all, node)
        operation = {r"\sum": "sum", r"\max": "max", r"\min": "min"}.get(sign, "argmax")
        nested = without_scripts(body[0].node)
        if operation != "sum" and len(body) > 1 and not (isinstance(nested, Symbol) and nested.name in BIG):
            shown = write_syntax(node)
            raise ambiguous(node.line, node.column, f"`{shown}` before several factors", (f"{shown} of the first",
                            f"{shown} of their product"), "bracket what it is taken of")  # fmt: skip
        if scripts is None or scripts.below is None:
            raise fail(node, f"`{sign}` without an index below", rf"{sign}_{{i}}")
        bounds = read_bounds(scripts, self)
        for name in bounds.names:
            if not self._is_index(name, node):
                raise fail(node, f"the index {name}", "another letter", f"{name} is a tensor or a size")
        made: t.Expression = self.binding(bounds.names).term(body, body[0].node)
        return self._reduced(operation, bounds, made, node)

    def _reduced(self, operation: str, bounds: Bounds, body: t.Expression, node: Syntax) -> t.Expression:
        place = {"line": node.line, "column": node.column}
        if operation == "sum":
            bounds = end_early(bounds, body, self.vocabulary.tensors)
        if bounds.conditions:
            if operation != "sum":
                raise UnsupportedError(f"{write_syntax(node)}: an extreme under a condition has no form yet.")
            condition = bounds.conditions[0] if len(bounds.conditions) == 1 else t.And(bounds.conditions, **place)
            body = t.Where(condition, body, t.Number(Rational(0), "0", **place), **place)
        return t.Reduce(operation, bounds.binders, body, **place)

    # The rest.

    def absolute(self, group: Group) -> t.Expression:
        if group.opened == "||":
            taken = self.letters | self.ranges.keys()
            norm = read_norm(group, self.vocabulary, taken, self._vector, self._formula)
            if norm is not None:
                return norm
            shown = write_syntax(replace(group, parts=group.parts[:1]))
            raise fail(group, f"the norm `{shown}` of a number", "bars for an absolute value",
                       "norms belong to claims about whole matrices")  # fmt: skip
        if len(group.parts) > 1:
            raise fail(group, f"`{write_syntax(group)}`", "one formula between bars")
        return t.Apply("abs", (self.read(group.parts[0]),), line=group.line, column=group.column)

    def cases(self, node: Cases) -> t.Expression:
        def choose(condition: t.Condition, then: t.Expression, otherwise: t.Expression) -> t.Expression:
            return t.Where(condition, then, otherwise, line=node.line, column=node.column)

        chosen: t.Expression = choose_row(node, [self.read(row.value) for row in node.rows], choose, self)
        return chosen

    def mask(self, relation: Relation | Compound, node: Syntax) -> t.Expression:
        made = read_conditions(relation, self)
        one, zero = t.Number(Rational(1), "1"), t.Number(Rational(0), "0")
        return t.Where(made[0] if len(made) == 1 else t.And(made), one, zero, line=node.line, column=node.column)

    def matrix(self, node: Matrix) -> t.Expression:
        raise fail(node, f"the matrix `{write_syntax(node)}`", "a number", "write its determinant as vmatrix")

    def derivative(self, of: Syntax, wrt: Syntax, node: Syntax) -> t.Expression:
        above, below = self._derived_name(of), self._entry(wrt)
        if not isinstance(above, t.Name | t.Access) or (above == below and self.vocabulary.open):
            return self.slope(above, (wrt,), node)
        return adjoint_of(t.Derivative(above, below, line=node.line, column=node.column), self.vocabulary)

    def slope(self, value: t.Expression, by: tuple[Syntax, ...], node: Syntax) -> t.Expression:
        for variable in by:
            value = derive_formula(value, self._entry(variable), self.letters, self.vocabulary, node)
        return replace(value, line=node.line, column=node.column)

    def evaluated(self, value: t.Expression, node: Evaluated) -> t.Expression:
        return replace(put_in(value, read_point(node, self), self.vocabulary, node), line=node.line, column=node.column)

    def head(self, of: Syntax, wrt: Syntax, node: Syntax) -> t.Derivative | None:
        """The names of a derivative; None where what is derived is a formula."""
        above, below = self._derived_name(of), self._entry(wrt)
        if not isinstance(above, t.Name | t.Access):
            return None
        return t.Derivative(above, below, line=node.line, column=node.column)

    def _derived_name(self, of: Syntax) -> t.Expression:
        """What is derived; the loss has the names that textbooks give it, where nothing else has them."""
        loss = self.vocabulary.loss
        if loss is not None and self.vocabulary.is_loss(of):
            return t.Name(loss, line=of.line, column=of.column)
        return find_whole(of, self.vocabulary) or self.read(of)

    def _entry(self, node: Syntax) -> t.Name | t.Access:
        inner = bare(node)
        bracketed = isinstance(inner, Scripts) and isinstance(bare(inner.base), Group)
        value = find_whole(node, self.vocabulary) or (self.read(inner) if bracketed else self.name(inner))
        if not isinstance(value, t.Name | t.Access):
            raise fail(node, f"`{write_syntax(node)}` in a derivative", "a tensor or an entry of one")
        return value


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
