"""Convolutions in generated NumPy code: how arrays lie, and adjoints as products that are added up."""

from __future__ import annotations

import re

import numpy as np
import pytest
from index_ranges import size_program
from jax_oracle import make_differentiator
from program_check import VALUE, differences, run_compiled

import symbackprop as sb
from symbackprop.codegen.numpy_runtime import gather

FORMULAS = {
    "valid": "y[n,k,p:4,q:3] = sum(c, r, s, W[k,c,r,s]*a[n,c,p+r-1,q+s-1])",
    "same": "y[n,k,p:6,q:5] = sum(c, r, s, W[k,c,r,s]*a[n,c,p+r-2,q+s-2])",
    "true": "y[n,k,p:4,q:3] = sum(c, r, s, W[k,c,r,s]*a[n,c,p-r+3,q-s+3])",
    "full": "y[n,k,p:8,q:7] = sum(c, r, s, W[k,c,r,s]*a[n,c,p-r+1,q-s+1])",
    "stride": "y[n,k,p:2,q:2] = sum(c, r, s, W[k,c,r,s]*a[n,c,2*p+r-2,2*q+s-2])",
    "dilated": "y[n,k,p:2,q:3] = sum(c, r, s, W[k,c,r,s]*a[n,c,p+2*r-2,q+s-1])",
    "along one axis": "y[n,k,p:4,q:5] = sum(c, r, s, W[k,c,r,s]*a[n,c,p+r-1,q])",
    "one by channel": "y[n,k,p:4,q:3] = sum(r, s, W[k,1,r,s]*a[n,k,p+r-1,q+s-1])",
    "channels last": "b[n,p:6,q:5,c] = a[n,c,p,q]^2\ny[n,k,p:4,q:3] = sum(c, r, s, W[k,c,r,s]*b[n,p+r-1,q+s-1,c])",
    "no batch": "y[n,k,p:4,q:3] = sum(c, r, s, W[k,c,r,s]*a[1,c,p+r-1,q+s-1])*v[n]",
    "two": "b[n,k,p:4,q:3] = sum(c, r, s, W[k,c,r,s]*a[n,c,p+r-1,q+s-1])\n"
    "y[n,k,p:2,q:1] = sum(c, r, s, W[c,k,r,s]*relu(b[n,c,p+r-1,q+s-1]))",
}
"""Convolutions of a with W in a few ways."""


@pytest.mark.parametrize("target", ("numpy", "fused"))
@pytest.mark.parametrize("channels", ((2, 3), (3, 2), (1, 1)))
@pytest.mark.parametrize("name", FORMULAS)
def test_gradients_of_convolutions_are_those_of_jax(name: str, channels: tuple[int, int], target: str) -> None:
    """By the image, which the first layer reads through tanh, and by the weights, for more or fewer channels."""
    read, made = channels
    if name in ("one by channel", "two") and channels[0] != channels[1]:
        read = made
    text = (
        f"input x[N,{read},6,5], v[N]\nparam W[{made},{read},3,3]\na[n,c,p,q] = tanh(x[n,c,p,q])\n{FORMULAS[name]}\n"
        "loss = sum(n, k, p, q, v[n]*y[n,k,p,q]^2)\n"
    )
    sized = size_program(text, {"N": 2})
    rng = np.random.default_rng(3)
    leaves = {leaf: rng.normal(size=sized.shapes[leaf]) for leaf in sized.kinds}
    expected = make_differentiator(sized, "loss", dict.fromkeys(("x", "W")))(leaves)
    derivation = sb.derive(sb.parse(text), wrt=["x", "W"])
    value, gradients = run_compiled(derivation, sized, leaves, target)

    assert differences({VALUE: value, **gradients}, {VALUE: expected.value, **expected.derivatives}) == []


def derive_convolution(images: str, weights: str, formula: str) -> sb.Derivation:
    """The derivation of a program that ends in the sum of the squares of y."""
    layers = f"a[n,c,p,q] = tanh(x[n,c,p,q])\n{formula}\nloss = sum(n, k, p, q, y[n,k,p,q]^2)\n"
    text = f"input {images}\nparam {weights}\n{layers}"
    return sb.derive(sb.parse(text), wrt=["x", "W"])


