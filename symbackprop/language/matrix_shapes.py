"""Shapes of matrix expressions: every operation is checked, and named, before anything is derived.

A shape is the sizes of rows and columns; None stands where there is no axis, so that a vector is (N, None), its
transpose (None, N) and a scalar (None, None).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from symbackprop.calculus.indices import Affine
from symbackprop.errors import EntrywiseError, FormulaError, ShapeError, UnsaidShapeError
from symbackprop.functions import FUNCTION_BY_NAME
from symbackprop.language.accesses import count_things
from symbackprop.language.index_forms import read_size
from symbackprop.language.limits import Limits
from symbackprop.language.matrix_grammar import Operation, Run, Sign
from symbackprop.language.tree import Access, Chain, Expression, Name, Number, Where
from symbackprop.language.wording import fail

Shape = tuple[Affine | None, Affine | None]
SCALAR: Shape = (None, None)
REST = ":"
"""The index of all entries along an axis."""
MATRIX_FUNCTIONS = (
    "sum", "tr", "det", "logdet", "inv", "solve", "norm1", "norm2", "diag", "ones", "eye",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Term:
    """A matrix expression whose shape is known; two terms are equal if they say the same.

    `operation` is one of: tensor, number, eye, ones, sum, product, entrywise, power, matrix power, function, transpose,
    diagonal matrix, diagonal, total, rows, columns, trace, norm1, norm2, squares, inv, det, logdet, slice, over.
    """

    operation: str
    shape: Shape
    operands: tuple[Term, ...] = ()
    name: str = ""
    signs: tuple[str, ...] = ()
    value: Expression | None = None
    primed: bool = False
    node: Expression = field(default_factory=lambda: Name(""), compare=False, repr=False)

    @property
    def is_scalar(self) -> bool:
        """Whether it has no axis."""
        return self.shape == SCALAR

    @property
    def axes(self) -> tuple[Affine, ...]:
        """The sizes of the axes that it has."""
        return tuple(size for size in self.shape if size is not None)


def write_shape(shape: Shape) -> str:
    """A shape as it is declared, a row as that of a matrix with one row.

    >>> write_shape((Affine.of("N"), Affine.of("D"))), write_shape((None, Affine.of("N"))), write_shape(SCALAR)
    ('[N, D]', 'a row [1, N]', 'a scalar')
    """
    rows, columns = shape
    if rows is None:
        return "a scalar" if columns is None else f"a row [1, {columns}]"
    return f"[{rows}]" if columns is None else f"[{rows}, {columns}]"


@dataclass(slots=True)
class ShapeReader:
    """Gives the expressions over `tensors` their shapes; `sizes` are the names that stand for numbers.

    `flat` are the tensors with one axis that hold a row, because they were defined as one.
    """

    tensors: Mapping[str, tuple[Affine, ...]]
    sizes: frozenset[str]
    flat: frozenset[str] = frozenset()
    limits: Limits = field(default_factory=Limits)

    def read(self, node: Expression) -> Term:
        """The term that a tree is; ShapeError names the operation that does not fit, and the shapes."""
        match node:
            case Number() | Where():
                return Term("number", SCALAR, value=node, node=node)
            case Name():
                return self._name(node)
            case Run() if any(sign.symbol == "//" for sign in node.signs):
                return Term("number", SCALAR, value=_size_tree(node, "a whole quotient"), node=node)
            case Run():
                return self._sum(node) if node.signs[0].symbol in "+-" else self._run(node)
            case Access():
                return self._slice(node)
            case Operation("over", (Name(letter), operand)):
                inner = self.read(operand)
                return Term("over", inner.shape, (inner,), letter, node=node)
            case Operation("neg", (operand,)):
                inner = self.read(operand)
                return Term("sum", inner.shape, (inner,), signs=("-",), node=node)
            case Operation("'", (operand,)):
                inner = self.read(operand)
                rows, columns = inner.shape
                return inner if inner.is_scalar else Term("transpose", (columns, rows), (inner,), node=node)
            case Operation("^" | ".^"):
                return self._power(node)
            case Operation():
                return self._call(node)
        raise TypeError(f"{type(node).__name__} is no matrix expression")

    def _name(self, node: Name) -> Term:
        if node.name == "pi" or node.name in self.sizes:
            return Term("number", SCALAR, value=node, node=node)
        axes = self.tensors.get(node.name)
        if axes is None:
            known = ", ".join(self.tensors) or "nothing yet"
            hint = f"a function has its argument in brackets: {node.name}(A)" if _is_function(node.name) else ""
            raise fail(node, f"the unknown name {node.name!r}", f"one of {known}", hint)
        if len(axes) > 2:
            found = f"{node.name} [{', '.join(map(str, axes))}]"
            hint = "formulas with indices have any number of axes"
            raise fail(node, found, "a scalar, a vector or a matrix", hint, UnsaidShapeError)
        rows, columns = (*axes, None, None)[:2]
        term = Term("tensor", (rows, columns), name=node.name, node=node)
        return Term("transpose", (columns, rows), (term,), node=node) if node.name in self.flat else term

    def _slice(self, node: Access) -> Term:
        """An entry of a tensor at some letters, or the vector or matrix of those along the axes that are left."""
        left = axes_left(node, self.tensors[node.name])
        if not left:
            return Term("number", SCALAR, value=node, node=node)
        rows, columns = (*left, None)[:2]
        return Term("slice", (rows, columns), value=node, node=node)

    # Operators.

    def _sum(self, node: Run) -> Term:
        """Operands of one shape; a scalar is added to every entry."""
        first = self.read(node.operands[0])
        operands, shape = [first], first.shape
        for sign, operand in zip(node.signs, node.operands[1:], strict=True):
            term = self.read(operand)
            if SCALAR not in (term.shape, shape) and term.shape != shape:
                raise _misfit(sign, shape, term.shape, "operands of one shape")
            operands.append(term)
            shape = term.shape if shape == SCALAR else shape
        return Term("sum", shape, tuple(operands), signs=("+", *(s.symbol for s in node.signs)), node=node)

    def _run(self, node: Run) -> Term:
        current = self.read(node.operands[0])
        for sign, operand in zip(node.signs, node.operands[1:], strict=True):
            current = self._multiply(current, sign, self.read(operand), node)
        return current

    def _multiply(self, left: Term, sign: Sign, right: Term, node: Expression) -> Term:
        one_shape = SCALAR in (left.shape, right.shape) or left.shape == right.shape
        shape = right.shape if left.is_scalar else left.shape
        if sign.symbol in (".*", "./"):
            if not one_shape:
                raise _misfit(sign, left.shape, right.shape, "operands of one shape")
            return Term("entrywise", shape, (left, right), signs=(sign.symbol[1:],), node=node)
        if sign.symbol == "/":
            if not right.is_scalar:
                hint = "write ./ for quotients of entries, or *inv(...)"
                raise _misfit(sign, left.shape, right.shape, "a scalar to divide by", hint)
            return Term("entrywise", shape, (left, right), signs=("/",), node=node)
        if not (left.is_scalar or right.is_scalar):
            if left.shape[1] != right.shape[0]:
                raise _misfit(sign, left.shape, right.shape, "as many columns on the left as rows on the right",
                              _product_hint(left.shape, right.shape),
                              EntrywiseError if left.shape == right.shape else ShapeError)  # fmt: skip
            shape = (left.shape[0], right.shape[1])
        factors = left.operands if left.operation == "product" and not left.is_scalar else (left,)
        return Term("product", shape, (*factors, right), node=node)

    def _power(self, node: Operation) -> Term:
        base, exponent = map(self.read, node.operands)
        if node.name == ".^" or base.is_scalar:
            fits = SCALAR in (base.shape, exponent.shape) or base.shape == exponent.shape
            if not fits or (node.name == "^" and not exponent.is_scalar):
                raise _misfit(node, base.shape, exponent.shape, "operands of one shape, or a scalar")
            shape = exponent.shape if base.is_scalar else base.shape
            squared = _square_norm(base, exponent) if base.is_scalar else None
            return squared or Term("power", shape, (base, exponent), node=node)
        if not exponent.is_scalar or base.shape[0] is None or base.shape[0] != base.shape[1]:
            expected = "a scalar or a square matrix, and an integer"
            raise _misfit(node, base.shape, exponent.shape, expected, "write .^ for powers of entries")
        times = integer_of(exponent)
        if times is None or abs(times) > self.limits.power_bits:
            raise fail(node, "`^` of a matrix", f"an integer exponent, at most {self.limits.power_bits}",
                       "write .^ for powers of entries")  # fmt: skip
        value = Number(Fraction(abs(times)))
        return Term("matrix power", base.shape, (base,), value=value, signs=("-",) * (times < 0), node=node)

    # Functions.

    def _call(self, node: Operation) -> Term:
        name = node.name
        if name in ("ones", "eye"):
            return self._constant(node)
        if name not in MATRIX_FUNCTIONS or node.primed:
            return self._function(node)
        arguments = [self.read(argument) for argument in node.operands]
        most = 2 if name in ("sum", "solve") else 1
        if not (most == 2 and name == "solve") and len(arguments) == 1:
            (operand,) = arguments
        elif name == "sum" and len(arguments) == 2:
            return self._axis_sum(node, arguments)
        elif name == "solve" and len(arguments) == 2:
            return self._solve(node, arguments)
        else:
            wanted = {"sum": "1, or 2 with the axis", "solve": "2"}.get(name, "1")
            raise fail(node, f"{count_things(len(arguments), 'argument', 'arguments')} of {name}", wanted)
        match name:
            case "sum":
                return operand if operand.is_scalar else Term("total", SCALAR, (operand,), node=node)
            case "norm1" | "norm2":
                return Term(name, SCALAR, (operand,), node=node)
            case "diag":
                return self._diagonal(node, operand)
        if operand.is_scalar:
            return self._of_scalar(node, operand)
        _require_square(node, operand)
        shape = operand.shape if name == "inv" else SCALAR
        return Term("trace" if name == "tr" else name, shape, (operand,), node=node)

    def _of_scalar(self, node: Operation, operand: Term) -> Term:
        """A function of a matrix, of a scalar, which is a matrix of one entry."""
        if node.name == "inv":
            one = Term("number", SCALAR, value=Number(Fraction(1)), node=node)
            return Term("entrywise", SCALAR, (one, operand), signs=("/",), node=node)
        if node.name == "logdet":
            return Term("function", SCALAR, (Term("function", SCALAR, (operand,), "abs", node=node),), "log", node=node)
        return operand

    def _axis_sum(self, node: Operation, arguments: list[Term]) -> Term:
        operand, axis = arguments[0], integer_of(arguments[1])
        if axis not in (1, 2):
            raise fail(node, "sum over another axis", "1, over rows, or 2, over columns")
        if operand.is_scalar or operand.shape[axis - 1] is None:
            found = f"sum over axis {axis} of {write_shape(operand.shape)}"
            raise fail(node, found, "an axis that it has", kind=ShapeError)
        return Term("rows" if axis == 1 else "columns", (operand.shape[2 - axis], None), (operand,), node=node)

    def _solve(self, node: Operation, arguments: list[Term]) -> Term:
        matrix, right = arguments
        _require_square(node, matrix)
        if right.shape[0] != matrix.shape[0]:
            raise _misfit(node, matrix.shape, right.shape, "as many rows on the right side as in the matrix")
        inverse = Term("inv", matrix.shape, (matrix,), node=node)
        return Term("product", right.shape, (inverse, right), node=node)

    def _diagonal(self, node: Operation, operand: Term) -> Term:
        rows, columns = operand.shape
        if (rows is None) != (columns is None):
            size = rows if columns is None else columns
            return Term("diagonal matrix", (size, size), (operand,), node=node)
        if rows is None or rows != columns:
            raise fail(node, f"diag of {write_shape(operand.shape)}", "a vector or a square matrix", kind=ShapeError)
        return Term("diagonal", (rows, None), (operand,), node=node)

    def _constant(self, node: Operation) -> Term:
        if len(node.operands) > (1 if node.name == "eye" else 2):
            wanted = "1" if node.name == "eye" else "1 or 2"
            raise fail(node, f"{count_things(len(node.operands), 'argument', 'arguments')} of {node.name}", wanted)
        sizes = [self._size(operand, node.name) for operand in node.operands]
        shape = (sizes[0], sizes[0]) if node.name == "eye" else (sizes[0], sizes[1] if len(sizes) == 2 else None)
        return Term(node.name, shape, node=node)

    def _size(self, node: Expression, what: str) -> Affine:
        size = read_size(_size_tree(node, what))
        unknown = [atom for atom in size.names if atom not in self.sizes]
        if unknown:
            known = ", ".join(sorted(self.sizes)) or "numbers only"
            raise fail(node, f"the unknown size {unknown[0]!r} in {what}", f"sizes that the shapes have: {known}")
        return size

    def _function(self, node: Operation) -> Term:
        """A function of the catalogue, applied to every entry; parameters behind its arguments are numbers."""
        function = FUNCTION_BY_NAME.get(node.name)
        if function is None:
            written = node.name + ("'" if node.primed else "")
            known = node.name in self.tensors or node.name in self.sizes
            hint = f"a product needs its sign: {written}*(...)" if known else ""
            raise fail(node, f"the unknown function {written}", f"one of {', '.join(functions())}", hint)
        least, most = function.arity, function.arity + len(function.parameters)
        if not least <= len(node.operands) <= most:
            wanted = f"{least}" if least == most else f"{least} to {most}"
            raise fail(node, f"{count_things(len(node.operands), 'argument', 'arguments')} of {node.name}", wanted)
        operands = [self.read(operand) for operand in node.operands]
        shape = SCALAR
        for term in operands:
            if SCALAR not in (term.shape, shape) and term.shape != shape:
                raise _misfit(node, shape, term.shape, "arguments of one shape")
            shape = term.shape if shape == SCALAR else shape
        return Term("function", shape, tuple(operands), node.name, primed=node.primed, node=node)


def axes_left(read: Name | Access, axes: tuple[Affine, ...]) -> tuple[Affine, ...]:
    """The axes of a tensor, or those along which a read of it has no index.

    >>> [str(size) for size in axes_left(Access("x", (Name("n"), Name(REST))), (Affine.of("N"), Affine.of("D")))]
    ['D']
    """
    if isinstance(read, Name):
        return axes
    return tuple(axis for index, axis in zip(read.indices, axes, strict=True) if index == Name(REST))


def functions() -> tuple[str, ...]:
    """Every function that a matrix expression may call."""
    return (*MATRIX_FUNCTIONS, *FUNCTION_BY_NAME)


def integer_of(term: Term) -> int | None:
    """The integer that a term is, or None.

    >>> from fractions import Fraction
    >>> integer_of(Term("number", SCALAR, value=Number(Fraction(2))))
    2
    """
    if term.operation == "sum" and len(term.operands) == 1:
        inner = integer_of(term.operands[0])
        return None if inner is None else -inner
    if isinstance(term.value, Number) and term.value.value.denominator == 1:
        return int(term.value.value)
    return None


def _square_norm(base: Term, exponent: Term) -> Term | None:
    """An even power of norm2 without its root, which has no derivative at 0."""
    times = integer_of(exponent)
    if base.operation != "norm2" or times is None or times % 2 or not times:
        return None
    squares = Term("squares", SCALAR, base.operands, node=base.node)
    if times == 2:
        return squares
    half = Term("number", SCALAR, value=Number(Fraction(abs(times) // 2)), node=exponent.node)
    if times < 0:
        half = Term("sum", SCALAR, (half,), signs=("-",), node=exponent.node)
    return Term("power", SCALAR, (squares, half), node=base.node)


def _is_function(name: str) -> bool:
    return name in MATRIX_FUNCTIONS or name in FUNCTION_BY_NAME


def _require_square(node: Operation, operand: Term) -> None:
    rows, columns = operand.shape
    if rows is None or rows != columns:
        raise fail(node, f"{node.name} of {write_shape(operand.shape)}", "a square matrix", kind=ShapeError)


def _size_tree(node: Expression, what: str) -> Expression:
    """A size in the neutral tree."""
    if isinstance(node, Number | Name):
        return node
    if isinstance(node, Run) and all(sign.symbol in ("+", "-", "*", "//") for sign in node.signs):
        operands = tuple(_size_tree(operand, what) for operand in node.operands)
        return Chain(operands, tuple(sign.symbol for sign in node.signs), line=node.line, column=node.column)
    raise fail(node, f"something else than a size in {what}", f"sizes, as in {what}(N)")


def _misfit(node: Sign | Operation, left: Shape, right: Shape, expected: str, hint: str = "",
            kind: type[ShapeError] = ShapeError) -> FormulaError:  # fmt: skip
    name = node.symbol if isinstance(node, Sign) else node.name
    return fail(node, f"`{name}` of {write_shape(left)} and {write_shape(right)}", expected, hint, kind)


def _product_hint(left: Shape, right: Shape) -> str:
    """How a matrix product that does not fit may have been meant."""
    if left == right:
        more = ", or x'*y for a scalar" if left[1] is None else ""
        return r"write .* (\odot in LaTeX) for the product of entries" + more
    if left[0] == right[0] and left[0] is not None:
        return "transpose the left one: A'*B"
    if left[1] == right[1] and left[1] is not None:
        return "transpose the right one: A*B'"
    return "bracket products of vectors that are scalars: A*(x'*y)" if right[0] is None else ""
