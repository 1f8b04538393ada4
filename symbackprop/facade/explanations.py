"""Explanations: paths from the calculus, words from the notation, numbers from data and a verdict from the proof,
joined.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from symbackprop.calculus.chain import Adjoints
from symbackprop.calculus.definitions import Definition, Term
from symbackprop.calculus.evaluation import Evaluation
from symbackprop.calculus.expansion import Entry
from symbackprop.calculus.folding import Folding, fold
from symbackprop.calculus.indices import Affine, Index
from symbackprop.calculus.paths import (
    Factor,
    Node,
    Path,
    PathFinder,
    check_entry,
    derive_locally,
    instantiate,
    restore_name,
)
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Read, Role, Tensor
from symbackprop.errors import ArgumentError, DataError, FormulaError, UnknownNameError
from symbackprop.facade.integer_data import read_integers
from symbackprop.language.phrasing import hidden_definitions, phrase_terms, split_base
from symbackprop.language.reader import read_expression
from symbackprop.language.tree import Access, Expression, Name, Number
from symbackprop.notation.writing.explanations import (
    WORDS,
    ExplainedAdjoint,
    ExplainedFactor,
    ExplainedPath,
    Explanation,
)
from symbackprop.notation.writing.mermaid import draw_network
from symbackprop.notation.writing.names import Names
from symbackprop.proof.comparisons import prove_terms_equal


def explain(
    adjoints: Adjoints,
    folding: Folding,
    entry: str,
    language: str,
    at: Mapping[str, object] | None,
    limit: int,
    names: Names,
) -> Explanation:
    """The chain rule for one entry, path by path, or through the adjoints where there are more than `limit` paths."""
    if language not in WORDS:
        raise UnknownNameError(
            f"There is no language {language!r}; there are {', '.join(WORDS)}.", name=language, known=tuple(WORDS)
        )
    program = adjoints.program.extended(folding.definitions)
    start = read_entry(adjoints, entry)
    finder = find_paths(adjoints)
    count = finder.count(start)
    paths = finder.paths(start) if count is not None and count <= finder.limit else ()
    gradient = next(d for d in folding.definitions if d.tensor.denominator == start.tensor.name)
    derived = instantiate(gradient, start.at)
    through = count is None or count > limit
    speak = _Speaker(program, None if at is None else _evaluation(program, at))
    if count is not None and count <= finder.limit:
        together = tuple(term for path in paths for term in path.terms)
        verdict = str(prove_terms_equal(program, together, derived))
    else:
        why = "the number of steps is a symbol" if count is None else f"there are {count} paths"
        verdict = f"not compared path by path, since {why}."
    return Explanation(
        Node(adjoints.numerator, ()),
        start,
        count,
        () if through else tuple(map(speak.path, paths)),
        tuple(speak.adjoints(folding, start)) if through else (),
        speak.tree(derived),
        verdict,
        speak.number(derived),
        draw_network(finder, paths),
        language,
        names,
    )


def read_entry(adjoints: Adjoints, text: str) -> Node:
    """The entry that a text such as "W3[1,1]" names, checked against the axes of its tensor."""
    tree = read_expression(text)
    indices = tree.indices if isinstance(tree, Access) else ()
    numbers = [int(i.value) for i in indices if isinstance(i, Number) and i.value.denominator == 1]
    if not isinstance(tree, Name | Access) or len(numbers) != len(indices):
        raise FormulaError(f"{text!r} is not an entry of a tensor, such as W3[1,1].", found=text, expected="an entry")
    name, at = tree.name, tuple(map(Affine.of, numbers))
    tensor = adjoints.program.tensor(name)
    if name not in adjoints.wrt:
        known = adjoints.wrt
        raise UnknownNameError(
            f"Nothing was derived by {name}; gradients are by {', '.join(known)}.", name=name, known=known
        )
    check_entry(tensor, at)
    if adjoints.numerator.axes:
        raise ArgumentError(
            f"{adjoints.numerator.name} has axes; the paths of one scalar can be explained, such as the loss."
        )
    return Node(tensor, at)


def find_paths(adjoints: Adjoints) -> PathFinder:
    """The path finder of a derivation, its local derivatives folded."""
    partials: dict[str, dict[str, Definition]] = {}
    for definition in adjoints.program.definitions:
        if definition.tensor.role is Role.HIDDEN or definition.tensor.range is not None:
            continue
        local = derive_locally(adjoints.program, definition.tensor.name)
        folded = {d.tensor.denominator: d for d in fold(local, adjoints.program.assumptions).definitions}
        partials[definition.tensor.name] = {
            name: restore_name(folded[name], local, definition.tensor) for name in local.wrt
        }
    return PathFinder(adjoints.program, adjoints.numerator.name, partials)


@dataclass(frozen=True, slots=True)
class _Speaker:
    """Says terms as trees, and as numbers where there are data."""

    program: Program
    evaluation: Evaluation | None

    def tree(self, terms: tuple[Term, ...], scope: tuple[Index, ...] = ()) -> Expression:
        return phrase_terms(terms, scope, hidden_definitions(self.program))

    def number(self, terms: tuple[Term, ...], scope: tuple[Index, ...] = ()) -> float | None:
        if self.evaluation is None or scope:
            return None
        values = self.evaluation.start({})
        return sum((self.evaluation.term(t, values) for t in terms), 0.0)

    def factor(self, factor: Factor, scope: tuple[Index, ...]) -> ExplainedFactor:
        inside = tuple(i for i in scope if any(i in f.indices for node in (factor.of, factor.wrt) for f in node.at))
        return ExplainedFactor(
            factor.of, factor.wrt, self.tree(factor.terms, scope), _kind(factor), self.number(factor.terms, inside)
        )

    def path(self, path: Path) -> ExplainedPath:
        factors = tuple(self.factor(f, path.bound) for f in path.factors)
        letters = tuple(i.name for i in path.bound)
        return ExplainedPath(path.nodes, factors, letters, self.tree(path.terms), self.number(path.terms))

    def adjoints(self, folding: Folding, start: Node) -> list[ExplainedAdjoint]:
        """The gradient of the entry, then every adjoint that it is made of, outputs last."""
        by_name = {d.tensor.name: d for d in folding.definitions}
        first = next(d for d in folding.definitions if d.tensor.denominator == start.tensor.name)
        made = [
            ExplainedAdjoint(start, self.tree(instantiate(first, start.at)), self.number(instantiate(first, start.at)))
        ]
        waiting, met = [first], {first.tensor.name}
        while waiting:
            definition = waiting.pop(0)
            for _, _, read in definition.reads():
                found = by_name.get(read.tensor.name)
                if found is None or found.tensor.name in met:
                    continue
                met.add(found.tensor.name)
                waiting.append(found)
                of = self.program.tensor(str(found.tensor.denominator))
                for at, scope, terms in split_base(found):
                    made.append(ExplainedAdjoint(Node(of, at), self.tree(terms, scope)))
        return made


def _kind(factor: Factor) -> str:
    """What a local derivative is, by its structure: the derivative of the loss, a weight, a value, 1, or another."""
    if not factor.of.at and factor.of.tensor.role is Role.DEFINED and not factor.of.tensor.axes:
        return "loss"
    if len(factor.terms) == 1 and not factor.terms[0].bound:
        term = factor.terms[0]
        if term.body == 1:
            return "bias" if factor.wrt.tensor.role is Role.PARAM else "other"
        if len(term.slots) == 1 and term.body.is_Symbol and isinstance(term.slots[0], Read):
            return "weight" if term.slots[0].tensor.role is Role.PARAM else "value"
    names = {factor.of.tensor.name, factor.wrt.tensor.name}
    bends = any(read.tensor.name in names for term in factor.terms for _, read in term.reads())
    return "activation" if bends and factor.of.at == factor.wrt.at else "other"


def _evaluation(program: Program, data: Mapping[str, object]) -> Evaluation:
    """Numbers for a program from arrays by name; the sizes are read from their shapes."""
    sizes: dict[str, int] = {}
    arrays: dict[str, npt.NDArray[np.float64]] = {}
    integers: dict[str, object] = {}
    known = {t.name: t for t in program.leaves}
    extra = [n for n in data if n not in known and n not in program.size_names]
    missing = [n for n in known if n not in data]
    if extra or missing:
        parts = ([f"missing: {', '.join(missing)}"] if missing else []) + (
            [f"unknown: {', '.join(extra)}"] if extra else []
        )
        raise DataError(f"The data do not fit the program ({'; '.join(parts)}). It reads {', '.join(known)}.")
    for name, value in data.items():
        integer = name in known and known[name].role is Role.INDEX
        try:
            array = np.asarray(value) if integer else np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise DataError(f"{name} does not hold numbers in rows of one length.") from error
        if name not in known:
            sizes[name] = int(array)
            continue
        if integer:
            integers[name] = value
        else:
            arrays[name] = array
        _read_sizes(known[name], array.shape, sizes)

    def given(name: str, entry: Entry) -> float:
        return float(arrays[name][tuple(k - 1 for k in entry)])

    return Evaluation(program, sizes, given, read_integers(program, sizes, integers))


def _read_sizes(tensor: Tensor, shape: tuple[int, ...], sizes: dict[str, int]) -> None:
    wanted = f"{tensor.name}[{','.join(map(str, tensor.axes))}]"
    if len(shape) != len(tensor.axes):
        raise DataError(f"{wanted} needs {len(tensor.axes)} axes, and the data have the shape {shape}.")
    for axis, length in zip(tensor.axes, shape, strict=True):
        if axis.integer is None and len(axis.terms) == 1 and not axis.constant and isinstance(axis.terms[0][0], str):
            expected = sizes.setdefault(axis.terms[0][0], length)
        else:
            expected = axis.evaluate(dict(sizes.items()))
        if expected != length:
            raise DataError(f"{wanted} needs {expected} on the axis {axis}, and the data have the shape {shape}.")
