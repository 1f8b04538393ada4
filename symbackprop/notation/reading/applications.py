r"""Functions in LaTeX: which symbols are functions where they stand, and what their arguments are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from symbackprop.language.wording import fail
from symbackprop.notation.reading.doubts import doubtful_quotient, two_arguments
from symbackprop.notation.reading.factors import Factor, brackets_of, without_scripts, write_factors
from symbackprop.notation.reading.readers import Notation
from symbackprop.notation.reading.refusals import ambiguous
from symbackprop.notation.reading.syntax import Group, Operator, Scripts, Symbol, Syntax, bare, write_syntax
from symbackprop.notation.reading.vocabulary import COMMANDS, QUOTIENTS, VARIANTS, label_of, script_text

DIVIDED = ("/", r"\oslash")
BIG = (r"\sum", r"\prod", r"\max", r"\min", r"\argmax", "argmax", r"\argmin", "argmin", r"\arg")

ANGLES = frozenset(rf"\{name}" for name in "sin cos tan cot sec csc sinh cosh tanh coth".split())


def is_angle_function(node: Syntax) -> bool:
    r"""Whether a part is a function such as \sin, two of which side by side are a product: \sin x \cos x."""
    symbol = without_scripts(node)
    return isinstance(symbol, Symbol) and symbol.name in ANGLES and not symbol.accents


@dataclass(slots=True)
class FunctionReader(Notation):
    """Reads functions with their arguments."""

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

    def _check_divisor(self, row: tuple[Factor, ...]) -> None:
        r"""AmbiguousFormulaError where a slash divides by a sum of more than one factor: a / \sum_i x_i b."""
        body = row
        while body and self._is_big(body):
            body = body[1:]
        called = self._takes(body) if body else 0
        if body == row or len(body) <= called:
            return
        shown = f"/ {write_factors((Factor('', row[0].node), *row[1:]))}"
        raise doubtful_quotient(row[0].node, shown)

    def _is_big(self, row: tuple[Factor, ...]) -> bool:
        r"""Whether a row begins with the sign of a sum or an extreme, or with functions of one, as \log \sum does."""
        symbol = without_scripts(row[0].node)
        if not isinstance(symbol, Symbol) or symbol.accents:
            return False
        node = bare(row[0].node)
        scripts = node if isinstance(node, Scripts) else None
        if symbol.name in BIG:
            return not self._is_extreme_of_arguments(symbol, scripts, row)
        return len(row) > 1 and self._function(symbol, scripts, row) is not None and self._is_big(row[1:])

    def _takes(self, row: tuple[Factor, ...]) -> int:
        """How many parts a name takes with its argument, behind which others stand."""
        symbol, scripts = without_scripts(row[0].node), bare(row[0].node)
        known = isinstance(symbol, Symbol) and len(row) > 1 and not row[1].sign
        if not known or not isinstance(symbol, Symbol):
            return 1
        called = self._function(symbol, scripts if isinstance(scripts, Scripts) else None, row) is not None
        return 1 + self._takes(row[1:]) if called else 1

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
        is_command = base.name in COMMANDS or isinstance(base, Operator)
        if brackets is not None:
            value, taken = self._called(function, primes, brackets, row[1].node, node, base), 2
        elif (is_command or function in ("det", "tr")) and len(row) > 1 and row[1].sign == "":
            value, taken = self._argument(function, primes, row, node)
        else:
            raise fail(node, f"the function {write_syntax(base)} without an argument", "its argument in brackets")
        if scripts is not None and scripts.below is not None and variant is None:
            value = self.divide(value, self.apply("log", (self.read(scripts.below),), False, node), node)
        return (value if above is None else self.function_raised(value, above, node)), taken

    def _applied(self, function: str, arguments: tuple[Any, ...], primes: int, node: Syntax) -> Any:
        """A function of its arguments, or one of its derivatives."""
        if primes > 1 or (primes and function in QUOTIENTS):
            return self.derived(function, arguments, primes, node)
        if function in QUOTIENTS:
            if len(arguments) != 1:
                raise fail(node, f"{len(arguments)} arguments of {function}", "one")
            top, bottom = QUOTIENTS[function]
            above = self.apply(top, arguments, False, node) if top else self.number("1", node)
            return self.divide(above, self.apply(bottom, arguments, False, node), node)
        return self.apply(function, arguments, primes == 1, node)

    def _called(self, function: str, primes: int, brackets: Group, whole: Syntax, node: Syntax, base: Symbol) -> Any:
        arguments = tuple(self.argument(function, part) for part in brackets.parts)
        if function in ("maximum", "minimum") and len(arguments) > 2:
            value = arguments[0]
            for argument in arguments[1:]:
                value = self.apply(function, (value, argument), False, node)
        else:
            value = self._applied(function, arguments, primes, node)
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

    def _argument(self, function: str, primes: int, row: tuple[Factor, ...], node: Syntax) -> tuple[Any, int]:
        """The one factor behind a function without brackets; with more behind it there are two readings."""
        following = bare(row[1].node)
        scripts = following if isinstance(following, Scripts) else None
        base = bare(scripts.base) if scripts is not None else following
        taken = 2
        if isinstance(base, Symbol) and base.name in BIG:
            if any(factor.sign for factor in row[1:]):
                raise two_arguments(row, node)
            return self._applied(function, (self.term(row[1:], row[1].node),), primes, node), len(row)
        if isinstance(base, Symbol) and self._function(base, scripts, row[1:]) is not None and len(row) > 2:
            taken = 3
        angles = taken == 2 < len(row) and is_angle_function(node) and is_angle_function(row[2].node)
        if len(row) > taken and not angles:
            raise two_arguments(row, node)
        value = self.factor(row[1:], False)[0] if taken == 3 else self.argument(function, row[1].node)
        return self._applied(function, (value,), primes, node), taken
