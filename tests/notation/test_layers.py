r"""Equations for every layer, \delta^{(l)}: one claim for each layer that the program has, or an error."""

from __future__ import annotations

import pytest

import symbackprop as sb
from symbackprop.errors import FormulaError
from symbackprop.language import write_matrix_tree, write_tree
from symbackprop.notation.reading import (
    AmbiguousFormulaError,
    MatrixClaim,
    expand_layers,
    make_vocabulary,
    read_any_claim,
    read_block,
)
from symbackprop.proof.matrix_claims import judge_matrix_claim

NETWORK = sb.mlp(["D", "H", "J", "K"], activation="sigmoid", output="sigmoid", batch=None).program.core
NAMES = {"a^{(0)}": "x"}


def _texts(latex: str, names: dict[str, str] | None = None) -> list[tuple[str, str]]:
    """The claims of an equation as they were understood, each with what is said of its layer."""
    vocabulary = make_vocabulary(NETWORK, names)
    (statement,) = read_block(latex)
    found = []
    for layered in expand_layers(statement, vocabulary):
        claim = read_any_claim(layered.statement, vocabulary)
        text = claim.texts[0] if isinstance(claim, MatrixClaim) else write_tree(claim).removeprefix("claim ")
        found.append((text, layered.shown))
    return found


def test_an_equation_for_every_layer_is_one_for_each() -> None:
    """Only layers at which all names exist; which they are is said with each."""
    of = r"\text{ of } 1, 2)"

    assert [
        ("adj(z1) = W2'*adj(z2) .* sigmoid'(z1)", rf" \quad (l = 1 {of}"),
        ("adj(z2) = W3'*adj(z3) .* sigmoid'(z2)", rf" \quad (l = 2 {of}"),
    ] == _texts(r"\delta^{(l)} = ((W^{(l+1)})^\top \delta^{(l+1)}) \odot \sigma'(z^{(l)})")
    assert [
        ("adj(z1[j]) = sum(k, W2[k,j]*adj(z2[k])*sigmoid'(z1[j]))", rf" \quad (\ell = 1 {of}"),
        ("adj(z2[j]) = sum(k, W3[k,j]*adj(z3[k])*sigmoid'(z2[j]))", rf" \quad (\ell = 2 {of}"),
    ] == _texts(r"\delta^{[\ell]}_j = \sum_k W^{[\ell+1]}_{kj} \delta^{[\ell+1]}_k \sigma'(z^{[\ell]}_j)")


def test_layer_nought_is_the_input_where_it_is_declared() -> None:
    """Without the declaration the first layer has no such equation."""
    latex = r"\frac{\partial L}{\partial W^{(l)}} = \delta^{(l)} a^{(l-1)\top}"

    assert ["d loss / d W2 = adj(z2)*a1'", "d loss / d W3 = adj(z3)*a2'"] == [text for text, _ in _texts(latex)]
    assert "d loss / d W1 = adj(z1)*x'" == _texts(latex, NAMES)[0][0]
    assert 3 == len(_texts(latex, NAMES))


def test_a_strict_bound_of_the_layers_is_read() -> None:
    """l > 1 is l = 2, 3 of three layers, and l > 2 leaves one out."""
    latex = r"\frac{\partial L}{\partial W^{(l)}} = \delta^{(l)} a^{(l-1)\top}"

    assert _texts(rf"{latex}, \quad l > 1") == _texts(latex)
    with pytest.raises(FormulaError, match="the layers at which the names of the equation exist, 2, 3"):
        _texts(rf"{latex}, \quad l > 2")


def test_a_large_l_is_the_last_layer_and_no_loss() -> None:
    """L above a name is the last layer, L in a derivative the loss."""
    assert [("adj(z3) = (a3 - y) .* sigmoid'(z3)", r" \quad (L = 3)")] == _texts(
        r"\delta^{(L)} = (a^{(L)} - y) \odot \sigma'(z^{(L)})"
    )
    assert [("d loss / d W3 = adj(z3)*a2'", r" \quad (L = 3)")] == _texts(
        r"\frac{\partial L}{\partial W^{(L)}} = \delta^{(L)} (a^{(L-1)})^T"
    )


def test_a_mistake_in_every_layer_is_refuted_in_every_layer() -> None:
    """The slope is forgotten."""
    vocabulary = make_vocabulary(NETWORK)
    (statement,) = read_block(r"\delta^{(l)} = (W^{(l+1)})^\top \delta^{(l+1)}")
    for layered in expand_layers(statement, vocabulary):
        claim = read_any_claim(layered.statement, vocabulary)
        assert isinstance(claim, MatrixClaim)
        verdicts = tuple(judge_matrix_claim(NETWORK, claim.head, claim.links))
        assert all(verdict.refuted for verdict in verdicts), write_matrix_tree(claim.links[0])


@pytest.mark.parametrize(
    ("latex", "kind", "said"),
    [
        (r"\delta^{(l)} = l \delta^{(l)}", AmbiguousFormulaError, "letter l"),
        (r"\delta^{(l)}_l = z^{(l)}_l", AmbiguousFormulaError, "letter l"),
        (r"\delta^{(l+7)} = \delta^{(l)}", FormulaError, "exist together"),
        (r"\delta^{(l)} = \delta^{(m)}", FormulaError, "one letter"),
        (r"W^{(l)} = x^{(l)}", FormulaError, "W^{(l)}"),
        (r"W^{(l)} = V^{(l)}", FormulaError, "W^{(l)}"),
        (r"W^{(2l)} = W^{(2l)}", FormulaError, "W^{(2l)}"),
    ],
)
def test_letters_that_are_no_layers_are_refused(latex: str, kind: type[FormulaError], said: str) -> None:
    """A letter that stands for something else as well, and names that have no layers."""
    with pytest.raises(kind) as caught:
        _texts(latex)

    assert said in str(caught.value)


def test_samples_stay_samples() -> None:
    """A letter above a name that is not numbered is an index."""
    fit = sb.parse("input x[N], y[N]\nparam w1\nyhat[n] = w1*x[n]\nloss = sum(n, (yhat[n] - y[n])^2)").core
    vocabulary = make_vocabulary(fit)
    (statement,) = read_block(r"L = \sum_i (\hat y^{(i)} - y^{(i)})^2")
    (layered,) = expand_layers(statement, vocabulary)

    assert "" == layered.shown
    assert "claim loss = sum(i, (yhat[i] - y[i])^2)" == write_tree(read_any_claim(layered.statement, vocabulary))
