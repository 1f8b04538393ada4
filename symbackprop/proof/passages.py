"""What is claimed at one place of a document, read from its LaTeX, and its verdicts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from symbackprop.calculus.indices import choose_name
from symbackprop.calculus.programs import Program
from symbackprop.errors import DocumentError, FormulaError, ShapeError, SymBackpropError
from symbackprop.functions import FUNCTION_BY_NAME
from symbackprop.language import tree as t
from symbackprop.language import write_tree
from symbackprop.language.markdown import Formula
from symbackprop.notation.reading import (
    EntryClaim,
    LatexStatement,
    LayerStatement,
    MatrixClaim,
    Vocabulary,
    check_extents,
    expand_layers,
    make_vocabulary,
    read_block,
    read_claims,
    read_definition,
    read_formula,
    write_syntax,
)
from symbackprop.notation.reading.entries import find_readings
from symbackprop.notation.reading.letters import scalar_name
from symbackprop.notation.reading.refusals import ambiguous
from symbackprop.notation.reading.syntax import Beside, Group, Scripts, Sum, Symbol, Syntax, bare
from symbackprop.proof.claims import judge_claim
from symbackprop.proof.given_functions import GivenFunction, expand_functions
from symbackprop.proof.matrix_claims import judge_matrix_claim
from symbackprop.proof.outlines import Judgement, Link, Outline

RELATIONS = {":=": r"\leftarrow", "<=": r"\le", ">=": r"\ge"}


@dataclass(frozen=True, slots=True)
class Passage:
    """What is claimed at one place of a document, as text and as trees; `error` says why it was not understood."""

    outline: Outline
    claims: tuple[t.Claim | MatrixClaim, ...] = ()
    error: SymBackpropError | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What a document has declared above a place: names of LaTeX, and functions of its own by how they are written."""

    names: Mapping[str, str] = field(default_factory=dict)
    functions: Mapping[str, GivenFunction] = field(default_factory=dict)

    def declaring(self, names: Mapping[str, str]) -> Known:
        """With more names, which go before older ones.

        One that stands for itself undoes what was declared of it, and says that a size is one.
        """
        functions = {w: f for w, f in self.functions.items() if names.get(w) not in FUNCTION_BY_NAME}
        return Known({**self.names, **names}, functions)

    def giving(self, function: GivenFunction, name: str | None) -> Known:
        """With a function; `name` is that of its value in the program, if it has one there."""
        value = {} if name is None else {function.name: name}
        return Known({**self.names, **value}, {**self.functions, function.name: function})

    def vocabulary(self, program: Program, *, partial: bool = False) -> Vocabulary:
        """The vocabulary of a program in these names; a `partial` program need not have all that they stand for."""
        names = {k: v for k, v in self.names.items() if not partial or _is_known(v, program)}
        made = make_vocabulary(program, {k: v for k, v in names.items() if k != v or v in program.size_names})
        own = {written: written for written in self.functions}
        arguments = {written: function.arguments for written, function in self.functions.items()}
        return replace(made, functions={**made.functions, **own}, arguments=arguments)


@dataclass(frozen=True, slots=True)
class Given:
    """What a formula adds to a program, and what is known below it."""

    definitions: tuple[t.Define, ...]
    known: Known


def read_fence_claim(claim: t.Claim) -> Passage:
    """The passage that a claim in a fence is."""
    lines = [link.line or claim.line for link in claim.links] + [claim.line] * (claim.digits is not None)
    links = tuple(Link(line, text) for line, text in zip(lines, _texts(claim), strict=True))
    text = write_tree(claim).removeprefix("claim ")
    return Passage(Outline(claim.line, text, links, claim.refuted), (claim,))


def read_passage(formula: Formula, program: Program, known: Known) -> Passage:
    """What a formula claims of a program, with what the document declares above it."""
    outline = Outline(formula.line, " ".join(formula.tex.split()), refuted=formula.refuted, latex=True)
    try:
        vocabulary = known.vocabulary(program)
        block = [_equation(s, vocabulary) for s in read_block(formula.tex, formula.line, formula.column)]
        statements = [layered for statement in block for layered in expand_layers(statement, vocabulary)]
        claims = [(layered, claim) for layered in statements for claim in read_claims(layered.statement, vocabulary)]
        expanded = tuple(_expand(_trees_of(claim), known.functions) for _, claim in claims)
    except SymBackpropError as error:
        return Passage(outline, error=error)
    links = tuple(link for pair in claims for link in _links(*pair))
    return Passage(replace(outline, links=links), expanded)


