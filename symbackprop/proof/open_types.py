"""The types that NumPy gives to what it makes of integers and truth values that are open: asked of NumPy itself.

Objects have no such types. So each function is called once more, on arrays of ones of the types that its arguments
would have, and what it makes of these says how what is traced is to be held.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

import numpy as np

from symbackprop.proof.inner_arrays import ArrayPath, InnerArray, TracedMask
from symbackprop.proof.stops import TracingStoppedError
from symbackprop.proof.traced_arrays import NUMBERS, OpenArray, OpenIntegers, TruthArray
from symbackprop.proof.traced_selections import Selection
from symbackprop.proof.traced_truths import Truth
from symbackprop.proof.traced_values import PythonFloat, Traced
from symbackprop.proof.unwritten import Unwritten
from symbackprop.proof.whole_numbers import is_whole

_SMALL = "small integers, which may overflow, meet what open comparisons choose"


def keep_types(
    path: ArrayPath, made: Any, function: Callable[..., Any], args: tuple[Any, ...], options: Mapping[str, Any]
) -> Any:
    """What a function made of some arguments, as integers or truth values where NumPy has such."""
    if not path.reading.comparisons_open or not _holds_objects(made) or not _reads_open((args, options)):
        return made
    models = [_call(function, args, options, whole) for whole in (np.int64(1), np.float64(1))]
    return _hold(path, made, models)


def hold_integers(path: ArrayPath, values: Any) -> Any:
    """Integers that open comparisons choose, in an array; what may be none is not traced."""
    plain = NUMBERS(np.ndarray.view(values, np.ndarray))
    if not all(map(_is_whole, plain.flat)):
        raise TracingStoppedError("what NumPy cuts to integers is chosen by open comparisons")
    made = plain.view(OpenIntegers)
    made.path = path
    made.flags.writeable = False
    return made


def _holds_objects(made: Any) -> bool:
    if type(made) in (list, tuple):
        return any(map(_holds_objects, made))
    objects = isinstance(made, np.ndarray) and (isinstance(made, InnerArray) or made.dtype.kind == "O")
    return objects or isinstance(made, Traced)


def _reads_open(value: Any) -> bool:
    """Whether something takes part that NumPy may hold as integers or truth values, though it is an object here."""
    if isinstance(value, Traced):
        return isinstance(value, Truth) or _is_whole(value)
    if isinstance(value, list | tuple):
        return any(map(_reads_open, value))
    if isinstance(value, Mapping):
        return any(map(_reads_open, value.values()))
    if isinstance(value, np.ndarray) and not isinstance(value, InnerArray) and value.dtype.kind == "O":
        return any(map(_reads_open, value.flat))
    return isinstance(value, OpenArray)


def _is_whole(value: Any) -> bool:
    """Whether it is an integer whatever the comparisons give that it reads; NumPy may hold it as one or as a float."""
    if isinstance(value, int | np.integer):
        return True
    if not isinstance(value, Traced) or isinstance(value, Unwritten):
        return False
    return is_whole(value.path.cuts.expand(value.expression), value.path.choices)


def _call(function: Callable[..., Any], args: tuple[Any, ...], options: Mapping[str, Any], whole: Any) -> Any:
    """What NumPy makes of ones."""
    given, named = _stand_in(args, whole), _stand_in(dict(options), whole)
    with np.errstate(all="ignore"):
        try:
            return function(*given, **named)
        except (TypeError, ValueError, IndexError, ArithmeticError) as error:
            raise TracingStoppedError("NumPy refuses what open comparisons choose as it is held") from error


def _stand_in(value: Any, whole: Any) -> Any:
    """Arguments of the types that they have in NumPy; `whole` is what numbers are that may be integers or floats."""
    if isinstance(value, Selection):
        return _stand_in(value.told(), whole)
    if isinstance(value, Truth):
        return np.True_
    if isinstance(value, Traced):
        known = whole if _is_whole(value) else np.float64(1)
        return known.item() if isinstance(value, PythonFloat) else known
    if isinstance(value, OpenArray):
        return np.ones(value.shape, value.dtype)
    if isinstance(value, InnerArray):
        return np.ones(value.shape, value.precision)
    if isinstance(value, TracedMask):
        return np.asarray(value)
    if isinstance(value, np.ndarray | np.integer):
        if value.dtype.kind == "O":
            return np.array([_stand_in(each, whole) for each in value.flat]).reshape(value.shape)
        if value.dtype.kind in "iu" and value.dtype != np.int64:
            raise TracingStoppedError(_SMALL)
        return value.copy()
    if type(value) in (list, tuple):
        return type(value)(_stand_in(each, whole) for each in value)
    if type(value) is dict:
        return {key: _stand_in(each, whole) for key, each in value.items()}
    if isinstance(value, type) and issubclass(value, float):
        return float
    if isinstance(value, FunctionType):
        raise TracingStoppedError("a function of one's own is handed what open comparisons choose")
    return value


def _hold(path: ArrayPath, made: Any, models: list[Any]) -> Any:
    if type(made) in (list, tuple):
        return type(made)(_hold(path, each, list(alike)) for each, *alike in zip(made, *models, strict=True))
    if not _holds_objects(made):
        return made
    kinds = {np.asarray(model).dtype for model in models}
    if isinstance(made, Traced) and not any(kind.kind == "b" for kind in kinds):
        return made.number() if isinstance(made, Truth) else made
    (kind,) = kinds if len(kinds) == 1 else (None,)
    if kind is None:
        raise TracingStoppedError("whether NumPy holds integers or floats here is not traced")
    if kind.kind == "f":
        return path.settle(NUMBERS(np.ndarray.view(made, np.ndarray))) if isinstance(made, OpenArray) else made
    if kind == np.int64:
        return hold_integers(path, made)
    if kind == np.bool_ and isinstance(made, TruthArray | Truth):
        return made
    raise TracingStoppedError(f"what open comparisons choose is held as {kind}")
