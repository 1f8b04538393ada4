r"""What tensors, indices and sizes are called in LaTeX.

One rule for each kind of name, which `names={...}` and `as` override:

- `W1` is the tensor W of layer 1, W^{(1)}; a scalar `w1` is w_1. `yhat` is \hat{y}, `gamma` is \gamma, `W_q` is W_{q},
  `loss` is L, and a word such as `logits` is set as one word.
- The adjoint of `u`, the derivative of the loss by it, is \bar{u}. That of a pre-activation, a computed tensor called
  z, z1, z2, ..., is \delta, \delta^{(1)}, ... as every textbook has it. The adjoint of a numerator that is not a
  scalar, or an adjoint itself, is written as the derivative that it is. The tangent of `u` is \dot{u}. The derivative
  by W of the adjoint of W is the second derivative of the loss.
- In matrix notation a tensor of two axes that is called by one small letter takes the capital: `x` is X.
- What may be read as another name of the program is not printed: of `epsilon` and `varepsilon` each has its own
  command, and of `W1` and `W_1` only `W_1` is W_{1}. A scalar `pi_` is no \pi, which is the number.
- `names="seed"` are the scalar names of the post that this project grew from: w_{lsd} is the weight of layer l from
  source s to destination d, so `W3[2,1]` is w_{312}; `a3[1]` is y_{31}, the last layer's is \hat{y}_1, `b3[1]` is
  b_{31}.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from symbackprop.calculus.tensors import Role, Tensor
from symbackprop.errors import ArgumentError, UnknownNameError

GREEK = (
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu",
    "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "Gamma", "Delta", "Theta", "Lambda",
    "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega",
    "varepsilon", "vartheta", "varkappa", "varpi", "varrho", "varsigma", "varphi",
)  # fmt: skip
ACCENTS = {"hat": r"\hat", "tilde": r"\tilde", "bar": r"\bar", "dot": r"\dot"}
FORMS = {r"\varepsilon": r"\epsilon", r"\varphi": r"\phi"}
"""Letters that are printed in one form, and that people write in another one."""
ACTIVATIONS = (r"\sigma", r"\phi", r"\varphi", r"\psi")
"""Letters that stand for functions wherever networks are written, so that brackets behind them are an argument."""
VARIANTS = {"ell": r"\ell", "eps": r"\varepsilon", "epsilon": r"\varepsilon", "phi": r"\varphi"}


@dataclass(frozen=True, slots=True)
class Symbol:
    """A letter with what stands above and below it: `base^{superscript}_{subscript}`.

    >>> Symbol("W", "(1)").write("ij")
    'W^{(1)}_{ij}'
    """

    base: str
    superscript: str = ""
    subscript: str = ""

    def write(self, indices: str = "", raised: str = "") -> str:
        """The symbol with indices below and something more above, such as a transpose sign."""
        below = join_indices([s for s in (self.subscript, indices) if s]) if self.subscript else indices
        above = self.superscript + raised
        text = self.base
        if (above and "^" in _outside_braces(text)) or (below and "_" in _outside_braces(text)):
            text = f"{{{text}}}"
        return text + (f"^{{{above}}}" if above else "") + (f"_{{{below}}}" if below else "")

    def barred(self) -> Symbol:
        """The symbol of the adjoint."""
        return replace(self, base=rf"\bar{{{self.base}}}")

    def dotted(self) -> Symbol:
        """The symbol of the tangent."""
        return replace(self, base=rf"\dot{{{self.base}}}")


def _outside_braces(text: str) -> str:
    depth, found = 0, ""
    for letter in text:
        depth += {"{": 1, "}": -1}.get(letter, 0)
        found += letter if not depth else ""
    return found


def join_indices(indices: Sequence[str]) -> str:
    """Indices side by side where each is one letter or digit, else with commas."""
    return ("" if all(len(i) == 1 for i in indices) else ",").join(indices)


def default_symbol(name: str, scalar: bool = False) -> Symbol:
    r"""The symbol of a name by the rules above.

    >>> default_symbol("yhat").write("n"), default_symbol("W_q").write(), default_symbol("lr", scalar=True).write()
    ('\\hat{y}_{n}', 'W_{q}', '\\mathit{lr}')
    """
    head, _, tail = name.partition("_")
    if tail in ACCENTS:
        return Symbol(f"{ACCENTS[tail]}{{{_letters(head)}}}")
    match = re.fullmatch(r"(.*?[A-Za-z])(\d+)", head)
    stem, layer = (match[1], match[2]) if match else (head, "")
    for accent, command in ACCENTS.items():
        if stem.endswith(accent) and len(stem) > len(accent) and _is_letter(stem.removesuffix(accent)):
            base = f"{command}{{{_letters(stem.removesuffix(accent))}}}"
            break
    else:
        base = _letters(stem)
    below = tail if len(tail) <= 1 or tail.isdigit() else rf"\mathrm{{{tail}}}".replace("_", r"\_")
    if layer and scalar:
        return Symbol(base, "", join_indices([s for s in (layer, below) if s]))
    return Symbol(base, f"({layer})" if layer else "", below)


def _is_letter(stem: str) -> bool:
    return len(stem) == 1 or stem in GREEK or stem in VARIANTS


def _letters(stem: str) -> str:
    if stem in VARIANTS:
        return VARIANTS[stem]
    if stem in GREEK:
        return f"\\{stem}"
    return stem if len(stem) == 1 else rf"\mathit{{{stem}}}"


def small_symbol(name: str) -> str:
    """A size or an index: a number in its name stands below.

    >>> small_symbol("n0"), small_symbol("N")
    ('n_{0}', 'N')
    """
    return default_symbol(name, scalar=True).write()


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one program in LaTeX; build it with `choose_names`."""

    tensors: Mapping[str, Tensor]
    symbols: Mapping[str, Symbol]
    capitals: Mapping[str, Symbol]
    seed: bool = False
    last_layer: str = ""
    loss_names: frozenset[str] = field(default_factory=frozenset)

    def symbol(self, name: str, matrix: bool = False) -> Symbol | None:
        """The symbol of a tensor; None for the adjoint of an adjoint, or of something that is not a scalar, which has
        only `derivative`.
        """
        tensor = self.tensors.get(name)
        if tensor is not None and tensor.is_tangent and name not in self.symbols:
            moved = self.symbol(tensor.numerator or "", matrix)
            return default_symbol(name) if moved is None else moved.dotted()
        if tensor is None or tensor.denominator is None or tensor.numerator is None or name in self.symbols:
            chosen = self.capitals if matrix and name in self.capitals else self.symbols
            return chosen.get(name) or default_symbol(name)
        above = self.tensors[tensor.numerator]
        if above.axes or above.denominator is not None:
            return None
        below = self.tensors.get(tensor.denominator)
        if below is not None and below.role is Role.DEFINED and re.fullmatch(r"z\d*", tensor.denominator):
            return replace(default_symbol(tensor.denominator), base=r"\delta")
        inner = self.symbol(tensor.denominator, matrix)
        return None if inner is None else inner.barred()

    def entry(self, name: str, indices: Sequence[str]) -> str:
        """A tensor with its indices, such as W^{(1)}_{ij}."""
        tensor = self.tensors.get(name)
        if self.seed and tensor is not None:
            text = self._seed_entry(tensor, list(indices))
            if text is not None:
                return text
        symbol = self.symbol(name)
        return symbol.write(join_indices(indices)) if symbol is not None else self.derivative(name, indices)

    def derivative(self, name: str, indices: Sequence[str], matrix: bool = False) -> str:
        """An adjoint as the derivative that it is: the partial of its numerator by its denominator."""
        tensor = self.tensors[name]
        if tensor.numerator is None or tensor.denominator is None:
            raise ArgumentError(f"{name} is not the derivative of anything.")
        outer = len(self.tensors[tensor.numerator].axes)
        return self.partial(tensor.numerator, indices[:outer], tensor.denominator, indices[outer:], matrix)

    def partial(
        self, above: str, above_indices: Sequence[str], below: str, below_indices: Sequence[str], matrix: bool = False
    ) -> str:
        """The partial derivative of one entry by another, or of one tensor by another in matrix notation.

        The derivative of an adjoint, both by what is given, is a second derivative.
        """
        inner = self.tensors.get(above)
        if inner is not None and inner.numerator is not None and inner.denominator is not None:
            top, first = self.tensors[inner.numerator], self.tensors[inner.denominator]
            if first.is_leaf and self.tensors[below].is_leaf and not top.axes:
                parts = [self._part(first.name, above_indices, matrix), self._part(below, below_indices, matrix)]
                if matrix and len(first.axes) == len(self.tensors[below].axes) == 1:
                    parts[1] = rf"{parts[1]}^{{\top}}"
                over = self._part(top.name, (), matrix)
                return rf"\frac{{\partial^{{2}} {over}}}{{\partial {parts[0]} \, \partial {parts[1]}}}"
        over = self._part(above, above_indices, matrix)
        under = self._part(below, below_indices, matrix)
        return rf"\frac{{\partial {over}}}{{\partial {under}}}"

    def _part(self, name: str, indices: Sequence[str], matrix: bool) -> str:
        symbol = self.symbol(name, matrix) if matrix and not indices else None
        return symbol.write() if symbol is not None else self.entry(name, indices)

    def _seed_entry(self, tensor: Tensor, indices: list[str]) -> str | None:
        """An entry by the names of the seed, or None for a tensor that they say nothing about."""
        if tensor.denominator is not None:
            symbol = self.symbol(tensor.name)
            if symbol is None:
                return None
            base, tensor = symbol.base, self.tensors[tensor.denominator]
        else:
            base = ""
        match = re.fullmatch(r"([Wbza]|[xyp])(\d*)", tensor.name)
        if match is None or tensor.name in self.loss_names:
            return None
        letter, layer = match[1], match[2]
        sample = ""
        if tensor.role is not Role.PARAM and len(indices) == 2:
            sample = f"({indices.pop(0)})"
        plain = {"W": "w", "a": "y"}.get(letter, letter)
        if letter == "a" and layer == self.last_layer:
            plain, layer = r"\hat{y}", ""
        base = base if base.startswith(r"\delta") else rf"\bar{{{plain}}}" if base else plain
        return Symbol(base, sample).write(join_indices([*([layer] if layer else []), *reversed(indices)]))


