"""How array operations are written for each library; the printers ask, and know no library by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

NUMPY_NAMES: Mapping[str, str] = MappingProxyType({
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps start, ..., end - 1 of a loop, upwards where `direction` is 1.

    `slices` are names with what they go through, one entry a step.
    """

    name: str
    start: str
    end: str
    direction: int
    slices: tuple[tuple[str, str], ...] = ()


class NumpyDialect:
    """NumPy: arrays are written in place, and what a select discards is computed without warnings."""

    name = "NumPy"
    module = "np"
    warns = True
    """Whether a value that is not finite is reported, so that the code has to say where it expects one."""
    views = True
    """Whether reads at even steps are views, and sums into even steps additions of slices."""
    axis, largest, permute, as_array = "axis", "max", "transpose", "asarray"
    """What the library calls an axis, the largest entry, another order of axes, and an array of something."""

    def function(self, name: str, *arguments: str) -> str:
        """A scalar function, by SymPy's name of it, applied entry by entry."""
        return f"{self.module}.{NUMPY_NAMES.get(name, name)}({', '.join(arguments)})"

    def erf(self, argument: str) -> str:
        """The error function."""
        return f"erf({argument})"

    def positive(self, argument: str, zero: str) -> str:
        """The argument where it is larger than 0, and 0 elsewhere, entry by entry."""
        return f"{self.module}.fmax({argument}, {zero})"

    def where(self, condition: str, value: str, other: str) -> str:
        """One value or another, entry by entry."""
        return f"{self.module}.where({condition}, {value}, {other})"

    def indicator(self, condition: str) -> str:
        """1 where a condition holds and 0 elsewhere."""
        return self.where(condition, "1", self.number("0"))

    def condition(self, text: str) -> str:
        """A comparison of positions, which may be no array."""
        return text

    def number(self, text: str) -> str:
        """A number in the precision of the code."""
        return f"DTYPE({text})"

    def numbers(self, text: str) -> str:
        """An array of integers as one in the precision of the code."""
        return f"{self.module}.{self.as_array}({text}, dtype=DTYPE)"

    def arange(self, start: str, end: str) -> str:
        """The integers from start to end - 1."""
        return f"{self.module}.arange({start}, {end})"

    def zeros(self, shape: str) -> str:
        """An array of zeros."""
        return f"{self.module}.zeros({shape}, dtype=DTYPE)"

    def broadcast(self, text: str, shape: str) -> str:
        """The array repeated along new axes."""
        return f"{self.module}.broadcast_to({text}, {shape})"

    def transpose(self, text: str, places: Sequence[int]) -> str:
        """The array with its axes in the order of `places`."""
        if list(places) == list(range(len(places))):
            return text
        if len(places) == 2 and text.endswith(".T"):
            return text[:-2]
        inner = re.fullmatch(rf"{self.module}\.{self.permute}\((\w+), \(([\d, ]+)\)\)", text)
        if inner is not None:  # one permutation after another is one
            before = [int(place) for place in inner[2].split(",")]
            return self.transpose(inner[1], [before[place] for place in places])
        return f"{text}.T" if len(places) == 2 else f"{self.module}.{self.permute}({text}, {tuple(places)})"

    def total(self, text: str, axes: Sequence[int] | None) -> str:
        """The sum over axes, or over all."""
        return f"{text}.sum({'' if axes is None else self._along(axes)})"

    def peak(self, text: str, axes: Sequence[int]) -> str:
        """The largest entry along axes."""
        return f"{text}.{self.largest}({self._along(axes)})"

    def first(self, text: str, axes: Sequence[int]) -> str:
        """Where the largest entry stands first along an axis, counted from 0."""
        return f"{self.module}.argmax({text}, {self._along(axes)})"

    def dot(self, left: str, right: str) -> str:
        """The sum of the products of all entries of two arrays of one shape."""
        return f"{self.module}.vdot({left}, {right})"

    def row_dot(self, left: str, right: str) -> str:
        """The sum of the products of entries along the last axis."""
        return f"{self.module}.vecdot({left}, {right})"

    def determinant(self, text: str) -> str:
        """The determinant of a matrix."""
        return f"{self.module}.linalg.det({text})"

    def copy(self, text: str) -> str:
        """An array that belongs to the caller."""
        return f"{self.module}.array({text}, dtype=DTYPE)"

    def assign(self, array: str, at: str, value: str, inside: str) -> list[str]:
        """A slice of an array gets a value, where `inside` holds if it is not empty."""
        line = f"{array}[{at}] = {value}"
        return [f"if {inside}:", f"    {line}"] if inside else [line]

    def loop(
        self,
        steps: Steps,
        arrays: Sequence[str],
        body: Sequence[str],
        fresh: Callable[[str], str],
    ) -> list[str]:
        """The lines of a body, which assigns to arrays, at every step; `fresh` makes new names."""
        span = f"range({steps.start}, {steps.end})"
        pairs = [(steps.name, span if steps.direction > 0 else f"reversed({span})")]
        if steps.slices:
            read = any(re.search(rf"\b{steps.name}\b", line) for line in body)
            pairs = [*(pairs if read else ()), *steps.slices]
        names, spans = (", ".join(parts) for parts in zip(*pairs, strict=True))
        run = f"for {names} in {spans if len(pairs) == 1 else f'zip({spans})'}:"
        if not self.warns:
            return [run, *(f"    {line}" for line in body)]
        # A step outside the range of a definition may compute what is not finite; a mask leaves it out.
        return ["with np.errstate(all='ignore'):", f"    {run}", *(f"        {line}" for line in body)]

    def _along(self, axes: Sequence[int]) -> str:
        return f"{self.axis}={axes[0] if len(axes) == 1 else tuple(axes)}"


