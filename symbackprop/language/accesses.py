"""What a name in a formula stands for: a tensor that is read, an index form, a function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symbackprop.calculus.indices import Affine, Entry
from symbackprop.calculus.tensors import Count, Read, Tensor, read_entry
from symbackprop.errors import CycleError, ShapeError, UnsaidShapeError
from symbackprop.functions import FUNCTION_BY_NAME, ScalarFunction
from symbackprop.language.index_forms import read_form
from symbackprop.language.symbols import Scope, Symbols, check_axis
from symbackprop.language.tree import Access, Apply, Binder, Chain, Expression, Name, Number, Reduce, walk
from symbackprop.language.wording import fail, unsupported
from symbackprop.language.writer import write_tree

MATRIX_CALLS = ("inv", "solve", "det", "logdet", "tr", "diag", "norm1", "norm2", "ones", "eye")


def find_tensor(tree: Name | Access, symbols: Symbols, owner: str) -> Tensor:
    """The tensor that is read; one that is defined further down is read one step back or ahead, or is an error."""
    later = symbols.later.get(tree.name)
    if tree.name in symbols.tensors or later is None:
        if isinstance(tree, Access) and tree.name in symbols.sizes:
            raise fail(tree, f"indices on the size {tree.name}", "the name of a tensor")
        return symbols.tensor(tree)
    if isinstance(tree, Access) and any(_is_step(i, symbols) for i in tree.indices):
        found = symbols.expect(tree.name)
        if found is not None:
            return found
        raise fail(tree, f"{tree.name} before its sizes are known", "their ranges where they are introduced",
                   f"give them on the left side in line {later.line}, as in t:T", UnsaidShapeError)  # fmt: skip
    place = f"line {later.line}"
    if tree.name == owner or any(isinstance(n, Name | Access) and n.name == owner for n, _ in walk(later.body)):
        found_here = f"{tree.name} in a circle of definitions ({place})"
        raise fail(tree, found_here, "definitions that read only what stands above",
                   "a recurrence reads one step back or ahead, as h[t-1,j]", CycleError)  # fmt: skip
    raise fail(tree, f"{tree.name} before its definition in {place}", "a tensor that stands above")


def _is_step(index: Expression | Binder, symbols: Symbols) -> bool:
    """Whether an index can be one step from another: t-1, or the place 0 or T from a base."""
    return isinstance(index, Chain | Number) or (isinstance(index, Name) and index.name in symbols.sizes)


@dataclass(frozen=True, slots=True)
class AccessReader:
    """Reads what stands in the scope of one definition, `owner`.

    `read_argmax` gives the integer that an argmax in brackets is.
    """

    scope: Scope
    symbols: Symbols
    owner: str
    read_argmax: Callable[[Reduce], Affine]

    def read(self, tree: Access) -> Read | Count:
        """What an access reads: a tensor at index forms, or an entry of an integer tensor as a number."""
        tensor = find_tensor(tree, self.symbols, self.owner)
        at = self._forms(tree, tensor)
        if tensor.range is not None:
            return Count(read_entry(tensor, at))
        return Read(tensor, at)

    def read_integer(self, tree: Expression) -> Affine:
        """The integer form that a tree is."""
        return read_form(tree, self._leaf, write_tree(tree))

    def _forms(self, access: Access, tensor: Tensor) -> tuple[Affine, ...]:
        return tuple(self._form(access, tensor, k) for k in range(_count_axes(access, tensor)))

    def _form(self, access: Access, tensor: Tensor, place: int) -> Affine:
        index = access.indices[place]
        if isinstance(index, Binder):
            raise fail(index, f"a range in {write_tree(access)}", "an index")
        if isinstance(index, Name) and index.name in self.scope:
            check_axis(access, tensor, place, self.scope[index.name])
            return Affine.of(self.scope[index.name])
        if isinstance(index, Number) and index.value.denominator == 1:
            start, span = tensor.spans[place]
            size = span.integer
            if index.value < start or (size is not None and index.value >= start + size):
                raise fail(index, f"the literal index {index.value} in {write_tree(access)}",
                           f"{start} to {span + Affine.of(start - 1)}", kind=ShapeError)  # fmt: skip
            return Affine.of(int(index.value))
        form = read_form(index, self._leaf, write_tree(access))
        entry = form.terms[0][0] if len(form.terms) == 1 and isinstance(index, Access | Reduce) else None
        if isinstance(entry, Entry) and entry.size != tensor.axes[place]:
            found = f"{write_tree(index)}, which is 1 to {entry.size}, on axis {place + 1} of {tensor.name}"
            raise fail(index, found, f"an index over {tensor.axes[place]}", kind=ShapeError)
        return form

    def _leaf(self, tree: Expression) -> Affine:
        """A name, an entry of an integer tensor or an argmax in the brackets of an access."""
        if isinstance(tree, Name) and tree.name in self.scope:
            return Affine.of(self.scope[tree.name])
        if isinstance(tree, Name) and tree.name in self.symbols.sizes:
            return Affine.of(tree.name)
        if isinstance(tree, Access) or (isinstance(tree, Name) and tree.name in self.symbols):
            tensor = find_tensor(tree, self.symbols, self.owner)
            if tensor.range is None:
                raise fail(tree, f"the tensor {tree.name} as an index", "an index, or an entry of an index tensor")
            at = self._forms(tree, tensor) if isinstance(tree, Access) else ()
            return read_entry(tensor, at)
        if isinstance(tree, Reduce) and tree.operation == "argmax" and len(tree.binders) == 1:
            return self.read_argmax(tree)
        if isinstance(tree, Name):
            known = ", ".join(self.scope) or "none is in scope"
            raise fail(tree, f"the index {tree.name}, which nothing introduces", f"an index in scope ({known})",
                       f"put it on the left side, or bind it: sum({tree.name}, ...)")  # fmt: skip
        raise fail(tree, f"`{write_tree(tree)}` as an index", "an integer form of indices and sizes, such as 2*p+r-1")


def _count_axes(tree: Access, tensor: Tensor) -> int:
    """The number of axes of a tensor, which an access has to have too."""
    if len(tree.indices) != len(tensor.axes):
        axes = ", ".join(map(str, tensor.axes)) or "none: it is a scalar"
        found = f"{count_things(len(tree.indices), 'index', 'indices')} in {write_tree(tree)}"
        raise fail(tree, found, f"{len(tensor.axes)} ({axes})", kind=ShapeError)
    return len(tensor.axes)


def find_function(tree: Apply, symbols: Symbols) -> ScalarFunction:
    """The function of the catalogue that is applied, its arguments counted."""
    function = FUNCTION_BY_NAME.get(tree.function)
    if function is None:
        if tree.function in MATRIX_CALLS:
            raise unsupported(tree, f"the whole-matrix call {write_tree(tree)}", "write the sums over its entries")
        if tree.function == "adj":
            raise fail(tree, "adj outside a claim", "an expression", "adj(z[n,i]) is the adjoint, known in claims")
        hint = f"a product needs its sign: {tree.function}*(...)" if tree.function in symbols else ""
        raise fail(tree, f"the unknown function {tree.function!r}", f"one of {', '.join(FUNCTION_BY_NAME)}", hint)
    least, most = function.arity, function.arity + len(function.parameters)
    if not least <= len(tree.arguments) <= most:
        wanted = f"{least}" if least == most else f"{least} to {most}"
        raise fail(tree, f"{count_things(len(tree.arguments), 'argument', 'arguments')} of {tree.function}", wanted)
    return function


def count_things(number: int, one: str, many: str) -> str:
    """A number of things in words.

    >>> count_things(1, "index", "indices"), count_things(2, "index", "indices")
    ('1 index', '2 indices')
    """
    return f"{number} {one if number == 1 else many}"
