"""Calls of whole matrices in formulas: `inv(A)[i,j]`, `solve(A, b)[i]`, `det(A)`, `logdet(A)`.

Each becomes the read of a tensor of its own, before anything else of the formula is read, so that what follows knows
nothing of matrices.
"""

from __future__ import annotations

from symbackprop.calculus.axioms import AXIOMS, call_matrix
from symbackprop.calculus.definitions import Definition
from symbackprop.calculus.indices import Affine, choose_name
from symbackprop.calculus.tensors import Role, Tensor
from symbackprop.errors import ShapeError
from symbackprop.language import tree as t
from symbackprop.language.accesses import count_things, find_tensor
from symbackprop.language.hiding import Hider
from symbackprop.language.wording import fail, unsupported
from symbackprop.language.writer import write_tree


def read_calls(tree: t.Expression, hider: Hider) -> t.Expression:
    """The formula with every whole-matrix call as a read of the tensor that holds its value."""
    changed = _read(tree, hider)
    if not isinstance(changed, t.Expression):
        raise TypeError(f"reading calls made {type(changed).__name__} of an expression")
    return changed


def write_call(definition: Definition, indices: tuple[t.Expression, ...]) -> t.Expression:
    """The call that a definition is, read at `indices`."""
    call = definition.call
    if call is None:
        raise TypeError(f"{definition.tensor.name} is no function of a matrix")
    apply = t.Apply(call.axiom, (t.Name(call.operand.name),))
    return t.Entry(apply, indices) if AXIOMS[call.axiom].axes else apply


def restore_calls(tree: t.Node) -> t.Node:
    """The tree with every read of the value of a call as that call."""
    if isinstance(tree, t.Name | t.Access) and tree.name.endswith(")"):
        axiom, operand = tree.name[:-1].split("(")
        apply = t.Apply(axiom, (t.Name(operand),))
        indices = tuple(i for i in tree.indices if isinstance(i, t.Expression)) if isinstance(tree, t.Access) else ()
        return t.Entry(apply, indices) if indices else apply
    return t.map_children(tree, restore_calls)


def _read(node: t.Node, hider: Hider) -> t.Node:
    if isinstance(node, t.Entry):
        return _read_entry(node, hider)
    if isinstance(node, t.Apply) and node.function in AXIOMS and not AXIOMS[node.function].axes:
        operand = _find_operand(node, hider)
        _hide(node.function, operand, node, hider)
        return t.Name(_written(node.function, operand), line=node.line, column=node.column)
    if isinstance(node, t.Apply) and node.function in ("inv", "solve"):
        written = write_tree(node)
        raise fail(node, f"{written} without indices", f"an entry of it: {written}[i]", kind=ShapeError)
    return t.map_children(node, lambda child: _read(child, hider))


def _read_entry(entry: t.Entry, hider: Hider) -> t.Expression:
    call = entry.call
    if call.function not in ("inv", "solve"):
        raise fail(entry, f"an entry of {call.function}", "an entry of inv(A) or of solve(A, b)")
    operand = _find_operand(call, hider)
    _hide("inv", operand, call, hider)
    inverse = _written("inv", operand)
    indices = tuple(read_calls(i, hider) for i in entry.indices)
    if call.function == "inv":
        _count(entry, 2)
        return t.Access(inverse, indices, line=entry.line, column=entry.column)
    right = find_tensor(_name(call, 1), hider.symbols, "")
    if not right.axes or right.axes[0] != operand.axes[0]:
        left, other = (f"{m.name}[{', '.join(map(str, m.axes))}]" for m in (operand, right))
        raise fail(
            call, f"solve of {left} and {other}", f"a right side whose first axis is {operand.axes[0]}", "", ShapeError
        )
    _count(entry, len(right.axes))
    used = {n.name for i in indices for n, _ in t.walk(i) if isinstance(n, t.Name)}
    letter = choose_name("j", used | set(hider.symbols.tensors) | set(hider.symbols.sizes))
    first = t.Access(inverse, (indices[0], t.Name(letter)), line=entry.line, column=entry.column)
    second = t.Access(right.name, (t.Name(letter), *indices[1:]), line=entry.line, column=entry.column)
    return t.Reduce("sum", (t.Binder(letter),), t.Chain((first, second), ("*",)))


def _count(entry: t.Entry, axes: int) -> None:
    if len(entry.indices) != axes:
        found = f"{count_things(len(entry.indices), 'index', 'indices')} in {write_tree(entry)}"
        raise fail(entry, found, str(axes), kind=ShapeError)


def _find_operand(call: t.Apply, hider: Hider) -> Tensor:
    """The square matrix that a call is of."""
    wanted = 2 if call.function == "solve" else 1
    if len(call.arguments) != wanted:
        found = f"{count_things(len(call.arguments), 'argument', 'arguments')} of {call.function}"
        raise fail(call, found, str(wanted))
    tensor = find_tensor(_name(call, 0), hider.symbols, "")
    if len(tensor.axes) != 2 or tensor.axes[0] != tensor.axes[1] or tensor.bases or tensor.range is not None:
        shape = f"[{', '.join(map(str, tensor.axes))}]" if tensor.axes else ", a scalar"
        raise fail(call, f"{call.function} of {tensor.name}{shape}", "a square matrix", "", ShapeError)
    return tensor


def _name(call: t.Apply, place: int) -> t.Name:
    argument = call.arguments[place]
    if not isinstance(argument, t.Name):
        raise fail(call, f"`{write_tree(argument)}` in {call.function}", "the name of a tensor",
                   f"define it first: M[i,j] = ..., then {call.function}(M)")  # fmt: skip
    return argument


def _hide(axiom: str, operand: Tensor, call: t.Apply, hider: Hider) -> Tensor:
    """The tensor that holds a function of a matrix, and before it the inverse that its derivative reads."""
    if hider.nameless:
        raise unsupported(call, f"the whole-matrix call {write_tree(call)} in an assumption", "assume it of a tensor")
    inverse = None if axiom == "inv" else _hide("inv", operand, call, hider)
    axes: tuple[Affine, ...] = operand.axes[: AXIOMS[axiom].axes]
    tensor = Tensor("", axes, Role.HIDDEN)
    made = call_matrix(axiom, tensor, tensor.indices("ij"[: len(axes)]), operand, inverse)
    hidden = hider.hide(made, f"{operand.name}_{axiom}").tensor
    hider.symbols.calls[_written(axiom, operand)] = hidden
    return hidden


def _written(axiom: str, operand: Tensor) -> str:
    """The name under which the value of a call is read, which no tensor has."""
    return f"{axiom}({operand.name})"
