"""What a claim needs beyond its program is said with its proof."""

from pathlib import Path

import pytest

import symbackprop as sb
from symbackprop.errors import ArgumentError

SQUARE = sb.parse("param w\nloss = w^2")
SQUARES = sb.parse("param w[K]\nloss = sum(k, w[k]^2)")


@pytest.mark.parametrize(
    ("claim", "needed"),
    [
        ("2*exp(log(w))", ("w > 0",)),
        ("2*w^2/w", ("w != 0",)),
        ("2*sqrt(w)^2", ("w >= 0",)),
        ("2*w*(1 - w)/(1 - w)", ("w != 1",)),
        ("2*w*(1 + w^2)/(1 + w^2)", ()),
        ("2*w*sigmoid(w)/sigmoid(w)", ()),
        ("where(w > 0, 2*exp(log(w)), 2*w)", ()),
        ("where(w > 0, 2*w*(w - 1)/(w - 1), 2*w)", ("w - 1 != 0 wherever w > 0",)),
    ],
)
def test_a_proof_says_what_a_claim_needs(claim: str, needed: tuple[str, ...]) -> None:
    """The domain of a claim as it was written is kept; what always holds is not listed."""
    verdict = sb.verify_gradient(SQUARE, "w", claim)
    assert verdict.proved
    assert verdict.hypotheses == needed


@pytest.mark.parametrize(
    ("claim", "needed"),
    [
        ("2*exp(log(w[k]))", ("w[k] > 0",)),
        ("2*w[k]*sum(j, w[j])/sum(j, w[j])", ("sum(j, w[j]) != 0",)),
        ("2*w[k]*sum(j, exp(w[j]))/sum(j, exp(w[j]))", ()),
    ],
)
def test_entries_of_symbolic_sizes_say_it_too(claim: str, needed: tuple[str, ...]) -> None:
    """With symbolic sizes the condition is stated for each entry."""
    verdict = sb.verify_gradient(SQUARES, "w[k]", claim)
    assert verdict.proved
    assert verdict.hypotheses == needed


def test_what_the_program_needs_goes_without_saying() -> None:
    """The program's own logarithm covers a denominator; its root covers only zero or more."""
    program = sb.parse("input y[K]\nparam p[K]\nloss = -sum(k, y[k]*log(p[k]))")
    assert sb.verify_gradient(program, "p[k]", "-y[k]/p[k]").hypotheses == ()
    weaker = sb.parse("param w\nloss = sqrt(w)^2")
    assert sb.verify_gradient(weaker, "w", "w/w").hypotheses == ("w != 0",)


HELPERS = """input x
param w
q = log(x)
r = x/x
s = log(w)*0 + r
loss = w*x
"""


@pytest.mark.parametrize(("claim", "needed"), [
    ("d loss / d w = x", ()),
    ("d loss / d w = exp(log(x))", ("x > 0",)),
    ("d loss / d w = x*r", ("x != 0",)),
    ("d loss / d w = x*s", ("x != 0", "w > 0")),
    ("exp(q) = x", ("x > 0",)),
    ("d q / d x = 1/x", ()),
])  # fmt: skip
def test_what_helper_lines_need_is_said_by_who_reads_them(claim: str, needed: tuple[str, ...], tmp_path: Path) -> None:
    """Only the loss, and what is derived, go without saying; a helper line that a claim does not read says nothing."""
    path = tmp_path / "a.md"
    path.write_text(f"```symbackprop\n{HELPERS}claim {claim}\n```\n", encoding="utf-8")
    ((_, verdict),) = sb.check_document(path)

    assert verdict.proved
    assert verdict.hypotheses == needed


def test_what_follows_from_an_assumption_names_the_assumption() -> None:
    """A root that is positive as eps is needs eps > 0, and is not a condition of its own."""
    program = sb.parse("param w, eps\ns = sqrt(w^2 + eps)\nloss = w^2\nassume eps > 0")
    verdict = sb.verify_gradient(program, "w", "2*w*s/s")
    assert verdict.proved
    assert verdict.hypotheses == ("eps > 0",)
    norm = sb.parse("param w[D], eps\ns = sqrt(mean(d, w[d]^2) + eps)\nloss = sum(d, w[d]^2)\nassume eps > 0")
    assert sb.verify_gradient(norm, "w[d]", "2*w[d]*s/s").hypotheses == ("eps > 0",)
    assert sb.verify_gradient(norm, "w[d]", "2*w[d]*(D - 9)/(D - 9)").hypotheses != ()


