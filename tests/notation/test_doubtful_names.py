r"""Names that may be written alike: what is spelt exactly goes first, and else it is an error that names both."""

from __future__ import annotations

from pathlib import Path

import pytest

import symbackprop as sb
from symbackprop.language import write_tree
from symbackprop.notation.reading import AmbiguousFormulaError, MatrixClaim, make_vocabulary, read_any_claim, read_block
from symbackprop.notation.writing.names import choose_names
from tests.oracles.latex_claims import judge

FORMS = "param epsilon, varepsilon, x, vartheta, theta\nloss = epsilon^2 + varepsilon*x + theta*vartheta^2\n"
VECTORS = "param phi[N], varphi[N]\nloss = sum(n, phi[n]^2*varphi[n])\n"
ONE = "param epsilon, phi[N]\nloss = epsilon*sum(n, phi[n])\n"
SMALL = "param epsilon, x\nconst eps\nloss = epsilon*x + eps*x^2\n"
ALIKE = """
param xhat, x_hat, W1, W_1, tau, tau_, lambda, lambda_
loss = 5*xhat + 6*x_hat + 7*W1 + 8*W_1 + tau + 2*tau_ + 3*lambda + 4*lambda_
"""
ROWS = "param xhat[N], x_hat[N], W1[N], W_1[N]\nloss = sum(n, xhat[n]*x_hat[n] + W1[n]*W_1[n])\n"
CIRCLE = "param r, u, pi_\nf = pi*r^2\nloss = f*pi_ + u\n"
WEIGHTS = "param pi_[K], x[K], c\nloss = sum(k, pi_[k]*x[k])*c\n"
SIZED = "input t[T,D]\nparam b[D]\nloss = sum(s, d, t[s,d]*b[d])\n"
LAYERS = "input W[K,D], W1[D]\nparam x[D]\nloss = sum(k, d, W[k,d]*W1[d]*x[d])\n"
SAID = 'param xhat, a as "\\hat x"\nloss = a*xhat\n'
STEPS = "input x[T,D]\nparam h0[D]\nh[0,i] = h0[i]\nh[t,i] = h[t-1,i]*x[t,i]\nloss = sum(i, h[T,i])\n"


def understood(latex: str, program: str, names: dict[str, str] | None = None) -> str:
    """An equation as it was understood of a program."""
    (statement,) = read_block(latex)
    claim = read_any_claim(statement, make_vocabulary(sb.parse(program).core, names))
    return claim.texts[0] if isinstance(claim, MatrixClaim) else write_tree(claim).removeprefix("claim ")


@pytest.mark.parametrize(
    ("program", "latex", "read"),
    [
        (FORMS, r"\varepsilon = \epsilon", "varepsilon = epsilon"),
        (FORMS, r"\frac{\partial L}{\partial x} = \varepsilon", "d loss / d x = varepsilon"),
        (FORMS, r"\frac{\partial L}{\partial\vartheta} = 2 \theta \vartheta", "d loss / d vartheta = 2*theta*vartheta"),
        (VECTORS, r"\varphi_n = \phi_n", "varphi[n] = phi[n]"),
        (VECTORS, r"\nabla_\varphi L = \phi \odot \phi", "d loss / d varphi = phi .* phi"),
        (SMALL, r"\frac{\partial L}{\partial\epsilon} = x", "d loss / d epsilon = x"),
        (ALIKE, r"\frac{\partial L}{\partial W_1} = 8", "d loss / d W_1 = 8"),
        (ALIKE, r"\frac{\partial L}{\partial W^{(1)}} = 7", "d loss / d W1 = 7"),
        (ALIKE, r"\frac{\partial L}{\partial\tau} = 1", "d loss / d tau = 1"),
        (ALIKE, r"\frac{\partial L}{\partial\mathrm{lambda\_}} = 4", "d loss / d lambda_ = 4"),
        (ALIKE, r"\frac{\partial L}{\partial\mathrm{x\_hat}} = 6", "d loss / d x_hat = 6"),
        (ROWS, r"\nabla_{W_1} L = W^{(1)}", "d loss / d W_1 = W1"),
        (ROWS, r"W_{1,n} = 2 W^{(1)}_n", "W_1[n] = 2*W1[n]"),
        (CIRCLE, r"\frac{\partial L}{\partial\mathrm{pi\_}} = f", "d loss / d pi_ = f"),
        (SAID, r"\frac{\partial L}{\partial \hat x} = \mathrm{xhat}", "d loss / d a = xhat"),
    ],
)
def test_what_is_spelt_exactly_goes_first(program: str, latex: str, read: str) -> None:
    """Where two names may be meant, it is the one that is written letter by letter, or as `as` says."""
    assert understood(latex, program) == read


