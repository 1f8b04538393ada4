r"""LaTeX in index notation, and scalars, as trees of the formula language.

A sum reaches to the end of its term. A letter that it binds and that stands again behind its end is an error that shows
both readings, because people write it and mean the longer one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction as Rational

from symbackprop.errors import UnsupportedError
from symbackprop.functions import FUNCTION_BY_NAME
from symbackprop.language import tree as t
from symbackprop.language.arithmetic import ZERO, indicator
from symbackprop.language.index_forms import read_size
from symbackprop.language.substitution import substitute_names
from symbackprop.language.wording import fail
from symbackprop.notation.reading.applications import BIG
from symbackprop.notation.reading.commands import TRANSPOSED
from symbackprop.notation.reading.conditions import choose_row, read_conditions
from symbackprop.notation.reading.differentials import head_parts, second_parts, unturned
from symbackprop.notation.reading.doubtful_names import check_no_size
from symbackprop.notation.reading.doubts import may_be_indexed
from symbackprop.notation.reading.entries import find_whole
from symbackprop.notation.reading.factors import Factor, is_name, is_turned, without_scripts
from symbackprop.notation.reading.inner_products import join_vectors, read_inner_product, read_norm, square_of_norm
from symbackprop.notation.reading.instances import expand_product, expand_sum
from symbackprop.notation.reading.letters import index_letter, opened_product
from symbackprop.notation.reading.marks import LAYERS, check_imaginary, check_marked
from symbackprop.notation.reading.names import NameReader
from symbackprop.notation.reading.points import adjoint_of, depends, derive_formula, put_in, read_point
from symbackprop.notation.reading.refusals import ambiguous
from symbackprop.notation.reading.scopes import check_scopes
from symbackprop.notation.reading.slopes import find_slope
from symbackprop.notation.reading.sums import Bounds, end_at_letter, end_early, joined_extreme, read_bounds
from symbackprop.notation.reading.syntax import (
    Beside,
    Cases,
    Compound,
    Evaluated,
    Group,
    Marked,
    Matrix,
    Numeral,
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
from symbackprop.notation.reading.vocabulary import QUOTIENTS, Vocabulary, label_of, script_text

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
        of, *by = second
        if is_turned(by[0]) or (is_turned(by[1]) and _is_scalar(by[0], vocabulary)):
            return None  # a transpose, which a head has no sign for
        first, again = (IndexReader(vocabulary).head(of, unturned(each), bare(syntax)) for each in by)
        return first and again and replace(again, of=t.Apply("adj", (first.wrt,), line=first.line, column=first.column))
    of, wrt = parts
    return IndexReader(vocabulary).head(of, wrt, bare(syntax)) if is_name(of) and not is_turned(wrt) else None


def _is_scalar(node: Syntax, vocabulary: Vocabulary) -> bool:
    found = find_whole(node, vocabulary)
    return found is not None and not vocabulary.tensors[found.name].axes


@dataclass(slots=True)
class IndexReader(NameReader):
    """Reads formulas whose parts are numbers."""

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
        check_no_size(whole, "det", node, self.vocabulary)
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
            check_no_size(base, "the transpose", node, self.vocabulary)
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

    def floor(self, group: Group) -> t.Expression:
        inner = bare(group.parts[0])
        if len(group.parts) > 1 or not isinstance(inner, Product) or inner.operators != ("/",):
            raise fail(group, f"`{write_syntax(group)}`", r"a quotient of whole numbers, \lfloor i / 2 \rfloor")
        left, right = (self.read(part) for part in inner.parts)
        return t.Chain((left, right), ("//",), line=group.line, column=group.column)

    # Sums and extremes.

    def binding(self, names: Iterable[str]) -> IndexReader:
        """The reader inside a sum over indices of these names."""
        return replace(self, letters=self.letters | frozenset(names))

    def _bounded(self, bounds: Bounds) -> IndexReader:
        """The reader inside a sum, who knows how far its indices run where that is written."""
        said = {binder.name: {read_size(binder.range)} for binder in bounds.binders if binder.range is not None}
        return replace(self.binding(bounds.names), ranges={**said, **self.ranges})

    def reduction(self, sign: str, scripts: Scripts | None, body: tuple[Factor, ...], node: Syntax) -> t.Expression:
        if sign == r"\arg":
            sign, scripts, body = joined_extreme(body, node)
            node = Beside((node, scripts), line=node.line, column=node.column)
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
            if not self.is_index(name, node):
                raise fail(node, f"the index {name}", "another letter", f"{name} is a tensor or a size")
        made: t.Expression = self._bounded(bounds).term(body, body[0].node)
        if sign.endswith("argmin"):
            made = t.Negate(made, line=node.line, column=node.column)
        return self._reduced(operation, bounds, made, node)

    def _reduced(self, operation: str, bounds: Bounds, body: t.Expression, node: Syntax) -> t.Expression:
        place = {"line": node.line, "column": node.column}
        if operation == "sum":
            bounds = end_early(bounds, body, self.vocabulary.tensors)
            bounds = end_at_letter(bounds, body, self.vocabulary.tensors, self.ranges)
        if bounds.conditions:
            if operation != "sum":
                raise UnsupportedError(f"{write_syntax(node)}: an extreme under a condition has no form yet.")
            body = t.Where(t.join_conditions(bounds.conditions), body, ZERO, **place)
        return t.Reduce(operation, bounds.binders, body, **place)

    # The rest.

    def absolute(self, group: Group) -> t.Expression:
        if group.opened == "||":
            taken = self.letters | self.ranges.keys()
            norm = read_norm(group, self.vocabulary, taken, self._vector, self._formula)
            if norm is not None:
                return norm
            check_no_size(find_whole(bare(group.parts[0]), self.vocabulary), "the norm", group, self.vocabulary)
            kind = script_text(group.parts[1]) if len(group.parts) > 1 else "2"
            if kind not in ("1", "2", "F"):
                raise fail(group, f"the norm with `{kind}` below", "1, 2 or F", "write it as the sum that it is")
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
        return indicator(t.join_conditions(read_conditions(relation, self)), node)

    def matrix(self, node: Matrix) -> t.Expression:
        raise fail(node, f"the matrix `{write_syntax(node)}`", "a number", "write its determinant as vmatrix")

    def derivative(self, of: Syntax, wrt: Syntax, node: Syntax) -> t.Expression:
        above, below = self._derived_name(of), self._entry(wrt)
        if not isinstance(above, t.Name | t.Access) or (above == below and self.vocabulary.open):
            return self.slope(above, (wrt,), node)
        return adjoint_of(t.Derivative(above, below, line=node.line, column=node.column), self.vocabulary)

    def deriving(self, by: tuple[Syntax, ...]) -> IndexReader:
        below = [node.below for node in map(bare, by) if isinstance(node, Scripts) and node.below is not None]
        parts = [part for whole in below for part in walk_syntax(whole) if isinstance(part, Symbol)]
        letters = [(index_letter(Scripts(part)), part) for part in parts]
        known = [letter for letter, part in letters if letter is not None and self.is_index(letter, part)]
        return self if self.vocabulary.open or not known else self.binding(known)

    def is_constant(self, value: t.Expression, by: tuple[Syntax, ...]) -> bool:
        known = not self.vocabulary.open
        return known and not depends(value, {self._entry(variable).name for variable in by}, self.vocabulary)

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
