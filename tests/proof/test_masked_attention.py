"""Maxima that only keep numbers small, and masks that are numbers: softmax and attention as they are written."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symbackprop as sb

SHAPES = {"q": (3, 2), "k": (3, 2), "v": (3, 2)}
Scores = Callable[[Any], Any]


def added(scores: Any) -> Any:
    """The mask as a sum."""
    return scores + np.triu(np.ones((len(scores), len(scores))), 1) * -1e9


def chosen(scores: Any) -> Any:
    """The mask by `where`."""
    return np.where(np.tril(np.ones((len(scores), len(scores)), dtype=bool)), scores, -1e9)


def assigned(scores: Any) -> Any:
    """The mask as an assignment in place."""
    scores = scores.copy()
    scores[np.triu(np.ones((len(scores), len(scores))), k=1) > 0] = -1e9
    return scores


def by_the_least_float(scores: Any) -> Any:
    """The mask as the least float there is."""
    return np.where(np.tri(len(scores)) == 0, np.finfo(scores.dtype).min, scores)


def infinite(scores: Any) -> Any:
    """The mask as a true infinity."""
    return np.where(np.triu(np.ones((len(scores), len(scores))), 1).astype(bool), -np.inf, scores)


def unmasked(scores: Any) -> Any:
    """No mask."""
    return scores


def attention(mask: Scores, *, shift: bool, sign: int = 1) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Attention with a mask, and the backward that everybody writes: it multiplies by the probabilities, which are 0
    in floats where the mask is.
    """

    def forward(q: Any, k: Any, v: Any) -> Any:
        scores = mask(q @ k.T / np.sqrt(q.shape[1]))
        if shift:
            scores = scores - scores.max(axis=-1, keepdims=True)
        exps = np.exp(scores)
        p = exps / exps.sum(axis=-1, keepdims=True)
        return p @ v, (q, k, v, p)

    def backward(dout: Any, cache: Any) -> Any:
        q, k, v, p = cache
        dp = dout @ v.T
        ds = sign * p * (dp - (dp * p).sum(axis=-1, keepdims=True)) / np.sqrt(q.shape[1])
        return ds @ k, ds.T @ q, p.T @ dout

    return forward, backward


@pytest.mark.parametrize("shift", [True, False])
@pytest.mark.parametrize("mask", [unmasked, added, infinite])
def test_masked_attention_is_proved_for_all_values(mask: Scores, shift: bool) -> None:
    """No path cells: which score is the largest plays no part, so the proof is one for all of them."""
    start = time.process_time()
    verdict = sb.verify_backward(*attention(mask, shift=shift), shapes=SHAPES)

    assert verdict.proved, str(verdict)
    keys = 5 if mask is unmasked else 4  # a mask of T by T takes as many keys as queries
    assert verdict.scope == f"the shapes q=(3, 2), k=(3, 2), v=(3, 2) and q=(4, 3), k=({keys}, 3), v=({keys}, 2)"
    assert time.process_time() - start < 10


@pytest.mark.parametrize("shift", [True, False])
@pytest.mark.parametrize("mask", [chosen, assigned, by_the_least_float])
def test_a_number_as_a_mask_is_read_as_it_is_meant(mask: Scores, shift: bool) -> None:
    """In exact numbers exp(-1e9) is not 0, and the gradients differ by it; the verdict says how the mask was read."""
    verdict = sb.verify_backward(*attention(mask, shift=shift), shapes=SHAPES)

    number = "-1.79769e+308" if mask is by_the_least_float else "-1e+09"
    assert verdict.proved, str(verdict)
    assert verdict.hypotheses == (f"{number} counts as minus infinity",)
    assert any("its exp is 0 in floats" in note for note in verdict.notes)


def test_a_backward_that_masks_too_needs_no_reading() -> None:
    """Then the equation is exact."""
    forward, backward = attention(chosen, shift=True)

    def masks(dout: Any, cache: Any) -> Any:
        q, k, v, p = cache
        dp = dout @ v.T
        ds = p * (dp - (dp * p).sum(axis=-1, keepdims=True)) / np.sqrt(q.shape[1]) * np.tri(len(p))
        return ds @ k, ds.T @ q, p.T @ dout

    verdict = sb.verify_backward(forward, masks, shapes=SHAPES)

    assert verdict.proved
    assert not verdict.hypotheses
    assert backward is not masks


@pytest.mark.parametrize("mask", [added, chosen, infinite])
def test_how_a_mask_is_read_hides_no_mistake(mask: Scores) -> None:
    """A wrong sign stays one."""
    verdict = sb.verify_backward(*attention(mask, shift=True, sign=-1), shapes=SHAPES)

    assert verdict.refuted, str(verdict)
    assert verdict.witness is not None
    # In exact numbers that of a chosen mask is off by more than a sign.
    assert ("has the wrong sign" in verdict.diagnosis) == (mask is not chosen)


