r"""LaTeX as people write it: read right, or refused with what was seen; never misread."""

from __future__ import annotations

import pytest
from program_generator import generate_program

import symbackprop as sb
from symbackprop.errors import FormulaError, ShapeError, SymBackpropError, UnsupportedError
from symbackprop.language import write_matrix_tree, write_tree
from symbackprop.language.matrix_grammar import read_matrix_lines
from symbackprop.notation.reading import (
    AmbiguousFormulaError,
    MatrixClaim,
    UnknownCommandError,
    make_vocabulary,
    read_any_claim,
    read_block,
    read_claim,
    read_definition,
    read_formula,
    read_head,
    read_matrix_formula,
    read_names,
    read_syntax,
    write_syntax,
)
from symbackprop.proof.claims import judge_claim
from symbackprop.proof.matrix_claims import judge_matrix_claim

NAMES = {"S": "sigmoid", r"\phi": "tanh"}

SCALARS = [
    # textbooks
    (r"\frac{1}{1+e^{-x}}", "1/(1 + exp(-x))"),
    (r"\sigma(z)\bigl(1-\sigma(z)\bigr)", "sigmoid(z)*(1 - sigmoid(z))"),
    (r"\dfrac{e^{z}-e^{-z}}{e^{z}+e^{-z}}", "(exp(z) - exp(-z))/(exp(z) + exp(-z))"),
    (r"1-\tanh^2(z)", "1 - tanh(z)^2"),
    (r"1 - \tanh^{2} z", "1 - tanh(z)^2"),
    (r"1-\tanh(z)^2", "1 - tanh(z)^2"),
    (r"-y\log \hat y-(1-y)\log(1-\hat y)", "-y*log(yhat) - (1 - y)*log(1 - yhat)"),
    (r"\frac12 (a-y)^2", "(1/2)*(a - y)^2"),
    (r"\frac 1 2\left(\hat{y}-y\right)^{2}", "(1/2)*(yhat - y)^2"),
    (r"\tfrac{2}{3}(a_1-y_1)", "(2/3)*(a_1 - y_1)"),
    (r"\frac{x-\mu}{\sqrt{\sigma^2+\epsilon}}", "(x - mu)/sqrt(sigma^2 + epsilon)"),
    (r"\exp\left(-\frac{(x-\mu)^2}{2\sigma^2}\right)", "exp(-(x - mu)^2/(2*sigma^2))"),
    (r"e^{-\frac{(x-\mu)^2}{2\sigma^2}}", "exp(-(x - mu)^2/(2*sigma^2))"),
    (r"\max(0,x)", "maximum(0, x)"),
    (r"\max\{0, 1 - t y\}", "maximum(0, 1 - t*y)"),
    (r"\min(a, b)", "minimum(a, b)"),
    (r"\begin{cases} x & \text{if } x > 0 \\ 0 & \text{otherwise} \end{cases}", "where(x > 0, x, 0)"),
    (r"\begin{cases} x, & x \geq 0, \\ \alpha x, & x < 0 \end{cases}", "where(x >= 0, x, alpha*x)"),
    (r"\begin{cases}1&\text{if }0<x<1\\0&\text{else}\end{cases}", "where(0 < x and x < 1, 1, 0)"),
    (r"\left|x-y\right|^2", "abs(x - y)^2"),
    ("|x| + |y|", "abs(x) + abs(y)"),
    (r"\log_2 x", "log(x)/log(2)"),
    (r"\ln(1+e^{x})", "log(1 + exp(x))"),
    (r"\sin^2 x + \cos^2 x", "sin(x)^2 + cos(x)^2"),
    (r"x^{-\frac{1}{2}}", "x^(-1/2)"),
    (r"2\pi r", "2*pi*r"),
    (r"x^{y^z}", "x^y^z"),
    (r"\left(x^y\right)^z", "(x^y)^z"),
    ("-x^2", "-x^2"),
    ("(-x)^2", "(-x)^2"),
    (r"\frac{a}{b}c", "(a/b)*c"),
    ("a b/c", "a*b/c"),
    ("a/(b c)", "a/(b*c)"),
    (r"\mathbf{x}\,y", "x*y"),
    (r"\operatorname{softplus}(x) + \mathrm{ReLU}(x)", "softplus(x) + relu(x)"),
    ("[x > 0]", "where(x > 0, 1, 0)"),
    (r"\mathbb{1}_{x > 0}", "where(x > 0, 1, 0)"),
    (r"\log\frac{p}{q}", "log(p/q)"),
    (r"y\log\sigma(z)", "y*log(sigmoid(z))"),
    (r"\log|x|", "log(abs(x))"),
    # the end of a sentence
    (r"x^2.", "x^2"),
    (r"x^2 \,.", "x^2"),
    (r"x + y\;,~", "x + y"),
    # derivatives of formulas, and formulas at a point
    (r"\frac{d}{dx} x^2", "2*x"),
    (r"\frac{\mathrm d}{\mathrm d x}\left(x^2 + 3x\right)", "3 + 2*x"),
    (r"\frac{d\sin x}{dx}", "cos(x)"),
    (r"\frac{d}{dx}\ln x", "1/x"),
    (r"\frac{d^2}{dx^2} x^3", "6*x"),
    (r"\frac{\partial^2 (x^2y^3)}{\partial x\,\partial y}", "6*x*y^2"),
    (r"\frac{\partial}{\partial w}\frac{1}{2}(wx-y)^2", "(w*x - y)*x"),
    (r"\frac{d}{dx} 2x^2", "4*x"),
    (r"x^2\Big|_{x=3}", "3^2"),
    (r"\left. x^2 + y \right|_{x=1,\,y=z}", "1^2 + z"),
    (r"\frac{d}{dx} x^2 \bigg\rvert_{x=3}", "2*3"),
    (r"\left. \frac{d}{dx} x^2 \right|_{x=a} + 1", "2*a + 1"),
    (r"\prod_{i=1}^{3} x_i", "x_1*x_2*x_3"),
    (r"2\prod_{i=1}^{2}(1 - x_{i+1}) + 1", "2*(1 - x_2)*(1 - x_3) + 1"),
    (r"\prod_{i=1}^{2} \frac{1}{c} e^{-x_i}", "(1/c)*exp(-x_1)*(1/c)*exp(-x_2)"),
    (r"\mathbb{I}(x > 0)", "where(x > 0, 1, 0)"),
    # the seed's post
    (r"\frac{e^{-x}}{(1+e^{-x})^2}", "exp(-x)/(1 + exp(-x))^2"),
    ("S(x)(1-S(x))", "sigmoid(x)*(1 - sigmoid(x))"),
    (r"S^{'}(x)", "sigmoid'(x)"),
    (r"S^\prime(x)", "sigmoid'(x)"),
    ("S'(x)", "sigmoid'(x)"),
    (r"xS(wx+b)\left(1-S(wx+b)\right)", "x*sigmoid(w*x + b)*(1 - sigmoid(w*x + b))"),
    (r"\frac{1}{1+e^{-(wx+b)}}", "1/(1 + exp(-(w*x + b)))"),
    (r"x_0-0.1\times2x_0", "x_0 - 0.1*2*x_0"),
    ("0.8x_0", "0.8*x_0"),
    (r"w-l_r\times v_w", "w - l_r*v_w"),
    (r"\frac{1}{3}\left[(\hat{y}_1-y_1)^2+(\hat{y}_2-y_2)^2\right]", "(1/3)*((yhat_1 - y_1)^2 + (yhat_2 - y_2)^2)"),
    (r"x_{new}", "x_new"),
    (r"L_{oss}", "L_oss"),
    (r"2.04\times10^{-7}", "2.04*10^(-7)"),
    # names
    (r"\phi'(u)", "tanh'(u)"),
    (r"\hat\beta_{\text{old}}", "betahat_old"),
    (r"W_{12}", "W_12"),
    (r"a(1-a)", "a*(1 - a)"),
    (r"\mathrm{e}^2", "exp(2)"),
    (r"\operatorname{GELU}_{\tanh}(x)", "gelu_tanh(x)"),
    (r"\operatorname{max}(0, x)", "maximum(0, x)"),
    # slashes
    ("-a/b^2/c", "-a/b^2/c"),
    ("a/b/c", "a/b/c"),
    (r"a \bigl/ b", "a/b"),
    (r"{a \over b} + {1 \over 2} x", "a/b + (1/2)*x"),
    # functions that are quotients of others, and products of angle functions
    (r"\sec x \tan x", "(1/cos(x))*tan(x)"),
    (r"-\csc^2(x)", "-(1/sin(x))^2"),
    (r"\cot x", "cos(x)/sin(x)"),
    (r"\coth(x)", "cosh(x)/sinh(x)"),
    (r"\operatorname{sech}^2 x", "(1/cosh(x))^2"),
    (r"\operatorname{csch}(x)", "1/sinh(x)"),
    (r"2\sin x\cos x", "2*sin(x)*cos(x)"),
    (r"\sin x / \cos x", "sin(x)/cos(x)"),
    (r"\frac{d}{dx} \sec x", "sin(x)/cos(x)^2"),
    # higher derivatives
    (r"\tanh''(x)", "2*tanh(x)*(tanh(x)^2 - 1)"),
    (r"\sin''(2x)", "-sin(2*x)"),
    (r"\sigma^{\prime\prime}(x)", "exp(x)*(1 - exp(x))/(1 + exp(x))^3"),
    (r"\frac{\partial^2}{\partial x\,\partial y}\left[x^2y^3\right]", "6*x*y^2"),
    (r"\frac{\text d}{\text d x}\left(x^2\right)", "2*x"),
    # roots
    (r"\sqrt[3]{x}", "sign(x)*abs(x)^(1/3)"),
    (r"\sqrt[4]{x}", "x^(1/4)"),
    # braces that are drawn, and fonts
    (r"\underbrace{(a-y)}_{\text{error}}\,\underbrace{x}_{\delta = 3}", "(a - y)*x"),
    (r"\overbrace{(a+b)}^c x", "(a + b)*x"),
    (r"\boxed{a+b}", "a + b"),
    (r"\textcolor{red}{x} + y", "x + y"),
    (r"{\rm ReLU}(x) + {\rm e}^{-x}", "relu(x) + exp(-x)"),
    (r"\hat{\bf y} - y_{\rm new}", "yhat - y_new"),
    # numbers
    (r"0{,}5 x", "0.5*x"),
    (r"1{,}000{,}000", "1000000"),
    # the rest
    (r"\exp\{-x\}", "exp(-x)"),
    (r"x^{\prime\prime}", "x_prime_prime"),
    (r"1\{y = k\}", "where(y == k, 1, 0)"),
    (r"a \ast b", "a*b"),
]  # fmt: skip

