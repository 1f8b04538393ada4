r"""Trees as LaTeX in index notation: entries with indices below, sums as \sum.

The same printer writes scalar notation, whose trees have numbers for indices and no sums left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from symbackprop.calculus.tensors import Tensor
from symbackprop.errors import UnsupportedError
from symbackprop.functions import FUNCTIONS
from symbackprop.language.phrasing import affine_tree
from symbackprop.language.tree import (
    Access,
    And,
    Apply,
    Binder,
    Chain,
    Compare,
    Condition,
    Entry,
    Expression,
    Name,
    Negate,
    Node,
    Not,
    Number,
    Or,
    Power,
    Reduce,
    Where,
    walk,
)  # fmt: skip
from symbackprop.notation.writing.names import Names, join_indices, small_symbol

SUM, PRODUCT, FRACTION, ATOM = range(4)
"""How tightly a piece of LaTeX holds together; an operand that holds less than its place asks for is bracketed."""

RELATIONS = {"<": "<", "<=": r"\le", ">": ">", ">=": r"\ge", "==": "=", "!=": r"\ne", "=": "="}
REDUCTIONS = {"sum": r"\sum", "max": r"\max", "min": r"\min", "argmax": r"\operatorname*{arg\,max}"}
SPECIAL = ("exp", "sqrt", "abs")
MATRIX_CALLS = ("det", "logdet")
TALL = (r"\frac", r"\sum", r"\begin", r"\left", r"\max", r"\min")


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of LaTeX and how tightly it holds together; `open` says that its sum would swallow a factor behind it."""

    text: str
    strength: int = ATOM
    open: bool = False

    def at(self, needed: int) -> str:
        """The text, in brackets where it holds less than `needed`."""
        return self.text if self.strength >= needed else bracket(self.text)


def bracket(text: str) -> str:
    r"""Brackets around a piece, as tall as it is.

    >>> bracket("a - y"), bracket(r"\frac{a}{b}")
    ('(a - y)', '\\left(\\frac{a}{b}\\right)')
    """
    return rf"\left({text}\right)" if any(word in text for word in TALL) else f"({text})"


def function_latex(name: str, arguments: str, raised: str = "", primed: bool = False) -> str:
    """A function of the catalogue or an elementary one, applied."""
    if name == "sqrt" and not raised and not primed:
        return rf"\sqrt{{{arguments}}}"
    tex = next((str(f.tex) for f in FUNCTIONS if f.name == name), rf"\operatorname{{{name}}}".replace("_", r"\_"))
    return tex + ("'" if primed else "") + (f"^{{{raised}}}" if raised else "") + bracket(arguments)


def number_latex(number: Number) -> str:
    """A literal as it was written, powers of ten set as such."""
    text = number.text
    if not text or "/" in text:
        value = number.value
        return str(value.numerator) if value.denominator == 1 else rf"\frac{{{value.numerator}}}{{{value.denominator}}}"
    mantissa, mark, exponent = text.lower().partition("e")
    if not mark:
        return text
    power = rf"10^{{{exponent.lstrip('+').lstrip('0') or '0'}}}"
    return power if mantissa == "1" else rf"{mantissa} \cdot {power}"


def find_range(index: Binder | str, body: Node, tensors: Mapping[str, Tensor]) -> Expression | None:
    """The size that an index runs to: the one written, else that of an axis on which it stands alone."""
    if isinstance(index, Binder) and index.range is not None:
        return index.range
    name = index.name if isinstance(index, Binder) else index
    for node, _ in walk(body):
        if isinstance(node, Access) and node.name in tensors:
            for place, axis in zip(node.indices, tensors[node.name].axes, strict=False):
                if place == Name(name):
                    return affine_tree(axis)
    return None