def scaled(x: Any) -> Any:
    """A maximum that the result depends on, its path left out."""
    top = x.max()
    out = x / top
    return out, (dout := sb.upstream(out)), {"x": dout / top}


def shifted(x: Any) -> Any:
    """A maximum that is taken off and left out."""
    out = x - x.max()
    dout = sb.upstream(out)
    return out, dout, {"x": dout}


def shifted_right(x: Any) -> Any:
    """The same with the path."""
    out = x - x.max()
    dout = sb.upstream(out)
    dx = dout.copy()
    dx[x.argmax()] -= dout.sum()
    return out, dout, {"x": dx}


def scaled_right(x: Any) -> Any:
    """The same with the path."""
    top = x.max()
    out = x / top
    dout = sb.upstream(out)
    dx = dout / top
    dx[np.argmax(x)] -= (dout * x).sum() / top**2
    return out, dout, {"x": dx}


def pooled(x: Any) -> Any:
    """A maximum as the result, its gradient given to every entry."""
    out = x.max(axis=1)
    dout = sb.upstream(out)
    return out, dout, {"x": dout[:, None] * np.ones_like(x)}


def pooled_right(x: Any) -> Any:
    """Its gradient given to the largest."""
    out = x.max(axis=1, keepdims=True)
    dout = sb.upstream(out)
    return out, dout, {"x": dout * (x == out)}


def caught(x: Any) -> Any:
    """Code that catches whatever comparing a maximum raises."""
    top = x.max()
    out = x * top
    dout = sb.upstream(out)
    dx = dout * top
    try:
        dx = dx + (x == top) * (dout * x).sum()
    except Exception:
        dx = dx * 0
    return out, dout, {"x": dx}


def log_sum_exp(x: Any) -> Any:
    """The stable form against the plain one."""
    top = np.max(x, axis=1)
    out = top + np.log(np.exp(x - top[:, None]).sum(1))
    dout = sb.upstream(out)
    return out, dout, {"x": dout[:, None] * np.exp(x) / np.exp(x).sum(1, keepdims=True)}


@pytest.mark.parametrize("case", [shifted_right, scaled_right, pooled_right, caught, log_sum_exp])
def test_a_right_maximum_is_proved(case: Callable[..., Any]) -> None:
    """With path cells where the code or the result asks which entry it is."""
    verdict = sb.verify_backward(case, shapes={"x": (2, 3) if case in (pooled_right, log_sum_exp) else (3,)})

    assert verdict.proved, str(verdict)
    assert ("path cell" in verdict.scope) == (case is not log_sum_exp)


@pytest.mark.parametrize("case", [shifted, scaled, pooled])
def test_a_maximum_that_moves_the_result_is_not_taken_for_constant(case: Callable[..., Any]) -> None:
    """What does not hold for a free maximum is judged path by path."""
    verdict = sb.verify_backward(case, shapes={"x": (2, 3) if case is pooled else (3,)})

    assert verdict.refuted
    assert verdict.witness is not None


def causal(mask: float) -> tuple[Any, Any, Any]:
    """Softmax of a causal mask in finite numbers, its backward, and one that sums over the other axis."""
    seen = np.tri(2, dtype=bool)

    def forward(scores: Any) -> Any:
        shifted = scores + (1 - seen) * mask
        exped = np.exp(shifted - shifted.max(axis=1, keepdims=True))
        p = exped / exped.sum(axis=1, keepdims=True)
        return p, p

    def backward(dout: Any, p: Any) -> Any:
        return (p * (dout - (dout * p).sum(axis=1, keepdims=True)) * seen,)

    def along_rows(dout: Any, p: Any) -> Any:
        return (p * (dout - (dout * p).sum(axis=0, keepdims=True)) * seen,)

    return forward, backward, along_rows


@pytest.mark.parametrize("mask", [-1e3, -1e4, -65504.0, -1e9])
def test_a_difference_beneath_all_floats_refutes_nothing(mask: float) -> None:
    """exp(-10000) is 0 in floats: what is left of the masked entries is no mistake."""
    forward, backward, along_rows = causal(mask)
    verdict = sb.verify_backward(forward, backward, shapes={"scores": (2, 2)})

    assert verdict.proved, str(verdict)
    assert verdict.hypotheses == (f"{mask:g} counts as minus infinity",)
    assert sb.verify_backward(forward, along_rows, shapes={"scores": (2, 2)}).refuted


def test_a_number_that_floats_hold_is_no_mask() -> None:
    """exp(-20) is a number as others are."""
    forward, backward, _ = causal(-20.0)

    assert sb.verify_backward(forward, backward, shapes={"scores": (2, 2)}).refuted
