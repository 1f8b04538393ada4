r"""What a LaTeX formula says before anything is known of its names: symbols with scripts, side by side.

Nothing is decided here that needs a name's meaning: `f(x)` is a symbol beside brackets, `x^{(2)}` a symbol with
brackets above it. Which of them are functions, layers or products is the business of elaboration.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from symbackprop.language.tree import Expression, Node

BRACKETS = {
    "{": ("", ""), "|": ("|", "|"), "||": (r"\lVert ", r"\rVert"), r"\{": (r"\{", r"\}"),
    ".": (r"\left. ", r" \right|"), r"\lfloor": (r"\lfloor ", r"\rfloor"), "(": ("(", ")"), "[": ("[", "]"),
    r"\langle": (r"\langle ", r"\rangle"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Syntax(Node):
    """A part of a formula, with its place in the text."""


@dataclass(frozen=True, slots=True)
class Numeral(Syntax):
    """A number as it was written."""

    text: str


@dataclass(frozen=True, slots=True)
class Symbol(Syntax):
    r"""A letter such as `x` or `\alpha`, or a word set upright; with its accents, outermost first, and its font."""

    name: str
    accents: tuple[str, ...] = ()
    font: str = ""


@dataclass(frozen=True, slots=True)
class Operator(Symbol):
    r"""A word set by \operatorname, as functions are."""


@dataclass(frozen=True, slots=True)
class Scripts(Syntax):
    """A base with what stands below and above it, and its primes."""

    base: Syntax
    below: Syntax | None = None
    above: Syntax | None = None
    primes: int = 0


@dataclass(frozen=True, slots=True)
class Group(Syntax):
    r"""Parts between brackets, separated by commas.

    `opened` is `{` for TeX's invisible braces, `|` or `||` for bars, `.` for what stands behind a lone \left.
    """

    opened: str
    parts: tuple[Syntax, ...]


@dataclass(frozen=True, slots=True)
class Fraction(Syntax):
    r"""`\frac{top}{bottom}`."""

    top: Syntax
    bottom: Syntax


@dataclass(frozen=True, slots=True)
class Root(Syntax):
    r"""`\sqrt[degree]{inner}`."""

    inner: Syntax
    degree: Syntax | None = None


@dataclass(frozen=True, slots=True)
class Evaluated(Syntax):
    r"""A formula before a bar, with what stands below the bar: \left. x^2 \right|_{x=1}."""

    inner: Syntax
    at: Syntax


@dataclass(frozen=True, slots=True)
class Beside(Syntax):
    """Parts side by side, without an operator between them; at least two."""

    parts: tuple[Syntax, ...]


@dataclass(frozen=True, slots=True)
class Product(Syntax):
    """Factors joined by signs of multiplication or division."""

    parts: tuple[Syntax, ...]
    operators: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sum(Syntax):
    """Addends; `signs` has one sign for each, the first one empty where none is written."""

    parts: tuple[Syntax, ...]
    signs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Relation(Syntax):
    """Sides joined by relations such as `=` and `<`."""

    parts: tuple[Syntax, ...]
    operators: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compound(Syntax):
    """Conditions joined by a word, `and` or `or`, or one behind the word `not`."""

    parts: tuple[Syntax, ...]
    word: str = "and"


@dataclass(frozen=True, slots=True)
class Interval(Syntax):
    r"""Two ends between brackets behind \in: a round bracket leaves its end out, a square one does not."""

    parts: tuple[Syntax, ...]
    brackets: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Such(Syntax):
    r"""Parts before a colon or a bar, with the relations behind it that they satisfy: `n : y_n = k`."""

    parts: tuple[Syntax, ...]
    conditions: tuple[Syntax, ...]


@dataclass(frozen=True, slots=True)
class Marked(Syntax):
    r"""A sign of an operation by itself or before one operand, which only scripts hold: `\odot 2`, `*`."""

    sign: str
    operand: Syntax | None = None


@dataclass(frozen=True, slots=True)
class Placed(Syntax):
    """A part that has been read already, with what was written."""

    tree: Expression
    written: Syntax


@dataclass(frozen=True, slots=True)
class Case(Syntax):
    r"""A row of `cases`; without a condition it is what holds otherwise."""

    value: Syntax
    conditions: tuple[Syntax, ...] = ()


@dataclass(frozen=True, slots=True)
class Cases(Syntax):
    """Formulas with the conditions under which they hold."""

    rows: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Row(Syntax):
    """A row of a matrix."""

    cells: tuple[Syntax, ...]


@dataclass(frozen=True, slots=True)
class Matrix(Syntax):
    r"""A written-out matrix, row by row.

    `opened` is what stands around it: `(`, `[`, `|` and `||` for pmatrix, bmatrix, vmatrix and Vmatrix, or nothing.
    """

    opened: str
    rows: tuple[Row, ...]


def parts_of(node: Syntax) -> tuple[Syntax, ...]:
    """The parts directly below a node, in reading order."""
    match node:
        case Scripts(base=base, below=below, above=above):
            return tuple(part for part in (base, below, above) if part is not None)
        case Group(parts=parts) | Beside(parts=parts) | Product(parts=parts) | Sum(parts=parts) | Relation(parts=parts):
            return parts
        case Compound(parts=parts) | Interval(parts=parts):
            return parts
        case Such(parts=parts, conditions=conditions):
            return (*parts, *conditions)
        case Matrix(rows=rows):
            return rows
        case Row(cells=cells):
            return cells
        case Fraction(top=top, bottom=bottom):
            return (top, bottom)
        case Root(inner=inner, degree=degree):
            return (inner,) if degree is None else (degree, inner)
        case Evaluated(inner=inner, at=at):
            return (inner, at)
        case Marked(operand=operand):
            return () if operand is None else (operand,)
        case Case(value=value, conditions=conditions):
            return (value, *conditions)
        case Cases(rows=cases):
            return cases
        case Numeral() | Symbol() | Placed():
            return ()
    raise TypeError(f"{type(node).__name__} is no part of a formula")


def walk_syntax(node: Syntax) -> Iterator[Syntax]:
    """Every part at or below a node, parents first."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(reversed(parts_of(current)))


