"""The layers of the catalogue: time to derive, length of what is printed, operations against the textbook's form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import prod

import sympy

import symbackprop as sb
from benchmarks.contest import Pace, measure, write_table, write_time
from symbackprop.calculus.definitions import Definition, Term, slot_symbol, used_slots
from symbackprop.calculus.guards import Equal
from symbackprop.calculus.tensors import slot_indices

SIZE = 64  # of every axis that has a name
ROUNDS = 5

# What a textbook writes for the gradients, in the names of the entry; each line is judged before it is counted. Names
# that the entry does not have are helper lines.
TEXTBOOK: Mapping[str, str] = {
    "dense": """
        x[n,j] = sum(i, g[n,i]*W[i,j])
        W[i,j] = sum(n, g[n,i]*x[n,j])
        b[i] = sum(n, g[n,i])
    """,
    "bilinear": """
        x[n,i] = sum(k, g[n,k]*sum(j, W[k,i,j]*y[n,j]))
        y[n,j] = sum(k, g[n,k]*sum(i, x[n,i]*W[k,i,j]))
        W[k,i,j] = sum(n, g[n,k]*x[n,i]*y[n,j])
        b[k] = sum(n, g[n,k])
    """,
    "conv1d": """
        x[n,c,l] = sum(k, r, g[n,k,l-r+1]*W[k,c,r])
        W[k,c,r] = sum(n, p, g[n,k,p]*x[n,c,p+r-1])
        b[k] = sum(n, p, g[n,k,p])
    """,
    "conv2d": """
        x[n,c,h,l] = sum(k, r, s, g[n,k,h-r+1,l-s+1]*W[k,c,r,s])
        W[k,c,r,s] = sum(n, p, q, g[n,k,p,q]*x[n,c,p+r-1,q+s-1])
        b[k] = sum(n, p, q, g[n,k,p,q])
    """,
    "softmax": "x[n,i] = z[n,i]*(g[n,i] - sum(j, g[n,j]*z[n,j]))",
    "log_softmax": "x[n,i] = g[n,i] - exp(z[n,i])*sum(j, g[n,j])",
    # Ioffe and Szegedy 2015, Batch normalization, section 3.
    "batch_norm": """
        dx[n,i] = g[n,i]*gamma[i]
        dv[i] = sum(n, dx[n,i]*(x[n,i] - mu[i]))*(-1/2)*(v[i] + 1e-5)^(-3/2)
        dm[i] = -sum(n, dx[n,i]/sqrt(v[i] + 1e-5)) - dv[i]*sum(n, 2*(x[n,i] - mu[i]))/N
        x[n,i] = dx[n,i]/sqrt(v[i] + 1e-5) + dv[i]*2*(x[n,i] - mu[i])/N + dm[i]/N
        gamma[i] = sum(n, g[n,i]*xhat[n,i])
        beta[i] = sum(n, g[n,i])
    """,
    "layer_norm": """
        dx[n,i] = g[n,i]*gamma[i]
        x[n,i] = (D*dx[n,i] - sum(j, dx[n,j]) - xhat[n,i]*sum(j, dx[n,j]*xhat[n,j]))/(D*sqrt(v[n] + 1e-5))
        gamma[i] = sum(n, g[n,i]*xhat[n,i])
        beta[i] = sum(n, g[n,i])
    """,
    "rms_norm": """
        dx[n,i] = g[n,i]*gamma[i]
        x[n,i] = dx[n,i]/r[n] - x[n,i]*sum(j, dx[n,j]*x[n,j])/(D*r[n]^3)
        gamma[i] = sum(n, g[n,i]*xhat[n,i])
    """,
    "attention": """
        v[n,u,f] = sum(t, p[n,t,u]*g[n,t,f])
        dp[n,t,u] = sum(f, g[n,t,f]*v[n,u,f])
        ds[n,t,u] = p[n,t,u]*(dp[n,t,u] - sum(j, p[n,t,j]*dp[n,t,j]))
        q[n,t,d] = sum(u, ds[n,t,u]*k[n,u,d])/sqrt(D)
        k[n,u,d] = sum(t, ds[n,t,u]*q[n,t,d])/sqrt(D)
    """,
    "feed_forward": """
        O[d,k] = sum(n, g[n,d]*h[n,k])
        c[d] = sum(n, g[n,d])
        du[n,k] = sum(d, g[n,d]*O[d,k])*where(u[n,k] > 0, 1, 0)
        W[k,d] = sum(n, du[n,k]*x[n,d])
        b[k] = sum(n, du[n,k])
        x[n,d] = sum(k, du[n,k]*W[k,d])
    """,
    "swiglu": """
        dh[n,k] = sum(d, g[n,d]*O[d,k])
        dv[n,k] = dh[n,k]*silu(u[n,k])
        du[n,k] = dh[n,k]*v[n,k]*sigmoid(u[n,k])*(1 + u[n,k]*(1 - sigmoid(u[n,k])))
        O[d,k] = sum(n, g[n,d]*h[n,k])
        W[k,d] = sum(n, du[n,k]*x[n,d])
        V[k,d] = sum(n, dv[n,k]*x[n,d])
        x[n,d] = sum(k, du[n,k]*W[k,d]) + sum(k, dv[n,k]*V[k,d])
    """,
}


def count_operations(definitions: Iterable[Definition], sizes: Mapping[str, int]) -> int:
    """Additions, multiplications and functions of definitions that are evaluated once each, entry by entry; a sum that
    does not depend on a free index is evaluated once for all its values.

    An equation between indices picks one place and costs nothing, as where one entry of a table is read.
    """
    return sum(_count(d, t, sizes) for d in definitions for t in d.terms)


def _count(definition: Definition, term: Term, sizes: Mapping[str, int]) -> int:
    runs = {index: index.size.evaluate(sizes) for index in (*definition.indices, *term.bound)}
    for guard in term.guards:
        if isinstance(guard, Equal):
            solved = [index for index in term.bound if index in guard.form.indices and runs[index] > 1]
            runs[solved[0] if solved else definition.indices[0]] = 1
    inner, outer = _split(term)
    carried = {i for k in used_slots(inner) for i in slot_indices(term.slots[k])}
    carried |= {i for guard in term.guards for i in guard.form.indices}
    sums = prod(runs[index] for index in definition.indices if index in carried)  # one sum serves all others
    each = prod(runs[index] for index in definition.indices)
    within = prod(runs[index] for index in term.bound)
    joined = 1 if len(definition.terms) > 1 else 0
    summed = sums * within * (int(inner.count_ops()) + 1) if term.bound else 0
    return summed + each * (int(outer.count_ops()) + joined + (0 if term.bound else int(inner.count_ops())))


def _split(term: Term) -> tuple[sympy.Expr, sympy.Expr]:
    """The factors of a body that a sum has to run over, and those that stand before it."""
    moving = {slot_symbol(k) for k, slot in enumerate(term.slots) if set(slot_indices(slot)) & set(term.bound)}
    outer, inner = term.body.as_independent(*moving) if term.bound else (sympy.S.One, term.body)
    return inner, outer if outer in (1, -1) else 2 * outer  # and the product of both


def count_textbook(entry: sb.Entry, sizes: Mapping[str, int]) -> int | None:
    """The operations of the textbook's lines; None where we wrote none down, ValueError where one is not proved."""
    if entry.name not in TEXTBOOK:
        return None
    lines = [tuple(line.strip().split(" = ", 1)) for line in TEXTBOOK[entry.name].strip().splitlines()]
    known = {tensor.name: tensor for tensor in entry.program.tensors}
    helpers = [f"{head} = {formula}" for head, formula in lines if head.split("[")[0] not in known]
    *given, loss = entry.program.text().strip().splitlines()
    program = sb.parse("\n".join([*given, *helpers, loss]))
    counted = [*helpers]
    for number, (head, formula) in enumerate(lines):
        if head.split("[")[0] not in known:
            continue
        verdict = sb.verify_gradient(program, head, formula)
        if not verdict.proved:
            raise ValueError(f"{entry.name}: {head} is {verdict}")
        name, letters = head.rstrip("]").split("[")
        places = (f"{i}:{size}" for i, size in zip(letters.split(","), known[name].axes, strict=True))
        counted.append(f"textbook{number}[{','.join(places)}] = {formula}")
    unused = loss.replace("loss =", "unused =")
    definitions = sb.parse("\n".join([*given, unused, *counted])).core.definitions
    return count_operations(definitions[len(entry.program.core.definitions) :], sizes)