def choose_names(
    tensors: Mapping[str, Tensor], sizes: Sequence[str] = (), names: str | Mapping[str, str] | None = None
) -> Names:
    """The names of `tensors` in LaTeX; `names` is None, "seed", or a mapping of names to TeX that overrides the
    rules."""
    if isinstance(names, str) and names != "seed":
        raise ArgumentError(f"names={names!r} is none of the names there are: give None, 'seed' or a mapping to TeX.")
    given = dict(names) if isinstance(names, Mapping) else {}
    for name in given:
        if name not in tensors:
            known = tuple(t.name for t in tensors.values() if t.role is not Role.HIDDEN)
            raise UnknownNameError(
                f"names= has {name!r}, which is no tensor; there are {', '.join(known)}.", name=name, known=known
            )
    symbols: dict[str, Symbol] = {}
    taken: set[str] = {*map(small_symbol, sizes), *(tex for x in tensors.values() if (tex := given.get(x.name, x.tex)))}
    usual = Counter(
        default_symbol(x.name, not x.axes).write()
        for x in tensors.values()
        if x.name not in given and x.tex is None and x.denominator is None and not x.is_tangent
    )
    for tensor in tensors.values():
        tex = given.get(tensor.name, tensor.tex)
        if tex is not None:
            symbols[tensor.name] = Symbol(tex)
        elif tensor.denominator is None and not tensor.is_tangent:
            symbols[tensor.name] = _free_symbol(tensor, tensors, taken, usual)
        if tensor.name in symbols:
            taken.add(symbols[tensor.name].write())
    capitals = {}
    for tensor in tensors.values():
        symbol = symbols.get(tensor.name)
        if symbol is None or tensor.name in given or tensor.tex is not None or len(tensor.axes) != 2:
            continue
        letter = re.fullmatch(r"(\\[a-z]+\{)?([a-z])(\})?", symbol.base)
        if letter:
            capital = replace(symbol, base=symbol.base[: letter.start(2)] + letter[2].upper() + (letter[3] or ""))
            if capital.write() not in taken:
                capitals[tensor.name] = capital
    layers = [int(m[1]) for name in tensors if (m := re.fullmatch(r"a(\d+)", name))]
    return Names(tensors, symbols, capitals, names == "seed", str(max(layers, default="")), frozenset(given))


