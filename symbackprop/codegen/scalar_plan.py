"""What straight-line code is written from: the entries of a program at given sizes as nodes, in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symbackprop.calculus.definitions import Definition
from symbackprop.calculus.expansion import entries_of
from symbackprop.calculus.programs import Program
from symbackprop.calculus.recurrences import arrange
from symbackprop.calculus.tensors import Role, Tensor
from symbackprop.codegen.identifiers import RESERVED, mangle
from symbackprop.codegen.scalar_nodes import Nodes
from symbackprop.codegen.stability import stabilise
from symbackprop.codegen.unrolling import Key, Unroller


@dataclass(frozen=True, slots=True)
class Block:
    """The entries of a tensor in row-major order, with the shape that they have together.

    A parameter `moves`: a gradient step changes it.
    """

    name: str
    shape: tuple[int, ...]
    nodes: tuple[int, ...]
    moves: bool


@dataclass(frozen=True, slots=True)
class ScalarPlan:
    """Nodes, the arrays that are given and returned, and the entries of definitions in the order of their making.

    `forward` and `backward` hold the entries that the value needs, and those that the gradients need beside them, as
    (tensor, identifier, node). `taken` are the identifiers in use.
    """

    nodes: Nodes
    given: tuple[Block, ...]
    forward: tuple[tuple[str, str, int], ...]
    backward: tuple[tuple[str, str, int], ...]
    value: Block
    gradients: tuple[Block, ...]
    taken: frozenset[str]


def make_scalar_plan(
    program: Program,
    adjoints: Sequence[Definition],
    value: str,
    gradients: Mapping[str, str],
    sizes: Mapping[str, int],
) -> ScalarPlan:
    """The plan of the tensor `value` and of `gradients`, the names of tensors and of the adjoints that are theirs."""
    everything = [d for group in arrange((*program.definitions, *adjoints)) for d in group]
    definitions = stabilise(everything)
    arrays = sorted(program.leaves, key=lambda t: t.role is not Role.PARAM)
    leaves = [(t.name, entry) for t in arrays for entry in entries_of(t, sizes)]
    made = [(d.tensor.name, entry) for d in definitions for entry in entries_of(d.tensor, sizes)]
    names = mangle(dict.fromkeys(_show(key) for key in (*leaves, *made)))
    nodes = Nodes()
    given = {key: nodes.name(names[_show(key)]) for key in leaves}
    unroller = Unroller(nodes, given, {t.name: t for t in program.leaves}, definitions, sizes)
    unroller.run()
    tensors = program.extended(tuple(adjoints)).tensors()

    def block(name: str, tensor: Tensor) -> Block:
        values = dict(sizes.items())
        found = tuple(unroller.entries[tensor.name, entry] for entry in entries_of(tensor, sizes))
        return Block(name, tuple(size.evaluate(values) for size in tensor.shape), found, tensor.role is Role.PARAM)

    result = block(value, tensors[value])
    outputs = tuple(block(name, tensors[adjoint]) for name, adjoint in gradients.items())
    forward = reach_nodes(nodes, result.nodes)
    both = reach_nodes(nodes, [n for output in (result, *outputs) for n in output.nodes])
    ordered = [(key[0], names[_show(key)], unroller.entries[key]) for key in unroller.order]
    return ScalarPlan(
        nodes,
        tuple(block(t.name, t) for t in arrays),
        tuple(step for step in ordered if step[2] in forward),
        tuple(step for step in ordered if step[2] in both - forward),
        result,
        outputs,
        frozenset(names.values()) | RESERVED,
    )


def reach_nodes(nodes: Nodes, roots: Sequence[int]) -> frozenset[int]:
    """The nodes that the roots need, themselves included."""
    found = set(roots)
    waiting = list(found)
    while waiting:
        new = set(nodes.made[waiting.pop()].parts) - found
        found |= new
        waiting += new
    return frozenset(found)


def _show(key: Key) -> str:
    """An entry as W[1,2]; a scalar is its name."""
    name, entry = key
    return f"{name}[{','.join(map(str, entry))}]" if entry else name
