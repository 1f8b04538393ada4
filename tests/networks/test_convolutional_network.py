"""A small convolutional network on scikit-learn's digits, from the layers of the catalogue to its accuracy."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

import symbackprop as sb


def convolutional_network() -> sb.Network:
    """Convolution, pooling, convolution, flattening, a dense layer."""
    layers = [
        sb.layer("conv2d", K=6, R=3, S=3, padding=1, activation="relu"),
        sb.layer("max_pool2d"),
        sb.layer("conv2d", K=12, R=3, S=3, activation="relu"),
        sb.layer("flatten"),
        sb.Dense(10),
    ]
    return sb.Network(input=(1, 8, 8), layers=layers, loss="cross_entropy")


def test_digits_are_learned() -> None:
    """The loss falls, and more than nine of ten digits that were not seen are named."""
    images, digits = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(digits))
    x, digits = (images / 16).reshape(-1, 1, 8, 8)[order], digits[order]
    network = convolutional_network()
    training = sb.train(
        network, x[:1000], digits[:1000], optimizer=sb.Adam(1e-2), epochs=6, batch_size=50, seed=1, progress=False
    )
    named = np.argmax(training.predict(x[1000:]), axis=1)

    assert training.history[-1] < 0.2 * training.history[0]
    assert np.mean(named == digits[1000:]) > 0.9


@pytest.mark.parametrize(("name", "sample"), [("flatten", (3, 2, 4)), ("flatten1d", (3, 5))])
def test_flattening_is_that_of_numpy(name: str, sample: tuple[int, ...]) -> None:
    """The last axis runs fastest, at sizes that follow from what is read."""
    network = sb.Network(input=sample, layers=[sb.layer(name)], loss="mse")
    x = np.random.default_rng(0).normal(size=(2, *sample))
    loss, gradients = sb.derive(network, ["x"]).compile()({}, x=x, y=np.zeros((2, x[0].size)))

    assert loss == pytest.approx(np.mean(x**2), rel=1e-14)
    np.testing.assert_allclose(gradients["x"], 2 * x / x.size, rtol=1e-14)
    shifted = np.arange(x.size, dtype=float).reshape(x.shape)
    assert sb.derive(network, ["x"]).compile()({}, x=shifted, y=shifted.reshape(2, -1))[0] == 0


def test_flattening_needs_numbers() -> None:
    """Sizes that are names have no product in the language, and the message names them."""
    with pytest.raises(sb.SymBackpropError, match=r"flatten reads \[C,H,L\] of each sample"):
        sb.derive(sb.Network(input=(3, 5), layers=[sb.layer("flatten")], loss="mse"), ["x"])
    with pytest.raises(sb.SymBackpropError, match="flatten needs numbers for its sizes, and these are names: C = D"):
        sb.derive(sb.Network(input=("D", 3, 5), layers=[sb.layer("flatten")], loss="mse"), ["x"])
    with pytest.raises(sb.SymBackpropError, match="these are names: L = T"):
        sb.derive(sb.Network(input=(3, 2, "T"), layers=[sb.layer("flatten")], loss="mse"), ["x"])
