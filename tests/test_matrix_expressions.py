"""Matrix expressions as they are typed: every operator and function against JAX, to second order; shapes; texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import symbackprop as sb
from symbackprop.calculus.axioms import AXIOMS

jax.config.update("jax_enable_x64", True)

SHAPES = {
    "X": ("N", "D"), "Z": ("N", "D"), "A": ("N", "N"), "B": ("N", "N"), "W": ("D", "K"), "x": ("N",), "y": ("N",),
    "w": ("D",), "b": ("D",), "c": (),
}  # fmt: skip
SIZES = {"N": 4, "D": 3, "K": 2}


@dataclass(frozen=True)
class Case:
    """A text, the variable, and the same in JAX, of arrays by name."""

    text: str
    wrt: str
    oracle: Callable[..., jax.Array]


def norm(u: jax.Array) -> jax.Array:
    return jnp.sqrt(jnp.sum(u**2))


def sigmoid(u: jax.Array) -> jax.Array:
    return 1 / (1 + jnp.exp(-u))


CASES = (
    Case("sum(A*X)", "X", lambda A, X: jnp.sum(A @ X)),
    Case("x'*A*y", "x", lambda x, A, y: x @ A @ y),
    Case("norm2(x*w')^2", "w", lambda x, w: jnp.sum(jnp.outer(x, w) ** 2)),
    Case("sum((X.*Z).^3)", "X", lambda X, Z: jnp.sum((X * Z) ** 3)),
    Case("sum(X./Z)", "Z", lambda X, Z: jnp.sum(X / Z)),
    Case("sum((x.*y)./(1 + y.^2))", "y", lambda x, y: jnp.sum(x * y / (1 + y**2))),
    Case("sum((A^3)*x)", "A", lambda A, x: jnp.sum(jnp.linalg.matrix_power(A, 3) @ x)),
    Case("tr(A^-2)", "A", lambda A: jnp.trace(jnp.linalg.matrix_power(jnp.linalg.inv(A), 2))),
    Case("(x'*y)^2 + c^3", "x", lambda x, y, c: (x @ y) ** 2 + c**3),
    Case("sum(sum(X, 1).^2)", "X", lambda X: jnp.sum(jnp.sum(X, 0) ** 2)),
    Case("sum(sum(X, 2).^3)", "X", lambda X: jnp.sum(jnp.sum(X, 1) ** 3)),
    Case("sum(X)^2", "X", lambda X: jnp.sum(X) ** 2),
    Case("tr(A*B*A)", "A", lambda A, B: jnp.trace(A @ B @ A)),
    Case("det(A)", "A", lambda A: jnp.linalg.det(A)),
    Case("det(A*B) + det(A')", "A", lambda A, B: jnp.linalg.det(A @ B) + jnp.linalg.det(A.T)),
    Case("logdet(A)", "A", lambda A: jnp.linalg.slogdet(A)[1]),
    Case("logdet(X'*A*X + eye(D))", "X", lambda X, A: jnp.linalg.slogdet(X.T @ A @ X + jnp.eye(3))[1]),
    Case("x'*inv(A)*y", "A", lambda x, A, y: x @ jnp.linalg.inv(A) @ y),
    Case("sum(inv(A + A').*B)", "A", lambda A, B: jnp.sum(jnp.linalg.inv(A + A.T) * B)),
    Case("norm2(solve(A, x))^2", "A", lambda A, x: jnp.sum(jnp.linalg.solve(A, x) ** 2)),
    Case("norm2(solve(A, X) - Z)^2", "X", lambda A, X, Z: jnp.sum((jnp.linalg.solve(A, X) - Z) ** 2)),
    Case("norm1(X - Z)", "X", lambda X, Z: jnp.sum(jnp.abs(X - Z))),
    Case("norm1(x)*norm2(x)", "x", lambda x: jnp.sum(jnp.abs(x)) * norm(x)),
    Case("norm2(X - Z)", "X", lambda X, Z: norm(X - Z)),
    Case("norm2(A*x - y)^2/2 + c*norm2(x)^2", "x", lambda A, x, y, c: norm(A @ x - y) ** 2 / 2 + c * norm(x) ** 2),
    Case("x'*diag(y)*A*y", "y", lambda x, y, A: x @ jnp.diag(y) @ A @ y),
    Case("sum(diag(A).^2)", "A", lambda A: jnp.sum(jnp.diag(A) ** 2)),
    Case("norm2(diag(x)*A*diag(y))^2", "x", lambda x, A, y: jnp.sum((jnp.diag(x) @ A @ jnp.diag(y)) ** 2)),
    Case("sum((A + c*eye(N))*x)", "c", lambda A, c, x: jnp.sum((A + c * jnp.eye(4)) @ x)),
    Case("norm2(X + ones(N)*b')^2", "b", lambda X, b: jnp.sum((X + b) ** 2)),
    Case("sum(X.*ones(N,D))", "X", lambda X: jnp.sum(X)),
    Case("norm2(X*W + ones(N,K))^2", "W", lambda X, W: jnp.sum((X @ W + 1) ** 2)),
    Case("y'*log(sigmoid(X*w))", "w", lambda y, X, w: y @ jnp.log(sigmoid(X @ w))),
    Case("c*(y'*tanh(X*w))", "w", lambda c, y, X, w: c * (y @ jnp.tanh(X @ w))),
    Case("sum(softplus(X*w)) - y'*X*w", "w", lambda X, w, y: jnp.sum(jnp.log1p(jnp.exp(X @ w))) - y @ X @ w),
    Case("sum(exp(X).*sin(Z)) + sum(sqrt(X.^2 + 1))", "X",
         lambda X, Z: jnp.sum(jnp.exp(X) * jnp.sin(Z)) + jnp.sum(jnp.sqrt(X**2 + 1))),
    Case("-sum(log(X)) + 2*tr(A')", "X", lambda X, A: -jnp.sum(jnp.log(X)) + 2 * jnp.trace(A)),
    Case("tr(A'*A) + tr(B'*B)", "A", lambda A, B: jnp.sum(A**2) + jnp.sum(B**2)),
    Case("P = sigmoid(X*W)\nnorm2(P*P' - A)^2", "W",
         lambda X, W, A: jnp.sum((sigmoid(X @ W) @ sigmoid(X @ W).T - A) ** 2)),
    Case("assume A = A'\nx'*A*x/(x'*x)", "x", lambda x, A: x @ A @ x / (x @ x)),
    Case("(x - y)'*(x - y)*c^-1", "c", lambda x, y, c: jnp.sum((x - y) ** 2) / c),
)  # fmt: skip


def data_of(case: Case) -> dict[str, np.ndarray]:
    """Arrays for every name that the oracle takes; square matrices are well conditioned."""
    generator = np.random.default_rng(3)
    names = case.oracle.__code__.co_varnames[: case.oracle.__code__.co_argcount]
    made = {}
    for name in names:
        shape = [SIZES[axis] for axis in SHAPES[name]]
        made[name] = generator.uniform(0.5, 1.5, shape) + (3 * np.eye(4) if name in "AB" else 0)
        if "assume" in case.text and name == "A":
            made[name] = made[name] + made[name].T
    return made


def program_of(case: Case, data: dict[str, np.ndarray]) -> sb.Program:
    """The program of a case over the tensors that it reads."""
    return sb.matrix(case.text, {name: SHAPES[name] for name in data}, (case.wrt,))


def call(derivation: sb.Derivation, case: Case, data: dict[str, np.ndarray]) -> tuple:
    """Value and gradients, sizes that no array has given where they are needed."""
    others = {name: value for name, value in data.items() if name != case.wrt}
    return derivation.compile()({case.wrt: data[case.wrt]}, **others)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.text.replace("\n", "; "))
def test_values_gradients_and_hessians_are_those_of_jax(case: Case) -> None:
    """The gradient has the shape of its variable; the second derivative the axes of both."""
    data = data_of(case)
    program = program_of(case, data)
    place = list(data).index(case.wrt)
    derivation = sb.derive(program)
    value, gradients = call(derivation, case, data)

    second = call(derivation.hessian(case.wrt), case, data)[1]
    transforms = jax.value_and_grad(case.oracle, place), jax.hessian(case.oracle, place)
    (wanted, slope), curvature = jax.jit(lambda *given: tuple(f(*given) for f in transforms))(*data.values())

    assert np.allclose(value, wanted, rtol=1e-9)
    assert gradients[case.wrt].shape == data[case.wrt].shape
    assert np.allclose(gradients[case.wrt], slope, rtol=1e-8, atol=1e-10)
    assert np.allclose(second[case.wrt], curvature, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.text.replace("\n", "; "))
def test_every_matrix_expression_is_a_program_with_a_text(case: Case) -> None:
    """The text reads back as the same program, whole-matrix calls included, and the derivation can be printed."""
    data = data_of(case)
    program = program_of(case, data)

    assert sb.parse(program.text()) == program
    derivation = sb.derive(program)
    for notation in ("index", "matrix"):
        assert derivation.latex(notation)
    if SHAPES[case.wrt]:  # the adjoint of a scalar is a scalar behind the loss, which no text may have
        assert sb.parse(derivation.program.text()).text() == derivation.program.text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("X*Z", "as many columns on the left as rows on the right"),
        ("X + A", "`+` of [N, D] and [N, N]"),
        ("X.*W", "`.*` of [N, D] and [D, K]"),
        ("x./w", "`./` of [N] and [D]"),
        ("x*y", "x'*y for a scalar"),
        ("tr(X)", "tr of [N, D], expected a square matrix"),
        ("det(X)", "det of [N, D], expected a square matrix"),
        ("inv(W)", "inv of [D, K], expected a square matrix"),
        ("logdet(x)", "logdet of [N], expected a square matrix"),
        ("solve(A, w)", "as many rows on the right side as in the matrix"),
        ("X^2", "write .^ for powers of entries"),
        ("diag(X)", "a vector or a square matrix"),
        ("sum(x, 2)", "an axis that it has"),
        ("exp(X, Z)", "expected 1"),
    ],
)
def test_shapes_are_checked_before_anything_is_derived(text: str, message: str) -> None:
    """A misfit says where it is, what was found and what was expected."""
    with pytest.raises(sb.errors.FormulaError if "exp" in text else sb.errors.ShapeError) as caught:
        sb.matrix(f"sum({text})", SHAPES, ("X",))

    assert message in str(caught.value)
    assert "line 1, column" in str(caught.value)


WHOLE = (
    "param A[N, N]\nB[i,j] = inv(A)[i,j]\nloss = sum(i, j, B[i,j]^2)\n",
    "param A[N, N]\nl = logdet(A)\nloss = l^2\n",
    "param A[N, N]\nl = det(A)\nloss = l^2\n",
    "param A[N, N], b[N]\nv[i] = solve(A, b)[i]\nloss = sum(i, v[i]^2)\n",
    "param A[N, N], C[N, D]\nV[i,d] = solve(A, C)[i,d]\nloss = sum(i, d, V[i,d]^2)\n",
)


@pytest.mark.parametrize("text", WHOLE)
def test_whole_matrix_calls_of_the_index_language_round_trip(text: str) -> None:
    """Their text reads back as the same program, and so does that of the derivation."""
    program = sb.parse(text)
    derivation = sb.derive(program)

    assert sb.parse(program.text()) == program
    assert sb.parse(derivation.program.text()).text() == derivation.program.text()
    assert derivation.certify().proved


def test_axioms_have_sources() -> None:
    """Each rule beside SymPy's scalar derivatives says where it is from."""
    for axiom in AXIOMS.values():
        assert "Cookbook" in axiom.source
        assert "equation" in axiom.source


def test_last_line_without_a_scalar_is_called_value() -> None:
    """A vector or a matrix as the last line is no loss; its Jacobian has its axes first."""
    program = sb.matrix("X*w", {"X": ("N", "D"), "w": ("D",)}, ("w",))

    assert program.loss is None
    assert sb.verify_gradient(program, "w", "X", of="value").proved
