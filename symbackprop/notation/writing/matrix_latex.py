r"""Trees as LaTeX in matrix notation, read from the structure of indices alone.

A formula with at most two free indices is a matrix, a vector (a column) or a scalar. Its factors are sorted by the
set of indices that they carry: those of one set multiply entry by entry, a bound index shared by two matrices is a
matrix product, one shared by a matrix and a vector a matrix times a vector, one that nothing else carries a product
with the vector of ones. Transposes follow from which index stands for the rows. A number added to a matrix is added
to each of its entries, and a function of a matrix is applied entry by entry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from symbackprop.calculus.tensors import Role, Tensor
from symbackprop.language.tree import (
    Access,
    Apply,
    Chain,
    Compare,
    Expression,
    Name,
    Negate,
    Number,
    Power,
    Reduce,
    Where,
)  # fmt: skip
from symbackprop.notation.writing.conditions import RELATIONS, find_range, is_zero
from symbackprop.notation.writing.contraction import (
    Applied,
    Element,
    Leaf,
    NoMatrixForm,
    Ones,
    Product,
    carried_names,
    contract,
    free_names,
)  # fmt: skip
from symbackprop.notation.writing.index_latex import (
    IndexWriter,
    bracket,
    function_latex,
    split_product,
)  # fmt: skip
from symbackprop.notation.writing.names import Names

SUM, HADAMARD, PRODUCT, ATOM = range(4)
"""How tightly a piece holds together; a Hadamard product is bracketed inside a matrix product."""

Shape = tuple[str, ...]
ONES = r"\mathbf{1}"


@dataclass(frozen=True, slots=True)
class Matrix:
    """A piece of LaTeX and how tightly it holds together."""

    text: str
    strength: int = ATOM

    def at(self, needed: int) -> str:
        """The text, in brackets where it holds less than `needed`."""
        return self.text if self.strength >= needed else bracket(self.text)


def flipped_tensors(tensors: Mapping[str, Tensor]) -> frozenset[str]:
    """The tensors that hold samples, which the layout "column" writes as columns: no parameter has their first axis."""
    owned = {axis for t in tensors.values() if t.role is Role.PARAM for axis in t.axes}
    if not owned:
        return frozenset()
    return frozenset(
        t.name
        for t in tensors.values()
        if len(t.axes) == 2 and t.role is not Role.PARAM and t.axes[0] not in owned and t.axes[0] != t.axes[1]
    )


@dataclass(frozen=True, slots=True)
class MatrixWriter:
    """Writes formulas in matrix notation; tensors in `flipped` are held with their samples as columns."""

    names: Names
    flipped: frozenset[str] = frozenset()

    def write(self, tree: Expression, shape: Shape) -> str | None:
        """The formula as a matrix with these row and column indices, or None where it has no matrix form."""
        if len(shape) > 2:
            return None
        try:
            return self.broadcast(tree, shape).text
        except NoMatrixForm:
            return None

    def broadcast(self, tree: Expression, shape: Shape) -> Matrix:
        """The formula at `shape`, repeated along the indices that it does not carry."""
        carried = free_names(tree, frozenset(shape))
        if carried == set(shape):
            return self.piece(tree, shape)
        if isinstance(tree, Number):
            return self.piece(tree, ())
        return self.product([tree], [], 1, shape)

    def piece(self, tree: Expression, shape: Shape) -> Matrix:
        """The formula, which carries exactly the indices of `shape`."""
        match tree:
            case Number() | Name():
                return Matrix(IndexWriter(self.names).write(tree))
            case Access():
                return self.access(tree, shape)
            case Chain(operands, operators) if operators[0] in ("+", "-"):
                return self._sum(operands, operators, shape)
            case Negate(operand) if not isinstance(operand, Chain | Reduce):
                return Matrix(f"-{self.piece(operand, shape).at(HADAMARD)}", SUM)
            case Chain() | Reduce() | Negate():
                sign, above, below = split_product(tree)
                return self.product(above, below, sign, shape)
            case Power(base, exponent):
                return self._power(base, exponent, shape)
            case Apply(function, arguments, primed):
                return self._apply(function, arguments, primed, shape)
            case Where(Compare(operator, left, right), then, otherwise) if is_zero(otherwise):
                return self._mask(operator, left, right, then, shape)
        raise NoMatrixForm(f"{type(tree).__name__} has no matrix form")

    def access(self, tree: Access, shape: Shape) -> Matrix:
        """A tensor read at plain indices, transposed where its rows are the columns of the shape."""
        if not all(isinstance(i, Name) for i in tree.indices):
            raise NoMatrixForm("a read at something else than plain indices has no matrix form")
        at = tuple(i.name for i in tree.indices if isinstance(i, Name))
        symbol = self.names.symbol(tree.name, matrix=len(at) == 2)
        if symbol is None:
            raise NoMatrixForm("the derivative of a matrix by a matrix has no matrix form")
        if len(at) == 2 and at[0] == at[1] and len(shape) == 1:
            return Matrix(rf"\operatorname{{diag}}({symbol.write()})")
        if sorted(at) != sorted(shape):
            raise NoMatrixForm("a read at other indices has no matrix form")
        held = at[::-1] if tree.name in self.flipped else at
        return Matrix(symbol.write("", "" if held == shape else r"\top"))

    def _sum(self, operands: Sequence[Expression], operators: Sequence[str], shape: Shape) -> Matrix:
        text = self.broadcast(operands[0], shape).text
        for operator, operand in zip(operators, operands[1:], strict=True):
            text += f" {operator} {self.broadcast(operand, shape).at(HADAMARD)}"
        return Matrix(text, SUM)

    def _power(self, base: Expression, exponent: Expression, shape: Shape) -> Matrix:
        if free_names(exponent, frozenset(shape)):
            raise NoMatrixForm("a power with an index in its exponent has no matrix form")
        if not shape:
            raised, piece = IndexWriter(self.names).write(exponent), self.piece(base, ())
            plain = piece.strength == ATOM and "^" not in piece.text
            return Matrix(f"{piece.text if plain else bracket(piece.text)}^{{{raised}}}")
        inner = self.piece(base, shape)
        if exponent == Number(Fraction(2)) and inner.strength == ATOM and len(inner.text) < 24:
            return Matrix(rf"{inner.text} \odot {inner.text}", HADAMARD)
        raised = rf"\odot {IndexWriter(self.names).write(exponent)}"
        text = inner.text if inner.strength == ATOM and "^" not in inner.text else bracket(inner.text)
        return Matrix(f"{text}^{{{raised}}}")

    def _apply(self, function: str, arguments: tuple[Expression, ...], primed: bool, shape: Shape) -> Matrix:
        scope = frozenset(shape)
        written = [self.broadcast(a, shape if free_names(a, scope) else ()).text for a in arguments]
        if function == "sqrt" and not shape:
            return Matrix(rf"\sqrt{{{written[0]}}}")
        if function == "exp" and not shape:
            return Matrix(rf"e^{{{written[0]}}}")
        if function == "abs" and not primed:
            return Matrix(rf"\left|{written[0]}\right|")
        return Matrix(function_latex(function, ", ".join(written), primed=primed))

    def _mask(self, operator: str, left: Expression, right: Expression, then: Expression, shape: Shape) -> Matrix:
        """`where(c, x, 0)` as the 0-1 matrix of the condition times x, entry by entry."""
        compared = free_names(left, frozenset(shape)) | free_names(right, frozenset(shape))
        if compared != set(shape) or operator in ("==", "!=") or not shape:
            raise NoMatrixForm("a condition on other indices has no matrix form")
        mask = f"[{self.broadcast(left, shape).text} {RELATIONS[operator]} {self.broadcast(right, shape).text}]"
        if then == Number(Fraction(1)):
            return Matrix(mask)
        return Matrix(rf"{mask} \odot {self.broadcast(then, shape).at(HADAMARD)}", HADAMARD)

    def product(self, above: Sequence[Expression], below: Sequence[Expression], sign: int, shape: Shape) -> Matrix:
        """A product of factors over divisors at `shape`: sums among the factors are contracted."""
        scalars: list[tuple[Expression, bool]] = []
        elements: list[Element] = []
        scope = frozenset(shape)
        factors = [(f, False) for f in above] + [(f, True) for f in below]
        while factors:
            factor, inverse = factors.pop(0)
            carried = free_names(factor, scope)
            if isinstance(factor, Reduce) and factor.operation == "mean" and not inverse:
                sizes = [find_range(b, factor.body, self.names.tensors) for b in factor.binders]
                scalars += [(s, True) for s in sizes if s is not None]
                factor = Reduce("sum", factor.binders, factor.body)
            if isinstance(factor, Reduce):
                inner_sign, over, under, made = self._contract(factor)
                sign *= inner_sign
                scalars += [(f, inverse) for f in over] + [(f, not inverse) for f in under]
                elements += [Applied(e, True) if inverse else e for e in made]
            elif carried:
                elements.append(Leaf(factor, inverse, carried))
            else:
                scalars.append((factor, inverse))
        return self._assemble(scalars, elements, sign, shape)

    def _contract(self, tree: Reduce) -> tuple[int, list[Expression], list[Expression], tuple[Element, ...]]:
        """A sum as sign, scalar factors, scalar divisors, and what is left of it when its indices are contracted."""
        if tree.operation != "sum":
            raise NoMatrixForm(f"{tree.operation} over an index has no matrix form")
        bound = tuple(b.name for b in tree.binders)
        sign, above, below = split_product(tree.body)
        scalars: tuple[list[Expression], list[Expression]] = ([], [])
        elements: list[Element] = []
        for number, factors in enumerate((above, below)):
            for factor in factors:
                carried = carried_names(factor, bound)
                if isinstance(factor, Reduce) and not number:
                    inner_sign, over, under, made = self._contract(factor)
                    sign *= inner_sign
                    scalars[0].extend(over)
                    scalars[1].extend(under)
                    elements.extend(made)
                elif carried:
                    elements.append(Leaf(factor, bool(number), carried))
                else:
                    scalars[number].append(factor)
        return sign, scalars[0], scalars[1], contract(elements, bound)

    def _assemble(
        self, scalars: Sequence[tuple[Expression, bool]], elements: Sequence[Element], sign: int, shape: Shape
    ) -> Matrix:
        plain = [e for e in elements if e.carried]
        numbers = [e for e in elements if not e.carried]
        matrices = [e for e in plain if len(e.carried) == 2]
        if any(not e.carried <= set(shape) for e in plain):
            raise NoMatrixForm("a factor carries an index that the result does not")
        sides: list[list[Element]] = [[e for e in plain if e.carried == {s}] for s in shape]
        if not shape:
            core = None
        elif len(shape) == 1:
            core = self.join(sides[0], shape) if sides[0] else Matrix(ONES)
        else:
            core = self._place(matrices, sides, (shape[0], shape[1]))
        return self._scale(scalars, numbers, core, sign)

    def _place(self, matrices: list[Element], sides: list[list[Element]], shape: tuple[str, str]) -> Matrix:
        rows, columns = sides
        if not matrices:
            left = self.join(rows, shape[:1]).at(PRODUCT) if rows else ONES
            right = self.join(columns, shape[1:]) if columns else Matrix(ONES)
            return Matrix(f"{left} {_transpose(right)}", PRODUCT)
        core = self.join(matrices, shape)
        if not rows and not columns:
            return core
        left = self.diagonal(rows, shape[0]) if rows else ""
        right_side = self.diagonal(columns, shape[1]) if columns else ""
        return Matrix(f"{left} {core.at(PRODUCT)} {right_side}".strip(), PRODUCT)

    def diagonal(self, elements: Sequence[Element], index: str) -> str:
        """The diagonal matrix of a vector; its inverse where the vector only divides."""
        over = [e for e in elements if not e.inverse]
        under = [e for e in elements if e.inverse]
        if over:
            return rf"\operatorname{{diag}}{bracket(self.join(elements, (index,)).text)}"
        bare = [e.inverted() for e in under]
        return rf"\operatorname{{diag}}{bracket(self.join(bare, (index,)).text)}^{{-1}}"

    def join(self, elements: Sequence[Element], shape: Shape) -> Matrix:
        """Elements of one shape multiplied and divided entry by entry."""
        sums_first = sorted(elements, key=lambda e: not isinstance(e, Product))
        over = [self.element(e, shape) for e in sums_first if not e.inverse]
        under = [self.element(e.inverted(), shape) for e in sums_first if e.inverse]
        if not under and len(over) == 1:
            return over[0]
        text = r" \odot ".join(p.text if p.strength in (HADAMARD, ATOM) else bracket(p.text) for p in over) or "1"
        for piece in under:
            text += rf" \oslash {piece.at(ATOM)}"
        return Matrix(text, HADAMARD)

    def element(self, element: Element, shape: Shape) -> Matrix:
        """One element at `shape`."""
        match element:
            case Leaf(tree):
                return self.piece(tree, shape)
            case Ones():
                return Matrix(ONES)
            case Applied(inner):
                return self.element(inner, shape)
            case Product(left, middle, right, index):
                return self._matrix_product(left, middle, right, index, shape)
        raise NoMatrixForm(f"{type(element).__name__} has no matrix form")

    def _matrix_product(
        self, left: Sequence[Element], middle: Sequence[Element], right: Sequence[Element], index: str, shape: Shape
    ) -> Matrix:
        outer = {n for e in left for n in e.carried} - {index}
        if len(shape) == 2 and shape[0] not in outer:
            left, right = right, left
        if not left and not right:
            return self._inner_product(middle, index)
        row = shape[:1] if left else ()
        if len(shape) == 1 and not right:  # matrix times vector
            vector = self.join(middle, (index,)).at(PRODUCT) if middle else ONES
            return Matrix(f"{self.join(left, (*row, index)).at(PRODUCT)} {vector}", PRODUCT)
        inside = f"{self.diagonal(middle, index)} " if middle else ""
        first, second = self.join(left, (shape[0], index)), self.join(right, (index, shape[1]))
        return Matrix(f"{first.at(PRODUCT)} {inside}{second.at(PRODUCT)}", PRODUCT)

    def _inner_product(self, elements: Sequence[Element], index: str) -> Matrix:
        """The sum of the entries of a vector, or of a matrix."""
        shape = tuple(index.split(","))
        if len(shape) == 2:  # either way round is right; the one with fewer transposes reads better
            shape = min((shape, shape[::-1]), key=lambda s: self.join(elements, s).text.count(r"\top"))
        first = elements[0]
        squared = first.tree if len(elements) == 1 and isinstance(first, Leaf) and not first.inverse else None
        if isinstance(squared, Power) and squared.exponent == Number(Fraction(2)):
            norm = rf"\left\lVert {self.piece(squared.base, shape).text} \right\rVert"
            return Matrix(f"{norm}_{'F' if len(shape) == 2 else '2'}^{{2}}")
        if len(shape) == 2:
            return Matrix(rf"{ONES}^{{\top}} {self.join(elements, shape).at(PRODUCT)} {ONES}", PRODUCT)
        if len(elements) == 2 and not any(e.inverse for e in elements):
            left, right = (self.element(e, shape) for e in elements)
            return Matrix(f"{_transpose(left)} {right.at(PRODUCT)}", PRODUCT)
        return Matrix(rf"{ONES}^{{\top}} {self.join(elements, shape).at(PRODUCT)}", PRODUCT)

    def _scale(
        self, scalars: Sequence[tuple[Expression, bool]], numbers: Sequence[Element], core: Matrix | None, sign: int
    ) -> Matrix:
        """The scalar factors before the matrix."""
        writer = IndexWriter(self.names)
        above = [f for f, inverse in scalars if not inverse]
        below = [f for f, inverse in scalars if inverse]
        parts: list[str] = []
        over = [self.element(e, ()) for e in numbers if not e.inverse]
        under = [self.element(e.inverted(), ()) for e in numbers if e.inverse]
        if below and not under and len(numbers) == 0 and core is None:
            piece = writer.fraction(above, below)
            return Matrix(piece.text if sign > 0 else f"-{piece.text}", ATOM if sign > 0 else SUM)
        if above or below or under:
            top = writer.fraction(above, []).text if above else "1"
            bottom = " ".join([*([writer.fraction(below, []).text] if below else []), *(p.at(PRODUCT) for p in under)])
            if bottom:
                parts.append(rf"\frac{{{top}}}{{{bottom}}}")
            elif top != "1" or not (over or core):
                parts.append(writer.fraction(above, []).at(1))
        parts += [p.at(PRODUCT) for p in over]
        if core is not None:
            if not parts:
                return core if sign > 0 else Matrix(f"-{core.at(HADAMARD)}", SUM)
            parts.append(core.at(HADAMARD))
        text = " ".join(parts) or "1"
        strength = HADAMARD if core is not None and core.strength == HADAMARD else PRODUCT
        return Matrix(text if sign > 0 else f"-{text}", strength if sign > 0 else SUM)


def _transpose(piece: Matrix) -> str:
    return _transpose_name(piece.text) if piece.strength == ATOM else rf"{bracket(piece.text)}^{{\top}}"


def _transpose_name(text: str) -> str:
    r"""A plain name with a transpose sign beside its other superscripts: W^{(1)} is W^{(1)\top}."""
    if text.endswith("}") and "^{" in text and "_" not in text:
        return rf"{text[:-1]}\top}}"
    return rf"{text}^{{\top}}"