@pytest.mark.parametrize(
    ("claim", "needed"),
    [("w = exp(log(w))", "w > 0"), ("sqrt(w)^2 = w", "w >= 0"), ("1/(1/w) = w", "w != 0")],
)
def test_documents_say_it(tmp_path: Path, claim: str, needed: str) -> None:
    """Claims in documents keep their domain."""
    path = tmp_path / "claim.md"
    path.write_text(f"```symbackprop\nparam w\nloss = w^2\nclaim {claim}\n```\n", encoding="utf-8")
    ((_, verdict),) = sb.check_document(path)
    assert verdict.proved
    assert needed in verdict.hypotheses


def test_no_condition_is_said_twice_or_in_vain() -> None:
    """Scalar verdicts list each condition once, and none that always holds."""
    assert sb.verify("log(sigmoid(x)/(1 - sigmoid(x)))", "x").hypotheses == ()
    assert sb.verify("sqrt(1/x)", "1/sqrt(x)").hypotheses == ("x > 0",)


@pytest.mark.parametrize(
    ("derivative", "value", "needed", "mistake"),
    [
        (r"\frac{d}{dx} \ln x", r"\frac1x", ("x > 0",), r"\frac2x"),
        (r"\frac{d}{dx} \sqrt{x}", r"\frac{1}{2\sqrt x}", ("x > 0",), r"\frac{1}{\sqrt x}"),
        (r"\frac{d}{dx} \ln |x|", r"\frac1x", ("x != 0",), r"\frac1{|x|}"),
        (r"\frac{d}{dx} x^a", r"a x^{a-1}", ("x > 0",), r"x^{a-1}"),
        (r"\frac{d}{dx} \frac{x}{1+x}", r"\frac1{(1+x)^2}", ("x != -1",), r"\frac1{1+x}"),
        (r"\frac{d}{dx} \tan x", r"1 + \tan^2 x", ("cos(x) != 0",), r"\tan^2 x"),
        (r"\frac{d}{dx} |x|", r"\frac{x}{|x|}", ("x != 0",), r"1"),
        (r"\frac{d^2}{dx^2} \ln x", r"-\frac1{x^2}", ("x > 0",), r"\frac1{x^2}"),
        (r"\left.\frac{d}{dx} \ln x\right|_{x=a}", r"\frac1a", ("a > 0",), r"a"),
        (r"\frac{d}{dx} x^3", r"3x^2", (), r"2x^2"),
    ],
)
def test_a_derivative_has_a_value_where_what_is_derived_has_one(
    tmp_path: Path, derivative: str, value: str, needed: tuple[str, ...], mistake: str
) -> None:
    """The derivative of ln x is 1/x for x > 0, not wherever 1/x has a value; a mistake is refuted at such a point."""
    program = "```symbackprop\nparam x, a\nloss = x^2*a^2\n```\n"
    path = tmp_path / "claim.md"
    for claimed, status in ((value, "proved"), (mistake, "refuted")):
        text = f"{program}\n<!-- sb: claim -->\n$$ {derivative} = {claimed} $$\n"
        path.write_text(text, encoding="utf-8")
        ((_, verdict),) = sb.check_document(path)
        assert verdict.status == status
        scalar = sb.verify(sb.latex_formula(derivative), sb.latex_formula(claimed))
        assert scalar.status == status
        if status == "proved":
            assert scalar.hypotheses == needed
            assert verdict.hypotheses == needed


OUTSIDE = [
    ("param w\nloss = w^2", "exp(log(w)) = where(w > 0, w, 5)", "w > 0"),
    ("param w\nloss = w^2", "w/w = where(w == 0, 5, 1)", "w != 0"),
    ("param w\nloss = w^2", "sqrt(w)^2 = abs(w)", "w >= 0"),
    ("param w\nloss = log(w)", "d loss / d w = where(w > 0, 1/w, 7)", "w > 0"),
    ("param w\nloss = sqrt(w)^2", "d loss / d w = where(w > 0, 1, 7)", "w > 0"),
    ("param w\nu = sqrt(w)\nloss = u^2", "d loss / d w = where(w >= 0, 1, 7)", "w > 0"),
    ("param w[2]\nloss = sum(k, exp(log(w[k])))", "d loss / d w[k] = where(w[k] > 0, 1, 7)", "w[2] > 0"),
]


