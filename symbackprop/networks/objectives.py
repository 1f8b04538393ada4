"""A loss: a fragment whose output is one number, and what that number means."""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.networks.fragments import Fragment

BISHOP = "Bishop 2006, Pattern Recognition and Machine Learning, "
SHAPES = ({"N": 2, "K": 3}, {"N": 3, "K": 2})
VECTORS = ({"N": 2, "D": 3}, {"N": 3, "D": 2})


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss: its fragment, whose first tensor are the outputs, and what its value means.

    `reduction` says what is summed and what is averaged, `unit` in what the value is measured. `classifies` says that
    its outputs are logits, of which it names the softmax `p` itself, and `codes` what a row of targets holds for a
    class: a number for the others and one for the own.
    """

    fragment: Fragment
    reduction: str
    unit: str
    classifies: bool = False
    codes: tuple[int, int] = (0, 1)
