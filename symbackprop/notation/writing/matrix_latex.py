r"""Trees as LaTeX in matrix notation, read from the structure of indices alone.

A formula with at most two free indices is a matrix, a vector (a column) or a scalar. Its factors are sorted by the
set of indices that they carry: those of one set multiply entry by entry, a bound index shared by two matrices is a
matrix product, one shared by a matrix and a vector a matrix times a vector, one that nothing else carries a product
with the vector of ones. Transposes follow from which index stands for the rows. A number added to a matrix is added
to each of its entries, and a function of a matrix is applied entry by entry; inverses and determinants are of a whole
matrix. What conditions on indices select is a product with a named matrix of zeros and ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from symbackprop.calculus.tensors import Role, Tensor
from symbackprop.language.substitution import substitute_names
from symbackprop.language.tree import (
    Access,
    Apply,
    Binder,
    Chain,
    Compare,
    Condition,
    Entry,
    Expression,
    Name,
    Negate,
    Number,
    Power,
    Reduce,
    Where,
    walk,
)  # fmt: skip
from symbackprop.notation.writing.addends import expand
from symbackprop.notation.writing.conditions import RELATIONS, is_zero
from symbackprop.notation.writing.contraction import (
    NoMatrixForm,
    free_names,
)  # fmt: skip
from symbackprop.notation.writing.index_latex import (
    MATRIX_CALLS,
    IndexWriter,
    split_product,
)  # fmt: skip
from symbackprop.notation.writing.masks import ONE, Masks, Opener, find_ranges, is_delta, is_mask
from symbackprop.notation.writing.matrices import (
    ATOM,
    HADAMARD,
    ONES,
    PRODUCT,
    SUM,
    Matrix,
    diagonal,
    inverse_of,
    of_symbol,
    symmetric,
)  # fmt: skip
from symbackprop.notation.writing.matrix_products import ProductWriter, Shape
from symbackprop.notation.writing.names import join_indices, small_symbol
from symbackprop.notation.writing.pieces import bracket, function_latex


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
class MatrixWriter(ProductWriter):
    """Writes formulas in matrix notation.

    Tensors in `flipped` are held with their samples as columns; `masks` gives names to matrices of zeros and ones.
    """

    flipped: frozenset[str] = frozenset()
    masks: Masks | None = None

    def prepared(self, tree: Expression, sizes: Mapping[str, str]) -> tuple[MatrixWriter, Expression]:
        """The writer for a formula whose free indices have these ranges, and the formula with its masks opened."""
        taken = {n.name for n, _ in walk(tree) if isinstance(n, Name | Binder)} | set(sizes)
        tree = Opener(self.names.tensors, taken).open(tree)
        return replace(self, ranges=find_ranges(tree, sizes, self.names.tensors)), tree

    def write(self, tree: Expression, shape: Shape) -> str | None:
        """The formula as a matrix with these row and column indices, or None where it has no matrix form."""
        if len(shape) > 2:
            return None
        found: list[str] = []
        for change in (None, expand):
            form = tree if change is None else change(tree)
            try:
                lone = isinstance(form, Number) and not is_zero(form)  # 1 for every entry is a vector of ones
                found.append((self.product([form], [], 1, shape) if lone else self.broadcast(form, shape)).text)
            except NoMatrixForm:
                continue
            if ONES not in found[-1]:
                break
        return min(found, key=lambda text: text.count(ONES), default=None)

    def broadcast(self, tree: Expression, shape: Shape) -> Matrix:
        """The formula at `shape`, repeated along the indices that it does not carry."""
        carried = self.carried(tree, frozenset(shape))
        if carried == set(shape):
            return self.piece(tree, shape)
        if isinstance(tree, Number):
            return self.piece(tree, ())
        sign, above, below = split_product(tree)
        return self.product(above, below, sign, shape)

    def piece(self, tree: Expression, shape: Shape) -> Matrix:
        """The formula, which carries exactly the indices of `shape`."""
        match tree:
            case Name(name) if name in self.ranges and name not in self.fixed:
                raise NoMatrixForm("an index as a number has no matrix form")
            case Number() | Name():
                return Matrix(IndexWriter(self.names).write(tree))
            case Access():
                return self.access(tree, shape)
            case Entry():
                return self.entry(tree, shape)
            case Chain(operands, operators) if operators[0] in ("+", "-"):
                return self._sum(operands, operators, shape)
            case Negate(operand) if not isinstance(operand, Chain | Reduce):
                return Matrix(f"-{self.piece(operand, shape).at(HADAMARD)}", SUM)
            case Chain(_, operators) if operators[-1] in ("//", "%"):
                raise NoMatrixForm("a whole quotient has no matrix form")
            case Chain() | Reduce() | Negate():
                sign, above, below = split_product(tree)
                return self.product(above, below, sign, shape)
            case Power(base, exponent):
                return self._power(base, exponent, shape)
            case Apply(function, arguments, primed):
                return self._apply(function, arguments, primed, shape)
            case Where(condition, then, otherwise) if is_zero(otherwise):
                return self._mask(condition, then, shape)
        raise NoMatrixForm(f"{type(tree).__name__} has no matrix form")

    def entry(self, tree: Entry, shape: Shape) -> Matrix:
        """The inverse of a matrix, transposed where its rows are the columns of the shape."""
        at = tuple(i.name for i in tree.indices if isinstance(i, Name))
        if len(at) == 2 and at[0] == at[1] and len(shape) == 1:
            return Matrix(rf"\operatorname{{diag}}({self.whole(tree).text})")
        operand = tree.call.arguments[0]
        if tree.call.function != "inv" or not isinstance(operand, Name) or len(at) != 2 or sorted(at) != sorted(shape):
            raise NoMatrixForm("an entry of a call at other indices has no matrix form")
        symbol = self.names.symbol(operand.name, matrix=True)
        if symbol is None:
            raise NoMatrixForm("the inverse of a derivative has no matrix form")
        return inverse_of(symbol, (at if operand.name not in self.flipped else at[::-1]) != shape)

    def access(self, tree: Access, shape: Shape) -> Matrix:
        """A tensor read at plain indices, transposed where its rows are the columns of the shape."""
        self._check_whole(tree.name)
        if not all(isinstance(i, Name) for i in tree.indices):
            raise NoMatrixForm("a read at something else than plain indices has no matrix form")
        for index, axis in zip(tree.indices, self.names.tensors[tree.name].axes, strict=True):
            known = self.ranges.get(index.name, "") if isinstance(index, Name) else ""
            if known and known.replace(" ", "") != str(axis).replace(" ", ""):
                raise NoMatrixForm("a read of a part of an axis has no matrix form")
        every = tuple(i.name for i in tree.indices if isinstance(i, Name))
        at = tuple(name for name in every if name not in self.fixed)
        if len(at) < len(every):
            return self._slice(tree.name, every, at, shape)
        symbol = self.names.symbol(tree.name, matrix=len(at) == 2)
        if symbol is None:
            raise NoMatrixForm("the derivative of a matrix by a matrix has no matrix form")
        if len(at) == 2 and at[0] == at[1] and len(shape) == 1:
            return Matrix(rf"\operatorname{{diag}}({symbol.write()})")
        if sorted(at) != sorted(shape):
            raise NoMatrixForm("a read at other indices has no matrix form")
        return of_symbol(symbol, (at[::-1] if tree.name in self.flipped else at) != shape)

    def _check_whole(self, name: str) -> None:
        if self.names.tensors[name].bases:
            raise NoMatrixForm("whether a recurrence as a whole holds its base is not said by its symbol")

    def _slice(self, name: str, every: Shape, at: Shape, shape: Shape) -> Matrix:
        """The row or the column of a matrix that a fixed index picks, as a vector."""
        symbol = self.names.symbol(name)
        if symbol is None or len(at) > 1 or at != shape:
            raise NoMatrixForm("a slice of this shape has no matrix form")
        below = [small_symbol(i) if i in self.fixed else r"\cdot" for i in every]
        text = symbol.write(join_indices([below[0]] if at == every[1:] else below))
        return Matrix(text, ATOM, turned=rf"{text}^{{\top}}")

    def _sum(self, operands: Sequence[Expression], operators: Sequence[str], shape: Shape) -> Matrix:
        text = self.broadcast(operands[0], shape).text
        for operator, operand in zip(operators, operands[1:], strict=True):
            piece = self.broadcast(operand, shape)
            plain = operator == "+" and not piece.text.startswith("-")
            text += f" {operator} {piece.at(SUM if plain else HADAMARD)}"
        return Matrix(text, SUM)

    def _power(self, base: Expression, exponent: Expression, shape: Shape) -> Matrix:
        if free_names(exponent, frozenset(shape)):
            raise NoMatrixForm("a power with an index in its exponent has no matrix form")
        if not shape:
            raised, piece = self.piece(exponent, ()).text, self.piece(base, ())
            plain = piece.strength == ATOM and "^" not in piece.text
            return Matrix(f"{piece.text if plain else bracket(piece.text)}^{{{raised}}}")
        inner = self.piece(base, shape)
        if exponent == Number(Fraction(2)) and inner.strength == ATOM and len(inner.text) < 24:
            return Matrix(rf"{inner.text} \odot {inner.text}", HADAMARD)
        raised = rf"\odot {self.piece(exponent, ()).text}"
        text = inner.text if inner.strength == ATOM and "^" not in inner.text else bracket(inner.text)
        return Matrix(f"{text}^{{{raised}}}")

    def _apply(self, function: str, arguments: tuple[Expression, ...], primed: bool, shape: Shape) -> Matrix:
        if function in MATRIX_CALLS:
            return Matrix(IndexWriter(self.names).write(Apply(function, arguments)))
        scope = frozenset(shape)
        pieces = [self.broadcast(a, shape if self.carried(a, scope) else ()) for a in arguments]
        written = [piece.text for piece in pieces]
        if function == "sqrt" and not shape:
            norm = _root_of_square(pieces[0])
            return Matrix(rf"\sqrt{{{written[0]}}}") if norm is None else norm
        if function == "exp" and not shape:
            return Matrix(rf"e^{{{written[0]}}}")
        if function == "abs" and not primed:
            return Matrix(rf"\left|{written[0]}\right|")
        return Matrix(function_latex(function, ", ".join(written), primed=primed))

    def _mask(self, condition: Condition, then: Expression, shape: Shape) -> Matrix:
        """`where(c, x, 0)` as the 0-1 matrix of the condition times x, entry by entry."""
        if is_mask(condition, self.names.tensors):
            return self._index_mask(condition, then, shape)
        if not isinstance(condition, Compare):
            raise NoMatrixForm("a composed condition has no matrix form")
        operator, left, right = condition.operator, condition.left, condition.right
        compared = self.carried(left, frozenset(shape)) | self.carried(right, frozenset(shape))
        if compared != set(shape) or operator in ("==", "!=") or not shape:
            raise NoMatrixForm("a condition on other indices has no matrix form")
        sides = [self.broadcast(s, shape if self.carried(s, frozenset(shape)) else ()) for s in (left, right)]
        mask = f"[{sides[0].text} {RELATIONS[operator]} {sides[1].text}]"
        if then == ONE:
            return Matrix(mask)
        return Matrix(rf"{mask} \odot {self.broadcast(then, shape).at(HADAMARD)}", HADAMARD)

    def _index_mask(self, condition: Condition, then: Expression, shape: Shape) -> Matrix:
        """A matrix with a name; of a delta the identity, or the diagonal matrix of what stands on the diagonal."""
        if not is_delta(condition):
            if then != ONE or self.masks is None:
                raise NoMatrixForm("a choice of what may have no value has no matrix form")
            return self.masks.piece(condition, shape, self.ranges)
        if (
            len(shape) != 2
            or not isinstance(condition, Compare)
            or {condition.left, condition.right} != {Name(x) for x in shape}
        ):
            raise NoMatrixForm("a delta of other indices has no matrix form")
        value = substitute_names(then, {shape[1]: Name(shape[0])})
        if self.carried(value, frozenset(shape)):
            return diagonal(self.broadcast(value, shape[:1]))
        size = self.ranges.get(shape[0], "")
        identity = symmetric(f"I_{{{small_symbol(size)}}}" if size.isalnum() else "I")
        number = self.broadcast(value, ())
        scale = number.at(ATOM if r"\top" in number.text else PRODUCT)
        return identity if number.text == "1" else Matrix(f"{scale} {identity.text}", PRODUCT)

    def whole(self, tree: Access | Entry) -> Matrix:
        """The matrix of which a diagonal is read."""
        if isinstance(tree, Entry):
            return self.entry(replace(tree, indices=(Name("i"), Name("j"))), ("i", "j"))
        self._check_whole(tree.name)
        symbol = self.names.symbol(tree.name, matrix=True)
        if symbol is None:
            raise NoMatrixForm("the trace of a derivative has no matrix form")
        return of_symbol(symbol)


def _root_of_square(piece: Matrix) -> Matrix | None:
    """The norm whose square a piece is."""
    text = piece.text.removesuffix("^{2}")
    alone = text.startswith(r"\left\lVert") and text.endswith((r"\right\rVert_F", r"\right\rVert_2"))
    return Matrix(text) if alone and text != piece.text and text.count(r"\lVert") == 1 else None
