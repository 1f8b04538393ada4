"""A network drawn in Mermaid, its units as nodes and the paths of one derivative highlighted.

The units are the entries of the tensors that are neither parameters nor hidden. An entry that only feeds one other
entry, which itself reads nothing else, is drawn as one node with it: z3[1] and a3[1] are one neuron.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from symbackprop.calculus.indices import Affine, Index
from symbackprop.calculus.paths import Node, Path, PathFinder
from symbackprop.calculus.tensors import Role, Tensor

MOST_NODES = 120
"""A larger network is drawn by its highlighted paths alone."""


def draw_network(finder: PathFinder, paths: Sequence[Path]) -> str:
    """The Mermaid text of the network around `paths`."""
    on_paths = [path.nodes for path in paths]
    walked = dict.fromkeys(e for nodes in on_paths for e in itertools.pairwise(map(_key, nodes)))
    walked = dict.fromkeys(e for e in walked if not _is_parameter(finder, e[0]))
    edges = _edges(finder)
    if edges is None or not walked.keys() <= set(edges):  # too many units, or an entry of an axis without a number
        edges = list(walked)
    merged = _merge(edges)
    marked = {
        (merged.get(a, a), merged.get(b, b)) for nodes in on_paths for a, b in itertools.pairwise(map(_key, nodes))
    }
    drawn = list(dict.fromkeys((merged.get(a, a), merged.get(b, b)) for a, b in edges))
    drawn = [e for e in drawn if e[0] != e[1]]
    ends = [nodes[0] for nodes in on_paths[:1] if nodes[0].tensor.role is Role.PARAM]
    lines = ["graph LR"]
    names: dict[str, str] = {}
    for key in dict.fromkeys(k for edge in drawn for k in edge):
        names[key] = f"n{len(names) + 1}"
        lines.append(f'{names[key]}(("{key}"))')
    highlighted = []
    for number, (source, target) in enumerate(drawn):
        lines.append(f"{names[source]} --> {names[target]}")
        if (source, target) in marked:
            highlighted.append(number)
    for node in ends:
        first = merged.get(_key(on_paths[0][1]), _key(on_paths[0][1]))
        if first not in names:
            names[first] = f"n{len(names) + 1}"
            lines.append(f'{names[first]}(("{first}"))')
        lines.append(f'w["{_key(node)}"] -.-> {names[first]}')
        highlighted.append(len(drawn))
    if highlighted:
        lines.append(f"linkStyle {','.join(map(str, highlighted))} stroke:#d62728,stroke-width:3px")
    return "\n".join(lines)


def _key(node: Node) -> str:
    """What a node is called: its tensor and the entries that are numbers."""
    numbers = [str(form) for form in node.at if form.integer is not None]
    return node.tensor.name + (f"[{','.join(numbers)}]" if numbers else "")


def _is_parameter(finder: PathFinder, key: str) -> bool:
    return finder.program.tensor(key.split("[")[0]).role is Role.PARAM


def _edges(finder: PathFinder) -> list[tuple[str, str]] | None:
    """Every edge between units, or None where there are too many to draw."""
    units = [t for t in finder.program.tensors().values() if t.role not in (Role.PARAM, Role.CONST, Role.HIDDEN)]
    nodes: list[Node] = []
    for tensor in units:
        nodes += itertools.islice(_entries(tensor), MOST_NODES + 1)
        if len(nodes) > MOST_NODES:
            return None
    return list(dict.fromkeys((_key(node), _key(factor.of)) for node in nodes for factor, _ in finder.steps(node)))


def _entries(tensor: Tensor) -> Iterator[Node]:
    """The entries of a tensor; an axis of symbolic size counts as one."""
    ranges: list[list[Affine]] = []
    for number, axis in enumerate(tensor.axes):
        size = axis.integer
        ranges.append(
            [Affine.of(Index(f"n{number}", axis))] if size is None else [Affine.of(k) for k in range(1, size + 1)]
        )
    for at in itertools.product(*ranges):
        yield Node(tensor, at)


def _merge(edges: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Which entry is drawn as which: a sole feeder of an entry with no other feeder is drawn as that entry."""
    targets: dict[str, set[str]] = {}
    sources: dict[str, set[str]] = {}
    for a, b in edges:
        targets.setdefault(a, set()).add(b)
        sources.setdefault(b, set()).add(a)
    merged: dict[str, str] = {}
    for a, found in targets.items():
        b = min(found)
        if len(found) == 1 and len(sources[b]) == 1 and a in sources:
            merged[a] = b
    for a in list(merged):
        while merged[a] in merged:
            merged[a] = merged[merged[a]]
    return merged
