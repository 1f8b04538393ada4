"""One definition of the engine, built from a tree: scalar bodies over slots, with what is nested named by itself."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, field, replace

import sympy

from symbackprop.calculus.branches import put_in, settle
from symbackprop.calculus.definitions import (
    Condition,
    Definition,
    Term,
    make_term,
    slot_symbol,
    substitute_slot,
    used_slots,
)
from symbackprop.calculus.indices import Affine, Index, choose_name
from symbackprop.calculus.tensors import Count, Read, Role, Tensor, read_entry
from symbackprop.errors import FormulaError, ShapeError
from symbackprop.functions import FUNCTION_BY_NAME, applications, derivative, expand_applications, where
from symbackprop.language import tree as t
from symbackprop.language.accesses import AccessReader, find_function, find_tensor
from symbackprop.language.addends import choose_sum, free_letters, group_addends, is_sum
from symbackprop.language.constants import check_application, raise_power, require_real
from symbackprop.language.hiding import Hider
from symbackprop.language.limits import Limits
from symbackprop.language.slots import Slots, check_constant, holds_always, round_bound, slot_letters
from symbackprop.language.substitution import substitute_names
from symbackprop.language.symbols import Scope, Symbols, resolve_binder
from symbackprop.language.wording import fail, unsupported
from symbackprop.language.writer import write_tree

RELATIONS = {"<": sympy.Lt, "<=": sympy.Le, ">": sympy.Gt, ">=": sympy.Ge, "==": sympy.Eq, "!=": sympy.Ne}
DEEPEST = 16
"""Levels of nesting that one body holds; SymPy needs many frames for each when it differentiates."""


@dataclass(frozen=True, slots=True)
class AnyOf:
    """The union of containers of names, without copying them."""

    containers: tuple[Container[str], ...]

    def __contains__(self, name: object) -> bool:
        return any(name in container for container in self.containers)


def _one_by_one(tree: t.Reduce) -> t.Reduce:
    """An extreme over several indices as one over the first of that over the others."""
    first, *rest = tree.binders
    return t.Reduce(tree.operation, (first,), replace(tree, binders=tuple(rest)) if rest else tree.body)


@dataclass(slots=True)
class Builder:
    """Elaborates one definition, whose hidden parts are named after it."""

    hider: Hider
    owner: str
    limits: Limits
    domain: list[Condition] = field(default_factory=list)
    path: tuple[tuple[t.Condition, Scope], ...] = ()
    outer: frozenset[str] = frozenset()
    """The letters of the indices that a term cannot bind, because they stand for something outside it."""
    depth: int = 0
    quiet: bool = False
    """Whether conditions of the domain are noted already, because a part is elaborated a second time."""

    @property
    def symbols(self) -> Symbols:
        return self.hider.symbols

    def position(self, tensor: Tensor, indices: tuple[Index, ...], tree: t.Reduce, line: int | None) -> Definition:
        """An integer tensor that says where a formula is largest first."""
        scope = {i.name: i for i in indices}
        self.outer = frozenset(scope)
        hidden = len(self.hider.hidden)
        term, _ = self._place(tree, scope)
        if len(self.hider.hidden) > hidden:  # else the program says the same somewhere, in a part that stays
            self.hider.forget()
        made = replace(tensor, range=term.bound[0].size)
        return Definition(made, indices, (term,), tuple(dict.fromkeys(self.domain)), line=line, argmax=0)

    # Terms: what is linear in sums becomes a term each.

    def terms(self, tree: t.Expression, scope: Scope, top: bool = False) -> tuple[Term, ...]:
        """A formula as a sum of terms: one for each addend that is a sum over indices, one for all others together."""
        self.outer = frozenset(index.name for index in scope.values())
        groups = group_addends(tree)
        made = (self._term(group, scope, top and len(group) == 1 and group[0][1] is tree) for group in groups)
        return tuple(term for term in made if term is not None)

    def _term(self, addends: Sequence[tuple[int, t.Expression]], scope: Scope, top: bool) -> Term | None:
        slots = Slots()
        bound: list[Index] = []
        build = self._top if top else self._linear
        total = sympy.Add(*[sign * build(addend, scope, slots, bound) for sign, addend in addends])
        require_real(total, addends[0][1])
        return make_term(bound, total, slots.found())

    def _top(self, tree: t.Expression, scope: Scope, slots: Slots, bound: list[Index]) -> sympy.Expr:
        """A whole right side; a function applied to all of it stays in place."""
        if isinstance(tree, t.Apply) and not tree.primed:
            return self._apply(tree, scope, slots, whole=True)
        return self._linear(tree, scope, slots, bound)

    def _linear(self, tree: t.Expression, scope: Scope, slots: Slots, bound: list[Index]) -> sympy.Expr:
        """An addend: if one of its factors is a sum, the indices of that sum are bound in the whole term."""
        if isinstance(tree, t.Negate):
            return -self._linear(tree.operand, scope, slots, bound)
        if isinstance(tree, t.Reduce) and tree.operation in ("sum", "mean"):
            inner = self._bind(tree, scope, self.outer | {i.name for i in bound})
            fresh = [inner[b.name] for b in tree.binders]
            bound.extend(fresh)
            body = self._linear(tree.body, inner, slots, bound)
            return body / slots.count(fresh) if tree.operation == "mean" else body
        if isinstance(tree, t.Chain) and tree.operators[0] in "*/" and is_sum(tree):
            return self._product(tree, scope, slots, choose_sum(tree), bound)
        if isinstance(tree, t.Reduce) and tree.operation in ("max", "min"):
            return self._extreme(tree, scope, slots)
        return self.scalar(tree, scope, slots)

    # The largest: the formula read where it is largest first, which is found by integer definitions of their own.

    def _extreme(self, tree: t.Reduce, scope: Scope, slots: Slots) -> sympy.Expr:
        """The largest or smallest value over indices, as the formula at the first place that has it."""
        term, place = self._place(_one_by_one(tree), scope)
        body = -term.body if tree.operation == "min" else term.body
        values = {term.bound[0]: place}
        return body.xreplace(
            {slot_symbol(k): slots.symbol(substitute_slot(s, values)) for k, s in enumerate(term.slots)}
        )

    def _place(self, tree: t.Reduce, scope: Scope) -> tuple[Term, Affine]:
        """What is made as large as can be over one index, and where it is that first."""
        if self.hider.nameless:
            raise unsupported(tree, f"{tree.operation} in an assumption", "assume it of every entry")
        inner = self._bind(tree, scope, self.outer)
        index = inner[tree.binders[0].name]
        read = Slots()
        value = self.scalar(tree.body, inner, read)
        require_real(value, tree.body)
        made = make_term((), -value if tree.operation == "min" else value, read.found())
        term = Term((index,), made.body, made.slots) if made is not None else Term((index,), sympy.Integer(0), ())
        used = free_letters(tree)
        outer = tuple(dict.fromkeys(i for letter, i in scope.items() if letter in used))
        tensor = Tensor("", tuple(i.size for i in outer), Role.HIDDEN, range=index.size)
        hidden = self._name_part(Definition(tensor, outer, (term,), argmax=0), "argmax")
        return term, read_entry(hidden, tuple(Affine.of(i) for i in outer))

    def _position(self, tree: t.Reduce, scope: Scope, slots: Slots) -> sympy.Expr:
        """Where a formula is largest first, counted from 1; over several indices the last runs fastest."""
        first, *rest = tree.binders
        if not rest:
            return slots.symbol(Count(self._place(tree, scope)[1]))
        outer = t.Reduce("argmax", (first,), t.Reduce("max", tuple(rest), tree.body))
        inner = t.Reduce("argmax", tuple(rest), substitute_names(tree.body, {first.name: outer}))
        sizes = [Index(b.name, resolve_binder(b, (tree.body,), self.symbols)) for b in rest]
        before = (self._position(outer, scope, slots) - 1) * slots.count(sizes)
        return before + self._position(inner, scope, slots)

    def _bind(self, tree: t.Reduce, scope: Scope, outer: frozenset[str]) -> dict[str, Index]:
        """The scope inside a reduction. An inner index shadows an outer one, and gets a letter of its own."""
        inner = dict(scope)
        seen: set[str] = set()
        taken = AnyOf((outer, fresh := set[str](), self.symbols))
        for binder in tree.binders:
            if binder.name in seen:
                raise fail(binder, f"the index {binder.name} twice", "different indices in one reduction")
            seen.add(binder.name)
            size = resolve_binder(binder, (tree.body,), self.symbols)
            name = choose_name(binder.name, taken)
            fresh.add(name)
            inner[binder.name] = Index(name, size)
        return inner

    # Scalars: everything that has no sum of its own.

    def scalar(self, tree: t.Expression, scope: Scope, slots: Slots) -> sympy.Expr:
        """A formula as a reduction-free expression over slots; what is nested too deep gets a name of its own."""
        if isinstance(tree, t.Number | t.Name | t.Access):
            return self._leaf(tree, scope, slots)
        if self.depth >= DEEPEST and not self.hider.nameless and self._reads(tree):
            return slots.symbol(self._hide(tree, scope, "part"))
        self.depth += 1
        value = self._composed(tree, scope, slots)
        self.depth -= 1
        return value

    def _composed(self, tree: t.Expression, scope: Scope, slots: Slots) -> sympy.Expr:
        match tree:
            case t.Negate(operand):
                return -self.scalar(operand, scope, slots)
            case t.Chain(operators=operators):
                if operators[0] in "+-":
                    return self._sum(tree, scope, slots)
                return self._product(tree, scope, slots, None, [])
            case t.Power():
                return self._power(tree, scope, slots)
            case t.Apply():
                return self._apply(tree, scope, slots)
            case t.Where():
                return self._where(tree, scope, slots)
            case t.Slope(value, derived):
                self.scalar(derived, scope, slots.copy())  # for its conditions alone
                return self.scalar(value, scope, slots)
            case t.Reduce(operation="argmax"):
                return self._position(tree, scope, slots)
            case t.Reduce():
                return slots.symbol(self._hide(tree, scope, tree.operation))
        raise TypeError(f"{type(tree).__name__} is no expression")

    def _accesses(self, scope: Scope) -> AccessReader:
        return AccessReader(scope, self.symbols, self.owner, lambda argmax: self._place(argmax, scope)[1])

    def _integer(self, tree: t.Chain, scope: Scope) -> Affine:
        """An integer quotient or remainder as a number."""
        try:
            return self._accesses(scope).read_integer(tree)
        except FormulaError as error:
            operator = next(o for o in tree.operators if o in ("//", "%"))
            raise fail(tree, f"`{operator}` in `{write_tree(tree)}`", "+ - * / or ^",
                       "integer division is one of indices, sizes and integer entries") from error  # fmt: skip

    def _leaf(self, tree: t.Number | t.Name | t.Access, scope: Scope, slots: Slots) -> sympy.Expr:
        if isinstance(tree, t.Number):
            return sympy.Rational(tree.value.numerator, tree.value.denominator)
        if isinstance(tree, t.Access):
            return slots.symbol(self._accesses(scope).read(tree))
        if tree.name == "pi":
            return sympy.pi
        if tree.name in scope:
            return slots.symbol(Count(Affine.of(scope[tree.name])))
        if tree.name in self.symbols.sizes:
            return slots.symbol(Count(Affine.of(tree.name)))
        tensor = find_tensor(tree, self.symbols, self.owner)
        if tensor.axes:
            example = ",".join("ijkm"[: len(tensor.axes)])
            raise fail(tree, f"{tree.name} without indices", f"{len(tensor.axes)} of them: {tree.name}[{example}]", "",
                       ShapeError)  # fmt: skip
        if tensor.range is not None:
            return slots.symbol(Count(read_entry(tensor, ())))
        return slots.symbol(Read(tensor, ()))

    def _sum(self, tree: t.Chain, scope: Scope, slots: Slots) -> sympy.Expr:
        values = [self.scalar(operand, scope, slots) for operand in tree.operands]
        signed = (v if o == "+" else -v for v, o in zip(values, ("+", *tree.operators), strict=True))
        return sympy.Add(*signed)

    def _product(self, tree: t.Chain, scope: Scope, slots: Slots, chosen: int | None, bound: list[Index]) -> sympy.Expr:
        """A product; the operand `chosen` is a sum whose indices are bound in the whole term."""
        if "//" in tree.operators or "%" in tree.operators:
            return slots.symbol(Count(self._integer(tree, scope)))
        factors = []
        for k, operand in enumerate(tree.operands):
            linear = k == chosen
            value = self._linear(operand, scope, slots, bound) if linear else self.scalar(operand, scope, slots)
            operator = tree.operators[k - 1] if k else "*"
            if operator == "*":
                factors.append(value)
            else:
                self._require("nonzero", operand, value, slots)
                factors.append(1 / value)
        return sympy.Mul(*factors)

    def _power(self, tree: t.Power, scope: Scope, slots: Slots) -> sympy.Expr:
        base, exponent = self.scalar(tree.base, scope, slots), self.scalar(tree.exponent, scope, slots)
        if not exponent.is_Integer:
            positive = not exponent.is_Rational or exponent < 0
            self._require("positive" if positive else "nonnegative", tree.base, base, slots)
        elif exponent < 0:
            self._require("nonzero", tree.base, base, slots)
        return raise_power(base, exponent, tree, self.limits)

    # Functions.

    def _apply(self, tree: t.Apply, scope: Scope, slots: Slots, whole: bool = False) -> sympy.Expr:
        function = find_function(tree, self.symbols)
        named = not (whole or function.inline or tree.primed or self.hider.nameless)
        if named and any(self._reads(argument) for argument in tree.arguments[: function.arity]):
            return slots.symbol(self._hide(tree, scope, tree.function))
        arguments = [self.scalar(argument, scope, slots) for argument in tree.arguments]
        for argument in arguments[function.arity :]:
            if not argument.is_Rational:
                raise fail(tree, f"a parameter of {tree.function} that is no number", "a number such as 0.2")
        if function.domain is not None:
            self._require(function.domain, tree.arguments[0], arguments[0], slots)
        if function.denominator is not None:
            self._require("nonzero", tree, function.denominator(arguments[0]), slots)
        check_application(function, arguments, tree, self.limits)
        if tree.primed:
            names, slope = derivative(function.name, 0, len(arguments))
            return put_in(slope, dict(zip(names, arguments, strict=True)))
        formula = function.formula(*arguments)
        if self.hider.nameless or named:
            return expand_applications(formula)
        return self._named_parts(formula, tree, scope, arguments, slots)

    def _reads(self, tree: t.Expression) -> bool:
        """Whether a formula reads a tensor, so that its value is not known beforehand."""
        return any(
            isinstance(node, t.Access) or (isinstance(node, t.Name) and node.name in self.symbols.tensors)
            for node, _ in t.walk(tree)
        )

    def _named_parts(
        self, formula: sympy.Expr, tree: t.Apply, scope: Scope, arguments: Sequence[sympy.Expr], slots: Slots
    ) -> sympy.Expr:
        """A definition from the catalogue; what it applies in turn is put in where inline, else hidden by itself."""
        values = {}
        for part in applications(formula):
            inner = FUNCTION_BY_NAME[part.func.__name__]
            parameters = part.args[inner.arity :]
            given = [self._named_parts(a, tree, scope, arguments, slots) for a in part.args[: inner.arity]]
            body = self._named_parts(inner.formula(*given, *parameters), tree, scope, given, slots)
            if inner.inline:
                values[part] = body
                continue
            read = slots.found()
            indices = tuple(dict.fromkeys(i for k in sorted(used_slots(body)) for i in slot_letters(read[k])))
            tensor = Tensor("", tuple(i.size for i in indices), Role.HIDDEN)
            term = make_term((), body, read)
            # The text is kept unless a letter of it stands for an index that had to give way.
            same = part.args == tuple(arguments) and all(scope.get(i.name) == i for i in indices)
            kept = t.Apply(inner.name, tree.arguments) if same else None
            definition = Definition(tensor, indices, (term,) if term else (), tree=kept)
            hidden = self._name_part(definition, inner.name)
            values[part] = slots.symbol(Read(hidden, tuple(Affine.of(i) for i in indices)))
        return formula.xreplace(values)

    def _hide(self, tree: t.Expression, scope: Scope, suffix: str) -> Read:
        """A nested sum, or a function inside a formula, as a definition of its own, read where it stands."""
        if self.hider.nameless:
            raise unsupported(tree, "a sum inside a larger formula of an assumption", "assume the sum itself")
        used = free_letters(tree)
        outer = {letter: index for letter, index in scope.items() if letter in used}
        inner = {letter: index.renamed(letter) for letter, index in outer.items()}
        builder = Builder(self.hider, self.owner, self.limits, quiet=self.quiet)
        builder.path = tuple((c, {k: inner.get(k, v) for k, v in s.items()}) for c, s in self.path)
        terms = builder.terms(tree, inner, top=True)
        tensor = Tensor("", tuple(i.size for i in inner.values()), Role.HIDDEN)
        domain = tuple(dict.fromkeys(builder.domain))
        definition = Definition(tensor, tuple(inner.values()), terms, domain, tree, tree.line or None)
        hidden = self._name_part(definition, suffix)
        return Read(hidden, tuple(Affine.of(index) for index in outer.values()))

    def _name_part(self, definition: Definition, suffix: str) -> Tensor:
        """The tensor of a nested part; what an earlier equal part did not require is required here."""
        hidden = self.hider.hide(definition, f"{self.owner}_{suffix}")
        self.domain += [c for c in definition.domain if c not in hidden.domain]
        return hidden.tensor

    # Conditions: those of `where`, and those under which a formula has a value.

    def _where(self, tree: t.Where, scope: Scope, slots: Slots) -> sympy.Expr:
        condition = self.condition(tree.condition, scope, slots)
        path = self.path
        self.path = (*path, (tree.condition, scope))
        then = self.scalar(tree.then, scope, slots)
        self.path = (*path, (t.Not(tree.condition), scope))
        otherwise = self.scalar(tree.otherwise, scope, slots)
        self.path = path
        return where(condition, then, otherwise)

    def condition(self, tree: t.Condition, scope: Scope, slots: Slots) -> sympy.Basic:
        """A condition over slots."""
        match tree:
            case t.Compare(operator, left, right):
                first, second = self.scalar(left, scope, slots), self.scalar(right, scope, slots)
                return round_bound(settle(RELATIONS[operator](first, second)), slots.found())
            case t.Not(operand):
                return sympy.Not(self.condition(operand, scope, slots))
            case t.And(operands):
                return sympy.And(*(self.condition(o, scope, slots) for o in operands))
            case t.Or(operands):
                return sympy.Or(*(self.condition(o, scope, slots) for o in operands))
        raise TypeError(f"{type(tree).__name__} is no condition")

    def _require(self, kind: str, tree: t.Expression, value: sympy.Expr, slots: Slots) -> None:
        """Note what a formula needs to have a value; in a branch of `where`, only if that is taken."""
        if value.is_Rational:
            check_constant(kind, value, tree)
            return
        if self.quiet or holds_always(kind, value, slots.found(), self.hider.is_positive):
            return
        within = slots.copy()
        quiet = Builder(self.hider, self.owner, self.limits, quiet=True)
        for condition, scope in reversed(self.path):
            value = where(quiet.condition(condition, scope, within), value, sympy.Integer(1))
        term = make_term((), value, within.found())
        if term is not None:
            self.domain.append(Condition(kind, term.body, term.slots))
