r"""What stands below and above a sum: the indices that it binds, their ranges, and conditions on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace
from typing import Any, Protocol

from symbackprop.calculus.indices import Affine
from symbackprop.calculus.tensors import Tensor
from symbackprop.errors import FormulaError
from symbackprop.language import tree as t
from symbackprop.language.index_forms import read_size
from symbackprop.language.phrasing import affine_tree
from symbackprop.language.symbols import reads_alone
from symbackprop.language.wording import fail
from symbackprop.notation.reading.conditions import read_conditions
from symbackprop.notation.reading.entries import parts_below
from symbackprop.notation.reading.factors import Factor
from symbackprop.notation.reading.syntax import (
    Beside,
    Group,
    Numeral,
    Relation,
    Scripts,
    Such,
    Sum,
    Symbol,
    Syntax,
    bare,
    write_syntax,
)  # fmt: skip


class Reader(Protocol):
    """What reads the ends of a sum."""

    @property
    def letters(self) -> frozenset[str]:
        """The indices in scope."""

    def index(self, node: Syntax) -> t.Expression:
        """An index."""

    def binding(self, names: Iterable[str]) -> Reader:
        """The reader inside a sum over indices of these names."""

    def read(self, node: Syntax) -> Any:
        """A formula."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a sum binds, and under which conditions it takes an addend."""

    binders: tuple[t.Binder, ...]
    conditions: tuple[t.Condition, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The letters."""
        return tuple(binder.name for binder in self.binders)


def read_bounds(scripts: Scripts, reader: Reader) -> Bounds:
    r"""The bounds of \sum_{i}, \sum_{i=1}^{N}, \sum_{n,k}, \sum_{j \neq i}, \sum_{1 \le j \le N}, \sum_{n : y_n = k}.

    A comparison beside other parts is a condition, unless its left side is a letter that nothing binds yet.
    """
    below = scripts.below
    if below is None:
        raise fail(scripts, f"`{write_syntax(scripts)}`", "an index below")
    such = bare(below)
    parts = such.parts if isinstance(such, Such) else _parts(below)
    held = list(such.conditions) if isinstance(such, Such) else []
    upper = bare(scripts.above) if scripts.above is not None else None
    counted = [part for part in map(bare, parts) if isinstance(part, Relation) and part.operators == ("=",)]
    if len(parts) > 1 and upper is not None and len(counted) != 1:
        raise fail(scripts, "one upper bound for several indices", "one sum for each index")
    binders: list[t.Binder] = []
    conditions: list[t.Condition] = []
    for part in parts:
        above = upper if len(parts) == 1 or bare(part) in counted else None
        if len(parts) > 1 and above is None and _is_condition(part, reader.letters | {b.name for b in binders}):
            held.append(part)
            continue
        found = _read_part(part, above, reader, {b.name for b in binders})
        binders += found.binders
        conditions += found.conditions
    if not binders:
        raise fail(scripts, f"`{write_syntax(scripts)}` without an index", "the letter that it runs over")
    inside = reader.binding(b.name for b in binders)
    conditions += [condition for part in held for condition in read_conditions(part, inside)]
    return Bounds(tuple(binders), tuple(conditions))


def join_signed(node: Sum) -> Sum:
    r"""Addends with a lone sign of a sum joined to the minus behind it: \sum_i -2x_i is \sum_i (-2x_i)."""
    made: list[Syntax] = []
    kept: list[str] = []
    for sign, part in zip(node.signs, node.parts, strict=True):
        last = bare(made[-1]) if made else None
        row = last.parts if isinstance(last, Beside) else (last,) if last is not None else ()
        summed = bare(row[-1]) if row else None
        if sign == "-" and isinstance(summed, Scripts) and summed.base == Symbol(r"\sum"):
            place = {"line": part.line, "column": part.column}
            group = Group("(", (Sum((part,), ("-",), **place),), **place)
            made[-1] = Beside((*row, group), line=row[0].line, column=row[0].column)
            continue
        made.append(part)
        kept.append(sign)
    return replace(node, parts=tuple(made), signs=tuple(kept))


def joined_extreme(body: tuple[Factor, ...], node: Syntax) -> tuple[str, Scripts, tuple[Factor, ...]]:
    r"""The one sign that \arg and the \max or \min behind it are, what it runs over, and what it is taken of."""
    extreme = bare(body[0].node) if body and not body[0].sign else None
    base = extreme.base if isinstance(extreme, Scripts) else None
    if not isinstance(extreme, Scripts) or base not in (Symbol(r"\max"), Symbol(r"\min")):
        raise fail(node, r"`\arg` by itself", r"\arg\max_{i} or \arg\min_{i}")
    return "argmax" if base == Symbol(r"\max") else "argmin", extreme, body[1:]


def _parts(below: Syntax) -> tuple[Syntax, ...]:
    parts = parts_below(below)
    first = parts[0]
    if len(parts) == 1 and isinstance(first, Beside) and all(isinstance(bare(p), Symbol) for p in first.parts):
        return first.parts
    return parts


def _is_condition(part: Syntax, known: Set[str]) -> bool:
    """Whether a part is a comparison of something else than a letter that it binds."""
    node = bare(part)
    if not isinstance(node, Relation):
        return False
    ranged = len(node.parts) == 3 and set(node.operators) <= {"<=", "<"}
    try:
        return _binder(node.parts[1 if ranged else 0]).name in known
    except FormulaError:
        return True


def _read_part(part: Syntax, upper: Syntax | None, reader: Reader, known: set[str]) -> Bounds:
    """One index with its bounds; `known` are those that are bound before it."""
    node = bare(part)
    place = {"line": node.line, "column": node.column}
    if not isinstance(node, Relation):
        return _bounded(_binder(node), None, upper, reader)
    if len(node.parts) == 2 and node.operators == ("=",):
        name = _binder(node.parts[0])
        return _bounded(name, node.parts[1], upper, reader)
    if len(node.parts) == 3 and set(node.operators) <= {"<=", "<"} and upper is None:
        low, letter, high = node.parts
        if node.operators == ("<=", "<="):
            return _bounded(_binder(letter), low, high, reader)
        raise fail(node, f"`{write_syntax(node)}`", r"1 \le i \le N")
    if len(node.parts) != 2 or node.operators[0] not in ("<", "<=", ">", ">=", "!="):
        raise fail(node, f"`{write_syntax(node)}` below a sum", r"an index such as i, i=1 or j \neq i")
    name = _binder(node.parts[0])
    other = reader.index(node.parts[1])
    scope = reader.letters | known
    unknown = [n.name for n, _ in t.walk(other) if isinstance(n, t.Name) and n.name not in scope]
    if unknown and unknown[0].islower():
        raise fail(node, f"the letter {unknown[0]} below a sum that binds {name.name}", "an index that is bound before",
                   "put the indices that are summed before the condition: i, j, i < j")  # fmt: skip
    condition = t.Compare(node.operators[0], t.Name(name.name, **place), other, **place)
    if upper is not None:
        raise fail(node, "an upper bound above a condition", "one of the two")
    return Bounds((name,), (condition,))


def _binder(node: Syntax) -> t.Binder:
    inner = bare(node)
    primes = 0
    if isinstance(inner, Scripts) and inner.below is None and inner.above is None:
        primes, inner = inner.primes, bare(inner.base)
    if not isinstance(inner, Symbol) or inner.accents or inner.font or (len(inner.name) > 1 and inner.name[0] != "\\"):
        raise fail(node, f"`{write_syntax(node)}` below a sum", "the letter of an index")
    return t.Binder(inner.name.removeprefix("\\") + "_prime" * primes, line=node.line, column=node.column)


def _bounded(binder: t.Binder, lower: Syntax | None, upper: Syntax | None, reader: Reader) -> Bounds:
    """An index that runs from a lower bound, 1 if none is written, to an upper one."""
    place = {"line": binder.line, "column": binder.column}
    letter = t.Name(binder.name, **place)
    conditions: list[t.Condition] = []
    if lower is not None and not (isinstance(bare(lower), Numeral) and write_syntax(bare(lower)) == "1"):
        conditions.append(_from(letter, lower, reader))
    size: t.Expression | None = None
    if upper is not None:
        end = reader.index(upper)
        if any(isinstance(n, t.Name) and n.name in reader.letters for n, _ in t.walk(end)):
            conditions.append(t.Compare("<=", letter, end, **place))
        else:
            size = end
    return Bounds((t.Binder(binder.name, size, **place),), tuple(conditions))


def _from(letter: t.Name, lower: Syntax, reader: Reader) -> t.Condition:
    start = reader.index(lower)
    if isinstance(start, t.Number) and start.value < 1:
        raise _zero(lower, letter.name)
    return t.Compare(">=", letter, start, line=letter.line, column=letter.column)


def _zero(lower: Syntax, name: str) -> FormulaError:
    return fail(lower, f"a sum over {name} from {write_syntax(bare(lower))}", "a sum from 1",
                "indices count from 1 here, so entries counted from 0 are other entries")  # fmt: skip


def end_early(bounds: Bounds, body: t.Expression, tensors: Mapping[str, Tensor]) -> Bounds:
    """Bounds of which none is a number less than the axis that its index runs over: a sum to N - 1 over an axis of N
    takes the addends up to N - 1.
    """
    binders: list[t.Binder] = []
    conditions = list(bounds.conditions)
    for binder in bounds.binders:
        axes = {
            tensors[read.name].axes[place]
            for read, place in reads_alone(binder.name, [body])
            if read.name in tensors and place < len(tensors[read.name].axes)
        }
        missing = (axes.pop() - read_size(binder.range)).integer if binder.range is not None and len(axes) == 1 else 0
        if binder.range is not None and missing is not None and missing > 0:
            letter = t.Name(binder.name, line=binder.line, column=binder.column)
            conditions.append(t.Compare("<=", letter, binder.range, line=binder.line, column=binder.column))
            binder = replace(binder, range=None)
        binders.append(binder)
    return Bounds(tuple(binders), tuple(conditions))


def end_at_letter(
    bounds: Bounds, body: t.Expression, tensors: Mapping[str, Tensor], ranges: Mapping[str, set[Affine]]
) -> Bounds:
    r"""Bounds of which an index that stands alone on no axis runs as far as the letter above its sum does.

    Of \sum_{k=1}^{t} a^{t-k} h_{k-1} the condition k \le t takes the addends, and k runs over the range of t.
    """
    binders: list[t.Binder] = []
    for binder in bounds.binders:
        alone = any(read.name in tensors for read, _ in reads_alone(binder.name, [body]))
        if binder.range is None and not alone and tensors:
            ends = [c.right for c in bounds.conditions if isinstance(c, t.Compare) and _is_end(c, binder.name)]
            letters = [n.name for end in ends for n, _ in t.walk(end) if isinstance(n, t.Name)]
            sizes = ranges.get(letters[0], set()) if len(letters) == 1 else set()
            binder = replace(binder, range=affine_tree(next(iter(sizes)))) if len(sizes) == 1 else binder
        binders.append(binder)
    return replace(bounds, binders=tuple(binders))


def _is_end(condition: t.Compare, name: str) -> bool:
    """Whether a comparison ends an index at a letter, or at a number of steps before one."""
    left, end = condition.left, condition.right
    before = isinstance(end, t.Chain) and set(end.operators) == {"-"} and isinstance(end.operands[0], t.Name)
    return condition.operator == "<=" and left == t.Name(name) and (isinstance(end, t.Name) or before)
