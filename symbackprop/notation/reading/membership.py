r"""What lies in an interval or in a set of numbers: x \in (0, 1], y \in \{0, 1\}."""

from __future__ import annotations

from typing import Any, Protocol

from symbackprop.language import tree as t
from symbackprop.language.wording import fail
from symbackprop.notation.reading.syntax import Group, Interval, Relation, Syntax, bare, write_syntax


class Reader(Protocol):
    """What reads the sides."""

    def read(self, node: Syntax) -> Any:
        """A formula."""


def read_membership(node: Relation, reader: Reader) -> tuple[t.Condition, ...]:
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