@dataclass(frozen=True, slots=True)
class IndexWriter:
    """Writes expressions in index notation."""

    names: Names

    def write(self, tree: Expression) -> str:
        """The LaTeX of an expression."""
        return self.piece(tree).text

    def piece(self, tree: Expression) -> Piece:
        """The LaTeX of an expression and how tightly it holds together."""
        match tree:
            case Number():
                text = number_latex(tree)
                return Piece(text, FRACTION if "\\" in text else ATOM)
            case Name(name):
                return Piece(self.name(name))
            case Access(name, indices):
                return self._entry(name, [self.index(i) for i in indices])
            case Chain(operands, operators) if operators[0] in ("+", "-"):
                return self._sum(operands, operators)
            case Chain():
                return self._product(tree)
            case Negate(operand):
                return Piece(f"-{self.piece(operand).at(PRODUCT)}", SUM)
            case Power(base, exponent):
                return self._power(base, exponent)
            case Apply():
                return self._apply(tree)
            case Reduce():
                return self._reduce(tree)
            case Where():
                return self._where(tree)
            case Entry(call, indices):
                below = join_indices([self.index(i) for i in indices])
                matrix = self._matrix(call.arguments[0])
                matrix = bracket(matrix) if "^" in matrix or "_" in matrix else matrix
                return Piece(f"({matrix}^{{-1}})_{{{below}}}")
        raise UnsupportedError(f"{type(tree).__name__} has no form in index notation.")

    def name(self, name: str) -> str:
        """A bare name: a tensor without axes, a size, an index or pi."""
        if name == "pi":
            return r"\pi"
        if name in self.names.tensors:
            return self._entry(name, []).text
        return small_symbol(name)

    def index(self, tree: Node) -> str:
        """What stands in the brackets of a read, set without blanks."""
        if isinstance(tree, Binder):
            return small_symbol(tree.name)
        if not isinstance(tree, Expression):
            raise UnsupportedError(f"{type(tree).__name__} has no form as an index.")
        return self.write(tree).replace(" + ", "+").replace(" - ", "-")

    def _entry(self, name: str, indices: list[str]) -> Piece:
        text = self.names.entry(name, indices)
        return Piece(text, FRACTION if text.startswith(r"\frac") else ATOM)

    def _sum(self, operands: tuple[Expression, ...], operators: tuple[str, ...]) -> Piece:
        text = self.piece(operands[0]).text
        for operator, operand in zip(operators, operands[1:], strict=True):
            text += f" {operator} {self.piece(operand).at(PRODUCT)}"
        return Piece(text, SUM)

    def _product(self, tree: Chain) -> Piece:
        for place, operator in enumerate(tree.operators):
            if operator in ("//", "%"):
                head = tree.operands[: place + 1]
                left = head[0] if place == 0 else Chain(head, tree.operators[:place])
                right = tree.operands[place + 1]
                if place + 1 < len(tree.operators):
                    raise UnsupportedError("An integer division inside a longer product has no form in index notation.")
                if operator == "//":
                    return Piece(rf"\left\lfloor {self.write(left)} / {self.piece(right).at(ATOM)} \right\rfloor")
                return Piece(rf"{self.piece(left).at(FRACTION)} \bmod {self.piece(right).at(FRACTION)}", SUM)
        sign, above, below = split_product(tree)
        sums: list[Expression] = [f for f in above if isinstance(f, Reduce)]
        plain = [f for f in above if not isinstance(f, Reduce)]
        if plain or below:  # 2/N rather than 2 times 1/N
            sums, sizes = self._open_means(sums)
            below = [*below, *sizes]
        if below:  # no fraction stands above the bar of another
            tall = [f for f in plain if isinstance(f, Access | Where) and self.piece(f).strength == FRACTION]
            plain, sums = [f for f in plain if f not in tall], tall + sums
        piece = self.fraction(plain, below) if plain or below else None
        text = "" if piece is None else piece.at(PRODUCT) if sums else piece.text
        if piece is not None and text == "1" and sums:
            text = ""
        for number, factor in enumerate(sums):
            inner = self.piece(factor)
            swallows = inner.open and number < len(sums) - 1
            text = f"{text} {bracket(inner.text) if swallows else inner.text}".strip()
        if sign < 0:
            return Piece(f"-{text}", SUM)
        strength = PRODUCT if sums or piece is None else piece.strength
        return Piece(text, strength, any(isinstance(f, Reduce) for f in sums))

    def _open_means(self, factors: list[Expression]) -> tuple[list[Expression], list[Expression]]:
        """The factors with sums in place of means, and the sizes that these are then divided by."""
        opened, sizes = list[Expression](), list[Expression]()
        for factor in factors:
            if isinstance(factor, Reduce) and factor.operation == "mean":
                ranges = [find_range(b, factor.body, self.names.tensors) for b in factor.binders]
                known = [size for size in ranges if size is not None]
                if len(known) == len(ranges):
                    factor = replace(factor, operation="sum")
                    sizes += known
            opened.append(factor)
        return opened, sizes

    def fraction(self, above: list[Expression], below: list[Expression]) -> Piece:
        """The product of `above` over that of `below`."""
        top = self._juxtapose(above)
        if not below:
            return top
        if any(word in top.text for word in (r"\left(", r"\sum", r"\begin")):  # a tall numerator stands beside its bar
            numbers: list[Expression] = [f for f in above if isinstance(f, Number)]
            rest = self._juxtapose([f for f in above if not isinstance(f, Number)])
            bar = rf"\frac{{{self._juxtapose(numbers).text}}}{{{self._juxtapose(below).text}}}"
            return Piece(f"{bar} {rest.at(PRODUCT)}", PRODUCT)
        return Piece(rf"\frac{{{top.text}}}{{{self._juxtapose(below).text}}}", FRACTION)

    def _juxtapose(self, factors: list[Expression]) -> Piece:
        if not factors:
            return Piece("1")
        if len(factors) == 1:
            return self.piece(factors[0])
        text = ""
        for factor in factors:
            piece = self.piece(factor)
            written = piece.at(PRODUCT) if not piece.open else bracket(piece.text)
            if piece.strength == PRODUCT and not piece.open and text:
                written = bracket(piece.text)
            separator = "" if not text or (written.startswith(("(", r"\left(")) and text[-1] not in ")") else " "
            if text and written[0].isdigit():
                separator = r" \cdot "
            text += separator + written
        return Piece(text, PRODUCT)

    def _power(self, base: Expression, exponent: Expression) -> Piece:
        raised = self.write(exponent)
        if isinstance(base, Apply) and base.function not in SPECIAL and not base.primed and len(base.arguments) == 1:
            return Piece(function_latex(base.function, self.write(base.arguments[0]), raised))
        piece = self.piece(base)
        if piece.strength < ATOM or isinstance(base, Power) or "^" in piece.text:
            return Piece(f"{bracket(piece.text)}^{{{raised}}}")
        return Piece(f"{piece.text}^{{{raised}}}")

    def _matrix(self, tree: Expression) -> str:
        """A whole matrix by its name."""
        symbol = self.names.symbol(tree.name, matrix=True) if isinstance(tree, Name) else None
        return self.write(tree) if symbol is None else symbol.write()

    def _apply(self, tree: Apply) -> Piece:
        if tree.function in MATRIX_CALLS:
            text = rf"\det{bracket(self._matrix(tree.arguments[0]))}"
            return Piece(rf"\log\left|{text}\right|" if tree.function == "logdet" else text, FRACTION)
        arguments = [self.write(a) for a in tree.arguments]
        if tree.function == "exp" and not tree.primed:
            return Piece(rf"e^{{{arguments[0]}}}")
        if tree.function == "sqrt" and not tree.primed:
            return Piece(rf"\sqrt{{{arguments[0]}}}")
        if tree.function == "abs" and not tree.primed:
            return Piece(rf"\left|{arguments[0]}\right|")
        return Piece(function_latex(tree.function, ", ".join(arguments), primed=tree.primed))

    def _reduce(self, tree: Reduce) -> Piece:
        operation, text = tree.operation, ""
        sizes = [find_range(b, tree.body, self.names.tensors) for b in tree.binders]
        if operation == "mean":
            below = " ".join("?" if s is None else self.piece(s).at(PRODUCT) for s in sizes)
            operation, text = "sum", rf"\frac{{1}}{{{below}}} "
        sign = REDUCTIONS[operation]
        for binder, size in zip(tree.binders, sizes, strict=True):
            low = small_symbol(binder.name)
            if size is None or operation != "sum":
                text += rf"{sign}_{{{low}}} "
            else:
                text += rf"{sign}_{{{low}=1}}^{{{self.write(size)}}} "
        body = self.piece(tree.body)
        return Piece(text + body.at(PRODUCT), PRODUCT, True)

    def _where(self, tree: Where) -> Piece:
        if is_zero(tree.otherwise):  # Iverson's bracket, 1 where the condition holds and 0 elsewhere
            mask = f"[{self.condition(tree.condition)}]"
            if tree.then == Number(Fraction(1)):
                return Piece(mask)
            if is_index_equation(tree.condition, self.names):
                then = self.piece(tree.then)
                text = rf"{mask}\,{then.at(PRODUCT)}" if then.open else rf"{then.at(PRODUCT)}\,{mask}"
                return Piece(text, PRODUCT, then.open)
        rows = [rf"{self.write(tree.then)} & \text{{if }} {self.condition(tree.condition)}"]
        rest = tree.otherwise
        while isinstance(rest, Where):
            rows.append(rf"{self.write(rest.then)} & \text{{if }} {self.condition(rest.condition)}")
            rest = rest.otherwise
        rows.append(rf"{self.write(rest)} & \text{{otherwise}}")
        return Piece(r"\begin{cases} " + r" \\ ".join(rows) + r" \end{cases}", FRACTION)

    def condition(self, condition: Condition) -> str:
        """The LaTeX of a condition."""
        match condition:
            case Compare(operator, left, right):
                return f"{self.write(left)} {RELATIONS[operator]} {self.write(right)}"
            case And(operands):
                return r" \text{ and } ".join(self.condition(c) for c in operands)
            case Or(operands):
                return r" \text{ or } ".join(self.condition(c) for c in operands)
            case Not(operand):
                return rf"\text{{not }} ({self.condition(operand)})"
        raise UnsupportedError(f"{type(condition).__name__} has no form in index notation.")


