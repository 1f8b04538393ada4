"""Equality for all sizes: right claims are proved, wrong ones are not, and nothing false is ever proved."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
import sympy

import symbackprop as sb
from symbackprop.calculus.chain import derive
from symbackprop.calculus.expansion import Expansion, entry_symbol
from symbackprop.calculus.normal_forms import AFFINE_KEPT, INLINED, NAMES_KEPT, Equality, NormalForms
from symbackprop.calculus.programs import Program

SIGMOID = """input x[N,D], y[N,K]
param W[K,D], b[K]
z[n,k] = sum(d, W[k,d]*x[n,d]) + b[k]
a[n,k] = sigmoid(z[n,k])
loss = mean(n, k, (a[n,k] - y[n,k])^2)"""
MLP = """input x[N,D], y[N,K]
param W[H,D], V[K,H]
z[n,i] = sum(d, W[i,d]*x[n,d])
a[n,i] = tanh(z[n,i])
u[n,k] = sum(i, V[k,i]*a[n,i])
o[n,k] = tanh(u[n,k])
loss = mean(n, k, (o[n,k] - y[n,k])^2)
e[n,k] = 2/(N*K)*(o[n,k] - y[n,k])*(1 - o[n,k]^2)"""
CE = """input z[N,K], y[N,K]
p[n,k] = exp(z[n,k])/sum(j, exp(z[n,j]))
loss = -sum(n, k, y[n,k]*log(p[n,k]))/N"""
CE_ASSUMED = CE.replace("\np[n", "\nassume sum(k, y[n,k]) = 1\np[n", 1)
NORM = """input x[N,D], g[N,D]
param gamma[D]
const eps
assume eps > 0
mu[n] = mean(d, x[n,d])
var[n] = mean(d, (x[n,d] - mu[n])^2)
s[n] = sqrt(var[n] + eps)
xh[n,d] = (x[n,d] - mu[n])/s[n]
loss = sum(n, d, g[n,d]*gamma[d]*xh[n,d])
h[n,d] = g[n,d]*gamma[d]"""
ATTENTION = """input Q[T,D], K[U,D], V[U,E], g[T,E]
s[t,u] = sum(d, Q[t,d]*K[u,d])/sqrt(D)
P[t,u] = exp(s[t,u])/sum(v, exp(s[t,v]))
O[t,e] = sum(u, P[t,u]*V[u,e])
loss = sum(t, e, g[t,e]*O[t,e])
q[t,u] = sum(e, g[t,e]*V[u,e])
r[t,u] = P[t,u]*(q[t,u] - sum(v, q[t,v]*P[t,v]))"""
NCE = """input q[N,D], k[N,D]
const tau
assume tau > 0
s[n,m] = sum(d, q[n,d]*k[m,d])/tau
p[n,m] = exp(s[n,m])/sum(j, exp(s[n,j]))
loss = -sum(n, log(p[n,n]))/N"""

CLAIMS = [
    (SIGMOID, "W", "w[i,j]", "2/(N*K)*sum(n, (a[n,i] - y[n,i])*a[n,i]*(1 - a[n,i])*x[n,j])", True),
    (SIGMOID, "W", "w[i,j]", "2/N*sum(n, (a[n,i] - y[n,i])*a[n,i]*(1 - a[n,i])*x[n,j])", False),
    (SIGMOID, "W", "w[i,j]", "2/(N*K)*sum(n, (a[n,i] - y[n,i])*a[n,i]*x[n,j])", False),
    (SIGMOID, "W", "w[i,j]", "2/(N*K)*sum(n, (y[n,i] - a[n,i])*a[n,i]*(1 - a[n,i])*x[n,j])", False),
    (MLP, "V", "w[p,q]", "sum(n, e[n,p]*a[n,q])", True),
    (MLP, "V", "w[p,q]", "sum(n, e[n,p]*(1 - a[n,q]^2))", False),
    (MLP, "W", "w[p,q]", "sum(n, k, V[k,p]*e[n,k]*(1 - a[n,p]^2)*x[n,q])", True),
    (MLP, "W", "w[p,q]", "sum(n, sum(k, V[k,p]*e[n,k])*x[n,q])", False),
    (CE, "z", "w[n,k]", "(p[n,k]*sum(j, y[n,j]) - y[n,k])/N", True),
    (CE, "z", "w[n,k]", "(p[n,k] - y[n,k])/N", False),
    (CE, "z", "w[n,k]", "-y[n,k]*(1 - p[n,k])/N", False),
    (CE_ASSUMED, "z", "w[n,k]", "(p[n,k] - y[n,k])/N", True),
    (CE_ASSUMED, "z", "w[n,k]", "(y[n,k] - p[n,k])/N", False),
    (NORM, "x", "w[n,d]", "(h[n,d] - mean(f, h[n,f]) - xh[n,d]*mean(f, h[n,f]*xh[n,f]))/s[n]", True),
    (NORM, "x", "w[n,d]", "(D*h[n,d] - sum(f, h[n,f]) - xh[n,d]*sum(f, h[n,f]*xh[n,f]))/(D*s[n])", True),
    (NORM, "x", "w[n,d]", "(h[n,d] - xh[n,d]*mean(f, h[n,f]*xh[n,f]))/s[n]", False),
    (NORM, "x", "w[n,d]", "(h[n,d] - mean(f, h[n,f]))/s[n]", False),
    (NORM, "x", "w[n,d]", "(h[n,d] - mean(f, h[n,f]) - xh[n,d]*mean(f, h[n,f]*xh[n,f]))/(var[n] + eps)", False),
    (ATTENTION, "s", "w[t,u]", "r[t,u]", True),
    (ATTENTION, "s", "w[t,u]", "P[t,u]*(q[t,u] - sum(f, g[t,f]*O[t,f]))", True),
    (ATTENTION, "s", "w[t,u]", "P[t,u]*(1 - P[t,u])*q[t,u]", False),
    (ATTENTION, "K", "w[u,d]", "sum(t, r[t,u]*Q[t,d])/sqrt(D)", True),
    (ATTENTION, "K", "w[u,d]", "sum(t, r[t,u]*Q[t,d])/D", False),
    (NCE, "k", "w[m,d]", "(sum(n, p[n,m]*q[n,d]) - q[m,d])/(N*tau)", True),
    (NCE, "k", "w[m,d]", "(sum(n, p[m,n]*q[n,d]) - q[m,d])/(N*tau)", False),
]

HEAD = "input v[N], w[N], A[N,N], B[N,N], C[N,N], x, y\n"
IDENTITIES = [
    ("sum(i, v[i]^2) - sum(i, v[i])^2/N", "sum(i, (v[i] - mean(j, v[j]))^2)", True),
    ("sum(i, j, (v[i] - v[j])^2)", "2*N*sum(i, v[i]^2) - 2*sum(i, v[i])^2", True),
    ("sum(i, sum(j, A[i,j]*B[j,i]))", "sum(j, i, B[i,j]*A[j,i])", True),
    ("sum(i, j, k, A[i,j]*B[j,k]*C[k,i])", "sum(i, j, k, C[i,j]*A[j,k]*B[k,i])", True),
    ("sum(i, j, k, A[i,j]*B[j,k]*C[k,i])", "sum(i, j, k, A[i,j]*B[k,j]*C[k,i])", False),
    ("sum(i, exp(v[i])/sum(j, exp(v[j])))", "1", True),
    ("sum(i, v[i]/(v[i] + w[i])) + sum(i, w[i]/(v[i] + w[i]))", "N", True),
    ("sum(i, (v[i]^2 - 1)/(v[i] - 1))", "sum(i, v[i]) + N", True),
    ("1/(1 + exp(-x)) + 1/(1 + exp(x))", "1", True),
    ("tanh(x)", "2*sigmoid(2*x) - 1", True),
    ("tanh(x + y)", "(tanh(x) + tanh(y))/(1 + tanh(x)*tanh(y))", True),
    ("softplus(x) - softplus(-x)", "x", True),
    ("cosh(x)^2 - sinh(x)^2", "1", True),
    ("exp(x)*exp(y)", "exp(x + y)", True),
    ("sqrt(1 + x^2)^2", "1 + x^2", True),
    ("relu(x) - relu(-x)", "x", True),
    ("abs(x)", "where(x < 0, -x, x)", True),
    ("maximum(x, y) + minimum(x, y)", "x + y", True),
    ("where(x > 0, x, 0)", "where(x >= 0, x, 0)", True),
    ("where(x > 0, 1, 0)", "where(x >= 0, 1, 0)", False),
    ("where(x > 0 and y > 0, x, y)", "where(not (x > 0 and y > 0), y, x)", True),
    ("sum(i, j, where(i == j, A[i,j], 0))", "sum(i, A[i,i])", True),
    ("sum(i, j, where(i == j, A[i,j], 0))", "sum(i, j, A[i,j])", False),
    ("log(x^2)", "2*log(x)", False),
    ("sqrt(x^2)", "x", False),
    ("(x^3)^(1/3)", "x", False),
    ("sum(i, v[i]*w[i])", "sum(i, v[i])*sum(i, w[i])", False),
    ("sum(i, v[i])/N", "sum(i, v[i])", False),
]


def judge(text: str, wrt: str, head: str, claim: str) -> Equality | None:
    """How the adjoint of `wrt` is shown equal to a claim that is defined beside it."""
    name = head.split("[")[0]
    claimed = sb.parse(f"{text}\n{'g_' + head} = {claim}").core
    adjoints = derive(claimed, "loss", (wrt,))
    program = claimed.extended(adjoints.definitions)
    definition = program.definition(f"g_{name}")
    assert definition is not None
    return NormalForms(program, program.assumptions, products=30_000).equal(adjoints.gradient(wrt), definition)


def compare(left: str, right: str, head: str = HEAD) -> bool:
    """Whether two scalar formulas are shown equal."""
    program = sb.parse(f"{head}left = {left}\nright = {right}").core
    first, second = program.definition("left"), program.definition("right")
    assert first is not None
    assert second is not None
    return NormalForms(program, products=20_000).equal(first, second) is not None


@pytest.mark.parametrize(("text", "wrt", "head", "claim", "right"), CLAIMS, ids=lambda value: str(value)[-48:])
def test_claims_about_gradients(text: str, wrt: str, head: str, claim: str, right: bool) -> None:
    """A right formula for a gradient is proved for all sizes and a wrong one is not."""
    assert (judge(text, wrt, head, claim) is not None) is right


@pytest.mark.parametrize(("left", "right", "equal"), IDENTITIES, ids=lambda value: str(value)[:48])
def test_identities(left: str, right: str, equal: bool) -> None:
    """Identities that hold wherever both sides are defined are proved; others are not."""
    assert compare(left, right) is equal


def test_a_proof_says_its_stage_and_what_it_assumes() -> None:
    """Names stay where that suffices, and exactly the assumptions that were used are named, asked once or twice."""
    kept = judge(NORM, "gamma", "w[d]", "sum(n, g[n,d]*xh[n,d])")
    inlined = judge(CE_ASSUMED, "z", "w[n,k]", "(p[n,k] - y[n,k])/N")
    free = judge(CE_ASSUMED, "z", "w[n,k]", "(p[n,k]*sum(j, y[n,j]) - y[n,k])/N")

    assert kept is not None
    assert kept.stage == NAMES_KEPT
    assert inlined is not None
    assert inlined.stage in (AFFINE_KEPT, INLINED)
    assert [a.relation for a in inlined.assumptions] == ["="]
    assert free is not None

    claimed = sb.parse(f"{CE_ASSUMED}\nc[n,k] = (p[n,k] - y[n,k])/N").core
    adjoints = derive(claimed, "loss", ("z",))
    program = claimed.extended(adjoints.definitions)
    forms, claim = NormalForms(program, program.assumptions), program.definition("c")
    assert claim is not None
    assert forms.equal(adjoints.gradient("z"), claim) == forms.equal(adjoints.gradient("z"), claim) == inlined


def test_without_its_assumption_a_claim_is_not_proved() -> None:
    """The same claim is open where the equation is declared but not given to the proof."""
    claimed = sb.parse(f"{CE_ASSUMED}\nc[n,k] = (p[n,k] - y[n,k])/N").core
    adjoints = derive(claimed, "loss", ("z",))
    claim = claimed.definition("c")
    assert claim is not None

    assert NormalForms(claimed.extended(adjoints.definitions)).equal(adjoints.gradient("z"), claim) is None


def test_work_is_bounded() -> None:
    """A question that needs more products than are allowed is left open."""
    program = sb.parse("input v[N]\nleft = sum(i, (1 + v[i] + v[i]^2)^40)\nright = sum(i, (v[i] + 1 + v[i]^2)^40)").core
    first, second = program.definition("left"), program.definition("right")
    assert first is not None
    assert second is not None

    assert NormalForms(program, products=200).equal(first, second) is None


def random_factors(generator: random.Random, letters: Sequence[str]) -> list[str]:
    """Factors that read matrices and vectors at random letters."""
    made = []
    for _ in range(generator.randint(2, 4)):
        name = generator.choice("ABCvw")
        at = ",".join(generator.choice(letters) for _ in range(2 if name in "ABC" else 1))
        made.append(generator.choice(("{}", "{}", "exp({})", "({})^2", "tanh({})")).format(f"{name}[{at}]"))
    return made


def contraction(factors: Sequence[str], letters: Sequence[str]) -> str:
    """The sum of a product over letters, nested at the last one."""
    return f"sum({', '.join(f'{i}:N' for i in letters[:-1])}, sum({letters[-1]}:N, {'*'.join(factors)}))"


def value_of(program: Program, name: str) -> sympy.Float:
    """A tensor's value at size 2 and a rational point."""
    expansion = Expansion(program, {"N": 2})
    point = {
        entry_symbol(leaf.name, entry): sympy.Rational(2 + (5 * k + 3 * entry[0] + 7 * entry[-1]) % 13, 11)
        for k, leaf in enumerate(program.leaves)
        if leaf.axes
        for entry in expansion.entries(leaf.name)
    }
    return expansion.entry(name, ()).xreplace(point).evalf(25)


