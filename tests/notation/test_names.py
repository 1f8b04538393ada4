"""Names in LaTeX: the rules, what overrides them, and the scalar names of the seed."""

from __future__ import annotations

import pytest

from symbackprop.calculus.chain import derive
from symbackprop.calculus.definitions import Definition
from symbackprop.calculus.folding import fold
from symbackprop.calculus.programs import Program
from symbackprop.language import read_program
from symbackprop.networks import mlp_layers, write_network
from symbackprop.notation.writing import write_definitions
from symbackprop.notation.writing.names import choose_names, default_symbol


def seed_network() -> tuple[Program, tuple[Definition, ...]]:
    """The network of the seed, 3-3-3-3-3 without a batch, and its folded backward pass."""
    text = write_network(3, mlp_layers([3, 3, 3, 3, 3], "sigmoid", "identity"), "mse", None).text
    program = read_program(text)
    wrt = [f"{letter}{layer}" for layer in range(1, 5) for letter in "Wb"]
    return program, fold(derive(program, "loss", wrt), ()).definitions


@pytest.mark.parametrize(
    ("name", "scalar", "tex"),
    [
        ("x", False, "x"),
        ("W1", False, "W^{(1)}"),
        ("w1", True, "w_{1}"),
        ("gamma", False, r"\gamma"),
        ("gamma2", False, r"\gamma^{(2)}"),
        ("yhat", False, r"\hat{y}"),
        ("y_hat", False, r"\hat{y}"),
        ("W_q", False, "W_{q}"),
        ("D_in", True, r"D_{\mathrm{in}}"),
        ("logits", False, r"\mathit{logits}"),
        ("eps", True, r"\varepsilon"),
        ("hat", False, r"\mathit{hat}"),
    ],
)
def test_names_follow_the_rules(name: str, scalar: bool, tex: str) -> None:
    """Layers above, accents, Greek letters, what stands below, whole words."""
    assert default_symbol(name, scalar).write() == tex


def test_as_and_names_override_the_rules() -> None:
    """What the program declares by `as` is printed so, and the caller's mapping comes before it."""
    program = read_program('param w[K] as "\\mathbf{w}", v_1[K] as "v_1"\nu[k] = w[k]*v_1[k]\nloss = sum(k, u[k])')

    assert r"u_{k} &= \mathbf{w}_{k} {v_1}_{k}" in write_definitions(program.definitions, program)
    assert r"u_{k} &= \omega_{k} {v_1}_{k}" in write_definitions(program.definitions, program, names={"w": r"\omega"})


def test_names_that_would_look_alike_are_kept_apart() -> None:
    """The loss gives way to a tensor called L, and two names that would have one symbol are words."""
    program = read_program("param L[K], yhat[K], y_hat[K]\nloss = sum(k, L[k]*yhat[k]*y_hat[k])")
    text = write_definitions(program.definitions, program)

    assert r"\mathcal{L} &= " in text
    assert r"L_{k} \mathit{yhat}_{k} \mathit{y\_hat}_{k}" in text


def test_capitals_give_way_to_capitals_that_are_taken() -> None:
    """In matrix notation x is X, unless there is an X."""
    tensors = read_program("input x[N, D], X[N, D], z[N, D]\nloss = sum(n, d, x[n,d]*X[n,d]*z[n,d])").tensors()
    names = choose_names(tensors)

    assert names.symbol("x", matrix=True).write() == "x"
    assert names.symbol("z", matrix=True).write() == "Z"


def test_seed_names_are_layer_source_destination() -> None:
    """w_{312} is W3[2,1], said above the formulas; deltas, outputs and biases follow."""
    program, backward = seed_network()
    text = write_definitions(backward, program, "scalar", names="seed")

    assert r"w_{lsd} &= W^{(l)}_{ds}" in text
    assert r"w_{312} = W^{(3)}_{21}" in text
    assert r"\frac{\partial L}{\partial w_{312}} &= \delta_{32} y_{21}" in text
    assert r"\delta_{41} = \frac{\partial L}{\partial z_{41}} &= \frac{2(\hat{y}_{1} - y_{1})}{3}" in text
    assert (
        r"\delta_{31} = \frac{\partial L}{\partial z_{31}} &= "
        r"y_{31}(1 - y_{31}) (\delta_{41} w_{411} + \delta_{42} w_{412} + \delta_{43} w_{413})" in text
    )
    assert r"\frac{\partial L}{\partial w_{121}} &= \delta_{11} x_{2}" in text


def test_seed_prints_each_of_its_forty_eight_updates() -> None:
    """36 weights and 12 biases, and the 12 deltas between them, each once."""
    program, backward = seed_network()
    text = write_definitions(backward, program, "scalar", names="seed")

    assert text.count(r"{\partial w_{") == 36
    assert text.count(r"{\partial b_{") == 12
    assert text.count(r"{\partial z_{") == 12


def test_seed_names_set_samples_above_and_long_numbers_apart() -> None:
    """With a batch the sample stands above; beyond nine units commas keep the numbers apart."""
    text = write_network(12, mlp_layers([12, 11], "sigmoid", "identity"), "mse", "N").text
    program = read_program(text)
    printed = write_definitions(program.definitions[:1], program, names="seed")
    single = write_definitions(program.definitions[:1], program, "scalar", names="seed", sizes={"N": 1})

    assert r"z^{(n)}_{1i} &= \sum_{j=1}^{12} w_{1ji} x^{(n)}_{j} + b_{1i}" in printed
    assert r"w_{1,12,11} x^{(1)}_{12}" in single
