"""Attention, positions, gates and recurrence, as formula text."""

from __future__ import annotations

from symbackprop.networks.connections import GOODFELLOW
from symbackprop.networks.fragments import Fragment

VASWANI = "Vaswani et al. 2017, Attention is all you need, "

ATTENTION = Fragment(
    "attention",
    """
    input q[...,T,D], k[...,U,D], v[...,U,F]
    s[...,t,u] = sum(d, q[...,t,d]*k[...,u,d])/sqrt(D)
    p[...,t,u] = exp(s[...,t,u])/sum(j, exp(s[...,t,j]))
    z[...,t,f] = sum(u, p[...,t,u]*v[...,u,f])
    """,
    VASWANI + "equation 1",
    ({"N": 2, "T": 2, "U": 3, "D": 2, "F": 1}, {"N": 1, "T": 3, "U": 2, "D": 3, "F": 2}),
)
CAUSAL_ATTENTION = Fragment(
    "causal_attention",
    """
    input q[...,T,D], k[...,T,D], v[...,T,F]
    s[...,t,u] = sum(d, q[...,t,d]*k[...,u,d])/sqrt(D)
    w[...,t,u] = where(u <= t, exp(s[...,t,u]), 0)
    p[...,t,u] = w[...,t,u]/sum(j, w[...,t,j])
    z[...,t,f] = sum(u, p[...,t,u]*v[...,u,f])
    """,
    VASWANI + "section 3.2.3",
    ({"N": 2, "T": 3, "D": 2, "F": 1}, {"N": 1, "T": 4, "D": 1, "F": 2}),
)
MASKED_ATTENTION = Fragment(
    "masked_attention",
    """
    input q[...,T,D], k[...,U,D], v[...,U,F], m[T,U]
    s[...,t,u] = sum(d, q[...,t,d]*k[...,u,d])/sqrt(D) + m[t,u]
    p[...,t,u] = exp(s[...,t,u])/sum(j, exp(s[...,t,j]))
    z[...,t,f] = sum(u, p[...,t,u]*v[...,u,f])
    """,
    VASWANI + "section 3.2.3",
    ({"N": 2, "T": 2, "U": 3, "D": 2, "F": 1}, {"N": 1, "T": 3, "U": 2, "D": 3, "F": 2}),
)


def _attend(name: str, source: str, weight: str, inputs: str = "", added: str = "") -> Fragment:
    """Attention of a sequence to itself in H heads: its weights before they are divided by their sum, a mask."""
    text = f"""
    input x[...,T,M]{inputs}
    param Wq[H,D,M], Wk[H,D,M], Wv[H,D,M], Wo[M,H,D]
    q[...,h,t,d] = sum(e, Wq[h,d,e]*x[...,t,e])
    k[...,h,t,d] = sum(e, Wk[h,d,e]*x[...,t,e])
    v[...,h,t,d] = sum(e, Wv[h,d,e]*x[...,t,e])
    s[...,h,t,u] = sum(d, q[...,h,t,d]*k[...,h,u,d])/sqrt(D){added}
    w[...,h,t,u] = {weight}
    p[...,h,t,u] = w[...,h,t,u]/sum(j, w[...,h,t,j])
    o[...,h,t,d] = sum(u, p[...,h,t,u]*v[...,h,u,d])
    z[...,t,e] = sum(h, d, Wo[e,h,d]*o[...,h,t,d])
    """
    sizes = ({"N": 1, "T": 2, "M": 2, "H": 2, "D": 1}, {"N": 1, "T": 3, "M": 2, "H": 1, "D": 2})
    return Fragment(name, text, VASWANI + source, sizes)


