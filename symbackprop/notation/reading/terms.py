r"""Products of LaTeX: what stands side by side, read with the names that there are.

A term is a row of factors with or without signs between them. What has two readings (a function without brackets before
two factors, brackets behind a name that is no function, a slash before a product) is an error that shows both.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import Any

from symbackprop.errors import FormulaError, UnsupportedError
from symbackprop.language.wording import fail
from symbackprop.notation.reading.differentials import read_differential
from symbackprop.notation.reading.doubts import (
    check_argument,
    check_division,
    check_mixed,
    check_point,
    check_sum,
    check_vectors,
    doubtful_bar,
    doubtful_prime,
    two_arguments,
)
from symbackprop.notation.reading.factors import (
    Factor,
    brackets_of,
    factors_of,
    is_name,
    is_number,
    without_scripts,
    write_factors,
)
from symbackprop.notation.reading.lexemes import ambiguous
from symbackprop.notation.reading.syntax import (
    Cases,
    Conjunction,
    Evaluated,
    Fraction,
    Group,
    Marked,
    Matrix,
    Numeral,
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
from symbackprop.notation.reading.vocabulary import COMMANDS, VARIANTS, Vocabulary, label_of, script_text
from symbackprop.notation.reading.words import check_words

BIG = (r"\sum", r"\prod", r"\max", r"\min", r"\argmax", "argmax", r"\arg")
TIMES = ("", "*", r"\cdot", r"\times")


@dataclass(slots=True)
class TermReader(ABC):
    """Reads formulas over a vocabulary; what a reading is made of is for the notation to say.

    `letters` are the indices in scope; `fonts` the fonts in which each name was met, because two fonts are two names.
    """

    vocabulary: Vocabulary
    letters: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()
    fonts: dict[tuple[str, tuple[str, ...]], str] = field(default_factory=dict)

    # What the notation decides.

    @abstractmethod
    def number(self, text: str, node: Syntax) -> Any:
        """A literal."""

    @abstractmethod
    def name(self, node: Syntax) -> Any:
        """A symbol with its scripts, as far as they belong to its name, and powers of it."""

    @abstractmethod
    def apply(self, function: str, arguments: tuple[Any, ...], primed: bool, node: Syntax) -> Any:
        """A function of its arguments."""

    @abstractmethod
    def raised(self, base: Any, above: Syntax, node: Syntax) -> Any:
        """A power, or whatever else stands above a formula."""

    @abstractmethod
    def add(self, signs: tuple[str, ...], parts: tuple[Any, ...], node: Syntax) -> Any:
        """A sum."""

    @abstractmethod
    def multiply(self, signs: tuple[str, ...], parts: tuple[Any, ...], node: Syntax) -> Any:
        """A product; there is a sign before each part, the first one empty."""

    @abstractmethod
    def divide(self, top: Any, bottom: Any, node: Syntax) -> Any:
        """A fraction."""

    @abstractmethod
    def reduction(self, sign: str, scripts: Scripts | None, body: tuple[Factor, ...], node: Syntax) -> Any:
        """A sum or an extreme over what stands below its sign."""

    @abstractmethod
    def absolute(self, group: Group) -> Any:
        """What stands between bars."""

    @abstractmethod
    def cases(self, node: Cases) -> Any:
        """A choice by conditions."""

    @abstractmethod
    def derivative(self, of: Syntax, wrt: Syntax, node: Syntax) -> Any:
        """The derivative of one name by another."""

    def slope(self, value: Any, by: tuple[Syntax, ...], node: Syntax) -> Any:
        """The derivative of a formula by names."""
        raise fail(node, "the derivative of a formula", r"\frac{\partial L}{\partial w}", "name what is derived")

    def evaluated(self, value: Any, node: Evaluated) -> Any:
        """The value at a point."""
        raise fail(node, f"`{write_syntax(node)}`", "a formula without a bar that says where it is taken")

    def floor(self, group: Group) -> Any:
        """What stands between the brackets of a floor."""
        raise fail(group, f"`{write_syntax(group)}`", "a formula without a floor")

    def entry_of(self, group: Group, below: Syntax, node: Syntax) -> Any:
        """An entry of what stands in brackets."""
        raise fail(node, "a subscript of brackets", "a name", "write the entry by its name")

    @abstractmethod
    def mask(self, relation: Relation | Conjunction, node: Syntax) -> Any:
        """Iverson's bracket."""

    @abstractmethod
    def matrix(self, node: Matrix) -> Any:
        """A written-out matrix."""

    def argument(self, function: str, node: Syntax) -> Any:
        """What a function is taken of."""
        return self.read(node)

    # What all notations share.

    def read(self, node: Syntax) -> Any:
        """The meaning of a formula; FormulaError where it has none, or two."""
        node = bare(node)
        match node:
            case Sum(parts, signs):
                check_sum(parts, node)
                return self.add(signs, tuple(self.read(part) for part in parts), node)
            case Relation() | Conjunction():
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
        signs: list[str] = []
        parts: list[Any] = []
        place = 0
        while place < len(factors):
            sign = factors[place].sign
            part, taken = self._factor(factors[place:], place > 0)
            signs.append(sign)
            parts.append(part)
            place += taken
        if len(parts) == 1:
            return parts[0]
        check_division(signs, node)
        return self.multiply(tuple(signs), tuple(parts), node)

    def _factor(self, row: tuple[Factor, ...], follows: bool) -> tuple[Any, int]:
        """The first factor of a row, and how many parts it takes."""
        node = bare(row[0].node)
        scripts = node if isinstance(node, Scripts) else None
        base = bare(scripts.base) if scripts is not None else node
        indicator = self._indicator(base, scripts, row)
        if indicator is not None:
            return indicator
        if isinstance(base, Symbol):
            if base.name in BIG and not base.accents and not self._is_extreme_of_arguments(base, scripts, row):
                return self.reduction(base.name, scripts, row[1:], node), len(row)
            if base.name == r"\nabla":
                return self._nabla(scripts, row, node)
            if base.name == r"\partial":
                raise fail(node, r"`\partial` alone", r"\frac{\partial L}{\partial w}")
            function = self._function(base, scripts, row)
            if function is not None:
                return self._application(function, base, scripts, row)
            unsure = self.vocabulary.open and not self.vocabulary.find(base) and write_syntax(node) not in self.values
            check_argument(node, row, unsure)
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
            case Fraction():
                return self._fraction(row, node)
            case Evaluated(inner):
                if follows or (len(row) > 1 and not isinstance(bare(inner), Group | Fraction)):
                    raise doubtful_bar(node)
                return self.evaluated(self.read(inner), node), 1
            case Root(inner, degree):
                if degree is not None and write_syntax(degree) != "2":
                    raise UnsupportedError(f"{write_syntax(node)} is no square root; write it as a power.")
                return self.apply("sqrt", (self.read(inner),), False, node), 1
            case Cases():
                return self.cases(node), 1
            case Matrix():
                return self.matrix(node), 1
            case Group("|" | "||"):
                return self.absolute(node), 1
            case Group(r"\lfloor"):
                return self.floor(node), 1
            case Group():
                return self._bracketed(node), 1
        return self.read(node), 1

    def _bracketed(self, node: Group) -> Any:
        if node.opened == ".":
            raise fail(node, r"`\left.` without a point behind its bar", r"\left. ... \right|_{x=1}")
        if len(node.parts) > 1:
            raise fail(node, f"a list in brackets, `{write_syntax(node)}`", "one formula",
                       "a tuple is no number, and only a function has several arguments")  # fmt: skip
        inner = bare(node.parts[0])
        if isinstance(inner, Relation | Conjunction) and node.opened == "[":
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
            value, _ = self._factor((Factor("", base),), False)
        if scripts.above is None:
            return value
        if label_of(scripts.above) is not None:
            shown = write_syntax(scripts)
            raise ambiguous(scripts.line, scripts.column, f"`{shown}`", ("a power", "a layer or a sample"),
                            "write powers without brackets")  # fmt: skip
        return self.raised(value, scripts.above, scripts)

    # Functions.

    def _function(self, base: Symbol, scripts: Scripts | None, row: tuple[Factor, ...]) -> str | None:
        """The function that a symbol is where it stands; None where it is a number."""
        primes = scripts.primes if scripts is not None else 0
        if self._is_extreme_of_arguments(base, scripts, row):
            return "maximum" if base.name == r"\max" else "minimum"
        found = self.vocabulary.function(base, primes)
        called = len(row) > 1 and row[1].sign == "" and brackets_of(row[1].node) is not None
        if base.name == r"\sigma" and not base.accents and not base.font and found is None:
            if self.vocabulary.find(base) or (scripts is not None and scripts.below is not None):
                return None
            if not called and not primes:
                return None
            shown = f"{write_syntax(scripts or base)}{write_syntax(row[1].node) if called else ''}"
            raised = scripts is not None and scripts.above is not None
            if self.vocabulary.open and not primes and (r"\sigma" in self.values or raised):
                raise ambiguous(base.line, base.column, f"`{shown}`", ("the sigmoid of it", r"\sigma times it"),
                                r"declare \sigma, or write \cdot")  # fmt: skip
            return "sigmoid"
        return found

    def _is_extreme_of_arguments(self, base: Symbol, scripts: Scripts | None, row: tuple[Factor, ...]) -> bool:
        """Whether max or min is that of the numbers in brackets behind it."""
        brackets = brackets_of(row[1].node) if len(row) > 1 and row[1].sign == "" else None
        return base.name in (r"\max", r"\min") and scripts is None and brackets is not None

    def _application(
        self, function: str, base: Symbol, scripts: Scripts | None, row: tuple[Factor, ...]
    ) -> tuple[Any, int]:
        """A function with its argument, which needs no brackets behind a command such as \\sin if it is one factor."""
        node = scripts or base
        primes = scripts.primes if scripts is not None else 0
        shown = write_syntax(scripts or base) + "'" * primes
        if shown in self.vocabulary.functions or write_syntax(base) + "'" * primes in self.vocabulary.functions:
            primes = 0 if primes and write_syntax(base) not in self.vocabulary.functions else primes
        if primes > 1:
            raise UnsupportedError(f"{write_syntax(node)} is a second derivative, which formulas cannot name.")
        above = scripts.above if scripts is not None else None
        variant = (
            VARIANTS.get((function, script_text(scripts.below))) if scripts is not None and scripts.below else None
        )
        function = variant or function
        if scripts is not None and scripts.below is not None and function != "log" and variant is None:
            raise fail(node, f"a subscript of the function {write_syntax(base)}", "no subscript, or a declared name")
        if above is not None and (label_of(above) is not None or write_syntax(bare(above)) == "-1"):
            two = ("the inverse function", "one divided by it") if label_of(above) is None else ("a power", "a layer")
            raise ambiguous(node.line, node.column, f"`{write_syntax(node)}`", two, "declare it, or write it out")
        brackets = brackets_of(row[1].node) if len(row) > 1 and row[1].sign == "" else None
        if brackets is not None:
            value, taken = self._called(function, primes > 0, brackets, row[1].node, node, base), 2
        elif (base.name in COMMANDS or function in ("det", "tr")) and len(row) > 1 and row[1].sign == "":
            value, taken = self._argument(function, primes > 0, row, node)
        else:
            raise fail(node, f"the function {write_syntax(base)} without an argument", "its argument in brackets")
        if scripts is not None and scripts.below is not None and variant is None:
            value = self.divide(value, self.apply("log", (self.read(scripts.below),), False, node), node)
        return (value if above is None else self.raised(value, above, node)), taken

    def _called(self, function: str, primed: bool, brackets: Group, whole: Syntax, node: Syntax, base: Symbol) -> Any:
        arguments = tuple(self.argument(function, part) for part in brackets.parts)
        if function in ("maximum", "minimum") and len(arguments) > 2:
            value = arguments[0]
            for argument in arguments[1:]:
                value = self.apply(function, (value, argument), False, node)
        else:
            value = self.apply(function, arguments, primed, node)
        outer = bare(whole)
        if not isinstance(outer, Scripts):
            return value
        if outer.primes or outer.below is not None or outer.above is None:
            raise fail(outer, "scripts behind the brackets of a function", "a power")
        if base.name in (r"\log", r"\ln"):
            shown, inner = write_syntax(base), write_syntax(brackets)
            power = write_syntax(bare(outer.above))
            readings = (rf"({shown}{inner})^{{{power}}}", rf"{shown}({inner}^{{{power}}})")
            raise ambiguous(
                node.line, node.column, f"`{shown}{write_syntax(outer)}`", readings, "bracket what is meant"
            )
        return self.raised(value, outer.above, outer)

    def _argument(self, function: str, primed: bool, row: tuple[Factor, ...], node: Syntax) -> tuple[Any, int]:
        """The one factor behind a function without brackets; with more behind it there are two readings."""
        following = bare(row[1].node)
        scripts = following if isinstance(following, Scripts) else None
        base = bare(scripts.base) if scripts is not None else following
        taken = 2
        if isinstance(base, Symbol) and base.name in BIG:
            if any(factor.sign for factor in row[1:]):
                raise two_arguments(row, node)
            return self.apply(function, (self.term(row[1:], row[1].node),), primed, node), len(row)
        if isinstance(base, Symbol) and self._function(base, scripts, row[1:]) is not None and len(row) > 2:
            taken = 3
        if len(row) > taken:
            raise two_arguments(row, node)
        value = self._factor(row[1:], False)[0] if taken == 3 else self.argument(function, row[1].node)
        return self.apply(function, (value,), primed, node), taken

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
            return self._derived(found.of, found.by, node), 1
        if len(row) == 1 or row[1].sign:
            raise fail(node, f"`{write_syntax(node)}` with nothing behind it", "what is derived")
        point = bare(row[1].node)
        if isinstance(point, Evaluated):
            made = self._derived((Factor("", point.inner), *row[2:]), found.by, node)
            return self.evaluated(made, point), len(row)
        return self._derived(row[1:], found.by, node), len(row)

    def _derived(self, of: tuple[Factor, ...], by: tuple[Syntax, ...], node: Syntax) -> Any:
        """The derivative of one factor, which is a name or a formula."""
        if len(of) == 1 == len(by) and is_name(of[0].node):
            return self.derivative(bare(of[0].node), by[0], node)
        numbers = next((place for place, factor in enumerate(of) if not is_number(factor.node)), 0)
        _, taken = self._factor(of[numbers:], numbers > 0)
        if numbers + taken < len(of):
            raise ambiguous(node.line, node.column, f"a derivative of `{write_factors(of)}`",
                            ("the derivative of all of it", "the derivative of its first factor"),
                            "bracket what is derived")  # fmt: skip
        value = self.term(of, node)
        return self.slope(value, by, node)

    def _nabla(self, scripts: Scripts | None, row: tuple[Factor, ...], node: Syntax) -> tuple[Any, int]:
        if scripts is None or scripts.below is None or scripts.above is not None or scripts.primes:
            raise fail(node, r"`\nabla` without a name below", r"\nabla_{W} L")
        if len(row) < 2 or row[1].sign or not isinstance(without_scripts(row[1].node), Symbol):
            raise fail(node, r"`\nabla` of something else than a name", r"\nabla_{W} L")
        check_point(node, row[2:])
        return self.derivative(row[1].node, bare(scripts.below), node), 2

    def _indicator(self, base: Syntax, scripts: Scripts | None, row: tuple[Factor, ...]) -> tuple[Any, int] | None:
        r"""1 where a relation holds and 0 elsewhere: \mathbb{1}[i = j], \mathbb{1}_{i = j}, 1_{\{i = j\}}, I(i = j)."""
        name = base.name if isinstance(base, Symbol) else base.text if isinstance(base, Numeral) else ""
        if name not in ("1", "I") or (isinstance(base, Symbol) and (base.accents or self.vocabulary.find(base))):
            return None
        if scripts is not None and scripts.below is not None and scripts.above is None:
            inner = bare(scripts.below)
            bracketed = isinstance(inner, Group) and inner.opened == r"\{" and len(inner.parts) == 1
            relation = bare(inner.parts[0]) if bracketed and isinstance(inner, Group) else inner
            return (self.mask(relation, scripts), 1) if isinstance(relation, Relation | Conjunction) else None
        brackets = bare(row[1].node) if scripts is None and len(row) > 1 and not row[1].sign else None
        if isinstance(brackets, Group) and len(brackets.parts) == 1:
            relation = bare(brackets.parts[0])
            return (self.mask(relation, base), 2) if isinstance(relation, Relation | Conjunction) else None
        return None

    def note_font(self, symbol: Symbol, node: Syntax) -> None:
        """An error where one name was met in two fonts, which are two things in print."""
        key = (symbol.name, symbol.accents)
        if self.fonts.setdefault(key, symbol.font) != symbol.font:
            one, other = (write_syntax(replace(symbol, font=font)) for font in (self.fonts[key], symbol.font))
            raise ambiguous(node.line, node.column, f"both `{one}` and `{other}`", ("one name", "two names"),
                            "declare both")  # fmt: skip

    def unknown(self, node: Syntax) -> FormulaError:
        """The error for a symbol that no name is."""
        base = without_scripts(node)
        inner = bare(node)
        if isinstance(inner, Scripts) and inner.primes and isinstance(base, Symbol) and self.vocabulary.find(base):
            return doubtful_prime(node)
        return fail(node, f"the unknown name `{write_syntax(node)}`", f"one of {self.vocabulary.known}",
                    "declare it as an input, or what it stands for, as in names={...}")  # fmt: skip
