"""Functions that a document defines itself, f(x) = x^2: put in where they are applied, their derivatives derived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from symbackprop.errors import FormulaError
from symbackprop.language import tree as t
from symbackprop.language.substitution import substitute_names
from symbackprop.notation.reading.slopes import find_slope


@dataclass(frozen=True, slots=True)
class GivenFunction:
    """name(parameters) = body; the body reads nothing but the parameters.

    `arguments` are the tensors that it has a value for in the program, where all of them are names there.
    """

    name: str
    parameters: tuple[str, ...]
    body: t.Expression
    arguments: tuple[str, ...] = ()

    def at(self, arguments: Sequence[t.Expression], primes: int, node: t.Node) -> t.Expression:
        """The value, or a derivative by the only parameter, at some arguments."""
        if len(arguments) != len(self.parameters):
            raise _fail(node, f"{len(arguments)} arguments of {self.name}", f"{len(self.parameters)}")
        if primes and len(self.parameters) != 1:
            raise _fail(node, f"a derivative of {self.name}, a function of several arguments", "a partial derivative")
        body = self.body
        for _ in range(primes):
            body = find_slope(body, self.parameters[0])
        return substitute_names(body, dict(zip(self.parameters, arguments, strict=True)))


def expand_functions(tree: t.Expression, functions: Mapping[str, GivenFunction]) -> t.Expression:
    """The tree with every application of a given function written out."""

    def change(node: t.Node) -> t.Node:
        changed = t.map_children(node, change)
        written = changed.function.rstrip("'") if isinstance(changed, t.Apply) else ""
        if isinstance(changed, t.Apply) and written in functions:
            primes = len(changed.function) - len(written) + changed.primed
            made = functions[written].at(changed.arguments, primes, changed)
            return replace(made, line=node.line, column=node.column)
        return changed

    made = change(tree)
    assert isinstance(made, t.Expression)
    return made


def _fail(node: t.Node, found: str, expected: str) -> FormulaError:
    return FormulaError(f"found {found}, expected {expected}", line=node.line or None, column=node.column or None,
                        found=found, expected=expected)  # fmt: skip
