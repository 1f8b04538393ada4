"""Straight-line code as a function that a caller holds, and its loop of gradient steps."""

from __future__ import annotations

import ast
import builtins
import math
import types
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cached_property
from importlib import import_module
from numbers import Integral, Real
from typing import Any

from symbackprop.codegen import python_runtime
from symbackprop.codegen.binding import BindingError
from symbackprop.codegen.code import Code, CodeHolder
from symbackprop.errors import ArgumentError, DataError, ShapeError

PLAIN = (list, tuple, float)
"""The types of arguments that straight-line Python takes as they are."""


class ScalarFunction(CodeHolder, ABC):
    """f(params, /, **data) -> (value, {name: gradient}) at the sizes that the code was written for.

    `params` holds what the program declares `param`; data and constants come by keyword. `source` is the code that
    runs.
    """

    def __init__(self, code: Code) -> None:
        self.code = code
        self.shapes: dict[str, tuple[int, ...]] = python_runtime.shapes_of(code.layout)

    @cached_property
    def moving(self) -> tuple[str, ...]:
        """The parameters that a gradient step changes: those of wrt."""
        return tuple(name for name in self.layout["params"] if name in self.gradient_names)

    @abstractmethod
    def __call__(self, params: Mapping[str, Any], /, **data: Any) -> tuple[Any, dict[str, Any]]:
        """The value and its gradients, in the order of wrt."""

    @abstractmethod
    def value(self, params: Mapping[str, Any], /, **data: Any) -> Any:
        """The value alone."""

    def descend(
        self, params: Mapping[str, Any], learning_rate: float, steps: int, /, **data: Any
    ) -> tuple[Any, dict[str, Any]]:
        """Gradient descent: (the value before each step, the parameters after the last one).

        Data with one more axis in front than the program declares hold batches: step k takes the k-th of them, and
        after the last one the first again. `params` is not changed, and values are not checked to be finite.
        """
        rate: Any = learning_rate
        count: Any = steps
        fine = isinstance(rate, Real) and math.isfinite(rate) and isinstance(count, Integral) and int(count) >= 0
        if not fine:
            raise ArgumentError(
                f"learning_rate is {learning_rate!r} and steps is {steps!r}; give a finite number and at least 0 steps."
            )
        if not self.moving or self.gradient_names != self.moving:
            raise ArgumentError(
                f"descend moves parameters, and this function has the gradients of {', '.join(self.gradient_names)}; "
                "derive a loss by parameters."
            )
        found: tuple[Any, dict[str, Any]] = translate(lambda: self._descend(params, learning_rate, steps, data))
        return found

    @abstractmethod
    def _descend(
        self, params: Mapping[str, Any], learning_rate: float, steps: int, data: Mapping[str, Any]
    ) -> tuple[Any, dict[str, Any]]:
        """The same for checked numbers."""


