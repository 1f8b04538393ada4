"""Certificates of folded derivations: every step proved again, and the result evaluated beside the unfolded
adjoints.
"""

from __future__ import annotations

from math import isnan

from symbackprop.calculus.chain import Adjoints
from symbackprop.calculus.evaluation import Evaluation
from symbackprop.calculus.folding import Folding
from symbackprop.calculus.foldsteps import CHECK_PRODUCTS, check_step
from symbackprop.calculus.normal_forms import NormalForms
from symbackprop.calculus.replay import prove_chain_step, replay
from symbackprop.calculus.tensors import Role
from symbackprop.proof.comparisons import write_assumption
from symbackprop.proof.places import Place, list_entries
from symbackprop.proof.sizes import choose_sizes
from symbackprop.proof.verdict import Verdict

TOLERANCE = 1e-9


def certify(adjoints: Adjoints, folding: Folding) -> Verdict:
    """Whether folded adjoints are what the chain rule gives.

    Every step of the chain rule is proved equal to its statement, whose index equations are not solved, and each fold
    is proved by the normal form, for all sizes; the steps, walked again, have to lead to the folded adjoints.
    Independently of proofs, every folded adjoint is evaluated at two sets of small sizes and compared with the unfolded
    one; a difference refutes, whatever the normal form said. Where neither has a value, as at a singular matrix, there
    is no difference.
    """
    compared = not folding.definitions
    program = adjoints.program
    raw, folded = program.extended(adjoints.definitions), program.extended(folding.definitions)
    for sizes in choose_sizes(program):
        place = Place.make(program, sizes)
        if place.is_impossible:
            continue
        before, after = (Evaluation(p, sizes, place.value_of, place.data) for p in (raw, folded))
        for definition in folding.definitions:
            name = definition.tensor.name
            for entry in list_entries(definition.indices, sizes) if definition.tensor.role is Role.ADJOINT else ():
                one, other = before.entry(name, entry), after.entry(name, entry)
                if isnan(one) and isnan(other):
                    continue
                compared = True
                if not abs(one - other) <= TOLERANCE * max(1.0, abs(one), abs(other)):
                    if not place.draws:
                        return Verdict("undecided", reason="no numbers were found that satisfy all assumptions")
                    where = f"{name}{list(entry)}" + (f" at {place.where}" if place.where else "")
                    return Verdict(
                        "refuted",
                        scope=place.where,
                        for_all_sizes=False,
                        diagnosis=f"the fold of {where} is {other:.12g} and the chain rule gives {one:.12g}",
                    )
    if not compared:
        return Verdict("undecided", reason="no adjoint has a value at the points that were tried")
    forms = NormalForms(raw, (), CHECK_PRODUCTS)
    for chain in adjoints.steps:
        if not prove_chain_step(forms, adjoints, chain):
            return Verdict("undecided", reason=f"the chain rule for {chain.tensor} has no proof")
    if replay(adjoints, folding) != folding.definitions:
        return Verdict("undecided", reason="the recorded steps do not lead to what is printed")
    for step in folding.steps:
        if not check_step(raw, step, program.assumptions):
            return Verdict("undecided", reason=f"the fold of {step.tensor} agrees in numbers and has no proof")
    scope = "all sizes" if program.size_names else "all values"
    return Verdict("proved", scope=scope, hypotheses=tuple(write_assumption(a, program) for a in program.assumptions))
