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
from dataclasses import dataclass, field, replace
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
    MATRIX_CALLS,
    IndexWriter,
    bracket,
    function_latex,
    split_product,
)  # fmt: skip
from symbackprop.notation.writing.masks import ONE, Masks, Opener, find_ranges, is_delta, is_index_condition
from symbackprop.notation.writing.matrices import (
    ATOM,
    HADAMARD,
    ONES,
    PRODUCT,
    SUM,
    Matrix,
    chain,
    diagonal,
    inverse_of,
    of_symbol,
    symmetric,
    trace,
    transposes,
)  # fmt: skip
from symbackprop.notation.writing.names import Names, join_indices, small_symbol

Shape = tuple[str, ...]


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
    """Writes formulas in matrix notation.

    Tensors in `flipped` are held with their samples as columns; `masks` gives names to matrices of zeros and ones;
    `ranges` are those of indices as texts; `fixed` indices stand below, as those of a sum over whole matrices do.
    """

    names: Names
    flipped: frozenset[str] = frozenset()
    masks: Masks | None = None
    ranges: Mapping[str, str] = field(default_factory=dict)
    fixed: frozenset[str] = frozenset()

    def prepared(self, tree: Expression, sizes: Mapping[str, str]) -> tuple[MatrixWriter, Expression]:
        """The writer for a formula whose free indices have these ranges, and the formula with its masks opened."""
        taken = {n.name for n, _ in walk(tree) if isinstance(n, Name | Binder)} | set(sizes)
        tree = Opener(self.names.tensors, taken).open(tree)
        return replace(self, ranges=find_ranges(tree, sizes, self.names.tensors)), tree

    def write(self, tree: Expression, shape: Shape) -> str | None:
        """The formula as a matrix with these row and column indices, or None where it has no matrix form."""
        if len(shape) > 2:
            return None
        for form in (tree, spread(tree)):
            try:
                return self.broadcast(form, shape).text
            except NoMatrixForm:
                continue
        return None

    def carried(self, tree: Expression, scope: frozenset[str]) -> frozenset[str]:
        """The indices of a scope that a formula carries."""
        return free_names(tree, scope - self.fixed)

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
        operand = tree.call.arguments[0]
        if tree.call.function != "inv" or not isinstance(operand, Name) or len(at) != 2 or sorted(at) != sorted(shape):
            raise NoMatrixForm("an entry of a call at other indices has no matrix form")
        symbol = self.names.symbol(operand.name, matrix=True)
        if symbol is None:
            raise NoMatrixForm("the inverse of a derivative has no matrix form")
        return inverse_of(symbol, (at if operand.name not in self.flipped else at[::-1]) != shape)

    def access(self, tree: Access, shape: Shape) -> Matrix:
        """A tensor read at plain indices, transposed where its rows are the columns of the shape."""
        if not all(isinstance(i, Name) for i in tree.indices):
            raise NoMatrixForm("a read at something else than plain indices has no matrix form")
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
        if is_index_condition(condition, self.names.tensors):
            return self._index_mask(condition, then, shape)
        if not isinstance(condition, Compare):
            raise NoMatrixForm("a composed condition has no matrix form")
        operator, left, right = condition.operator, condition.left, condition.right
        compared = self.carried(left, frozenset(shape)) | self.carried(right, frozenset(shape))
        if compared != set(shape) or operator in ("==", "!=") or not shape:
            raise NoMatrixForm("a condition on other indices has no matrix form")
        mask = f"[{self.broadcast(left, shape).text} {RELATIONS[operator]} {self.broadcast(right, shape).text}]"
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
        return identity if number.text == "1" else Matrix(f"{number.at(PRODUCT)} {identity.text}", PRODUCT)

    def product(self, above: Sequence[Expression], below: Sequence[Expression], sign: int, shape: Shape) -> Matrix:
        """A product of factors over divisors at `shape`: sums among the factors are contracted."""
        scalars: list[tuple[Expression, bool]] = []
        elements: list[Element] = []
        scope = frozenset(shape)
        factors = [(f, False) for f in above] + [(f, True) for f in below]
        while factors:
            factor, inverse = factors.pop(0)
            carried = self.carried(factor, scope)
            if isinstance(factor, Reduce) and factor.operation == "mean" and not inverse:
                sizes = [find_range(b, factor.body, self.names.tensors) for b in factor.binders]
                scalars += [(s, True) for s in sizes if s is not None]
                factor = Reduce("sum", factor.binders, factor.body)
            if isinstance(factor, Reduce):
                inner_sign, over, under, made = self._contract(factor)
                sign *= inner_sign
                scalars += [(f, inverse) for f in over] + [(f, not inverse) for f in under]
                elements += [Applied(e, True) if inverse else e for e in made]
            elif carried or _needs_matrices(factor):
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
                carried = carried_names(factor, bound) - self.fixed
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
            left = self.join(rows, shape[:1]) if rows else Matrix(ONES)
            right = self.join(columns, shape[1:]) if columns else Matrix(ONES)
            return chain([left, right.transposed()])
        core = self.join(matrices, shape)
        if not rows and not columns:
            return core
        around = [self.diagonal(side, index) if side else None for side, index in zip(sides, shape, strict=True)]
        return chain([piece for piece in (around[0], core, around[1]) if piece is not None])

    def diagonal(self, elements: Sequence[Element], index: str) -> Matrix:
        """The diagonal matrix of a vector; its inverse where the vector only divides."""
        if any(not e.inverse for e in elements):
            return diagonal(self.join(elements, (index,)))
        return diagonal(self.join([e.inverted() for e in elements], (index,)), True)

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
                return Matrix(ONES, ATOM)
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
            vector = self.join(middle, (index,)) if middle else Matrix(ONES)
            return chain([self.join(left, (*row, index)), vector])
        inside = [self.diagonal(middle, index)] if middle else []
        return chain([self.join(left, (shape[0], index)), *inside, self.join(right, (index, shape[1]))])

    def _inner_product(self, elements: Sequence[Element], index: str) -> Matrix:
        """The sum of the entries of a vector, or of a matrix."""
        shape = tuple(index.split(","))
        first = elements[0]
        if len(shape) == 2:
            return self._sum_of_entries(elements, shape)
        norm = self._norm(elements, shape)
        if norm is not None:
            return norm
        if len(elements) == 1 and isinstance(first, Leaf) and isinstance(first.tree, Access):
            if first.tree.indices == (Name(index), Name(index)) and not first.inverse:
                return trace(self.access(first.tree, shape[:0]) if not shape else self._whole(first.tree))
        if len(elements) == 2 and not any(e.inverse for e in elements):
            left, right = (self.element(e, shape) for e in elements)
            return chain([left.transposed(), right])
        return chain([Matrix(ONES).transposed(), self.join(elements, shape)])

    def _whole(self, tree: Access) -> Matrix:
        """The matrix of which a diagonal is read."""
        symbol = self.names.symbol(tree.name, matrix=True)
        if symbol is None:
            raise NoMatrixForm("the trace of a derivative has no matrix form")
        return of_symbol(symbol)

    def _norm(self, elements: Sequence[Element], shape: Shape) -> Matrix | None:
        """The square of a norm, where the only factor is a square."""
        first = elements[0]
        squared = first.tree if len(elements) == 1 and isinstance(first, Leaf) and not first.inverse else None
        if not isinstance(squared, Power) or squared.exponent != Number(Fraction(2)):
            return None
        norm = rf"\left\lVert {self.piece(squared.base, shape).text} \right\rVert"
        return Matrix(f"{norm}_{{{'F' if len(shape) == 2 else '2'}}}^{{2}}".replace("_{F}", "_F").replace("_{2}", "_2"))

    def _sum_of_entries(self, elements: Sequence[Element], shape: Shape) -> Matrix:
        """The sum of a product over rows and columns: a norm, a trace, or between vectors of ones.

        Either way round is right; the one with fewer transposes reads better.
        """
        ways = (shape, shape[::-1])
        shape = min(ways, key=lambda s: transposes(self.join(elements, s)))
        norm = self._norm(elements, shape)
        if norm is not None:
            return norm
        entries = self.join(elements, shape)
        if len(elements) == 2 and not any(e.inverse for e in elements):
            products = [chain([self.element(elements[0], s), self.element(elements[1], s[::-1])]) for s in ways]
            product = min(products, key=transposes)
            if any(isinstance(e, Product) for e in elements) or transposes(product) < transposes(entries):
                return trace(product)
        return chain([Matrix(ONES).transposed(), entries, Matrix(ONES)])

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
        parts += [p.at(PRODUCT if core is None else ATOM) for p in over]
        if core is not None:
            if not parts:
                return core if sign > 0 else Matrix(f"-{core.at(HADAMARD)}", SUM)
            parts.append(core.at(HADAMARD))
        text = " ".join(parts) or "1"
        strength = HADAMARD if core is not None and core.strength == HADAMARD else PRODUCT
        return Matrix(text if sign > 0 else f"-{text}", strength if sign > 0 else SUM)


def spread(tree: Expression) -> Expression:
    """The formula with every sum over a sum taken apart."""
    match tree:
        case Chain(operands, operators):
            return replace(tree, operands=tuple(map(spread, operands)), operators=operators)
        case Negate(operand):
            return Negate(spread(operand))
        case Reduce(operation, binders, body) if operation in ("sum", "mean"):
            inner = spread(body)
            if isinstance(inner, Chain) and inner.operators[0] in "+-":
                return replace(inner, operands=tuple(Reduce(operation, binders, o) for o in inner.operands))
            return Reduce(operation, binders, inner)
    return tree


def _needs_matrices(factor: Expression) -> bool:
    """Whether a factor without an index has matrices inside."""
    return any(isinstance(node, Reduce) for node, _ in walk(factor))


def _root_of_square(piece: Matrix) -> Matrix | None:
    """The norm whose square a piece is."""
    text = piece.text.removesuffix("^{2}")
    alone = text.startswith(r"\left\lVert") and text.endswith((r"\right\rVert_F", r"\right\rVert_2"))
    return Matrix(text) if alone and text != piece.text and text.count(r"\lVert") == 1 else None
