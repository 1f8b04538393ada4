"""JAX's own function of a name in the catalogue of functions, and any definition evaluated by JAX."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import numpy as np
import sympy
from jax_functions import CHAINS, COMPARISONS, ONE_ARGUMENT, POWER, Array, choose, real
from sympy.core.relational import Relational

from symbackprop.functions import FUNCTION_BY_NAME, ScalarFunction, expand_applications

Compared = Callable[[Array, Array], None]

PEERS: dict[str, Callable[..., jax.Array]] = {  # those that JAX calls otherwise; all others are found by their names
    "erf": jax.scipy.special.erf,
    "gelu": lambda u: jax.nn.gelu(u, approximate=False),
    "gelu_tanh": lambda u: jax.nn.gelu(u, approximate=True),
    "softsign": jax.nn.soft_sign,
}


def find_peer(function: ScalarFunction, count: int) -> Callable[..., jax.Array] | None:
    """JAX's function of that name that takes `count` arguments, or None."""
    peer = PEERS.get(function.name) or getattr(jax.nn, function.name, None) or getattr(jnp, function.name, None)
    if peer is None or count == function.arity:
        return peer
    return peer if len(inspect.signature(peer).parameters) >= count else None


def apply_definition(name: str, arguments: tuple[Array, ...], compared: Compared) -> Array:
    """A function of the catalogue by its definition; `compared` is told of every comparison of values."""
    function = FUNCTION_BY_NAME[name]
    symbols = sympy.symbols(f"u:{len(arguments)}", seq=True)
    formula = expand_applications(function.formula(*symbols))
    return evaluate(formula, dict(zip(symbols, arguments, strict=True)), compared)


def evaluate(node: sympy.Basic, values: Mapping[sympy.Symbol, Array], compared: Compared) -> Array:
    """A scalar expression at values."""
    if isinstance(node, sympy.Symbol):
        return values[node]
    if node.is_number:
        return np.asarray(float(node))
    if isinstance(node, sympy.Piecewise):
        *chosen, (found, _) = [(v, c) for v, c in node.args]
        result = evaluate(found, values, compared)
        for value, condition in reversed(chosen):
            holds = evaluate_condition(condition, values, compared)
            result = choose(holds, evaluate(value, values, compared), result)
        return result
    arguments = [evaluate(a, values, compared) for a in node.args]
    if isinstance(node, sympy.Add | sympy.Mul):
        total = arguments[0]
        for other in arguments[1:]:
            total = CHAINS["+" if node.is_Add else "*"](total, other)
        return total
    if node.is_Pow and node.exp.is_Integer:
        return real(arguments[0]) ** int(node.exp)
    if node.is_Pow:
        return POWER(real(arguments[0]), real(arguments[1]))
    return ONE_ARGUMENT[node.func.__name__](jnp.asarray(real(arguments[0])))


def evaluate_condition(condition: Relational, values: Mapping[sympy.Symbol, Array], compared: Compared) -> Array:
    """A comparison at values."""
    left, right = (evaluate(a, values, compared) for a in condition.args)
    compared(left, right)
    return COMPARISONS[condition.rel_op](left, right)
