"""What the axes of an adjoint are called: as where its tensor is defined or read, else by a fresh letter."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

from symbackprop.calculus.axioms import Dependency
from symbackprop.calculus.indices import Index, choose_name
from symbackprop.calculus.tensors import Tensor


@dataclass(frozen=True, slots=True)
class Taken:
    """The names in either of two collections, without a copy of both."""

    first: Container[str]
    second: Container[str]

    def __contains__(self, name: object) -> bool:
        return name in self.second or name in self.first


def own_indices(
    tensor: Tensor,
    letters: tuple[str, ...],
    readers: Sequence[Dependency],
    used: Container[str],
) -> tuple[Index, ...]:
    """Letters for the axes of a tensor: those of its definition, else those of the first read with one on each axis,
    else for each axis that of the first read with one there, or a fresh one after the name of its size.
    """
    found = [tuple(None if form.index is None else form.index.name for form in read.at) for _, _, _, read in readers]
    whole = next((names for names in found if None not in names and len(set(names)) == len(names)), None)
    if letters or whole is not None:
        wanted = [str(name) for name in letters or whole or ()]
    else:
        wanted = _letters_by_axis(tensor, found, Taken(used, _letters_of(readers)))
    chosen: list[str] = []
    for name in wanted:
        chosen.append(choose_name(name, Taken(used, chosen)))
    return tensor.indices(chosen)


def _letters_by_axis(tensor: Tensor, found: Sequence[tuple[str | None, ...]], used: Container[str]) -> list[str]:
    """For each axis the letter of a read, else one that nobody has: h where the size is H, else i, j, k."""
    wanted: list[str | None] = []
    for axis in range(len(tensor.axes)):
        wanted.append(next((names[axis] for names in found if names[axis] not in (None, *wanted)), None))
    own_letters = {name for name in wanted if name is not None}
    taken = Taken(used, own_letters)
    for axis, size in enumerate(tensor.axes):
        if wanted[axis] is None:
            own = {name.rstrip("0123456789").lower() for name in size.names}
            fresh = [name for name in (*sorted(own), *"ijkmnpqr") if len(name) == 1 and name not in taken]
            wanted[axis] = fresh[0] if fresh else choose_name("i", taken)
            own_letters.add(str(wanted[axis]))
    return [str(name) for name in wanted]


def _letters_of(readers: Sequence[Dependency]) -> frozenset[str]:
    """The letters of the definitions that read a tensor."""
    return frozenset(i.name for d, term, _, _ in readers for i in (*d.indices, *d.terms[term].bound))
