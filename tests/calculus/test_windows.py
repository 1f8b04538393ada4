"""Guards that let a bound index be at few places only, against counting all of its values."""

from __future__ import annotations

import itertools

import pytest

import symbackprop as sb
from symbackprop.calculus.guards import Equal, Guard, Within, open_window
from symbackprop.calculus.indices import Affine, Entry, Index, floor_divide, remainder

SIZES = range(1, 8)
L = Index("l", Affine.of("L"))
P = Index("p", Affine.of("P"))


def places(guards: list[Guard], index: Index, values: dict[object, int]) -> list[int]:
    """The values of an index at which all guards hold."""
    last = index.last.evaluate(values)
    return [k for k in range(index.start, last + 1) if all(g.holds({**values, index: k}) for g in guards)]


def opened_places(guard: Guard, values: dict[object, int]) -> list[int] | None:
    """The same by what the guard makes of p."""
    opened = open_window(guard, P)
    if opened is None:
        return None
    value, more = opened
    counted = next((i for i in value.indices if i.name == "p"), Index("p", Affine.of(1)))
    return sorted(value.evaluate({**values, counted: k}) for k in places(more, counted, values))


@pytest.mark.parametrize("step", [-3, -2, -1, 1, 2, 3])
@pytest.mark.parametrize("width", [1, 2, 3, 4, 6])
def test_a_range_of_a_multiple(step: int, width: int) -> None:
    """Every start and every size, also where no place or all are left out."""
    tried = 0
    for start, constant in itertools.product((-1, 0, 1, 2), (-3, 0, 2)):
        guard = Within(Affine.of(P) * step + Affine.of(L) + Affine.of(constant), Affine.of(width), start)
        for size, place in itertools.product(SIZES, SIZES):
            values = {"P": size, "L": 7, L: place}
            found = opened_places(guard, values)
            tried += found is not None
            assert found is None or found == places([guard], P, values)
    assert bool(tried) == (width < abs(step) or width % abs(step) == 0)


@pytest.mark.parametrize(("step", "divisor", "sign"), [*itertools.product([-2, -1, 1, 2], [2, 3], [-1, 1])])
def test_a_quotient_that_is_given(step: int, divisor: int, sign: int) -> None:
    """(step*p + 3)//divisor = l, as it is read in upsampling and flattening."""
    quotient = floor_divide(Affine.of(P) * step + Affine.of(3), Affine.of(divisor))
    guard = Equal((quotient - Affine.of(L)) * sign)
    for size, place in itertools.product(SIZES, range(-6, 8)):
        values = {"P": size, "L": 7, L: place}
        found = opened_places(guard, values)
        assert found is None or found == places([guard], P, values)


def test_an_entry_of_a_known_range() -> None:
    """2*p + argmax[p] = l + 2 leaves one p, in whose place the entry is still asked for."""
    entry = Entry("m", (Affine.of(P),), Affine.of(2), ((1, P.size),))
    opened = open_window(Equal(Affine.of(P) * 2 + Affine.of(entry) - Affine.of(L) - Affine.of(2)), P)

    assert opened is not None
    assert str(opened[0]) == "(l+1)//2"
    assert [str(g) for g in opened[1]] == ["-l+2*((l+1)//2)+m[(l+1)//2]-2 = 0", "1 <= (l+1)//2 < P+1"]


def test_remainders_and_quotients_of_a_range_that_is_known() -> None:
    """They are worked out where the quotient is one number, and what divides leaves less than the divisor."""
    i = Affine.of(Index("i", Affine.of(4)))

    assert str(floor_divide(i + Affine.of(3), Affine.of(4))) == "1"
    assert str(remainder(i + Affine.of(3), Affine.of(4))) == "i-1"
    assert str(remainder(i + Affine.of(2), Affine.of(4))) == "(i+2)%4"


READS = {
    "z[i:24] = x[(i-1)//12+1,(i-1)//4%3+1,(i-1)%4+1]": "x_bar[j:2,k:3,m:4] = g[12*j+4*k+m-16]",
    "z[i:24] = sum(c, h, l, where(i == 12*c + 4*h + l - 16, x[c,h,l], 0))": "x_bar[c:2,h:3,l:4] = g[12*c+4*h+l-16]",
}


@pytest.mark.parametrize("text", READS)
def test_flattening_is_undone(text: str) -> None:
    """Quotients and remainders by the same sizes name one place of what was flattened."""
    program = sb.parse(f"input x[2,3,4], g[24]\n{text}\nloss = sum(i, g[i]*z[i])")
    derivation = sb.derive(program, ["x"])

    assert derivation.text().strip() == READS[text]
    assert derivation.certify().proved


WINDOWS = {
    "input x[L]\nz[p:L//2] = mean(r:2, x[2*p+r-2])": "x_bar[l:L] = g[(l+1)//2]/2",
    "input x[L]\nz[p:L-2] = mean(r:3, x[p+r-1])": "x_bar[l:L] = sum(r:3, g[l-r+1])/3",
    "input x[L]\nz[p:2*L] = x[(p-1)//2+1]": "x_bar[l:L] = sum(p:2, g[2*l+p-2])",
}


@pytest.mark.parametrize("text", WINDOWS)
def test_windows_are_counted_by_their_own_size(text: str) -> None:
    """Not by all the places that they have; and a wrong window is refuted."""
    program = sb.parse(f"{text}\ninput g[{sb.parse(text).definitions[-1].tensor.axes[0]}]\nloss = sum(p, g[p]*z[p])")
    derivation = sb.derive(program, ["x"])

    assert derivation.text().strip() == WINDOWS[text]
    assert derivation.certify().proved
    right = WINDOWS[text].partition(" = ")[2]
    assert sb.verify_gradient(program, "x[l]", right).proved
    assert sb.verify_gradient(program, "x[l]", right.replace("g[", "g[1+")).refuted
