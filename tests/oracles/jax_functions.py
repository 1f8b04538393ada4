"""Functions of arrays for the JAX oracle: `jax.lax` where a leaf takes part, NumPy where none does."""

from __future__ import annotations

import operator
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)

Array = jax.Array | np.ndarray  # NumPy's where no leaf takes part


def join(plain: Callable[[Array, Array], Array], lazy: Callable[[Array, Array], Array]) -> Callable[..., Array]:
    """A function of two arrays that broadcast: NumPy's where no leaf takes part, else that of `jax.lax`.

    The functions of `jax.numpy` do the same and are each compiled on their own, which takes most of the time.
    """

    def joined(left: Array, right: Array) -> Array:
        if not isinstance(left, jax.Array) and not isinstance(right, jax.Array):
            return plain(left, right)
        if left.dtype != right.dtype:
            left, right = real(left), real(right)
        return lazy(*spread(left, right))

    return joined


def spread(*arrays: Array) -> list[Array]:
    """Arrays of as many axes, or of none, broadcast to one shape."""
    shape = np.broadcast_shapes(*(a.shape for a in arrays))
    return [a if a.shape == shape else spread_one(a, shape) for a in arrays]


def spread_one(array: Array, shape: tuple[int, ...]) -> Array:
    """An array broadcast to a shape."""
    if not isinstance(array, jax.Array):
        return np.broadcast_to(array, shape)
    if array.ndim == 0:
        return jax.lax.broadcast(array, shape)
    longer = (1,) * (len(shape) - array.ndim) + array.shape
    kept = [k for k, (old, new) in enumerate(zip(longer, shape, strict=True)) if old == new]
    return jax.lax.broadcast_in_dim(array.reshape([shape[k] for k in kept]), shape, kept)


def real(value: Array) -> Array:
    """The value in float64."""
    if isinstance(value, jax.Array):
        return value if value.dtype == np.float64 else value.astype(np.float64)
    return np.asarray(value, np.float64)


def choose(condition: Array, then: Array, otherwise: Array) -> Array:
    """`then` where the condition holds, else `otherwise`, as float64 unless both are integers."""
    if then.dtype != otherwise.dtype:
        then, otherwise = real(then), real(otherwise)
    if not any(isinstance(a, jax.Array) for a in (condition, then, otherwise)):
        return np.where(condition, then, otherwise)
    condition, then, otherwise = spread(condition, then, otherwise)
    return jax.lax.select(jnp.asarray(condition), jnp.asarray(then), jnp.asarray(otherwise))


COMPARISONS = {
    "<": join(operator.lt, jax.lax.lt),
    "<=": join(operator.le, jax.lax.le),
    ">": join(operator.gt, jax.lax.gt),
    ">=": join(operator.ge, jax.lax.ge),
    "==": join(operator.eq, jax.lax.eq),
    "!=": join(operator.ne, jax.lax.ne),
}
CHAINS = {
    "+": join(operator.add, jax.lax.add),
    "-": join(operator.sub, jax.lax.sub),
    "*": join(operator.mul, jax.lax.mul),
    "/": join(operator.truediv, lambda a, b: jax.lax.div(real(a), real(b))),
    "//": join(operator.floordiv, operator.floordiv),
    "%": join(operator.mod, operator.mod),
}
POWER = join(operator.pow, jax.lax.pow)
ONE_ARGUMENT: dict[str, Callable[[Array], Array]] = {
    "identity": lambda u: u,
    "exp": jax.lax.exp,
    "log": jax.lax.log,
    "sqrt": jax.lax.sqrt,
    "sin": jax.lax.sin,
    "cos": jax.lax.cos,
    "tan": jax.lax.tan,
    "sinh": jax.lax.sinh,
    "cosh": jax.lax.cosh,
    "tanh": jax.lax.tanh,
    "erf": jax.lax.erf,
    "sigmoid": jax.nn.sigmoid,
    "softplus": jax.nn.softplus,
    "silu": jax.nn.silu,
    "gelu": lambda u: jax.nn.gelu(u, approximate=False),
    "gelu_tanh": lambda u: jax.nn.gelu(u, approximate=True),
}
ZERO, ONE, HALF, HUNDREDTH = (np.full((), value) for value in (0.0, 1.0, 0.5, 0.01))
KINKED: dict[str, Callable[..., Array]] = {
    "abs": lambda u: choose(u > 0, u, choose(u < 0, -u, ZERO)),
    "sign": lambda u: choose(u > 0, ONE, choose(u < 0, -ONE, ZERO)),
    "relu": lambda u: choose(u > 0, u, ZERO),
    "leaky_relu": lambda u, slope=HUNDREDTH: choose(u > 0, u, CHAINS["*"](slope, u)),
    "elu": lambda u, alpha=ONE: choose(u > 0, u, CHAINS["*"](alpha, jnp.exp(u) - 1.0)),
}
EXTREMES: dict[str, Callable[[Array, Array], Array]] = {
    "maximum": lambda u, v: choose(
        COMPARISONS[">"](u, v), u, choose(COMPARISONS["<"](u, v), v, CHAINS["*"](HALF, CHAINS["+"](u, v)))
    ),
    "minimum": lambda u, v: choose(
        COMPARISONS["<"](u, v), u, choose(COMPARISONS[">"](u, v), v, CHAINS["*"](HALF, CHAINS["+"](u, v)))
    ),
}
