r"""Derivatives inside formulas, and formulas at a point: \frac{d}{dx} x^2 and \left. x^2 \right|_{x=1}."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any, Protocol

from symbackprop.calculus.tensors import Role
from symbackprop.errors import UnsupportedError
from symbackprop.functions import FUNCTION_BY_NAME
from symbackprop.language import tree as t
from symbackprop.language.addends import free_letters
from symbackprop.language.matrix_grammar import Operation, Run, walk_matrix
from symbackprop.language.substitution import substitute_names
from symbackprop.language.wording import fail
from symbackprop.language.writer import write_tree
from symbackprop.notation.reading.entries import parts_below
from symbackprop.notation.reading.slopes import find_slope
from symbackprop.notation.reading.syntax import Evaluated, Relation, Syntax, bare, write_syntax
from symbackprop.notation.reading.vocabulary import Vocabulary

GIVEN = (Role.INPUT, Role.PARAM, Role.CONST)


class Reader(Protocol):
    """What reads the sides of a point."""

    def read(self, node: Syntax) -> Any:
        """A formula."""


def adjoint_of(head: t.Derivative, vocabulary: Vocabulary) -> t.Apply:
    """The derivative of one tensor by another, as a number in a formula."""
    place = {"line": head.line, "column": head.column}
    if isinstance(head.of, t.Apply):
        raise fail(head, f"the second derivative {write_tree(head)} in a formula", "one as a left side")
    tensors = vocabulary.tensors
    if isinstance(head.of, t.Name) and head.of.name == vocabulary.loss:
        if isinstance(head.wrt, t.Name) and head.wrt.name in tensors and tensors[head.wrt.name].axes:
            raise fail(head, f"the derivative by all of {head.wrt.name}", "one by an entry, with its indices")
        return t.Apply("adj", (head.wrt,), False, **place)
    for part in (head.of, head.wrt):
        if part.name not in tensors:
            raise UnsupportedError(
                f"line {head.line}, column {head.column}: {write_tree(head)} is taken of or by no tensor of a "
                "program; derivatives stand in claims about programs."
            )
        if isinstance(part, t.Name) and tensors[part.name].axes:
            raise fail(head, f"the derivative of or by all of {part.name}", "one of an entry, with its indices")
    return t.Apply("adj", (head.of, head.wrt), False, **place)


def derive_formula(
    value: t.Expression, by: t.Expression, letters: frozenset[str], vocabulary: Vocabulary, node: Syntax
) -> t.Expression:
    """The derivative of a formula by a scalar or an entry: written out where it reads nothing but scalars that are
    given, and otherwise as adj(value, by), which the chain rule gives where it is claimed.
    """
    if isinstance(by, t.Access) and by.name in vocabulary.tensors:
        return _adjoint_of_formula(value, by, vocabulary, node)
    if not isinstance(by, t.Name) or by.name in letters or by.name in vocabulary.sizes or by.name == "pi":
        raise fail(node, f"the derivative of a formula by {write_tree(by)}", "one by a scalar or an entry")
    if by.name in vocabulary.tensors and vocabulary.tensors[by.name].axes:
        raise fail(node, f"the derivative of a formula by all of {by.name}", "one by an entry, with its indices")
    if value == t.Apply(_called(value), (by,)) and _called(value) not in {*FUNCTION_BY_NAME, "adj"}:
        return t.Apply(_called(value), (by,), True)
    if by.name in vocabulary.tensors and any(_needs_program(part, vocabulary) for part, _ in t.walk(value)):
        return _adjoint_of_formula(value, by, vocabulary, node)
    _check_plain(value, by.name, vocabulary, node)
    if by.name not in free_letters(value):
        raise fail(node, f"the derivative by {by.name} of {write_tree(value)}, which does not read it",
                   f"a formula of {by.name}")  # fmt: skip
    return find_slope(value, by.name)


def depends(value: t.Expression, names: Set[str], vocabulary: Vocabulary) -> bool:
    """Whether a formula, of entries or of matrices, may depend on one of some tensors: it reads one, or what is
    defined, or a derivative."""
    for part, _ in walk_matrix(value) if isinstance(value, Operation | Run) else t.walk(value):
        match part:
            case t.Apply("adj") | Operation("adj"):
                return True
            case t.Name(name) | t.Access(name):
                tensor = vocabulary.tensors.get(name)
                if name in names or (tensor is not None and not tensor.is_leaf):
                    return True
    return False


def _needs_program(part: t.Node, vocabulary: Vocabulary) -> bool:
    """Whether a part of a formula is more than a function of scalars that are given."""
    if isinstance(part, t.Name):
        return part.name in vocabulary.tensors and not vocabulary.tensors[part.name].is_leaf
    called = isinstance(part, t.Apply) and part.function not in FUNCTION_BY_NAME
    return called or isinstance(part, t.Access | t.Entry | t.Reduce)


def _adjoint_of_formula(
    value: t.Expression, by: t.Name | t.Access, vocabulary: Vocabulary, node: Syntax
) -> t.Expression:
    if not depends(value, {by.name}, vocabulary):
        raise fail(node, f"the derivative by {write_tree(by)} of {write_tree(value)}, which does not depend on it",
                   "a formula that does")  # fmt: skip
    return t.Apply("adj", (value, by))


def _called(value: t.Expression) -> str:
    return value.function if isinstance(value, t.Apply) and not value.primed else ""


def read_point(node: Evaluated, reader: Reader) -> dict[str, t.Expression]:
    """What stands below a bar: names with their values."""
    found: dict[str, t.Expression] = {}
    for part in map(bare, parts_below(node.at)):
        name = reader.read(part.parts[0]) if isinstance(part, Relation) and part.operators == ("=",) else None
        if not isinstance(part, Relation) or not isinstance(name, t.Name) or name.name in found:
            raise fail(node, f"`{write_syntax(bare(node.at))}` below a bar", "names with their values, such as x=1")
        found[name.name] = reader.read(part.parts[1])
    return found


def put_in(
    value: t.Expression, point: Mapping[str, t.Expression], vocabulary: Vocabulary, node: Syntax
) -> t.Expression:
    """A formula with names replaced by their values."""
    for name in point:
        _check_plain(value, name, vocabulary, node)
        if name not in free_letters(value):
            raise fail(node, f"a bar with {name}, which stands nowhere before it", "a name that it stands behind")
    return substitute_names(value, point)


def _check_plain(value: t.Expression, name: str, vocabulary: Vocabulary, node: Syntax) -> None:
    """An error where a formula may depend on a name through something else than itself."""
    for part, _ in t.walk(value):
        found = ""
        if isinstance(part, t.Apply) and part.function == "adj":
            found = f"{write_tree(part)} is a derivative of the program, which is claimed in general, not at a point."
        elif isinstance(part, t.Access | t.Entry | t.Reduce):
            found = f"{write_tree(value)} holds more than scalars; only scalars are derived, or taken at a point."
        elif isinstance(part, t.Apply) and part.function not in FUNCTION_BY_NAME:
            found = f"{part.function} is no function of the catalogue; write out what is derived, or taken at a point."
        tensor = vocabulary.tensors.get(part.name) if isinstance(part, t.Name) else None
        if tensor is not None and tensor.role not in GIVEN:
            found = f"{tensor.name} may depend on {name}; write it out, or claim the derivative of a name by a name."
        if found:
            raise UnsupportedError(f"line {node.line}, column {node.column}: {found}")
