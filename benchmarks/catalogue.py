"""The layers of the catalogue: time to derive, length of what is printed, operations against the textbook's form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import prod

import sympy

import symbackprop as sb
from benchmarks.contest import measure, write_table, write_time
from symbackprop.calculus.definitions import Definition, Term, slot_symbol
from symbackprop.calculus.guards import Equal
from symbackprop.calculus.tensors import slot_indices

SIZE = 64  # of every axis that has a name
ROUNDS = 5

# What a textbook writes for the gradients, in the names of the entry; each line is judged before it is counted.
TEXTBOOK: Mapping[str, Mapping[str, str]] = {
    "dense": {
        "x[n,j]": "sum(i, g[n,i]*W[i,j])",
        "W[i,j]": "sum(n, g[n,i]*x[n,j])",
        "b[i]": "sum(n, g[n,i])",
    },
    "softmax": {"x[n,i]": "z[n,i]*(g[n,i] - sum(j, g[n,j]*z[n,j]))"},
    "log_softmax": {"x[n,i]": "g[n,i] - exp(z[n,i])*sum(j, g[n,j])"},
}


def count_operations(definitions: Iterable[Definition], sizes: Mapping[str, int]) -> int:
    """Additions, multiplications and functions of definitions that are evaluated once each, entry by entry.

    An equation between indices picks one place and costs nothing, as where one entry of a table is read.
    """
    return sum(_count(d, t, sizes) for d in definitions for t in d.terms)


def _count(definition: Definition, term: Term, sizes: Mapping[str, int]) -> int:
    runs = {index: index.size.evaluate(sizes) for index in (*definition.indices, *term.bound)}
    for guard in term.guards:
        if isinstance(guard, Equal):
            solved = [index for index in term.bound if index in guard.form.indices and runs[index] > 1]
            runs[solved[0] if solved else definition.indices[0]] = 1
    inner, outer = _split(term)
    each = prod(runs[index] for index in definition.indices)
    within = prod(runs[index] for index in term.bound)
    joined = 1 if len(definition.terms) > 1 else 0
    return each * (within * (int(inner.count_ops()) + (1 if term.bound else 0)) + int(outer.count_ops()) + joined)


def _split(term: Term) -> tuple[sympy.Expr, sympy.Expr]:
    """The factors of a body that a sum has to run over, and those that stand before it."""
    moving = {slot_symbol(k) for k, slot in enumerate(term.slots) if set(slot_indices(slot)) & set(term.bound)}
    outer, inner = term.body.as_independent(*moving) if term.bound else (sympy.S.One, term.body)
    return inner, outer if outer in (1, -1) else 2 * outer  # and the product of both


def count_textbook(entry: sb.Entry, sizes: Mapping[str, int]) -> int | None:
    """The operations of the textbook's lines; None where we wrote none down, ValueError where one is not proved."""
    if entry.name not in TEXTBOOK:
        return None
    lines = TEXTBOOK[entry.name]
    for head, formula in lines.items():
        verdict = sb.verify_gradient(entry.program, head, formula)
        if not verdict.proved:
            raise ValueError(f"{entry.name}: {head} is {verdict}")
    known = len(entry.program.core.definitions)
    text = entry.program.text().replace("loss =", "unused =")
    heads = [f"textbook{k}[{head.split('[')[1]}" for k, head in enumerate(lines)]
    written = "".join(f"{head} = {formula}\n" for head, formula in zip(heads, lines.values(), strict=True))
    return count_operations(sb.parse(text + written).core.definitions[known:], sizes)


def report() -> str:
    """A row for each layer."""
    rows = []
    for entry in sb.catalogue():
        if entry.kind != "layer":
            continue
        program, wrt = entry.program, list(entry.derivation.gradients)
        seconds = measure({"derive": lambda p=program, w=wrt: sb.derive(p, w).text()}, ROUNDS)["derive"]
        sizes = dict.fromkeys(entry.sizes[0], SIZE)
        mine, textbook = count_operations(entry.derivation.folding.definitions, sizes), count_textbook(entry, sizes)
        lines = entry.derivation.latex("matrix").count("\\\\") + 1
        ratio = "-" if textbook is None else f"{mine / textbook:.2f}"
        rows.append((entry.name, write_time(seconds), str(lines), f"{mine:.3g}", ratio))
    head = ("layer", "derived, folded, printed", "lines in matrix notation", "operations backward", "of the textbook's")
    return (
        "## Layers of the catalogue\n\n"
        f"Operations of the derived backward pass with {SIZE} for every size that has a name, counted as its formulas\n"
        "say them, against the textbook's lines, which are proved equal before they are counted.\n\n"
        f"{write_table(head, rows)}\n"
    )