PROGRAM = sb.parse("""
input x[N, D], y[N, K], w[D]
param W[K, D], b[K], W1[D, D]
const eps
z[n,k] = sum(d, W[k,d]*x[n,d]) + b[k]
p[n,k] = sigmoid(z[n,k])
yhat[n] = sum(d, x[n,d]*w[d])
loss = sum(n, k, (p[n,k] - y[n,k])^2)/N
""")
DECLARED = {"S": "sigmoid", "m": "N", r"\tilde z": "adj(z)", "q": "p[1,2]"}

ENTRIES = [
    (r"\sum_{n=1}^{N} \delta_{nk} x_{nd}", "sum(n:N, adj(z[n,k])*x[n,d])"),
    (r"\frac1m\sum_{i=1}^m (p^{(i)}_k - y^{(i)}_k) x_d^{(i)}", "(1/N)*sum(i:N, (p[i,k] - y[i,k])*x[i,d])"),
    (r"p_{nj}(\delta_{jk} - p_{nk})", "p[n,j]*(where(j == k, 1, 0) - p[n,k])"),
    (r"-\frac{1}{m}\sum_n -2x_{nd} + w_d", "-(1/N)*sum(n, -2*x[n,d]) + w[d]"),
    (r"(\partial_{z_{nk}} L) \cdot x_{nd}", "adj(z[n,k])*x[n,d]"),
    (r"\partial_{z_{nk}} L \cdot x_{nd}", AmbiguousFormulaError),
    (r"\frac{\partial}{\partial z_{nk}} L \cdot x_{nd}", AmbiguousFormulaError),
    ("L(W, b)", "loss"),
    ("L(w)", AmbiguousFormulaError),
    ("2 L(W, b)", "2*loss"),
    (r"\sum_{k} \delta_{nk} W_{kd}", "sum(k, adj(z[n,k])*W[k,d])"),
    (r"W_{kd}", "W[k,d]"),
    (r"W_{k,d}", "W[k,d]"),
    (r"(W)_{kd}", "W[k,d]"),
    (r"W_{12}", "W[1,2]"),
    (r"W_{k\,d+1}", FormulaError),
    (r"W_{k,d+1}", "W[k,d+1]"),
    (r"W^{(1)}_{ij}", "W1[i,j]"),
    (r"W^{[1]}_{ij}", "W1[i,j]"),
    (r"W_{1,ij}", "W1[i,j]"),
    (r"b_{12}", "b[12]"),
    (r"\hat y_n", "yhat[n]"),
    (r"\tilde z_{nk}", "adj(z[n,k])"),
    ("q", "p[1,2]"),
    (r"S'(z_{nk})", "sigmoid'(z[n,k])"),
    (r"p_{nk}(1 - p_{nk})", "p[n,k]*(1 - p[n,k])"),
    (r"\frac{\partial L}{\partial z_{nk}} x_{nd}", "adj(z[n,k])*x[n,d]"),
    (r"\frac{\partial L}{\partial p_{nk}} \cdot \frac{\partial p_{nk}}{\partial z_{nk}}",
     "adj(p[n,k])*adj(p[n,k], z[n,k])"),
    (r"\frac{\partial \log p_{nk}}{\partial z_{nj}}", "adj(log(p[n,k]), z[n,j])"),
    (r"\frac{\partial}{\partial w_d} (x_{nk} w_d^2)", "adj(x[n,k]*w[d]^2, w[d])"),
    (r"\frac{\partial}{\partial w_d} x_{nk}^2", FormulaError),
    (r"\sum_n\sum_k y_{nk}\log p_{nk}", "sum(n, sum(k, y[n,k]*log(p[n,k])))"),
    (r"\sum_{n,k} (p_{nk}-y_{nk})^2", "sum(n, k, (p[n,k] - y[n,k])^2)"),
    (r"\log\sum_j e^{z_{nj}}", "log(sum(j, exp(z[n,j])))"),
    (r"\max_j z_{nj}", "max(j, z[n,j])"),
    (r"\sum_{j \neq k} W_{jd}", "sum(j, where(j != k, W[j,d], 0))"),
    (r"\sum_{j=2}^{K} W_{jd}", "sum(j:K, where(j >= 2, W[j,d], 0))"),
    (r"\lambda_{nk}", FormulaError),
    (r"\sum_{\substack{j=2 \\ j \neq k}}^{K} W_{jd}", "sum(j:K, where(j >= 2 and j != k, W[j,d], 0))"),
    (r"\sum_{\substack{j, \\ j \neq k}} W_{jd}", FormulaError),
    (r"\sum_{\substack{j \\ j \neq k}} W_{jd}", "sum(j, where(j != k, W[j,d], 0))"),
    (r"(w)_d", "w[d]"),
    (r"(W^{(1)})_{ij}", "W1[i,j]"),
    (r"(W x)_k", FormulaError),
    (r"\sqrt{\varepsilon}", "sqrt(eps)"),
    (r"\mathbb{1}[k = 1]", "where(k == 1, 1, 0)"),
    (r"1/m \sum_{i} x_{id}", "1/N*sum(i, x[i,d])"),
    (r"1\{k = 1\}", "where(k == 1, 1, 0)"),
    (r"w_d(x_{nd})^2", "w[d]*x[n,d]^2"),
    (r"w_d(x_{nd})", FormulaError),
    (r"w_d(x_{nd})^{(2)}", FormulaError),
    (r"p_{nk}(x_{nd})^2", FormulaError),
    (r"x_{nd} \circ w_d", "x[n,d]*w[d]"),
    (r"\frac{\partial L(W, b)}{\partial z_{nk}}", "adj(z[n,k])"),
    (r"\frac{\partial L(W)}{\partial z_{nk}} \cdot x_{nd}", "adj(z[n,k])*x[n,d]"),
]  # fmt: skip

