"""Tensors: a name, the sizes of its axes, and what it is for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from symbackprop.calculus.indices import Affine, Index


class Role(Enum):
    """What a tensor is in a program."""

    INPUT = "input"
    PARAM = "param"
    CONST = "const"
    DEFINED = "defined"
    HIDDEN = "hidden"
    """Made by elaboration for a nested sum or a function inside a formula; printers put it back where it is read."""
    ADJOINT = "adjoint"


@dataclass(frozen=True, slots=True)
class Tensor:
    """A named array of scalars; `axes` are its sizes, and a scalar has none.

    `tex` is how its user wants it printed. An adjoint knows the tensor it belongs to: it is the partial derivative of
    `numerator` by `denominator`, and its axes are those of the numerator followed by those of the denominator.
    """

    name: str
    axes: tuple[Affine, ...]
    role: Role
    tex: str | None = None
    numerator: str | None = None
    denominator: str | None = None

    @property
    def is_leaf(self) -> bool:
        """Whether its values are given and not computed."""
        return self.role in (Role.INPUT, Role.PARAM, Role.CONST)


@dataclass(frozen=True, slots=True)
class Read:
    """A tensor read at a tuple of index forms."""

    tensor: Tensor
    at: tuple[Affine, ...]


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
