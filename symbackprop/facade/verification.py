"""Hand-written derivatives, proved or refuted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import sympy

from symbackprop.calculus import programs as calculus
from symbackprop.errors import ArgumentError, FormulaError, ShapeError, UnsupportedError
from symbackprop.facade.expressions import without_kinks
from symbackprop.facade.latex import LatexFormula
from symbackprop.facade.networks import Network
from symbackprop.facade.programs import Program
from symbackprop.facade.scalars import Formula, read_conditions, read_scalar
from symbackprop.language import read_expression, write_matrix_tree, write_tree
from symbackprop.language import tree as t
from symbackprop.language.transcription import transcribe, transcribe_condition
from symbackprop.notation.reading import Grid
from symbackprop.proof import Verdict, decide, state_domain
from symbackprop.proof.claims import judge_gradient
from symbackprop.proof.entrywise import join_entries
from symbackprop.proof.judges import judge_document
from symbackprop.proof.matrix_claims import judge_matrix_gradient
from symbackprop.proof.outlines import JudgedClaim
from symbackprop.proof.scalar_equations import judge_under_equations

SIGNS = MappingProxyType({
    ">=": sympy.Ge, "<=": sympy.Le, "!=": sympy.Ne, ">": sympy.Gt, "<": sympy.Lt, "=": sympy.Eq,
})  # fmt: skip
"""The relations that an assumption is read as, longer signs first."""


def verify(
    left: Formula | LatexFormula, right: Formula | LatexFormula, assume: str | Sequence[sympy.Basic | str] = ()
) -> Verdict:
    """Decide whether two scalar formulas are equal for all real values of their names.

    Both are SymPy expressions, text in the formula language, or `latex_formula(...)`; `assume` is a relation such as
    "eps > 0", or several. Two formulas in LaTeX may be matrices that are written out, which are compared by entries.

    >>> print(verify("exp(-x)/(1 + exp(-x))^2", "sigmoid(x)*(1 - sigmoid(x))").status)
    proved
    >>> verify("x^2", "x*abs(x)").refuted
    True
    """
    latex = isinstance(left, LatexFormula) or isinstance(right, LatexFormula)
    matrices = _read_matrices(left, right)
    if matrices is not None:
        return _verify_entries(*matrices, assume)
    read = [_read_side(side) for side in (left, right)]
    assumed = (assume,) if isinstance(assume, str) else assume
    sides = read_scalar(read[0]), read_scalar(read[1])
    if latex:
        _check_spellings(*sides)
    domain = tuple(dict.fromkeys(condition for formula in read for condition in read_conditions(formula)))
    relations = [_read_relation(a) for a in assumed]
    verdict = decide(*sides, relations, domain)
    texts = [_write_side(formula) for formula in read]
    claim = " = ".join(texts) if all(texts) else ""
    if verdict.undecided and any(isinstance(relation, sympy.Eq) for relation in relations):
        found = _judge_under_equations(read[0], read[1], assumed)
        if found is not None and found.proved:
            return replace(found, claim=claim, notes=verdict.notes)
    verdict = replace(verdict, claim=claim)
    return state_domain(verdict, relations, domain) if verdict.proved else verdict


def _judge_under_equations(
    left: Formula | t.Expression, right: Formula | t.Expression, assumed: Sequence[sympy.Basic | str]
) -> Verdict | None:
    """The verdict where equations that fix no name are assumed; None for what the formula language cannot say."""
    try:
        sides = [s if isinstance(s, t.Expression) else transcribe(read_scalar(s)) for s in (left, right)]
        return judge_under_equations(sides[0], sides[1], [_read_compared(relation) for relation in assumed])
    except (FormulaError, UnsupportedError):
        return None


def _read_side(formula: Formula | LatexFormula) -> sympy.Expr | float | t.Expression:
    """A formula as a tree; what SymPy holds, and a number, as it is."""
    if isinstance(formula, LatexFormula):
        return formula.tree()
    return read_expression(formula) if isinstance(formula, str) else formula


def _write_side(formula: sympy.Expr | float | t.Expression) -> str:
    """A side as it was read; nothing for what SymPy holds, and has simplified before it was given."""
    if isinstance(formula, t.Expression):
        return write_tree(formula)
    return str(formula) if isinstance(formula, int | float) else ""


def _read_matrices(left: Formula | LatexFormula, right: Formula | LatexFormula) -> tuple[Grid, Grid] | None:
    """Both sides as matrices of one shape; None where both are numbers, or neither has a matrix in it."""
    sides = [side for side in (left, right) if isinstance(side, LatexFormula)]
    if not any(side.is_written_out for side in sides):
        return None
    read = [side.written() for side in sides]
    grids = [grid for grid in read if isinstance(grid, Grid)]
    if not grids:
        return None
    if len(grids) < 2:
        raise FormulaError(f"found {grids[0].shown} on one side and a number on the other, expected two matrices",
                           found=grids[0].shown, expected="two matrices")  # fmt: skip
    if grids[0].shape != grids[1].shape:
        raise ShapeError(f"found {grids[0].shown} and {grids[1].shown}, expected matrices of one shape",
                         found=grids[1].shown, expected=grids[0].shown)  # fmt: skip
    return grids[0], grids[1]


def _verify_entries(left: Grid, right: Grid, assume: str | Sequence[sympy.Basic | str]) -> Verdict:
    """The verdict on the entries of two matrices of one shape."""
    texts = [[write_tree(grid.at(place)) for place in grid.entries()] for grid in (left, right)]
    _check_spellings(*(read_scalar(text) for side in texts for text in side))
    verdicts = [verify(one, other, assume) for one, other in zip(*texts, strict=True)]
    return join_entries({f"{i}, {j}": one for (i, j), one in zip(left.entries(), verdicts, strict=True)})


def verify_gradient(program: Program | Network, wrt: str, claim: Formula | LatexFormula, of: str = "loss") -> Verdict:
    """Decide whether a claimed derivative of `of` by an entry such as "W[k,d]" is the one that the chain rule gives.

    `claim` is text in the formula language, a SymPy expression of the program's scalars, or `latex_formula(...)`. It
    may read every tensor of the program, and `adj(z[n,i])`, the adjoint of one. `of` may be an entry too, such as
    "p[k]". Where both are whole tensors such as "W", the claim is a matrix expression with the shape of the derivative.

    >>> from symbackprop.facade.programs import parse
    >>> neuron = parse("input x, y\\nparam w\\nloss = (w*x - y)^2")
    >>> verify_gradient(neuron, "w", "2*x*(w*x - y)").proved
    True
    >>> print(verify_gradient(neuron, "w", "x*(w*x - y)").diagnosis)
    the claim lacks the factor 2
    >>> fit = parse("input X[N,D], y[N]\\nparam w[D]\\nloss = sum(n, (sum(d, X[n,d]*w[d]) - y[n])^2)")
    >>> verify_gradient(fit, "w", "2*X'*(X*w - y)").proved
    True
    """
    core = _core_of(program)
    top, head = _read_entry(of), _read_entry(wrt)
    numerator = core.tensor(top.name)
    named = isinstance(top, t.Name) and isinstance(head, t.Name)
    whole = named and (numerator.axes or core.tensor(head.name).axes)
    if isinstance(claim, LatexFormula):
        return _judge_latex(core, top, head, claim, bool(whole))
    if isinstance(claim, str) and (whole or (named and _names_whole_tensors(claim, core))):
        return judge_matrix_gradient(core, top.name, head.name, claim)
    tree = read_expression(claim) if isinstance(claim, str) else transcribe(without_kinks(read_scalar(claim)))
    return judge_gradient(core, top, head, tree)


def _core_of(program: object) -> calculus.Program:
    """The core value of a program or of a network."""
    if isinstance(program, Network):
        return program.program.core
    if not isinstance(program, Program):
        kind = type(program).__name__
        raise ArgumentError(f"A gradient is verified in a Program, such as parse(...) makes, not in {kind}.")
    return program.core


def _read_entry(text: object) -> t.Name | t.Access:
    """A tensor, or an entry of one."""
    if not isinstance(text, str):
        raise ArgumentError(f'A tensor or an entry of one is given as text, such as "W[k,d]", not {text!r}.')
    tree = read_expression(text)
    if not isinstance(tree, t.Name | t.Access):
        raise FormulaError(
            f"{text!r} is not a tensor or an entry of one, such as W[k,d].", found=text, expected="an entry"
        )
    return tree


def check_document(path: str | Path) -> list[tuple[JudgedClaim, Verdict]]:
    """Judge every claim of a Markdown file, in its `symbackprop` fences and in its marked formulas, in their order.

    Raises DocumentError for a file that cannot be read, and FormulaError with the line of the file for what cannot be
    understood.
    """
    document = judge_document(path)
    for error in document.errors:
        raise error
    return [(judged, judged.verdict) for judged in document.claims]


def _judge_latex(
    program: calculus.Program, of: t.Name | t.Access, head: t.Name | t.Access, claim: LatexFormula, whole: bool
) -> Verdict:
    """The verdict on a claim in LaTeX, with the claim as it was understood among its notes.

    About a whole tensor it is a matrix formula, about an entry one with indices.
    """
    if whole and claim.is_written_out:
        return _judge_entries(program, t.Derivative(of, head), claim)
    if whole:
        matrix = claim.matrix(program)
        verdict, text = judge_matrix_gradient(program, of.name, head.name, matrix), write_matrix_tree(matrix)
    else:
        tree = claim.tree(program, (of, head))
        verdict, text = judge_gradient(program, of, head, tree), write_tree(tree)
    return replace(verdict, notes=(*verdict.notes, f"The claim was read as {text}."))


def _judge_entries(program: calculus.Program, head: t.Derivative, claim: LatexFormula) -> Verdict:
    """The verdict on a derivative that is claimed as a matrix written out, or as a number where it has one entry."""
    claims = claim.entries_of(head, program)
    joined = join_entries({shown: judge_gradient(program, at.of, at.wrt, tree) for shown, at, tree in claims})
    text = ", ".join(write_tree(tree) for _, _, tree in claims)
    return replace(joined, notes=(*joined.notes, f"The entries of the claim were read as {text}."))


def _names_whole_tensors(claim: str, program: calculus.Program) -> bool:
    """Whether a claim about a scalar is a matrix expression: it names tensors with axes and reads no entry."""
    known = program.tensors()
    words = [known.get(word) for word in re.findall(r"[A-Za-z][A-Za-z0-9_]*", claim)]
    return "[" not in claim and any(tensor is not None and tensor.axes for tensor in words)


def _read_relation(relation: sympy.Basic | str) -> sympy.Basic:
    """An assumption such as "eps > 0"."""
    if not isinstance(relation, str):
        return relation
    for sign, make in SIGNS.items():
        left, found, right = relation.partition(sign)
        if found:
            return make(read_scalar(left), read_scalar(right))
    raise FormulaError(f"{relation!r} is not a relation such as 'eps > 0'.", found=relation, expected="a relation")


def _read_compared(relation: sympy.Basic | str) -> t.Compare:
    """An assumption as a tree."""
    if isinstance(relation, str):
        sign = next(sign for sign in SIGNS if sign in relation)
        left, _, right = relation.partition(sign)
        return t.Compare(sign, read_expression(left), read_expression(right))
    tree = transcribe_condition(relation)
    if not isinstance(tree, t.Compare):
        raise UnsupportedError(f"the assumption {relation} is not one comparison")
    return tree


def _check_spellings(*sides: sympy.Expr) -> None:
    """Raise FormulaError where two names differ only by the commas between their indices, or by a prime."""
    known: dict[str, str] = {}
    names = sorted({symbol.name for side in sides for symbol in side.free_symbols})
    primed = next((name for name in names if name.endswith("_prime") and name.removesuffix("_prime") in names), None)
    if primed is not None:
        plain = primed.removesuffix("_prime")
        raise FormulaError(
            f"{plain}' may be the transpose or a derivative of {plain}, or a name of its own; write another name.",
            found=f"{plain} and {plain}'",
            expected="one reading",
        )
    for name in names:
        other = known.setdefault(name.replace("_", ""), name)
        if other != name:
            raise FormulaError(
                f"{other} and {name} may be one name, spelt with and without a comma; spell it in one way.",
                found=f"{other} and {name}",
                expected="one spelling",
            )
