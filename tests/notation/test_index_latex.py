"""Derivations in index notation, as exact strings and against the meaning of the definitions."""

from __future__ import annotations

import re
import subprocess
import sys
from fractions import Fraction

import pytest
import sympy

from symbackprop.calculus.chain import derive
from symbackprop.calculus.definitions import Definition
from symbackprop.calculus.expansion import Expansion, entry_symbol
from symbackprop.calculus.folding import fold
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Role
from symbackprop.errors import ArgumentError, UnknownNameError
from symbackprop.functions import FUNCTIONS
from symbackprop.language import read_program
from symbackprop.language.phrasing import hidden_definitions, phrase_definition
from symbackprop.language.tree import Access, Apply, Chain, Compare, Expression, Name, Negate, Number, Power, Where
from symbackprop.networks import mlp_layers, write_network
from symbackprop.notation.writing import write_definitions
from symbackprop.notation.writing.entries import EntryWriter

NETWORKS = [
    (("D", "H", "K"), "tanh", "identity", "cross_entropy", "N"),
    (("D", "H", "K"), "sigmoid", "identity", "mse", "N"),
    (("D", "H", "K"), "relu", "sigmoid", "bce", "N"),
    (("D", "H", "K"), "silu", "identity", "mae", "N"),
    (("D", "K"), "elu", "log_softmax", "mse", "N"),
    ((2, 3, 2), "softplus", "tanh", "bce_logits", None),
    (("D", "K"), "gelu", "identity", "huber", None),
]
SIZES = {"N": 2, "D": 3, "H": 2, "K": 2}


def network(widths: tuple[int | str, ...], activation: str, output: str, loss: str, batch: str | None) -> Program:
    """The program of a multilayer perceptron."""
    return read_program(write_network(widths[0], mlp_layers(widths, activation, output), loss, batch).text)


def backward(program: Program, wrt: tuple[str, ...] | None = None) -> tuple[Definition, ...]:
    """The folded adjoints of the loss by the parameters."""
    names = wrt or tuple(t.name for t in program.leaves if t.role is Role.PARAM)
    return fold(derive(program, "loss", names), program.assumptions).definitions


def lines(latex: str) -> list[str]:
    """The lines inside an align environment."""
    return [line.removesuffix(r" \\") for line in latex.splitlines()[1:-1]]


def is_balanced(latex: str) -> bool:
    """Whether braces, environments and tall brackets open and close in order."""
    stack: list[str] = []
    for token in re.findall(r"\\begin\{[a-z*]+\}|\\end\{[a-z*]+\}|\\left|\\right|\\[{}]|[{}]", latex):
        if token in ("{", r"\left") or token.startswith(r"\begin"):
            stack.append(token)
        elif token in ("}", r"\right") or token.startswith(r"\end"):
            wanted = {"}": "{", r"\right": r"\left"}.get(token, token.replace("end", "begin"))
            if not stack or stack.pop() != wanted:
                return False
    return not stack


def test_balance_checker_sees_a_planted_slip() -> None:
    """The checker that the other tests rely on rejects what is out of order."""
    assert is_balanced(r"\frac{a}{\left(b\right)}")
    assert not is_balanced(r"\frac{a}{\left(b}\right)")
    assert not is_balanced(r"\begin{cases} a \end{align*}")


def test_cross_entropy_network_prints_as_a_textbook_has_it() -> None:
    """The backward pass of a tanh network with cross-entropy, a line for each adjoint."""
    program = network(*NETWORKS[0])

    assert lines(write_definitions(backward(program), program)) == [
        r"\delta^{(2)}_{ni} = \frac{\partial L}{\partial z^{(2)}_{ni}} &= \frac{p_{ni} - y_{ni}}{N}",
        r"\frac{\partial L}{\partial W^{(2)}_{ij}} &= \sum_{n=1}^{N} \delta^{(2)}_{ni} a^{(1)}_{nj}",
        r"\frac{\partial L}{\partial b^{(2)}_{i}} &= \sum_{n=1}^{N} \delta^{(2)}_{ni}",
        r"\delta^{(1)}_{ni} = \frac{\partial L}{\partial z^{(1)}_{ni}} &= "
        r"(1 - (a^{(1)}_{ni})^{2}) \sum_{j=1}^{K} \delta^{(2)}_{nj} W^{(2)}_{ji}",
        r"\frac{\partial L}{\partial W^{(1)}_{ij}} &= \sum_{n=1}^{N} \delta^{(1)}_{ni} x_{nj}",
        r"\frac{\partial L}{\partial b^{(1)}_{i}} &= \sum_{n=1}^{N} \delta^{(1)}_{ni}",
    ]


