"""Claims of the formula language, judged against the program that they speak of.

What a claim says of a derivative is compared with the derivative that the chain rule gives, unfolded; its folded form
only serves the diagnosis, which then speaks in the names of the program.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

import sympy

from symbackprop.calculus.chain import Adjoints, derive
from symbackprop.calculus.definitions import Definition, Term, make_term
from symbackprop.calculus.expansion import Expansion
from symbackprop.calculus.folding import fold
from symbackprop.calculus.indices import Affine, Index
from symbackprop.calculus.paths import check_entry, instantiate
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Role, Tensor
from symbackprop.errors import ArgumentError, FormulaError, UnknownNameError
from symbackprop.language import tree as t
from symbackprop.language.elaboration import Elaborator
from symbackprop.language.hiding import hidden_parts
from symbackprop.language.phrasing import hidden_definitions, phrase_terms
from symbackprop.language.symbols import free_indices, program_symbols, resolve_binder
from symbackprop.language.writer import write_tree
from symbackprop.proof.comparisons import compare
from symbackprop.proof.conditions import find_domain, inside_roots
from symbackprop.proof.extents import (
    check_head,
    check_ranges,
    list_needed_sizes,
    list_rooms_between,
    narrowest,
    ranges_below_zero,
    read_beyond,
    write_needed,
)
from symbackprop.proof.margins import BeyondEndError
from symbackprop.proof.needs import covers, unsaid_needs
from symbackprop.proof.outlines import Judgement
from symbackprop.proof.repairs import find_repair
from symbackprop.proof.rounding import approximates
from symbackprop.proof.trials import Question
from symbackprop.proof.verdict import Verdict

MOST_PARTS = 6
"""Of a sum of more the parts are not told apart for a diagnosis."""


@dataclass(frozen=True, slots=True)
class Side:
    """One side of an equation: its definition, how its folded form reads, and the definitions that both need.

    A derivative knows what it is taken of and by, where these are read, the steps of the chain rule that lead to it,
    and the folded definitions; a formula knows its tree, and the definitions of its nested parts. `derived` are the
    names of what is derived in it, which must have a value too, and `least` what is at least 0 where it exists.
    """

    definition: Definition
    plain: Definition
    needed: tuple[Definition, ...]
    tree: t.Expression | None = None
    of: Tensor | None = None
    wrt: Tensor | None = None
    at: tuple[Affine, ...] = ()
    adjoints: Adjoints | None = None
    folded: tuple[Definition, ...] = ()
    claimed: tuple[Definition, ...] = ()
    derived: tuple[str, ...] = ()
    least: tuple[Affine, ...] = ()


def judge_claim(program: Program, claim: t.Claim, start: int = 0) -> Iterator[Judgement]:
    """What is found out about each link of a claim, from the link number `start` on."""
    trees = [link for link in (claim.head, *claim.links) if isinstance(link, t.Expression)]
    program, head = with_first_derivative(_with_scalars(program, trees), claim.head)
    scope = _find_scope(program, head, trees)
    check_head(program, head, scope)
    sides = (head, *claim.links)
    for before, link in list(pairwise(sides))[start:]:
        assert isinstance(link, t.Expression)
        yield _judge_link(program, before, link, scope)
    if claim.digits is not None:
        yield Judgement(_judge_digits(program, sides[-1], scope, claim.digits))


def with_first_derivative(
    program: Program, head: t.Expression | t.Derivative
) -> tuple[Program, t.Expression | t.Derivative]:
    """The head of a claim, for a second derivative as that of the adjoint, which the program then defines."""
    if not isinstance(head, t.Derivative) or not isinstance(head.of, t.Apply):
        return program, head
    if program.loss is None:
        raise FormulaError(f"{write_tree(head)} derives the loss, and the program has none.", line=head.line or None)
    program.tensor(head.read.name)
    adjoints = derive(program, program.loss, (head.read.name,))
    read = replace(head.read, name=adjoints.adjoint_name(head.read.name))
    return program.extended(_unique(adjoints.definitions)), replace(head, of=read)


def judge_claims(program: Program, claims: Sequence[t.Claim]) -> tuple[Judgement, ...]:
    """What is found out about claims about one program, a link each."""
    return tuple(judged for claim in claims for judged in judge_claim(program, claim))


def _judge_link(
    program: Program, before: t.Expression | t.Derivative, link: t.Expression, scope: Mapping[str, Index]
) -> Judgement:
    """What is found out about before = link, with the derivative that the left side is where it is not proved."""
    left, right = _side(program, before, scope), _side(program, link, scope, "right")
    adjoint = _whole_adjoint(program, before, scope)
    truth = None if adjoint is None else derivative_side(program, adjoint, scope)
    verdict = judge_equation(program, left, right, truth)
    true_side = left if isinstance(before, t.Derivative) else truth
    return Judgement(verdict, "" if verdict.proved or true_side is None else _write_side(program, true_side))


def judge_equation(program: Program, left: Side, right: Side, truth: Side | None = None) -> Verdict:
    """The verdict on left = right, both in the same letters.

    `truth` is the left side as a derivative where it names an adjoint; what a wrong right side lacks is said with it.
    """
    truth = truth or left
    extended = whole = program.extended(_unique((*left.needed, *right.needed, *truth.needed)))
    sides = (left.definition, right.definition, left.plain, truth.definition, truth.plain)
    read = extended.concerning(sides)
    extended = replace(extended.completing(read), loss=program.loss)
    derived = program.sources((*left.derived, *right.derived))
    whole = inside_roots(whole, frozenset(side.wrt.name for side in (left, truth) if side.wrt is not None))
    of = (d for d in whole.definitions if d.tensor.name in derived)
    written = [s for s in (left, right) if s.tree is not None]
    least = narrowest(room for s in (left, right) for room in s.least)
    between = list_rooms_between(program, *(s.tree for s in written if s.tree is not None))
    rooms = narrowest((*least, *between))
    domain = replace(
        find_domain(whole, (left.definition, right.definition, *of)),
        least=rooms,
        written=tuple(d for side in written for d in (side.definition, *side.claimed)),
    )
    try:
        verdict = compare(extended, left.definition, right.definition, left.plain, diagnosed=False, domain=domain)
    except BeyondEndError:
        raise read_beyond(program, *(side.tree for side in written if side.tree is not None)) from None
    if verdict.proved:
        claimed = [d for side in (left, right) if side.tree is not None for d in (*side.claimed, side.definition)]
        granted = derived | program.sources([program.loss] if program.loss else [])
        needs = unsaid_needs(program.extended(_unique((*left.needed, *right.needed))), claimed, granted)
        needs += tuple(need for side in (left, right) for need in ranges_below_zero(side.tree))
        needs += tuple(map(write_needed, least if verdict.for_all_sizes else rooms))
        own = [text for text in verdict.hypotheses if not any(covers(need, text) for need in needs)]
        return replace(verdict, hypotheses=tuple(dict.fromkeys((*own, *needs))))
    if not verdict.refuted or right.tree is None:
        return verdict
    repair = find_repair(_ask(extended, truth, right, right.tree, rooms)) or verdict.diagnosis
    # What is lacking at one entry, and at sizes that are numbers, is not what is lacking in general.
    if repair or left.definition.indices or read.size_names:
        return replace(verdict, diagnosis=repair)
    return compare(extended, left.definition, right.definition, left.plain, domain=domain)


def _ask(program: Program, truth: Side, right: Side, tree: t.Expression, least: tuple[Affine, ...]) -> Question:
    """What the search for a repair is told."""
    adjoints = {
        d.tensor.denominator: d.tensor.name
        for d in program.definitions
        if d.tensor.role is Role.ADJOINT and d.tensor.denominator is not None and d.tensor.numerator == program.loss
    }
    claimed = _with_adjoints(tree, adjoints)
    hidden = hidden_definitions(program) | {d.tensor.name: d for d in truth.folded if d.tensor.role is Role.HIDDEN}
    sizes = frozenset(program.size_names)
    if truth.tree is not None:
        phrased = [_with_adjoints(truth.tree, adjoints)]
    else:
        phrased = [phrase_terms(truth.plain.terms, truth.plain.indices, hidden, sizes)]
    adjoint = [d for d in truth.folded if d.tensor.role is Role.ADJOINT]
    phrased += [phrase_terms(d.terms, d.indices, hidden, sizes) for d in adjoint]
    asked = truth.tree and phrased[0]
    parts = [part for term in (*truth.plain.terms, *truth.definition.terms) for part in _split(term)]
    terms = tuple(dict.fromkeys(phrase_terms((part,), truth.plain.indices, hidden, sizes) for part in parts))
    found = (truth.of, truth.wrt, truth.at, truth.adjoints)
    return Question(program, truth.definition, right.definition, claimed, tuple(phrased), terms, asked, *found,
                    least)  # fmt: skip


def _split(term: Term) -> list[Term]:
    """A term as the sum of those that its body is the sum of, where they are few."""
    parts = sympy.Add.make_args(sympy.expand_mul(term.body))
    if len(parts) > MOST_PARTS:
        return [term]
    made = (make_term(term.bound, part, term.slots, term.guards) for part in parts)
    return [each for each in made if each is not None]


def _whole_adjoint(
    program: Program, tree: t.Expression | t.Derivative, scope: Mapping[str, Index]
) -> t.Derivative | None:
    """The derivative that a side is which is an adjoint and nothing else."""
    if not isinstance(tree, t.Apply) or tree.function != "adj" or program.loss is None or len(tree.arguments) != 1:
        return None
    (read,) = tree.arguments
    if not isinstance(read, t.Access | t.Name):
        return None
    places = read.indices if isinstance(read, t.Access) else ()
    plain = all(isinstance(i, t.Number) or (isinstance(i, t.Name) and i.name in scope) for i in places)
    return t.Derivative(t.Name(program.loss), read) if plain else None


def judge_gradient(
    program: Program, of: t.Name | t.Access | t.Apply, wrt: t.Name | t.Access, claim: t.Expression
) -> Verdict:
    """The verdict on d of / d wrt = claim."""
    program, head = with_first_derivative(_with_scalars(program, [claim]), t.Derivative(of, wrt))
    assert isinstance(head, t.Derivative)
    scope = _find_scope(program, head, [claim])
    return judge_equation(program, derivative_side(program, head, scope), read_side(program, claim, scope, "right"))


def read_side(program: Program, tree: t.Expression, scope: Mapping[str, Index], name: str = "left") -> Side:
    """An expression over the tensors of a program.

    `adj(z[n,i])` in it is the adjoint of the loss, and `adj(a[n,j], z[n,i])` the derivative of one entry by another.
    What is nested in it is named after the side, so that the parts of two sides never share a name.
    """
    tree = _of_loss(tree, program.loss)
    check_ranges(program, tree)
    needed: list[Definition] = []
    names: dict[str, str] = {}
    for of, wanted in _derivatives_in(program, tree).items():
        adjoints = derive(program, of, wanted)
        needed += adjoints.definitions
        names |= {each if of == program.loss else f"{of}_by_{each}": adjoints.adjoint_name(each) for each in wanted}
    extended = program.extended(_unique(needed))
    indices, line = tuple(scope.values()), tree.line or None
    read = _with_adjoints(tree, names)
    for made_of in (read, t.Chain((read, t.Number(Fraction(0), "0")), ("+",), line=read.line, column=read.column)):
        elaborator = Elaborator(program_symbols(extended), known=hidden_parts(extended))
        made = elaborator.define(name, indices, made_of, Role.DEFINED, line)
        if made.is_sum:  # an argmax or a function of a matrix that is the whole side becomes a part of it
            break
    needed += elaborator.hidden
    derived = tuple(of for of in _derivatives_in(program, tree))
    least = tuple(list_needed_sizes(program, tree))
    return Side(made, made, tuple(needed), tree, claimed=tuple(elaborator.hidden), derived=derived, least=least)


def derivative_side(program: Program, head: t.Derivative, scope: Mapping[str, Index]) -> Side:
    """The derivative that a head names, as the chain rule gives it."""
    assert not isinstance(head.of, t.Apply), "the adjoint that is derived has a name"
    of, wrt = program.tensor(head.of.name), program.tensor(head.wrt.name)
    at = (*_places(of, head.of, scope), *_places(wrt, head.wrt, scope))
    adjoints = derive(program, of.name, (wrt.name,))
    folded = fold(adjoints, program.assumptions)
    indices = tuple(scope.values())
    claimed = Tensor("derived", tuple(i.size for i in indices), Role.DEFINED)
    name = adjoints.adjoint_name(wrt.name)
    plain = next(d for d in folded.definitions if d.tensor.name == name)
    raw, neat = (Definition(claimed, indices, instantiate(d, at)) for d in (adjoints.gradient(wrt.name), plain))
    # Folded adjoints carry the names of the raw ones, so only those that were inlined nowhere are added.
    return Side(raw, neat, tuple(adjoints.definitions), None, of, wrt, at, adjoints, folded.definitions,
                derived=(of.name,), least=tuple(list_needed_sizes(program, head.of, head.wrt)))  # fmt: skip


def _side(program: Program, tree: t.Expression | t.Derivative, scope: Mapping[str, Index], name: str = "left") -> Side:
    if isinstance(tree, t.Derivative):
        return derivative_side(program, tree, scope)
    return read_side(program, tree, scope, name)


def _write_side(program: Program, side: Side) -> str:
    """A derivative in the names of the program."""
    known = {*program.tensors(), *(d.tensor.name for d in side.needed)}
    if any(read.tensor.name not in known for _, _, read in side.plain.reads()):
        return ""
    hidden = hidden_definitions(program.extended(side.needed))
    return write_tree(phrase_terms(side.plain.terms, side.plain.indices, hidden))


def _judge_digits(
    program: Program, tree: t.Expression | t.Derivative, scope: Mapping[str, Index], digits: str
) -> Verdict:
    if isinstance(tree, t.Derivative) or scope:
        raise _no_number(tree, digits, "it has an entry for every index")
    side = read_side(program, tree, scope)
    part = program.extended(side.needed).concerning((side.definition,))
    read = part.sources(side.definition.uses())
    leaves = [leaf.name for leaf in part.leaves if leaf.name in read]
    if leaves:
        raise _no_number(tree, digits, f"it depends on {', '.join(leaves)}")
    if part.size_names or any(term.bound for term in side.definition.terms):
        raise _no_number(tree, digits, "it depends on sizes")
    expansion = Expansion(part, {})
    return approximates(sympy.Add(*(expansion.term(t, expansion.start({})) for t in side.definition.terms)), digits)


def _no_number(tree: t.Expression | t.Derivative, digits: str, why: str) -> FormulaError:
    """What is said of a formula that is claimed to round to digits, and has no one value."""
    found = f"{write_tree(tree)} ~ {digits}"
    return FormulaError(
        f"found {found}, expected a number that rounds to {digits}: {why}; write = for what holds for all values",
        line=tree.line or None,
        column=tree.column or None,
        found=found,
        expected="a number",
    )


def _find_scope(program: Program, head: t.Expression | t.Derivative, trees: Sequence[t.Expression]) -> dict[str, Index]:
    """The letters that a claim is stated for, with their ranges: those of a derivative's head, else the free ones."""
    symbols = program_symbols(program)
    places: list[t.Node] = [head] if isinstance(head, t.Expression) else [head.of, head.wrt]
    letters = free_indices([*places, *trees], symbols)
    everything = [*places, *trees]
    return {name: Index(name, resolve_binder(node, everything, symbols)) for name, node in letters.items()}


