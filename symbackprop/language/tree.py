"""The neutral tree: what a formula says, before anything is known of its names.

Every notation that can be read ends in this tree, and a definition keeps its tree so that the forward formula prints
as it was written. Nodes are immutable and compare by what they say; where they stood in the text does not count. Runs
of operators of one precedence are one node, so the depth of a tree is the nesting of the formula and not its length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, TypeVar

RESERVED = (
    "input", "param", "const", "index", "assume", "claim", "as", "in",
    "sum", "mean", "max", "min", "where", "and", "or", "not", "pi",
)  # fmt: skip
REDUCTIONS = ("sum", "mean", "max", "min", "argmax")
OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
"""The operator of a comparison that holds just where one with another operator does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Anything in a tree; `line` and `column` count from 1 and are 0 where there was no text."""

    line: int = field(default=0, compare=False, repr=False)
    column: int = field(default=0, compare=False, repr=False)


AnyNode = TypeVar("AnyNode", bound=Node)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression(Node):
    """A node that has a number for its value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition(Node):
    """A node that is true or false."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement(Node):
    """One line of a program."""


@dataclass(frozen=True, slots=True)
class Number(Expression):
    """A literal, exact: 0.1 is one tenth. `text` is how it was written."""

    value: Fraction
    text: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Name(Expression):
    """A bare name: a scalar, a constant, a size, an index used as a number, or `pi`."""

    name: str


@dataclass(frozen=True, slots=True)
class Binder(Node):
    """An index where it is introduced, with its range if that is written: `i` or `i:N`."""

    name: str
    range: Expression | None = None


@dataclass(frozen=True, slots=True)
class Access(Expression):
    """An entry of a tensor: `W[i, j]`. A `Binder` among the indices stands only in the head of a definition."""

    name: str
    indices: tuple[Expression | Binder, ...]


@dataclass(frozen=True, slots=True)
class Apply(Expression):
    """A function of its arguments, `sigmoid(u)`; `primed` is its derivative by the first one, `sigmoid'(u)`."""

    function: str
    arguments: tuple[Expression, ...]
    primed: bool = False


@dataclass(frozen=True, slots=True)
class Entry(Expression):
    """An entry of a whole-matrix call: `inv(A)[i, j]`."""

    call: Apply
    indices: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Reduce(Expression):
    """A reduction over indices that it binds: `sum(i, j, body)`; `operation` is one of `REDUCTIONS`."""

    operation: str
    binders: tuple[Binder, ...]
    body: Expression


@dataclass(frozen=True, slots=True)
class Chain(Expression):
    """Operands joined, from the left, by operators of one precedence: all of `+ -`, or all of `* / // %`.

    There is one operator fewer than there are operands.
    """

    operands: tuple[Expression, ...]
    operators: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Power(Expression):
    """base^exponent; binds to the right and above the unary minus."""

    base: Expression
    exponent: Expression


@dataclass(frozen=True, slots=True)
class Negate(Expression):
    """The unary minus."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Where(Expression):
    """`where(condition, then, otherwise)`."""

    condition: Condition
    then: Expression
    otherwise: Expression


@dataclass(frozen=True, slots=True)
class Slope(Expression):
    """A derivative that is written out as `value`; it has a value only where `of`, which was derived, has one."""

    value: Expression
    of: Expression