HEADS = [
    (r"\frac{\partial L}{\partial W_{kd}}", "d loss / d W[k,d]"),
    (r"\frac{\partial \mathcal{L}}{\partial W}", "d loss / d W"),
    (r"\nabla_W L", "d loss / d W"),
    (r"\partial_{W} \ell", "d loss / d W"),
    (r"\nabla_{W^{(1)}} J", "d loss / d W1"),
    (r"\frac{dL}{db_k}", "d loss / d b[k]"),
    (r"\frac{\mathrm{d}L}{\mathrm{d}b_k}", "d loss / d b[k]"),
    (r"\partial L/\partial b_k", "d loss / d b[k]"),
    (r"\frac{\partial}{\partial b_k} L", "d loss / d b[k]"),
    (r"\frac{\partial p_{nk}}{\partial z_{nj}}", "d p[n,k] / d z[n,j]"),
    (r"\frac{\partial C}{\partial W}", "d loss / d W"),
    (r"\frac{\partial J(W, b)}{\partial W_{kd}}", "d loss / d W[k,d]"),
    (r"\nabla_W \mathcal{L}(W)", "d loss / d W"),
    (r"\frac{\partial}{\partial b_k} J(b)", "d loss / d b[k]"),
    (r"\partial E(b)/\partial b_k", "d loss / d b[k]"),
    (r"{\partial E}/{\partial b_k}", "d loss / d b[k]"),
    (r"{\rm d}L / {\rm d}b_k", "d loss / d b[k]"),
    (r"\frac{\partial J(3)}{\partial b_k}", None),
    (r"\frac{\partial p_{nk}(W)}{\partial z_{nj}}", None),
    (r"\frac{p_{nk}}{z_{nj}}", None),
]

MATRICES = [
    (r"\frac1m X^\top(P - Y)", "1/N*x'*(p - y)"),
    (r"\delta^T X", "adj(z)'*x"),
    (r"1 - \tanh^2(Z)", "1 - tanh(z).^2"),
    (r"S^2(W^{(1)})", "sigmoid(W1).^2"),
    (r"\delta^{\mathsf T} X", "adj(z)'*x"),
    (r"(P - Y) \odot S'(Z)", "(p - y) .* sigmoid'(z)"),
    (r"\frac{1}{N} \cdot P \odot Y", "1/N*(p .* y)"),
    (r"\delta W \odot X", "adj(z)*W .* x"),
    (r"\lVert P - Y\rVert_F^2", "norm2(p - y)^2"),
    (r"\left\| w \right\|^2", "norm2(w)^2"),
    (r"X W^\top + \mathbf{1} b^\top", "x*W' + ones(N)*b'"),
    (r"X W^\top + b", "x*W' + ones(N)*b'"),
    (r"b^\top - X W^\top", "ones(N)*b' - x*W'"),
    (r"W X^\top + b", "W*x' + b*ones(N)'"),
    (r"\sigma(\frac{Z - b}{\hat y})", "sigmoid((z - ones(N)*b') ./ (yhat*ones(K)'))"),
    (r"W^{(1)} + w^\top", "W1 + ones(D)*w'"),
    (r"W \odot b", "W .* (b*ones(D)')"),
    (r"\delta^\top \mathbf{1}", "sum(adj(z)', 2)"),
    (r"\mathbf{1}^\top X", "sum(x, 1)'"),
    (r"\sin(\mathbf{1} w^\top + w \mathbf{1}^\top)", "sin(ones(D)*w' + w*ones(D)')"),
    (r"\hat y \mathbf{1}^\top X", "yhat*sum(x, 1)'"),
    (r"\max(\mathbf{1} w^\top, X)", "maximum(ones(N)*w', x)"),
    (r"2 \cdot 0.3 \mathbf{1} + w", "2*(0.3*ones(D)) + w"),
    (r"(W^{(1)})^{-1} w", "inv(W1)*w"),
    (r"W^{(1)\top} w", "W1'*w"),
    (r"w \cdot w", "w'*w"),
    (r"\operatorname{tr}(W^{(1)})", "tr(W1)"),
    (r"P^{\odot 2}", "p.^2"),
    (r"\frac{Y}{P}", "y ./ p"),
    (r"\frac{2}{N}(P - Y) \odot P \odot (1 - P)", "2/N*(p - y) .* p .* (1 - p)"),
    (r"\langle w, w \rangle", "w'*w"),
    (r"\left\langle P, Y\right\rangle", "tr(p'*y)"),
    (r"\left\lVert w \right\rVert_2^2", "norm2(w)^2"),
]  # fmt: skip

