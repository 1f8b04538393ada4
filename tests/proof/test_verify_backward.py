"""Hand-written NumPy, run unchanged on traced numbers: proved, refuted with a diagnosis, or undecided with its line."""

from __future__ import annotations

import random
import time
from collections import namedtuple
from collections.abc import Callable
from typing import Any

import handwritten_backward as right
import mistaken_backward as wrong
import numpy as np
import pytest
from numpy import exp as exponential
from numpy.random import RandomState

import symbackprop as sb

LABELS = {"labels": np.array([2, 0])}
MASK = {"mask": np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])}

PROVED: list[tuple[Callable[..., Any], Callable[..., Any] | None, dict[str, tuple[int, ...]], dict[str, Any]]] = [
    (right.affine_forward, right.affine_backward, {"x": (2, 3), "w": (3, 2), "b": (2,)}, {}),
    (right.affine_forward, right.affine_backward, {"x": (2, 2, 2), "w": (4, 3), "b": (3,)}, {}),
    (right.relu_forward, right.relu_backward, {"x": (2, 2)}, {}),
    (right.relu_mask_forward, right.relu_mask_backward, {"x": (2, 2)}, {}),
    (right.leaky_relu, None, {"x": (3,)}, {}),
    (right.elu, None, {"x": (3,)}, {}),
    (right.sigmoid_forward, right.sigmoid_backward, {"x": (2, 2)}, {}),
    (right.stable_sigmoid, None, {"x": (3,)}, {}),
    (right.softmax_loss, None, {"x": (2, 3)}, LABELS),
    (right.svm_loss, None, {"x": (2, 3)}, LABELS),
    (right.layernorm_forward, right.layernorm_backward, {"x": (2, 3), "gamma": (3,), "beta": (3,)}, {}),
    (right.batchnorm_forward, right.batchnorm_backward, {"x": (3, 2), "gamma": (2,), "beta": (2,)}, {}),
    (right.batchnorm_forward, right.batchnorm_backward_short, {"x": (3, 2), "gamma": (2,), "beta": (2,)}, {}),
    (right.dropout_forward, right.dropout_backward, {"x": (2, 3)}, MASK),
    (right.conv_forward, right.conv_backward, {"x": (1, 1, 2, 3), "w": (2, 1, 2, 2), "b": (2,)}, {}),
    (right.max_pool_forward, right.max_pool_backward, {"x": (1, 1, 2, 4)}, {}),
    (right.average_pool, None, {"x": (2, 4)}, {}),
    (right.embedding_forward, right.embedding_backward, {"table": (4, 2)}, {"tokens": np.array([1, 3, 1])}),
    (right.attention_forward, right.attention_backward, {"q": (2, 3), "k": (2, 3), "v": (2, 2)}, {}),
    (right.causal_attention, None, {"q": (2, 3), "k": (2, 3), "v": (2, 2)}, {}),
    (
        right.rnn_step_forward,
        right.rnn_step_backward,
        {"x": (2, 3), "h": (2, 2), "wx": (3, 2), "wh": (2, 2), "b": (2,)},
        {},
    ),
    (right.rnn, None, {"x": (2, 2), "h0": (2,), "wx": (2, 2), "wh": (2, 2)}, {}),
    (
        right.lstm_step_forward,
        right.lstm_step_backward,
        {"x": (2, 1), "h": (2, 1), "c": (2, 1), "w": (1, 4), "u": (1, 4)},
        {},
    ),
    (right.mse, None, {"prediction": (2, 3), "target": (2, 3)}, {}),
    (right.bce_logits, None, {"z": (3,)}, {"y": np.array([1.0, 0.0, 1.0])}),
    (right.bce_clipped, None, {"p": (2,)}, {"y": np.array([1.0, 0.0])}),
    (right.cosine, None, {"a": (3,), "b": (3,)}, {}),
    (right.ridge, None, {"x": (3, 2), "w": (2,), "y": (3,)}, {}),
    (right.groupnorm_forward, right.groupnorm_backward, {"x": (1, 4, 1), "gamma": (4,)}, {}),
    (right.rmsnorm, None, {"x": (2, 3), "g": (3,)}, {}),
    (right.gelu_tanh, None, {"x": (3,)}, {}),
    (right.gelu_erf, None, {"x": (2,)}, {}),
    (right.swish, None, {"x": (3,)}, {}),
    (right.softplus, None, {"x": (3,)}, {}),
    (right.standardise, None, {"x": (3,)}, {}),
    (right.product_of_all, None, {"x": (3,)}, {}),
    (right.bilinear, None, {"x": (2, 2), "w": (2, 2, 3), "y": (2, 3)}, {}),
    (right.masked_mean, None, {"x": (2, 3)}, MASK),
    (right.two_layers, None, {"x": (2, 3), "w1": (3, 2), "w2": (2, 2)}, {}),
]


