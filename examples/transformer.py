"""Keeps examples/transformer.md true: a causal language model of two blocks, and the gradients that are derived of it.

Run it to check the document, with `--write` to write it anew. Then the model learns to count: a sequence goes up by one
with each step, modulo the number of tokens.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import symbackprop as sb

DOCUMENT = Path(__file__).with_name("transformer.md")
OPENING = """# A transformer language model

Two pre-norm blocks of causal attention with two heads and a SwiGLU, behind an embedding with sinusoidal positions; the
loss is the cross-entropy of the next token. The sizes of batch (`N`), sequence (`T`), vocabulary (`V`), model (`M`),
heads (`D`) and hidden units (`F`) are symbols. Nothing below the forward program was written by hand: each gradient
is derived from it and proved. A test compares every parameter with PyTorch. This page is written by
`examples/transformer.py`.
"""


def make_model(vocabulary: int | str, width: int | str, head_width: int | str, hidden: int | str) -> sb.Network:
    """The model, its sizes numbers or names."""
    layers = [
        sb.layer("embedding", V=vocabulary, D=width),
        sb.layer("sinusoidal_positions"),
        *sb.transformer_block(2, head_width, hidden),
        *sb.transformer_block(2, head_width, hidden),
        sb.layer("layer_norm"),
        sb.Dense(vocabulary),
    ]
    return sb.Network(input=("T",), layers=layers, loss="cross_entropy_index")


def render() -> str:
    """The document as it should be."""
    network = make_model("V", "M", "D", "F")
    derivation = sb.derive(network)
    parts = [
        OPENING.strip(),
        f"## The model\n\n```text\n{network.program.text().strip()}\n```",
        f"## Its gradients\n\n```text\n{derivation.text().strip()}\n```",
    ]
    return "\n\n".join(parts) + "\n"


def learn_to_count(epochs: int = 20) -> tuple[float, float]:
    """The mean loss of the first epoch and of the last."""
    network = make_model(5, 8, 4, 12)
    start = np.random.default_rng(0).integers(0, 5, size=(48, 1))
    numbers = (start + np.arange(7)) % 5
    tokens, following = numbers[:, :-1] + 1, numbers[:, 1:]  # what is looked up counts from 1, classes from 0
    run = sb.train(network, tokens, following, sb.Adam(0.01), epochs=epochs, batch_size=16, progress=False)
    return run.history[0], run.history[-1]


def main() -> int:
    """Check the document, or write it with --write; then learn."""
    wanted = render()
    if "--write" in sys.argv[1:]:
        DOCUMENT.write_text(wanted, encoding="utf-8")
        return 0
    if DOCUMENT.read_text(encoding="utf-8") != wanted:
        print(f"{DOCUMENT.name} is out of date; run python examples/transformer.py --write", file=sys.stderr)
        return 1
    print(f"{DOCUMENT.name}: every gradient stands as it is derived.")
    before, after = learn_to_count()
    print(f"Loss {before:.3f} nats in the first epoch of learning to count, {after:.3f} in the last.")
    return 0 if after < before / 4 else 1


if __name__ == "__main__":
    sys.exit(main())
