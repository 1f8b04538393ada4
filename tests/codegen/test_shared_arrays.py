"""Calls share arrays among their lines; nothing of that is seen in results, by threads or in arrays given."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.codegen.numpy_runtime import choose, first_of_few, gather, keep, largest_of_few

RNG = np.random.default_rng(0)


def network(width: int = 5, samples: int = 7) -> tuple[sb.Derivation, dict, dict]:
    """A network, its parameters and data."""
    net = sb.mlp([width, 4, 3], activation="relu", loss="cross_entropy")
    data = {"x": RNG.normal(size=(samples, width)), "y": np.eye(3)[RNG.integers(0, 3, samples)]}
    return sb.derive(net), net.init(0, "float64"), data


def test_results_of_a_call_stay_after_the_next() -> None:
    """Nothing that is returned lies in what the next call writes into."""
    derivation, params, data = network()
    f = derivation.compile()
    value, gradients = f(params, **data)
    before = {name: array.copy() for name, array in gradients.items()}
    f({name: array + 1 for name, array in params.items()}, **data)
    assert f(params, **data)[0] == value
    for name, array in gradients.items():
        np.testing.assert_array_equal(array, before[name])


def test_threads_may_call_at_once() -> None:
    """Eight threads get what one gets."""
    derivation, params, _ = network(64, 2)
    f = derivation.compile()
    batches = [{"x": RNG.normal(size=(50, 64)), "y": np.eye(3)[RNG.integers(0, 3, 50)]} for _ in range(40)]
    alone = [f(params, **batch) for batch in batches]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda batch: f(params, **batch), batches * 3))
    for k, (value, gradients) in enumerate(together):
        expected, wanted = alone[k % len(batches)]
        assert value == expected
        for name, array in wanted.items():
            np.testing.assert_array_equal(gradients[name], array)


def test_a_value_alone_gives_its_arrays_back() -> None:
    """A forward pass that no backward pass follows takes no arrays from the next call."""
    derivation, params, data = network()
    f = derivation.compile()
    value = f.value(params, **data)
    arrays, sizes = f._bind(params, data)
    work = f._forward(*arrays, *sizes)[1][0]
    assert work not in work.free
    f.library.release((work,))
    assert work.free == [work]
    assert f.value(params, **data) == value == f(params, **data)[0]
    assert work.free == [work]


def test_more_choices_of_sizes_than_are_kept() -> None:
    """Sizes that come again after many others give what they gave."""
    derivation, params, _ = network()
    f = derivation.compile()
    batches = [{"x": RNG.normal(size=(n, 5)), "y": np.eye(3)[RNG.integers(0, 3, n)]} for n in range(1, 9)]
    first = [f(params, **batch)[0] for batch in batches]
    assert [f(params, **batch)[0] for batch in batches] == first


def test_integers_given_for_numbers_are_cast_at_every_call() -> None:
    """What was bound before is known by type too."""
    f = sb.derive(sb.parse("input x[N]\nparam w[N]\nloss = sum(n, exp(w[n]*x[n]))")).compile(dtype="float32")
    whole = {"w": np.array([1, 2])}
    for _ in range(2):
        value, gradients = f(whole, x=np.array([1.0, 0.5], np.float32))
        assert value.dtype == gradients["w"].dtype == np.float32


@pytest.mark.parametrize("size", [3, 200])
def test_out_may_be_the_parameters_themselves(size: int) -> None:
    """Small arrays are copied in the end; large ones are written on the way only where they overlap nothing."""
    derivation = sb.derive(
        sb.parse("input x[N,D]\nparam W[K,D], V[K,D]\nloss = sum(n, k, tanh(sum(d, W[k,d]*V[k,d]*x[n,d])))")
    )
    params = {"W": RNG.normal(size=(size, size)), "V": RNG.normal(size=(size, size))}
    x = RNG.normal(size=(4, size))
    f = derivation.compile()
    _, wanted = f(params, x=x)
    given = {name: array.copy() for name, array in params.items()}
    _, found = f(given, x=x, out=given)
    for name, array in wanted.items():
        np.testing.assert_array_equal(found[name], array)
    fresh = {name: np.empty_like(array) for name, array in params.items()}
    f(params, x=x, out=fresh)
    turned = {name: np.empty_like(array).T for name, array in params.items()}
    f(params, x=x, out=turned)
    for name, array in wanted.items():
        np.testing.assert_array_equal(fresh[name], array)
        np.testing.assert_array_equal(turned[name], array)


def test_what_is_known_of_out_holds_for_the_same_arrays_alone() -> None:
    """After two calls with the same arguments: arrays that changed their places, other data, and parameters as out."""
    f = sb.derive(
        sb.parse("input x[N,D]\nparam W[K,D], V[K,D]\nloss = sum(n, k, tanh(sum(d, W[k,d]*V[k,d]*x[n,d])))")
    ).compile()
    params = {name: RNG.normal(size=(3, 2)) for name in ("W", "V")}
    x, other = RNG.normal(size=(4, 2)), RNG.normal(size=(4, 2))
    out = {name: np.empty((3, 2)) for name in ("V", "W")}
    swapped = {"W": out["V"], "V": out["W"]}
    for data, target in ((x, out), (x, out), (x, swapped), (x, out), (other, out), (other, params)):
        _, wanted = f({name: array.copy() for name, array in params.items()}, x=data)
        _, found = f(params, x=data, out=target)
        for name, array in wanted.items():
            assert found[name] is target[name]
            np.testing.assert_array_equal(found[name], array)


def test_large_out_is_written_without_a_copy() -> None:
    """The array that comes back is the one that was given, and nothing is copied into it."""
    derivation = sb.derive(sb.mlp([200, 100], loss="mse"))
    f = derivation.compile()
    params = {"W1": RNG.normal(size=(100, 200)), "b1": np.zeros(100)}
    out = {name: np.empty_like(array) for name, array in params.items()}
    given, models = list(params.values()), [params["W1"]]
    assert f.library.named(out, ("W1", "b1"))[0] is out["W1"]
    assert f.library.can_write([out["W1"]], models, given)
    assert not f.library.can_write([params["W1"]], models, given)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_selection_by_bits_is_where(dtype: type) -> None:
    """Infinities and what is not a number are taken or left as np.where does."""
    values = np.array([1.0, -0.0, np.inf, -np.inf, np.nan, 5e-324], dtype)
    others = values[::-1].copy()
    for mask in (np.array([True, False] * 3), np.array([False, True] * 3), np.array([True] * 6)):
        out = np.empty_like(values)
        keep(mask, values, out=out)
        np.testing.assert_array_equal(out, np.where(mask, values, dtype(0)))
        choose(mask, values, others, out=out)
        np.testing.assert_array_equal(out, np.where(mask, values, others))
        choose(mask, 2, values, out=out)
        np.testing.assert_array_equal(out, np.where(mask, dtype(2), values))


def test_short_maxima() -> None:
    """The first of equals, as np.argmax; what is not a number is found."""
    array = RNG.integers(0, 3, (40, 4)).astype(float)
    out, place = np.empty(40), np.empty(40, np.int8)
    first_of_few(array, 1, place)
    np.testing.assert_array_equal(place, 1 + np.argmax(array, axis=1))
    largest_of_few(array, 1, out)
    np.testing.assert_array_equal(out, array.max(axis=1))
    array[3, 2] = np.nan
    first_of_few(array, 1, place)
    assert place[3] == 3
    largest_of_few(array, 1, out)
    assert np.isnan(out[3])


def read_entry_by_entry(array: np.ndarray, indices: list[np.ndarray]) -> np.ndarray:
    """What gather says, one entry after another."""
    spread = np.broadcast_arrays(*indices)
    result = np.zeros(spread[0].shape)
    for at in np.ndindex(*result.shape):
        place = [int(index[at]) - 1 for index in spread]
        if all(0 <= k < size for k, size in zip(place, array.shape, strict=True)):
            result[at] = array[tuple(place)]
    return result


def test_reads_at_indices() -> None:
    """Along axes, along one axis twice, and at indices that run along several."""
    for _ in range(500):
        rank = int(RNG.integers(1, 4))
        sizes = RNG.integers(1, 4, rank)
        array = RNG.normal(size=tuple(RNG.integers(1, 4, int(RNG.integers(1, 5)))))
        indices = []
        for _ in array.shape:
            shape = [1] * rank
            axis = int(RNG.integers(0, rank))
            shape[axis] = int(sizes[axis])
            kind = RNG.random()
            index = np.arange(1, sizes[axis] + 1).reshape(shape) if kind < 0.3 else RNG.integers(-1, 5, shape)
            indices.append(RNG.integers(0, 4, sizes) if kind > 0.8 else index)
        wanted = read_entry_by_entry(array, indices)
        np.testing.assert_array_equal(np.broadcast_to(gather(array, *indices), wanted.shape), wanted)


def test_a_view_of_a_parameter_is_no_place_to_write_on_the_way() -> None:
    """The gradient by the second layer goes where its weights are, which the first one's gradient is computed from."""
    f = sb.derive(sb.mlp([200, 200, 200], loss="mse")).compile()
    params = {name: RNG.normal(size=(200, 200) if name[0] == "W" else 200) for name in ("W1", "b1", "W2", "b2")}
    data = {name: RNG.normal(size=(4, 200)) for name in ("x", "y")}
    _, expected = f(params, **data)
    out = {name: np.empty_like(array) for name, array in params.items()} | {"W2": params["W2"][:]}

    f(params, **data, out=out)

    for name, gradient in expected.items():
        np.testing.assert_array_equal(out[name], gradient)