REFUSED = [
    # two readings
    ("f(x+1)", AmbiguousFormulaError, "f as a function"),
    ("x(y)", AmbiguousFormulaError, "function"),
    (r"\sin x y", AmbiguousFormulaError, r"\sin(x y)"),
    (r"\sin 2x", AmbiguousFormulaError, "bracket the argument"),
    (r"\log x \cdot y", AmbiguousFormulaError, "bracket the argument"),
    (r"\log(1+x)^2", AmbiguousFormulaError, "bracket what is meant"),
    (r"\tanh^{-1}(x)", AmbiguousFormulaError, "inverse"),
    ("x^12", AmbiguousFormulaError, "braces"),
    ("x_12", AmbiguousFormulaError, "braces"),
    (r"\frac123", AmbiguousFormulaError, "braces"),
    ("1/2x", AmbiguousFormulaError, r"\frac"),
    ("a/b/c d", AmbiguousFormulaError, r"\frac"),
    (r"a/b \cdot c", AmbiguousFormulaError, r"\frac"),
    (r"a/b \cdot \sum_i x_i", AmbiguousFormulaError, r"\frac"),
    ("{a+b}x", AmbiguousFormulaError, "not printed"),
    (r"\sum_i {a_i + b_i}", AmbiguousFormulaError, "not printed"),
    (r"\log{1+x}", AmbiguousFormulaError, "not printed"),
    ("{ab}^2", AmbiguousFormulaError, "not printed"),
    ("{-x}^2", AmbiguousFormulaError, "not printed"),
    ("a - {b - c}", AmbiguousFormulaError, "not printed"),
    ("a/{bc}", AmbiguousFormulaError, "not printed"),
    (r"\underbrace{a+b}_c x", AmbiguousFormulaError, "not printed"),
    (r"\lg x", AmbiguousFormulaError, r"\log_2"),
    (r"1{,}000 x", AmbiguousFormulaError, "1.000"),
    ("x_n(y_n)^2", AmbiguousFormulaError, "function"),
    (r"\sin x \log y", AmbiguousFormulaError, "bracket the argument"),
    ("x^T", AmbiguousFormulaError, "transpose"),
    ("exp(x)", AmbiguousFormulaError, r"\mathrm{exp}"),
    ("loss", AmbiguousFormulaError, r"\mathrm{loss}"),
    ("1e-5", AmbiguousFormulaError, "power of ten"),
    (r"\frac12 e^2", AmbiguousFormulaError, "Euler"),
    (r"3\frac12", AmbiguousFormulaError, "+"),
    (r"\sigma^2(x-\mu)", AmbiguousFormulaError, "sigmoid"),
    (r"\frac{(x-\mu)}{\sigma} + \sigma(x-\mu)", AmbiguousFormulaError, "sigmoid"),
    (r"\mathbf{x} + x", AmbiguousFormulaError, "two names"),
    ("|a|b|c|", AmbiguousFormulaError, r"\left|"),
    (r"(a+b)^{(2)}", AmbiguousFormulaError, "power"),
    (r"\sum_i a_i + b_i b", AmbiguousFormulaError, "behind the end of its sum"),
    (r"-\sum_i a_i - c_{ij}", AmbiguousFormulaError, "behind the end of its sum"),
    (r"\sum_i a_i + i", AmbiguousFormulaError, "behind the end of its sum"),
    (r"\sum_{i=1}^n x_{2i}", AmbiguousFormulaError, "commas"),
    # unknown, left over, or meaningless
    (r"\foo x", UnknownCommandError, r"\foo"),
    (r"\arctan x", UnknownCommandError, "no program has this function"),
    (r"x^1{,}5", FormulaError, "commas"),
    (r"12{,}34{,}56", FormulaError, "commas"),
    (r"\underbrace{x}_{\text{if } x > 0}", FormulaError, "label"),
    (r"\bf x", UnknownCommandError, r"\mathbf"),
    (r"{\bf W x}", FormulaError, "one symbol"),
    (r"a \over b", FormulaError, r"\frac"),
    (r"\sqrt[n]{x}", UnsupportedError, "power"),
    (r"\operatorname{maximum}''(x, y)", FormulaError, "arguments"),
    (r"\|x\|_2^2", FormulaError, r"norm `\lVert x\rVert` of a number"),
    (r"\langle a, b\rangle", FormulaError, "whole matrices"),
    (r"a \circ b", FormulaError, r"\circ"),
    (r"x \pm y", UnknownCommandError, r"\pm"),
    (r"\int x", UnknownCommandError, r"\int"),
    (r"\mathbf{x}\,\mathbf{y}", AmbiguousFormulaError, "vectors"),
    (r"(\vec x \cdot \vec y)^2", AmbiguousFormulaError, "vectors"),
    (r"\frac{d f g}{d x}", AmbiguousFormulaError, "bracket what is derived"),
    (r"\frac{d}{dx} x^2 y", AmbiguousFormulaError, "bracket what is derived"),
    (r"\frac{d}{dx} x^2 + 3x", AmbiguousFormulaError, "the derivative of the sum"),
    (r"2 x^2|_{x=1}", AmbiguousFormulaError, "bar"),
    (r"2x + x^2\Big|_{x=1}", AmbiguousFormulaError, "bar"),
    (r"\begin{pmatrix} a & b \end{pmatrix}", FormulaError, "a number"),
    (r"x_1 + \cdots + x_n", UnknownCommandError, r"\cdots"),
    (r"x \propto y", UnknownCommandError, r"\propto"),
    ("(x", FormulaError, "never closed"),
    ("x)", FormulaError, "nothing is open"),
    ("(x]", FormulaError, "closes"),
    (r"\left(x", FormulaError, "never closed"),
    ("p(y|x)", FormulaError, "closes"),
    ("x 2", FormulaError, r"\cdot"),
    ("W1^2", FormulaError, r"\cdot"),
    ("x,y", FormulaError, "comma"),
    ("(x, y)", FormulaError, "tuple"),
    ("a + ", FormulaError, "end"),
    ("x^y^z", FormulaError, "second superscript"),
    ("x_i_j", FormulaError, "second subscript"),
    ("10^-7", FormulaError, "`-`"),
    (r"a \cdot -b", FormulaError, "brackets"),
    ("n!", FormulaError, "`!`"),
    ("a = b", FormulaError, "relation"),
    ("||x||", FormulaError, r"\lVert"),
    (r"\text{for all } x", FormulaError, "words"),
    (r"x^*", FormulaError, "declare"),
    (r"x^\top", FormulaError, "transpose"),
    (r"\begin{cases} x & x > 0 \\ 0 & x < 0 \end{cases}", FormulaError, "otherwise"),
    (r"\sigma", None, ""),
    (r"\sum_{i=0}^{3} x_i", FormulaError, "from 1"),
    (r"\prod_{i=1}^{n} x_i", UnsupportedError, "products"),
    (r"\prod_{i=1}^{1000} x_i", UnsupportedError, "100"),
    (r"\prod_{i=1}^{3} x_i y", AmbiguousFormulaError, "factor of the whole"),
    (r"\prod_{i=1}^{2} x_{2i}", AmbiguousFormulaError, "digits"),
    (r"\frac{\partial f}{\partial x}", UnsupportedError, "program"),
    (r"\frac{\partial^2 f}{\partial x^2}", UnsupportedError, "higher derivative of a name"),
    (r"\frac{\partial^2 f}{\partial x\partial y}", UnsupportedError, "higher derivative of a name"),
    (r"\frac{d^2 x^3}{dx}", UnsupportedError, "as many names"),
    (r"\frac{d}{dt}(x^2)", FormulaError, "does not read it"),
    (r"\frac{d}{dx}\sum_i x_i", UnsupportedError, "more than scalars"),
    (r"\frac{d}{dx}", FormulaError, "nothing behind it"),
    (r"\frac{d f}{\partial x}", FormulaError, "one sign"),
    (r"\left. x^2 \right|_{y=1}", FormulaError, "nowhere"),
    (r"\left. x^2 \right|_{x}", FormulaError, "values"),
    (r"\left. x^2 \right|", FormulaError, "point"),
    (r"\mathbb{E} x", FormulaError, "expectation"),
    (r"\mathbb{E}[x]", FormulaError, "expectation"),
    (r"2\infty", FormulaError, "real number"),
    ("x^2'", FormulaError, "behind a superscript"),
    ("x_1 x_2...", FormulaError, "`.`"),
    (r"\nabla f", FormulaError, r"\nabla"),
    (r"\partial_x^2 f", UnsupportedError, "a higher derivative of a name"),
    ("", FormulaError, "empty"),
]  # fmt: skip