class JaxDialect(NumpyDialect):
    """JAX: NumPy's names, arrays that never change, and no warnings."""

    name = "JAX"
    module = "jnp"
    warns = False
    views = False

    def copy(self, text: str) -> str:
        """Nobody can change an array, so that any may be handed out."""
        return self.numbers(text)

    def assign(self, array: str, at: str, value: str, inside: str) -> list[str]:
        """An array with another slice, where `inside` holds if it is not empty."""
        changed = f"{array}.at[{at}].set({value})"
        return [f"{array} = jnp.where({inside}, {changed}, {array})" if inside else f"{array} = {changed}"]

    def loop(
        self,
        steps: Steps,
        arrays: Sequence[str],
        body: Sequence[str],
        fresh: Callable[[str], str],
    ) -> list[str]:
        """A function of a step and the arrays, and the loop over it, which JAX compiles once."""
        function, count = fresh("step"), fresh("count")
        names = "".join(f"{array}, " for array in arrays).strip()
        counted = count if steps.direction > 0 else f"{steps.end} - 1 + {steps.start} - {count}"
        inner = [f"{steps.name} = {counted}", f"{names} = states", *body, f"return ({names})"]
        return [
            f"def {function}({count}, states):",
            *(f"    {line}" for line in inner),
            "",
            f"{names} = jax.lax.fori_loop({steps.start}, {steps.end}, {function}, ({names}))",
        ]


class TorchDialect(NumpyDialect):
    """PyTorch, whose functions take tensors and no numbers."""

    name = "PyTorch"
    module = "torch"
    warns = False
    views = False
    axis, largest, permute, as_array = "dim", "amax", "permute", "as_tensor"

    def function(self, name: str, *arguments: str) -> str:
        """A scalar function, which PyTorch calls as SymPy does."""
        return f"torch.{name}({', '.join(arguments)})"

    def erf(self, argument: str) -> str:
        """The error function."""
        return f"torch.erf({argument})"

    def positive(self, argument: str, zero: str) -> str:
        """A function of its own: `torch.fmax` takes as long as a select."""
        return f"positive({argument})"

    def indicator(self, condition: str) -> str:
        """A cast, which takes a tenth of the time of a select."""
        return f"{condition}.to(DTYPE)"

    def condition(self, text: str) -> str:
        """A comparison of positions as a tensor."""
        return f"torch.as_tensor({text})"

    def number(self, text: str) -> str:
        """A number in the precision of the code."""
        return self.numbers(text)

    def dot(self, left: str, right: str) -> str:
        """The sum of the products of all entries of two tensors of one shape."""
        return f"({left} * {right}).sum()"

    def row_dot(self, left: str, right: str) -> str:
        """The sum of the products of entries along the last axis."""
        return f"torch.linalg.vecdot({left}, {right})"

    def copy(self, text: str) -> str:
        """A tensor that belongs to the caller."""
        return f"{text}.to(DTYPE, copy=True)"


Dialect = NumpyDialect
