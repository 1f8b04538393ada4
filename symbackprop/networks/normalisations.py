"""What brings the values of a sample, or of a batch, to a common scale, as formula text."""

from __future__ import annotations

from symbackprop.networks.fragments import Fragment

SOFTMAX = Fragment(
    "softmax",
    "input x[...,K]\nz[...,i] = exp(x[...,i]) / sum(j, exp(x[...,j]))",
    "Bridle 1990, Probabilistic interpretation of feedforward classification network outputs",
    ({"N": 2, "K": 3}, {"N": 3, "K": 2}),
)
LOG_SOFTMAX = Fragment(
    "log_softmax",
    "input x[...,K]\nz[...,i] = x[...,i] - log(sum(j, exp(x[...,j])))",
    "Goodfellow, Bengio, Courville 2016, Deep Learning, equation 6.30",
    ({"N": 2, "K": 3}, {"N": 3, "K": 2}),
)
NORMALISATIONS = (SOFTMAX, LOG_SOFTMAX)
