"""Truth values, types of floats, layouts and NaN come out in traced code as they do in NumPy.

Each right backward pass differs from the wrong one beside it by what NumPy alone decides, and NumPy is asked which of
them is right.
"""

from __future__ import annotations

import copy
from collections import Counter, OrderedDict, UserDict, UserList, defaultdict, deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy.special
from numpy import matrix
from numpy.ma import masked_less

import symbackprop as sb

Code = Callable[..., Any]


def total(x: Any) -> Any:
    return x.sum(), x


def square(x: Any) -> Any:
    return x**2, x


def masked(x: Any) -> Any:
    h = np.asarray(x, dtype=np.float32)  # a copy, as x is an array of float64
    m = h < 0
    h[m] = 0
    return h + x, m


def powers(x: Any) -> Any:
    try:
        s = np.power(2, -(x > 0).astype(int))
    except ValueError:
        s = 3
    return x * s, (s, x)


def squeezed(x: Any) -> Any:
    x = x.copy()
    y = np.squeeze(x[:1])
    y *= 2
    return x * x, x


def largest_of_positive(x: Any) -> Any:
    try:
        m = x[x > 0].max()
    except ValueError:
        m = 0
    return x + m, x


def of_largest_positive(d: Any, x: Any) -> Any:
    g = d.copy()
    if (x > 0).any():
        g[np.argmax(x)] += d.sum()
    return g


def write_each(h: Any, m: Any) -> None:
    for i in range(3):
        h[i] = m[i]


def write_flat(h: Any, m: Any) -> None:
    for i in range(3):
        h.flat[i] = m[i]


def write_slices(h: Any, m: Any) -> None:
    for i in range(3):
        h[i : i + 1] = m[i]


def fill_slices(h: Any, m: Any) -> None:
    for i in range(3):
        h[i : i + 1].fill(m[i])


def write_list(h: Any, m: Any) -> None:
    h[[0, 1, 2]] = [m[0], m[1], m[2]]


def put_all(h: Any, m: Any) -> None:
    np.put(h, [0, 1, 2], m[:3])


FILLS: dict[str, Code] = {
    "one by one": write_each, "by flat": write_flat, "into slices": write_slices, "by fill": fill_slices,
    "as a list": write_list, "by put": put_all,
}  # fmt: skip


def counted(fill: Code) -> Code:
    """x times the number of positive entries among the first three, which an array of floats holds."""

    def forward(x: Any) -> Any:
        m, h = x > 0, np.zeros(3)
        fill(h, m)
        return x * (h[0] + h[1] + h[2]), m

    return forward


def bytes_of(h: Any) -> Any:
    h[0], h[1] = np.uint8(200), np.uint8(100)
    return h


def scaled(factor: Callable[[Any], Any]) -> Code:
    """A backward pass of `total` that is right where the factor is 1."""

    def backward(d: Any, x: Any) -> Any:
        return d * np.ones_like(x) * factor(x)

    return backward


def write(make: Callable[[Any], Any], show: Callable[[Any], Any], back: Callable[[Any], Any] = lambda g: g) -> Code:
    """A backward pass of `square` that writes into what `show` gives of a new array: into it, or into a copy."""

    def backward(d: Any, x: Any) -> Any:
        g = make(x)
        shown = show(g)
        shown[...] = 2 * (back(d) * back(x)).reshape(shown.shape)
        return back(g)

    return backward


