"""Printed LaTeX read back: every definition and gradient of the catalogue and of random programs, in numbers."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest
from program_generator import generate_program
from round_trip import Printed, RoundTrip, evaluate, print_equations

import symbackprop as sb
from symbackprop.errors import SymBackpropError
from symbackprop.notation.reading import AmbiguousFormulaError
from symbackprop.notation.writing import matrix_latex
from symbackprop.notation.writing.index_latex import IndexWriter

NOTATIONS = ("index", "matrix")
CHUNKS = 8
SEEDS, PER_TEST = 150, 15
SMALL = {"N": 2, "D": 2, "H": 3}

NOT_READ = {
    ("bilinear", "matrix", "W_bar"),  # Kronecker products, and derivatives by the vec of a tensor
    ("flatten1d", "matrix", "x_bar"),
    ("mean_over_steps", "matrix", "x_bar"),
    ("concatenated", "index", "x_bar"),  # an index over D on an axis of D+F
}
"""Equations of the catalogue that are errors, each for a reason that is known."""

REASONS = (
    r"\\operatorname\{vec\}|\\otimes|M_\{|\\cdot,|,\\cdot",  # Kronecker products and slices
    r"unknown name 'tok|name without indices|unknown name `\\mathbf\{1\}",  # integers as numbers, entries of vectors
    r"unknown length",  # vectors of ones that nothing gives a length
    r"behind the end of its sum|before several factors",  # letters that their user bound twice
    r"`/`|over .* expected an index over",  # sizes with a quotient, and an index over a part of an axis
)
"""What equations of random programs may be refused for."""


def equations_of(program: sb.Program, derivation: sb.Derivation) -> Iterator[tuple[str, Printed]]:
    """The forward definitions and the adjoints, in both notations."""
    for notation in NOTATIONS:
        for definitions in (program.core.definitions, derivation.folding.definitions):
            for printed in print_equations(definitions, derivation.program.core, notation):
                yield notation, printed


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_the_catalogue_reads_back(chunk: int) -> None:
    """Every equation has the numbers of the program, but for those that are errors for a known reason."""
    refused = set()
    read = 0
    entries = sb.catalogue()[chunk::CHUNKS]
    for entry in entries:
        full = entry.derivation.program.core
        least = min(entry.sizes, key=lambda sizes: math.prod(sizes.values()))
        sizes = {name: size for name, size in least.items() if name in full.size_names}
        trip = RoundTrip(full, evaluate(full, sizes, positive=True))
        for notation, printed in equations_of(entry.program, entry.derivation):
            try:
                assert "" == trip.find_difference(printed), f"{entry.name}: {printed}"
                read += 1
            except SymBackpropError:
                refused.add((entry.name, notation, printed.tensor))

    assert {each for each in NOT_READ if each[0] in {entry.name for entry in entries}} == refused
    assert read > 5 * len(entries)


@pytest.mark.parametrize("first", range(0, SEEDS, PER_TEST))
def test_random_programs_read_back(first: int) -> None:
    """Nothing is misread; index notation is read but for rare formulas, matrix notation mostly."""
    counts: Counter[tuple[str, bool]] = Counter()
    for seed in range(first, first + PER_TEST):
        random = generate_program(seed)
        program = sb.parse(random.text)
        derivation = sb.derive(program, list(random.params), random.of)
        full = derivation.program.core
        trip = RoundTrip(full, evaluate(full, random.sizes(SMALL), seed))
        for notation, printed in equations_of(program, derivation):
            try:
                assert "" == trip.find_difference(printed), f"seed {seed}: {printed}"
                counts[notation, True] += 1
            except SymBackpropError as error:
                known = re.search("|".join(REASONS), f"{error} {printed}")
                counts[notation, False] += 1
                if known is None:
                    raise

    assert counts["index", True] > 15 * counts["index", False]
    assert 2 * counts["matrix", True] > 5 * counts["matrix", False]


NEURON = sb.parse("input x[N,D], y[N,K]\nparam W[K,D], b[K]\nz[n,k] = sum(d, W[k,d]*x[n,d]) + b[k]\n"
                  "loss = sum(n, k, (z[n,k] - y[n,k])^2)/N")  # fmt: skip


def differences(notation: str) -> Sequence[str]:
    """What a round trip says of each equation of a layer, its errors too."""
    derivation = sb.derive(NEURON)
    full = derivation.program.core
    trip = RoundTrip(full, evaluate(full, {"N": 3, "D": 2, "K": 2}))
    found = []
    for each, printed in equations_of(NEURON, derivation):
        if each == notation:
            try:
                found.append(trip.find_difference(printed))
            except SymBackpropError as error:
                found.append(str(error))
    return found


def test_printers_without_a_mistake_differ_nowhere() -> None:
    """The layer that the mistakes below are planted in reads back."""
    assert {""} == {*differences("index"), *differences("matrix")}


def test_a_sign_printed_wrong_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A printer that writes + for - is caught by the numbers."""
    right = IndexWriter._sum
    monkeypatch.setattr(IndexWriter, "_sum", lambda writer, parts, signs: right(writer, parts, ("+",) * len(signs)))

    assert any("in what was read" in difference for difference in differences("index"))