def test_forward_pass_keeps_the_users_words() -> None:
    """Sums, means, functions and fractions of the forward text."""
    program = network(*NETWORKS[0])

    assert lines(write_definitions(program.definitions, program)) == [
        r"z^{(1)}_{ni} &= \sum_{j=1}^{D} W^{(1)}_{ij} x_{nj} + b^{(1)}_{i}",
        r"a^{(1)}_{ni} &= \tanh(z^{(1)}_{ni})",
        r"z^{(2)}_{ni} &= \sum_{j=1}^{H} W^{(2)}_{ij} a^{(1)}_{nj} + b^{(2)}_{i}",
        r"a^{(2)}_{ni} &= z^{(2)}_{ni}",
        r"p_{ni} &= \frac{e^{a^{(2)}_{ni}}}{\sum_{j=1}^{K} e^{a^{(2)}_{nj}}}",
        r"L &= -\frac{1}{N} \sum_{n=1}^{N} \sum_{i=1}^{K} y_{ni} \log(p_{ni})",
    ]


@pytest.mark.parametrize("arguments", NETWORKS, ids=str)
@pytest.mark.parametrize("notation", ["index", "matrix"])
def test_latex_is_balanced_and_leaks_nothing(arguments: tuple, notation: str) -> None:
    """No slot symbol, dummy, SymPy derivative or hidden name reaches a formula, folded or not."""
    program = network(*arguments)
    raw = derive(program, "loss", tuple(t.name for t in program.leaves if t.role is Role.PARAM)).definitions
    for definitions in (program.definitions, backward(program), raw):
        text = write_definitions(definitions, program, notation)

        assert is_balanced(text)
        assert not re.search(r"Derivative|Dummy|KroneckerDelta|\bs\d|\bq\d{3}|\?", text)


@pytest.mark.parametrize("arguments", NETWORKS, ids=str)
def test_entries_written_out_mean_what_the_definitions_mean(arguments: tuple) -> None:
    """Each entry of each formula, forward and backward, evaluates to what the engine's expansion says."""
    program = network(*arguments)
    whole = program.extended(backward(program))
    sizes = {name: SIZES[name] for name in whole.size_names}
    names = frozenset(t.name for t in whole.tensors().values() if t.role is not Role.HIDDEN)
    expansion = Expansion(whole, sizes, names)
    writer = EntryWriter(whole.tensors(), sizes)
    hidden = hidden_definitions(whole)
    for definition in whole.definitions:
        if definition.tensor.role is Role.HIDDEN:
            continue
        body = phrase_definition(definition, hidden).body
        for entry in expansion.entries(definition.tensor.name):
            values = dict(zip((i.name for i in definition.indices), entry, strict=True))
            meant = Expansion(whole, sizes, names - {definition.tensor.name}).entry(definition.tensor.name, entry)

            assert agree(evaluate(writer.expand(body, values)), meant), (definition.tensor.name, entry)


FUNCTION_BY_NAME = {f.name: f for f in FUNCTIONS}


def apply_by_name(name: str, *arguments: sympy.Expr) -> sympy.Expr:
    """A function of the catalogue, expanded to SymPy's elementary ones."""
    elementary = getattr(sympy, name, None)
    if name in ("exp", "log", "sqrt", "tanh", "erf"):
        return elementary(*arguments)
    formula = FUNCTION_BY_NAME[name].formula(*arguments)
    inner = formula.atoms(sympy.core.function.AppliedUndef)
    return formula.xreplace({a: apply_by_name(a.func.__name__, *a.args) for a in inner})


def evaluate(tree: Expression) -> sympy.Expr:
    """A tree without sums as a SymPy expression in the symbols of entries."""
    match tree:
        case Number(value):
            return sympy.Rational(value.numerator, value.denominator)
        case Name(name):
            return sympy.pi if name == "pi" else entry_symbol(name, ())
        case Access(name, indices):
            return entry_symbol(name, tuple(int(i.value) for i in indices))
        case Chain(operands, operators):
            total = evaluate(operands[0])
            for operator, operand in zip(operators, operands[1:], strict=True):
                value = evaluate(operand)
                total = {"+": total + value, "-": total - value, "*": total * value, "/": total / value}[operator]
            return total
        case Negate(operand):
            return -evaluate(operand)
        case Power(base, exponent):
            return evaluate(base) ** evaluate(exponent)
        case Apply(function, arguments):
            return apply_by_name(function, *(evaluate(a) for a in arguments))
        case Where(Compare(operator, left, right), then, otherwise):
            a, b = evaluate(left), evaluate(right)
            relation = {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b, "==": sympy.Eq(a, b), "!=": sympy.Ne(a, b)}
            return sympy.Piecewise((evaluate(then), relation[operator]), (evaluate(otherwise), True))
    raise TypeError(type(tree).__name__)


