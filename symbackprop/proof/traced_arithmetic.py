"""The operators of traced numbers, by what one operation and one comparison make of two of them."""

from __future__ import annotations

from typing import Any

from symbackprop.proof.stops import TracingStoppedError
from symbackprop.proof.traced_needs import needs_of_quotient
from symbackprop.proof.traced_rounding import Rounded


class Arithmetic(Rounded):
    """Sums, products, quotients and powers, and comparisons; `_with` and `_compare` compute them."""

    __slots__ = ()

    def __add__(self: Any, other: Any) -> Any:
        return self._with(other, lambda a, b: a + b, added=True)

    def __radd__(self: Any, other: Any) -> Any:
        return self._with(other, lambda a, b: a + b, True, added=True)

    def __sub__(self: Any, other: Any) -> Any:
        return self._with(other, lambda a, b: a - b, added=True)

    def __rsub__(self: Any, other: Any) -> Any:
        return self._with(other, lambda a, b: a - b, True, added=True)

    def __mul__(self: Any, other: Any) -> Any:
        return self._with(other, self.path.multiply)

    def __rmul__(self: Any, other: Any) -> Any:
        return self._with(other, self.path.multiply, True)

    def __truediv__(self: Any, other: Any) -> Any:
        return self._with(other, lambda a, b: a / b, partial=needs_of_quotient)

    def __rtruediv__(self: Any, other: Any) -> Any:
        return self._with(other, lambda a, b: a / b, True, needs_of_quotient)

    def __pow__(self: Any, other: Any) -> Any:
        return self._with(other, lambda a, b: a**b, partial=self.path.needs_of_power)

    def __rpow__(self: Any, other: Any) -> Any:
        return self._with(other, lambda a, b: a**b, True, self.path.needs_of_power)

    def __lt__(self: Any, other: Any) -> Any:
        return self._compare(other, lambda sign: sign < 0)

    def __le__(self: Any, other: Any) -> Any:
        return self._compare(other, lambda sign: sign <= 0)

    def __gt__(self: Any, other: Any) -> Any:
        return self._compare(other, lambda sign: sign > 0)

    def __ge__(self: Any, other: Any) -> Any:
        return self._compare(other, lambda sign: sign >= 0)

    def __eq__(self: Any, other: Any) -> Any:
        return self._compare(other, lambda sign: sign == 0)

    def __ne__(self: Any, other: Any) -> Any:
        return self._compare(other, lambda sign: sign != 0)

    def __hash__(self: Any) -> int:
        """Not traced: a set or a dictionary would have to know which floats are equal."""
        raise TracingStoppedError(
            "a float that depends on an input is put into a set or is a key of a dictionary, which is not traced"
        )
