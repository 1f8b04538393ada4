"""Networks as text: every activation, loss and output derives, and its gradient is that of finite differences."""

from __future__ import annotations

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.calculus.tensors import Role, Tensor
from symbackprop.functions import FUNCTIONS
from symbackprop.networks import LOSSES
from symbackprop.networks.builder import INDEXED_ACTIVATIONS

ACTIVATIONS = ("identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "softplus", "silu", "gelu", "gelu_tanh")


def draw(tensor: Tensor, rng: np.random.Generator) -> np.ndarray:
    """Data of a batch of three: class numbers, inputs of any sign, all others between 0 and 1."""
    shape = tuple(axis.evaluate({"N": 3}) for axis in tensor.axes)
    if tensor.range is not None:
        return rng.integers(1, tensor.range.evaluate({}) + 1, size=shape)
    return rng.normal(size=shape) if tensor.name == "x" else rng.uniform(0.1, 0.9, size=shape)


def check_gradients(network: sb.Network, seed: int) -> None:
    """Compare every gradient along a random direction with a central difference."""
    rng = np.random.default_rng(seed)
    params = {name: value + 0.1 * rng.normal(size=value.shape) for name, value in network.init(seed).items()}
    data = {leaf.name: draw(leaf, rng) for leaf in network.program.tensors if leaf.role in (Role.INPUT, Role.INDEX)}
    f = sb.derive(network).compile()
    _, gradients = f(params, **data)
    for name, gradient in gradients.items():
        direction = rng.normal(size=gradient.shape)
        up, down = ({**params, name: params[name] + s * direction} for s in (1e-6, -1e-6))
        slope = (f(up, **data)[0] - f(down, **data)[0]) / 2e-6
        assert np.sum(gradient * direction) == pytest.approx(slope, rel=1e-5, abs=1e-8)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation(activation: str) -> None:
    """Each is in the catalogue and learns through a hidden layer."""
    assert activation in {f.name for f in FUNCTIONS}
    check_gradients(sb.mlp([3, 4, 2], activation=activation), 1)


@pytest.mark.parametrize("loss", [loss.fragment.name for loss in LOSSES])
@pytest.mark.parametrize("batch", ["N", None])
def test_every_loss_with_and_without_a_batch(loss: str, batch: str | None) -> None:
    """Each loss, over a batch and for one sample; one that compares samples says that it needs more of them."""
    if loss == "info_nce" and batch is None:
        with pytest.raises(sb.SymBackpropError, match=r"info_nce reads \[N,D\]"):
            sb.mlp([3, 2], loss=loss, batch=None)
        return
    output = "sigmoid" if loss == "bce" else "identity"
    check_gradients(sb.mlp([3, 4, 2], activation="tanh", output=output, loss=loss, batch=batch), 2)


@pytest.mark.parametrize("output", [f.name for f in INDEXED_ACTIVATIONS])
def test_outputs_with_an_index(output: str) -> None:
    """Softmax and log-softmax as the activation of the last layer."""
    check_gradients(sb.mlp([3, 4, 2], output=output), 3)


def test_softmax_before_cross_entropy_is_the_same_program() -> None:
    """The loss names the softmax itself; asking for it as well gives p in the place of the last outputs."""
    plain = sb.mlp([3, 2], loss="cross_entropy").program
    named = sb.mlp([3, 2], output="softmax", loss="cross_entropy").program

    assert [d.tensor.name for d in plain.definitions] == ["z1", "a1", "p", "loss"]
    assert [d.tensor.name for d in named.definitions] == ["z1", "p", "loss"]
    assert sb.derive(plain)["W1"].expand({"N": 1}) == sb.derive(named)["W1"].expand({"N": 1})


def test_a_layer_without_bias() -> None:
    """A layer can leave its bias out."""
    network = sb.Network(input=3, layers=[sb.Dense(4, "tanh", bias=False), sb.Dense(2)], loss="mse")

    assert set(network.init()) == {"W1", "W2", "b2"}
    check_gradients(network, 4)


def test_letters_give_way_to_names_of_sizes() -> None:
    """Sizes called n, i and j leave other letters to the indices."""
    text = sb.mlp(["i", "j"], batch="n").program.text()

    assert "input x[n, i], y[n, j]" in text
    assert sb.derive(sb.mlp(["i", "j"], batch="n")).gradients.keys() == {"W1", "b1"}


def test_parameters_begin_by_glorot() -> None:
    """Weights fill +-sqrt(6/(fan-in + fan-out)) evenly, biases are zero, a seed fixes them, dtype is kept."""
    network = sb.mlp([30, 50, 20])
    params = network.init(seed=3, dtype="float32")
    limit = np.sqrt(6 / 80)

    assert params["W1"].shape == (50, 30)
    assert params["W1"].dtype == np.float32
    assert np.abs(params["W1"]).max() <= limit
    assert params["W1"].std() == pytest.approx(limit / np.sqrt(3), rel=0.05)
    assert not params["b1"].any()
    np.testing.assert_array_equal(params["W2"], network.init(3, "float32")["W2"])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: sb.mlp([3]), "at least the inputs"),
        (lambda: sb.mlp([3, 0]), "at least 1"),
        (lambda: sb.mlp([3, 2.5]), "positive integer"),
        (lambda: sb.mlp([3, "2k"]), "name of a size"),
        (lambda: sb.mlp([3, 2], loss="l3"), "There is no loss"),
        (lambda: sb.mlp([3, 2], loss=sb.loss("huber", gamma=2)), "huber has no setting gamma; its settings: delta"),
        (lambda: sb.mlp([3, 2], penalties={"l3": 1}), "There is no penalty 'l3'; there are l1, l2"),
        (lambda: sb.mlp([3, 2], penalties={"l2": "-1"}), "penalty l2 is '-1'; give a number, 0 or more"),
        (lambda: sb.mlp([3, 2], penalties={"l2": "x"}), "penalty l2 is 'x'; give a number"),
        (lambda: sb.mlp([3, 2], output="l3"), "There is no activation"),
        (lambda: sb.mlp([3, 2], batch="a b"), "name of a size"),
        (lambda: sb.Network(input=3, layers=[], loss="mse"), "at least one layer"),
        (lambda: sb.mlp(["D", 2]).init(), "widths as integers"),
    ],
)
def test_mistakes_in_a_network_are_named(call: object, words: str) -> None:
    """Each mistake says what is expected."""
    assert callable(call)
    with pytest.raises(sb.SymBackpropError, match=words):
        call()


