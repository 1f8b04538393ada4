"""Derivatives of written formulas, such as adj(log(sum(j, exp(z[j]))), z[i]): what is derived becomes a definition."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from symbackprop.calculus.indices import Index, choose_name
from symbackprop.calculus.programs import Program
from symbackprop.language import tree as t
from symbackprop.language.addends import free_letters
from symbackprop.language.symbols import program_symbols, resolve_binder
from symbackprop.language.wording import fail
from symbackprop.language.writer import write_tree
from symbackprop.proof.extents import check_ranges
from symbackprop.proof.sides import define_formula, derivatives_read, unique_definitions


@dataclass(frozen=True, slots=True)
class Names:
    """The names of tensors that the formulas of a claim became: the equations of those that stand for a formula, by
    their names, and the names of others that were made on the way."""

    meanings: Mapping[str, str]
    inner: frozenset[str]

    @classmethod
    def beside(cls, before: Program, after: Program, meanings: Mapping[str, str]) -> Names:
        """The names that a program has got, of which some have meanings."""
        return cls(meanings, frozenset(after.tensors()) - set(before.tensors()) - set(meanings))

    def explain(self, text: str) -> str:
        """A text with what the names in it mean; nothing where it has names that mean nothing to a reader.

        >>> names = Names({"f": "f = A*x"}, frozenset({"f_by_x"}))
        >>> names.explain("it is the diagonal of the Jacobian of f by x"), names.explain("it lacks f_by_x")
        ('it is the diagonal of the Jacobian of f by x, where f = A*x', '')
        """
        if any(_is_said(name, text) for name in self.inner):
            return ""
        said = [meaning for name, meaning in self.meanings.items() if _is_said(name, text)]
        return f"{text}, where {' and '.join(said)}" if said else text


def _is_said(name: str, text: str) -> bool:
    return re.search(rf"\b{re.escape(name)}\b", text) is not None


@dataclass(frozen=True, slots=True)
class Named:
    """The sides of a claim whose derivatives are all of tensors of the program."""

    program: Program
    head: t.Expression | t.Derivative
    links: tuple[t.Expression, ...]
    names: Names


def name_derived(program: Program, head: t.Expression | t.Derivative, links: Sequence[t.Expression]) -> Named:
    """The program with a definition of each formula that the sides of a claim derive, and the sides with its name.

    A head that is the derivative of a formula and nothing else becomes the derivative of that name.
    """
    trees = [*links, head] if isinstance(head, t.Expression) else list(links)
    naming = _Naming(program, trees, {*program.tensors(), *program.size_names, *_names_in(trees)})
    made = naming.head(head) if isinstance(head, t.Expression) else head
    named = tuple(naming.change(link) for link in links)
    meanings = {read.name: f"{write_tree(read)} = {write_tree(formula)}" for formula, read in naming.known.items()}
    return Named(naming.program, made, named, Names.beside(program, naming.program, meanings))


def _is_of_formula(node: t.Node) -> bool:
    """Whether a node is the derivative of a written formula by a tensor."""
    derived = isinstance(node, t.Apply) and node.function == "adj" and len(node.arguments) == 2
    return derived and isinstance(node, t.Apply) and not isinstance(node.arguments[0], t.Name | t.Access)


def _names_in(trees: Sequence[t.Expression]) -> set[str]:
    return {node.name for tree in trees for node, _ in t.walk(tree) if isinstance(node, t.Name | t.Access | t.Binder)}


@dataclass(slots=True)
class _Naming:
    """Formulas that are derived, by the reads of their definitions; `trees` say how far letters run."""

    program: Program
    trees: Sequence[t.Expression]
    taken: set[str]
    known: dict[t.Expression, t.Name | t.Access] = field(default_factory=dict)

    def head(self, tree: t.Expression) -> t.Expression | t.Derivative:
        made = self.change(tree)
        if _is_of_formula(tree) and isinstance(made, t.Apply):
            of, by = made.arguments
            if isinstance(of, t.Name | t.Access) and isinstance(by, t.Name | t.Access):
                return t.Derivative(of, by, line=tree.line, column=tree.column)
        return made

    def change(self, node: t.AnyNode) -> t.AnyNode:
        made: t.AnyNode = t.map_children(node, self.change)
        if not isinstance(made, t.Apply) or not _is_of_formula(made):
            return made
        return replace(made, arguments=(self.read(made.arguments[0]), made.arguments[1]))

    def read(self, formula: t.Expression) -> t.Name | t.Access:
        """The read of the definition of a formula, at its free letters."""
        if formula in self.known:
            return self.known[formula]
        symbols = program_symbols(self.program)
        free = free_letters(formula)
        names = [n for n, _ in t.walk(formula) if isinstance(n, t.Name)]
        letters = {n.name: n for n in names if n.name in free and n.name not in symbols and n.name != "pi"}
        for node, _ in t.walk(formula):
            for index in node.indices if isinstance(node, t.Access) else ():
                shifted = free_letters(index) & set(letters) if not isinstance(index, t.Name) else frozenset()
                if shifted:
                    raise fail(node, f"{write_tree(node)} in a formula that is derived", "letters alone as indices")
        check_ranges(self.program, formula)
        indices = tuple(Index(n, resolve_binder(x, [formula, *self.trees], symbols)) for n, x in letters.items())
        plain, needed, _ = derivatives_read(self.program, formula)
        extended = self.program.extended(needed)
        name = choose_name("f", self.taken)
        made, parts = define_formula(extended, name, indices, plain)
        self.program = extended.extended(unique_definitions((*parts, made)))
        self.taken.add(name)
        read = t.Access(name, tuple(letters.values())) if letters else t.Name(name)
        self.known[formula] = read
        return read
