"""Writing: text that reads back as the tree it came from."""

from __future__ import annotations

import random
from dataclasses import dataclass
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbackprop.language.reader import read_expression, read_statements
from symbackprop.language.tree import (
    Access,
    And,
    Apply,
    Assume,
    Binder,
    Chain,
    Claim,
    Compare,
    Condition,
    Declaration,
    Define,
    Derivative,
    Entry,
    Expression,
    Name,
    Negate,
    Not,
    Number,
    Or,
    Power,
    Reduce,
    Statement,
    Where,
)
from symbackprop.language.writer import write_number, write_statements, write_tree

NAMES = ("a", "W1", "x_", "in2", "summed", "e5", "D", "expect", "not_", "argmaxi", "d")


@dataclass(frozen=True)
class TreeMaker:
    """Random trees of every node, from a seed that Hypothesis chooses."""

    chance: random.Random

    def name(self) -> str:
        return self.chance.choice(NAMES)

    def some(self, depth: int, least: int = 1) -> tuple[Expression, ...]:
        return tuple(self.expression(depth) for _ in range(self.chance.randint(least, 3)))

    def number(self) -> Number:
        return Number(Fraction(self.chance.randint(0, 40), 10 ** self.chance.randint(0, 4)))

    def binder(self, depth: int) -> Binder:
        return Binder(self.name(), self.chance.choice([None, self.expression(depth)]))

    def expression(self, depth: int) -> Expression:
        if depth == 0:
            return self.chance.choice([self.number(), Name(self.name()), Name("pi")])
        below = depth - 1
        level = self.chance.choice(["+-", ["*", "/", "//", "%"]])
        kind = self.chance.randrange(8)
        if kind == 0:
            operands = self.some(below, 2)
            return Chain(operands, tuple(self.chance.choice(level) for _ in operands[1:]))
        if kind == 1:
            return Power(self.expression(below), self.expression(below))
        if kind == 2:
            return Negate(self.expression(below))
        if kind == 3:
            return self.call(below)
        if kind == 4:
            return Access(self.name(), self.some(below))
        if kind == 5:
            return Entry(self.call(below), self.some(0))
        if kind == 6:
            binders = tuple(self.binder(below) for _ in range(self.chance.randint(1, 2)))
            return Reduce(self.chance.choice(["sum", "mean", "max", "min", "argmax"]), binders, self.expression(below))
        return Where(self.condition(2), self.expression(below), self.expression(below))

    def call(self, depth: int) -> Apply:
        return Apply(self.name(), self.some(depth), self.chance.random() < 0.3)

    def condition(self, depth: int) -> Condition:
        compare = Compare(
            self.chance.choice(["<", "<=", ">", ">=", "==", "!="]), self.expression(0), self.expression(0)
        )
        if depth == 0:
            return compare
        two = (self.condition(depth - 1), self.condition(depth - 1))
        return self.chance.choice([compare, Not(two[0]), And(two), Or(two)])

    def read(self) -> Name | Access:
        return self.chance.choice([Name(self.name()), Access(self.name(), self.some(0))])

    def statement(self) -> Statement:
        kind = self.chance.choice(["input", "param", "const", "index"])
        largest = self.expression(1) if kind == "index" else None
        tex = self.chance.choice([None, "\\hat y", "", "# {}"])
        axes = tuple(self.expression(2) for _ in range(self.chance.randint(0, 2)))
        head = self.chance.choice(
            [self.read(), Access(self.name(), (Binder(self.name(), self.expression(1)), self.number()))]
        )
        digits, refuted = self.chance.choice([None, "-2.04e-7", "3"]), self.chance.random() < 0.5
        claimed = self.chance.choice([self.expression(2), Derivative(self.read(), self.read())])
        return self.chance.choice(
            [
                Declaration(kind, self.name(), axes, tex, largest),
                Assume(Compare(self.chance.choice(["=", ">", "!="]), self.expression(2), self.expression(2))),
                Define(head, self.expression(3)),
                Claim(claimed, self.some(2), digits, refuted),
            ]
        )


UNHURRIED = settings(deadline=None, max_examples=150)


@UNHURRIED
@given(st.integers(0, 2**32))
def test_expression_survives_writing_and_reading(seed: int) -> None:
    """Every expression reads back equal from its own text."""
    tree = TreeMaker(random.Random(seed)).expression(3)
    assert read_expression(write_tree(tree)) == tree


@UNHURRIED
@given(st.integers(0, 2**32))
def test_program_survives_writing_and_reading(seed: int) -> None:
    """Every program reads back equal from its own text."""
    maker = TreeMaker(random.Random(seed))
    statements = tuple(maker.statement() for _ in range(4))
    assert read_statements(write_statements(statements)) == statements


@pytest.mark.parametrize(
    "text",
    [
        "a - (b - c)", "-x^2", "(-x)^2", "a^b^c", "(a^b)^c", "a/(b*c)", "a*(-b)", "2^(-x)", "sum(i, x[i]) + b",
        "W[k,d]*x[n,d]", "where(a > b and (b > c or not c > a), 1, 0)", "sigmoid'(u)", "x[2*p-1,i//2]", "inv(A)[i,j]",
        "mean(i:N, x[i])", "-sum(n, y[n])/N", "1e-5", "0.10", "(a > b)",
    ],
)  # fmt: skip
def test_plain_text_is_written_as_it_stood(text: str) -> None:
    """Text in plain form comes out unchanged, with no bracket more."""
    if text.startswith("(a > b"):
        text = "where((a) > (b), 1, 0)"
        assert write_tree(read_expression(text)) == "where(a > b, 1, 0)"
    else:
        assert write_tree(read_expression(text)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(Fraction(5), "5"), (Fraction(1, 10), "0.1"), (Fraction(3, 8), "0.375"), (Fraction(2, 3), "2/3")],
)
def test_number_is_written_exactly(value: Fraction, text: str) -> None:
    """A number is written by its finite decimals where it has them, else as a quotient."""
    assert write_number(value) == text
