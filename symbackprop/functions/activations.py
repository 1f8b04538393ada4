"""What stands between the layers of a network. Adding one is one object here, and its name in `ACTIVATIONS`."""

from __future__ import annotations

import sympy

from symbackprop.functions.elementary import ERF, SIN, TANH
from symbackprop.functions.scalar import BOTH_SIDES, BRANCHES, ScalarFunction, where

RAMPS = ((-6, -4), (-2, 2), (4, 6))
HENDRYCKS = "Hendrycks and Gimpel 2016, Gaussian error linear units, section 2"
MOBILENET = "Howard et al. 2019, Searching for MobileNetV3, section 5.2"
SELU_SCALE = sympy.Rational("1.0507009873554804934193349852946")
SELU_ALPHA = sympy.Rational("1.6732632423543772848170429916717")

IDENTITY = ScalarFunction("identity", lambda u: u, r"\operatorname{id}", BOTH_SIDES, "no activation", inline=True)
SIGMOID = ScalarFunction(
    "sigmoid", lambda u: 1 / (1 + sympy.exp(-u)), r"\sigma", BOTH_SIDES, "Rumelhart, Hinton, Williams 1986, eq. 2"
)
LOG_SIGMOID = ScalarFunction(
    name="log_sigmoid",
    definition=lambda u: sympy.log(SIGMOID(u)),
    tex=r"\operatorname{logSigmoid}",
    samples=BOTH_SIDES,
    source="the logarithm of the sigmoid, torch.nn.LogSigmoid",
)
RELU6 = ScalarFunction(
    name="relu6",
    definition=lambda u: where(u > 0, where(u < 6, u, 6), 0),
    tex=r"\operatorname{ReLU6}",
    samples=((-3, -1), (1, 5), (7, 9)),
    source="Krizhevsky 2010, Convolutional deep belief networks on CIFAR-10",
)
HARD_SIGMOID = ScalarFunction(
    name="hard_sigmoid",
    definition=lambda u: RELU6(u + 3) / 6,
    tex=r"\operatorname{hardSigmoid}",
    samples=RAMPS,
    source=MOBILENET,
)
HARD_TANH = ScalarFunction(
    name="hard_tanh",
    definition=lambda u: where(u > -1, where(u < 1, u, 1), -1),
    tex=r"\operatorname{hardTanh}",
    samples=((-3, -2), (-1, 1), (2, 3)),
    source="Collobert 2004, Large scale machine learning",
)
SOFTSIGN = ScalarFunction(
    name="softsign",
    definition=lambda u: u / (1 + where(u > 0, u, -u)),
    tex=r"\operatorname{softsign}",
    samples=BRANCHES,
    source="Glorot and Bengio 2010, Understanding the difficulty of training deep feedforward neural networks",
)
RELU = ScalarFunction(
    "relu", lambda u: where(u > 0, u, 0), r"\operatorname{ReLU}", BRANCHES, "Nair and Hinton 2010, section 2"
)
LEAKY_RELU = ScalarFunction(
    name="leaky_relu",
    definition=lambda u, slope: where(u > 0, u, slope * u),
    tex=r"\operatorname{LeakyReLU}",
    samples=BRANCHES,
    source="Maas, Hannun, Ng 2013, eq. 2",
    parameters=(("slope", sympy.Rational(1, 100)),),
)
PRELU = ScalarFunction(
    name="prelu",
    definition=lambda u, slope: where(u > 0, u, slope * u),  # two arguments: the slope is learned
    tex=r"\operatorname{PReLU}",
    samples=BRANCHES,
    source="He, Zhang, Ren, Sun 2015, Delving deep into rectifiers, eq. 1",
    arity=2,
)
ELU = ScalarFunction(
    name="elu",
    definition=lambda u, alpha: where(u > 0, u, alpha * (sympy.exp(u) - 1)),
    tex=r"\operatorname{ELU}",
    samples=BRANCHES,
    source="Clevert, Unterthiner, Hochreiter 2016, eq. 16",
    parameters=(("alpha", sympy.Integer(1)),),
)
CELU = ScalarFunction(
    name="celu",
    definition=lambda u, alpha: where(u > 0, u, alpha * (sympy.exp(u / alpha) - 1)),
    tex=r"\operatorname{CELU}",
    samples=BRANCHES,
    source="Barron 2017, Continuously differentiable exponential linear units",
    parameters=(("alpha", sympy.Integer(1)),),
)
SELU = ScalarFunction(
    name="selu",
    definition=lambda u: SELU_SCALE * where(u > 0, u, SELU_ALPHA * (sympy.exp(u) - 1)),
    tex=r"\operatorname{SELU}",
    samples=BRANCHES,
    source="Klambauer, Unterthiner, Mayr, Hochreiter 2017, eq. 2; the digits of both constants as in torch.nn.SELU",
)
SOFTPLUS = ScalarFunction(
    name="softplus",
    definition=lambda u, beta: sympy.log(1 + sympy.exp(beta * u)) / beta,
    tex=r"\operatorname{softplus}",
    samples=BOTH_SIDES,
    source="Dugas et al. 2001, Incorporating second-order functional knowledge, section 3; torch.nn.Softplus has beta",
    parameters=(("beta", sympy.Integer(1)),),
)
SILU = ScalarFunction(
    "silu", lambda u: u * SIGMOID(u), r"\operatorname{SiLU}", BOTH_SIDES, "Elfwing, Uchibe, Doya 2018, eq. 3"
)
HARD_SWISH = ScalarFunction(
    name="hard_swish",
    definition=lambda u: u * RELU6.formula(u + 3) / 6,  # in place, so that the slope is written by u alone
    tex=r"\operatorname{hardSwish}",
    samples=RAMPS,
    source=MOBILENET,
)
MISH = ScalarFunction(
    name="mish",
    definition=lambda u: u * TANH(SOFTPLUS(u)),
    tex=r"\operatorname{Mish}",
    samples=BOTH_SIDES,
    source="Misra 2019, Mish: a self regularized non-monotonic activation function",
)
GELU = ScalarFunction(
    name="gelu",
    definition=lambda u: u * (1 + ERF(u / sympy.sqrt(2))) / 2,
    tex=r"\operatorname{GELU}",
    samples=BOTH_SIDES,
    source=HENDRYCKS,
)
GELU_TANH = ScalarFunction(
    name="gelu_tanh",
    definition=lambda u: u * (1 + TANH(sympy.sqrt(2 / sympy.pi) * (u + sympy.Rational("0.044715") * u**3))) / 2,
    tex=r"\operatorname{GELU}_{\tanh}",
    samples=BOTH_SIDES,
    source=HENDRYCKS + ", the approximation by tanh",
)
QUICK_GELU = ScalarFunction(
    name="quick_gelu",
    definition=lambda u: u * SIGMOID(sympy.Rational("1.702") * u),
    tex=r"\operatorname{quickGELU}",
    samples=BOTH_SIDES,
    source=HENDRYCKS + ", the approximation by the sigmoid",
)
GAUSSIAN = ScalarFunction(
    name="gaussian",
    definition=lambda u: sympy.exp(-(u**2)),
    tex=r"\operatorname{gaussian}",
    samples=BOTH_SIDES,
    source="Broomhead and Lowe 1988, Multivariable functional interpolation and adaptive networks",
    inline=True,
)
SINE = ScalarFunction(
    name="sine",
    definition=lambda u, w0: SIN(w0 * u),
    tex=r"\operatorname{sine}",
    samples=BOTH_SIDES,
    source="Sitzmann et al. 2020, Implicit neural representations with periodic activation functions, section 3.2",
    parameters=(("w0", sympy.Integer(1)),),
    inline=True,
)

ACTIVATIONS = (
    IDENTITY, SIGMOID, HARD_SIGMOID, LOG_SIGMOID, TANH, HARD_TANH, SOFTSIGN,
    RELU, RELU6, LEAKY_RELU, PRELU, ELU, CELU, SELU, SOFTPLUS,
    SILU, HARD_SWISH, MISH, GELU, GELU_TANH, QUICK_GELU, GAUSSIAN, SINE,
)  # fmt: skip