def bare(node: Syntax) -> Syntax:
    """What stands between invisible braces, if it is one part."""
    while isinstance(node, Group) and node.opened == "{" and len(node.parts) == 1:
        node = node.parts[0]
    return node


def only_marks(above: Syntax) -> bool:
    """Whether what stands above a name is no power of it: a layer in brackets, or a star."""
    node = bare(above)
    if isinstance(node, Beside):
        return all(map(only_marks, node.parts))
    return isinstance(node, Group) and node.opened in ("(", "[") or (isinstance(node, Marked) and node.operand is None)


def write_syntax(node: Syntax) -> str:
    r"""A part as LaTeX, in one way for every way of writing it.

    >>> write_syntax(Scripts(Symbol("y", ("hat",)), Symbol("i")))
    '\\hat{y}_{i}'
    """
    match node:
        case Numeral(text):
            return text
        case Symbol(name, accents, font):
            text = f"\\{font}{{{name}}}" if font else name
            for accent in reversed(accents):
                text = f"\\{accent}{{{text}}}"
            return text
        case Scripts(base, below, above, primes):
            text = write_syntax(base) + "'" * primes
            text += "" if below is None else f"_{{{write_syntax(bare(below))}}}"
            return text + ("" if above is None else f"^{{{write_syntax(bare(above))}}}")
        case Group(opened, parts):
            left, right = BRACKETS[opened]
            return left + ",".join(map(write_syntax, parts)) + right
        case Fraction(top, bottom):
            return rf"\frac{{{write_syntax(bare(top))}}}{{{write_syntax(bare(bottom))}}}"
        case Root(inner, degree):
            shown = "" if degree is None else f"[{write_syntax(degree)}]"
            return rf"\sqrt{shown}{{{write_syntax(bare(inner))}}}"
        case Beside(parts):
            return _side_by_side([write_syntax(part) for part in parts])
        case Product(parts, operators) | Relation(parts, operators):
            text = write_syntax(parts[0])
            for operator, part in zip(operators, parts[1:], strict=True):
                text += f" {operator} {write_syntax(part)}"
            return text
        case Sum(parts, signs):
            written = [f"{sign}{write_syntax(part)}" for sign, part in zip(signs, parts, strict=True)]
            return "".join(written)
        case Placed(_, written):
            return write_syntax(written)
        case Marked(sign, operand):
            return sign if operand is None else f"{sign} {write_syntax(operand)}"
        case Evaluated(inner, at):
            return rf"\left. {write_syntax(inner)} \right|_{{{write_syntax(bare(at))}}}"
        case Compound(parts, "not"):
            return rf"\text{{not }} {write_syntax(parts[0])}"
        case Compound(parts, word):
            return rf" \text{{ {word} }} ".join(map(write_syntax, parts))
        case Interval(parts, (left, right)):
            return left + ",".join(map(write_syntax, parts)) + right
        case Such(parts, conditions):
            return f"{','.join(map(write_syntax, parts))} : {','.join(map(write_syntax, conditions))}"
        case Cases():
            return r"\begin{cases}...\end{cases}"
        case Row(cells):
            return " & ".join(map(write_syntax, cells))
        case Matrix(opened, rows):
            name = {"(": "pmatrix", "[": "bmatrix", "|": "vmatrix", "||": "Vmatrix"}.get(opened, "matrix")
            lines = r" \\ ".join(map(write_syntax, rows))
            return rf"\begin{{{name}}} {lines} \end{{{name}}}"
    raise TypeError(f"{type(node).__name__} is no part of a formula")


def _side_by_side(words: list[str]) -> str:
    """Parts beside each other; a blank keeps a command and a letter behind it apart."""
    text = words[0]
    for word in words[1:]:
        text += (" " if "\\" in text and word[0].isalpha() and text[-1].isalpha() else "") + word
    return text
