"""Random programs over the whole language, the same for the same source of chance.

Hypothesis can be that source, and then makes a program that fails smaller.

Values stay moderate and inside every domain by construction: logarithms, roots and quotients are guarded, as in
`log(1+u^2)` and `u/(1+v^2)`, and what grows fast takes a bounded argument, as in `exp(tanh(u))`. Each program counts
the features that it uses, so that a test can show that none of them is missing.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from index_ranges import axes_of, size_value

from symbackprop.language.reader import read_expression

LETTERS = tuple("ijkmnpqr")
SIZES = ("N", "D", "H")
SIZE_VALUES = {"N": 3, "D": 2, "H": 4}
SMALL_VALUES = {"N": 2, "D": 1, "H": 2}
SMOOTH = (
    "tanh({u})", "sigmoid({u})", "sin({u})", "cos({u})", "erf({u})", "softplus({u})", "silu({u})", "gelu({u})",
    "gelu_tanh({u})", "identity({u})", "log(1 + ({u})^2)", "sqrt(1 + ({u})^2)", "exp(tanh({u}))", "exp(-({u})^2)",
    "sinh(tanh({u}))", "cosh(sin({u}))", "tan(sin({u})/2)", "1/(1 + ({u})^2)", "(2 + sin({u}))^0.5",
    "(1 + ({u})^2)^(-1)", "(3/2 + tanh({u}))^(1/3)",
)  # fmt: skip
KINKED = ("relu({u})", "abs({u})", "leaky_relu({u})", "leaky_relu({u}, 0.2)", "elu({u})", "sign({u})")
BINARY = (
    "{u} + {v}", "{u} - {v}", "({u})*({v})", "({u})/(1 + ({v})^2)", "({u})*({v})/2", "-({u}) + ({v})*0.3",
    "(2 + tanh({u}))^(sin({v}))",
)  # fmt: skip
KINKED_PAIRS = ("maximum({u}, {v})", "minimum({u}, {v})")
BOUNDING = ("tanh({u})", "sin({u})", "erf({u})", "sigmoid({u})")
NUMBERS = ("2", "0.5", "3", "1/3", "0.1", "pi/4", "1e-1")


@dataclass(frozen=True)
class Shaped:
    """A tensor of a random program with the sizes of its axes; the entries of an integer one are 1..`range`."""

    name: str
    axes: tuple[str, ...]
    range: str = ""


@dataclass(frozen=True)
class RandomProgram:
    """A random program: its text, what it is derived by and of, its leaves, and the features that it uses.

    `seed` chooses its data.
    """

    seed: int
    text: str
    of: str
    params: tuple[str, ...]
    leaves: tuple[Shaped, ...]
    features: Mapping[str, int]

    def sizes(self, values: Mapping[str, int]) -> dict[str, int]:
        """The sizes that the program names, with their values."""
        named = {n for t in self.leaves for a in (*t.axes, t.range) for n in re.findall("[A-Z]", a)}
        return {n: v for n, v in values.items() if n in named}

    def data(self, sizes: Mapping[str, int], attempt: int) -> dict[str, np.ndarray]:
        """Values for the leaves; integers are the same in every attempt."""
        source, whole = np.random.default_rng([self.seed, attempt]), np.random.default_rng([self.seed])
        made: dict[str, np.ndarray] = {}
        for t in self.leaves:
            shape = [size_value(read_expression(a), sizes) for a in t.axes]
            if t.range:
                made[t.name] = whole.integers(1, size_value(read_expression(t.range), sizes) + 1, size=shape)
            else:
                made[t.name] = 0.8 * source.normal(size=shape)
        return made

    def __str__(self) -> str:
        return f"seed {self.seed}, derivatives of {self.of} by {', '.join(self.params)}:\n{self.text}"


@dataclass
class Writer:
    """The state of one generation: what can be read, and what was written so far."""

    source: random.Random
    tensors: list[Shaped] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)
    plain: bool = False
    features: Counter[str] = field(default_factory=Counter)
    readers: dict[str, set[str]] = field(default_factory=dict)
    patterns: dict[str, set[tuple[str, ...]]] = field(default_factory=dict)
    current: str = ""
    integers: list[Shaped] = field(default_factory=list)

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return self.source.random() < probability

    def expression(self, scope: dict[str, str], depth: int) -> str:
        """An expression over the indices in scope, which maps each letter to its size."""
        if depth <= 0:
            return self.leaf(scope)
        kind = self.source.choices(
            ("leaf", "smooth", "kinked", "binary", "extreme", "reduction", "where", "power", "scaled"),
            (3, 6, 2, 8, 0.7, 5, 1.2, 1, 1.5),
        )[0]
        if kind == "leaf":
            return self.leaf(scope)
        if kind in ("smooth", "kinked"):
            template = self.source.choice(SMOOTH if kind == "smooth" else KINKED)
            self.features[template] += 1
            self.features[kind] += 1
            return template.format(u=self.expression(scope, depth - 1))
        if kind in ("binary", "extreme"):
            template = self.source.choice(BINARY if kind == "binary" else KINKED_PAIRS)
            self.features[kind] += 1
            text = template.format(u=self.expression(scope, depth - 1), v=self.expression(scope, depth - 1))
            return f"({text})" if kind == "binary" else text
        if kind == "reduction":
            return self.reduction(scope, depth)
        if kind == "where":
            return self.choice_of(scope, depth)
        if kind == "power":
            return f"({self.expression(scope, depth - 1)})^{self.source.choice('23')}"
        factor = self.scale(scope)
        return f"{factor}*({self.expression(scope, depth - 1)})"

    def scale(self, scope: dict[str, str]) -> str:
        """A number, a size, an index, an entry of an integer tensor or an argmax as a number."""
        entry = self.integer_entry(scope)
        if entry and self.chance(0.25):
            self.features["integer entry as a number"] += 1
            return f"sin({entry[0]}/3)"
        if self.chance(0.06):
            self.features["argmax as a number"] += 1
            return f"(1/{self.argmax(scope)[0]})"
        if scope and self.chance(0.3):
            self.features["index as a number"] += 1
            return f"sin({self.source.choice(sorted(scope))}/3)"
        if self.chance(0.3):
            self.features["size as a number"] += 1
            return f"(1/{self.source.choice(self.size_names())})"
        return self.source.choice(NUMBERS)

    def size_names(self) -> list[str]:
        """The sizes with a name that some tensor has."""
        return sorted({a for t in self.tensors for a in t.axes if a in SIZES}) or ["2"]

    def integer_entry(self, scope: dict[str, str], size: str = "") -> tuple[str, str] | None:
        """An entry of an integer tensor at indices in scope, with its range; None where there is none."""
        fitting = [t for t in self.integers if set(t.axes) <= set(scope.values()) and size in ("", t.range)]
        if not fitting:
            return None
        tensor = self.source.choice(fitting)
        at = [self.source.choice([i for i, s in scope.items() if s == a]) for a in tensor.axes]
        return f"{tensor.name}[{','.join(at)}]", tensor.range

    def argmax(self, scope: dict[str, str], size: str = "") -> tuple[str, str]:
        """Where something is largest first, with its range."""
        letter = self.source.choice([x for x in LETTERS if x not in scope])
        wide = {**scope, letter: size or self.source.choice(sorted({a for t in self.tensors for a in t.axes}) or ["2"])}
        body = f"{self.factor(wide, letter)}*cos({letter}) + {self.factor(wide, letter)}"
        return f"argmax({letter}:{wide[letter]}, {body})", wide[letter]

    def form(self, letter: str, size: str, scope: dict[str, str]) -> str:
        """What stands on an axis: an index, index arithmetic that may leave the axis, or an integer that is read."""
        if self.plain or self.chance(0.8):
            return letter
        kind = self.source.choice(("shift", "shift", "stride", "reversed", "quotient", "remainder", "gather", "argmax"))
        if kind == "gather":
            entry = self.integer_entry(scope, size)
            if entry is None:
                return letter
            self.features["gather"] += 1
            return entry[0]
        self.features[kind] += 1
        if kind == "argmax":
            return self.argmax(scope, size)[0]
        bracketed = size if size in SIZES or size.isdigit() else f"({size})"
        return {
            "shift": f"{letter}{self.source.choice(('+1', '-1', '+2'))}",
            "stride": f"{self.source.choice('23')}*{letter}-{self.source.choice('12')}",
            "reversed": f"{bracketed}-{letter}+1",
            "quotient": f"({letter}+1)//2",
            "remainder": f"{letter}%{self.source.choice('23')}+1",
        }[kind]

    def leaf(self, scope: dict[str, str]) -> str:
        """A read of a tensor, reduced over the axes for which nothing in scope fits."""
        weights = [4.0 if t.name in self.unread else 1.0 for t in self.tensors]
        fitting = [set(t.axes) <= set(scope.values()) for t in self.tensors]
        weights = [
            w * (3.0 if fits and t.axes else 1.0) for w, fits, t in zip(weights, fitting, self.tensors, strict=True)
        ]
        tensor = self.source.choices(self.tensors, weights)[0]
        inner = dict(scope)
        bound: list[str] = []
        for size in tensor.axes:
            here = [i for i, s in inner.items() if s == size]
            if not here or self.chance(0.1):
                letter = self.letter(inner, bound)
                inner[letter] = size
                bound.append(letter)
        for size in tensor.axes:  # a letter that hides another may have taken the only index of a size
            if size not in inner.values():
                letter = self.source.choice([x for x in LETTERS if x not in inner])
                inner[letter] = size
                bound.append(letter)
        chosen = []
        for size in tensor.axes:
            here = [i for i, s in inner.items() if s == size]
            # An index bound for this read has to be used by it.
            owed = [i for i in bound if i in here and i not in chosen]
            chosen.append(owed[0] if owed else self.source.choice(here))
        text = self.read(tensor, [self.form(i, size, inner) for i, size in zip(chosen, tensor.axes, strict=True)])
        if not bound:
            return text
        given = [i for i in bound if self.gives_range(i, text) and not self.chance(0.1)]
        binders = ", ".join(i if i in given else f"{i}:{inner[i]}" for i in bound)
        operation = self.source.choice(("sum", "mean"))
        self.features[operation] += 1
        return f"{operation}({binders}, {text})"

    def read(self, tensor: Shaped, chosen: list[str]) -> str:
        """A read of a tensor at given indices, noted for the features."""
        self.unread.discard(tensor.name)
        self.readers.setdefault(tensor.name, set()).add(self.current)
        self.patterns.setdefault(tensor.name, set()).add((self.current, *chosen))
        if not tensor.axes:
            self.features["scalar"] += 1
            return tensor.name
        if len(set(chosen)) < len(chosen):
            self.features["repeated index"] += 1
        if any(a.isdigit() for a in tensor.axes):
            self.features["literal size"] += 1
        return f"{tensor.name}[{','.join(chosen)}]"

    def letter(self, scope: dict[str, str], bound: list[str]) -> str:
        """A letter for a new index, now and then one that hides an outer index."""
        if scope and self.chance(0.15):
            letter = self.source.choice(sorted(scope))
            if letter not in bound:
                self.features["shadowed"] += 1
                return letter
        free = [x for x in LETTERS if x not in scope]
        return self.source.choice(free)

    def reduction(self, scope: dict[str, str], depth: int) -> str:
        """A sum or a mean over one or two new indices of a product or of any expression."""
        inner = dict(scope)
        bound: list[str] = []
        sizes = sorted({a for t in self.tensors for a in t.axes}) or ["2"]
        for _ in range(self.source.choice((1, 1, 1, 2))):
            letter = self.letter(inner, bound)
            if letter in bound:
                continue
            bound.append(letter)
            inner[letter] = self.source.choice(sizes)
        self.features["nested sum"] += depth < 3
        if self.chance(0.5):
            body = f"{self.factor(inner, bound[0])}*({self.expression(inner, depth - 1)})"
        else:
            body = self.expression(inner, depth - 1)
        binders = ", ".join(
            i if self.gives_range(i, body) and not self.chance(0.1) else f"{i}:{inner[i]}" for i in bound
        )
        operation = self.source.choice(("sum", "sum", "sum", "mean", "mean", "max", "min"))
        if operation in ("max", "min"):
            body = f"{self.factor(inner, bound[0])}*sin({bound[0]}) + {body}"
            binders = ", ".join(f"{i}:{inner[i]}" for i in bound)
        self.features[operation] += 1
        self.features["explicit range"] += ":" in binders
        return f"{operation}({binders}, {body})"

    def gives_range(self, letter: str, body: str) -> bool:
        """Whether a read in the body, not under a binder of the same letter, has the letter alone on an axis."""
        numbered = {t.name: tuple(range(len(t.axes))) for t in (*self.tensors, *self.integers)}
        return any(True for _ in axes_of(letter, read_expression(body), numbered))

    def factor(self, scope: dict[str, str], needed: str) -> str:
        """A read that has the index `needed` alone on an axis, where some tensor allows that."""
        candidates = [t for t in self.tensors if scope[needed] in t.axes and set(t.axes) <= set(scope.values())]
        if not candidates:
            return "1"
        tensor = self.source.choice(candidates)
        chosen = []
        for size in tensor.axes:
            here = [i for i, s in scope.items() if s == size]
            chosen.append(needed if size == scope[needed] and needed not in chosen else self.source.choice(here))
        return self.read(tensor, chosen)

    def choice_of(self, scope: dict[str, str], depth: int) -> str:
        """A `where` with a condition on values, indices or both."""
        self.features["where"] += 1
        condition = self.condition(scope, depth)
        if self.chance(0.3):
            condition = f"{condition} {self.source.choice(('and', 'or'))} {self.condition(scope, depth)}"
            self.features["and, or"] += 1
        elif self.chance(0.2):
            condition = f"not {condition}"
            self.features["not"] += 1
        return f"where({condition}, {self.expression(scope, depth - 1)}, {self.expression(scope, depth - 1)})"

    def condition(self, scope: dict[str, str], depth: int) -> str:
        """One comparison."""
        same = [(i, j) for i, s in scope.items() for j, t in scope.items() if i < j and s == t]
        relation = self.source.choice(("<", "<=", ">", ">="))
        if same and self.chance(0.4):
            self.features["condition on indices"] += 1
            i, j = self.source.choice(same)
            return f"{i} {self.source.choice(('<', '<=', '==', '!='))} {j}"
        entry = self.integer_entry(scope)
        if entry and self.chance(0.3):
            self.features["condition on integer data"] += 1
            others = [i for i, s in scope.items() if s == entry[1]] or ["1"]
            return f"{entry[0]} {self.source.choice(('==', '!=', '<=', '>'))} {self.source.choice(others)}"
        if scope and self.chance(0.2):
            self.features["condition on indices"] += 1
            return f"{self.source.choice(sorted(scope))} {self.source.choice(('==', '!=', '>'))} 1"
        self.features["condition on values"] += 1
        right = "0.1" if self.chance(0.5) else self.expression(scope, 0)
        return f"{self.expression(scope, min(depth - 1, 1))} {relation} {right}"


def generate_program(seed: int, plain: bool = False) -> RandomProgram:
    """The random program of a seed; `plain` ones have plain indices, sums and means only."""
    return write_program(random.Random(seed), seed, plain)


def write_program(source: random.Random, seed: int = 0, plain: bool = False) -> RandomProgram:
    """A random program by the choices of `source`."""
    writer = Writer(source, plain=plain)
    sizes = source.sample(SIZES, source.choice((1, 2, 2, 3)))
    if source.random() < 0.3:
        sizes.append(source.choice(("1", "2", "2", "3")))
    if not plain and source.random() < 0.3:
        sizes.append(f"{source.choice([s for s in sizes if s in SIZES])}+1")
    lines, leaves, params = [], [], []
    if not plain and source.random() < 0.5:
        axes, size = tuple(source.choice(sizes) for _ in range(source.choice((1, 1, 2)))), source.choice(sizes)
        writer.integers = [Shaped("tok", axes, size)]
        lines.append(f"index tok[{','.join(axes)}] in {size}")
        leaves += writer.integers
    for kind, names in (("input", ("X", "Y")), ("param", ("W", "V", "b", "u")), ("const", ("eps",))):
        for name in names[: source.randint(1 if kind != "const" else 0, len(names))]:
            rank = 0 if kind == "const" else source.choice((0, 1, 1, 2, 2, 2) if kind == "param" else (0, 1, 2, 2))
            axes = tuple(source.choice(sizes) for _ in range(rank))
            if rank == 2 and source.random() < 0.4:
                axes = (axes[0], axes[0])
            leaf = Shaped(name, axes)
            lines.append(f"{kind} {name}{_axes(axes)}")
            leaves.append(leaf)
            if kind == "param":
                params.append(name)
    writer.tensors = [leaf for leaf in leaves if not leaf.range]
    writer.unread = set(params)
    scope: dict[str, str]
    defined: list[Shaped] = []
    stepped: set[str] = set()
    for number in range(source.randint(2, 5)):
        name = f"t{number}"
        writer.current = name
        if not plain and source.random() < 0.2:
            tensors = write_recurrence(writer, lines, name)
            defined += tensors
            stepped |= {t.name for t in tensors}
            continue
        scope = {}
        known = sorted({a for t in writer.tensors for a in t.axes})
        for _ in range(min(source.choice((0, 1, 1, 2, 2)), 2 if known else 0)):
            letter = source.choice([x for x in LETTERS if x not in scope])
            scope[letter] = source.choice(known)
        body = writer.expression(scope, source.choice((1, 2, 2, 3)))
        if source.random() < 0.6:
            body = source.choice(BOUNDING).format(u=body)
        head = ",".join(f"{i}:{s}" for i, s in scope.items())
        lines.append(f"{name}{f'[{head}]' if head else ''} = {body}")
        made = Shaped(name, tuple(scope.values()))
        defined.append(made)
        writer.tensors.append(made)
        writer.unread.add(name)
    writer.current = "loss"
    parts = []
    for tensor in source.sample(defined, source.randint(1, len(defined))):
        letters = list(LETTERS[: len(tensor.axes)])
        if not letters:
            parts.append(writer.read(tensor, []))
            continue
        squared = source.choice(("{u}", "({u})^2", "sin({u})"))
        body = squared.format(u=writer.read(tensor, letters))
        parts.append(f"{source.choice(('sum', 'mean'))}({', '.join(letters)}, {body})")
    lines.append(f"loss = {' + '.join(parts)} + {writer.expression({}, 2)}")
    features = writer.features
    features["several readers"] += sum(len(r) > 1 for r in writer.readers.values())
    features["a parameter with several readers"] += sum(len(r) > 1 for n, r in writer.readers.items() if n in params)
    features["two patterns in one definition"] += sum(
        max(Counter(p[0] for p in found).values()) > 1 for found in writer.patterns.values()
    )
    features["a definition nobody reads"] += sum(t.name not in writer.readers for t in defined)
    features["a parameter nobody reads"] += sum(p not in writer.readers for p in params)
    of = "loss"
    candidates = [t for t in defined if 1 <= len(t.axes) <= 2 and t.name not in stepped]
    if candidates and source.random() < 0.2:
        of = source.choice(candidates).name
        features["a tensor for its numerator"] += 1
    return RandomProgram(seed, "\n".join(lines) + "\n", of, tuple(params), tuple(leaves), dict(features))


def write_recurrence(writer: Writer, lines: list[str], name: str) -> list[Shaped]:
    """A tensor that steps forwards or backwards, with or without a base, alone or in a circle with a second one."""
    source = writer.source
    known = sorted({a for t in writer.tensors for a in t.axes}) or ["2"]
    size, other = source.choice(known), source.choice((None, None, *known))
    back, ahead = ("-1", "0") if source.random() < 0.6 else ("+1", f"{size}+1")
    writer.features["forward in time" if back == "-1" else "backward in time"] += 1
    letters = {"p": other} if other else {}
    tail = "".join(f",{i}" for i in letters)
    heads = "".join(f",{i}:{s}" for i, s in letters.items())
    names = [name, f"{name}b"] if source.random() < 0.3 else [name]
    if len(names) == 2:
        writer.features["two tensors in a circle"] += 1
    based = source.random() < 0.6
    made = []
    for one in names:
        if based and one == name:
            writer.features["base"] += 1
            lines.append(f"{one}[{ahead}{heads}] = {writer.expression(dict(letters), 1)}")
    for k, one in enumerate(names):
        before = names[k - 1]
        step = f"t{back}" if one == names[0] else "t"
        scope = {"t": size, **letters}
        body = f"{writer.expression(scope, 1)} + {source.choice(('0.5', '-0.7', '1/3'))}*{before}[{step}{tail}]"
        if other and one == names[0] and source.random() < 0.4:
            writer.features["a sum over the step before"] += 1
            body += f" + sum(q:{other}, {writer.factor({**scope, 'q': other}, 'q')}*{before}[t{back},q])/2"
        lines.append(f"{one}[t:{size}{heads}] = {source.choice(BOUNDING).format(u=body)}")
        made.append(Shaped(one, (size, *letters.values())))
    writer.tensors += made
    writer.unread |= {t.name for t in made}
    return made


def _axes(axes: tuple[str, ...]) -> str:
    return f"[{','.join(axes)}]" if axes else ""
