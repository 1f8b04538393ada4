"""Derivations in matrix notation: exact strings, and the printed LaTeX read back and computed with NumPy."""

from __future__ import annotations

import re

import numpy as np
import pytest
import sympy
from matrix_reader import MatrixReader

from symbackprop.calculus.chain import derive
from symbackprop.calculus.definitions import Definition
from symbackprop.calculus.expansion import Expansion, entry_symbol
from symbackprop.calculus.folding import fold
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Role
from symbackprop.language import read_program
from symbackprop.networks import mlp_layers, write_network
from symbackprop.notation.writing import make_equations, write_definitions
from symbackprop.notation.writing.equations import INDEX_NOTE
from symbackprop.notation.writing.matrix_latex import flipped_tensors

SIZES = {"N": 3, "D": 4, "H": 2, "K": 5}


def dense_network(activation: str, output: str, loss: str, batch: str | None = "N") -> Program:
    """A network of two layers with sizes that are names."""
    return read_program(write_network("D", mlp_layers(["D", "H", "K"], activation, output), loss, batch).text)


def folded(program: Program, wrt: tuple[str, ...] = ()) -> tuple[Definition, ...]:
    """The folded adjoints of the loss."""
    names = wrt or tuple(t.name for t in program.leaves if t.role is Role.PARAM)
    return fold(derive(program, "loss", names), program.assumptions).definitions


def rows(latex: str) -> list[str]:
    """The lines inside an align environment."""
    return [line.removesuffix(r" \\") for line in latex.splitlines()[1:-1]]


def test_batch_layout_of_cross_entropy() -> None:
    """At most eight lines: deltas, transposes, Hadamard products and sums over the batch."""
    program = dense_network("tanh", "identity", "cross_entropy")
    printed = rows(write_definitions(folded(program), program, "matrix"))

    assert printed == [
        r"\delta^{(2)} = \frac{\partial L}{\partial Z^{(2)}} &= \frac{1}{N} (P - Y)",
        r"\frac{\partial L}{\partial W^{(2)}} &= \delta^{(2)\top} A^{(1)}",
        r"\frac{\partial L}{\partial b^{(2)}} &= \delta^{(2)\top} \mathbf{1}",
        r"\delta^{(1)} = \frac{\partial L}{\partial Z^{(1)}} &= "
        r"(\delta^{(2)} W^{(2)}) \odot (1 - A^{(1)} \odot A^{(1)})",
        r"\frac{\partial L}{\partial W^{(1)}} &= \delta^{(1)\top} X",
        r"\frac{\partial L}{\partial b^{(1)}} &= \delta^{(1)\top} \mathbf{1}",
    ]
    assert len(printed) <= 8


def test_column_layout_turns_every_transpose() -> None:
    """Samples as columns: W X, and the transposes on the other factor."""
    program = dense_network("tanh", "identity", "cross_entropy")

    assert rows(write_definitions(program.definitions[:1], program, "matrix", "column")) == [
        r"Z^{(1)} &= W^{(1)} X + b^{(1)} \mathbf{1}^{\top}"
    ]
    assert rows(write_definitions(folded(program), program, "matrix", "column"))[3:5] == [
        r"\delta^{(1)} = \frac{\partial L}{\partial Z^{(1)}} &= "
        r"(W^{(2)\top} \delta^{(2)}) \odot (1 - A^{(1)} \odot A^{(1)})",
        r"\frac{\partial L}{\partial W^{(1)}} &= \delta^{(1)} X^{\top}",
    ]


def test_single_sample_is_written_with_column_vectors() -> None:
    """Without a batch index W x + b and outer products."""
    program = dense_network("sigmoid", "identity", "mse", None)
    printed = rows(write_definitions((*program.definitions, *folded(program)), program, "matrix"))

    assert r"z^{(1)} &= W^{(1)} x + b^{(1)}" in printed
    assert r"L &= \frac{1}{K} \left\lVert a^{(2)} - y \right\rVert_2^{2}" in printed
    assert r"\frac{\partial L}{\partial W^{(1)}} &= \delta^{(1)} x^{\top}" in printed