def test_indices_printed_in_another_order_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A printer that turns the indices of an entry around is caught, by numbers or by shapes."""
    right = IndexWriter._entry
    monkeypatch.setattr(IndexWriter, "_entry", lambda writer, name, indices: right(writer, name, indices[::-1]))

    assert any(differences("index"))


def test_a_missing_transpose_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A printer that forgets transposes is caught where the shapes fit all the same, and where they do not."""
    right = matrix_latex.of_symbol
    monkeypatch.setattr(matrix_latex, "of_symbol", lambda symbol, turned: right(symbol, False))

    assert any(differences("matrix"))


def test_a_joint_place_is_no_place_of_each_index() -> None:
    """argmax over two indices prints and reads as one place, counted through the table."""
    program = sb.parse("input X[2,3]\nparam w\nloss = w*argmax(i, j, X[i,j])")
    printed = next(iter(print_equations(program.core.definitions, program.core, "index")))

    assert r"\operatorname*{arg\,max}_{i, j} " in printed.latex
    assert "" == RoundTrip(program.core, evaluate(program.core, {})).find_difference(printed)


def test_extremes_print_the_range_of_an_index_that_stands_alone_nowhere() -> None:
    """The window of a pool is part of what is printed, so that it reads back."""
    text = sb.find_entry("max_pool1d").program.latex("index")

    assert r"\max_{1 \le r \le 3}" in text or r"\max_{1 \le r \le 2}" in text


def test_a_part_of_an_axis_has_no_matrix_form() -> None:
    """The gradient of a concatenated part is no whole matrix."""
    assert "in index notation" in sb.find_entry("concatenated").derivation["x"].latex("matrix")


def test_a_sample_is_no_base() -> None:
    """h^{(0)}_{ni} is h0 where 0 is no entry of the first axis of h."""
    program = sb.parse("input x[N,T,H], h0[N,H]\nparam w\nh[n,0,i] = h0[n,i]\nh[n,t,i] = w*h[n,t-1,i] + x[n,t,i]\n"
                       "loss = sum(n, t, i, h[n,t,i])")  # fmt: skip

    assert "h0[n,i]" == sb.latex_formula("h^{(0)}_{n,i}").understood(program.core)
    first = sb.parse("input h0[N,H]\nparam w\nh[0,n,i] = h0[n,i]\nh[t:T,n,i] = w*h[t-1,n,i]\n"
                     "loss = sum(t, n, i, h[t,n,i])")  # fmt: skip
    with pytest.raises(AmbiguousFormulaError, match=r"h0\[n,i\].*h\[0,n,i\]"):
        sb.latex_formula("h^{(0)}_{n,i}").understood(first.core)


def test_an_index_as_a_number_has_no_matrix_form() -> None:
    """sin(n/3) is no scalar before a matrix, in a sum or outside of it."""
    text = ("input V[N,D]\nparam w\na[n,d] = sin(n/3)*V[n,d]\nu[n] = sum(d, sin(n/3)*V[n,d])\n"
            "loss = w*sum(n, d, a[n,d]*u[n])")  # fmt: skip
    lines = sb.parse(text).latex("matrix").splitlines()

    assert ["in index notation" in line for line in lines[1:3]] == [True, True]


def test_numbers_behind_names_keep_their_sign() -> None:
    """A scalar times the number of entries of a sum that it does not depend on."""
    text = sb.parse("param X\nloss = exp(sum(i:2, X))").latex("matrix")

    assert r"e^{X \cdot 2}" in text


def test_an_inner_sum_over_the_letter_of_an_extreme_hides_no_range() -> None:
    """The range of r is that of the maximum, whatever an inner r runs over."""
    program = sb.parse("input Y[N]\nparam w\nloss = w*max(r:5, sin(r) + sum(r, Y[r]))")
    printed = next(iter(print_equations(program.core.definitions, program.core, "index")))

    assert r"\max_{1 \le r \le 5}" in printed.latex
    assert "" == RoundTrip(program.core, evaluate(program.core, {"N": 3})).find_difference(printed)


def test_a_matrix_of_zeros_and_ones_says_how_far_it_goes() -> None:
    """The rows and columns of a shift are not said by its condition."""
    text = sb.parse("input x[N]\nparam w[N]\nloss = sum(n, w[n%3+1]*x[n])").latex("matrix")

    assert r"[(n \bmod 3) + 1 = v]\quad (1 \le n \le N,\ 1 \le v \le N)" in text


def test_a_recurrence_is_no_whole_matrix() -> None:
    """Its symbol does not say whether its base is part of it."""
    text = "input x[T]\nparam w\nh[0] = w\nh[t] = w*h[t-1] + x[t]\nloss = sum(t, h[t]*x[t])"

    assert "in index notation" in sb.parse(text).latex("matrix").splitlines()[-2]
