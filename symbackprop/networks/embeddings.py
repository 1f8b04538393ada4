"""Losses of vectors that stand for things, as formula text. Adding one is one object here."""

from __future__ import annotations

from symbackprop.networks.fragments import Fragment
from symbackprop.networks.objectives import VECTORS, Loss

COSINE_EMBEDDING = Loss(
    Fragment(
        "cosine_embedding",
        """
        input a[...,D], b[...,D], y[...]
        u[...] = sqrt(sum(i, a[...,i]^2) + {eps})
        v[...] = sqrt(sum(i, b[...,i]^2) + {eps})
        s[...] = sum(i, a[...,i]*b[...,i])/(u[...]*v[...])
        loss = sum(..., where(y[...] > 0, 1 - s[...], relu(s[...] - {margin})))/{samples}
        """,
        "Bromley, Guyon, LeCun, Säckinger, Shah 1994, Signature verification using a siamese time delay neural network",
        VECTORS,
        {"margin": "0", "eps": "1e-12"},
    ),
    "mean over pairs; the targets are 1 for equals and -1 for others",
    "none; the cosine is a number",
)
TRIPLET = Loss(
    Fragment(
        "triplet",
        """
        input a[...,D], p[...,D], q[...,D]
        u[...,i] = a[...,i] - p[...,i] + {eps}
        v[...,i] = a[...,i] - q[...,i] + {eps}
        d[...] = sqrt(sum(i, u[...,i]^2))
        e[...] = sqrt(sum(i, v[...,i]^2))
        loss = sum(..., relu(d[...] - e[...] + {margin}))/{samples}
        """,
        "Balntas, Riba, Ponsa, Mikolajczyk 2016, Learning local feature descriptors with triplets and shallow "
        "convolutional neural networks",
        VECTORS,
        {"margin": "1", "eps": "1e-6"},
    ),
    "mean over triplets; p are the equals and q the others of the anchors a",
    "units of the outputs",
)
INFO_NCE = Loss(
    Fragment(
        "info_nce",
        """
        input a[N,D], b[N,D]
        s[n,m] = sum(i, a[n,i]*b[m,i])/{temperature}
        p[n,m] = exp(s[n,m])/sum(k, exp(s[n,k]))
        loss = -mean(n, log(p[n,n]))
        """,
        "van den Oord, Li, Vinyals 2018, Representation learning with contrastive predictive coding, equation 4",
        VECTORS,
        {"temperature": "0.1"},
    ),
    "mean over the pairs of a batch, of which the others are the negative ones",
    "nats",
)

EMBEDDINGS = (COSINE_EMBEDDING, TRIPLET, INFO_NCE)
