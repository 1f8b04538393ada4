r"""Formulas of backpropagation as papers, books, lecture notes and posts write them, each beside a planted mistake.

The formulas are set as their sources set them, or as people copy them: the mistake in each is what keeps a misreading
from passing, because a formula that is read as something else is no longer told from its mistake.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import symbackprop as sb
from symbackprop.errors import SymBackpropError
from symbackprop.notation.reading import (
    AmbiguousFormulaError,
    MatrixClaim,
    UnknownCommandError,
    expand_layers,
    make_vocabulary,
    read_any_claim,
    read_block,
)
from symbackprop.proof.claims import judge_claim
from symbackprop.proof.matrix_claims import judge_matrix_claim
from symbackprop.proof.verdict import Verdict

PROGRAMS = {
    "mlp": """
        input x[D], y[K]
        param W1[H,D], b1[H], W2[K,H], b2[K]
        z1[j] = sum(d, W1[j,d]*x[d]) + b1[j]
        a1[j] = sigmoid(z1[j])
        z2[k] = sum(j, W2[k,j]*a1[j]) + b2[k]
        a2[k] = sigmoid(z2[k])
        loss = sum(k, (a2[k] - y[k])^2)/2""",
    "batch": """
        input X[N,D], Y[N,K]
        param W1[H,D], W2[K,H]
        Z1[n,j] = sum(d, W1[j,d]*X[n,d])
        A1[n,j] = tanh(Z1[n,j])
        Z2[n,k] = sum(j, W2[k,j]*A1[n,j])
        loss = sum(n, k, (Z2[n,k] - Y[n,k])^2)/(2*N)""",
    "neuron": """
        input x, y
        param w, b
        z = w*x + b
        a = sigmoid(z)
        loss = (a - y)^2/2""",
    "fit": """
        input X[N,D], y[N]
        param w[D]
        const lambda
        yhat[n] = sum(d, X[n,d]*w[d])
        loss = sum(n, (yhat[n] - y[n])^2)/2 + lambda*sum(d, w[d]^2)/2""",
    "logistic": """
        input X[m,n], y[m]
        param theta[n], b
        z[i] = sum(j, X[i,j]*theta[j]) + b
        h[i] = sigmoid(z[i])
        loss = -sum(i, y[i]*log(h[i]) + (1 - y[i])*log(1 - h[i]))/m""",
    "softmax": """
        input x[N,D], y[N,K]
        param W[K,D], b[K]
        assume sum(k, y[n,k]) = 1
        z[n,k] = sum(d, W[k,d]*x[n,d]) + b[k]
        p[n,k] = exp(z[n,k])/sum(j, exp(z[n,j]))
        loss = -sum(n, k, y[n,k]*log(p[n,k]))/N""",
    "labels": """
        param f[N,K]
        index y[N] in K
        p[n,k] = exp(f[n,k])/sum(j, exp(f[n,j]))
        loss = -sum(n, log(p[n,y[n]]))/N""",
    "distillation": """
        param z[K]
        input p[K]
        const T
        assume T > 0
        assume sum(i, p[i]) = 1
        q[i] = exp(z[i]/T)/sum(j, exp(z[j]/T))
        loss = -sum(i, p[i]*log(q[i]))""",
    "batchnorm": """
        input x[m], t[m]
        param gamma, beta
        const epsilon
        assume epsilon > 0
        mu = sum(i, x[i])/m
        v = sum(i, (x[i] - mu)^2)/m
        xhat[i] = (x[i] - mu)/sqrt(v + epsilon)
        y[i] = gamma*xhat[i] + beta
        loss = sum(i, (y[i] - t[i])^2)""",
    "layernorm": """
        input x[N,H], t[N,H]
        param g[H], b[H]
        mu[n] = mean(i, x[n,i])
        v[n] = mean(i, (x[n,i] - mu[n])^2)
        xhat[n,i] = (x[n,i] - mu[n])/sqrt(v[n])
        o[n,i] = g[i]*xhat[n,i] + b[i]
        loss = sum(n, i, (o[n,i] - t[n,i])^2)""",
    "lstm": """
        input x, h0, c0, y
        param Wf, Uf, Wi, Ui, Wo, Uo, Wc, Uc
        f = sigmoid(Wf*x + Uf*h0)
        i = sigmoid(Wi*x + Ui*h0)
        o = sigmoid(Wo*x + Uo*h0)
        g = tanh(Wc*x + Uc*h0)
        c = f*c0 + i*g
        h = o*tanh(c)
        loss = (h - y)^2/2""",
    "lstm of vectors": """
        input x[D], hp[H], cp[H], y[H]
        param W[H,D], U[H,H], b[H]
        a[k] = sum(d, W[k,d]*x[d]) + sum(j, U[k,j]*hp[j]) + b[k]
        f[k] = sigmoid(a[k])
        c[k] = f[k]*cp[k]
        h[k] = tanh(c[k])
        loss = sum(k, (h[k] - y[k])^2)/2""",
    "gru": """
        input x, h0, y
        param Wz, Uz, Wr, Ur, W, U
        z = sigmoid(Wz*x + Uz*h0)
        r = sigmoid(Wr*x + Ur*h0)
        s = tanh(W*x + U*(r*h0))
        h = (1 - z)*h0 + z*s
        loss = (h - y)^2/2""",
    "rnn": """
        input x[T,D], y[T,H]
        param U[H,H], W[H,D]
        h[t,i] = tanh(sum(j, U[i,j]*h[t-1,j]) + sum(d, W[i,d]*x[t,d]))
        loss = sum(t, i, (h[t,i] - y[t,i])^2)/2""",
    "word2vec": """
        input y[V]
        param u[V,D], v[D]
        assume sum(w, y[w]) = 1
        s[w] = sum(d, u[w,d]*v[d])
        yhat[w] = exp(s[w])/sum(k, exp(s[k]))
        loss = -sum(w, y[w]*log(yhat[w]))""",
    "negative sampling": """
        input uo[D], uk[K,D]
        param v[D]
        so = sum(d, uo[d]*v[d])
        s[k] = sum(d, uk[k,d]*v[d])
        loss = -log(sigmoid(so)) - sum(k, log(sigmoid(-s[k])))""",
    "attention": """
        param Q[T,D], K[S,D], V[S,E]
        input Y[T,E]
        s[i,j] = sum(d, Q[i,d]*K[j,d])/sqrt(D)
        A[i,j] = exp(s[i,j])/sum(k, exp(s[i,k]))
        O[i,e] = sum(j, A[i,j]*V[j,e])
        loss = sum(i, e, (O[i,e] - Y[i,e])^2)/2""",
    "residual": """
        param x[D]
        input W[D,D], y[D]
        f[i] = tanh(sum(j, W[i,j]*x[j]))
        o[i] = f[i] + x[i]
        loss = sum(i, (o[i] - y[i])^2)/2""",
    "hinge": """
        input x[N,D], y[N]
        param w[D]
        s[n] = sum(d, w[d]*x[n,d])
        loss = sum(n, maximum(0, 1 - y[n]*s[n]))""",
    "vae": """
        param mu[J], s[J]
        loss = -sum(j, 1 + log(s[j]^2) - mu[j]^2 - s[j]^2)/2""",
    "adam": "param g, m, v, beta1, beta2, alpha, eps, t, L",
    "scalars": "param x, y, z",
    "gaussian": """
        input x[N]
        param mu, sigma
        assume sigma > 0
        loss = sum(n, (x[n] - mu)^2)/(2*sigma^2) + N*log(sigma)""",
    "factors": """
        input R[M,N]
        param P[M,K], Q[N,K]
        const lambda
        e[u,i] = R[u,i] - sum(k, P[u,k]*Q[i,k])
        loss = sum(u, i, e[u,i]^2) + lambda*(sum(u, k, P[u,k]^2) + sum(i, k, Q[i,k]^2))""",
    "affine": """
        input X[N,D], Y[N,K]
        param W[D,K], b[K]
        Z[n,k] = sum(d, X[n,d]*W[d,k]) + b[k]
        loss = sum(n, k, (Z[n,k] - Y[n,k])^2)/(2*N)""",
    "relu": """
        input x[D], y[H]
        param W[H,D], b[H]
        z[i] = sum(d, W[i,d]*x[d]) + b[i]
        a[i] = relu(z[i])
        loss = sum(i, (a[i] - y[i])^2)/2""",
    "rmsnorm": """
        input x[N,H], t[N,H]
        param g[H]
        const eps
        assume eps > 0
        r[n] = sqrt(sum(i, x[n,i]^2)/H + eps)
        xhat[n,i] = x[n,i]/r[n]
        o[n,i] = g[i]*xhat[n,i]
        loss = sum(n, i, (o[n,i] - t[n,i])^2)/2""",
    "huber": """
        input y[N]
        param w
        e[n] = w - y[n]
        loss = sum(n, where(abs(e[n]) <= 1, e[n]^2/2, abs(e[n]) - 1/2))""",
    "quadratic": """
        input A[D,D], b[D]
        param x[D]
        loss = sum(i, j, x[i]*A[i,j]*x[j])/2 - sum(i, b[i]*x[i])""",
    "weighted": """
        input w[N], x[N], y[N]
        param a
        loss = sum(n, w[n]*(a*x[n] - y[n])^2)/2""",
}

NIELSEN = {r"\delta^2": "adj(z2)", r"\delta^1": "adj(z1)", "w^2": "W2", "z^1": "z1", "z^2": "z2", "a^2": "a2",
           "a^1": "a1", r"\delta^L": "adj(z2)", "a^L": "a2", "z^L": "z2"}  # fmt: skip
BATCH_NORM = {r"\mu_{\mathcal{B}}": "mu", r"\sigma^2_{\mathcal{B}}": "v"}
LSTM = {"c_{t-1}": "c0", "h_{t-1}": "h0", "c_t": "c", "h_t": "h", "o_t": "o", "f_t": "f", "i_t": "i", "g_t": "g",
        r"\tilde{c}_t": "g", "W_f": "Wf", "x_t": "x", r"\bar c_t": "adj(c)"}  # fmt: skip

Case = tuple[str, str, dict[str, str], str, tuple[str, str]]
"""Where it is from, the program, the names, the formula, and a part of it with the mistake that goes into its place."""

PROVED: list[Case] = [
    # Nielsen, Neural Networks and Deep Learning, chapter 2
    ("BP1", "mlp", NIELSEN,
     r"\delta^L_j = \frac{\partial C}{\partial a^L_j} \sigma'(z^L_j).", ("a^L_j}", "z^L_j}")),
    ("BP1a", "mlp", NIELSEN, r"\delta^L = (a^L-y) \odot \sigma'(z^L)", ("a^L-y", "y-a^L")),
    ("BP2", "mlp", NIELSEN, r"\delta^1 = ((w^{2})^T \delta^{2}) \odot \sigma'(z^1),", (r"\sigma'(z^1)", "a^1")),
    ("BP3", "mlp", NIELSEN,
     r"\frac{\partial C}{\partial b^{(1)}_j} = \delta^1_j.", (r"\delta^1_j", r"\delta^1_j a^1_j")),
    ("BP4", "mlp", NIELSEN,
     r"\frac{\partial C}{\partial w^2_{jk}} = a^{1}_k \delta^2_j.", (r"\delta^2_j", r"\delta^2_j y_j")),
    ("sigmoid prime", "scalars", {}, r"\sigma'(z) = \sigma(z)\,(1-\sigma(z))", ("1-", "1+")),
    # the UFLDL tutorial and CS229: layers in brackets, one equation for all of them
    ("all layers", "mlp", {},
     r"\delta^{(l)} = \left((W^{(l+1)})^T \delta^{(l+1)}\right) \odot \sigma'(z^{(l)}), \quad l = 1, \ldots, L-1",
     (r"\sigma'(z", r"\sigma(z")),
    ("last layer", "mlp", {}, r"\delta^{(L)} = -(y - a^{(L)}) \odot \sigma'(z^{(L)})", ("-(y", "(y")),
    ("gradient of W", "mlp", {"a^{(0)}": "x"},
     r"\nabla_{W^{(l)}} J(W^{(1)}, b^{(1)}) = \delta^{(l)} (a^{(l-1)})^T \qquad \forall l",
     (r"\delta^{(l)} (", r"2\delta^{(l)} (")),
    ("hidden unit", "mlp", {},
     r"\delta_i^{(1)} = \left( \sum_{j=1}^{K} W_{ji}^{(2)} \delta_j^{(2)} \right) \sigma'(z_i^{(1)})",
     (r"\delta_j^{(2)}", "a_j^{(2)}")),
    # Ng's course: square brackets
    ("brackets", "mlp", {},
     r"\frac{\partial \mathcal{L}}{\partial W^{[1]}} = \delta^{[1]} x^{\mathsf{T}}", ("= ", "= 2")),
    # Rumelhart, Hinton, Williams 1986: \over, E for the loss
    ("1986", "mlp", {},
     r"{\partial E \over \partial z_j^{(2)}} = {\partial E \over \partial a_j^{(2)}} \cdot a_j^{(2)}(1 - a_j^{(2)})",
     ("(1 - a", "(2 - a")),
    # Bishop, Pattern Recognition and Machine Learning, 5.3
    ("5.53", "mlp", {"z_i": "a1[i]"},
     r"\frac{\partial E}{\partial W^{(2)}_{ji}} = \delta^{(2)}_j a^{(1)}_i", ("a^{(1)}_i", "z^{(1)}_i")),
    ("5.56", "batch", {"h": "tanh"},
     r"\frac{\partial E}{\partial Z^{(1)}_{nj}} = h'(Z_{nj}^{(1)}) \sum_k W^{(2)}_{kj} \frac{\partial E}{\partial "
     "Z^{(2)}_{nk}}", ("h'(", "h(")),
    ("5.59", "scalars", {"h": "tanh"}, "h'(x) = 1 - h(x)^2", ("1 -", "2 -")),
    ("logistic", "logistic", {r"\mathbf{w}": "theta", r"\mathbf{t}": "y"},
     r"\nabla_{\mathbf{w}} E(\mathbf{w}) = \frac{1}{m} \mathbf{X}^{\rm T} (\mathbf{h} - \mathbf{t})",
     (r"\mathbf{h} - \mathbf{t}", r"\mathbf{t} - \mathbf{h}")),
    # matrices of a batch
    ("batch", "batch", {},
     r"\frac{\partial L}{\partial W^{(2)}} = \left(\frac{\partial L}{\partial Z^{(2)}}\right)^{\!\top} A^{(1)}",
     ("= ", "= 2")),
    ("tanh of a batch", "batch", {},
     r"\frac{\partial L}{\partial Z^{(1)}} = \bigl(\tfrac{1}{N}(Z^{(2)} - Y) W^{(2)}\bigr) \odot \bigl(1 - "
     r"\tanh^2(Z^{(1)})\bigr)", (r"\tanh^2", r"\tanh")),
    # one neuron, step by step
    ("chain", "neuron", {},
     r"""\begin{align*}
        \frac{\partial L}{\partial w} &= \underbrace{\frac{\partial L}{\partial a}}_{a - y}
            \cdot \underbrace{\frac{\partial a}{\partial z}}_{\sigma'(z)}
            \cdot \underbrace{\frac{\partial z}{\partial w}}_{x} \\
        &= (a-y)\,\sigma'(z)\,x \\
        &= \boxed{(a-y)\,a\,(1-a)\,x}.
     \end{align*}""", (r"a\,(1-a)\,x}", r"a\,(1-a)}")),
    ("d2l", "neuron", {}, r"\partial_w L = (a - y)\, a (1 - a)\, x", ("(a - y)", "2 (a - y)")),
    ("the loss written out", "neuron", {},
     r"\frac{\partial}{\partial w} \left[ \tfrac{1}{2} (a - y)^2 \right] = (a - y)\, \frac{\partial a}{\partial w}",
     (r"\tfrac{1}{2} ", "")),
    ("old differentials", "neuron", {}, r"{{\rm d} L \over {\rm d} b} = (a-y)\,a\,(1-a)", ("(1-a)", "(1-a)x")),
    # least squares: Hastie, Tibshirani, Friedman; normal equations with a ridge
    ("ridge", "fit", {}, r"\nabla_w L = X^\intercal (Xw - y) + \lambda w", (r"\lambda w", r"2\lambda w")),
    ("entry", "fit", {r"\hat y": "yhat", "x": "X"},
     r"\frac{\partial L}{\partial w_d} = \sum_{n} (\hat{y}_n - y_n)\, x_{n,d} + \lambda w_d, \quad d = 1, \dots, D",
     (r"+ \lambda", r"- \lambda")),
    ("entry, subtracted", "fit", {"x": "X"},
     r"\frac{\partial L}{\partial w_j} = \sum_{n=1}^{N} -\left(y_n - \sum_{d} w_d x_{nd}\right) x_{nj} + \lambda "
     "w_j", (r"} -\left", r"} \left")),
    # logistic regression: CS229, and maximum likelihood
    ("CS229", "logistic", {"x": "X"},
     r"\frac{\partial J(\theta, b)}{\partial \theta_j} = \frac{1}{m} \sum_{i=1}^{m} \left( h^{(i)} - y^{(i)} "
     r"\right) x_j^{(i)}", (r"\frac{1}{m} \sum", r"\sum")),
    ("vectors", "logistic", {}, r"\nabla_\theta J(\theta) = \frac1m X^\top (h - y)", (r"\frac1m", r"\frac2m")),
    ("bias", "logistic", {}, r"\frac{\mathrm{d}J}{\mathrm{d}b} = 1/m \sum_i (h_i - y_i)", ("1/m", "1/n")),
    ("output", "logistic", {r"\hat{y}": "h"},
     r"\frac{\partial J}{\partial \hat y_i} = \frac{1}{m}\left[-\frac{y_i}{\hat y_i} + \frac{1-y_i}{1-\hat "
     r"y_i}\right]", ("+ ", "- ")),
    ("log of sigmoid", "scalars", {},
     r"\frac{d}{dz}\left[\log\sigma(z)\right] = 1-\sigma(z) = \sigma(-z)", (r"\sigma(-z)", r"\sigma(z)")),
    # softmax with cross-entropy: CS231n, Goodfellow, posts
    ("CS231n", "labels", {},
     r"\frac{\partial L}{\partial f_{nk}} = \frac{1}{N}\left(p_{nk} - \mathbb{1}(y_n = k)\right), \quad \text{for "
     "all } n", ("y_n = k", r"y_n \neq k")),
    ("p minus y", "softmax", {},
     r"\frac{\partial L}{\partial z_k^{(n)}} = \frac{p^{(n)}_k - y^{(n)}_k}{N}", ("{N}", "{K}")),
    ("Jacobian", "softmax", {},
     r"\frac{\partial p_{ni}}{\partial z_{nj}} = p_{ni} (\delta_{ij} - p_{nj})", (r"\delta_{ij}", r"2\delta_{ij}")),
    ("Jacobian by cases", "softmax", {},
     r"""\frac{\partial p_{ni}}{\partial z_{nj}} =
        \begin{cases} p_{ni}\,(1 - p_{nj}) & \text{if } i = j, \\ -p_{ni}\,p_{nj} & \text{if } i \neq j. \end{cases}""",
     ("-p_{ni}", "p_{ni}")),
    ("log-softmax", "softmax", {},
     r"\frac{\partial \log p_{ni}}{\partial z_{nj}} = \delta_{ij} - p_{nj}", (r"\delta_{ij} -", r"\delta_{ij} +")),
    ("indicator", "softmax", {},
     r"\frac{\partial p_{ni}}{\partial z_{nj}} = p_{ni} \left( 1\{i = j\} - p_{nj} \right)",
     (r"i = j\}", r"i \neq j\}")),
    ("weights", "softmax", {}, r"\nabla_{W} \ell(W, b) = \frac{1}{N} (P - Y)^{\top} X", ("P - Y", "P + Y")),
    ("bias of ones", "softmax", {},
     r"\frac{\partial \mathcal{L}}{\partial \mathbf{b}} = \tfrac1N (\mathbf{P}-\mathbf{Y})^\top \mathbf{1}_N",
     ("tfrac1N", "tfrac1K")),
    # Hinton, Vinyals, Dean 2015
    ("temperature", "distillation", {},
     r"\frac{\partial C}{\partial z_i} = \frac{1}{T}\left(q_i - p_i\right)", (r"\frac{1}{T}", r"\frac{1}{T^{2}}")),
    # Ioffe, Szegedy 2015
    ("xhat", "batchnorm", BATCH_NORM,
     r"\frac{\partial \ell}{\partial \widehat{x}_i} = \frac{\partial \ell}{\partial y_i} \cdot \gamma",
     (r"\gamma", r"\beta")),
    ("variance", "batchnorm", BATCH_NORM,
     r"\textstyle \frac{\partial\ell}{\partial\sigma^2_{\mathcal{B}}} = \sum_{i=1}^{m}"
     r"\frac{\partial\ell}{\partial\widehat{x}_i}\cdot(x_i-\mu_{\mathcal{B}})\cdot"
     r"\frac{-1}{2}(\sigma^2_{\mathcal{B}}+\epsilon)^{-3/2}", ("-3/2", "-1/2")),
    ("mean", "batchnorm", BATCH_NORM,
     r"\textstyle \frac{\partial\ell}{\partial\mu_{\mathcal{B}}} = \bigg(\sum_{i=1}^{m}"
     r"\frac{\partial\ell}{\partial\widehat{x}_i}\cdot\frac{-1}{\sqrt{\sigma_{\mathcal{B}}^2+\epsilon}}\bigg)+"
     r"\frac{\partial\ell}{\partial\sigma^2_{\mathcal{B}}}\cdot\frac{\sum_{i=1}^{m}-2(x_i-\mu_{\mathcal{B}})}{m}",
     (r"\frac{-1}{\sqrt", r"\frac{1}{\sqrt")),
    ("input", "batchnorm", BATCH_NORM,
     r"\frac{\partial\ell}{\partial x_i} = \frac{\partial\ell}{\partial\widehat{x}_i}\cdot"
     r"\frac{1}{\sqrt{\sigma_{\mathcal{B}}^2+\epsilon}} + \frac{\partial\ell}{\partial\sigma^2_{\mathcal{B}}}\cdot"
     r"\frac{2(x_i-\mu_{\mathcal{B}})}{m} + \frac{\partial\ell}{\partial\mu_{\mathcal{B}}}\cdot\frac{1}{m}",
     (r"\frac{2(", r"\frac{(")),
    ("scale", "batchnorm", {},
     r"\frac{\partial\ell}{\partial\gamma} = \sum\limits_{i=1}^{m}\frac{\partial\ell}{\partial y_i}\cdot\hat{x}_i",
     (r"\cdot\hat{x}", r"\cdot x")),
    ("closed form", "batchnorm", {},
     r"\frac{\partial L}{\partial x_i} = \frac{\gamma}{m\sqrt{v+\epsilon}} \Bigl( m \frac{\partial L}{\partial "
     r"y_i} - \sum_{j=1}^m \frac{\partial L}{\partial y_j} - \hat{x}_i \sum_{j=1}^m \frac{\partial L}{\partial "
     r"y_j} \hat{x}_j \Bigr)", (r"- \hat{x}_i", r"+ \hat{x}_i")),
    # Ba, Kiros, Hinton 2016
    ("gain", "layernorm", {},
     r"\frac{\partial L}{\partial g_i} = \sum_{n} \frac{\partial L}{\partial o_{ni}}\, \hat{x}_{ni}",
     (r"\hat{x}_{ni}", "x_{ni}")),
    ("layer norm", "layernorm", {r"\sigma^2": "v"},
     r"\frac{\partial L}{\partial x_{ni}} = \frac{1}{H\sqrt{v_n}} \left[ H\,\frac{\partial L}{\partial \hat "
     r"x_{ni}} - \sum_{j} \frac{\partial L}{\partial \hat x_{nj}} - \hat x_{ni} \sum_{j} \frac{\partial "
     r"L}{\partial \hat x_{nj}} \hat x_{nj} \right]", (r"- \hat x_{ni} \sum", r"- \sum")),
    # Hochreiter, Schmidhuber 1997 and later; Greff et al. 2017; Gers
    ("cell", "lstm", LSTM,
     r"\frac{\partial E}{\partial c_t} = \frac{\partial E}{\partial h_t} \circ o_t \circ \left(1 - "
     r"\tanh^2(c_t)\right)", ("1 - ", "1 + ")),
    ("output gate", "lstm", LSTM,
     r"\frac{\partial E}{\partial o_t} = \frac{\partial E}{\partial h_t} \ast \tanh(c_t)", (r"\tanh(c_t)", "c_t")),
    ("weights of the forget gate", "lstm", LSTM,
     r"\frac{\partial E}{\partial W_f} = \bar c_t\, c_{t-1}\, f_t (1 - f_t)\, x_t", ("x_t", "h_{t-1}")),
    ("cell candidate", "lstm", LSTM,
     r"\frac{\partial E}{\partial \tilde{c}_t} = \frac{\partial E}{\partial c_t} i_t, \qquad \frac{\partial "
     r"E}{\partial i_t} = \frac{\partial E}{\partial c_t}\, \tilde{c}_t", (r"\, \tilde{c}_t", r"\, c_t")),
    ("cell of vectors", "lstm of vectors", {"h_t": "h", "c_t": "c"},
     r"\frac{\partial L}{\partial c_t} = \frac{\partial L}{\partial h_t} \odot (1 - \tanh^2(c_t))",
     (r"\tanh^2(c_t)", r"\tanh(c_t)")),
    ("recurrent weights", "lstm of vectors", {"h_{t-1}": "hp"},
     r"\frac{\partial L}{\partial U} = \frac{\partial L}{\partial a}\, h_{t-1}^{\top}",
     (r"\frac{\partial L}{\partial a}", r"\frac{\partial L}{\partial c}")),
    # Cho et al. 2014
    ("update gate", "gru", {"h_{t-1}": "h0", r"\tilde h_t": "s", "h_t": "h"},
     r"\frac{\partial E}{\partial z} = \frac{\partial E}{\partial h_t}\left(\tilde{h}_t - h_{t-1}\right)",
     (r"\tilde{h}_t - h_{t-1}", r"h_{t-1} - \tilde{h}_t")),
    ("reset gate", "gru", {"h_{t-1}": "h0", r"\tilde h_t": "s", "h_t": "h"},
     r"\frac{\partial E}{\partial r} = \frac{\partial E}{\partial h_t}\, z\, \bigl(1 - \tilde{h}_t^{2}\bigr)\, U\, "
     "h_{t-1}", ("^{2}", "^{3}")),
    # backpropagation through time
    ("BPTT", "rnn", {},
     r"\frac{\partial L}{\partial W_{id}} = \sum_{t=1}^{T} \frac{\partial L}{\partial h_{t,i}} \left(1 - "
     r"h_{t,i}^2\right) x_{t,d}", ("h_{t,i}^2", "h_{t,i}")),
    # Mikolov et al. 2013; the notes of CS224n
    ("centre word", "word2vec", {"U": "u", "v_c": "v"},
     r"\frac{\partial J}{\partial v_c} = U^\top (\hat{y} - y)", (r"\hat{y} - y", r"y - \hat{y}")),
    ("outside words", "word2vec", {},
     r"\frac{\partial J}{\partial u_{wd}} = (\hat y_w - y_w)\, v_d", (", v_d", ", v_d v_d")),
    ("negative sampling", "negative sampling", {"u_o": "uo", r"\tilde u": "uk", "s_o": "so"},
     r"\frac{\partial J}{\partial v_d} = (\sigma(s_o) - 1)\,u_{o,d} - \sum_{k=1}^{K} \left(\sigma(-s_k) - 1\right) "
     r"\tilde{u}_{kd}", (r"\sigma(-s_k)", r"\sigma(s_k)")),
    # Vaswani et al. 2017, and its backward passes
    ("values", "attention", {},
     r"\frac{\partial L}{\partial V} = A^{\top} \frac{\partial L}{\partial O}", (r"A^{\top}", r"2A^{\top}")),
    ("queries", "attention", {"d_k": "D", "S_{ij}": "s"},
     r"\frac{\partial L}{\partial Q_{id}} = \frac{1}{\sqrt{d_k}} \sum_j \frac{\partial L}{\partial s_{ij}} K_{jd}",
     (r"\sqrt{d_k}", "d_k")),
    ("scores", "attention", {},
     r"\frac{\partial L}{\partial s_{ij}} = A_{ij} \Big( \frac{\partial L}{\partial A_{ij}} - \sum_{k} A_{ik} "
     r"\frac{\partial L}{\partial A_{ik}} \Big)", (r"A_{ik} \frac", r"A_{ij} \frac")),
    # He et al. 2016
    ("residual", "residual", {},
     r"\frac{\partial \mathcal{E}}{\partial x_j} = \frac{\partial \mathcal{E}}{\partial o_j} + \sum_i "
     r"\frac{\partial \mathcal{E}}{\partial o_i} (1 - f_i^2) W_{ij}",
     (r"\frac{\partial \mathcal{E}}{\partial o_j} +", "1 +")),
    # hinge loss, CS231n
    ("hinge", "hinge", {},
     r"\frac{\partial L}{\partial s_n} = -y_n\, \mathbb{1}\left[\, y_n s_n < 1 \,\right] - \tfrac12 y_n\, "
     r"\mathbb{1}[y_n s_n = 1]", ("-y_n", "y_n")),
    # Kingma, Welling 2014; Kingma, Ba 2015
    ("VAE", "vae", {r"\sigma": "s"},
     r"\frac{\partial L}{\partial \mu_j} = \mu_j, \quad \frac{\partial L}{\partial \sigma_j} = \sigma_j - "
     r"\frac{1}{\sigma_j}", (r"- \frac{1}{\sigma_j}", r"+ \frac{1}{\sigma_j}")),
    ("Adam", "adam", {r"\beta_1": "beta1", "m_{t-1}": "m", "g_t": "g"},
     r"\beta_1 \cdot m_{t-1} + (1-\beta_1) \cdot g_t = m_{t-1} + (1 - \beta_1)(g_t - m_{t-1})",
     ("+ (1 - ", "- (1 - ")),
    ("Adam's step", "adam", {r"\beta_1": "beta1", r"\beta_2": "beta2", "m_t": "m", "v_t": "v", r"\epsilon": "eps"},
     r"\alpha \cdot \frac{m_t/(1-\beta_1^t)}{\sqrt{v_t/(1-\beta_2^t)} + \epsilon} = \frac{\alpha\, "
     r"m_t}{(1-\beta_1^t)\bigl(\sqrt{v_t/(1-\beta_2^t)}+\epsilon\bigr)}", (r"\alpha\, m_t", r"\alpha\, g")),
    # maximum likelihood of a Gaussian
    ("mean", "gaussian", {},
     r"-\frac{\partial \ell}{\partial \mu} = \frac{1}{\sigma^2} \sum_{n=1}^{N} (x_n - \mu)",
     (r"\sigma^2", r"\sigma")),
    ("deviation", "gaussian", {},
     r"\frac{\partial L}{\partial \sigma} = -\frac{1}{\sigma^3} \sum_n (x_n - \mu)^2 + \frac{N}{\sigma}",
     (r"\sigma^3", r"\sigma^2")),
    # matrix factorisation: Koren et al. 2009
    ("factors", "factors", {},
     r"\frac{\partial L}{\partial P_{uk}} = -2 \sum_{i=1}^{N} e_{ui} Q_{ik} + 2\lambda P_{uk}",
     (r"-2 \sum", r"- \sum")),
    ("factors of matrices", "factors", {"E": "e"}, r"\nabla_P L = -2 E Q + 2 \lambda P", ("E Q", "E Q - P")),
    ("weights in front", "weighted", {},
     r"\frac{\partial L}{\partial a} = \sum_{n} \left[ a\, w_n (x_n)^2 - w_n x_n y_n \right]", ("(x_n)^2", "x_n")),
    # Goodfellow, Bengio, Courville, Deep Learning, algorithm 6.4, in bold and with gradients of layers
    ("6.4, bias", "mlp", {},
     r"\nabla_{\boldsymbol{b}^{(2)}} J = \nabla_{\boldsymbol{z}^{(2)}} J", ("z}^{(2)}", "a}^{(2)}")),
    ("6.4, weights", "mlp", {},
     r"\nabla_{\boldsymbol{W}^{(2)}} J = (\nabla_{\boldsymbol{z}^{(2)}} J)\, \boldsymbol{a}^{(1)\top}",
     (r"\boldsymbol{a}", r"\boldsymbol{z}")),
    ("6.4, activation", "mlp", {},
     r"\nabla_{\boldsymbol{a}^{(1)}} J = \boldsymbol{W}^{(2)\top} \nabla_{\boldsymbol{z}^{(2)}} J",
     (r"\nabla_{\boldsymbol{z}^{(2)}}", r"\nabla_{\boldsymbol{a}^{(2)}}")),
    ("BP2 with indices", "mlp", NIELSEN,
     r"\delta^1_j = \sum_k w^2_{kj} \delta^2_k \sigma'(z^1_j)", (r"\sigma'", r"\sigma")),
    # affine layers with W of inputs by outputs: CS231n
    ("dW", "affine", {},
     r"\frac{\partial L}{\partial W} = X^T \frac{\partial L}{\partial Z}", ("= X", "= 2 X")),
    ("dX", "affine", {},
     r"\frac{\partial L}{\partial X} = \frac{\partial L}{\partial Z} W^T", ("W^T", r"(2 W)^T")),
    ("db", "affine", {},
     r"\frac{\partial L}{\partial b_k} = \sum_{n=1}^N \frac{\partial L}{\partial Z_{nk}}",
     ("Z_{nk}}", "Z_{nk}} Z_{nk}")),
    ("residuals", "affine", {},
     r"\frac{\partial L}{\partial W} = \frac{1}{N} X^\top (XW + \mathbf{1}_N b^\top - Y)", ("- Y", "+ Y")),
    # rectifiers
    ("rectifier by cases", "relu", {},
     r"\frac{\partial L}{\partial z_i} = \begin{cases} a_i - y_i & \text{if } z_i > 0 \\ 0 & \text{otherwise} "
     r"\end{cases}",
     ("z_i > 0", "z_i < 0")),
    ("rectifier of vectors", "relu", {}, r"\delta = (a - y) \odot [z > 0]", ("z > 0", "z < 0")),
    ("rectifier's weights", "relu", {},
     r"\frac{\partial L}{\partial W_{ij}} = (a_i - y_i)\, \mathbb{1}_{\{z_i > 0\}}\, x_j", ("z_i > 0", r"z_i \ge 0")),
    # Zhang, Sennrich 2019
    ("RMS norm", "rmsnorm", {},
     r"\frac{\partial L}{\partial x_{ni}} = \frac{1}{r_n}\left( g_i \frac{\partial L}{\partial o_{ni}} - \frac{\hat "
     r"x_{ni}}{H} \sum_j g_j \frac{\partial L}{\partial o_{nj}} \hat x_{nj} \right)", (r"{H} \sum", r"{N} \sum")),
    ("RMS norm, gain", "rmsnorm", {},
     r"\nabla_{g_i} L = \sum_n (g_i \hat x_{ni} - t_{ni}) \hat{x}_{ni}", (r"\hat{x}_{ni}", "x_{ni}")),
    # Huber 1964, with the two sides of its condition
    ("Huber, inside", "huber", {},
     r"\frac{\partial L}{\partial e_n} = \begin{cases} e_n & \text{if } e_n \in [-1, 1] \\ "
     r"\operatorname{sign}(e_n) & \text{else} \end{cases}", ("e_n &", "2e_n &")),
    ("Huber, outside", "huber", {},
     r"\frac{\partial L}{\partial e_n} = \begin{cases} \operatorname{sign}(e_n) & \text{if } e_n < -1 \text{ or } "
     r"e_n > 1 \\ e_n & \text{otherwise} \end{cases}", (r"\text{ or }", r"\text{ and }")),
    ("Huber, negated", "huber", {},
     r"\frac{\partial L}{\partial w} = \sum_n [-1 \le e_n \le 1] e_n + \sum_n [\neg(-1 \le e_n \le 1)] "
     r"\operatorname{sign}(e_n)", (r"[-1 \le e_n", r"[-2 \le e_n")),
    # Kingma, Ba 2015, with corrected moments
    ("Adam's corrected step", "adam", {r"\hat m_t": "m", r"\hat v_t": "v", r"\epsilon": "eps"},
     r"\alpha\, \hat{m}_t / (\sqrt{\hat{v}_t} + \epsilon) = \frac{\alpha \hat m_t}{\epsilon + \hat v_t^{1/2}}",
     ("1/2", "1/3")),
    # Olah, Understanding LSTM Networks
    ("Olah, candidate", "lstm", {**LSTM, r"\tilde{C}_t": "g", "C_t": "c"},
     r"\frac{\partial L}{\partial \tilde{C}_t} = \frac{\partial L}{\partial C_t} * i_t", ("i_t", "o_t")),
    ("Olah, forget gate", "lstm", {**LSTM, "C_t": "c", "C_{t-1}": "c0"},
     r"\frac{\partial L}{\partial f_t} = \frac{\partial L}{\partial C_t} * C_{t-1}", ("C_{t-1}", "C_t")),
    # Dao et al. 2022, appendix B
    ("dP", "attention", {"P": "A"},
     r"\frac{\partial L}{\partial P} = \frac{\partial L}{\partial O} V^\top", (r"V^\top", r"(2V)^\top")),
    ("dK", "attention", {"d_k": "D", "S": "s"},
     r"\frac{\partial L}{\partial K} = \frac{1}{\sqrt{d_k}} \left(\frac{\partial L}{\partial S}\right)^\top Q",
     (r"\frac{1}{\sqrt{d_k}} ", "")),
    ("dS by rows", "attention", {"P": "A", "S": "s"},
     r"\frac{\partial L}{\partial S_{ij}} = P_{ij} \Big(\frac{\partial L}{\partial P_{ij}} - \sum_e \frac{\partial L}"
     r"{\partial O_{ie}} O_{ie}\Big)", ("O_{ie}\\Big", "O_{ie}^2\\Big")),
    ("dS of matrices", "attention", {"P": "A", "S": "s"},
     r"\frac{\partial L}{\partial S} = P \odot \left(\frac{\partial L}{\partial P} - \left(\left(P \odot "
     r"\frac{\partial L}{\partial P}\right) \mathbf{1}\right) \mathbf{1}^\top\right)",
     (r"{\partial P} - ", r"{\partial P} + ")),
    # second derivatives: Boyd, Vandenberghe; Bishop 4.97; Magnus, Neudecker
    ("Hessian of a quadratic form", "quadratic", {},
     r"\nabla_x^2 L = \tfrac12 (A + A^\top)", (r"\tfrac12 ", "")),
    ("its entries", "quadratic", {},
     r"\frac{\partial^2 L}{\partial x_i \, \partial x_j} = \tfrac12 (A_{ij} + A_{ji})", ("A_{ji}", "A_{ij}")),
    ("its transpose", "quadratic", {},
     r"\frac{\partial^2 L}{\partial x\, \partial x^\top} = \frac{A + A^\top}{2}", (r"A^\top", "A")),
    ("4.97", "logistic", {},
     r"\nabla^2_\theta J(\theta) = \frac{1}{m} X^\top \operatorname{diag}(h \odot (1-h)) X", ("(1-h)", "h")),
    ("4.97, entries", "logistic", {"x": "X"},
     r"\frac{\partial^2 L}{\partial \theta_j \partial \theta_k} = \frac{1}{m} \sum_{i} h_i (1-h_i) x_{ij} x_{ik}",
     ("(1-h_i)", "")),
    ("ridge, entries", "fit", {},
     r"\frac{\partial^2 L}{\partial w_i \partial w_j} = \sum_n X_{ni} X_{nj} + \lambda \delta_{ij}",
     (r"\delta_{ij}", "")),
    ("ridge", "fit", {}, r"\nabla_w^2 L = X^\top X + \lambda I_D", (r"\lambda I_D", r"2 \lambda I_D")),
    ("ridge, diagonal", "fit", {},
     r"\frac{\partial^2 L}{\partial w_i^2} = \sum_n X_{ni}^2 + \lambda", (r"+ \lambda", r"- \lambda")),
    ("curvature of a neuron", "neuron", {},
     r"\frac{d^2 L}{d w^2} = x^2 \left[ a^2(1-a)^2 + (a-y)\, a(1-a)(1-2a) \right]", ("1-2a", "1-a")),
    # functions of one variable
    ("swish", "scalars", {},
     r"\frac{d}{dx}\bigl(x\,\sigma(x)\bigr) = \sigma(x) + x\,\sigma(x)\bigl(1-\sigma(x)\bigr)", (r"+ x\,", "+ ")),
    ("softplus", "scalars", {},
     r"\frac{d}{dx} \ln\!\left(1+e^{x}\right) = \frac{1}{1+e^{-x}}", ("e^{-x}", "e^{x}")),
    ("second derivative", "scalars", {}, r"\sigma''(z) = \sigma(z)(1-\sigma(z))(1-2\sigma(z))", ("1-2", "1+2")),
    ("three cases", "scalars", {},
     r"\operatorname{sign}(x) = \begin{cases} 1 & x > 0 \\ 0 & x = 0 \\ -1 & x < 0 \end{cases}",
     ("0 & x", "1 & x")),
    ("two kinks", "scalars", {}, r"\frac{d}{dx}\left(\mathrm{ReLU}(x)\mathrm{ReLU}(1-x)\right) = (1-2x)[x>0][x<1]",
     ("1-2x", "1-x")),
    ("kinks added", "scalars", {}, r"\frac{d}{dx}(\max(0,x)+\max(0,-x)) = \operatorname{sign}(x)", ("+", "-")),
    ("sech", "scalars", {}, r"\frac{d}{dx}\tanh x = \operatorname{sech}^2 x = 1-\tanh^2 x", ("1-", "2-")),
    ("secant", "scalars", {}, r"\frac{\mathrm d}{\mathrm d x} \sec x = \sec x \tan x", (r"\tan x", r"\sin x")),
    ("mixed", "scalars", {},
     r"\frac{\partial^2}{\partial x\,\partial y} \left[ x^2 y^3 \right] = 6xy^2", ("6xy^2", "6x^2y")),
    ("exponential", "scalars", {},
     r"\frac{d}{dx}\exp\left\{-\frac{x^2}{2}\right\} = -x \exp\{-x^2/2\}", (r"-x \exp", r"x \exp")),
]  # fmt: skip

REFUSED = [
    # differentials, sums over repeated indices that no side has, lists, derivatives without what they are taken by
    ("affine", {}, r"d\,\mathrm{tr}(A X) = \mathrm{tr}(A\, dX)", SymBackpropError, "unknown name `d`"),
    ("neuron", {},
     r"dL = \frac{\partial L}{\partial w} dw + \frac{\partial L}{\partial b} db", SymBackpropError, "unknown name `d`"),
    ("affine", {}, r"\frac{\partial L}{\partial W_{dk}} = X_{nd} \delta_{nk}", SymBackpropError, "declare"),
    ("fit", {}, r"\nabla L = X^\top (Xw - y) + \lambda w", SymBackpropError, "without a name below"),
    ("neuron", {}, r"\dot{w} = -\frac{\partial L}{\partial w}", SymBackpropError, "unknown name"),
    ("neuron", {}, r"D_w L = (a-y) a (1-a) x", SymBackpropError, "unknown name"),
    ("mlp", {},
     r"\delta_j^{(1)} = h'(z_j^{(1)}) \sum_k W_{kj}^{(2)} \delta_k^{(2)}", AmbiguousFormulaError, "function h'"),
    ("scalars", {}, r"J_f(x) = 2x", AmbiguousFormulaError, "function J_{f}"),
    # what has two readings on the page, or none
    ("mlp", {}, r"\delta^l = ((w^{l+1})^T \delta^{l+1}) \odot \sigma'(z^l)", SymBackpropError, "declare"),
    ("mlp", {"g": "sigmoid"}, r"\delta^{[2]} = (a^{[2]} - y) * g'(z^{[2]})", AmbiguousFormulaError, "convolution"),
    ("mlp", {},
     r"\delta^{(2)} = \nabla_{a^{(2)}} C \odot \sigma'(z^{(2)}), \quad k = 1, \dots, K",
     SymBackpropError, "whole tensors"),
    ("softmax", {},
     r"\frac{\partial L}{\partial z_{nk}} = (p_{nk} - y_{nk})/N, \quad n = 1, \dots, D",
     SymBackpropError, "n = 1, ..., N"),
    ("softmax", {}, r"\nabla_W L = \mathbb{E}[(p - y) x^\top]", SymBackpropError, "expectation"),
    ("fit", {}, r"\nabla_w L \propto X^\top (Xw - y)", UnknownCommandError, r"\propto"),
    ("fit", {}, r"\frac{\partial L}{\partial w_d} = x_{1d} e_1 + \cdots + x_{Nd} e_N", UnknownCommandError, "bounds"),
    ("neuron", {},
     r"\frac{\partial L}{\partial w} = (a-y)\,\sigma'(z)\,x \text{ if } y > 0",
     SymBackpropError, "conditions stand in cases"),
    ("neuron", {}, r"\Delta w = -\eta (a - y) x", SymBackpropError, "unknown name"),
    ("neuron", {}, r"w \leftarrow w - \eta \frac{\partial L}{\partial w}", SymBackpropError, "update"),
    ("lstm of vectors", {},
     r"\frac{\partial L}{\partial c} = \frac{\partial L}{\partial h} \odot (1 - h^2)",
     AmbiguousFormulaError, "each entry"),
    ("scalars", {}, r"\frac{d}{dx}\arctan x = \frac{1}{1+x^2}", UnknownCommandError, "no program"),
    ("scalars", {}, r"x = y \implies 2x = 2y", UnknownCommandError, "by itself"),
]  # fmt: skip


def judge(program: str, latex: str, names: dict[str, str]) -> Iterator[Verdict]:
    """The verdicts of all that a formula claims of a program, as documents judge it."""
    core = sb.parse(PROGRAMS[program]).core
    vocabulary = make_vocabulary(core, names)
    for statement in read_block(latex):
        if statement.kind not in ("equation", "approximation"):
            read_any_claim(statement, vocabulary)
        for layered in expand_layers(statement, vocabulary):
            claim = read_any_claim(layered.statement, vocabulary)
            if isinstance(claim, MatrixClaim):
                yield from judge_matrix_claim(core, claim.head, claim.links)
            else:
                yield from (judged.verdict for judged in judge_claim(core, claim))


@pytest.mark.parametrize("case", PROVED, ids=[f"{case[1]}-{case[0]}" for case in PROVED])
def test_published_formulas_are_proved_and_their_mistakes_are_refuted(case: Case) -> None:
    """The formula is proved of its program, in all of its links; with the mistake in it one of them is refuted."""
    _, program, names, latex, (right, wrong) = case
    assert right in latex

    verdicts = list(judge(program, latex, names))
    assert [verdict.status for verdict in verdicts] == ["proved"] * len(verdicts), list(map(str, verdicts))
    assert verdicts
    mistaken = list(judge(program, latex.replace(right, wrong, 1), names))
    assert "refuted" in [verdict.status for verdict in mistaken], list(map(str, mistaken))


@pytest.mark.parametrize(("program", "names", "latex", "kind", "said"), REFUSED)
def test_published_formulas_that_say_something_else_are_refused(
    program: str, names: dict[str, str], latex: str, kind: type[SymBackpropError], said: str
) -> None:
    """Two readings, what is no equation, and what the program cannot say are errors that name it."""
    with pytest.raises(kind) as caught:
        list(judge(program, latex, names))

    assert said in str(caught.value)


def test_a_sum_that_is_left_out_is_said_to_be_missing() -> None:
    """An index that only the right side has stands for all of its values, as it does everywhere."""
    (verdict,) = judge("affine", r"\frac{\partial L}{\partial W_{dk}} = X_{nd} \frac{\partial L}{\partial Z_{nk}}", {})

    assert verdict.refuted
    assert "sum over n" in verdict.diagnosis


def test_there_are_many() -> None:
    """Forty formulas at least, of many programs."""
    assert len(PROVED) >= 40
    assert len({case[1] for case in PROVED}) >= 15