class PythonFunction(ScalarFunction):
    """Straight-line Python on nested lists of floats, and without a library."""

    def __init__(self, code: Code) -> None:
        super().__init__(code)
        found = load_functions(code.source, {**vars(python_runtime)})
        self._forward, self._backward = found["_forward"], found["_backward"]

    def __call__(self, params: Mapping[str, Any], /, **data: Any) -> tuple[Any, dict[str, Any]]:
        """The value and its gradients as nested lists, in the order of wrt."""
        arrays = self._try(params, data)
        if arrays is not None:
            try:
                value, saved = self._forward(*arrays)
                if type(value) is float:  # as it is where every entry that it reads is one
                    return value, dict(zip(self.code.gradients, self._backward(*saved), strict=True))
            except (ArithmeticError, TypeError, ValueError):
                pass  # what is wrong is said below, or made infinite
        arrays = translate(lambda: python_runtime.read_arrays(self.layout, params, data))
        value, saved = python_runtime.run_forward(self._forward, arrays)
        gradients = python_runtime.run_backward(self._backward, saved)
        return value, dict(zip(self.code.gradients, gradients, strict=True))

    def _try(self, params: Mapping[str, Any], data: Mapping[str, Any]) -> list[Any] | None:
        """The arguments of a call as they are, where they are lists and numbers by the right names."""
        if self.layout["integers"] or len(params) + len(data) != len(self.shapes):
            return None
        try:
            arrays = [params[name] for name in self.layout["params"]] + [data[name] for name in self.layout["data"]]
        except (KeyError, TypeError):
            return None
        return arrays if all(type(array) in PLAIN for array in arrays) else None

    def value(self, params: Mapping[str, Any], /, **data: Any) -> Any:
        """The value alone, without the backward pass."""
        arrays = translate(lambda: python_runtime.read_arrays(self.layout, params, data))
        return python_runtime.run_forward(self._forward, arrays)[0]

    def _descend(
        self, params: Mapping[str, Any], learning_rate: float, steps: int, data: Mapping[str, Any]
    ) -> tuple[Any, dict[str, Any]]:
        cast, integers = python_runtime.Library.cast, self.layout["integers"]
        given = {name: cast(name, value, None if name in integers else float) for name, value in data.items()}
        long = {name: len(a.nested) for name, a in given.items() if a.ndim == len(self.shapes.get(name, ())) + 1}
        places = range(check_batches(long))
        batches = [{n: a.nested[k] if n in long else a.nested for n, a in given.items()} for k in places]
        # All batches have one shape; integers must be in their range in each.
        checked = batches if any(name in integers for name in long) else batches[:1]
        first = [python_runtime.read_arrays(self.layout, params, batch) for batch in checked][0]
        names = tuple(self.layout["params"])
        current, losses = first[: len(names)], []
        rest = [[batch[name] for name in self.layout["data"]] for batch in batches]
        for step in range(steps):
            arrays = [*current, *rest[step % len(rest)]]
            loss, saved = python_runtime.run_forward(self._forward, arrays)
            losses.append(loss)
            moved = dict(zip(self.code.gradients, python_runtime.run_backward(self._backward, saved), strict=True))
            current = [
                _step(theta, moved[name], learning_rate) if name in moved else theta
                for name, theta in zip(names, current, strict=True)
            ]
        return losses, dict(zip(names, current, strict=True))


def _step(theta: Any, gradient: Any, rate: float) -> Any:
    """A gradient step on nested lists."""
    if isinstance(theta, list):
        return [_step(t, g, rate) for t, g in zip(theta, gradient, strict=True)]
    return theta - rate * gradient


def check_batches(lengths: Mapping[str, int]) -> int:
    """The number of batches, 1 where there are none; BindingError where arrays differ in it or have an empty axis."""
    if len(set(lengths.values())) > 1:
        given = ", ".join(f"{name} has {number}" for name, number in lengths.items())
        raise BindingError("shape", f"The numbers of batches differ: {given}.")
    if 0 in lengths.values():
        raise BindingError("shape", f"{', '.join(lengths)}: no batch; give at least one.")
    return next(iter(lengths.values()), 1)


def compile_scalar_code(code: Code) -> ScalarFunction:
    """The function of straight-line code; ArgumentError says which extra brings a library that is missing."""
    if code.target.name == "python":
        return PythonFunction(code)
    try:
        runtime = import_module(f"symbackprop.codegen.{code.target.runtime}")
    except ModuleNotFoundError as error:
        raise ArgumentError(
            f"The target {code.target.name!r} needs {error.name}: pip install 'symbackprop[{code.target.extra}]'."
        ) from error
    made: ScalarFunction = runtime.Function(code)
    return made


def load_functions(source: str, names: Mapping[str, Any]) -> dict[str, types.FunctionType]:
    """The functions of a generated source, made from its syntax tree; nothing at module level runs."""
    module = compile(ast.parse(source), "<generated by symbackprop>", "exec")
    known = {**names, "__builtins__": builtins, "math": math}
    codes = [c for c in module.co_consts if isinstance(c, types.CodeType)]
    return {c.co_name: types.FunctionType(c, known) for c in codes}


def translate(call: Callable[[], Any]) -> Any:
    """The result of a call of `binding`, its error turned into one of ours."""
    try:
        return call()
    except BindingError as error:
        kinds: dict[str, Callable[[str], Exception]] = {"shape": ShapeError, "data": DataError}
        raise kinds.get(error.kind, ArgumentError)(str(error)) from None
