"""A claim that is right for another function of the catalogue than the one that the program applies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from symbackprop.calculus.chain import derive
from symbackprop.calculus.paths import instantiate
from symbackprop.errors import SymBackpropError
from symbackprop.functions import FUNCTION_BY_NAME
from symbackprop.language import tree as t
from symbackprop.language.assembly import assemble
from symbackprop.language.program_text import write_program
from symbackprop.language.reader import read_statements
from symbackprop.proof.ingredients import list_functions
from symbackprop.proof.trials import Trial, agree

MOST_DEFINITIONS = 60
"""A program with more is not derived anew for every function."""


def list_other_functions(trial: Trial) -> Iterator[str]:
    """Functions for which the claim would be right."""
    q = trial.question
    if q.asked is not None:
        yield from _of_formula(trial, q.asked)
    elif q.adjoints is not None and len(q.forward.definitions) <= MOST_DEFINITIONS:
        yield from _of_program(trial)


def _of_formula(trial: Trial, asked: t.Expression) -> Iterator[str]:
    """A formula that names the function that is meant, such as gelu_tanh'(u)."""
    for name in list_functions(asked):
        for other in _others(name):
            changed = _apply_instead(asked, name, other)
            numbers = trial.numbers_of(changed)
            if numbers is None or not agree(numbers, trial.claimed):
                continue
            made = trial.read(changed)
            if made is not None and trial.is_claim(*made):
                yield _say(name, other)


def _of_program(trial: Trial) -> Iterator[str]:
    """A derivative in a program that applies another function."""
    q = trial.question
    statements = tuple(read_statements(write_program(q.forward)))
    bodies = [s.body for s in statements if isinstance(s, t.Define)]
    for name in dict.fromkeys(f for body in bodies for f in list_functions(body)):
        for other in _others(name):
            trial.count_step()
            if _is_right_for(trial, tuple(_in_statement(s, name, other) for s in statements)):
                yield _say(name, other)


def _is_right_for(trial: Trial, statements: tuple[t.Statement, ...]) -> bool:
    """Whether the claim is the derivative that another program has."""
    q = trial.question
    assert q.adjoints is not None
    assert q.wrt is not None
    try:
        program = assemble(statements)
        adjoints = derive(program, q.adjoints.numerator.name, (q.wrt.name,))
        extended = program.extended(adjoints.definitions)
        claimed = trial.read(q.tree, extended)
    except SymBackpropError:
        return False
    if claimed is None:
        return False
    left = replace(q.left, terms=instantiate(adjoints.gradient(q.wrt.name), q.at))
    return trial.agree_in(extended.extended(claimed[1]), left, replace(claimed[0], indices=left.indices))


def _others(name: str) -> Iterator[str]:
    """The functions of as many arguments."""
    arity = FUNCTION_BY_NAME[name].arity
    yield from (f.name for f in FUNCTION_BY_NAME.values() if f.name != name and f.arity == arity)


def _in_statement(statement: t.Statement, name: str, other: str) -> t.Statement:
    if not isinstance(statement, t.Define):
        return statement
    return replace(statement, body=_apply_instead(statement.body, name, other))


def _apply_instead(tree: t.Expression, name: str, other: str) -> t.Expression:
    """The formula with one function applied in place of another."""

    def change(node: t.Node) -> t.Node:
        changed = t.map_children(node, change)
        if isinstance(changed, t.Apply) and changed.function == name and len(changed.arguments) == 1:
            return replace(changed, function=other)
        return changed

    made = change(tree)
    assert isinstance(made, t.Expression)
    return made


def _say(name: str, other: str) -> str:
    return f"the claim is right for {other}, not for {name}"