REFUSED_IN_PROGRAM = [
    (r"\sum_k W_{kd} + b_k", AmbiguousFormulaError, "behind the end of its sum"),
    (r"\sum_k b_k + k", AmbiguousFormulaError, "behind the end of its sum"),
    ("2 L(w)", AmbiguousFormulaError, "function"),
    (r"\delta W", FormulaError, "unknown"),
    ("W_{123}", AmbiguousFormulaError, "W[1,23]"),
    ("W_k", FormulaError, "W[K, D]"),
    (r"\hat y - y", FormulaError, "yhat[N]"),
    (r"\bar z_{nk}", FormulaError, "declare"),
    ("u_{nk}", FormulaError, "unknown"),
    (r"\sum_{j < i} b_j", FormulaError, "bound before"),
    (r"\sum_{n} x_{nd}^n", AmbiguousFormulaError, "index above"),
    (r"\frac{\partial}{\partial w_d} \sum_k x_{nk}^2", FormulaError, "which does not depend on it"),
    (r"\frac{\partial L}{\partial b_k}(k)", AmbiguousFormulaError, "point"),
]


@pytest.mark.parametrize(("latex", "text"), SCALARS)
def test_scalars_are_read_as_they_are_meant(latex: str, text: str) -> None:
    """Every formula is the tree of its text in the formula language."""
    read = read_formula(read_syntax(latex), make_vocabulary(None, NAMES))

    assert text == write_tree(read)
    assert sb.verify(sb.latex_formula(latex, NAMES), text).proved


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (r"\theta_{t+1}", r"\theta_{t-1}"),
        ("x_{-1}", "x_1"),
        ("x^{(t+1)}", "x^{(t-1)}"),
        ("x_{1/2}", "x_{1,2}"),
        ("x_{t_0}", "x_{t,0}"),
        (r"\theta_{t+1}", r"\theta_{t,1}"),
    ],
)
def test_scripts_that_differ_are_two_names(one: str, other: str) -> None:
    """A name drops no sign of its scripts: the difference of two names must not be 0."""
    assert sb.latex_formula(one).understood() != sb.latex_formula(other).understood()
    assert not sb.verify(sb.latex_formula(f"{one}-{other}"), "0").proved


def test_sums_behind_sums_may_use_one_letter() -> None:
    """Each binds its own."""
    assert "sum(i, a[i]) + sum(i, b[i])" == sb.latex_formula(r"\sum_i a_i + \sum_i b_i").understood()


def test_extremes_of_several_numbers_are_nested() -> None:
    """The formula language takes two at a time."""
    read = sb.latex_formula(r"\min(a, b, c)").understood()

    assert "minimum(minimum(a, b), c)" == read


@pytest.mark.parametrize(("latex", "text"), ENTRIES)
def test_entries_are_read_with_the_names_of_a_program(latex: str, text: str | type[Exception]) -> None:
    """Indices are split by the ranks of tensors, layers and samples told apart by what exists."""
    vocabulary = make_vocabulary(PROGRAM.core, DECLARED)
    if isinstance(text, type):
        with pytest.raises(text):
            read_formula(read_syntax(latex), vocabulary, dict.fromkeys("knd"))
        return
    read = read_formula(read_syntax(latex), vocabulary, dict.fromkeys("knd"))

    assert text == write_tree(read)


def test_indices_of_sums_make_entries_without_a_program() -> None:
    """A letter that a sum binds is an index, and not part of a name."""
    read = sb.latex_formula(r"\frac{1}{n}\sum\limits_{i=1}^n(\hat{y}_i-y_i)^2").understood()

    assert "(1/n)*sum(i:n, (yhat[i] - y[i])^2)" == read


def test_names_with_plain_superscripts_can_be_declared() -> None:
    """w^l of Nielsen's book is a power until it is declared."""
    network = sb.mlp([3, 3, 3]).program.core
    vocabulary = make_vocabulary(network, {"w^1": "W1", r"\delta^2": "adj(z2)", "x^*": "y"})

    assert "W1[i,j]" == write_tree(read_formula(read_syntax("w^1_{ij}"), vocabulary))
    assert "adj(z2[n,i])" == write_tree(read_formula(read_syntax(r"\delta^2_{ni}"), vocabulary))
    assert "x[n,i]^2" == write_tree(read_formula(read_syntax("x_{ni}^2"), vocabulary))


