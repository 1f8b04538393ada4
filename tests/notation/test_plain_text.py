"""Definitions in plain text, and the sentences about steps."""

from __future__ import annotations

import pytest

from symbackprop.calculus.chain import derive
from symbackprop.calculus.folding import fold
from symbackprop.errors import UnknownNameError
from symbackprop.language import read_program, read_statements
from symbackprop.networks import mlp_layers, write_network
from symbackprop.notation.writing import narrate_chain, narrate_fold, write_text
from symbackprop.notation.writing.narration import LANGUAGES, find_language, identity_text
from symbackprop.notation.writing.plain_text import break_line


def test_backward_pass_in_plain_text() -> None:
    """The folded backward pass of a sigmoid network with mean squared error, within 80 columns."""
    program = read_program(write_network("D", mlp_layers(["D", "H", "K"], "sigmoid", "identity"), "mse").text)
    backward = fold(derive(program, "loss", ["W1", "b1", "W2", "b2"]), ()).definitions

    assert write_text(backward, program).splitlines() == [
        "z2_bar[n,i] = 2*(a2[n,i] - y[n,i])/(N*K)",
        "W2_bar[i,j] = sum(n, z2_bar[n,i]*a1[n,j])",
        "b2_bar[i] = sum(n, z2_bar[n,i])",
        "z1_bar[n,i] = a1[n,i]*(1 - a1[n,i])*sum(j, z2_bar[n,j]*W2[j,i])",
        "W1_bar[i,j] = sum(n, z1_bar[n,i]*x[n,j])",
        "b1_bar[i] = sum(n, z1_bar[n,i])",
    ]


@pytest.mark.parametrize("width", [40, 60, 80])
def test_broken_lines_fit_and_read_back(width: int) -> None:
    """A long formula is broken at operators and commas, stays within its width and means the same."""
    line = "u[n,i] = " + " + ".join(f"sum(j, W{k}[i,j]*x[n,j])*tanh(z{k}[n,i])" for k in range(6))
    broken = break_line(line, width)

    assert all(len(part) <= width for part in broken.splitlines())
    assert read_statements(broken) == read_statements(line)


def test_short_lines_stay_whole() -> None:
    """What fits is not touched."""
    assert break_line("loss = w^2") == "loss = w^2"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_step_has_a_sentence(language: str) -> None:
    """Chain rule steps and folds are told in both languages, and no brace is left unfilled."""
    program = read_program(write_network("D", mlp_layers(["D", "H", "K"], "tanh", "identity"), "cross_entropy").text)
    adjoints = derive(program, "loss", ["W1", "b1", "W2", "b2"])
    told = [narrate_chain(step, "loss", language) for step in adjoints.steps]
    told += [narrate_fold(step, language) for step in fold(adjoints, program.assumptions).steps]

    assert all(told)
    assert not any("{" in sentence for sentence in told)
    assert any("链式法则" in s for s in told) == (language == "zh")
    assert any("a2_bar" in s and "p" in s for s in told)


def test_identities_are_told_in_the_formula_language() -> None:
    """An assumption on which a fold rests reads as its declaration does."""
    program = read_program("input y[N, K]\nassume sum(k, y[n,k]) = 1\nloss = sum(n, k, y[n,k]^2)")

    assert identity_text(program.assumptions[0]) == "sum(k, y[n,k]) = 1"


def test_disconnected_tensors_are_said_to_be() -> None:
    """A tensor that the loss does not reach is disconnected, in words."""
    program = read_program("param w, v\nloss = w^2")
    (step,) = [s for s in derive(program, "loss", ["w", "v"]).steps if s.tensor == "v"]

    assert "disconnected" in narrate_chain(step, "loss")
    assert "不连通" in narrate_chain(step, "loss", "zh")


def test_languages_know_the_terms_of_the_field() -> None:
    """The Chinese words that a reader of the seed expects; an unknown language names those there are."""
    wanted = {"链式法则", "伴随", "学习率", "权重", "偏置", "激活函数", "逐元素乘积"}

    assert wanted <= {chinese for _, chinese in find_language("zh").terms}
    assert [one.code for one in LANGUAGES] == ["en", "zh"]
    with pytest.raises(UnknownNameError, match="en, zh"):
        find_language("fr")
