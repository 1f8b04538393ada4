"""Whether a condition holds whichever way the comparisons go that it reads."""

from __future__ import annotations

from collections.abc import Iterator

from symbackprop.proof.choices import Choices
from symbackprop.proof.facts import Fact, contradict
from symbackprop.proof.plain_signs import holds_plainly
from symbackprop.proof.tidying import follows, simplify

_MOST_CASES = 64


def holds_openly(fact: Fact, choices: Choices, known: tuple[Fact, ...] = ()) -> bool:
    """Whether a condition follows in each case of what it reads of open comparisons, where some facts hold.

    >>> import sympy as sp
    >>> x, choices = sp.Symbol("x"), Choices()
    >>> above, _ = choices.of_sign(x, 1).alternatives
    >>> holds_openly(Fact(above.indicator * x + 1, ">"), choices), holds_openly(Fact(x + 1, ">"), choices)
    (True, False)
    """
    for count, (told, facts) in enumerate(_cases(fact, choices, known)):
        if count == _MOST_CASES:
            return False
        if not holds_plainly(told) and not (facts and all(follows(part, facts) for part in simplify(told))):
            return False
    return True


def _cases(fact: Fact, choices: Choices, known: tuple[Fact, ...]) -> Iterator[tuple[Fact, tuple[Fact, ...]]]:
    """The condition as it is in each case, and what holds there."""
    read = choices.among((fact.expression,))
    if not read or holds_plainly(fact):
        yield fact, known
        return
    for each in read[0].alternatives:
        if not contradict((*known, *each.facts)):
            yield from _cases(Fact(each.tell(fact.expression), fact.relation), choices, (*known, *each.facts))
