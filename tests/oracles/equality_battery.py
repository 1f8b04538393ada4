"""Pairs of formulas as people write them by hand, equal and different: activations, losses, norms, kinks, roots."""

from __future__ import annotations

import sympy as sp
from sympy import (  # fmt: skip
    Abs,
    Max,
    Min,
    Piecewise,
    Rational,
    acos,
    acosh,
    asin,
    asinh,
    atanh,
    cos,
    cosh,
    coth,
    diff,
    erf,
    erfc,
    exp,
    log,
    pi,
    sech,
    sign,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
)

a, b, m, p, q, t, w, x, y, z = sp.symbols("a b m p q t w x y z")
eps, u, v = sp.symbols("eps u v", positive=True)
z1, z2, z3, y1, y2 = sp.symbols("z1 z2 z3 y1 y2")


def S(argument: sp.Expr) -> sp.Expr:
    """The logistic sigmoid."""
    return 1 / (1 + exp(-argument))


def softmax(index: int) -> sp.Expr:
    """An entry of the softmax of z1, z2, z3."""
    return exp((z1, z2, z3)[index]) / (exp(z1) + exp(z2) + exp(z3))


def layer_norm(size: int) -> tuple[sp.Expr, sp.Expr, sp.Expr]:
    """The derivative of a weighted sum of normalised entries by the first, by hand, and by hand without the mean."""
    entries, weights = sp.symbols(f"x1:{size + 1}"), sp.symbols(f"d1:{size + 1}")
    mean = sum(entries) / sp.Integer(size)
    spread = sqrt(sum((entry - mean) ** 2 for entry in entries) / size + eps)
    normal = [(entry - mean) / spread for entry in entries]
    total = sum(weight * entry for weight, entry in zip(weights, normal, strict=True))
    first = weights[0] - normal[0] * total / size
    return diff(total, entries[0]), (first - sum(weights) / sp.Integer(size)) / spread, first / spread


LOGITS, TARGETS = sp.symbols("z1:5"), sp.symbols("y1:5")
SOFTMAX = [exp(logit) / sum(exp(other) for other in LOGITS) for logit in LOGITS]
CROSS_ENTROPY = -sum(target * log(entry) for target, entry in zip(TARGETS, SOFTMAX, strict=True))
NORM = sqrt(x**2 + y**2)
SPREAD = sqrt((x - y) ** 2 / 4 + eps)
GELU = x * (1 + erf(x / sqrt(2))) / 2
INNER = sqrt(2 / pi) * (x + Rational(44715, 1000000) * x**3)

