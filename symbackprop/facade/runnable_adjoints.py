"""Adjoints as code: what is run, its source and what it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, overload

from symbackprop import codegen
from symbackprop.calculus.chain import Adjoints
from symbackprop.calculus.definitions import Definition
from symbackprop.calculus.folding import Folding, fold
from symbackprop.calculus.tensors import Role
from symbackprop.errors import ArgumentError
from symbackprop.notation import writing

if TYPE_CHECKING:
    from symbackprop.codegen import BlockFunction, Code, CompiledFunction, Costs, ScalarFunction


@dataclass(frozen=True, eq=False)
class RunnableAdjoints:
    """Adjoints as the chain rule gives them, which are folded when that is first needed, and run."""

    core: Adjoints

    @cached_property
    def folding(self) -> Folding:
        """The adjoints in the user's named intermediates, under the assumptions that the program declares."""
        return fold(self.core, self.core.program.assumptions)

    @cached_property
    def unconditional(self) -> Folding:
        """The same without any assumption on the data: what code runs unless it is told to trust its data."""
        return fold(self.core, ()) if self.core.program.assumptions else self.folding

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

        >>> from symbackprop.facade.derivations import derive
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

        >>> from symbackprop.facade.derivations import derive
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
