"""Tensors: a name, the sizes of its axes, and what it is for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from symbackprop.calculus.indices import Affine, Entry, Index


class Role(Enum):
    """What a tensor is in a program."""

    INPUT = "input"
    PARAM = "param"
    CONST = "const"
    INDEX = "index"
    """Integer data."""
    DEFINED = "defined"
    HIDDEN = "hidden"
    """Made by elaboration for a nested sum or a function inside a formula; printers put it back where it is read."""
    ADJOINT = "adjoint"


@dataclass(frozen=True, slots=True)
class Tensor:
    """A named array of scalars; `axes` are its sizes, and a scalar has none.

    `tex` is how its user wants it printed. An adjoint knows the tensor it belongs to: it is the partial derivative of
    `numerator` by `denominator`, and its axes are those of the numerator followed by those of the denominator. A
    tangent has a numerator only, the tensor whose change it is.

    The axis that a recurrence steps along has one entry more where it has a base: `bases` says for each axis whether
    that stands before the first entry (-1, and counts as 0) or behind the last one (1); no bases at all is (). The
    entries of an integer tensor are 1..`range`.
    """

    name: str
    axes: tuple[Affine, ...]
    role: Role
    tex: str | None = None
    numerator: str | None = None
    denominator: str | None = None
    bases: tuple[int, ...] = ()
    range: Affine | None = None

    @property
    def is_leaf(self) -> bool:
        """Whether its values are given and not computed."""
        return self.role in (Role.INPUT, Role.PARAM, Role.CONST, Role.INDEX)

    @property
    def is_tangent(self) -> bool:
        """Whether it is the change of another tensor."""
        return self.numerator is not None and self.denominator is None

    @property
    def marks(self) -> tuple[int, ...]:
        """`bases` with a mark for every axis."""
        return self.bases or (0,) * len(self.axes)

    @property
    def spans(self) -> tuple[tuple[int, Affine], ...]:
        """The first position and the number of entries of each axis, bases included."""
        pairs = zip(self.axes, self.marks, strict=True)
        return tuple((1 - (b == -1), a + Affine.of(1) if b else a) for a, b in pairs)

    @property
    def shape(self) -> tuple[Affine, ...]:
        """The number of entries of each axis, bases included."""
        return tuple(size for _, size in self.spans) if self.bases else self.axes

    def indices(self, names: Iterable[str]) -> tuple[Index, ...]:
        """Indices of these names over all entries."""
        return tuple(Index(n, size, start) for n, (start, size) in zip(names, self.spans, strict=True))


def tensor_over(name: str, indices: Sequence[Index], role: Role) -> Tensor:
    """The tensor whose entries are the values of indices.

    >>> tensor_over("h", (Index("t", Affine.of("T"), 0),), Role.HIDDEN).bases
    (-1,)
    """
    marks = tuple(i.start - 1 for i in indices)
    axes = tuple(i.size + Affine.of(mark) for i, mark in zip(indices, marks, strict=True))
    return Tensor(name, axes, role, bases=marks if any(marks) else ())


@dataclass(frozen=True, slots=True)
class Read:
    """A tensor read at a tuple of index forms."""

    tensor: Tensor
    at: tuple[Affine, ...]


def read_entry(tensor: Tensor, at: tuple[Affine, ...]) -> Affine:
    """An entry of an integer tensor as an index form."""
    if tensor.range is None:
        raise ValueError(f"{tensor.name} is no integer tensor")
    return Affine.of(Entry(tensor.name, at, tensor.range, tensor.spans))


@dataclass(frozen=True, slots=True)
class Count:
    """An index or a size used as a number."""

    value: Affine


Slot = Read | Count


def slot_indices(slot: Slot) -> tuple[Index, ...]:
    """The indices in a slot, in reading order."""
    if isinstance(slot, Count):
        return slot.value.indices
    return tuple(i for form in slot.at for i in form.indices)
