"""Connections between units, as formula text."""

from __future__ import annotations

from symbackprop.networks.fragments import Fragment

GOODFELLOW = "Goodfellow, Bengio, Courville 2016, Deep Learning, "
KNUTH = "Knuth 1997, The Art of Computer Programming, volume 1, section 2.2.6"
PRELU_PAPER = (
    "He, Zhang, Ren, Sun 2015, Delving deep into rectifiers: surpassing human-level performance on ImageNet "
    "classification, equation 1"
)

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

BILINEAR = Fragment(
    "bilinear",
    """
    input x[...,D], y[...,F]
    param W[K,D,F], b[K]
    z[...,k] = sum(i, j, x[...,i]*W[k,i,j]*y[...,j]) + b[k]
    """,
    "Tenenbaum, Freeman 2000, Separating style and content with bilinear models",
    ({"N": 2, "D": 3, "F": 4, "K": 2}, {"N": 3, "D": 2, "F": 1, "K": 4}),
)
EMBEDDING = Fragment(
    "embedding",
    "index tok[...] in V\nparam E[V,D]\nz[...,d] = E[tok[...],d]",
    "Bengio, Ducharme, Vincent, Jauvin 2003, A neural probabilistic language model, section 2",
    ({"N": 4, "V": 3, "D": 2}, {"N": 2, "V": 5, "D": 3}),
)
DROPOUT = Fragment(
    "dropout",
    "input x[...], m[...]\nz[...] = m[...]*x[...]/(1 - {rate})",
    "Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov 2014, Dropout: a simple way to prevent neural networks "
    "from overfitting",
    ({"N": 2}, {"N": 5}),
    {"rate": "0.5"},
)
PRELU = Fragment(
    "prelu1d",
    "input x[...,D]\nparam s[D]\nz[...,i] = where(x[...,i] > 0, x[...,i], s[i]*x[...,i])",
    PRELU_PAPER,
    ({"N": 3, "D": 2}, {"N": 2, "D": 4}),
)
PRELU2D = Fragment(
    "prelu2d",
    "input x[...,C,H,L]\nparam s[C]\nz[...,c,h,l] = where(x[...,c,h,l] > 0, x[...,c,h,l], s[c]*x[...,c,h,l])",
    PRELU_PAPER,
    ({"N": 1, "C": 2, "H": 3, "L": 2}, {"N": 2, "C": 3, "H": 2, "L": 4}),
)
SCALE_AND_SHIFT = Fragment(
    "scale_and_shift",
    "input x[...,D]\nparam w[D], b[D]\nz[...,i] = w[i]*x[...,i] + b[i]",
    "Ioffe, Szegedy 2015, Batch normalization: accelerating deep network training by reducing internal covariate "
    "shift, algorithm 1",
    ({"N": 2, "D": 3}, {"N": 4, "D": 2}),
    ones=("w",),
)
MAXOUT = Fragment(
    "maxout",
    """
    input x[...,D]
    param W[K,M,D], b[K,M]
    u[...,i,m] = sum(j, W[i,m,j]*x[...,j]) + b[i,m]
    z[...,i] = max(m, u[...,i,m])
    """,
    "Goodfellow, Warde-Farley, Mirza, Courville, Bengio 2013, Maxout networks, section 3",
    ({"N": 2, "D": 3, "K": 2, "M": 4}, {"N": 3, "D": 2, "K": 4, "M": 2}),
)
HIGHWAY = Fragment(
    "highway",
    """
    input x[...,D]
    param W[D,D], b[D], V[D,D], c[D]
    u[...,i] = sum(j, W[i,j]*x[...,j]) + b[i]
    v[...,i] = sum(j, V[i,j]*x[...,j]) + c[i]
    h[...,i] = tanh(u[...,i])
    t[...,i] = sigmoid(v[...,i])
    z[...,i] = h[...,i]*t[...,i] + x[...,i]*(1 - t[...,i])
    """,
    "Srivastava, Greff, Schmidhuber 2015, Highway networks, equation 3",
    ({"N": 2, "D": 3}, {"N": 3, "D": 2}),
)
FLATTEN = Fragment(
    "flatten",
    "input x[...,C,H,L]\nz[...,i:C*H*L] = x[...,(i-1)//(H*L)+1,(i-1)//L%H+1,(i-1)%L+1]",
    KNUTH,
    ({"N": 2}, {"N": 3}),
    numbers={"C": 2, "H": 3, "L": 4},
)
FLATTEN1D = Fragment(
    "flatten1d",
    "input x[...,C,L]\nz[...,i:C*L] = x[...,(i-1)//L+1,(i-1)%L+1]",
    KNUTH,
    ({"N": 2}, {"N": 3}),
    numbers={"C": 2, "L": 3},
)

CONNECTIONS = (
    *(DENSE, LINEAR, BILINEAR, EMBEDDING, SUM, CONCATENATED, DROPOUT, PRELU, PRELU2D, SCALE_AND_SHIFT, MAXOUT, HIGHWAY),
    *(FLATTEN, FLATTEN1D),
)