@pytest.mark.parametrize(("latex", "text"), HEADS)
def test_heads_are_derivatives_and_never_quotients(latex: str, text: str | None) -> None:
    """A derivative is one in every way of writing it, and a quotient is none."""
    head = read_head(read_syntax(latex), make_vocabulary(PROGRAM.core, DECLARED))

    assert text == (None if head is None else write_tree(head))


@pytest.mark.parametrize(("latex", "text"), MATRICES)
def test_matrices_are_read_with_shapes(latex: str, text: str) -> None:
    """Products side by side bind more tightly than entrywise ones; ones are as long as they must be."""
    read = read_matrix_formula(read_syntax(latex), make_vocabulary(PROGRAM.core, DECLARED))

    assert text == write_matrix_tree(read)
    assert read_matrix_lines(text)[0].body == read


@pytest.mark.parametrize(("latex", "kind", "said"), REFUSED)
def test_what_has_no_reading_or_two_is_refused(latex: str, kind: type[SymBackpropError] | None, said: str) -> None:
    """The error says what was seen, and where."""
    if kind is None:
        assert sb.latex_formula(latex).understood()
        return
    with pytest.raises(kind) as caught:
        sb.latex_formula(latex).understood()

    assert said in str(caught.value)
    if isinstance(caught.value, FormulaError):
        assert caught.value.line == 1
        assert caught.value.column
    if isinstance(caught.value, AmbiguousFormulaError):
        assert len(set(caught.value.readings)) > 1


@pytest.mark.parametrize(("latex", "kind", "said"), REFUSED_IN_PROGRAM)
def test_entries_without_one_reading_are_refused(latex: str, kind: type[SymBackpropError], said: str) -> None:
    """Ranks and scopes of a program leave one reading, or it is an error."""
    with pytest.raises(kind) as caught:
        read_formula(read_syntax(latex), make_vocabulary(PROGRAM.core, DECLARED), dict.fromkeys("knd"))

    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("latex", "kind", "said"),
    [
        (r"X (P - Y)", ShapeError, "transpose"),
        (r"\langle w, b \rangle", FormulaError, "one shape"),
        (r"\langle w \rangle", FormulaError, "inner product"),
        (r"w^2", AmbiguousFormulaError, "each entry"),
        (r"(X - X)^2", AmbiguousFormulaError, "each entry"),
        (r"\sqrt[3]{W}", UnsupportedError, "entry"),
        (r"S''(Z)", UnsupportedError, "entry"),
        (r"W \ast X", AmbiguousFormulaError, "convolution"),
        (r"W \times X", AmbiguousFormulaError, "entry by entry"),
        (r"W * X", AmbiguousFormulaError, "entry by entry"),
        (r"X \cdot W^\top \odot Y", AmbiguousFormulaError, r"\odot"),
        (r"\lVert W\rVert^2", AmbiguousFormulaError, "Frobenius"),
        (r"\lVert W\rVert_1", FormulaError, "the norm of a matrix with `1` below"),
        (r"\lVert W\rVert_{2,1}", FormulaError, "the norm of a matrix with `2,1` below"),
        (r"W1^2", FormulaError, r"\cdot"),
        (r"|W^{(1)}|", AmbiguousFormulaError, "determinant"),
        (r"W_{kd}", FormulaError, "whole"),
        (r"\sum_n X", FormulaError, "no such index"),
        (r"X + W", ShapeError, "shape"),
        (r"X + b", ShapeError, "shape"),
        (r"W^{(1)} + w", AmbiguousFormulaError, "in every row"),
        (r"W^\top W + b^\top b", AmbiguousFormulaError, r"beside a matrix [D, D], which can be read as `b^{\top}b in"),
        (r"\operatorname{diag}(b) - b^\top b", AmbiguousFormulaError, r"write b^{\top}b I, or"),
        (r"W^\top W + N", AmbiguousFormulaError, "N in every entry"),
        (r"2 (W^\top W)^{-1} - 1", AmbiguousFormulaError, "1 I"),
        (r"W^{(1)} \odot w", AmbiguousFormulaError, "in every column"),
        (r"\mathbf{1}", FormulaError, "length"),
        (r"W^{(1)} \otimes W", UnsupportedError, r"\otimes"),
    ],
)
def test_matrices_without_one_reading_are_refused(latex: str, kind: type[SymBackpropError], said: str) -> None:
    """Shapes that do not fit, and signs that mean two things between matrices, are errors."""
    with pytest.raises(kind) as caught:
        read_matrix_formula(read_syntax(latex), make_vocabulary(PROGRAM.core, DECLARED))

    assert said in str(caught.value)


@pytest.mark.parametrize(
    "latex", [r"1 - W \odot W", r"b^\top b - W \odot W", r"X W^\top + N", r"X w + N", r"W^\top W + N I_{D}"]
)
def test_a_number_beside_entries_is_one_for_each(latex: str) -> None:
    """Where no multiple of the identity can be meant, or it is written, a number is added to every entry."""
    assert read_matrix_formula(read_syntax(latex), make_vocabulary(PROGRAM.core, DECLARED))


def test_the_delta_of_two_indices_of_one_range_has_two_readings() -> None:
    """Kronecker's delta and the adjoint of a square z look alike; ranges that differ tell them apart."""
    square = sb.parse("input x[N, N]\nparam W[N, N]\nz[i,j] = W[i,j]*x[i,j]\nloss = sum(i, j, z[i,j]^2)").core
    vector = sb.parse("input x[N]\nparam w[N]\nz[i] = w[i]*x[i]\nloss = sum(i, z[i]^2)").core
    delta = read_syntax(r"\delta_{ij}")

    given = sb.parse("param z[T, T], q[T]\nloss = sum(t, u, z[t,u]^2)").core

    for program in (square, given):
        with pytest.raises(AmbiguousFormulaError, match=r"the adjoint of z.*Kronecker.*= kronecker, or .*= adj\(z\)"):
            read_formula(delta, make_vocabulary(program))
        adjoint = read_formula(delta, make_vocabulary(program, {r"\delta": "adj(z)"}))
        assert write_tree(adjoint) == "adj(z[i,j])"
    assert "where(i == j, 1, 0)" == write_tree(read_formula(delta, make_vocabulary(vector)))
    assert "where(i == j, 1, 0)" == write_tree(read_formula(delta, make_vocabulary(square, {r"\delta": "kronecker"})))