def test_penalties_of_the_weights_join_the_loss() -> None:
    """The loss gains so many times the sums, the gradients of the weights their slopes, and biases are left alone."""
    plain, penalised = (sb.mlp([3, 2], penalties=factors) for factors in (None, {"l2": 0.01, "l1": "0.5"}))
    params = penalised.init(3)
    data = {"x": np.ones((4, 3)), "y": np.zeros((4, 2))}
    (one, without), (other, gained) = (sb.derive(network).compile()(params, **data) for network in (plain, penalised))
    weights = params["W1"]

    assert sb.parse(penalised.program.text()) == penalised.program
    assert other == pytest.approx(one + 0.01 * np.sum(weights**2) + 0.5 * np.sum(np.abs(weights)), rel=1e-14)
    np.testing.assert_allclose(gained["W1"], without["W1"] + 0.02 * weights + 0.5 * np.sign(weights), rtol=1e-13)
    np.testing.assert_allclose(gained["b1"], without["b1"], rtol=1e-14)


@pytest.mark.parametrize("loss", [loss.fragment.name for loss in LOSSES])
def test_the_text_of_a_network_reads_back(loss: str) -> None:
    """What a network prints is its program, whatever its loss declares."""
    program = sb.mlp([3, 2], loss=loss).program

    assert sb.parse(program.text()) == program


def test_a_loss_takes_settings_of_its_own() -> None:
    """They take the place of those of the catalogue, and a loss that no catalogue has is as good."""
    chosen = sb.mlp([1, 1], loss=sb.loss("huber", delta=2)).program.text()
    fragment = sb.Fragment("quartic", "input a[...,K], y[...,K]\nloss = mean(..., i, (a[...,i] - y[...,i])^4)", "")
    own = sb.mlp([1, 1], loss=sb.Loss(fragment, "mean over all entries", "units of the target to the fourth"))

    assert "where(abs(r[n,i]) <= 2, r[n,i]^2/2, 2*(abs(r[n,i]) - 2/2))" in chosen
    assert sb.verify_gradient(own, "a1[n,i]", "4*(a1[n,i] - y[n,i])^3/N").proved


