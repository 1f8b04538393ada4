r"""Trees as LaTeX in index notation: entries with indices below, sums as \sum.

The same printer writes scalar notation, whose trees have numbers for indices and no sums left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from symbackprop.calculus.tensors import Role
from symbackprop.errors import UnsupportedError
from symbackprop.language.tree import (
    Access,
    Apply,
    Binder,
    Chain,
    Condition,
    Entry,
    Expression,
    Name,
    Negate,
    Node,
    Number,
    Power,
    Reduce,
    Where,
    children,
    join_conditions,
    walk,
)  # fmt: skip
from symbackprop.notation.writing.conditions import (
    find_limits,
    find_range,
    is_index_condition,
    is_zero,
    mentions,
    negate,
    split_condition,
    take_conditions,
    write_conditions,
    write_parts,
)
from symbackprop.notation.writing.names import ACTIVATIONS, Names, join_indices, small_symbol
from symbackprop.notation.writing.pieces import (
    ATOM,
    FRACTION,
    PRODUCT,
    SUM,
    TALL,
    Piece,
    bracket,
    function_latex,
    number_latex,
)

REDUCTIONS = {"sum": r"\sum", "max": r"\max", "min": r"\min", "argmax": r"\operatorname*{arg\,max}"}
SPECIAL = ("exp", "sqrt", "abs")
MATRIX_CALLS = ("det", "logdet")


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
                behind = "".join(f" {self._matrix(argument)}" for argument in call.arguments[1:])
                return Piece(f"({matrix}^{{-1}}{behind})_{{{below}}}")
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
        first = operands[0]
        needed = PRODUCT if isinstance(first, Chain) and "%" in first.operators else SUM
        text = self.piece(first).at(needed)
        for operator, operand in zip(operators, operands[1:], strict=True):
            text += f" {operator} {self.piece(operand).at(PRODUCT)}"
        return Piece(text, SUM)

    def _product(self, tree: Chain) -> Piece:
        whole = [place for place, operator in enumerate(tree.operators) if operator in ("//", "%")]
        if whole:
            return self._whole_quotient(tree, whole[-1])
        conditions, rest = take_conditions(tree, self.names.tensors)
        if conditions:
            return self._masked(rest, self._mask(conditions), join_conditions(conditions))
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

    def _whole_quotient(self, tree: Chain, place: int) -> Piece:
        """A product whose last quotient without remainder, or remainder, is the operator at a place."""
        head = tree.operands[: place + 1]
        left = head[0] if place == 0 else Chain(head, tree.operators[:place])
        right = tree.operands[place + 1]
        if place + 1 < len(tree.operators):
            quotient = Chain((left, right), (tree.operators[place],))
            return self.piece(Chain((quotient, *tree.operands[place + 2 :]), tree.operators[place + 1 :]))
        if tree.operators[place] == "//":
            top = self.piece(left).at(PRODUCT)
            return Piece(rf"\left\lfloor {top} / {self.piece(right).at(ATOM)} \right\rfloor")
        return Piece(rf"{self.piece(left).at(FRACTION)} \bmod {self.piece(right).at(FRACTION)}", SUM)

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
            separator = r" \cdot " if rest.text[0].isdigit() else " "
            return Piece(f"{bar}{separator}{rest.at(PRODUCT)}", PRODUCT)
        return Piece(rf"\frac{{{top.text}}}{{{self._juxtapose(below).text}}}", FRACTION)

    def _juxtapose(self, factors: list[Expression]) -> Piece:
        if not factors:
            return Piece("1")
        if len(factors) == 1:
            return self.piece(factors[0])
        text = before = ""
        for previous, factor in zip([None, *factors], factors, strict=False):
            piece = self.piece(factor)
            written = piece.at(PRODUCT) if not piece.open else bracket(piece.text)
            if piece.strength == PRODUCT and not piece.open and text:
                written = bracket(piece.text)
            bracketed = written.startswith(("(", r"\left("))
            separator = "" if not text or (bracketed and text[-1] not in ")") else " "
            called = isinstance(previous, Name) and self._may_be_called(previous.name, factor)
            doubtful = bracketed and (called or before.startswith(r"\frac{\partial"))  # a derivative at a point
            if text and (written[0].isdigit() or doubtful):
                separator = r" \cdot "
            text += separator + written
            before = written
        return Piece(text, PRODUCT)

    def _may_be_called(self, name: str, factor: Expression) -> bool:
        """Whether brackets behind a name may be read as its argument: behind what is computed, but for a(1 - a)."""
        tensor, symbol = self.names.tensors.get(name), self.names.symbol(name)
        named = symbol is not None and symbol.base in ACTIVATIONS
        return tensor is not None and (tensor.role is Role.DEFINED or named) and not mentions(factor, name)

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
        operation, text, body = tree.operation, "", tree.body
        conditions: list[Condition] = []
        if operation in ("sum", "mean"):
            conditions, body = take_conditions(body, self.names.tensors)
        if operation == "mean":
            sizes = [find_range(b, tree.body, self.names.tensors) for b in tree.binders]
            counts = sorted((s for s in sizes if s is not None), key=lambda size: not isinstance(size, Number))
            below = "?" if len(counts) < len(sizes) else self._juxtapose(counts).text
            operation, text = "sum", rf"\frac{{1}}{{{below}}} "
        outer = [c for c in conditions if not any(mentions(c, b.name) for b in tree.binders)]
        if outer:
            text = rf"{self._mask(outer)} {text}"
        if operation == "argmax":  # one place in a table, and not one place for each index
            below = ", ".join(self._range(binder, tree.body) for binder in tree.binders)
            text = rf"{REDUCTIONS[operation]}_{{{below}}} "
        for number, binder in enumerate(tree.binders if operation != "argmax" else ()):
            later = tree.binders[number + 1 :]
            own = [c for c in conditions if mentions(c, binder.name) and not any(mentions(c, b.name) for b in later)]
            if operation == "sum":
                text += self._sign(binder, tree.body, own)
            else:
                text += rf"{REDUCTIONS[operation]}_{{{self._range(binder, tree.body)}}} "
        # A sum reaches over a product, while a maximum before one could be a factor of it.
        return Piece(text + self.piece(body).at(PRODUCT if operation == "sum" else FRACTION), PRODUCT, True)

    def _range(self, binder: Binder, body: Expression) -> str:
        """The letter below an extreme, with its range where it stands alone on no axis."""
        letter = small_symbol(binder.name)
        if binder.range is None or _stands_alone(binder.name, body):
            return letter
        return rf"1 \le {letter} \le {self.index(binder.range)}"

    def _sign(self, binder: Binder, body: Expression, conditions: list[Condition]) -> str:
        """The sign of one sum with its limits, or with its range and the conditions below it."""
        limits = find_limits(binder, body, conditions, self.names.tensors)
        low, high = self._end(r"\max", limits.low), self._end(r"\min", limits.high)
        letter = small_symbol(binder.name)
        parts = write_parts(limits.conditions, self.write)
        if not parts:
            return rf"\sum_{{{letter}}} " if not high else rf"\sum_{{{letter}={low}}}^{{{high}}} "
        reads = (n for c in limits.conditions for n, _ in walk(c) if isinstance(n, Access))
        ranged = len(limits.low + limits.high) == 2 and any(Name(binder.name) in read.indices for read in reads)
        if ranged and len(parts) == 1:
            return rf"\sum_{{{letter} :\, {parts[0]}}} "
        first = letter if ranged or not high else rf"{low} \le {letter} \le {high}"
        below = r" \\ ".join([first, *parts])
        return rf"\sum_{{\substack{{{below}}}}} "

    def _end(self, choice: str, ends: Sequence[Expression]) -> str:
        written = [self.write(end).replace(" + ", "+").replace(" - ", "-") for end in ends]
        return written[0] if len(written) == 1 else rf"{choice}({', '.join(written)})" if written else ""

    def _where(self, tree: Where) -> Piece:
        condition, then, rest = tree.condition, tree.then, tree.otherwise
        on_indices = is_index_condition(condition, self.names.tensors)
        if is_zero(then) and on_indices:
            condition, then, rest = negate(condition), rest, then
        if is_zero(rest):  # Iverson's bracket, 1 where the condition holds and 0 elsewhere
            mask = self._mask([condition])
            if then == Number(Fraction(1)):
                return Piece(mask)
            if on_indices:
                return self._masked(then, mask, condition)
        rows = [rf"{self.write(then)} & \text{{if }} {self.conditions([condition])}"]
        while isinstance(rest, Where):
            rows.append(rf"{self.write(rest.then)} & \text{{if }} {self.conditions([rest.condition])}")
            rest = rest.otherwise
        rows.append(rf"{self.write(rest)} & \text{{otherwise}}")
        return Piece(r"\begin{cases} " + r" \\ ".join(rows) + r" \end{cases}", FRACTION)

    def _mask(self, conditions: Sequence[Condition]) -> str:
        text = self.conditions(conditions)
        return rf"\left[{text}\right]" if any(word in text for word in TALL) else f"[{text}]"

    def _masked(self, tree: Expression, mask: str, condition: Condition) -> Piece:
        """An expression with a bracket behind it, or before it where a sum in it binds a letter of the bracket."""
        if isinstance(tree, Negate):
            inner = self._masked(tree.operand, mask, condition)
            return Piece(f"-{inner.at(PRODUCT)}", SUM, inner.open)
        piece = self.piece(tree)
        if any(mentions(condition, b.name) for n, _ in walk(tree) if isinstance(n, Reduce) for b in n.binders):
            return Piece(rf"{mask}\,{bracket(piece.text)}", PRODUCT)
        return Piece(rf"{piece.at(PRODUCT)}\,{mask}", PRODUCT, piece.open)

    def conditions(self, conditions: Sequence[Condition]) -> str:
        """The LaTeX of conditions that all have to hold."""
        return write_conditions([p for c in conditions for p in split_condition(c)], self.write)


def _stands_alone(name: str, node: Node) -> bool:
    """Whether an index stands alone on an axis, where no inner reduction binds its letter."""
    if isinstance(node, Reduce) and any(binder.name == name for binder in node.binders):
        return False
    if isinstance(node, Access) and Name(name) in node.indices:
        return True
    return any(_stands_alone(name, child) for child in children(node))


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