def name_of_case(value: object) -> str:
    """The name of a function as the name of a test."""
    return getattr(value, "__name__", "")


@pytest.mark.parametrize(("forward", "backward", "shapes", "data"), PROVED, ids=name_of_case)
def test_a_right_backward_is_proved(
    forward: Callable[..., Any],
    backward: Callable[..., Any] | None,
    shapes: dict[str, tuple[int, ...]],
    data: dict[str, Any],
) -> None:
    """What is right is proved at the given shapes and at others, and never called right for all sizes."""
    verdict = sb.verify_backward(forward, backward, shapes=shapes, data=data, seconds=60)

    assert verdict.proved, str(verdict)
    assert not verdict.for_all_sizes
    assert " and " in verdict.scope


@pytest.mark.parametrize(("forward", "backward", "shapes", "data"), PROVED, ids=name_of_case)
def test_what_is_proved_passes_finite_differences(
    forward: Callable[..., Any],
    backward: Callable[..., Any] | None,
    shapes: dict[str, tuple[int, ...]],
    data: dict[str, Any],
) -> None:
    """The same functions on floats, outside of any verification, agree with central differences."""
    generator = np.random.default_rng(3)
    inputs = {name: generator.uniform(0.1, 0.9, shape) for name, shape in shapes.items()}

    def compute(values: dict[str, Any]) -> tuple[Any, tuple[Any, ...]]:
        given = {name: value.copy() for name, value in values.items()}
        if backward is None:
            out, _, gradients = forward(**given, **data)
            return np.sum(out), tuple(gradients.values())
        out, cache = forward(**given, **data)
        gradients = backward(np.ones_like(out), cache)
        return np.sum(out), gradients if isinstance(gradients, tuple) else (gradients,)

    _, gradients = compute(inputs)
    for name, gradient in zip(shapes, gradients, strict=True):
        for place in np.ndindex(*shapes[name]):
            ends = []
            for step in (1e-6, -1e-6):
                moved = {**inputs, name: inputs[name].copy()}
                moved[name][place] += step
                ends.append(compute(moved)[0])

            assert np.isclose(np.asarray(gradient)[place], (ends[0] - ends[1]) / 2e-6, atol=1e-5)


AFFINE = {"x": (2, 3), "w": (3, 2), "b": (2,)}
NORM = {"x": (2, 3), "gamma": (3,), "beta": (3,)}

