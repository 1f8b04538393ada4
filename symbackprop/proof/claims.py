"""Claims of the formula language, judged against the program that they speak of.

What a claim says of a derivative is compared with the derivative that the chain rule gives, unfolded; its folded form
only serves the diagnosis, which then speaks in the names of the program.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import sympy

from symbackprop.calculus.definitions import Term, make_term
from symbackprop.calculus.expansion import Expansion
from symbackprop.calculus.indices import Affine, Index
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Role, Tensor
from symbackprop.errors import FormulaError
from symbackprop.language import tree as t
from symbackprop.language.phrasing import hidden_definitions, phrase_terms
from symbackprop.language.symbols import free_indices, program_symbols, resolve_binder
from symbackprop.language.writer import write_tree
from symbackprop.proof.comparisons import compare, needs_zeros
from symbackprop.proof.conditions import find_domain, inside_roots
from symbackprop.proof.extents import (
    check_head,
    list_rooms_between,
    narrowest,
    ranges_below_zero,
    read_beyond,
    write_needed,
    zeros_beyond,
)
from symbackprop.proof.margins import BeyondEndError
from symbackprop.proof.needs import covers, unsaid_needs
from symbackprop.proof.outlines import Judgement
from symbackprop.proof.repairs import find_repair
from symbackprop.proof.rounding import approximates
from symbackprop.proof.sides import (
    Side,
    derivative_side,
    make_side,
    read_side,
    unique_definitions,
    with_adjoints,
    with_first_derivative,
)
from symbackprop.proof.trials import Question, write_named
from symbackprop.proof.verdict import Verdict
from symbackprop.proof.written_derivatives import name_derived

MOST_PARTS = 6
"""Of a sum of more the parts are not told apart for a diagnosis."""


def judge_claim(program: Program, claim: t.Claim, start: int = 0) -> Iterator[Judgement]:
    """What is found out about each link of a claim, from the link number `start` on."""
    trees = [link for link in (claim.head, *claim.links) if isinstance(link, t.Expression)]
    named = name_derived(_with_scalars(program, trees), claim.head, claim.links)
    program, head = with_first_derivative(named.program, named.head)
    scope = _find_scope(program, head, named.links)
    check_head(program, head, scope)
    befores = (head, *named.links)
    for before, link in list(zip(befores, named.links, strict=False))[start:]:
        judged = _judge_link(program, before, link, scope)
        verdict = replace(judged.verdict, diagnosis=named.names.explain(judged.verdict.diagnosis))
        yield Judgement(verdict, named.names.explain(judged.derived))
    if claim.digits is not None:
        yield Judgement(_judge_digits(program, befores[-1], scope, claim.digits))


def judge_claims(program: Program, claims: Sequence[t.Claim]) -> tuple[Judgement, ...]:
    """What is found out about claims about one program, a link each."""
    return tuple(judged for claim in claims for judged in judge_claim(program, claim))


def _judge_link(
    program: Program, before: t.Expression | t.Derivative, link: t.Expression, scope: Mapping[str, Index]
) -> Judgement:
    """What is found out about before = link, with the derivative that the left side is where it is not proved."""
    left, right = make_side(program, before, scope), make_side(program, link, scope, "right")
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
    extended = whole = program.extended(unique_definitions((*left.needed, *right.needed, *truth.needed)))
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
        needs = unsaid_needs(program.extended(unique_definitions((*left.needed, *right.needed))), claimed, granted)
        needs += tuple(need for side in (left, right) for need in ranges_below_zero(side.tree))
        needs += tuple(map(write_needed, least if verdict.for_all_sizes else rooms))
        trees = [side.tree for side in written if side.tree is not None]
        zeros = tuple(zeros_beyond(program, *trees))
        if zeros and needs_zeros(extended, left.definition, right.definition, domain):
            needs += zeros
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
    adjoints |= {f"{program.loss}_by_{name}": adjoint for name, adjoint in adjoints.items()}  # adj(loss, z)
    claimed = with_adjoints(tree, adjoints)
    hidden = hidden_definitions(program) | {d.tensor.name: d for d in truth.folded if d.tensor.role is Role.HIDDEN}
    sizes = frozenset(program.size_names)
    if truth.tree is not None:
        phrased = [with_adjoints(truth.tree, adjoints)]
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
    named = name_derived(_with_scalars(program, [claim]), t.Derivative(of, wrt), (claim,))
    program, head = with_first_derivative(named.program, named.head)
    assert isinstance(head, t.Derivative)
    scope = _find_scope(program, head, named.links)
    right = read_side(program, named.links[0], scope, "right")
    return judge_equation(program, derivative_side(program, head, scope), right)


def _write_side(program: Program, side: Side) -> str:
    """A derivative in the names of the program."""
    known = {*program.tensors(), *(d.tensor.name for d in side.needed)}
    if any(read.tensor.name not in known for _, _, read in side.plain.reads()):
        return ""
    extended = program.extended(side.needed)
    tree = phrase_terms(side.plain.terms, side.plain.indices, hidden_definitions(extended))
    return write_named(tree, extended)


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
