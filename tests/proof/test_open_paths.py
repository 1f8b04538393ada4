"""All paths where each entry depends on a few comparisons: they are left open, and no combination has to be run."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy as sp

import symbackprop as sb
from symbackprop.proof.backward_findings import Findings
from symbackprop.proof.choices import Choices
from symbackprop.proof.cuts import PREFIX
from symbackprop.proof.open_paths import NotProvedError, prove_openly
from symbackprop.proof.path_signs import Reading
from symbackprop.proof.tracing import Subject

SHAPES = {"x": (3, 4)}  # twelve entries: 4096 combinations


def relu(x: Any) -> Any:
    """One comparison for each entry."""
    return np.maximum(x, 0), x


def times_mask(dout: Any, x: Any) -> Any:
    """A mask as a number."""
    return dout * (x > 0)


def set_to_zero(dout: Any, x: Any) -> Any:
    """A mask as an index that is written to."""
    dx = dout.copy()
    dx[x <= 0] = 0
    return dx


def selected(dout: Any, x: Any) -> Any:
    """A mask as an index that is read."""
    dx = np.zeros_like(x)
    dx[x > 0] = dout[x > 0]
    return dx


def scaled_in_place(dout: Any, x: Any) -> Any:
    """A mask as an index that is read and written to."""
    dx = 1 * dout
    dx[~(x > 0)] *= 0
    return dx


def chosen(dout: Any, x: Any) -> Any:
    """A mask as a condition."""
    return np.where(np.logical_not(x <= 0), dout, 0.0)


def of_numbers(dout: Any, x: Any) -> Any:
    """A mask of integers, compared again."""
    on = (x > 0).astype(int)
    return dout * on * (on == 1)


def of_the_output(dout: Any, x: Any) -> Any:
    """A comparison of what was chosen."""
    return dout * (np.maximum(x, 0) > 0)


@pytest.mark.parametrize(
    "backward", [times_mask, set_to_zero, selected, scaled_in_place, chosen, of_numbers, of_the_output]
)
def test_masks_are_proved_on_all_paths(backward: Callable[..., Any]) -> None:
    """However the mask is used; no symbol of an open comparison is said."""
    verdict = sb.verify_backward(relu, backward, shapes=SHAPES)

    assert verdict.proved
    assert verdict.scope == "the shapes x=(3, 4) (on all paths) and x=(4, 5) (on all paths)"
    assert "Where a comparison is a tie, nothing was judged." in verdict.notes
    assert PREFIX not in str(verdict)


def clip(x: Any) -> Any:
    """Two comparisons for each entry."""
    return np.clip(x, -1, 1), x


def pool(x: Any) -> Any:
    """The largest of each two rows."""
    pairs = x.reshape(-1, 2, x.shape[1])
    best = pairs.max(axis=1, keepdims=True)
    return best[:, 0], (pairs, best)


def pool_back(dout: Any, cache: Any) -> Any:
    """To the entries that are the largest."""
    pairs, best = cache
    return ((pairs == best) * dout[:, None]).reshape(-1, dout.shape[1])


def leaky(x: Any) -> Any:
    """Entries that are changed where a mask holds."""
    y = x.copy()
    y[x < 0] *= 0.1
    return y, x


def leaky_back(dout: Any, x: Any) -> Any:
    """Two masks, each for a part of the entries."""
    on = x > 0
    dx = np.zeros_like(x)
    dx[on] = dout[on]
    dx[~on] = 0.1 * dout[~on]
    return dx


def root(x: Any) -> Any:
    """A root of what was chosen."""
    y = np.sqrt(np.maximum(x, 0) + 1)
    return y, y


@pytest.mark.parametrize(
    "forward, backward, shape",
    [
        (clip, lambda dout, x: dout * ((x > -1) & (x < 1)), (3, 4)),
        (pool, pool_back, (4, 5)),
        (leaky, leaky_back, (3, 4)),
        (lambda x: (np.abs(x).sum(), x), lambda dout, x: dout * np.sign(x), (3, 4)),
        (lambda x: (x[x > 0].sum(), x), lambda dout, x: dout * np.heaviside(x, 0.5), (3, 4)),
        (root, lambda dout, y: dout * (y > 1) / (2 * y), (3, 4)),
    ],
)
def test_what_is_compared_is_proved_on_all_paths(
    forward: Callable[..., Any], backward: Callable[..., Any], shape: tuple[int, ...]
) -> None:
    """Bounds, the largest of a few, absolute values, sums of what is selected."""
    verdict = sb.verify_backward(forward, backward, shapes={"x": shape})

    assert verdict.proved
    assert f"x={shape} (on all paths)" in verdict.scope


def test_a_layer_is_proved_on_all_paths() -> None:
    """What is compared is computed, and the softmax behind it subtracts the largest."""

    def forward(x: Any, w: Any, v: Any) -> Any:
        z = x @ w
        a = np.maximum(z, 0)
        y = a @ v
        e = np.exp(y - y.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        return -np.log(p[:, 0]).sum(), (x, w, v, z, a, p)

    def backward(dout: Any, cache: Any) -> Any:
        x, w, v, z, a, p = cache
        dy = p.copy()
        dy[:, 0] -= 1
        dy *= dout
        dz = (dy @ v.T) * (z > 0)
        return dz @ w.T, x.T @ dz, a.T @ dy

    verdict = sb.verify_backward(forward, backward, shapes={"x": (2, 3), "w": (3, 4), "v": (4, 2)})

    assert verdict.proved
    assert verdict.scope.count("(on all paths)") == 2


def one_combination(dout: Any, x: Any) -> Any:
    """Wrong for one combination of ten entries, that is for 4 of 4096."""
    on = x > 0
    rare = on[0, 0] & on[0, 1] & ~on[0, 2] & on[0, 3] & ~on[1, 0] & on[1, 1]
    return dout * on * np.where(rare & on[1, 2] & ~on[1, 3] & ~on[2, 0] & on[2, 1], 2, 1)


def all_far_below(dout: Any, x: Any) -> Any:
    """Wrong where the largest entry is far below 0."""
    return dout * ((x > 0) | (x.max() < -100))


def of_another_entry(dout: Any, x: Any) -> Any:
    """Wrong where an entry and its neighbour have other signs and a third is large."""
    on = x > 0
    return dout * np.where((on != np.roll(on, 1, axis=1)) & (np.roll(x, 2, axis=1) > 50), 1, on)


@pytest.mark.parametrize("backward", [one_combination, all_far_below, of_another_entry])
def test_one_wrong_combination_is_found(backward: Callable[..., Any]) -> None:
    """It is run, at a point of its own."""
    verdict = sb.verify_backward(relu, backward, shapes=SHAPES)

    assert verdict.refuted
    assert any(note.startswith("This is so on the path where ") for note in verdict.notes)
    assert PREFIX not in str(verdict)


def counted(dout: Any, x: Any) -> Any:
    """Wrong where just seven entries are positive."""
    return dout * (x > 0) * (2 if (x > 0).sum() == 7 else 1)


def zeros_like_a_mask(dout: Any, x: Any) -> Any:
    """What is written into truth values becomes one."""
    on = x > 0
    dx = np.zeros_like(on)
    dx[on] = dout[on]
    return dx


def zeros_like_integers(dout: Any, x: Any) -> Any:
    """What is written into integers is cut."""
    on = np.where(x > 0, 1, 0)
    dx = np.zeros_like(on)
    dx[...] = dout * on
    return dx


def changed_mask(dout: Any, x: Any) -> Any:
    """Another name of the mask is changed."""
    on = x > 0
    other = on
    other &= x[::-1] > 0
    return dout * on


def changed_selection(dout: Any, x: Any) -> Any:
    """Another name of what was selected is changed."""
    dx = np.zeros_like(x)
    part = dout[x > 0]
    other = part
    part *= 2
    dx[x > 0] = other
    return dx


def another_mask(dout: Any, x: Any) -> Any:
    """What one mask has selected goes through another, of as many entries."""
    dx = np.zeros_like(x)
    dx[(x > 0)[:, ::-1]] = dout[x > 0]
    return dx


@pytest.mark.parametrize(
    "backward", [counted, zeros_like_a_mask, zeros_like_integers, changed_mask, changed_selection, another_mask]
)
def test_what_asks_for_a_mask_is_not_proved(backward: Callable[..., Any]) -> None:
    """Counts, types and other names of memory are those of plain masks."""
    assert not sb.verify_backward(relu, backward, shapes=SHAPES).proved


def all_on(dout: Any, x: Any) -> Any:
    """Wrong where a mask holds throughout."""
    return dout * (x > 0) if not (x > 0).all() else 2 * dout


@pytest.mark.parametrize(
    "backward",
    [counted, all_on, zeros_like_a_mask, zeros_like_integers, changed_mask, changed_selection, another_mask]
    + [one_combination, all_far_below, of_another_entry],
)
def test_open_comparisons_prove_nothing_wrong(backward: Callable[..., Any]) -> None:
    """By themselves, without the runs that are made beside them."""
    subject = Subject(relu, backward, SHAPES, {})
    deadline = time.process_time() + 10

    with pytest.raises(NotProvedError):
        prove_openly(subject, deadline, 32, Reading(), Findings())


@pytest.mark.parametrize(
    "backward",
    [
        lambda dout, x: dout * np.array([[1.0 if value > 0 else 0.0 for value in row] for row in x]),
        lambda dout, x: dout * (x > 0) if np.count_nonzero(x > 0) else 0 * dout,
        lambda dout, x: dout * np.maximum(np.argsort(np.stack([0 * x, x]), axis=0)[1], 0),
    ],
)
def test_branches_of_python_are_run_one_by_one(backward: Callable[..., Any]) -> None:
    """What asks for each comparison leaves too many paths; that is said."""
    verdict = sb.verify_backward(relu, backward, shapes=SHAPES)

    assert verdict.proved
    assert "not all" in verdict.scope


def test_an_open_largest_is_one_of_its_numbers() -> None:
    """Of what is chosen one indicator is 1, and its facts say that it beats the others."""
    x, y, z = sp.symbols("x y z")
    choice = Choices().of_largest((x, y, z), 1)

    assert [sum(each.tell(other.indicator) for other in choice.alternatives) for each in choice.alternatives] == [1] * 3
    assert [fact.text for fact in choice.alternatives[1].facts] == ["y > x", "y > z"]


def random_mask(generator: random.Random, depth: int) -> Callable[[Any], Any]:
    """A mask of entries, their neighbours and the largest, joined at random."""
    if not depth:
        bound = generator.choice([-1, 1])
        plain: list[Callable[[Any], Any]] = [
            lambda x: x > 0,
            lambda x: np.roll(x, 1, axis=1) > 0,
            lambda x: np.maximum(x, 0) > bound,
            lambda x: x + np.roll(x, 1, axis=1) > 0,
            lambda x: x == x.max(axis=1, keepdims=True),
        ]
        return generator.choice(plain)
    first, second = random_mask(generator, depth - 1), random_mask(generator, depth - 1)
    joined: list[Callable[[Any], Any]] = [
        lambda x: first(x) & second(x),
        lambda x: first(x) | second(x),
        lambda x: first(x) ^ second(x),
        lambda x: ~first(x),
    ]
    return generator.choice(joined)


@pytest.mark.parametrize("seed", range(16))
def test_no_random_mask_is_proved_wrongly(seed: int) -> None:
    """What is proved agrees with floats at two thousand points; what is refuted at the shapes given does not."""
    generator = random.Random(seed)
    extra = random_mask(generator, 2)

    def backward(dout: Any, x: Any) -> Any:
        on = x > 0
        return dout * (on & (on | extra(x)) if seed % 2 else on ^ (extra(x) & extra(-x) & ~on))

    verdict = sb.verify_backward(relu, backward, shapes={"x": (2, 3)})
    numbers = np.random.default_rng(seed)
    points = numbers.normal(size=(2000, 2, 3)) * 2
    right = all(np.array_equal(backward(np.ones((2, 3)), x), 1.0 * (x > 0)) for x in points)

    assert not verdict.proved or right
    assert not (verdict.refuted and right and "x=(2, 3)" in verdict.scope)


def test_open_comparisons_are_no_exponents() -> None:
    """Each value of an exponent asks something else of the base, so that the paths are run."""
    verdict = sb.verify_backward(
        lambda x: (np.abs(x), x), lambda dout, x: dout * (-1.0) ** (x < 0), shapes={"x": (4,)}
    )

    assert verdict.proved, str(verdict)
    assert not verdict.hypotheses
