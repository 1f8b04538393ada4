"""What a user holds of a program: its tensors, its definitions, its text and its LaTeX."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sympy

from symbackprop import language
from symbackprop.calculus import programs as calculus
from symbackprop.calculus.definitions import Definition, canonical
from symbackprop.calculus.expansion import Expansion, check_sizes
from symbackprop.calculus.tensors import Role, Tensor
from symbackprop.errors import ArgumentError
from symbackprop.facade.integer_data import read_integers
from symbackprop.notation import writing


@dataclass(frozen=True, eq=False)
class Program:
    """Formulas in order: what is given, what is defined, what is assumed. Immutable.

    Two programs are equal if they say the same up to the names of indices.

    >>> program = parse("input x[N]\\nloss = sum(n, x[n]^2)")
    >>> program == parse("input x[N]\\nloss = sum(i, x[i]^2)")
    True
    >>> program.expand({"N": 2})
    x[1]**2 + x[2]**2
    """

    core: calculus.Program

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """What is given and what the user defined, in order."""
        return tuple(t for t in self.core.tensors().values() if t.role is not Role.HIDDEN)

    @property
    def definitions(self) -> tuple[Definition, ...]:
        """The user's own definitions, in order; a nested sum stands in the tree of the definition that it is part
        of.
        """
        return tuple(d for d in self.core.definitions if d.tensor.role is not Role.HIDDEN)

    @property
    def assumptions(self) -> tuple[calculus.Assumption, ...]:
        """What the program declares of its data."""
        return self.core.assumptions

    @property
    def loss(self) -> str | None:
        """The name of the scalar that is differentiated by default."""
        return self.core.loss

    def text(self) -> str:
        """The program in the formula language; it reads back as an equal program."""
        return language.write_program(self.core)

    def latex(
        self,
        notation: str = "index",
        layout: str = "batch",
        names: str | Mapping[str, str] | None = None,
        sizes: Mapping[str, int] | None = None,
    ) -> str:
        """The definitions as a LaTeX `align*`, in "index", "matrix" or "scalar" notation."""
        return writing.write_definitions(self.core.definitions, self.core, notation, layout, names, sizes)

    def expand(self, sizes: Mapping[str, int] | None = None, data: Mapping[str, object] | None = None) -> sympy.Expr:
        """The loss at the given sizes as one expression in symbols such as `Symbol("W[1,2]", real=True)`.

        `data` holds the integer tensors, counted from 1, as lists or arrays.
        """
        if self.loss is None:
            raise ArgumentError("The program has no scalar to expand; define one, such as loss = sum(n, ...).")
        return self.expansion(sizes, data).entry(self.loss, ())

    def expansion(self, sizes: Mapping[str, int] | None = None, data: Mapping[str, object] | None = None) -> Expansion:
        """The program written out at given sizes and integer data."""
        known = dict(sizes or {})
        check_sizes(self.core, known)
        return Expansion(self.core, known, data=read_integers(self.core, known, data or {}))

    def _repr_latex_(self) -> str:
        return self.latex()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Program) and _content(self.core) == _content(other.core)

    def __hash__(self) -> int:
        return hash(_content(self.core))

    def __str__(self) -> str:
        return self.text()


def _content(program: calculus.Program) -> tuple[object, ...]:
    """What a program says, without the names of its indices and of its hidden tensors.

    An adjoint has no text of its own and its terms may be arranged otherwise than its text reads; so a program with
    adjoints is compared by its text.
    """
    if any(d.tensor.role not in (Role.DEFINED, Role.HIDDEN) for d in program.definitions):
        limits = language.Limits(nesting=10_000, power_bits=10**6, definitions=10**6)
        said = language.read_program(language.write_program(program), limits)
        return said.leaves, tuple(canonical(d) for d in said.definitions), program.loss
    return program.leaves, tuple(canonical(d) for d in program.definitions), program.loss


def parse(text: str) -> Program:
    """Read a program in the formula language; FormulaError says where a text goes wrong, and what was expected there.

    >>> parse("param w\\nloss = w^2").loss
    'loss'
    """
    return Program(language.read_program(text))


def matrix(text: str, shapes: Mapping[str, Sequence[str | int]], param: Sequence[str] = ()) -> Program:
    """The program of matrix expressions over tensors of the given shapes; those in `param` are its parameters.

    ShapeError names the operation that does not fit. A value that is a scalar is the loss; any other is called `value`.

    >>> print(matrix("norm2(X*w - y)^2", {"X": ("N", "D"), "w": ("D",), "y": ("N",)}, param=("w",)))
    input X[N, D]
    param w[D]
    input y[N]
    loss = sum(i, (sum(j, X[i,j]*w[j]) - y[i])^2)
    <BLANKLINE>
    """
    return Program(language.read_matrix_program(text, shapes, param))
