"""Update rules as equations: assignments of SymPy expressions that are printed and compiled, and nothing else.

An assignment speaks of one entry `theta` of a parameter, whose derivative is `g`, at step `t` = 1, 2, ... A quantity
that reads no entry (a learning rate, a norm of all gradients) is shared: it is one number for all parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from itertools import groupby
from typing import Any

import sympy as sp
from sympy.printing.latex import LatexPrinter
from sympy.printing.str import StrPrinter

THETA, GRADIENT, STEP, ETA = sp.symbols("theta g t eta")

LATEX_NAMES = {
    sp.Symbol(name): latex
    for name, latex in {
        "theta": r"\theta",
        "eta": r"\eta",
        "eta0": r"\eta_{0}",
        "eta_min": r"\eta_{\min}",
        "eps": r"\varepsilon",
        "mhat": r"\hat{m}",
        "vhat": r"\hat{v}",
        "norm": r"\lVert g \rVert",
    }.items()
}

Assignment = tuple[sp.Basic, sp.Basic]


class Total(sp.Function):  # type: ignore[misc]  # SymPy has no types
    """The sum of an expression over every entry of every parameter.

    >>> print(write_equation(sp.sqrt(Total(GRADIENT**2))))
    sqrt(total(g^2))
    """

    nargs = 1

    def _sympystr(self, printer: StrPrinter) -> str:
        return f"total({printer._print(self.args[0])})"

    def _latex(self, printer: LatexPrinter, exp: str | None = None) -> str:
        sum_of_all = rf"\sum_{{\text{{all}}}} {printer._print(self.args[0])}"
        return sum_of_all if exp is None else rf"\left({sum_of_all}\right)^{{{exp}}}"


class EquationText(StrPrinter):  # type: ignore[misc]  # SymPy has no types
    """SymPy's text with the words of the formula language, and what is subtracted behind what is added."""

    def _as_ordered_terms(self, expression: sp.Expr, order: str | None = None) -> list[sp.Expr]:
        return order_terms(expression)

    def _print_Min(self, expression: sp.Min) -> str:
        return f"minimum({self.stringify(expression.args, ', ')})"

    def _print_Max(self, expression: sp.Max) -> str:
        return f"maximum({self.stringify(expression.args, ', ')})"

    def _print_Transpose(self, expression: sp.Transpose) -> str:
        return f"{self._print(expression.arg)}'"

    def _print_Inverse(self, expression: sp.Inverse) -> str:
        return f"inv({self._print(expression.arg)})"


class EquationLatex(LatexPrinter):  # type: ignore[misc]  # SymPy has no types
    """SymPy's LaTeX with what is subtracted behind what is added."""

    def _as_ordered_terms(self, expression: sp.Expr, order: str | None = None) -> list[sp.Expr]:
        return order_terms(expression)


def order_terms(expression: sp.Expr) -> list[sp.Expr]:
    """Return the terms of a sum: multiples of a matrix behind matrices, and what has a minus sign last.

    >>> order_terms(STEP - 1)
    [t, -1]
    """

    def place(term: sp.Expr) -> tuple[bool, bool]:
        multiple = isinstance(term, sp.MatMul) and term.as_coeff_matrices()[0] != 1
        return bool(term.could_extract_minus_sign()), multiple

    return sorted(expression.args, key=place)


def write_equation(expression: sp.Basic) -> str:
    """Return an expression as text.

    >>> write_equation(sp.Min(1, STEP**2))
    'minimum(1, t^2)'
    """
    return str(EquationText({"order": "none"}).doprint(expression)).replace("**", "^")


def latex_equation(expression: sp.Basic) -> str:
    r"""Return an expression as LaTeX.

    >>> print(latex_equation(THETA - ETA * GRADIENT))
    \theta - \eta g
    """
    return str(EquationLatex({"order": "none", "symbol_names": LATEX_NAMES}).doprint(expression))


