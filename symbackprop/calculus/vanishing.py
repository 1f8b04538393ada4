"""Tensors that are 0 where a condition does not hold, so that the condition need not be written beside them."""

from __future__ import annotations

from dataclasses import dataclass

from symbackprop.calculus.atoms import BOUNDED, CELLS, SUMS, Atom, Kind, Number, Poly
from symbackprop.calculus.indices import Index


@dataclass(frozen=True, slots=True, eq=False)
class Vanishing:
    """mask * tensor[indices] = value * tensor[indices], by the definitions of `sources`: so a tensor that is 0 where
    a mask holds has the value 0.

    `finite` are the tensors that are finite wherever the data are.
    """

    tensor: str
    indices: tuple[Index, ...]
    mask: Atom
    value: Poly
    sources: frozenset[str]
    finite: frozenset[str]

    def is_safe(self, poly: Poly) -> bool:
        """Whether no factor beside the tensor may be infinite because of what the mask asks, at any depth.

        Such a factor varies with all indices that the mask varies with. Without the mask, 0 * inf would be no number.
        """
        for monomial in poly:
            for atom, exponent in monomial:
                if atom.body and not self.is_safe(atom.body):
                    return False
                if atom.kind is Kind.TENSOR and atom.name == self.tensor and exponent > 0:
                    place = dict(zip(self.indices, atom.at, strict=True))
                    varies = frozenset(i for f in self.mask.free if f in place for i in place[f].indices)
                    if any(varies <= a.free and self._may_be_infinite(a, e) for a, e in monomial):
                        return False
        return True

    def _may_be_infinite(self, atom: Atom, exponent: Number) -> bool:
        if atom.kind in (Kind.SIZE, Kind.PRIME, Kind.INDEX) or atom.kind in CELLS:
            return exponent < 0 and atom.kind is Kind.INDEX
        if atom.kind in (Kind.TENSOR, Kind.CONSTANT):
            return exponent < 0 or (atom.name not in self.finite and atom.name != self.tensor)
        bounded = atom.kind in SUMS or atom.name in BOUNDED
        return exponent < 0 or not bounded or any(self._may_be_infinite(a, e) for m in atom.body for a, e in m)
