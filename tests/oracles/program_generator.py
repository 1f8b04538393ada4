"""Random programs over the whole language, the same for the same source of chance.

Hypothesis can be that source, and then makes a program that fails smaller. Each program counts the features that it
uses, so that a test can show that none of them is missing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from chance import Source, seeded
from index_ranges import size_value
from random_formulas import BOUNDING, Writer
from random_reads import LETTERS, SIZES, Shaped

from symbackprop.language.reader import read_expression

SIZE_VALUES = (
    *[{"N": 3, "D": 2, "H": 4}] * 7, {"N": 2, "D": 2, "H": 2}, {"N": 1, "D": 1, "H": 1}, {"N": 2, "D": 1, "H": 5},
)  # fmt: skip
"""What the sizes are: mostly different, now and then equal, or with axes of one entry."""
SMALL_VALUES = {"N": 2, "D": 1, "H": 2}
SECOND = ("", "hessian", "hvp", "jvp", "vjp")
"""What is compared besides a gradient: nothing, the second derivatives, or products with a vector."""


@dataclass(frozen=True)
class RandomProgram:
    """A random program: its text, what it is derived by and of, its leaves, and the features that it uses.

    `seed` chooses its sizes and data, `second` is one of `SECOND`, and `pair` are the tensors of second derivatives.
    """

    seed: int
    text: str
    of: str
    params: tuple[str, ...]
    leaves: tuple[Shaped, ...]
    features: Mapping[str, int]
    second: str = ""
    pair: tuple[str, str] = ("", "")

    def sizes(self, values: Mapping[str, int] | None = None) -> dict[str, int]:
        """The sizes that the program names, with their values."""
        named = set(re.findall(r"\b[A-Z]\b", self.text))
        values = values or SIZE_VALUES[self.seed % len(SIZE_VALUES)]
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
        task = f"seed {self.seed}, derivatives of {self.of} by {', '.join(self.params)}"
        if self.second:
            task += f", {self.second}{' '.join(('', *self.pair)) if self.second == 'hessian' else ''}"
        return f"{task}:\n{self.text}"


def generate_program(seed: int, plain: bool = False) -> RandomProgram:
    """The random program of a seed; `plain` ones have plain indices, sums and means only."""
    return write_program(seeded(seed), seed, plain)


def write_program(source: Source, seed: int = 0, plain: bool = False) -> RandomProgram:
    """A random program by the choices of `source`."""
    writer = Writer(source, plain)
    lines, leaves, params, wrt = write_declarations(writer)
    defined: list[Shaped] = []
    for number in range(source.choice((1, 2, 2, 3, 3, 4))):
        name = f"t{number}"
        writer.current = name
        kind = "plain" if plain else source.weighted(tuple(WRITERS), (8, 1.6, 0.6, 0.4))
        defined += WRITERS[kind](writer, lines, name)
    of, loss = write_loss(writer, defined)
    lines.append(loss)
    features = writer.features
    features["several readers"] += sum(len(r) > 1 for r in writer.readers.values())
    features["a parameter with several readers"] += sum(len(r) > 1 for n, r in writer.readers.items() if n in params)
    features["two patterns in one definition"] += sum(
        max(Counter(p[0] for p in found).values()) > 1 for found in writer.patterns.values()
    )
    features["a definition nobody reads"] += sum(t.name not in writer.readers for t in defined)
    features["a parameter nobody reads"] += sum(p not in writer.readers for p in params)
    second = "" if plain else source.weighted(SECOND, (62, 18, 10, 5, 5))
    pair = source.choice(wrt), source.choice(wrt)
    if second:
        features[f"{second} of a tensor" if of != "loss" else second] += 1
        features["second derivatives by two tensors"] += second == "hessian" and pair[0] != pair[1]
    text = "\n".join(lines) + "\n"
    return RandomProgram(seed, text, of, tuple(wrt), tuple(leaves), dict(features), second, pair)


def write_declarations(writer: Writer) -> tuple[list[str], list[Shaped], list[str], list[str]]:
    """The lines of the leaves, the leaves, the parameters, and what is derived by."""
    source = writer.source
    sizes = source.sample(SIZES, source.choice((1, 2, 2, 3)))
    if writer.chance(0.3):
        sizes.append(source.choice(("1", "2", "2", "3")))
    if not writer.plain and writer.chance(0.4):
        one = source.choice([s for s in sizes if s in SIZES])
        sizes.append(source.choice((f"{one}+1", f"2*{one}", f"({one}+1)//2", "N-D+1", "N+D", "(H-D)//2+1")))
    lines: list[str] = []
    leaves: list[Shaped] = []
    params: list[str] = []
    if not writer.plain and writer.chance(0.5):
        axes, size = tuple(source.choice(sizes) for _ in range(source.choice((1, 1, 1, 2, 2, 0)))), source.choice(sizes)
        writer.integers = [Shaped("tok", axes, size)]
        lines.append(f"index tok{_axes(axes)} in {size}")
        leaves += writer.integers
    for kind, names in (("input", ("X", "Y")), ("param", ("W", "V", "b", "u")), ("const", ("eps",))):
        for name in names[: source.between(1 if kind != "const" else 0, len(names))]:
            rank = 0 if kind == "const" else source.choice((0, 1, 1, 2, 2, 2) if kind == "param" else (0, 1, 2, 2))
            axes = tuple(source.choice(sizes) for _ in range(rank))
            if rank == 2 and writer.chance(0.4):
                axes = (axes[0], axes[0])
            lines.append(f"{kind} {name}{_axes(axes)}")
            leaves.append(Shaped(name, axes))
            if kind == "param":
                params.append(name)
    writer.tensors = [leaf for leaf in leaves if not leaf.range]
    writer.unread = set(params)
    wrt = list(params)
    if not writer.plain and writer.chance(0.15):
        wrt.insert(source.between(0, len(wrt)), "X")
        writer.features["an input for its denominator"] += 1
    return lines, leaves, params, wrt


def write_definition(writer: Writer, lines: list[str], name: str) -> list[Shaped]:
    """A tensor by a formula."""
    source = writer.source
    scope: dict[str, str] = {}
    for _ in range(source.choice((0, 1, 1, 2, 2))):
        scope[writer.fresh(scope)] = source.choice(writer.sizes())
    body = writer.expression(scope, source.choice((1, 2, 2, 3)))
    if writer.chance(0.6):
        body = source.choice(BOUNDING).format(u=body)
    lines.append(f"{name}{_axes(tuple(f'{i}:{s}' for i, s in scope.items()))} = {body}")
    return _add(writer, Shaped(name, tuple(scope.values())))


def write_recurrence(writer: Writer, lines: list[str], name: str) -> list[Shaped]:
    """A tensor that steps forwards or backwards, with or without a base, alone or in a circle with a second one."""
    source = writer.source
    size = source.choice(writer.sizes())
    other = source.choice(("", "", *writer.sizes()))
    last = bool(other) and writer.chance(0.3)
    writer.features["a step along the second axis"] += last
    back, ahead = ("-1", "0") if not writer.chance(0.4) else ("+1", f"{size}+1")
    writer.features["forward in time" if back == "-1" else "backward in time"] += 1
    letters = {"p": other} if other else {}

    def place(step: str, tail: str = "p") -> str:
        axes = [step, *([tail] if other else [])]
        return f"[{','.join(reversed(axes) if last else axes)}]"

    names = [name, f"{name}b"] if writer.chance(0.3) else [name]
    writer.features["two tensors in a circle"] += len(names) == 2
    based = writer.chance(0.6)
    if based:
        writer.features["base"] += 1
        lines.append(f"{name}{place(ahead, f'p:{other}')} = {writer.expression(dict(letters), 1)}")
    for k, one in enumerate(names):
        before = names[k - 1]
        step = f"t{back}" if one == names[0] else "t"
        scope = {"t": size, **letters}
        tail = source.choice(("p+1", "p-1", f"{other}-p+1")) if other.isalpha() and writer.chance(0.2) else "p"
        writer.features["an index form at the step before"] += tail != "p"
        numbers = source.choice(("0.5", "-0.7", "1/3"))
        body = f"{writer.expression(scope, 1)} + {numbers}*{before}{place(step, tail)}"
        if other and one == names[0] and writer.chance(0.4):
            writer.features["a sum over the step before"] += 1
            factor = writer.factor({**scope, "q": other}, "q")
            body += f" + sum(q:{other}, {factor}*{before}{place(f't{back}', 'q')})/2"
        lines.append(f"{one}{place(f't:{size}', f'p:{other}')} = {source.choice(BOUNDING).format(u=body)}")
    axes = tuple(reversed((size, *letters.values())) if last else (size, *letters.values()))
    bases = {name: ahead} if based else {}
    return _add(writer, *(Shaped(one, axes, base=bases.get(one, ""), stepped=int(last)) for one in names))


def write_matrix(writer: Writer, lines: list[str], name: str) -> list[Shaped]:
    """A matrix whose diagonal is large, and a function of it."""
    source = writer.source
    size = source.choice(writer.sizes())
    body = f"where(i == j, 3, 0) + sin({writer.expression({'i': size, 'j': size}, 1)})/2"
    lines.append(f"{name}[i:{size},j:{size}] = {body}")
    made = _add(writer, Shaped(name, (size, size)))
    function = source.choice(("inv", "solve", "det", "logdet"))
    writer.features[function] += 1
    writer.current = other = f"{name}f"
    call, axes = f"{function}({name})", ()
    if function == "inv":
        call, axes = f"{call}[i,j]", (size, size)
    if function == "solve":
        right = source.choice([t for t in writer.tensors if t.axes and t.axes[0] == size])
        at = "ij"[: len(right.axes)]
        writer.read(right, list(at))
        call, axes = f"solve({name}, {right.name})[{','.join(at)}]", right.axes
    writer.read(made[0], list("ij"))
    if writer.chance(0.3):
        writer.features["a function of a matrix inside a formula"] += 1
        call = f"tanh({call}) + {writer.expression(dict(zip('ij', axes, strict=False)), 1)}"
    lines.append(f"{other}{_axes(tuple(f'{i}:{s}' for i, s in zip('ij', axes, strict=False)))} = {call}")
    return made + _add(writer, Shaped(other, axes))


def write_argmax(writer: Writer, lines: list[str], name: str) -> list[Shaped]:
    """An integer tensor: where a formula is largest first."""
    source = writer.source
    scope = {source.choice(LETTERS): source.choice(writer.sizes())} if writer.chance(0.7) else {}
    body, size = writer.argmax(scope)
    writer.features["argmax as a tensor"] += 1
    lines.append(f"{name}{_axes(tuple(f'{i}:{s}' for i, s in scope.items()))} = {body}")
    writer.integers.append(Shaped(name, tuple(scope.values()), size))
    return []


WRITERS = {
    "plain": write_definition, "recurrence": write_recurrence, "matrix": write_matrix, "argmax": write_argmax,
}  # fmt: skip


def write_loss(writer: Writer, defined: list[Shaped]) -> tuple[str, str]:
    """What is derived, and the line of the loss."""
    source = writer.source
    writer.current = "loss"
    parts = []
    for tensor in source.sample(defined, source.between(1, len(defined))) if defined else ():
        letters = list(LETTERS[: len(tensor.axes)])
        body = source.choice(("{u}", "({u})^2", "sin({u})")).format(u=writer.read(tensor, letters))
        parts.append(f"{source.choice(('sum', 'mean'))}({', '.join(letters)}, {body})" if letters else body)
    parts.append(writer.expression({}, source.choice((1, 1, 2))))
    candidates = [t for t in defined if 1 <= len(t.axes) <= 2 and not t.base]
    of = "loss"
    if candidates and writer.chance(0.25):
        of = source.choice(candidates).name
        writer.features["a tensor for its numerator"] += 1
    return of, f"loss = {' + '.join(parts)}"


def _add(writer: Writer, *made: Shaped) -> list[Shaped]:
    """New tensors, which can be read from now on."""
    writer.tensors += made
    writer.unread |= {t.name for t in made}
    return list(made)


def _axes(axes: tuple[str, ...]) -> str:
    return f"[{','.join(axes)}]" if axes else ""
