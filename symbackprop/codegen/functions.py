"""Generated code as a function that a caller holds, whatever library it runs on."""

from __future__ import annotations

import ast
import builtins
import math
import operator
import types
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import Any

from symbackprop.codegen import binding
from symbackprop.codegen.code import Code, CodeHolder
from symbackprop.codegen.targets import Target
from symbackprop.errors import ArgumentError, DataError, ShapeError

LARGEST_MEMORY = 64
"""The number of shapes that a function remembers."""
NOTHING = (lambda: None,)
"""What stands for arrays before there are any."""


@dataclass(frozen=True, slots=True)
class _Call:
    """What a call names, in order, which of the arrays hold integers, and the type of the others."""

    params: tuple[str, ...]
    data: tuple[str, ...]
    sizes: tuple[str, ...]
    integer: tuple[bool, ...]
    dtype: Any


@dataclass(frozen=True)
class CompiledFunction(CodeHolder):
    """f(params, /, **data) -> (value, {name: gradient}).

    `params` holds what the program declares `param`; data, constants and the sizes that no array carries come by
    keyword. `out=` takes arrays to write the gradients into (unless the program has a tensor called out). Arrays that
    are returned belong to the caller. `source` is the code that runs.
    """

    code: Code
    library: Any = field(repr=False)
    _forward: Callable[..., tuple[Any, tuple[Any, ...]]] = field(repr=False, compare=False)
    _backward: Callable[..., tuple[Any, ...]] = field(repr=False, compare=False)
    _seen: dict[Any, tuple[tuple[int, ...], tuple[tuple[int, int], ...]]] = field(
        default_factory=dict, repr=False, compare=False
    )
    """The sizes, and the largest entries of integer arrays, that belong to shapes that were bound before."""
    _apart: dict[str, tuple[weakref.ref[Any], ...]] = field(default_factory=dict, repr=False, compare=False)
    """The arguments of the last call whose gradients could be written into its arrays on the way."""

    def __call__(self, params: Mapping[str, Any], /, **data: Any) -> tuple[Any, dict[str, Any]]:
        """The value and its gradients, in the order of wrt."""
        out = data.pop("out", None) if self._takes_out else None
        with self.library.scope(self.dtype):
            arrays, sizes = self._bind(params, data)
            targets = None if out is None else self._find_targets(out, arrays)
            value, gradients = self.library.run(self._forward, self._backward, arrays, sizes, targets)
            if targets is not None and not all(map(operator.is_, targets, gradients)):
                for target, gradient in zip(targets, gradients, strict=True):
                    if gradient is not target:
                        self.library.copy_into(target, gradient)
            named = dict(zip(self.code.gradients, targets or gradients, strict=True))
            if out is not None and targets is None:
                _translate(lambda: binding.write_out(out, named, self.library))
                named = dict(out)
            return value if value.ndim else value[()], named

    def value(self, params: Mapping[str, Any], /, **data: Any) -> Any:
        """The value alone, without the backward pass."""
        with self.library.scope(self.dtype):
            arrays, sizes = self._bind(params, data)
            value, saved = self._forward(*arrays, *sizes)
            self.library.release(saved)
            return value if value.ndim else value[()]

    def _find_targets(self, out: Any, arrays: Sequence[Any]) -> Any:
        """The arrays of `out` if gradients can be written into them on the way; those of the last call that has the
        same arguments are known to be such.
        """
        targets = self.library.named(out, self.code.gradients)
        if targets is None:
            return None
        everything = [*arrays, *targets]
        if not all(map(operator.is_, [known() for known in self._apart.get("last", NOTHING)], everything)):
            if not self.library.can_write(targets, [arrays[place] for place in self._places], arrays):
                return None
            self._apart["last"] = tuple(map(weakref.ref, everything))
        return targets

    @cached_property
    def _takes_out(self) -> bool:
        """Whether no tensor and no size is called out."""
        return "out" not in self.layout["data"] and "out" not in self.layout["sizes"]

    @cached_property
    def _places(self) -> tuple[int, ...]:
        """Where the tensors of wrt stand among the arrays of a call."""
        names = (*self.layout["params"], *self.layout["data"])
        return tuple(names.index(name) for name in self.code.gradients)

    def _bind(self, params: Mapping[str, Any], data: Mapping[str, Any]) -> tuple[Sequence[Any], tuple[int, ...]]:
        """The arrays and the sizes of a call, in the order of the kernel; shapes that were bound before are known."""
        call = self._call
        key = seen = None
        if len(params) == len(call.params) and len(data) == len(call.data) + len(call.sizes):
            try:
                arrays = [params[n] for n in call.params] + [data[n] for n in call.data]
                sizes = [data[n] for n in call.sizes] if call.sizes else ()
                key = self.library.shapes(arrays, call.integer, call.dtype, sizes)
                seen = self._seen.get(key)
            except (KeyError, TypeError):
                key = None
        if seen is not None:
            known, limits = seen
            if not limits or all(self.library.find_outside(arrays[place], limit) is None for place, limit in limits):
                return arrays, known
        bound, found = _translate(lambda: binding.bind(self.layout, params, data, call.dtype, self.library))
        ordered = tuple(found[name] for name in self.layout["order"])
        if key is not None and len(self._seen) < LARGEST_MEMORY:
            places = {name: place for place, name in enumerate((*call.params, *call.data))}
            integers = self.layout["integers"].items()
            self._seen[key] = ordered, tuple((places[name], binding.measure(axis, found)) for name, axis in integers)
        return tuple(bound.values()), ordered

    @cached_property
    def _call(self) -> _Call:
        params, data = tuple(self.layout["params"]), tuple(self.layout["data"])
        integer = tuple(name in self.layout["integers"] for name in (*params, *data))
        return _Call(params, data, tuple(self.layout["sizes"]), integer, self.library.dtype(self.dtype))