def _places(tensor: Tensor, access: t.Name | t.Access, scope: Mapping[str, Index]) -> tuple[Affine, ...]:
    """Where a derivative's head reads a tensor: letters of the scope, or numbers."""
    made: list[Affine] = []
    for index in access.indices if isinstance(access, t.Access) else ():
        if isinstance(index, t.Name) and index.name in scope:
            made.append(Affine.of(scope[index.name]))
        elif isinstance(index, t.Number) and index.value.denominator == 1:
            made.append(Affine.of(int(index.value)))
        else:
            raise FormulaError(
                f"{write_tree(index)} in {write_tree(access)} is neither a letter nor a number.",
                line=access.line or None,
                column=access.column or None,
            )
    try:
        check_entry(tensor, tuple(made))
    except ArgumentError as error:
        raise FormulaError(str(error), line=access.line or None, column=access.column or None) from error
    return tuple(made)


def _with_scalars(program: Program, trees: Sequence[t.Expression]) -> Program:
    """The program with the variables that the claims bring themselves, such as u in sigmoid'(u)."""
    known = set(program.tensors()) | set(program.size_names)
    found: dict[str, None] = {}
    for tree in trees:
        for node, _ in t.walk(tree):
            if isinstance(node, t.Apply) and node.primed:
                found.update((a.name, None) for a in node.arguments if isinstance(a, t.Name) and a.name not in known)
    scalars = tuple(Tensor(name, (), Role.INPUT) for name in found)
    return replace(program, leaves=(*program.leaves, *scalars)) if scalars else program


