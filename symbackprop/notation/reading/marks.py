r"""What stands above a name that nobody declared: a power, the mark of a layer, or what people read as both.

A mark in brackets is a letter, a word or a number, or a letter plus or minus a number: W^{(l+1)}, a^{[L-1]}. Anything
else in brackets may be a power as well, and a bare layer, \delta_j^l, looks like one.
"""

from __future__ import annotations

from symbackprop.language.wording import fail
from symbackprop.notation.reading.refusals import AmbiguousFormulaError, ambiguous
from symbackprop.notation.reading.syntax import Beside, Group, Numeral, Scripts, Sum, Symbol, Syntax, bare, write_syntax
from symbackprop.notation.reading.vocabulary import Vocabulary, label_of

LAYERS = ("l", "L", r"\ell")
"""The letters of layers, which no text raises a number to."""
COUNTED = ("i", "j", "k", "m", "n", "t", *LAYERS)
"""The letters that count samples, units, steps or layers."""


def check_above(scripts: Scripts, symbol: Symbol, vocabulary: Vocabulary) -> None:
    """An error where a symbol without meaning is the sign of an operation, or what stands above it has two readings."""
    if symbol.name in (r"\star", r"\top", r"\intercal"):
        raise fail(symbol, f"`{symbol.name}` by itself", "a formula", "as a mark it stands above a name")
    if scripts.above is None:
        return
    if symbol == Symbol("i") and scripts.below is None and label_of(scripts.above) is None:
        raise _doubtful_unit(symbol, write_syntax(scripts))
    above = bare(scripts.above)
    label = label_of(above)
    if label is not None:
        if not is_mark(label):
            hint = f"write {_base_of(scripts)}^{{{write_syntax(label)}}} for the power"
            raise _doubtful(scripts, ("a power", "a layer or a sample"), f"{hint}, or declare the name with its mark")
        return
    letter = _letter_of(above)
    if letter is None or vocabulary.find(letter) or not _is_counted(scripts, letter):
        return
    mark = write_syntax(above)
    raise _doubtful(scripts, ("a power", "a layer, a sample or a step"),
                    rf"write ({_base_of(scripts)})^{{{mark}}} for the power, ^{{({mark})}} for the mark")  # fmt: skip


def check_marked(node: Syntax, above: Syntax) -> None:
    """AmbiguousFormulaError where what stands above a name begins with a mark in brackets, as in a^{(1)^2}."""
    symbol = bare(node.base) if isinstance(node, Scripts) else None
    inner = bare(above)
    first = bare(inner.parts[0] if isinstance(inner, Beside) else inner.base if isinstance(inner, Scripts) else inner)
    if not isinstance(symbol, Symbol) or not _is_marked(first):
        return
    if first is inner:
        raise _doubtful(node, ("a power", "a sample or a batch"), "write powers without brackets")
    two = (f"{write_syntax(first)} as a layer, with more behind it", "a power")
    raise _doubtful(node, two, "bracket the name with its layer, or the power as a whole")


def is_mark(label: Syntax) -> bool:
    """Whether what stands in brackets above a name can be nothing but its mark: l, 2, new, l+1, L-1."""
    node = bare(label)
    if isinstance(node, Symbol) or (isinstance(node, Numeral) and node.text.isdigit()):
        return True
    return _shifted(node) is not None


def check_imaginary(node: Syntax, letters: frozenset[str], vocabulary: Vocabulary) -> None:
    r"""AmbiguousFormulaError where an exponent holds the letter i, which no index is: e^{i\pi}."""
    if not vocabulary.open or "i" in letters or vocabulary.find(Symbol("i")):
        return
    waiting = [node]
    while waiting:
        part = bare(waiting.pop())
        if isinstance(part, Group | Sum | Beside):
            waiting += part.parts
        elif part == Symbol("i"):
            raise _doubtful_unit(part, write_syntax(node))


def _doubtful_unit(node: Syntax, shown: str) -> AmbiguousFormulaError:
    """The error for the letter i where it may be a root of -1."""
    return ambiguous(node.line, node.column, f"`i` in `{shown}`", ("the imaginary unit", "a real number named i"),
                     "declare i; complex numbers are not read")  # fmt: skip


def _is_marked(node: Syntax) -> bool:
    bracketed = isinstance(node, Group) and node.opened in ("(", "[", r"\{")
    return bracketed and isinstance(node, Group) and len(node.parts) == 1 and is_mark(node.parts[0])


def _shifted(node: Syntax) -> Symbol | None:
    """The letter of a letter plus or minus a number."""
    if not isinstance(node, Sum) or len(node.parts) != 2 or node.signs[0]:
        return None
    first, second = map(bare, node.parts)
    return first if isinstance(first, Symbol) and isinstance(second, Numeral) and second.text.isdigit() else None


def _letter_of(above: Syntax) -> Symbol | None:
    found = above if isinstance(above, Symbol) else _shifted(above)
    return found if found is not None and not (found.accents or found.font) else None


def _is_counted(scripts: Scripts, letter: Symbol) -> bool:
    """Whether a letter above is that of a layer, or stands above a name that has an index below."""
    if letter.name in LAYERS:
        return True
    below = bare(scripts.below) if scripts.below is not None else None
    parts = below.parts if isinstance(below, Beside | Group) else (below,)
    letters = [part for part in map(bare, filter(None, parts)) if isinstance(part, Symbol) and len(part.name) == 1]
    words = isinstance(below, Beside) and len(letters) > 2
    return letter.name in COUNTED and bool(letters) and not words


def _base_of(scripts: Scripts) -> str:
    return write_syntax(scripts.base if scripts.below is None else Scripts(scripts.base, scripts.below))


def _doubtful(node: Syntax, readings: tuple[str, ...], instead: str) -> AmbiguousFormulaError:
    return ambiguous(node.line, node.column, f"`{write_syntax(node)}`", readings, instead)