REFUTED: list[tuple[Callable[..., Any], Callable[..., Any] | None, dict[str, tuple[int, ...]], dict[str, Any], str]] = [
    (wrong.matmul_forward, wrong.weight_not_transposed, {"x": (2, 3), "w": (3, 3)}, {}, "needs w transposed"),
    (wrong.matmul_forward, wrong.gradient_transposed, {"x": (2, 3), "w": (3, 3)}, {}, "gradient of w is transposed"),
    (wrong.matmul_forward, wrong.gradient_transposed, {"x": (2, 3), "w": (3, 2)}, {}, "it is transposed"),
    (wrong.affine_forward, wrong.bias_not_summed, AFFINE, {}, "the sum over the first axis is missing"),
    (wrong.affine_forward, wrong.bias_of_last_sample, AFFINE, {}, r"counts the output [1] only"),
    (wrong.affine_forward, wrong.bias_averaged, AFFINE, {}, "is a mean taken where it should be a sum?"),
    (wrong.layernorm_forward, wrong.layernorm_without_mean_term, NORM, {}, "a sum or mean over that axis"),
    (wrong.batchnorm_forward, wrong.batchnorm_wrong_axis, NORM, {}, "gradient of x[0,0]"),
    (wrong.relu_forward, wrong.relu_wrong_side, {"x": (2, 2)}, {}, "is a mask the wrong way round?"),
    (wrong.relu_in_place, None, {"x": (3,)}, {}, "changes its input x in place"),
    (wrong.residual_forward, wrong.residual_shared_memory, {"x": (2,), "y": (2,)}, {}, "x and y share memory"),
    (wrong.softmax_diagonal, None, {"x": (2, 3)}, {}, "the diagonal of the Jacobian"),
    (wrong.cross_entropy_not_averaged, None, {"x": (2, 3)}, LABELS, "is a sum taken where it should be a mean?"),
    (wrong.conv_forward, wrong.pad_off_by_one, {"x": (1, 1, 2, 2), "w": (1, 1, 3, 3), "b": (1,)}, {}, "x[0,0,0,0]"),
    (wrong.average_shifted, None, {"x": (4,)}, {}, "the entries are shifted"),
    (wrong.stale_cache, None, {"x": (2,)}, {}, "has the extra factor x[0]"),
    (wrong.right_for_matrices_only, None, {"x": (2, 2, 3)}, {}, "lacks the term"),
    (wrong.upstream_forgotten, None, {"x": (3,)}, {}, "is not multiplied by the upstream gradient"),
    (wrong.sigmoid_of_input, None, {"x": (3,)}, {}, "gradient of x[0]"),
    (wrong.norm_stabilised_outside, None, {"x": (3,)}, {}, "right for eps = 0, not as it stands: the stabiliser 1e-05"),
    (
        wrong.attention_forward,
        wrong.attention_without_scale,
        {"q": (2, 3), "k": (2, 3), "v": (2, 2)},
        {},
        "lacks the factor 1/sqrt(3)",
    ),
    (wrong.max_pool_forward, wrong.pool_to_every_entry, {"x": (1, 1, 2, 2)}, {}, "is not 0 where the derivative is"),
    (
        wrong.embedding_forward,
        wrong.embedding_assigned,
        {"table": (4, 2)},
        {"tokens": np.array([1, 3, 1])},
        "counts the output [2] only",
    ),
    (wrong.recurrence_cut_short, None, {"x": (2,), "w": (2,)}, {}, "gradient of w[0]"),
    (wrong.wrong_sign, None, {"prediction": (2, 2)}, {"target": np.eye(2)}, "has the wrong sign"),
]


@pytest.mark.parametrize(("forward", "backward", "shapes", "data", "diagnosis"), REFUTED, ids=name_of_case)
def test_a_planted_mistake_is_refuted_and_diagnosed(
    forward: Callable[..., Any],
    backward: Callable[..., Any] | None,
    shapes: dict[str, tuple[int, ...]],
    data: dict[str, Any],
    diagnosis: str,
) -> None:
    """A mistake is refuted, with what it lacks; where the shape is right, with a point at which the values differ."""
    verdict = sb.verify_backward(forward, backward, shapes=shapes, data=data, seconds=60)

    assert verdict.refuted, str(verdict)
    assert diagnosis in verdict.diagnosis
    assert "?." not in str(verdict)
    assert verdict.witness is not None or "has the shape" in verdict.diagnosis


def test_a_mistake_that_one_rank_hides_is_proved_for_that_rank_only() -> None:
    """The scope says for which shapes; at three axes the same code is refuted."""
    verdict = sb.verify_backward(wrong.right_for_matrices_only, shapes={"x": (2, 3)})

    assert verdict.proved
    assert verdict.scope == "the shapes x=(2, 3) and x=(3, 4)"


def test_a_size_that_was_given_twice_is_told_apart() -> None:
    """Square inputs hide a wrong axis; other shapes are tried before a proof is handed out."""

    def square_only(x: Any) -> Any:
        out = x / len(x)
        dout = sb.upstream(out)
        return out, dout, {"x": dout / x.shape[1]}

    verdict = sb.verify_backward(square_only, shapes={"x": (2, 2)})

    assert verdict.refuted
    assert verdict.scope == "the shapes x=(3, 2)"


def noisy(x: Any) -> Any:
    """Adds what is random."""
    out = x + np.random.randn(3)
    return out, sb.upstream(out), {"x": x}


def from_a_generator(x: Any) -> Any:
    """Adds what a generator of the module draws."""
    out = x + GENERATOR.normal(size=3)
    return out, sb.upstream(out), {"x": x}


def reads_a_file(x: Any) -> Any:
    """Reads its weights."""
    with open("weights.txt") as file:
        scale = float(file.read())
    return x * scale, 1, {"x": x}


