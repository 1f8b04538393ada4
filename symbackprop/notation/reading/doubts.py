r"""Rows of factors that people read in two ways, as errors that show both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symbackprop.notation.reading.differentials import read_differential
from symbackprop.notation.reading.factors import (
    Factor,
    brackets_of,
    factors_of,
    is_name,
    is_number,
    without_scripts,
    write_factors,
)
from symbackprop.notation.reading.lexemes import AmbiguousFormulaError, ambiguous
from symbackprop.notation.reading.syntax import (
    Evaluated,
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

BOLD = ("mathbf", "boldsymbol", "bm", "bf", "textbf")


def two_arguments(row: tuple[Factor, ...], node: Syntax) -> AmbiguousFormulaError:
    """The error for a function without brackets before more than one factor."""
    name, first = write_syntax(node), write_syntax(row[1].node)
    rest = write_factors(row[2:])
    readings = (f"{name}({first} {rest})", f"{name}({first}) {rest}")
    return ambiguous(node.line, node.column, f"`{name} {first} {rest}`", readings, "bracket the argument")


def check_argument(node: Syntax, row: tuple[Factor, ...], unsure: bool) -> None:
    """Brackets behind a name are its argument or a factor; only what is known to be a number multiplies."""
    if len(row) < 2 or row[1].sign:
        return
    brackets = brackets_of(row[1].node)
    if brackets is None or brackets.opened not in ("(", "["):
        return
    name, inner = write_syntax(node), write_syntax(row[1].node)
    inside = bare(brackets.parts[0])
    lone = _are_arguments(brackets)
    if isinstance(bare(row[1].node), Scripts) and isinstance(inside, Scripts) and inside.above is not None:
        lone = False  # brackets between two superscripts, as in (a^{[1]})^T
    if lone or unsure:
        readings = (f"the function {name} of {inner}", rf"{name} \cdot {inner}")
        raise ambiguous(node.line, node.column, f"`{name}{inner}`", readings,
                        rf"declare {name} as a function, or write \cdot")  # fmt: skip


def check_point(node: Syntax, rest: tuple[Factor, ...]) -> None:
    """A name in brackets behind a derivative is where it is taken, or a factor."""
    brackets = brackets_of(rest[0].node) if rest and not rest[0].sign else None
    if brackets is not None and _are_arguments(brackets):
        shown = f"{write_syntax(node)}{write_syntax(brackets)}"
        raise ambiguous(node.line, node.column, f"`{shown}`", ("the derivative at that point", "a product"),
                        r"write \cdot for a product")  # fmt: skip


def _are_arguments(brackets: Group) -> bool:
    """Whether brackets hold several things, or a lone name or number, so that they need not multiply."""
    return len(brackets.parts) > 1 or isinstance(without_scripts(brackets.parts[0]), Symbol | Numeral)


def check_division(signs: Sequence[str], node: Syntax) -> None:
    """A slash divides by the one factor behind it; with more behind there are two readings."""
    slashes = [place for place, sign in enumerate(signs) if sign in ("/", r"\oslash")]
    if slashes and slashes[0] != len(signs) - 1 and not (set(signs[slashes[0] :]) == {r"\oslash"}):
        shown = write_syntax(node)
        raise ambiguous(node.line, node.column, f"`{shown}`", ("a quotient times what follows",
                        "a quotient by all that follows"), r"write \frac, or brackets")  # fmt: skip


def check_mixed(node: Numeral, row: tuple[Factor, ...]) -> None:
    """A number before a fraction of numbers is added to it, or multiplies it."""
    fraction = bare(row[1].node) if len(row) > 1 and not row[1].sign else None
    if isinstance(fraction, Fraction) and is_number(fraction):
        readings = (f"{node.text} + {write_syntax(fraction)}", rf"{node.text} \cdot {write_syntax(fraction)}")
        raise ambiguous(node.line, node.column, f"`{node.text}{write_syntax(fraction)}`", readings,
                        r"write + or \cdot")  # fmt: skip


def doubtful_bar(node: Syntax) -> AmbiguousFormulaError:
    """The error for a bar behind more than one thing."""
    readings = ("what stands just before the bar", "all that stands before it")
    return ambiguous(node.line, node.column, f"the bar behind `{write_syntax(node)}`", readings,
                     r"write \left. ... \right|_{x=1} around what is meant")  # fmt: skip


def doubtful_outer(node: Syntax) -> AmbiguousFormulaError:
    r"""The error for \otimes between two vectors."""
    readings = ("the outer product, a matrix", "the Kronecker product, a longer vector")
    return ambiguous(node.line, node.column, f"`{write_syntax(node)}`, a product of two vectors", readings,
                     r"write a b^\top for the matrix")  # fmt: skip


def doubtful_prime(node: Syntax) -> AmbiguousFormulaError:
    """The error for a name with a prime that nobody declared."""
    shown = write_syntax(node)
    inner = bare(node)
    plain = write_syntax(replace(inner, primes=0)) if isinstance(inner, Scripts) else shown
    readings = (f"the transpose of {plain}", f"a derivative of {plain}", "a name of its own")
    return ambiguous(node.line, node.column, f"`{shown}`", readings,
                     rf"write {plain}^\top or \frac{{d{plain}}}{{dx}}, or declare {shown}")  # fmt: skip


def check_sum(parts: tuple[Syntax, ...], node: Syntax) -> None:
    """A bar, or a derivative without brackets, in a sum reaches over one addend or over all."""
    for part in parts:
        row = factors_of(bare(part))
        last, first = bare(row[-1].node), bare(row[0].node)
        if isinstance(last, Evaluated) and part is not parts[0] and not isinstance(bare(last.inner), Group | Fraction):
            raise doubtful_bar(last)
        found = read_differential(first) if isinstance(first, Fraction) else None
        operand = row[1].node if len(row) > 1 else None
        if found is None or found.of or operand is None or part is parts[-1]:
            continue
        if not is_name(operand) and brackets_of(row[-1].node) is None:
            shown = " ".join(write_syntax(factor.node) for factor in row)
            raise ambiguous(node.line, node.column, f"`{shown}` before another addend",
                            ("the derivative of one addend", "the derivative of the sum"),
                            "bracket what is derived")  # fmt: skip


def check_vectors(factors: Sequence[Factor], vocabulary: Vocabulary) -> None:
    """Where every name is a real number, two vectors beside each other are no product of numbers."""
    if not vocabulary.open:
        return
    vectors = [f.node for f in factors if _is_vector(bare(f.node), vocabulary)]
    if len(vectors) > 1:
        one, other = map(write_syntax, vectors[:2])
        raise ambiguous(vectors[0].line, vectors[0].column, f"a product of `{one}` and `{other}`",
                        ("numbers", "vectors or matrices"),
                        "write numbers in italics, or claim it of a program")  # fmt: skip


def _is_vector(node: Syntax, vocabulary: Vocabulary) -> bool:
    """Whether a symbol without indices is set as a vector is, and nothing else is declared of it."""
    symbol = node if isinstance(node, Symbol) else without_scripts(node)
    if not isinstance(symbol, Symbol) or (isinstance(node, Scripts) and node.below is not None):
        return False
    return (symbol.font in BOLD or "vec" in symbol.accents) and not vocabulary.find(symbol)
