"""Matrix notation beyond networks, read back and computed with NumPy: inverses, traces, masks, Kronecker products."""

from __future__ import annotations

import re

import numpy as np
import pytest
from matrix_reader import MatrixReader
from published_derivatives import IDENTITIES, Identity

import symbackprop as sb
from symbackprop.calculus.definitions import Definition
from symbackprop.calculus.evaluation import Evaluation
from symbackprop.calculus.expansion import entries_of
from symbackprop.calculus.programs import Program
from symbackprop.notation.writing import make_equations
from symbackprop.notation.writing.equations import INDEX_NOTE
from symbackprop.notation.writing.index_latex import IndexWriter
from symbackprop.notation.writing.names import choose_names, small_symbol

SIZES = {"N": 4, "D": 3, "K": 2, "M": 5, "T": 4, "V": 6}


def arrays_of(program: Program) -> dict[str, np.ndarray]:
    """Every tensor as an array, by the plain meaning of the definitions."""
    generator = np.random.default_rng(5)
    sizes = {name: SIZES[name] for name in program.size_names}
    numbers: dict[tuple[str, tuple[int, ...]], float] = {}
    data = {
        (t.name, entry): int(generator.integers(1, t.range.evaluate(dict(sizes)) + 1))
        for t in program.leaves
        if t.range is not None
        for entry in entries_of(t, sizes)
    }

    def given(name: str, entry: tuple[int, ...]) -> float:
        if (name, entry) in data:
            return data[name, entry]
        diagonal = 2.0 * (len(entry) == 2 and entry[0] == entry[1])  # so that determinants are positive
        return numbers.setdefault((name, entry), diagonal + float(generator.uniform(0.3, 1.2)))

    evaluation = Evaluation(program, sizes, given, data)
    made = {}
    for tensor in program.tensors().values():
        entries = list(entries_of(tensor, sizes))
        array = np.zeros([axis.evaluate(dict(sizes)) for axis in tensor.axes])
        for entry in entries:
            array[tuple(k - 1 for k in entry)] = evaluation.entry(tensor.name, entry)
        made[tensor.name] = array
    return made


def as_matrix(array: np.ndarray, outer: int) -> np.ndarray:
    """An array of up to four axes as a matrix: what is differentiated has `outer` axes, matrices become their vec."""
    if array.ndim < 2:
        return array.reshape(-1, 1)
    if array.ndim == 2:
        return array
    count = int(np.prod(array.shape[:outer]))
    order = (*reversed(range(outer)), *reversed(range(outer, array.ndim)))
    return array.transpose(order).reshape(count, -1)


def masks_of(equations: tuple, arrays: dict[str, np.ndarray], names: dict[str, str]) -> dict[str, np.ndarray]:
    """The matrices of zeros and ones that have a line of their own, by what that says."""
    made = {}
    for equation in equations:
        match = re.fullmatch(r"(.+)_\{(\w)(\w?)\}", equation.left)
        if equation.tensor or match is None:
            continue
        symbol, first, second = match.groups()
        condition = equation.right[1:-1]
        for name, tensor in names.items():
            condition = re.sub(rf"{re.escape(tensor)}_\{{(\w)\}}", rf"{name}(\1)", condition)
        condition = condition.replace(r"\le", "<=").replace(r"\ge", ">=").replace(r"\ne", "!=").replace(" = ", " == ")
        left, relation, right = re.fullmatch(r"(.+?) (<=|>=|!=|==|<|>) (.+)", condition).groups()
        made[symbol] = (first, second, left, relation, right)
    return made


def mask_array(mask: tuple, shape: tuple[int, ...], arrays: dict[str, np.ndarray]) -> np.ndarray:
    """The array of a condition such as `u <= t` or `tok(n) == v`, whose sides are sums of letters and numbers."""
    first, second, left, relation, right = mask
    compare = {"<=": np.less_equal, ">=": np.greater_equal, "==": np.equal, "!=": np.not_equal, "<": np.less,
               ">": np.greater}[relation]  # fmt: skip

    def side(text: str, point: dict[str, int]) -> int:
        total, sign = 0, 1
        for token in re.findall(r"\w+\(\w\)|\w+|[+-]", text):
            if token in "+-":
                sign = 1 if token == "+" else -1
            elif "(" in token:
                name, letter = re.fullmatch(r"(\w+)\((\w)\)", token).groups()
                total += sign * int(arrays[name][point[letter] - 1])
            else:
                total += sign * (int(token) if token.isdigit() else point[token])
        return total

    made = np.zeros(shape)
    for i in range(shape[0]):
        for j in range(shape[1]):
            point = {first: i + 1, second: j + 1}
            made[i, j] = compare(side(left, point), side(right, point))
    return made


