"""Code that sorts, or takes the largest entries: it is run with the entries in each order."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest

import symbackprop as sb


def sort(x: Any) -> Any:
    """The rows in rising order."""
    order = np.argsort(x, axis=1)
    return np.take_along_axis(x, order, 1), order


def put_back(dout: Any, order: Any) -> Any:
    """Where each entry came from."""
    dx = np.zeros_like(dout)
    np.put_along_axis(dx, order, dout, 1)
    return dx


@pytest.mark.parametrize("row", [0, 1, 2])
@pytest.mark.parametrize("wrong", list(permutations(range(3)))[1:])
def test_one_wrong_order_of_one_row_is_found(row: int, wrong: tuple[int, ...]) -> None:
    """Of 216 combinations each row has each order in some that are run."""

    def backward(dout: Any, order: Any) -> Any:
        dx = put_back(dout, order)
        return 2 * dx if tuple(order[row]) == wrong else dx

    assert sb.verify_backward(sort, backward, shapes={"x": (3, 3)}).refuted
    assert sb.verify_backward(sort, put_back, shapes={"x": (3, 3)}).proved


@pytest.mark.parametrize("wrong", [(0, 1), (1, 0), (3, 0), (0, 3), (2, 1), (3, 2)])
def test_one_wrong_pair_of_largest_entries_is_found(wrong: tuple[int, int]) -> None:
    """The two largest of four, in one order of them put back the wrong way round."""

    def forward(x: Any) -> Any:
        best = np.argsort(-x, axis=1)[:, :2]
        return np.take_along_axis(x, best, 1), (x.shape, best)

    def backward(dout: Any, cache: Any) -> Any:
        shape, best = cache
        dx = np.zeros(shape)
        np.put_along_axis(dx, best, dout[:, ::-1] if tuple(best[1]) == wrong else dout, 1)
        return dx

    assert sb.verify_backward(forward, backward, shapes={"x": (2, 4)}).refuted


def test_entries_of_many_come_first_and_last_somewhere() -> None:
    """Of six entries in a row there are too many orders, but each is the largest once."""
    for wrong in range(6):

        def backward(dout: Any, cache: Any, wrong: int = wrong) -> Any:
            shape, best = cache
            dx = np.zeros(shape)
            dx[np.arange(len(best)), best] = 2 * dout if best[0] == wrong else dout
            return dx

        def forward(x: Any) -> Any:
            best = x.argmax(axis=1)
            return x[np.arange(len(x)), best], (x.shape, best)

        assert sb.verify_backward(forward, backward, shapes={"x": (2, 6)}).refuted


def test_a_tie_inside_argmax_is_no_error_of_the_code() -> None:
    """At the first point two entries are equal; NumPy goes on with its comparisons, and another point is taken."""

    def forward(x: Any) -> Any:
        best = x.argmax(1)
        return x[np.arange(len(x)), best], (x.shape, best)

    def backward(dout: Any, cache: Any) -> Any:
        shape, best = cache
        dx = np.zeros(shape)
        dx[np.arange(len(best)), best] = dout
        return dx

    assert sb.verify_backward(forward, backward, shapes={"x": (3, 4)}).proved