def test_layers_of_the_catalogue_fit_behind_one_another() -> None:
    """Sizes follow from what a layer reads, the leading axes stay, and an activation may be a formula in u."""
    convolution = sb.layer("conv2d", K=2, R=3, S=3, stride=2, padding=1, activation="u*sigmoid(2*u)")
    network = sb.Network(input=(1, 5, 5), layers=[convolution, sb.Residual([sb.Dense(3, "tanh")])], loss="mse")
    program = network.program

    assert [str(axis) for axis in program.core.tensor("s2").axes] == ["N", "2", "3", "3"]
    assert {name: value.shape for name, value in network.init().items()} == {
        "W1": (2, 1, 3, 3),
        "b1": (2,),
        "W2": (3, 3),
        "b2": (3,),
    }
    f = sb.derive(network).compile()
    rng = np.random.default_rng(0)
    data = {"x": rng.normal(size=(2, 1, 5, 5)), "y": rng.normal(size=(2, 2, 3, 3))}
    params = network.init(1)
    _, gradients = f(params, **data)
    direction = rng.normal(size=gradients["W1"].shape)
    up, down = ({**params, "W1": params["W1"] + s * direction} for s in (1e-6, -1e-6))
    slope = (f(up, **data)[0] - f(down, **data)[0]) / 2e-6
    assert np.sum(gradients["W1"] * direction) == pytest.approx(slope, rel=1e-6)


def test_branches_are_joined_along_the_last_axis() -> None:
    """An empty branch is what the others read."""
    network = sb.Network(input=3, layers=[sb.Concatenated([[], [sb.Dense(2, "tanh")]]), sb.Dense(1)], loss="mse")

    assert network.init()["W2"].shape == (1, 5)


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ([sb.layer("conv2d", K=2, R=3, S=3)], r"conv2d reads \[...,C,H,L\], and x is \[N,3\]"),
        ([sb.Layer(sb.layer("conv2d").fragment)], "conv2d reads"),
        ([sb.Residual([sb.Dense(2)])], "reads an axis of size 3"),
        ([sb.Layer(sb.Dense(2).fragment)], "dense does not know K; give it, as in K=3"),
        ([sb.Layer(sb.Dense(2).fragment, {"K": 2, "M": 1})], "dense cannot choose M"),
        ([sb.Dense(2, "v^2")], "There is no activation"),
    ],
)
def test_layers_that_do_not_fit_are_named(layers: list[sb.Layer], words: str) -> None:
    """The layer, and what it reads."""
    with pytest.raises(sb.SymBackpropError, match=words):
        sb.Network(input=3, layers=layers, loss="mse")


def test_scales_begin_at_one_and_shifts_at_zero_whatever_their_axes() -> None:
    """Those of group_norm have two axes, as weights do."""
    network = sb.Network(input=(2, 3, 4, 4), layers=[sb.layer("group_norm", eps="1e-6")], loss="mse")
    params = network.init()

    assert "1e-6" in network.program.text()
    assert params["gamma1"].shape == params["beta1"].shape == (2, 3)
    assert (params["gamma1"] == 1).all()
    assert not params["beta1"].any()


@pytest.mark.parametrize(
    ("size", "layer", "seen"),
    (
        (
            (6, 6),
            sb.layer("conv2d", K=2, R=3, S=3),
            r"conv2d reads \[C,H,L\] of each sample, and a sample of x is \[6,6\]",
        ),
        (4, sb.layer("rnn", H=3), r"rnn reads \[T,D\] of each sample, and a sample of x is \[4\]"),
        (4, sb.layer("multi_head_attention", H=2, D=3), r"of each sample, and a sample of x is \[4\]"),
    ),
)
def test_samples_are_never_taken_for_an_axis_of_a_layer(size: object, layer: sb.Layer, seen: str) -> None:
    """A sample with an axis too few is refused: the batch is no channel, and no step of a sequence."""
    with pytest.raises(sb.ShapeError, match=seen):
        sb.Network(input=size, layers=[layer, sb.Dense(2)], loss="mse")