@pytest.mark.parametrize(("program", "claim", "needed"), OUTSIDE)
def test_no_point_without_a_value_refutes(tmp_path: Path, program: str, claim: str, needed: str) -> None:
    """Where a side as it was written, or what is derived, has no value, no counterexample is found."""
    path = tmp_path / "claim.md"
    path.write_text(f"```symbackprop\n{program}\nclaim {claim}\n```\n", encoding="utf-8")
    ((_, verdict),) = sb.check_document(path)
    assert verdict.proved
    assert any(text.startswith(needed) for text in verdict.hypotheses)


@pytest.mark.parametrize(("program", "claim", "needed"), OUTSIDE)
def test_points_with_a_value_still_refute(tmp_path: Path, program: str, claim: str, needed: str) -> None:
    """The same claims with a mistake inside of the domain are refuted at a point of it."""
    head, _, value = claim.partition(" = ")
    path = tmp_path / "claim.md"
    path.write_text(f"```symbackprop\n{program}\nclaim {head} = 2 + {value}\n```\n", encoding="utf-8")
    ((_, verdict),) = sb.check_document(path)
    assert verdict.refuted
    assert verdict.witness is not None
    assert all(value > 0 or (value < 0 and "!=" in needed) for _, value in verdict.witness.point)


@pytest.mark.parametrize(
    ("left", "right", "needed"),
    [
        ("1/(1/x)", "where(x == 0, 5, x)", ("x != 0",)),
        ("sqrt(x)^2", "abs(x)", ("x >= 0",)),
        ("exp(log(x))", "relu(x)", ("x > 0",)),
    ],
)
def test_scalars_have_the_domain_of_their_text(left: str, right: str, needed: tuple[str, ...]) -> None:
    """SymPy makes x of 1/(1/x), which has no value at 0."""
    verdict = sb.verify(left, right)
    assert verdict.proved
    assert verdict.hypotheses == needed
    assert sb.verify(left, f"2 + {right}").refuted


@pytest.mark.parametrize(("left", "right"), [("sqrt(x)^2", "where(x > 0, x, 7)"), ("sqrt(x)*0", "where(x > 0, 0, 1)")])
def test_the_end_of_a_domain_belongs_to_it(left: str, right: str) -> None:
    """A root of 0 is 0: what is claimed there was left out, as if 0 were negative."""
    verdict = sb.verify(left, right)
    assert verdict.refuted
    assert verdict.witness is not None
    assert verdict.witness.point == (("x", 0),)


def test_agreeing_elsewhere_is_said_only_where_it_is_proved() -> None:
    """At z = (0, -1) the sides differ too: words about other points than those where z[1] = 0 are wrong."""
    program = sb.parse("param z[2]\na[i] = maximum(0, z[i])\nloss = (a[1] + a[2] - 1)^2")
    verdict = sb.verify_gradient(program, "z[1]", "adj(a[1])*where(z[1] > 0, 1, 0)")
    assert verdict.refuted
    assert verdict.diagnosis == "the sides agree except where z[1] = 0"
    assert "agree except where x = 0" in sb.verify("where(x > 0, 1, 0)", "where(x >= 0, 1, 0)").diagnosis


def test_arguments_of_another_type_are_named() -> None:
    """A mistaken type is an ArgumentError, and one assumption needs no tuple."""
    with pytest.raises(ArgumentError, match="in a Program"):
        sb.verify_gradient("param w\nloss = w^2", "w", "2*w")  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="given as text"):
        sb.verify_gradient(SQUARE, 3, "2*w")  # type: ignore[arg-type]
    assert sb.verify("sqrt(x)^2", "x", assume="x > 0").proved


@pytest.mark.parametrize("opening", ["\ufeff```symbackprop", "``` {.symbackprop}", "```Symbackprop"])
def test_fences_are_found_however_they_are_written(tmp_path: Path, opening: str) -> None:
    """A mark of byte order, attributes in braces and capitals do not hide a fence."""
    path = tmp_path / "claim.md"
    path.write_text(f"{opening}\nparam w\nloss = w^2\nclaim d loss/d w = 2*w\n```\n", encoding="utf-8")
    assert [verdict.status for _, verdict in sb.check_document(path)] == ["proved"]