EQUAL = {
    "square of a sum": ((x + y) ** 2, x**2 + 2 * x * y + y**2),
    "quotient rule": (diff(x / (1 + x**2), x), (1 - x**2) / (1 + x**2) ** 2),
    "removable pole": ((x**3 - y**3) / (x - y), x**2 + x * y + y**2),
    "partial fractions": (1 / (x * (x + 1)), 1 / x - 1 / (x + 1)),
    "mean squared error": (diff((w * x + b - y) ** 2, w), 2 * x * (w * x + b - y)),
    "mean of two": (diff(((a - x) ** 2 + (b - y) ** 2) / 2, a), a - x),
    "sigmoid by itself": (diff(S(z), z), S(z) * (1 - S(z))),
    "sigmoid by exp": (diff(S(z), z), exp(z) / (1 + exp(z)) ** 2),
    "sigmoid by tanh": (S(z), (1 + tanh(z / 2)) / 2),
    "sigmoid reflected": (S(-z), 1 - S(z)),
    "sigmoid of a product": (diff(S(w * x + b), w), x * S(w * x + b) * S(-w * x - b)),
    "second derivative of the sigmoid": (diff(S(z), z, 2), S(z) * (1 - S(z)) * (1 - 2 * S(z))),
    "tanh by exp": (tanh(x), (exp(2 * x) - 1) / (exp(2 * x) + 1)),
    "tanh by sech": (diff(tanh(x), x), sech(x) ** 2),
    "tanh by the sigmoid": (tanh(x), 2 * S(2 * x) - 1),
    "tanh of a sum": (tanh(x + y), (tanh(x) + tanh(y)) / (1 + tanh(x) * tanh(y))),
    "coth": (coth(x), cosh(x) / sinh(x)),
    "hyperbolic pythagoras": (cosh(x) ** 2 - sinh(x) ** 2, sp.S.One),
    "cosh doubled": (cosh(2 * x), 2 * sinh(x) ** 2 + 1),
    "pythagoras": (sin(w * x) ** 2 + cos(w * x) ** 2, sp.S.One),
    "tangent": (diff(tan(x), x), 1 / cos(x) ** 2),
    "arcs": (x * asin(x) - pi * x / 2, -x * acos(x)),
    "odd sine": (sin(y - x), -sin(x - y)),
    "softplus": (diff(log(1 + exp(x)), x), S(x)),
    "softplus reflected": (log(1 + exp(x)) - log(1 + exp(-x)), x),
    "stable softplus": (log(1 + exp(x)), Max(x, 0) + log(1 + exp(-Abs(x)))),
    "log sigmoid": (log(S(x)), -log(1 + exp(-x))),
    "silu": (diff(x * S(x), x), S(x) * (1 + x * (1 - S(x)))),
    "mish": (
        diff(x * tanh(log(1 + exp(x))), x),
        tanh(log(1 + exp(x))) + x * S(x) * (1 - tanh(log(1 + exp(x))) ** 2),
    ),
    "gelu": (diff(GELU, x), (1 + erf(x / sqrt(2))) / 2 + x * exp(-(x**2) / 2) / sqrt(2 * pi)),
    "gelu by tanh": (
        diff(x * (1 + tanh(INNER)) / 2, x),
        (1 + tanh(INNER)) / 2 + x / 2 * (1 - tanh(INNER) ** 2) * sqrt(2 / pi) * (1 + Rational(134145, 1000000) * x**2),
    ),
    "erf complement": (erfc(x), 1 - erf(x)),
    "odd erf": (erf(y - x), -erf(x - y)),
    "softmax diagonal": (diff(softmax(0), z1), softmax(0) * (1 - softmax(0))),
    "softmax beside the diagonal": (diff(softmax(0), z2), -softmax(0) * softmax(1)),
    "softmax sums to one": (softmax(0) + softmax(1) + softmax(2), sp.S.One),
    "softmax shifted": (softmax(0), exp(z1 - m) / (exp(z1 - m) + exp(z2 - m) + exp(z3 - m))),
    "softmax of two": (exp(z1) / (exp(z1) + exp(z2)), S(z1 - z2)),
    "cross-entropy": (
        diff(-y1 * log(softmax(0)) - (1 - y1) * log(softmax(1)), z1),
        softmax(0) - y1,
    ),
    "log-sum-exp shifted": (log(exp(z1) + exp(z2)), m + log(exp(z1 - m) + exp(z2 - m))),
    "log-sum-exp by the larger": (
        log(exp(z1) + exp(z2)),
        Max(z1, z2) + log(exp(z1 - Max(z1, z2)) + exp(z2 - Max(z1, z2))),
    ),
    "binary cross-entropy of logits": (diff(-y * log(S(z)) - (1 - y) * log(1 - S(z)), z), S(z) - y),
    "binary cross-entropy": (diff(-y * log(p) - (1 - y) * log(1 - p), p), (p - y) / (p * (1 - p))),
    "focal loss": (diff(-((1 - p) ** 2) * log(p), p), 2 * (1 - p) * log(p) - (1 - p) ** 2 / p),
    "root": (diff(sqrt(x**2 + eps), x), x / sqrt(x**2 + eps)),
    "root rationalised": (1 / (sqrt(u) + sqrt(v)), (sqrt(u) - sqrt(v)) / (u - v)),
    "root of a product": (sqrt(u * v), sqrt(u) * sqrt(v)),
    "cube root": (diff(u ** Rational(1, 3), u), u ** Rational(-2, 3) / 3),
    "mixed roots": (sqrt(u) * u ** Rational(1, 3), u ** Rational(5, 6)),
    "root of two": (1 / sqrt(2), sqrt(2) / 2),
    "nested fractions of roots": ((u - 1) / (sqrt(u) - 1), sqrt(u) + 1),
    "unit vector": (diff(x / NORM, x), y**2 / NORM**3),
    "cosine similarity": (diff((a * x + b * y) / NORM, x), y * (a * y - b * x) / NORM**3),
    "layer norm of two": (diff((x - y) / (2 * SPREAD), x), eps / (2 * SPREAD**3)),
    "logarithm of a product": (log(u * v), log(u) + log(v)),
    "logarithm of a root": (log(sqrt(u)), log(u) / 2),
    "logarithm of a number": (log(12), 2 * log(2) + log(3)),
    "power by exp": (u**a, exp(a * log(u))),
    "sum of exponents": (u**a * u**b, u ** (a + b)),
    "derivative of a power": (diff(u**a, u), a * u ** (a - 1)),
    "derivative by the exponent": (diff(2**x, x), 2**x * log(2)),
    "powers of four": (4**x, (2**x) ** 2),
    "exponent with a fraction": (exp(x / (x + y)), exp(1) * exp(-y / (x + y))),
    "odds": (S(log(u / v)), u / (u + v)),
    "gaussian": (diff(exp(-((x - m) ** 2) / (2 * u**2)), x), -(x - m) / u**2 * exp(-((x - m) ** 2) / (2 * u**2))),
    "kl of gaussians": (diff(log(u / v) + v**2 / (2 * u**2), u), (u**2 - v**2) / u**3),
    "temperature": (diff(S(x / u), u), -x / u**2 * S(x / u) * S(-x / u)),
    "floats": (0.1 * x**2 + 0.2 * x, x**2 / 10 + x / 5),
    "absolute value": (sqrt(x**2), Abs(x)),
    "relu twice": (Max(x, 0) - Max(-x, 0), x),
    "larger and smaller": (Max(x, y) + Min(x, y), x + y),
    "sign": (Abs(x), x * sign(x)),
    "clipped": (
        Max(-1, Min(1, x)),
        Piecewise((-1, x < -1), (x, x <= 1), (1, True)),
    ),
    "leaky": (Max(x, x / 100), Piecewise((x, x > 0), (x / 100, True))),
    "huber": (
        Piecewise((x**2 / 2, Abs(x) <= u), (u * (Abs(x) - u / 2), True)),
        Piecewise((x**2 / 2, x**2 <= u**2), (u * Abs(x) - u**2 / 2, True)),
    ),
    "two layers": (
        diff((tanh(w * S(a * x)) - y) ** 2, a),
        2 * (tanh(w * S(a * x)) - y) * (1 - tanh(w * S(a * x)) ** 2) * w * S(a * x) * (1 - S(a * x)) * x,
    ),
    "cross-entropy of four": (CROSS_ENTROPY.diff(LOGITS[0]), SOFTMAX[0] * sum(TARGETS) - TARGETS[0]),
    "softmax of four beside the diagonal": (diff(SOFTMAX[0], LOGITS[3]), -SOFTMAX[0] * SOFTMAX[3]),
    "layer norm of three": layer_norm(3)[:2],
    "layer norm of four": layer_norm(4)[:2],
    "log-sum-exp in two steps": (log(exp(x) + exp(y) + exp(z)), log(exp(x) + exp(log(exp(y) + exp(z))))),
    "sine doubled": (sin(2 * x), 2 * sin(x) * cos(x)),
    "cosine doubled": (cos(2 * x), 1 - 2 * sin(x) ** 2),
    "cosine tripled": (cos(3 * x), 4 * cos(x) ** 3 - 3 * cos(x)),
    "sine of a sum": (sin(x + y), sin(x) * cos(y) + cos(x) * sin(y)),
    "product of sines": (sin(x) * sin(y), (cos(x - y) - cos(x + y)) / 2),
    "fourth power of a sine": (sin(x) ** 4, (3 - 4 * cos(2 * x) + cos(4 * x)) / 8),
    "tangent halved": (tan(x / 2), sin(x) / (1 + cos(x))),
    "tangent of a sum": (tan(x + y), (tan(x) + tan(y)) / (1 - tan(x) * tan(y))),
    "sine shifted": (sin(x + pi / 4), (sin(x) + cos(x)) / sqrt(2)),
    "sine of fifteen degrees": (sin(pi / 12), (sqrt(6) - sqrt(2)) / 4),
    "snake": (diff(x + sin(a * x) ** 2 / a, x), 1 + sin(2 * a * x)),
    "arc cosine by a root": (cos(asin(x)), sqrt(1 - x**2)),
    "inverse hyperbolic cosine": (acosh(x), log(x + sqrt(x**2 - 1))),
    "inverse hyperbolic sine": (asinh(x), log(x + sqrt(x**2 + 1))),
    "inverse hyperbolic tangent": (atanh(x), log((1 + x) / (1 - x)) / 2),
    "cosh halved": (cosh(x / 2) ** 2, (1 + cosh(x)) / 2),
    "log cosh": (diff(log(cosh(x)), x), tanh(x)),
    "stable log cosh": (log(cosh(x)), Abs(x) + log(1 + exp(-2 * Abs(x))) - log(2)),
    "tanh shrink": (diff(x - tanh(x), x), tanh(x) ** 2),
    "nested root of numbers": (sqrt(5 + 2 * sqrt(6)), sqrt(2) + sqrt(3)),
    "nested root of a difference": (sqrt(3 - 2 * sqrt(2)), sqrt(2) - 1),
    "nested root of a square": (sqrt(u + v + 2 * sqrt(u * v)), sqrt(u) + sqrt(v)),
    "nested root of x": (sqrt(x**2 + sqrt(x**4 - 1)), (sqrt(x**2 + 1) + sqrt(x**2 - 1)) / sqrt(2)),
    "root of a root": (
        diff(sqrt(1 + sqrt(x**2 + eps)), x),
        x / (2 * sqrt(x**2 + eps) * sqrt(1 + sqrt(x**2 + eps))),
    ),
    "roots in a denominator": (1 / (1 + sqrt(2) + sqrt(3)), (2 + sqrt(2) - sqrt(6)) / 4),
    "distance twice": (Abs(Abs(x) - 1), Max(Abs(x) - 1, 1 - Abs(x))),
    "root of a squared difference": (sqrt((x - y) ** 2), Max(x - y, y - x)),
    "outside a circle": (
        Max(x**2 + y**2 - 1, 0) ** 2,
        Piecewise(((x**2 + y**2 - 1) ** 2, x**2 + y**2 > 1), (0, True)),
    ),
    "a line that misses a circle": (
        Piecewise((Piecewise((1, x > 2), (y, True)), x**2 + y**2 < 1), (0, True)),
        Piecewise((y, x**2 + y**2 < 1), (0, True)),
    ),
    "kink at roots of a cubic": (Max(x**3 - x - 1, 0), (x**3 - x - 1 + Abs(x**3 - x - 1)) / 2),
    "kink where a function meets a line": (Max(cos(x * y), 2 * y), -Min(-cos(x * y), -2 * y)),
    "kink of a logarithm": (Max(log(u), 0), Piecewise((log(u), u > 1), (0, True))),
    "kink of an exponential": (Max(exp(x), 1), Piecewise((exp(x), x > 0), (1, True))),
    "odd functions of the absolute value": (Abs(tanh(x)) + Abs(erf(x)), tanh(Abs(x)) + erf(Abs(x))),
    "exponential linear unit": (Max(x, 0) + a * Min(exp(x) - 1, 0), Piecewise((x, x > 0), (a * (exp(x) - 1), True))),
    "hard swish": (x * Max(0, Min(6, x + 3)) / 6, Piecewise((0, x <= -3), (x, x >= 3), (x * (x + 3) / 6, True))),
    "median": (x + y + z - Max(x, y, z) - Min(x, y, z), Max(Min(x, y), Min(Max(x, y), z))),
    "focal loss of any power": (
        diff(-((1 - u) ** a) * log(u), u),
        a * (1 - u) ** (a - 1) * log(u) - (1 - u) ** a / u,
    ),
    "entropy of a sigmoid": (diff(-S(z) * log(S(z)) - S(-z) * log(S(-z)), z), -z * S(z) * S(-z)),
    "gaussian likelihood": (diff(log(u) / 2 + (x - m) ** 2 / (2 * u), u), 1 / (2 * u) - (x - m) ** 2 / (2 * u**2)),
    "student's likelihood": (diff((v + 1) / 2 * log(1 + x**2 / v), x), (v + 1) * x / (v + x**2)),
    "hill": (u**a / (u**a + v**a), S(a * log(u / v))),
}

