"""Fragments put one behind the other: sizes that fit, names of their own, and the statements that result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from symbackprop.calculus.indices import Affine, choose_name
from symbackprop.calculus.tensors import Role, Tensor
from symbackprop.errors import ArgumentError, ShapeError
from symbackprop.language.index_forms import read_size
from symbackprop.language.phrasing import affine_tree
from symbackprop.language.renaming import rename
from symbackprop.language.tree import Assume, Declaration, Name, Statement
from symbackprop.language.writer import write_tree
from symbackprop.networks.fragments import (
    Fragment,
    Setting,
    declared,
    head_of,
    letters_of,
    names_of_indices,
    names_of_sizes,
    names_of_tensors,
    read_interface,
)

Axes = tuple[Affine, ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a network: its shape, the sizes whose product is its fan-in, and where it is said to begin."""

    name: str
    shape: Axes
    fan_in: Axes
    start: int | None = None

    @property
    def is_weight(self) -> bool:
        """Whether it has two axes or more, as weights have, and biases and scales mostly have not."""
        return len(self.shape) >= 2


@dataclass
class Stack:
    """The statements of a network while it is built, and what was given so far.

    `taken` are names that no index may have, `batch` is the size of the first axis where samples stand there.
    """

    taken: frozenset[str]
    batch: Affine | None = None
    inputs: list[Declaration] = field(default_factory=list)
    facts: list[Statement] = field(default_factory=list)
    definitions: list[Statement] = field(default_factory=list)
    parameters: list[Parameter] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    heads: dict[str, tuple[str, ...]] = field(default_factory=dict)  # the indices of what is defined
    number: int = 0  # of the layer that was put on last

    def give(self, name: str, axes: Axes, kind: str = "input", span: Affine | None = None) -> Tensor:
        """Declare a tensor of the data."""
        size = None if span is None else affine_tree(span)
        self.inputs.append(Declaration(kind, name, tuple(map(affine_tree, axes)), None, size))
        self.names.add(name)
        return Tensor(name, axes, Role.INDEX if kind == "index" else Role.INPUT, range=span)

    def apply(
        self,
        fragment: Fragment,
        read: Sequence[Tensor],
        number: int | str,
        sizes: Mapping[str, Affine],
        settings: Mapping[str, Setting],
        called: Mapping[str, str] | None = None,
    ) -> Tensor:
        """Write a fragment that reads tensors, and return its output.

        Its own tensors get the number, or the names that `called` has for them. ShapeError says which axes do not fit.
        """
        lead = [(f"index{k}", f"size{k}") for k in range(_count_lead(fragment, read[0], self.batch))]
        own = fragment.statements(lead, settings)
        bound: dict[str, Affine] = {}
        for declaration, tensor in zip(declared(own), read, strict=False):
            _bind(fragment, declaration, tensor, bound)
        _choose(fragment, own, sizes, bound)
        letters = self._letters(own, read[0], [letter for letter, _ in lead])
        inner = {name: affine_tree(size) for name, size in bound.items()} | {o: Name(n) for o, n in letters.items()}
        sized = tuple(rename(statement, inner) for statement in own)
        interface = read_interface(sized)
        names = self._names(sized, read, number, called or {})
        for statement in sized:
            self._add(rename(statement, {old: Name(new) for old, new in names.items()}))
        for leaf in interface.parameters:
            start = 1 if leaf.name in fragment.ones else 0 if leaf.name in fragment.zeros else None
            self.parameters.append(Parameter(names[leaf.name], leaf.axes, interface.fan_in(leaf.name), start))
        self.names |= {names[name] for name in names_of_tensors(sized)}
        head = head_of(sized)
        self.heads[names[head.name]] = letters_of(head)
        return replace(interface.output, name=names[interface.output.name])

    def statements(self) -> tuple[Statement, ...]:
        """Everything, in the order in which a program says it."""
        params = [Declaration("param", p.name, tuple(map(affine_tree, p.shape))) for p in self.parameters]
        return (*self.inputs, *params, *self.facts, *self.definitions)

    def _add(self, statement: Statement) -> None:
        """Keep a statement in its place, unless it declares what is known."""
        if isinstance(statement, Assume):
            self.facts.append(statement)
        elif not isinstance(statement, Declaration):
            self.definitions.append(statement)
        elif statement.kind != "param" and statement.name not in self.names:
            self.inputs.append(statement)

    def _names(
        self, statements: Sequence[Statement], read: Sequence[Tensor], number: int | str, called: Mapping[str, str]
    ) -> dict[str, str]:
        """What the tensors and the indices of a fragment are called in the network."""
        names = {d.name: tensor.name for d, tensor in zip(declared(statements), read, strict=False)}
        for own in names_of_tensors(statements):
            if own not in names:
                names[own] = choose_name(called.get(own, f"{own}{number}"), self.names)
        return names

    def _letters(self, statements: Sequence[Statement], read: Tensor, lead: Sequence[str]) -> dict[str, str]:
        """What its indices are called: the leading ones as where the tensor was defined that it reads."""
        known = (*self.heads.get(read.name, ())[: len(lead)], *"ntm", *"b" * len(lead))
        wanted = {letter: letter for letter in names_of_indices(statements)}
        wanted |= dict(zip(lead, known, strict=False))
        used = self.taken | set(names_of_tensors(statements))
        chosen: dict[str, str] = {}
        for letter in sorted(wanted, key=lead.__contains__):  # a fragment keeps its own where it can
            chosen[letter] = choose_name(wanted[letter], used | set(chosen.values()))
        return chosen


