r"""LaTeX in matrix notation, as trees of matrix expressions.

What stands side by side is a matrix product and binds more tightly than \odot. Shapes are known here: they tell
products of scalars from those of matrices, and how long a vector of ones is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction as Rational

from symbackprop.calculus.indices import Affine
from symbackprop.errors import UnsupportedError
from symbackprop.functions import FUNCTION_BY_NAME
from symbackprop.language import tree as t
from symbackprop.language.index_forms import read_size
from symbackprop.language.matrix_grammar import Operation, Run
from symbackprop.language.matrix_shapes import SCALAR, Shape, ShapeReader
from symbackprop.language.recursion import deep_recursion
from symbackprop.language.wording import fail
from symbackprop.notation.reading.broadcasting import check_numbers, check_shifted, repeat_vectors
from symbackprop.notation.reading.commands import TRANSPOSED
from symbackprop.notation.reading.differentials import read_loss
from symbackprop.notation.reading.doubtful_names import check_capitals, check_no_size, doubtful_name
from symbackprop.notation.reading.doubtful_scripts import check_scripts
from symbackprop.notation.reading.doubts import check_transpose, doubtful_size
from symbackprop.notation.reading.entries import find_powers, find_whole
from symbackprop.notation.reading.factors import Factor, is_turned, plain_values
from symbackprop.notation.reading.index_formulas import WHOLE, IndexReader
from symbackprop.notation.reading.marks import check_marked
from symbackprop.notation.reading.masks import read_mask, sum_over
from symbackprop.notation.reading.matrix_derivatives import check_factors, check_jacobians, derive_tree
from symbackprop.notation.reading.matrix_products import check_order, join_by_sign, join_factors
from symbackprop.notation.reading.matrix_trees import run_of, sign_at, whole_of, without_adjoints
from symbackprop.notation.reading.ones import (
    IDENTITY,
    ONES,
    TURNED,
    has_ones,
    is_scalar,
    join_shapes,
    shape_with_ones,
    size_of,
    unsized,
    with_ones,
)  # fmt: skip
from symbackprop.notation.reading.points import depends
from symbackprop.notation.reading.refusals import ambiguous
from symbackprop.notation.reading.slices import access_in, find_variable, is_vector, read_range, read_slice
from symbackprop.notation.reading.syntax import (
    Beside,
    Cases,
    Compound,
    Fraction,
    Group,
    Marked,
    Matrix,
    Relation,
    Scripts,
    Sum,
    Symbol,
    Syntax,
    bare,
    walk_syntax,
    write_syntax,
)  # fmt: skip
from symbackprop.notation.reading.terms import TermReader
from symbackprop.notation.reading.vocabulary import Vocabulary, label_of, script_text

ENTRYWISE = {r"\odot": ".*", r"\circ": ".*", r"\oslash": "./"}


def read_matrix_formula(
    syntax: Syntax, vocabulary: Vocabulary, shape: Shape | None = None, letters: frozenset[str] = frozenset()
) -> t.Expression:
    """The meaning of a formula in matrix notation; vectors of ones that nothing gives a length take it from `shape`.

    At `letters` it may read entries and vectors, as z_n does.
    """
    loss = read_loss(syntax, vocabulary)
    if loss is not None:
        return loss
    check_capitals(syntax, vocabulary)
    reader = MatrixReader(vocabulary, letters, plain_values(syntax))
    with deep_recursion():
        found: t.Expression = reader.read(syntax)
        settled = reader.settle(found, shape, syntax)
        reader.shape(settled)
    check_jacobians(settled, reader.shape)
    return settled


@dataclass(slots=True)
class MatrixReader(TermReader):
    """Reads formulas whose parts are scalars, vectors and matrices."""

    stretched: dict[int, tuple[bool, bool]] = field(default_factory=dict)

    def number(self, text: str, node: Syntax) -> t.Expression:
        written = f"0{text}" if text.startswith(".") else text
        return t.Number(Rational(written), written, line=node.line, column=node.column)

    def name(self, node: Syntax) -> t.Expression:
        scripts = node if isinstance(node, Scripts) else Scripts(node)
        symbol = bare(scripts.base)
        if not isinstance(symbol, Symbol):
            raise fail(node, f"`{write_syntax(node)}`", "a name")
        found = find_powers(node, self.vocabulary)
        if len(found) > 1:
            raise doubtful_name(node, (value for value, _ in found), self.vocabulary)
        place = {"line": node.line, "column": node.column}
        if found:
            self.note_font(symbol, node)
            value, above = found[0]
            made = whole_of(value, node)
            check_scripts(scripts, value, above, self.vocabulary)
            return made if above is None else self.raised(made, above, node)
        if symbol == Symbol(r"\delta") and self.vocabulary.functions.get(r"\delta") == "kronecker":
            return IndexReader(self.vocabulary, self.letters).name(node)
        part = read_slice(node, self.vocabulary, self.letters)
        if part is not None:
            entry, power = part
            if not is_vector(entry):
                check_scripts(scripts, access_in(entry), power, self.vocabulary)
            return entry if power is None else self.raised(entry, power, node)
        special = self._special(scripts, symbol, node)
        if special is not None:
            return special if scripts.above is None else self.raised(special, scripts.above, node)
        euler = symbol.name == "e" and scripts.below is None and scripts.above is not None and not scripts.primes
        if euler and scripts.above is not None and any(isinstance(p, Symbol) for p in walk_syntax(scripts.above)):
            return Operation("exp", (self.read(scripts.above),), False, **place)
        if symbol.name == r"\pi" and scripts.below is None and scripts.above is None:
            return t.Name("pi", **place)
        if self.vocabulary.find(symbol, scripts.primes):
            raise fail(node, f"`{write_syntax(node)}` among whole matrices", "a name without indices",
                       "claim an entry such as W[k,d] for a formula with indices")  # fmt: skip
        raise self.unknown(node)

    def _special(self, scripts: Scripts, symbol: Symbol, node: Syntax) -> t.Expression | None:
        """Vectors of ones and identity matrices, with their sizes below if these are written."""
        if symbol.name not in ("1", "I"):
            return None
        size = self._size(scripts.below) if scripts.below is not None else None
        if symbol.name == "1" and symbol.font:
            return ONES if scripts.below is None else size and Operation("ones", (size,), line=node.line)
        if symbol.name == "I" and not symbol.accents and not scripts.primes and scripts.below is None:
            return IDENTITY
        if symbol.name == "I" and not symbol.accents and size is not None:
            return Operation("eye", (size,), line=node.line, column=node.column)
        return None

    def _size(self, below: Syntax) -> t.Expression | None:
        node = bare(below)
        text = script_text(node)
        if text.isdigit():
            return self.number(text, node)
        found = [value for value, above in find_powers(node, self.vocabulary) if above is None]
        if isinstance(node, Sum | Beside) or (isinstance(node, Group) and node.opened == r"\lfloor"):
            return size_of(read_size(IndexReader(self.vocabulary, inside=True).index(node)))
        return found[0] if len(found) == 1 and isinstance(found[0], t.Name) else None

    def apply(self, function: str, arguments: tuple[t.Expression, ...], primed: bool, node: Syntax) -> t.Expression:
        place = {"line": node.line, "column": node.column}
        if function in FUNCTION_BY_NAME:
            arguments = tuple(self._alike(arguments, node))
        else:
            arguments = tuple(self.settle(a, None, node) for a in arguments)
            check_no_size(arguments[0], f"{function}", node, self.vocabulary)
            check_shifted(arguments if function != "diag" else (), self.shape, node)
        inner = arguments[0]
        if function == "log" and isinstance(inner, Operation) and inner.name == "abs" and not primed:
            (deep,) = inner.operands
            if isinstance(deep, Operation) and deep.name == "det":
                return Operation("logdet", deep.operands, False, **place)
        return Operation(function, arguments, primed, **place)

    def _function(self, base: Symbol, scripts: Scripts | None, row: tuple[Factor, ...]) -> str | None:
        if base.name in WHOLE and not base.accents and not self.vocabulary.find(base):
            return WHOLE[base.name]
        return TermReader._function(self, base, scripts, row)

    def raised(self, base: t.Expression, above: Syntax, node: Syntax) -> t.Expression:
        exponent, place = bare(above), {"line": node.line, "column": node.column}
        shown = write_syntax(exponent)
        if shown in TRANSPOSED:
            check_transpose(above, node, self.vocabulary)
            check_no_size(base, "the transpose", node, self.vocabulary)
            return TURNED if base == ONES else Operation("'", (base,), False, **place)
        if isinstance(exponent, Marked):
            if exponent.operand is None or exponent.sign not in (r"\odot", r"\circ"):
                raise fail(node, f"`{write_syntax(node)}`", "a power", "declare what the name with its mark stands for")
            return Operation(".^", (base, self.read(exponent.operand)), False, **place)
        if label_of(above) is not None:
            raise ambiguous(node.line, node.column, f"`{write_syntax(node)}`", ("a layer or a sample", "a power"),
                            "write powers without brackets")  # fmt: skip
        check_marked(node, above)
        if isinstance(exponent, Sum) and len(exponent.parts) == 1 and exponent.signs == ("-",):
            inverted = write_syntax(bare(exponent.parts[0]))
            if inverted in TRANSPOSED or (inverted == "1" and self.shape(base) != SCALAR):
                check_shifted((base,), self.shape, node)
                inverse = Operation("inv", (base,), False, **place)
                return inverse if inverted == "1" else Operation("'", (inverse,), False, **place)
        rows, columns = self.shape(base) if base != ONES else SCALAR
        of_entries = isinstance(base, Operation) and base.name in FUNCTION_BY_NAME
        if (rows, columns) != SCALAR and (rows != columns or of_entries):
            of = "what is taken of each entry" if of_entries else "a vector or a matrix that is not square"
            raise ambiguous(node.line, node.column, f"`{write_syntax(node)}`, a power of {of}",
                            ("the power of each entry", "a product with itself"),
                            rf"write ^{{\odot {write_syntax(exponent)}}} for the power of each entry")  # fmt: skip
        return Operation("^", (base, self.read(above)), False, **place)

    def function_raised(self, value: t.Expression, above: Syntax, node: Syntax) -> t.Expression:
        if self._scalar(value) or write_syntax(bare(above)) in TRANSPOSED:
            return self.raised(value, above, node)
        return Operation(".^", (value, self.read(above)), False, line=node.line, column=node.column)

    def _root(self, value: t.Expression, degree: Syntax | None, node: Syntax) -> t.Expression:
        if degree is not None and not self._scalar(value):
            raise UnsupportedError(f"line {node.line}, column {node.column}: {write_syntax(node)} of a matrix is not "
                                   "read; claim an entry of it.")  # fmt: skip
        made: t.Expression = TermReader._root(self, value, degree, node)
        return made

    def add(self, signs: tuple[str, ...], parts: tuple[t.Expression, ...], node: Syntax) -> t.Expression:
        place = {"line": node.line, "column": node.column}
        settled = self._alike(parts, node)
        if len(settled) > 1 and isinstance(inner := bare(node), Sum) and not any(map(has_ones, settled)):
            check_numbers(settled, self.shape, inner.parts, node)
        first = Operation("neg", (settled[0],), False, **place) if signs[0] == "-" else settled[0]
        if len(settled) == 1:
            return first
        return Run(
            (first, *settled[1:]), tuple(sign_at(s, p) for s, p in zip(signs[1:], settled[1:], strict=True)), **place
        )

    def multiply(self, signs: tuple[str, ...], parts: tuple[t.Expression, ...], node: Syntax) -> t.Expression:
        groups: list[list[t.Expression]] = []
        between: list[str] = []
        for sign, part in zip(signs, parts, strict=True):
            if sign or not groups:
                groups.append([part])
                between += [sign] if sign else []
            else:
                groups[-1].append(part)
        check_factors(parts, self.shape)
        joined = [join_factors(group, self.shape, node) for group in groups]
        if between and set(between) <= set(ENTRYWISE):
            check_order(groups, joined, [ENTRYWISE[sign] for sign in between], self.shape, node)
        while (
            between and between[0] in (r"\cdot", r"\times", "*") and len(set(between)) > 1 and self._scalar(joined[0])
        ):
            rest = self._joined(joined[1:], between[1:], node)
            return run_of((joined[0], rest), ("*",), node)
        return self._joined(joined, between, node)

    def _joined(self, groups: list[t.Expression], between: list[str], node: Syntax) -> t.Expression:
        """Products joined by signs, all of one kind."""
        if not between:
            return groups[0]
        if set(between) <= set(ENTRYWISE):
            return run_of(tuple(self._alike(groups, node)), tuple(ENTRYWISE[sign] for sign in between), node)
        if set(between) & set(ENTRYWISE):
            shown = write_syntax(node)
            raise ambiguous(node.line, node.column, f"`{shown}`", (r"\odot before \cdot", r"\cdot before \odot"),
                            "bracket what is meant")  # fmt: skip
        made = self.settle(groups[0], None, node)
        for sign, part in zip(between, groups[1:], strict=True):
            if has_ones(part) and sign in (r"\cdot", r"\times", "*") and self._scalar(made):
                made = run_of((made, part), ("*",), node)
                continue
            made = join_by_sign(made, sign, self.settle(part, None, node), self.shape, node)
        return made

    def _alike(self, parts: Sequence[t.Expression], node: Syntax) -> list[t.Expression]:
        """Operands of one shape; vectors of ones take their length from what they stand beside."""
        shapes = [shape_with_ones(part, self.shape) for part in parts if has_ones(part) or not self._scalar(part)]
        rows, columns = next((s for s in shapes if ... not in s), join_shapes(shapes))
        if not shapes or rows is ... or columns is ...:
            return list(parts)
        settled = [self.settle(part, (rows, columns), node) for part in parts]
        return repeat_vectors(settled, [self.shape(part) for part in settled], node)

    def settle(self, tree: t.Expression, shape: Shape | None, node: Syntax) -> t.Expression:
        """The tree with vectors of ones of the length that a shape asks for."""
        if not has_ones(tree):
            return tree
        if shape is None:
            raise unsized(tree, node)
        return with_ones(tree, shape, node)

    def divide(self, top: t.Expression, bottom: t.Expression, node: Syntax) -> t.Expression:
        if self._scalar(bottom):
            return run_of((top, bottom), ("/",), node)
        below = bare(node.bottom) if isinstance(node, Fraction) else node
        if isinstance(below, Group) and below.opened == "|":
            raise doubtful_size(below)
        return run_of(tuple(self._alike((top, bottom), node)), ("./",), node)

    def absolute(self, group: Group) -> t.Expression:
        place = {"line": group.line, "column": group.column}
        inner: t.Expression = self.read(group.parts[0])
        shape = self.shape(inner)
        if group.opened == "|":
            if shape[0] is not None and shape[0] == shape[1]:
                raise ambiguous(group.line, group.column, f"`{write_syntax(group)}` of a matrix", ("its determinant",
                                "the absolute values of its entries"), r"write \det or \operatorname{abs}")  # fmt: skip
            return Operation("abs", (inner,), False, **place)
        kind = script_text(group.parts[1]) if len(group.parts) > 1 else ""
        check_no_size(inner, "the norm", group, self.vocabulary)
        matrix = shape[0] is not None and shape[1] is not None
        if matrix and kind not in ("", "2", "F"):
            raise fail(group, f"the norm of a matrix with `{kind}` below", r"\sum_{ij} |W_{ij}| written out, or F")
        if matrix and kind != "F":
            raise ambiguous(group.line, group.column, f"`{write_syntax(group)}` of a matrix", ("the Frobenius norm",
                            "the spectral norm"), r"write \lVert ... \rVert_F")  # fmt: skip
        if kind not in ("", "2", "F", "1"):
            raise fail(group, f"the norm with `{kind}` below", "1, 2 or F")
        return Operation("norm1" if kind == "1" else "norm2", (inner,), False, **place)

    def floor(self, group: Group) -> t.Expression:
        """A whole quotient of sizes."""
        return size_of(read_size(IndexReader(self.vocabulary, inside=True).floor(group)))

    def inner(self, group: Group) -> t.Expression:
        if len(group.parts) != 2:
            raise fail(group, f"`{write_syntax(group)}`", r"an inner product of two, \langle a, b \rangle")
        left, right = (self.settle(self.read(part), None, group) for part in group.parts)
        if self.shape(left) != self.shape(right):
            raise fail(group, f"`{write_syntax(group)}`", "an inner product of two of one shape")
        place = {"line": group.line, "column": group.column}
        if self._scalar(left):
            return run_of((left, right), ("*",), group)
        made = run_of((Operation("'", (left,), False, **place), right), ("*",), group)
        return made if self.shape(left)[1] is None else Operation("tr", (made,), False, **place)

    def mask(self, relation: Relation | Compound, node: Syntax) -> t.Expression:
        return read_mask(relation, self.read, self.vocabulary, self.letters, node)

    def reduction(self, sign: str, scripts: Scripts | None, body: tuple[Factor, ...], node: Syntax) -> t.Expression:
        if sign != r"\sum" or not body or body[0].sign:
            raise fail(node, f"`{write_syntax(node)}` among whole matrices", "products of matrices, and sums of them",
                       "claim an entry such as W[k,d] for a formula with indices")  # fmt: skip
        bounds = read_range(scripts, self.vocabulary, self.letters, node)
        reader = MatrixReader(self.vocabulary, self.letters | set(bounds.names), self.values, self.fonts)
        return sum_over(bounds, reader.settle(reader.term(body, body[0].node), None, node), self.vocabulary, node)

    def cases(self, node: Cases) -> t.Expression:
        raise UnsupportedError(
            f"line {node.line}, column {node.column}: cases of whole matrices have no form in this version; claim an "
            "entry, or write the matrices out where their sizes are numbers."
        )

    def matrix(self, node: Matrix) -> t.Expression:
        raise fail(node, f"the written-out matrix `{write_syntax(node)}` among matrices of unknown size",
                   "names of whole matrices", "give every matrix a size in numbers, or claim an entry")  # fmt: skip

    def derivative(self, of: Syntax, wrt: Syntax, node: Syntax) -> t.Expression:
        whole = find_whole(of, self.vocabulary)
        if self.vocabulary.loss is not None and (self.vocabulary.is_loss(of) or whole == t.Name(self.vocabulary.loss)):
            made = Operation("adj", (self._variable(wrt),), False, line=node.line, column=node.column)
            return Operation("'", (made,)) if is_turned(wrt) and not self._scalar(made) else made
        return self.slope(self.read(of), (wrt,), node)

    def is_constant(self, value: t.Expression, by: tuple[Syntax, ...]) -> bool:
        return not depends(value, {self._variable(variable).name for variable in by}, self.vocabulary)

    def is_inner_product(self, row: tuple[Factor, ...]) -> bool:
        parts: list[t.Expression] = []
        place = 0
        while is_turned(row[0].node) and place < len(row) and not row[place].sign:
            part, taken = self.factor(row[place:], place > 0)
            parts.append(part)
            place += taken
            if not has_ones(part) and self._scalar(join_factors(parts, self.shape, row[0].node)):
                return place == len(row)
        return False

    def slope(self, value: t.Expression, by: tuple[Syntax, ...], node: Syntax) -> t.Expression:
        value = self.settle(value, None, node)
        names = tuple((self._variable(variable), is_turned(variable)) for variable in by)
        return derive_tree(value, names, self.shape, self.vocabulary, node)

    def _variable(self, node: Syntax) -> t.Name | t.Access:
        found = find_variable(node, self.vocabulary, self.letters)
        if found is None or found.name not in self.vocabulary.tensors:
            raise fail(node, f"`{write_syntax(node)}` in a derivative among whole matrices", "a tensor of the program")
        return found

    def shape(self, tree: t.Expression) -> Shape:
        """The shape of a tree; ShapeError where its parts do not fit."""
        tensors: dict[str, tuple[Affine, ...]] = {n: x.axes for n, x in self.vocabulary.tensors.items()}
        return ShapeReader(tensors, frozenset(self.vocabulary.sizes)).read(without_adjoints(tree, self.shape)).shape

    def _scalar(self, tree: t.Expression) -> bool:
        return is_scalar(tree, self.shape)