def split_product(tree: Expression) -> tuple[int, list[Expression], list[Expression]]:
    """A product as its sign, the factors above the bar and those below it."""
    if isinstance(tree, Negate):
        sign, above, below = split_product(tree.operand)
        return -sign, above, below
    if not isinstance(tree, Chain) or set(tree.operators) - {"*", "/"}:
        return 1, [tree], []
    sign, above, below = 1, list[Expression](), list[Expression]()
    for operator, operand in zip(("*", *tree.operators), tree.operands, strict=True):
        inner, over, under = split_product(operand)
        sign *= inner
        (above if operator == "*" else below).extend(over)
        (below if operator == "*" else above).extend(under)
    if len(above) > 1:
        above = [f for f in above if f != Number(Fraction(1))]
    return sign, above, below


def is_zero(tree: Expression) -> bool:
    """Whether a tree is the literal 0."""
    return isinstance(tree, Number) and tree.value == 0


def is_index_equation(condition: Condition, names: Names) -> bool:
    """Whether a condition says only that indices are equal, as a Kronecker delta does."""
    if isinstance(condition, And):
        return all(is_index_equation(c, names) for c in condition.operands)
    if not isinstance(condition, Compare) or condition.operator != "==":
        return False
    leaves = [n for side in (condition.left, condition.right) for n, _ in walk(side)]
    return all(isinstance(n, Number | Chain) or (isinstance(n, Name) and n.name not in names.tensors) for n in leaves)
