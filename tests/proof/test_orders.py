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


def put_into_rows(dout: Any, cache: Any) -> Any:
    """The gradient where the entry of each row came from, and zero elsewhere."""
    shape, best = cache
    dx = np.zeros(shape)
    dx[np.arange(len(best)), best] = dout
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

    assert sb.verify_backward(forward, put_into_rows, shapes={"x": (3, 4)}).proved


def best_of(name: str, columns: Any) -> Any:
    """The places of the best entry of each row, by a function or by the method of that name."""
    return columns.argmax(axis=1) if name == "method" else getattr(np, name)(columns, axis=1)


@pytest.mark.parametrize("name", ["method", "argmax", "argmin", "nanargmax", "nanargmin"])
def test_a_tie_in_one_of_many_rows_takes_another_point(name: str) -> None:
    """NumPy's own loop goes on to the next rows with the error set, so the places are found without it."""

    def forward(x: Any) -> Any:
        best = best_of(name, x)
        return x[np.arange(len(x)), best], (x.shape, best)

    assert sb.verify_backward(forward, put_into_rows, shapes={"x": (6, 8)}, seconds=3).proved


@pytest.mark.parametrize("name", ["maximum", "minimum", "add"])
def test_parts_are_reduced_one_by_one(name: str) -> None:
    """So a tie in one of them takes another point."""
    starts = np.arange(0, 60, 10)

    def forward(x: Any) -> Any:
        best = getattr(np, name).reduceat(x, starts)
        return best, (x, best)

    def backward(dout: Any, cache: Any) -> Any:
        x, best = cache
        parts = np.repeat(np.arange(len(best)), 10)
        return np.where((x == best[parts]) | (name == "add"), dout[parts], 0)

    assert sb.verify_backward(forward, backward, shapes={"x": (60,)}, seconds=3).proved


def test_places_are_integers() -> None:
    """What says where entries stand is of no type of floats, whatever shape it has."""

    def forward(x: Any) -> Any:
        by_rows = x.argmax(1), x.argsort(1), np.argsort(x), x.argpartition(1), x.argmax(1, keepdims=True)
        found = x.argmin(axis=0), *by_rows
        assert all(each.dtype == np.int64 for each in found)
        assert found[-1].shape == (len(x), 1)
        out = np.zeros(len(x), int)
        assert x.argmax(-1, out) is out
        assert (out == by_rows[0]).all()
        return x[0, out[0]], (x.shape, out[0])

    def backward(dout: Any, cache: Any) -> Any:
        shape, column = cache
        dx = np.zeros(shape)
        dx[0, column] = dout
        return dx

    assert sb.verify_backward(forward, backward, shapes={"x": (2, 3)}).proved
