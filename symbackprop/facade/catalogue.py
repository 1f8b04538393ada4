"""Everything that is known by name: scalar functions, layers and losses, each as a program that can be derived."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial

import sympy

from symbackprop.calculus.indices import choose_name
from symbackprop.calculus.tensors import Role
from symbackprop.errors import UnknownNameError
from symbackprop.facade.derivations import Derivation, derive
from symbackprop.facade.programs import Program, parse
from symbackprop.functions import FUNCTIONS, ScalarFunction, expand_applications
from symbackprop.language import read_statements, write_program
from symbackprop.language.transcription import transcribe
from symbackprop.language.tree import Apply, walk
from symbackprop.language.writer import write_tree
from symbackprop.networks import LAYERS, LOSSES, PENALTIES, Fragment, Loss
from symbackprop.networks.fragments import head_of, letters_of, names_of_indices, names_of_sizes, names_of_tensors

INPUTS = "uvwst"


@dataclass(frozen=True, eq=False)
class Entry:
    """What the catalogue knows under a name: `kind` is "function", "layer" or "loss".

    `text` is its forward formula in the formula language, the only mathematics that is written down of it; `source` is
    where a reader can compare it. `note` is the definition of a scalar function, and says of a loss what is summed and
    in which unit it is measured. `sizes` are
    choices of its sizes at which numeric checks run.

    >>> entry = find_entry("softplus")
    >>> print(entry.text)
    input u[N]
    a[n] = softplus(u[n])
    <BLANKLINE>
    """

    name: str
    kind: str
    text: str
    source: str
    note: str
    sizes: tuple[Mapping[str, int], ...]

    @cached_property
    def program(self) -> Program:
        """The forward formula as a program with a loss: where there is none, the output times what arrives from above.

        That tensor is called g, or another letter where the entry has a g of its own.
        """
        program = parse(self.text)
        output = program.definitions[-1].tensor
        if not output.axes:
            return program
        statements = read_statements(self.text)
        taken = {*names_of_tensors(statements), *names_of_sizes(statements), *names_of_indices(statements)}
        g = choose_name("g", taken)
        letters = ",".join(letters_of(head_of(statements)))
        return parse(
            f"{self.text}input {g}[{','.join(map(str, output.axes))}]\n"
            f"loss = sum({letters}, {g}[{letters}]*{output.name}[{letters}])"
        )

    @cached_property
    def derivation(self) -> Derivation:
        """The derivatives by every parameter and every input of the entry."""
        own = (t for t in parse(self.text).tensors if t.role in (Role.PARAM, Role.INPUT))
        return derive(self.program, [t.name for t in own])


def catalogue() -> tuple[Entry, ...]:
    """All entries: the scalar functions, the layers, the losses, each kind in the order of the catalogue.

    >>> len({entry.name for entry in catalogue()}) == len(catalogue())
    True
    """
    return tuple(make() for _, make in _list_entries())


def find_entry(name: str) -> Entry:
    """The entry of a name; UnknownNameError lists what there is."""
    entries = dict(_list_entries())
    if name not in entries:
        known = tuple(entries)
        raise UnknownNameError(f"The catalogue has no {name!r}; it has {', '.join(known)}.", name=name, known=known)
    return entries[name]()


def _list_entries() -> tuple[tuple[str, Callable[[], Entry]], ...]:
    """The name of each entry, and what makes it: its text is written when it is asked for."""
    return (
        *((function.name, partial(_function, function)) for function in FUNCTIONS),
        *((fragment.name, partial(_layer, fragment)) for fragment in LAYERS),
        *((loss.fragment.name, partial(_loss, loss)) for loss in (*LOSSES, *PENALTIES)),
    )


def _function(function: ScalarFunction) -> Entry:
    names = INPUTS[: function.arity]
    given, read = (", ".join(f"{u}[{place}]" for u in names) for place in ("N", "n"))
    text = f"input {given}\na[n] = {function.name}({read})\n"
    return Entry(function.name, "function", text, function.source, _define(function, names), ({"N": 3}, {"N": 5}))


def _define(function: ScalarFunction, names: str) -> str:
    """What a function is, in other ones; nothing for one that is its own definition, such as exp."""
    symbols = sympy.symbols(",".join(names), seq=True)
    formula = expand_applications(function.formula(*symbols))
    called = f"{function.name}({', '.join(names)})"
    tree = transcribe(formula)
    if not any(isinstance(node, Apply) and node.function == function.name for node, _ in walk(tree)):
        return f"{called} = {write_tree(tree)}"
    written = sympy.sstr(formula, order="none")  # the formula language recognises the function in its own definition
    return "" if written == called else f"{called} = {written}"


def _layer(fragment: Fragment) -> Entry:
    return Entry(fragment.name, "layer", _write(fragment), fragment.source, "", fragment.sizes)


def _loss(loss: Loss) -> Entry:
    own = loss.fragment
    return Entry(own.name, "loss", _write(own), own.source, f"{loss.reduction}; {loss.unit}", own.sizes)


def _write(fragment: Fragment) -> str:
    """The text of a fragment, its arithmetic of sizes and places in order."""
    return write_program(fragment.example())