def test_the_adjoint_of_a_convolution_is_a_product_that_is_added_up() -> None:
    """Of 32 channels made of 16: the product is taken at the places that were made, and its entries are read once."""
    derivation = derive_convolution("x[N,16,13,13]", "W[32,16,3,3]", FORMULAS["valid"].replace("4,q:3", "11,q:11"))
    costs = derivation.plan({"N": 1})
    products = [o.flops for o in costs.operations if o.kind == "matrix product"]
    (added,) = [o for o in costs.operations if o.kind == "scatter-add"]
    windows = [o for o in costs.operations if o.kind == "window"]

    assert sorted(products)[-3:] == [2 * 32 * 16 * 9 * 121] * 3
    assert sorted(added.shape) == [1, 13, 13, 16]
    assert added.bytes == 8 * (16 * 9 * 121 + 16 * 169)
    assert [o.stage for o in windows] == ["forward"]  # copied once
    assert derivation.compile().source.count("fold(") == 1


def test_a_product_is_added_up_only_where_that_is_no_more() -> None:
    """Where many channels are made of few, as it would have more entries than the window has."""
    derivation = derive_convolution("x[N,32,13,13]", "W[2,32,3,3]", FORMULAS["valid"].replace("4,q:3", "11,q:11"))

    assert "fold(" not in derivation.compile().source
    assert "fold(" not in derive_convolution("x[N,C,6,5]", "W[K,C,3,3]", FORMULAS["valid"]).compile().source


def test_images_lie_with_their_batch_last() -> None:
    """What the caller gives is moved once, the copy of its windows serves both passes, and all that follows lies so."""
    source = derive_convolution("x[N,2,6,5]", "W[3,2,3,3]", FORMULAS["valid"]).compile().source
    copies = re.findall(r"np.copyto\((\w+), ", source)
    shapes = dict(re.findall(r"(\w+) = m\d+\.reshape\((.*)\)", source))

    assert [shapes[name] for name in copies if name in shapes] == ["(2, 3, 3, 4, 3, N,)"]
    assert "W.reshape((3, 2*3*3,))" in source


def test_channels_that_lie_last_stay_there() -> None:
    """A window that is summed over what lies last is copied as it is."""
    text = (
        "input x[N,6,5,4]\nparam W[3,4,3,3]\n"
        "y[n,p:4,q:3,k] = sum(c, r, s, W[k,c,r,s]*x[n,p+r-1,q+s-1,c])\nloss = sum(n, p, q, k, y[n,p,q,k]^2)\n"
    )
    source = sb.derive(sb.parse(text), wrt=["W"]).compile().source

    assert re.search(r"= m\d+\.reshape\(\(N, 4, 3, 3, 3, 4,\)\)", source)


def test_views_of_shared_arrays_are_made_once() -> None:
    """Where the arrays are made, not at every call; with zeros around them they are copies, made at every call."""
    passes = {
        name: derive_convolution("x[N,2,6,5]", "W[3,2,3,3]", FORMULAS[name]).compile().source.split("def _forward")[1]
        for name in ("valid", "same")
    }

    assert "window(" not in passes["valid"]
    assert "broadcast_to(" not in passes["valid"]
    assert "window(" in passes["same"]


@pytest.mark.parametrize("made", (2, 3))
def test_axes_that_are_read_in_order_are_one(made: int) -> None:
    """Flattening shows what lies in order; read in another order, entries are gathered."""
    text = "input x[N,2,6,5]\nparam W[3,2,3,3], V[{0}]\n" + FORMULAS["valid"].replace("a[", "x[") + "\n"
    flat = "z[n,i:36] = {0}\nloss = sum(n, i, V[i]*z[n,i]^2) + sum(n, k, p, q, y[n,k,p,q])\n"
    orders = {
        "(n,k,p,q)": "y[n,(i-1)//12+1,(i-1)//3%4+1,(i-1)%3+1]",
        "(n,q,p,k)": "y[n,(i-1)%3+1,(i-1)//3%4+1,(i-1)//12+1]",
    }
    sources = {}
    for order, read in orders.items():
        program = text.format(36) + flat.format(read)
        sized = size_program(program, {"N": made})
        rng = np.random.default_rng(made)
        leaves = {leaf: rng.normal(size=sized.shapes[leaf]) for leaf in sized.kinds}
        expected = make_differentiator(sized, "loss", dict.fromkeys(("W", "V")))(leaves)
        derivation = sb.derive(sb.parse(program), wrt=["W", "V"])
        sources[order] = derivation.compile().source
        value, gradients = run_compiled(derivation, sized, leaves)

        assert differences({VALUE: value, **gradients}, {VALUE: expected.value, **expected.derivatives}) == []
    assert "gather(" not in sources["(n,k,p,q)"]
    assert "gather(" in sources["(n,q,p,k)"]