def agree(left: sympy.Expr, right: sympy.Expr) -> bool:
    """Whether two expressions have one value, to 25 digits, at two rational points."""
    symbols = sorted(left.free_symbols | right.free_symbols, key=str)
    for shift in (3, 11):
        point = {s: sympy.Rational((7 * k + shift) % 13 + 1, 17) for k, s in enumerate(symbols)}
        if abs(sympy.N((left - right).subs(point), 30)) > sympy.Float("1e-25"):
            return False
    return True


def test_entry_evaluation_sees_a_planted_mistake() -> None:
    """The comparison above fails where a formula has the wrong sign."""
    w = entry_symbol("w", ())

    assert agree(evaluate(Power(Name("w"), Number(Fraction(2)))), w**2)
    assert not agree(-(w**2), w**2)


def test_latex_is_the_same_under_three_hash_seeds() -> None:
    """Derived, folded and printed in fresh processes with different hash seeds, byte by byte."""
    code = (
        "from symbackprop.calculus.chain import derive\n"
        "from symbackprop.calculus.folding import fold\n"
        "from symbackprop.language import read_program\n"
        "from symbackprop.networks import mlp_layers, write_network\n"
        "from symbackprop.notation.writing import write_definitions, write_text\n"
        "p = read_program(write_network('D', mlp_layers(['D', 'H', 'K'], 'silu', 'identity'), 'cross_entropy').text)\n"
        "d = fold(derive(p, 'loss', ['W1', 'b1', 'W2', 'b2', 'x']), p.assumptions).definitions\n"
        "print(*(write_definitions((*p.definitions, *d), p, n) for n in ('index', 'matrix')), write_text(d, p))\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("0", "1", "4242")
    }

    assert len(outputs) == 1
    assert r"\partial L" in outputs.pop()


def test_shared_factors_and_means_are_written_once() -> None:
    """Layer normalisation's three terms share 1/s, which stands before a bracket that is too tall for a numerator."""
    program = read_program(
        "input x[N, D], t[N, D]\nmu[n] = mean(d, x[n,d])\nxc[n,d] = x[n,d] - mu[n]\nloss = sum(n, d, t[n,d]*xc[n,d])"
    )
    printed = lines(write_definitions(backward(program, ("x",)), program))

    assert printed[-1].startswith(r"\frac{\partial L}{\partial x_{nd}} &= t_{nd} - \frac{1}{D} \sum_{")


def test_kinks_print_as_brackets_and_cases() -> None:
    """A 0-1 mask is Iverson's bracket; other branches are cases."""
    program = network(*NETWORKS[2])
    text = write_definitions(backward(program), program)

    assert r"[z^{(1)}_{ni} > 0] \sum_{j=1}^{K} \delta^{(2)}_{nj} W^{(2)}_{ji}" in text
    given = read_program("param w\nloss = where(w > 1, 2*w, w^2)")
    assert r"L &= \begin{cases} 2 w & \text{if } w > 1 \\ w^{2} & \text{otherwise} \end{cases}" in write_definitions(
        given.definitions, given
    )


def test_uncontracted_deltas_print_as_brackets() -> None:
    """The derivative of a vector by itself is the identity, which nothing contracts."""
    program = read_program("param w[K]\nu[k] = 3*w[k]\nloss = sum(k, u[k])")
    adjoint = derive(program, "u", ["w"]).definitions

    assert lines(write_definitions(adjoint, program)) == [r"\frac{\partial u_{k}}{\partial w_{m}} &= 3\,[k = m]"]


def test_wrong_options_are_named() -> None:
    """An unknown notation, layout, name or naming says what there is."""
    program = network(*NETWORKS[1])
    with pytest.raises(ArgumentError, match="index, matrix, scalar"):
        write_definitions(program.definitions, program, "tensor")
    with pytest.raises(ArgumentError, match="batch, column"):
        write_definitions(program.definitions, program, "matrix", "rows")
    with pytest.raises(ArgumentError, match="names='post'"):
        write_definitions(program.definitions, program, names="post")
    with pytest.raises(UnknownNameError, match="W1"):
        write_definitions(program.definitions, program, names={"V": "V"})
    with pytest.raises(ArgumentError, match="sizes="):
        write_definitions(program.definitions, program, "scalar")
