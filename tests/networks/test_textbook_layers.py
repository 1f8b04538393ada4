"""Layers print as a textbook has them: the lines that are expected of each, `g` being what arrives from above."""

from __future__ import annotations

import pytest

import symbackprop as sb

ATTENTION = (
    "v_bar[n,u,f] = sum(t, g[n,t,f]*p[n,t,u])",
    "p_bar[n,t,u] = sum(f, g[n,t,f]*v[n,u,f])",
    "s_bar[n,t,u] = (p_bar[n,t,u] - sum(j, p_bar[n,t,j]*p[n,t,j]))*p[n,t,u]",
    "q_bar[n,t,d] = sum(u, s_bar[n,t,u]*k[n,u,d])/sqrt(D)",
    "k_bar[n,u,d] = sum(t, s_bar[n,t,u]*q[n,t,d])/sqrt(D)",
)
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
    "attention": ATTENTION,
    "causal_attention": ATTENTION,
    "masked_attention": (*ATTENTION, "m_bar[t,u] = sum(n, s_bar[n,t,u])"),
    "causal_multi_head_attention": (
        "Wo_bar[e,h,d] = sum(n, t, g[n,t,e]*o[n,h,t,d])",
        "s_bar[n,h,t,u] = (p_bar[n,h,t,u] - sum(j, p_bar[n,h,t,j]*p[n,h,t,j]))*p[n,h,t,u]",
        "Wq_bar[h,d,e] = sum(n, t, q_bar[n,h,t,d]*x[n,t,e])",
    ),
    "rotary_positions_by_halves": (
        "r_bar[n,t,i] = g[n,t,i]*sin(a[t,i])",
        "x_bar[n,t,i] = r_bar[n,t,i+D] + g[n,t,i]*cos(a[t,i]) - r_bar[n,t,i-D]",
    ),
    "sinusoidal_positions": ("x_bar[n,t,i] = g[n,t,i]",),
    "swiglu": (
        "v_bar[n,k] = h_bar[n,k]*silu(u[n,k])",
        "x_bar[n,d] = sum(k, u_bar[n,k]*W[k,d] + v_bar[n,k]*V[k,d])",
    ),
    "rnn": (
        "h_bar[n,t,i] = sum(j, a_bar[n,t+1,j]*U[j,i]) + g[n,t,i]",
        "a_bar[n,t,i] = h_bar[n,t,i]*(1 - h[n,t,i]^2)",
        "U_bar[i,j] = sum(n, t, a_bar[n,t,i]*h[n,t-1,j])",
        "h0_bar[n,i] = h_bar[n,0,i]",
    ),
    "lstm": (
        "c_bar[n,t,k] = (c_bar[n,t+1,k]*f[n,t+1,k] + h_bar[n,t,k]*o[n,t,k]*(1 - tanh(c[n,t,k])^2))",
        "ao_bar[n,t,k] = h_bar[n,t,k]*tanh(c[n,t,k])*o[n,t,k]*(1 - o[n,t,k])",
        "af_bar[n,t,k] = c_bar[n,t,k]*c[n,t-1,k]*f[n,t,k]*(1 - f[n,t,k])",
        "ai_bar[n,t,k] = c_bar[n,t,k]*u[n,t,k]*i[n,t,k]*(1 - i[n,t,k])",
        "au_bar[n,t,k] = c_bar[n,t,k]*i[n,t,k]*(1 - u[n,t,k]^2)",
        "c0_bar[n,k] = c_bar[n,0,k]",
    ),
    "gru": (
        "ac_bar[n,t,k] = h_bar[n,t,k]*(1 - z[n,t,k])*(1 - c[n,t,k]^2)",
        "m_bar[n,t,k] = ac_bar[n,t,k]*r[n,t,k]",
        "az_bar[n,t,k] = h_bar[n,t,k]*(h[n,t-1,k] - c[n,t,k])*z[n,t,k]*(1 - z[n,t,k])",
        "ar_bar[n,t,k] = ac_bar[n,t,k]*m[n,t,k]*r[n,t,k]*(1 - r[n,t,k])",
    ),
    "last_step": ("x_bar[n,t:T,i] = where(t == T, g[n,i], 0)",),
    "reversed_steps": ("x_bar[n,j:T,i] = g[n,T-j+1,i]",),
}


def printed(text: str) -> list[str]:
    """The definitions of a text, each on one line with no spaces, which depend on where it is broken."""
    return ["".join(line.split()) for line in text.replace("\n ", " ").splitlines()]


@pytest.mark.parametrize("name", TEXTBOOK)
def test_it_prints_as_a_textbook_has_it(name: str) -> None:
    """The lines of the textbook are among those that are printed."""
    lines = printed(sb.find_entry(name).derivation.text())

    assert [line for line in TEXTBOOK[name] if "".join(line.split()) not in lines] == [], lines
