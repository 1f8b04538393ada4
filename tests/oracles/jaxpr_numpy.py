"""A traced JAX function evaluated by NumPy, one primitive at a time.

JAX differentiates; compiling its result with XLA for one call takes many times as long as tracing it. A primitive, or
a form of one, that is not here is an error and never a guess.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import scipy.special
from jax.extend.core import ClosedJaxpr, Literal

Arrays = Sequence[np.ndarray]
Params = Mapping[str, Any]


def evaluate(traced: ClosedJaxpr, arguments: Arrays, noise: np.random.Generator | None = None) -> list[np.ndarray]:
    """The results of a traced function, whose arguments and results are flat lists of arrays.

    With `noise` every operation that rounds is off by up to one more unit in its last place, so that the spread of the
    results says how well float64 determines them.
    """
    known: dict[Any, np.ndarray] = dict(zip(traced.jaxpr.constvars, map(np.asarray, traced.consts), strict=True))
    known.update(zip(traced.jaxpr.invars, arguments, strict=True))

    def read(atom: Any) -> np.ndarray:
        return np.asarray(atom.val) if isinstance(atom, Literal) else known[atom]

    for equation in traced.jaxpr.eqns:
        inputs = [read(atom) for atom in equation.invars]
        name = equation.primitive.name
        inner = equation.params.get("jaxpr", equation.params.get("call_jaxpr")) if name in CALLS else None
        if inner is not None:
            made = evaluate(inner, inputs, noise)
        elif name in PLAIN:
            made = [PLAIN[name](*inputs)]
        elif name in WITH_PARAMS:
            made = [WITH_PARAMS[name](inputs, equation.params)]
        elif name == "unstack":
            made = list(np.moveaxis(inputs[0], equation.params["axis"], 0))
        elif name == "split":
            places = np.cumsum(equation.params["sizes"])[:-1]
            made = list(np.split(inputs[0], places, axis=equation.params["axis"]))
        else:
            raise NotImplementedError(f"no rule for {equation}")
        for variable, value in zip(equation.outvars, made, strict=True):
            if noise is not None and name in ROUNDED and variable.aval.dtype == np.float64:
                value = value * (1 + EPSILON * noise.uniform(-1, 1, np.shape(value)))
            known[variable] = np.asarray(value, dtype=variable.aval.dtype)
            if known[variable].shape != variable.aval.shape:
                raise AssertionError(f"shape {known[variable].shape} of {equation}")
    return [read(atom) for atom in traced.jaxpr.outvars]


CALLS = ("jit", "pjit", "closed_call", "custom_jvp_call")
PLAIN: dict[str, Callable[..., np.ndarray]] = {
    "mul": operator.mul, "add": operator.add, "add_any": operator.add, "sub": operator.sub, "neg": operator.neg,
    "div": operator.truediv, "pow": operator.pow, "square": np.square, "sqrt": np.sqrt, "abs": np.abs,
    "sign": np.sign, "max": np.maximum, "min": np.minimum, "exp": np.exp, "exp2": np.exp2, "log": np.log,
    "log1p": np.log1p, "expm1": np.expm1, "sin": np.sin, "cos": np.cos, "tan": np.tan, "sinh": np.sinh,
    "cosh": np.cosh, "tanh": np.tanh, "logistic": scipy.special.expit, "erf": scipy.special.erf,
    "erfc": scipy.special.erfc, "eq": operator.eq, "ne": operator.ne, "lt": operator.lt, "le": operator.le,
    "gt": operator.gt, "ge": operator.ge, "and": operator.and_, "or": operator.or_, "not": operator.invert,
    "copy": np.array, "stop_gradient": np.array, "clamp": lambda low, x, high: np.clip(x, low, high),
}  # fmt: skip
EXACT = ("neg", "abs", "sign", "max", "min", "eq", "ne", "lt", "le", "gt", "ge", "and", "or", "not", "copy",
         "stop_gradient", "clamp")  # fmt: skip
ROUNDED = frozenset(PLAIN) - set(EXACT) | {"reduce_sum", "integer_pow", "dot_general"}
EPSILON = np.finfo(np.float64).eps


def _broadcast(inputs: Arrays, params: Params) -> np.ndarray:
    (array,), shape, places = inputs, params["shape"], params["broadcast_dimensions"]
    between = [1] * len(shape)
    for place, size in zip(places, array.shape, strict=True):
        between[place] = size
    return np.broadcast_to(array.reshape(between), shape)


def _concatenate(inputs: Arrays, params: Params) -> np.ndarray:
    return np.concatenate(inputs, axis=params["dimension"])


def _iota(_: Arrays, params: Params) -> np.ndarray:
    size = params["shape"][params["dimension"]]
    counted = np.arange(size).reshape([size if k == params["dimension"] else 1 for k in range(len(params["shape"]))])
    return np.broadcast_to(counted, params["shape"])


def _slice(inputs: Arrays, params: Params) -> np.ndarray:
    strides = params["strides"] or [1] * inputs[0].ndim
    return inputs[0][tuple(map(slice, params["start_indices"], params["limit_indices"], strides))]


def _pad(inputs: Arrays, params: Params) -> np.ndarray:
    array, value = inputs
    if any(low < 0 or high < 0 or inside for low, high, inside in params["padding_config"]):
        raise NotImplementedError(f"padding {params['padding_config']}")
    return np.pad(array, [(low, high) for low, high, _ in params["padding_config"]], constant_values=value)


def _require_flat(numbers: Any, array: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The places in an array of one axis at which single entries are taken or put."""
    mapped = getattr(numbers, "start_index_map", None) or getattr(numbers, "scatter_dims_to_operand_dims", None)
    if array.ndim != 1 or mapped != (0,) or places.shape[-1] != 1:
        raise NotImplementedError(f"gather or scatter by {numbers}")
    flat = places[..., 0]
    if flat.size and (flat.min() < 0 or flat.max() >= array.size):
        raise NotImplementedError("a place outside an array")
    return flat