def decomposes(x: Any) -> Any:
    """Calls LAPACK."""
    return np.linalg.svd(x[None] * np.eye(3))[1].sum(), 1, {"x": x}


def unseeded(x: Any) -> Any:
    """Makes a generator that starts anywhere."""
    return x * np.random.default_rng().random(3), 1, {"x": x}


def by_a_class(x: Any) -> Any:
    """Makes a generator by a class of its own name."""
    return x * RandomState().rand(3), 1, {"x": x}


def by_the_system(x: Any) -> Any:
    """Chooses by numbers that no seed fixes."""
    return (x if random.SystemRandom().random() < 0.5 else -x), 1, {"x": x}


def raises(x: Any) -> Any:
    """Is called with a shape that it refuses."""
    raise ValueError("four axes, please")


GENERATOR = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("case", "line", "reason"),
    [
        (noisy, "out = x + np.random.randn(3)", "np.random.randn is random"),
        (from_a_generator, "out = x + GENERATOR.normal(size=3)", "is random"),
        (reads_a_file, 'with open("weights.txt") as file:', "reads or writes files"),
        (decomposes, "return np.linalg.svd(x[None] * np.eye(3))[1].sum()", "np.linalg.svd is not traced"),
        (unseeded, "return x * np.random.default_rng().random(3)", "np.random.default_rng without a seed is random"),
        (by_a_class, "return x * RandomState().rand(3)", "np.random.RandomState without a seed is random"),
        (by_the_system, "return (x if random.SystemRandom()", "random.SystemRandom is random and takes no seed"),
        (raises, 'raise ValueError("four axes, please")', "ValueError: four axes, please"),
    ],
)
def test_code_that_cannot_be_traced_is_undecided_with_its_line(
    case: Callable[..., Any], line: str, reason: str
) -> None:
    """The file, the line and the operation are named."""
    verdict = sb.verify_backward(case, shapes={"x": (3,)})

    assert verdict.undecided
    assert "test_verify_backward.py:" in verdict.reason
    assert line in verdict.reason
    assert reason in verdict.reason


def test_time_is_bounded() -> None:
    """Beyond the time the verdict is undecided, and says so."""

    def slow(x: Any) -> Any:
        out = x
        while True:
            out = out * x + 1

    verdict = sb.verify_backward(slow, shapes={"x": (2,)}, seconds=0.5)

    assert verdict.undecided
    assert "time" in verdict.reason


def saturating(x: Any) -> Any:
    """One function of each entry."""
    out = np.tanh(x)
    dout = sb.upstream(out)
    return out, dout, {"x": dout * (1 - out) * (1 + out)}


def test_many_entries_are_proved_as_one() -> None:
    """A thousand entries that differ in names alone take one proof."""
    start = time.process_time()
    verdict = sb.verify_backward(saturating, shapes={"x": (32, 32)}, seconds=30)

    assert verdict.proved
    assert time.process_time() - start < 15


def test_one_wrong_entry_of_many_that_are_alike_is_found() -> None:
    """What was proved of an entry goes for others only where both sides are alike."""

    def last_is_doubled(x: Any) -> Any:
        out, dout, gradients = saturating(x)
        gradients["x"][-1, -1] *= 2
        return out, dout, gradients

    verdict = sb.verify_backward(last_is_doubled, shapes={"x": (4, 5)})

    assert verdict.refuted
    assert verdict.diagnosis == "the gradient of x[3,4] has the extra factor 2"


def test_the_time_is_kept_where_arrays_are_too_large() -> None:
    """The verdict comes once the time is over, and says what to do; how much later is for no test to say."""
    verdict = sb.verify_backward(saturating, shapes={"x": (160, 160)}, seconds=1)

    assert verdict.undecided
    assert "the time allowed ran out" in verdict.reason
    assert "give smaller shapes" in verdict.reason


def test_branches_that_no_point_visits_are_reported() -> None:
    """Where no point of a branch was found nothing is decided, and it is named; one that plainly cannot be is not."""

    def rare(x: Any) -> Any:
        out = np.exp(x).sum()
        if out < 0:
            out = out * 2
        if np.exp(x[0]) + 1 / np.exp(x[0]) < 2:
            out = out * 3
        return out, 1, {"x": np.exp(x)}

    verdict = sb.verify_backward(rare, shapes={"x": (2,)})

    assert verdict.undecided
    unvisited = "at x=(2,) no sample point visited the branches exp(-x[0]) + exp(x[0]) < 2; on 1 path cell it holds"
    assert verdict.reason == unvisited


