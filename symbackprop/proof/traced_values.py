"""Traced numbers: a SymPy expression that passes for a float in a person's own NumPy code.

Every comparison is decided exactly, at one rational point, and recorded: a run of the code follows one path, and the
recorded conditions say for which inputs the path is taken.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp

from symbackprop.proof.float_draws import Draws, carry, draw
from symbackprop.proof.number_reader import NumberReader
from symbackprop.proof.open_needs import holds_openly
from symbackprop.proof.path_signs import Reading
from symbackprop.proof.stops import TracingStoppedError
from symbackprop.proof.traced_arithmetic import Arithmetic
from symbackprop.proof.traced_functions import ON_FLOATS
from symbackprop.proof.traced_needs import Needs, join_needs, list_needs, needs_of_function, needs_of_power, valued
from symbackprop.proof.traced_rounding import is_infinite
from symbackprop.proof.whole_numbers import is_whole


class Path(NumberReader, ABC):
    """One run of the code: the numbers that it computes with, and what was compared on the way.

    It is written to while the code runs and read afterwards.
    """

    def __init__(
        self, point: Mapping[str, Fraction], draw: Callable[[str], Fraction], deadline: float, reading: Reading
    ) -> None:
        super().__init__(point, deadline, reading)
        self.maxima_met = False
        self._draw = draw
        self.mixes_types = False
        self.compared: list[Needs | None] = []  # what compared numbers need: beside NaN a comparison is false
        self.zero = Traced(self, sp.S.Zero)
        self.one = Traced(self, sp.S.One)

    @abstractmethod
    def note_tie(self, first: Traced, second: Traced, holds: bool) -> None:
        """Two numbers that are equal on each path were compared, which gave a truth value."""

    @abstractmethod
    def apply_ufunc(self, ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
        """One of NumPy's elementwise functions; the paths of arrays have them."""

    @abstractmethod
    def truth(self, expression: sp.Expr) -> Any:
        """What a comparison gives: true or false where that is known, as 0 and 1, else left open."""

    def needs_of_power(self, base: sp.Expr, exponent: sp.Expr) -> Needs | None:
        """What a power needs; what open comparisons choose is no exponent, as each value of it needs something else."""
        if self.choices.among((self.cuts.expand(exponent),)):
            raise TracingStoppedError("open comparisons choose an exponent")
        return needs_of_power(base, exponent)

    def is_exact_type(self, dtype: Any) -> bool:
        """Whether a dtype asks for integers or booleans; float types and none are a number, whatever its precision."""
        if dtype is None or (isinstance(dtype, type) and issubclass(dtype, float)):
            return False
        asked = np.dtype(dtype)
        if asked.kind not in "biu" and asked != np.float64:
            self.mixes_types = True
        if asked == np.float16:
            self.notes["float16 keeps three digits, and nothing beyond 65504: neither was judged."] = None
        return asked.kind in "biu"

    def float_type(self) -> np.dtype[Any]:
        """What an array or a number of floats says of its type."""
        if self.mixes_types:
            raise TracingStoppedError("the code mixes types of numbers, and which of them a result has is not traced")
        return np.dtype(np.float64)

    def symbol(self, name: str) -> Traced:
        """A variable, with its value at the sample point."""
        self.check_time()
        self.point.setdefault(name, self._draw(name))
        return Traced(self, sp.Symbol(name))

    def constant(self, value: Any) -> Traced:
        """A number as a traced one; a float is the number that was meant."""
        return value if isinstance(value, Traced) else Traced(self, self.read(value))

    def read(self, value: Any) -> sp.Expr:
        """The exact value of a Python or NumPy number."""
        if isinstance(value, bool | np.bool_ | int | np.integer):
            return self.read_mask(sp.Integer(int(value)))
        if isinstance(value, float | np.floating):
            number = float(value)
            if math.isinf(number):
                if self.reading.masks_infinite:
                    raise TracingStoppedError("a true infinity stands beside masks that are read as one")
                return sp.oo if number > 0 else -sp.oo
            if math.isnan(number):
                raise TracingStoppedError("a NaN was computed")
            return self.read_mask(self.read_meant(value))
        if isinstance(value, Fraction):
            return sp.Rational(value.numerator, value.denominator)
        if isinstance(value, np.ndarray) and value.ndim == 0:
            return self.read(value.item())
        if isinstance(value, Traced):
            return value.expression
        if isinstance(value, complex | np.complexfloating):
            raise TracingStoppedError("complex numbers are not traced; keep real and imaginary parts in arrays")
        raise TracingStoppedError(f"a {type(value).__name__} takes part in the arithmetic")


class PlainNumberError(TracingStoppedError):
    """A number that is not known yet was asked for its value."""