def check(
    program: Program, definitions: tuple[Definition, ...], shapes: dict[str, tuple[str, str]] | None = None
) -> int:
    """Compare every printed line that is no index notation with what its definition means; how many were compared."""
    whole = program.extended(tuple(d for d in definitions if program.definition(d.tensor.name) is None))
    arrays = arrays_of(whole)
    sizes = {name: SIZES[name] for name in whole.size_names}
    equations = make_equations(definitions, whole, "matrix")
    assert not [e for e in equations if e.note == INDEX_NOTE], [str(e) for e in equations if e.note == INDEX_NOTE]
    names = choose_names(whole.tensors(), whole.size_names)
    values, scalars = {}, {small_symbol(name): float(size) for name, size in sizes.items()}
    for tensor in whole.tensors().values():
        symbol = names.symbol(tensor.name, matrix=len(tensor.axes) == 2)
        if symbol is None or len(tensor.axes) > 2:
            continue
        if tensor.axes:
            values[symbol.write()] = as_matrix(arrays[tensor.name], 1)
        else:
            scalars[symbol.write()] = float(arrays[tensor.name])
    data = {t.name: IndexWriter(names).names.symbol(t.name).write() for t in whole.leaves if t.range is not None}
    for symbol, mask in masks_of(equations, arrays, data).items():
        axes = (shapes or {})[symbol]
        values[symbol] = mask_array(mask, (SIZES[axes[0]], SIZES[axes[1]]), arrays)
    checked = 0
    for equation in equations:
        if not equation.tensor:
            continue
        tensor = whole.tensors()[equation.tensor]
        above = whole.tensors().get(tensor.numerator or "")
        expected = as_matrix(arrays[equation.tensor], 1 if above is None else len(above.axes))
        value = MatrixReader(values, scalars).read(equation.right)

        assert np.allclose(np.broadcast_to(value, expected.shape), expected, rtol=1e-8, atol=1e-9), str(equation)
        checked += 1
    return checked


def definitions_of(derivation: sb.Derivation) -> tuple[Definition, ...]:
    """What a derivation prints."""
    return derivation.folding.definitions


@pytest.mark.parametrize("identity", IDENTITIES, ids=lambda i: f"{i.source}-{i.wrt}")
def test_published_derivatives_in_matrix_notation_mean_what_they_say(identity: Identity) -> None:
    """The program and the gradient of every published derivative have a matrix form, and it computes the gradient."""
    program = identity.program()
    derivation = sb.derive(program, identity.wrt, of=identity.of)

    assert check(program.core, (*program.core.definitions, *definitions_of(derivation))) >= 2


GATHERS = (
    ("""
param E[V,D], W[K,D]
index tok[N] in V
x[n,d] = E[tok[n],d]
z[n,k] = sum(d, W[k,d]*x[n,d])
loss = sum(n, k, z[n,k]^2)
""", {"T": "NV"}, [r"X &= T E", r"\frac{\partial L}{\partial E} &= T^{\top} \bar{X}",
      r"T_{nv} &= [\mathit{tok}_{n} = v]\quad\text{(the one-hot matrix of tok)}"]),
    ("""
param w[V]
input x[N]
index g[N] in V
loss = sum(n, (x[n] - w[g[n]])^2)
""", {"T": "NV"}, [r"L &= \left\lVert x - T w \right\rVert_2^{2}"]),
    ("""
param W[K,D]
input x[N,D]
index lab[N] in K
z[n,k] = sum(d, W[k,d]*x[n,d])
loss = -sum(n, z[n,lab[n]])/N + sum(n, log(sum(k, exp(z[n,k]))))/N
""", {"T": "NK"}, [r"T_{nk} &= [k = \mathit{lab}_{n}]"]),
    ("""
input Q[T,D], K[T,D]
param w[D]
s[t,u] = where(u <= t, sum(d, Q[t,d]*K[u,d]*w[d]), 0)
loss = sum(t, u, s[t,u]^2)
""", {"M": "TT"}, [r"\odot M", r"M_{tu} &= [u \le t]"]),
    ("""
input Q[T,D], K[T,D], V[T,D]
param w[D]
s[t,u] = where(u <= t, sum(d, Q[t,d]*K[u,d]*w[d]), -10)
a[t,u] = exp(s[t,u])/sum(v, exp(s[t,v]))
o[t,d] = sum(u, a[t,u]*V[u,d])
loss = sum(t, d, o[t,d]^2)
""", {"M": "TT"}, [r"S &= (Q \operatorname{diag}(w) K^{\top}) \odot M", r"M_{tu} &= [u \le t]"]),
    ("""
input x[T,D]
param w[D]
y[t,d] = x[t,d] - w[d]*x[t-1,d]
loss = sum(t, d, y[t,d]^2)
""", {"S": "TT"}, [r"Y &= X - S X \operatorname{diag}(w)"]),
)  # fmt: skip