@pytest.mark.parametrize(
    ("program", "latex", "names"),
    [
        (SMALL, r"\frac{\partial L}{\partial\varepsilon} = x", ("epsilon", "eps")),
        (SMALL, r"L = \varepsilon^2", ("epsilon", "eps")),
        (ALIKE, r"\frac{\partial L}{\partial\hat x} = 5", ("xhat", "x_hat")),
        (ROWS, r"\nabla_{\hat x} L = \hat x", ("xhat", "x_hat")),
        (ROWS, r"\frac{\partial L}{\partial\hat x_n} = 1", ("xhat", "x_hat")),
        (CIRCLE, r"f = \pi r^2", ("pi_", "the number pi")),
        (CIRCLE, r"\frac{\partial f}{\partial r} = \sqrt{2\pi}", ("pi_", "the number pi")),
        (WEIGHTS, r"\nabla_x L = c \pi", ("pi_", "the number pi")),
        (LAYERS, r"W_{1,d} = W_{2,d}", ("W[1,d]", "an entry of W1")),
        (LAYERS, r"W_{11} = 0", ("W[1,1]", "an entry of W1")),
    ],
)
def test_what_spells_neither_of_two_names_is_an_error(program: str, latex: str, names: tuple[str, str]) -> None:
    """The error names both, and says how to declare which is meant."""
    with pytest.raises(AmbiguousFormulaError, match="declare which it is: names ") as caught:
        understood(latex, program)
    assert caught.value.readings == names


@pytest.mark.parametrize(
    ("program", "names", "latex", "read"),
    [
        (SMALL, {r"\varepsilon": "eps"}, r"\frac{\partial L}{\partial\varepsilon} = x^2", "d loss / d eps = x^2"),
        (ALIKE, {r"\hat x": "x_hat"}, r"\frac{\partial L}{\partial\hat x} = 6", "d loss / d x_hat = 6"),
        (CIRCLE, {r"\pi": "pi"}, r"f = \pi r^2", "f = pi*r^2"),
        (CIRCLE, {r"\pi": "pi"}, r"L = f \mathrm{pi\_} + u", "loss = f*pi_ + u"),
        (CIRCLE, {r"\pi": "pi_"}, r"L = \pi f + u", "loss = pi_*f + u"),
        (WEIGHTS, {r"\pi": "pi_"}, r"\nabla_x L = c \pi", "d loss / d x = c*pi_"),
        (LAYERS, {"W_1": "W1"}, r"W_{1,d} = W_{2,d}", "W1[d] = W[2,d]"),
        (LAYERS, {"W": "W"}, r"W_{1,d} = W_{2,d}", "W[1,d] = W[2,d]"),
    ],
)
def test_a_declaration_says_which_name_is_meant(program: str, names: dict[str, str], latex: str, read: str) -> None:
    """What the errors advise is read as it says."""
    assert understood(latex, program, names) == read


