"""Matrix expressions become statements of the formula language, so that their programs have a text.

An entry of a matrix is a formula in the letters of its row and its column. A chain of products is one sum over the
letters between its factors, a diagonal factor makes two letters one, and what is no formula of entries (an inverse, a
determinant, the square of a square) is read from a definition of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from symbackprop.calculus.indices import Affine
from symbackprop.language import tree as t
from symbackprop.language.arithmetic import ONE, ZERO, add, multiply
from symbackprop.language.matrix_shapes import REST, Shape, ShapeReader, Term, integer_of
from symbackprop.language.phrasing import affine_tree
from symbackprop.language.recursion import deep_recursion

At = tuple[t.Name | None, t.Name | None]
LETTERS = "ijkmnpqrstuvw"
FEW = 3
"""Powers of matrices up to this one are written as products; higher ones by squares that have names."""
TWO = t.Number(Fraction(2))


@dataclass(slots=True)
class MatrixWriter:
    """Writes lines over `tensors` as definitions; `statements` are those made so far, `taken` names still to come."""

    tensors: dict[str, tuple[Affine, ...]]
    sizes: frozenset[str]
    taken: frozenset[str] = frozenset()
    statements: list[t.Define | t.Assume] = field(default_factory=list)
    flat: frozenset[str] = frozenset()
    named: dict[Term, str] = field(default_factory=dict)

    def __contains__(self, name: object) -> bool:
        return name in self.tensors or name in self.sizes or name in self.taken

    def read(self, node: t.Expression) -> Term:
        """The term that a tree is over the tensors known so far."""
        with deep_recursion():
            return ShapeReader(self.tensors, self.sizes, self.flat).read(node)

    def define(self, name: str, term: Term, node: t.Node) -> None:
        """Add the definition name = term; a row is kept as a vector."""
        with deep_recursion():
            head, body = self.formula(name, term, node)
        self.add(head, body, term, node)

    def add(self, head: t.Name | t.Access, body: t.Expression, term: Term, node: t.Node) -> None:
        """Add a definition of the value of a term."""
        self.statements.append(t.Define(head, body, line=node.line, column=node.column))
        self.tensors[head.name] = term.axes
        if term.shape[0] is None and term.shape[1] is not None:
            self.flat |= {head.name}

    def assume(self, left: Term, right: Term, node: t.Node) -> None:
        """Add the assumption left = right, of every entry; a scalar stands for all entries."""
        with deep_recursion():
            formula = _Formula(self)
            shape = right.shape if left.is_scalar else left.shape
            at = formula.letter(shape[0]), formula.letter(shape[1])
            sides = formula.entry(left, at), formula.entry(right, at)
        place = {"line": node.line, "column": node.column}
        self.statements.append(t.Assume(t.Compare("=", sides[0], sides[1], **place), **place))

    def entry(self, term: Term, shape: Shape) -> tuple[tuple[t.Name, ...], t.Expression]:
        """The letters of the axes and the formula of an entry of a term, read as one of a shape."""
        with deep_recursion():
            formula = _Formula(self)
            at = formula.letter(shape[0]), formula.letter(shape[1])
            return tuple(letter for letter in at if letter is not None), formula.entry(term, at)

    def formula(self, name: str, term: Term, node: t.Node) -> tuple[t.Name | t.Access, t.Expression]:
        """The head and the body of a definition of a term, with ranges where nothing else tells them."""
        formula = _Formula(self)
        rows, columns = (formula.letter(size) for size in term.shape)
        place = {"line": node.line, "column": node.column}
        body = formula.entry(term, (rows, columns))
        letters = [letter for letter in (rows, columns) if letter is not None]
        if not letters:
            return t.Name(name, **place), body
        indices = tuple(_head_index(formula.binder(letter, body)) for letter in letters)
        return t.Access(name, indices, **place), body

    def name_of(self, term: Term) -> str:
        """The name of a tensor that holds the value of a term, defined now if it has none."""
        if term.operation == "tensor":
            return term.name
        if term not in self.named:
            head, body = self.formula("", term, term.node)  # what it reads has names before it has
            number, name = 1, "M"
            while name in self:
                number, name = number + 1, f"M{number + 1}"
            self.add(replace(head, name=name), body, term, term.node)
            self.named[term] = name
        return self.named[term]


@dataclass(frozen=True, slots=True)
class _Chain:
    """A product: its sign, its scalar factors, and its matrices, each with whether it is transposed."""

    sign: int = 1
    scalars: tuple[tuple[str, Term], ...] = ()
    matrices: tuple[tuple[Term, bool], ...] = ()

    def joined(self, other: _Chain) -> _Chain:
        return _Chain(self.sign * other.sign, self.scalars + other.scalars, self.matrices + other.matrices)


@dataclass(slots=True)
class _Formula:
    """The formula of one definition; `active` are the letters that stand for something where it is being written."""

    writer: MatrixWriter
    active: dict[str, Affine] = field(default_factory=dict)

    def letter(self, size: Affine | None) -> t.Name | None:
        """A letter that runs over a size; none where there is no axis."""
        if size is None:
            return None
        every = (*LETTERS, *(f"i{number}" for number in range(2, 1000)))
        name = next(letter for letter in every if letter not in self.active and letter not in self.writer)
        self.active[name] = size
        return t.Name(name)

    def binder(self, letter: t.Name, body: t.Expression) -> t.Binder:
        """The letter where it is introduced, with its range if it stands alone on no axis."""
        alone = any(isinstance(node, t.Access | t.Entry) and letter in node.indices for node, _ in t.walk(body))
        return t.Binder(letter.name, None if alone else affine_tree(self.active[letter.name]))

    def reduce(self, letters: Sequence[t.Name | None], body: t.Expression) -> t.Expression:
        """The sum of a formula over letters, which stand for nothing any more after it."""
        bound = list(dict.fromkeys(letter for letter in letters if letter is not None))
        if not bound:
            return body
        if isinstance(body, t.Negate):
            return t.Negate(self.reduce(bound, body.operand))
        binders = tuple(self.binder(letter, body) for letter in bound)
        for letter in bound:
            del self.active[letter.name]
        if isinstance(body, t.Reduce) and body.operation == "sum":
            return t.Reduce("sum", (*binders, *body.binders), body.body)
        return t.Reduce("sum", binders, body)

    def entry(self, term: Term, at: At = (None, None)) -> t.Expression:
        """The entry of a term in a row and a column; where there is no axis there is no letter."""
        rows, columns = at = (None, None) if term.is_scalar else at
        if rows is not None and columns is not None and rows != columns and is_diagonal(term):
            return t.Where(t.Compare("==", rows, columns), self.entry(term, (rows, rows)), ZERO)
        match term.operation:
            case "tensor":
                indices = tuple(letter for letter in at if letter is not None)
                place = {"line": term.node.line, "column": term.node.column}
                return t.Access(term.name, indices, **place) if indices else t.Name(term.name, **place)
            case "number":
                return term.value or ONE
            case "slice" if isinstance(term.value, t.Access):
                return fill_rest(term.value, [letter for letter in at if letter is not None])
            case "over":
                return t.Reduce("sum", (t.Binder(term.name),), self.entry(term.operands[0], at))
            case "eye" | "ones":
                return ONE
            case "sum":
                return add([(s, self.entry(o, at)) for s, o in zip(term.signs, term.operands, strict=True)])
            case "product" | "matrix power":
                return self.contract(self.decompose(term), at)
            case "entrywise":
                left, right = (self.entry(operand, at) for operand in term.operands)
                return multiply([("*", left), (term.signs[0], right)])
            case "power":
                base, exponent = (self.entry(operand, at) for operand in term.operands)
                return t.Power(base, exponent, line=term.node.line, column=term.node.column)
            case "function":
                arguments = tuple(self.entry(operand, at) for operand in term.operands)
                return t.Apply(term.name, arguments, term.primed, line=term.node.line, column=term.node.column)
            case "transpose":
                return self.entry(term.operands[0], (columns, rows))
            case "diagonal matrix":
                (vector,) = term.operands
                return self.entry(vector, (rows, None) if vector.shape[1] is None else (None, rows))
            case "diagonal":
                return self.entry(term.operands[0], (rows, rows))
            case "inv":
                return t.Entry(self.call(term), (rows or ONE, columns or ONE))
            case "det" | "logdet":
                return self.call(term)
        return self.reduction(term, rows)

    def call(self, term: Term) -> t.Apply:
        """A function of a whole matrix, which has a name."""
        place = {"line": term.node.line, "column": term.node.column}
        return t.Apply(term.operation, (t.Name(self.writer.name_of(term.operands[0]), **place),), False, **place)

    def reduction(self, term: Term, kept: t.Name | None) -> t.Expression:
        """Sums over entries."""
        (operand,) = term.operands
        rows, columns = operand.shape
        match term.operation:
            case "trace":
                letter = self.letter(rows)
                return self.total(operand, (letter, letter), (letter,))
            case "rows":
                letter = self.letter(rows)
                return self.total(operand, (letter, kept), (letter,))
            case "columns":
                letter = self.letter(columns)
                return self.total(operand, (kept, letter), (letter,))
        letters = self.letter(rows), self.letter(columns)
        match term.operation:
            case "total":
                return self.total(operand, letters, letters)
            case "norm1":
                return self.reduce(letters, t.Apply("abs", (self.entry(operand, letters),)))
            case "squares":
                return self.reduce(letters, t.Power(self.entry(operand, letters), TWO))
            case "norm2":
                return t.Apply("sqrt", (self.reduce(letters, t.Power(self.entry(operand, letters), TWO)),))
        raise TypeError(f"{term.operation} is no operation on matrices")

    def total(self, term: Term, at: At, closed: Sequence[t.Name | None]) -> t.Expression:
        """The sum of entries over some of their letters, addend by addend where one of them is a sum itself."""
        if term.operation == "sum" and (len(term.operands) == 1 or any(map(_contracts, term.operands))):
            made = []
            for sign, operand in zip(term.signs, term.operands, strict=True):
                self.active |= {x.name: size for x, size in zip(at, term.shape, strict=True) if x and size}
                made.append((sign, self.total(operand, at, closed)))
            return add(made)
        if term.operation == "transpose":
            return self.total(term.operands[0], (at[1], at[0]), closed)
        if term.is_scalar:
            return self.reduce(closed, self.entry(term))
        return self.contract(self.decompose(term), at, closed)

    # Products.

    def decompose(self, term: Term, flipped: bool = False) -> _Chain:
        """A term as a product of what is no product itself."""
        match term.operation:
            case "product":
                return self._flip(self._join(term.operands), flipped)
            case "matrix power":
                return self._flip(self._join(self.factors(term)), flipped)
        if term.is_scalar:
            return _Chain(scalars=(("*", term),))
        match term.operation:
            case "transpose":
                return self.decompose(term.operands[0], not flipped)
            case "sum" if term.signs == ("-",):
                return _Chain(-1).joined(self.decompose(term.operands[0], flipped))
            case "entrywise" if term.operands[1].is_scalar:
                return self.decompose(term.operands[0], flipped).joined(
                    _Chain(scalars=((term.signs[0], term.operands[1]),))
                )
            case "entrywise" if term.operands[0].is_scalar and term.signs == ("*",):
                return _Chain(scalars=(("*", term.operands[0]),)).joined(self.decompose(term.operands[1], flipped))
        return _Chain(matrices=((term, flipped),))

    def _flip(self, chain: _Chain, flipped: bool) -> _Chain:
        if not flipped:
            return chain
        return replace(chain, matrices=tuple((term, not turned) for term, turned in reversed(chain.matrices)))

    def _join(self, factors: Sequence[Term]) -> _Chain:
        """Factors from the left, those that are products taken apart."""
        chain = _Chain()
        for factor in factors:
            chain = chain.joined(_Chain(scalars=(("*", factor),)) if factor.is_scalar else self.decompose(factor))
        return chain

    def factors(self, term: Term) -> tuple[Term, ...]:
        """The factors of an integer power of a matrix: a few of it, or the square of a power that has a name."""
        (base,), times = term.operands, integer_of(replace(term, operation="number")) or 0
        if term.signs:
            base = Term("inv", base.shape, (base,), node=term.node)
        if times == 0:
            return (Term("eye", base.shape, node=term.node),)
        if times <= FEW:
            return (base,) * times
        half = replace(term, value=t.Number(Fraction(times // 2)))
        named = Term("tensor", base.shape, name=self.writer.name_of(half), node=term.node)
        return (named, named, *((base,) if times % 2 else ()))

    def contract(self, chain: _Chain, at: At, closed: Sequence[t.Name | None] = ()) -> t.Expression:
        """An entry of a product, or its sum over the letters in `closed`."""
        wide = next((k for k, (m, _) in enumerate(chain.matrices) if _has_diagonal_part(m)), None)
        if wide is not None and (len(chain.matrices) > 1 or closed):
            return self._distribute(chain, wide, at, closed)
        places, bound = self._letters(chain, at, closed)
        factors = [
            ("*", self.entry(matrix, (right, left) if turned else (left, right)))
            for (matrix, turned), left, right in zip(chain.matrices, places, places[1:], strict=False)
        ]
        total = self.reduce(bound, multiply(factors))
        before = [("*", self.entry(term)) for sign, term in chain.scalars if sign == "*"]
        after = [(sign, self.entry(term)) for sign, term in chain.scalars if sign == "/"]
        value = multiply([*before, ("*", total), *after])
        return add([("-", value)]) if chain.sign < 0 else value

    def _letters(
        self, chain: _Chain, at: At, closed: Sequence[t.Name | None]
    ) -> tuple[list[t.Name | None], list[t.Name | None]]:
        """The letters before, between and behind the factors, and those to sum over; diagonal factors join theirs."""
        group = [0]
        for matrix, _ in chain.matrices:
            group.append(group[-1] + (not is_diagonal(matrix)))
        first, last = at
        bound = [letter for letter in closed if letter is not None]
        if group[-1] == 0 and first is not None and last is not None and last != first:  # all factors are diagonal
            if first not in bound and last not in bound:
                return [first, *[last] * len(chain.matrices)], []
            summed, left = (last, first) if last in bound else (first, last)
            bound.remove(summed)
            del self.active[summed.name]
            first = last = left
        known = {0: first, group[-1]: last}
        for place, (matrix, turned) in enumerate(chain.matrices, 1):
            if group[place] not in known:
                letter = known[group[place]] = self.letter(matrix.shape[0 if turned else 1])
                bound += [letter] if letter is not None else []
        places = [known[number] for number in group]
        return places, sorted(bound, key=places.index)

    def _distribute(self, chain: _Chain, place: int, at: At, closed: Sequence[t.Name | None]) -> t.Expression:
        """A product with a sum that has a diagonal part, addend by addend: (A + c*eye(N))*x is A*x + c*x."""
        wide, turned = chain.matrices[place]
        made = []
        kept = dict(self.active)
        for sign, addend in zip(wide.signs, wide.operands, strict=True):
            self.active = dict(kept)
            part = self.decompose(addend, turned)
            matrices = (*chain.matrices[:place], *part.matrices, *chain.matrices[place + 1 :])
            whole = _Chain(chain.sign * part.sign, (*chain.scalars, *part.scalars), matrices)
            made.append((sign, self.contract(whole, at, closed)))
        return add(made)


def fill_rest(read: t.Access, letters: Sequence[t.Expression]) -> t.Access:
    """The entry at some letters of what is left of a tensor: W[i,j] of W[i,:] at j."""
    waiting = iter(letters)
    indices = tuple(next(waiting) if index == t.Name(REST) else index for index in read.indices)
    return replace(read, indices=indices)


def is_diagonal(term: Term) -> bool:
    """Whether a matrix is zero off its diagonal by the way it is written."""
    matrices = [operand for operand in term.operands if not operand.is_scalar]
    match term.operation:
        case "eye" | "diagonal matrix":
            return True
        case "transpose" | "matrix power":
            return is_diagonal(term.operands[0]) and not term.signs
        case "sum" | "product":
            full = term.operation == "product" or len(matrices) == len(term.operands)
            return not term.is_scalar and full and all(map(is_diagonal, matrices))
        case "entrywise":
            places = term.operands[:1] if term.signs == ("/",) else term.operands
            return any(map(is_diagonal, places)) and (term.signs == ("*",) or term.operands[1].is_scalar)
    return False


def _has_diagonal_part(term: Term) -> bool:
    """Whether a matrix is a sum of matrices, some of them diagonal."""
    full = not any(operand.is_scalar for operand in term.operands)
    return term.operation == "sum" and full and any(map(is_diagonal, term.operands)) and not is_diagonal(term)


def _contracts(term: Term) -> bool:
    """Whether an entry of a term is a sum over something, so that a sum of entries is better taken addend by addend."""
    matrices = [operand for operand in term.operands if not operand.is_scalar]
    if term.operation in ("product", "matrix power"):
        return not term.is_scalar and (
            len(matrices) > 1 or term.operation == "matrix power" or any(map(_contracts, matrices))
        )
    return term.operation in ("transpose", "sum", "entrywise") and any(map(_contracts, matrices))


def _head_index(binder: t.Binder) -> t.Name | t.Binder:
    return t.Name(binder.name) if binder.range is None else binder
