"""The limits on a formula, checked on text and tree before anything large is built."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from symbackprop.errors import LimitError
from symbackprop.language.tree import Chain, Define, Negate, Node, Number, Power, Statement, children, walk


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a program may be; each limit can be raised by the caller.

    `nesting` bounds brackets and the depth of a tree, `power_bits` a literal and a power of literals, `definitions`
    the number of definitions.
    """

    nesting: int = 200
    power_bits: int = 4096
    definitions: int = 10_000


def count_bits(value: Fraction) -> float:
    """The bits that each power of a literal adds to its size, the binary logarithm of its larger part.

    >>> count_bits(Fraction(1, 8))
    3.0
    """
    return max(math.log2(abs(value.numerator) or 1), math.log2(value.denominator))


def check_literal(text: str, line: int, column: int, limits: Limits) -> None:
    """Raise LimitError for a literal that needs more than `power_bits` bits."""
    digits, _, exponent = text.lower().partition("e")
    shown = text if len(text) <= 40 else text[:37] + "..."
    # Ten needs 3.33 bits; an exponent of seven digits is past every limit worth setting, and int() never sees more.
    size = len(digits) + (int(exponent.lstrip("+-") or 0) if len(exponent) < 8 else 10**7)
    if size * 10 // 3 > limits.power_bits:
        raise _limit_error(f"the number {shown}", f"at most {limits.power_bits} bits", line, column)


def check_program(statements: tuple[Statement, ...], limits: Limits) -> None:
    """Raise LimitError for too many definitions, too deep nesting or too large powers of literals."""
    count = 0
    for statement in statements:
        if isinstance(statement, Define):
            count += 1
            if count > limits.definitions:
                found = f"definition number {count}"
                raise _limit_error(found, f"at most {limits.definitions} definitions", statement.line, statement.column)
        check_tree(statement, limits)


def check_tree(tree: Node, limits: Limits) -> None:
    """Raise LimitError for too deep nesting or too large powers of literals; no recursion."""
    nodes: list[Node] = []
    for node, depth in walk(tree):
        if depth > limits.nesting + 2:  # a statement and its head stand above the formula
            found = f"a formula nested {depth - 2} deep"
            raise _limit_error(found, f"nesting of at most {limits.nesting}", node.line, node.column)
        nodes.append(node)
    if not any(isinstance(node, Power) for node in nodes):
        return
    values: dict[int, Fraction | None] = {}
    for node in reversed(nodes):  # children stand before their parents now
        values[id(node)] = _evaluate(node, [values[id(child)] for child in children(node)], limits)


def _evaluate(node: Node, values: list[Fraction | None], limits: Limits) -> Fraction | None:
    """The value of a node made of literals only; None for any other, and where it is no rational number."""
    if isinstance(node, Number):
        return node.value
    known = [v for v in values if v is not None]
    if len(known) < len(values) or not known:
        return None
    if isinstance(node, Negate):
        return -known[0]
    if isinstance(node, Chain):
        return _evaluate_chain(known, node.operators)
    if isinstance(node, Power):
        base, exponent = known
        if count_bits(base) * float(min(Fraction(10**9), abs(exponent))) > limits.power_bits:
            raise _limit_error("a power of literals", f"at most {limits.power_bits} bits", node.line, node.column)
        if exponent.denominator != 1 or (base == 0 and exponent < 0):
            return None
        return Fraction(1) if abs(base) == 1 and exponent % 2 == 0 else _small_power(base, int(exponent))
    return None


def _small_power(base: Fraction, exponent: int) -> Fraction:
    return base if abs(base) <= 1 and base.denominator == 1 and exponent else base**exponent


def _evaluate_chain(values: list[Fraction], operators: tuple[str, ...]) -> Fraction | None:
    total = values[0]
    for operator, value in zip(operators, values[1:], strict=True):
        if operator in "+-":
            total += value if operator == "+" else -value
        elif operator == "*":
            total *= value
        elif operator == "/" and value:
            total /= value
        else:
            return None
    return total


def _limit_error(found: str, expected: str, line: int, column: int) -> LimitError:
    message = f"found {found}, expected {expected}; the limit can be raised by the caller"
    return LimitError(message, line=line, column=column, found=found, expected=expected)
