"""Which deltas definitions have, and that cores stand in their place with the same values."""

from __future__ import annotations

import symbackprop as sb
from symbackprop.calculus.definitions import Definition
from symbackprop.calculus.diagonals import choose_pairs, find_pair, split_diagonals
from symbackprop.calculus.guards import Equal, Within
from symbackprop.calculus.indices import Affine, Index
from symbackprop.calculus.programs import Program

I, J, K = (Index(name, Affine.of("N")) for name in "ijk")
OTHER = Index("m", Affine.of("M"))
NETWORK = """input x[N, D], y[N, K]
param W[K, D]
a[n,k] = tanh(sum(d, W[k,d]*x[n,d]))
loss = sum(n, k, (a[n,k] - y[n,k])^2)
"""


def equal(first: Index, second: Index) -> Equal:
    """The guard that two indices are equal."""
    return Equal(Affine.of(first) - Affine.of(second))


def split(text: str, wrt: str) -> tuple[Program, tuple[Definition, ...], dict[str, list[str]]]:
    """The program of a Hessian, its adjoint definitions split, and the parts by name, as pairs and axes."""
    derivation = sb.derive(sb.parse(text)).hessian(wrt)
    found = split_diagonals(derivation.folding.definitions)
    parts = {name: [f"{part.pairs} {part.axes}" for part in parts] for name, parts in found.parts.items()}
    return derivation.core.program, found.definitions, parts


def test_pairs_are_plain_equations_of_indices_of_one_range() -> None:
    """i = j is one; i = j + 1, i = 2*j, a range and indices of different ranges are none."""
    assert find_pair(equal(I, J)) == (I, J)
    assert find_pair(equal(J, I)) == (I, J)
    assert find_pair(Equal(Affine.of(I) - Affine.of(J) - Affine.of(1))) is None
    assert find_pair(Equal(Affine.of(I) - Affine.of(J) * 2)) is None
    assert find_pair(Equal(Affine.of(I) + Affine.of(J))) is None
    assert find_pair(equal(I, OTHER)) is None
    assert find_pair(Within(Affine.of(I), Affine.of("M"))) is None


def test_the_second_index_of_a_pair_is_new() -> None:
    """What carries i is placed where j is i; what carries both is not placed."""
    assert choose_pairs([equal(I, J)], [I]) == {equal(I, J): (I, J)}
    assert choose_pairs([equal(I, J)], [J]) == {equal(I, J): (J, I)}
    assert choose_pairs([equal(I, J)], [I, J]) == {}
    assert choose_pairs([equal(I, J), equal(I, K)], []) == {equal(I, J): (I, J), equal(I, K): (I, K)}


def test_a_delta_goes_through_a_sum() -> None:
    """The Hessian of a layer has a block for each unit: rows of W meet only themselves."""
    _, definitions, parts = split(NETWORK, "W")
    assert parts["W_bar_by_W"] == ["((0, 2),) (0, 1, 3)"]
    core = next(d for d in definitions if d.tensor.name == "W_bar_by_W_part")
    assert (len(core.indices), [t.guards for t in core.terms]) == (3, [()])


def test_an_index_that_a_core_does_not_read_is_no_axis_of_it() -> None:
    """The second derivative of a sum of squares is one number on the diagonal."""
    _, _, parts = split("param w[N]\nloss = sum(n, w[n]^2)", "w")
    assert parts == {"w_bar_by_w": ["((0, 1),) ()"]}


def test_split_definitions_have_the_same_entries() -> None:
    """Written out at given sizes, exactly; and another core gives other entries."""
    for text, wrt, sizes in (
        (NETWORK, "W", {"N": 2, "D": 2, "K": 2}),
        ("param x[N, N]\nloss = sum(n, m, x[n,m]*x[m,n]^2) + sum(n, x[n,n]^3)", "x", {"N": 2}),
    ):
        derivation = sb.derive(sb.parse(text)).hessian(wrt)
        program = derivation.core.program
        found = split_diagonals(derivation.folding.definitions)
        ours = sb.Program(program.extended(found.definitions)).expansion(sizes)
        theirs = derivation.program.expansion(sizes)
        name = derivation[wrt].name
        entries = theirs.entries(name)
        assert found.parts[name]
        assert all((ours.entry(name, e) - theirs.entry(name, e)).expand() == 0 for e in entries)


def test_what_has_no_deltas_stays_as_it_is() -> None:
    """Definitions without deltas are not split, nor those that read themselves step by step."""
    dense, recurrent = "param w[N]\nloss = sum(n, w[n])^3", "param u\nh[t:T] = u*h[t-1] + 1\nloss = sum(t, h[t])^2"
    for text, wrt in ((dense, "w"), (recurrent, "u")):
        derivation = sb.derive(sb.parse(text)).hessian(wrt)
        found = split_diagonals(derivation.folding.definitions)
        assert (found.definitions, found.parts) == (derivation.folding.definitions, {})
