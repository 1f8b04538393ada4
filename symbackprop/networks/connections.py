"""Connections between units, as formula text."""

from __future__ import annotations

from symbackprop.networks.fragments import Fragment

GOODFELLOW = "Goodfellow, Bengio, Courville 2016, Deep Learning, "

DENSE = Fragment(
    "dense",
    "input x[...,D]\nparam W[K,D], b[K]\nz[...,i] = sum(j, W[i,j]*x[...,j]) + b[i]",
    GOODFELLOW + "section 6.1",
    ({"N": 2, "D": 3, "K": 2}, {"N": 1, "D": 2, "K": 4}),
)
LINEAR = Fragment(
    "dense_without_bias",
    "input x[...,D]\nparam W[K,D]\nz[...,i] = sum(j, W[i,j]*x[...,j])",
    GOODFELLOW + "section 6.1",
    ({"N": 2, "D": 3, "K": 2}, {"N": 1, "D": 2, "K": 4}),
)
EMBEDDING = Fragment(
    "embedding",
    "index tok[...] in V\nparam E[V,D]\nz[...,d] = E[tok[...],d]",
    "Bengio, Ducharme, Vincent, Jauvin 2003, A neural probabilistic language model, section 2",
    ({"N": 4, "V": 3, "D": 2}, {"N": 2, "V": 5, "D": 3}),
)
SUM = Fragment(
    "sum",
    "input x[...], y[...]\ns[...] = x[...] + y[...]",
    "He, Zhang, Ren, Sun 2016, Deep residual learning for image recognition, equation 1",
    ({"N": 2}, {"N": 3}),
)
CONCATENATED = Fragment(
    "concatenated",
    "input x[...,D], y[...,F]\n"
    "c[...,i:D+F] = sum(d, where(d == i, x[...,d], 0)) + sum(f, where(f + D == i, y[...,f], 0))",
    "Huang, Liu, van der Maaten, Weinberger 2017, Densely connected convolutional networks, equation 2",
    ({"N": 2, "D": 3, "F": 2}, {"N": 1, "D": 2, "F": 4}),
)

CONNECTIONS = (DENSE, LINEAR, EMBEDDING, SUM, CONCATENATED)