@dataclass(frozen=True, slots=True)
class UpdateRule:
    """Assignments `symbol <- expression`, made in order; a later one reads what an earlier one has assigned.

    The symbols of `state` keep their values from step to step and start at 0.

    >>> print(UpdateRule("SGD", (), ((THETA, THETA - ETA * GRADIENT),)))
    theta <- theta - eta*g
    """

    name: str
    state: tuple[sp.Symbol, ...]
    assignments: tuple[Assignment, ...]

    def preceded(self, name: str, assignments: tuple[Assignment, ...]) -> UpdateRule:
        """Return the rule with other assignments made first, and a name that says so."""
        return replace(self, name=f"{self.name}, {name}", assignments=(*assignments, *self.assignments))

    def latex(self) -> str:
        r"""Return the assignments as an `align*` environment, with `\eta` for the learning rate."""
        rows = [
            f"{latex_equation(target)} &\\leftarrow {latex_equation(expression)}"
            for target, expression in self.assignments
        ]
        return "\\begin{align*}\n" + " \\\\\n".join(rows) + "\n\\end{align*}"

    def text(self) -> str:
        """Return one line for each assignment."""
        return "\n".join(f"{target} <- {write_equation(expression)}" for target, expression in self.assignments)

    def text_with(self, constants: Mapping[str, float]) -> str:
        """Return the same and, in a last line, the values of the constants."""
        return f"{self.text()}\nwith {', '.join(f'{name} = {value}' for name, value in constants.items())}"

    def __str__(self) -> str:
        return self.text()


@dataclass(frozen=True, slots=True)
class Formula:
    """An expression as a function of the values of the names that it reads."""

    reads: tuple[str, ...]
    run: Callable[..., Any]

    def __call__(self, shared: Mapping[str, Any], own: Mapping[str, Any]) -> Any:
        return self.run(*(own[name] if name in own else shared[name] for name in self.reads))


class Kind(Enum):
    """Where an assignment runs: summed over every entry, once for all parameters, or entry by entry."""

    TOTAL = "total"
    SHARED = "shared"
    ENTRYWISE = "entrywise"


@dataclass(frozen=True, slots=True)
class CompiledAssignment:
    """An assignment that runs."""

    target: str
    kind: Kind
    formula: Formula


def compile_formula(expression: sp.Expr, modules: str, sizes: Set[sp.Symbol] = frozenset()) -> Formula:
    """Return an expression as a function on arrays (modules "numpy" or "jax") or on Python numbers ("math").

    The symbols of `sizes` are those of shapes, which no value is given for.

    >>> compile_formula(STEP**2, "math")({"t": 3}, {})
    9
    """
    reads = tuple(sorted(expression.free_symbols - sizes, key=lambda symbol: symbol.name))
    return Formula(tuple(symbol.name for symbol in reads), sp.lambdify(reads, expression, modules=modules))


@cache
def compile_rule(rule: UpdateRule, arrays: str = "numpy", numbers: str = "math") -> tuple[CompiledAssignment, ...]:
    """Return the assignments as functions, in their order; sums over all parameters come before what reads them.

    `arrays` and `numbers` are the modules that entries and shared numbers are computed with.
    """
    compiled = []
    entrywise = {THETA, GRADIENT, *rule.state}
    for target, expression in rule.assignments:
        totals = sorted(expression.atoms(Total), key=str)
        names = {total: sp.Symbol(f"total {number} of {target}") for number, total in enumerate(totals, 1)}
        for total, name in names.items():
            compiled.append(CompiledAssignment(name.name, Kind.TOTAL, compile_formula(total.args[0], arrays)))
        scalar = expression.xreplace(names)
        if target in entrywise or entrywise & scalar.free_symbols:
            entrywise.add(target)
            compiled.append(CompiledAssignment(target.name, Kind.ENTRYWISE, compile_formula(scalar, arrays)))
        else:
            # Shared numbers are Python's, so that NumPy keeps the dtype of the parameters.
            compiled.append(CompiledAssignment(target.name, Kind.SHARED, compile_formula(scalar, numbers)))
    return tuple(compiled)


@cache
def split_stages(
    rule: UpdateRule, arrays: str = "numpy", numbers: str = "math"
) -> tuple[tuple[Kind, tuple[CompiledAssignment, ...]], ...]:
    """Return the assignments in runs of one kind."""
    compiled = compile_rule(rule, arrays, numbers)
    return tuple((kind, tuple(run)) for kind, run in groupby(compiled, key=lambda made: made.kind))