def test_what_would_exclude_a_point_is_said_of_all_entries() -> None:
    """The logarithm of a square is twice that of the number where all of them are positive."""
    claim = "2*sum(d, log(v[d]))"
    program = sb.parse("param v[D], c\nfirst = sum(d, log(v[d]^2))\nloss = c*first")
    undecided = sb.verify_gradient(program, "c", claim)
    assert undecided.undecided
    assert "assume v[d] > 0 to exclude this" in undecided.reason
    assumed = sb.parse("param v[D], c\nassume v[d] > 0\nfirst = sum(d, log(v[d]^2))\nloss = c*first")
    assert sb.verify_gradient(assumed, "c", claim).proved


MATRICES = """input y[N], Z[D,E]
param A[D,D], B[D,D], V[2,2], x[D]
k = det(A)
"""


@pytest.mark.parametrize(("claim", "needed"), [
    (r"V V^{-1} = I", ("det(V) != 0",)),
    (r"A^{-1} A x = x", ("det(A) != 0",)),
    (r"\frac{\partial k}{\partial A} = \det(A) (A^{-1})^\top", ("det(A) != 0",)),
    (r"\frac{\partial k}{\partial A_{ij}} = \det(A) (A^{-1})_{ji}", ("det(A) != 0",)),
    (r"(AB)^{-1} = B^{-1} A^{-1}", ("det(A) != 0", "det(B) != 0")),
    (r"\det(A^{-1}) \det(A) = 1", ("det(A) != 0",)),
    (r"\det(A)^{-1} = \det(A^{-1})", ("det(A) != 0",)),
    (r"(AA^\top)^{-1} A = (A^\top)^{-1}", ("det(A) != 0",)),
    (r"\log|\det B| = \log|\det B^\top|", ("det(B) != 0",)),
    (r"\det(Z Z^\top)^{-1} \det(Z Z^\top) = 1", ("det(Z*Z') != 0",)),
    (r"\det(AB) = \det(A) \det(B)", ()),
])  # fmt: skip
def test_an_inverse_needs_a_determinant(claim: str, needed: tuple[str, ...], tmp_path: Path) -> None:
    """An inverse that a claim writes has a value where the determinant is not 0."""
    path = tmp_path / "a.md"
    path.write_text(f"~~~symbackprop\n{MATRICES}~~~\n<!-- sb: claim -->\n$${claim}$$\n", encoding="utf-8")
    ((_, verdict),) = sb.check_document(path)

    assert verdict.proved
    assert verdict.hypotheses == needed


@pytest.mark.parametrize(("claim", "needed"), [
    ("inv(A)'", ()),
    ("inv(A)'*inv(B)*B", ("det(B) != 0",)),
    ("inv(A)'*inv(B*A)*B*A", ("det(B) != 0",)),
])  # fmt: skip
def test_the_inverse_of_the_loss_goes_without_saying(claim: str, needed: tuple[str, ...]) -> None:
    """Where the loss needs the inverse itself, what is said is what a claim needs beyond it."""
    program = sb.parse("param A[N,N]\ninput B[N,N]\nloss = logdet(A)")
    assert sb.verify_gradient(program, "A", claim).hypotheses == needed
    solved = sb.parse("param A[N,N]\ninput b[N]\nv[i] = solve(A, b)[i]\nloss = sum(i, v[i]*b[i])")
    assert sb.verify_gradient(solved, "A", "-inv(A)'*b*v'").hypotheses == ()


def test_an_assumed_determinant_is_named_as_it_was_assumed() -> None:
    """Where a program assumes that a determinant is positive, the assumption is what a proof names."""
    program = sb.parse("param A[N,N]\nd = det(A)\nloss = sum(i, j, A[i,j]^2)\nassume d > 0")
    assert sb.verify_gradient(program, "A", "2*inv(A)*A*A").hypotheses == ("d > 0",)


def test_matrices_written_out_need_it_too() -> None:
    """The determinant of a matrix that is written out is a condition on its entries."""
    matrix = r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}"
    identity = r"\begin{pmatrix} 1 & 0 \\ 0 & 1 \end{pmatrix}"
    verdict = sb.verify(sb.latex_formula(f"{matrix} {matrix}^{{-1}}"), sb.latex_formula(identity))
    assert verdict.proved
    assert verdict.hypotheses == ("a*d != b*c",)
