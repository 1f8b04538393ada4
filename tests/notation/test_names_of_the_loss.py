r"""The names that textbooks give the loss: where they are read, and where another letter has them too."""

from __future__ import annotations

import pytest

import symbackprop as sb
from symbackprop.language import write_tree
from symbackprop.notation.reading import AmbiguousFormulaError, MatrixClaim, make_vocabulary, read_any_claim, read_block
from symbackprop.notation.reading.statements import read_definition

PARTS = "input x, y\nparam w\n{} = (w*x - y)^2\nr = w^2\ntotal = 3*{} + r\n"
VECTORS = "input X[N,D], y[N]\nparam w[D]\na[n] = sum(d, X[n,d]*w[d])\nloss = sum(n, (a[n] - y[n])^2)/N\n"


def understood(latex: str, program: str, names: dict[str, str] | None = None) -> list[str]:
    """An equation as it was understood of a program."""
    (statement,) = read_block(latex)
    claim = read_any_claim(statement, make_vocabulary(sb.parse(program).core, names))
    return list(claim.texts) if isinstance(claim, MatrixClaim) else [write_tree(claim).removeprefix("claim ")]


@pytest.mark.parametrize(("latex", "small"), [(r"\ell", "l"), ("J", "j"), ("E", "e"), ("C", "c"), ("L", "l")])
@pytest.mark.parametrize(
    "written", [r"\frac{{\partial {}}}{{\partial w}} = 2x(wx-y)", "{} = (wx-y)^2", r"\nabla_w {} = 1", "{}(w) = 1"]
)
def test_a_name_of_the_loss_beside_its_small_letter_has_two_readings(latex: str, small: str, written: str) -> None:
    """A loss J, and a tensor j: in print, and in people's minds, either may be meant."""
    program = PARTS.format(small, small)
    claim = written.format(latex)
    with pytest.raises(AmbiguousFormulaError, match="the loss total` or as .*, another letter.*declare which it is"):
        understood(claim, program)
    for meant in (small, "total"):
        (text,) = understood(claim.replace("(w)", ""), program, {latex: meant})
        assert text.startswith((f"d {meant} / d w", f"{meant} ="))


@pytest.mark.parametrize("name", ["L", "J", "E", "C", r"\ell", r"\mathcal{L}", r"\mathcal{J}", r"J(w)", r"E(w, X)"])
def test_the_loss_is_claimed_by_its_names(name: str) -> None:
    """As a side of an equation, as it is below the sign of a derivative."""
    expected = ["loss = (1/N)*sum(n, (a[n] - y[n])^2)"]
    assert understood(rf"{name} = \frac1N \sum_n (a_n - y_n)^2", VECTORS) == expected
    assert understood(rf"{name} = \frac1N \lVert a - y \rVert^2", VECTORS)[0].startswith("loss = ")
    (statement,) = read_block(rf"{name} = \frac1N \sum_n (a_n - y_n)^2")
    assert read_definition(statement, make_vocabulary(sb.parse(VECTORS).core)).head.name == "loss"


def test_a_name_of_the_loss_inside_a_formula_is_not_guessed() -> None:
    """A constant C has the letter of a cost."""
    with pytest.raises(sb.FormulaError, match="unknown name `C`"):
        understood(r"\frac{\partial L}{\partial w_d} = C X_{1d}", VECTORS)