@pytest.mark.parametrize(
    ("program", "latex", "read"),
    [
        (ONE, r"\frac{\partial L}{\partial\epsilon} = \sum_n \phi_n", "d loss / d epsilon = sum(n, phi[n])"),
        (ONE, r"\frac{\partial L}{\partial\varepsilon} = \sum_n \varphi_n", "d loss / d epsilon = sum(n, phi[n])"),
        ("param varphi\nloss = varphi^2\n", r"L = \phi^2", "loss = varphi^2"),
        ("param x_hat\nloss = x_hat^2\n", r"L = \hat x^2", "loss = x_hat^2"),
        ("param W1\nloss = W1^2\n", "L = W_1 W_1", "loss = W1*W1"),
        ("param lambda_\nloss = lambda_^2\n", r"L = \lambda^2", "loss = lambda_^2"),
        ("param r\nloss = pi*r^2\n", r"L = \pi r^2", "loss = pi*r^2"),
        (WEIGHTS, r"\frac{\partial L}{\partial x_k} = \pi_k c", "d loss / d x[k] = pi_[k]*c"),
        (WEIGHTS, r"c = \sqrt{2\pi}", "c = sqrt(2*pi)"),
        (WEIGHTS, r"\frac{\partial L}{\partial\pi} = c x", "d loss / d pi_ = c*x"),
        (WEIGHTS, r"L = c \pi^\top x", "loss = c*sum(k, pi_[k]*x[k])"),
        (LAYERS, r"W_{2,d} = W_{21}", "W[2,d] = W[2,1]"),
        (STEPS, r"\frac{\partial L}{\partial h_{0,i}} = h_{1,i}", "d loss / d h[0,i] = h[1,i]"),
        (SIZED, r"\frac{\partial L}{\partial b} = t^\top \mathbf 1", "d loss / d b = sum(t', 2)"),
        (SIZED, r"\frac1T L = \frac{b^\top t^\top \mathbf 1}{T}", "1/T*loss = sum(b'*t', 2)/T"),
    ],
)
def test_a_name_without_a_rival_reads_as_before(program: str, latex: str, read: str) -> None:
    """One of two forms of a letter, an accent, a number below, and the number pi beside a vector pi_."""
    assert understood(latex, program) == read


@pytest.mark.parametrize("latex", [r"L = \epsilon + \varepsilon", r"L = \sum_n \phi_n \varphi_n"])
def test_two_forms_of_one_letter_in_a_formula_are_an_error(latex: str) -> None:
    """In print they are two things, and the program has one."""
    with pytest.raises(AmbiguousFormulaError, match="one name` or as `two names"):
        understood(latex, ONE)


def test_other_forms_of_letters_are_names_of_their_own() -> None:
    """Theta is not read where only the other theta is declared."""
    with pytest.raises(sb.FormulaError, match=r"unknown name `\\vartheta`"):
        understood(r"L = \vartheta", "param theta\nloss = theta^2\n")


@pytest.mark.parametrize(
    "latex",
    [
        r"\frac{\partial L}{\partial b} = T^\top \mathbf 1",
        r"\lVert T \rVert_F^2 = \lVert t \rVert_F^2",
        r"\lVert T \rVert^2 = 1",
        r"\det T = 1",
        r"T^\top = 1",
        r"t = T \odot t",
        r"\frac{\partial L}{\partial t} = \mathbb{1}[T > 0] \odot t",
        r"\frac{\partial L}{\partial t} = \tanh'(T)",
    ],
)
def test_a_size_that_is_written_as_a_matrix_is_asked_about(latex: str) -> None:
    """T is a size, and the matrix of the tensor t."""
    with pytest.raises(AmbiguousFormulaError, match=r"the size T` or as `the tensor t`; declare .* T = t, or T = T"):
        understood(latex, SIZED)


def test_a_size_below_a_fraction_is_a_number(tmp_path: Path) -> None:
    """And so it is where it is declared, or beside entries; a tensor that is declared by its letter is that."""
    program = "\ninput x[N,D], y[N]\nparam w[D]\nd[n] = sum(j, w[j]*x[n,j]) - y[n]\nloss = sum(n, d[n]^2)/(2*D)\n"
    for latex, names in (
        (r"\frac{\partial L}{\partial w} = \frac1D x^\top d", ""),
        (r"\frac{\partial L}{\partial w} = x^\top d / D", ""),
        (r"\frac{\partial L}{\partial w_j} = \frac1D \sum_n d_n x_{nj}", ""),
        (r"D \frac{\partial L}{\partial w} = x^\top d", "D = D"),
        (r"2 L = \lVert D \rVert^2 / \mathrm{size}", r"D = d, \mathrm{size} = D"),
    ):
        (verdict,) = judge(tmp_path, program, latex, names)
        assert verdict.proved, latex


