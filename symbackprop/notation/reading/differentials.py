r"""Derivatives as LaTeX writes them: \frac{\partial L}{\partial w}, \frac{d}{dx}, \nabla_w, with their orders."""

from __future__ import annotations

from dataclasses import dataclass, replace

from symbackprop.errors import UnsupportedError
from symbackprop.language import tree as t
from symbackprop.language.wording import fail
from symbackprop.notation.reading.commands import UPRIGHT
from symbackprop.notation.reading.entries import find_whole
from symbackprop.notation.reading.factors import Factor, factors_of, is_turned, without_scripts
from symbackprop.notation.reading.refusals import ambiguous
from symbackprop.notation.reading.syntax import (
    Beside,
    Fraction,
    Group,
    Numeral,
    Scripts,
    Symbol,
    Syntax,
    bare,
    write_syntax,
)
from symbackprop.notation.reading.vocabulary import Vocabulary

SIGNS = (r"\partial", "d")
DOUBTFUL = (r"\delta", r"\Delta", "D")
"""What some write for the sign of a derivative, and others for a name."""
SLOPES = (Symbol(r"\nabla"), Symbol(r"\partial"))
"""What is a derivative by what stands below it."""


@dataclass(frozen=True, slots=True)
class Differential:
    """A fraction that is a derivative: the factors that it derives, none where they stand behind it, and by what."""

    of: tuple[Factor, ...]
    by: tuple[Syntax, ...]


def read_differential(node: Fraction) -> Differential | None:
    r"""The derivative that a fraction is; None where its top or its bottom begins with no sign of one.

    Raises UnsupportedError where its orders do not fit, as in \frac{d^2 f}{dx}.
    """
    above, below = factors_of(bare(node.top)), factors_of(bare(node.bottom))
    if _is_doubtful(above, below):
        raise ambiguous(node.line, node.column, f"`{write_syntax(node)}`", ("a derivative", "a quotient of products"),
                        rf"write \partial, with a number for its order, or \cdot behind each "
                        rf"{write_syntax(without_scripts(above[0].node))}")  # fmt: skip
    sign, order = _order_of(above[0].node)
    other, _ = _order_of(below[0].node)
    if sign is None or other is None:
        return None
    if sign != other:
        raise fail(node, f"`{write_syntax(node)}`", "a derivative with one sign above and below")
    by = _variables(below, sign, order)
    if by is None:
        raise UnsupportedError(f"{write_syntax(node)} is no derivative by as many names as its top says.")
    return Differential(above[1:], by)


def is_operator(node: Syntax) -> bool:
    r"""Whether a part derives what stands behind it: \frac{d}{dx}, \partial_x, \nabla_w."""
    if isinstance(node, Fraction):
        found = read_differential(node)
        return found is not None and not found.of
    return isinstance(node, Scripts) and bare(node.base) in SLOPES and node.below is not None


def _is_doubtful(above: tuple[Factor, ...], below: tuple[Factor, ...]) -> bool:
    r"""Whether a fraction looks like a derivative, but for its sign or its order: \frac{D}{Dx}, \frac{d^n}{dx^n}.

    A lone D above, or one before a name, is a sign only where the same stands below before another factor.
    """
    sign, other = without_scripts(above[0].node), without_scripts(below[0].node)
    together = len(below) > 1 and not below[1].sign
    if len(above) > 1 and above[1].sign:
        return False
    if isinstance(sign, Symbol) and sign.name in DOUBTFUL and not sign.accents:
        lone = len(above) == 1 or sign.name != "D"
        return together and sign == other and lone and bare(below[0].node) == other
    if _order_of(above[0].node)[0] is None and not _is_raised_d(above[0].node):
        return False
    bracketed = isinstance(other, Group) and len(other.parts) == 1
    inside = factors_of(bare(other.parts[0]))[0].node if isinstance(other, Group) and bracketed else other
    if bracketed:  # \frac{d^2}{(dx)^2}
        return bare(inside) == sign
    return _is_raised_d(above[0].node) and together and bare(below[0].node) == sign


