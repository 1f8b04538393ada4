"""Networks learn from the gradients derived for them, the same bits for the same seed, and refuse data that do not
fit.
"""

from __future__ import annotations

import statistics

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.codegen import code
from symbackprop.facade.experiments import learn
from symbackprop.training import load_iris


def test_iris_is_learned() -> None:
    """The median accuracy of five seeds on 45 unseen flowers is at least 95 %."""
    network = sb.mlp([4, 8, 3], activation="tanh", loss="cross_entropy")
    scores = [
        learn(network, load_iris(), sb.Adam(0.02), 60, batch_size=16, seed=seed, progress=False).test_score
        for seed in range(5)
    ]

    assert statistics.median(scores) >= 0.95


def test_the_same_seed_gives_the_same_bits() -> None:
    """Two runs of one seed end in equal parameters, and another seed in others."""
    network = sb.mlp([4, 5, 3], activation="sigmoid", loss="cross_entropy")
    iris = load_iris()
    runs = [
        sb.train(network, iris.x, iris.y, sb.SGD(0.05), epochs=3, batch_size=16, seed=seed, progress=False)
        for seed in (7, 7, 8)
    ]

    for name, array in runs[0].params.items():
        assert array.tobytes() == runs[1].params[name].tobytes()
    assert runs[0].history == runs[1].history
    assert runs[0].history != runs[2].history


def test_labels_and_one_hot_rows_are_the_same_targets() -> None:
    """Class numbers train as the rows with a single 1 do."""
    network = sb.mlp([4, 3], loss="cross_entropy")
    iris = load_iris()
    labels = sb.train(network, iris.x, iris.y, sb.SGD(0.05), epochs=2, progress=False)
    rows = sb.train(network, iris.x, iris.one_hot(), sb.SGD(0.05), epochs=2, progress=False)

    assert labels.history == rows.history


def test_predictions_are_probabilities_for_cross_entropy() -> None:
    """Each row of the predictions sums to 1 and equals the softmax of the logits."""
    network = sb.mlp([4, 3], loss="cross_entropy")
    iris = load_iris()
    run = sb.train(network, iris.x, iris.y, sb.SGD(0.05), epochs=1, progress=False)
    logits = iris.x @ run.params["W1"].T + run.params["b1"]
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))

    np.testing.assert_allclose(run.predict(iris.x), powers / powers.sum(axis=1, keepdims=True), rtol=1e-12)


