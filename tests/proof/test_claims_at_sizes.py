"""Claims that hold at small sizes only, at kinks, and of entries of a Jacobian."""

from __future__ import annotations

import pytest

import symbackprop as sb

LINEAR = "param w[N]\ninput x[N]\nloss = sum(n, w[n]*x[n])"
SQUARE = "param w[N]\nloss = sum(n, w[n]^2)/N"
SOFTMAX = "param z[K]\np[k] = exp(z[k])/sum(j, exp(z[j]))\nloss = sum(k, p[k]^2)"


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        (LINEAR, "where(n <= 7, x[n], 0)"),
        (LINEAR, "x[n] + x[n+9]"),
        (LINEAR, "where(n%11 == 0, 0, x[n])"),
        (SQUARE, "2*w[n]/N + w[n]*(N-2)*(N-3)*(N-4)*(N-5)"),
    ],
)
def test_what_holds_at_small_sizes_only_is_refuted(text: str, claim: str) -> None:
    """Beyond the numbers that a claim writes it is looked at before anything is called proved."""
    verdict = sb.verify_gradient(sb.parse(text), "w[n]", claim)

    assert verdict.refuted, str(verdict)


def test_what_differs_at_a_kink_only_is_refuted_there() -> None:
    """No sample lies on the kink; the cell of the kink does."""
    program = sb.parse("param w[N]\nloss = sum(n, relu(w[n]))")
    verdict = sb.verify_gradient(program, "w[n]", "where(w[n] >= 0, 1, 0)")

    assert verdict.refuted
    assert verdict.witness is not None
    assert dict(verdict.witness.point)["w[1]"] == 0


def test_entries_of_a_jacobian_are_claimed_in_letters() -> None:
    """The numerator may be an entry; a wrong entry is refuted."""
    program = sb.parse(SOFTMAX)
    right = sb.verify_gradient(program, "z[j]", "where(k == j, p[k], 0) - p[k]*p[j]", of="p[k]")
    wrong = sb.verify_gradient(program, "z[j]", "where(k == j, p[k], 0) - p[k]", of="p[k]")

    assert right.for_all_sizes
    assert right.proved
    assert wrong.refuted


@pytest.mark.parametrize("size", ["V-3", "V-4", "(V-2)//2", "N-V", "3-V"])
def test_ranges_of_integer_data_have_an_entry_at_the_sizes_that_are_tried(size: str) -> None:
    """Sizes at which no integer fits are never tried, whatever the range is made of."""
    program = sb.parse(f"index tok[N] in {size}\ninput y[V]\nparam x[N]\nloss = sum(n, tok[n]*x[n]^2) + sum(v, y[v])")

    assert sb.verify_gradient(program, "x[n]", "2*tok[n]*x[n]").for_all_sizes
    assert sb.verify_gradient(program, "x[n]", "2*x[n]").refuted
