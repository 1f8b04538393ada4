"""One verdict for the entries of two matrices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from symbackprop.proof.verdict import Verdict


def join_entries(verdicts: Mapping[str, Verdict]) -> Verdict:
    """The verdict on all entries, by their places: refuted where one is, and proved where all are.

    >>> one, other = Verdict("proved", hypotheses=("x != 0",)), Verdict("undecided", reason="why")
    >>> print(join_entries({"1, 1": one, "1, 2": other}))
    Undecided; why. This is the entry [1, 2].
    >>> print(join_entries({"1, 1": one, "1, 2": one}))
    Proved for all real values, where x != 0. All 2 entries were compared.
    """
    for status in ("refuted", "undecided"):
        found = [place for place, verdict in verdicts.items() if verdict.status == status]
        if found:
            first = verdicts[found[0]]
            others = f", and {len(found) - 1} more of {len(verdicts)} are {status}" if len(found) > 1 else ""
            return replace(first, notes=(*first.notes, f"This is the entry [{found[0]}]{others}."))
    every = tuple(verdicts.values())
    formulas = {text: formula for v in every for text, formula in zip(v.hypotheses, v.formulas, strict=False)}
    plain = dict.fromkeys(text for v in every for text in v.hypotheses if text not in formulas)
    narrowest = sorted(every, key=lambda verdict: (verdict.for_all_sizes, not verdict.scope))[0]
    return Verdict(
        "proved",
        scope=narrowest.scope,
        for_all_sizes=all(v.for_all_sizes for v in every),
        hypotheses=(*formulas, *plain),
        formulas=tuple(formulas.values()),
        notes=(f"All {len(every)} entries were compared.",),
    )
