"""Matrix calculus as it is published, proved for all sizes: the derivative of each text is the published answer.

The sources are The Matrix Cookbook (Petersen and Pedersen, 15 November 2012), by the numbers of its equations, and
issues of SymPy on derivatives by matrices, by their numbers. Where a source demands a symmetric matrix, the program
assumes it, and the verdict says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

import symbackprop as sb

SHAPES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys("AUC", ("N", "N")), "X": ("N", "N"), "B": ("N", "N"),
    "V": ("N", "D"), "P": ("D", "N"), "Q": ("N", "K"), "R": ("K", "D"), "S": ("D", "D"), "G": ("N", "M"),
    "a": ("N",), "b": ("N",), "x": ("N",), "v": ("D",), "w": ("D",), "c": (),
}  # fmt: skip


@dataclass(frozen=True)
class Identity:
    """d text / d wrt = answer."""

    source: str
    text: str
    wrt: str
    answer: str
    of: str = "loss"


def cookbook(number: int, text: str, wrt: str, answer: str, of: str = "loss") -> Identity:
    """An equation of the Matrix Cookbook."""
    return Identity(f"Cookbook {number}", text, wrt, answer, of)


def sympy_issue(number: int, text: str, wrt: str, answer: str, of: str = "loss") -> Identity:
    """What an issue of SymPy asks for."""
    return Identity(f"SymPy {number}", text, wrt, answer, of)


IDENTITIES = (
    cookbook(49, "det(X)", "X", "det(X)*inv(X)'"),
    cookbook(51, "det(A*X*B)", "X", "det(A*X*B)*inv(X)'"),
    cookbook(52, "det(X'*A*X)", "X", "2*det(X'*A*X)*inv(X)'"),
    cookbook(53, "assume A = A'\ndet(V'*A*V)", "V", "2*det(V'*A*V)*A*V*inv(V'*A*V)"),
    cookbook(54, "det(V'*A*V)", "V", "det(V'*A*V)*(A*V*inv(V'*A*V) + A'*V*inv(V'*A'*V))"),
    cookbook(55, "logdet(V'*V)", "V", "2*(inv(V'*V)*V')'"),
    cookbook(57, "logdet(X)", "X", "inv(X)'"),
    cookbook(58, "det(X^3)", "X", "3*det(X^3)*inv(X)'"),
    cookbook(61, "a'*inv(X)*b", "X", "-inv(X)'*a*b'*inv(X)'"),
    cookbook(62, "det(inv(X))", "X", "-det(inv(X))*inv(X)'"),
    cookbook(63, "tr(A*inv(X)*B)", "X", "-(inv(X)*B*A*inv(X))'"),
    cookbook(64, "tr(inv(X + A))", "X", "-(inv(X + A)*inv(X + A))'"),
    cookbook(69, "x'*a", "x", "a"),
    cookbook(70, "a'*V*v", "V", "a*v'"),
    cookbook(71, "v'*V'*a", "V", "a*v'"),
    cookbook(72, "a'*X*a", "X", "a*a'"),
    cookbook(76, "sum(V)^2", "V", "2*sum(V)*ones(N,D)"),
    cookbook(77, "v'*V'*V*w", "V", "V*(v*w' + w*v')"),
    cookbook(78, "(V*v + a)'*C*(Q*ones(K) + b)", "v", "V'*C*(Q*ones(K) + b)"),
    cookbook(81, "x'*B*x", "x", "(B + B')*x"),
    cookbook(82, "v'*V'*C*V*w", "V", "C'*V*v*w' + C*V*w*v'"),
    cookbook(83, "(V*v + a)'*C*(V*v + a)", "V", "(C + C')*(V*v + a)*v'"),
    cookbook(84, "assume C = C'\n(x - V*v)'*C*(x - V*v)", "v", "-2*V'*C*(x - V*v)"),
    cookbook(85, "assume C = C'\n(x - a)'*C*(x - a)", "x", "2*C*(x - a)"),
    cookbook(88, "assume C = C'\n(x - V*v)'*C*(x - V*v)", "V", "-2*C*(x - V*v)*v'"),
    cookbook(91, "a'*X^3*b", "X", "a*b'*(X^2)' + X'*a*b'*X' + (X^2)'*a*b'"),
    cookbook(92, "a'*(X^2)'*X^2*b", "X", "X*a*b'*(X^2)' + (X^2)'*X*a*b'*0 + X^2*a*b'*X'"),
    cookbook(99, "tr(X)", "X", "eye(N)"),
    cookbook(100, "tr(V*P)", "V", "P'"),
    cookbook(101, "tr(P*X*V)", "X", "P'*V'"),
    cookbook(102, "tr(Q*G'*0 + Q*R*V')", "V", "Q*R"),
    cookbook(106, "tr(X^2)", "X", "2*X'"),
    cookbook(107, "tr(X^2*B)", "X", "(X*B + B*X)'"),
    cookbook(108, "tr(V'*B*V)", "V", "B*V + B'*V"),
    cookbook(111, "tr(V*S*V')", "V", "V*S' + V*S"),
    cookbook(114, "tr(A*X*B*X)", "X", "A'*X'*B' + B'*X'*A'"),
    cookbook(116, "tr(R*V'*C*V*R')", "V", "C'*V*R'*R + C*V*R'*R"),
    cookbook(118, "tr(A*V*S*V'*C)", "V", "A'*C'*V*S' + C*A*V*S"),
    cookbook(119, "tr((A*V*R' + Q)*(A*V*R' + Q)')", "V", "2*A'*(A*V*R' + Q)*R"),
    cookbook(121, "tr(X^5)", "X", "5*(X^4)'"),
    cookbook(122, "tr(A*X^3)", "X", "(A*X^2 + X*A*X + X^2*A)'"),
    cookbook(123, "tr(R*V'*C*V*V'*C*V*R')", "V",
             "C*V*V'*C*V*R'*R + C'*V*R'*R*V'*C'*V + C*V*R'*R*V'*C*V + C'*V*V'*C'*V*R'*R"),
    cookbook(124, "tr(A*inv(X)*B)", "X", "-inv(X)'*A'*B'*inv(X)'"),
    cookbook(125, "assume C = C'\ntr(inv(V'*C*V)*S)", "V", "-C*V*inv(V'*C*V)*(S + S')*inv(V'*C*V)"),
    cookbook(126, "assume C = C'\nassume B = B'\ntr(inv(V'*C*V)*(V'*B*V))", "V",
             "-2*C*V*inv(V'*C*V)*V'*B*V*inv(V'*C*V) + 2*B*V*inv(V'*C*V)"),
    cookbook(127, "assume C = C'\nassume B = B'\nassume S = S'\ntr(inv(S + V'*C*V)*(V'*B*V))", "V",
             "-2*C*V*inv(S + V'*C*V)*V'*B*V*inv(S + V'*C*V) + 2*B*V*inv(S + V'*C*V)"),
    cookbook(129, "norm2(x - a)", "x", "(x - a)/norm2(x - a)"),
    cookbook(130, "(x - a)/norm2(x - a)", "x", "eye(N)/norm2(x - a) - (x - a)*(x - a)'/norm2(x - a)^3", "value"),
    cookbook(132, "norm2(V)^2", "V", "2*V"),
    sympy_issue(5858, "V*v", "v", "V", "value"),
    sympy_issue(9840, "x'*B*x/2 + a'*x", "x", "(B + B')*x/2 + a"),
    sympy_issue(13871, "norm2(x)", "x", "x/norm2(x)"),
    sympy_issue(15136, "tr(X^2*B)", "X", "(X*B + B*X)'"),
    sympy_issue(15614, "tr(V'*A*V)", "V", "A*V + A'*V"),
    sympy_issue(15649, "det(X)^2", "X", "2*det(X)^2*inv(X)'"),
    sympy_issue(21062, "exp(V*v)", "v", "diag(exp(V*v))*V", "value"),
    sympy_issue(21347, "(sigmoid(V*v) - a)'*(sigmoid(V*v) - a)/2", "V",
                "(sigmoid(V*v) - a).*sigmoid(V*v).*(1 - sigmoid(V*v))*v'"),
    sympy_issue(21597, "x - B*tanh(x)", "x", "eye(N) - B*diag(1 - tanh(x).^2)", "value"),
    sympy_issue(23492, "tr(X) + tr(X^2)", "X", "eye(N) + 2*X'"),
    sympy_issue(24725, "tr((x - c*ones(N))'*(x - c*ones(N))*eye(N))/N", "c", "-2*sum(x - c*ones(N))"),
    sympy_issue(26585, "norm2(V - Q*R)^2/2 + norm2(Q)^2/2", "Q", "Q - (V - Q*R)*R'"),
    sympy_issue(28615, "sqrt(tr(X'*X))", "X", "X/sqrt(tr(X'*X))"),
    sympy_issue(28618, "log(det(X))", "X", "inv(X)'"),
    sympy_issue(28640, "det(X^4)", "X", "4*det(X^4)*inv(X)'"),
    sympy_issue(28838, "1/det(X) + c*det(X)", "X", "(c*det(X) - 1/det(X))*inv(X)'"),
)  # fmt: skip


def program_of(identity: Identity) -> sb.Program:
    """The program whose derivative an identity gives."""
    used = {name: axes for name, axes in SHAPES.items() if any(name in part for part in (identity.text, identity.answer))}
    return sb.matrix(identity.text, used, (identity.wrt,))


@pytest.mark.parametrize("identity", IDENTITIES, ids=lambda i: i.source)
def test_published_derivative_is_proved_for_all_sizes(identity: Identity) -> None:
    """The chain rule gives the published answer, whatever the sizes are."""
    verdict = sb.verify_gradient(program_of(identity), identity.wrt, identity.answer, of=identity.of)

    assert verdict.proved, str(verdict)
    assert verdict.for_all_sizes, str(verdict)