@pytest.mark.parametrize(("text", "shapes", "lines"), GATHERS)
def test_gathers_masks_and_shifts_are_products_with_named_matrices(
    text: str, shapes: dict[str, str], lines: list[str]
) -> None:
    """Each is computed from the line that says what the matrix of zeros and ones is, forwards and backwards."""
    program = sb.parse(text)
    derivation = sb.derive(program)
    printed = program.latex("matrix") + derivation.latex("matrix")

    for line in lines:
        assert line in printed, printed
    for part in (program.core.definitions, definitions_of(derivation)):
        assert check(program.core, part, shapes) >= 1


def test_choice_of_what_may_have_no_value_is_no_product() -> None:
    """A mask times 1/x would not be 0 where x is 0: such a choice stays in index notation."""
    program = sb.parse("input x[T]\nparam W[T,T]\nloss = sum(t, u, where(u < t, W[t,u]/x[u], 0))")

    assert "in index notation" in program.latex("matrix")
    assert r"M" not in program.latex("matrix")


HESSIANS = (
    ("""
input x[N,D], y[N,K]
param W[K,D]
assume sum(k, y[n,k]) = 1
z[n,k] = sum(d, W[k,d]*x[n,d])
p[n,k] = exp(z[n,k])/sum(j, exp(z[n,j]))
loss = -sum(n, k, y[n,k]*log(p[n,k]))/N
""", "W", "W", r"\frac{1}{N} \sum_{n=1}^{N} x_{n} x_{n}^{\top} \otimes \operatorname{diag}(p_{n}) "
               r"- \frac{1}{N} \sum_{n=1}^{N} x_{n} x_{n}^{\top} \otimes p_{n} p_{n}^{\top}"),
    ("""
input X[N,D], y[N]
const lam
param w[D]
z[n] = sum(d, X[n,d]*w[d])
loss = -sum(n, y[n]*log(sigmoid(z[n])) + (1 - y[n])*log(1 - sigmoid(z[n])))/N + lam/2*sum(d, w[d]^2)
""", "w", "w", r"\frac{1}{N} X^{\top} \operatorname{diag}(\sigma(z) \odot (1 - \sigma(z))) X + \mathit{lam} I_{D}"),
    ("""
input A[N,M]
param U[N,K], V[M,K]
loss = sum(i, j, (sum(k, U[i,k]*V[j,k]) - A[i,j])^2)/2
""", "U", "U", r"V^{\top} V \otimes I_{N}"),
    ("""
input A[N,M]
param U[N,K], V[M,K]
loss = sum(i, j, (sum(k, U[i,k]*V[j,k]) - A[i,j])^2)/2
""", "U", "V", r"(V^{\top} \otimes U) \mathbf{K}_{M,K} + I_{K} \otimes U V^{\top} - I_{K} \otimes A"),
    ("input A[N,N]\nparam X[N,D]\nloss = sum(i, j, d, X[i,d]*A[i,j]*X[j,d])", "X", "X",
     r"I_{D} \otimes (A + A^{\top})"),
    ("input A[N,N], b[N]\nparam x[N]\nloss = sum(i, j, x[i]*A[i,j]*x[j]) + sum(i, b[i]*x[i])", "x", "x",
     r"A + A^{\top}"),
    ("param X[N,N]\nloss = logdet(X)", "X", "X", r"-(\bar{X}^{\top} \otimes \bar{X}) \mathbf{K}_{N,N}"),
    ("input x[D]\nparam W[K,D]\na[k] = tanh(sum(d, W[k,d]*x[d]))\nloss = sum(k, a[k]^2)", "W", "W",
     r"2 x x^{\top} \otimes \operatorname{diag}((1 - a \odot a) \odot (1 - 3 a \odot a))"),
    ("""
input X[N,D], y[N,K]
param W[K,D]
a[n,k] = sigmoid(sum(d, W[k,d]*X[n,d]))
loss = sum(n, k, (a[n,k] - y[n,k])^2)/2
""", "W", "W", r"\sum_{n=1}^{N} X_{n} X_{n}^{\top} \otimes \operatorname{diag}("),
)  # fmt: skip


