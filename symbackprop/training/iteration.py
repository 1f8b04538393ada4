"""Gradient descent on a quadratic form, as a linear iteration: contraction, closed form, and the rates that converge.

For f(x) = x'Hx/2 + c'x + f0 a step is x <- x - eta (Hx + c) = Mx - eta c with M = I - eta H. Where Hx* = -c has a
solution x*, the distance to it is multiplied by M at every step, so x_n = x* + M^n (x_0 - x*).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy as sp


@dataclass(frozen=True, slots=True)
class LinearIteration:
    """The iteration x <- x - eta (Hx + c) of a quadratic form.

    `centre` solves Hx + c = 0 (None where nothing does); `curvatures` are the eigenvalues of H in increasing order.

    >>> x, eta = sp.symbols("x eta")
    >>> linear_iteration(x**2, (x,)).convergent_rates()
    Interval.open(0, 1)
    """

    hessian: sp.ImmutableMatrix
    offset: sp.ImmutableMatrix
    centre: sp.ImmutableMatrix | None
    curvatures: tuple[sp.Expr, ...]

    def matrix(self, rate: sp.Expr) -> sp.ImmutableMatrix:
        """Return M = I - rate H."""
        return sp.ImmutableMatrix(sp.eye(self.hessian.rows) - rate * self.hessian)

    def decouples(self) -> bool:
        """Say whether each variable moves by itself."""
        return bool(self.hessian.is_diagonal())

    def convergent_rates(self) -> sp.Set:
        """Return the rates at which the descent converges from every start.

        |1 - eta h| < 1 for a curvature h > 0 means 0 < eta < 2/h. A direction of curvature 0 stays where it is if the
        form is level along it, and along a direction of negative curvature no positive rate converges.
        """
        if self.centre is None or any(sort_key(value) < 0 for value in self.curvatures):
            return sp.S.EmptySet
        largest = self.curvatures[-1]
        return sp.Interval.open(0, sp.oo if largest.is_zero else 2 / largest)

    def multipliers(self, rate: sp.Expr) -> tuple[sp.Expr, ...]:
        """Return the eigenvalues of M, in the order of the curvatures."""
        return tuple(1 - rate * value for value in self.curvatures)


def linear_iteration(function: sp.Expr, variables: tuple[sp.Symbol, ...]) -> LinearIteration | None:
    """Return the linear iteration of a quadratic form with constant coefficients; None for every other function."""
    if not function.is_polynomial(*variables):
        return None
    if sp.Poly(function, *variables).total_degree() > 2:
        return None
    gradient = sp.ImmutableMatrix([sp.diff(function, variable) for variable in variables])
    hessian = sp.ImmutableMatrix(gradient.jacobian(variables).applyfunc(sp.expand))
    offset = sp.ImmutableMatrix(sp.expand(gradient.subs(dict.fromkeys(variables, 0), simultaneous=True)))
    if not all(entry.is_extended_real for entry in hessian):
        return None
    return LinearIteration(hessian, offset, solve_centre(hessian, offset), order_eigenvalues(hessian))


def solve_centre(hessian: sp.ImmutableMatrix, offset: sp.ImmutableMatrix) -> sp.ImmutableMatrix | None:
    """Return a solution of Hx = -c, with 0 for what H leaves free; None when there is none.

    >>> solve_centre(sp.ImmutableMatrix([[2]]), sp.ImmutableMatrix([-6]))
    Matrix([[3]])
    """
    try:
        solution, free = sp.Matrix(hessian).gauss_jordan_solve(sp.Matrix(-offset))
    except ValueError:
        return None
    return sp.ImmutableMatrix(solution.subs(dict.fromkeys(free, 0)))


def order_eigenvalues(hessian: sp.ImmutableMatrix) -> tuple[sp.Expr, ...]:
    """Return the eigenvalues of a symmetric matrix in increasing order, with multiplicity.

    >>> order_eigenvalues(sp.ImmutableMatrix([[2, 1], [1, 2]]))
    (1, 3)
    """
    if hessian.is_diagonal():
        return tuple(sorted(hessian.diagonal(), key=sort_key))
    if all(entry.is_Rational for entry in hessian):
        return tuple(sp.Poly(hessian.charpoly().as_expr(), *hessian.charpoly().gens).real_roots())
    values = [value for value, count in sp.Matrix(hessian).eigenvals().items() for _ in range(count)]
    # The eigenvalues of a symmetric matrix are real; the formula for a cubic may write them with a vanishing i.
    return tuple(sorted(values, key=sort_key))


def close_form(
    iteration: LinearIteration, rate: sp.Expr, step: sp.Expr, start: tuple[sp.Symbol, ...]
) -> tuple[sp.Expr, ...]:
    """Return each variable after n steps.

    With P_h the projection on the directions of curvature h, the part of x_n there is `P_h (x_0 - n eta c)` for h =
    0, and `-P_h c / h + (1 - eta h)^n P_h (x_0 + c/h)` for every other h.

    >>> x, eta, n = sp.symbols("x eta n")
    >>> close_form(linear_iteration((x - 3) ** 2, (x,)), eta, n, (sp.Symbol("x_0"),))
    ((1 - 2*eta)**n*(x_0 - 3) + 3,)
    """
    first, offset = sp.Matrix(start), sp.Matrix(iteration.offset)
    distinct = tuple(dict.fromkeys(iteration.curvatures))
    parts = []
    for curvature in distinct:
        projection = project(iteration.hessian, curvature, distinct)
        if curvature.is_zero:
            parts.append(projection * (first - step * rate * offset))
        else:
            centre = -offset / curvature
            distance = (projection * (first - centre)).applyfunc(sp.expand)
            parts.append(projection * centre + (1 - rate * curvature) ** step * distance)
    return tuple(sp.Add(*(part[row] for part in parts)) for row in range(len(start)))


def project(hessian: sp.ImmutableMatrix, curvature: sp.Expr, distinct: tuple[sp.Expr, ...]) -> sp.Matrix:
    """Return the projection on the eigenvectors of one curvature: the product of (H - k)/(h - k) over the others k.

    >>> project(sp.ImmutableMatrix([[2, 1], [1, 2]]), sp.Integer(3), (sp.Integer(1), sp.Integer(3)))
    Matrix([
    [1/2, 1/2],
    [1/2, 1/2]])
    """
    unit = sp.eye(hessian.rows)
    result = unit
    for other in distinct:
        if other != curvature:
            result = result * (sp.Matrix(hessian) - other * unit) / (curvature - other)
    return result.applyfunc(lambda entry: sp.radsimp(sp.expand(entry)))


def describe_rates(rates: sp.Set, name: str) -> str:
    """Say for which learning rates the descent converges from every start.

    >>> describe_rates(sp.Interval.open(0, 1), "lr")
    'converges for 0 < lr < 1; at lr = 1 the factor is -1 and it goes to and fro for ever'
    """
    if rates is sp.S.EmptySet:
        return "converges for no learning rate from every start"
    if rates.end is sp.oo:
        return f"rests at every learning rate {name} > 0"
    return (
        f"converges for {rates.start} < {name} < {rates.end}; "
        f"at {name} = {rates.end} the factor is -1 and it goes to and fro for ever"
    )


def explain_rate(iteration: LinearIteration, rate: sp.Expr, name: str, variables: tuple[str, ...]) -> str:
    """Say what one learning rate does, and why.

    >>> x = sp.Symbol("x")
    >>> print(explain_rate(linear_iteration(x**2, (x,)), sp.Integer(1), "lr", ("x",)))
    lr = 1: each step multiplies the distance to x = 0 by -1, so x goes to -x and back for ever (period 2).
    """
    head = f"{name} = {rate}: "
    if iteration.centre is None:
        return head + "the function falls without end along a straight line, so the descent rests nowhere."
    place = ", ".join(f"{variable} = {value}" for variable, value in zip(variables, iteration.centre, strict=True))
    multipliers = tuple(dict.fromkeys(iteration.multipliers(rate)))
    if len(multipliers) == 1:
        head += f"each step multiplies the distance to {place} by {multipliers[0]}, so "
    else:
        listed = ", ".join(str(value) for value in multipliers)
        head += f"each step multiplies the distance to {place} by {listed} along the axes of the form, so "
    largest = max(sort_key(abs(value)) for value in multipliers)
    if largest > 1:
        return head + "it grows without end from almost every start."
    if any(value == -1 for value in multipliers):
        if len(multipliers) > 1:
            return head + "the part with the factor -1 goes to and fro for ever (period 2)."
        return head + mirror(iteration.centre, variables) + " and back for ever (period 2)."
    if all(value == 1 for value in multipliers):
        return head + "it stays where it is."
    if any(value.is_zero for value in multipliers) and len(multipliers) == 1:
        return head + "one step is enough."
    if any(sort_key(value) < 0 for value in multipliers):
        return head + "it converges, changing sides at each step."
    return head + "it converges."


def mirror(centre: sp.ImmutableMatrix, variables: tuple[str, ...]) -> str:
    """Say where the reflection in the centre sends a point.

    >>> mirror(sp.ImmutableMatrix([3]), ("x",))
    'x goes to 6 - x'
    """
    images = [str(2 * value - sp.Symbol(name)) for name, value in zip(variables, centre, strict=True)]
    if len(variables) == 1:
        return f"{variables[0]} goes to {images[0]}"
    return f"({', '.join(variables)}) goes to ({', '.join(images)})"


def sort_key(value: sp.Expr) -> Any:
    """Return the real part of a number to thirty digits, for comparisons.

    >>> sort_key(sp.Rational(1, 2)) < sort_key(sp.pi)
    True
    """
    return sp.re(sp.N(value, 30))