class Traced(Arithmetic):
    """A number of the traced code: an expression, the path that it is computed on, and what floats make of it."""

    __slots__ = ("_floats", "expression", "needs", "path")
    is_known = True  # whether it has an expression
    expression: sp.Expr

    def __init__(
        self, path: Path, expression: sp.Expr, needs: Needs | None = None, floats: Draws | None = None
    ) -> None:
        self.path, self.expression, self.needs, self._floats = path, expression, needs, floats

    @property
    def floats(self) -> Draws | None:
        """What floats make of the computation at some draws, where that is known."""
        return draw(self.expression) if self._floats is None else self._floats

    def __getattr__(self, name: str) -> Any:
        """What a NumPy scalar has beside this is not traced; code that asks for it is not told that it is missing."""
        if not name.startswith("_"):
            self.check_type()
            if hasattr(np.float64, name):
                raise TracingStoppedError(f"np.float64.{name} is not traced")
        raise AttributeError(f"{np.float64.__name__!r} object has no attribute {name!r}")

    def __format__(self, how: str) -> str:
        """Not traced: what a text says of a number is that of one point."""
        raise TracingStoppedError("a traced number is written into a text; leave that out of what is judged")

    def __str__(self) -> str:
        return self.__format__("")

    __repr__ = __str__

    def check_type(self) -> None:
        """Raise where NumPy may hold an integer that open comparisons choose: a float is all that it says to be."""
        if self.path.reading.comparisons_open and is_whole(self.path.cuts.expand(self.expression), self.path.choices):
            raise TracingStoppedError("whether NumPy holds a float or an integer here is not traced")

    def __copy__(self) -> Traced:
        """Itself: it never changes."""
        return self

    def __deepcopy__(self, memo: object) -> Traced:
        """Itself: it never changes."""
        return self

    def apply(self, function: Callable[[sp.Expr], sp.Expr]) -> Traced:
        """A function of one real variable."""
        self.path.check_time()
        if is_infinite(self.expression):
            value = sp.limit(function(_LIMIT), _LIMIT, self.expression)
            if value.has(sp.nan, sp.zoo, sp.AccumBounds):
                raise TracingStoppedError(f"a function of {self.expression} was computed")
            return Traced(self.path, value, self.needs)
        needs = join_needs(needs_of_function(function, self.expression), self.needs)
        floats = carry(ON_FLOATS.get(function), self.floats)
        return Traced(self.path, self.path.cuts.shorten(valued(function(self.expression))), needs, floats)

    def _with(
        self,
        other: Any,
        operation: Callable[[sp.Expr, sp.Expr], sp.Expr],
        swapped: bool = False,
        partial: Callable[[sp.Expr, sp.Expr], Needs | None] | None = None,
        *,
        added: bool = False,
    ) -> Any:
        if not is_number(other):
            return NotImplemented
        if isinstance(other, Traced) and not other.is_known:
            return -other  # still nothing that is known
        self.path.check_time()
        first, second = self.expression, self.path.read(other)
        needs = join_needs(self.needs, other.needs) if isinstance(other, Traced) else self.needs
        if swapped:
            first, second = second, first
        if is_infinite(first) or is_infinite(second):
            if self.path.reading.masks_infinite and not added and (first.free_symbols or second.free_symbols):
                raise TracingStoppedError("a number that is read as minus infinity multiplies what is differentiated")
            first, second = (each if is_infinite(each) else self._bounded(each, added) for each in (first, second))
        elif partial is not None:
            needs = join_needs(partial(first, second), needs)
        floats = None if self.path.reading.masks_infinite else self._carry(other, operation, swapped)
        return Traced(self.path, self.path.cuts.shorten(valued(operation(first, second))), needs, floats)

    def _carry(self, other: Any, operation: Callable[..., Any], swapped: bool) -> Draws | None:
        pair = (self.floats, self.path.constant(other).floats)
        return carry(operation, *(pair[::-1] if swapped else pair))

    def _bounded(self, expression: sp.Expr, added: bool) -> sp.Expr:
        """Beside an infinity only the sign of a number counts, and nothing of one that is added."""
        return sp.S.Zero if added else sp.Integer(self.path.sign(expression))

    def __neg__(self) -> Traced:
        return Traced(self.path, -self.expression, self.needs, carry(np.negative, self.floats))

    def __pos__(self) -> Traced:
        return self

    def __abs__(self) -> Traced:
        return self if self.path.sign(self.expression) >= 0 else -self

    def _compare(self, other: Any, holds: Callable[[int], bool]) -> Any:
        """Whether what is said of the sign of the difference holds."""
        if not isinstance(other, _NUMBERS):
            return NotImplemented
        first, second = self.expression, self.path.read(other)
        if is_infinite(first) or is_infinite(second):
            return self._truth(holds(0 if first == second else 1 if first == sp.oo or second == -sp.oo else -1), other)
        self.note_compared(other.needs if isinstance(other, Traced) else None)
        if self.path.reading.comparisons_open:
            found = self.path.truth(self.path.compare(first - second, holds))
            return self._truth(found, other) if type(found) is bool else found
        sign = self.path.sign(first - second, equality=holds(1) == holds(-1))
        if sign == 0:
            self.path.note_tie(self, self.path.constant(other), holds(0))
        return self._truth(holds(sign), other)

    def note_compared(self, other: Needs | None = None) -> None:
        """What is compared, or asked whether it is finite, has to have a value; left open, beside ties alone."""
        needs, choices = join_needs(self.needs, other), self.path.choices
        if not self.path.reading.comparisons_open:
            self.path.compared.append(needs)
            return
        for fact in map(self.path.cuts.expand_fact, list_needs((needs,))):
            at_ties = fact.relation == "!=" and not choices.among((fact.expression,))
            if not at_ties and not holds_openly(fact, choices):
                raise TracingStoppedError("what is compared may have no value")

    def _truth(self, holds: bool, other: Any) -> Any:
        """NumPy's truth values, whose sums are no counts."""
        return np.bool_(holds)

    def __bool__(self) -> bool:
        """Whether it is not zero, as for a float."""
        self.path.compared.append(self.needs)
        sign = self.path.sign(self.expression, equality=True)
        if sign == 0:
            self.path.note_tie(self, self.path.zero, False)
        return sign != 0

    def _number(self) -> sp.Expr:
        if not self.expression.is_number:
            raise PlainNumberError(
                "a traced number is needed as a plain float or integer, by code that is not traced; write it with "
                "NumPy, or hand it over in data where no gradient goes through it"
            )
        return self.expression

    def __float__(self) -> float:
        return float(self._number())

    def __int__(self) -> int:
        return int(self.expression) if self.expression.is_Integer else int(self.trunc())

    def __index__(self) -> int:
        if not self.expression.is_Integer:
            raise TypeError("a traced number is no index")
        return int(self.expression)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        """NumPy's own functions on a traced number: the operation of the same name, in arrays of objects."""
        return self.path.apply_ufunc(ufunc, method, inputs, options)

    # What NumPy's scalars have, so that a loss may be treated as the array without axes that it is.
    shape: tuple[int, ...] = ()
    ndim = 0
    size = 1

    @property
    def dtype(self) -> np.dtype[Any]:
        """That of a float: the code that runs without tracing meets one here."""
        self.check_type()
        return self.path.float_type()

    @property
    def T(self) -> Traced:  # noqa: N802
        """Itself, without axes to swap."""
        return self

    @property
    def real(self) -> Traced:
        """Itself: it is real."""
        return self

    def item(self) -> PythonFloat:
        """The same as a float of Python."""
        return PythonFloat(self.path, self.expression, self.needs, self._floats)

    tolist = item

    def copy(self) -> Traced:
        """Itself: it never changes."""
        return self

    conjugate = conj = squeeze = copy

    def clip(self, min: Any = None, max: Any = None, **_: Any) -> Any:
        """The nearest number between two."""
        least = self if min is None else np.maximum(self, min)
        return least if max is None else np.minimum(least, max)

    def sum(self, *_: Any, **__: Any) -> Traced:
        """Itself, the only entry."""
        return self

    mean = max = min = sum

    def astype(self, dtype: Any, *_: Any, **__: Any) -> Any:
        """Itself; the precision of floats plays no part."""
        return np.dtype(dtype).type(self) if self.path.is_exact_type(dtype) else self

    def tobytes(self, *_: Any, **__: Any) -> Any:
        """Not traced: a symbol has no bytes."""
        raise TracingStoppedError("tobytes reads raw memory, which is not traced")


