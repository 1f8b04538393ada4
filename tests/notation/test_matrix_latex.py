"""Derivations in matrix notation: exact strings, and the printed LaTeX read back and computed with NumPy."""

from __future__ import annotations

import re

import numpy as np
import pytest
import sympy

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


class MatrixReader:
    """Computes the right side of an equation in matrix notation, by its own small grammar.

    Everything is an array of two axes; a vector times a transposed vector of ones stays one column and is broadcast.
    """

    def __init__(self, values: dict[str, np.ndarray], scalars: dict[str, float]) -> None:
        self.values, self.scalars = values, scalars
        self.tokens: list[str] = []

    def read(self, text: str) -> np.ndarray:
        text = re.sub(r"\\left(?!\\lVert)|\\right(?!\\rVert)", "", text)
        text = text.replace(r"\left\lVert", r"\norm(").replace(r"\right\rVert", ")")
        pattern = (
            r"\\frac|\\odot|\\oslash|\\mathbf\{1\}(?:\^\{\\top\})?|\\operatorname\{diag\}|\\norm|\\tanh|\\exp|\\log|\\sigma"
            r"|\\operatorname\{[A-Za-z]+\}|\^\{-1\}|_F\^\{2\}|_2\^\{2\}|\^\{\\top\}|\|"
            r"|(?:\\delta|\\bar\{[A-Za-z]\}|[A-Za-z])(?:\^\{(?:\(\d\))?(?:\\top)?\})?|[0-9]+|[(){}+\-\[\]>]"
        )
        self.tokens = re.findall(pattern, text)
        assert "".join(self.tokens) == re.sub(r"\s", "", text)
        result = self.sum()
        assert not self.tokens
        return result

    def peek(self) -> str:
        return self.tokens[0] if self.tokens else ""

    def take(self, wanted: str = "") -> str:
        token = self.tokens.pop(0)
        assert not wanted or token == wanted, (token, wanted)
        return token

    def sum(self) -> np.ndarray:
        sign = -1 if self.peek() == "-" and self.take() else 1
        total = sign * self.hadamard()
        while self.peek() in ("+", "-"):
            operator = self.take()
            total = total + (1 if operator == "+" else -1) * self.hadamard()
        return total

    def hadamard(self) -> np.ndarray:
        total = self.product()
        while self.peek() in (r"\odot", r"\oslash"):
            total = total * self.product() if self.take() == r"\odot" else total / self.product()
        return total

    def product(self) -> np.ndarray:
        factors: list[np.ndarray | str] = []
        while self.peek() and self.peek() not in (")", "]", "}", "+", "-", r"\odot", r"\oslash", ">", "|end"):
            factors.append(self.factor())
        return self.multiply(factors)

    def multiply(self, factors: list) -> np.ndarray:
        scale = np.prod([f for f in factors if isinstance(f, float)])
        arrays = [f for f in factors if not isinstance(f, float)]
        if not arrays:
            return np.array([[scale]])
        start = next((k for k, f in enumerate(arrays) if not isinstance(f, str)), 0)
        total = arrays[start]
        for factor in arrays[start + 1 :]:
            if isinstance(factor, str):  # the vector of ones: row sums, or one column to be repeated
                total = total if factor == "ones^T" else total.sum(1, keepdims=True)
            else:
                if total.shape[1] == factor.shape[0]:
                    total = total @ factor
                elif total.size == 1 or factor.size == 1:
                    total = total * factor
                else:
                    raise ValueError(f"shapes {total.shape} and {factor.shape} do not multiply")
        for factor in reversed(arrays[:start]):
            total = total if factor == "ones" else total.sum(0, keepdims=True)
        return scale * total

    def factor(self) -> np.ndarray | float | str:
        token = self.take()
        if token == r"\frac":
            above, below = self.group(), self.group()
            return float((above / below).item())
        if token.startswith(r"\mathbf{1}"):
            return "ones^T" if "top" in token else "ones"
        if token == "(":
            inner = self.sum()
            self.take(")")
            return self.transpose(inner)
        if token == "[":
            left = self.sum()
            self.take(">")
            right = self.sum()
            self.take("]")
            return (left > right).astype(float)
        if token == r"\norm":
            self.take("(")
            inner = self.sum()
            self.take(")")
            self.take()
            return np.array([[np.sum(inner**2)]])
        if token == r"\operatorname{diag}":
            self.take("(")
            inner = np.diag(self.sum()[:, 0])
            self.take(")")
            return np.linalg.inv(inner) if self.peek() == "^{-1}" and self.take() else inner
        functions = {r"\tanh": np.tanh, r"\exp": np.exp, r"\log": np.log, r"\sigma": lambda u: 1 / (1 + np.exp(-u))}
        functions[r"\operatorname{ReLU}"] = lambda u: np.maximum(u, 0)
        if token in functions:
            self.take("(")
            inner = functions[token](self.sum())
            self.take(")")
            return self.transpose(inner)
        if token.isdigit():
            return float(token)
        if token in self.scalars:
            return self.scalars[token]
        transposed = r"\top" in token
        value = self.values[token.replace(r"\top", "").replace("^{}", "")]
        return value.T if transposed else value

    def transpose(self, value: np.ndarray) -> np.ndarray:
        return value.T if self.peek() == r"^{\top}" and self.take() else value

    def group(self) -> np.ndarray:
        self.take("{")
        inner = self.sum()
        self.take("}")
        return inner


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


def test_reader_sees_a_planted_transpose() -> None:
    """The reading back fails where a transpose is missing."""
    values = {"A": np.arange(6.0).reshape(2, 3), "B": np.arange(6.0).reshape(2, 3)}

    assert MatrixReader(values, {}).read(r"A^{\top} B").shape == (3, 3)
    with pytest.raises(ValueError, match="shape"):
        MatrixReader(values, {}).read(r"A B")
