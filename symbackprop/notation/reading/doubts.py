r"""Rows of factors that people read in two ways, as errors that show both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symbackprop.calculus.tensors import Role, Tensor
from symbackprop.language import tree as t
from symbackprop.notation.reading.differentials import is_operator
from symbackprop.notation.reading.doubtful_scripts import write_indices
from symbackprop.notation.reading.factors import (
    Factor,
    brackets_of,
    factors_of,
    is_name,
    is_number,
    without_scripts,
    write_factors,
)
from symbackprop.notation.reading.refusals import AmbiguousFormulaError, ambiguous
from symbackprop.notation.reading.syntax import (
    Beside,
    Evaluated,
    Fraction,
    Group,
    Numeral,
    Operator,
    Product,
    Scripts,
    Sum,
    Symbol,
    Syntax,
    bare,
    walk_syntax,
    write_syntax,
)
from symbackprop.notation.reading.vocabulary import COMMANDS, Vocabulary, label_of
from symbackprop.notation.writing.names import ACTIVATIONS

GIVEN = (Role.INPUT, Role.PARAM, Role.CONST)
BOLD = ("mathbf", "boldsymbol", "bm", "textbf")


def two_arguments(row: tuple[Factor, ...], node: Syntax) -> AmbiguousFormulaError:
    """The error for a function without brackets before more than one factor."""
    name, first = write_syntax(node), write_syntax(row[1].node)
    rest = write_factors(row[2:])
    readings = (f"{name}({first} {rest})", f"{name}({first}) {rest}")
    return ambiguous(node.line, node.column, f"`{name} {first} {rest}`", readings, "bracket the argument")


def check_argument(node: Syntax, row: tuple[Factor, ...], unsure: bool, vocabulary: Vocabulary) -> None:
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
    if lone or unsure or _may_be_called(node, inside, vocabulary):
        readings = (f"the function {name} of {inner}", rf"{name} \cdot {inner}")
        raise ambiguous(node.line, node.column, f"`{name}{inner}`", readings,
                        rf"declare {name} as a function, or write \cdot")  # fmt: skip


def _may_be_called(node: Syntax, inside: Syntax, vocabulary: Vocabulary) -> bool:
    """Whether a name of a program may be meant as a function of what stands in brackets, as in f(x + 1).

    That is so of letters that stand for activations, and of values that are computed from what the formula reads, as a
    value of the program is at other data; f(1 - f) is a product.
    """
    symbol = node if isinstance(node, Symbol) else without_scripts(node)
    if not isinstance(symbol, Symbol) or (isinstance(node, Scripts) and node.below is not None):
        return False
    within = [part for part in walk_syntax(inside) if isinstance(part, Symbol)]
    tensors = _tensors_called(symbol, vocabulary)
    if symbol in within or not tensors:
        return False
    if symbol.name in ACTIVATIONS:
        return True
    made_of = vocabulary.made_of({tensor.name for tensor in tensors if tensor.role is Role.DEFINED})
    read = {x.name for part in within for x in _tensors_called(part, vocabulary) if x.role in GIVEN}
    return bool(read & made_of)


def _tensors_called(symbol: Symbol, vocabulary: Vocabulary, primes: int = 0) -> list[Tensor]:
    """The tensors that a name stands for."""
    names = (entry.value.name for entry in vocabulary.find(symbol, primes) if isinstance(entry.value, t.Name))
    return [vocabulary.tensors[name] for name in names if name in vocabulary.tensors]


def check_sign(node: Syntax, row: Sequence[Factor], known: frozenset[str], vocabulary: Vocabulary) -> None:
    """A d before a name may be its differential, and D_x before a formula of x its derivative.

    Among numbers a, b, c and d it is one of them; `known` are the names that are numbers, or indices.
    """
    symbol = without_scripts(node)
    if len(row) < 2 or row[1].sign or not isinstance(symbol, Symbol) or symbol.accents or vocabulary.find(symbol):
        return
    if not vocabulary.open or symbol.name.lower() != "d":
        return
    behind, name = write_syntax(row[1].node), write_syntax(node)
    below = bare(node.below) if isinstance(node, Scripts) and node.below is not None and node.above is None else None
    numbered = {"b", "c"} <= known and not symbol.font
    if symbol.name == "d" and node == symbol and not numbered and isinstance(without_scripts(row[1].node), Symbol):
        readings = (f"the differential of {behind}", rf"{name} \cdot {behind}")
    elif symbol.name == "D" and isinstance(below, Symbol) and below in walk_syntax(row[1].node):
        readings = (f"the derivative of {behind} by {write_syntax(below)}", rf"{name} \cdot {behind}")
    else:
        return
    shown = _write_side_by_side(name, behind)
    raise ambiguous(node.line, node.column, f"`{shown}`", readings, rf"write \cdot, or declare {name}")


def _write_side_by_side(one: str, other: str) -> str:
    return f"{one} {other}" if len(one) > 1 else one + other


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


def is_datum(node: Syntax, row: Sequence[Factor], vocabulary: Vocabulary) -> bool:
    """Whether an entry of what is given stands before brackets with a power: w_n(x_n)^2 is a product, w no function."""
    behind = bare(row[1].node) if len(row) > 1 and not row[1].sign else None
    if not isinstance(behind, Scripts) or behind.above is None or label_of(behind.above) is not None:
        return False
    symbol = without_scripts(node)
    if not isinstance(symbol, Symbol) or not isinstance(node, Scripts) or node.below is None:
        return False
    tensors = _tensors_called(symbol, vocabulary, node.primes)
    return bool(tensors) and all(tensor.role in GIVEN for tensor in tensors)


def check_braces(row: Sequence[Factor]) -> None:
    """Braces of TeX are not printed: {a+b}x looks like a + bx, {ab}^2 like a b^2, and a/{bc} like (a/b)c."""
    for place, factor in enumerate(row):
        node = factor.node
        inner = bare(node)
        if isinstance(inner, Scripts) and _is_braced(inner.base, Sum, Beside, Product):
            raise _unseen(inner.base, write_syntax(inner))
        if len(row) == 1:
            continue
        lone = isinstance(inner, Sum) and len(inner.parts) == 1 and (factor.sign or _is_function(row[place - 1].node))
        divided = factor.sign == "/" and _is_braced(node, Beside, Product)
        if divided or (_is_braced(node, Sum) and not (lone and place)):
            raise _unseen(node, write_factors(row))


def _is_braced(node: Syntax, *kinds: type[Syntax]) -> bool:
    return isinstance(node, Group) and node.opened == "{" and isinstance(bare(node), kinds)


def _is_function(node: Syntax) -> bool:
    symbol = without_scripts(node)
    return isinstance(symbol, Operator) or (isinstance(symbol, Symbol) and symbol.name in COMMANDS)


def _unseen(node: Syntax, shown: str) -> AmbiguousFormulaError:
    inner = write_syntax(bare(node))
    readings = (f"({inner}), as its braces say", f"{inner} without braces, as it is printed")
    return ambiguous(node.line, node.column, f"braces that are not printed, `{{{inner}}}` in `{shown}`", readings,
                     "write brackets")  # fmt: skip


def check_division(signs: Sequence[str], last: Syntax, node: Syntax) -> None:
    r"""A slash divides by the one factor behind it, and the next one what stands before it.

    With a factor behind it there are two readings, but where that is a sum: 1/m \sum_i x_i.
    """
    slashes = [place for place, sign in enumerate(signs) if sign in ("/", r"\oslash")]
    if not slashes or slashes[0] == len(signs) - 1 or set(signs[slashes[0] :]) in ({"/"}, {r"\oslash"}):
        return
    summed = without_scripts(last) == Symbol(r"\sum")
    if slashes == [len(signs) - 2] and not signs[-1] and summed:
        return
    raise doubtful_quotient(node, write_syntax(node))


def doubtful_quotient(node: Syntax, shown: str) -> AmbiguousFormulaError:
    """The error for factors behind what a slash divides by."""
    return ambiguous(node.line, node.column, f"`{shown}`", ("a quotient times what follows",
                     "a quotient by all that follows"), r"write \frac, or brackets")  # fmt: skip


def may_be_indexed(value: t.Expression, node: Syntax, vocabulary: Vocabulary) -> bool:
    """Whether a letter above may be an index there: above no number, no brackets, and no scalar of a program."""
    if isinstance(bare(node.base) if isinstance(node, Scripts) else node, Numeral | Group):
        return False
    tensor = vocabulary.tensors.get(value.name) if isinstance(value, t.Name) else None
    return tensor is None or bool(tensor.axes)


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


def doubtful_size(node: Syntax) -> AmbiguousFormulaError:
    """The error for bars around a vector."""
    readings = ("its length", "the absolute values of its entries")
    return ambiguous(node.line, node.column, f"`{write_syntax(node)}` of a vector", readings,
                     r"write \lVert ... \rVert or \operatorname{abs}")  # fmt: skip


def doubtful_prime(node: Syntax) -> AmbiguousFormulaError:
    """The error for a name with a prime that nobody declared."""
    shown = write_syntax(node)
    inner = bare(node)
    plain = write_syntax(replace(inner, primes=0)) if isinstance(inner, Scripts) else shown
    turned = rf"{plain}^\top"
    if isinstance(inner, Scripts) and inner.below is not None:
        turned = rf"({write_syntax(inner.base)}^\top)_{{{write_indices(inner.below)}}}"
    readings = (f"the transpose of {plain}", f"a derivative of {plain}", "a name of its own")
    return ambiguous(node.line, node.column, f"`{shown}`", readings,
                     rf"write {turned} or \frac{{d{plain}}}{{dx}}, or declare {shown}")  # fmt: skip


def check_sum(parts: tuple[Syntax, ...], signs: tuple[str, ...], node: Syntax) -> None:
    """A bar, or a derivative without brackets, in a sum reaches over one addend or over all."""
    rows = [factors_of(bare(part)) for part in parts]
    following = [*map(_operator_in, rows[1:]), None]
    for sign, part, row, again in zip(signs, parts, rows, following, strict=True):
        inner = bare(part)
        if sign == "-" and _is_braced(part, Sum) and isinstance(inner, Sum) and len(inner.parts) > 1:
            raise _unseen(part, write_syntax(node))
        last = bare(row[-1].node)
        if isinstance(last, Evaluated) and part is not parts[0] and not isinstance(bare(last.inner), Group | Fraction):
            raise doubtful_bar(last)
        operator = _operator_in(row)
        if operator is None or part is parts[-1]:
            continue
        if again is not None and write_syntax(again.node) == write_syntax(operator.node):
            continue  # \nabla f + \nabla g derives no derivative again
        derived = row[row.index(operator) + 1 :]
        if derived and (len(derived) > 1 or not is_name(derived[0].node)) and brackets_of(row[-1].node) is None:
            shown = " ".join(write_syntax(factor.node) for factor in row)
            raise ambiguous(node.line, node.column, f"`{shown}` before another addend",
                            ("the derivative of one addend", "the derivative of the sum"),
                            "bracket what is derived")  # fmt: skip


def _operator_in(row: Sequence[Factor]) -> Factor | None:
    """The sign of a derivative that derives what stands behind it in a row."""
    return next((factor for factor in row if is_operator(bare(factor.node))), None)


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


def check_transpose(above: Syntax, node: Syntax, vocabulary: Vocabulary) -> None:
    """AmbiguousFormulaError where the T above a name may be a power, because something else has that name."""
    if write_syntax(bare(above)) == "T" and (vocabulary.find(Symbol("T")) or "T" in vocabulary.sizes):
        raise ambiguous(node.line, node.column, f"`{write_syntax(node)}`", ("a transpose", "the power T"),
                        r"write ^\top")  # fmt: skip
