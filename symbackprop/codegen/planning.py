"""The plan of a program: its definitions in order, those that read themselves as loops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symbackprop.calculus.definitions import Definition
from symbackprop.calculus.diagonals import split_diagonals
from symbackprop.calculus.programs import Program
from symbackprop.calculus.recurrences import arrange, find_cycles
from symbackprop.codegen.loops import add_loop
from symbackprop.codegen.plan import PlanBuilder
from symbackprop.codegen.records import Plan
from symbackprop.codegen.stability import PeakDefinition, find_discarded, stabilise


def make_plan(program: Program, adjoints: Sequence[Definition], value: str, gradients: Mapping[str, str]) -> Plan:
    """The plan of the tensor `value` and of `gradients`: names of tensors, and of the adjoints that are theirs."""
    tensors = program.extended(tuple(adjoints)).tensors()
    builder = PlanBuilder()
    for tensor in program.leaves:
        builder.give(tensor)
    split = split_diagonals(adjoints, {*tensors, *program.size_names})
    everything = [d for group in arrange((*program.definitions, *split.definitions)) for d in group]
    cycles = find_cycles(everything)
    definitions = stabilise(everything)
    discarded = find_discarded(definitions, (value, *gradients.values()))
    waiting: list[Definition] = []
    for definition in definitions:
        name = definition.tensor.name
        if name not in cycles or isinstance(definition, PeakDefinition):
            builder.define(definition, name in discarded)
            continue
        waiting.append(definition)
        if len(waiting) == len(cycles[name]):
            add_loop(builder, waiting)
            waiting = []
    result = builder.output(value, tensors[value])
    outputs = tuple(builder.output(name, tensors[adjoint]) for name, adjoint in gradients.items())
    return builder.finish(result, outputs)