def read_given(formula: Formula, program: Program, known: Known) -> Given:
    """The definitions and functions that a formula gives, in the names that stand above it."""
    definitions: list[t.Define] = []
    for statement in read_block(formula.tex, formula.line, formula.column):
        vocabulary = known.vocabulary(program, partial=True)
        called = _called(statement.sides[0])
        if called is None:
            made = _read_definition(statement, vocabulary)
            check_extents(statement.extents, t.Claim(made.head, (made.body,)), statement.sides, vocabulary)
            definitions.append(replace(made, body=expand_functions(made.body, known.functions)))
            continue
        function = _read_function(statement, *called, known.functions)
        values = _read_arguments(called[1], vocabulary)
        names = tuple(value.name for value in values or () if isinstance(value, t.Name))
        function = replace(function, arguments=names if len(names) == len(called[1]) else ())
        value = _value_of(function, values, called[1][0], program) if values is not None else None
        definitions += [value] if value is not None else []
        known = known.giving(function, value.head.name if value is not None else None)
    return Given(tuple(definitions), known)


def _trees_of(claim: EntryClaim | MatrixClaim) -> t.Claim | MatrixClaim:
    return claim.claim if isinstance(claim, EntryClaim) else claim


def _expand(claim: t.Claim | MatrixClaim, functions: Mapping[str, GivenFunction]) -> t.Claim | MatrixClaim:
    """A claim about entries with the document's own functions written out."""
    if not isinstance(claim, t.Claim) or not functions:
        return claim
    head = claim.head if isinstance(claim.head, t.Derivative) else expand_functions(claim.head, functions)
    return replace(claim, head=head, links=tuple(expand_functions(link, functions) for link in claim.links))


def _called(side: Syntax) -> tuple[str, tuple[Syntax, ...]] | None:
    """The name and the arguments of the left side f(x), or None where it is something else."""
    pair = bare(side)
    if not isinstance(pair, Beside) or len(pair.parts) != 2:
        return None
    name, group = (bare(part) for part in pair.parts)
    if not isinstance(name, Symbol) or not isinstance(group, Group) or group.opened != "(":
        return None
    return write_syntax(name), group.parts


def _read_function(
    statement: LatexStatement, name: str, arguments: tuple[Syntax, ...], functions: Mapping[str, GivenFunction]
) -> GivenFunction:
    """A function whose parameters are the names in its brackets; those that were given above may be applied in it."""
    written = [write_syntax(argument) for argument in arguments]
    said = [extent for extent in statement.extents if not extent.is_whole or extent.letter not in written]
    if statement.kind != "equation" or len(statement.sides) != 2 or len(set(written)) != len(written) or said:
        return _no_function(statement)
    opened = make_vocabulary()
    names = [read_formula(argument, opened) for argument in arguments]
    own = {each: each for each in functions if each not in written}
    opened = replace(opened, functions={**opened.functions, **own})
    body = expand_functions(read_formula(statement.sides[1], opened), functions)
    parameters = tuple(n.name for n in names if isinstance(n, t.Name))
    used = {node.name for node, _ in t.walk(body) if isinstance(node, t.Name | t.Access)} - {"pi"}
    if len(parameters) != len(names):
        return _no_function(statement)
    if not used <= set(parameters):
        others = ", ".join(sorted(used - set(parameters)))
        return _no_function(statement, f"; it reads {others} besides, which can stand among its arguments")
    return GivenFunction(name, parameters, body)


def _no_function(statement: LatexStatement, hint: str = "") -> GivenFunction:
    raise FormulaError(
        "found a definition with brackets on its left side, expected a function of its arguments alone: f(x) = x^2"
        + hint,
        line=statement.line or None,
        column=statement.column or None,
    )


def _read_arguments(arguments: tuple[Syntax, ...], vocabulary: Vocabulary) -> list[t.Expression] | None:
    """What the arguments of a function are in the program; None where one is nothing there."""
    try:
        return [read_formula(argument, vocabulary) for argument in arguments]
    except SymBackpropError:
        return None


def _value_of(function: GivenFunction, values: Sequence[t.Expression], node: Syntax, program: Program) -> t.Define:
    """The value of a function, under a name that is free."""
    base = re.sub(r"[^A-Za-z0-9]", "", function.name) or "f"
    name = choose_name(base, {*program.tensors(), *program.size_names, *FUNCTION_BY_NAME, *t.RESERVED})
    place = {"line": node.line, "column": node.column}
    return t.Define(t.Name(name, **place), function.at(values, 0, node), **place)


def judge_passage(program: Program, passage: Passage, start: int = 0) -> Iterator[Judgement]:
    """What is found out about each link of a passage, from the link number `start` on.

    Raises what the passage could not be understood for, with its line; ShapeError where the shapes of a formula do not
    fit, which refutes all of it.
    """
    try:
        if passage.error is not None:
            raise passage.error
        for claim in passage.claims:
            count = len(_texts(claim))
            if start < count:
                yield from _judge(program, claim, start)
            start = max(0, start - count)
    except SymBackpropError as error:
        if isinstance(error, ShapeError):
            raise
        raise _placed(error, passage.outline.line) from error


