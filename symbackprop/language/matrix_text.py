"""Trees of matrix expressions become text that reads back as an equal tree."""

from __future__ import annotations

from symbackprop.language.matrix_grammar import Operation, Run
from symbackprop.language.tree import Access, Expression, Name, Node, Number, Where
from symbackprop.language.writer import write_number, write_tree

SUM, SIGNED, PRODUCT, POWER, POSTFIX, ATOM = range(6)
"""How tightly an expression holds together; an operand that holds less than its place asks for is bracketed."""


def write_matrix_tree(node: Node) -> str:
    """Write a matrix expression.

    >>> from symbackprop.language.matrix_grammar import read_matrix_lines
    >>> write_matrix_tree(read_matrix_lines("2*X'*(X*w - y)/N")[0].body)
    "2*X'*(X*w - y)/N"
    """
    return _write(node)[0]


def _at(node: Node, needed: int) -> str:
    text, strength = _write(node)
    return text if strength >= needed else f"({text})"


def _write(node: Node) -> tuple[str, int]:
    match node:
        case Number(value, text):
            written = text or write_number(value)
            return written, PRODUCT if "/" in written else ATOM
        case Name(name):
            return name, ATOM
        case Access() | Where():
            return write_tree(node), ATOM
        case Operation("over", (Name(letter), operand)):
            return f"sum({letter}, {_at(operand, SUM)})", ATOM
        case Operation("neg", (operand,)):
            return f"-{_at(operand, PRODUCT)}", SIGNED
        case Operation("'", (operand,)):
            return f"{_at(operand, POSTFIX)}'", POSTFIX
        case Operation("^" | ".^", (base, exponent)):
            return f"{_at(base, POSTFIX)}{node.name}{_at(exponent, ATOM)}", POWER
        case Operation(name, operands, primed):
            arguments = ", ".join(_at(operand, SUM) for operand in operands)
            return f"{name}{chr(39) * primed}({arguments})", ATOM
        case Run(operands, signs):
            sums = signs[0].symbol in "+-"
            text = _at(operands[0], SIGNED if sums else POWER)
            for sign, operand in zip(signs, operands[1:], strict=True):
                text += (
                    f" {sign.symbol} {_at(operand, PRODUCT)}"
                    if sums
                    else f"{_spaced(sign.symbol)}{_at(operand, POWER)}"
                )
            return text, SUM if sums else PRODUCT
        case Expression():
            raise TypeError(f"{type(node).__name__} is not an expression of matrices")
    raise TypeError(f"{type(node).__name__} is not an expression")


def _spaced(symbol: str) -> str:
    return symbol if len(symbol) == 1 else f" {symbol} "
