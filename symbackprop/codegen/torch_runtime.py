"""What generated PyTorch code calls beside PyTorch; a standalone module gets a copy of the source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from symbackprop.codegen.binding import BindingError
from symbackprop.codegen.functions import CompiledFunction

HIGHEST = {4: 87, 8: 708}


def exponent(u):  # type: ignore[no-untyped-def]
    """A number, or the largest exponent where it is larger."""
    return u.clamp(max=HIGHEST[u.element_size()])


def positive(u):  # type: ignore[no-untyped-def]
    """A tensor where it is larger than 0, and 0 elsewhere, also where it is not a number."""
    return torch.nan_to_num(u.clamp(min=0), posinf=torch.inf)


def gather(array, *indices):  # type: ignore[no-untyped-def]
    """The tensor read at indices that count from 1; 0 where one of them is outside its axis."""
    places = [torch.as_tensor(index) for index in indices]
    inside = torch.tensor(True)
    for size, index in zip(array.shape, places, strict=True):
        inside = inside & (index >= 1) & (index <= size)
    clipped = tuple(index.clamp(1, size) - 1 for size, index in zip(array.shape, places, strict=True))
    return torch.where(inside, array[clipped], 0)


def take(array, *places):  # type: ignore[no-untyped-def]
    """The tensor at places that count from 1, None keeping an axis; zeros where a place is outside its axis."""
    inside = all(p is None or 1 <= p <= size for p, size in zip(places, array.shape, strict=True))
    at = tuple(slice(None) if p is None else int(p) - 1 if inside else 0 for p in places)
    return array[at] if inside else torch.zeros_like(array[at])


def scatter(size, index, values):  # type: ignore[no-untyped-def]
    """The sums of the values into `size` entries that `index` counts from 1; what is outside is left out."""
    index = torch.as_tensor(index)
    index = torch.broadcast_to(index, values.shape[: index.ndim])
    result = torch.zeros((size, *values.shape[index.ndim :]), dtype=values.dtype)
    inside = (index >= 1) & (index <= size)
    return result.index_put((index[inside] - 1,), values[inside], accumulate=True)


def place(value, labels, pairs, shape):  # type: ignore[no-untyped-def]
    """The value where axes agree in pairs, and 0 elsewhere; its own axes stand at `labels`."""
    value = torch.as_tensor(value)
    result = torch.zeros(shape, dtype=value.dtype)
    strides = list(result.stride())
    for first, second in pairs:
        strides[first] += strides[second]
    kept = [k for k in range(len(shape)) if k not in {second for _, second in pairs}]
    view = result.as_strided([shape[k] for k in kept], [strides[k] for k in kept])
    moved = value.permute(sorted(range(len(labels)), key=lambda k: labels[k]))
    view.copy_(moved[tuple(slice(None) if k in labels else None for k in kept)])
    return result


def matrix_inverse(matrix):  # type: ignore[no-untyped-def]
    """The inverse of a square matrix; nan where there is none."""
    inverse, fault = torch.linalg.inv_ex(matrix)
    return torch.where(fault == 0, inverse, torch.nan)


def log_determinant(matrix):  # type: ignore[no-untyped-def]
    """The logarithm of the absolute value of a determinant."""
    return torch.linalg.slogdet(matrix)[1]


class Library:
    """How code runs, and how tensors are made of what a caller gives and looked at."""

    @staticmethod
    def scope(dtype: Any) -> Any:
        """Where PyTorch records nothing for a backward pass of its own."""
        return torch.no_grad()

    @staticmethod
    def dtype(name: str) -> Any:
        """The dtype of a name."""
        return getattr(torch, name)

    @staticmethod
    def run(forward: Any, backward: Any, arrays: Any, sizes: Any, targets: Any = None) -> tuple[Any, Any]:
        """The value and the gradients."""
        value, saved = forward(*arrays, *sizes)
        return value, backward(*saved)

    @staticmethod
    def shapes(arrays: Any, integer: Any, dtype: Any, sizes: Any) -> Any:
        """The shapes of tensors that need no cast, and the sizes given as numbers; None where one needs a cast."""
        for array, whole in zip(arrays, integer, strict=True):
            if not isinstance(array, torch.Tensor) or whole or array.dtype is not dtype:
                return None
        return (*(array.shape for array in arrays), *sizes) if all(type(size) is int for size in sizes) else None

    @staticmethod
    def release(saved: Any) -> None:
        """Nothing is shared between calls."""

    @staticmethod
    def named(out: Any, names: Any) -> Any:
        """No arrays of the caller are written into on the way."""
        return None

    @staticmethod
    def cast(name: str, value: Any, dtype: Any) -> Any:
        """The value as a tensor of dtype; a tensor that is one already is not copied."""
        try:
            tensor = torch.as_tensor(value)
        except (TypeError, ValueError, RuntimeError) as error:
            raise BindingError("data", f"{name} is not a tensor of numbers: {error}") from error
        if tensor.is_complex():
            raise BindingError("data", f"{name} has entries of type {tensor.dtype}; expected real numbers.")
        return tensor if dtype is None else tensor.to(dtype)

    @staticmethod
    def kind(array: Any) -> str:
        """What the entries are."""
        return str(array.dtype).removeprefix("torch.")

    @staticmethod
    def is_integer(array: Any) -> bool:
        """Whether the entries are integers."""
        return not array.is_floating_point() and array.dtype is not torch.bool

    @staticmethod
    def find_outside(array: Any, largest: int) -> Any:
        """An entry that is not from 1 to `largest`, or None."""
        wrong = array[(array < 1) | (array > largest)]
        return wrong[0].item() if wrong.numel() else None

    @staticmethod
    def fits(target: Any, array: Any) -> bool:
        """Whether a tensor can be written into another."""
        return isinstance(target, torch.Tensor) and target.shape == array.shape and target.dtype is array.dtype

    @staticmethod
    def describe(array: Any) -> str:
        """A tensor by its type and shape, for a message."""
        known = isinstance(array, torch.Tensor)
        return f"{Library.kind(array)} of shape {tuple(array.shape)}" if known else type(array).__name__

    @staticmethod
    def copy_into(target: Any, array: Any) -> None:
        """Write a tensor into another."""
        target.copy_(array)


class Attached(torch.autograd.Function):  # type: ignore[misc]
    """A value in PyTorch's graph whose backward pass is the derived one.

    `Attached.apply(call, *tensors)` is the value of `call(*tensors)`, which returns it with a gradient, or None, for
    each of the tensors.
    """

    @staticmethod
    def forward(ctx: Any, call: Any, *tensors: Any) -> Any:
        """The value; the gradients are kept for the backward pass."""
        value, gradients = call(*tensors)
        ctx.save_for_backward(*gradients)
        return value

    @staticmethod
    def backward(ctx: Any, upstream: Any) -> Any:
        """The gradients, each contracted with what arrives from above."""
        kept = ctx.saved_tensors
        return None, *(None if g is None else torch.tensordot(upstream, g, dims=upstream.ndim) for g in kept)


class Function(CompiledFunction):
    """A compiled function on tensors; `attach` puts its value into PyTorch's graph."""

    def attach(self, params: Mapping[str, Any], /, **data: Any) -> Any:
        """The value as a node of PyTorch's graph, `backward()` of which gives the derived gradients.

        Those of wrt among the arguments get one; nothing else does.
        """
        names = self.gradient_names
        given = [torch.as_tensor(params[name] if name in params else data[name]) for name in names]

        def call(*tensors: Any) -> Any:
            found = dict(zip(names, tensors, strict=True))
            value, gradients = self(
                {name: found.get(name, array) for name, array in params.items()},
                **{name: found.get(name, array) for name, array in data.items()},
            )
            return value, tuple(gradients[name] for name in names)

        return Attached.apply(call, *given)
