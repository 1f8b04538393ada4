"""Matrix calculus as it is published, proved for all sizes; wrong answers are refuted."""

from __future__ import annotations

import pytest
from published_derivatives import IDENTITIES, LINE, SQUARE, TALL, Identity, cookbook, sympy_issue

import symbackprop as sb


@pytest.mark.parametrize("identity", IDENTITIES, ids=lambda i: f"{i.source}-{i.wrt}")
def test_published_derivative_is_proved_for_all_sizes(identity: Identity) -> None:
    """The chain rule gives the published answer, whatever the sizes are."""
    verdict = identity.verdict()

    assert verdict.proved, str(verdict)
    assert verdict.for_all_sizes, str(verdict)


@pytest.mark.parametrize("identity", [i for i in IDENTITIES if "assume" in i.text], ids=lambda i: i.source)
def test_symmetry_that_a_source_demands_is_named_and_needed(identity: Identity) -> None:
    """Every assumption is a hypothesis of the proof, and without it the answer is refuted."""
    *assumed, text = identity.text.split("\n")
    verdict = identity.verdict()
    bare = Identity(identity.source, text, identity.wrt, identity.answer, identity.shapes, identity.of).verdict()

    assert len(verdict.hypotheses) >= len(assumed), verdict.hypotheses
    assert bare.refuted, str(bare)


def test_hessian_of_a_quadratic_form() -> None:
    """Cookbook (98): the derivative of the gradient of x'Ax + b'x is A + A'."""
    program = sb.matrix("x'*A*x + b'*x", {"x": ("N",), "A": ("N", "N"), "b": ("N",)}, ("x",))
    gradient = sb.derive(program)["x"].name

    assert sb.verify_gradient(sb.derive(program).program, "x", "A + A'", of=gradient).proved


def test_misprint_in_the_cookbook_is_refuted() -> None:
    """Cookbook (92): the first summand under the sum is printed as its transpose; as n = 1 shows against (77)."""
    text = "a'*(X^2)'*X^2*b"
    printed = "X*a*b'*(X^2)' + a*b'*(X^2)'*X + X^2*a*b'*X' + X'*X^2*a*b'"
    right = "X^2*b*a'*X' + X'*X^2*b*a' + X^2*a*b'*X' + X'*X^2*a*b'"

    assert cookbook(92, text, "X", printed).verdict().refuted
    assert cookbook(92, text, "X", right).verdict().proved


WRONG = (
    ("transposed", cookbook(101, "tr(A*X*B)", "X", "(A'*B')'")),
    ("transposed", cookbook(106, "tr(X^2)", "X", "2*X")),
    ("transposed", cookbook(57, "logdet(X)", "X", "inv(X)")),
    ("transposed", cookbook(61, "a'*inv(X)*b", "X", "-inv(X)*a*b'*inv(X)")),
    ("sign", cookbook(61, "a'*inv(X)*b", "X", "inv(X)'*a*b'*inv(X)'")),
    ("sign", cookbook(62, "det(inv(X))", "X", "det(inv(X))*inv(X)'")),
    ("sign", cookbook(86, "assume W = W'\n(x - s)'*W*(x - s)", "s", "2*W*(x - s)", "x=N s=N W=N,N")),
    ("factor", cookbook(132, "norm2(X)^2", "X", "X", TALL)),
    ("factor", cookbook(52, "det(X'*A*X)", "X", "det(X'*A*X)*inv(X)'")),
    ("factor", cookbook(58, "det(X^3)", "X", "det(X^3)*inv(X)'")),
    ("factor", cookbook(120, "tr(X)*tr(X)", "X", "tr(X)*eye(N)")),
    ("half", cookbook(81, "x'*B*x", "x", "2*B*x", LINE)),
    ("half", cookbook(108, "tr(X'*B*X)", "X", "2*B*X", TALL)),
    ("half", cookbook(54, "det(X'*A*X)", "X", "2*det(X'*A*X)*A*X*inv(X'*A*X)", TALL)),
    ("order", cookbook(107, "tr(X^2*B)", "X", "2*X'*B'")),
    ("order", cookbook(122, "tr(A*X^3)", "X", "3*(X^2*A)'")),
    ("order", cookbook(51, "det(A*X*B)", "X", "det(A*X*B)*A'*inv(X)'*B'")),
    ("norm", cookbook(129, "norm2(x - a)", "x", "x - a", LINE)),
    ("elementwise", sympy_issue(21597, "u - W*tanh(u)", "u", "eye(N) - diag(1 - tanh(u).^2)*W", "u=N W=N,N", "value")),
    ("zero", sympy_issue(26585, "tr(A'*A) + tr(B'*B)", "A", "0")),
)  # fmt: skip


