"""Convolutions and pooling, as formula text.

A convolution along an axis reads, for its p-th output and the r-th weight of its window, the place that `_place`
writes; `_count` is how many outputs there are. Zeros stand around what is read.
"""

from __future__ import annotations

from collections.abc import Mapping

from symbackprop.networks.connections import GOODFELLOW
from symbackprop.networks.fragments import Fragment, Setting

GUIDE = "Dumoulin, Visin 2016, A guide to convolution arithmetic for deep learning"
POOLING = GOODFELLOW + "section 9.3"
SUBSAMPLING = "LeCun, Bottou, Bengio, Haffner 1998, Gradient-based learning applied to document recognition, section II"
UPSAMPLING = "Odena, Dumoulin, Olah 2016, Deconvolution and checkerboard artifacts"
GLOBAL_AVERAGE = "Lin, Chen, Yan 2014, Network in network, section 3.2"
STEPS: Mapping[str, Setting] = {"stride": 1, "padding": 0, "dilation": 1}
WINDOW: Mapping[str, Setting] = {"kernel": 2, "stride": "{kernel}"}


def _place(p: str, r: str) -> str:
    """Where the r-th weight of a window stands for the p-th output."""
    return f"{{stride}}*({p}-1)+{{dilation}}*({r}-1)+1-{{padding}}"


def _count(size: str, window: str) -> str:
    """How many places a window has along an axis."""
    return f"({size}+2*{{padding}}-{{dilation}}*({window}-1)-1)//{{stride}}+1"


def _pooled(p: str, r: str, padding: str = "0") -> str:
    """The same for a window of pooling."""
    return f"{{stride}}*({p}-1)+{r}-{padding}"


def _pools(size: str, padding: str = "0") -> str:
    return f"({size}+2*{padding}-{{kernel}})//{{stride}}+1"


def _spread(size: str, window: str) -> str:
    """How long an axis becomes when a window is laid out from each of its places."""
    return f"{{stride}}*({size}-1)-2*{{padding}}+{window}+{{output_padding}}"


def _laid(p: str, l: str) -> str:
    """Which weight stands at the p-th output when the window is laid out from place l; there is none elsewhere."""
    return f"{p}-{{stride}}*({l}-1)+{{padding}}"


