"""Text to programs and programs to text."""

from __future__ import annotations

from itertools import groupby

from symbackprop.calculus.programs import Assumption, Program
from symbackprop.calculus.tensors import Role, Tensor
from symbackprop.language.assembly import assemble
from symbackprop.language.limits import Limits
from symbackprop.language.phrasing import hidden_definitions, phrase_all, phrase_terms
from symbackprop.language.reader import read_statements
from symbackprop.language.recursion import deep_recursion
from symbackprop.language.tree import Assume, Compare
from symbackprop.language.writer import write_tree


def read_program(text: str, limits: Limits | None = None) -> Program:
    """The program that a text says; its claims are read by `read_claims`.

    FormulaError names line, column, what was found and what was expected; LimitError is one for texts that are too
    large, ShapeError for sizes that do not fit, CycleError for definitions in a circle. UnsupportedError is for what
    means something and is not done yet.

    >>> program = read_program("input x[N]\\nloss = sum(n, x[n]^2)")
    >>> print(write_program(program), end="")
    input x[N]
    loss = sum(n, x[n]^2)
    """
    return assemble(read_statements(text, limits), limits)


def write_program(program: Program) -> str:
    """The text of a program, which reads back as an equal one; definitions that had no text get one."""
    with deep_recursion():
        return "".join(f"{line}\n" for line in _write_lines(program))


def _write_lines(program: Program) -> list[str]:
    lines = [_declare(role, list(group)) for role, group in groupby(program.leaves, key=lambda leaf: leaf.role)]
    hidden = hidden_definitions(program)
    lines += [write_tree(_phrase_assumption(assumption)) for assumption in program.assumptions]
    shown = [d for d in program.definitions if d.tensor.role is not Role.HIDDEN]
    taken = frozenset(program.tensors()) | frozenset(program.size_names)
    lines += map(write_tree, phrase_all(shown, hidden, taken))
    return lines


def _declare(role: Role, tensors: list[Tensor]) -> str:
    return f"{role.value} " + ", ".join(_declared(tensor) for tensor in tensors)


def _declared(tensor: Tensor) -> str:
    axes = f"[{', '.join(map(str, tensor.axes))}]" if tensor.axes else ""
    size = "" if tensor.range is None else f" in {tensor.range}"
    return tensor.name + axes + size + ("" if tensor.tex is None else f' as "{tensor.tex}"')


def _phrase_assumption(assumption: Assumption) -> Assume:
    if isinstance(assumption.tree, Assume):
        return assumption.tree
    left, right = (phrase_terms(side, assumption.indices) for side in (assumption.left, assumption.right))
    return Assume(Compare(assumption.relation, left, right))