class PythonFloat(Traced):
    """A float of Python, which differs from NumPy's in the truth values of its comparisons: these can be counted."""

    __slots__ = ()

    def _truth(self, holds: bool, other: Any) -> Any:
        return holds if _is_python(other) else np.bool_(holds)

    def _with(self, other: Any, *args: Any, **options: Any) -> Any:
        made = super()._with(other, *args, **options)
        return made.item() if type(made) is Traced and _is_python(other) else made

    def floor(self) -> Traced:
        """The largest integer that is not above it."""
        return super().floor().item()  # type: ignore[no-any-return]

    def rint(self) -> Traced:
        """The nearest integer; of two the even one."""
        return super().rint().item()  # type: ignore[no-any-return]

    def __neg__(self) -> Traced:
        return super().__neg__().item()


def _is_python(value: Any) -> bool:
    """Whether it is a number of Python, not one of NumPy."""
    return type(value) in (PythonFloat, bool, int, float, Fraction)


_LIMIT = sp.Symbol("limit")
_NUMBERS = (Traced, bool, int, float, np.number, np.bool_, Fraction)


def is_number(value: Any) -> bool:
    """Whether it is one number, an array without axes included."""
    return isinstance(value, _NUMBERS) or (isinstance(value, np.ndarray) and not value.ndim)
