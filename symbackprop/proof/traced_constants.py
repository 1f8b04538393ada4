"""What no gradient goes through, as plain floats, so that NumPy's own functions can be given it."""

from __future__ import annotations

from typing import Any

import numpy as np

from symbackprop.proof.inner_arrays import InnerArray
from symbackprop.proof.traced_values import Traced


class NotConstantError(Exception):
    """A number depends on an input."""


def as_floats(value: Any) -> Any:
    """Arguments with plain floats in place of traced numbers; NotConstantError where one depends on an input."""
    if isinstance(value, Traced):
        if not value.expression.is_number:
            raise NotConstantError
        return float(value)
    if isinstance(value, InnerArray):
        entries = [as_floats(entry) for entry in np.ndarray.view(value, np.ndarray).flat]
        return np.array(entries, dtype=np.float64).reshape(np.shape(value))
    if type(value) in (list, tuple):
        return type(value)(map(as_floats, value))
    if type(value) is dict:
        return {key: as_floats(each) for key, each in value.items()}
    return value
