"""Symbols as names and indices of the formula language, and the letters that a tree reads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from symbackprop.language import tree as t
from symbackprop.language.wording import fail
from symbackprop.notation.reading.syntax import Relation, Scripts, Symbol, Syntax, bare, write_syntax
from symbackprop.notation.reading.vocabulary import label_of, script_text

SPELLED = {
    "-": "_minus_", "+": "_plus_", "/": "_over_", ",": "_", " ": "", "{": "", "}": "", "_{": "_sub_", "^{": "_sup_",
}  # fmt: skip


def scalar_name(scripts: Scripts, symbol: Symbol) -> str:
    r"""The name of the formula language that a symbol without meaning gets.

    >>> scalar_name(Scripts(Symbol("y", ("hat",)), Symbol("n")), Symbol("y", ("hat",)))
    'yhat_n'
    """
    base = symbol.name.removeprefix("\\")
    base = {"varepsilon": "eps"}.get(base, base) + "".join(symbol.accents)
    label = label_of(scripts.above) if scripts.above is not None else None
    name = base
    if label is not None:
        text = _name_part(label)
        name += text if text.isdigit() else f"_sup_{text}"
    if scripts.below is not None:
        name += "_" + _name_part(scripts.below)
    name += "_prime" * scripts.primes
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) or name in t.RESERVED:
        shown = write_syntax(scripts) if scripts.below or scripts.above else write_syntax(symbol)
        raise fail(symbol, f"`{shown}`", "a name of letters and digits", "declare what it stands for")
    return name


def _name_part(script: Syntax) -> str:
    """A script as part of a name: two scripts that print differently are never one part."""
    text = re.sub(r"[-+/,{} ]|[_^]\{", lambda sign: SPELLED[sign.group()], script_text(script)).strip("_")
    if not re.fullmatch(r"[A-Za-z0-9_]+", text):
        raise fail(
            script,
            f"the script `{write_syntax(script)}`",
            "letters and digits",
            "declare what the name with it stands for",
        )
    return text


def index_letter(scripts: Scripts) -> str | None:
    """The index that a symbol without a subscript is."""
    symbol = bare(scripts.base)
    if not isinstance(symbol, Symbol) or symbol.accents or symbol.font or scripts.below is not None:
        return None
    name = symbol.name.removeprefix("\\")
    single = len(name) == 1 or symbol.name.startswith("\\")
    return name + "_prime" * scripts.primes if single and name.isalpha() and name != "infty" else None


def opened_product(tree: t.Expression) -> tuple[t.Expression, ...]:
    """The factors of a product without a division."""
    if isinstance(tree, t.Chain) and set(tree.operators) == {"*"}:
        return tree.operands
    return (tree,)


def free_letters(tree: t.Expression) -> Iterator[str]:
    """The letters in brackets that no sum in the tree binds."""
    waiting: list[tuple[t.Node, frozenset[str]]] = [(tree, frozenset())]
    while waiting:
        node, bound = waiting.pop()
        if isinstance(node, t.Reduce):
            bound |= {b.name for b in node.binders}
        if isinstance(node, t.Access):
            for part, _ in t.walk(node):
                if isinstance(part, t.Name) and part.name not in bound:
                    yield part.name
        waiting += [(child, bound) for child in t.children(node)]


def are_exhaustive(rows: Sequence[tuple[Syntax, ...]]) -> bool:
    """Whether of some conditions on the same two sides just one always holds: <, = and >, or >= and <."""
    alone = [bare(conditions[0]) for conditions in rows if len(conditions) == 1]
    relations = [each for each in alone if isinstance(each, Relation) and len(each.parts) == 2]
    if len(relations) != len(rows) or any(each.parts != relations[0].parts for each in relations):
        return False
    return sorted("".join(each.operators[0].replace("!=", "<>") for each in relations)) == ["<", "=", ">"]