def _is_raised_d(node: Syntax) -> bool:
    """Whether a node is a d with something else than a number above it."""
    inner = bare(node)
    if not isinstance(inner, Scripts) or inner.above is None or inner.below is not None:
        return False
    base = bare(inner.base)
    known = isinstance(base, Symbol) and base.name == "d" and not base.accents and base.font in ("", *UPRIGHT)
    return known and not isinstance(bare(inner.above), Numeral)


def without_arguments(row: tuple[Factor, ...], vocabulary: Vocabulary) -> tuple[Factor, ...]:
    r"""The row without what the loss depends on: of J(\theta) only J, where the loss is made of the tensor \theta, and
    of a document's own function only its name, where its arguments are those that it was given with."""
    group = bare(row[1].node) if len(row) == 2 and not row[1].sign else None
    if not isinstance(group, Group) or group.opened != "(":
        return row
    written = write_syntax(bare(row[0].node))
    if written not in vocabulary.functions and not vocabulary.is_loss(row[0].node):
        return row
    whole = [find_whole(part, vocabulary) for part in group.parts]
    names = [name.name for name in whole if name is not None]
    if written in vocabulary.functions:
        fitting = vocabulary.arguments.get(written) == tuple(names)
    else:
        fitting = vocabulary.loss is not None and set(names) <= vocabulary.made_of((vocabulary.loss,))
    return row[:1] if fitting and len(names) == len(whole) else row


def read_loss(side: Syntax, vocabulary: Vocabulary) -> t.Name | None:
    r"""The loss where a whole side is one of the names that textbooks give it: J, \ell, J(\theta)."""
    row = without_arguments(factors_of(bare(side)), vocabulary)
    if len(row) != 1 or vocabulary.loss is None or not vocabulary.is_loss(row[0].node):
        return None
    return t.Name(vocabulary.loss, line=side.line, column=side.column)


def head_parts(node: Syntax, vocabulary: Vocabulary) -> tuple[Syntax, Syntax] | None:
    r"""What is derived and by what where a whole formula is a first derivative; None where it is none."""
    row = tuple(part for factor in factors_of(bare(node)) for part in _unbraced(factor))
    first = bare(row[0].node)
    found = read_differential(first) if isinstance(first, Fraction) else None
    if found is not None:
        inside = bool(found.of)
        if len(found.by) != 1 or (inside and len(row) > 1):
            return None
        of = without_arguments(found.of if inside else row[1:], vocabulary)
        return (bare(of[0].node), found.by[0]) if len(of) == 1 and not of[0].sign else None
    if isinstance(first, Scripts) and first.base in SLOPES and first.below is not None:
        of = without_arguments(row[1:], vocabulary)
        lone = len(of) == 1 and not of[0].sign and first.above is None
        return (bare(of[0].node), bare(first.below)) if lone else None
    signs = [factor.sign for factor in row]
    if "/" in signs and signs.count("/") == 1 and not any(sign for sign in signs if sign != "/"):
        slash = signs.index("/")
        above, below = _order_of(row[0].node), _order_of(row[slash].node)
        of = without_arguments(row[1:slash], vocabulary)
        if above == below and above[0] is not None and above[1] == 1 and len(of) == 1 and len(row) == slash + 2:
            return bare(of[0].node), bare(row[-1].node)
    return None


