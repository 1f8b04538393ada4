"""What a name in a formula stands for: a tensor that is read, an index form, a function."""

from __future__ import annotations

from symbackprop.calculus.indices import Affine
from symbackprop.calculus.tensors import Read, Tensor
from symbackprop.errors import CycleError, ShapeError
from symbackprop.functions import FUNCTION_BY_NAME, ScalarFunction
from symbackprop.language.symbols import Scope, Symbols, check_axis, fail, unsupported
from symbackprop.language.tree import Access, Apply, Chain, Name, Negate, Number, walk
from symbackprop.language.writer import write_tree

MATRIX_CALLS = ("inv", "solve", "det", "logdet", "tr", "diag", "norm1", "norm2", "ones", "eye")


def find_tensor(tree: Name | Access, symbols: Symbols, owner: str) -> Tensor:
    """The tensor that is read; one that is defined further down is a recurrence, a circle or out of order."""
    later = symbols.later.get(tree.name)
    if tree.name in symbols.tensors or later is None:
        if isinstance(tree, Access) and tree.name in symbols.sizes:
            raise fail(tree, f"indices on the size {tree.name}", "the name of a tensor")
        return symbols.tensor(tree)
    if isinstance(tree, Access) and any(isinstance(i, Chain) for i in tree.indices):
        raise unsupported(tree, f"a recurrence (here {write_tree(tree)})", "write each step by itself")
    place = f"line {later.line}"
    if tree.name == owner or any(isinstance(n, Name | Access) and n.name == owner for n, _ in walk(later.body)):
        found = f"{tree.name} in a circle of definitions ({place})"
        raise fail(tree, found, "definitions that read only what stands above", kind=CycleError)
    raise fail(tree, f"{tree.name} before its definition in {place}", "a tensor that stands above")


def read_access(tree: Access, scope: Scope, symbols: Symbols, owner: str) -> Read:
    """What an access reads: a tensor at plain indices and literals."""
    tensor = find_tensor(tree, symbols, owner)
    if len(tree.indices) != len(tensor.axes):
        axes = ", ".join(map(str, tensor.axes)) or "none: it is a scalar"
        found = f"{count_things(len(tree.indices), 'index', 'indices')} in {write_tree(tree)}"
        raise fail(tree, found, f"{len(tensor.axes)} ({axes})", kind=ShapeError)
    return Read(tensor, tuple(_read_form(tree, tensor, k, scope, symbols) for k in range(len(tree.indices))))


def _read_form(access: Access, tensor: Tensor, place: int, scope: Scope, symbols: Symbols) -> Affine:
    index = access.indices[place]
    if isinstance(index, Name) and index.name in scope:
        check_axis(access, tensor, place, scope[index.name])
        return Affine.of(scope[index.name])
    if isinstance(index, Number) and index.value.denominator == 1:
        size = tensor.axes[place].integer
        if index.value < 1 or (size is not None and index.value > size):
            raise fail(index, f"the literal index {index.value} in {write_tree(access)}",
                       f"1 to {tensor.axes[place]}", kind=ShapeError)  # fmt: skip
        return Affine.of(int(index.value))
    if isinstance(index, Name):
        if index.name in symbols.sizes:
            raise unsupported(index, f"a size as an index ({write_tree(access)})", "use a plain index or a literal")
        if index.name in symbols.tensors:
            raise fail(index, f"the tensor {index.name} as an index", "an index, or an entry of an index tensor")
        known = ", ".join(scope) or "none is in scope"
        raise fail(index, f"the index {index.name}, which nothing introduces", f"an index in scope ({known})",
                   f"put it on the left side, or bind it: sum({index.name}, ...)")  # fmt: skip
    if isinstance(index, Chain | Negate | Access):
        what = "an entry of an index tensor" if isinstance(index, Access) else "index arithmetic"
        raise unsupported(index, f"{what} ({write_tree(access)})", "use plain indices and literals")
    raise fail(index, f"`{write_tree(index)}` as an index", "an index or a positive integer")


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
