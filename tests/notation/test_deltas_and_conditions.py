"""Iverson's brackets, Kronecker's delta, conditions below sums, primes: what has one reading is read."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.errors import FormulaError, UnsupportedError
from symbackprop.language import write_tree
from symbackprop.notation.reading import AmbiguousFormulaError, make_vocabulary, read_formula, read_syntax

PICK = sb.parse("""
input x[N,D]
index y[N] in K
param W[K,D]
z[n,k] = sum(d, W[k,d]*x[n,d])
loss = -sum(n, z[n,y[n]])/N
""")
PLAIN = sb.parse("input x[N,D], v[N,K]\nparam W[K,D]\nloss = sum(n, k, v[n,k]*W[k,1]*x[n,1])/N")
SQUARE = sb.parse("input x[N,D], c[D]\nparam W[D,D]\nloss = sum(n, i, j, c[i]*W[i,j]*x[n,j])")


@pytest.mark.parametrize(
    "indicator",
    [
        "[k = y_n]", "[y_n = k]", r"\mathbb 1_{\{k=y_n\}}", r"\mathbb{1}_{k = y_n}", r"\mathbb{1}[k = y_n]",
        r"\mathbf 1\{k = y_n\}", r"1_{\{k = y_n\}}", r"1\{k = y_n\}", r"\mathbb{I}(k = y_n)", "I(k = y_n)",
        r"[k = y_n \text{ and } n \le N]",
    ],
)  # fmt: skip
def test_indicators_are_one_where_their_relation_holds(indicator: str) -> None:
    """Every way of writing that a class is the label is the same number, and another relation is another one."""
    right = sb.verify_gradient(PICK, "z[n,k]", sb.latex_formula(rf"-\frac1N {indicator}"))
    other = indicator.replace("=", r"\ne ")
    wrong = sb.verify_gradient(PICK, "z[n,k]", sb.latex_formula(rf"-\frac1N {other}"))

    assert right.proved
    assert wrong.refuted


@pytest.mark.parametrize(
    "below",
    [
        r"n : y_n = k", r"n \mid y_n = k", "n | y_n = k", r"n :\, y_n = k", "n, y_n = k", "n, k = y_n",
        r"\substack{n \\ y_n = k}", r"1 \le n \le N, y_n = k", r"n : y_n = k, n \le N",
    ],
)  # fmt: skip
def test_conditions_below_sums_choose_the_addends(below: str) -> None:
    """The sum over the samples of a class; it binds n and not k."""
    right = sb.verify_gradient(PICK, "W[k,d]", sb.latex_formula(rf"-\frac1N \sum_{{{below}}} x_{{nd}}"))
    wrong = sb.verify_gradient(PICK, "W[k,d]", sb.latex_formula(rf"-\frac1N \sum_{{{below}}} x_{{nd}} \cdot 2"))

    assert right.proved
    assert wrong.refuted


def test_conditional_sums_have_the_numbers_of_numpy() -> None:
    """The formula that was read, as a gradient of nothing: its program computes what NumPy's mask does."""
    vocabulary = make_vocabulary(PICK.core)
    text = write_tree(read_formula(read_syntax(r"\sum_{n : y_n = k} x_{nd}"), vocabulary, dict.fromkeys("kd")))
    program = sb.parse(f"input x[N,D]\nindex y[N] in K\nparam u[K,D]\ns[k:K,d] = {text}\n"
                       "loss = sum(k, d, u[k,d]*s[k,d])")  # fmt: skip
    generator = np.random.default_rng(3)
    x, y = generator.normal(size=(5, 2)), np.array([1, 3, 3, 2, 1])
    _, gradients = sb.derive(program).compile()({"u": np.zeros((3, 2))}, x=x, y=y)

    expected = np.array([x[y == k].sum(axis=0) for k in (1, 2, 3)])
    np.testing.assert_allclose(gradients["u"], expected, rtol=1e-12)


@pytest.mark.parametrize("text", [r"x_{n|k}", r"x_{n : k = 1}", r"\sum_{n : k} x_{n1}", r"p(x \mid y)", "[n : k = 1]"])
def test_conditions_elsewhere_are_refused(text: str) -> None:
    """A colon or a bar gives a condition to the indices of a sum, and nothing to anything else."""
    with pytest.raises(FormulaError):
        sb.verify_gradient(PICK, "W[k,d]", sb.latex_formula(text))


