"""Where the indices of a claim run: what it is about exists, and its ranges are of sizes that there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from symbackprop.calculus.indices import Affine, Index, compare_range, is_nonnegative
from symbackprop.calculus.programs import Program
from symbackprop.language import tree as t
from symbackprop.language.index_forms import read_size
from symbackprop.language.wording import fail
from symbackprop.language.writer import write_tree


def check_head(program: Program, head: t.Expression | t.Derivative, scope: Mapping[str, Index]) -> None:
    """FormulaError where a claim is about an entry that there is not for every index, as h[t+1] at the last step."""
    if not isinstance(head, t.Access) or head.name not in program.tensors():
        return
    for index, (start, size) in zip(head.indices, program.tensor(head.name).spans, strict=False):
        names = {part.name for part, _ in t.walk(index) if isinstance(part, t.Name)}
        if not isinstance(index, t.Chain) or not names <= {*scope, *program.size_names}:
            continue
        form = read_size(index).substitute({name: Affine.of(scope[name]) for name in names if name in scope})
        if compare_range(form, size, start) is not True:
            found = f"{write_tree(head)}, which is outside of {head.name} for some {', '.join(sorted(names))}"
            raise fail(head, found, f"an entry that there is for all, from {start} to {size + Affine.of(start - 1)}")


def ranges_below_zero(tree: t.Expression | None) -> Iterator[str]:
    """What sizes must be for written ranges to be none below zero: a sum over i:N-5 needs N - 5 >= 0, a mean >= 1."""
    for node, _ in t.walk(tree) if tree is not None else ():
        for binder in node.binders if isinstance(node, t.Reduce) else ():
            least = 0 if isinstance(node, t.Reduce) and node.operation == "sum" else 1
            if binder.range is not None and not is_nonnegative(read_size(binder.range) - Affine.of(least)):
                yield f"{write_tree(binder.range)} >= {least}"


def check_ranges(program: Program, tree: t.Expression) -> None:
    """FormulaError for a written range that reads anything but sizes of the program."""
    for binder, _ in t.walk(tree):
        if not isinstance(binder, t.Binder) or binder.range is None:
            continue
        for part, _ in t.walk(binder.range):
            if isinstance(part, t.Name) and part.name not in program.size_names:
                known = f"a size: {', '.join(program.size_names)}" if program.size_names else "a number"
                raise fail(part, f"the range {write_tree(binder.range)} of {binder.name}", known)
