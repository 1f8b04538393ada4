"""The contestants of the benchmark compute the same thing, and a mistake in one of them stops it. No time is judged."""

from __future__ import annotations

import doctest
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest

# Behind everything else, so that the checkout does not stand in for the installed package.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from benchmarks import contest, hessians, networks, processes, steps  # noqa: E402
from benchmarks.contestants import DisagreementError, compare, gather  # noqa: E402

SMALL = (
    networks.Dense((3, 4, 2), "sigmoid", "mse", 1),
    networks.Dense((5, 4, 3), "tanh", "cross_entropy", 6),
    networks.Dense((5, 4, 4, 3), "relu", "cross_entropy", 7),
)
LAYERS = {
    "conv net": networks.convolutions(2, 12, (2, 3)),
    "LSTM": networks.recurrence(2, 3, 4),
    "transformer": networks.transformer(2, 3, 4, 2),
    "layer norm": networks.layer_norm(3, 5),
    "softmax CE": networks.softmax(3, 5),
    "attention": networks.attention(2, 3, 4),
}
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")  # which torch.func imports
UNCOMPILED = {name: place for name, place in steps.TRAINERS.items() if name not in steps.COMPILERS}


@pytest.fixture(autouse=True)
def _double_precision() -> Iterator[None]:
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


@pytest.mark.parametrize("dtype", steps.DTYPES)
@pytest.mark.parametrize("network", SMALL, ids=lambda network: network.name)
def test_training_steps_agree(network: networks.Dense, dtype: str) -> None:
    """Two steps of every contestant that needs no compiler, ours on each library among them."""
    case = network.case()
    ours, _ = gather(steps.OUR_TRAINERS, case, dtype)
    peers, absent = gather(UNCOMPILED, network, case, dtype)
    assert set(absent) <= {"HIPS autograd"}
    steps.check_training(case, ours | peers, dtype)


@pytest.mark.parametrize("name", LAYERS)
def test_gradients_of_other_networks_agree(name: str) -> None:
    """Ours, PyTorch's and JAX's, at small sizes."""
    contestants, absent = gather(steps.DIFFERENTIATORS, LAYERS[name], "float64")
    assert not absent
    steps.check_gradients(LAYERS[name], contestants, "float64")


@pytest.mark.parametrize(
    "name", [name for name in UNCOMPILED if name not in ("matrix products alone", "HIPS autograd")]
)
def test_a_peer_of_another_network_is_found(name: str) -> None:
    """One with another activation than the case stops the benchmark."""
    network = SMALL[1]
    made, _ = gather({name: UNCOMPILED[name]}, replace(network, activation="sigmoid"), network.case(), "float64")
    with pytest.raises(DisagreementError, match=name):
        steps.check_training(network.case(), made, "float64")


@pytest.mark.parametrize("wrt", ["q", "k", "v"])
def test_a_wrong_gradient_is_found(wrt: str) -> None:
    """Off by 1e-9 of its largest entry, in any one array."""
    case = LAYERS["attention"]
    made, _ = gather({"JAX jit": steps.DIFFERENTIATORS["JAX jit"]}, case, "float64")
    right = made["JAX jit"]

    def look() -> tuple[float, dict[str, np.ndarray]]:
        loss, gradients = right.look()
        return loss, {**gradients, wrt: gradients[wrt] * (1 + 1e-9)}

    with pytest.raises(DisagreementError, match=f"{wrt} is off by 1.0e-09"):
        steps.check_gradients(case, {"planted": replace(right, look=look)}, "float64")


def test_what_is_not_a_number_disagrees() -> None:
    """Whatever the tolerance."""
    with pytest.raises(DisagreementError, match="the loss"):
        compare("a", (float("nan"), {}), (1.0, {}), "float32")


@pytest.mark.parametrize("problem", hessians.PROBLEMS)
@pytest.mark.parametrize("name", hessians.CONTESTANTS)
def test_hessians_agree(problem: str, name: str) -> None:
    """Every contestant is compared with the closed form before it is timed."""
    assert [n for n, _ in hessians.time_hessian(problem, name, [4], 1)] == [4]


def test_a_race_counts_single_steps() -> None:
    """A turn asks a contestant for steps by their number, the first ones one by one."""
    taken: list[int] = []
    found = contest.race({"a": taken.append, "b": lambda times: None}, contest.Pace(2, 0.0001, True))
    assert list(found) == ["a", "b"]
    assert taken[:2] == [1, 1]


def test_a_turn_is_filled_whatever_a_call_costs() -> None:
    """A call costs as much as 100 of its steps, and the first one that is looked at is held up for 50 turns."""
    now = [0.0]
    pauses = iter([0.0, 5e5])

    def run(steps: int) -> None:
        now[0] += 100 + steps + next(pauses, 0)

    assert contest.count_steps(run, 1e4, lambda: now[0]) == pytest.approx(9900, rel=0.01)


def test_a_process_that_is_too_slow_is_ended() -> None:
    """Its values until then are kept, and the limit is named."""
    arguments = {"problem": "logistic regression", "name": "closed form in NumPy", "sizes": [4], "rounds": 1}
    outcome = processes.attempt("hessians", "time_hessian", 1, 0.01, None, **arguments)
    assert outcome == processes.Outcome([], "over 0.01 s")


def test_a_process_that_fails_says_so() -> None:
    """With the last line of its errors."""
    with pytest.raises(processes.ProcessError, match="unheard"):
        processes.call("hessians", "time_hessian", 1, problem="unheard", name="symbackprop", sizes=[4], rounds=1)


@pytest.mark.parametrize(
    "ended",
    [
        "MemoryError: Unable to allocate 100. GiB for an array",
        "XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory allocating 42949672960 bytes.",
        "RuntimeError: DefaultCPUAllocator: can't allocate memory: you tried to allocate 42949672960 bytes.",
    ],
)
def test_memory_that_is_short_is_said(ended: str) -> None:
    """As NumPy, JAX and PyTorch say it; another end is an error of the benchmark."""
    assert hessians.say_end(ended) == "over 8 GB"
    assert hessians.say_end("") == "-"
    with pytest.raises(processes.ProcessError, match="disagrees"):
        hessians.say_end("DisagreementError: one disagrees")


def test_an_absent_library_is_said() -> None:
    """It ends nothing, and has its reason."""
    made, absent = gather({"nobody": "peers_of_nobody:train"})
    assert not made
    assert absent == {"nobody": "benchmarks.peers_of_nobody is not installed"}


@pytest.mark.parametrize("module", [contest, steps])
def test_docstrings(module: object) -> None:
    """The examples in them are true."""
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


PROBE = """
import sys
import jax
from benchmarks import contestants, processes
contestants.probe = lambda: [jax.config.values["jax_cpu_enable_async_dispatch"], str(jax.numpy.zeros(1).dtype)]
sys.argv[1:] = ["contestants", "probe", "{}", '{"gigabytes": null}']
processes.main()
"""


def test_jax_dispatches_synchronously() -> None:
    """It is told so before it makes its first array, afterwards that has no effect."""
    run = subprocess.run([sys.executable, "-c", PROBE], cwd=processes.ROOT, capture_output=True, text=True, check=True)

    assert run.stdout.split(processes.MARK)[1:] == ["false\n", '"float64"\n']
