r"""Matrices of zeros and ones that conditions on indices make: one-hot matrices, masks, shifts.

A gather E[tok[n], d] is the product of the one-hot matrix T_{nv} = [tok_n = v] with E, a read h[t-1, j] that of a
shift with h, and where(u <= t, a, 0) the Hadamard product of a mask with a, if a is finite whatever is read. Each such
matrix has a name, and a line that says what it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from symbackprop.calculus.indices import choose_name
from symbackprop.calculus.tensors import Tensor
from symbackprop.functions import FUNCTION_BY_NAME
from symbackprop.language.phrasing import affine_tree
from symbackprop.language.reader import read_expression
from symbackprop.language.substitution import substitute_names
from symbackprop.language.tree import (
    OPPOSITE,
    Access,
    Apply,
    Binder,
    Chain,
    Compare,
    Condition,
    Expression,
    Name,
    Negate,
    Node,
    Number,
    Power,
    Reduce,
    Where,
    map_children,
    walk,
)  # fmt: skip
from symbackprop.language.writer import write_tree
from symbackprop.notation.writing.addends import deltas_of
from symbackprop.notation.writing.conditions import MIRRORED, find_range, is_index_condition, is_zero
from symbackprop.notation.writing.contraction import NoMatrixForm
from symbackprop.notation.writing.index_latex import IndexWriter
from symbackprop.notation.writing.matrices import Matrix, of_symbol
from symbackprop.notation.writing.names import Names, Symbol, join_indices, small_symbol

LETTERS = {"one-hot": ("T", "J", r"\Pi", r"\Omega"), "shift": ("S", "R", r"\Sigma"), "mask": ("M", "G", r"\Lambda"),
           "vector": ("m", "r", r"\mu")}  # fmt: skip
ONE, ZERO = Number(Fraction(1), "1"), Number(Fraction(0), "0")


@dataclass(frozen=True, slots=True)
class Mask:
    """A named matrix or vector of zeros and ones: 1 where `condition` holds between `letters`, up to `sizes`."""

    symbol: Symbol
    kind: str
    condition: Condition
    letters: tuple[str, ...]
    sizes: tuple[str, ...]

    def equation(self, writer: IndexWriter) -> tuple[str, str, str]:
        """Its left side, its right side, and what is said behind them: of a one-hot matrix what data it is of, of any
        other how far its rows and columns go."""
        letters = [small_symbol(letter) for letter in self.letters]
        left, right = self.symbol.write(join_indices(letters)), f"[{writer.conditions([self.condition])}]"
        data = next((n for n, _ in walk(self.condition) if isinstance(n, Access)), None)
        if self.kind == "one-hot" and data is not None and all(isinstance(index, Name) for index in data.indices):
            name = data.name.replace("_", r"\_")
            return left, right, rf"\quad\text{{(the one-hot matrix of {name})}}"
        ends = (writer.index(read_expression(size)) for size in self.sizes)
        extents = r",\ ".join(rf"1 \le {letter} \le {end}" for letter, end in zip(letters, ends, strict=True))
        return left, right, rf"\quad ({extents})"


@dataclass(slots=True)
class Masks:
    """The matrices of zeros and ones that a set of equations needs, each named when it is first met."""

    names: Names
    sizes: frozenset[str] = frozenset()
    made: dict[tuple[str, ...], Mask] = field(default_factory=dict)

    def piece(self, condition: Condition, shape: Sequence[str], ranges: Mapping[str, str]) -> Matrix:
        """The matrix of a condition with these row and column letters."""
        letters = tuple(shape)
        if any(letter not in ranges for letter in letters):
            raise NoMatrixForm("an index of several ranges has no mask")
        for order in dict.fromkeys((letters, letters[::-1])):
            key = _key(condition, order, ranges)
            if key in self.made:
                return of_symbol(self.made[key].symbol, order != letters)
        kind = _kind(condition, letters, self.names.tensors)
        if kind == "one-hot":  # its rows are those of the data
            letters = tuple(sorted(letters, key=lambda x: Name(x) in _sides(condition)))
        mask = Mask(self._free(kind), kind, condition, letters, tuple(ranges[letter] for letter in letters))
        self.made[_key(condition, letters, ranges)] = mask
        return of_symbol(mask.symbol, letters != tuple(shape))

    def _free(self, kind: str) -> Symbol:
        taken = {s.write() for s in (*self.names.symbols.values(), *self.names.capitals.values())} | self.sizes
        taken |= {m.symbol.write() for m in self.made.values()}
        found = next((letter for letter in LETTERS[kind] if letter not in taken), None)
        if found is None:
            raise NoMatrixForm("no letter is left for a mask")
        return Symbol(found)


def _sides(condition: Condition) -> tuple[Expression, ...]:
    return (condition.left, condition.right) if isinstance(condition, Compare) else ()


def _key(condition: Condition, letters: Sequence[str], ranges: Mapping[str, str]) -> tuple[str, ...]:
    """What tells a mask from others, whatever its letters are called."""
    chosen = substitute_names(Where(condition, ONE, ZERO), {x: Name(f"_{k}") for k, x in enumerate(letters)})
    renamed = chosen.condition if isinstance(chosen, Where) else condition
    text = write_tree(renamed)
    if isinstance(renamed, Compare):
        other = Compare(MIRRORED[renamed.operator], renamed.right, renamed.left)
        text = min(text, write_tree(other))
    return (text, *(ranges[x] for x in letters))


def _kind(condition: Condition, letters: Sequence[str], tensors: Mapping[str, Tensor]) -> str:
    if len(letters) == 1:
        return "vector"
    sides = _sides(condition)
    if not isinstance(condition, Compare) or condition.operator != "==":
        return "mask"
    if any(isinstance(side, Access) for side in sides) and any(isinstance(side, Name) for side in sides):
        return "one-hot"
    return "shift"


def is_mask(condition: Condition, tensors: Mapping[str, Tensor]) -> bool:
    """Whether a condition speaks of indices, sizes and integer data that are given, so that it makes a matrix."""
    computed = any(isinstance(node, Reduce) for node, _ in walk(condition))
    return not computed and is_index_condition(condition, tensors)


def is_delta(condition: Condition) -> bool:
    """Whether a condition says that indices are equal and nothing else."""
    return bool(deltas_of(condition))


def find_ranges(tree: Expression, known: Mapping[str, str], tensors: Mapping[str, Tensor]) -> dict[str, str]:
    """The range of every index of a formula, as a text; an index of several ranges is left out."""
    found: dict[str, set[str]] = {name: {size} for name, size in known.items()}
    for node, _ in walk(tree):
        if isinstance(node, Reduce):
            for binder in node.binders:
                size = find_range(binder, node.body, tensors)
                found.setdefault(binder.name, set()).add("" if size is None else write_tree(size))
    return {name: next(iter(sizes)) for name, sizes in found.items() if len(sizes) == 1}


@dataclass(slots=True)
class Opener:
    """Writes reads at something else than plain indices, and choices by indices, as sums and products with masks."""

    tensors: Mapping[str, Tensor]
    taken: set[str]

    def open(self, node: Expression) -> Expression:
        """The formula with masks as factors of their own."""
        changed = self._open(node)
        if not isinstance(changed, Expression):
            raise TypeError(f"{type(changed).__name__} is no formula")
        return changed

    def _open(self, node: Node) -> Node:
        if isinstance(node, Access):
            return self._read(node)
        if isinstance(node, Where) and is_mask(node.condition, self.tensors):
            return self._choice(node)
        if isinstance(node, Condition):
            return node
        return map_children(node, self._open)

    def _read(self, node: Access) -> Expression:
        tensor = self.tensors.get(node.name)
        odd = [k for k, index in enumerate(node.indices) if not isinstance(index, Name)]
        if tensor is None or tensor.range is not None or tensor.bases or not odd or len(node.indices) > 2:
            return node
        masks: list[Expression] = []
        binders: list[Binder] = []
        indices = list(node.indices)
        for k in odd:
            index = indices[k]
            if not isinstance(index, Expression) or isinstance(index, Number):
                return node
            letter = choose_name("v", self.taken)
            self.taken.add(letter)
            binders.append(Binder(letter, affine_tree(tensor.axes[k])))
            masks.append(Where(Compare("==", index, Name(letter)), ONE, ZERO))
            indices[k] = Name(letter)
        return Reduce("sum", tuple(binders), Chain((*masks, Access(node.name, tuple(indices))), ("*",) * len(masks)))

    def _choice(self, node: Where) -> Node:
        if is_zero(node.then) and isinstance(node.condition, Compare):
            condition = replace(node.condition, operator=OPPOSITE[node.condition.operator])
            node = Where(condition, node.otherwise, ZERO)
        node = replace(node, condition=_solved(node.condition))
        then, otherwise = self.open(node.then), self.open(node.otherwise)
        if is_delta(node.condition) and is_zero(node.otherwise):
            return Where(node.condition, then, otherwise)
        if not (is_total(then, self.tensors) and is_total(otherwise, self.tensors)):
            return Where(node.condition, then, otherwise)
        mask = Where(node.condition, ONE, ZERO)
        chosen = mask if then == ONE else Chain((mask, then), ("*",))
        if is_zero(otherwise):
            return chosen
        return Chain((chosen, Chain((Chain((ONE, mask), ("-",)), otherwise), ("*",))), ("+",))


def _solved(condition: Condition) -> Condition:
    """a - b = 0 as a = b."""
    match condition:
        case Compare(operator, Chain((left, right), ("-",)), Number(value)) if not value:
            return Compare(operator, left, right)
    return condition


def is_total(tree: Expression, tensors: Mapping[str, Tensor]) -> bool:
    """Whether a formula has a value whatever its tensors hold; a size is no divisor that could be zero."""
    match tree:
        case Number() | Name() | Access():
            return True
        case Negate(operand):
            return is_total(operand, tensors)
        case Chain(operands, operators):
            divisors = [o for o, operator in zip(operands[1:], operators, strict=True) if operator == "/"]
            return all(is_total(o, tensors) for o in operands) and all(_is_nonzero(d, tensors) for d in divisors)
        case Power(base, Number(exponent)):
            return is_total(base, tensors) and exponent.denominator == 1 and exponent >= 0
        case Reduce(_, _, body):
            return is_total(body, tensors)
        case Where(_, then, otherwise):
            return is_total(then, tensors) and is_total(otherwise, tensors)
        case Apply(function, arguments, _) if function in FUNCTION_BY_NAME:
            known = FUNCTION_BY_NAME[function]
            everywhere = known.domain is None and known.denominator is None
            return everywhere and all(is_total(a, tensors) for a in arguments)
    return False


def _is_nonzero(tree: Expression, tensors: Mapping[str, Tensor]) -> bool:
    if isinstance(tree, Number):
        return tree.value != 0
    return isinstance(tree, Name) and tree.name not in tensors
