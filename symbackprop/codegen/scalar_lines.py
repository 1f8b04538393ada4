"""Scalar nodes as lines of Python: one assignment for every entry, and one for what several of them share.

What stands in a branch of a choice is computed only where it is chosen, unless it has a value everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from types import MappingProxyType

from symbackprop.codegen.scalar_nodes import HIGHEST, Node, Nodes

CHOICE, OR, AND, NOT, COMPARISON, SUM, PRODUCT, NEGATIVE, POWER, ATOM = range(10)
"""How strongly an expression holds together, as in Python's grammar."""
PLACES = MappingProxyType({
    "sum": SUM, "product": PRODUCT, "quotient": PRODUCT, "negative": NEGATIVE, "power": POWER, "or": OR, "and": AND,
    "not": NOT, "comparison": COMPARISON, "choice": CHOICE, "affine": SUM, "floor": PRODUCT, "remainder": PRODUCT,
})  # fmt: skip
LEAVES = frozenset({"name", "number", "integer"})
TOTAL = LEAVES | {"sum", "product", "negative", "square", "choice", "comparison", "and", "or", "not", "affine"}
"""What has a value wherever its operands do. Products may become infinite, which raises no error."""
TOTAL_CALLS = frozenset({"abs", "float", "math.tanh", "math.erf", "math.atan", "math.asinh"})


