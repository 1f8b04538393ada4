r"""Statements of a block as statements of the formula language: claims and definitions."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise

from symbackprop.errors import FormulaError, ShapeError, UnsupportedError
from symbackprop.language import tree as t
from symbackprop.language import write_matrix_tree, write_tree
from symbackprop.language.matrix_grammar import Operation, walk_matrix
from symbackprop.language.matrix_shapes import Shape, axes_left
from symbackprop.language.tree import Node
from symbackprop.language.wording import fail
from symbackprop.notation.reading.adjoint_marks import write_derivatives
from symbackprop.notation.reading.blocks import LatexStatement
from symbackprop.notation.reading.deltas import ranges_of
from symbackprop.notation.reading.differentials import derived_by, unturned
from symbackprop.notation.reading.doubtful_names import check_size
from symbackprop.notation.reading.entries import find_whole
from symbackprop.notation.reading.equations import check_equation
from symbackprop.notation.reading.extents import adjoint_arguments, check_extents, find_condition, restrict
from symbackprop.notation.reading.factors import factors_of
from symbackprop.notation.reading.index_formulas import read_head
from symbackprop.notation.reading.masks import where_held
from symbackprop.notation.reading.matrix_derivatives import check_layout
from symbackprop.notation.reading.matrix_formulas import MatrixReader, read_matrix_formula
from symbackprop.notation.reading.refusals import AmbiguousFormulaError
from symbackprop.notation.reading.samples import settle_samples
from symbackprop.notation.reading.slices import free_letters, letters_of_vector, read_sliced_head
from symbackprop.notation.reading.syntax import Numeral, Product, Scripts, Sum, Syntax, bare, write_syntax
from symbackprop.notation.reading.vocabulary import Vocabulary
from symbackprop.notation.reading.written_claims import EntryClaim, is_written, read_entry_claims
from symbackprop.notation.reading.written_matrices import read_formula


def read_claim(statement: LatexStatement, vocabulary: Vocabulary) -> t.Claim:
    r"""The claim that an equation, or an approximation, makes: a link for each side behind the first.

    >>> from symbackprop.language import write_tree
    >>> from symbackprop.notation.reading.blocks import read_block
    >>> from symbackprop.notation.reading.vocabulary import make_vocabulary
    >>> (block,) = read_block(r"(a+b)^2 &= a^2 + 2ab + b^2")
    >>> write_tree(read_claim(block, make_vocabulary()))
    'claim (a + b)^2 = a^2 + 2*a*b + b^2'
    """
    if statement.kind not in ("equation", "approximation"):
        raise fail(statement, f"an {statement.kind}" if statement.kind[0] in "aeu" else f"a {statement.kind}",
                   "an equation to claim")  # fmt: skip
    first, *others = statement.sides
    digits: str | None = None
    if statement.kind == "approximation":
        digits = read_digits(others.pop())
    derived = read_head(first, vocabulary)
    head = derived if derived is not None else read_formula(first, vocabulary)
    letters = ranges_of(head, vocabulary)
    links = tuple(read_formula(side, vocabulary, letters) for side in others)
    claim = t.Claim(head, links, digits, False, line=statement.line, column=statement.column)
    return restrict(statement.extents, claim, statement.sides, vocabulary)


@dataclass(frozen=True, slots=True)
class MatrixClaim(Node):
    """head = link = link ..., whose sides are matrix expressions; the head may be the derivative by a whole tensor.

    `entrywise` has for each link what it says with products of entries for its dots, or None where that says nothing.
    """

    head: t.Expression | t.Derivative
    links: tuple[t.Expression, ...]
    entrywise: tuple[t.Expression | None, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """The claim of each link, as it was understood."""
        sides = [write_tree(self.head) if isinstance(self.head, t.Derivative) else write_matrix_tree(self.head)]
        sides += [write_matrix_tree(link) for link in self.links]
        return tuple(f"{left} = {right}" for left, right in pairwise(sides))


def read_any_claim(statement: LatexStatement, vocabulary: Vocabulary) -> t.Claim | MatrixClaim:
    """The claim of an equation, about entries or about whole tensors.

    It is about whole tensors where its head is one, or the derivative by one; a scalar is read with indices if it can
    be, and otherwise as a product of matrices.
    """
    claim = _read_one(statement, vocabulary)
    if isinstance(claim, MatrixClaim):
        head = (claim.head.read, claim.head.wrt) if isinstance(claim.head, t.Derivative) else (claim.head,)
        nodes = [node for side in (*head, *claim.links) for node, _ in walk_matrix(side)]
        reads = [node for node in nodes if isinstance(node, t.Access)]
        for extent in statement.extents if not reads else ():
            raise fail(extent, f"`{extent.shown}`", "an equation with that index",
                       "whole tensors have none, and conditions stand in cases")  # fmt: skip
        if statement.extents:
            of_reads = t.Claim(reads[0], tuple(reads[1:]))
            condition = find_condition(statement.extents, of_reads, statement.sides, vocabulary)
            return claim if condition is None else _restricted(claim, condition, vocabulary)
    return claim


def _restricted(claim: MatrixClaim, condition: t.Condition, vocabulary: Vocabulary) -> MatrixClaim:
    """The claim where a condition holds; elsewhere all of its sides are put to 0."""
    head = claim.head
    if isinstance(head, t.Derivative):
        of = adjoint_arguments(head, vocabulary)
        head = Operation("adj", of, line=head.line, column=head.column)
    links = tuple(where_held((condition,), link, link) for link in claim.links)
    entrywise = tuple(None if each is None else where_held((condition,), each, each) for each in claim.entrywise)
    return replace(claim, head=where_held((condition,), head, head), links=links, entrywise=entrywise)


def _read_one(statement: LatexStatement, vocabulary: Vocabulary) -> t.Claim | MatrixClaim:
    letters = letters_of_vector(statement.sides[0], vocabulary)
    if letters or names_whole(statement.sides[0], vocabulary):
        return read_matrix_statement(statement, vocabulary, letters)
    try:
        return read_claim(statement, vocabulary)
    except (FormulaError, UnsupportedError) as first:
        if vocabulary.open or statement.kind != "equation" or isinstance(first, AmbiguousFormulaError):
            raise
        try:
            return read_matrix_statement(statement, vocabulary, free_letters(statement.sides[0], vocabulary))
        except (ShapeError, AmbiguousFormulaError):
            raise
        except (FormulaError, UnsupportedError):
            raise first from None


def read_claims(statement: LatexStatement, vocabulary: Vocabulary) -> tuple[EntryClaim | MatrixClaim, ...]:
    """The claims of an equation: one, or one for each entry of matrices that are written out."""
    statement = replace(statement, sides=tuple(write_derivatives(side, vocabulary) for side in statement.sides))
    for side in statement.sides:
        check_size(side, vocabulary)

    def read(known: Vocabulary) -> tuple[EntryClaim | MatrixClaim, ...]:
        entries = read_entry_claims(statement, known) if is_written(statement) else None
        if entries is not None:
            return entries
        claim = read_any_claim(statement, known)
        return (claim if isinstance(claim, MatrixClaim) else EntryClaim(claim),)

    return settle_samples(statement.sides, vocabulary, read, _sides_of)


def _sides_of(claims: tuple[EntryClaim | MatrixClaim, ...]) -> list[Node]:
    """The sides of claims about entries, for a derivative what it is taken of and by."""
    made = [claim.claim for claim in claims if isinstance(claim, EntryClaim)]
    found: list[Node] = []
    for claim in made:
        head = claim.head
        found += [head.of, head.wrt] if isinstance(head, t.Derivative) else [head]
        found += claim.links
    return found


def names_whole(side: Syntax, vocabulary: Vocabulary) -> bool:
    """Whether a side is a whole tensor with axes, or a derivative of one or by one."""
    derived, by = read_head(side, vocabulary), derived_by(side)
    whole = bare(side) if by is None else unturned(by)
    parts = (derived.read, derived.wrt) if derived is not None else (find_whole(whole, vocabulary),)
    names = [part.name for part in parts if isinstance(part, t.Name)]
    return any(name in vocabulary.tensors and vocabulary.tensors[name].axes for name in names)


def read_matrix_statement(
    statement: LatexStatement, vocabulary: Vocabulary, letters: frozenset[str] = frozenset()
) -> MatrixClaim:
    """The claim that an equation of matrices makes, for all values of `letters`; vectors of ones are as long as its
    first side asks for."""
    if statement.kind != "equation":
        raise fail(statement, f"the {statement.kind} of whole tensors", "an equation to claim")
    first, *others = statement.sides
    head: t.Expression | t.Derivative | None
    head = read_sliced_head(first, vocabulary, letters) if letters else read_head(first, vocabulary)
    if isinstance(head, t.Derivative):
        tensors = [(p, vocabulary.tensors[p.name]) for p in (head.read, head.wrt) if p.name in vocabulary.tensors]
        axes = tuple(axis for part, tensor in tensors for axis in axes_left(part, tensor.axes))
        if len(axes) > 2:
            raise fail(statement, f"a derivative with {len(axes)} axes", "at most two", "claim an entry")
        if len(tensors) == 2 and all(axes_left(p, x.axes) for p, x in tensors) and not isinstance(head.of, t.Apply):
            check_layout(bare(factors_of(bare(first))[0].node))
        shape = ((*axes, None, None)[0], (*axes, None, None)[1])
    else:
        reader = MatrixReader(vocabulary, letters)
        head = read_matrix_formula(first, vocabulary, letters=letters)
        shape = reader.shape(head)
    links = tuple(read_matrix_formula(side, vocabulary, shape, letters) for side in others)
    if isinstance(head, t.Derivative):
        check_equation(links, others, vocabulary, letters)
    else:
        check_equation((head, *links), statement.sides, vocabulary, letters)
    others_read = tuple(_without_dots(side, vocabulary, shape, letters) for side in others)
    return MatrixClaim(head, links, others_read, line=statement.line, column=statement.column)


def _without_dots(
    side: Syntax, vocabulary: Vocabulary, shape: Shape, letters: frozenset[str]
) -> t.Expression | None:
    r"""A side with \odot for every \cdot; None where it has none, or has no meaning then."""

    def change(node: Syntax) -> Syntax:
        made: Syntax = t.map_children(node, change)
        if not isinstance(made, Product):
            return made
        return replace(made, operators=tuple(r"\odot" if sign == r"\cdot" else sign for sign in made.operators))

    changed = change(side)
    try:
        return read_matrix_formula(changed, vocabulary, shape, letters) if changed != side else None
    except (FormulaError, UnsupportedError):
        return None


def read_definition(statement: LatexStatement, vocabulary: Vocabulary) -> t.Define:
    """The definition that an equation of two sides makes, its left side being a name or an entry of one."""
    if statement.kind != "equation" or len(statement.sides) != 2:
        raise fail(statement, f"{write_syntax(statement.sides[0])} in no single equation", "name = formula")
    return settle_samples(statement.sides, vocabulary, lambda known: _define(statement, known),
                          lambda made: (made.head, made.body))  # fmt: skip


def _define(statement: LatexStatement, vocabulary: Vocabulary) -> t.Define:
    head = read_formula(statement.sides[0], vocabulary)
    if not isinstance(head, t.Name | t.Access):
        raise fail(statement, f"`{write_syntax(statement.sides[0])}` on the left side of a definition", "a name")
    body = read_formula(statement.sides[1], vocabulary, ranges_of(head, vocabulary))
    check_extents(statement.extents, t.Claim(head, (body,)), statement.sides, vocabulary)
    return t.Define(head, body, line=statement.line, column=statement.column)


def read_digits(side: Syntax) -> str:
    r"""The digits that a value is claimed to round to: `2.04\times10^{-7}` is 2.04e-7.

    >>> from symbackprop.notation.reading.grammar import read_syntax
    >>> read_digits(read_syntax(r"-2.04\times10^{-7}"))
    '-2.04e-7'
    """
    node, sign = bare(side), ""
    if isinstance(node, Sum) and len(node.parts) == 1:
        sign, node = "-" if node.signs[0] == "-" else "", bare(node.parts[0])
    if isinstance(node, Numeral):
        return sign + node.text
    if isinstance(node, Product) and len(node.parts) == 2 and node.operators[0] in (r"\times", r"\cdot"):
        first, power = bare(node.parts[0]), bare(node.parts[1])
        ten = isinstance(power, Scripts) and write_syntax(power.base) == "10" and power.above is not None
        if isinstance(first, Numeral) and isinstance(power, Scripts) and ten and power.above is not None:
            exponent = write_syntax(bare(power.above))
            if re.fullmatch(r"-?[0-9]+", exponent):
                return f"{sign}{first.text}e{exponent}"
    raise _no_digits(side)


def _no_digits(side: Syntax) -> FormulaError:
    return fail(side, f"`{write_syntax(side)}` behind \\approx", r"digits such as 2.04\times10^{-7}")