@dataclass(frozen=True, slots=True)
class Compare(Condition):
    """left OP right with OP one of `< <= > >= == !=`; an assumption may also say `=`."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class And(Condition):
    """True where all operands are."""

    operands: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or(Condition):
    """True where at least one operand is."""

    operands: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not(Condition):
    """True where the operand is not."""

    operand: Condition


@dataclass(frozen=True, slots=True)
class Derivative(Node):
    """The head of a claim, `d of / d wrt`; of a second derivative of the loss `of` is the first one, adj(w[i])."""

    of: Name | Access | Apply
    wrt: Name | Access

    @property
    def read(self) -> Name | Access:
        """The tensor, or the entry, whose axes those of what is derived are."""
        inner = self.of.arguments[0] if isinstance(self.of, Apply) else self.of
        if not isinstance(inner, Name | Access):
            raise TypeError(f"the derivative of {type(inner).__name__} is no head of a claim")
        return inner


@dataclass(frozen=True, slots=True)
class Declaration(Statement):
    """`KIND name[axes] as "tex"`; KIND is input, param, const or index; an index has a `range`."""

    kind: str
    name: str
    axes: tuple[Expression, ...] = ()
    tex: str | None = None
    range: Expression | None = None


@dataclass(frozen=True, slots=True)
class Assume(Statement):
    """A fact that the data satisfy, for all values of its free indices."""

    condition: Compare


@dataclass(frozen=True, slots=True)
class Define(Statement):
    """`head = body`."""

    head: Name | Access
    body: Expression


@dataclass(frozen=True, slots=True)
class Claim(Statement):
    """`claim head = link = link ~ digits expect refuted`: each link is claimed equal to what stands before it.

    `digits` are those that the value of the last link, or of the head, is claimed to round to.
    """

    head: Expression | Derivative
    links: tuple[Expression, ...] = ()
    digits: str | None = None
    refuted: bool = False


def children(node: Node) -> tuple[Node, ...]:
    """Return the nodes directly below a node, in reading order.

    >>> [child.name for child in children(Chain((Name("a"), Name("b")), ("+",)))]
    ['a', 'b']
    """
    match node:
        case Number() | Name():
            return ()
        case Binder(range=size):
            return () if size is None else (size,)
        case Access(indices=indices):
            return indices
        case Apply(arguments=arguments):
            return arguments
        case Entry(call=call, indices=indices):
            return (call, *indices)
        case Reduce(binders=binders, body=body):
            return (*binders, body)
        case Chain(operands=operands):
            return operands
        case Power(base=base, exponent=exponent):
            return (base, exponent)
        case Negate(operand=operand):
            return (operand,)
        case Where(condition=condition, then=then, otherwise=otherwise):
            return (condition, then, otherwise)
        case Slope(value=value, of=derived):
            return (value, derived)
        case Compare(left=left, right=right):
            return (left, right)
        case And(operands=conditions) | Or(operands=conditions):
            return conditions
        case Not(operand=inner):
            return (inner,)
        case Derivative(of=of, wrt=wrt):
            return (of, wrt)
        case Declaration(axes=axes, range=size):
            return axes if size is None else (*axes, size)
        case Assume(condition=condition):
            return (condition,)
        case Define(head=head, body=body):
            return (head, body)
        case Claim(head=claimed, links=links):
            return (claimed, *links)
    raise TypeError(f"{type(node).__name__} is not a node of the tree")


def walk(node: Node) -> Iterator[tuple[Node, int]]:
    """Yield every node at or below a node with its depth, the node itself at depth 1; no recursion, parents first."""
    waiting = [(node, 1)]
    while waiting:
        current, depth = waiting.pop()
        yield current, depth
        waiting.extend((child, depth + 1) for child in reversed(children(current)))


def join_conditions(conditions: Sequence[Condition]) -> Condition:
    """One condition that holds where all do; there is at least one."""
    return conditions[0] if len(conditions) == 1 else And(tuple(conditions))


def map_children(node: AnyNode, change: Callable[[Any], Node]) -> AnyNode:
    """Return the node with every node directly below it changed.

    >>> map_children(Negate(Name("a")), lambda child: Name("b")).operand.name
    'b'
    """
    changed: dict[str, Any] = {}
    for name in node.__dataclass_fields__:
        value = getattr(node, name)
        if isinstance(value, Node):
            changed[name] = change(value)
        elif isinstance(value, tuple) and value and isinstance(value[0], Node):
            changed[name] = tuple(map(change, value))
    return replace(node, **changed) if changed else node
