"""What is known of functions of matrices without computing them: (A*B)^-1 = B^-1 * A^-1, det(A*B) = det(A)*det(B).

Where a function of a matrix is given these ways, two formulas of which one knows the product and the other its factors
are one polynomial. A product that has an inverse is one of square matrices only if each of them has one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import sympy

from symbackprop.calculus.axioms import call_matrix
from symbackprop.calculus.definitions import Definition, Term, slot_symbol, used_slots
from symbackprop.calculus.indices import Affine, Index, choose_name
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Read, Role, Slot, Tensor, slot_indices


@dataclass(frozen=True, slots=True)
class Factor:
    """A square matrix in a product."""

    tensor: Tensor
    transposed: bool


def open_products(program: Program) -> Program:
    """The program with inverses and determinants of products of square matrices made of those of the factors.

    >>> A, M, Y = (Tensor(name, (Affine.of("N"),) * 2, Role.DEFINED) for name in ("A", "M", "Y"))
    >>> i, j = M.indices("ij")
    >>> mirrored = Definition(M, (i, j), (Term((), slot_symbol(0), (Read(A, (Affine.of(j), Affine.of(i))),)),))
    >>> opened = open_products(Program((A,), (mirrored, call_matrix("inv", Y, Y.indices("ij"), M, None))))
    >>> [(d.tensor.name, d.uses()) for d in opened.definitions]
    [('M', ('A',)), ('A_inv', ('A',)), ('Y', ('A_inv',))]
    """
    if not any(d.call for d in program.definitions):
        return program
    opener = _Opener(program)
    for definition in program.definitions:
        opener.add(definition)
    return replace(program, definitions=tuple(opener.made.values()))


def with_determinants(program: Program, matrices: Iterable[Tensor]) -> tuple[Program, tuple[Tensor, ...]]:
    """The program with the determinants of some of its matrices, those of products by those of the factors.

    >>> A = Tensor("A", (Affine.of("N"),) * 2, Role.PARAM)
    >>> [tensor.name for tensor in with_determinants(Program((A,), ()), [A])[1]]
    ['A_det']
    """
    opener = _Opener(program)
    for definition in program.definitions:
        opener.add(definition)
    found = tuple(opener.function("det", matrix) for matrix in matrices)
    own = {d.tensor.name: d for d in program.definitions if d.call is None or d.call.axiom != "det"}
    definitions = tuple(own.get(name, definition) for name, definition in opener.made.items())
    return replace(program, definitions=definitions), found


@dataclass(slots=True)
class _Opener:
    """Goes through the definitions of a program; `made` are those of the new one."""

    program: Program
    made: dict[str, Definition] = field(default_factory=dict)
    known: dict[tuple[str, str], Tensor] = field(default_factory=dict)
    """The tensors that hold functions of matrices, by the axiom and the name of the matrix."""

    def add(self, definition: Definition) -> None:
        """Take a definition over, opened if it is a function of a product."""
        call = definition.call
        opened = None if call is None else self._open(definition)
        self.made[definition.tensor.name] = opened or definition
        if call is not None:
            self.known.setdefault((call.axiom, call.operand.name), definition.tensor)

    def _open(self, definition: Definition) -> Definition | None:
        """A function of a product by those of its factors."""
        call = definition.call
        operand = self.made.get(call.operand.name) if call is not None else None
        if call is None or operand is None:
            return None
        inverted = self._inverted(call.operand) is not None
        product = ((Factor(call.operand, False),), sympy.S.One, ()) if inverted else factors_of(operand)
        if product is None:
            return None
        factors, scalar, slots = product
        if call.axiom == "inv":
            turned = [Factor(self.function("inv", f.tensor), f.transposed) for f in reversed(factors)]
            return _product(definition, turned, 1 / scalar, slots)
        if scalar != 1:  # det(c*A) is a power of c that is the size of A
            return None
        values, parts = [], []
        for number, factor in enumerate(factors):
            inner = self._inverted(factor.tensor)
            values.append(Read(self.function(call.axiom, factor.tensor if inner is None else inner), ()))
            sign = 1 if inner is None else -1
            parts.append(slot_symbol(number) ** sign if call.axiom == "det" else sign * slot_symbol(number))
        body = sympy.Mul(*parts) if call.axiom == "det" else sympy.Add(*parts)
        return replace(definition, terms=(Term((), body, tuple(values)),), call=None)

    def _inverted(self, matrix: Tensor) -> Tensor | None:
        """The matrix whose inverse this one is."""
        definition = self.made.get(matrix.name)
        call = definition.call if definition is not None else None
        return call.operand if call is not None and call.axiom == "inv" else None

    def function(self, axiom: str, matrix: Tensor) -> Tensor:
        """The tensor that holds a function of a matrix, made now if there is none; the inverse of an inverse is what
        that is of."""
        inner = self._inverted(matrix) if axiom == "inv" else None
        if inner is not None:
            return inner
        if (axiom, matrix.name) not in self.known:
            inverse = None if axiom == "inv" else self.function("inv", matrix)
            taken = {*self.program.tensors(), *self.made}
            axes = matrix.axes if axiom == "inv" else ()
            tensor = Tensor(choose_name(f"{matrix.name}_{axiom}", taken), axes, Role.HIDDEN)
            self.add(call_matrix(axiom, tensor, tensor.indices("ij"[: len(axes)]), matrix, inverse))
        return self.known[axiom, matrix.name]


def factors_of(definition: Definition) -> tuple[tuple[Factor, ...], sympy.Expr, tuple[Slot, ...]] | None:
    """The square matrices, all of one size, whose product a definition is, and the scalar before it with its slots;
    None where it is none."""
    if not definition.is_sum or len(definition.terms) != 1 or len(definition.indices) != 2:
        return None
    (term,) = definition.terms
    scalars, left = [], []
    for part in sympy.Mul.make_args(term.body):
        slots = [term.slots[k] for k in sorted(used_slots(part))]
        if not any(slot_indices(slot) for slot in slots):
            scalars.append(part)
        elif part.is_Symbol:
            left += slots
        else:
            return None
    first, last = definition.indices
    found: list[Factor] = []
    met: list[Index] = []
    at: Index = first
    while left:
        slot = next((slot for slot in left if _step(slot, at) is not None), None)
        step = None if slot is None else _step(slot, at)
        if slot is None or step is None or step[0].tensor.axes != definition.tensor.axes:
            return None
        left.remove(slot)
        found.append(step[0])
        at = step[1]
        met.append(at)
    once = set(met[:-1]) == set(term.bound) and len(set(met)) == len(met)
    return (tuple(found), sympy.Mul(*scalars), term.slots) if at == last and once and not term.guards else None


def _step(slot: object, at: Index) -> tuple[Factor, Index] | None:
    """The matrix that a slot reads and its other index, where one of them is `at`."""
    if not isinstance(slot, Read) or len(slot.at) != 2:
        return None
    row, column = (form.index for form in slot.at)
    if row is None or column is None or row == column or at not in (row, column):
        return None
    ranges = zip((row, column), slot.tensor.axes, strict=True)
    if slot.tensor.bases or any((i.start, i.size) != (1, size) for i, size in ranges):
        return None
    return Factor(slot.tensor, at == column), column if at == row else row


def _product(definition: Definition, factors: list[Factor], scalar: sympy.Expr, slots: tuple[Slot, ...]) -> Definition:
    """A matrix as a scalar over slots times a product of matrices."""
    first, last = definition.indices
    between: list[Index] = []
    for _ in factors[1:]:
        taken = {i.name for i in (first, last, *between)}
        between.append(first.renamed(choose_name("k", taken)))
    places = [Affine.of(i) for i in (first, *between, last)]
    reads = [
        Read(f.tensor, (right, left) if f.transposed else (left, right))
        for f, left, right in zip(factors, places, places[1:], strict=False)
    ]
    used = sorted(used_slots(scalar))
    before = scalar.xreplace({slot_symbol(k): slot_symbol(n) for n, k in enumerate(used)})
    body = sympy.Mul(before, *(slot_symbol(k) for k in range(len(used), len(used) + len(reads))))
    return replace(definition, terms=(Term(tuple(between), body, (*(slots[k] for k in used), *reads)),), call=None)


def share_functions(program: Program, same: Callable[[Definition, Definition], bool]) -> Program:
    """The program with one function for equal matrices, and for a matrix and its transpose.

    `same` says whether two definitions of matrices are equal.
    """
    first: dict[str, list[Definition]] = {}
    made: dict[str, Definition] = {}
    for definition in program.definitions:
        made[definition.tensor.name] = definition
        call = definition.call
        if call is None or call.operand.name not in made:
            continue
        matrix = made[call.operand.name]
        for earlier in first.setdefault(call.axiom, []):
            other = made[earlier.call.operand.name] if earlier.call is not None else matrix
            flips = [flip for flip in (False, True) if same(matrix, transpose(other) if flip else other)]
            if flips and matrix.is_sum and other.is_sum:
                places = tuple(map(Affine.of, definition.indices))
                read = Read(earlier.tensor, places[::-1] if flips[0] else places)
                term = Term((), slot_symbol(0), (read,))
                made[definition.tensor.name] = replace(definition, terms=(term,), call=None)
                break
        else:
            first[call.axiom].append(definition)
    return replace(program, definitions=tuple(made.values()))


def transpose(definition: Definition) -> Definition:
    """A matrix with its rows as columns: the same terms under exchanged indices."""
    return replace(definition, indices=definition.indices[::-1])