MULTI_HEAD_ATTENTION = _attend("multi_head_attention", "section 3.2.2", "exp(s[...,h,t,u])")
CAUSAL_MULTI_HEAD_ATTENTION = _attend(
    "causal_multi_head_attention", "sections 3.2.2 and 3.2.3", "where(u <= t, exp(s[...,h,t,u]), 0)"
)
MASKED_MULTI_HEAD_ATTENTION = _attend(
    "masked_multi_head_attention", "sections 3.2.2 and 3.2.3", "exp(s[...,h,t,u])", ", m[T,T]", " + m[t,u]"
)
ROTARY_POSITIONS = Fragment(
    "rotary_positions",
    """
    input x[...,T,2*D]
    a[t:T,i:2*D] = (t - 1)/{base}^(where(i%2 == 1, i - 1, i - 2)/(2*D))
    r[...,t,i:2*D] = where(i%2 == 1, -x[...,t,i+1], x[...,t,i-1])
    z[...,t,i] = x[...,t,i]*cos(a[t,i]) + r[...,t,i]*sin(a[t,i])
    """,
    "Su et al. 2021, RoFormer: enhanced transformer with rotary position embedding, equation 34",
    ({"N": 1, "T": 3, "D": 2}, {"N": 2, "T": 2, "D": 1}),
    {"base": 10000},
)
ROTARY_POSITIONS_BY_HALVES = Fragment(
    "rotary_positions_by_halves",
    """
    input x[...,T,2*D]
    a[t:T,i:2*D] = (t - 1)/{base}^(where(i <= D, i - 1, i - 1 - D)/D)
    r[...,t,i:2*D] = x[...,t,i-D] - x[...,t,i+D]
    z[...,t,i] = x[...,t,i]*cos(a[t,i]) + r[...,t,i]*sin(a[t,i])
    """,
    "Black et al. 2022, GPT-NeoX-20B: an open-source autoregressive language model, whose pairs are i and i + D",
    ({"N": 1, "T": 3, "D": 2}, {"N": 2, "T": 2, "D": 1}),
    {"base": 10000},
)
SINUSOIDAL_POSITIONS = Fragment(
    "sinusoidal_positions",
    """
    input x[...,T,D]
    e[t:T,i:D] = where(i%2 == 1, sin((t - 1)/{base}^((i - 1)/D)), cos((t - 1)/{base}^((i - 2)/D)))
    z[...,t,i] = x[...,t,i] + e[t,i]
    """,
    VASWANI + "section 3.5",
    ({"N": 2, "T": 3, "D": 2}, {"N": 1, "T": 2, "D": 3}),
    {"base": 10000},
)
LEARNED_POSITIONS = Fragment(
    "learned_positions",
    "input x[...,T,D]\nparam P[T,D]\nz[...,t,i] = x[...,t,i] + P[t,i]",
    "Gehring et al. 2017, Convolutional sequence to sequence learning, section 3.1",
    ({"N": 2, "T": 3, "D": 2}, {"N": 1, "T": 2, "D": 3}),
)
FEED_FORWARD = Fragment(
    "feed_forward",
    """
    input x[...,D]
    param W[K,D], b[K], O[D,K], c[D]
    u[...,k] = sum(d, W[k,d]*x[...,d]) + b[k]
    h[...,k] = {function}(u[...,k])
    z[...,d] = sum(k, O[d,k]*h[...,k]) + c[d]
    """,
    VASWANI + "equation 2",
    ({"N": 2, "D": 2, "K": 3}, {"N": 3, "D": 3, "K": 2}),
    {"function": "relu"},
)


def _feed_gated(name: str, function: str) -> Fragment:
    """A feed-forward network whose hidden units are multiplied by a function of others."""
    text = f"""
    input x[...,D]
    param W[K,D], V[K,D], O[D,K]
    u[...,k] = sum(d, W[k,d]*x[...,d])
    v[...,k] = sum(d, V[k,d]*x[...,d])
    h[...,k] = {function}(u[...,k])*v[...,k]
    z[...,d] = sum(k, O[d,k]*h[...,k])
    """
    source = "Shazeer 2020, GLU variants improve transformer, equation 6"
    return Fragment(name, text, source, ({"N": 2, "D": 2, "K": 3}, {"N": 3, "D": 3, "K": 2}))


SWIGLU = _feed_gated("swiglu", "silu")
GEGLU = _feed_gated("geglu", "gelu")
RNN = Fragment(
    "rnn",
    """
    input x[...,T,D], h0[...,H]
    param W[H,D], U[H,H], b[H]
    h[...,0,i] = h0[...,i]
    a[...,t,i] = sum(d, W[i,d]*x[...,t,d]) + sum(j, U[i,j]*h[...,t-1,j]) + b[i]
    h[...,t,i] = {function}(a[...,t,i])
    """,
    GOODFELLOW + "equations 10.8 and 10.9",
    ({"N": 2, "T": 3, "D": 2, "H": 2}, {"N": 1, "T": 2, "D": 3, "H": 3}),
    {"function": "tanh"},
)


