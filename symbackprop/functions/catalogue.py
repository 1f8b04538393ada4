"""The catalogue of scalar functions. Adding one is one object here, and its name in `FUNCTIONS`.

Every kinked function is defined by `where`, the choice between formulas that a condition decides. The derivative of
`where(c, a, b)` is `where(c, a', b')`, so the value of a derivative at a kink follows from the definition.
"""

from __future__ import annotations

from functools import cache
from types import MappingProxyType

import sympy

from symbackprop.functions.scalar import ScalarFunction

BOTH_SIDES = ((-3, 3),)
BRANCHES = ((-3, -1), (1, 3))
POSITIVE = ((1, 4),)
ABRAMOWITZ = "Abramowitz and Stegun 1964, chapter "


def where(condition: sympy.Basic, then: sympy.Expr, otherwise: sympy.Expr) -> sympy.Expr:
    """`then` where the condition holds, `otherwise` elsewhere.

    >>> u = sympy.Symbol("u")
    >>> where(u > 0, u, 0).diff(u)
    Piecewise((1, u > 0), (0, True))
    """
    rest = otherwise.args if isinstance(otherwise, sympy.Piecewise) else ((otherwise, True),)
    return sympy.Piecewise((then, condition), *rest)


EXP = ScalarFunction("exp", sympy.exp, r"\exp", BOTH_SIDES, ABRAMOWITZ + "4.2", inline=True)
LOG = ScalarFunction("log", sympy.log, r"\log", POSITIVE, ABRAMOWITZ + "4.1", inline=True, domain="positive")
SIN = ScalarFunction("sin", sympy.sin, r"\sin", BOTH_SIDES, ABRAMOWITZ + "4.3", inline=True)
COS = ScalarFunction("cos", sympy.cos, r"\cos", BOTH_SIDES, ABRAMOWITZ + "4.3", inline=True)
TAN = ScalarFunction("tan", sympy.tan, r"\tan", ((-1, 1),), ABRAMOWITZ + "4.3")
SINH = ScalarFunction("sinh", sympy.sinh, r"\sinh", BOTH_SIDES, ABRAMOWITZ + "4.5", inline=True)
COSH = ScalarFunction("cosh", sympy.cosh, r"\cosh", BOTH_SIDES, ABRAMOWITZ + "4.5", inline=True)
TANH = ScalarFunction("tanh", sympy.tanh, r"\tanh", BOTH_SIDES, ABRAMOWITZ + "4.5")
SQRT = ScalarFunction("sqrt", sympy.sqrt, r"\sqrt", POSITIVE, ABRAMOWITZ + "3.1", domain="nonnegative")
ERF = ScalarFunction("erf", sympy.erf, r"\operatorname{erf}", BOTH_SIDES, ABRAMOWITZ + "7.1")

ABS = ScalarFunction(
    "abs", lambda u: where(u > 0, u, where(u < 0, -u, 0)), r"\operatorname{abs}", BRANCHES, "value 0 for the slope at 0"
)
SIGN = ScalarFunction(
    "sign", lambda u: where(u > 0, 1, where(u < 0, -1, 0)), r"\operatorname{sign}", BRANCHES, "the slope of abs"
)
MAXIMUM = ScalarFunction(
    name="maximum",
    definition=lambda u, v: where(u > v, u, where(u < v, v, (u + v) / 2)),  # a tie gives one half to each side
    tex=r"\operatorname{max}",
    samples=BRANCHES,
    source="numpy.maximum",
    arity=2,
)
MINIMUM = ScalarFunction(
    name="minimum",
    definition=lambda u, v: where(u < v, u, where(u > v, v, (u + v) / 2)),
    tex=r"\operatorname{min}",
    samples=BRANCHES,
    source="numpy.minimum",
    arity=2,
)

IDENTITY = ScalarFunction("identity", lambda u: u, r"\operatorname{id}", BOTH_SIDES, "no activation", inline=True)
SIGMOID = ScalarFunction(
    "sigmoid", lambda u: 1 / (1 + sympy.exp(-u)), r"\sigma", BOTH_SIDES, "Rumelhart, Hinton, Williams 1986, eq. 2"
)
SOFTPLUS = ScalarFunction(
    "softplus",
    lambda u: sympy.log(1 + sympy.exp(u)),
    r"\operatorname{softplus}",
    BOTH_SIDES,
    "Dugas et al. 2001, Incorporating second-order functional knowledge, section 3",
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
ELU = ScalarFunction(
    name="elu",
    definition=lambda u, alpha: where(u > 0, u, alpha * (sympy.exp(u) - 1)),
    tex=r"\operatorname{ELU}",
    samples=BRANCHES,
    source="Clevert, Unterthiner, Hochreiter 2016, eq. 16",
    parameters=(("alpha", sympy.Integer(1)),),
)
SILU = ScalarFunction(
    "silu", lambda u: u * SIGMOID(u), r"\operatorname{SiLU}", BOTH_SIDES, "Elfwing, Uchibe, Doya 2018, eq. 3"
)
GELU = ScalarFunction(
    name="gelu",
    definition=lambda u: u * (1 + ERF(u / sympy.sqrt(2))) / 2,
    tex=r"\operatorname{GELU}",
    samples=BOTH_SIDES,
    source="Hendrycks and Gimpel 2016, section 2",
)
GELU_TANH = ScalarFunction(
    name="gelu_tanh",
    definition=lambda u: u * (1 + TANH(sympy.sqrt(2 / sympy.pi) * (u + sympy.Rational("0.044715") * u**3))) / 2,
    tex=r"\operatorname{GELU}_{\tanh}",
    samples=BOTH_SIDES,
    source="Hendrycks and Gimpel 2016, section 2, the approximation by tanh",
)

FUNCTIONS = (
    IDENTITY, SIGMOID, TANH, RELU, LEAKY_RELU, ELU, SOFTPLUS, SILU, GELU, GELU_TANH,
    ABS, SIGN, MAXIMUM, MINIMUM,
    EXP, LOG, SQRT, SIN, COS, TAN, SINH, COSH, ERF,
)  # fmt: skip
FUNCTION_BY_NAME = MappingProxyType({function.name: function for function in FUNCTIONS})


def expand_applications(expression: sympy.Expr) -> sympy.Expr:
    """The expression with every application of a catalogue function replaced by its definition.

    >>> expand_applications(SILU.formula(sympy.Symbol("u")))
    u/(1 + exp(-u))
    """
    found = applications(expression)
    while found:
        expression = expression.xreplace({a: FUNCTION_BY_NAME[a.func.__name__].formula(*a.args) for a in found})
        found = applications(expression)
    return expression


def applications(expression: sympy.Expr) -> tuple[sympy.Expr, ...]:
    """The applications of catalogue functions in an expression that stand in no other one."""
    if isinstance(expression, sympy.core.function.AppliedUndef):
        return (expression,) if expression.func.__name__ in FUNCTION_BY_NAME else ()
    return tuple(dict.fromkeys(a for argument in expression.args for a in applications(argument)))


@cache
def derivative(name: str, place: int, count: int) -> tuple[tuple[sympy.Symbol, ...], sympy.Expr]:
    """The symbols of `count` arguments, and the derivative of a function by the one at `place`.

    >>> derivative("tanh", 0, 1)
    ((u0,), 1 - tanh(u0)**2)
    """
    symbols = tuple(sympy.Symbol(f"u{k}") for k in range(count))
    formula = expand_applications(FUNCTION_BY_NAME[name].formula(*symbols))
    return symbols, sympy.diff(formula, symbols[place])
