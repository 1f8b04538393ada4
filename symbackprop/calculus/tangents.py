"""The chain rule in the other direction: how every tensor changes along a direction of what is given.

For every definition t[I] = e the tangent of t is

    tdot[I]  =  sum over the reads u[J] in e of  d e / d u[J] * udot[J].

No index equation is to be solved, since a tangent is read where its tensor is. The tangents of a program with its
adjoints are products of its Hessian with a vector.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import sympy

from symbackprop.calculus.axioms import dependencies
from symbackprop.calculus.chain import Adjoints, ChainStep, Contribution, between, partial
from symbackprop.calculus.definitions import Definition, make_term, slot_symbol
from symbackprop.calculus.indices import Affine, choose_name
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Read, Role, Tensor
from symbackprop.errors import UndefinedGradientError


@dataclass(frozen=True, slots=True)
class TangentStep(ChainStep):
    """The chain rule applied to the definition of `tensor`, giving its tangent, which is called `adjoint` here too."""


def derive_tangents(program: Program, numerator: str, wrt: Sequence[str], outputs: Sequence[str]) -> Adjoints:
    """The tangents of `outputs` along a direction of `wrt`, whose parts become inputs of the program.

    `numerator` is the value that is reported beside them.

    >>> from symbackprop.calculus.tensors import Role
    >>> w, loss = Tensor("w", (), Role.PARAM), Tensor("loss", (), Role.DEFINED)
    >>> square = Definition(loss, (), (make_term((), slot_symbol(0) ** 2, (Read(w, ()),)),))
    >>> (step,) = derive_tangents(Program((w,), (square,)), "loss", ("w",), ("loss",)).steps
    >>> step.adjoint.tensor.name, step.adjoint.terms[0].body
    ('loss_dot', 2*s0*s1)
    """
    tensors = program.tensors()
    for name in (*wrt, *outputs):
        if program.tensor(name).range is not None:
            raise UndefinedGradientError(f"{name} is an integer tensor: it has no tangent.")
    needed = frozenset[str]().union(*(between(program, output, wrt) for output in outputs))
    taken = set(tensors) | set(program.size_names)
    tangents: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if name in wrt or name in needed:
            role = Role.INPUT if name in wrt else Role.ADJOINT
            dotted = choose_name(f"{name}_dot", taken)
            taken.add(dotted)
            tangents[name] = replace(tensor, name=dotted, role=role, tex=None, numerator=name, denominator=None)
    leaves = tuple(tangents[name] for name in wrt)
    steps = [
        _tangent_of(definition, tangents)
        for definition in program.definitions
        if definition.tensor.name in needed and definition.tensor.name not in wrt
    ]
    made = {step.tensor for step in steps}
    for name in outputs:
        if name not in made and name not in wrt:
            zero = Definition(tangents[name], tangents[name].indices("ijkmnpqr"[: len(tangents[name].axes)]), ())
            steps.append(TangentStep(name, zero, ()))
    extended = replace(program, leaves=(*program.leaves, *leaves))
    names = tuple((name, tangent.name) for name, tangent in tangents.items())
    return Adjoints(extended, program.tensor(numerator), tuple(outputs), names, tuple(steps))


def _tangent_of(definition: Definition, tangents: dict[str, Tensor]) -> TangentStep:
    contributions, terms = [], []
    for source, number, slot, read in dependencies(definition):
        tangent = tangents.get(read.tensor.name)
        if tangent is None:
            continue
        term = source.terms[number]
        derivative = partial(term.body, slot)
        body = _times(derivative, slot_symbol(len(term.slots)))
        result = make_term(term.bound, body, (*term.slots, Read(tangent, read.at)), term.guards)
        contributions.append(Contribution(definition.tensor.name, number, slot, derivative, result))
        terms += [result] if result is not None else []
    tensor = tangents[definition.tensor.name]
    return TangentStep(
        definition.tensor.name, Definition(tensor, definition.indices, tuple(terms)), tuple(contributions)
    )


def _times(derivative: sympy.Expr, tangent: sympy.Symbol) -> sympy.Expr:
    """The product, inside the branches of a `where`, so that a tangent without a value does no harm in a branch that
    is not taken.
    """
    factors = sympy.Mul.make_args(derivative)
    found = next((f for f in factors if isinstance(f, sympy.Piecewise)), None)
    if found is None:
        return derivative * tangent
    others = sympy.Mul(*(f for f in factors if f is not found), tangent)
    return sympy.Piecewise(*((value * others, condition) for value, condition in found.args))


def weigh(program: Program, name: str) -> tuple[Program, str]:
    """The program with the sum of the entries of a tensor, each times that of a new input, and the name of the sum."""
    tensor = program.tensor(name)
    taken = set(program.tensors()) | set(program.size_names)
    cotangent = replace(tensor, name=choose_name(f"{name}_cotangent", taken), role=Role.INPUT, tex=None)
    total = Tensor(choose_name(f"{name}_product", taken), (), Role.DEFINED)
    indices = tensor.indices("ijkmnpqr"[: len(tensor.axes)])
    at = tuple(map(Affine.of, indices))
    term = make_term(indices, slot_symbol(0) * slot_symbol(1), (Read(cotangent, at), Read(tensor, at)))
    made = Definition(total, (), (term,) if term is not None else ())
    weighed = replace(program, definitions=(*program.definitions, made), loss=total.name)
    return replace(weighed, leaves=(*program.leaves, cotangent)), total.name
