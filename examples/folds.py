"""Keeps examples/folds.md true: the derivatives of textbook formulas, folded back into their own names.

Run it to check the document, with `--write` to write it anew.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import symbackprop as sb

DOCUMENT = Path(__file__).with_name("folds.md")
OPENING = """# Folds

The chain rule alone gives derivatives in terms of `exp`, `tanh` and roots. Folding puts them back into the names of the
program. Nothing here knows a layer: each line below follows from the program above it, every step is proved for all
sizes, and the folded adjoints are compared with the unfolded ones in numbers. This page is written by
`examples/folds.py`, and a test compares it with what is derived now.

Each program reads a gradient `g` that flows in from above, or ends in a loss. `x_bar` is the derivative of the loss by
`x`; a read outside of a tensor is 0.
"""


@dataclass(frozen=True)
class Case:
    """A program whose folded derivatives are shown; `note` says what to look at."""

    title: str
    note: str
    program: str
    wrt: tuple[str, ...] = ()
    notation: str = "matrix"

    def derive(self) -> sb.Derivation:
        """The derivation that is shown."""
        return sb.derive(sb.parse(self.text), wrt=self.wrt or None)

    @property
    def text(self) -> str:
        """The program without the indentation that it has here."""
        return dedent(self.program).strip()


CASES = (
    Case(
        "Sigmoid with squared error",
        "S'(z) is a(1 - a), since a is S(z).",
        """
        input x[N,D], y[N,K]
        param W[K,D], b[K]
        z[n,k] = sum(d, W[k,d]*x[n,d]) + b[k]
        a[n,k] = 1/(1 + exp(-z[n,k]))
        loss = mean(n, k, (a[n,k] - y[n,k])^2)
        """,
    ),
    Case(
        "Tanh",
        "The derivative is written with the value.",
        """
        input g[N,K]
        param z[N,K]
        a[n,k] = tanh(z[n,k])
        loss = sum(n, k, g[n,k]*a[n,k])
        """,
    ),
    Case(
        "Softplus",
        "Its derivative is the sigmoid.",
        """
        input g[N]
        param z[N]
        a[n] = log(1 + exp(z[n]))
        loss = sum(n, g[n]*a[n])
        """,
    ),
    Case(
        "Softmax with cross-entropy",
        "Under the assumption that the targets of a sample sum to 1.",
        """
        input y[N,K]
        param z[N,K]
        assume sum(k, y[n,k]) = 1
        p[n,k] = exp(z[n,k])/sum(j, exp(z[n,j]))
        loss = -mean(n, sum(k, y[n,k]*log(p[n,k])))
        """,
    ),
    Case(
        "Softmax with cross-entropy, any targets",
        "Without the assumption the sum of the targets stays.",
        """
        input y[N,K]
        param z[N,K]
        p[n,k] = exp(z[n,k])/sum(j, exp(z[n,j]))
        loss = -mean(n, sum(k, y[n,k]*log(p[n,k])))
        """,
    ),
    Case(
        "Softmax with the maximum taken off",
        "The path through the maximum, and its argmax, cancel.",
        """
        input y[N,K]
        param z[N,K]
        assume sum(k, y[n,k]) = 1
        m[n] = max(k, z[n,k])
        e[n,k] = exp(z[n,k] - m[n])
        p[n,k] = e[n,k]/sum(j, e[n,j])
        loss = -mean(n, sum(k, y[n,k]*log(p[n,k])))
        """,
    ),
    Case(
        "Cross-entropy with class labels",
        "The label of a sample is an entry of an index tensor.",
        """
        index t[N] in K
        param z[N,K]
        p[n,k] = exp(z[n,k])/sum(j, exp(z[n,j]))
        loss = -mean(n, log(p[n,t[n]]))
        """,
    ),
    Case(
        "Layer norm",
        "(1/s)(g - mean(g) - xhat mean(g xhat)), with g the gradient by xhat.",
        """
        input g[N,D]
        param x[N,D], gamma[D], beta[D]
        const eps
        assume eps > 0
        mu[n] = mean(d, x[n,d])
        s[n] = sqrt(mean(d, (x[n,d] - mu[n])^2) + eps)
        xhat[n,d] = (x[n,d] - mu[n])/s[n]
        o[n,d] = gamma[d]*xhat[n,d] + beta[d]
        loss = sum(n, d, g[n,d]*o[n,d])
        """,
    ),
    Case(
        "RMS norm",
        "Without the mean there is no mean of the gradient to take off.",
        """
        input g[N,D]
        param x[N,D], gamma[D]
        const eps
        assume eps > 0
        r[n] = sqrt(mean(d, x[n,d]^2) + eps)
        xhat[n,d] = x[n,d]/r[n]
        o[n,d] = gamma[d]*xhat[n,d]
        loss = sum(n, d, g[n,d]*o[n,d])
        """,
    ),
    Case(
        "Batch norm",
        "As layer norm, with the means over the batch.",
        """
        input g[N,D]
        param x[N,D], gamma[D], beta[D]
        const eps
        assume eps > 0
        mu[d] = mean(n, x[n,d])
        s[d] = sqrt(mean(n, (x[n,d] - mu[d])^2) + eps)
        xhat[n,d] = (x[n,d] - mu[d])/s[d]
        o[n,d] = gamma[d]*xhat[n,d] + beta[d]
        loss = sum(n, d, g[n,d]*o[n,d])
        """,
    ),
    Case(
        "Attention",
        "P o (dP - rowsum(dP o P)).",
        """
        input g[T,E]
        param Q[T,D], K[U,D], V[U,E]
        s[t,u] = sum(d, Q[t,d]*K[u,d])/sqrt(D)
        P[t,u] = exp(s[t,u])/sum(v, exp(s[t,v]))
        O[t,e] = sum(u, P[t,u]*V[u,e])
        loss = sum(t, e, g[t,e]*O[t,e])
        """,
    ),
    Case(
        "Causal attention",
        "The mask needs no mention in the gradient: P is 0 where it is.",
        """
        input g[T,E]
        param Q[T,D], K[T,D], V[T,E]
        s[t,u] = sum(d, Q[t,d]*K[u,d])/sqrt(D)
        w[t,u] = where(u <= t, exp(s[t,u]), 0)
        P[t,u] = w[t,u]/sum(v, w[t,v])
        O[t,e] = sum(u, P[t,u]*V[u,e])
        loss = sum(t, e, g[t,e]*O[t,e])
        """,
    ),
    Case(
        "InfoNCE",
        "The Kronecker delta marks the pairs that belong together.",
        """
        const tau
        param q[N,D], k[N,D]
        s[n,m] = sum(d, q[n,d]*k[m,d])/tau
        p[n,m] = exp(s[n,m])/sum(j, exp(s[n,j]))
        loss = -mean(n, log(p[n,n]))
        """,
    ),
    Case(
        "Backpropagation through time",
        "The adjoint is a recurrence from the last step to the first.",
        """
        input x[T,D], y[T,H]
        param W[H,D], U[H,H], b[H], h0[H]
        h[0,i] = h0[i]
        z[t,i] = sum(d, W[i,d]*x[t,d]) + sum(j, U[i,j]*h[t-1,j]) + b[i]
        h[t,i] = tanh(z[t,i])
        loss = sum(t:T, i, (h[t,i] - y[t,i])^2)/2
        """,
        notation="index",
    ),
    Case(
        "LSTM",
        "The gates i, f, o and the candidate u, over T steps.",
        """
        input x[T,D], g[T,H]
        param Wi[H,D], Wf[H,D], Wo[H,D], Wu[H,D], Ui[H,H], Uf[H,H], Uo[H,H], Uu[H,H]
        zi[t,j] = sum(d, Wi[j,d]*x[t,d]) + sum(k, Ui[j,k]*h[t-1,k])
        zf[t,j] = sum(d, Wf[j,d]*x[t,d]) + sum(k, Uf[j,k]*h[t-1,k])
        zo[t,j] = sum(d, Wo[j,d]*x[t,d]) + sum(k, Uo[j,k]*h[t-1,k])
        zu[t,j] = sum(d, Wu[j,d]*x[t,d]) + sum(k, Uu[j,k]*h[t-1,k])
        i[t,j] = sigmoid(zi[t,j])
        f[t,j] = sigmoid(zf[t,j])
        o[t,j] = sigmoid(zo[t,j])
        u[t,j] = tanh(zu[t,j])
        c[t,j] = f[t,j]*c[t-1,j] + i[t,j]*u[t,j]
        h[t,j] = o[t,j]*tanh(c[t,j])
        loss = sum(t, j, g[t,j]*h[t,j])
        """,
        notation="index",
    ),
    Case(
        "GRU",
        "The update gate z, the reset gate r and the candidate c, over T steps.",
        """
        input x[T,D], g[T,H]
        param Wz[H,D], Wr[H,D], Wc[H,D], Uz[H,H], Ur[H,H], Uc[H,H]
        az[t,j] = sum(d, Wz[j,d]*x[t,d]) + sum(k, Uz[j,k]*h[t-1,k])
        ar[t,j] = sum(d, Wr[j,d]*x[t,d]) + sum(k, Ur[j,k]*h[t-1,k])
        z[t,j] = sigmoid(az[t,j])
        r[t,j] = sigmoid(ar[t,j])
        ac[t,j] = sum(d, Wc[j,d]*x[t,d]) + sum(k, Uc[j,k]*r[t,k]*h[t-1,k])
        c[t,j] = tanh(ac[t,j])
        h[t,j] = (1 - z[t,j])*c[t,j] + z[t,j]*h[t-1,j]
        loss = sum(t, j, g[t,j]*h[t,j])
        """,
        notation="index",
    ),
    Case(
        "Convolution",
        "The gradient by the input is a correlation with the flipped kernel.",
        """
        input x[N,C,H,W], g[N,K,H-R+1,W-S+1]
        param w[K,C,R,S]
        y[n,k,p:H-R+1,q:W-S+1] = sum(c, r, s, w[k,c,r,s]*x[n,c,p+r-1,q+s-1])
        loss = sum(n, k, p, q, g[n,k,p,q]*y[n,k,p,q])
        """,
        ("x", "w"),
        notation="index",
    ),
    Case(
        "Embedding",
        "The gradient of a gather is a scatter-add.",
        """
        index tok[N] in V
        input g[N,D]
        param E[V,D]
        e[n,d] = E[tok[n],d]
        loss = sum(n, d, g[n,d]*e[n,d])
        """,
    ),
    Case(
        "Max pooling",
        "All of the gradient goes to the first of the largest entries.",
        """
        input x[N,2*P], g[N,P]
        y[n,p:P] = max(r:2, x[n,2*p+r-2])
        loss = sum(n, p, g[n,p]*y[n,p])
        """,
        ("x",),
        notation="index",
    ),
    Case(
        "Logistic regression, second derivative",
        "X^T diag(p(1 - p)) X / N.",
        """
        input X[N,D], y[N]
        param w[D]
        p[n] = sigmoid(sum(d, X[n,d]*w[d]))
        loss = -mean(n, y[n]*log(p[n]) + (1 - y[n])*log(1 - p[n]))
        """,
    ),
)
SECOND_ORDER = frozenset({"Logistic regression, second derivative"})


def derivation_of(case: Case) -> sb.Derivation:
    """What a case shows: the gradients, or the Hessian."""
    derived = case.derive()
    return derived.hessian() if case.title in SECOND_ORDER else derived


def write_case(case: Case) -> str:
    """One section of the document."""
    derived = derivation_of(case)
    formula = derived.latex(case.notation).replace("{align*}", "{aligned}")
    verdict = str(derived.certify())
    parts = [f"## {case.title}", case.note, f"```text\n{case.text}\n```", f"```text\n{derived.text().strip()}\n```"]
    parts += [f"$$\n{formula}\n$$", f"Every fold proved again: **{verdict[:1].lower()}{verdict[1:].rstrip('.')}**."]
    return "\n\n".join(parts)


def render() -> str:
    """The document as it should be."""
    return "\n\n".join([OPENING.strip(), *map(write_case, CASES)]) + "\n"


def main() -> int:
    """Check the document, or write it with --write."""
    wanted = render()
    if "--write" in sys.argv[1:]:
        DOCUMENT.write_text(wanted, encoding="utf-8")
        return 0
    if DOCUMENT.read_text(encoding="utf-8") == wanted:
        print(f"{DOCUMENT.name}: every fold stands as it is derived.")
        return 0
    print(f"{DOCUMENT.name} is out of date; run python examples/folds.py --write", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
