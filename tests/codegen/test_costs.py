"""The costs of a plan: against JAX's count for the same products, and against the sizes of the arrays."""

import jax
import jax.numpy as jnp
import pytest
import sympy

import symbackprop as sb

DENSE = """input x[N,D]
param W[K,D], V[M,K]
z[n,k] = sum(d, W[k,d]*x[n,d])
loss = sum(n, m, sum(k, V[m,k]*z[n,k]))
"""


def test_products_cost_what_jax_counts() -> None:
    """A product of matrices has as many flops as XLA says."""
    program = sb.parse("input x[N,D]\nparam W[K,D]\nz[n,k] = sum(d, W[k,d]*x[n,d])")
    costs = sb.derive(program, of="z", wrt=["W"]).plan({"N": 32, "D": 48, "K": 16})
    forward = [o.flops for o in costs.operations if o.stage == "forward"]
    lowered = jax.jit(lambda x, w: x @ w.T).lower(jnp.ones((32, 48)), jnp.ones((16, 48)))
    assert int(sum(forward)) == lowered.compile().cost_analysis()["flops"]


def test_costs_are_formulas_in_the_sizes() -> None:
    """With values put in they are what the plan with these values says."""
    derivation = sb.derive(sb.parse(DENSE))
    sizes = {"N": 5, "D": 3, "K": 4, "M": 2}
    symbolic, given = derivation.plan(), derivation.plan(sizes)
    values = {sympy.Symbol(n, integer=True, positive=True): v for n, v in sizes.items()}
    assert symbolic.flops.subs(values) == given.flops
    assert symbolic.bytes.subs(values) == given.bytes
    assert derivation.plan(sizes, "float32").bytes * 2 == given.bytes


def test_what_sizes_alone_decide_is_done_once() -> None:
    """1/N is no work of a call."""
    costs = sb.derive(sb.mlp([3, 2], loss="mse")).plan({"N": 4})
    assert {o.stage for o in costs.operations} == {"once", "forward", "backward"}
    assert costs.flops == sum(o.flops for o in costs.operations if o.stage != "once")


def test_a_loop_costs_its_steps() -> None:
    """Twice the steps are twice the work, the rest aside."""
    derivation = sb.derive(sb.parse("input x[T]\nparam a\nh[t] = tanh(a*h[t-1] + x[t])\nloss = h[T]"))
    steps = sympy.Symbol("T", integer=True, positive=True)
    assert sympy.degree(derivation.plan().flops, steps) == 1


def test_a_size_that_is_not_there_is_an_error() -> None:
    """The message lists those that are."""
    with pytest.raises(sb.SymBackpropError, match="There is no size Q; the sizes are N"):
        sb.derive(sb.mlp([3, 2])).plan({"Q": 3})


def test_a_loop_over_rows_is_one_operation() -> None:
    """It computes the same, and reads and writes what is shared with others alone."""
    text = "input x[N,D], g[N,D]\nm[n] = sum(j, exp(x[n,j]))\nloss = sum(n, i, g[n,i]*exp(x[n,i])/m[n])"
    d, sizes = sb.derive(sb.parse(text), "x"), {"N": 32, "D": 1000}
    apart, fused = d.plan(sizes), d.plan(sizes, target="fused")

    assert [o.kind for o in fused.operations] == ["loop over rows"] * 2
    assert fused.flops == apart.flops
    assert fused.bytes * 2 < apart.bytes
    steps = sb.derive(sb.Network(input=(6, 3), layers=[sb.layer("lstm", H=4)], loss="mse"))
    assert steps.plan({"N": 2}, target="fused").bytes < steps.plan({"N": 2}).bytes
    assert d.plan(sizes, target="jax") == apart
    with pytest.raises(sb.ArgumentError, match="'numba' is written out entry by entry"):
        d.plan(sizes, target="numba")