def _count_lead(fragment: Fragment, tensor: Tensor, batch: Affine | None) -> int:
    """How many axes of a tensor stand before those that the fragment names, the samples among them."""
    least = [write_tree(axis) for axis in declared(fragment.statements(()))[0].axes]
    extra, dots = len(tensor.axes) - len(least), "..." in fragment.text
    if extra < 0 or (extra and not dots):
        axes = ",".join(["..."] * dots + least)
        raise ShapeError(f"{fragment.name} reads [{axes}], and {tensor.name} is [{_write(tensor.axes)}].")
    if not extra and dots and tensor.axes[:1] == (batch,):
        raise ShapeError(
            f"{fragment.name} reads [{','.join(least)}] of each sample, and a sample of {tensor.name} is "
            f"[{_write(tensor.axes[1:])}]."
        )
    return extra


def _bind(fragment: Fragment, declaration: Declaration, tensor: Tensor, bound: dict[str, Affine]) -> None:
    """Find the sizes of a declaration from the tensor that stands for it."""
    if (declaration.kind == "index") != (tensor.role is Role.INDEX):
        wanted = "whole numbers" if declaration.kind == "index" else "numbers that can be differentiated"
        raise ShapeError(f"{fragment.name} reads {wanted}, which {tensor.name} does not hold.")
    pairs = list(zip(map(read_size, declaration.axes), tensor.axes, strict=True))
    if declaration.range is not None and tensor.range is not None:
        pairs.append((read_size(declaration.range), tensor.range))
    for own, given in pairs:
        unknown = [name for name in own.names if name not in bound]
        if len(unknown) == 1:
            bound[unknown[0]] = _solve(fragment, own.substitute(bound), unknown[0], given)
        elif unknown or own.substitute(bound) != given:
            raise ShapeError(
                f"{fragment.name} reads an axis of size {own.substitute(bound)}, and that of {tensor.name} is {given}."
            )


def _solve(fragment: Fragment, own: Affine, name: str, given: Affine) -> Affine:
    """The size for which an axis such as 2*D is as long as a given one."""
    rest = own.substitute({name: Affine.of(0)})
    factor = (own - rest).substitute({name: Affine.of(1)}).integer
    left = given - rest
    if factor == 1:
        return left
    if factor and left.integer is not None and left.integer % factor == 0:
        return Affine.of(left.integer // factor)
    raise ShapeError(f"{fragment.name} reads an axis of size {own}, which cannot be {given}.")


def _choose(
    fragment: Fragment, statements: Sequence[Statement], sizes: Mapping[str, Affine], bound: dict[str, Affine]
) -> None:
    """Add the sizes that a user chooses to those that follow from what is read."""
    names = names_of_sizes(statements)
    wrong = [name for name in sizes if name not in names or bound.get(name, sizes[name]) != sizes[name]]
    missing = [name for name in names if name not in bound and name not in sizes]
    if wrong:
        raise ArgumentError(
            f"{fragment.name} cannot choose {', '.join(wrong)}: its sizes are {', '.join(names) or 'none'}, "
            "and those of what it reads are given."
        )
    if missing:
        raise ArgumentError(f"{fragment.name} does not know {', '.join(missing)}; give it, as in {missing[0]}=3.")
    bound.update(sizes)
    open_ones = [f"{name} = {bound[name]}" for name in fragment.numbers if bound[name].integer is None]
    if open_ones:
        raise ShapeError(f"{fragment.name} needs numbers for its sizes, and these are names: {', '.join(open_ones)}.")


def _write(axes: Axes) -> str:
    return ",".join(map(str, axes))
