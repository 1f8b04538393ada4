"""Programs written out to one SymPy scalar and differentiated by `sympy.diff`, compared to many digits.

The expander walks the neutral tree with an integer for every index. It shares nothing with the engine's own expansion,
and numbers are made by mpmath over the expression as a graph, so that neither `simplify` nor any proof is trusted. What
is judged is read as data: definitions, evaluated to the same digits.

A comparison of values is a Boolean symbol inside SymPy, since conditions carry no derivative and SymPy spends minutes
on piecewise functions inside conditions of others; what the symbol stands for is kept beside the expressions.
"""

from __future__ import annotations

import itertools
import operator
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import mpmath
import sympy
from index_ranges import Shape, SizedProgram, find_range, free_indices
from sympy.core.relational import Relational

from symbackprop.calculus.definitions import Definition, Term
from symbackprop.calculus.indices import Atom
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Count, Slot
from symbackprop.functions import FUNCTION_BY_NAME, expand_applications
from symbackprop.language.tree import (
    Access,
    And,
    Apply,
    Chain,
    Compare,
    Condition,
    Expression,
    Name,
    Negate,
    Not,
    Number,
    Or,
    Power,
    Reduce,
    Where,
)

DIGITS = 30
LEAST_SCALE = mpmath.mpf(10) ** -40
WORKING_DIGITS = 120  # a saturated 1 - tanh(u)^2 loses many

Scope = Mapping[str, int]


