"""Ten programs of our own, with sizes for numbers and the smallest sizes that keep their meaning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class OracleProgram:
    """A program, sizes at which it is run, and small sizes at which it is written out."""

    name: str
    text: str
    sizes: Mapping[str, int]
    smallest: Mapping[str, int]
    small_text: str = ""
    """The text that is written out where its own literal sizes are too large for `sympy.diff`."""


SEED_TEXT = """
    input x[3], y[3]
    param W1[3,3], b1[3], W2[3,3], b2[3], W3[3,3], b3[3], W4[3,3], b4[3]
    z1[i] = sum(j, W1[i,j]*x[j]) + b1[i]
    a1[i] = sigmoid(z1[i])
    z2[i] = sum(j, W2[i,j]*a1[j]) + b2[i]
    a2[i] = sigmoid(z2[i])
    z3[i] = sum(j, W3[i,j]*a2[j]) + b3[i]
    a3[i] = sigmoid(z3[i])
    z4[i] = sum(j, W4[i,j]*a3[j]) + b4[i]
    loss  = mean(i, (z4[i] - y[i])^2)
    """
SEED_NETWORK = OracleProgram(
    "the seed's 3-3-3-3-3 network", SEED_TEXT, {}, {}, SEED_TEXT.replace("3,3]", "2,2]").replace("[3]", "[2]")
)

CLASSIFIER = OracleProgram(
    "tanh network with cross-entropy",
    """
    input x[N,D], y[N,K]
    param W1[H,D], b1[H], W2[K,H], b2[K]
    assume sum(k, y[n,k]) = 1
    z1[n,h] = sum(d, W1[h,d]*x[n,d]) + b1[h]
    a1[n,h] = tanh(z1[n,h])
    z2[n,k] = sum(h, W2[k,h]*a1[n,h]) + b2[k]
    p[n,k]  = exp(z2[n,k]) / sum(j, exp(z2[n,j]))
    loss    = -sum(n, k, y[n,k]*log(p[n,k])) / N
    """,
    {"N": 4, "D": 3, "H": 5, "K": 2},
    {"N": 2, "D": 1, "H": 2, "K": 2},
)

LAYER_NORM = OracleProgram(
    "layer normalisation",
    """
    input x[N,D], y[N,D]
    param W[D,D], g[D], b[D]
    const eps
    assume eps > 0
    u[n,i]   = sum(j, W[i,j]*x[n,j])
    mu[n]    = mean(i, u[n,i])
    v[n]     = mean(i, (u[n,i] - mu[n])^2)
    out[n,i] = g[i]*(u[n,i] - mu[n])/sqrt(v[n] + eps) + b[i]
    loss     = mean(n, i, (out[n,i] - y[n,i])^2)
    """,
    {"N": 3, "D": 4},
    {"N": 1, "D": 2},
)

ATTENTION = OracleProgram(
    "softmax attention",
    """
    input X[T,D], Y[T,D]
    param A[D,D], B[D,D], C[D,D]
    q[t,i] = sum(j, A[i,j]*X[t,j])
    k[t,i] = sum(j, B[i,j]*X[t,j])
    v[t,i] = sum(j, C[i,j]*X[t,j])
    s[t,u] = sum(i, q[t,i]*k[u,i])/sqrt(D)
    p[t,u] = exp(s[t,u]) / sum(r, exp(s[t,r]))
    o[t,i] = sum(u, p[t,u]*v[u,i])
    loss   = sum(t, i, (o[t,i] - Y[t,i])^2) / (T*D)
    """,
    {"T": 4, "D": 3},
    {"T": 2, "D": 1},
)

LOGISTIC_REGRESSION = OracleProgram(
    "logistic regression with a ridge",
    """
    input X[N,D], y[N]
    param w[D], c
    const lam
    z[n] = sum(d, X[n,d]*w[d]) + c
    loss = mean(n, softplus(z[n]) - y[n]*z[n]) + lam*sum(d, w[d]^2)/2
    """,
    {"N": 6, "D": 3},
    {"N": 2, "D": 2},
)

FACTORISATION = OracleProgram(
    "matrix factorisation",
    """
    input M[R,S]
    param U[R,K], V[S,K], a[R], b[S], mu
    f[r,s] = sum(k, U[r,k]*V[s,k]) + a[r] + b[s] + mu
    loss   = sum(r, s, (M[r,s] - f[r,s])^2)/2 + 0.1*(sum(r, k, U[r,k]^2) + sum(s, k, V[s,k]^2))
    """,
    {"R": 4, "S": 3, "K": 2},
    {"R": 2, "S": 1, "K": 2},
)

COSINE = OracleProgram(
    "cosine similarity",
    """
    input x[N,D], y[N,D]
    param W[K,D], V[K,D]
    u[n,k] = sum(d, W[k,d]*x[n,d])
    v[n,k] = sum(d, V[k,d]*y[n,d])
    c[n]   = sum(k, u[n,k]*v[n,k]) / (sqrt(sum(k, u[n,k]^2) + 1e-3)*sqrt(sum(k, v[n,k]^2) + 1e-3))
    loss   = 1 - mean(n, c[n])
    """,
    {"N": 3, "D": 2, "K": 4},
    {"N": 1, "D": 2, "K": 2},
)

GATED_CELL = OracleProgram(
    "two steps of a gated cell",
    """
    input x[N,D], x2[N,D], y[N,H], h0[N,H]
    param Wz[H,D], Uz[H,H], bz[H], Wh[H,D], Uh[H,H], bh[H]
    z1[n,i] = sigmoid(sum(d, Wz[i,d]*x[n,d]) + sum(j, Uz[i,j]*h0[n,j]) + bz[i])
    c1[n,i] = tanh(sum(d, Wh[i,d]*x[n,d]) + sum(j, Uh[i,j]*z1[n,j]*h0[n,j]) + bh[i])
    h1[n,i] = (1 - z1[n,i])*h0[n,i] + z1[n,i]*c1[n,i]
    z2[n,i] = sigmoid(sum(d, Wz[i,d]*x2[n,d]) + sum(j, Uz[i,j]*h1[n,j]) + bz[i])
    c2[n,i] = tanh(sum(d, Wh[i,d]*x2[n,d]) + sum(j, Uh[i,j]*z2[n,j]*h1[n,j]) + bh[i])
    h2[n,i] = (1 - z2[n,i])*h1[n,i] + z2[n,i]*c2[n,i]
    loss    = mean(n, i, (h2[n,i] - y[n,i])^2)
    """,
    {"N": 2, "D": 3, "H": 3},
    {"N": 1, "D": 1, "H": 1},
)

ROBUST_MIXTURE = OracleProgram(
    "relu, huber and where",
    """
    input x[N,D], y[N]
    param W[H,D], b[H], v[H], t
    a[n,h] = relu(sum(d, W[h,d]*x[n,d]) + b[h])
    q[n,h] = where(a[n,h] > t and h != 1, a[n,h]^2, leaky_relu(b[h] - a[n,h], 0.2))
    r[n]   = sum(h, v[h]*q[n,h]) - y[n]
    e[n]   = where(abs(r[n]) <= 1, r[n]^2/2, abs(r[n]) - 1/2)
    s      = log(sum(n, exp(e[n])))
    loss   = s + maximum(sum(h, v[h]), t)/10 + mean(n, elu(r[n]))
    """,
    {"N": 4, "D": 3, "H": 5},
    {"N": 2, "D": 1, "H": 2},
)

QUADRATIC_FORMS = OracleProgram(
    "quadratic forms, traces and shadowed names",
    """
    input x[D]
    param W[D,D], V[D,D], c
    tr    = sum(i, W[i,i])
    sq    = sum(i, j, W[i,j]*W[j,i])
    f     = sum(i, j, x[i]*W[i,j]*x[j])
    g[i]  = sum(j, V[i,j]*x[j]) + sum(i, V[i,i]*x[i])
    h[i]  = g[i]*sum(i, g[i]^2 + sum(i, c*V[i,i]))
    r     = sum(i, sin(h[i])) + c*tr
    only1[i:1] = f*c
    loss  = tanh(tr*sq) + r^2/(1 + f^2) + sum(i, only1[i]) + sum(k:2, k*c)/D
    """,
    {"D": 3},
    {"D": 2},
)

ORACLE_PROGRAMS = (
    SEED_NETWORK,
    CLASSIFIER,
    LAYER_NORM,
    ATTENTION,
    LOGISTIC_REGRESSION,
    FACTORISATION,
    COSINE,
    GATED_CELL,
    ROBUST_MIXTURE,
    QUADRATIC_FORMS,
)
