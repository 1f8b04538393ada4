"""Names for what traced code computes, so that formulas stay as small as the code that made them.

Each function, root and reciprocal of a sum gets a symbol of its own. An equation that holds whatever these symbols
are worth holds for their values; where it needs to know what they are, they are put back.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence

import sympy as sp

from symbackprop.proof.domains import conditions_of
from symbackprop.proof.facts import Fact
from symbackprop.proof.problems import realise
from symbackprop.proof.renaming import parts_of
from symbackprop.proof.stops import FormulaTooLongError

_MOST_PARTS = 1_000_000
PREFIX = "#"  # no name of an input begins so


class Largest(sp.Function):  # type: ignore[misc]
    """The largest of some numbers, where nothing asks which one that is."""

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """How it moves with one of them: left open."""
        return Share(sp.Integer(argindex), *self.args)


class Share(sp.Function):  # type: ignore[misc]
    """How much of a change of one of some numbers their largest makes: 1 for the largest, 0 for the others."""


class Cuts:
    """The named results of one run, in the order in which they were made."""

    def __init__(self) -> None:
        self._symbols: dict[sp.Expr, sp.Symbol] = {}
        self._definitions: dict[sp.Symbol, sp.Expr] = {}
        self._short: dict[sp.Expr, sp.Expr] = {}
        self._read: dict[sp.Expr, tuple[sp.Symbol, ...]] = {}
        self._sizes: dict[sp.Basic, int] = {}
        self._full: dict[sp.Symbol, sp.Expr] = {}
        self._domains: dict[sp.Symbol, tuple[Fact, ...]] = {}

    @property
    def definitions(self) -> Mapping[sp.Symbol, sp.Expr]:
        """The results by their symbols."""
        return self._definitions

    def largest(self, expressions: Iterable[sp.Expr]) -> sp.Expr:
        """A symbol for the largest of some numbers, which is never put back."""
        return self._name(Largest(*map(self.shorten, expressions)))

    def reads_free(self, expression: sp.Expr) -> bool:
        """Whether a symbol in a full expression stands for what was left open."""
        return any(symbol in self._definitions for symbol in expression.free_symbols)

    def _name(self, definition: sp.Expr) -> sp.Expr:
        """The symbol of a result; numbers need none."""
        if definition.is_number or definition.is_Symbol:
            return definition
        symbol = self._symbols.get(definition)
        if symbol is None:
            symbol = self._symbols[definition] = self.name_apart(definition)
        return symbol

    def name_apart(self, expression: sp.Expr) -> sp.Symbol:
        """A symbol of its own for a result, whether or not there is one for the same expression."""
        symbol = sp.Symbol(f"{PREFIX}{len(self._definitions) + 1}")
        self._definitions[symbol] = expression
        self._sizes[symbol] = self._size(expression)
        return symbol

    def shorten(self, expression: sp.Expr) -> sp.Expr:
        """The expression with a symbol for each function, root and reciprocal of a sum in it."""
        if not expression.args or expression.is_number:
            return expression
        known = self._short.get(expression)
        if known is None:
            known = self._short[expression] = self._shorten(expression)
        return known

    def _shorten(self, expression: sp.Expr) -> sp.Expr:
        arguments = [self.shorten(argument) for argument in expression.args]
        if isinstance(expression, sp.Function):
            return self._name(expression.func(*arguments))
        if not isinstance(expression, sp.Pow):
            same = all(a is b for a, b in zip(arguments, expression.args, strict=True))
            return expression if same else expression.func(*arguments)
        base, exponent = arguments
        if not isinstance(exponent, sp.Rational):
            return self._name(base**exponent)
        if exponent.q != 1:
            root = base ** sp.Rational(1, exponent.q)
            base = self._name(root) if isinstance(root, sp.Pow) else self.shorten(root)
        if exponent.p < 0 and isinstance(base, sp.Add):
            return self._name(1 / base) ** -exponent.p
        return base**exponent.p

    def expand(self, expression: sp.Expr) -> sp.Expr:
        """The expression with everything put back; FormulaTooLongError where that has too many parts."""
        if self._size(expression) > _MOST_PARTS:
            raise FormulaTooLongError(f"a formula of more than {_MOST_PARTS} parts is needed")
        return expression.xreplace({s: self._expanded(s) for s in self._used(expression)})

    def _size(self, expression: sp.Expr) -> int:
        """How many parts the expression has with everything put back, equal ones counted each time."""
        known = self._sizes.get(expression)
        if known is None:
            known = self._sizes[expression] = 1 + sum(map(self._size, expression.args))
        return known

    def put(self, values: Mapping[sp.Symbol, sp.Expr], expression: sp.Expr) -> sp.Expr:
        """The expression with other values for some named results, and so for all that is computed from them."""
        changed = dict(values)
        for name in self.list_names(expression):
            definition = self._definitions[name]
            if name not in changed and definition.free_symbols & changed.keys():
                changed[name] = definition.xreplace(changed)
        return expression.xreplace(changed)

    def eliminate(self, expressions: Sequence[sp.Expr]) -> tuple[sp.Expr, ...]:
        """The expressions without symbols that others determine: no equation is left between those that stay.

        Where r is 1/(1 + E), the function E is 1/r - 1, which keeps r in place of a fraction; a reciprocal of a sum
        without such a function is put back.
        """
        values: dict[sp.Symbol, sp.Expr] = {}
        for symbol in self._reciprocals(expressions):
            base = (1 / self._definitions[symbol]).xreplace(values)
            solved = next((s for s in reversed(self._used(base)) if self._may_go(s) and _is_linear(base, s)), None)
            if solved is None:
                target, value = symbol, 1 / base
            else:
                target, value = solved, solved - (base - 1 / symbol) / base.diff(solved)
            value = sp.expand(value)
            values = {s: v.xreplace({target: value}) for s, v in values.items()}
            values[target] = value
        return tuple(expression.xreplace(values) for expression in expressions)

    def equations(self, expressions: Sequence[sp.Expr]) -> tuple[sp.Expr, ...]:
        """What `eliminate` knows of the symbols in some expressions: reciprocals, each with what it is the value of."""
        found = self._reciprocals(expressions)
        return tuple(each for symbol in found for each in (symbol, self._definitions[symbol]))

    def _reciprocals(self, expressions: Sequence[sp.Expr]) -> list[sp.Symbol]:
        """The reciprocals that expressions read, and those that these read, in the order in which they were made."""
        found: set[sp.Symbol] = set()
        waiting = [symbol for expression in expressions for symbol in self._used(expression)]
        while waiting:
            symbol = waiting.pop()
            if symbol not in found and not self._may_go(symbol):
                found.add(symbol)
                waiting += self._used(self._definitions[symbol])
        return sorted(found, key=_number)

    def _may_go(self, symbol: sp.Symbol) -> bool:
        """Whether a symbol names a function or a root, not a reciprocal."""
        definition = self._definitions[symbol]
        return not (isinstance(definition, sp.Pow) and definition.exp == -1)

    def _expanded(self, symbol: sp.Symbol) -> sp.Expr:
        known = self._full.get(symbol)
        if known is None:
            definition = self._definitions[symbol]
            known = symbol if isinstance(definition, Largest | Share) else self.expand(definition)
            self._full[symbol] = known
        return known

    def _used(self, expression: sp.Expr) -> tuple[sp.Symbol, ...]:
        """The named results in an expression, in the order of their making."""
        known = self._read.get(expression)
        if known is None:
            read = (part for part in parts_of([expression]) if part in self._definitions)
            known = self._read[expression] = tuple(sorted(read, key=_number))
        return known

    def domain(self, expressions: Iterable[sp.Expr]) -> tuple[Fact, ...]:
        """Where some expressions, and everything that they are made of, have a value."""
        expressions = tuple(expressions)
        found: dict[Fact, None] = {}
        waiting = [symbol for expression in expressions for symbol in self._used(expression)]
        seen: set[sp.Symbol] = set()
        while waiting:
            symbol = waiting.pop()
            if symbol in seen:
                continue
            seen.add(symbol)
            waiting += self._used(self._definitions[symbol])
        for symbol in sorted(seen, key=_number):
            if symbol not in self._domains:
                own = conditions_of(self._definitions[symbol])
                self._domains[symbol] = tuple(self.expand_fact(fact) for fact in own)
            found.update(dict.fromkeys(self._domains[symbol]))
        for expression in expressions:
            found.update((self.expand_fact(fact), None) for fact in conditions_of(expression))
        return tuple(found)

    def expand_fact(self, fact: Fact) -> Fact:
        """A condition over the inputs, real as they are."""
        plain = fact.expression.xreplace({s: sp.Symbol(s.name) for s in fact.expression.free_symbols})
        return Fact(realise(self.expand(plain)), fact.relation)

    def list_names(self, expression: sp.Expr) -> list[sp.Symbol]:
        """The named results that an expression reads, and those that these read, in the order of their making."""
        found: set[sp.Symbol] = set()
        waiting = list(self._used(expression))
        while waiting:
            symbol = waiting.pop()
            if symbol not in found:
                found.add(symbol)
                waiting += self._used(self._definitions[symbol])
        return sorted(found, key=_number)

    def read_by(self, name: sp.Symbol) -> list[sp.Symbol]:
        """What a named result reads directly: inputs by name, then results in the order of their making."""
        symbols = self._definitions[name].free_symbols
        return [*_ordered(symbols - self._definitions.keys()), *self._used(self._definitions[name])]

    def gradient(
        self,
        outputs: Sequence[sp.Expr],
        weights: Sequence[sp.Expr],
        inputs: Iterable[sp.Symbol],
        fixed: frozenset[sp.Symbol] = frozenset(),
        *,
        left_out: frozenset[tuple[sp.Symbol | None, sp.Symbol]] = frozenset(),
        check_time: Callable[[], None] = lambda: None,
    ) -> Mapping[sp.Symbol, sp.Expr]:
        """The derivative of <weights, outputs> by each input, weights held fixed: the chain rule over the names.

        Paths through results in `fixed` are left out, and so are steps from a result, or from the outputs where that
        is None, to what it reads directly, that are in `left_out`.
        """
        wanted = {*inputs, *self._definitions} - fixed
        order = list(self._definitions)
        parts: dict[sp.Symbol, list[sp.Expr]] = {}
        for output, weight in zip(outputs, weights, strict=True):
            check_time()
            for symbol in _ordered(output.free_symbols & wanted):
                if (None, symbol) in left_out:
                    continue
                parts.setdefault(symbol, []).append(weight * self.shorten(_derivative(output, symbol)))
        for name in reversed(order):
            check_time()
            total = sp.Add(*parts.get(name, ()))
            if total == 0:
                continue
            for symbol in _ordered(self._definitions[name].free_symbols & wanted):
                if (name, symbol) in left_out:
                    continue
                parts.setdefault(symbol, []).append(total * self._slope(name, symbol))
        return {symbol: sp.Add(*parts.get(symbol, ())) for symbol in inputs}

    def _slope(self, name: sp.Symbol, symbol: sp.Symbol) -> sp.Expr:
        """The derivative of a named result by what it is made of, in its own name where that occurs."""
        definition = self._definitions[name]
        if definition == symbol:
            return sp.S.One
        probes = [argument if argument.is_number else _probe(k) for k, argument in enumerate(definition.args)]
        values = dict(zip(probes, definition.args, strict=True)) | {_SELF: name}
        terms = [
            _slope_of(definition.func, tuple(probes), k).xreplace(values) * _derivative(argument, symbol)
            for k, argument in enumerate(definition.args)
            if symbol in argument.free_symbols
        ]
        return self.shorten(sp.Add(*terms))


_SELF = sp.Symbol("self")


def _probe(number: int) -> sp.Symbol:
    return sp.Symbol(f"probe{number}")


@functools.lru_cache(maxsize=256)
def _slope_of(function: type[sp.Expr], probes: tuple[sp.Expr, ...], place: int) -> sp.Expr:
    """The derivative of a function by one of its arguments, in its own value where that occurs."""
    whole = function(*probes)
    slope = sp.diff(whole, probes[place])
    again = {whole: _SELF}
    if isinstance(whole, sp.Pow):
        base, exponent = whole.args
        for power in slope.atoms(sp.Pow):
            if power.base == base and (power.exp / exponent).is_Integer:
                again[power] = _SELF ** (power.exp / exponent)
    return slope.xreplace(again)


def _derivative(expression: sp.Expr, symbol: sp.Symbol) -> sp.Expr:
    """What SymPy's `diff` gives, without a look at the terms of a sum that do not read the symbol."""
    if expression == symbol:
        return sp.S.One
    return sp.Add(*(_derivative_of_term(term, symbol) for term in sp.Add.make_args(expression)))


def _derivative_of_term(term: sp.Expr, symbol: sp.Symbol) -> sp.Expr:
    if term == symbol:
        return sp.S.One
    if isinstance(term, sp.Mul):  # most terms are products of which one factor reads the symbol
        moving = [factor for factor in term.args if symbol in factor.free_symbols]
        if len(moving) == 1:
            return sp.Mul(*(factor for factor in term.args if factor is not moving[0]), _derivative(moving[0], symbol))
        return sp.diff(term, symbol) if moving else sp.S.Zero
    return sp.diff(term, symbol) if symbol in term.free_symbols else sp.S.Zero


def _ordered(symbols: Iterable[sp.Basic]) -> list[sp.Symbol]:
    return sorted(symbols, key=str)


def _is_linear(expression: sp.Expr, symbol: sp.Symbol) -> bool:
    """Whether a symbol occurs with a number before it and nowhere else."""
    slope = expression.diff(symbol)
    return bool(slope.is_number and slope != 0)


def _number(symbol: sp.Symbol) -> int:
    return int(symbol.name.removeprefix(PREFIX))
