"""The values of a program by JAX.

The neutral tree is interpreted with one array axis for each index in scope: a read takes entries of the flat array by
integer grids, made by NumPy so that JAX traces as little as can be; a sum is a sum over the axes of its indices. Index
equations, slots and adjoints do not occur. Kinks are choices, as language.md defines them, and every comparison of
values adds its distance from a tie to what is returned, so that callers can keep away.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np
from index_ranges import SizedProgram, find_range, find_steps, free_indices
from jax_functions import (
    CHAINS,
    COMPARISONS,
    EXTREMES,
    KINKED,
    ONE_ARGUMENT,
    POWER,
    ZERO,
    Array,
    choose,
    real,
    spread_one,
)
from jax_peers import apply_definition

from symbackprop.language.tree import (
    Access,
    And,
    Apply,
    Chain,
    Compare,
    Condition,
    Define,
    Entry,
    Expression,
    Name,
    Negate,
    Not,
    Number,
    Or,
    Power,
    Reduce,
    Where,
)


@dataclass(frozen=True)
class Axis:
    """An index in scope; its position among the others is that of its array axis."""

    name: str
    size: int


Scope = tuple[Axis, ...]
ENTRIES = jax.lax.GatherDimensionNumbers(offset_dims=(), collapsed_slice_dims=(0,), start_index_map=(0,))


@dataclass
class Forward:
    """The values of a program, and how far each comparison of values is from a tie."""

    program: SizedProgram
    values: dict[str, Array]
    margins: list[Array] = field(default_factory=list)
    fixed: dict[str, int] = field(default_factory=dict)
    starts: dict[str, tuple[int, int]] = field(default_factory=dict)
    """For a tensor with a base at 0, the axis along which it steps, and 0."""
    inverses: dict[str, tuple[list[list[Array]], list[Array]]] = field(default_factory=dict)

    def run(self) -> dict[str, Array]:
        """Compute every definition in order."""
        for circle in self.program.circles:
            steps = find_steps(circle)
            if steps is not None:
                self._step(circle, *steps)
                continue
            (first,) = circle
            name, shape = first.head.name, self.program.shapes[first.head.name]
            self.values[name] = self._whole(first, shape)
        return self.values

    def _whole(self, definition: Define, shape: Sequence[int]) -> Array:
        """Every entry of a definition, or of its base."""
        letters = [i for i, _ in free_indices(definition) if i not in self.fixed]
        scope = tuple(Axis(i, n) for i, n in zip(letters, shape, strict=True))
        value = self.number(definition.body, scope)
        is_place = isinstance(definition.body, Reduce) and definition.body.operation == "argmax"
        return jnp.asarray(spread_one(value if is_place else real(value), tuple(shape)))

    def _step(self, circle: Sequence[Define], axes: Mapping[str, int], backward: bool) -> None:
        """Definitions that read one step back or ahead along an axis."""
        names = [d.head.name for d in circle]
        (steps,) = {self.program.shapes[name][axes[name]] for name in names}
        places = {name: np.arange(1, steps + 1) for name in names}
        for name in names:
            axis, shape = axes[name], self.program.shapes[name]
            self.values[name] = jnp.zeros(shape)
            base = self.program.bases.get(name)
            if base is None:
                continue
            entry = jnp.expand_dims(self._whole(base, shape[:axis] + shape[axis + 1 :]), axis)
            parts = [self.values[name], entry] if backward else [entry, self.values[name]]
            self.values[name] = jnp.concatenate(parts, axis)
            places[name] = np.arange(1, steps + 2) if backward else np.arange(steps + 1)
            if not backward:
                self.starts[name] = (axis, 0)
        for t in range(steps, 0, -1) if backward else range(1, steps + 1):
            for definition, name in zip(circle, names, strict=True):
                axis, shape = axes[name], self.program.shapes[name]
                letter, _ = free_indices(definition)[axis]
                self.fixed[letter] = t
                value = jnp.expand_dims(self._whole(definition, shape[:axis] + shape[axis + 1 :]), axis)
                here = (places[name] == t).reshape([-1 if k == axis else 1 for k in range(len(shape))])
                self.values[name] = choose(here, value, self.values[name])
                del self.fixed[letter]

    def number(self, node: Expression, scope: Scope) -> Array:
        """The value of an expression, an array with as many axes as there are indices in scope."""
        match node:
            case Number(value):
                return np.full((1,) * len(scope), value.numerator if value.denominator == 1 else float(value))
            case Name(name):
                return self._named(name, scope)
            case Access(name, indices):
                return self._gather(name, [self.number(form, scope) for form in indices])
            case Negate(operand):
                return -self.number(operand, scope)
            case Power(base, exponent):
                return self._power(self.number(base, scope), exponent, scope)
            case Chain(operands, operators):
                return self._chain(operands, operators, scope)
            case Reduce(operation, binders, body):
                inner = scope
                for binder in binders:
                    rest = tuple(b.range for b in binders if b.range is not None)
                    size = find_range(binder.name, binder.range, (body, *rest), self.program.shapes, self.program.sizes)
                    inner += (Axis(binder.name, size),)
                value = real(self.number(body, inner))
                bound = (1,) * len(scope) + tuple(axis.size for axis in inner[len(scope) :])
                full = spread_one(value, np.broadcast_shapes(value.shape, bound))
                axes = tuple(range(len(scope), len(inner)))
                if operation in ("max", "min", "argmax"):
                    return self._extreme(operation, full, len(scope))
                total = jax.lax.reduce_sum(full, axes) if isinstance(full, jax.Array) else np.sum(full, axes)
                return total if operation == "sum" else total / math.prod(full.shape[len(scope) :])
            case Where(condition, then, otherwise):
                taken = self.truth(condition, scope)
                return choose(taken, self.number(then, scope), self.number(otherwise, scope))
            case Apply(function, arguments, False):
                if function in ("det", "logdet"):
                    _, pivots = self._invert(arguments[0])
                    values = [pivot.reshape((1,) * len(scope)) for pivot in pivots]
                    return math.prod(values) if function == "det" else sum(jnp.log(jnp.abs(v)) for v in values)
                return self._apply(function, [real(self.number(a, scope)) for a in arguments])
            case Entry(Apply(function, arguments), indices):
                inverse, _ = self._invert(arguments[0])
                forms = [self.number(form, scope) for form in indices]
                table = jnp.stack([jnp.stack(row) for row in inverse])
                if function == "solve":
                    table = jnp.tensordot(table, self._without_base(_name_of(arguments[1])), 1)
                return _take(table, forms, [1] * len(forms))
        raise TypeError(f"the JAX oracle does not read {node}")

    def truth(self, node: Condition, scope: Scope) -> Array:
        """The value of a condition."""
        match node:
            case Compare(relation, left, right):
                a, b = self.number(left, scope), self.number(right, scope)
                self._keep_margin(a, b)
                return COMPARISONS[relation](a, b)
            case And(operands):
                first, *rest = (self.truth(one, scope) for one in operands)
                for other in rest:
                    first = first & other
                return first
            case Or(operands):
                first, *rest = (self.truth(one, scope) for one in operands)
                for other in rest:
                    first = first | other
                return first
            case Not(operand):
                return ~self.truth(operand, scope)
        raise TypeError(f"the JAX oracle does not read {node}")

    def _named(self, name: str, scope: Scope) -> Array:
        if name in self.fixed and all(axis.name != name for axis in scope):
            return np.full((1,) * len(scope), self.fixed[name])
        for position in range(len(scope) - 1, -1, -1):
            if scope[position].name == name:
                shape = [1] * len(scope)
                shape[position] = scope[position].size
                return np.arange(1, scope[position].size + 1).reshape(shape)
        if name == "pi":
            return np.full((1,) * len(scope), np.pi)
        if name in self.program.sizes:
            return np.full((1,) * len(scope), self.program.sizes[name])
        return self.values[name].reshape((1,) * len(scope))

    def _gather(self, name: str, forms: Sequence[Array]) -> Array:
        """Entries of a tensor, 0 outside its range."""
        axis, start = self.starts.get(name, (0, 1))
        return _take(self.values[name], forms, [start if k == axis else 1 for k in range(len(forms))])

    def _without_base(self, name: str) -> Array:
        """The entries of a tensor over which indices run that stand alone."""
        axis, start = self.starts.get(name, (0, 1))
        value = self.values[name]
        first = [1 - start if k == axis else 0 for k in range(value.ndim)]
        return value[tuple(slice(k, k + size) for k, size in zip(first, self.program.shapes[name], strict=True))]

    def _extreme(self, operation: str, full: Array, outer: int) -> Array:
        """The largest or smallest value over the last axes, or where the largest stands; the first of equal ones."""
        flat = full.reshape((*full.shape[:outer], -1))
        signed = -flat if operation == "min" else flat
        if isinstance(flat, jax.Array):
            signed = jax.lax.stop_gradient(signed)
            place = jax.lax.argmax(signed, outer, np.int64)
        else:
            place = np.argmax(signed, axis=outer)
        taken = place[..., None] == np.arange(flat.shape[-1])
        if flat.shape[-1] > 1 and isinstance(flat, jax.Array):
            self.margins.append(jnp.min(jnp.max(signed, -1) - jnp.max(choose(taken, np.full((), -np.inf), signed), -1)))
        if operation == "argmax":
            return place + 1
        if not isinstance(flat, jax.Array):
            return np.max(signed, -1) if operation == "max" else -np.max(signed, -1)
        return jax.lax.reduce_sum(choose(taken, flat, ZERO), (outer,))

    def _invert(self, operand: Expression) -> tuple[list[list[Array]], list[Array]]:
        """The inverse of a matrix, and its pivots, by elimination without exchanges."""
        name = _name_of(operand)
        if name not in self.inverses:
            matrix = self.values[name]
            size = matrix.shape[0]
            rows = [jnp.concatenate([matrix[k], np.eye(size)[k]]) for k in range(size)]
            pivots = []
            for k in range(size):
                pivots.append(rows[k][k])
                rows[k] = rows[k] / pivots[-1]
                rows = [row if j == k else row - row[k] * rows[k] for j, row in enumerate(rows)]
            self.inverses[name] = [[row[size + j] for j in range(size)] for row in rows], pivots
        return self.inverses[name]

    def _chain(self, operands: Sequence[Expression], operators: Sequence[str], scope: Scope) -> Array:
        total = self.number(operands[0], scope)
        for sign, operand in zip(operators, operands[1:], strict=True):
            other = self.number(operand, scope)
            total = CHAINS[sign](total, other)
        return total

    def _power(self, base: Array, exponent: Expression, scope: Scope) -> Array:
        if isinstance(exponent, Number) and exponent.value.denominator == 1:
            return real(base) ** int(exponent.value)  # an integer power, whose base may be negative
        if isinstance(exponent, Negate) and isinstance(exponent.operand, Number):
            return self._power(base, exponent.operand, scope) ** -1
        return POWER(real(base), real(self.number(exponent, scope)))

    def _apply(self, function: str, arguments: Sequence[Array]) -> Array:
        if function in ONE_ARGUMENT and len(arguments) == 1:
            return ONE_ARGUMENT[function](*arguments)
        if function in KINKED:
            self._keep_margin(arguments[0], np.zeros(()))
            return KINKED[function](*arguments)
        if function in EXTREMES:
            self._keep_margin(*arguments)
            return EXTREMES[function](*arguments)
        return apply_definition(function, tuple(arguments), self._keep_margin)

    def _keep_margin(self, left: Array, right: Array) -> None:
        computed = [a for a in (left, right) if isinstance(a, jax.Array)]
        if computed and any(np.issubdtype(a.dtype, np.floating) for a in computed):
            first, second = (jax.lax.stop_gradient(a) if isinstance(a, jax.Array) else a for a in (left, right))
            apart = jax.lax.abs(CHAINS["-"](real(first), real(second)))
            self.margins.append(jax.lax.reduce_min(apart, tuple(range(apart.ndim))))


def _name_of(operand: Expression) -> str:
    """The tensor that a function of a matrix is given by name."""
    if not isinstance(operand, Name):
        raise TypeError(f"the JAX oracle does not read a function of {operand}")
    return operand.name


def _take(tensor: Array, forms: Sequence[Array], starts: Sequence[int]) -> Array:
    """Entries of a tensor at places counted from `starts`, 0 outside its range."""
    inside: Array = np.ones((1,) * forms[0].ndim, bool)
    place: Array = np.zeros((1,) * forms[0].ndim, np.int64)
    for form, start, size in zip(forms, starts, tensor.shape, strict=True):
        computed = isinstance(form, jax.Array)
        inside = inside & (form >= start) & (form < start + size)
        place = place * size + (jnp.clip if computed else np.clip)(form - start, 0, size - 1)
    if isinstance(tensor, np.ndarray) and isinstance(place, np.ndarray):  # integer data
        return np.where(inside, tensor.reshape(-1)[place], 0)
    if isinstance(place, np.ndarray) and place.size == tensor.size and inside.all():
        if (place.ravel() == np.arange(tensor.size)).all():
            return tensor.reshape(place.shape)
    taken = jax.lax.gather(
        jnp.asarray(tensor).reshape(-1),
        place[..., None],
        ENTRIES,
        (1,),
        mode=jax.lax.GatherScatterMode.PROMISE_IN_BOUNDS,
    )
    if isinstance(inside, np.ndarray) and inside.all():
        return taken
    return choose(inside, taken, np.zeros((), taken.dtype))
