"""Programs in numbers: sums that share a factor, against NumPy."""

from __future__ import annotations

from math import isnan

import numpy as np
import sympy

from symbackprop.calculus.definitions import Definition, make_term, slot_symbol
from symbackprop.calculus.evaluation import Evaluation
from symbackprop.calculus.indices import Affine, Index
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Read, Role, Tensor


def test_a_factor_in_two_sums_over_indices_in_another_order() -> None:
    """The table of a factor belongs to the order of the indices that it was made for, at equal sizes too."""
    n, m = Index("n", Affine.of("N")), Index("m", Affine.of("M"))
    a, b = (Tensor(name, (n.size, m.size), Role.INPUT) for name in "ab")
    reads = tuple(Read(tensor, (Affine.of(n), Affine.of(m))) for tensor in (a, b))
    sums = [make_term(bound, slot_symbol(0) * slot_symbol(1), reads) for bound in ((n, m), (m, n))]
    made = [Definition(Tensor(x, (), Role.DEFINED), (), (term,)) for x, term in zip("uv", sums, strict=True) if term]
    program = Program((a, b), tuple(made))
    for sizes in ({"N": 2, "M": 3}, {"N": 3, "M": 3}):
        arrays = {name: np.random.default_rng(k).normal(size=tuple(sizes.values())) for k, name in enumerate("ab")}
        evaluation = Evaluation(program, sizes, lambda name, at, given=arrays: given[name][at[0] - 1, at[1] - 1])
        expected = float((arrays["a"] * arrays["b"]).sum())

        np.testing.assert_allclose([evaluation.entry(name, ()) for name in "uv"], [expected, expected], rtol=1e-12)


def test_a_comparison_without_numbers_has_no_value() -> None:
    """Of what is no real number neither more nor less is known; such an entry is nan, and no error."""
    x = Tensor("x", (), Role.INPUT)
    for compared in (sympy.sqrt(slot_symbol(0)), 1 / (slot_symbol(0) + 1), sympy.log(slot_symbol(0) + 1)):
        body = sympy.Piecewise((slot_symbol(0), compared > 0), (0, True))
        made = Definition(Tensor("u", (), Role.DEFINED), (), tuple(filter(None, [make_term((), body, (Read(x, ()),))])))

        assert isnan(Evaluation(Program((x,), (made,)), {}, lambda name, entry: -1.0).entry("u", ()))
