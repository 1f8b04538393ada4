"""What brings the values of a sample, or of a batch, to a common scale, as formula text.

The running mean and variance of `batch_norm_inference` are data: how they are gathered is no part of its formula. The
channels of `group_norm` have two axes, the group and the place in it.
"""

from __future__ import annotations

from symbackprop.networks.fragments import Fragment

IOFFE = "Ioffe and Szegedy 2015, Batch normalization, "

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
BATCH_NORM = Fragment(
    "batch_norm",
    """
    input x[...,D]
    param gamma[D], beta[D]
    mu[i] = mean(..., x[...,i])
    v[i] = mean(..., (x[...,i] - mu[i])^2)
    xhat[...,i] = (x[...,i] - mu[i])/sqrt(v[i] + {eps})
    z[...,i] = gamma[i]*xhat[...,i] + beta[i]
    """,
    IOFFE + "algorithm 1",
    ({"N": 4, "D": 3}, {"N": 5, "D": 2}),
    {"eps": "1e-5"},
    ("gamma",),
)
BATCH_NORM_INFERENCE = Fragment(
    "batch_norm_inference",
    """
    input x[...,D], mu[D], v[D]
    param gamma[D], beta[D]
    assume v[i] > 0
    z[...,i] = gamma[i]*(x[...,i] - mu[i])/sqrt(v[i] + {eps}) + beta[i]
    """,
    IOFFE + "algorithm 2",
    ({"N": 2, "D": 3}, {"N": 3, "D": 2}),
    {"eps": "1e-5"},
    ("gamma",),
)
BATCH_NORM_2D = Fragment(
    "batch_norm2d",
    """
    input x[...,C,H,L]
    param gamma[C], beta[C]
    mu[c] = mean(..., p, q, x[...,c,p,q])
    v[c] = mean(..., p, q, (x[...,c,p,q] - mu[c])^2)
    xhat[...,c,p,q] = (x[...,c,p,q] - mu[c])/sqrt(v[c] + {eps})
    z[...,c,p,q] = gamma[c]*xhat[...,c,p,q] + beta[c]
    """,
    IOFFE + "section 3.2",
    ({"N": 2, "C": 2, "H": 3, "L": 2}, {"N": 1, "C": 3, "H": 2, "L": 3}),
    {"eps": "1e-5"},
    ("gamma",),
)
LAYER_NORM = Fragment(
    "layer_norm",
    """
    input x[...,D]
    param gamma[D], beta[D]
    mu[...] = mean(i, x[...,i])
    v[...] = mean(i, (x[...,i] - mu[...])^2)
    xhat[...,i] = (x[...,i] - mu[...])/sqrt(v[...] + {eps})
    z[...,i] = gamma[i]*xhat[...,i] + beta[i]
    """,
    "Ba, Kiros, Hinton 2016, Layer normalization, equations 3 and 4",
    ({"N": 2, "D": 4}, {"N": 3, "D": 3}),
    {"eps": "1e-5"},
    ("gamma",),
)
RMS_NORM = Fragment(
    "rms_norm",
    """
    input x[...,D]
    param gamma[D]
    r[...] = sqrt(mean(i, x[...,i]^2) + {eps})
    xhat[...,i] = x[...,i]/r[...]
    z[...,i] = gamma[i]*xhat[...,i]
    """,
    "Zhang and Sennrich 2019, Root mean square layer normalization, equation 4",
    ({"N": 2, "D": 4}, {"N": 3, "D": 3}),
    {"eps": "1e-5"},
    ("gamma",),
)
INSTANCE_NORM = Fragment(
    "instance_norm",
    """
    input x[...,C,H,L]
    param gamma[C], beta[C]
    mu[...,c] = mean(p, q, x[...,c,p,q])
    v[...,c] = mean(p, q, (x[...,c,p,q] - mu[...,c])^2)
    xhat[...,c,p,q] = (x[...,c,p,q] - mu[...,c])/sqrt(v[...,c] + {eps})
    z[...,c,p,q] = gamma[c]*xhat[...,c,p,q] + beta[c]
    """,
    "Ulyanov, Vedaldi, Lempitsky 2016, Instance normalization: the missing ingredient for fast stylization",
    ({"N": 2, "C": 2, "H": 3, "L": 2}, {"N": 1, "C": 3, "H": 2, "L": 3}),
    {"eps": "1e-5"},
    ("gamma",),
)
GROUP_NORM = Fragment(
    "group_norm",
    """
    input x[...,G,C,H,L]
    param gamma[G,C], beta[G,C]
    mu[...,k] = mean(c, p, q, x[...,k,c,p,q])
    v[...,k] = mean(c, p, q, (x[...,k,c,p,q] - mu[...,k])^2)
    xhat[...,k,c,p,q] = (x[...,k,c,p,q] - mu[...,k])/sqrt(v[...,k] + {eps})
    z[...,k,c,p,q] = gamma[k,c]*xhat[...,k,c,p,q] + beta[k,c]
    """,
    "Wu and He 2018, Group normalization, equations 1, 2 and 7",
    ({"N": 2, "G": 2, "C": 2, "H": 3, "L": 1}, {"N": 1, "G": 2, "C": 3, "H": 1, "L": 2}),
    {"eps": "1e-5"},
    ("gamma",),
    ("beta",),
)
NORMALISATIONS = (
    SOFTMAX,
    LOG_SOFTMAX,
    BATCH_NORM,
    BATCH_NORM_INFERENCE,
    BATCH_NORM_2D,
    LAYER_NORM,
    RMS_NORM,
    INSTANCE_NORM,
    GROUP_NORM,
)