LAYERED = """
input x[D], y[K]
param W2[K,D]
z2[k] = sum(d, W2[k,d]*x[d])
loss = sum(k, (z2[k] - y[k])^2)/2
"""
ROWS = """
input x[N,D]
index c[N] in K
param W[K,D]
z[n,k] = sum(d, W[k,d]*x[n,d])
p[n,k] = exp(z[n,k])/sum(j, exp(z[n,j]))
loss = -sum(n, log(p[n,c[n]]))
"""


@pytest.mark.parametrize(
    ("latex", "program", "name"),
    [
        (r"\delta_{2,k} = z_{2,k} - y_k", LAYERED, "z2"),
        (r"\frac{\partial p_{n1}}{\partial z_{nk}} = p_{n1}(\delta_{1k} - p_{nk})", ROWS, "z"),
    ],
)
def test_a_delta_with_a_number_is_asked_about(latex: str, program: str, name: str) -> None:
    """The number of a layer, of a row, or one that Kronecker's delta compares."""
    with pytest.raises(AmbiguousFormulaError, match=f"the adjoint of {name}` or as `Kronecker's delta`"):
        understood(latex, program)


def test_a_delta_that_is_declared_is_not_that_of_a_layer() -> None:
    """Beside z2, whose adjoint is written with a 2 above."""
    program = LAYERED + "other = sum(k, z2[k])\n"

    assert "where(2 == k" in understood(r"z_{2,k} = \delta_{2k}", program, {r"\delta": "kronecker"})


@pytest.mark.parametrize("delta", [r"\delta_{c_n k}", r"\delta_{k c_n}", r"\delta_{k, c_n}"])
def test_a_delta_with_a_label_is_kroneckers_in_either_order(delta: str, tmp_path: Path) -> None:
    """A label runs over the classes, as k does, and not over the rows of z."""
    latex = rf"\frac{{\partial L}}{{\partial z_{{nk}}}} = p_{{nk}} - {delta}"
    (verdict,) = judge(tmp_path, ROWS, latex)

    assert verdict.proved


LOSSES_OF_SAMPLES = "\ninput x[N]\nparam w\nL[n] = (w*x[n])^2\nJ = mean(n, L[n])\n"


def test_a_loss_in_another_font_than_a_tensor_is_asked_about(tmp_path: Path) -> None:
    """The mean of the losses of samples is written so as often as those."""
    with pytest.raises(AmbiguousFormulaError, match=r"the loss J` or as `L, in another font"):
        understood(r"\mathcal{L} = \frac1N \sum_n L_n", LOSSES_OF_SAMPLES)
    (verdict,) = judge(tmp_path, LOSSES_OF_SAMPLES, r"\mathcal{L} = \frac1N \sum_n L_n", r"\mathcal{L} = J")
    assert verdict.proved


def test_verdicts_on_two_forms_of_a_letter(tmp_path: Path) -> None:
    """What is false of two parameters is refuted, and what is true is proved."""
    for latex, status in (
        (r"\varepsilon = \epsilon", "refuted"),
        (r"\frac{\partial L}{\partial\varepsilon} = x", "proved"),
        (r"\frac{\partial L}{\partial\epsilon} = \frac{\partial L}{\partial\varepsilon}", "refuted"),
    ):
        assert [verdict.status for verdict in judge(tmp_path, f"\n{FORMS}", latex)] == [status]


@pytest.mark.parametrize("program", [FORMS, VECTORS, SMALL, ALIKE, CIRCLE, WEIGHTS])
def test_names_are_printed_so_that_they_read_back(program: str) -> None:
    """No name is printed as another one may be read."""
    tensors = sb.parse(program).core.tensors()
    names = choose_names(tensors)
    for name, tensor in tensors.items():
        symbol = names.symbol(name)
        assert symbol is not None
        shown = symbol.write("n" if tensor.axes else "")
        entry = f"{name}[n]" if tensor.axes else name
        assert understood(f"{shown} - 1 = 0", program) == f"{entry} - 1 = 0"
