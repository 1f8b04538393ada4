"""Trees become text that reads back as an equal tree, with no bracket that is not needed for that."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from symbackprop.language.tree import (
    Access,
    And,
    Apply,
    Assume,
    Binder,
    Chain,
    Claim,
    Compare,
    Declaration,
    Define,
    Derivative,
    Entry,
    Name,
    Negate,
    Node,
    Not,
    Number,
    Or,
    Power,
    Reduce,
    Slope,
    Statement,
    Where,
    walk,
)  # fmt: skip

# How tightly a node holds together; an operand that holds less than its place asks for is bracketed.
OR, AND, NOT, COMPARE, SUM, SIGNED, PRODUCT, POWER, ATOM = range(9)


def write_statements(statements: tuple[Statement, ...]) -> str:
    """Write statements, one a line.

    >>> print(write_statements((Define(Name("loss"), Power(Name("w"), Number(Fraction(2)))),)), end="")
    loss = w^2
    """
    return "".join(f"{write_tree(statement)}\n" for statement in statements)


def write_tree(node: Node) -> str:
    """Write a statement or an expression.

    >>> write_tree(Chain((Name("a"), Chain((Name("b"), Name("c")), ("-",))), ("-",)))
    'a - (b - c)'
    """
    match node:
        case Declaration(kind, name, axes, tex, size):
            text = f"{kind} {name}" + (f"[{_list(axes)}]" if axes else "")
            return text + ("" if size is None else f" in {_at(size, OR)}") + ("" if tex is None else f' as "{tex}"')
        case Assume(condition):
            return f"assume {write_tree(condition)}"
        case Define(head, body):
            return f"{write_tree(head)} = {_at(body, OR)}"
        case Claim(head, links, digits, refuted):
            text = "claim " + " = ".join([write_tree(head), *(_at(link, OR) for link in links)])
            return text + ("" if digits is None else f" ~ {digits}") + (" expect refuted" if refuted else "")
        case Derivative(of, wrt):
            return f"d {write_tree(of)} / d {write_tree(wrt)}"
    return _at(node, OR)


def write_number(value: Fraction) -> str:
    """Write a non-negative number as a literal where it has a finite decimal form; others are quotients of two.

    >>> write_number(Fraction(1, 10))
    '0.1'
    """
    if value.denominator == 1:
        return str(value.numerator)
    twos, fives, rest = 0, 0, value.denominator
    while rest % 2 == 0:
        twos, rest = twos + 1, rest // 2
    while rest % 5 == 0:
        fives, rest = fives + 1, rest // 5
    if rest != 1:
        return f"{value.numerator}/{value.denominator}"
    places = max(twos, fives)
    digits = str(value.numerator * 10**places // value.denominator).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}"


def round_number(value: Fraction, digits: int = 7) -> str:
    """Write a number to so many significant digits.

    >>> round_number(Fraction(2, 3)), round_number(Fraction(1, 3), 2)
    ('0.6666667', '0.33')
    """
    return f"{Decimal(value.numerator) / Decimal(value.denominator):.{digits}g}"


def _list(nodes: tuple[Node, ...]) -> str:
    return ", ".join(_at(node, OR) for node in nodes)


def _at(node: Node, needed: int) -> str:
    text, strength = _write(node)
    return text if strength >= needed else f"({text})"


def _write(node: Node) -> tuple[str, int]:
    """The text of a node and how tightly it holds together."""
    match node:
        case Number(value, text):
            written = text or write_number(value)
            return written, PRODUCT if "/" in written else ATOM
        case Name(name):
            return name, ATOM
        case Binder(name, size):
            return (name if size is None else f"{name}:{_at(size, OR)}"), ATOM
        case Access(name, indices):
            return f"{name}[{_list_indices(indices)}]", ATOM
        case Apply(function, arguments, primed):
            return f"{function}{_prime(primed)}({_list(arguments)})", ATOM
        case Entry(call, indices):
            return f"{_at(call, ATOM)}[{_list_indices(indices)}]", ATOM
        case Reduce(operation, binders, body):
            return f"{operation}({_list(binders)}, {_at(body, OR)})", ATOM
        case Where(condition, then, otherwise):
            return f"where({_at(condition, OR)}, {_at(then, OR)}, {_at(otherwise, OR)})", ATOM
        case Power(base, exponent):
            raised = _at(exponent, POWER)
            return f"{_at(base, ATOM)}^{raised}", POWER
        case Slope(value):
            return _write(value)
        case Negate(operand):
            return f"-{_at(operand, SIGNED)}", SIGNED
        case Chain(operands, operators):
            if operators[0] in ("+", "-"):
                return _join(operands, tuple(f" {o} " for o in operators), SIGNED, SIGNED), SUM
            return _join(operands, operators, POWER, POWER), PRODUCT
        case Compare(operator, left, right):
            return f"{_at(left, SUM)} {operator} {_at(right, SUM)}", COMPARE
        case Not(operand):
            return f"not {_at(operand, NOT)}", NOT
        case And(conditions):
            return " and ".join(_at(one, NOT) for one in conditions), AND
        case Or(conditions):
            return " or ".join(_at(one, AND) for one in conditions), OR
    raise TypeError(f"{type(node).__name__} is not a node of the tree")


def _join(operands: tuple[Node, ...], operators: tuple[str, ...], first: int, later: int) -> str:
    text = _at(operands[0], first)
    for operator, operand in zip(operators, operands[1:], strict=True):
        text += operator + _at(operand, later)
    return text


def _prime(primed: bool) -> str:
    return "'" if primed else ""


def _list_indices(indices: tuple[Node, ...]) -> str:
    """Indices, plain arithmetic among them without blanks: W[i,j], x[2*p+r-2]."""
    return ",".join(_at(index, OR).replace(" ", "") if _is_plain(index) else _at(index, OR) for index in indices)


def _is_plain(node: Node) -> bool:
    return all(isinstance(below, Number | Name | Binder | Access | Chain | Negate) for below, _ in walk(node))