CONV1D = Fragment(
    "conv1d",
    f"""
    input x[...,C,L]
    param W[K,C,R], b[K]
    z[...,k,p:{_count("L", "R")}] = sum(c, r, W[k,c,r]*x[...,c,{_place("p", "r")}]) + b[k]
    """,
    "Waibel, Hanazawa, Hinton, Shikano, Lang 1989, Phoneme recognition using time-delay neural networks",
    ({"N": 2, "C": 2, "L": 5, "K": 3, "R": 3}, {"N": 1, "C": 3, "L": 4, "K": 2, "R": 2}),
    STEPS,
)
CONV2D = Fragment(
    "conv2d",
    f"""
    input x[...,C,H,L]
    param W[K,C,R,S], b[K]
    z[...,k,p:{_count("H", "R")},q:{_count("L", "S")}] \
= sum(c, r, s, W[k,c,r,s]*x[...,c,{_place("p", "r")},{_place("q", "s")}]) + b[k]
    """,
    GOODFELLOW + "equation 9.6",
    (
        {"N": 2, "C": 2, "H": 5, "L": 4, "K": 3, "R": 3, "S": 2},
        {"N": 1, "C": 1, "H": 4, "L": 4, "K": 2, "R": 2, "S": 2},
    ),
    STEPS,
)
CONV3D = Fragment(
    "conv3d",
    f"""
    input x[...,C,D,H,L]
    param W[K,C,Q,R,S], b[K]
    z[...,k,o:{_count("D", "Q")},p:{_count("H", "R")},q:{_count("L", "S")}] \
= sum(c, e, r, s, W[k,c,e,r,s]*x[...,c,{_place("o", "e")},{_place("p", "r")},{_place("q", "s")}]) + b[k]
    """,
    "Ji, Xu, Yang, Yu 2013, 3D convolutional neural networks for human action recognition, equation 2",
    (
        {"N": 1, "C": 1, "D": 3, "H": 4, "L": 2, "K": 2, "Q": 2, "R": 3, "S": 1},
        {"N": 2, "C": 2, "D": 2, "H": 2, "L": 3, "K": 1, "Q": 1, "R": 2, "S": 2},
    ),
    STEPS,
)
DEPTHWISE_CONV2D = Fragment(
    "depthwise_conv2d",
    f"""
    input x[...,C,H,L]
    param W[C,R,S], b[C]
    z[...,c,p:{_count("H", "R")},q:{_count("L", "S")}] \
= sum(r, s, W[c,r,s]*x[...,c,{_place("p", "r")},{_place("q", "s")}]) + b[c]
    """,
    "Howard, Zhu, Chen, Kalenichenko, Wang, Weyand, Andreetto, Adam 2017, MobileNets: efficient convolutional neural "
    "networks for mobile vision applications, equation 3",
    (
        {"N": 2, "C": 2, "H": 5, "L": 4, "R": 3, "S": 2},
        {"N": 1, "C": 3, "H": 4, "L": 4, "R": 2, "S": 2},
    ),
    STEPS,
)
GROUPED_CONV2D = Fragment(
    "grouped_conv2d",
    f"""
    input x[...,{{groups}}*C,H,L]
    param W[K,C,R,S], b[K]
    z[...,k,p:{_count("H", "R")},q:{_count("L", "S")}] \
= sum(c, r, s, W[k,c,r,s]*x[...,C*((k-1)//(K//{{groups}}))+c,{_place("p", "r")},{_place("q", "s")}]) + b[k]
    """,
    "Krizhevsky, Sutskever, Hinton 2012, ImageNet classification with deep convolutional neural networks, section 3.2",
    (
        {"N": 2, "H": 5, "L": 4, "R": 3, "S": 2},
        {"N": 1, "H": 4, "L": 4, "R": 2, "S": 2},
    ),
    {**STEPS, "groups": 2},
    numbers={"C": 2, "K": 6},
)
CONV_TRANSPOSE1D = Fragment(
    "conv_transpose1d",
    f"""
    input x[...,C,L]
    param W[C,K,R], b[K]
    z[...,k,p:{_spread("L", "R")}] = sum(c, l, W[c,k,{_laid("p", "l")}]*x[...,c,l]) + b[k]
    """,
    GUIDE + ", chapter 4",
    ({"N": 2, "C": 2, "L": 3, "K": 3, "R": 4}, {"N": 1, "C": 3, "L": 4, "K": 2, "R": 2}),
    {"stride": 1, "padding": 0, "output_padding": 0},
)
CONV_TRANSPOSE2D = Fragment(
    "conv_transpose2d",
    f"""
    input x[...,C,H,L]
    param W[C,K,R,S], b[K]
    z[...,k,p:{_spread("H", "R")},q:{_spread("L", "S")}] \
= sum(c, h, l, W[c,k,{_laid("p", "h")},{_laid("q", "l")}]*x[...,c,h,l]) + b[k]
    """,
    GUIDE + ", chapter 4",
    (
        {"N": 2, "C": 2, "H": 3, "L": 2, "K": 1, "R": 2, "S": 3},
        {"N": 1, "C": 1, "H": 2, "L": 2, "K": 2, "R": 3, "S": 1},
    ),
    {"stride": 1, "padding": 0, "output_padding": 0},
)
MAX_POOL1D = Fragment(
    "max_pool1d",
    f"input x[...,C,L]\nz[...,c,p:{_pools('L')}] = max(r:{{kernel}}, x[...,c,{_pooled('p', 'r')}])",
    POOLING,
    ({"N": 2, "C": 2, "L": 5}, {"N": 1, "C": 3, "L": 4}),
    WINDOW,
)
MAX_POOL2D = Fragment(
    "max_pool2d",
    f"""
    input x[...,C,H,L]
    z[...,c,p:{_pools("H")},q:{_pools("L")}] \
= max(r:{{kernel}}, s:{{kernel}}, x[...,c,{_pooled("p", "r")},{_pooled("q", "s")}])
    """,
    POOLING,
    ({"N": 2, "C": 2, "H": 5, "L": 4}, {"N": 1, "C": 3, "H": 4, "L": 3}),
    WINDOW,
)
AVG_POOL1D = Fragment(
    "avg_pool1d",
    f"""
    input x[...,C,L]
    z[...,c,p:{_pools("L", "{padding}")}] = mean(r:{{kernel}}, x[...,c,{_pooled("p", "r", "{padding}")}])
    """,
    SUBSAMPLING,
    ({"N": 2, "C": 2, "L": 5}, {"N": 1, "C": 3, "L": 4}),
    {**WINDOW, "padding": 0},
)
AVG_POOL2D = Fragment(
    "avg_pool2d",
    f"""
    input x[...,C,H,L]
    z[...,c,p:{_pools("H", "{padding}")},q:{_pools("L", "{padding}")}] \
= mean(r:{{kernel}}, s:{{kernel}}, x[...,c,{_pooled("p", "r", "{padding}")},{_pooled("q", "s", "{padding}")}])
    """,
    SUBSAMPLING,
    ({"N": 2, "C": 2, "H": 5, "L": 4}, {"N": 1, "C": 3, "H": 4, "L": 3}),
    {**WINDOW, "padding": 0},
)
GLOBAL_AVG_POOL1D = Fragment(
    "global_avg_pool1d",
    "input x[...,C,L]\nz[...,c] = mean(l, x[...,c,l])",
    GLOBAL_AVERAGE,
    ({"N": 2, "C": 3, "L": 4}, {"N": 1, "C": 2, "L": 5}),
)
GLOBAL_AVG_POOL2D = Fragment(
    "global_avg_pool2d",
    "input x[...,C,H,L]\nz[...,c] = mean(h, l, x[...,c,h,l])",
    GLOBAL_AVERAGE,
    ({"N": 2, "C": 2, "H": 4, "L": 3}, {"N": 1, "C": 3, "H": 2, "L": 5}),
)
GLOBAL_MAX_POOL1D = Fragment(
    "global_max_pool1d",
    "input x[...,C,L]\nz[...,c] = max(l, x[...,c,l])",
    "Collobert, Weston, Bottou, Karlen, Kavukcuoglu, Kuksa 2011, Natural language processing (almost) from scratch",
    ({"N": 2, "C": 3, "L": 4}, {"N": 1, "C": 2, "L": 5}),
)
GLOBAL_MAX_POOL2D = Fragment(
    "global_max_pool2d",
    "input x[...,C,H,L]\nz[...,c] = max(h, l, x[...,c,h,l])",
    "Oquab, Bottou, Laptev, Sivic 2015, Is object localization for free? Weakly-supervised learning with convolutional "
    "neural networks",
    ({"N": 2, "C": 2, "H": 4, "L": 3}, {"N": 1, "C": 3, "H": 2, "L": 5}),
)
UPSAMPLE1D = Fragment(
    "upsample1d",
    "input x[...,C,L]\nz[...,c,p:{factor}*L] = x[...,c,(p-1)//{factor}+1]",
    UPSAMPLING,
    ({"N": 2, "C": 3, "L": 4}, {"N": 1, "C": 2, "L": 5}),
    {"factor": 2},
)
UPSAMPLE2D = Fragment(
    "upsample2d",
    "input x[...,C,H,L]\nz[...,c,p:{factor}*H,q:{factor}*L] = x[...,c,(p-1)//{factor}+1,(q-1)//{factor}+1]",
    UPSAMPLING,
    ({"N": 2, "C": 2, "H": 4, "L": 3}, {"N": 1, "C": 3, "H": 2, "L": 5}),
    {"factor": 2},
)

CONVOLUTIONS = (
    *(CONV1D, CONV2D, CONV3D, DEPTHWISE_CONV2D, GROUPED_CONV2D, CONV_TRANSPOSE1D, CONV_TRANSPOSE2D),
    *(MAX_POOL1D, MAX_POOL2D, AVG_POOL1D, AVG_POOL2D),
    *(GLOBAL_AVG_POOL1D, GLOBAL_AVG_POOL2D, GLOBAL_MAX_POOL1D, GLOBAL_MAX_POOL2D, UPSAMPLE1D, UPSAMPLE2D),
)