def _gate(name: str) -> str:
    """What a gate reads, from the input and from the step before."""
    return f"a{name}[...,t,k] = sum(d, W{name}[k,d]*x[...,t,d]) + sum(j, U{name}[k,j]*h[...,t-1,j]) + b{name}[k]"


LSTM = Fragment(
    "lstm",
    f"""
    input x[...,T,D], h0[...,H], c0[...,H]
    param Wi[H,D], Wf[H,D], Wo[H,D], Wu[H,D], Ui[H,H], Uf[H,H], Uo[H,H], Uu[H,H], bi[H], bf[H], bo[H], bu[H]
    c[...,0,k] = c0[...,k]
    h[...,0,k] = h0[...,k]
    {_gate("i")}
    {_gate("f")}
    {_gate("o")}
    {_gate("u")}
    i[...,t,k] = sigmoid(ai[...,t,k])
    f[...,t,k] = sigmoid(af[...,t,k])
    o[...,t,k] = sigmoid(ao[...,t,k])
    u[...,t,k] = tanh(au[...,t,k])
    c[...,t,k] = f[...,t,k]*c[...,t-1,k] + i[...,t,k]*u[...,t,k]
    h[...,t,k] = o[...,t,k]*tanh(c[...,t,k])
    """,
    "Gers, Schmidhuber, Cummins 2000, Learning to forget: continual prediction with LSTM",
    ({"N": 1, "T": 2, "D": 2, "H": 1}, {"N": 2, "T": 3, "D": 1, "H": 2}),
)
GRU = Fragment(
    "gru",
    f"""
    input x[...,T,D], h0[...,H]
    param Wr[H,D], Wz[H,D], Wc[H,D], Ur[H,H], Uz[H,H], Uc[H,H], br[H], bz[H], bc[H], bm[H]
    h[...,0,k] = h0[...,k]
    {_gate("r")}
    {_gate("z")}
    r[...,t,k] = sigmoid(ar[...,t,k])
    z[...,t,k] = sigmoid(az[...,t,k])
    m[...,t:T,k] = sum(j, Uc[k,j]*h[...,t-1,j]) + bm[k]
    ac[...,t,k] = sum(d, Wc[k,d]*x[...,t,d]) + bc[k] + r[...,t,k]*m[...,t,k]
    c[...,t,k] = tanh(ac[...,t,k])
    h[...,t,k] = (1 - z[...,t,k])*c[...,t,k] + z[...,t,k]*h[...,t-1,k]
    """,
    "Cho et al. 2014, Learning phrase representations using RNN encoder-decoder for statistical machine translation, "
    "the reset gate behind the product as in PyTorch",
    ({"N": 1, "T": 2, "D": 2, "H": 1}, {"N": 2, "T": 3, "D": 1, "H": 2}),
)
LAST = Fragment(
    "last_step",
    "input x[...,T,D]\nz[...,i] = x[...,T,i]",
    "Sutskever, Vinyals, Le 2014, Sequence to sequence learning with neural networks, section 2",
    ({"N": 2, "T": 3, "D": 2}, {"N": 1, "T": 2, "D": 3}),
)
STEP_MEAN = Fragment(
    "mean_over_steps",
    "input x[...,T,D]\nz[...,i] = mean(t, x[...,t,i])",
    "Arora, Liang, Ma 2017, A simple but tough-to-beat baseline for sentence embeddings",
    ({"N": 2, "T": 3, "D": 2}, {"N": 1, "T": 2, "D": 3}),
)
REVERSED = Fragment(
    "reversed_steps",
    "input x[...,T,D]\nz[...,t:T,i] = x[...,T+1-t,i]",
    "Schuster and Paliwal 1997, Bidirectional recurrent neural networks",
    ({"N": 2, "T": 3, "D": 2}, {"N": 1, "T": 2, "D": 3}),
)

SEQUENCES = (
    ATTENTION,
    CAUSAL_ATTENTION,
    MASKED_ATTENTION,
    MULTI_HEAD_ATTENTION,
    CAUSAL_MULTI_HEAD_ATTENTION,
    MASKED_MULTI_HEAD_ATTENTION,
    ROTARY_POSITIONS,
    ROTARY_POSITIONS_BY_HALVES,
    SINUSOIDAL_POSITIONS,
    LEARNED_POSITIONS,
    FEED_FORWARD,
    SWIGLU,
    GEGLU,
    RNN,
    LSTM,
    GRU,
    LAST,
    STEP_MEAN,
    REVERSED,
)
