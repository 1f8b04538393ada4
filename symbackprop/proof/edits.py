"""Single changes to a claim: what it would say with one thing put right, in words.

Nothing here knows whether a change helps. Changes come from the formula itself (a factor or a term left out, a sign, a
number, an index, a name read in place of another of its shape) and from the truth (its reads and functions put in).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import combinations, permutations
from typing import Any

from symbackprop.functions import FUNCTION_BY_NAME
from symbackprop.language import tree as t
from symbackprop.language.spelling import number_tree
from symbackprop.proof.ingredients import (
    bracket,
    divide,
    exchange_letters,
    exchange_names,
    is_number,
    letters_of,
    multiply,
    read_instead,
    tensors_of,
    without,
)

Write = Callable[[t.Node], str]
Local = Callable[[t.Node, frozenset[str]], Iterator[tuple[str, t.Node]]]
"""Changes of one node, given the letters that are in scope there: (words, what stands in its place)."""

NUMBERS = (Fraction(2), Fraction(1, 2))
EXPONENTS = tuple(map(Fraction, (2, 3, -1, -2, -3))) + tuple(Fraction(k, 2) for k in (1, 3, -1, -3))
TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "!=", "!=": "=="}


@dataclass(frozen=True, slots=True)
class Edit:
    """A claim with one thing changed, and what to say of the claim if that is right."""

    words: str
    tree: t.Expression


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a change may put in: names by their shapes, letters, sizes and constants; factors, terms and reads of the
    truth. `known` are the names that are no letters.
    """

    shapes: Mapping[str, tuple[Any, ...]]
    shapes_read: Mapping[str, tuple[Any, ...]]
    known: frozenset[str]
    letters: frozenset[str]
    scalars: tuple[str, ...]
    factors: tuple[t.Expression, ...]
    whole_terms: tuple[t.Expression, ...]
    terms: tuple[t.Expression, ...]
    reads: tuple[t.Access, ...]
    parts: tuple[t.Expression, ...]
    functions: tuple[str, ...]
    claim: t.Expression
    write: Write


def list_edits(tree: t.Expression, words: Vocabulary) -> Iterator[Edit]:
    """Every single change of a part of a claim, the plainest first; no formula twice."""
    made = _Changes(words)
    changes = (made.signs, made.reductions, made.left_out, made.places, made.names, made.numbers, made.functions)
    yield from list_changed(tree, words, (*changes, made.conditions))


def list_exponents(tree: t.Expression, words: Vocabulary) -> Iterator[Edit]:
    """The claim with another exponent."""
    yield from list_changed(tree, words, (_Changes(words).exponents,))


def list_sums_for_means(tree: t.Expression, words: Vocabulary) -> Iterator[Edit]:
    """The claim with a sum in place of a mean."""
    yield from list_changed(tree, words, (_Changes(words).means,))


def list_changed(tree: t.Expression, words: Vocabulary, changes: Sequence[Local]) -> Iterator[Edit]:
    """The changes of some kinds of every part of a claim, one kind after the other; no formula twice."""
    seen: set[t.Node] = {tree}
    for local in changes:
        for text, changed in _everywhere(tree, local, words.letters):
            if changed not in seen and isinstance(changed, t.Expression):
                seen.add(changed)
                yield Edit(text or say_change(tree, changed, words.write), changed)


def say_change(old: t.Node, new: t.Node, write: Write) -> str:
    """The smallest part that changed, but not a name or a number alone: those of what it stands in are clearer."""
    while type(old) is type(new) and not isinstance(old, t.Access | t.Apply | t.Name | t.Number):
        before, after = t.children(old), t.children(new)
        changed = [(a, b) for a, b in zip(before, after, strict=False) if a != b]
        if len(before) != len(after) or len(changed) != 1:
            break
        if _differ_in_words(old, new) or isinstance(changed[0][0], t.Name | t.Number | t.Binder):
            break
        if isinstance(old, t.Power) and old.exponent == changed[0][0]:
            break
        old, new = changed[0]
    return _instead(write, old, new)


