r"""Letters in italics that spell a known name, which hardly are a product."""

from __future__ import annotations

from collections.abc import Sequence

from symbackprop.functions import FUNCTION_BY_NAME
from symbackprop.language.tree import Node
from symbackprop.notation.reading.factors import Factor, is_letter, letter_of
from symbackprop.notation.reading.refusals import ambiguous
from symbackprop.notation.reading.vocabulary import Vocabulary

COMMON = ("ln", "loss", "max", "min", "sum", "softmax", "argmax")


def check_words(factors: Sequence[Factor], vocabulary: Vocabulary) -> None:
    """AmbiguousFormulaError where letters side by side spell a name that is known, or a long word."""
    place = 0
    while place < len(factors):
        end = place
        while end < len(factors) and (end == place or not factors[end].sign) and is_letter(factors[end].node):
            end += 1
        word = "".join(letter_of(factor.node) for factor in factors[place:end])
        if len(word) > 1:
            _check_word(word, factors[place].node, vocabulary)
        place = max(end, place + 1)


def _check_word(word: str, node: Node, vocabulary: Vocabulary) -> None:
    every = (*vocabulary.tensors, *vocabulary.sizes, *FUNCTION_BY_NAME, *COMMON)
    known = {name for name in every if len(name) > 1}
    for start in range(len(word)):
        for end in range(start + 2, len(word) + 1):
            if word[start:end] in known:
                found = word[start:end]
                readings = (rf"\mathrm{{{found}}}", r" \cdot ".join(found))
                raise ambiguous(node.line, node.column, f"`{found}` in italics", readings,
                                "write a command or an upright word for a name")  # fmt: skip
    if vocabulary.open and len(word) > 3:
        readings = (rf"\mathrm{{{word}}}", r" \cdot ".join(word))
        raise ambiguous(node.line, node.column, f"`{word}` in italics", readings, "write an upright word for a name")
