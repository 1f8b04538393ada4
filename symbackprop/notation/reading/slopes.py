"""Formulas derived by a name that they read, by the chain rule of the engine."""

from __future__ import annotations

from symbackprop.calculus.chain import derive
from symbackprop.calculus.folding import fold
from symbackprop.calculus.indices import choose_name
from symbackprop.language import tree as t
from symbackprop.language.assembly import assemble
from symbackprop.language.phrasing import hidden_definitions, phrase_terms
from symbackprop.language.substitution import substitute_names


def find_slope(body: t.Expression, by: str) -> t.Expression:
    """The derivative of a scalar formula by one of its names, all others being constant; it is defined where that is.

    >>> from symbackprop.language import read_expression, write_tree
    >>> write_tree(find_slope(read_expression("a*x^2"), "x"))
    '2*a*x'
    """
    read = dict.fromkeys(n.name for n, _ in t.walk(body) if isinstance(n, t.Name) and n.name != "pi")
    value = choose_name("value", {*read, by})
    inputs = tuple(t.Declaration("input", name) for name in read if name != by)
    program = assemble((t.Declaration("param", by), *inputs, t.Define(t.Name(value), body)))
    derived = derive(program, value, (by,))
    folded = fold(derived, ())
    name = derived.adjoint_name(by)
    found = next((d for d in folded.definitions if d.tensor.name == name), derived.gradient(by))
    adjoints = {d.tensor.name: d for d in folded.definitions if d.tensor.name != name}  # none has a name to read
    slope = phrase_terms(found.terms, found.indices, {**hidden_definitions(program), **adjoints})
    # A fold may speak of the value itself, as sigmoid' does.
    found_slope = substitute_names(slope, {value: body})
    return t.Slope(found_slope, body) if any(d.domain for d in program.definitions) else found_slope