ARITHMETIC: dict[str, Callable[[sympy.Expr, sympy.Expr], sympy.Expr]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
RELATIONS: dict[str, Callable[[object, object], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
HALF = sympy.Rational(1, 2)
HUNDREDTH = sympy.Rational(1, 100)
FUNCTIONS: dict[str, Callable[..., sympy.Expr]] = {
    "identity": lambda u: u,
    "exp": sympy.exp,
    "log": sympy.log,
    "sqrt": sympy.sqrt,
    "sin": sympy.sin,
    "cos": sympy.cos,
    "tan": sympy.tan,
    "sinh": sympy.sinh,
    "cosh": sympy.cosh,
    "tanh": sympy.tanh,
    "erf": sympy.erf,
    "sigmoid": lambda u: 1 / (1 + sympy.exp(-u)),
    "softplus": lambda u, beta=sympy.S.One: sympy.log(1 + sympy.exp(beta * u)) / beta,
    "silu": lambda u: u / (1 + sympy.exp(-u)),
    "gelu": lambda u: u * (1 + sympy.erf(u / sympy.sqrt(2))) / 2,
    "gelu_tanh": lambda u: (
        u * (1 + sympy.tanh(sympy.sqrt(2 / sympy.pi) * (u + sympy.Rational(44715, 10**6) * u**3))) / 2
    ),
}
# Three branches: where the first argument is more than the second (or 0), where it is less, and at the tie.
KINKED: dict[str, Callable[..., tuple[sympy.Expr, sympy.Expr, sympy.Expr]]] = {
    "abs": lambda u: (u, -u, sympy.S.Zero),
    "sign": lambda u: (sympy.S.One, -sympy.S.One, sympy.S.Zero),
    "relu": lambda u: (u, sympy.S.Zero, sympy.S.Zero),
    "leaky_relu": lambda u, slope=HUNDREDTH: (u, slope * u, slope * u),
    "elu": lambda u, alpha=sympy.S.One: (u, alpha * (sympy.exp(u) - 1), alpha * (sympy.exp(u) - 1)),
    "maximum": lambda u, v: (u, v, HALF * (u + v)),
    "minimum": lambda u, v: (v, u, HALF * (u + v)),
}


Comparison = tuple[str, sympy.Expr, sympy.Expr]


@dataclass
class Expander:
    """Every entry of every tensor as one expression in the real symbols of the leaves, called `W[1,2]` and `eps`."""

    program: SizedProgram
    made: dict[tuple[str, Shape], sympy.Expr] = field(default_factory=dict)
    conditions: dict[sympy.Symbol, Comparison] = field(default_factory=dict)

    def entries(self, name: str) -> Iterator[Shape]:
        """Every index tuple of a tensor in row-major order, counted from 1."""
        return itertools.product(*(range(1, n + 1) for n in self.program.shapes[name]))

    def entry(self, name: str, at: Shape) -> sympy.Expr:
        """One entry; outside the range of the tensor it is 0."""
        if any(not 1 <= k <= n for k, n in zip(at, self.program.shapes[name], strict=True)):
            return sympy.S.Zero
        if name in self.program.kinds:
            return leaf_symbol(name, at)
        if (name, at) not in self.made:
            definition = next(d for d in self.program.definitions if d.head.name == name)
            scope = {index: k for (index, _), k in zip(free_indices(definition), at, strict=True)}
            self.made[name, at] = self.number(definition.body, scope)
        return self.made[name, at]

    def number(self, node: Expression, scope: Scope) -> sympy.Expr:
        """An expression where every index has a value."""
        match node:
            case Number(value):
                return sympy.Rational(value.numerator, value.denominator)
            case Name(name) if name in scope:
                return sympy.Integer(scope[name])
            case Name("pi"):
                return sympy.pi
            case Name(name) if name in self.program.sizes:
                return sympy.Integer(self.program.sizes[name])
            case Name(name):
                return self.entry(name, ())
            case Access(name, indices):
                return self.entry(name, tuple(int(self.number(form, scope)) for form in indices))
            case Negate(operand):
                return -self.number(operand, scope)
            case Power(base, exponent):
                return self.number(base, scope) ** self.number(exponent, scope)
            case Chain(operands, operators):
                total = self.number(operands[0], scope)
                for sign, operand in zip(operators, operands[1:], strict=True):
                    total = ARITHMETIC[sign](total, self.number(operand, scope))
                return total
            case Reduce("sum" | "mean" as operation, binders, body):
                rest = tuple(b.range for b in binders if b.range is not None)
                shapes, sizes = self.program.shapes, self.program.sizes
                ranges = [find_range(b.name, b.range, (body, *rest), shapes, sizes) for b in binders]
                parts = []
                for point in itertools.product(*(range(1, n + 1) for n in ranges)):
                    inner = {**scope, **{b.name: k for b, k in zip(binders, point, strict=True)}}
                    parts.append(self.number(body, inner))
                total = sympy.Add(*parts)
                return total / len(parts) if operation == "mean" else total
            case Where(condition, then, otherwise):
                return self.where(self.truth(condition, scope), self.number(then, scope), self.number(otherwise, scope))
            case Apply(function, arguments, False):
                return self.apply(function, [self.number(a, scope) for a in arguments])
        raise TypeError(f"the SymPy oracle does not read {node}")

    def truth(self, node: Condition, scope: Scope) -> sympy.Basic:
        """A condition where every index has a value."""
        match node:
            case Compare(relation, left, right):
                return self.compare(relation, self.number(left, scope), self.number(right, scope))
            case And(operands):
                return sympy.And(*(self.truth(one, scope) for one in operands))
            case Or(operands):
                return sympy.Or(*(self.truth(one, scope) for one in operands))
            case Not(operand):
                return sympy.Not(self.truth(operand, scope))
        raise TypeError(f"the SymPy oracle does not read {node}")

    def compare(self, relation: str, left: sympy.Expr, right: sympy.Expr) -> sympy.Basic:
        """The truth of a comparison of numbers, or a Boolean symbol for one of expressions."""
        if left.is_Rational and right.is_Rational:
            return sympy.true if RELATIONS[relation](left, right) else sympy.false
        comparison = (relation, left, right)
        known = next((s for s, c in self.conditions.items() if c == comparison), None)
        if known is None:
            known = sympy.Symbol(f"condition {len(self.conditions)}")
            self.conditions[known] = comparison
        return known

    def where(self, condition: sympy.Basic, then: sympy.Expr, otherwise: sympy.Expr) -> sympy.Expr:
        """A conditional, or the branch that is taken where that is known."""
        return sympy.Piecewise((then, condition), (otherwise, True))

    def apply(self, function: str, arguments: Sequence[sympy.Expr]) -> sympy.Expr:
        """A function of the catalogue by its definition."""
        if function not in KINKED:
            return FUNCTIONS[function](*arguments) if function in FUNCTIONS else self.define(function, arguments)
        more, less, tie = KINKED[function](*arguments)
        right = arguments[1] if function in ("maximum", "minimum") else sympy.S.Zero
        below = self.where(self.compare("<", arguments[0], right), less, tie)
        return self.where(self.compare(">", arguments[0], right), more, below)

    def define(self, function: str, arguments: Sequence[sympy.Expr]) -> sympy.Expr:
        """A function by its definition in the catalogue, its comparisons named."""
        symbols = sympy.symbols(f"argument:{len(arguments)}", seq=True)
        given = dict(zip(symbols, arguments, strict=True))
        formula = expand_applications(FUNCTION_BY_NAME[function].formula(*symbols))
        found = sorted(formula.atoms(Relational), key=str)
        named = {c: self.compare(c.rel_op, c.lhs.xreplace(given), c.rhs.xreplace(given)) for c in found}
        return formula.xreplace(named).xreplace(given)


def leaf_symbol(name: str, at: Shape) -> sympy.Symbol:
    """The real symbol of one entry of a leaf."""
    return sympy.Symbol(f"{name}[{','.join(map(str, at))}]" if at else name, real=True)


Family = Mapping[str, Mapping[Shape, sympy.Expr]]
Point = Mapping[sympy.Symbol, Fraction | mpmath.mpf]


def differentiate(expander: Expander, of: str, wrt: Sequence[str]) -> Family:
    """`sympy.diff` of every entry of `of` by every entry of `wrt`, keyed by the indices of `of` and of the leaf."""
    return {
        name: {
            (*top, *at): sympy.diff(expander.entry(of, top), leaf_symbol(name, at))
            for top in expander.entries(of)
            for at in expander.entries(name)
        }
        for name in wrt
    }


def rational_points(
    expander: Expander, seed: int, count: int = 3, least_margin: float = 1e-3, positive: Sequence[str] = ()
) -> list[Point]:
    """Points with rational coordinates between -1 and 1 at which no comparison met so far is near a tie.

    Empty where there seem to be none, as for the comparison of equal things. The leaves in `positive` are positive.
    """
    source = random.Random(seed)
    symbols = {leaf_symbol(name, at): name for name in expander.program.kinds for at in expander.entries(name)}
    points: list[Point] = []
    for _ in range(40):
        point = {s: Fraction(source.choice([-1, 1]) * source.randint(3, 40), 41) for s in symbols}
        point = {s: abs(value) if symbols[s] in positive else value for s, value in point.items()}
        numbers = Numbers(point, expander.conditions)
        pairs = ((left, right) for _, left, right in expander.conditions.values())
        if all(abs(numbers.value(left) - numbers.value(right)) > least_margin for left, right in pairs):
            points.append(point)
        if len(points) == count:
            return points
    return []


MP_FUNCTIONS: dict[type, Callable[..., mpmath.mpf]] = {
    sympy.exp: mpmath.exp,
    sympy.log: mpmath.log,
    sympy.sin: mpmath.sin,
    sympy.cos: mpmath.cos,
    sympy.tan: mpmath.tan,
    sympy.sinh: mpmath.sinh,
    sympy.cosh: mpmath.cosh,
    sympy.tanh: mpmath.tanh,
    sympy.erf: mpmath.erf,
    sympy.Abs: abs,
    sympy.sign: mpmath.sign,
}


@dataclass
class Numbers:
    """Numbers to 120 digits for expressions at one point; equal subexpressions are computed once."""

    point: Point
    conditions: Mapping[sympy.Symbol, Comparison] = field(default_factory=dict)
    known: dict[sympy.Basic, mpmath.mpf] = field(default_factory=dict)

    def value(self, expression: sympy.Basic) -> mpmath.mpf:
        """The value of an expression."""
        with mpmath.workdps(WORKING_DIGITS):
            return self._value(expression)

    def _value(self, node: sympy.Basic) -> mpmath.mpf:
        found = self.known.get(node)
        if found is None:
            found = self.known[node] = self._compute(node)
        return found

    def _compute(self, node: sympy.Basic) -> mpmath.mpf:
        if isinstance(node, sympy.Symbol):
            given = self.point[node]
            return mpmath.mpf(given.numerator) / given.denominator if isinstance(given, Fraction) else given
        if isinstance(node, sympy.Rational):
            return mpmath.mpf(int(node.p)) / int(node.q)
        if node is sympy.pi:
            return +mpmath.pi
        if node is sympy.E:
            return +mpmath.e
        if isinstance(node, sympy.Add):
            return mpmath.fsum(self._value(a) for a in node.args)
        if isinstance(node, sympy.Mul):
            return mpmath.fprod(self._value(a) for a in node.args)
        if isinstance(node, sympy.Pow):
            if node.exp.is_Integer:
                return self._value(node.base) ** int(node.exp)
            return mpmath.power(self._value(node.base), self._value(node.exp))
        if isinstance(node, sympy.Piecewise):
            return next(self._value(value) for value, condition in node.args if self._holds(condition))
        if type(node) in MP_FUNCTIONS:
            return MP_FUNCTIONS[type(node)](self._value(node.args[0]))
        raise TypeError(f"no number for {type(node).__name__}")

    def _holds(self, condition: sympy.Basic) -> bool:
        if condition in (sympy.true, sympy.false):
            return bool(condition)
        if isinstance(condition, sympy.And):
            return all(self._holds(a) for a in condition.args)
        if isinstance(condition, sympy.Or):
            return any(self._holds(a) for a in condition.args)
        if isinstance(condition, sympy.Not):
            return not self._holds(condition.args[0])
        if isinstance(condition, sympy.ITE):
            chosen, then, otherwise = condition.args
            return self._holds(then if self._holds(chosen) else otherwise)
        if isinstance(condition, sympy.Symbol):
            relation, left, right = self.conditions[condition]
        else:
            relation, left, right = condition.rel_op, condition.lhs, condition.rhs
        return RELATIONS[relation](self._value(left), self._value(right))


@dataclass
class DefinitionNumbers:
    """Numbers to 120 digits for the entries of definitions, from what a definition says and nothing else.

    A term is summed over its bound indices where its guards hold. Unlike an expansion this never nests one condition in
    another, on which SymPy spends minutes.
    """

    definitions: Mapping[str, Definition]
    sizes: Mapping[str, int]
    point: Point
    made: dict[tuple[str, Shape], mpmath.mpf] = field(default_factory=dict)

    def entry(self, name: str, at: Shape) -> mpmath.mpf:
        """One entry of a tensor, counted from 1."""
        definition = self.definitions.get(name)
        if definition is None:
            return Numbers(self.point).value(leaf_symbol(name, at))
        if (name, at) not in self.made:
            values = {**self.sizes, **dict(zip(definition.indices, at, strict=True))}
            with mpmath.workdps(WORKING_DIGITS):
                self.made[name, at] = mpmath.fsum(self._term(term, values) for term in definition.terms)
        return self.made[name, at]

    def _term(self, term: Term, values: Mapping[Atom, int]) -> mpmath.mpf:
        parts = []
        for bound in itertools.product(*(range(1, i.size.evaluate(values) + 1) for i in term.bound)):
            here = {**values, **dict(zip(term.bound, bound, strict=True))}
            if not any(guard.form.evaluate(here) for guard in term.guards):
                numbers = LazySlots(self, term.slots, here)
                parts.append(Numbers(numbers).value(term.body))
        return mpmath.fsum(parts)


@dataclass(frozen=True)
class LazySlots(Mapping[sympy.Symbol, mpmath.mpf]):
    """The values of slots, computed when they are asked for: a branch that is not taken is not computed."""

    owner: DefinitionNumbers
    slots: Sequence[Slot]
    values: Mapping[Atom, int]

    def __getitem__(self, symbol: sympy.Symbol) -> mpmath.mpf:
        slot = self.slots[int(symbol.name[1:])]
        if isinstance(slot, Count):
            return mpmath.mpf(slot.value.evaluate(self.values))
        return self.owner.entry(slot.tensor.name, tuple(form.evaluate(self.values) for form in slot.at))

    def __iter__(self) -> Iterator[sympy.Symbol]:
        return (sympy.Symbol(f"s{k}") for k in range(len(self.slots)))

    def __len__(self) -> int:
        return len(self.slots)


Entries = Callable[[Point, str, Shape], mpmath.mpf]


def definition_entries(program: Program, names: Mapping[str, str], sizes: Mapping[str, int]) -> Entries:
    """The entries of some tensors of a program at a point; `names` says by which tensor each name is meant."""
    definitions = {d.tensor.name: d for d in program.definitions}
    known: dict[int, DefinitionNumbers] = {}

    def entry(point: Point, name: str, at: Shape) -> mpmath.mpf:
        numbers = known.setdefault(id(point), DefinitionNumbers(definitions, sizes, point))
        return numbers.entry(names[name], at)

    return entry


def expression_entries(given: Family, conditions: Mapping[sympy.Symbol, Comparison] | None = None) -> Entries:
    """The entries of a family of expressions at a point; `conditions` are those of the expander that they came from."""
    known: dict[int, Numbers] = {}
    return lambda point, name, at: known.setdefault(id(point), Numbers(point, conditions or {})).value(given[name][at])


def disagreements(expander: Expander, expected: Family, given: Entries, points: Sequence[Point]) -> list[str]:
    """Say where entries differ from the expected expressions by more than 30 digits of the largest, at any point."""
    faults = []
    for place, point in enumerate(points):
        numbers = Numbers(point, expander.conditions)
        for name, entries in expected.items():
            values = {at: (numbers.value(e), given(point, name, at)) for at, e in entries.items()}
            largest = max((abs(a) for a, _ in values.values()), default=0) or 1
            largest = max(largest, LEAST_SCALE)
            faults += [
                f"{name}{list(at)} at point {place}: {mpmath.nstr(b, 35)}, expected {mpmath.nstr(a, 35)}"
                for at, (a, b) in values.items()
                if not abs(a - b) <= largest * mpmath.mpf(10) ** -DIGITS
            ]
    return faults