@pytest.mark.parametrize(("text", "first", "second", "latex"), HESSIANS)
def test_structure_of_hessians_is_printed_and_right(text: str, first: str, second: str, latex: str) -> None:
    """Ridge terms, Kronecker products, the commutation matrix of mixed blocks, sums over samples."""
    hessian = sb.derive(sb.parse(text)).hessian(first, second)
    core = hessian.program.core

    assert latex in hessian.latex("matrix"), hessian.latex("matrix")
    assert check(core, definitions_of(hessian)) >= 1


JACOBIANS = (
    ("param W[K,D]\ninput x[D]\nz[k] = sum(d, W[k,d]*x[d])", "z", r"x^{\top} \otimes I_{K}"),
    ("param W[D,K]\ninput x[D]\nz[k] = sum(d, W[d,k]*x[d])", "z", r"(x^{\top} \otimes I_{K}) \mathbf{K}_{D,K}"),
    ("param X[N,D]\nY[d,n] = X[n,d]", "Y", r"\mathbf{K}_{N,D}"),
    ("param X[N,D]\ninput A[K,N], B[D,M]\nY[k,m] = sum(n, d, A[k,n]*X[n,d]*B[d,m])", "Y", r"B^{\top} \otimes A"),
    ("param X[N,D]\ninput A[K,D], B[N,M]\nY[k,m] = sum(n, d, A[k,d]*X[n,d]*B[n,m])", "Y",
     r"(B^{\top} \otimes A) \mathbf{K}_{N,D}"),
    ("param x[N]\na[n] = tanh(x[n])", "a", r"\operatorname{diag}(1 - a \odot a)"),
    ("param X[N,D]\nY[i,j] = tanh(X[i,j])", "Y", r"\operatorname{diag}(\operatorname{vec}(1 - Y \odot Y))"),
    ("param X[N,N]\nY[i,j] = inv(X)[i,j]", "Y", r"-Y^{\top} \otimes Y"),
    ("param w[D]\ninput X[N,D]\nz[n] = sum(d, X[n,d]*w[d])", "z", "&= X"),
    ("param u[N]\ninput v[D]\nZ[n,d] = u[n]*v[d]", "Z", r"v \otimes I_{N}"),
    ("param v[D]\ninput u[N]\nZ[n,d] = u[n]*v[d]", "Z", r"I_{D} \otimes u"),
)  # fmt: skip


@pytest.mark.parametrize(("text", "of", "latex"), JACOBIANS)
def test_structure_of_jacobians_is_printed_and_right(text: str, of: str, latex: str) -> None:
    """Diagonal, Kronecker, commutation: the derivative of a tensor by a tensor as one matrix."""
    derivation = sb.derive(sb.parse(text), of=of)

    assert latex in derivation.latex("matrix"), derivation.latex("matrix")
    assert check(derivation.program.core, definitions_of(derivation)) >= 1


def test_every_matrix_without_a_usual_symbol_has_a_line() -> None:
    """The commutation matrix is said by what it does."""
    derivation = sb.derive(sb.parse("param X[N,D]\nY[d,n] = X[n,d]"), of="Y")

    assert r"\mathbf{K}_{N,D} \operatorname{vec}(\cdot) &= \operatorname{vec}(\cdot^{\top})" in derivation.latex(
        "matrix"
    )


def test_products_with_vectors_have_dots_in_matrix_notation() -> None:
    """Directions and tangents of matrices are dotted matrices."""
    derivation = sb.derive(sb.matrix("logdet(X'*X)", {"X": ("N", "D")}, ("X",)))

    assert r"\dot{L}" in derivation.jvp().latex("matrix")
    assert r"\dot{X}" in derivation.hvp().latex("matrix")
    assert "index notation" not in derivation.jvp().latex("matrix") + derivation.hvp().latex("matrix")


def test_reader_sees_a_planted_transpose() -> None:
    """The reading back fails where a transpose is missing, and computes the commutation matrix."""
    values = {"A": np.arange(6.0).reshape(2, 3), "B": np.arange(6.0).reshape(2, 3)}
    reader = MatrixReader(values, {"N": 2.0, "D": 3.0})

    assert reader.read(r"A^{\top} B").shape == (3, 3)
    with pytest.raises(ValueError, match="shape"):
        reader.read(r"A B")
    moved = reader.read(r"\mathbf{K}_{N,D}") @ values["A"].reshape(-1, 1, order="F")
    assert np.array_equal(moved, values["A"].T.reshape(-1, 1, order="F"))
