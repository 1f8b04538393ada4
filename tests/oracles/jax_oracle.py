"""Programs as JAX functions in float64, differentiated by JAX.

The neutral tree is interpreted with one array axis for each index in scope: a read gathers by broadcast integer
grids, made by NumPy so that JAX compiles as little as can be; a sum is `jnp.sum` over the axes of its indices. Index
equations, slots and adjoints do not occur. Kinks are `jnp.where`, as language.md defines them, and every comparison
of values adds its distance from a tie to what is returned, so that callers can keep away.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import jax.scipy
import numpy as np
from index_ranges import SizedProgram, find_range, free_indices, reads, reads_ahead

from symbackprop.language.tree import (
    Access,
    And,
    Apply,
    Chain,
    Compare,
    Condition,
    Define,
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

jax.config.update("jax_enable_x64", True)

Array = jax.Array | np.ndarray  # NumPy's where no leaf takes part
COMPARISONS: dict[str, Callable[[Array, Array], Array]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
CHAINS: dict[str, Callable[[Array, Array], Array]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod,
}  # fmt: skip
ONE_ARGUMENT: dict[str, Callable[[Array], Array]] = {
    "identity": lambda u: u,
    "exp": jnp.exp,
    "log": jnp.log,
    "sqrt": jnp.sqrt,
    "sin": jnp.sin,
    "cos": jnp.cos,
    "tan": jnp.tan,
    "sinh": jnp.sinh,
    "cosh": jnp.cosh,
    "tanh": jnp.tanh,
    "erf": jax.scipy.special.erf,
    "sigmoid": jax.nn.sigmoid,
    "softplus": jax.nn.softplus,
    "silu": jax.nn.silu,
    "gelu": lambda u: jax.nn.gelu(u, approximate=False),
    "gelu_tanh": lambda u: jax.nn.gelu(u, approximate=True),
}
KINKED: dict[str, Callable[..., Array]] = {
    "abs": lambda u: jnp.where(u > 0, u, jnp.where(u < 0, -u, 0.0)),
    "sign": lambda u: jnp.where(u > 0, 1.0, jnp.where(u < 0, -1.0, 0.0)),
    "relu": lambda u: jnp.where(u > 0, u, 0.0),
    "leaky_relu": lambda u, slope=0.01: jnp.where(u > 0, u, slope * u),
    "elu": lambda u, alpha=1.0: jnp.where(u > 0, u, alpha * (jnp.exp(u) - 1.0)),
}
EXTREMES: dict[str, Callable[[Array, Array], Array]] = {
    "maximum": lambda u, v: jnp.where(u > v, u, jnp.where(u < v, v, (u + v) / 2)),
    "minimum": lambda u, v: jnp.where(u < v, u, jnp.where(u > v, v, (u + v) / 2)),
}


@dataclass(frozen=True)
class Axis:
    """An index in scope; its position among the others is that of its array axis."""

    name: str
    size: int


Scope = tuple[Axis, ...]


@dataclass
class Forward:
    """The values of a program, and how far each comparison of values is from a tie."""

    program: SizedProgram
    values: dict[str, Array]
    margins: list[Array] = field(default_factory=list)
    fixed: dict[str, int] = field(default_factory=dict)
    starts: dict[str, int] = field(default_factory=dict)

    def run(self) -> dict[str, Array]:
        """Compute every definition in order."""
        for circle in self.program.circles:
            (first, *_) = circle
            if any(reads(d, e.head.name) for d in circle for e in circle):
                self._step(circle)
                continue
            name, shape = first.head.name, self.program.shapes[first.head.name]
            self.values[name] = self._whole(first, shape)
        return self.values

    def _whole(self, definition: Define, shape: Sequence[int]) -> Array:
        """Every entry of a definition, or of its base."""
        letters = [i for i, _ in free_indices(definition) if i not in self.fixed]
        scope = tuple(Axis(i, n) for i, n in zip(letters, shape, strict=True))
        value = jnp.asarray(self.number(definition.body, scope), dtype=jnp.float64)
        return jnp.broadcast_to(value, shape)

    def _step(self, circle: Sequence[Define]) -> None:
        """Definitions that read one step back or ahead along their first axis."""
        names = [d.head.name for d in circle]
        (steps,) = {self.program.shapes[name][0] for name in names}
        backward = any(reads_ahead(d, name) for d in circle for name in names)
        for name in names:
            base = self.program.bases.get(name)
            rest = self.program.shapes[name][1:]
            self.values[name] = jnp.zeros((steps, *rest))
            if base is None:
                continue
            entry = self._whole(base, rest)[None]
            parts = [self.values[name], entry] if backward else [entry, self.values[name]]
            self.values[name] = jnp.concatenate(parts)
            if not backward:
                self.starts[name] = 0
        for t in range(steps, 0, -1) if backward else range(1, steps + 1):
            for definition, name in zip(circle, names, strict=True):
                (letter, _), *_ = free_indices(definition)
                self.fixed[letter] = t
                value = self._whole(definition, self.program.shapes[name][1:])
                self.values[name] = self.values[name].at[t - self.starts.get(name, 1)].set(value)
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
                value = self.number(body, inner) * 1.0
                bound = (1,) * len(scope) + tuple(axis.size for axis in inner[len(scope) :])
                full = jnp.broadcast_to(value, jnp.broadcast_shapes(value.shape, bound))
                axes = tuple(range(len(scope), len(inner)))
                if operation in ("max", "min", "argmax"):
                    return self._extreme(operation, full, len(scope))
                return {"sum": jnp.sum, "mean": jnp.mean}[operation](full, axis=axes)
            case Where(condition, then, otherwise):
                taken = self.truth(condition, scope)
                return jnp.where(taken, self.number(then, scope), self.number(otherwise, scope))
            case Apply(function, arguments, False):
                return self._apply(function, [self.number(a, scope) * 1.0 for a in arguments])
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
        tensor = self.values[name]
        start = self.starts.get(name, 1)
        forms = [form + (1 - start) if k == 0 else form for k, form in enumerate(forms)]
        if any(isinstance(form, jax.Array) for form in forms):
            return self._gather_computed(tensor, forms)
        inside: np.ndarray = np.asarray(True)
        for form, size in zip(forms, tensor.shape, strict=True):
            inside = inside & (form >= 1) & (form <= size)
        clipped = tuple(np.clip(form, 1, size) - 1 for form, size in zip(forms, tensor.shape, strict=True))
        if isinstance(tensor, np.ndarray):  # integer data
            return np.where(inside, tensor[clipped], 0)
        whole = np.arange(tensor.size).reshape(tensor.shape)[clipped]
        if whole.size == tensor.size and (whole.ravel() == np.arange(tensor.size)).all():
            return tensor.reshape(whole.shape)
        taken = tensor.reshape(-1)[whole]
        return taken if inside.all() else jnp.where(inside, taken, 0)

    def _gather_computed(self, tensor: Array, forms: Sequence[Array]) -> Array:
        """The same where positions are computed."""
        inside = jnp.asarray(True)
        for form, size in zip(forms, tensor.shape, strict=True):
            inside = inside & (form >= 1) & (form <= size)
        clipped = tuple(jnp.clip(form, 1, size) - 1 for form, size in zip(forms, tensor.shape, strict=True))
        return jnp.where(inside, jnp.asarray(tensor)[clipped], 0)

    def _extreme(self, operation: str, full: Array, outer: int) -> Array:
        """The largest or smallest value over the last axes, or where the largest stands; the first of equal ones."""
        flat = full.reshape((*full.shape[:outer], -1))
        signed = -flat if operation == "min" else flat
        if flat.shape[-1] > 1 and isinstance(flat, jax.Array):
            ordered = jnp.sort(signed, axis=-1)
            self.margins.append(jnp.min(ordered[..., -1] - ordered[..., -2]))
        place = jnp.argmax(jax.lax.stop_gradient(jnp.asarray(signed)), axis=-1)
        if operation == "argmax":
            return place + 1
        return jnp.take_along_axis(jnp.asarray(flat), place[..., None], axis=-1)[..., 0]

    def _chain(self, operands: Sequence[Expression], operators: Sequence[str], scope: Scope) -> Array:
        total = self.number(operands[0], scope)
        for sign, operand in zip(operators, operands[1:], strict=True):
            other = self.number(operand, scope)
            total = CHAINS[sign](total, other)
        return total

    def _power(self, base: Array, exponent: Expression, scope: Scope) -> Array:
        if isinstance(exponent, Number) and exponent.value.denominator == 1:
            return (base * 1.0) ** int(exponent.value)  # an integer power, whose base may be negative
        if isinstance(exponent, Negate) and isinstance(exponent.operand, Number):
            return self._power(base, exponent.operand, scope) ** -1
        return (base * 1.0) ** (self.number(exponent, scope) * 1.0)

    def _apply(self, function: str, arguments: Sequence[Array]) -> Array:
        if function in ONE_ARGUMENT:
            return ONE_ARGUMENT[function](*arguments)
        if function in KINKED:
            self._keep_margin(arguments[0], np.zeros(()))
            return KINKED[function](*arguments)
        self._keep_margin(*arguments)
        return EXTREMES[function](*arguments)

    def _keep_margin(self, left: Array, right: Array) -> None:
        computed = [a for a in (left, right) if isinstance(a, jax.Array)]
        if computed and not all(jnp.issubdtype(a.dtype, jnp.integer) for a in (left, right)):
            self.margins.append(jnp.min(jnp.abs(left - right)))


Leaves = Mapping[str, np.ndarray]
NONE: Leaves = {}
# One compilation a program, for speed of compiling and not of running.
QUICK = {
    "xla_backend_optimization_level": 0,
    "xla_llvm_disable_expensive_passes": True,
    "xla_cpu_use_fusion_emitters": False,
    "xla_cpu_parallel_codegen_split_count": 1,
}


@dataclass(frozen=True)
class Result:
    """The value of a tensor, its derivatives, and the least distance of any comparison of values from a tie."""

    value: np.ndarray
    derivatives: dict[str, np.ndarray]
    margin: float


def make_differentiator(
    program: SizedProgram, of: str, wrt: Sequence[str], integers: Mapping[str, np.ndarray] = NONE
) -> Callable[[Leaves], Result]:
    """The value of `of` and its derivatives as a function of the leaves: the axes of `of`, then those of the leaf."""

    def forward(moving: dict[str, Array], fixed: dict[str, Array]) -> tuple[Array, tuple[Array, Array]]:
        run = Forward(program, fixed | moving | dict(integers))
        value = run.run()[of]
        return value, (value, jnp.min(jnp.stack([jnp.asarray(jnp.inf), *run.margins])))

    derive = jax.grad if program.shapes[of] == () else jax.jacrev

    def convert(leaves: Leaves) -> tuple[dict[str, Array], dict[str, Array]]:
        arrays = {name: jnp.asarray(v, jnp.float64) for name, v in leaves.items() if program.kinds[name] != "index"}
        return {name: arrays[name] for name in wrt}, {name: a for name, a in arrays.items() if name not in wrt}

    shapes = {name: np.zeros(program.shapes[name]) for name in program.kinds}
    compiled = jax.jit(derive(forward, has_aux=True)).lower(*convert(shapes)).compile(compiler_options=QUICK)

    def differentiate(leaves: Leaves) -> Result:
        """At other integer data it has to be made again."""
        derivatives, (value, margin) = compiled(*convert(leaves))
        return Result(np.asarray(value), {name: np.asarray(one) for name, one in derivatives.items()}, float(margin))

    return differentiate


def differentiate_twice(program: SizedProgram, leaves: Leaves, of: str, first: str, second: str) -> np.ndarray:
    """The second derivatives of the scalar `of`: the axes of `first`, then those of `second`."""
    arrays = {name: jnp.asarray(value, jnp.float64) for name, value in leaves.items()}

    def value(moving: dict[str, Array]) -> Array:
        return Forward(program, arrays | moving).run()[of]

    moving = {name: arrays[name] for name in (first, second)}
    return np.asarray(jax.jit(jax.jacrev(jax.grad(value)))(moving)[first][second])
