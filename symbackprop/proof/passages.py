"""What is claimed at one place of a document, read from its LaTeX, and its verdicts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from symbackprop.calculus.programs import Program
from symbackprop.errors import DocumentError, FormulaError, ShapeError, SymBackpropError
from symbackprop.functions import FUNCTION_BY_NAME
from symbackprop.language import tree as t
from symbackprop.language.markdown import Formula
from symbackprop.notation.reading import (
    LatexStatement,
    MatrixClaim,
    Vocabulary,
    make_vocabulary,
    read_any_claim,
    read_block,
    read_definition,
    read_formula,
    write_syntax,
)
from symbackprop.notation.reading.index_formulas import scalar_name
from symbackprop.notation.reading.syntax import Scripts, Symbol, Syntax, bare
from symbackprop.proof.claims import JudgedClaim, judge_claim
from symbackprop.proof.matrix_claims import judge_matrix_claim
from symbackprop.proof.verdict import Verdict

RELATIONS = {":=": r"\leftarrow", "<=": r"\le", ">=": r"\ge"}


@dataclass(frozen=True, slots=True)
class Link:
    """One link of a derivation as it is written, with the line of its right side."""

    line: int
    source: str


@dataclass(frozen=True, slots=True)
class Passage:
    """What is claimed at one place of a document: one claim of a fence, or all of a formula in LaTeX.

    A formula has its `links`, and `latex` is the whole of it. Where it is expected to be refuted, one wrong link is
    enough. `error` says why it could not be understood.
    """

    line: int
    claims: tuple[t.Claim | MatrixClaim, ...] = ()
    refuted: bool = False
    links: tuple[Link, ...] = ()
    latex: str = ""
    error: SymBackpropError | None = None


def read_passage(formula: Formula, program: Program, names: Mapping[str, str]) -> Passage:
    """What a formula claims of a program, with the names that the document declares."""
    latex = " ".join(formula.tex.split())
    passage = Passage(formula.line, refuted=formula.refuted, latex=latex)
    try:
        vocabulary = make_vocabulary(program, names)
        statements = [_equation(s) for s in read_block(formula.tex, formula.line, formula.column)]
        claims = tuple(read_any_claim(statement, vocabulary) for statement in statements)
    except SymBackpropError as error:
        return replace(passage, error=error)
    links = tuple(link for statement in statements for link in _links(statement))
    return replace(passage, claims=claims, links=links)


def read_given(formula: Formula, program: Program, names: Mapping[str, str]) -> tuple[t.Define, ...]:
    """The definitions that a formula makes, in the names that stand above it."""
    vocabulary: Vocabulary = make_vocabulary(program, {k: v for k, v in names.items() if _is_known(v, program)})
    statements = read_block(formula.tex, formula.line, formula.column)
    return tuple(_read_definition(statement, vocabulary) for statement in statements)


def judge_passage(program: Program, passage: Passage) -> tuple[JudgedClaim, ...]:
    """The verdicts of a passage, one for each link; raises what the passage could not be understood for."""
    if isinstance(passage.error, ShapeError):
        return (_shapes_differ(passage, passage.latex, passage.error),)
    if passage.error is not None:
        raise _placed(passage.error, passage.line)
    judged: list[JudgedClaim] = []
    try:
        for claim in passage.claims:
            judged += judge_claim(program, claim) if isinstance(claim, t.Claim) else _judge_matrices(program, claim)
    except ShapeError as error:
        if not passage.links:
            raise
        return (_shapes_differ(passage, passage.latex, error),)
    except SymBackpropError as error:
        raise _placed(error, passage.line) from error
    if not passage.links:
        return tuple(judged)
    wrong = any(claim.verdict.refuted for claim in judged)
    made: list[JudgedClaim] = []
    for claim, link in zip(judged, passage.links, strict=True):
        # In a formula with a mistake in it, what is right is as it should be, as long as something is wrong.
        refuted = passage.refuted and (claim.verdict.refuted or not wrong)
        expected = "refuted" if refuted else "proved"
        source = link.source if len(judged) > 1 else passage.latex
        made.append(replace(claim, line=link.line, source=source, block=passage.line, expected=expected))
    return tuple(made)


def _read_definition(statement: LatexStatement, vocabulary: Vocabulary) -> t.Define:
    """A definition whose name may be a new one: a scalar, or a tensor whose indices are free on the right side."""
    target = bare(statement.sides[0])
    scripts = target if isinstance(target, Scripts) else Scripts(target)
    symbol = bare(scripts.base)
    if statement.kind == "update" and len(statement.sides) == 2:
        statement = replace(statement, kind="equation", operators=("=",))
    if statement.kind != "equation" or not isinstance(symbol, Symbol) or vocabulary.find(symbol, scripts.primes):
        return read_definition(statement, vocabulary)
    place = {"line": statement.line, "column": statement.column}
    letters = _letters(scripts.below)
    if letters:
        body = read_formula(statement.sides[1], vocabulary, letters)
        if set(letters) <= {n.name for n, _ in t.walk(body) if isinstance(n, t.Name)}:
            name = scalar_name(replace(scripts, below=None), symbol)
            return t.Define(t.Access(name, tuple(t.Name(i, **place) for i in letters), **place), body, **place)
    body = read_formula(statement.sides[1], vocabulary)
    return t.Define(t.Name(scalar_name(scripts, symbol), **place), body, **place)


def _letters(below: Syntax | None) -> tuple[str, ...]:
    """The single letters below a symbol, side by side or with commas between them; none where something else stands."""
    if below is None:
        return ()
    words = [word for word in re.split(r"[\s,{}]+", write_syntax(below)) if word]
    letters = tuple(letter for word in words for letter in word)
    return letters if letters and all(letter.isalpha() and letter.isascii() for letter in letters) else ()


def _equation(statement: LatexStatement) -> LatexStatement:
    """What a statement says is equal: of an update, what follows its new value."""
    if statement.kind != "update":
        return statement
    if len(statement.sides) < 3:
        raise FormulaError(
            "found an update, which claims nothing by itself, expected an equation; mark it as given to define the new "
            "value, or claim the derivative that it uses",
            line=statement.line or None,
            column=statement.column or None,
            found="an update",
            expected="an equation",
        )
    kind = "approximation" if statement.operators[-1] == r"\approx" else "equation"
    place = {"line": statement.line, "column": statement.column}
    return LatexStatement(kind, statement.sides[1:], statement.operators[1:], statement.label, **place)


def _links(statement: LatexStatement) -> list[Link]:
    """The links of an equation as they are written."""
    sides = zip(pairwise(statement.sides), statement.operators, strict=True)
    return [
        Link(right.line or statement.line, f"{write_syntax(left)} {RELATIONS.get(sign, sign)} {write_syntax(right)}")
        for (left, right), sign in sides
    ]


def _judge_matrices(program: Program, claim: MatrixClaim) -> tuple[JudgedClaim, ...]:
    verdicts = judge_matrix_claim(program, claim.head, claim.links)
    return tuple(
        JudgedClaim(claim.line, text, verdict, "proved") for text, verdict in zip(claim.texts, verdicts, strict=True)
    )


def _shapes_differ(passage: Passage, latex: str, error: ShapeError) -> JudgedClaim:
    """A claim about matrices whose shapes do not fit is wrong at every size, and no point is needed to see it."""
    verdict = Verdict("refuted", diagnosis=f"the shapes do not fit: {error.message}")
    expected = "refuted" if passage.refuted else "proved"
    return JudgedClaim(error.line or passage.line, latex, verdict, expected, source=latex, block=passage.line)


def _placed(error: SymBackpropError, line: int) -> SymBackpropError:
    """The error with its line, where it has none."""
    return error if getattr(error, "line", None) is not None else DocumentError(f"line {line}: {error}")


def _is_known(meaning: str, program: Program) -> bool:
    """Whether everything that a declared name stands for is there already."""
    known = {*program.tensors(), *program.size_names, *FUNCTION_BY_NAME, "adj"}
    bare = re.sub(r"\[[^\]]*\]", "", meaning)
    return set(re.findall(r"[A-Za-z][A-Za-z0-9_]*", bare)) <= known
