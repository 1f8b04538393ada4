r"""Products of matrices: what stands side by side, with vectors of ones in it, and what stands around a sign."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction as Rational

from symbackprop.errors import ShapeError, UnsupportedError
from symbackprop.language import tree as t
from symbackprop.language.matrix_grammar import Operation
from symbackprop.language.matrix_shapes import SCALAR, Shape
from symbackprop.notation.reading.broadcasting import check_shifted
from symbackprop.notation.reading.doubts import doubtful_outer
from symbackprop.notation.reading.matrix_trees import join_inner_products, run_of
from symbackprop.notation.reading.ones import IDENTITY, ONES, TURNED, has_ones, is_scalar, unsized
from symbackprop.notation.reading.refusals import ambiguous
from symbackprop.notation.reading.syntax import Syntax, write_syntax

ShapeOf = Callable[[t.Expression], Shape]


def join_factors(factors: Sequence[t.Expression], shape_of: ShapeOf, node: Syntax) -> t.Expression:
    """Factors side by side, in which vectors of ones add up rows or columns, or repeat a vector."""
    if IDENTITY in factors:
        others = [factor for factor in factors if factor != IDENTITY]
        if len(others) != len(factors) - 1 or not all(is_scalar(other, shape_of) for other in others):
            raise unsized(IDENTITY, node)
        return run_of((*others, IDENTITY), ("*",) * len(others), node) if others else IDENTITY
    wholes = [factor for factor in factors if factor in (ONES, TURNED) or not is_scalar(factor, shape_of)]
    check_shifted([f for f in wholes if not has_ones(f)] if len(wholes) > 1 else (), shape_of, node, (t.Number,))
    if ONES not in factors and TURNED not in factors:
        factors = join_inner_products(factors, shape_of)
        return factors[0] if len(factors) == 1 else run_of(tuple(factors), ("*",) * (len(factors) - 1), node)
    row = list(factors)
    first = next((k for k, f in enumerate(row) if f not in (ONES, TURNED) and not is_scalar(f, shape_of)), None)
    if first is None:
        return run_of(tuple(row), ("*",) * (len(row) - 1), node) if len(row) > 1 else row[0]
    scalars = [f for f in row[:first] if f not in (ONES, TURNED)]
    before, made = [f for f in row[:first] if f in (ONES, TURNED)], row[first]
    place = {"line": node.line, "column": node.column}
    behind: list[t.Expression] = []
    for number, factor in enumerate(row[first + 1 :], first + 1):
        if factor == TURNED and not all(f in (ONES, TURNED) or is_scalar(f, shape_of) for f in row[number:]):
            behind.append(join_factors(row[number:], shape_of, node))  # v 1^T A is v times the row of sums 1^T A
            break
        if factor == ONES and not behind and not has_ones(made) and is_scalar(made, shape_of):
            # x^T t 1 is a number times a vector
            return join_factors((*row[:first], made, *row[number:]), shape_of, node)
        if factor == ONES:
            made = Operation("sum", (made, t.Number(Rational(2), "2")), False, **place)
        elif factor == TURNED:
            behind.append(factor)
        else:
            made = run_of((made, factor), ("*",), node)
    if before and before[-1] == TURNED:
        total = Operation("sum", (made, t.Number(Rational(1), "1")), False, **place)
        made, before = Operation("'", (total,), False, **place), before[:-1]
    whole = (*scalars, *before, made, *behind)
    return whole[0] if len(whole) == 1 else run_of(whole, ("*",) * (len(whole) - 1), node)


def join_by_sign(left: t.Expression, sign: str, right: t.Expression, shape_of: ShapeOf, node: Syntax) -> t.Expression:
    """Two products with a sign between them, which may say that they are multiplied in another way."""
    scalar = is_scalar(left, shape_of) or is_scalar(right, shape_of)
    if sign == "/" and not is_scalar(right, shape_of):
        raise ambiguous(node.line, node.column, f"`{write_syntax(node)}`", ("the quotient of each entry",
                        "a product with an inverse"), r"write \oslash for the entries")  # fmt: skip
    if sign == "/":
        return run_of((left, right), ("/",), node)
    if sign not in (r"\cdot", r"\times", "*"):
        shapes = shape_of(left), shape_of(right)
        if sign == r"\otimes" and all(None in shape and shape != SCALAR for shape in shapes):
            raise doubtful_outer(node)
        raise UnsupportedError(
            f"line {node.line}, column {node.column}: `{sign}` between whole matrices has no form in this version; "
            "claim an entry, or write the matrices out where their sizes are numbers."
        )
    if not scalar and sign != r"\cdot":
        raise ambiguous(node.line, node.column, f"`{sign}` between matrices", ("the matrix product",
                        "the product entry by entry", "a convolution"), r"write A B, or A \odot B")  # fmt: skip
    if not scalar and shape_of(left) == shape_of(right) and shape_of(left)[1] is None:
        left = Operation("'", (left,), False, line=node.line, column=node.column)
    return run_of((left, right), ("*",), node)


def check_order(
    groups: Sequence[Sequence[t.Expression]],
    joined: Sequence[t.Expression],
    signs: Sequence[str],
    shape_of: ShapeOf,
    node: Syntax,
) -> None:
    r"""AmbiguousFormulaError where A \odot B x fits as (A \odot B) x alone, and not as A \odot (B x), which is usual.

    `groups` are the factors that stand side by side between the signs, and `joined` their products.
    """
    usual = run_of(tuple(joined), tuple(signs), node)
    if max(map(len, groups)) == 1 or has_ones(usual):
        return
    try:
        shape_of(usual)
    except ShapeError:
        if _fits_entrywise_first(groups, signs, shape_of, node):
            readings = (r"\odot before what stands side by side", r"what stands side by side before \odot")
            shown = write_syntax(node)
            raise ambiguous(node.line, node.column, f"`{shown}`", readings, "bracket what is meant") from None


def _fits_entrywise_first(
    groups: Sequence[Sequence[t.Expression]], signs: Sequence[str], shape_of: ShapeOf, node: Syntax
) -> bool:
    """Whether the shapes fit where the factors around each sign are multiplied first."""
    *rest, entry = groups[0]
    for sign, group in zip(signs, groups[1:], strict=True):
        entry = run_of((entry, group[0]), (sign,), node)
        if len(group) > 1:
            rest += [entry, *group[1:-1]]
            entry = group[-1]
    try:
        shape_of(join_factors([*rest, entry], shape_of, node))
    except ShapeError:
        return False
    return True
