"""A forward fragment: a piece of a network as formula text, from which its gradient, proof and code follow."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache

from symbackprop.calculus.definitions import Definition
from symbackprop.calculus.indices import Affine
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Role, Tensor
from symbackprop.errors import ArgumentError
from symbackprop.language import read_statements
from symbackprop.language.assembly import assemble
from symbackprop.language.neutral import drop_neutral
from symbackprop.language.renaming import rename
from symbackprop.language.spelling import number_tree
from symbackprop.language.tree import Access, Binder, Declaration, Define, Name, Statement, walk

Setting = int | float | str
Lead = Sequence[tuple[str, str]]  # for each leading axis its index and its size
BATCH = (("n", "N"),)


@dataclass(frozen=True, slots=True)
class Fragment:
    """A named piece of forward text; `source` is where a reader can compare it.

    `text` declares what the fragment reads and defines what it makes: its first declarations are the tensors that it is
    applied to, its last definition is its output. Three dots stand for the leading axes, whatever their number (the
    batch, the steps of a sequence), and `{samples}` for how many samples these hold together; other names in braces
    are `settings`, with the values that they have unless others are chosen; such a value may name another setting.
    `numbers` are sizes that its formula multiplies or divides by, so that they must be numbers, with those that the
    catalogue shows. `sizes` are two or more choices of all other sizes at which numeric checks run, `ones` the
    parameters that begin at 1, and `zeros` those that begin at 0 although they have two axes or more, as weights do.

    >>> text = "input x[...,D]\\nparam g[D]\\nz[...,i] = {power}*g[i]*x[...,i]"
    >>> scale = Fragment("scale", text, "", settings={"power": 2})
    >>> print(scale.write())
    input x[N,D]
    param g[D]
    z[n,i] = 2*g[i]*x[n,i]
    >>> print(scale.write((), {"power": 3}))
    input x[D]
    param g[D]
    z[i] = 3*g[i]*x[i]
    """

    name: str
    text: str
    source: str
    sizes: tuple[Mapping[str, int], ...] = ()
    settings: Mapping[str, Setting] = field(default_factory=dict)
    ones: tuple[str, ...] = ()
    zeros: tuple[str, ...] = ()
    numbers: Mapping[str, int] = field(default_factory=dict)

    def write(self, lead: Lead = BATCH, settings: Mapping[str, Setting] | None = None) -> str:
        """The text with the given leading axes and settings; an ArgumentError names settings that it does not have."""
        check_settings(self, settings or {})
        letters, axes = [letter for letter, _ in lead], [size for _, size in lead]
        samples = f"/({'*'.join(axes)})" if len(axes) > 1 else "".join(f"/{size}" for size in axes)
        chosen = {**self.settings, **(settings or {})}
        filled = self.text.strip().replace("/{samples}", samples).format(**chosen).format(**chosen)
        lines = (line.strip() for line in filled.split("\n"))
        return "\n".join(_fill_dots(line, axes if _declares(line) else letters) for line in lines)

    def statements(self, lead: Lead = BATCH, settings: Mapping[str, Setting] | None = None) -> tuple[Statement, ...]:
        """The same as trees, the arithmetic of sizes and places in order and numbers left out that change nothing."""
        return _read(self.write(lead, settings))

    def example(self, settings: Mapping[str, Setting] | None = None) -> Program:
        """The program of a batch, with the numbers that the catalogue shows."""
        numbers = {name: number_tree(Fraction(size)) for name, size in self.numbers.items()}
        return assemble(tuple(rename(statement, numbers) for statement in self.statements(BATCH, settings)))


def check_settings(fragment: Fragment, settings: Mapping[str, Setting]) -> None:
    """Raise ArgumentError for settings that a fragment does not have."""
    unknown = [name for name in settings if name not in fragment.settings]
    if unknown:
        known = ", ".join(fragment.settings) or "none"
        raise ArgumentError(f"{fragment.name} has no setting {', '.join(unknown)}; its settings: {known}.")


def is_number(setting: Setting) -> bool:
    """Whether a setting is a finite number, or the text of one."""
    try:
        return not isinstance(setting, bool) and math.isfinite(float(setting))
    except (TypeError, ValueError):
        return False


@cache
def _read(text: str) -> tuple[Statement, ...]:
    return tuple(drop_neutral(rename(statement, {})) for statement in read_statements(text))


def _declares(line: str) -> bool:
    """Whether three dots in a line stand for axes: elsewhere they stand for indices."""
    return line.startswith(("input ", "param ", "index "))


def _fill_dots(line: str, names: Sequence[str]) -> str:
    """A line with names in the place of the dots; where there are none, what they leave behind goes too."""
    if names:
        return line.replace("...", ",".join(names))
    line = re.sub(r"\[\.\.\.\]", "", line)
    line = re.sub(r"\b(?:sum|mean)\(\.\.\.,(?!\s*[a-z]\w*\s*[,:])", "(", line)  # no other index is bound
    return re.sub(r"\.\.\.\s*,\s*", "", line)


@dataclass(frozen=True, slots=True)
class Interface:
    """What a piece of a program reads, makes and learns, in its own names."""

    program: Program

    @property
    def output(self) -> Tensor:
        """What is defined last."""
        return self.program.definitions[-1].tensor

    @property
    def parameters(self) -> tuple[Tensor, ...]:
        """What is learned, in the order in which it is declared."""
        return tuple(leaf for leaf in self.program.leaves if leaf.role is Role.PARAM)

    def fan_in(self, name: str) -> tuple[Affine, ...]:
        """The sizes of the axes of a parameter over which its reader sums; their product is the fan-in."""
        summed = {k for d in self.program.definitions for k in _summed_axes(d, name)}
        return tuple(size for k, size in enumerate(self.program.tensor(name).axes) if k in summed)


def _summed_axes(definition: Definition, name: str) -> set[int]:
    """The axes of a tensor along which a definition sums."""
    found: set[int] = set()
    for term in definition.terms:
        for _, read in term.reads():
            if read.tensor.name == name:
                found |= {k for k, place in enumerate(read.at) if set(term.bound) & set(place.indices)}
    return found


@cache
def read_interface(statements: tuple[Statement, ...]) -> Interface:
    """The program that statements make, equal ones once."""
    return Interface(assemble(statements))


def declared(statements: Sequence[Statement]) -> tuple[Declaration, ...]:
    """The declarations among statements."""
    return tuple(s for s in statements if isinstance(s, Declaration))


def names_of_sizes(statements: Sequence[Statement]) -> tuple[str, ...]:
    """The sizes that declarations name, in order."""
    parts = [part for d in declared(statements) for part in (*d.axes, *(() if d.range is None else (d.range,)))]
    return tuple(dict.fromkeys(n.name for part in parts for n, _ in walk(part) if isinstance(n, Name)))


def names_of_tensors(statements: Sequence[Statement]) -> tuple[str, ...]:
    """The tensors that statements declare or define, in order."""
    heads = [s.head.name for s in statements if isinstance(s, Define)]
    return tuple(dict.fromkeys([*(d.name for d in declared(statements)), *heads]))


def names_of_indices(statements: Sequence[Statement]) -> tuple[str, ...]:
    """The indices that statements use, in order."""
    other = {*names_of_sizes(statements), *names_of_tensors(statements), "pi"}
    found = [n.name for s in statements for n, _ in walk(s) if isinstance(n, Name | Binder)]
    return tuple(dict.fromkeys(name for name in found if name not in other))


def head_of(statements: Sequence[Statement]) -> Name | Access:
    """The left side of the last definition."""
    return next(s.head for s in reversed(statements) if isinstance(s, Define))


def letters_of(head: Name | Access) -> tuple[str, ...]:
    """The indices of a left side."""
    places = head.indices if isinstance(head, Access) else ()
    return tuple(place.name for place in places if isinstance(place, Name | Binder))
