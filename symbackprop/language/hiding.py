"""Definitions of nested parts: what elaboration names because it cannot stand inside a larger formula."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from symbackprop.calculus.definitions import Definition, canonical
from symbackprop.calculus.indices import choose_name
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Role, Tensor
from symbackprop.language.slots import holds_always
from symbackprop.language.symbols import Symbols


@dataclass(slots=True)
class Hider:
    """Gives nested parts names among `symbols`; `hidden` are their definitions as they arise, equal ones only once.

    `known` finds a definition by what it says; `nameless` is for assumptions, beside which nothing is defined.
    """

    symbols: Symbols
    hidden: list[Definition] = field(default_factory=list)
    known: dict[Definition, Definition] = field(default_factory=dict)
    nameless: bool = False
    positive: dict[str, bool] = field(default_factory=dict)

    def hide(self, definition: Definition, stem: str) -> Definition:
        """The definition of a nested part; parts that are equal up to the names of indices share one."""
        key = _content(definition)
        if key not in self.known:
            tensor = replace(definition.tensor, name=choose_name(stem, self.symbols))
            self.symbols.tensors[tensor.name] = tensor
            self.known[key] = replace(definition, tensor=tensor)
            self.hidden.append(self.known[key])
        return self.known[key]

    def forget(self) -> None:
        """Take back the last hidden definition, because it gets a name."""
        last = self.hidden.pop()
        del self.symbols.tensors[last.tensor.name]
        self.symbols.calls = {name: t for name, t in self.symbols.calls.items() if t != last.tensor}
        self.known = {key: made for key, made in self.known.items() if made is not last}

    def learn(self, definition: Definition) -> None:
        """Read a part that says the same as `definition` from that."""
        self.known.setdefault(_content(definition), definition)

    def is_positive(self, tensor: Tensor) -> bool:
        """Whether a hidden tensor is positive whatever is given, such as a sum of exponentials."""
        if tensor.name not in self.positive:
            definition = next((d for d in self.hidden if d.tensor == tensor), None)
            terms = definition.terms if definition is not None else ()
            holds = [holds_always("positive", term.body, term.slots, self.is_positive) for term in terms]
            self.positive[tensor.name] = bool(holds) and all(holds)
        return self.positive[tensor.name]


def hidden_parts(program: Program) -> dict[Definition, Definition]:
    """The functions of matrices and the hidden parts of a program, by what they say."""
    found = (d for d in program.definitions if d.tensor.role is Role.HIDDEN or d.call is not None)
    return {_content(d): d for d in found}


def _content(definition: Definition) -> Definition:
    """What a definition says, without its name and the names of its indices."""
    tensor = replace(definition.tensor, name="", role=Role.HIDDEN, tex=None)
    return canonical(replace(definition, tensor=tensor, domain=()))