class LineWriter:
    """The lines that compute nodes; `reads` are the names that have been read, in order."""

    def __init__(self, nodes: Nodes, roots: Iterable[int], fresh: Callable[[], str]) -> None:
        self.nodes, self.fresh = nodes, fresh
        self.lines: list[str] = []
        self.reads: dict[str, None] = {}
        self.names: dict[int, str] = {}
        self._uses = _count_uses(nodes, roots)
        self._total: dict[int, bool] = {}

    def assign(self, node: int, name: str) -> None:
        """A line that gives a node a name, unless it has one or needs none."""
        if node not in self.names and self.nodes.made[node].kind not in LEAVES:
            text = self._compose(node, False)[0]
            self.lines.append(f"{name} = {text}")
            self.names[node] = name

    def text(self, node: int) -> str:
        """The expression of a node, after the lines that it needs."""
        return self._write(node, CHOICE, False)

    def _write(self, node: int, place: int, lazy: bool) -> str:
        """A node as an operand that holds together at least as strongly as `place`."""
        made = self.nodes.made[node]
        if made.kind == "name":
            self.reads.setdefault(made.text)
            return made.text
        if node in self.names:
            self.reads.setdefault(self.names[node])
            return self.names[node]
        if made.kind not in LEAVES and self._uses[node] > 1 and (not lazy or self._is_total(node)):
            name = self.fresh()
            self.assign(node, name)
            self.reads.setdefault(name)
            return name
        text, own = self._compose(node, lazy)
        return text if own >= place else f"({text})"

    def _is_total(self, node: int) -> bool:
        """Whether a node has a value whatever the names hold."""
        if node not in self._total:
            made = self.nodes.made[node]
            fine = node in self.names or made.kind in LEAVES
            known = made.kind in TOTAL or made.text in TOTAL_CALLS or self._is_small(made)
            self._total[node] = fine or (known and all(self._is_total(p) for p in made.parts))
        return self._total[node]

    def _is_small(self, made: Node) -> bool:
        """Whether a node is exp(u), or log(1 + exp(u)), of some u that is no larger than the largest exponent."""
        inner = self.nodes.made[made.parts[0]] if made.parts else made
        if made.text == "math.log1p":
            return self._is_small(inner)
        bounded = inner.kind == "choice" and inner.parts[1] == self.nodes.number(HIGHEST)
        return made.text == "math.exp" and bounded

    def _compose(self, node: int, lazy: bool) -> tuple[str, int]:
        """The expression of a node and how strongly it holds together."""
        made = self.nodes.made[node]
        parts = made.parts
        if made.kind in LEAVES:
            return made.text, NEGATIVE if made.text.startswith("-") else ATOM
        place = PLACES.get(made.kind, ATOM)
        if made.kind == "sum":
            return self._sum(parts, lazy), place
        if made.kind == "affine":
            return self._affine(made, lazy), place
        if made.kind == "choice":
            condition, value, other = parts
            chosen = self._write(condition, OR, lazy)  # before the branches, whose lines may need what it names
            return f"{self._write(value, OR, True)} if {chosen} else {self._write(other, CHOICE, True)}", place
        if made.kind in ("product", "quotient", "floor", "remainder"):
            sign = {"product": "*", "quotient": "/", "floor": "//", "remainder": "%"}[made.kind]
            left = self._write(parts[0], PRODUCT, lazy)
            return f"{left}{sign}{self._write(parts[1], POWER, lazy)}", place
        if made.kind == "negative":
            return f"-{self._write(parts[0], POWER, lazy)}", place
        if made.kind == "square":
            inner = self._write(parts[0], ATOM, lazy)
            return (f"{inner}*{inner}", PRODUCT) if inner.isidentifier() else (f"{inner}**2", POWER)
        if made.kind == "power":
            return f"{self._write(parts[0], ATOM, lazy)}**{made.text}", place
        if made.kind == "comparison":
            return f"{self._write(parts[0], SUM, lazy)} {made.text} {self._write(parts[1], SUM, lazy)}", place
        if made.kind in ("and", "or"):
            return f" {made.kind} ".join(self._write(p, COMPARISON, lazy) for p in parts), place
        if made.kind == "not":
            return f"not {self._write(parts[0], COMPARISON, lazy)}", place
        if made.kind == "item":
            return f"{self._write(parts[0], ATOM, lazy)}[{made.text}]", ATOM
        if made.kind == "pick":
            listed = ", ".join(self._write(p, CHOICE, lazy) for p in parts[1:])
            return f"({listed})[{self._write(parts[0], CHOICE, lazy)}]", ATOM
        listed = ", ".join(self._write(p, CHOICE, lazy) for p in parts)
        if made.kind == "largest":
            return f"max({listed})", ATOM
        if made.kind == "first":
            return f"({listed}).index(max({listed}))", ATOM
        if made.kind == "matrix":
            return f"{made.text}(({listed},))", ATOM
        return f"{made.text}({listed})", ATOM

    def _sum(self, parts: Sequence[int], lazy: bool) -> str:
        """A sum, what is subtracted behind the first that is not."""
        made = self.nodes.made
        plain = (k for k, p in enumerate(parts) if made[p].kind != "negative" or p in self.names)
        first = next(plain, 0)
        text = self._write(parts[first], SUM, lazy)
        for part in (*parts[:first], *parts[first + 1 :]):
            if made[part].kind == "negative" and part not in self.names:
                text += f" - {self._write(made[part].parts[0], PRODUCT, lazy)}"
            else:
                text += f" + {self._write(part, PRODUCT, lazy)}"
        return text

    def _affine(self, made: Node, lazy: bool) -> str:
        *coefficients, constant = map(int, made.text.split())
        text = ""
        for coefficient, part in zip(coefficients, made.parts, strict=True):
            inner = self._write(part, POWER, lazy)
            sign = "-" if coefficient < 0 else "+"
            factor = "" if abs(coefficient) == 1 else f"{abs(coefficient)}*"
            text += f" {sign} {factor}{inner}" if text else f"{'-' if coefficient < 0 else ''}{factor}{inner}"
        return text + (f" {'-' if constant < 0 else '+'} {abs(constant)}" if constant else "")


class EagerWriter(LineWriter):
    """The same where no operation raises an error: both branches of a choice are computed, and `select` takes one.

    So the code has no jumps, of which numba's time of compiling grows fast.
    """

    def _is_total(self, node: int) -> bool:
        return True

    def _compose(self, node: int, lazy: bool) -> tuple[str, int]:
        made = self.nodes.made[node]
        if made.kind == "choice":
            return f"select({', '.join(self._write(p, CHOICE, lazy) for p in made.parts)})", ATOM
        if made.kind in ("and", "or"):
            sign = " & " if made.kind == "and" else " | "
            return sign.join(self._write(p, ATOM, lazy) for p in made.parts), NOT
        return super()._compose(node, lazy)


def _count_uses(nodes: Nodes, roots: Iterable[int]) -> dict[int, int]:
    """How often each node that the roots need is read."""
    uses: dict[int, int] = {}
    waiting = list(roots)
    while waiting:
        node = waiting.pop()
        uses[node] = uses.get(node, 0) + 1
        if uses[node] > 1:
            continue
        made = nodes.made[node]
        twice = made.kind in ("square", "first")  # which write their operands twice
        waiting += made.parts * 2 if twice else made.parts
    return uses
