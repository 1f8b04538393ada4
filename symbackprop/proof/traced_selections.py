"""What an open mask selects from an array: all entries, with the truth values that say which of them count.

How many they are is open too. So it is an array of those that are selected on the path as soon as anything but
arithmetic, entry by entry, is done with it; and it goes back through the same mask without that.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from symbackprop.proof.stops import TracingStoppedError
from symbackprop.proof.traced_truths import Truth, choose

_CHOOSE = np.frompyfunc(choose, 3, 1)


class Selection(NDArrayOperatorsMixin):
    """The entries of an array where a mask, whose axes are the first of the array's, holds."""

    def __init__(self, values: Any, mask: Any) -> None:
        self._values, self._mask = values.copy(), np.ndarray.view(mask, np.ndarray).copy()

    def has_mask(self, mask: Any) -> bool:
        """Whether a mask selects the same entries."""
        pairs = zip(mask.flat, self._mask.flat, strict=True) if mask.shape == self._mask.shape else ((True, False),)
        return all(_formula(one) == _formula(other) for one, other in pairs)

    def put_into(self, target: Any) -> None:
        """Write the entries where they come from."""
        mask = self._mask.reshape(self._mask.shape + (1,) * (target.ndim - self._mask.ndim))
        target[...] = _CHOOSE(mask, np.ndarray.view(self._values, np.ndarray), target)

    def told(self) -> Any:
        """The array that it is on this path, which is recorded; nothing may be written into it, as it is a copy."""
        found = self._values[self._mask.astype(bool)]
        found.flags.writeable = False
        return found

    def sum(self, *args: Any, **options: Any) -> Any:
        """The sum: of all entries, those that do not count as 0, stays open."""
        if args or options:
            return self.told().sum(*args, **options)
        mask = self._mask.reshape(self._mask.shape + (1,) * (self._values.ndim - self._mask.ndim))
        return np.sum(_CHOOSE(mask, np.ndarray.view(self._values, np.ndarray), 0))

    def __array__(self, *_: Any, **__: Any) -> Any:
        """What NumPy's own functions are handed."""
        return np.asarray(self.told())

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        """Arithmetic of all entries, with numbers and with what the same mask selects; else of the array."""
        target = options.pop("out", (None,))[0]
        alike = all(each.has_mask(self._mask) if isinstance(each, Selection) else not np.ndim(each) for each in inputs)
        if method != "__call__" or options or not alike or not (target is None or target is self):
            if isinstance(target, Selection):
                raise TracingStoppedError("what an open mask selects is updated in place")
            given = {} if target is None else {"out": target}
            return getattr(ufunc, method)(*_told(inputs), **options, **given)
        made = ufunc(*(each._values if isinstance(each, Selection) else each for each in inputs))
        if target is None:
            return Selection(made, self._mask)
        self._values = made
        return self

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        """Every other function gets the array, unless it sums all of it."""
        if function is np.sum and len(args) == 1 and not options:
            return self.sum()
        return function(*_told(args), **_told(options))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.told(), name)

    def __getitem__(self, key: Any) -> Any:
        return self.told()[key]

    def __len__(self) -> int:
        return len(self.told())


def _formula(value: Any) -> Any:
    return value.expression if isinstance(value, Truth) else bool(value)


def _told(value: Any) -> Any:
    """Arguments with arrays in the place of what is selected."""
    if isinstance(value, Selection):
        return value.told()
    if type(value) in (list, tuple):
        return type(value)(map(_told, value))
    if type(value) is dict:
        return {key: _told(each) for key, each in value.items()}
    return value