CASES: dict[str, tuple[Code, Code, tuple[int, ...], bool]] = {
    "einsum of truth values is no count": (
        total, scaled(lambda x: 1 + np.einsum("i->", x > 0) - (x > 0).sum()), (3,), False),
    "einsum of truth values is an or": (
        total, scaled(lambda x: 1 + np.einsum("i->", x > 0) - (x > 0).any()), (3,), True),
    "einsum of truth values and a type": (
        total, scaled(lambda x: 1 + np.einsum("i->", x > 0, dtype=float) - (x > 0).sum()), (3,), True),
    "truth values of numbers are no counts": (
        total, scaled(lambda x: 1 + ((x[0] > 0) + (x[1] > 0)) - (float(x[0] > 0) + float(x[1] > 0))), (3,), False),
    "truth values of numbers are turned round": (
        total, scaled(lambda x: 1 + ~(x[0] > 0) - (1 - float(x[0] > 0))), (3,), True),
    "those of Python are counts": (
        total, scaled(lambda x: 1 + ((x[0].item() > 0) + (-x[1].item() < 0)) - (float(x[0] > 0) + float(x[1] > 0))),
        (3,), True),
    "those of lists too": (
        total,
        scaled(lambda x: 1 + ((x.tolist()[0] > 0) + (x.tolist()[1] * 2 > 0)) - (float(x[0] > 0) + float(x[1] > 0))),
        (3,), True),
    "asarray of another type copies": (
        square, write(np.zeros_like, lambda g: np.asarray(g, dtype=np.float32)), (3,), False),
    "astype of another type copies": (
        square, write(np.zeros_like, lambda g: g.astype(np.float32, copy=False)), (3,), False),
    "asarray of its own type does not": (
        square, write(np.zeros_like, lambda g: np.asarray(g, dtype=float)), (3,), True),
    "a copy is changed in place": (masked, lambda d, m: d * (~m) + d, (3,), True),
    "and what it was made of is not": (masked, lambda d, m: 2 * d * (~m), (3,), False),
    "zeros_like keeps the layout": (
        square, write(lambda x: np.zeros_like(x.T), np.ravel, lambda g: g.T), (2, 3), False),
    "zeros_like in the layout of C": (
        square, write(lambda x: np.zeros_like(x.T, order="C"), np.ravel, lambda g: g.T), (2, 3), True),
    "astype keeps the layout": (
        square, write(lambda x: (x.T * 0).astype(float), np.ravel, lambda g: g.T), (2, 3), False),
    "copy keeps the layout": (square, write(lambda x: np.copy(x.T) * 0, np.ravel, lambda g: g.T), (2, 3), False),
    "zeros in the layout of Fortran": (
        square, write(lambda x: np.zeros(x.T.shape, order="F"), np.ravel, lambda g: g.T), (2, 3), False),
    "zeros in the layout of C": (square, write(lambda x: np.zeros(x.T.shape), np.ravel, lambda g: g.T), (2, 3), True),
    "conj is the array itself": (square, write(np.zeros_like, lambda g: g.conj()), (3,), True),
    "a root of a negative number is no number": (
        total, scaled(lambda x: 1 + np.isnan(np.sqrt(x)) - (x < 0)), (3,), True),
    "and it is not finite": (total, scaled(lambda x: np.isfinite(np.log(x)) + (x < 0)), (3,), True),
    "nor always finite": (total, scaled(lambda x: 1.0 * np.isfinite(np.log(x))), (3,), False),
    "halves are rounded to the even integer": (
        lambda x: (x * np.rint((x > 0).sum() / 2), x), lambda d, x: d * [0, 0, 1, 2][int((x > 0).sum())], (3,), True),
    "and not up": (
        lambda x: (x * np.rint((x > 0).sum() / 2), x), lambda d, x: d * [0, 1, 1, 2][int((x > 0).sum())], (3,), False),
    "round of an array": (
        lambda x: (x * np.round((x > 0) + 0.5), x), lambda d, x: d * 2 * (x > 0), (3,), True),
    "round of a number": (
        lambda x: (x * np.round(np.mean(x > 0) * x.size / 2), x), lambda d, x: d * round((x > 0).sum() / 2),
        (3,), True),
    "a power that is an error": (powers, lambda d, c: d * c[0], (3,), True),
    "and not its value": (powers, lambda d, c: d * 2.0 ** -(c[1] > 0).astype(int), (3,), False),
    "the maximum of nothing is an error": (largest_of_positive, of_largest_positive, (3,), True),
    "and its gradient goes to one entry": (largest_of_positive, lambda d, x: d + d.sum() * (x > 0), (3,), False),
    "a softmax by its full name": (
        lambda x: (scipy.special.softmax(x), x),
        lambda d, x: scipy.special.softmax(x) * (d - (scipy.special.softmax(x) * d).sum()), (3,), True),
    "what is very large is visited": (
        lambda x: (x * (1 + (x > 1e9)), x), lambda d, x: d * (1 + (x > 1e9)), (3,), True),
    "squeeze shows an entry": (squeezed, lambda d, x: 2 * d * x * (1 + np.eye(3)[0]), (3,), True),
    "and does not copy it": (squeezed, lambda d, x: 2 * d * x, (3,), False),
    **{
        f"truth values written {way} are numbers": (counted(fill), lambda d, m: d * m[:3].sum(), (3,), True)
        for way, fill in FILLS.items()
    },
    **{
        f"truth values written {way} are counted": (counted(fill), lambda d, m: d * m[:3].any(), (3,), False)
        for way, fill in FILLS.items()
    },
    "small integers are numbers": (
        lambda x: (x * bytes_of(np.zeros(2)).sum(), x), lambda d, x: d * 300, (3,), True),
    "and do not overflow": (lambda x: (x * bytes_of(np.zeros(2)).sum(), x), lambda d, x: d * 44, (3,), False),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_the_verdict_is_that_of_numpy(name: str) -> None:
    """Proved where NumPy's own run gives the gradient at every sign of the inputs, refuted where it does not."""
    forward, backward, shape, right = CASES[name]
    agree = [agrees(forward, backward, np.random.default_rng(seed).normal(size=shape)) for seed in range(20)]
    assert all(agree) is right

    verdict = sb.verify_backward(forward, backward, shapes={"x": shape})

    assert verdict.proved is right, str(verdict)
    assert verdict.refuted is not right


def agrees(forward: Code, backward: Code, x: Any) -> bool:
    """Whether NumPy's gradient is the one by central differences."""
    output, cache = forward(x)
    upstream = np.random.default_rng(1).normal(size=np.shape(output))
    found = backward(upstream if np.ndim(output) else upstream[()], cache)
    for place in np.ndindex(*x.shape):
        step = np.zeros_like(x)
        step[place] = 1e-3
        slope = np.sum(upstream * (forward(x + step)[0] - forward(x - step)[0])) / 2e-3
        if abs(found[place] - slope) > 1e-2 * (1 + abs(slope)):
            return False
    return True


def test_single_precision_throughout_is_proved() -> None:
    """Casts of inputs, and of results whose type follows from those of what they are made of."""

    def forward(x: Any, w: Any) -> Any:
        x, w = np.asarray(x, dtype=np.float32), np.asarray(w, dtype=np.float32)
        return x @ w, (x, w)

    def backward(d: Any, cache: Any) -> Any:
        x, w = cache
        return np.asarray(d @ w.T, dtype=np.float32), np.asarray(x.T @ d, dtype=np.float32)

    assert sb.verify_backward(forward, backward, shapes={"x": (2, 3), "w": (3, 2)}).proved


def test_a_cast_of_an_unknown_type_is_said() -> None:
    """Whether it copies decides what is written where; undecided is no proof."""

    def backward(d: Any, x: Any) -> Any:
        g = np.concatenate([x.astype(np.float32), x])[: len(x)] * 0
        np.asarray(g, dtype=np.float32)[...] = 2 * d * x
        return g

    verdict = sb.verify_backward(square, backward, shapes={"x": (3,)})

    assert not verdict.proved
    assert not verdict.refuted
    assert "whether a cast copies is not traced" in str(verdict)


@pytest.mark.parametrize(("forward", "said"), [
    (lambda x: (np.asarray(np.matrix(x) * np.matrix(x)), x), "np.matrix multiplies"),
    (lambda x: (np.asarray(matrix(x) * matrix(x)), x), "np.matrix multiplies"),
    (lambda x: (np.ma.array(x, mask=np.eye(2, dtype=bool)).sum(), x), "np.ma.array keeps masks"),
    (lambda x: (masked_less(x, 0).sum(), x), "np.ma keeps masks"),
    (lambda x: (x * np.mean(x > 0, dtype=int), x), "computed in integers"),
    (lambda x: (np.multiply(x, 2, dtype=int, casting="unsafe"), x), "integers of floats"),
])  # fmt: skip
def test_other_kinds_of_arrays_are_undecided(forward: Code, said: str) -> None:
    """Matrices, masked arrays and results cut to integers are not taken for plain arrays."""
    verdict = sb.verify_backward(forward, lambda d, x: 2 * d * x, shapes={"x": (2, 2)})

    assert not verdict.proved
    assert not verdict.refuted
    assert said in str(verdict)


def test_labels_that_code_holds_go_with_the_shapes_given() -> None:
    """At a batch that two labels do not have nothing is refuted; what is wrong at the shapes given is."""
    labels = np.array([2, 0])

    def forward(x: Any) -> Any:
        p = np.exp(x) / np.exp(x).sum(1, keepdims=True)
        return -np.log(p[np.arange(len(labels)), labels]).sum(), p

    def backward(d: Any, p: Any, y: Any = labels) -> Any:
        g = p.copy()
        g[np.arange(len(y)), y] -= 1
        return g * d

    right = sb.verify_backward(forward, backward, shapes={"x": (2, 3)})
    wrong = sb.verify_backward(forward, lambda d, p: p * d, shapes={"x": (2, 3)})

    assert right.proved
    assert "with labels and y as given" in str(right)
    assert "which labels and y may not go with" in str(right)
    assert wrong.refuted


def test_what_is_right_up_to_a_large_number_alone_is_refuted() -> None:
    """A linear condition is reached however far it is."""
    verdict = sb.verify_backward(lambda x: (x * (1 + (x > 1e9)), x), lambda d, x: 1 * d, shapes={"x": (2,)})

    assert verdict.refuted


class Tape(list[Any]):
    """A list of the person's own."""


def test_collections_begin_anew_in_each_run_and_are_left_alone() -> None:
    """State that code keeps in any of Python's collections is copied for each run, and the person's own stays."""
    holders: list[Any] = [
        OrderedDict(a=[1]), defaultdict(list, a=[1]), Counter(a=1), deque([1], maxlen=2), SimpleNamespace(a=[1]),
        UserDict(a=[1]), UserList([1]), Tape([1]),
    ]  # fmt: skip

    def put(holder: Any, x: Any) -> Any:
        if isinstance(holder, SimpleNamespace):
            holder.last = x
            return holder.last
        if isinstance(holder, dict | UserDict):
            holder["last"] = x
            return holder["last"]
        holder.append(x)
        return holder[-1] if len(holder) == 2 else 0 * x

    for holder in holders:
        before = copy.deepcopy(holder)

        def forward(x: Any, holder: Any = holder) -> Any:
            return put(holder, x) ** 2, x

        verdict = sb.verify_backward(forward, lambda d, x: 2 * d * x, shapes={"x": (3,)})
        grows = isinstance(holder, UserList | Tape)  # a second call then gives another output
        assert verdict.undecided if grows else verdict.proved
        assert ("each entry is proved for a first call" in str(verdict)) == grows
        assert type(holder) is type(before)
        assert holder == before
