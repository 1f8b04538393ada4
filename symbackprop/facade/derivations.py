"""What a user holds of a derivation: gradients, steps, LaTeX, text and code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import sympy

from symbackprop import facade, proof, report
from symbackprop.calculus.chain import ChainStep
from symbackprop.calculus.chain import derive as derive_adjoints
from symbackprop.calculus.definitions import Definition
from symbackprop.calculus.expansion import Entry
from symbackprop.calculus.foldsteps import FoldStep
from symbackprop.calculus.tangents import derive_tangents, weigh
from symbackprop.calculus.tensors import Role, Tensor
from symbackprop.errors import ArgumentError, UnknownNameError
from symbackprop.facade.expressions import expression_program
from symbackprop.facade.programs import Program
from symbackprop.facade.runnable_adjoints import RunnableAdjoints
from symbackprop.notation import writing

if TYPE_CHECKING:
    from symbackprop.facade.networks import Network
    from symbackprop.notation.writing.explanations import Explanation
    from symbackprop.proof import Verdict


@dataclass(frozen=True, eq=False)
class Gradient:
    """The derivative of one tensor by another: `name[indices]`, axes of the numerator first."""

    derivation: Derivation
    core: Definition

    @property
    def name(self) -> str:
        """The name of the adjoint."""
        return self.core.tensor.name

    @property
    def indices(self) -> tuple[str, ...]:
        """The letters of its axes."""
        return tuple(i.name for i in self.core.indices)

    @property
    def expr(self) -> sympy.Expr:
        """The right side as a SymPy expression; it may read named intermediates and other adjoints."""
        return writing.definition_expression(self.core, self.derivation.program.core)

    def latex(
        self,
        notation: str = "index",
        layout: str = "batch",
        names: str | Mapping[str, str] | None = None,
        sizes: Mapping[str, int] | None = None,
    ) -> str:
        """The defining equation in LaTeX."""
        return writing.write_definitions((self.core,), self.derivation.program.core, notation, layout, names, sizes)

    def expand(
        self, sizes: Mapping[str, int] | None = None, data: Mapping[str, object] | None = None
    ) -> dict[Entry, sympy.Expr]:
        """Every entry in the symbols of `Program.expand`, no adjoint left."""
        expansion = self.derivation.program.expansion(sizes, data)
        return {entry: expansion.entry(self.name, entry) for entry in expansion.entries(self.name)}

    def _repr_latex_(self) -> str:
        return self.latex()


@dataclass(frozen=True, eq=False)
class Derivation(RunnableAdjoints):
    """All adjoints between a tensor and what it was differentiated by. Immutable; folds are made when first needed."""

    @cached_property
    def program(self) -> Program:
        """The forward definitions and the adjoint ones, as one program."""
        return Program(self.core.program.extended(self.folding.definitions))

    @property
    def steps(self) -> tuple[ChainStep | FoldStep, ...]:
        """What was done, in order: the chain rule a tensor at a time, then every fold with both its sides."""
        return (*self.core.steps, *self.folding.steps)

    @cached_property
    def gradients(self) -> dict[str, Gradient]:
        """The gradients that were asked for, by the name of the tensor."""
        folded = {d.tensor.name: d for d in self.folding.definitions}
        return {name: Gradient(self, folded[self.core.adjoint_name(name)]) for name in self.core.wrt}

    def __getitem__(self, name: str) -> Gradient:
        if name not in self.gradients:
            known = tuple(self.gradients)
            raise UnknownNameError(
                f"Nothing was derived by {name!r}; gradients are by {', '.join(known)}.", name=name, known=known
            )
        return self.gradients[name]

    @property
    def saved(self) -> tuple[Tensor, ...]:
        """The forward values that the backward pass reads."""
        found = {
            read.tensor: None
            for d in self.folding.definitions
            for _, _, read in d.reads()
            if read.tensor.role in (Role.DEFINED, Role.HIDDEN)
        }
        return tuple(found)

    def latex(
        self,
        notation: str = "index",
        layout: str = "batch",
        names: str | Mapping[str, str] | None = None,
        sizes: Mapping[str, int] | None = None,
    ) -> str:
        """The backward pass in LaTeX, "index", "matrix" or "scalar"; `names="seed"` writes w_{311} for W3[1,1]."""
        return writing.write_definitions(self.folding.definitions, self.program.core, notation, layout, names, sizes)

    def text(self) -> str:
        """The backward pass in plain text."""
        return writing.write_text(self.folding.definitions, self.program.core)

    def markdown(
        self,
        notation: str = "index",
        layout: str = "batch",
        names: str | Mapping[str, str] | None = None,
        sizes: Mapping[str, int] | None = None,
    ) -> str:
        """The program and its derivation as a Markdown document."""
        return report.write_markdown(self._title, self._sections(notation, layout, names, sizes))

    def html(
        self,
        notation: str = "index",
        layout: str = "batch",
        names: str | Mapping[str, str] | None = None,
        sizes: Mapping[str, int] | None = None,
    ) -> str:
        """The program and its derivation as a standalone HTML page."""
        return report.write_html(self._title, self._sections(notation, layout, names, sizes))

    def describe(self) -> dict[str, object]:
        """The derivation as plain data, for JSON: every definition as text and as LaTeX, and what was done."""
        folded = self.folding.definitions
        return {
            "of": self.core.numerator.name,
            "wrt": list(self.core.wrt),
            "program": Program(self.core.program).text(),
            "adjoints": [
                {
                    "name": d.tensor.name,
                    "by": d.tensor.denominator,
                    "text": writing.write_text((d,), self.program.core),
                    "latex": Gradient(self, d).latex(),
                }
                for d in folded
                if d.tensor.role is not Role.HIDDEN
            ],
            "saved": [t.name for t in self.saved],
            "steps": self.narrate(),
        }

    def narrate(self, language: str = "en") -> list[str]:
        """What was done, a sentence a step, in English ("en") or Chinese ("zh")."""
        numerator = self.core.numerator.name
        chain = [writing.narrate_chain(step, numerator, language) for step in self.core.steps]
        return chain + [writing.narrate_fold(step, language) for step in self.folding.steps]

    def explain(
        self,
        entry: str,
        language: str = "en",
        at: Mapping[str, object] | None = None,
        limit: int = 9,
        names: str | Mapping[str, str] | None = None,
    ) -> Explanation:
        """The chain rule for one entry, such as "W3[1,1]", path by path.

        Beyond `limit` paths it goes through the adjoints. `at` holds arrays by name, whose numbers then stand under
        each factor; `language` is "en" or "zh".
        """
        chosen = writing.choose_names(self.program.core.tensors(), self.program.core.size_names, names)
        return facade.explain(self.core, self.folding, entry, language, at, limit, chosen)

    def hessian(self, wrt: str | None = None, by: str | None = None) -> Derivation:
        """The second derivative by `wrt` and then by `by`, which is `wrt` too unless it is named: h[by].

        Its axes are those of what is differentiated, then those of `wrt`, then those of `by`.

        >>> from symbackprop.facade.programs import parse
        >>> print(derive(parse("param w\\ninput x\\nloss = exp(w*x)")).hessian("w").text())
        w_bar_by_w = exp(w*x)*x^2
        """
        first = self[wrt or self._only("hessian")]
        second = by or wrt or self._only("hessian")
        self.program.core.tensor(second)
        return Derivation(derive_adjoints(self.program.core, first.name, (second,)))

    def jvp(self, wrt: str | Sequence[str] | None = None) -> Derivation:
        """The change of what is differentiated along a direction: the Jacobian times a vector.

        The direction of W is an input called W_dot; in code it is given with the data.

        >>> from symbackprop.facade.programs import parse
        >>> print(derive(parse("param w\\nloss = w^2")).jvp().text())
        loss_dot = 2*w*w_dot
        """
        name = self.core.numerator.name
        return Derivation(derive_tangents(self.core.program, name, self._directions(wrt), (name,)))

    def hvp(self, wrt: str | Sequence[str] | None = None) -> Derivation:
        """The change of every gradient along a direction: the Hessian times a vector.

        The direction of W is an input called W_dot; in code it is given with the data.

        >>> from symbackprop.facade.programs import parse
        >>> print(derive(parse("param w\\nloss = w^3")).hvp().text())
        w_bar_dot = 6*w*w_dot
        """
        directions = self._directions(wrt)
        gradients = {name: self[name].name for name in directions}
        made = derive_tangents(self.program.core, self.core.numerator.name, directions, tuple(gradients.values()))
        tangents = dict(made.names)
        names = tuple((name, tangents[gradient]) for name, gradient in gradients.items())
        return Derivation(replace(made, wrt=directions, names=names))

    def vjp(self) -> Derivation:
        """The gradients of what is differentiated, weighted with a cotangent: a vector times the Jacobian.

        The cotangent of a is an input called a_cotangent; in code it is given with the data.

        >>> from symbackprop.facade.programs import parse
        >>> d = derive(parse("param w[N]\\na[n] = w[n]^2"), of="a")
        >>> print(d.vjp().text())
        w_bar[n] = 2*a_cotangent[n]*w[n]
        """
        return Derivation(derive_adjoints(*weigh(self.core.program, self.core.numerator.name), self.core.wrt))

    def _only(self, method: str) -> str:
        """The name that a method speaks of where none is given."""
        if len(self.core.wrt) != 1:
            raise ArgumentError(f"{method} needs the name of one of {', '.join(self.core.wrt)}.")
        return self.core.wrt[0]

    def _directions(self, wrt: str | Sequence[str] | None) -> tuple[str, ...]:
        if wrt is None:
            return self.core.wrt
        names = (wrt,) if isinstance(wrt, str) else tuple(wrt)
        for name in names:
            self.core.program.tensor(name)
        return names

    def certify(self) -> Verdict:
        """Prove every fold again, and compare the folded adjoints with the unfolded ones in numbers."""
        return proof.certify(self.core, self.folding)

    @property
    def _title(self) -> str:
        return f"The derivatives of {self.core.numerator.name}"

    def _sections(
        self,
        notation: str,
        layout: str,
        names: str | Mapping[str, str] | None,
        sizes: Mapping[str, int] | None,
    ) -> tuple[report.Section, ...]:
        forward = Program(self.core.program)
        return (
            report.Section("The program", forward.latex(notation, layout, names, sizes), forward.text()),
            report.Section("Its adjoints", self.latex(notation, layout, names, sizes), self.text()),
        )

    def _repr_latex_(self) -> str:
        return self.latex()

    def _repr_html_(self) -> str:
        return report.write_formula(self.latex())

    def __str__(self) -> str:
        return self.text()


def derive(
    source: Program | Network | sympy.Expr,
    wrt: str | Sequence[str] | None = None,
    of: str | None = None,
) -> Derivation:
    """Derive the gradients of `of` (the loss) by `wrt` (the parameters, else the inputs) with the chain rule.

    >>> from symbackprop.facade.programs import parse
    >>> print(derive(parse("param w\\nloss = w^2")).text())
    w_bar = 2*w
    """
    program = _program_of(source)
    numerator = of or program.core.loss
    if numerator is None:
        integers = [d.tensor.name for d in program.core.definitions if d.tensor.range is not None]
        why = f" ({', '.join(integers)} counts, and has no derivative)" if integers else ""
        raise ArgumentError(
            f"The program has no scalar to differentiate{why}; define a loss, or name a tensor with of=."
        )
    names = _names_of(program, wrt, numerator)
    return Derivation(derive_adjoints(program.core, numerator, names))


def _program_of(source: Program | Network | sympy.Expr) -> Program:
    if isinstance(source, Program):
        return source
    if isinstance(source, sympy.Expr):
        return Program(expression_program(source))
    if isinstance(source, facade.Network):
        return source.program
    raise ArgumentError(f"derive takes a Program, a Network or a SymPy expression, not {type(source).__name__}.")


def _names_of(program: Program, wrt: str | Sequence[str] | None, numerator: str) -> tuple[str, ...]:
    if wrt is not None:
        names = (wrt,) if isinstance(wrt, str) else tuple(wrt)
        if len(set(names)) != len(names):
            raise ArgumentError(f"wrt names a tensor twice: {', '.join(names)}.")
        for name in names:
            program.core.tensor(name)
        return names
    for role in (Role.PARAM, Role.INPUT):
        found = tuple(t.name for t in program.core.leaves if t.role is role)
        if found:
            return found
    raise ArgumentError(f"{numerator} reads no parameter and no input; name what to differentiate by with wrt=.")