@pytest.mark.parametrize("seed", range(60))
def test_random_contractions(seed: int) -> None:
    """Renamed and reordered sums are proved equal; of sums with changed indices, only those with equal values are."""
    generator = random.Random(seed)
    letters = ["i", "j", "k"][: generator.randint(2, 3)]
    factors = random_factors(generator, letters)
    others = dict(zip(letters, generator.sample(["p", "q", "r"], len(letters)), strict=True))
    renamed = [rename(f, others) for f in factors]
    shuffled = generator.sample(renamed, len(renamed))
    changed = list(factors)
    place = generator.randrange(len(changed))
    changed[place] = random_factors(generator, letters)[0]
    left = contraction(factors, letters)

    assert compare(left, contraction(shuffled, generator.sample(list(others.values()), len(others))))
    if compare(left, contraction(changed, letters)):
        program = sb.parse(f"{HEAD}left = {left}\nright = {contraction(changed, letters)}").core
        assert abs(value_of(program, "left") - value_of(program, "right")) < sympy.Float("1e-20")


def rename(factor: str, others: dict[str, str]) -> str:
    """The factor with letters replaced between its square brackets."""
    start, end = factor.index("["), factor.index("]")
    return factor[:start] + factor[start:end].translate(str.maketrans(others)) + factor[end:]
