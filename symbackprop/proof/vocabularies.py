"""The words in which a repair may be said: those of the program, of the truth and of the claim."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations

from symbackprop.calculus.tensors import Role, Tensor
from symbackprop.language import tree as t
from symbackprop.proof.edits import Vocabulary
from symbackprop.proof.ingredients import list_factors, list_functions, list_masks, list_parts, list_terms
from symbackprop.proof.premises import letters_of_tensor
from symbackprop.proof.trials import Trial


def make_vocabulary(trial: Trial) -> Vocabulary:
    """What a change of the claim may put in."""
    q = trial.question
    loss = q.program.loss
    read = {
        name: tensor
        for name, tensor in q.program.tensors().items()
        if tensor.role is not Role.HIDDEN
        and tensor.range is None
        and (tensor.role is not Role.ADJOINT or tensor.numerator == loss)
    }
    shapes = {name: tensor.axes for name, tensor in read.items() if not _is_asked_for(trial, tensor)}
    scalars = (
        *q.program.size_names,
        *(tensor.name for tensor in q.program.leaves if tensor.role is Role.CONST and not tensor.axes),
    )
    letters = frozenset(i.name for i in q.left.indices)
    written = (d.tree.body if isinstance(d.tree, t.Define) else d.tree for d in q.forward.definitions)
    forward = [tree for tree in written if isinstance(tree, t.Expression)]
    masks = (*_equal_indices(trial), *(m for tree in (*q.truth, *forward) for m in list_masks(tree)))
    factors = dict.fromkeys((*masks, *(f for tree in (*q.truth, *forward) for f in list_factors(tree))))
    terms = dict.fromkeys(term for tree in q.truth for term in list_terms(tree))
    reads = dict.fromkeys(
        node for tree in q.truth for node, _ in t.walk(tree) if isinstance(node, t.Access) and node.name in shapes
    )
    parts = dict.fromkeys(part for tree in (q.tree, *q.truth, *forward) for part in list_parts(tree))
    functions = dict.fromkeys(f for tree in (*q.truth, *forward) for f in list_functions(tree))
    return Vocabulary(
        shapes=shapes,
        shapes_read={name: tensor.axes for name, tensor in read.items()},
        known=frozenset({*q.program.tensors(), *scalars}),
        letters=letters,
        scalars=scalars,
        factors=tuple(factors),
        whole_terms=q.terms,
        terms=tuple(terms),
        reads=tuple(reads),
        parts=(*masks, *parts),
        functions=tuple(functions),
        claim=q.tree,
        write=trial.write,
    )


def _equal_indices(trial: Trial) -> Iterator[t.Expression]:
    """1 where two indices of one range are equal, or an integer that is given is an index, else 0."""
    q = trial.question
    one, zero = t.Number(Fraction(1)), t.Number(Fraction(0))
    for tensor in q.program.leaves:
        at = letters_of_tensor(trial, tensor)
        read = t.Access(tensor.name, tuple(map(t.Name, at))) if at else t.Name(tensor.name)
        for index in q.left.indices:
            if tensor.range is not None and tensor.range == index.size:
                yield t.Where(t.Compare("==", read, t.Name(index.name)), one, zero)
    for first, second in combinations(q.left.indices, 2):
        if first.same_range(second):
            yield t.Where(t.Compare("==", t.Name(first.name), t.Name(second.name)), one, zero)


def _is_asked_for(trial: Trial, adjoint: Tensor) -> bool:
    """Whether an adjoint is the derivative that the claim is about: to put that in repairs everything."""
    wrt = trial.question.wrt
    return wrt is not None and adjoint.role is Role.ADJOINT and adjoint.denominator == wrt.name
