r"""What the symbols of a formula stand for: declared names, the tensors and sizes of a program, functions.

A tensor can be written as the writers print it (`W^{(1)}`, `\hat{y}`), as `as` says, by its own name (`W_1`,
`\mathrm{loss}`), and with square brackets for layers. What is declared goes before what is known. Of two names that may
be written so the one goes first that is spelt exactly, `W_1` before `W1`; else nothing is chosen between two names of
one rank: both readings are kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Role, Tensor
from symbackprop.errors import ArgumentError, FormulaError
from symbackprop.functions import FUNCTION_BY_NAME
from symbackprop.language import read_expression
from symbackprop.language import tree as t
from symbackprop.notation.reading.commands import ACCENTS
from symbackprop.notation.reading.grammar import read_syntax
from symbackprop.notation.reading.refusals import ambiguous
from symbackprop.notation.reading.syntax import Beside, Group, Scripts, Symbol, Syntax, bare, write_syntax
from symbackprop.notation.writing.names import FORMS, choose_names, default_symbol, small_symbol

COMMANDS = {
    r"\log": "log", r"\ln": "log", r"\exp": "exp", r"\sin": "sin", r"\cos": "cos", r"\tan": "tan", r"\tanh": "tanh",
    r"\sinh": "sinh", r"\cosh": "cosh", r"\erf": "erf", r"\sign": "sign", r"\cot": "cot", r"\sec": "sec",
    r"\csc": "csc", r"\coth": "coth",
}  # fmt: skip
WORDS = {name.replace("_", ""): name for name in FUNCTION_BY_NAME} | {
    "sgn": "sign", "ln": "log", "swish": "silu", "max": "maximum", "min": "minimum", "id": "identity",
}  # fmt: skip
QUOTIENTS = {
    "sec": ("", "cos"), "csc": ("", "sin"), "cot": ("cos", "sin"), "sech": ("", "cosh"), "csch": ("", "sinh"),
    "coth": ("cosh", "sinh"),
}  # fmt: skip
"""Functions that are quotients of those of the catalogue, one of which is 1 where nothing stands."""
VARIANTS = {tuple(name.split("_")): name for name in FUNCTION_BY_NAME if name.count("_") == 1}
"""Functions that are written with a subscript, such as GELU with tanh below."""
LOSSES = (
    "L", r"\ell", "J", "C", "E", "loss", "Loss",
    r"\mathcal{L}", r"\mathcal{J}", r"\mathcal{C}", r"\mathcal{E}",
)  # fmt: skip
OTHER_FORM = FORMS | {form: letter for letter, form in FORMS.items()}
"""Letters of two forms, which are one letter to most."""
NUMBER_PI = t.Name("pi")
DECLARED, WRITTEN, NAMED, DERIVED = range(4)
"""Where a name comes from, the first ones going before the later ones."""
ADJOINT = "adj"
MARKS = ("kronecker", ADJOINT)
"""What a letter may be declared to stand for besides names and functions."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One way of writing a name; `label` stands in brackets above it, `below` below, and `value` is what it means."""

    name: str
    accents: tuple[str, ...]
    font: str
    label: str
    below: str
    primes: int
    rank: int
    value: t.Expression
    origin: int


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names that formulas may use; `open` ones take every symbol for a real scalar of its own name.

    The tensors in `behind` have their samples, which stand in brackets above, as the last index and not as the first.
    A `rival` is a scalar that may be meant by the loss instead.
    `arguments` are the tensors that a document's own functions take, by how these are written.
    """

    entries: tuple[Entry, ...] = ()
    functions: Mapping[str, str] = field(default_factory=dict)
    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    sizes: tuple[str, ...] = ()
    loss: str | None = None
    open: bool = True
    behind: frozenset[str] = frozenset()
    program: Program | None = field(default=None, repr=False, compare=False)
    rival: str | None = None
    arguments: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def find(self, symbol: Symbol, primes: int = 0) -> tuple[Entry, ...]:
        """The entries that a symbol may be, those of the first origin that has any; a font is as good as none."""
        fits = [e for e in self.entries if (e.name, e.accents, e.primes) == (symbol.name, symbol.accents, primes)]
        exact = [e for e in fits if e.font == symbol.font]
        return tuple(sorted(exact or (e for e in fits if not e.font), key=lambda e: e.origin))

    def letter(self, symbol: Symbol) -> str:
        r"""The letter that a symbol is: of \epsilon and \varepsilon one where both mean the same names."""
        other = replace(symbol, name=OTHER_FORM.get(symbol.name, symbol.name))
        one, two = ({e.value for e in x if e.origin == x[0].origin} for x in map(self.find, (symbol, other)))
        return min(symbol.name, other.name) if one and one == two else symbol.name

    def function(self, symbol: Symbol, primes: int = 0) -> str | None:
        """The function of the catalogue that a symbol is, whatever else it may be."""
        for shown in dict.fromkeys((write_syntax(symbol) + "'" * primes, write_syntax(symbol))):
            if self.functions.get(shown, ADJOINT) not in MARKS:
                return self.functions[shown]
        if symbol.accents or symbol.font not in ("", "mathrm"):
            return None
        if symbol.name in COMMANDS:
            return COMMANDS[symbol.name]
        if symbol.name in QUOTIENTS:
            return None if self.find(symbol) else symbol.name
        known = WORDS.get(symbol.name.lower().replace("-", "")) if len(symbol.name) > 1 else None
        return known if known is None or symbol.name[0] != "\\" else None

    def is_loss(self, node: Syntax) -> bool:
        """Whether a part is the loss, by a name of its own or by one that textbooks give it and nothing else has."""
        inner = bare(node)
        if self.loss is None or not isinstance(inner, Symbol):
            return False
        entries, shown = self.find(inner), write_syntax(inner)
        own = all(entry.value == t.Name(self.loss) and not (entry.label or entry.below) for entry in entries)
        if entries and not own and shown in LOSSES and inner.font and not any(e.font == inner.font for e in entries):
            raise ambiguous(inner.line, inner.column, f"`{shown}` of a program with {inner.name}",
                            (f"the loss {self.loss}", f"{inner.name}, in another font"),
                            f"declare which it is: names {shown} = {self.loss}, or {shown} = {inner.name}")  # fmt: skip
        if not entries:
            small = inner.name.lower().removeprefix(r"\el")
            if shown in LOSSES and not inner.font and small in self.tensors and small != self.loss:
                raise ambiguous(inner.line, inner.column, f"`{shown}` of a program with {small}",
                                (f"the loss {self.loss}", f"{small}, another letter"),
                                f"declare which it is: names {shown} = {self.loss}, or {shown} = {small}")  # fmt: skip
            if shown in LOSSES and self.rival is not None:
                raise ambiguous(inner.line, inner.column, f"`{shown}` of a program with {self.rival} and {self.loss}",
                                (self.rival, f"{self.loss}, its last scalar"),
                                f"call one of them loss, or declare names {shown} = {self.rival}")  # fmt: skip
            return shown in LOSSES
        return own

    def made_of(self, names: Iterable[str]) -> frozenset[str]:
        """The tensors with everything that they are made of."""
        return self.program.sources(names) if self.program is not None else frozenset()

    @property
    def known(self) -> str:
        """The names that there are, for messages."""
        shown = dict.fromkeys(show_entry(entry) for entry in self.entries if entry.origin != DERIVED)
        return ", ".join(list(shown)[:24]) or "none"


def make_vocabulary(program: Program | None = None, names: Mapping[str, str] | None = None) -> Vocabulary:
    r"""The vocabulary of a program, or of real scalars where there is none, and of declared names.

    `names` maps LaTeX to what it stands for: a tensor, a size, an entry such as `W3[1,1]`, `adj(z)`, a function, or
    `adj` for a letter that marks the adjoints of the names behind it.

    >>> vocabulary = make_vocabulary(None, {"S": "sigmoid", r"\hat y": "a2"})
    >>> vocabulary.functions["S"], vocabulary.entries[0].value.name
    ('sigmoid', 'a2')
    """
    every = program.tensors() if program is not None else {}
    derived = {x.denominator for x in every.values()}
    tensors = {n: x for n, x in every.items() if x.role is not Role.HIDDEN or n in derived}
    sizes = tuple(program.size_names) if program is not None else ()
    functions: dict[str, str] = {}
    entries: list[Entry] = []
    rival: str | None = None
    for written, meaning in (names or {}).items():
        symbol, label, below, primes = read_name(written)
        meaning = meaning.strip()
        if meaning in (*FUNCTION_BY_NAME, *MARKS) and meaning not in tensors:
            functions[_shape(symbol, label, below) + "'" * primes] = meaning
            continue
        value = _read_meaning(written, meaning, tensors, sizes, program is None)
        read = value.arguments[0] if isinstance(value, t.Apply) else value
        rank = len(tensors[read.name].axes) if isinstance(read, t.Name) and read.name in tensors else 0
        entries.append(Entry(symbol.name, symbol.accents, symbol.font, label, below, primes, rank, value, DECLARED))
    if program is not None:
        rival = _find_rival(program)
        entries += _exact_first([*_program_entries(program, tensors, sizes, rival)], tensors)
    made = Vocabulary(tuple(dict.fromkeys(entries)), functions, tensors, sizes, open=program is None, program=program)
    if program is None or program.loss is None:
        return made
    return replace(made, loss=program.loss, rival=rival)


def read_names(text: str) -> dict[str, str]:
    r"""Declared names: `\hat y = a4, S = sigmoid`; commas inside brackets do not separate.

    >>> read_names(r"\hat y = a4, w_{311} = W3[1,1]")
    {'\\hat y': 'a4', 'w_{311}': 'W3[1,1]'}
    """
    found: dict[str, str] = {}
    depth, start = 0, 0
    for place, letter in enumerate(text + ","):
        depth += {"{": 1, "[": 1, "(": 1, "}": -1, "]": -1, ")": -1}.get(letter, 0)
        if letter != "," or depth:
            continue
        written, equals, meaning = text[start:place].partition("=")
        start = place + 1
        if not (written.strip() and equals and meaning.strip()):
            raise FormulaError(
                rf"found `{text[:place].strip()}`, expected names such as \hat y = a4, S = sigmoid",
                found=text[:place].strip(), expected="a name, =, and what it stands for",
            )  # fmt: skip
        found[written.strip()] = meaning.strip()
    return found


def read_name(written: str) -> tuple[Symbol, str, str, int]:
    r"""A name in LaTeX as its symbol, its label above, what stands below it, and its primes.

    What stands above without brackets is kept with its mark, so that W^1 and W^{(1)} are two names.

    >>> read_name("W^{[2]}")[1], read_name(r"x_{\text{new}}")[2]
    ('2', 'new')
    """
    node = bare(read_syntax(written))
    scripts = node if isinstance(node, Scripts) else Scripts(node)
    base, label = bare(scripts.base), ""
    if scripts.above is not None:
        found = label_of(scripts.above)
        label = script_text(found) if found is not None else f"^{write_syntax(bare(scripts.above))}"
    if not isinstance(base, Symbol):
        raise FormulaError(
            rf"found `{written}`, expected a name such as \hat y, W^{{(2)}} or x_{{new}}", found=written,
            expected="a name",
        )  # fmt: skip
    return base, label, script_text(scripts.below) if scripts.below is not None else "", scripts.primes


def label_of(above: Syntax) -> Syntax | None:
    """What stands in brackets above a symbol, as layers and samples are numbered; None where it is an exponent."""
    node = bare(above)
    if isinstance(node, Group) and node.opened in ("(", "[") and len(node.parts) == 1:
        return node.parts[0]
    return None


def script_text(script: Syntax) -> str:
    """What a script says, as names are compared: letters side by side make a word.

    >>> script_text(Beside((Symbol("n"), Symbol("e"), Symbol("w"))))
    'new'
    """
    node = bare(script)
    if isinstance(node, Group) and node.opened == "{":
        return ",".join(map(script_text, node.parts))
    if isinstance(node, Beside):
        return "".join(map(script_text, node.parts))
    if isinstance(node, Symbol) and not node.accents:
        return node.name.removeprefix("\\")
    return write_syntax(node)


def _shape(symbol: Symbol, label: str, below: str) -> str:
    above = f"^{{{label[1:]}}}" if label.startswith("^") else f"^{{({label})}}" if label else ""
    return write_syntax(symbol) + (f"_{{{below}}}" if below else "") + above


def show_entry(entry: Entry) -> str:
    """A way of writing, in LaTeX."""
    symbol = Symbol(entry.name, entry.accents, entry.font)
    return _shape(symbol, entry.label, entry.below) + "'" * entry.primes


def _read_meaning(
    written: str, meaning: str, tensors: Mapping[str, Tensor], sizes: Iterable[str], is_open: bool
) -> t.Expression:
    """What a declared name stands for; ArgumentError where that does not exist."""
    value = read_expression(meaning)
    read = value
    if isinstance(value, t.Apply) and value.function == "adj" and len(value.arguments) == 1:
        read = value.arguments[0]
    if not isinstance(read, t.Name | t.Access | t.Number):
        raise ArgumentError(f"{written} stands for {meaning!r}, which is no name, entry, adjoint or function.")
    known = is_open or isinstance(read, t.Number) or read.name in tensors or read.name in sizes or value == NUMBER_PI
    if not known:
        listed = ", ".join((*tensors, *sizes))
        raise ArgumentError(f"{written} stands for {meaning!r}, and the program has {listed}.")
    return value


def _program_entries(
    program: Program, tensors: Mapping[str, Tensor], sizes: Iterable[str], rival: str | None
) -> Iterable[Entry]:
    """How the names of a program can be written; adjoints of a loss that has a rival have no name of their own."""
    shown = choose_names(program.tensors(), tuple(sizes))
    for name, tensor in tensors.items():
        rank = len(tensor.axes)
        symbols = [shown.symbol(name), shown.symbol(name, matrix=True)]
        for symbol in dict.fromkeys(s for s in symbols if s is not None):
            yield from _entry(symbol.write(), rank, t.Name(name), WRITTEN)
        if tensor.tex is not None:
            yield from _entry(tensor.tex, rank, t.Name(name), WRITTEN)
        capital = shown.symbol(name, matrix=True) if tensor.denominator is None and not tensor.is_tangent else None
        below = [] if capital is None else [replace(default_symbol(name, scalar=True), base=capital.base).write()]
        for written in dict.fromkeys((*_own_names(name), *below)):
            yield from _entry(written, rank, t.Name(name), NAMED)
    for size in sizes:
        for written in dict.fromkeys((small_symbol(size), *_own_names(size))):
            yield from _entry(written, 0, t.Name(size), NAMED)
    adjoints = any(tensor.denominator is not None for tensor in tensors.values())
    if program.loss is None or adjoints or rival is not None:
        return
    for name, tensor in tensors.items():
        if re.fullmatch(r"z\d*", name) and tensor.role is Role.DEFINED:
            symbol = replace(default_symbol(name), base=r"\delta")
            of = t.Apply("adj", (t.Name(name),))
            yield from _entry(symbol.write(), len(tensor.axes), of, DERIVED)


def _exact_first(entries: Sequence[Entry], tensors: Mapping[str, Tensor]) -> Iterable[Entry]:
    """The names of a program; of several that are written alike those go first that are spelt exactly so, or by `as`.

    Where none is, all of them are on a par, and the number pi is one of them.
    """
    said = {
        (_written(e), e.value)
        for n, x in tensors.items()
        if x.tex is not None
        for e in _entry(x.tex, 0, t.Name(n), WRITTEN)
    }
    letter = Entry(r"\pi", (), "", "", "", 0, 0, NUMBER_PI, WRITTEN)
    known = [e for e in entries if e.origin != DERIVED]
    known += [letter] if any(_written(e) == _written(letter) for e in known) else []
    alike: dict[Entry, dict[t.Expression, bool]] = {}
    for entry in known:
        exact = t.Name(_spelled(entry)) == entry.value != NUMBER_PI or (_written(entry), entry.value) in said
        values = alike.setdefault(_written(entry), {})
        values[entry.value] = exact or values.get(entry.value, False)
    for entry in known:
        values = alike[_written(entry)]
        if len(values) > 1:
            entry = replace(entry, origin=WRITTEN if values[entry.value] or not any(values.values()) else NAMED)
        yield entry
    yield from (e for e in entries if e.origin == DERIVED)


def _written(entry: Entry) -> Entry:
    """A way of writing without what it means."""
    return replace(entry, rank=0, value=t.Name(""), origin=WRITTEN)


def _spelled(entry: Entry) -> str:
    """The name that is spelt by a way of writing, letter by letter; empty where there is none."""
    plain = not (entry.accents or entry.primes or entry.label)
    return entry.name.removeprefix("\\") + (f"_{entry.below}" if entry.below else "") if plain else ""


def _find_rival(program: Program) -> str | None:
    """A scalar with a name that textbooks give to the loss, of which the loss, which has another name, is not made."""
    if program.loss is None or _is_loss_name(program.loss):
        return None
    others = [d.tensor for d in program.definitions if not d.tensor.axes and d.tensor.role is Role.DEFINED]
    made = program.sources((program.loss,))
    return next((x.name for x in others if _is_loss_name(x.name) and x.name not in made), None)


def _is_loss_name(name: str) -> bool:
    return name in LOSSES or default_symbol(name).write() in LOSSES


def _own_names(name: str) -> tuple[str, ...]:
    """A name of the formula language in LaTeX: as one word, and with its digits above or below."""
    symbol = default_symbol(name)
    scalar = default_symbol(name, scalar=True)
    found = [symbol.write(), scalar.write()]
    found += [replace(s, base=OTHER_FORM[s.base]).write() for s in (symbol, scalar) if s.base in OTHER_FORM]
    if len(name) > 1:
        found.append(rf"\mathrm{{{name}}}".replace("_", r"\_"))
    head, mark, tail = name.partition("_")
    if mark and tail and tail not in ACCENTS:
        found += [f"{default_symbol(head).write()}_{{{tail}}}"] if tail.isalnum() else []
    return tuple(dict.fromkeys(found))


def _entry(written: str, rank: int, value: t.Expression, origin: int) -> Iterable[Entry]:
    """The entry of a way of writing; none where it is no name that the reader reads."""
    try:
        symbol, label, below, primes = read_name(written)
    except FormulaError:
        return
    yield Entry(symbol.name, symbol.accents, symbol.font, label, below, primes, rank, value, origin)
    if symbol.font == "mathit" and len(symbol.name) == 1:
        yield Entry(symbol.name, symbol.accents, "", label, below, primes, rank, value, origin)