def second_parts(node: Syntax, vocabulary: Vocabulary) -> tuple[Syntax, Syntax, Syntax] | None:
    r"""What is derived and by what where a whole formula is a second derivative: \frac{\partial^2 L}{\partial w_i
    \partial w_j}, \frac{\partial^2 L}{\partial w \, \partial w^\top}, \nabla_w^2 L; None where it is none."""
    row = tuple(part for factor in factors_of(bare(node)) for part in _unbraced(factor))
    first = bare(row[0].node)
    found = read_differential(first) if isinstance(first, Fraction) and len(row) == 1 else None
    if found is not None and len(found.by) == 2:
        of = without_arguments(found.of, vocabulary)
        return (bare(of[0].node), *found.by) if len(of) == 1 and not of[0].sign else None
    if not isinstance(first, Scripts) or first.base != SLOPES[0] or first.below is None or first.above is None:
        return None
    of = without_arguments(row[1:], vocabulary)
    twice = write_syntax(bare(first.above)) == "2" and len(of) == 1 and not of[0].sign
    return (bare(of[0].node), bare(first.below), bare(first.below)) if twice else None


def derived_by(node: Syntax) -> Syntax | None:
    r"""By what a whole formula derives, a name or a formula: W of \nabla_W \lVert X W \rVert_F^2; None where it is no
    derivative."""
    row = factors_of(bare(node))
    first = bare(row[0].node)
    found = read_differential(first) if isinstance(first, Fraction) else None
    if found is not None:
        return found.by[0] if len(row) == 1 or not found.of else None
    return bare(first.below) if isinstance(first, Scripts) and first.base in SLOPES and first.below else None


def unturned(node: Syntax) -> Syntax:
    r"""The name of a transpose below a second derivative: w of w^\top."""
    if not isinstance(node, Scripts) or not is_turned(node):
        return node
    plain = replace(node, above=None)
    return plain if plain.below is not None or plain.primes else bare(node.base)


def _unbraced(factor: Factor) -> tuple[Factor, ...]:
    r"""The factors of a differential in braces of its own: {\partial L}/{\partial w}."""
    inner = bare(factor.node)
    if not isinstance(inner, Beside) or _order_of(inner.parts[0])[0] is None:
        return (factor,)
    first, *rest = inner.parts
    return (Factor(factor.sign, first), *(Factor("", part) for part in rest))


def _variables(row: tuple[Factor, ...], sign: str, order: int) -> tuple[Syntax, ...] | None:
    """What a bottom such as `dx dy` derives by, as often as the order says; None where the two do not fit."""
    if len(row) % 2 or any(factor.sign for factor in row):
        return None
    found: list[Syntax] = []
    for mark, variable in zip(row[::2], row[1::2], strict=True):
        if _order_of(mark.node) != (sign, 1):
            return None
        node = bare(variable.node)
        count = order if len(row) == 2 else _count(node, order)
        if count > 1:
            if not isinstance(node, Scripts) or _count(node, order) != count:
                return None
            plain = Scripts(node.base, node.below, None, node.primes, line=node.line, column=node.column)
            node = plain if plain.below is not None or plain.primes else bare(node.base)
        found += [node] * count
    return tuple(found) if len(found) == order else None


def _count(node: Syntax, order: int) -> int:
    """The number above a variable, which says how often it is derived by."""
    above = bare(node.above) if isinstance(node, Scripts) and node.above is not None else None
    number = int(above.text) if isinstance(above, Numeral) and above.text.isdigit() else 1
    return number if number <= order else 1


def _order_of(node: Syntax) -> tuple[str | None, int]:
    """The sign of a derivative and its order; no sign where it is something else."""
    inner = bare(node)
    above = bare(inner.above) if isinstance(inner, Scripts) and inner.above is not None else None
    base = bare(inner.base) if isinstance(inner, Scripts) else inner
    if not isinstance(base, Symbol) or base.name not in SIGNS or base.accents or base.font not in ("", *UPRIGHT):
        return None, 0
    if not isinstance(inner, Scripts):
        return base.name, 1
    if inner.below is None and not inner.primes and isinstance(above, Numeral) and above.text.isdigit():
        return base.name, int(above.text)
    if base.name == r"\partial":
        raise UnsupportedError(f"{write_syntax(node)} is the sign of no derivative that can be read.")
    return None, 0
