"""Reading what is to be decided: names, assumptions, floats, and what the proofs cannot read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import sympy as sp
from sympy.core.relational import Relational
from sympy.functions.elementary.piecewise import ExprCondPair
from sympy.logic.boolalg import BooleanAtom

from symbackprop.errors import ArgumentError, UnsupportedError
from symbackprop.proof.evaluation import EVALUATED_FUNCTIONS
from symbackprop.proof.facts import Fact
from symbackprop.proof.numbers import name_of, read_float, real_symbol

_MOST_NODES = 50_000
_DEEPEST = 250
_MOST_SUMMANDS = 1_000
_LARGEST_EXPONENT = 100_000

_UNFINISHED = (sp.Sum, sp.Product, sp.Derivative, sp.Subs)
_CONDITIONS = (Relational, sp.And, sp.Or, sp.Not, sp.ITE, BooleanAtom, ExprCondPair)
_ATOMS = (sp.Rational, sp.Float, sp.Symbol, sp.Indexed)
_UNDEFINED = (sp.zoo, sp.nan)  # what SymPy makes of 1/0 in a branch
_CONSTANTS = (sp.pi, sp.E, *_UNDEFINED)
_NODES = (sp.Add, sp.Mul, sp.Pow, *_CONDITIONS)


@dataclass(frozen=True, slots=True)
class Problem:
    """Two sides over named real variables, what is declared of the names, and what the caller assumes.

    Where a fact of the `domain` fails, the sides as they were written have no value, whatever SymPy made of them.
    """

    left: sp.Expr
    right: sp.Expr
    names: tuple[str, ...]
    integer_names: frozenset[str]
    declared: tuple[Fact, ...]
    assumed: tuple[Fact, ...]
    notes: tuple[str, ...]
    domain: tuple[Fact, ...] = ()

    @property
    def facts(self) -> tuple[Fact, ...]:
        """Everything that may be taken for granted."""
        return self.declared + self.assumed


def read_problem(
    left: object, right: object, assumptions: Iterable[sp.Basic] = (), domain: Iterable[sp.Basic] = ()
) -> Problem:
    """Read two sides, their assumptions and their domain (relations); unsupported content raises UnsupportedError.

    A condition of the domain on a name that neither side nor an assumption reads is left aside.

    >>> import sympy as sp
    >>> read_problem(0.5 * sp.Symbol("x", positive=True), 1).notes
    ('The float 0.5 is read as 1/2.',)
    """
    sides = (read_expression(left), read_expression(right))
    relations = [_read_assumption(assumption) for assumption in assumptions]
    expressions = (*sides, *(relation.lhs - relation.rhs for relation in relations))
    symbols: dict[str, list[sp.Basic]] = {}
    floats: dict[sp.Float, None] = {}
    for expression in expressions:
        _scan(expression, symbols, floats)
    within = [fact for relation in domain for fact in facts_of(relation)]
    within = [fact for fact in dict.fromkeys(within) if {s.name for s in fact.expression.free_symbols} <= set(symbols)]
    for fact in within:
        _scan(fact.expression, {}, {})
    declared: list[Fact] = []
    for name in sorted(symbols):
        declared += _declared_facts(name, symbols[name])
    return Problem(
        *sides,
        names=tuple(sorted(symbols)),
        integer_names=frozenset(name for name, known in symbols.items() if any(each.is_integer for each in known)),
        declared=tuple(declared),
        assumed=tuple(fact for relation in relations for fact in read_conditions(relation)),
        notes=tuple(f"The float {float(number)!r} is read as {read_float(number)}." for number in sorted(floats)),
        domain=tuple(within),
    )


def read_expression(value: object) -> sp.Expr:
    """A number or SymPy expression as an expression whose sums, products and derivatives are carried out."""
    if isinstance(value, sp.Expr):
        if value.has(*_UNFINISHED):
            for total in value.atoms(sp.Sum, sp.Product):
                for _, lower, upper in total.limits:
                    if not (upper - lower).is_Integer or upper - lower > _MOST_SUMMANDS:
                        raise UnsupportedError(f"{total} does not run over a given, small range; write it out")
            # log|x| is derived for a real x; what is not known to be real would be split into its parts.
            value = value.xreplace({s: real_symbol(s.name) for s in value.free_symbols if s.is_real is None}).doit()
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | Fraction):
        kind = type(value).__name__
        raise ArgumentError(f"expected a SymPy expression or a number, got {value!r}, a {kind}; parse text first")
    if isinstance(value, float):
        return sp.Float(value)
    exact = Fraction(value)
    return sp.Rational(exact.numerator, exact.denominator)


def realise(expression: sp.Expr) -> sp.Expr:
    """The expression with every name as one plain real symbol and every float as a rational.

    >>> import sympy as sp
    >>> realise(0.5 * sp.Symbol("x", positive=True)) == sp.Symbol("x", real=True) / 2
    True
    """
    return expression.xreplace({
        atom: real_symbol(name_of(atom)) if not isinstance(atom, sp.Float) else _rational(read_float(atom))
        for atom in expression.atoms(sp.Symbol, sp.Indexed, sp.Float)
    })  # fmt: skip


def _rational(value: Fraction) -> sp.Rational:
    return sp.Rational(value.numerator, value.denominator)


def _read_assumption(assumption: object) -> Relational:
    if not isinstance(assumption, Relational):
        raise ArgumentError(f"an assumption is a relation such as x > 0, not {assumption!r}")
    return assumption


def read_conditions(relation: Relational) -> list[Fact]:
    """A relation as facts about left - right."""
    difference = realise(relation.lhs) - realise(relation.rhs)
    if isinstance(relation, sp.Gt | sp.Ge):
        return [Fact(difference, ">" if isinstance(relation, sp.Gt) else ">=")]
    if isinstance(relation, sp.Lt | sp.Le):
        return [Fact(-difference, ">" if isinstance(relation, sp.Lt) else ">=")]
    return [Fact(difference, "=" if isinstance(relation, sp.Eq) else "!=")]


def facts_of(relation: sp.Basic) -> list[Fact]:
    """What a relation says; nothing where it is none, such as a constant truth."""
    return read_conditions(relation) if isinstance(relation, Relational) else []


def _declared_facts(name: str, symbols: list[sp.Basic]) -> list[Fact]:
    """What the assumptions of SymPy's symbols say of a name; SymPy may have used them before we saw the expression."""
    symbol = real_symbol(name)
    if any(each.is_positive for each in symbols):
        return [Fact(symbol, ">")]
    if any(each.is_negative for each in symbols):
        return [Fact(-symbol, ">")]
    facts = []
    if any(each.is_nonnegative for each in symbols):
        facts.append(Fact(symbol, ">="))
    if any(each.is_nonpositive for each in symbols):
        facts.append(Fact(-symbol, ">="))
    if any(each.is_nonzero for each in symbols):
        facts.append(Fact(symbol, "!="))
    return facts


