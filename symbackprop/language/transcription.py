"""SymPy expressions as trees of the formula language: the way in for claims that somebody computed with SymPy."""

from __future__ import annotations

from fractions import Fraction

import sympy

from symbackprop.errors import UnsupportedError
from symbackprop.language.reader import read_expression
from symbackprop.language.spelling import Speller
from symbackprop.language.tree import Access, Binder, Compare, Condition, Expression, Number, Reduce, Where


def transcribe(expression: sympy.Expr) -> Expression:
    """The tree of an expression over symbols such as `W[1,2]` or `eps`, `Indexed` entries, `Sum` and `KroneckerDelta`.

    UnsupportedError names a function that the formula language does not have.

    >>> x, i, N = sympy.IndexedBase("x"), sympy.Symbol("i"), sympy.Symbol("N")
    >>> transcribe(sympy.Sum(x[i] ** 2, (i, 1, N))).operation
    'sum'
    """
    atoms: dict[sympy.Symbol, Expression] = {}
    shell = _cut(expression, atoms)
    for symbol in sorted(shell.free_symbols - atoms.keys(), key=str):
        atoms[symbol] = read_expression(symbol.name)
    try:
        return Speller(atoms).spell(shell)
    except TypeError as error:
        raise UnsupportedError(str(error)) from error


def transcribe_condition(relation: sympy.Basic) -> Condition:
    """The tree of a relation between expressions over symbols.

    >>> from symbackprop.language.writer import write_tree
    >>> write_tree(transcribe_condition(sympy.Symbol("x") > 0))
    'x > 0'
    """
    return Speller({s: read_expression(s.name) for s in sorted(relation.free_symbols, key=str)}).condition(relation)


def _cut(expression: sympy.Basic, atoms: dict[sympy.Symbol, Expression]) -> sympy.Basic:
    """The expression with a symbol for everything that has an index, whose tree `atoms` then holds."""
    tree: Expression | None = None
    if isinstance(expression, sympy.Indexed):
        tree = Access(str(expression.base.label), tuple(transcribe(i) for i in expression.indices))
    elif isinstance(expression, sympy.Sum):
        binders = []
        for index, lower, upper in expression.limits:
            if lower != 1:
                raise UnsupportedError(
                    f"A sum runs from 1 in the formula language, and {expression} starts at {lower}."
                )
            binders.append(Binder(str(index), transcribe(upper)))
        tree = Reduce("sum", tuple(binders), transcribe(expression.function))
    elif isinstance(expression, sympy.KroneckerDelta):
        left, right = (transcribe(a) for a in expression.args[:2])
        one, zero = Number(Fraction(1), "1"), Number(Fraction(0), "0")
        tree = Where(Compare("==", left, right), one, zero)
    if tree is not None:
        symbol = sympy.Symbol(f"part {len(atoms)}")
        atoms[symbol] = tree
        return symbol
    if not expression.args:
        return expression
    arguments = tuple(_cut(a, atoms) for a in expression.args)
    # Made again, 2*(x - y) would become 2*x - 2*y.
    return expression if arguments == expression.args else expression.func(*arguments)