def test_the_adjoint_of_flattening_reads_axes_as_they_are() -> None:
    """Weights whose one axis stands for two are read as they lie, without a copy."""
    text = (
        "input x[N,2,3]\nparam W[4,6]\nz[n,i:6] = x[n,(i-1)//3+1,(i-1)%3+1]\n"
        "loss = sum(n, k:4, tanh(sum(i, W[k,i]*z[n,i])))\n"
    )
    sized = size_program(text, {"N": 3})
    rng = np.random.default_rng(0)
    leaves = {leaf: rng.normal(size=sized.shapes[leaf]) for leaf in sized.kinds}
    expected = make_differentiator(sized, "loss", dict.fromkeys(("x", "W")))(leaves)
    derivation = sb.derive(sb.parse(text), wrt=["x", "W"])
    value, gradients = run_compiled(derivation, sized, leaves)
    source = derivation.compile().source

    assert differences({VALUE: value, **gradients}, {VALUE: expected.value, **expected.derivatives}) == []
    assert "window(" not in source
    assert "copyto(" not in source


@pytest.mark.parametrize("width, offset", ((6, 0), (8, 0), (8, 2), (8, -1), (5, 0)))
def test_an_axis_that_stands_for_two(width: int, offset: int) -> None:
    """Read whole, in part, from a later entry on, and beyond its ends."""
    text = (
        f"input x[N,2,3]\nparam W[4,{width}]\n"
        f"loss = sum(n, k:4, tanh(sum(p, q, W[k,3*p+q-3+{offset}]*x[n,p,q])))\n"
    ).replace("+-", "-")
    sized = size_program(text, {"N": 3})
    rng = np.random.default_rng(0)
    leaves = {leaf: rng.normal(size=sized.shapes[leaf]) for leaf in sized.kinds}
    expected = make_differentiator(sized, "loss", dict.fromkeys(("x", "W")))(leaves)
    derivation = sb.derive(sb.parse(text), wrt=["x", "W"])
    value, gradients = run_compiled(derivation, sized, leaves)

    assert differences({VALUE: value, **gradients}, {VALUE: expected.value, **expected.derivatives}) == []


@pytest.mark.parametrize("outside", (False, True))
def test_entries_at_pairs_of_indices(outside: bool) -> None:
    """One index for several axes: each pair is an entry, 0 where one of them is outside."""
    array = np.arange(1.0, 13).reshape(3, 4)
    rows, columns = np.array([1, 3, 2]), np.array([4, 1, 5 if outside else 2])

    np.testing.assert_array_equal(gather(array, rows, columns), [4, 9, 0 if outside else 6])


def test_what_is_moved_for_the_backward_pass_alone() -> None:
    """A value whose windows only the backward pass takes is handed on under the name that it had."""
    text = (
        "input x[N,3,6], v[N]\nparam W[3,3,1]\na[n,k,p:6] = sum(c, r, W[k,c,r]*x[n,c,p-r+1])\n"
        "d[n,c,p:6] = a[n,c,7-p]\nloss = sum(n, c, p, d[n,c,p]^2*v[n])\n"
    )
    sized = size_program(text, {"N": 2})
    rng = np.random.default_rng(0)
    leaves = {leaf: rng.normal(size=sized.shapes[leaf]) for leaf in sized.kinds}
    expected = make_differentiator(sized, "loss", dict.fromkeys(("x",)))(leaves)
    value, gradients = run_compiled(sb.derive(sb.parse(text), wrt=["x"]), sized, leaves)

    assert differences({VALUE: value, **gradients}, {VALUE: expected.value, **expected.derivatives}) == []
