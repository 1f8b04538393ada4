r"""Letters of sums whose reach is in doubt: behind the end of a sum, or behind a number below a name."""

from __future__ import annotations

from symbackprop.language import tree as t
from symbackprop.language.addends import free_letters
from symbackprop.notation.reading.letters import index_letter
from symbackprop.notation.reading.refusals import ambiguous
from symbackprop.notation.reading.syntax import (
    Beside,
    Numeral,
    Scripts,
    Sum,
    Symbol,
    Syntax,
    bare,
    walk_syntax,
    write_syntax,
)


def check_scopes(trees: tuple[t.Expression, ...], node: Syntax, every_name: bool) -> None:
    """An error where an index of a sum stands again in a later addend.

    Where every name is allowed the letter is looked for in what was written, because there it may be part of a name.
    """
    written = node.parts if every_name and isinstance(node, Sum) else ()
    bound: set[str] = set()
    for place, tree in enumerate(trees):
        own = {b.name for n, _ in t.walk(tree) if isinstance(n, t.Reduce) for b in n.binders}
        letters = free_letters(tree)
        if place < len(written):
            letters |= _letters(written[place]) - own
        again = sorted(bound & letters)
        if again:
            letter = again[0]
            raise ambiguous(node.line, node.column, f"the index {letter} behind the end of its sum",
                            (f"{letter} bound by the sum before it", f"another {letter}"),
                            "bracket what is summed, or use another letter")  # fmt: skip
        bound |= own


def _letters(node: Syntax) -> set[str]:
    found = {index_letter(Scripts(part)) for part in walk_syntax(node) if isinstance(part, Symbol)}
    return {letter for letter in found if letter is not None}


def check_numbered(parts: tuple[Syntax, ...], node: Syntax) -> None:
    """An error where a number stands before the letter of an index, and no rank says whether it is one of its own."""
    for part in map(bare, parts):
        numbers = [bare(p) for p in part.parts if isinstance(bare(p), Numeral)] if isinstance(part, Beside) else []
        if any(isinstance(number, Numeral) and number.text != "1" for number in numbers):
            apart = ",".join(write_syntax(p) for p in part.parts) if isinstance(part, Beside) else ""
            raise ambiguous(node.line, node.column, f"`{write_syntax(node)}`",
                            (f"the indices {apart}", f"the index {write_syntax(part)}"),
                            r"put commas between indices, or \cdot behind the number")  # fmt: skip
