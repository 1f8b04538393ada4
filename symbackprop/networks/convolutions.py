"""Convolutions and pooling, as formula text."""

from __future__ import annotations

from symbackprop.networks.fragments import Fragment

CONV2D = Fragment(
    "conv2d",
    """
    input x[...,C,H,L]
    param W[K,C,R,S], b[K]
    z[...,k,p:(H+2*{padding}-{dilation}*(R-1)-1)//{stride}+1,q:(L+2*{padding}-{dilation}*(S-1)-1)//{stride}+1] \
= sum(c, r, s, W[k,c,r,s]*x[...,c,{stride}*(p-1)+{dilation}*(r-1)+1-{padding},\
{stride}*(q-1)+{dilation}*(s-1)+1-{padding}]) + b[k]
    """,
    "Goodfellow, Bengio, Courville 2016, Deep Learning, equation 9.6",
    (
        {"N": 2, "C": 2, "H": 5, "L": 4, "K": 3, "R": 3, "S": 2},
        {"N": 1, "C": 1, "H": 4, "L": 4, "K": 2, "R": 2, "S": 2},
    ),
    {"stride": 1, "padding": 0, "dilation": 1},
)

CONVOLUTIONS = (CONV2D,)
