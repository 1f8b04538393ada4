r"""Conditions, of cases, sums and indicators: comparisons, `or` and `not`, x \in (0, 1], y \in \{0, 1\}."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from symbackprop.language import tree as t
from symbackprop.language.wording import fail
from symbackprop.notation.reading.letters import are_exhaustive
from symbackprop.notation.reading.syntax import (
    Cases,
    Compound,
    Group,
    Interval,
    Relation,
    Syntax,
    bare,
    write_syntax,
)  # fmt: skip


class Reader(Protocol):
    """What reads the sides."""

    def read(self, node: Syntax) -> Any:
        """A formula."""


def read_conditions(node: Syntax, reader: Reader) -> tuple[t.Condition, ...]:
    """What a condition says, all of which must hold: comparisons of two sides, and what `or` and `not` make."""
    inner, place = bare(node), {"line": node.line, "column": node.column}
    if isinstance(inner, Group) and inner.opened in ("(", "[") and len(inner.parts) == 1:
        return read_conditions(inner.parts[0], reader)
    if isinstance(inner, Compound):
        parts = [read_conditions(part, reader) for part in inner.parts]
        if inner.word == "and":
            return tuple(c for part in parts for c in part)
        whole = tuple(part[0] if len(part) == 1 else t.And(part, **place) for part in parts)
        return (t.Or(whole, **place) if inner.word == "or" else t.Not(whole[0], **place),)
    if not isinstance(inner, Relation):
        raise fail(node, f"`{write_syntax(node)}`", "a condition such as x > 0")
    if r"\in" in inner.operators:
        return _read_membership(inner, reader)
    sides = [reader.read(part) for part in inner.parts]
    made = []
    for operator, left, right in zip(inner.operators, sides, sides[1:], strict=False):
        if operator in (":=", r"\approx"):
            raise fail(node, f"`{operator}` in a condition", "a comparison")
        made.append(t.Compare("==" if operator == "=" else operator, left, right, **place))
    return tuple(made)


def choose_row(
    node: Cases, values: Sequence[Any], choose: Callable[[t.Condition, Any, Any], Any], reader: Reader
) -> Any:
    """The value of the first row of cases whose conditions hold, as `choose` says it of two."""
    *rows, last = node.rows
    if last.conditions and not are_exhaustive([row.conditions for row in node.rows]):
        raise fail(last, "cases without a row for what is left", r"\text{otherwise} in the last row")
    value = values[-1]
    for row, then in reversed(list(zip(rows, values, strict=False))):
        if not row.conditions:
            raise fail(row, "otherwise before the last row", "a condition")
        made = [c for one in row.conditions for c in read_conditions(one, reader)]
        value = choose(t.join_conditions(made), then, value)
    return value


def _read_membership(node: Relation, reader: Reader) -> tuple[t.Condition, ...]:
    """The comparisons that say where a formula lies."""
    place = {"line": node.line, "column": node.column}
    within = bare(node.parts[-1])
    if len(node.parts) == 2 and isinstance(within, Interval):
        value, low, high = map(reader.read, (node.parts[0], *within.parts))
        above, below = (">" if within.brackets[0] == "(" else ">="), ("<" if within.brackets[1] == ")" else "<=")
        return t.Compare(above, value, low, **place), t.Compare(below, value, high, **place)
    if len(node.parts) == 2 and isinstance(within, Group) and within.opened == r"\{":
        value = reader.read(node.parts[0])
        equal = tuple(t.Compare("==", value, reader.read(part), **place) for part in within.parts)
        return equal if len(equal) == 1 else (t.Or(equal, **place),)
    raise fail(node, f"`{write_syntax(node)}`", r"an interval, x \in (0, 1], or a set of numbers, y \in \{0, 1\}")
