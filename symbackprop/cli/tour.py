"""The tour: the main job on what ships with the package, from formulas to a trained network."""

from __future__ import annotations

import statistics
import textwrap
from collections.abc import Callable

import sympy

import symbackprop as sb
from symbackprop.facade.experiments import learn
from symbackprop.training import load_iris

NEURON = """\
input x, y
param w, b
z    = w*x + b
yhat = sigmoid(z)
loss = (yhat - y)^2
"""

SOFTMAX = """\
input x[N,D], y[N,K]
param W[K,D], b[K]
assume sum(k, y[n,k]) = 1
z[n,k] = sum(d, W[k,d]*x[n,d]) + b[k]
p[n,k] = exp(z[n,k]) / sum(j, exp(z[n,j]))
loss   = -sum(n, k, y[n,k]*log(p[n,k])) / N
"""

SEEDS = range(5)
WIDTH = 80


def run_tour(say: Callable[[str], None]) -> None:
    """Say every stop of the tour."""
    for number, stop in enumerate((derive_softmax, show_matrix, explain_weight, judge_hand_work, follow_descent), 1):
        title, body = stop()
        say(f"{number}. {title}\n{'=' * (len(title) + 3)}\n{body}\n")
    title, body = train_iris()
    say(f"6. {title}\n{'=' * (len(title) + 3)}\n{body}")


def derive_softmax() -> tuple[str, str]:
    """Formulas in, gradients out."""
    derivation = sb.derive(sb.parse(SOFTMAX))
    return "Write the formulas, and the gradients follow", "\n".join(
        (
            "You write the forward pass, and nothing else:\n",
            indent(SOFTMAX),
            "The chain rule gives the backward pass, for every size N, D and K:\n",
            indent(derivation.text()),
        )
    )


def show_matrix() -> tuple[str, str]:
    """The same derivation in matrix notation."""
    derivation = sb.derive(sb.mlp(["D", "H", "K"], activation="tanh", loss="cross_entropy"))
    return "The same in the notation of a paper", "\n".join(
        (
            'd = sb.derive(sb.mlp(["D", "H", "K"], activation="tanh", loss="cross_entropy"))',
            'print(d.latex(notation="matrix"))\n',
            indent(derivation.latex(notation="matrix")),
        )
    )


def explain_weight() -> tuple[str, str]:
    """One weight, path by path."""
    derivation = sb.derive(sb.mlp([3, 3, 3, 3, 3], batch=None))
    return "Why is a gradient what it is?", "\n".join(
        (
            "In the network 3-3-3-3-3 the weight W3[1,1] reaches the loss along three paths:\n",
            indent(derivation.explain("W3[1,1]").text()),
        )
    )


def judge_hand_work() -> tuple[str, str]:
    """Hand-written derivatives, proved or refuted."""
    neuron = sb.parse(NEURON)
    x = sympy.Symbol("x")
    claims = (
        (
            "sigmoid'(x) = sigmoid(x)*(1 - sigmoid(x))",
            sb.verify(sympy.diff(1 / (1 + sympy.exp(-x)), x), "sigmoid(x)*(1 - sigmoid(x))"),
        ),
        (
            "d loss / d w = 2*(yhat - y)*x*yhat*(1 - yhat)",
            sb.verify_gradient(neuron, "w", "2*(yhat - y)*x*yhat*(1 - yhat)"),
        ),
        ("d loss / d w = x*yhat*(1 - yhat)", sb.verify_gradient(neuron, "w", "x*yhat*(1 - yhat)")),
        ("d loss / d b = 2*(yhat - y)*yhat", sb.verify_gradient(neuron, "b", "2*(yhat - y)*yhat")),
    )
    parts = [
        "One sigmoid neuron under squared error:\n",
        indent(NEURON),
        "Four hand derivations, as found in notes and posts:\n",
    ]
    for claim, verdict in claims:
        parts.append(f"    {claim}")
        parts.append(
            textwrap.fill(str(verdict), 76, initial_indent="      ", subsequent_indent="      ", break_long_words=False)
        )
    return "Is my derivation right?", "\n".join(parts)


def follow_descent() -> tuple[str, str]:
    """Gradient descent on x^2, exactly."""
    x = sympy.Symbol("x")
    return "Gradient descent on a formula", indent(sb.descend(x**2, {"x": 1000}, sympy.Rational(1, 10), 100).text())


def train_iris() -> tuple[str, str]:
    """A real data set, learned from the derived gradients."""
    network = sb.mlp([4, 8, 3], activation="tanh", loss="cross_entropy")
    scores = []
    for seed in SEEDS:
        found = learn(network, load_iris(), sb.Adam(0.02), 60, batch_size=16, seed=seed, progress=False)
        scores.append(found.test_score)
    return "Run it: iris, learned from the derived gradients", "\n".join(
        (
            "    network 4-8-3, tanh, cross-entropy; Adam(0.02), 60 epochs, batches of 16",
            f"    {found.train_samples} flowers to learn from, {found.test_samples} unseen ones to test on",
            f"    test accuracy of {len(scores)} seeds: {', '.join(f'{s:.1%}' for s in scores)}",
            f"    median: {statistics.median(scores):.1%}",
        )
    )


def indent(text: str) -> str:
    """A block moved in by four columns, what is wider than the terminal continued below."""
    lines: list[str] = []
    for line in text.rstrip("\n").split("\n"):
        margin = " " * (len(line) - len(line.lstrip()) + 4)
        pieces = textwrap.wrap(line, WIDTH - 4, subsequent_indent=margin, break_long_words=False, drop_whitespace=True)
        lines += [line] if len(line) <= WIDTH - 4 else pieces
    return textwrap.indent("\n".join(lines), "    ") + "\n"