def report(pace: Pace) -> str:
    """A row for each layer; to be quick, for those whose gradients a textbook writes down."""
    rounds, rows = min(ROUNDS, pace.rounds), []
    for entry in sb.catalogue():
        if entry.kind != "layer" or (pace.quick and entry.name not in TEXTBOOK):
            continue
        program, wrt = entry.program, list(entry.derivation.gradients)
        seconds = measure({"derive": lambda p=program, w=wrt: sb.derive(p, w).text()}, rounds)["derive"]
        sizes = dict.fromkeys(entry.sizes[0], SIZE)
        mine, textbook = count_operations(entry.derivation.folding.definitions, sizes), count_textbook(entry, sizes)
        lines = entry.derivation.latex("matrix").count("\\\\") + 1
        ratio = "-" if textbook is None else f"{mine / textbook:.2f}"
        rows.append((entry.name, write_time(seconds), str(lines), f"{mine:.3g}", ratio))
    head = ("layer", "derived, folded, printed", "lines in matrix notation", "operations backward", "of the textbook's")
    return (
        "## Layers of the catalogue\n\n"
        f"Operations of the derived backward pass with {SIZE} for every size that has a name, counted as its formulas\n"
        "say them, against the textbook's lines, which are proved equal before they are counted.\n\n"
        f"{write_table(head, rows)}\n"
    )
