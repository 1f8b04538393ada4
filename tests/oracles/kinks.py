"""Where the functions of the catalogue have kinks, and the derivatives there: ours by the code that runs, and JAX's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import sympy
from jax_peers import find_peer
from sympy.core.relational import Relational

import symbackprop as sb
from symbackprop.functions import FUNCTIONS, ScalarFunction, derivative, expand_applications

PAGE = Path(__file__).parents[2] / "docs" / "kinks.md"
OTHER = sympy.Rational(1, 4)  # the second of two arguments
NEAR = sympy.Rational(1, 10**9)
LEAST_JUMP = 1e-6
TIE = (1.0, 1.0, 0.0, 1.0)
NONE = "none"


@dataclass(frozen=True)
class Kink:
    """A function at a point where its derivative by the argument at `place` jumps."""

    function: ScalarFunction
    place: int
    point: tuple[float, ...]

    @property
    def letters(self) -> tuple[str, ...]:
        """The names of the arguments."""
        return ("u", "v")[: self.function.arity]

    @property
    def text(self) -> str:
        """The application in the formula language."""
        return f"{self.function.name}({', '.join(self.letters)})"

    @property
    def cells(self) -> tuple[str, str, str]:
        """How the page says which derivative is meant, and where."""
        where = ", ".join(f"{name} = {write(value)}" for name, value in zip(self.letters, self.point, strict=True))
        return f"`{self.text}`", self.letters[self.place], where


def list_kinks() -> tuple[Kink, ...]:
    """Every kink of the live catalogue, parameters at their standard values."""
    return tuple(kink for f in FUNCTIONS for place in range(f.arity) for kink in _find_kinks(f, place))


def _find_kinks(function: ScalarFunction, place: int) -> list[Kink]:
    symbols, slope = derivative(function.name, place, function.arity)
    first, rest = symbols[0], dict.fromkeys(symbols[1:], OTHER)
    conditions = expand_applications(function.formula(*symbols)).atoms(Relational)
    points = sorted({p for c in conditions for p in sympy.solve((c.lhs - c.rhs).subs(rest), first)})
    found = []
    for point in points:
        below, above = (float(slope.subs(rest).subs(first, point + step)) for step in (-NEAR, NEAR))
        if abs(above - below) > LEAST_JUMP:
            found.append(Kink(function, place, (float(point), float(OTHER))[: function.arity]))
    return found


def slope_of_text(text: str, letters: tuple[str, ...], place: int, point: tuple[float, ...]) -> float:
    """Our derivative of a formula by one of its letters, by the compiled code."""
    run = sb.derive(sb.parse(f"param {', '.join(letters)}\nloss = {text}"), [letters[place]]).compile()
    _, slopes = run(dict(zip(letters, point, strict=True)))
    return float(slopes[letters[place]])


def our_slope(kink: Kink) -> str:
    """The cell of our derivative."""
    return write(slope_of_text(kink.text, kink.letters, kink.place, kink.point))


def jax_slope(kink: Kink) -> str:
    """The cell of JAX's derivative of its own function, or that it has none."""
    peer = find_peer(kink.function, kink.function.arity)
    return NONE if peer is None else write(float(jax.grad(peer, kink.place)(*map(jnp.float64, kink.point))))


@dataclass(frozen=True)
class Tie:
    """An extreme over an index at `TIE`, where the largest or smallest entry stands more than once."""

    text: str
    negated: bool
    jax: Callable[[jax.Array], jax.Array]

    @property
    def values(self) -> np.ndarray:
        """The entries."""
        return -np.array(TIE) if self.negated else np.array(TIE)


TIES = (Tie("max(i, x[i])", False, jnp.max), Tie("min(i, x[i])", True, jnp.min))


def our_share(tie: Tie) -> str:
    """The cell of our gradient at a tie."""
    _, slopes = sb.derive(sb.parse(f"param x[N]\nloss = {tie.text}")).compile()({"x": tie.values})
    return write_all(slopes["x"])


def jax_share(tie: Tie) -> str:
    """The cell of JAX's gradient at a tie."""
    return write_all(np.asarray(jax.grad(tie.jax)(jnp.asarray(tie.values))))


def write(value: float) -> str:
    """A number as a fraction of small whole numbers, or as six digits.

    >>> write(0.5), write(-3.0), write(1.7580993408473766)
    ('1/2', '-3', '1.7581')
    """
    near = Fraction(value).limit_denominator(1000)
    return str(near) if abs(float(near) - value) < 1e-15 else f"{value:.6g}"


def write_all(values: np.ndarray) -> str:
    """A vector of numbers."""
    return f"({', '.join(write(float(v)) for v in values)})"


def read_rows() -> list[list[str]]:
    """The cells of the tables of the page, without their heads."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