def test_deltas_over_two_ranges_are_no_kronecker_deltas() -> None:
    """\\delta_{nk} of a sample and a class is a name that nobody declared."""
    with pytest.raises(FormulaError, match=r"\\delta_\{nk\}.*run over N and K.*declare what \\delta stands for"):
        sb.verify_gradient(PLAIN, "v[n,k]", sb.latex_formula(r"\frac1N \delta_{nk}"))
    with pytest.raises(FormulaError, match=r"run over N and K"):
        sb.verify_gradient(PLAIN, "W[k,d]", sb.latex_formula(r"\sum_n \delta_{nk} x_{nd}"))
    declared = sb.latex_formula(r"\frac1N \delta_{nk}", {r"\delta": "kronecker"})

    assert sb.verify_gradient(PLAIN, "v[n,k]", declared).refuted


def test_deltas_over_one_range_are_kronecker_deltas() -> None:
    """A sum over a delta of one range picks an entry."""
    claim = sb.latex_formula(r"c_i \sum_n \sum_k \delta_{jk} x_{nk}")

    assert sb.verify_gradient(SQUARE, "W[i,j]", claim).proved


@pytest.mark.parametrize("delta", [r"\delta_{k y_n}", r"\delta_{k,y_n}"])
def test_deltas_that_fit_no_adjoint_are_kronecker_deltas(delta: str) -> None:
    """The adjoint of z[N,K] has no sample k, so that this is 1 at the class of the sample."""
    assert sb.verify_gradient(PICK, "z[n,k]", sb.latex_formula(rf"-\frac1N {delta}")).proved
    assert sb.verify_gradient(PICK, "z[n,k]", sb.latex_formula(rf"\frac1N {delta}")).refuted


def test_an_index_of_a_delta_that_nothing_binds_is_named() -> None:
    """Nothing says what j runs over."""
    with pytest.raises(FormulaError, match="the unknown name 'j'"):
        sb.verify_gradient(PICK, "z[n,k]", sb.latex_formula(r"-\frac1N \delta_{kj}"))


def test_deltas_that_fit_are_adjoints() -> None:
    """With indices of its own ranges delta is the adjoint that the writers print."""
    claim = sb.latex_formula(r"\sum_n \delta_{nk} x_{nd}")

    assert sb.verify_gradient(PICK, "W[k,d]", claim).proved


@pytest.mark.parametrize("claim", [r"\delta^\top x'", "X'", r"\delta' X"])
def test_primes_of_matrices_have_several_readings(claim: str) -> None:
    """A transpose, a derivative or a name: the error shows all three."""
    with pytest.raises(AmbiguousFormulaError, match="the transpose of .*a derivative of .*a name of its own"):
        sb.verify_gradient(PICK, "W", sb.latex_formula(claim))


def test_declared_primes_are_names() -> None:
    """What is declared has one meaning."""
    claim = sb.latex_formula(r"(\delta')^\top X", {r"\delta'": "adj(z)"})

    assert sb.verify_gradient(PICK, "W", claim).proved


def test_primes_of_scalars_are_no_other_scalars() -> None:
    """Without a program a capital letter with a prime, or one that stands there without it too, is doubtful."""
    for left, right in (("X'", "X"), ("x' + x", "2x"), ("x'", "x")):
        with pytest.raises(FormulaError, match=r"x'|X'"):
            sb.verify(sb.latex_formula(left), sb.latex_formula(right))


def test_sums_between_numbers_need_no_program() -> None:
    """A sum of numbers is written out, against the plain sums."""
    for text, value in ((r"\sum_{i=1}^{3} i", "6"), (r"\sum_{i=1}^4 i^2", "30"), (r"\sum_{k=2}^{3} 5", "10")):
        assert sb.verify(sb.latex_formula(text), value).proved
        assert sb.verify(sb.latex_formula(text), f"{value} + 1").refuted
    double = r"\sum_{i=1}^{2}\sum_{j=1}^{2} i j x_i"
    expected = "+".join(f"{i * j}*x_{i}" for i, j in itertools.product((1, 2), repeat=2))

    assert sb.verify(sb.latex_formula(double), expected).proved


