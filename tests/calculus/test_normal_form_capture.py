"""A definition that is put in below a sum keeps its own bound indices apart from that sum's."""

from __future__ import annotations

import pytest

import symbackprop as sb
from symbackprop.calculus.normal_forms import NormalForms

HEAD = "input f[H], T[H,H]\nu[r] = sum(i, T[i,r])\n"


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        ("sum(r, f[r]*u[r])", "sum(q, f[q])*sum(q, T[q,q])", False),
        ("sum(r, f[r]*u[r])", "sum(q, f[q]*T[q,q])", False),
        ("sum(r, f[r]*u[r])", "sum(q, i, f[q]*T[i,q])", True),
        ("sum(r, f[r]*exp(u[r]))", "sum(q, f[q]*exp(T[q,q]))", False),
        ("sum(r, f[r]*exp(u[r]))", "sum(q, f[q]*exp(sum(m, T[m,q])))", True),
        ("sum(r, f[r]/u[r])", "sum(q, f[q]/sum(m, T[m,m]))", False),
        ("sum(r, f[r]*sum(q, T[r,q]*u[q]))", "sum(i, j, k, f[i]*T[i,j]*T[k,j])", True),
        ("sum(r, f[r]*sum(q, T[r,q]*u[q]))", "sum(i, j, f[i]*T[i,j]*T[j,j])", False),
    ],
)
def test_bound_indices_are_not_captured(left: str, right: str, equal: bool) -> None:
    """u[r] sums over an index of its own, also where r is the index of a sum."""
    program = sb.parse(f"{HEAD}s = {left}\nv = {right}").core
    first, second = program.definition("s"), program.definition("v")
    assert first is not None
    assert second is not None

    assert (NormalForms(program).equal(first, second) is not None) is equal
