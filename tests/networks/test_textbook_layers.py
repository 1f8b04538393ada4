"""Layers print as a textbook has them: the lines that are expected of each, `g` being what arrives from above."""

from __future__ import annotations

import pytest

import symbackprop as sb

TEXTBOOK: dict[str, tuple[str, ...]] = {
    "batch_norm": (
        "gamma_bar[i] = sum(n, g[n,i]*xhat[n,i])",
        "beta_bar[i] = sum(n, g[n,i])",
        "xhat_bar[n,i] = g[n,i]*gamma[i]",
        "x_bar[n,i] = ((xhat_bar[n,i] - mean(p, xhat_bar[p,i]) - xhat[n,i]*mean(p, xhat_bar[p,i]*xhat[p,i]))"
        "/sqrt(v[i] + 1e-5))",
    ),
    "batch_norm2d": (
        "x_bar[n,c,p,q] = ((xhat_bar[n,c,p,q] - mean(t, r, s, xhat_bar[t,c,r,s])"
        " - xhat[n,c,p,q]*mean(t, r, s, xhat_bar[t,c,r,s]*xhat[t,c,r,s]))/sqrt(v[c] + 1e-5))",
    ),
    "layer_norm": (
        "x_bar[n,i] = ((xhat_bar[n,i] - mean(j, xhat_bar[n,j]) - xhat[n,i]*mean(j, xhat_bar[n,j]*xhat[n,j]))"
        "/sqrt(v[n] + 1e-5))",
    ),
    "rms_norm": ("x_bar[n,i] = (xhat_bar[n,i] - xhat[n,i]*mean(j, xhat_bar[n,j]*xhat[n,j]))/r[n]",),
    "instance_norm": (
        "x_bar[n,c,p,q] = ((xhat_bar[n,c,p,q] - mean(r, s, xhat_bar[n,c,r,s])"
        " - xhat[n,c,p,q]*mean(r, s, xhat_bar[n,c,r,s]*xhat[n,c,r,s]))/sqrt(v[n,c] + 1e-5))",
    ),
    "group_norm": (
        "x_bar[n,k,c,p,q] = ((xhat_bar[n,k,c,p,q] - mean(d, r, s, xhat_bar[n,k,d,r,s])"
        " - xhat[n,k,c,p,q]*mean(d, r, s, xhat_bar[n,k,d,r,s]*xhat[n,k,d,r,s]))/sqrt(v[n,k] + 1e-5))",
    ),
}


def printed(text: str) -> list[str]:
    """The definitions of a text, each on one line with no spaces, which depend on where it is broken."""
    return ["".join(line.split()) for line in text.replace("\n ", " ").splitlines()]


@pytest.mark.parametrize("name", TEXTBOOK)
def test_it_prints_as_a_textbook_has_it(name: str) -> None:
    """The lines of the textbook are among those that are printed."""
    lines = printed(sb.find_entry(name).derivation.text())

    assert [line for line in TEXTBOOK[name] if "".join(line.split()) not in lines] == [], lines