BLOCKS = [
    (r"a &= b + c \\ &= c + b", [("equation", 3)]),
    (r"\begin{aligned} a &= b \\[2pt] &= c \\ d &= e \end{aligned}", [("equation", 3), ("equation", 2)]),
    (r"\begin{align*} a &= b & c &= d \end{align*}", [("equation", 2), ("equation", 2)]),
    (r"a &=& b \\ &=& c", [("equation", 3)]),
    (r"a &= b \\ &\quad + c \\ &\quad - d", [("equation", 2)]),
    (r"a = b +\\ c", [("equation", 2)]),
    (r"\frac{\partial f}{\partial x}=2x,\frac{\partial f}{\partial y}=2y", [("equation", 2), ("equation", 2)]),
    (r"S(x)=\frac{1}{1+e^{-x}},\quad S^{'}(x) = \frac{e^{-x}}{(1+e^{-x})^2}=S(x)(1-S(x))",
     [("equation", 2), ("equation", 3)]),
    (r"a = b \qquad c = d", [("equation", 2), ("equation", 2)]),
    (r"w := w - \eta g", [("update", 2)]),
    (r"w \leftarrow w - \eta g", [("update", 2)]),
    (r"w_{new}=w-l_r\times v_w,b_{new}=b-l_r\times v_b", [("update", 2), ("update", 2)]),
    (r"w^{\text{new}} = w - \eta g", [("update", 2)]),
    (r"x_{new}=x-l_r\frac{\partial f}{\partial x}=x_0-2x_0=-x_0", [("update", 4)]),
    (r"w_{411}=w_{411}-l_r\times v", [("update", 2)]),
    (r"x_0\approx2.04\times10^{-7}", [("approximation", 2)]),
    (r"f(0.5) = \tanh(0.5) \approx 0.4621", [("approximation", 3)]),
    (r"x \le y", [("relation", 2)]),
    (r"x + y", [("expression", 1)]),
    (r"f = \begin{cases} x & x>0 \\ 0 & \text{otherwise}\end{cases} \\ g = f^2", [("equation", 2), ("equation", 2)]),
    (r"a = b \text{ (chain rule)}.", [("equation", 2)]),
    (r"loss: \frac{1}{n}\sum\limits_{i=1}^n(\hat{y}_i-y_i)^2", [("expression", 1)]),
]  # fmt: skip


@pytest.mark.parametrize(("latex", "kinds"), BLOCKS)
def test_blocks_are_split_into_statements(latex: str, kinds: list[tuple[str, int]]) -> None:
    """Rows, chains, commas and updates are told apart without any environment."""
    found = [(statement.kind, len(statement.sides)) for statement in read_block(latex)]

    assert kinds == found


def test_statements_know_where_their_sides_stand() -> None:
    """Lines and columns are those of the file, across rows that go on."""
    block = "\na &= b \\\\\n  &= c \\\\\nd &= e"
    first, second = read_block(block, line=10)

    assert [(11, 1), (11, 6), (12, 6)] == [(side.line, side.column) for side in first.sides]
    assert (13, 1) == (second.line, second.column)
    with pytest.raises(FormulaError) as caught:
        read_block("a &= b \\\\\n &= \\foo", line=3)
    assert (4, 5) == (caught.value.line, caught.value.column)


@pytest.mark.parametrize(
    ("latex", "said"),
    [
        (r"= b", "at the beginning"),
        (r"a = b \quad \text{if it rains}", "if"),
        (r"a = b, \text{ where c is small}", "always holds"),
        (r"a = 1, 2", "by itself"),
        (r"X_i \quad (i = 1, 2)", "by itself"),
        (r"a = b \implies c = d", r"\implies"),
        (r"  ", "empty"),
    ],
)
def test_blocks_that_say_more_than_equations_are_refused(latex: str, said: str) -> None:
    """Conditions in words, lists and arrows are not dropped."""
    with pytest.raises(FormulaError, match=said.replace("\\", "\\\\")):
        read_block(latex)


def test_claims_and_definitions_come_from_statements() -> None:
    """A chain is a claim with a link for each side, an approximation keeps its digits."""
    vocabulary = make_vocabulary(PROGRAM.core, DECLARED)
    (chain,) = read_block(r"\frac{\partial L}{\partial b_k} &= \sum_n \delta_{nk} \\ &= \sum_n \tilde z_{nk}")
    (value,) = read_block(r"\tanh(0.5) \approx 4.621\times10^{-1}")
    (given,) = read_block(r"a_{nk} = \tanh(z_{nk})")

    assert "claim d loss / d b[k] = sum(n, adj(z[n,k])) = sum(n, adj(z[n,k]))" == write_tree(
        read_claim(chain, vocabulary)
    )
    assert "claim tanh(0.5) ~ 4.621e-1" == write_tree(read_claim(value, make_vocabulary()))
    with pytest.raises(FormulaError, match="unknown"):
        read_definition(given, vocabulary)
    assert {r"\hat y": "a4", "w_{311}": "W3[1,1]"} == read_names(r"\hat y = a4, w_{311} = W3[1,1]")


def test_gradients_are_claimed_in_latex() -> None:
    """Index and matrix claims are proved for all sizes, wrong ones refuted, shapes checked first."""
    formula = sb.latex_formula
    entry = r"\frac{2}{m}\sum_{n=1}^{m}(p_{nk} - y_{nk})\,p_{nk}(1-p_{nk})\,x_{nd}"
    whole = r"\frac{2}{m}\left((P - Y) \odot P \odot (1 - P)\right)^\top X"

    assert sb.verify_gradient(PROGRAM, "W[k,d]", formula(entry, {"m": "N"})).for_all_sizes
    assert sb.verify_gradient(PROGRAM, "W", formula(whole, {"m": "N"})).for_all_sizes
    assert sb.verify_gradient(PROGRAM, "W", formula(whole.replace("2}{m}", "1}{m}"), {"m": "N"})).refuted
    assert sb.verify_gradient(PROGRAM, "b", formula(r"\delta^\top \mathbf{1}")).proved
    assert "read as sum(adj(z)', 2)" in str(sb.verify_gradient(PROGRAM, "b", formula(r"\delta^\top \mathbf{1}")))
    with pytest.raises(ShapeError):
        sb.verify_gradient(PROGRAM, "W", formula(r"X^\top \delta"))


def test_backpropagation_in_columns_is_proved() -> None:
    """The equations of a textbook for one sample, with layers in brackets of both kinds."""
    network = sb.mlp(["D", "H", "J", "K"], activation="sigmoid", batch=None)
    names = {"S": "sigmoid"}

    delta = r"(W^{(3)})^\top \delta^{(3)} \odot S'(z^{(2)})"
    assert sb.verify_gradient(network, "z2", sb.latex_formula(delta, names)).for_all_sizes
    assert sb.verify_gradient(network, "W2", sb.latex_formula(r"\delta^{[2]} (a^{[1]})^T")).for_all_sizes
    with pytest.raises(ShapeError):
        sb.verify_gradient(network, "W2", sb.latex_formula(r"\delta^{[3]} (a^{[1]})^T"))


