r"""Formulas given in LaTeX."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from symbackprop.calculus import programs as calculus
from symbackprop.errors import ArgumentError
from symbackprop.language import read_expression, write_matrix_tree, write_tree
from symbackprop.language import tree as t
from symbackprop.notation.reading import (
    Grid,
    Syntax,
    has_matrix,
    make_vocabulary,
    ranges_of,
    read_entries_of,
    read_formula,
    read_matrix_formula,
    read_syntax,
    read_written,
    settle_samples,
)


@dataclass(frozen=True, slots=True)
class LatexFormula:
    """A formula in LaTeX; what its names stand for is settled where it is used."""

    text: str
    names: tuple[tuple[str, str], ...] = ()
    syntax: Syntax = field(default_factory=lambda: Syntax(), compare=False, repr=False)

    def tree(
        self, program: calculus.Program | None = None, heads: Sequence[t.Name | t.Access] = ()
    ) -> t.Expression:
        """The formula in index notation over a program, or over real scalars; the indices of `heads` are in scope."""
        vocabulary = make_vocabulary(program, dict(self.names))
        letters = {letter: size for head in heads for letter, size in ranges_of(head, vocabulary).items()}
        return settle_samples([self.syntax], vocabulary, lambda known: read_formula(self.syntax, known, letters),
                              lambda made: (*heads, made))  # fmt: skip

    @property
    def is_written_out(self) -> bool:
        """Whether a matrix stands in it entry by entry."""
        return has_matrix(self.syntax)

    def written(self, program: calculus.Program | None = None, heads: Sequence[t.Name | t.Access] = ()
                ) -> t.Expression | Grid:  # fmt: skip
        """The formula with its matrices entry by entry: a number, or a matrix of numbers."""
        vocabulary = make_vocabulary(program, dict(self.names))
        letters = {letter: size for head in heads for letter, size in ranges_of(head, vocabulary).items()}
        return read_written(self.syntax, vocabulary, letters)

    def entries_of(
        self, head: t.Derivative, program: calculus.Program
    ) -> tuple[tuple[str, t.Derivative, t.Expression], ...]:
        """What is claimed of each entry of a derivative by the formula: its place, the derivative there, the claim."""
        return read_entries_of(head, self.syntax, make_vocabulary(program, dict(self.names)))

    def matrix(self, program: calculus.Program) -> t.Expression:
        """The formula in matrix notation over a program."""
        return read_matrix_formula(self.syntax, make_vocabulary(program, dict(self.names)))

    def understood(self, program: calculus.Program | None = None, whole: bool = False) -> str:
        """The formula in the formula language, as it was understood."""
        if whole and program is not None:
            return write_matrix_tree(self.matrix(program))
        return write_tree(self.tree(program))


def latex_formula(text: str, names: Mapping[str, str] | None = None) -> LatexFormula:
    r"""A formula in LaTeX, as `verify` and `verify_gradient` take it.

    `names` says what LaTeX names stand for, in the names of the program: `{r"\hat y": "a2", "S": "sigmoid"}`. A command
    that is not known, something left over, and a formula with two readings are errors that say what was seen.

    >>> latex_formula(r"\frac{e^{-x}}{(1+e^{-x})^2}").understood()
    'exp(-x)/(1 + exp(-x))^2'
    """
    if not isinstance(text, str):
        raise ArgumentError(f"A formula in LaTeX is a text, not {text!r}.")
    if names is not None and not isinstance(names, Mapping):
        raise ArgumentError(f"names = {names!r} must map names in LaTeX to names of the program, {{'S': 'sigmoid'}}.")
    for meaning in (names or {}).values():
        read_expression(meaning)
    return LatexFormula(text, tuple((names or {}).items()), read_syntax(text))