@pytest.mark.parametrize("identity", [w for _, w in WRONG], ids=[f"{k}-{w.source}" for k, w in WRONG])
def test_wrong_answer_is_refuted(identity: Identity) -> None:
    """A transpose too many or too few, a wrong sign or factor, the order of factors: each has a counterexample."""
    verdict = identity.verdict()

    assert verdict.refuted, str(verdict)
    assert verdict.witness is not None


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("a'*inv(2*X)*b", "-inv(X)'*a*b'*inv(X)'/2"),
        ("a'*inv(c*X)*b", "-inv(X)'*a*b'*inv(X)'/c"),
        ("a'*inv(-X')*b", "inv(X)'*b*a'*inv(X)'"),
        ("a'*inv(A*inv(X)*B)*b", "inv(B)'*a*b'*inv(A)'"),
        ("det(inv(A)*X)", "det(X)/det(A)*inv(X)'"),
        ("logdet(A*X) - logdet(X*A)", "0"),
        ("sum(X*inv(X))", "0"),
        ("a'*inv(inv(X) + A)*b", "inv(X)'*inv(inv(X) + A)'*a*b'*inv(inv(X) + A)'*inv(X)'"),
        ("a'*X*inv(A + A')*b", "a*b'*inv(A' + A)"),
    ],
)
def test_inverses_and_determinants_of_products_are_known_by_their_factors(text: str, answer: str) -> None:
    """A scalar, a transpose, an inverse inside another, a matrix that is symmetric by the way it is made."""
    shapes = f"{SQUARE.rsplit(' ', 1)[0]} c="
    verdict = Identity("", text, "X", answer, shapes).verdict()

    assert verdict.proved, str(verdict)
    assert verdict.for_all_sizes, str(verdict)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("a'*inv(2*X)*b", "-inv(X)'*a*b'*inv(X)'"),
        ("a'*inv(A*X)*b", "-inv(X)'*inv(A)'*a*b'*inv(X)'"),
        ("det(A*X)", "det(X)*inv(X)'"),
        ("a'*inv(X + A)*b", "-inv(X)'*a*b'*inv(X)'"),
    ],
)
def test_false_laws_of_inverses_are_refuted(text: str, wrong: str) -> None:
    """What does not hold has a counterexample."""
    assert Identity("", text, "X", wrong, SQUARE).verdict().refuted


@pytest.mark.parametrize(
    ("claim", "status"),
    [
        ("(eye(D) - p*ones(D)')*diag(p)", "proved"),
        ("diag(p)*(eye(D) - ones(D)*p')", "proved"),
        ("(eye(D) - p*ones(D)')*eye(D)*diag(p)", "proved"),
        ("(eye(D) - ones(D)*p')*diag(p)", "refuted"),
    ],
)
def test_sums_with_an_identity_times_a_diagonal_matrix(claim: str, status: str) -> None:
    """The addend of two diagonal matrices has its entries on the diagonal."""
    softmax = sb.parse("param w[D]\np[i] = exp(w[i])/sum(j, exp(w[j]))\nloss = sum(d, p[d]^2)/2")

    assert sb.verify_gradient(softmax, "w", claim, of="p").status == status
