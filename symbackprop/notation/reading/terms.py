r"""Products of LaTeX: what stands side by side, read with the names that there are.

A term is a row of factors with or without signs between them. What has two readings (a function without brackets before
two factors, brackets behind a name that is no function, a slash before a product) is an error that shows both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from symbackprop.errors import FormulaError, UnsupportedError
from symbackprop.language.wording import fail
from symbackprop.notation.reading.applications import BIG, DIVIDED, FunctionReader
from symbackprop.notation.reading.differentials import SLOPES, read_differential, without_arguments
from symbackprop.notation.reading.doubts import (
    check_argument,
    check_braces,
    check_division,
    check_mixed,
    check_point,
    check_sign,
    check_sum,
    check_vectors,
    doubtful_bar,
    doubtful_prime,
    is_datum,
)
from symbackprop.notation.reading.factors import (
    Factor,
    factors_of,
    is_name,
    is_number,
    without_scripts,
    write_factors,
)
from symbackprop.notation.reading.refusals import ambiguous
from symbackprop.notation.reading.sums import join_signed
from symbackprop.notation.reading.syntax import (
    Cases,
    Compound,
    Evaluated,
    Fraction,
    Group,
    Marked,
    Matrix,
    Numeral,
    Placed,
    Relation,
    Root,
    Scripts,
    Such,
    Sum,
    Symbol,
    Syntax,
    bare,
    write_syntax,
)  # fmt: skip
from symbackprop.notation.reading.vocabulary import label_of
from symbackprop.notation.reading.words import check_words

TIMES = ("", "*", r"\cdot", r"\times")
ENTRYWISE = (r"\odot", r"\circ")


@dataclass(slots=True)
class TermReader(FunctionReader):
    """Reads formulas over a vocabulary; what a reading is made of is for the notation to say."""

    # What all notations share.

    def read(self, node: Syntax) -> Any:
        """The meaning of a formula; FormulaError where it has none, or two."""
        node = bare(node)
        match node:
            case Sum(parts, signs):
                check_sum(parts, signs, node)
                joined = join_signed(node)
                return self.add(joined.signs, tuple(self.read(part) for part in joined.parts), joined)
            case Relation() | Compound():
                raise fail(node, f"the relation `{write_syntax(node)}`", "a formula")
            case Such():
                raise fail(node, f"the condition in `{write_syntax(node)}`", "indices alone",
                           "conditions stand below a sum")  # fmt: skip
            case Marked(sign):
                raise fail(node, f"`{sign}` alone", "a formula")
        return self.term(factors_of(node), node)

    def term(self, factors: tuple[Factor, ...], node: Syntax) -> Any:
        """A row of factors."""
        check_words(factors, self.vocabulary)
        check_vectors(factors, self.vocabulary)
        check_braces(factors)
        signs: list[str] = []
        parts: list[Any] = []
        place = last = 0
        while place < len(factors):
            sign, last = factors[place].sign, place
            part, taken = self.factor(factors[place:], place > 0)
            signs.append(sign)
            parts.append(part)
            place += taken
        if len(parts) == 1:
            return parts[0]
        check_division(signs, factors[last].node, node)
        return self.multiply(tuple(signs), tuple(parts), node)

    def factor(self, row: tuple[Factor, ...], follows: bool) -> tuple[Any, int]:
        """The first factor of a row, and how many parts it takes."""
        node = bare(row[0].node)
        scripts = node if isinstance(node, Scripts) else None
        base = bare(scripts.base) if scripts is not None else node
        if row[0].sign in DIVIDED:
            self._check_divisor(row)
        indicator = self._indicator(base, scripts, row)
        if indicator is not None:
            return indicator
        if isinstance(base, Symbol):
            if base.name in BIG and not base.accents and not self._is_extreme_of_arguments(base, scripts, row):
                return self.reduction(base.name, scripts, row[1:], node), len(row)
            if base in SLOPES:
                return self._slope_sign(base.name, scripts, row, node)
            function = self._function(base, scripts, row)
            if function is not None:
                return self._application(function, base, scripts, row)
            if base == Symbol("E", (), "mathbb") and not self.vocabulary.find(base):
                raise fail(node, r"the expectation `\mathbb{E}`", "a formula",
                           r"write the mean that it stands for, \frac{1}{N} \sum_{n}")  # fmt: skip
            if self._is_called_loss(row):
                return self.name(node), 2
            unsure = self.vocabulary.open and not self.vocabulary.find(base) and not self._is_value(node, base)
            if base.name not in self.letters:
                check_sign(node, row, self.values, self.vocabulary)
            if not self._is_exponential(node) and not is_datum(node, row, self.vocabulary):
                check_argument(node, row, unsure, self.vocabulary)
            return self.name(node), 1
        if scripts is not None:
            if scripts.below is not None and not isinstance(base, Group):
                raise fail(node, "a subscript of something else than a name", "a name", "brace nothing but names")
            if follows and isinstance(base, Numeral) and row[0].sign == "":
                raise fail(node, f"the number {write_syntax(node)} behind a factor", r"\cdot before it")
            return self._scripted_group(scripts, base), 1
        match node:
            case Numeral(text):
                check_mixed(node, row)
                if follows and row[0].sign == "":
                    raise fail(
                        node, f"the number {text} behind a factor", r"\cdot before it, or braces around a script"
                    )
                return self.number(text, node), 1
            case Placed(tree):
                return tree, 1
            case Fraction():
                return self._fraction(row, node)
            case Evaluated(inner):
                if follows or (len(row) > 1 and not isinstance(bare(inner), Group | Fraction)):
                    raise doubtful_bar(node)
                return self.evaluated(self.read(inner), node), 1
            case Root(inner, degree):
                return self._root(self.read(inner), degree, node), 1
            case Cases():
                return self.cases(node), 1
            case Matrix():
                return self.matrix(node), 1
            case Group("|" | "||"):
                return self.absolute(node), 1
            case Group(r"\langle"):
                return self.inner(node), 1
            case Group(r"\lfloor"):
                return self.floor(node), 1
            case Group():
                return self._bracketed(node), 1
        return self.read(node), 1

    def _is_called_loss(self, row: tuple[Factor, ...]) -> bool:
        r"""Whether a row begins with the loss and what it depends on, L(w, b); AmbiguousFormulaError for L(2w)."""
        node = bare(row[0].node)
        group = bare(row[1].node) if len(row) > 1 and not row[1].sign else None
        called = isinstance(group, Group) and group.opened == "(" and isinstance(node, Symbol)
        if not called or self.vocabulary.open or not self.vocabulary.is_loss(node):
            return False
        if len(without_arguments(row[:2], self.vocabulary)) == 1:
            return True
        raise ambiguous(node.line, node.column, f"`{write_factors(row[:2])}`",
                        ("the loss at other values", r"the loss \cdot what stands in brackets"),
                        r"write \cdot, or give the loss as a function, f(x) = ...")  # fmt: skip

    def _root(self, value: Any, degree: Syntax | None, node: Syntax) -> Any:
        """A root; one of odd degree is real for negative numbers too, where a power has no value."""
        number = bare(degree) if degree is not None else Numeral("2")
        if not isinstance(number, Numeral) or not number.text.isdigit() or int(number.text) < 2:
            raise UnsupportedError(f"line {node.line}, column {node.column}: {write_syntax(node)} is a root whose "
                                   "degree is no whole number from 2 on; write it as a power.")  # fmt: skip
        if number.text == "2":
            return self.apply("sqrt", (value,), False, node)
        above = Fraction(Numeral("1"), number, line=node.line, column=node.column)
        if int(number.text) % 2 == 0:
            return self.raised(value, above, node)
        size = self.raised(self.apply("abs", (value,), False, node), above, node)
        return self.multiply(("", r"\cdot"), (self.apply("sign", (value,), False, node), size), node)

    def _bracketed(self, node: Group) -> Any:
        if node.opened == ".":
            raise fail(node, r"`\left.` without a point behind its bar", r"\left. ... \right|_{x=1}")
        if len(node.parts) > 1:
            raise fail(node, f"a list in brackets, `{write_syntax(node)}`", "one formula",
                       "a tuple is no number, and only a function has several arguments")  # fmt: skip
        inner = bare(node.parts[0])
        if isinstance(inner, Relation | Compound) and node.opened == "[":
            return self.mask(inner, node)
        return self.read(inner)

    def _scripted_group(self, scripts: Scripts, base: Syntax) -> Any:
        """Brackets or a number with something above them."""
        if scripts.primes:
            raise fail(scripts, "a prime behind brackets", "the name of a function before it")
        below = scripts.below
        if isinstance(base, Group) and base.opened in ("|", "||") and below is not None:
            value = self.absolute(Group(base.opened, (*base.parts, below), line=base.line, column=base.column))
        elif below is not None and scripts.above is None and isinstance(base, Group):
            return self.entry_of(base, below, scripts)
        elif below is not None:
            raise fail(scripts, "a subscript of brackets", "a name", "write the entry by its name")
        else:
            value, _ = self.factor((Factor("", base),), False)
        if scripts.above is None:
            return value
        if label_of(scripts.above) is not None:
            shown = write_syntax(scripts)
            raise ambiguous(scripts.line, scripts.column, f"`{shown}`", ("a power", "a layer or a sample"),
                            "write powers without brackets")  # fmt: skip
        return self.raised(value, scripts.above, scripts)

    # Derivatives.

    def _fraction(self, row: tuple[Factor, ...], node: Fraction) -> tuple[Any, int]:
        """A quotient, or the derivative that it is written as; an operator takes the one thing behind it."""
        found = read_differential(node)
        if found is None:
            return self.divide(self.read(node.top), self.read(node.bottom), node), 1
        if self.vocabulary.find(Symbol("d")) and write_syntax(factors_of(bare(node.bottom))[0].node) == "d":
            raise ambiguous(node.line, node.column, f"`{write_syntax(node)}`", ("a derivative", "a quotient"),
                            r"write \partial")  # fmt: skip
        if found.of:
            check_point(node, row[1:])
            if self.vocabulary.open:
                self._check_reach(found.of, found.by, node)
            return self._derived(without_arguments(found.of, self.vocabulary), found.by, node), 1
        return self._operator(row, found.by, node)

    def _operator(self, row: tuple[Factor, ...], by: tuple[Syntax, ...], node: Syntax) -> tuple[Any, int]:
        r"""The derivative of what stands behind its sign: \frac{d}{dx} x^2, \partial_x x^2, \nabla_w L."""
        if len(row) == 1 or row[1].sign:
            raise fail(node, f"`{write_syntax(node)}` with nothing behind it", "what is derived")
        point = bare(row[1].node)
        if isinstance(point, Evaluated):
            of = (Factor("", point.inner), *row[2:])
            self._check_reach(of, by, node)
            return self.evaluated(self._derived(of, by, node), point), len(row)
        entrywise = next((place for place, factor in enumerate(row) if factor.sign in ENTRYWISE), len(row))
        loss = without_arguments(row[1:entrywise], self.vocabulary)
        if entrywise < len(row) and len(loss) == 1 and self.vocabulary.is_loss(loss[0].node):
            return self._derived(loss, by, node), entrywise  # a number has no entries
        of = without_arguments(row[1:], self.vocabulary)
        self._check_reach(of, by, node)
        return self._derived(of, by, node), len(row)

    def _derived(self, of: tuple[Factor, ...], by: tuple[Syntax, ...], node: Syntax) -> Any:
        """The derivative of one factor, which is a name or a formula."""
        if len(of) == 1 == len(by) and is_name(of[0].node):
            return self.derivative(bare(of[0].node), by[0], node)
        if self.vocabulary.open and len(of) == 1 and is_name(of[0].node) and not self._is_exponential(of[0].node):
            raise UnsupportedError(
                f"line {node.line}, column {node.column}: {write_syntax(node)} is a higher derivative of a name; write "
                "the formula that it stands for, in brackets behind the sign of the derivative."
            )
        return self.slope(self.deriving(by).term(of, node), by, node)

    def _check_reach(self, of: tuple[Factor, ...], by: tuple[Syntax, ...], node: Syntax) -> None:
        r"""AmbiguousFormulaError where it is open how far a sign derives: \frac{d}{dx} x^2 y, but not in front of y x^2
        or x^\top y.
        """
        place = 0 if len(of) > 1 else 1
        while place < len(of):
            part, taken = self.deriving(by).factor(of[place:], place > 0)
            constant = is_number(of[place].node) or self.is_constant(part, by)
            if place + taken == len(of) or self.is_inner_product(of[place:]):
                return
            if not constant:
                raise ambiguous(node.line, node.column, f"a derivative of `{write_factors(of)}`",
                                ("the derivative of all of it", "the derivative of its first factor"),
                                "bracket what is derived")  # fmt: skip
            place += taken

    def _is_value(self, node: Syntax, base: Symbol) -> bool:
        """Whether a name is a number because it stands elsewhere without brackets, or is a power of one that does."""
        if write_syntax(node) in self.values or base == Symbol(r"\pi"):
            return True
        if not isinstance(node, Scripts) or node.primes or node.above is None or label_of(node.above) is not None:
            return False
        return write_syntax(base if node.below is None else replace(node, above=None)) in self.values

    def _is_exponential(self, node: Syntax) -> bool:
        """Whether a part is a power of Euler's number."""
        inner = bare(node)
        if not isinstance(inner, Scripts) or inner.below is not None or inner.above is None or inner.primes:
            return False
        base = bare(inner.base)
        named = not isinstance(base, Symbol) or base.name in self.letters or bool(self.vocabulary.find(base))
        return base in (Symbol("e"), Symbol("e", (), "mathrm")) and not named and label_of(inner.above) is None

    def _slope_sign(self, sign: str, scripts: Scripts | None, row: tuple[Factor, ...], node: Syntax) -> tuple[Any, int]:
        twice = scripts is not None and scripts.above is not None and write_syntax(bare(scripts.above)) == "2"
        if scripts is None or scripts.below is None or (scripts.above is not None and not twice) or scripts.primes:
            instead = rf"{sign}_{{W}} L" if sign == r"\nabla" else r"\frac{\partial L}{\partial w}"
            raise fail(node, f"`{sign}` without a name below", instead)
        return self._operator(row, (bare(scripts.below),) * (2 if twice else 1), node)

    def _indicator(self, base: Syntax, scripts: Scripts | None, row: tuple[Factor, ...]) -> tuple[Any, int] | None:
        r"""1 where a relation holds and 0 elsewhere: \mathbb{1}[i = j], \mathbb{1}_{i = j}, 1_{\{i = j\}}, I(i = j)."""
        name = base.name if isinstance(base, Symbol) else base.text if isinstance(base, Numeral) else ""
        if name not in ("1", "I") or (isinstance(base, Symbol) and (base.accents or self.vocabulary.find(base))):
            return None
        if scripts is not None and scripts.below is not None and scripts.above is None:
            inner = bare(scripts.below)
            relation = _joined(inner) if isinstance(inner, Group) else inner
            return (self.mask(relation, scripts), 1) if isinstance(relation, Relation | Compound) else None
        brackets = bare(row[1].node) if scripts is None and len(row) > 1 and not row[1].sign else None
        if isinstance(brackets, Group):
            relation = _joined(brackets)
            return (self.mask(relation, base), 2) if isinstance(relation, Relation | Compound) else None
        return None

    def note_font(self, symbol: Symbol, node: Syntax) -> None:
        """An error where one name was met in two fonts or two forms of a letter, which are two things in print."""
        first = self.fonts.setdefault((self.vocabulary.letter(symbol), symbol.accents), symbol)
        if (first.name, first.font) != (symbol.name, symbol.font):
            one, other = write_syntax(first), write_syntax(symbol)
            raise ambiguous(node.line, node.column, f"both `{one}` and `{other}`", ("one name", "two names"),
                            "declare both")  # fmt: skip

    def unknown(self, node: Syntax) -> FormulaError:
        """The error for a symbol that no name is."""
        base = without_scripts(node)
        inner = bare(node)
        if isinstance(inner, Scripts) and inner.primes and isinstance(base, Symbol) and self.vocabulary.find(base):
            return doubtful_prime(node)
        hint = "declare what it stands for: names={...}, or <!-- sb: names ... --> in a document"
        if write_syntax(inner) == "d":
            hint = r"write \partial L/\partial W for dW, or declare <!-- sb: names d = adj -->"
        return fail(node, f"the unknown name `{write_syntax(node)}`", f"one of {self.vocabulary.known}", hint)


def _joined(group: Group) -> Syntax:
    """What stands in brackets, relations with commas between them being joined: a comma says `and`."""
    parts = tuple(map(bare, group.parts))
    if len(parts) > 1 and all(isinstance(part, Relation | Compound) for part in parts):
        return Compound(parts, line=group.line, column=group.column)
    return parts[0] if len(parts) == 1 and group.opened != "{" else group