def _differ_in_words(old: t.Node, new: t.Node) -> bool:
    """Whether two nodes of a type differ in more than what stands below them."""
    names = [n for n in old.__dataclass_fields__ if n not in ("line", "column", "text")]
    plain = [n for n in names if isinstance(getattr(old, n), str) or _are_words(getattr(old, n))]
    return any(getattr(old, n) != getattr(new, n) for n in plain)


def _are_words(value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(v, str) for v in value)


def _instead(write: Write, old: t.Node, new: t.Node) -> str:
    return f"has {write(old)} in place of {write(new)}"


def _everywhere(node: t.Node, local: Local, letters: frozenset[str]) -> Iterator[tuple[str, t.Node]]:
    """The changes of a node and of every node below it, each as the whole; "" for words is "this in place of that"."""
    yield from local(node, letters)
    if isinstance(node, t.Access | t.Name | t.Number):
        return
    for child, rebuild in _parts(node):
        inner = letters | {b.name for b in node.binders} if isinstance(node, t.Reduce) else letters
        for text, changed in _everywhere(child, local, inner):
            yield text, rebuild(changed)


def _parts(node: t.Node) -> Iterator[tuple[t.Node, Callable[[t.Node], t.Node]]]:
    """The nodes below a node, with what the node is when another stands there."""
    if isinstance(node, t.Reduce):
        yield node.body, partial(_put, node, "body", None)
        return
    for name in node.__dataclass_fields__:
        value = getattr(node, name)
        if isinstance(node, t.Entry) and name == "call":
            continue  # an entry is one of a whole-matrix call and of nothing else
        if isinstance(value, t.Node):
            yield value, partial(_put, node, name, None)
        elif isinstance(value, tuple) and value and isinstance(value[0], t.Node):
            for k, child in enumerate(value):
                yield child, partial(_put, node, name, k)


def _put(node: t.Node, name: str, k: int | None, child: t.Node) -> t.Node:
    """The node with a child replaced."""
    changed: dict[str, Any] = {name: child}
    if k is not None:
        value = getattr(node, name)
        changed = {name: (*value[:k], child, *value[k + 1 :])}
    return replace(node, **changed)


def list_factors_of_all(tree: t.Expression, words: Vocabulary) -> Iterator[Edit]:
    """The sign of a formula, and factors of all of it that are no tensors."""
    yield Edit("has the wrong sign", t.Negate(tree))
    common = list(_common(words))
    for factor in common:
        text = words.write(factor)
        yield Edit(f"lacks the factor {text}", multiply(tree, factor))
        yield Edit(f"lacks the factor 1/{bracket(factor, text)}", divide(tree, factor))
    for number in (2, -2, 4, -4):
        yield Edit(f"lacks the factor {number}", multiply(number_tree(Fraction(number)), tree))
        yield Edit(f"has the extra factor {number}", divide(tree, number_tree(Fraction(number))))
    for factor in common:
        text = words.write(factor)
        yield Edit(f"has the wrong sign and lacks the factor {text}", t.Negate(multiply(tree, factor)))
        inverse = f"1/{bracket(factor, text)}"
        yield Edit(f"has the wrong sign and lacks the factor {inverse}", t.Negate(divide(tree, factor)))


def _common(words: Vocabulary) -> Iterator[t.Expression]:
    """Sizes and constants, and their roots and squares."""
    for name in words.scalars:
        yield t.Name(name)
    for name in words.scalars:
        yield t.Apply("sqrt", (t.Name(name),))
        yield t.Power(t.Name(name), number_tree(Fraction(2)))


