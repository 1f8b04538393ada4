"""Layers of the catalogue that are always put together in the same way."""

from __future__ import annotations

from symbackprop.networks.builder import Residual, Width, layer


def transformer_block(
    heads: Width,
    head_width: Width,
    hidden: Width,
    attention: str = "causal_multi_head_attention",
    feed_forward: str = "swiglu",
    norm: str = "layer_norm",
) -> tuple[Residual, Residual]:
    """Attention and a feed-forward network, each behind a normalisation and added to what it reads.

    It reads [..., steps, width] and keeps that shape. `attention` has `heads` of `head_width`, `feed_forward` has
    `hidden` units; they and `norm` are layers of the catalogue by name. UnknownNameError lists those.

    Source: Xiong et al. 2020, On layer normalization in the transformer architecture, figure 1(b).

    >>> first, second = transformer_block(2, 4, 32)
    >>> [piece.fragment.name for piece in first.layers]
    ['layer_norm', 'causal_multi_head_attention']
    >>> [piece.fragment.name for piece in second.layers]
    ['layer_norm', 'swiglu']
    """
    return (
        Residual([layer(norm), layer(attention, H=heads, D=head_width)]),
        Residual([layer(norm), layer(feed_forward, K=hidden)]),
    )