def test_lines_without_matrix_form_say_so() -> None:
    """A tensor of three axes is written in index notation, and its line says so."""
    program = read_program("param T[I, J, K]\ninput x[J]\nu[i,k] = sum(j, T[i,j,k]*x[j])\nloss = sum(i, k, u[i,k]^2)")
    printed = rows(write_definitions(program.definitions, program, "matrix"))

    assert printed[0] == r"u_{ik} &= \sum_{j=1}^{J} T_{ijk} x_{j}" + INDEX_NOTE
    assert printed[1] == r"L &= \left\lVert U \right\rVert_F^{2}"


def computed(program: Program, definitions: tuple[Definition, ...]) -> dict[str, np.ndarray]:
    """Every tensor as an array, by the engine's own meaning of the definitions."""
    whole = program.extended(definitions)
    sizes = {n: SIZES[n] for n in whole.size_names}
    names = frozenset(whole.tensors())
    generator = np.random.default_rng(7)
    numbers: dict[sympy.Symbol, float] = {}
    arrays = {}
    for tensor in whole.tensors().values():
        expansion = Expansion(whole, sizes, names - {tensor.name})
        arrays[tensor.name] = np.zeros(expansion.shape(tensor))
        for entry in expansion.entries(tensor.name):
            value = expansion.entry(tensor.name, entry)
            number = generator.uniform(0.2, 1) if tensor.is_leaf else float(value.xreplace(numbers))
            numbers[entry_symbol(tensor.name, entry)] = number
            arrays[tensor.name][tuple(k - 1 for k in entry)] = number
    return arrays


@pytest.mark.parametrize("layout", ["batch", "column"])
@pytest.mark.parametrize(
    ("activation", "output", "loss", "batch"),
    [
        ("tanh", "identity", "mse", "N"),
        ("sigmoid", "softmax", "mse", "N"),
        ("relu", "sigmoid", "bce", "N"),
        ("tanh", "log_softmax", "mse", "N"),
        ("tanh", "identity", "mse", None),
        ("tanh", "softmax", "mse", None),
    ],
)
def test_matrix_form_read_back_computes_the_definition(
    activation: str, output: str, loss: str, batch: str | None, layout: str
) -> None:
    """Each printed right side, computed with NumPy from the printed names, is the array that the definition means."""
    program = dense_network(activation, output, loss, batch)
    backwards = folded(program, ("W1", "b1", "W2", "b2", "x"))
    arrays = computed(program, backwards)
    whole = program.extended(backwards)
    flipped = flipped_tensors(whole.tensors()) if layout == "column" else frozenset()
    equations = make_equations(whole.definitions, whole, "matrix", layout)
    held = {}
    for name, value in arrays.items():
        array = value.reshape(-1, 1) if value.ndim < 2 else value.T if name in flipped else value
        held[name] = array
    symbols = {}
    for tensor in whole.tensors().values():
        if tensor.role is not Role.HIDDEN:
            symbols[printed_name(tensor.name, len(tensor.axes))] = held[tensor.name]
    scalars = {name: float(size) for name, size in SIZES.items()}
    checked = 0
    for equation in equations:
        if equation.note:
            continue
        value = MatrixReader(symbols, scalars).read(equation.right)
        expected = held[equation.tensor]

        assert np.allclose(np.broadcast_to(value, expected.shape), expected, rtol=1e-9, atol=1e-12), equation
        checked += 1

    assert checked >= len(equations) - 2


def printed_name(name: str, axes: int) -> str:
    """The symbol of a tensor of these networks, by rules written here once more."""
    stem, layer = re.fullmatch(r"([A-Za-z]+?)(\d?)(?:_bar)?", name).groups()
    letter = stem.upper() if axes == 2 and len(stem) == 1 else "L" if stem == "loss" else stem
    if name.endswith("_bar"):
        letter = r"\delta" if stem == "z" else rf"\bar{{{letter}}}"
    return letter + (f"^{{({layer})}}" if layer else "")
