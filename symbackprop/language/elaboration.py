"""Trees become definitions of the engine: scalar bodies over slots, with what is nested named by itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from symbackprop.calculus.definitions import Definition, rename_indices
from symbackprop.calculus.indices import Affine, Index
from symbackprop.calculus.tensors import Role, Tensor
from symbackprop.language import tree as t
from symbackprop.language.builder import Builder
from symbackprop.language.hiding import Hider
from symbackprop.language.limits import Limits
from symbackprop.language.matrix_calls import read_calls
from symbackprop.language.recursion import deep_recursion


@dataclass(slots=True)
class Elaborator(Hider):
    """Elaborates the formulas of one program; `hidden` are the definitions that nested parts got, as they arise.

    Nothing of what a formula says is lost on SymPy, which turns w/w into 1: the conditions under which a formula has a
    value are collected from its tree. Where it is `nameless`, functions stay in place and nested sums are refused.
    """

    limits: Limits = field(default_factory=Limits)

    def define(
        self, name: str, indices: tuple[Index, ...], tree: t.Expression, role: Role, line: int | None = None
    ) -> Definition:
        """The definition name[indices] = tree."""
        tensor = Tensor(name, tuple(i.size for i in indices), role)
        builder = Builder(self, name, self.limits)
        tree = read_calls(tree, self)
        if isinstance(tree, t.Reduce) and tree.operation == "argmax" and len(tree.binders) == 1:
            with deep_recursion():
                return builder.position(replace(tensor, range=Affine()), indices, tree, line)
        with deep_recursion():
            terms = builder.terms(tree, {i.name: i for i in indices}, top=True)
        call = self._call_of(tree, indices)
        if call is not None:
            renamed = rename_indices(call, tuple(i.name for i in indices))
            made = replace(renamed, tensor=tensor, line=line)
            self.learn(made)
            return made
        return Definition(tensor, indices, terms, tuple(dict.fromkeys(builder.domain)), line=line)

    def _call_of(self, tree: t.Expression, indices: tuple[Index, ...]) -> Definition | None:
        """The function of a matrix that a formula is as a whole, if nothing read it before; it gets a name."""
        last = self.hidden[-1] if self.hidden else None
        if last is None or last.call is None or not isinstance(tree, t.Name | t.Access):
            return None
        if self.symbols.calls.get(tree.name) != last.tensor or [i.name for i in indices] != [
            i.name if isinstance(i, t.Name) else "" for i in (tree.indices if isinstance(tree, t.Access) else ())
        ]:
            return None
        self.forget()
        return last