@dataclass(frozen=True, slots=True)
class _Changes:
    """The changes of single nodes."""

    words: Vocabulary

    def _where(self, node: t.Node) -> str:
        """Where in the claim a part stands, if it is not all of it."""
        return "" if node == self.words.claim else f" in {self.words.write(node)}"

    def _stands_twice(self, part: t.Expression) -> bool:
        """Whether a part is a number, or is written more than once in the claim."""
        return is_number(part) or sum(node == part for node, _ in t.walk(self.words.claim)) > 1

    def signs(self, node: t.Node, letters: frozenset[str]) -> Iterator[tuple[str, t.Node]]:
        """One term with the other sign."""
        if isinstance(node, t.Chain) and node.operators[0] in "+-":
            for k, operand in enumerate(node.operands):
                where = self._where(node) if self._stands_twice(operand) else ""
                text = f"has the term {self.words.write(operand)} with the wrong sign{where}"
                if k == 0:
                    yield text, replace(node, operands=(t.Negate(operand), *node.operands[1:]))
                else:
                    flipped = "-" if node.operators[k - 1] == "+" else "+"
                    yield text, replace(node, operators=(*node.operators[: k - 1], flipped, *node.operators[k:]))

    def means(self, node: t.Node, letters: frozenset[str]) -> Iterator[tuple[str, t.Node]]:
        """A sum for a mean."""
        if isinstance(node, t.Reduce) and node.operation == "mean":
            yield from self.reductions(node, letters)

    def reductions(self, node: t.Node, letters: frozenset[str]) -> Iterator[tuple[str, t.Node]]:
        """A sum for a mean, a mean for a sum."""
        if isinstance(node, t.Reduce) and node.operation in ("sum", "mean"):
            other = "mean" if node.operation == "sum" else "sum"
            over = ", ".join(b.name for b in node.binders)
            yield f"has the {node.operation} over {over} in place of the {other}", replace(node, operation=other)

    def left_out(self, node: t.Node, letters: frozenset[str]) -> Iterator[tuple[str, t.Node]]:
        """A term or a factor less."""
        if not isinstance(node, t.Chain):
            return
        product = node.operators[0] not in "+-"
        for k, operand in enumerate(node.operands):
            operator = node.operators[k - 1] if k else ("*" if product else "+")
            text = self.words.write(operand)
            if product and operator == "/":
                text = f"1/{bracket(operand, text)}"
            rest = without(node, k)
            where = self._where(node)
            yield f"has the extra {'factor' if product else 'term'} {text}{where}", rest
            if product and k:
                flipped = "*" if operator == "/" else "/"
                changed = replace(node, operators=(*node.operators[: k - 1], flipped, *node.operators[k:]))
                done, due = ("divides", "multiplied") if operator == "/" else ("multiplies", "divided")
                yield f"{done} by {self.words.write(operand)} where it has to be {due}{where}", changed
        if product:
            yield from self._two_left_out(node)

    def _two_left_out(self, node: t.Chain) -> Iterator[tuple[str, t.Node]]:
        """Two factors of a product less."""
        kinds = ("*", *node.operators)
        for first, second in combinations(range(len(node.operands)), 2):
            if len(node.operands) > 2 and kinds[first] == kinds[second] == "*":
                pair = t.Chain((node.operands[first], node.operands[second]), ("*",))
                rest = without(node, second)
                assert isinstance(rest, t.Chain)
                yield f"has the extra factor {self.words.write(pair)}{self._where(node)}", without(rest, first)

    def places(self, node: t.Node, letters: frozenset[str]) -> Iterator[tuple[str, t.Node]]:
        """A tensor read at other indices: swapped, one step aside, at another letter."""
        if isinstance(node, t.Access):
            indices = node.indices
            for order in permutations(indices):
                if order != indices:
                    yield "", replace(node, indices=order)
            for read in self.words.reads:
                if read.name == node.name and read != node and letters_of(read, self.words.known) <= letters:
                    yield "", read
            for k, index in enumerate(indices):
                for other in self._other_places(index, letters):
                    yield "", replace(node, indices=(*indices[:k], other, *indices[k + 1 :]))
        elif isinstance(node, t.Expression | t.Compare) and not isinstance(node, t.Name | t.Number):
            for first, second in permutations(sorted(letters), 2):
                changed = exchange_letters(node, {first: second, second: first} if first < second else {first: second})
                if changed != node:
                    yield "", changed

    def _other_places(self, index: t.Node, letters: frozenset[str]) -> Iterator[t.Expression]:
        if isinstance(index, t.Name) and index.name in letters:
            yield from (t.Name(letter) for letter in sorted(letters) if letter != index.name)
            yield t.Chain((index, number_tree(Fraction(1))), ("-",))
            yield t.Chain((index, number_tree(Fraction(1))), ("+",))
        elif isinstance(index, t.Chain) and set(index.operators) <= {"+", "-"}:
            yield index.operands[0]
            for k in range(len(index.operators)):
                flipped = "-" if index.operators[k] == "+" else "+"
                yield replace(index, operators=(*index.operators[:k], flipped, *index.operators[k + 1 :]))
            if len(index.operators) > 1:
                yield replace(index, operators=tuple("-" if o == "+" else "+" for o in index.operators))
            yield t.Chain((*index.operands, number_tree(Fraction(1))), (*index.operators, "-"))
            yield t.Chain((*index.operands, number_tree(Fraction(1))), (*index.operators, "+"))

    def names(self, node: t.Node, letters: frozenset[str]) -> Iterator[tuple[str, t.Node]]:
        """Another tensor of the same shape read, throughout a part of the formula, or two in each other's place."""
        if not isinstance(node, t.Expression) or isinstance(node, t.Number):
            return
        shapes = self.words.shapes
        for name in tensors_of(node):
            for other, shape in shapes.items():
                if other != name and shape == self.words.shapes_read.get(name):
                    yield "", read_instead(node, name, other)
        for first, second in combinations(tensors_of(node), 2):
            if first in shapes and shapes[first] == shapes.get(second):
                yield "", exchange_names(node, first, second)

    def exponents(self, node: t.Node, letters: frozenset[str]) -> Iterator[tuple[str, t.Node]]:
        """Another exponent."""
        if isinstance(node, t.Power):
            yield "", node.base
            yield from (("", replace(node, exponent=number_tree(exponent))) for exponent in EXPONENTS)

    def numbers(self, node: t.Node, letters: frozenset[str]) -> Iterator[tuple[str, t.Node]]:
        """Another number."""
        if isinstance(node, t.Number):
            for value in (node.value * 2, node.value / 2, node.value + 1, node.value - 1):
                yield "", number_tree(value)
        elif isinstance(node, t.Name) and node.name in self.words.scalars:
            for scalar in self.words.scalars:
                if scalar != node.name:
                    yield "", t.Name(scalar)

    def functions(self, node: t.Node, letters: frozenset[str]) -> Iterator[tuple[str, t.Node]]:
        """A function for its derivative, for another one or none at all; a function or a power more."""
        if isinstance(node, t.Apply) and len(node.arguments) == 1 and node.function != "adj":
            if node.function in FUNCTION_BY_NAME:
                yield "", replace(node, primed=not node.primed)
            for number in NUMBERS:
                yield "", replace(node, arguments=(multiply(number_tree(number), node.arguments[0]),))
            yield "", node.arguments[0]
            yield from (("", replace(node, function=name)) for name in self.words.functions if name != node.function)
        if isinstance(node, t.Access | t.Name):
            if isinstance(node, t.Name) and node.name not in self.words.shapes:
                return
            yield "", t.Chain((number_tree(Fraction(1)), node), ("-",))
            yield "", t.Power(node, number_tree(Fraction(2)))
            yield "", divide(number_tree(Fraction(1)), node)
            yield from (("", t.Apply(name, (node,))) for name in dict.fromkeys(("sqrt", *self.words.functions)))

    def conditions(self, node: t.Node, letters: frozenset[str]) -> Iterator[tuple[str, t.Node]]:
        """The branches of a choice swapped, or its condition turned."""
        if isinstance(node, t.Where):
            yield "", replace(node, then=node.otherwise, otherwise=node.then)
            yield "", node.then
        elif isinstance(node, t.Compare):
            yield "", replace(node, operator=TURNED[node.operator])