def compile_code(code: Code) -> CompiledFunction:
    """The function of generated code; ArgumentError says which extra brings a library that is missing."""
    assert isinstance(code.target, Target)
    try:
        parts = [import_module(f"symbackprop.codegen.{name}") for name in code.target.modules(code.dtype)]
    except ModuleNotFoundError as error:
        extra = code.target.extra
        raise ArgumentError(
            f"The target {code.target.name!r} needs {error.name}: pip install 'symbackprop[{extra}]'."
        ) from error
    runtime = parts[0]
    forward, backward = _load_functions(code, parts)
    made: CompiledFunction = runtime.Function(code, runtime.Library, forward, backward)
    return made


def _load_functions(code: Code, parts: Sequence[Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The functions of a generated source, made from its syntax tree; nothing at module level runs."""
    tree = ast.parse(code.source)
    module = compile(tree, "<generated by symbackprop>", "exec")
    codes = {c.co_name: c for c in module.co_consts if isinstance(c, types.CodeType)}
    # NumPy's C code imports through the builtins of the frame that calls it.
    names: dict[str, Any] = {name: value for part in reversed(parts) for name, value in vars(part).items()}
    names |= {"__builtins__": builtins, "math": math, "DTYPE": parts[0].Library.dtype(code.dtype)}
    for node in tree.body:
        assert isinstance(node, ast.FunctionDef)
        defaults = tuple(ast.literal_eval(default) for default in node.args.defaults)
        function: Any = types.FunctionType(codes[node.name], names, node.name, defaults)
        for decorator in node.decorator_list:
            assert isinstance(decorator, ast.Name)
            function = names[decorator.id](function)
        names[node.name] = function
    return names["_forward"], names["_backward"]


def _translate(call: Callable[[], Any]) -> Any:
    """The result of a call of `binding`, its error turned into one of ours."""
    try:
        return call()
    except binding.BindingError as error:
        kinds: dict[str, Callable[[str], Exception]] = {"shape": ShapeError, "data": DataError}
        raise kinds.get(error.kind, ArgumentError)(str(error)) from None
