"""examples/folds.md says what symbackprop derives, line by line what a textbook has, and each fold is proved."""

from __future__ import annotations

import runpy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sympy

import symbackprop as sb
from symbackprop.calculus.foldsteps import check_step
from symbackprop.proof.certificates import certify

EXAMPLE = Path(__file__).parent.parent / "examples" / "folds.py"
SCRIPT: dict[str, Any] = runpy.run_path(str(EXAMPLE))
CASES = {case.title: case for case in SCRIPT["CASES"]}
NORM = "xhat_bar[n,d] = g[n,d]*gamma[d]"
TEXTBOOK: dict[str, tuple[str, ...]] = {
    "Sigmoid with squared error": ("z_bar[n,k] = 2*a[n,k]*(1 - a[n,k])*(a[n,k] - y[n,k])/(N*K)",),
    "Tanh": ("z_bar[n,k] = g[n,k]*(1 - a[n,k]^2)",),
    "Softplus": ("z_bar[n] = g[n]*sigmoid(z[n])",),
    "Softmax with cross-entropy": ("z_bar[n,j] = (p[n,j] - y[n,j])/N",),
    "Softmax with cross-entropy, any targets": ("z_bar[n,j] = (p[n,j]*sum(k, y[n,k]) - y[n,j])/N",),
    "Softmax with the maximum taken off": ("z_bar[n,k] = (p[n,k] - y[n,k])/N",),
    "Cross-entropy with class labels": ("z_bar[n,j] = (p[n,j] - where(j == t[n], 1, 0))/N",),
    "Layer norm": (
        NORM,
        "x_bar[n,d] = ((xhat_bar[n,d] - mean(f, xhat_bar[n,f]) - xhat[n,d]*mean(f, xhat_bar[n,f]*xhat[n,f]))/s[n])",
    ),
    "RMS norm": (NORM, "x_bar[n,d] = (xhat_bar[n,d] - xhat[n,d]*mean(f, xhat_bar[n,f]*xhat[n,f]))/r[n]"),
    "Batch norm": (
        NORM,
        "x_bar[n,d] = ((xhat_bar[n,d] - mean(p, xhat_bar[p,d]) - xhat[n,d]*mean(p, xhat_bar[p,d]*xhat[p,d]))/s[d])",
    ),
    "Attention": (
        "P_bar[t,u] = sum(e, g[t,e]*V[u,e])",
        "s_bar[t,u] = (P_bar[t,u] - sum(v, P_bar[t,v]*P[t,v]))*P[t,u]",
        "V_bar[u,e] = sum(t, g[t,e]*P[t,u])",
        "Q_bar[t,d] = sum(u, s_bar[t,u]*K[u,d])/sqrt(D)",
        "K_bar[u,d] = sum(t, s_bar[t,u]*Q[t,d])/sqrt(D)",
    ),
    "Causal attention": ("s_bar[t,u] = (P_bar[t,u] - sum(v, P_bar[t,v]*P[t,v]))*P[t,u]",),
    "InfoNCE": (
        "s_bar[n,m] = (p[n,m] - where(m == n, 1, 0))/N",
        "q_bar[n,d] = sum(m, s_bar[n,m]*k[m,d])/tau",
    ),
    "Backpropagation through time": (
        "h_bar[t,i] = sum(j, z_bar[t+1,j]*U[j,i]) + h[t,i] - y[t,i]",
        "h_bar[0,i] = sum(j, z_bar[1,j]*U[j,i])",
        "z_bar[t,i] = h_bar[t,i]*(1 - h[t,i]^2)",
        "U_bar[i,j] = sum(t, z_bar[t,i]*h[t-1,j])",
        "b_bar[i] = sum(t, z_bar[t,i])",
    ),
    "LSTM": (
        "c_bar[t,j] = c_bar[t+1,j]*f[t+1,j] + h_bar[t,j]*o[t,j]*(1 - tanh(c[t,j])^2)",
        "zo_bar[t,j] = h_bar[t,j]*tanh(c[t,j])*o[t,j]*(1 - o[t,j])",
        "zf_bar[t,j] = c_bar[t,j]*c[t-1,j]*f[t,j]*(1 - f[t,j])",
        "zi_bar[t,j] = c_bar[t,j]*u[t,j]*i[t,j]*(1 - i[t,j])",
        "zu_bar[t,j] = c_bar[t,j]*i[t,j]*(1 - u[t,j]^2)",
    ),
    "GRU": (
        "ac_bar[t,j] = h_bar[t,j]*(1 - z[t,j])*(1 - c[t,j]^2)",
        "az_bar[t,j] = h_bar[t,j]*(h[t-1,j] - c[t,j])*z[t,j]*(1 - z[t,j])",
        "ar_bar[t,j] = h[t-1,j]*r[t,j]*(1 - r[t,j])*sum(k, ac_bar[t,k]*Uc[k,j])",
    ),
    "Convolution": ("x_bar[n,c,h:H,i:W] = sum(k, r, s, g[n,k,h-r+1,i-s+1]*w[k,c,r,s])",),
    "Embedding": ("E_bar[v:V,d] = sum(n, where(tok[n] == v, g[n,d], 0))",),
    "Max pooling": (
        "x_bar[n,i:2*P] = where(2*((i + 1)//2) + argmax(r:2, x[n,2*((i+1)//2)+r-2]) == i + 2, g[n,(i+1)//2], 0)",
    ),
    "Logistic regression, second derivative": ("w_bar_by_w[d,f] = mean(n, X[n,d]*X[n,f]*p[n]*(1 - p[n]))",),
}


