"""Random reads of tensors: which one, at which index forms, and what gives an index its range."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from chance import Source
from index_ranges import axes_of

from symbackprop.language.reader import read_expression

LETTERS = tuple("ijkmnpqr")
SIZES = ("N", "D", "H")


@dataclass(frozen=True)
class Shaped:
    """A tensor of a random program with the sizes of its axes; the entries of an integer one are 1..`range`.

    `base` is the place of the base on the first axis of size `axes[stepped]`, such as 0, where there is one.
    """

    name: str
    axes: tuple[str, ...]
    range: str = ""
    base: str = ""
    stepped: int = 0


Scope = dict[str, str]
"""The indices that can be used, each with its size."""


@dataclass
class Reads:
    """What can be read and what was read so far; `plain` programs have plain indices only."""

    source: Source
    plain: bool = False
    tensors: list[Shaped] = field(default_factory=list)
    integers: list[Shaped] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)
    features: Counter[str] = field(default_factory=Counter)
    readers: dict[str, set[str]] = field(default_factory=dict)
    patterns: dict[str, set[tuple[str, ...]]] = field(default_factory=dict)
    current: str = ""

    def chance(self, probability: float) -> bool:
        """True with the given probability; a source that gives the least it can gives False."""
        return self.source.random() >= 1 - probability

    def sizes(self) -> list[str]:
        """The sizes of all axes."""
        return sorted({a for t in self.tensors for a in t.axes}) or ["2"]

    def fitting(self, scope: Scope, size: str) -> list[str]:
        """The indices in scope that have a size."""
        return [i for i, s in scope.items() if s == size]

    def fresh(self, scope: Scope) -> str:
        """A letter that is not in scope."""
        return self.source.choice([x for x in LETTERS if x not in scope])

    def letter(self, scope: Scope, bound: list[str]) -> str:
        """A letter for a new index, now and then one that hides an outer index."""
        if scope and self.chance(0.15):
            letter = self.source.choice(sorted(scope))
            if letter not in bound and letter != "t":
                self.features["shadowed"] += 1
                return letter
        return self.fresh(scope)

    def gives_range(self, letter: str, body: str) -> bool:
        """Whether a read in the body, not under a binder of the same letter, has the letter alone on an axis."""
        numbered = {t.name: tuple(range(len(t.axes))) for t in (*self.tensors, *self.integers)}
        return any(True for _ in axes_of(letter, read_expression(body), numbered))

    def binders(self, bound: list[str], scope: Scope, body: str) -> str:
        """The indices that a reduction binds, with their ranges where the body does not give them, or now and then."""
        given = [i for i in bound if self.gives_range(i, body) and not self.chance(0.1)]
        self.features["explicit range"] += len(given) < len(bound)
        return ", ".join(i if i in given else f"{i}:{scope[i]}" for i in bound)

    # Reads.

    def read(self, tensor: Shaped, forms: list[str]) -> str:
        """A read of a tensor at given forms, noted for the features."""
        self.unread.discard(tensor.name)
        self.readers.setdefault(tensor.name, set()).add(self.current)
        self.patterns.setdefault(tensor.name, set()).add((self.current, *forms))
        if not tensor.axes:
            self.features["scalar"] += 1
            return tensor.name
        self.features["repeated index"] += len(set(forms)) < len(forms)
        self.features["literal size"] += any(a.isdigit() for a in tensor.axes)
        for axis in tensor.axes:
            kinds = {"an affine size": axis not in SIZES and not axis.isdigit(), "a quotient as a size": "//" in axis}
            self.features.update(kind for kind, holds in kinds.items() if holds)
        return f"{tensor.name}[{','.join(forms)}]"

    def leaf(self, scope: Scope) -> str:
        """A read of a tensor, reduced over the axes for which nothing in scope fits."""
        fits = [set(t.axes) <= set(scope.values()) for t in self.tensors]
        weights = [
            (4.0 if t.name in self.unread else 1.0) * (3.0 if f and t.axes else 1.0)
            for t, f in zip(self.tensors, fits, strict=True)
        ]
        tensor = self.source.weighted(self.tensors, weights)
        inner = dict(scope)
        bound: list[str] = []
        for size in tensor.axes:
            if not self.fitting(inner, size) or self.chance(0.1):
                letter = self.letter(inner, bound)
                inner[letter] = size
                bound.append(letter)
        for size in tensor.axes:  # a letter that hides another may have taken the only index of a size
            if size not in inner.values():
                letter = self.fresh(inner)
                inner[letter] = size
                bound.append(letter)
        chosen: list[str] = []
        for size in tensor.axes:
            here = self.fitting(inner, size)
            owed = [i for i in bound if i in here and i not in chosen]  # an index bound for this read is used by it
            chosen.append(owed[0] if owed else self.source.choice(here))
        forms = [self.form(i, tensor, k, inner) for k, i in enumerate(chosen)]
        text = self.read(tensor, forms)
        if not bound:
            return text
        operation = self.source.choice(("sum", "mean"))
        self.features[operation] += 1
        self.features["mean over several"] += operation == "mean" and len(bound) > 1
        return f"{operation}({self.binders(bound, inner, text)}, {text})"

    def factor(self, scope: Scope, needed: str) -> str:
        """A read that has the index `needed` alone on an axis, where some tensor allows that."""
        sizes = set(scope.values())
        candidates = [t for t in self.tensors if scope[needed] in t.axes and set(t.axes) <= sizes]
        if not candidates:
            return "1"
        tensor = self.source.choice(candidates)
        chosen: list[str] = []
        for size in tensor.axes:
            takes = size == scope[needed] and needed not in chosen
            chosen.append(needed if takes else self.source.choice(self.fitting(scope, size)))
        return self.read(tensor, chosen)

    # What stands on an axis.

    def form(self, letter: str, tensor: Shaped, axis: int, scope: Scope) -> str:
        """An index, or now and then an index form that may leave the axis, a number or an integer that is read."""
        if self.plain or not self.chance(0.25):
            return letter
        size = tensor.axes[axis]
        kind = self.source.choice((
            "shift", "stride", "reversed", "two indices", "dilation", "quotient", "remainder", "literal index",
            "gather", "gather", "gather with a shift", "argmax",
        ))  # fmt: skip
        bracketed = size if size in SIZES or size.isdigit() else f"({size})"
        others = [i for i in scope if i != letter]
        if kind in ("two indices", "dilation") and not others:
            kind = "shift"
        if kind.startswith("gather"):
            entry = self.integer_entry(scope, size if kind == "gather" else "")
            if entry is None:
                return letter
            self.features[kind] += 1
            return entry[0] if kind == "gather" else f"{entry[0]}{self.source.choice(('-1', '+1'))}"
        self.features[kind] += 1
        if kind == "argmax":
            return self.argmax(scope, size)[0]
        if kind == "literal index":
            known = ["1", *([] if size.isdigit() else ["2", size, f"{bracketed}-1"])]
            if tensor.base and axis == tensor.stepped:
                self.features["base that is read"] += 1
                known = [tensor.base]
            return self.source.choice(known)
        other = self.source.choice(others) if others else ""
        templates = {
            "shift": ("{i}+1", "{i}-1", "{i}+2", "1+{i}"),
            "stride": ("2*{i}-1", "3*{i}-2", "2*{i}-2", "3-2*{i}"),
            "reversed": ("{s}-{i}+1", "{s}-{i}", "{s}+1-{i}"),
            "two indices": ("{i}+{j}-1", "{i}-{j}+1", "{j}-{i}", "{i}+{j}-2"),
            "dilation": ("{i}+2*{j}-2", "2*{i}+{j}-2", "2*{i}-3*{j}+1", "{i}-2*{j}+2"),
            "quotient": ("({i}+1)//2", "{i}//2", "({i}+2)//3+1"),
            "remainder": ("{i}%2+1", "{i}%3+1", "{i}%3", "(2*{i}+1)%3+1"),
        }
        return self.source.choice(templates[kind]).format(i=letter, j=other, s=bracketed)

    def integer_entry(self, scope: Scope, size: str = "") -> tuple[str, str] | None:
        """An entry of an integer tensor at indices in scope, with its range; None where there is none."""
        fitting = [t for t in self.integers if set(t.axes) <= set(scope.values()) and size in ("", t.range)]
        if not fitting:
            return None
        tensor = self.source.choice(fitting)
        at = [self.source.choice(self.fitting(scope, a)) for a in tensor.axes]
        if self.chance(0.15) and at:
            self.features["integer entry at a form"] += 1
            at[0] += self.source.choice(("+1", "-1"))
        self.features["two-dimensional integers"] += len(at) > 1
        self.readers.setdefault(tensor.name, set()).add(self.current)
        return f"{tensor.name}[{','.join(at)}]" if at else tensor.name, tensor.range

    def argmax(self, scope: Scope, size: str = "") -> tuple[str, str]:
        """Where something is largest first, with its range."""
        letter = self.fresh(scope)
        wide = {**scope, letter: size or self.source.choice(self.sizes())}
        body = f"{self.factor(wide, letter)}*cos({letter}) + {self.factor(wide, letter)}"
        return f"argmax({letter}:{wide[letter]}, {body})", wide[letter]
