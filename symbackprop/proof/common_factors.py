"""A factor that all of a claim lacks or has too many, found by its numbers among the parts of formulas.

The ratio of the truth and the claim is compared with every part, and with products of two.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations_with_replacement
from math import isfinite

from symbackprop.language import tree as t
from symbackprop.language.spelling import number_tree
from symbackprop.proof.edits import Edit, Vocabulary
from symbackprop.proof.ingredients import bracket, divide, letters_of, list_factors, multiply
from symbackprop.proof.trials import Trial, agree

LONGEST = 60
"""Letters of a factor; a longer one helps nobody."""
MOST_PARTS = 80
ENOUGH = 4
"""Parts that are equal in so many numbers are taken for equal."""
NUMBERS = (Fraction(1), Fraction(-1), Fraction(2), Fraction(-2), Fraction(1, 2), Fraction(-1, 2))


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a formula with its numbers where the claim is not 0."""

    tree: t.Expression
    numbers: tuple[float, ...]


def list_common_factors(trial: Trial, words: Vocabulary, count: int) -> Iterator[Edit]:
    """The claim with one factor more or less, or with two of them, where that agrees in numbers."""
    places = [k for k, value in enumerate(trial.claimed) if value]
    if not places or any(trial.truth[k] for k in range(len(trial.truth)) if k not in places):
        return
    ratios = [trial.truth[k] / trial.claimed[k] for k in places]
    parts = _parts(trial, words, places)
    if count == 2:  # beside what undoes the claim, the other factor is the truth, whatever was claimed
        undone = [1 / trial.claimed[k] for k in places]
        parts = [part for part in parts if not agree(part.numbers, undone)]
    claim = trial.question.tree
    for number in NUMBERS[: 2 if count == 2 else len(NUMBERS)]:
        for chosen in combinations_with_replacement(parts, count):
            if count == 1 or not _is_part_of(chosen[0].tree, chosen[-1].tree):
                yield from _edits(claim, words, number, chosen, ratios)


def _is_part_of(one: t.Expression, other: t.Expression) -> bool:
    """Whether one of two different products or quotients holds the other: then a single part says it."""
    return one != other and any(
        isinstance(whole, t.Chain) and part in whole.operands and whole.operators[0] in "*/"
        for whole, part in ((one, other), (other, one))
    )


def _parts(trial: Trial, words: Vocabulary, places: Sequence[int]) -> list[_Part]:
    """The parts that have numbers of their own, one of each, the shortest first."""
    shown = sorted(
        (len(words.write(tree)), k, tree)
        for k, tree in enumerate(dict.fromkeys(words.parts))
        if letters_of(tree, words.known) <= words.letters and not _is_index(tree, words)
    )
    found: list[_Part] = []
    for length, _, tree in shown:
        numbers = trial.numbers_of(tree)
        if length > LONGEST or len(found) == MOST_PARTS or numbers is None:
            continue
        kept = tuple(numbers[k] for k in places)
        plain = all(map(isfinite, kept)) and not all(abs(a) == 1 for a in kept)
        if plain and not (len(kept) >= ENOUGH and any(agree(kept, other.numbers) for other in found)):
            found.append(_Part(tree, kept))
    return found


def _is_index(tree: t.Expression, words: Vocabulary) -> bool:
    """Whether a formula is one of the letters of the claim."""
    return isinstance(tree, t.Name) and tree.name in words.letters


def _edits(
    claim: t.Expression, words: Vocabulary, number: Fraction, parts: tuple[_Part, ...], ratios: Sequence[float]
) -> Iterator[Edit]:
    """The claim times a number and parts, or divided by them, where the ratio is that."""
    product = [float(number)] * len(ratios)
    for part in parts:
        product = [a * b for a, b in zip(product, part.numbers, strict=True)]
    factor, said, wrong = _product(number, parts), _product(abs(number), parts), number < 0
    if wrong and min(ratios) > 0:  # it is the factor that has a sign
        said, wrong = _opposite(said), False
    text = words.write(said)
    if agree(product, ratios):
        yield Edit(_say("lacks the factor", wrong, text), multiply(claim, factor))
    if all(product) and agree([1 / a for a in product], ratios):
        own = list_factors(claim)
        if all(part.tree in (*own, *filter(None, map(_base, own))) for part in parts):
            yield Edit(_say("has the extra factor", wrong, text), divide(claim, factor))
        else:
            yield Edit(_say("lacks the factor", wrong, f"1/{bracket(said, text)}"), divide(claim, factor))


def _base(factor: t.Expression) -> t.Expression | None:
    """What is multiplied with itself, if a factor is a power like that."""
    if isinstance(factor, t.Power) and isinstance(factor.exponent, t.Number) and factor.exponent.value > 1:
        return factor.base
    return None


def _product(number: Fraction, parts: tuple[_Part, ...]) -> t.Expression:
    made: t.Expression | None = None if number == 1 else number_tree(number)
    if len(parts) == 2 and parts[0].tree == parts[1].tree:
        square = t.Power(parts[0].tree, number_tree(Fraction(2)))
        return square if made is None else multiply(made, square)
    for part in parts:
        made = part.tree if made is None else multiply(made, part.tree)
    assert made is not None
    return made


def _opposite(tree: t.Expression) -> t.Expression:
    """The negative of a formula: b - a of a - b."""
    if isinstance(tree, t.Chain) and tree.operators == ("-",):
        return t.Chain((tree.operands[1], tree.operands[0]), tree.operators)
    return t.Negate(tree)


def _say(words: str, wrong: bool, text: str) -> str:
    return f"has the wrong sign and {words} {text}" if wrong else f"{words} {text}"