def _free_symbol(
    tensor: Tensor, tensors: Mapping[str, Tensor], taken: set[str], usual: Mapping[str, int]
) -> Symbol:
    """The default symbol, or another one where it may be read as another name; `usual` counts who has which."""
    if tensor.name == "loss":
        return Symbol(r"\mathcal{L}" if "L" in tensors or "L" in taken else "L")
    symbol = default_symbol(tensor.name, not tensor.axes)
    for each in (symbol, replace(symbol, base=FORMS.get(symbol.base, symbol.base))):
        name = spelled_name(each)
        others = name in tensors or usual[each.write()] > 1 or (name == "pi" and not tensor.axes)
        if each.write() not in taken and (name == tensor.name or not others):
            return each
    return Symbol(rf"\mathit{{{tensor.name}}}".replace("_", r"\_"))


def spelled_name(symbol: Symbol) -> str | None:
    r"""The name of the formula language that a symbol spells letter by letter; None where it has marks of its own.

    >>> spelled_name(Symbol(r"\tau")), spelled_name(Symbol("W", "", "1")), spelled_name(Symbol("W", "(1)"))
    ('tau', 'W_1', None)
    """
    letters = re.fullmatch(r"\\?([A-Za-z]+)|\\math(?:it|rm)\{(\w+)\}", symbol.base)
    below = re.fullmatch(r"(?:\\mathrm\{)?(\w*)\}?", symbol.subscript.replace(r"\_", "_"))
    if letters is None or below is None or symbol.superscript:
        return None
    return (letters[1] or letters[2]) + (f"_{below[1]}" if below[1] else "")


def seed_legend(names: Names) -> str | None:
    """How the seed's names read: one weight by both names, or None where there is no weight."""
    layers = [m[1] for t in names.tensors.values() if len(t.axes) == 2 and (m := re.fullmatch(r"W(\d+)", t.name))]
    if not layers:
        return None
    layer = layers[-2:][0]
    return (
        r"w_{lsd} &= W^{(l)}_{ds} \quad\text{(layer, source, destination)}, \quad\text{so } "
        rf"w_{{{join_indices([layer, '1', '2'])}}} = W^{{({layer})}}_{{21}}"
    )
