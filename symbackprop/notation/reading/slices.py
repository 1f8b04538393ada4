r"""Entries and rows at the index of a sum among whole matrices: y_n and x_n of \sum_n y_n x_n."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from symbackprop.errors import FormulaError
from symbackprop.language import tree as t
from symbackprop.language.matrix_grammar import Operation
from symbackprop.language.matrix_shapes import REST
from symbackprop.language.matrix_text import write_matrix_tree
from symbackprop.language.wording import fail
from symbackprop.notation.reading.differentials import derived_by, head_parts, unturned
from symbackprop.notation.reading.doubtful_names import doubtful_name
from symbackprop.notation.reading.doubts import check_transpose
from symbackprop.notation.reading.entries import (
    Reading,
    find_powers,
    find_readings,
    find_slices,
    find_whole,
    parts_below,
)
from symbackprop.notation.reading.factors import is_name, is_turned
from symbackprop.notation.reading.index_formulas import IndexReader
from symbackprop.notation.reading.letters import index_letter
from symbackprop.notation.reading.refusals import ambiguous
from symbackprop.notation.reading.sums import Bounds, read_bounds
from symbackprop.notation.reading.syntax import Beside, Scripts, Sum, Symbol, Syntax, bare, walk_syntax, write_syntax
from symbackprop.notation.reading.vocabulary import Vocabulary, label_of, script_text


def read_slice(
    node: Syntax, vocabulary: Vocabulary, letters: frozenset[str]
) -> tuple[t.Expression, Syntax | None] | None:
    """The entry that a name is at letters, or the vector where it lacks one index, and what stands above it; None where
    it is neither."""
    if not letters or find_powers(node, vocabulary):
        return None
    whole: list[tuple[Reading, int | None]] = [(r, None) for r in find_readings(node, vocabulary) if r.indices]
    made = _read_all(whole, vocabulary, letters) or _read_all([*find_slices(node, vocabulary)], vocabulary, letters)
    if len(made) > 1:
        reads = [*map(access_in, made)]
        if len({read.indices for read in reads}) == 1:
            raise doubtful_name(node, (t.Name(read.name) for read in reads), vocabulary)
        raise ambiguous(node.line, node.column, f"`{write_syntax(node)}`", tuple(map(write_matrix_tree, made)),
                        "put commas between indices")  # fmt: skip
    for tree in made:
        _check_axis(access_in(tree), vocabulary, node)
    return next(iter(made.items()), None)


def access_in(tree: t.Expression) -> t.Access:
    """The read of an entry, a vector, or the adjoint of one."""
    inner = tree.operands[0] if isinstance(tree, Operation) else tree
    if not isinstance(inner, t.Access):
        raise TypeError(f"{type(inner).__name__} is no entry")
    return inner


def is_vector(tree: t.Expression) -> bool:
    """Whether a read lacks an index."""
    return t.Name(REST) in access_in(tree).indices


def find_variable(node: Syntax, vocabulary: Vocabulary, letters: frozenset[str]) -> t.Name | t.Access | None:
    """The whole tensor, or the part of one at some letters, that a name is, or the transpose of one; None where it is
    neither."""
    if isinstance(node, Scripts) and node.above is not None and is_turned(node):
        check_transpose(node.above, node, vocabulary)
    node = bare(unturned(node))
    whole = find_whole(node, vocabulary)
    if whole is not None:
        return whole
    found = read_slice(node, vocabulary, letters)
    return found[0] if found is not None and found[1] is None and isinstance(found[0], t.Access) else None


def read_sliced_head(side: Syntax, vocabulary: Vocabulary, letters: frozenset[str]) -> t.Derivative | None:
    r"""The derivative that a side is as a whole, of and by parts of tensors at some letters."""
    parts = head_parts(side, vocabulary)
    if parts is None or not is_name(parts[0]) or is_turned(parts[1]):
        return None
    by = find_variable(bare(parts[1]), vocabulary, letters)
    of = find_variable(bare(parts[0]), vocabulary, letters)
    if vocabulary.loss is not None and vocabulary.is_loss(parts[0]):
        of = t.Name(vocabulary.loss)
    return None if of is None or by is None else t.Derivative(of, by, line=side.line, column=side.column)


def letters_of_vector(side: Syntax, vocabulary: Vocabulary) -> frozenset[str]:
    r"""The indices for all of which an equation of vectors holds, by its first side: n of z_n = W x_n + b, of
    \frac{\partial L}{\partial z_n} and of \nabla_w (w^\top x_n - y_n)^2; none where that is no vector."""
    if vocabulary.open:
        return frozenset()
    by = derived_by(side)
    letters = free_letters(side, vocabulary) | (frozenset() if by is None else free_letters(by, vocabulary))
    head = bare(side) if by is None else bare(unturned(by))
    whole = find_whole(head, vocabulary)
    if whole is not None:
        tensor = vocabulary.tensors.get(whole.name)
        return letters if by is not None and tensor is not None and tensor.axes else frozenset()
    known = isinstance(head, Symbol) or (isinstance(head, Scripts) and isinstance(bare(head.base), Symbol))
    letters |= set(vocabulary.sizes)  # h_T is a vector too
    found = read_slice(head, vocabulary, letters) if known else None
    return letters if found is not None and found[1] is None and is_vector(found[0]) else frozenset()


def free_letters(side: Syntax, vocabulary: Vocabulary) -> frozenset[str]:
    """The letters below names, or in brackets above them, that no sum binds and nothing else has for its name."""
    bound: set[str] = set()
    below: set[str] = set()
    for part in walk_syntax(side):
        if not isinstance(part, Scripts):
            continue
        summed = part.base == Symbol(r"\sum")
        parts = _script_parts(part) if not summed else () if part.below is None else walk_syntax(part.below)
        forms = [walk_syntax(each) if isinstance(bare(each), Sum) else (each,) for each in parts]
        letters = {index_letter(Scripts(bare(each))) for each in chain(*forms) if isinstance(bare(each), Symbol)}
        (bound if summed else below).update(each for each in letters if each is not None)
    return frozenset(below - bound - vocabulary.tensors.keys() - set(vocabulary.sizes))


def _script_parts(node: Scripts) -> tuple[Syntax, ...]:
    label = label_of(node.above) if node.above is not None else None
    below = parts_below(node.below) if node.below is not None else ()
    parts = (*below, *(() if label is None else (label,)))
    return tuple(each for part in parts for each in (part.parts if isinstance(part, Beside) else (part,)))


def _read_all(
    found: Sequence[tuple[Reading, int | None]], vocabulary: Vocabulary, letters: frozenset[str]
) -> dict[t.Expression, Syntax | None]:
    """What readings at some letters are, with what stands above; those are left out whose indices are none."""
    made: dict[t.Expression, Syntax | None] = {}
    for reading, rest in found:
        try:
            made[_read_at(reading, rest, vocabulary, letters)] = reading.above
        except FormulaError:
            continue
    return {tree: above for tree, above in made.items() if _letters_in(tree) & letters}


def _read_at(reading: Reading, rest: int | None, vocabulary: Vocabulary, letters: frozenset[str]) -> t.Expression:
    reader = IndexReader(vocabulary, letters)
    indices = [reader.index(part) for part in reading.indices]
    if rest is not None:
        indices.insert(rest, t.Name(REST))
    match reading.value:
        case t.Apply("adj", (t.Name(name),)):
            return Operation("adj", (t.Access(name, tuple(indices)),))
        case t.Name(name):
            return t.Access(name, tuple(indices))
    raise TypeError(f"{type(reading.value).__name__} has no entries")


def _letters_in(tree: t.Expression) -> set[str]:
    parts = [part for index in access_in(tree).indices for part, _ in t.walk(index)]
    return {part.name for part in parts if isinstance(part, t.Name)}


def _check_axis(read: t.Access, vocabulary: Vocabulary, node: Syntax) -> None:
    """AmbiguousFormulaError where the axis that is left may be meant: of a square one, or x_d of x[N,D]."""
    axes = vocabulary.tensors[read.name].axes
    if t.Name(REST) not in read.indices:
        return
    left = read.indices.index(t.Name(REST))
    others = [axis for place, axis in enumerate(axes) if place != left]
    named = str(axes[left]).lower()
    if axes[left] in others or t.Name(named) in read.indices:
        shown = f"`{write_syntax(node)}` of {read.name}[{', '.join(map(str, axes))}]"
        label = label_of(node.above) if isinstance(node, Scripts) and node.above is not None else None
        if axes[left] not in others and label is not None and script_text(label) == named:
            raise fail(node, shown, "samples along their own axis")  # the other order is tried
        raise ambiguous(node.line, node.column, shown, ("a row", "a column"), "claim an entry, with all indices")


def read_range(scripts: Scripts | None, vocabulary: Vocabulary, letters: frozenset[str], node: Syntax) -> Bounds:
    """The letters of a sum of matrices, which run over whole axes."""
    if scripts is None or scripts.below is None:
        raise fail(node, r"`\sum` without an index below", r"\sum_{n}")
    bounds = read_bounds(scripts, IndexReader(vocabulary, letters))
    for name in bounds.names:
        if name in vocabulary.tensors or name in vocabulary.sizes:
            kind = "tensor" if name in vocabulary.tensors else "size"
            raise fail(node, f"the index {name} of a sum", "another letter", f"{name} is a {kind} of the program")
        if name in letters:
            raise fail(node, f"the index {name} of a sum", "another letter",
                       f"{name} is bound by a sum around it, or stands free on the first side")  # fmt: skip
    return bounds