DIFFERENT = {
    "factor missing": (diff((w * x - y) ** 2, w), x * (w * x - y)),
    "sign": (diff((w * x - y) ** 2, y), 2 * (w * x - y)),
    "factor x missing": (diff((w * x - y) ** 2, w), 2 * (w * x - y)),
    "square of a sum": ((x + y) ** 2, x**2 + y**2),
    "quotient rule": (diff(x / (1 + x**2), x), (1 + x**2) / (1 + x**2) ** 2),
    "inverse of a sum": (1 / (x + y), 1 / x + 1 / y),
    "sigmoid": (diff(S(z), z), S(z) * (1 + S(z))),
    "sigmoid without a factor": (diff(S(z), z), 1 - S(z)),
    "sigmoid squared": (diff(S(z), z), S(z) ** 2),
    "sigmoid reflected": (S(-z), -S(z)),
    "sigmoid without chain": (diff(S(2 * z), z), S(2 * z) * (1 - S(2 * z))),
    "tanh": (diff(tanh(x), x), 1 - tanh(x)),
    "tanh squared": (diff(tanh(x), x), 1 + tanh(x) ** 2),
    "tanh by the sigmoid": (tanh(x), 2 * S(x) - 1),
    "hyperbolic pythagoras": (cosh(x) ** 2 + sinh(x) ** 2, sp.S.One),
    "sine": (diff(sin(w * x), x), cos(w * x)),
    "double angle": (sin(x) ** 2, (1 + cos(2 * x)) / 2),
    "softplus": (diff(log(1 + exp(x)), x), S(-x)),
    "softplus shifted": (log(1 + exp(x)), x + log(1 + exp(x))),
    "silu": (diff(x * S(x), x), S(x) + x * S(x)),
    "gelu": (diff(GELU, x), (1 + erf(x / sqrt(2))) / 2 + x * exp(-(x**2) / 2) / sqrt(pi)),
    "gelu half": (diff(GELU, x), (1 + erf(x / sqrt(2))) / 2),
    "gelu by tanh": (GELU, x * (1 + tanh(INNER)) / 2),
    "odd erf": (erf(-x), erf(x)),
    "softmax diagonal": (diff(softmax(0), z1), softmax(0) * softmax(0)),
    "softmax beside the diagonal": (diff(softmax(0), z2), softmax(0) * softmax(1)),
    "softmax jacobian": (diff(softmax(0), z2), -softmax(0) * softmax(2)),
    "cross-entropy sign": (diff(-y1 * log(softmax(0)) - (1 - y1) * log(softmax(1)), z1), y1 - softmax(0)),
    "cross-entropy without the sum": (diff(-y1 * log(softmax(0)) - y2 * log(softmax(1)), z1), softmax(0) - y1),
    "log-sum-exp": (log(exp(z1) + exp(z2)), log(exp(z1 - m) + exp(z2 - m))),
    "logarithm of a sum": (log(u + v), log(u) + log(v)),
    "binary cross-entropy": (diff(-y * log(p) - (1 - y) * log(1 - p), p), p - y),
    "root": (diff(sqrt(x**2 + eps), x), 1 / sqrt(x**2 + eps)),
    "root of a sum": (sqrt(u + v), sqrt(u) + sqrt(v)),
    "root of a square": (sqrt(x**2), x),
    "unit vector": (diff(x / NORM, x), 1 / NORM),
    "layer norm without eps": (x / sqrt(x**2 + eps), x / Abs(x)),
    "layer norm": (diff((x - y) / (2 * SPREAD), x), 1 / (2 * SPREAD)),
    "power rule": (diff(u**a, u), u ** (a - 1)),
    "exponents": (u**a * u**b, u ** (a * b)),
    "tiny term": (x + Rational(1, 10**30), x),
    "rounded constant": (sqrt(2 / pi) * x, Rational("0.797885") * x),
    "relu": (Max(x, 0), Max(x, y)),
    "relu by a larger threshold": (Piecewise((1, x > 0), (0, True)), Piecewise((1, x > 1), (0, True))),
    "leaky": (Max(x, x / 100), Max(x, x / 10)),
    "value at a kink": (Piecewise((1, x > 0), (0, True)), Piecewise((1, x >= 0), (0, True))),
    "hidden corner": (Max(x - 1000, 0), sp.S.Zero),
    "two layers": (
        diff((tanh(w * S(a * x)) - y) ** 2, a),
        2 * (tanh(w * S(a * x)) - y) * (1 - tanh(w * S(a * x)) ** 2) * S(a * x) * (1 - S(a * x)) * x,
    ),
    "layer norm of three without the mean": (layer_norm(3)[0], layer_norm(3)[2]),
    "cross-entropy of four without the sum": (CROSS_ENTROPY.diff(LOGITS[0]), SOFTMAX[0] - TARGETS[0]),
    "sine doubled without a factor": (sin(2 * x), sin(x) * cos(x)),
    "sine of a sum": (sin(x + y), sin(x) * cos(y) - cos(x) * sin(y)),
    "snake": (diff(x + sin(a * x) ** 2 / a, x), 1 + sin(a * x)),
    "nested root": (sqrt(u + v + 2 * sqrt(u * v)), sqrt(u) - sqrt(v)),
    "inverse hyperbolic sine": (asinh(x), log(x + sqrt(x**2 - 1) + 1)),
    "log cosh": (log(cosh(x)), Abs(x) + log(1 + exp(-2 * Abs(x)))),
    "a line that meets a circle": (
        Piecewise((Piecewise((1, x > Rational(1, 2)), (y, True)), x**2 + y**2 < 1), (0, True)),
        Piecewise((y, x**2 + y**2 < 1), (0, True)),
    ),
    "kink of an exponential": (Max(exp(x), 1), Piecewise((exp(x), x > 1), (1, True))),
    "hard swish": (x * Max(0, Min(6, x + 3)) / 6, Piecewise((0, x < -3), (x, x >= 2), (x * (x + 3) / 6, True))),
    "focal loss": (diff(-((1 - u) ** a) * log(u), u), -a * (1 - u) ** (a - 1) * log(u) - (1 - u) ** a / u),
}