def _derivatives_in(program: Program, tree: t.Node) -> dict[str, tuple[str, ...]]:
    """The derivatives that an expression reads: what they are taken of, and by."""
    found: dict[str, tuple[str, ...]] = {}
    for node, _ in t.walk(tree):
        if not isinstance(node, t.Apply) or node.function != "adj":
            continue
        parts = [part for part in node.arguments if isinstance(part, t.Name | t.Access)]
        if len(parts) != len(node.arguments) or len(parts) not in (1, 2):
            raise FormulaError(
                f"adj takes one tensor, as in adj(z[n,i]), or two, as in adj(a[n,j], z[n,i]); "
                f"found {write_tree(node)}.",
                line=node.line or None,
                column=node.column or None,
            )
        if len(parts) == 1 and program.loss is None:
            raise FormulaError(
                "adj(...) is the adjoint of the loss, and the program has no loss.", line=tree.line or None
            )
        of = parts[0].name if len(parts) == 2 else program.loss or ""
        for part in parts:
            program.tensor(part.name)
        found[of] = tuple(dict.fromkeys((*found.get(of, ()), parts[-1].name)))
    return found


def _of_loss(tree: t.Expression, loss: str | None) -> t.Expression:
    """The expression with the adjoints of the loss in their short form, adj(z) for adj(loss, z)."""

    def change(node: t.Node) -> t.Node:
        if isinstance(node, t.Apply) and node.function == "adj" and node.arguments[:1] == (t.Name(loss or ""),):
            return replace(node, arguments=node.arguments[-1:])
        return t.map_children(node, change)

    changed = change(tree)
    return changed if isinstance(changed, t.Expression) else tree


def _with_adjoints(tree: t.Expression, names: Mapping[str, str]) -> t.Expression:
    """The expression with every adj(z[n,i]) replaced by a read of the adjoint."""

    def change(node: t.Node) -> t.Node:
        if isinstance(node, t.Apply) and node.function == "adj":
            reads = [part for part in node.arguments if isinstance(part, t.Access | t.Name)]
            key = reads[0].name if len(reads) == 1 else f"{reads[0].name}_by_{reads[-1].name}"
            name = names.get(key, key)
            indices = tuple(i for read in reads if isinstance(read, t.Access) for i in read.indices)
            place = {"line": node.line, "column": node.column}
            return t.Access(name, indices, **place) if indices else t.Name(name, **place)
        return t.map_children(node, change)

    changed = change(tree)
    if not isinstance(changed, t.Expression):
        raise UnknownNameError("An expression became something else.", name=type(changed).__name__)
    return changed


def _unique(definitions: Sequence[Definition]) -> tuple[Definition, ...]:
    return tuple({d.tensor.name: d for d in definitions}.values())
