"""Where the indices of a claim run: what it is about exists, and its ranges are of sizes that there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import permutations

from symbackprop.calculus.indices import Affine, Index, compare_range, is_nonnegative
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Tensor
from symbackprop.errors import FormulaError
from symbackprop.language import tree as t
from symbackprop.language.index_forms import read_form, read_size
from symbackprop.language.phrasing import affine_tree
from symbackprop.language.wording import fail
from symbackprop.language.writer import write_tree


def check_head(program: Program, head: t.Expression | t.Derivative, scope: Mapping[str, Index]) -> None:
    """FormulaError where a claim is about an entry that there is not for every index, as h[t+1] at the last step."""
    if not isinstance(head, t.Access) or head.name not in program.tensors():
        return
    for index, (start, size) in zip(head.indices, program.tensor(head.name).spans, strict=False):
        names = {part.name for part, _ in t.walk(index) if isinstance(part, t.Name)}
        if not isinstance(index, t.Chain) or not names <= {*scope, *program.size_names}:
            continue
        form = read_size(index).substitute({name: Affine.of(scope[name]) for name in names if name in scope})
        _check_place(head, form, start, size)


def read_places(program: Program, access: t.Name | t.Access, scope: Mapping[str, Index]) -> tuple[Affine, ...]:
    """The entry of a tensor that the head of a derivative reads; each index is made of letters and sizes."""

    def read_leaf(node: t.Expression) -> Affine:
        if isinstance(node, t.Name) and node.name in scope:
            return Affine.of(scope[node.name])
        if isinstance(node, t.Name) and node.name in program.size_names:
            return Affine.of(node.name)
        expected = "a letter, a number, or a sum of such and of sizes, for what is derived and by what"
        raise fail(access, f"{write_tree(node)} in {write_tree(access)}", expected)

    indices = access.indices if isinstance(access, t.Access) else ()
    made = (read_form(index, read_leaf, write_tree(access)) for index in indices if isinstance(index, t.Expression))
    return tuple(made)


def check_places(tensor: Tensor, access: t.Name | t.Access, places: Sequence[Affine]) -> None:
    """FormulaError where an index that is made of others is outside of its tensor for some letters."""
    for form, (start, size) in zip(places, tensor.spans, strict=True):
        if form.index is None and form.integer is None:
            _check_place(access, form, start, size)


def _check_place(read: t.Name | t.Access, form: Affine, start: int, size: Affine) -> None:
    exists = compare_range(form, size, start)
    if exists is not True and (exists is False or form.indices):
        letters = ", ".join(sorted({index.name for index in form.indices}) or form.names)
        found = f"{write_tree(read)}, which is outside of {read.name} for some {letters}"
        raise fail(read, found, f"an entry that there is for all, from {start} to {size + Affine.of(start - 1)}")


def ranges_below_zero(tree: t.Expression | None) -> Iterator[str]:
    """What sizes must be for written ranges to be none below zero: a sum over i:N-5 needs N - 5 >= 0, a mean >= 1."""
    for node, _ in t.walk(tree) if tree is not None else ():
        for binder in node.binders if isinstance(node, t.Reduce) else ():
            least = 0 if isinstance(node, t.Reduce) and node.operation == "sum" else 1
            if binder.range is not None and not is_nonnegative(read_size(binder.range) - Affine.of(least)):
                yield f"{write_tree(binder.range)} >= {least}"


def list_needed_sizes(program: Program, *trees: t.Node) -> Iterator[Affine]:
    """What must be at least 0 for the entries that a claim names without letters to exist, as x[3] and x[N-2].

    A condition around them may say so itself.
    """
    for tree in trees:
        if isinstance(tree, t.Where):
            continue
        if isinstance(tree, t.Access) and tree.name in program.tensors():
            for index, (start, size) in zip(tree.indices, program.tensor(tree.name).spans, strict=False):
                form = _read_sized(index, program.size_names)
                for room in () if form is None else (form - Affine.of(start), size + Affine.of(start - 1) - form):
                    if room.names and not is_nonnegative(room):
                        yield room
        yield from list_needed_sizes(program, *t.children(tree))


def list_rooms_between(program: Program, *trees: t.Node) -> Iterator[Affine]:
    """What is at least 0 where the entries that claims name without letters are several: x[1] and x[N] are two.

    At other sizes such a claim is not tried, as nobody who writes both means that they are one.
    """
    places: dict[tuple[str, int], dict[Affine, None]] = {}
    for read in (part for tree in trees for part, _ in t.walk(tree) if isinstance(part, t.Access)):
        for axis, index in enumerate(read.indices if read.name in program.tensors() else ()):
            form = _read_sized(index, program.size_names)
            if form is not None:
                places.setdefault((read.name, axis), {})[form] = None
    for forms in places.values():
        for low, high in permutations(forms, 2):
            apart = high - low
            if apart.names and all(coefficient > 0 for _, coefficient in apart.terms):
                yield apart - Affine.of(1)


def _read_sized(index: t.Node, sizes: Sequence[str]) -> Affine | None:
    """An index that is made of sizes and numbers alone."""
    if not isinstance(index, t.Expression):
        return None
    if any(isinstance(part, t.Access | t.Apply) or (isinstance(part, t.Name) and part.name not in sizes)
           for part, _ in t.walk(index)):  # fmt: skip
        return None
    try:
        return read_size(index)
    except FormulaError:
        return None


def narrowest(rooms: Iterable[Affine]) -> tuple[Affine, ...]:
    """Those forms of which it follows that none is below 0: of N - 3 and N - 7 the latter.

    >>> [str(room) for room in narrowest([Affine.of("N") - Affine.of(k) for k in (3, 7)])]
    ['N-7']
    """
    found: dict[object, Affine] = {}
    for room in rooms:
        known = found.get(room.terms)
        found[room.terms] = room if known is None or room.constant < known.constant else known
    return tuple(found.values())


def write_needed(room: Affine) -> str:
    """What sizes must be for a form in them not to be below 0.

    >>> write_needed(Affine.of("N") - Affine.of(3))
    'N >= 3'
    """
    return f"{write_tree(affine_tree(room - Affine.of(room.constant)))} >= {-room.constant}"


def list_shifted(*trees: t.Expression) -> list[t.Access]:
    """The reads of claims at an index that is made of others, such as x[t-1]."""
    reads = [node for tree in trees for node, _ in t.walk(tree) if isinstance(node, t.Access)]
    return [r for r in reads if any(isinstance(i, t.Chain | t.Negate) for i in r.indices)]


def zeros_beyond(program: Program, *trees: t.Expression) -> Iterator[str]:
    """What a claim counts on that is right by the 0 that it reads beyond an end, as x[t-1] at t = 1."""
    for read in list_shifted(*trees):
        if read.name in program.tensors():
            yield f"{write_tree(read)} counts as 0 beyond the ends of {read.name}"


def read_beyond(program: Program, *trees: t.Expression) -> FormulaError:
    """The error for a claim that is right or wrong by what it reads beyond the end of an axis."""
    shifted = list_shifted(*trees)
    plain = (node for tree in trees for node, _ in t.walk(tree) if isinstance(node, t.Access))
    read = next(iter(shifted or plain), trees[0])
    letters = [n.name for n, _ in t.walk(read) if isinstance(n, t.Name) and n.name not in program.size_names]
    where = f" for some {', '.join(dict.fromkeys(letters))}" if letters else ""
    found = f"{write_tree(read)}, which is no entry{where}: the sides differ by the 0 that is read there alone"
    hint = r"say where it holds: where(i < N, ..., 0) on both sides, or \quad i = 1, \dots, N-1 behind LaTeX"
    return fail(read, found, "what holds for entries that there are", hint)


def check_ranges(program: Program, tree: t.Expression) -> None:
    """FormulaError for a written range that reads anything but sizes of the program."""
    for binder, _ in t.walk(tree):
        if not isinstance(binder, t.Binder) or binder.range is None:
            continue
        for part, _ in t.walk(binder.range):
            if isinstance(part, t.Name) and part.name not in program.size_names:
                known = f"a size: {', '.join(program.size_names)}" if program.size_names else "a number"
                raise fail(part, f"the range {write_tree(binder.range)} of {binder.name}", known)
