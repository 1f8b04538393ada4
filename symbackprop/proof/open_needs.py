"""Whether a condition holds whichever way the comparisons go that it reads."""

from __future__ import annotations

from symbackprop.proof.choices import Choices
from symbackprop.proof.facts import Fact, contradict
from symbackprop.proof.plain_signs import holds_plainly
from symbackprop.proof.tidying import follows, simplify


def holds_openly(fact: Fact, choices: Choices, known: tuple[Fact, ...] = ()) -> bool:
    """Whether a condition follows in each case of what it reads of open comparisons, where some facts hold.

    >>> import sympy as sp
    >>> x, choices = sp.Symbol("x"), Choices()
    >>> above, _ = choices.of_sign(x, 1).alternatives
    >>> holds_openly(Fact(above.indicator * x + 1, ">"), choices), holds_openly(Fact(x + 1, ">"), choices)
    (True, False)
    """
    if holds_plainly(fact):
        return True
    read = choices.among((fact.expression,))
    if not read:
        return bool(known) and all(follows(part, known) for part in simplify(fact))
    return all(
        holds_openly(Fact(each.tell(fact.expression), fact.relation), choices, (*known, *each.facts))
        for each in read[0].alternatives
        if not contradict((*known, *each.facts))
    )
