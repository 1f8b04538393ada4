r"""Terms of LaTeX as rows of factors, and what can be seen in a row before any name is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symbackprop.notation.reading.commands import TRANSPOSED
from symbackprop.notation.reading.syntax import (
    Beside,
    Fraction,
    Group,
    Marked,
    Numeral,
    Product,
    Scripts,
    Symbol,
    Syntax,
    bare,
    parts_of,
    write_syntax,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Factor:
    """A factor with the sign before it, which is empty where there is none."""

    sign: str
    node: Syntax


def factors_of(node: Syntax) -> tuple[Factor, ...]:
    """The factors of a term in reading order."""
    if isinstance(node, Product):
        found: list[Factor] = []
        for sign, part in zip(("", *node.operators), node.parts, strict=True):
            first, *rest = factors_of(part)
            found += [Factor(sign, first.node), *rest]
        return tuple(found)
    if isinstance(node, Beside):
        return tuple(Factor("", part) for part in node.parts)
    return (Factor("", node),)


def write_factors(row: Sequence[Factor]) -> str:
    """A row of factors as LaTeX, with their signs and blanks between them."""
    return " ".join(f"{factor.sign} {write_syntax(factor.node)}".strip() for factor in row)


def brackets_of(node: Syntax) -> Group | None:
    """The brackets that may hold arguments, with or without a power behind them."""
    inner = bare(node)
    inner = bare(inner.base) if isinstance(inner, Scripts) else inner
    return inner if isinstance(inner, Group) and inner.opened in ("(", "[", r"\{") else None


def without_scripts(node: Syntax) -> Syntax:
    inner = bare(node)
    return bare(inner.base) if isinstance(inner, Scripts) else inner


def is_name(node: Syntax) -> bool:
    """Whether a part is a symbol, with or without scripts, that is no power by a number or a formula."""
    inner = bare(node)
    if isinstance(inner, Scripts):
        return isinstance(bare(inner.base), Symbol) and (inner.above is None or not _is_power(bare(inner.above)))
    return isinstance(inner, Symbol)


def _is_power(above: Syntax) -> bool:
    """Whether what stands above a symbol can hardly be a mark of its name."""
    return not isinstance(above, Group | Beside | Marked | Symbol)


def is_number(node: Syntax) -> bool:
    """Whether a part is a number, or a fraction of numbers."""
    inner = bare(node)
    if isinstance(inner, Fraction):
        return isinstance(bare(inner.top), Numeral) and isinstance(bare(inner.bottom), Numeral)
    return isinstance(inner, Numeral)


def is_turned(node: Syntax) -> bool:
    r"""Whether a part has the sign of a transpose above it."""
    inner = bare(node)
    return isinstance(inner, Scripts) and inner.above is not None and write_syntax(bare(inner.above)) in TRANSPOSED


def is_letter(node: Syntax) -> bool:
    return (
        isinstance(node, Symbol) and node.name.isalpha() and len(node.name) == 1 and not node.accents and not node.font
    )


def letter_of(node: Syntax) -> str:
    return node.name if isinstance(node, Symbol) else ""


def plain_values(node: Syntax) -> frozenset[str]:
    """The names that stand somewhere without brackets behind them, so that they are numbers."""
    found: set[str] = set()
    waiting = [node]
    while waiting:
        part = bare(waiting.pop())
        if isinstance(part, Fraction) and _begins_as_derivative(part):
            continue
        if isinstance(part, Beside | Product):
            row = factors_of(part)
            for factor, follows in zip(row, (*row[1:], None), strict=True):
                called = follows is not None and not follows.sign and brackets_of(follows.node) is not None
                if not (called and isinstance(without_scripts(factor.node), Symbol)):
                    waiting.append(factor.node)
        elif isinstance(part, Scripts):
            waiting += [] if part.above is None else [part.above]
            if isinstance(bare(part.base), Symbol):
                found.add(write_syntax(part))
                found |= {write_syntax(part.base)} if part.below is None and not part.primes else set()
            else:
                waiting.append(part.base)
        elif isinstance(part, Symbol):
            found.add(write_syntax(part))
        else:
            waiting += parts_of(part)
    return frozenset(found)


def _begins_as_derivative(node: Fraction) -> bool:
    """Whether the bottom of a fraction begins with the sign of a derivative."""
    first = factors_of(bare(node.bottom))[0].node
    return isinstance(bare(first), Symbol) and write_syntax(bare(first)) in (r"\partial", "d", r"\mathrm{d}")