def test_the_forward_pass_of_predictions_is_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second prediction writes no code."""
    run = sb.train(sb.mlp([1, 1]), [[1.0], [2.0]], [[2.0], [4.0]], sb.SGD(0.1), epochs=1, progress=False)
    first = run.predict([[3.0]])
    monkeypatch.setattr(code, "make_plan", None)

    np.testing.assert_array_equal(run.predict([[3.0]]), first)
    with pytest.raises(TypeError):
        sb.train(sb.mlp([1, 1]), [[1.0], [2.0]], [[2.0], [4.0]], sb.SGD(0.1), epochs=1, progress=False)


def test_training_lowers_a_regression_loss() -> None:
    """A line is found from its points, targets given as a column or as plain numbers."""
    x = np.linspace(-1, 1, 20)[:, None]
    run = sb.train(sb.mlp([1, 1]), x, (3 * x + 1)[:, 0], sb.SGD(0.5), epochs=100, progress=False)

    np.testing.assert_allclose(run.params["W1"], [[3.0]], atol=1e-6)
    np.testing.assert_allclose(run.params["b1"], [1.0], atol=1e-6)
    assert run.history[-1] < 1e-12


def test_data_that_break_an_assumption_are_refused() -> None:
    """Rows of targets that do not sum to 1 would make the gradient wrong, and are named."""
    network = sb.mlp([4, 3], loss="cross_entropy")
    iris = load_iris()

    with pytest.raises(sb.DataError, match=r"sum\(i, y\[n,i\]\) = 1"):
        sb.train(network, iris.x, 2 * iris.one_hot(), sb.SGD(0.05), epochs=1, progress=False)


def test_a_network_for_one_sample_is_not_trained() -> None:
    """A network without a batch index has no samples to run over."""
    with pytest.raises(sb.ArgumentError, match="batch"):
        sb.train(sb.mlp([2, 1], batch=None), [[1.0, 2.0]], [[1.0]], sb.SGD(0.1), epochs=1, progress=False)


def test_widths_that_do_not_fit_are_named() -> None:
    """An experiment says which widths the data need."""
    with pytest.raises(sb.DataError, match="4-...-3"):
        learn(sb.mlp([4, 2], loss="cross_entropy"), load_iris(), sb.SGD(0.1), 1, progress=False)


def test_a_resumed_training_ends_in_the_same_bits(tmp_path: object) -> None:
    """A run continued from its checkpoint equals one that never stopped."""
    path = f"{tmp_path}/state.npz"
    network, iris = sb.mlp([4, 3], loss="cross_entropy"), load_iris()
    whole = sb.train(network, iris.x, iris.y, sb.Adam(0.01), epochs=4, batch_size=32, progress=False)
    sb.train(network, iris.x, iris.y, sb.Adam(0.01), epochs=2, batch_size=32, checkpoint=path, progress=False)
    resumed = sb.train(network, iris.x, iris.y, sb.Adam(0.01), epochs=4, batch_size=32, checkpoint=path, progress=False)

    assert whole.history == resumed.history
    assert all(whole.params[n].tobytes() == resumed.params[n].tobytes() for n in whole.params)


def test_class_numbers_are_targets_of_their_own() -> None:
    """A loss of class numbers learns as that of rows with a single 1 does, and refuses what is no class."""
    iris = load_iris()
    rows, numbers = (sb.mlp([4, 3], loss=loss) for loss in ("cross_entropy", "cross_entropy_index"))
    one, other = (sb.train(n, iris.x, iris.y, sb.SGD(0.05), epochs=2, progress=False) for n in (rows, numbers))

    np.testing.assert_allclose(one.history, other.history, rtol=1e-12)
    for wrong, words in ((iris.y + 1, "class numbers run from 0"), (iris.y / 2, "Class numbers are integers")):
        with pytest.raises(sb.DataError, match=words):
            sb.train(numbers, iris.x, wrong, sb.SGD(0.05), epochs=1, progress=False)


@pytest.mark.parametrize("loss", ["cross_entropy_smoothed", "focal", "multi_hinge", "hinge", "squared_hinge"])
def test_iris_is_learned_with_other_losses(loss: str) -> None:
    """The data are brought into the form that each loss reads."""
    network = sb.mlp([4, 8, 3], activation="tanh", loss=loss)
    found = learn(network, load_iris(), sb.Adam(0.02), 40, batch_size=16, progress=False)

    assert found.test_score >= 0.9


def test_what_is_the_same_for_every_batch_is_given() -> None:
    """Weights of classes that are all 1 change nothing; a wrong or missing name is said."""
    iris = load_iris()
    plain, weighted = (sb.mlp([4, 3], loss=f"cross_entropy_{kind}") for kind in ("index", "weighted"))
    one = sb.train(plain, iris.x, iris.y, sb.SGD(0.05), epochs=2, progress=False)
    given = {"w": np.ones(3)}
    other = sb.train(weighted, iris.x, iris.y, sb.SGD(0.05), epochs=2, progress=False, given=given)

    np.testing.assert_allclose(one.history, other.history, rtol=1e-12)
    with pytest.raises(sb.ArgumentError, match="missing: w"):
        sb.train(weighted, iris.x, iris.y, sb.SGD(0.05), epochs=1, progress=False)
    with pytest.raises(sb.ArgumentError, match="reads no targets y but p, q"):
        sb.train(sb.mlp([4, 3], loss="triplet"), iris.x, iris.y, sb.SGD(0.05), epochs=1, progress=False)


def test_targets_that_are_no_signs_are_refused() -> None:
    """The hinge assumes targets of -1 and 1."""
    iris = load_iris()
    with pytest.raises(sb.DataError, match=r"y\[n,i\]\^2 = 1"):
        sb.train(sb.mlp([4, 3], loss="hinge"), iris.x, iris.one_hot(), sb.SGD(0.05), epochs=1, progress=False)


def test_a_network_that_looks_up_tokens_is_trained() -> None:
    """Tokens stay whole numbers, counted from 1, on their way into an embedding."""
    layers = [sb.layer("embedding", V=5, D=2), sb.layer("mean_over_steps"), sb.Dense(2)]
    network = sb.Network(input=4, layers=layers, loss="cross_entropy")
    tokens = np.random.default_rng(0).integers(1, 6, (20, 4))
    run = sb.train(network, tokens, np.arange(20) % 2, sb.Adam(0.05), epochs=20, progress=False)

    assert run.history[-1] < run.history[0]
    assert run.predict(tokens).shape == (20, 2)
