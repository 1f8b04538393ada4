"""Scalar claims under assumed equations that fix no name: they are claims about a program that reads those names.

There an assumed equation is a rule for products and functions, such as exp(2 x) = 4 where exp(x) = 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from symbackprop.language import tree as t
from symbackprop.language.assembly import assemble
from symbackprop.proof.claims import judge_claims
from symbackprop.proof.verdict import Verdict


def judge_under_equations(left: t.Expression, right: t.Expression, assumed: Sequence[t.Compare]) -> Verdict:
    """The verdict on left = right, in which every name is a real scalar.

    >>> from symbackprop.language import read_expression
    >>> sides = [read_expression(text) for text in ("exp(2*x)", "4", "exp(x)", "2")]
    >>> print(judge_under_equations(sides[0], sides[1], [t.Compare("=", sides[2], sides[3])]))
    Proved for all real values, where exp(x) = 2.
    """
    nodes = (node for tree in (left, right, *assumed) for node, _ in t.walk(tree))
    names = dict.fromkeys(node.name for node in nodes if isinstance(node, t.Name) and node.name != "pi")
    statements = (*(t.Declaration("input", name) for name in names), *(t.Assume(each) for each in assumed))
    (judged,) = judge_claims(assemble(statements), [t.Claim(left, (right,))])
    return replace(judged.verdict, scope="all real values")