def _gather(inputs: Arrays, params: Params) -> np.ndarray:
    array, places = inputs
    if params["slice_sizes"] != (1,):
        raise NotImplementedError(f"gather of {params['slice_sizes']}")
    return array[_require_flat(params["dimension_numbers"], array, places)]


def _scatter_add(inputs: Arrays, params: Params) -> np.ndarray:
    array, places, updates = inputs
    flat = _require_flat(params["dimension_numbers"], array, places)
    made = np.array(array)
    np.add.at(made, flat, updates)
    return made


def _dot_general(inputs: Arrays, params: Params) -> np.ndarray:
    (left, right), ((left_summed, right_summed), (left_batch, right_batch)) = inputs, params["dimension_numbers"]
    labels = iter(range(left.ndim + right.ndim))
    first = [next(labels) for _ in range(left.ndim)]
    paired = {**dict(zip(right_summed, left_summed, strict=True)), **dict(zip(right_batch, left_batch, strict=True))}
    second = [first[paired[k]] if k in paired else next(labels) for k in range(right.ndim)]
    batch = [first[k] for k in left_batch]
    rows = [i for k, i in enumerate(first) if k not in left_summed and k not in left_batch]
    columns = [i for k, i in enumerate(second) if k not in paired]
    return np.einsum(left, first, right, second, [*batch, *rows, *columns])


WITH_PARAMS: dict[str, Callable[[Arrays, Params], np.ndarray]] = {
    "broadcast_in_dim": _broadcast,
    "reshape": lambda inputs, params: inputs[0].reshape(params["new_sizes"]),
    "squeeze": lambda inputs, params: inputs[0].squeeze(params["dimensions"]),
    "expand_dims": lambda inputs, params: np.expand_dims(inputs[0], params["dimensions"]),
    "transpose": lambda inputs, params: inputs[0].transpose(params["permutation"]),
    "rev": lambda inputs, params: np.flip(inputs[0], params["dimensions"]),
    "reduce_sum": lambda inputs, params: inputs[0].sum(axis=tuple(params["axes"])),
    "reduce_max": lambda inputs, params: inputs[0].max(axis=tuple(params["axes"])),
    "reduce_min": lambda inputs, params: inputs[0].min(axis=tuple(params["axes"])),
    "reduce_and": lambda inputs, params: inputs[0].all(axis=tuple(params["axes"])),
    "reduce_or": lambda inputs, params: inputs[0].any(axis=tuple(params["axes"])),
    "argmax": lambda inputs, params: inputs[0].argmax(axis=params["axes"][0]),
    "select_n": lambda inputs, params: np.where(inputs[0], inputs[2], inputs[1]),
    "convert_element_type": lambda inputs, params: inputs[0].astype(params["new_dtype"]),
    "integer_pow": lambda inputs, params: np.power(inputs[0], float(params["y"])),
    "slice": _slice,
    "concatenate": _concatenate,
    "stack": lambda inputs, params: np.stack(inputs, axis=params["axis"]),
    "iota": _iota,
    "pad": _pad,
    "gather": _gather,
    "scatter-add": _scatter_add,
    "dot_general": _dot_general,
}  # fmt: skip