def _scan(expression: sp.Basic, symbols: dict[str, list[sp.Basic]], floats: dict[sp.Float, None]) -> None:
    """Collect names and floats; raise for what cannot be read. Iterative, so depth is an error, never a crash."""
    seen: set[sp.Basic] = set()
    waiting: list[tuple[sp.Basic, int]] = [(expression, 0)]
    while waiting:
        node, depth = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        if len(seen) > _MOST_NODES or depth > _DEEPEST:
            raise UnsupportedError(f"the expression is larger than {_MOST_NODES} nodes or deeper than {_DEEPEST}")
        if isinstance(node, sp.Symbol | sp.Indexed):
            if isinstance(node, sp.Dummy):
                raise UnsupportedError(f"the dummy symbol {node} has no name of its own; use a plain symbol")
            if node.is_real is False or node.is_finite is False:
                raise UnsupportedError(f"the symbol {node} is declared not to be a finite real number")
            found = symbols.setdefault(name_of(node), [])
            if node not in found:
                found.append(node)
            continue
        if isinstance(node, sp.Float):
            read_float(node)
            floats[node] = None
        elif isinstance(node, sp.Pow) and isinstance(node.exp, sp.Rational):
            if node.exp.is_Integer and abs(node.exp.p) > _LARGEST_EXPONENT:
                raise UnsupportedError(f"the exponent {node.exp} is larger than {_LARGEST_EXPONENT}")
        elif not isinstance(node, _NODES + _ATOMS + EVALUATED_FUNCTIONS) and node not in _CONSTANTS:
            name = node.func.__name__ if node.args else str(node)
            raise UnsupportedError(f"{name} has no real value that can be computed")
        if isinstance(node, Relational) and not (isinstance(node.lhs, sp.Expr) and isinstance(node.rhs, sp.Expr)):
            raise UnsupportedError(f"the condition {node} does not compare numbers")
        waiting += [(argument, depth + 1) for argument in node.args]
