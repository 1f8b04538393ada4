"""Products of indexed factors in matrix notation: Hadamard and matrix products, diagonal matrices, norms, traces."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from symbackprop.language.reader import read_expression
from symbackprop.language.tree import Access, Entry, Expression, Name, Number, Power, Reduce, walk
from symbackprop.notation.writing.conditions import find_range
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
from symbackprop.notation.writing.index_latex import IndexWriter, split_product
from symbackprop.notation.writing.matrices import (
    ATOM,
    HADAMARD,
    ONES,
    PRODUCT,
    SUM,
    Matrix,
    chain,
    diagonal,
    trace,
    transposes,
)  # fmt: skip
from symbackprop.notation.writing.names import Names
from symbackprop.notation.writing.pieces import bracket

Shape = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProductWriter(ABC):
    """Writes products in matrix notation.

    `ranges` are those of indices as texts; `fixed` indices stand below, as those of a sum over whole matrices do.
    """

    names: Names
    ranges: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    fixed: frozenset[str] = field(default=frozenset(), kw_only=True)

    @abstractmethod
    def piece(self, tree: Expression, shape: Shape) -> Matrix:
        """The formula, which carries exactly the indices of `shape`."""

    @abstractmethod
    def whole(self, tree: Access | Entry) -> Matrix:
        """The matrix of which a diagonal is read."""

    def carried(self, tree: Expression, scope: frozenset[str]) -> frozenset[str]:
        """The indices of a scope that a formula carries."""
        return free_names(tree, scope - self.fixed)

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
                if free_names(factor, frozenset(self.ranges) - self.fixed) - carried:
                    raise NoMatrixForm("an index as a number has no matrix form")
                if isinstance(factor, Reduce) and not number:
                    inner_sign, over, under, made = self._contract(factor)
                    sign *= inner_sign
                    scalars[0].extend(over)
                    scalars[1].extend(under)
                    elements.extend(made)
                elif carried or _needs_matrices(factor):
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
        text = r" \odot ".join(p.text if p.strength in (HADAMARD, ATOM) else bracket(p.text) for p in over) or ONES
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
        if len(elements) == 1 and isinstance(first, Leaf) and isinstance(first.tree, Access | Entry):
            if first.tree.indices == (Name(index), Name(index)) and not first.inverse:
                return trace(self.whole(first.tree))
        if all(isinstance(e, Ones) for e in elements) and self.ranges.get(index):
            size = IndexWriter(self.names).piece(read_expression(self.ranges[index]))
            return Matrix(size.text, (SUM, PRODUCT, ATOM, ATOM)[size.strength])
        if len(elements) == 2 and not any(e.inverse for e in elements):
            left, right = (self.element(e, shape) for e in elements)
            return chain([left.transposed(), right])
        return chain([Matrix(ONES).transposed(), self.join(elements, shape)])

    def _norm(self, elements: Sequence[Element], shape: Shape) -> Matrix | None:
        """The square of a norm, where the only factor is a square."""
        base = _squared(elements)
        if base is None:
            return None
        norm = rf"\left\lVert {self.piece(base, shape).text} \right\rVert"
        return Matrix(f"{norm}_{'F' if len(shape) == 2 else '2'}^{{2}}")

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
            plain = [Matrix(writer.fraction(below, []).text)] if below else []
            alone = len(plain) + len(under) < 2
            bottom = chain([*plain, *(p if alone else p.held(ATOM) for p in under)]).text if plain or under else ""
            if under and core is None and over:
                top = " ".join([*([top] if top != "1" else []), *(p.at(PRODUCT) for p in over)])
                over = []
            if bottom:
                parts.append(rf"\frac{{{top}}}{{{bottom}}}")
            elif top != "1" or not (over or core):
                parts.append(writer.fraction(above, []).at(1))
        parts += [p.at(PRODUCT if core is None else ATOM) for p in over]
        if core is not None:
            if not parts:
                return core if sign > 0 else Matrix(f"-{core.at(HADAMARD)}", SUM)
            parts.append(core.at(HADAMARD))
        text = parts[0] if parts else "1"
        for part in parts[1:]:
            text += rf" \cdot {part}" if part[0].isdigit() else f" {part}"
        strength = HADAMARD if core is not None and core.strength == HADAMARD else PRODUCT
        return Matrix(text if sign > 0 else f"-{text}", strength if sign > 0 else SUM)


def _needs_matrices(factor: Expression) -> bool:
    """Whether a factor without an index has matrices inside."""
    return any(isinstance(node, Reduce) for node, _ in walk(factor))


def _squared(elements: Sequence[Element]) -> Expression | None:
    """What is squared where factors are a square: one by its exponent, or a matrix twice."""
    trees = [e.tree for e in elements if isinstance(e, Leaf) and not e.inverse]
    if len(trees) != len(elements):
        return None
    if len(trees) == 2 and trees[0] == trees[1] and len(elements[0].carried) == 2:
        return trees[0]
    if len(trees) == 1 and isinstance(trees[0], Power) and trees[0].exponent == Number(Fraction(2)):
        return trees[0].base
    return None
