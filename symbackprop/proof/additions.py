"""Single additions to a claim: a factor, a term or a sum that it lacks somewhere, in words.

As with edits, nothing here knows whether an addition helps. Factors and terms come from the truth.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from symbackprop.language import tree as t
from symbackprop.language.spelling import number_tree
from symbackprop.proof.edits import NUMBERS, Edit, Vocabulary, list_changed
from symbackprop.proof.ingredients import add_term, bracket, divide, is_number, letters_of, multiply, sum_over


def list_missing_terms(tree: t.Expression, words: Vocabulary) -> Iterator[Edit]:
    """The claim with one of the terms that the truth is the sum of more."""
    for term in words.whole_terms:
        yield Edit(f"lacks the term {words.write(term)}", add_term(tree, term))


def list_additions(tree: t.Expression, words: Vocabulary) -> Iterator[Edit]:
    """The claim with a factor or a term more somewhere."""
    made = _Additions(words)
    yield from list_changed(tree, words, (made.factors, made.terms))


def list_added_numbers(tree: t.Expression, words: Vocabulary) -> Iterator[Edit]:
    """The claim with a number more in one of its sums."""
    yield from list_changed(tree, words, (_Additions(words).number_terms,))


@dataclass(frozen=True, slots=True)
class _Additions:
    """The additions to single nodes."""

    words: Vocabulary

    def factors(self, node: t.Node, letters: frozenset[str]) -> Iterator[tuple[str, t.Node]]:
        """A factor of the truth, a size, a constant or a number more."""
        if isinstance(node, t.Number):
            yield from (
                ("", factor) for factor in self.words.factors if letters_of(factor, self.words.known) <= letters
            )
        if isinstance(node, t.Reduce):
            inner = letters | {b.name for b in node.binders}
            over = ", ".join(b.name for b in node.binders)
            for words, changed in self._multiplied(node.body, inner, f" under the {node.operation} over {over}"):
                yield words, replace(node, body=changed)
        elif isinstance(node, t.Expression) and not isinstance(node, t.Number | t.Name | t.Negate):
            yield from self._multiplied(node, letters, f" at {self.words.write(node)}")

    def _multiplied(
        self, node: t.Expression, letters: frozenset[str], where: str
    ) -> Iterator[tuple[str, t.Expression]]:
        for factor in (*self.words.factors, *map(number_tree, NUMBERS), *map(t.Name, self.words.scalars)):
            if letters_of(factor, self.words.known) <= letters:
                text = self.words.write(factor)
                yield f"lacks the factor {text}{where}", multiply(node, factor)
                yield f"lacks the factor 1/{bracket(factor, text)}{where}", divide(node, factor)

    def terms(self, node: t.Node, letters: frozenset[str]) -> Iterator[tuple[str, t.Node]]:
        """A term of the truth more, that is no number."""
        yield from self._added(node, letters, [term for term in self.words.terms if not is_number(term)])

    def number_terms(self, node: t.Node, letters: frozenset[str]) -> Iterator[tuple[str, t.Node]]:
        """A number more that the truth adds somewhere."""
        yield from self._added(node, letters, [term for term in self.words.terms if is_number(term)])

    def _added(
        self, node: t.Node, letters: frozenset[str], terms: Sequence[t.Expression]
    ) -> Iterator[tuple[str, t.Node]]:
        if not isinstance(node, t.Expression) or isinstance(node, t.Number | t.Name):
            return
        for term in terms:
            if letters_of(term, self.words.known) <= letters:
                where = "" if node == self.words.claim else f" beside {self.words.write(node)}"
                yield f"lacks the term {self.words.write(term)}{where}", add_term(node, term)


def sums_over_numbers(tree: t.Expression, letters: Sequence[str]) -> Iterator[Edit]:
    """A number in brackets made a letter that is summed over."""
    numbers = {
        i for node, _ in t.walk(tree) if isinstance(node, t.Access) for i in node.indices if isinstance(i, t.Number)
    }
    for number in sorted(numbers, key=lambda n: n.value):
        for letter in letters:

            def change(node: t.Node, number: t.Number = number, letter: str = letter) -> t.Node:
                if isinstance(node, t.Access):
                    return replace(node, indices=tuple(t.Name(letter) if i == number else i for i in node.indices))
                return t.map_children(node, change)

            changed = change(tree)
            assert isinstance(changed, t.Expression)
            yield Edit(f"lacks the sum over {letter}", sum_over(changed, letter))
            yield Edit(f"lacks the mean over {letter}", sum_over(changed, letter, "mean"))