def _judge(program: Program, claim: t.Claim | MatrixClaim, start: int) -> Iterator[Judgement]:
    if isinstance(claim, t.Claim):
        return judge_claim(program, claim, start)
    return _judge_matrices(program, claim, start)


def _judge_matrices(program: Program, claim: MatrixClaim, start: int) -> Iterator[Judgement]:
    r"""The judgements of a claim about whole tensors; what is right with \odot for \cdot is said to be.

    AmbiguousFormulaError where the shapes fit with \odot alone.
    """
    sides = (claim.head, *claim.links)
    found = judge_matrix_claim(program, claim.head, claim.links, start)
    for place, other in enumerate(claim.entrywise[start:], start):
        try:
            verdict = next(found)
        except ShapeError:
            if other is not None and _is_proved(program, sides[place], other):
                readings = ("a product of matrices, or an inner product", "the product of entries")
                hint = r"the shapes fit, and the claim is right, for that of entries: write \odot"
                raise ambiguous(claim.line, claim.column, r"`\cdot` between whole tensors", readings, hint) from None
            raise
        if verdict.refuted and other is not None and _is_proved(program, sides[place], other):
            verdict = replace(verdict, diagnosis=r"it is right if \cdot is meant entry by entry; write \odot")
        yield Judgement(verdict)


def _is_proved(program: Program, head: t.Expression | t.Derivative, link: t.Expression) -> bool:
    """Whether an equation of whole tensors is proved."""
    try:
        return next(judge_matrix_claim(program, head, (link,))).proved
    except SymBackpropError:
        return False


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
        body = read_formula(statement.sides[1], vocabulary, dict.fromkeys(letters))
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


def _equation(statement: LatexStatement, vocabulary: Vocabulary) -> LatexStatement:
    """What a statement says is equal: of an update, what follows its new value; of `loss: x`, its label and x."""
    if statement.kind == "update" and _is_computed(statement, vocabulary):
        kind = "approximation" if statement.operators[-1] == r"\approx" else "equation"
        return replace(statement, kind=kind)
    if statement.kind == "expression" and statement.label:
        place = {"line": statement.line, "column": statement.column}
        label = Symbol(statement.label, (), "mathrm", **place)
        return replace(statement, kind="equation", sides=(label, *statement.sides), operators=("=",))
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
    return replace(statement, kind=kind, sides=statement.sides[1:], operators=statement.operators[1:])


def _is_computed(statement: LatexStatement, vocabulary: Vocabulary) -> bool:
    """Whether z = z + ... is said of what the program computes, which no step gives another value."""
    target, value = map(bare, statement.sides[:2])
    if statement.operators[0] != "=" or not isinstance(target, Scripts | Symbol) or not isinstance(value, Sum):
        return False
    if write_syntax(bare(value.parts[0])) != write_syntax(target):
        return False
    read = [reading.value for reading in find_readings(target, vocabulary)]
    tensors = [vocabulary.tensors[v.name] for v in read if isinstance(v, t.Name) and v.name in vocabulary.tensors]
    return bool(tensors) and not any(tensor.is_leaf for tensor in tensors)


def _links(layered: LayerStatement, claim: EntryClaim | MatrixClaim) -> list[Link]:
    """The links of an equation as they are written and understood, with the layer or the entry where it has several."""
    statement = layered.statement
    shown = layered.shown + (claim.shown if isinstance(claim, EntryClaim) else "")
    written = zip(pairwise(statement.sides), statement.operators, _texts(_trees_of(claim)), strict=True)
    return [
        Link(
            right.line or statement.line,
            text,
            f"{write_syntax(a)} {RELATIONS.get(sign, sign)} {write_syntax(right)}{shown}",
        )
        for (a, right), sign, text in written
    ]


def _texts(claim: t.Claim | MatrixClaim) -> list[str]:
    """The links of a claim as they were understood."""
    if isinstance(claim, MatrixClaim):
        return list(claim.texts)
    sides = [write_tree(side) for side in (claim.head, *claim.links)]
    texts = [f"{left} = {right}" for left, right in pairwise(sides)]
    return texts + ([f"{sides[-1]} ~ {claim.digits}"] if claim.digits is not None else [])


def _placed(error: SymBackpropError, line: int) -> SymBackpropError:
    """The error with its line, where it neither has one nor says it."""
    if getattr(error, "line", None) is not None:
        return error
    said = DocumentError(str(error))
    return said if said.line is not None else DocumentError(f"line {line}: {error}")


def _is_known(meaning: str, program: Program) -> bool:
    """Whether everything that a declared name stands for is there already."""
    known = {*program.tensors(), *program.size_names, *FUNCTION_BY_NAME, "adj"}
    bare = re.sub(r"\[[^\]]*\]", "", meaning)
    return set(re.findall(r"[A-Za-z][A-Za-z0-9_]*", bare)) <= known
