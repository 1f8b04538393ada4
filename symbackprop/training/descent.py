"""Gradient descent on a formula: the path in exact numbers, the update, and for quadratic forms why it converges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sympy as sp

from symbackprop.errors import ArgumentError, DivergenceError
from symbackprop.training.iteration import (
    LinearIteration,
    close_form,
    describe_rates,
    explain_rate,
    linear_iteration,
)
from symbackprop.training.points import (
    Number,
    Point,
    choose_symbol,
    entries_of,
    format_number,
    read_number,
    read_start,
)

MAX_STEPS = 10_000
DIGITS = 30  # carried along the path of a formula that has no linear gradient
MAX_MAGNITUDE = sp.Integer(10) ** 300


@dataclass(frozen=True, slots=True)
class Descent:
    """Gradient descent on `function`, from the start to the last step.

    `path` holds the points and `values` the function there, both from step 0 on: exact for quadratic forms, else to
    30 digits. `update` is the next point, `factor` the multiplier of the distance to the resting point and
    `closed_form` the point after n steps, in `rate_symbol`, `step_symbol` and the symbols `x_0` of the start. Where
    `start` is one number these are numbers and expressions; else they are `Point`s, one entry for each variable; the
    iteration matrix stands in place of a factor for each variable when the variables move each other. `factor` and
    `closed_form` are None where the gradient is not linear, and `why` says so; otherwise `why` says what the learning
    rate does.
    """

    function: sp.Expr
    variables: tuple[sp.Symbol, ...]
    learning_rate: sp.Rational
    rate_symbol: sp.Symbol
    step_symbol: sp.Symbol
    start_symbols: tuple[sp.Symbol, ...]
    gradient: sp.Expr | Point
    update: sp.Expr | Point
    path: tuple[sp.Expr | Point, ...]
    values: tuple[sp.Expr, ...]
    factor: sp.Expr | Point | sp.ImmutableMatrix | None
    closed_form: sp.Expr | Point | None
    converges: sp.Set | None
    period: int | None
    iteration: LinearIteration | None
    why: str

    def text(self) -> str:
        """Return what was derived, line by line, for a terminal."""
        arguments = ", ".join(symbol.name for symbol in self.variables)
        rate, steps = self.rate_symbol, len(self.path) - 1
        lines = [f"f({arguments}) = {self.function}"]
        for symbol, partial, step in zip(
            self.variables, entries_of(self.gradient), entries_of(self.update), strict=True
        ):
            lines.append(f"df/d{symbol} = {partial}")
            lines.append(f"{symbol} <- {symbol} - {rate}*df/d{symbol} = {step}")
        if isinstance(self.factor, sp.ImmutableMatrix):
            lines.append(f"iteration matrix: {self.factor.tolist()}")
        elif self.factor is not None:
            for symbol, factor in zip(self.variables, entries_of(self.factor), strict=True):
                lines.append(f"factor of {symbol}: {factor}")
        if self.closed_form is not None:
            for symbol, form in zip(self.variables, entries_of(self.closed_form), strict=True):
                lines.append(f"{symbol}_{self.step_symbol} = {form}")
        if self.converges is not None:
            lines.append(describe_rates(self.converges, rate.name))
        lines.append(self.why)
        lines.append(f"start:         {self.describe_point(0)}")
        lines.append(f"after {steps} steps: {self.describe_point(-1)}  ({rate} = {self.learning_rate})")
        return "\n".join(lines)

    def describe_point(self, place: int) -> str:
        """Return one point of the path and the function there, to six digits."""
        named = zip(self.variables, entries_of(self.path[place]), strict=True)
        listed = [f"{symbol} = {format_number(value)}" for symbol, value in named]
        return ", ".join([*listed, f"f = {format_number(self.values[place])}"])

    def latex(self) -> str:
        """Return the update, its contracted form and the closed form as an `align*` environment."""
        names = {self.rate_symbol: r"\eta"} if self.rate_symbol.name == "lr" else {}
        rate = sp.latex(self.rate_symbol, symbol_names=names)
        rows = []
        for symbol, partial, step in zip(
            self.variables, entries_of(self.gradient), entries_of(self.update), strict=True
        ):
            derivative = sp.latex(partial, symbol_names=names)
            if isinstance(partial, sp.Add):
                derivative = rf"\left({derivative}\right)"
            rows.append(
                f"{sp.latex(symbol)} &\\leftarrow {sp.latex(symbol)} - {rate} \\cdot {derivative}"
                f" = {sp.latex(step, symbol_names=names)}"
            )
        if isinstance(self.factor, sp.ImmutableMatrix):
            rows.append(f"M &= I - {rate} H = {sp.latex(self.factor, symbol_names=names)}")
        if self.closed_form is not None:
            for symbol, form in zip(self.variables, entries_of(self.closed_form), strict=True):
                head = sp.latex(sp.Symbol(f"{symbol}_{self.step_symbol}"))
                rows.append(f"{head} &= {sp.latex(form, symbol_names=names)}")
        return "\\begin{align*}\n" + " \\\\\n".join(rows) + "\n\\end{align*}"

    def _repr_latex_(self) -> str:
        return self.latex()

    def __str__(self) -> str:
        return self.text()


def descend(
    function: sp.Expr,
    start: Number | Mapping[str, Number] | Mapping[sp.Symbol, Number],
    learning_rate: Number,
    steps: int,
) -> Descent:
    """Follow x <- x - eta grad f(x) for a number of steps, and say what happens and why.

    `start` is a number for a function of one variable, else a number for each variable by name. Decimal floats are
    read as the decimals that they print: 0.1 is one tenth. Raises ArgumentError for values out of their range,
    UnknownNameError for a start that names no variable, DivergenceError where a path that is not exact grows past
    1e300.

    >>> x = sp.Symbol("x")
    >>> descent = descend(x**2, 1000, 0.1, 100)
    >>> print(descent.factor, descent.closed_form)
    1 - 2*lr x_0*(1 - 2*lr)**n
    >>> print(descent.describe_point(-1))
    x = 2.03704e-7, f = 4.14952e-14
    """
    if not isinstance(function, sp.Expr):
        raise ArgumentError(f"the function is a {type(function).__name__}; give a SymPy expression.")
    if isinstance(steps, bool) or not isinstance(steps, int) or not 0 <= steps <= MAX_STEPS:
        raise ArgumentError(f"steps is {steps!r}; give a whole number from 0 to {MAX_STEPS}.")
    function = function.replace(lambda part: part.is_Float, lambda part: sp.Rational(str(part)))
    rate = read_number(learning_rate, "learning_rate")
    if rate <= 0:
        raise ArgumentError(f"learning_rate is {rate}; give a positive number.")
    variables = tuple(sorted(function.free_symbols, key=lambda symbol: symbol.name))
    first, shaped = read_start(start, variables)
    variables = variables or (sp.Symbol("x"),)
    names = tuple(symbol.name for symbol in variables)

    def shape(entries: tuple[sp.Expr, ...]) -> sp.Expr | Point:
        return Point(names, entries) if shaped else entries[0]

    rate_symbol = choose_symbol(("lr", "eta", "learning_rate"), names)
    step_symbol = choose_symbol(("n", "k", "steps"), names)
    start_symbols = tuple(sp.Symbol(f"{name}_0") for name in names)
    gradient = tuple(sp.diff(function, variable) for variable in variables)
    update = tuple(variable - rate_symbol * partial for variable, partial in zip(variables, gradient, strict=True))
    iteration = linear_iteration(function, variables)
    if iteration is not None:
        update = tuple(sp.collect(sp.expand(step), variables) for step in update)
    exact = iteration is not None and all(
        value.is_Rational for value in (*iteration.hessian, *iteration.offset, *first, rate)
    )
    path = follow_path(gradient, variables, first, rate, steps, exact=exact)
    values = tuple(evaluate(function, variables, point) for point in path)
    factor: sp.Expr | Point | sp.ImmutableMatrix | None = None
    closed_form: sp.Expr | Point | None = None
    why = "the gradient is not linear, so no one factor and no closed form hold for every start."
    if iteration is not None:
        matrix = iteration.matrix(rate_symbol)
        factor = shape(tuple(matrix.diagonal())) if iteration.decouples() else matrix
        closed_form = shape(close_form(iteration, rate_symbol, step_symbol, start_symbols))
        why = explain_rate(iteration, rate, rate_symbol.name, names)
    return Descent(
        function=function,
        variables=variables,
        learning_rate=rate,
        rate_symbol=rate_symbol,
        step_symbol=step_symbol,
        start_symbols=start_symbols,
        gradient=shape(gradient),
        update=shape(update),
        path=tuple(shape(point) for point in path),
        values=values,
        factor=factor,
        closed_form=closed_form,
        converges=None if iteration is None else iteration.convergent_rates(),
        period=find_period(path),
        iteration=iteration,
        why=why,
    )


def follow_path(
    gradient: tuple[sp.Expr, ...],
    variables: tuple[sp.Symbol, ...],
    start: tuple[sp.Expr, ...],
    rate: sp.Expr,
    steps: int,
    *,
    exact: bool,
) -> tuple[tuple[sp.Expr, ...], ...]:
    """Return the points of the descent, the start included."""
    path = [start if exact else tuple(sp.N(value, DIGITS) for value in start)]
    step_rate = rate if exact else sp.N(rate, DIGITS)
    for step in range(1, steps + 1):
        point = path[-1]
        slopes = [evaluate(partial, variables, point) for partial in gradient]
        moved = tuple(value - step_rate * slope for value, slope in zip(point, slopes, strict=True))
        moved = tuple(value if exact else sp.N(value, DIGITS) for value in moved)
        if not exact and not all(value.is_Float and abs(value) < MAX_MAGNITUDE or value.is_zero for value in moved):
            raise DivergenceError(
                f"the descent left the real numbers below 1e300 at step {step}; take a smaller learning rate."
            )
        path.append(moved)
    return tuple(path)


def evaluate(expression: sp.Expr, variables: tuple[sp.Symbol, ...], point: tuple[sp.Expr, ...]) -> sp.Expr:
    """Return the value of an expression at a point.

    >>> x = sp.Symbol("x")
    >>> evaluate(x**2 + 1, (x,), (sp.Integer(3),))
    10
    """
    return expression.subs(dict(zip(variables, point, strict=True)), simultaneous=True)


def find_period(path: tuple[tuple[sp.Expr, ...], ...]) -> int | None:
    """Return 2 where the path ends in going to and fro between two points, 1 where it rests, else None.

    >>> one, two = (sp.Integer(1),), (sp.Integer(2),)
    >>> find_period((one, two, one)), find_period((two, one, one)), find_period((one, two))
    (2, 1, None)
    """
    if len(path) >= 2 and path[-1] == path[-2]:
        return 1
    return 2 if len(path) >= 3 and path[-1] == path[-3] else None