def test_an_unlikely_branch_is_found_and_judged() -> None:
    """A mistake behind a condition that random numbers do not meet is refuted there."""

    def hidden(x: Any) -> Any:
        out = (x * x).sum()
        wrong = 1 if x[0] > 1000 and x[1] < x[0] - 5000 else 0
        return out, 1, {"x": 2 * x + wrong}

    verdict = sb.verify_backward(hidden, shapes={"x": (3,)})

    assert verdict.refuted
    assert verdict.witness is not None
    point = dict(verdict.witness.point)
    assert point["x[0]"] > 1000
    assert point["x[1]"] < point["x[0]"] - 5000


Saved = namedtuple("Saved", ["x", "out"])
STORE: dict[str, Any] = {}


def keeps_in_the_module(x: Any) -> Any:
    """Leaves a value in a dictionary of the module and another in a named tuple."""
    STORE["x"] = x
    return np.tanh(x) * exponential(x), Saved(x, np.tanh(x))


def reads_from_the_module(dout: Any, saved: Saved) -> Any:
    """Reads both again."""
    x = STORE["x"]
    return dout * (exponential(saved.x) * (1 - saved.out**2) + saved.out * np.exp(x))


def imports_inside(x: Any) -> Any:
    """Imports where it runs, loops over entries, and hands a float on."""
    from math import exp  # noqa: PLC0415 - the way people write it is what is tested

    import numpy as xp  # noqa: PLC0415

    out = float(sum(exp(v) for v in x))
    return out, 1.0, {"x": xp.exp(x)}


def writes_into_the_upstream(x: Any) -> Any:
    """Uses the upstream gradient as a buffer, after which it is still what arrived."""
    out = x * 2
    dout = sb.upstream(out)
    dx = dout
    dx *= 2
    return out, dout, {"x": dx}


def masks_with_infinity(x: Any) -> Any:
    """Minus infinity drops out of a softmax."""
    scores = np.where(np.arange(len(x)) > 0, x, -np.inf)
    e = np.exp(scores - scores.max())
    p = e / e.sum()
    dout = sb.upstream(p)
    dx = p * (dout - np.sum(dout * p))
    return p, dout, {"x": dx}


@pytest.mark.parametrize(
    ("forward", "backward"),
    [
        (keeps_in_the_module, reads_from_the_module),
        (imports_inside, None),
        (writes_into_the_upstream, None),
        (masks_with_infinity, None),
    ],
)
def test_ways_of_writing_python(forward: Callable[..., Any], backward: Callable[..., Any] | None) -> None:
    """State in a module, named tuples, imports in functions, buffers and infinities come out right."""
    verdict = sb.verify_backward(forward, backward, shapes={"x": (3,)})

    assert verdict.proved, str(verdict)
    assert STORE == {}


def test_nothing_of_the_person_is_changed() -> None:
    """Modules, instances and arrays stay as they were; outside of a verification the same code runs on floats."""
    weights = np.eye(2)
    layer = right.Linear(weights)

    def case(x: Any) -> Any:
        out = layer.forward(x)
        dout = sb.upstream(out)
        return out, dout, {"x": layer.backward(dout)}

    assert sb.verify_backward(case, shapes={"x": (3, 2)}).proved
    assert not hasattr(layer, "x")
    assert layer.w is weights
    assert right.np is np
    out, upstream, gradients = right.swish(np.array([0.0, 1.0]))

    assert np.array_equal(upstream, [1.0, 1.0])
    assert gradients["x"][0] == 0.5


def test_wrong_calls_are_errors() -> None:
    """What does not fit the two forms is said at once."""
    with pytest.raises(sb.ArgumentError, match="returned 1 gradients, and shapes names 2 inputs: x, w"):
        sb.verify_backward(lambda x, w: (x @ w, x), lambda d, c: c, shapes={"x": (2, 3), "w": (3, 2)})
    with pytest.raises(sb.ArgumentError, match="has to return"):
        sb.verify_backward(lambda x: x, shapes={"x": (2, 3)})
    with pytest.raises(sb.ArgumentError, match="no gradient was returned for y"):
        sb.verify_backward(lambda x, y: (x, 1, {"x": x}), shapes={"x": (), "y": ()})
    with pytest.raises(sb.ArgumentError, match="shapes is empty"):
        sb.verify_backward(lambda x: x, shapes={})