def test_products_of_whole_matrices_without_a_form_are_refused() -> None:
    """\\otimes of vectors has two readings; of matrices it has one, which matrix expressions do not write."""
    program = sb.parse("input a[N], c[D], B[N,D]\nparam W[N,D]\nloss = sum(n, d, a[n]*W[n,d]*c[d])")

    assert sb.verify_gradient(program, "W", sb.latex_formula(r"a c^\top")).proved
    with pytest.raises(AmbiguousFormulaError, match="outer product.*Kronecker product"):
        sb.verify_gradient(program, "W", sb.latex_formula(r"a \otimes c"))
    with pytest.raises(UnsupportedError, match="claim an entry"):
        sb.verify_gradient(program, "W", sb.latex_formula(r"B \otimes W"))
    with pytest.raises(FormulaError, match="direct sum"):
        sb.verify_gradient(program, "W", sb.latex_formula(r"B \oplus W"))
    with pytest.raises(UnsupportedError, match="cases of whole matrices"):
        sb.verify_gradient(program, "W", sb.latex_formula(r"\begin{cases} B & N > 1 \\ W & N \le 1 \end{cases}"))


CASES = r"\begin{cases} 1 & %s \\ 0 & \text{else} \end{cases}"
CONDITIONS = [
    (r"\text{if } v_n > 0 \text{ or } y_n < 1", "v[n] > 0 or y[n] < 1"),
    (r"v_n > 0 \lor y_n < 1 \land y_n > v_n", "v[n] > 0 or y[n] < 1 and y[n] > v[n]"),
    (r"(v_n > 0 \lor y_n < 1) \land y_n > v_n", "(v[n] > 0 or y[n] < 1) and y[n] > v[n]"),
    (r"\text{if not } v_n > 0", None),
    (r"\text{not } v_n > 0 \text{ or } y_n > 0", "not v[n] > 0 or y[n] > 0"),
    (r"\neg (v_n > 0 \text{ or } y_n > 0)", "not (v[n] > 0 or y[n] > 0)"),
    (r"\text{if } v_n > 0 \text{ and } y_n < 1", "v[n] > 0 and y[n] < 1"),
    (r"0 < v_n \le 1", "0 < v[n] and v[n] <= 1"),
    (r"v_n \in (0, 1]", "v[n] > 0 and v[n] <= 1"),
    (r"v_n \in \left[0, y_n\right)", "v[n] >= 0 and v[n] < y[n]"),
    (r"v_n \in \{0, 1\}", "v[n] == 0 or v[n] == 1"),
    (r"v_n \in S", None),
    (r"v_n \in (0, 1, 2)", None),
    (r"v_n \in (0, 1", None),
    (r"v_n \text{ or } y_n", None),
    (r"v_n > 0 \text{ or }", None),
    (r"v_n > 0 \text{ or } \text{ and } y_n > 0", None),
    (r"v_n \neg > 0", None),
]


@pytest.mark.parametrize(("latex", "condition"), CONDITIONS)
def test_conditions_are_joined_by_words_and_signs(latex: str, condition: str | None) -> None:
    """`not` binds more tightly than `and`, and `and` more tightly than `or`; brackets hold together what they hold."""
    program = sb.parse("input v[N], y[N]\nparam w\nloss = w*sum(n, v[n])")
    if condition is None:
        with pytest.raises(sb.SymBackpropError):
            sb.latex_formula(CASES % latex).understood(program.core)
    else:
        assert f"where({condition}, 1, 0)" == sb.latex_formula(CASES % latex).understood(program.core)


@pytest.mark.parametrize("latex", [r"v_n \lor y_n", r"(v_n > 0 \lor y_n > 0)", r"v_n \in (0, 1)", r"\sum_{n \in S} v_n",
                                   r"\sum_{n \ne 2 \lor n > 3} v_n", r"x_{n \lor d}"])  # fmt: skip
def test_conditions_are_no_numbers(latex: str) -> None:
    """Where a number is expected a condition is an error."""
    program = sb.parse("input v[N], y[N], x[N,D]\nparam w\nloss = w*sum(n, v[n])")
    with pytest.raises(sb.SymBackpropError):
        sb.latex_formula(latex).understood(program.core)
