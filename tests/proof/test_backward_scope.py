"""What a verdict on a hand-written backward covers: corners of branches, data that were given, state between calls."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symbackprop as sb


def relu(x: Any) -> Any:
    """Many branches, one for each entry."""
    return np.maximum(x, 0), x


def squares(x: Any) -> Any:
    """One output."""
    return (x**2).sum(), x


@pytest.mark.parametrize("shape", [(2, 3), (4, 5)])
@pytest.mark.parametrize(
    "asks",
    [
        lambda on: on.any(),
        lambda on: not on.all(),
        lambda on: on.any(axis=1, keepdims=True),
        lambda on: on.any(axis=0),
    ],
)
def test_what_is_asked_of_all_entries_at_once_is_found(asks: Any, shape: tuple[int, ...]) -> None:
    """Of all combinations of branches a few are run, among them those where whole inputs or slices have one sign."""
    verdict = sb.verify_backward(
        relu, lambda dout, x: np.where(asks(x > 0), dout * (x > 0), 2 * dout), shapes={"x": shape}
    )

    assert verdict.refuted
    assert any(note.startswith("This is so on the path where ") for note in verdict.notes)


def test_a_layer_that_is_off_is_visited() -> None:
    """The units of a hidden layer are all off where weights and biases have one sign."""

    def forward(x: Any, w: Any, b: Any) -> Any:
        z = x @ w + b
        return np.maximum(z, 0), (x, w, z)

    def backward(dout: Any, cache: Any) -> Any:
        x, w, z = cache
        dz = dout * (z > 0) if (z > 0).any() else dout
        return dz @ w.T, x.T @ dz, dz.sum(0)

    assert sb.verify_backward(forward, backward, shapes={"x": (3, 2), "w": (2, 3), "b": (3,)}).refuted


def test_the_number_of_cells_is_right_after_corners() -> None:
    """No combination is run twice: five entries have 32 of them, and as many are counted."""
    verdict = sb.verify_backward(relu, lambda dout, x: dout * (x > 0), shapes={"x": (5,)})

    assert verdict.proved
    assert "x=(5,) (on all 32 path cells)" in verdict.scope


def test_arrays_that_were_given_are_named() -> None:
    """A mask that stands outside of the functions, in an object or in data, is part of what is proved."""
    mask = np.array([1.0, 1.0, 0.0])

    class Dropout:
        """With its mask."""

        def __init__(self) -> None:
            self.kept = mask

        def forward(self, x: Any) -> Any:
            """Drops."""
            return x * self.kept, None

        def backward(self, dout: Any, _: Any) -> Any:
            """Drops again."""
            return dout * self.kept

    layer = Dropout()
    outside = sb.verify_backward(lambda x: (x * mask, None), lambda d, _: d * mask, shapes={"x": (3,)})
    inside = sb.verify_backward(layer.forward, layer.backward, shapes={"x": (3,)})
    data = sb.verify_backward(
        lambda x, chosen: (x * chosen, chosen), lambda d, c: d * c, shapes={"x": (3,)}, data={"chosen": mask}
    )

    assert outside.scope.endswith(", with mask as given")
    assert "kept as given" in inside.scope
    assert data.scope == "the shapes x=(3,) and x=(4,), with chosen as given"


class Calls:
    """A counter."""

    count = 0


class Tanh:
    """A layer that keeps what it needs, counts, and has a running mean and noise that begins anew."""

    def __init__(self) -> None:
        self.calls, self.mean, self.cache, self.mask = 0, 0.0, None, None

    def forward(self, x: Any) -> Any:
        """Rewrites all that backward reads."""
        self.calls += 1
        self.mean = 0.9 * self.mean + 0.1 * x.mean()
        self.cache = np.tanh(x)
        self.mask = np.random.default_rng(0).random(len(x)) > 0.5
        return self.cache * self.mask, None

    def backward(self, dout: Any, _: Any) -> Any:
        """Right at each call."""
        return dout * (1 - self.cache**2) * self.mask


TANH = Tanh()


def counted(x: Any) -> Any:
    """Each call computes the same in another way."""
    Calls.count += 1
    return (x + Calls.count) ** 2 - 2 * Calls.count * x - Calls.count**2, x


@pytest.mark.parametrize(
    ("forward", "backward"),
    [
        (squares, lambda dout, x: 2 * dout * x),
        (TANH.forward, TANH.backward),
        (counted, lambda dout, x: 2 * dout * x),
    ],
)
def test_state_that_changes_no_result_leaves_a_proof(forward: Any, backward: Any) -> None:
    """Counters, running means and caches that are written anew."""
    verdict = sb.verify_backward(forward, backward, shapes={"x": (3,)})

    assert verdict.proved
    assert "earlier call" not in str(verdict)
    assert TANH.calls == Calls.count == 0


def test_state_that_changes_results_is_undecided() -> None:
    """What is proved is the first call; the state of the person stays as it was."""
    kept = [0]
    cache: dict[str, Any] = {}

    def accumulates(dout: Any, x: Any) -> Any:
        kept[0] = kept[0] + 2 * dout * x
        return kept[0]

    def counts(dout: Any, x: Any) -> Any:
        Calls.count += 1
        return 2 * dout * x if Calls.count < 2 else 0 * dout

    def keeps_the_first(x: Any) -> Any:
        cache.setdefault("x", x)
        return (x**2).sum(), None

    def keeps_its_output(x: Any) -> Any:
        if "y" not in cache:
            cache["y"] = np.tanh(x)
        return cache["y"], x

    for forward, backward, changed in (
        (squares, accumulates, "the gradient of x is"),
        (squares, counts, "the gradient of x is"),
        (keeps_the_first, lambda dout, _: 2 * dout * cache["x"], "the gradient of x is"),
        (keeps_its_output, lambda dout, x: dout * (1 - cache["y"] ** 2), "the output and the gradient of x are"),
    ):
        verdict = sb.verify_backward(forward, backward, shapes={"x": (3,)})
        assert verdict.undecided
        assert verdict.reason == (
            f"after an earlier call with other inputs {changed} not the same: the code keeps state between calls"
        )
        assert verdict.notes[0] == "At the shapes x=(3,) each entry is proved for a first call."
    assert cache == {}
    assert kept == [0]
    assert Calls.count == 0
    assert (Calls.count, kept) == (0, [0])


def test_a_later_call_that_cannot_be_traced_is_told() -> None:
    """The first one is proved; of the others nothing is known."""
    calls: list[int] = []

    def writes(dout: Any, x: Any) -> Any:
        calls.append(1)
        if len(calls) > 1:
            f"{x[0]}"
        return 2 * dout * x

    verdict = sb.verify_backward(squares, writes, shapes={"x": (3,)})

    assert verdict.proved
    assert "Whether a later call of the same code gives the same was not found out." in verdict.notes


def test_code_that_cannot_be_called_twice_is_told() -> None:
    """A cache that is used up."""
    used: list[int] = []

    def once(dout: Any, x: Any) -> Any:
        if used:
            raise RuntimeError("used up")
        used.append(1)
        return 2 * dout * x

    verdict = sb.verify_backward(squares, once, shapes={"x": (3,)})

    assert verdict.undecided
    assert "what is returned is not the same" in verdict.reason


def test_where_other_shapes_refute_the_given_ones_are_told() -> None:
    """The first and the last entry are all there are of two."""
    verdict = sb.verify_backward(lambda x: (x, None), lambda d, _: np.array([d[0], d[-1]]), shapes={"x": (2,)})
    other = sb.verify_backward(
        lambda x: (x.sum(), x), lambda d, x: d * (np.arange(len(x)) < 2), shapes={"x": (2,)}
    )

    assert verdict.proved
    assert other.refuted
    assert other.notes[0] == "At the shapes x=(2,), which were given, each entry is proved."


def test_an_axis_of_one_entry_is_not_said_to_sum_to_one() -> None:
    """That it does would fix its entry, so it explains anything."""
    verdict = sb.verify_backward(
        lambda x, w: ((x * w).sum() ** 2, (x, w)),
        lambda d, c: (2 * d * (c[0] * c[1]).sum() * c[1] * c[1], 2 * d * (c[0] * c[1]).sum() * c[0]),
        shapes={"x": (3, 1), "w": (3, 1)},
    )

    assert verdict.refuted
    assert "sums to 1" not in verdict.diagnosis


def affine(x: Any, w: Any, b: Any) -> Any:
    """A dense layer."""
    return x @ w + b, (x, w)


@pytest.mark.parametrize("rows", [1, 2])
def test_a_batch_of_one_is_made_larger(rows: int) -> None:
    """The sum over the batch that is forgotten is seen with two samples; a bias that has a row of its own keeps it."""
    shapes = {"x": (rows, 3), "w": (3, 2)}
    wrong = sb.verify_backward(
        affine, lambda d, c: (d @ c[1].T, c[0].T @ d, d[0]), shapes={**shapes, "b": (2,)}
    )
    right = sb.verify_backward(
        affine, lambda d, c: (d @ c[1].T, c[0].T @ d, d.sum(0, keepdims=True)), shapes={**shapes, "b": (1, 2)}
    )

    assert wrong.refuted
    assert right.proved
    assert right.scope.count("b=(1, ") == 2


def attention(q: Any, k: Any, v: Any) -> Any:
    """One head, without a mask."""
    scores = q @ k.T / np.sqrt(q.shape[1])
    e = np.exp(scores)
    p = e / e.sum(1, keepdims=True)
    return p @ v, (q, k, v, p)


@pytest.mark.parametrize("axis", [0, 1])
def test_sizes_that_are_equal_by_chance_are_told_apart(axis: int) -> None:
    """Two tokens of width two: the scale is a root of the width, not of the number of tokens."""

    def backward(dout: Any, cache: Any) -> Any:
        q, k, v, p = cache
        dp = dout @ v.T
        ds = p * (dp - (dp * p).sum(1, keepdims=True)) / np.sqrt(q.shape[axis])
        return ds @ k, ds.T @ q, p.T @ dout

    verdict = sb.verify_backward(attention, backward, shapes={"q": (2, 2), "k": (2, 2), "v": (2, 2)})

    assert verdict.proved == (axis == 1)
    assert verdict.refuted == (axis == 0)


def test_axes_that_are_too_many_to_be_told_apart_are_named() -> None:
    """Seven axes of one size."""
    names = "abcdefg"
    verdict = sb.verify_backward(
        lambda **x: (sum(v.sum() for v in x.values()), x),
        lambda d, x: {name: d * np.ones_like(v) for name, v in x.items()},
        shapes=dict.fromkeys(names, (2,)),
    )

    assert verdict.proved
    assert "Whether axes of the size 2 may differ from each other was not tried." in verdict.notes


def test_entries_that_rise_or_fall_are_visited() -> None:
    """Ten comparisons of five entries have 120 combinations; two of them are sorted arrays."""

    def backward(dout: Any, x: Any) -> Any:
        return dout * (x >= np.sort(x)[-2]) * (1 + bool((np.diff(x) < 0).all()))

    assert sb.verify_backward(lambda x: (np.sort(x)[-2:].sum(), x), backward, shapes={"x": (5,)}).refuted


@pytest.mark.parametrize(
    ("forward", "backward", "needed"),
    [
        (
            lambda p: (-np.log(np.clip(p, 1e-12, 1.0)).sum(), p),
            lambda d, p: -d / p * ((p > 1e-12) & (p < 1)),
            {"p[0] != 0", "p[1] != 0"},
        ),
        (
            lambda p: (np.log(np.maximum(p, 0.5)).sum(), p),
            lambda d, p: d * (p > 0.5) * np.exp(-np.log(p)),
            {"p[0] > 0", "p[1] > 0"},
        ),
        (
            lambda p: ((np.maximum(p, 0) ** 1.5).sum(), p),
            lambda d, p: d * 1.5 * (p > 0) * p**0.5,
            {"p[0] >= 0", "p[1] >= 0"},
        ),
    ],
)
def test_what_one_cell_ensures_is_still_needed_in_another(forward: Any, backward: Any, needed: set[str]) -> None:
    """A condition that holds on one path cell is named if it does not hold on another."""
    verdict = sb.verify_backward(forward, backward, shapes={"p": (2,)})

    assert verdict.proved
    assert needed <= set(verdict.hypotheses)


@pytest.mark.parametrize("slope", [1e7, 1e9])
def test_a_steep_slope_is_no_mask(slope: float) -> None:
    """A large negative number that multiplies an input is not read as minus infinity."""

    def forward(x: Any) -> Any:
        return 1 / (1 + np.exp(-slope * x)), x

    assert not sb.verify_backward(forward, lambda dout, _: 0 * dout, shapes={"x": (2,)}).proved


def test_what_is_compared_by_equality_is_named() -> None:
    """Where an equation is not solved no point is found."""

    def forward(x: Any) -> Any:
        n = np.exp(x).sum() - 3
        return np.where(n == 0, 1, n) * x, (x, n)

    def backward(dout: Any, cache: Any) -> Any:
        x, n = cache
        return dout * n + np.exp(x) * (dout * x).sum()

    verdict = sb.verify_backward(forward, backward, shapes={"x": (2,)})

    assert "x=(2,) (on 1 path cell, not all)" in verdict.scope
    assert any("exp(x[0]) + exp(x[1]) = 3, nothing was judged" in note for note in verdict.notes)


def test_an_entry_with_the_name_of_another_is_no_copy_of_a_proof() -> None:
    """An equation of the same form is proved already, for one name on both sides."""

    def slopes(x: Any) -> Any:
        return 3 * x**2 + 6 * x + 3

    def backward(dout: Any, x: Any) -> Any:
        return dout * slopes(x)[[0, 1, 0]]

    right = sb.verify_backward(lambda x: ((x + 1) ** 3, x), lambda d, x: d * slopes(x), shapes={"x": (3,)})
    wrong = sb.verify_backward(lambda x: ((x + 1) ** 3, x), backward, shapes={"x": (3,)})

    assert right.proved
    assert wrong.refuted