@pytest.mark.parametrize("width", (1, 0.1, 0.01, 1e-4))
def test_narrow_branches_are_visited(width: float) -> None:
    """The middle of Huber's loss, which a wrong gradient forgets, however narrow it is."""

    def forward(x: np.ndarray) -> tuple:
        return np.where(np.abs(x) < width, x**2 / (2 * width), np.abs(x) - width / 2).sum(), x

    def right(upstream: float, x: np.ndarray) -> np.ndarray:
        return upstream * np.where(np.abs(x) < width, x / width, np.sign(x))

    assert sb.verify_backward(forward, right, shapes={"x": (2,)}).proved
    assert sb.verify_backward(forward, lambda upstream, x: upstream * np.sign(x), shapes={"x": (2,)}).refuted


def test_branches_that_only_the_backward_has_are_visited() -> None:
    """Also behind a value that floats do not hold at first."""

    def forward(x: np.ndarray) -> tuple:
        return (x**2).sum(), x

    def narrow(upstream: float, x: np.ndarray) -> np.ndarray:
        return upstream * (3 if 7 < x.sum() < 7.001 else 2) * x

    def exponential(upstream: float, x: np.ndarray) -> np.ndarray:
        return upstream * (3 if 7 < np.exp(x).sum() < 7.001 else 2) * x

    assert sb.verify_backward(forward, narrow, shapes={"x": (3,)}).refuted
    assert not sb.verify_backward(forward, exponential, shapes={"x": (3,)}).proved


def test_where_forward_has_no_value_nothing_is_decided() -> None:
    """A logarithm of what is negative everywhere has no derivative, right or wrong."""

    def forward(x: np.ndarray) -> tuple:
        return np.log(-(x**2) - 1).sum(), x

    for gradient in (lambda upstream, x: upstream * x, lambda upstream, x: upstream * 2 * x / (x**2 + 1)):
        verdict = sb.verify_backward(forward, gradient, shapes={"x": (1,)})
        assert verdict.undecided
        assert "no value was computed: the code needs x[0]^2 < -1" in verdict.reason


def test_probabilities_that_are_changed_before_their_logarithm_is_taken() -> None:
    """The gradient is right and shares the memory of what the loss reads, which is negative then."""

    def forward(z: np.ndarray, y: np.ndarray) -> tuple:
        exponentials = np.exp(z - z.max(axis=1, keepdims=True))
        p = exponentials / exponentials.sum(axis=1, keepdims=True)
        gradient = p
        gradient[np.arange(2), y] -= 1
        return -np.log(p[np.arange(2), y]).sum(), gradient

    verdict = sb.verify_backward(
        forward, lambda upstream, gradient: upstream * gradient, shapes={"z": (2, 3)}, data={"y": np.array([0, 2])}
    )

    assert verdict.undecided
    assert "no point was found at which forward has a value; it needs" in verdict.reason


@pytest.mark.parametrize(
    "condition",
    [
        lambda x: (x**2 > 49) & (x**2 < 49.01),
        lambda x: (x**3 > 8) & (x**3 < 8.01),
        lambda x: np.sqrt(np.abs(x)) < 0.01,
        lambda x: x.var() < 1e-3,
        lambda x: np.linalg.norm(x) < 1e-3,
        lambda x: x @ x < 1e-4,
    ],
)
def test_narrow_regions_of_other_shapes_are_visited(condition: Callable[[Any], Any]) -> None:
    """Between close roots, near zero, and where entries are nearly equal."""

    def forward(x: np.ndarray) -> tuple:
        return (x**2).sum(), x

    def backward(upstream: float, x: np.ndarray) -> np.ndarray:
        return upstream * np.where(condition(x), 3 * x, 2 * x)

    assert sb.verify_backward(forward, backward, shapes={"x": (3,)}).refuted


def test_a_branch_without_a_point_is_not_passed_over() -> None:
    """A region that is not found leaves the whole undecided."""

    def backward(upstream: float, x: np.ndarray) -> np.ndarray:
        return upstream * np.where(1 / x > 7, 3 * x, 2 * x)

    verdict = sb.verify_backward(lambda x: ((x**2).sum(), x), backward, shapes={"x": (1,)})

    assert not verdict.proved
