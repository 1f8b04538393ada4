r"""Terms of LaTeX as rows of factors, and what can be seen in a row before any name is known."""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.errors import UnsupportedError
from symbackprop.notation.reading.syntax import (
    Beside,
    Fraction,
    Group,
    Product,
    Scripts,
    Symbol,
    Syntax,
    bare,
    parts_of,
    write_syntax,
)  # fmt: skip

DIFFERENTIALS = (r"\partial", "d")


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


def differential_parts(node: Fraction) -> tuple[Syntax | None, Syntax] | None:
    r"""What a fraction derives, None for a lone \partial, and by what; None where it is a quotient."""
    above, below = factors_of(bare(node.top)), factors_of(bare(node.bottom))
    if differential_of(above[0].node) is None or differential_of(below[0].node) is None:
        return None
    if differential_of(above[0].node) != differential_of(below[0].node) or any(f.sign for f in (*above, *below)):
        return None
    if len(below) != 2 or len(above) > 2:
        if differential_of(below[0].node) == r"\partial" or len(below) == 3:
            raise UnsupportedError(f"{write_syntax(node)} is no first derivative of a name by a name.")
        return None
    return (bare(above[1].node) if len(above) == 2 else None), bare(below[1].node)


def head_parts(node: Syntax) -> tuple[Syntax, Syntax] | None:
    r"""What is derived and by what where a whole formula is a derivative; None where it is none."""
    row = factors_of(bare(node))
    first = bare(row[0].node)
    if len(row) == 1 and isinstance(first, Fraction):
        found = differential_parts(first)
        return (found[0], found[1]) if found is not None and found[0] is not None else None
    if len(row) == 2 and not row[1].sign:
        if isinstance(first, Fraction):
            found = differential_parts(first)
            return (bare(row[1].node), found[1]) if found is not None and found[0] is None else None
        nabla = isinstance(first, Scripts) and isinstance(first.base, Symbol) and first.base.name == r"\nabla"
        if nabla and isinstance(first, Scripts) and first.below is not None and first.above is None:
            return bare(row[1].node), bare(first.below)
    if len(row) == 4 and [factor.sign for factor in row] == ["", "", "/", ""]:
        above, below = differential_of(row[0].node), differential_of(row[2].node)
        if above == below == r"\partial" or above == below == "d":
            return bare(row[1].node), bare(row[3].node)
    return None


def differential_of(node: Syntax) -> str | None:
    node = bare(node)
    if isinstance(node, Symbol) and node.name in DIFFERENTIALS and not node.accents and node.font in ("", "mathrm"):
        return node.name
    if isinstance(node, Scripts) and isinstance(node.base, Symbol) and node.base.name == r"\partial":
        raise UnsupportedError(f"{write_syntax(node)} is no first derivative.")
    return None


def brackets_of(node: Syntax) -> Group | None:
    """The brackets that may hold arguments, with or without a power behind them."""
    inner = bare(node)
    inner = bare(inner.base) if isinstance(inner, Scripts) else inner
    return inner if isinstance(inner, Group) and inner.opened in ("(", "[", r"\{") else None


def without_scripts(node: Syntax) -> Syntax:
    inner = bare(node)
    return bare(inner.base) if isinstance(inner, Scripts) else inner


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
        if isinstance(part, Fraction) and differential_parts(part) is not None:
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