PROGRAMS = {
    "neuron": "input x, y\nparam w, b\na = sigmoid(w*x + b)\nloss = (a - y)^2",
    "fit": "input X[N,D], y[N]\nparam w[D]\nyhat[n] = sum(d, X[n,d]*w[d])\nloss = sum(n, (yhat[n] - y[n])^2)/N",
    "logistic": "input X[N,D], y[N]\nparam w[D], b\nz[n] = sum(d, X[n,d]*w[d]) + b\np[n] = sigmoid(z[n])\n"
    "loss = -sum(n, y[n]*log(p[n]) + (1 - y[n])*log(1 - p[n]))/N",
    "softmax": "input x[N,D], y[N,K]\nparam W[K,D], b[K]\nassume sum(k, y[n,k]) = 1\n"
    "z[n,k] = sum(d, W[k,d]*x[n,d]) + b[k]\np[n,k] = exp(z[n,k])/sum(j, exp(z[n,j]))\n"
    "loss = -sum(n, k, y[n,k]*log(p[n,k]))/N",
    "norm": "input x[N,D], y[N,D]\nparam gamma[D], beta[D]\nconst eps\nassume eps > 0\nmu[n] = mean(d, x[n,d])\n"
    "v[n] = mean(d, (x[n,d] - mu[n])^2)\nxhat[n,d] = (x[n,d] - mu[n])/sqrt(v[n] + eps)\n"
    "o[n,d] = gamma[d]*xhat[n,d] + beta[d]\nloss = sum(n, d, (o[n,d] - y[n,d])^2)",
    "lasso": "input X[N,D], y[N]\nparam w[D]\nconst lambda\nr[n] = sum(d, X[n,d]*w[d]) - y[n]\n"
    "loss = sum(n, r[n]^2) + lambda*sum(d, abs(w[d]))",
    "relu": sb.mlp(["D", "H", "K"], activation="relu").program.text(),
    "tanh": sb.mlp(["D", "H", "K"], activation="tanh", loss="cross_entropy").program.text(),
    "deep": sb.mlp([3, 3, 3, 3]).program.text(),
    "column": sb.mlp(["D", "H", "K"], batch=None).program.text(),
    "huber": sb.mlp(["D", "H", "K"], activation="softplus", loss="huber").program.text(),
    "gelu": sb.mlp(["D", "H", "K"], activation="gelu", loss="mae").program.text(),
    "attention": "param Q[T,D], K[T,D], V[T,E]\ninput Y[T,E]\ns[i,j] = sum(d, Q[i,d]*K[j,d])/sqrt(D)\n"
    "p[i,j] = exp(s[i,j])/sum(k, exp(s[i,k]))\no[i,e] = sum(j, p[i,j]*V[j,e])\n"
    "loss = sum(i, e, (o[i,e] - Y[i,e])^2)",
}


@pytest.mark.parametrize("notation", ["index", "matrix"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_what_the_writers_print_reads_back(name: str, notation: str) -> None:
    """Every equation that is printed reads back to one that is proved of the program it was printed for."""
    program = sb.parse(PROGRAMS[name])
    derivation = sb.derive(program)
    read = 0
    for source, latex in ((program, program.latex(notation)), (derivation.program, derivation.latex(notation))):
        vocabulary = make_vocabulary(source.core)
        for statement in read_block(latex):
            claim = read_any_claim(statement, vocabulary)
            if isinstance(claim, MatrixClaim):
                verdicts = tuple(judge_matrix_claim(source.core, claim.head, claim.links))
            else:
                verdicts = tuple(judged.verdict for judged in judge_claim(source.core, claim))
            read += len(verdicts)
            assert all(verdict.proved for verdict in verdicts), " ".join(map(write_syntax, statement.sides))

    assert read >= len(program.definitions) + len(derivation.gradients)


def test_entries_of_inverses_and_solutions_read_back() -> None:
    """A solution is printed with its right side, and both read back to what they were."""
    program = sb.parse(
        "input B[N,N], c[N]\nparam A[N,N]\nu[i] = solve(A, c)[i]\nV[i,j] = inv(A)[i,j]\nX[i,j] = solve(A, B)[i,j]\n"
        "loss = sum(i, u[i]^2) + sum(i, j, V[i,j]*X[i,j])"
    )
    vocabulary = make_vocabulary(program.core)
    read = [write_tree(read_claim(s, vocabulary)) for s in read_block(program.latex())]

    assert ["u[i] = solve(A, c)[i]", "V[i,j] = inv(A)[i,j]", "X[i,j] = solve(A, B)[i,j]"] == [
        text.removeprefix("claim ") for text in read[:3]
    ]


@pytest.mark.parametrize("seed", [*range(27, 37), 131, 140, 165])
def test_what_is_printed_of_random_programs_is_never_misread(seed: int) -> None:
    """Every definition of a random program reads back to itself, or to an error; never to something else."""
    program = sb.parse(generate_program(seed).text)
    vocabulary = make_vocabulary(program.core)
    try:
        claims = [read_any_claim(statement, vocabulary) for statement in read_block(program.latex())]
    except (FormulaError, UnsupportedError):
        return
    for claim in claims:
        assert not isinstance(claim, MatrixClaim)
        assert not any(judged.verdict.refuted for judged in judge_claim(program.core, claim))


@pytest.mark.parametrize(
    ("left", "right", "seen"),
    (
        (r"\operatorname{logit} p", "p", "no function that is known"),
        (r"\frac{\delta f}{\delta x}", "f/x", "a quotient of products"),
        (r"\frac{\Delta y}{\Delta x}", "y/x", "a quotient of products"),
        ("x_{12}", "x_{1,2}", "may be one name"),
        ("x_{ij} y", "x_{i,j} y", "may be one name"),
    ),
)
def test_what_looks_like_something_else_is_no_product_of_names(left: str, right: str, seen: str) -> None:
    """Unknown operators, quotients of deltas, and two spellings of one name are errors that say what was seen."""
    with pytest.raises(sb.FormulaError, match=seen):
        sb.verify(sb.latex_formula(left), sb.latex_formula(right))


def test_declared_operators_and_products_with_delta_are_read() -> None:
    """What is declared, or written out, is read as it says."""
    declared = sb.latex_formula(r"\operatorname{sech}^2 x", names={r"\operatorname{sech}": "s"})

    assert sb.verify(declared, "s^2*x").proved
    assert sb.verify(sb.latex_formula(r"\frac{\delta}{m}"), "delta/m").proved
    assert sb.verify(sb.latex_formula(r"\frac{\delta \cdot f}{\delta \cdot x}"), "f/x").proved
    assert sb.verify(sb.latex_formula(r"\operatorname{ReLU}(x)"), "maximum(x, 0)").proved
