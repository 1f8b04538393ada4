r"""What a notation decides of a formula: what a number, a sum, a power or a function is made of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

from symbackprop.errors import UnsupportedError
from symbackprop.language.wording import fail
from symbackprop.notation.reading.factors import Factor
from symbackprop.notation.reading.syntax import (
    Cases,
    Compound,
    Evaluated,
    Group,
    Matrix,
    Relation,
    Scripts,
    Symbol,
    Syntax,
    write_syntax,
)  # fmt: skip
from symbackprop.notation.reading.vocabulary import Vocabulary


@dataclass(slots=True)
class Notation(ABC):
    """What a notation makes of the parts of formulas over a vocabulary.

    `letters` are the indices in scope; `fonts` how each name was first met, because two fonts are two names.
    """

    vocabulary: Vocabulary
    letters: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()
    fonts: dict[tuple[str, tuple[str, ...]], Symbol] = field(default_factory=dict)

    @abstractmethod
    def read(self, node: Syntax) -> Any:
        """The meaning of a formula; FormulaError where it has none, or two."""

    @abstractmethod
    def term(self, factors: tuple[Factor, ...], node: Syntax) -> Any:
        """A row of factors."""

    @abstractmethod
    def factor(self, row: tuple[Factor, ...], follows: bool) -> tuple[Any, int]:
        """The first factor of a row, and how many parts it takes."""

    @abstractmethod
    def number(self, text: str, node: Syntax) -> Any:
        """A literal."""

    @abstractmethod
    def name(self, node: Syntax) -> Any:
        """A symbol with its scripts, as far as they belong to its name, and powers of it."""

    @abstractmethod
    def apply(self, function: str, arguments: tuple[Any, ...], primed: bool, node: Syntax) -> Any:
        """A function of its arguments."""

    def derived(self, function: str, arguments: tuple[Any, ...], primes: int, node: Syntax) -> Any:
        """A derivative of a function that is not its first one, or of a function that is a quotient."""
        raise UnsupportedError(f"line {node.line}, column {node.column}: `{write_syntax(node)}` is a derivative that "
                               "no matrix formula can name; claim an entry of it.")  # fmt: skip

    @abstractmethod
    def raised(self, base: Any, above: Syntax, node: Syntax) -> Any:
        """A power, or whatever else stands above a formula."""

    def function_raised(self, value: Any, above: Syntax, node: Syntax) -> Any:
        r"""A power of the values of a function: \tanh^2(x)."""
        return self.raised(value, above, node)

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

    def deriving(self, by: tuple[Syntax, ...]) -> Notation:
        """The reader of what is derived by some names, whose indices are known there."""
        return self

    @abstractmethod
    def is_constant(self, value: Any, by: tuple[Syntax, ...]) -> bool:
        """Whether a formula surely depends on none of these names."""

    def is_inner_product(self, row: tuple[Factor, ...]) -> bool:
        r"""Whether a row is a number only as a whole, as x^\top A x is."""
        return False

    @abstractmethod
    def slope(self, value: Any, by: tuple[Syntax, ...], node: Syntax) -> Any:
        """The derivative of a formula by names."""

    def evaluated(self, value: Any, node: Evaluated) -> Any:
        """The value at a point."""
        raise fail(node, f"`{write_syntax(node)}`", "a formula without a bar that says where it is taken")

    def floor(self, group: Group) -> Any:
        """What stands between the brackets of a floor."""
        raise fail(group, f"`{write_syntax(group)}`", "a formula without a floor")

    def inner(self, group: Group) -> Any:
        """An inner product."""
        raise fail(group, f"`{write_syntax(group)}` among numbers", "a product or a mean, written out",
                   "inner products belong to claims about whole matrices")  # fmt: skip

    def entry_of(self, group: Group, below: Syntax, node: Syntax) -> Any:
        """An entry of what stands in brackets."""
        raise fail(node, "a subscript of brackets", "a name", "write the entry by its name")

    @abstractmethod
    def mask(self, relation: Relation | Compound, node: Syntax) -> Any:
        """Iverson's bracket."""

    @abstractmethod
    def matrix(self, node: Matrix) -> Any:
        """A written-out matrix."""

    def argument(self, function: str, node: Syntax) -> Any:
        """What a function is taken of."""
        return self.read(node)
