"""Derivatives by matrices as they are published: a text, the variable, the published answer.

The sources are The Matrix Cookbook (K. B. Petersen and M. S. Pedersen, version of 15 November 2012), by the numbers of
its equations, and issues of github.com/sympy/sympy on derivatives by matrices, by theirs; each number was looked up
and says what stands here. Two conventions are ours: the derivative of a scalar has the shape of the variable, as in the
Cookbook; that of a vector by a vector has the rows of the vector and the columns of the variable, where SymPy has the
transpose for some. Names are those of the source, letters that it uses twice excepted. Where a source demands a
symmetric matrix the program assumes it, and the verdict says so. `X^n` is proved for the n that is written.
"""

from __future__ import annotations

from dataclasses import dataclass

import symbackprop as sb

SQUARE = "X=N,N A=N,N B=N,N C=N,N D=N,N a=N b=N c=N"
TALL = "X=N,D A=N,N B=N,N C=N,N S=D,D a=N b=D c=D"
LINE = "x=N B=N,N a=N b=N"


@dataclass(frozen=True)
class Identity:
    """d text / d wrt = answer; `shapes` are written as on the command line."""

    source: str
    text: str
    wrt: str
    answer: str
    shapes: str
    of: str = "loss"

    def program(self) -> sb.Program:
        """The program whose derivative it gives."""
        axes = dict(part.split("=") for part in self.shapes.split())
        read = {n: s.split(",") if s else () for n, s in axes.items() if n in f"{self.text} {self.answer}"}
        return sb.matrix(self.text, read, (self.wrt,))

    def verdict(self, answer: str = "") -> sb.Verdict:
        """The verdict on the published answer, or on another one."""
        return sb.verify_gradient(self.program(), self.wrt, answer or self.answer, of=self.of)


def cookbook(number: int, text: str, wrt: str, answer: str, shapes: str = SQUARE, of: str = "loss") -> Identity:
    """An equation of the Matrix Cookbook."""
    return Identity(f"Cookbook ({number})", text, wrt, answer, shapes, of)


def sympy_issue(number: int, text: str, wrt: str, answer: str, shapes: str = SQUARE, of: str = "loss") -> Identity:
    """What an issue of SymPy asks for."""
    return Identity(f"SymPy #{number}", text, wrt, answer, shapes, of)