@pytest.fixture(scope="module")
def derivations() -> dict[str, sb.Derivation]:
    """What the document shows, by title."""
    return {title: SCRIPT["derivation_of"](case) for title, case in CASES.items()}


def test_the_document_is_up_to_date() -> None:
    """The text, the formulas and the verdicts in the document are those that are derived now."""
    assert EXAMPLE.with_suffix(".md").read_text(encoding="utf-8") == SCRIPT["render"]()


def test_every_case_has_a_textbook_form() -> None:
    """No case is shown without a line that is expected of it."""
    assert list(TEXTBOOK) == list(CASES)


@pytest.mark.parametrize("title", CASES)
def test_it_prints_as_a_textbook_has_it(title: str, derivations: dict[str, sb.Derivation]) -> None:
    """The lines of the textbook are among those that are printed."""
    text = derivations[title].text().replace("\n ", " ")
    printed = [" ".join(line.split()) for line in text.splitlines()]

    assert [line for line in TEXTBOOK[title] if line not in printed] == [], printed


@pytest.mark.parametrize("title", CASES)
def test_it_is_certified_and_a_wrong_fold_is_not(title: str, derivations: dict[str, sb.Derivation]) -> None:
    """Each step is proved for all sizes; with a factor too many it is not, and numbers refute the whole."""
    derived = derivations[title]
    program, folding = derived.core.program.extended(derived.core.definitions), derived.folding
    verdict = derived.certify()
    assert verdict.proved, str(verdict)
    assert verdict.for_all_sizes
    definitions = [d for d in folding.definitions if d.tensor.name == derived.core.adjoint_name(derived.core.wrt[-1])]
    (last,) = definitions
    first, *others = last.terms
    wrong = replace(last, terms=(replace(first, body=first.body * sympy.Rational(1001, 1000)), *others))
    spoiled = replace(folding, definitions=tuple(wrong if d is last else d for d in folding.definitions))
    for step in folding.steps[-1:]:
        main, *hidden = step.after
        if main.terms:
            term = replace(main.terms[0], body=main.terms[0].body * 2)
            doubled = replace(step, after=(replace(main, terms=(term, *main.terms[1:])), *hidden))
            assert not check_step(program, doubled, derived.core.program.assumptions)

    assert certify(derived.core, spoiled).refuted
