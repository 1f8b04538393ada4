"""What a user holds of a derivation: gradients, steps, LaTeX, text and code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal, overload

import sympy

from symbackprop import codegen, facade, proof, report
from symbackprop.calculus.chain import Adjoints, ChainStep
from symbackprop.calculus.chain import derive as derive_adjoints
from symbackprop.calculus.definitions import Definition
from symbackprop.calculus.expansion import Entry
from symbackprop.calculus.folding import Folding, fold
from symbackprop.calculus.foldsteps import FoldStep
from symbackprop.calculus.tangents import derive_tangents, weigh
from symbackprop.calculus.tensors import Role, Tensor
from symbackprop.errors import ArgumentError, UnknownNameError
from symbackprop.facade.expressions import expression_program
from symbackprop.facade.programs import Program
from symbackprop.notation import writing

if TYPE_CHECKING:
    from symbackprop.codegen import BlockFunction, Code, CompiledFunction, Costs, ScalarFunction
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
class Derivation:
    """All adjoints between a tensor and what it was differentiated by. Immutable; folds are made when first needed."""

    core: Adjoints

    @cached_property
    def folding(self) -> Folding:
        """The adjoints in the user's named intermediates, under the assumptions that the program declares."""
        return fold(self.core, self.core.program.assumptions)

    @cached_property
    def unconditional(self) -> Folding:
        """The same without any assumption on the data: what code runs unless it is told to trust its data."""
        return fold(self.core, ()) if self.core.program.assumptions else self.folding

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

    @overload
    def compile(
        self,
        target: Literal["python", "numba"],
        dtype: str = "float64",
        trust: bool = False,
        sizes: Mapping[str, int] | None = None,
    ) -> ScalarFunction: ...

    @overload
    def compile(
        self, target: Literal["numpy", "fused", "jax", "torch"] = "numpy", dtype: str = "float64", trust: bool = False
    ) -> CompiledFunction: ...

    @overload
    def compile(
        self, target: str, dtype: str = "float64", trust: bool = False, sizes: Mapping[str, int] | None = None
    ) -> CompiledFunction | ScalarFunction: ...

    def compile(
        self, target: str = "numpy", dtype: str = "float64", trust: bool = False, sizes: Mapping[str, int] | None = None
    ) -> CompiledFunction | ScalarFunction:
        """A function f(params, /, **data) that returns (value, {name: gradient}), on arrays of the target's library.

        `target` is "numpy", "jax" (compiled for each choice of sizes) or "torch"; the last two need the extras of these
        names. "fused" is NumPy's code in which functions of entries, and sums and maxima along an axis, are loops that
        numba (the extra of that name) compiles at the first call, for all sizes. The function relies on no assumption
        that data could break, unless `trust` is True.

        "python" and "numba" (which needs the extra of that name) are for tiny networks: the program is written out
        entry by entry at `sizes`, as Python over floats or as the same compiled. Their functions have
        `descend(params, learning_rate, steps, **data)`, gradient descent in one call.
        """
        code = self._code((self.folding if trust else self.unconditional).definitions, target, dtype, {}, sizes)
        scalar = isinstance(code.target, codegen.ScalarTarget)
        return codegen.compile_scalar_code(code) if scalar else codegen.compile_code(code)

    def compile_blocks(self, dtype: str = "float64", trust: bool = False) -> BlockFunction:
        """A function f(params, /, **data) that returns {name: derivative} by NumPy, each as the blocks that it holds.

        Where a derivative is 0 unless some of its axes agree, only the rest is computed and held: a Hessian that is
        diagonal, has a block for each sample or is a Kronecker product with the identity. What it returns multiplies
        vectors (`h @ v`), solves (`h.solve(v)`), has a `diagonal()` and is written out by `h.dense()`.

        >>> from symbackprop.facade.programs import parse
        >>> cubes = derive(parse("param w[N]\\nloss = sum(n, w[n]^3)"))
        >>> h = cubes.hessian("w").compile_blocks()({"w": [1.0, 2.0]})["w"]
        >>> print(h)
        h[a,b] = where(a == b, B1[a], 0)
        >>> h.solve([12.0, 24.0])
        array([2., 2.])
        """
        folding = self.folding if trust else self.unconditional
        return codegen.compile_blocks(self.core.program, folding.definitions, self._outputs, dtype)

    def source(self, target: str = "numpy", sizes: Mapping[str, int] | None = None) -> str:
        """A Python module that computes the value and the gradients with the target's library, without symbackprop.

        For "python" it is written out at `sizes` and needs no library.
        """
        code = self._code(self.unconditional.definitions, target, "float64", self._comments, sizes)
        return codegen.write_module(code)

    def plan(
        self, sizes: Mapping[str, int] | None = None, dtype: str = "float64", target: str = "numpy"
    ) -> Costs:
        """The array operations that `compile` makes of the formulas, with the flops and bytes of each.

        The costs are formulas in the sizes that have no value in `sizes`; print the result for a table. For the target
        "fused" what a loop makes is one operation, which reads and writes only what it shares with others.

        >>> from symbackprop.facade.programs import parse
        >>> d = derive(parse("input x[N,D]\\nparam w[D]\\nz[n] = sum(d, w[d]*x[n,d])\\nloss = sum(n, exp(z[n]))"))
        >>> print(d.plan({"N": 32, "D": 10}))
        stage     operation       makes  shape  flops  bytes
        forward   matrix product  z      32     640    2896
        forward   exp                    32     32     512
        forward   sum             loss   1      32     264
        backward  matrix product  w_bar  10     640    2896
                  all of a call                 1344   6568
        >>> d.plan().flops
        4*D*N + 2*N
        """
        unknown = sorted(set(sizes or {}) - set(self.core.program.size_names))
        if codegen.find_scalar_target(target) is not None:
            raise ArgumentError(f"The target {target!r} is written out entry by entry and has no array operations.")
        found = codegen.find_target(target)
        if unknown:
            known = ", ".join(self.core.program.size_names)
            raise ArgumentError(f"There is no size {', '.join(unknown)}; the sizes are {known}.")
        program, adjoints = self.core.program, self.unconditional.definitions
        plan = codegen.make_plan(program, adjoints, self.core.numerator.name, self._outputs)
        return codegen.measure_costs(found.rearrange(plan), sizes or {}, dtype, found.group)

    def _code(
        self,
        adjoints: Sequence[Definition],
        target: str,
        dtype: str,
        comments: Mapping[str, str],
        sizes: Mapping[str, int] | None,
    ) -> Code:
        program, value, scalar = self.core.program, self.core.numerator.name, codegen.find_scalar_target(target)
        if scalar is not None:
            return codegen.write_scalar_code(
                program, adjoints, value, self._outputs, scalar, dict(sizes or {}), dtype, comments
            )
        found = codegen.find_target(target)
        if sizes is not None:
            raise ArgumentError(f"The target {target!r} takes its sizes from the arrays of a call; leave sizes= away.")
        return codegen.write_code(program, adjoints, value, self._outputs, found, dtype, comments)

    @property
    def _outputs(self) -> dict[str, str]:
        return {name: self.core.adjoint_name(name) for name in self.core.wrt}

    @cached_property
    def _comments(self) -> dict[str, str]:
        """The formula of every definition, for the comments of generated code."""
        definitions = (*self.core.program.definitions, *self.unconditional.definitions)
        program = self.core.program.extended(self.unconditional.definitions)
        shown = (d for d in definitions if d.tensor.role is not Role.HIDDEN)
        return {d.tensor.name: writing.write_text((d,), program) for d in shown}

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