IDENTITIES = (
    # 2.1 Derivatives of a determinant
    cookbook(49, "det(X)", "X", "det(X)*inv(X)'"),
    cookbook(51, "det(A*X*B)", "X", "det(A*X*B)*inv(X)'"),
    cookbook(52, "det(X'*A*X)", "X", "2*det(X'*A*X)*inv(X)'"),
    cookbook(53, "assume A = A'\ndet(X'*A*X)", "X", "2*det(X'*A*X)*A*X*inv(X'*A*X)", TALL),
    cookbook(54, "det(X'*A*X)", "X", "det(X'*A*X)*(A*X*inv(X'*A*X) + A'*X*inv(X'*A'*X))", TALL),
    cookbook(55, "logdet(X'*X)", "X", "2*(inv(X'*X)*X')'", TALL),
    cookbook(57, "logdet(X)", "X", "inv(X)'"),
    cookbook(58, "det(X^3)", "X", "3*det(X^3)*inv(X)'"),
    cookbook(58, "det(X^5)", "X", "5*det(X^5)*inv(X)'"),
    # 2.2 Derivatives of an inverse
    cookbook(61, "a'*inv(X)*b", "X", "-inv(X)'*a*b'*inv(X)'"),
    cookbook(62, "det(inv(X))", "X", "-det(inv(X))*inv(X)'"),
    cookbook(63, "tr(A*inv(X)*B)", "X", "-(inv(X)*B*A*inv(X))'"),
    cookbook(64, "tr(inv(X + A))", "X", "-(inv(X + A)*inv(X + A))'"),
    # 2.4 Derivatives of matrices, vectors and scalar forms
    cookbook(69, "x'*a", "x", "a", LINE),
    cookbook(70, "a'*X*b", "X", "a*b'", TALL),
    cookbook(71, "b'*X'*a", "X", "a*b'", TALL),
    cookbook(72, "a'*X'*a", "X", "a*a'"),
    cookbook(76, "sum(X)^2", "X", "2*sum(X)*ones(N,D)", TALL),
    cookbook(77, "b'*X'*X*c", "X", "X*(b*c' + c*b')", TALL),
    cookbook(78, "(B*x + b)'*C*(D*x + d)", "x", "B'*C*(D*x + d) + D'*C'*(B*x + b)",
             "x=N B=M,N b=M C=M,K D=K,N d=K"),
    cookbook(81, "x'*B*x", "x", "(B + B')*x", LINE),
    cookbook(82, "b'*X'*A*X*c", "X", "A'*X*b*c' + A*X*c*b'", TALL),
    cookbook(83, "(X*b + a)'*A*(X*b + a)", "X", "(A + A')*(X*b + a)*b'", TALL),
    cookbook(84, "assume W = W'\n(x - A*s)'*W*(x - A*s)", "s", "-2*A'*W*(x - A*s)", "x=N A=N,D W=N,N s=D"),
    cookbook(85, "assume W = W'\n(x - s)'*W*(x - s)", "x", "2*W*(x - s)", "x=N s=N W=N,N"),
    cookbook(86, "assume W = W'\n(x - s)'*W*(x - s)", "s", "-2*W*(x - s)", "x=N s=N W=N,N"),
    cookbook(87, "assume W = W'\n(x - A*s)'*W*(x - A*s)", "x", "2*W*(x - A*s)", "x=N A=N,D W=N,N s=D"),
    cookbook(88, "assume W = W'\n(x - A*s)'*W*(x - A*s)", "A", "-2*W*(x - A*s)*s'", "x=N A=N,D W=N,N s=D"),
    cookbook(91, "a'*X^3*b", "X", "a*b'*(X^2)' + X'*a*b'*X' + (X^2)'*a*b'"),
    cookbook(93, "sin(A*x)'*B*exp(C*x)", "x",
             "(diag(cos(A*x))*A)'*B*exp(C*x) + (diag(exp(C*x))*C)'*B'*sin(A*x)", "x=N A=M,N B=M,K C=K,N"),
    cookbook(95, "(x'*A'*A*x)/(x'*B'*B*x)", "x",
             "2*A'*A*x/(x'*B'*B*x) - 2*(x'*A'*A*x)*B'*B*x/(x'*B'*B*x)^2", "x=N A=M,N B=K,N"),
    cookbook(97, "x'*A*x + b'*x", "x", "(A + A')*x + b", "x=N A=N,N b=N"),
    # 2.5 Derivatives of traces
    cookbook(99, "tr(X)", "X", "eye(N)"),
    cookbook(100, "tr(X*A)", "X", "A'", "X=N,D A=D,N"),
    cookbook(101, "tr(A*X*B)", "X", "A'*B'", "X=N,D A=M,N B=D,M"),
    cookbook(102, "tr(A*X'*B)", "X", "B*A", "X=N,D A=M,D B=N,M"),
    cookbook(103, "tr(X'*A)", "X", "A", "X=N,D A=N,D"),
    cookbook(104, "tr(A*X')", "X", "A", "X=N,D A=N,D"),
    cookbook(106, "tr(X^2)", "X", "2*X'"),
    cookbook(107, "tr(X^2*B)", "X", "(X*B + B*X)'"),
    cookbook(108, "tr(X'*B*X)", "X", "B*X + B'*X", TALL),
    cookbook(109, "tr(B*X*X')", "X", "B*X + B'*X", TALL),
    cookbook(110, "tr(X*X'*B)", "X", "B*X + B'*X", TALL),
    cookbook(111, "tr(X*S*X')", "X", "X*S' + X*S", TALL),
    cookbook(112, "tr(S*X'*X)", "X", "X*S' + X*S", TALL),
    cookbook(113, "tr(X'*X*S)", "X", "X*S' + X*S", TALL),
    cookbook(114, "tr(A*X*B*X)", "X", "A'*X'*B' + B'*X'*A'", "X=N,D A=D,N B=D,N"),
    cookbook(115, "tr(X'*X)", "X", "2*X", TALL),
    cookbook(116, "tr(B'*X'*C*X*B)", "X", "C'*X*B*B' + C*X*B*B'", "X=N,D B=D,M C=N,N"),
    cookbook(117, "tr(X'*B*X*S)", "X", "B*X*S + B'*X*S'", TALL),
    cookbook(118, "tr(A*X*B*X'*C)", "X", "A'*C'*X*B' + C*A*X*B", "X=N,D A=M,N B=D,D C=N,M"),
    cookbook(119, "tr((A*X*B + C)*(A*X*B + C)')", "X", "2*A'*(A*X*B + C)*B'", "X=N,D A=M,N B=D,K C=M,K"),
    cookbook(120, "tr(X)*tr(X)", "X", "2*tr(X)*eye(N)"),
    cookbook(121, "tr(X^5)", "X", "5*(X^4)'"),
    cookbook(122, "tr(A*X^3)", "X", "(A*X^2 + X*A*X + X^2*A)'"),
    cookbook(123, "tr(B'*X'*C*X*X'*C*X*B)", "X",
             "C*X*X'*C*X*B*B' + C'*X*B*B'*X'*C'*X + C*X*B*B'*X'*C*X + C'*X*X'*C'*X*B*B'", "X=N,D B=D,M C=N,N"),
    cookbook(124, "tr(A*inv(X)*B)", "X", "-inv(X)'*A'*B'*inv(X)'"),
    cookbook(125, "assume C = C'\ntr(inv(X'*C*X)*S)", "X", "-C*X*inv(X'*C*X)*(S + S')*inv(X'*C*X)", TALL),
    cookbook(126, "assume C = C'\nassume B = B'\ntr(inv(X'*C*X)*(X'*B*X))", "X",
             "-2*C*X*inv(X'*C*X)*X'*B*X*inv(X'*C*X) + 2*B*X*inv(X'*C*X)", TALL),
    cookbook(127, "assume C = C'\nassume B = B'\nassume S = S'\ntr(inv(S + X'*C*X)*(X'*B*X))", "X",
             "-2*C*X*inv(S + X'*C*X)*X'*B*X*inv(S + X'*C*X) + 2*B*X*inv(S + X'*C*X)", TALL),
    # 2.6 and 2.7 Derivatives of norms
    cookbook(129, "norm2(x - a)", "x", "(x - a)/norm2(x - a)", LINE),
    cookbook(130, "(x - a)/norm2(x - a)", "x",
             "eye(N)/norm2(x - a) - (x - a)*(x - a)'/norm2(x - a)^3", LINE, of="value"),
    cookbook(131, "norm2(x)^2", "x", "2*x", LINE),
    cookbook(132, "norm2(X)^2", "X", "2*X", TALL),
    # Open issues of SymPy
    sympy_issue(5858, "A*x", "x", "A", "x=N A=M,N", of="value"),
    sympy_issue(9840, "x'*H*x/2 + c'*x", "x", "(H + H')*x/2 + c", "x=N H=N,N c=N"),
    sympy_issue(15649, "det(X)", "X", "det(X)*inv(X')"),
    sympy_issue(15650, "tr(A*X^4)", "X", "(A*X^3 + X*A*X^2 + X^2*A*X + X^3*A)'"),
    sympy_issue(17972, "D = exp(A*B)\ntr(D'*D)", "A", "2*exp(A*B).*exp(A*B)*B'", "A=M,N B=N,K"),
    sympy_issue(21597, "u - W*tanh(u)", "u", "eye(N) - W*diag(1 - tanh(u).^2)", "u=N W=N,N", of="value"),
    sympy_issue(26585, "0.5*tr((A - U*V)'*(A - U*V)) + 0.5*tr(U'*U)", "U", "-(A - U*V)*V' + U", "A=N,M U=N,K V=K,M"),
    sympy_issue(28618, "log(det(A))", "A", "inv(A)'"),
    sympy_issue(28622, "det(X^2)", "X", "2*det(X^2)*inv(X)'"),
    sympy_issue(28640, "det(A^4)", "A", "4*det(A^4)*inv(A)'"),
    sympy_issue(30527, "tr(eye(N) - A)^2", "A", "-2*tr(eye(N) - A)*eye(N)"),
    # Issues of SymPy that were closed since
    sympy_issue(15136, "tr(X^2*B)", "X", "(X*B + B*X)'"),
    sympy_issue(15614, "tr(X'*A*X)", "X", "A*X + A'*X"),
    sympy_issue(16606, "w'*X*X'*w + y'*X'*w", "w", "2*X*X'*w + X*y", "w=K X=K,M y=M"),
    sympy_issue(21062, "exp(M*x)", "x", "diag(exp(M*x))*M", "M=K,N x=N", of="value"),
    sympy_issue(21347, "a = sigmoid(W*x)\n(a - y)'*(a - y)/2", "W", "((a - y).*a.*(1 - a))*x'", "W=K,N x=N y=K"),
    sympy_issue(23492, "tr(A) + tr(A^2)", "A", "eye(N) + 2*A'"),
    sympy_issue(23931, "x/tr(x'*x)", "x", "eye(N)/(x'*x) - 2*x*x'/(x'*x)^2", "x=N", of="value"),
    sympy_issue(24725, "tr((x - m*ones(N))'*(x - m*ones(N)))", "m", "-2*sum(x - m*ones(N))", "x=N m="),
    sympy_issue(25118, "tr(F'*F) - 3", "F", "2*F", "F=N,N"),
    sympy_issue(28615, "sqrt(tr(A'*A))", "A", "A/sqrt(tr(A'*A))"),
    sympy_issue(28838, "1/det(X)", "X", "-inv(X)'/det(X)"),
)  # fmt: skip
