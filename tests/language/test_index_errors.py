"""What index arithmetic, integer data, extremes and recurrences cannot mean, said with its place and the way out."""

from __future__ import annotations

import numpy as np
import pytest

import symbackprop as sb
from symbackprop.errors import RangeError, UnsaidShapeError

RECURRENCE = "param u, a\ninput x[T]\n{}\nloss = sum(t, h[t]^2)"
CASES = (
    ("reads in both directions", RECURRENCE.format("h[t] = u*h[t-1] + h[t+1] + x[t]"), sb.CycleError,
     "line 3: found h in a circle of definitions that does not step one index in one direction, expected reads of t-1 "
     "only or of t+1 only"),
    ("two steps back", RECURRENCE.format("h[t] = u*h[t-2] + x[t]"), sb.CycleError, "reads of t-1 only or of t+1 only"),
    ("the same step", RECURRENCE.format("h[t] = u*h[t] + x[t]"), sb.CycleError,
     "line 3, column 10: found h in a circle of definitions (line 3), expected definitions that read only what stands "
     "above; a recurrence reads one step back or ahead, as h[t-1,j]"),
    ("two that read the same step", RECURRENCE.format("h[t:T] = u*g[t] + x[t]\ng[t:T] = h[t]"), sb.CycleError,
     "found g in a circle of definitions (line 4)"),
    ("two axes", "param u\ninput x[T,T]\nh[t,s] = u*h[t-1,s] + h[t,s-1] + x[t,s]\nloss = h[1,1]", sb.CycleError,
     "does not step one index in one direction"),
    ("bases at both ends", RECURRENCE.format("h[0] = a\nh[T+1] = a\nh[t] = u*h[t-1] + x[t]"), sb.FormulaError,
     "line 4, column 1: found a second base of h, expected one: h[0] stands in line 3"),
    ("a base elsewhere", RECURRENCE.format("h[1] = a\nh[t] = u*h[t-1] + x[t]"), sb.FormulaError,
     "expected an index such as i, or the base of a recurrence: h[0,i], or h[T+1,i]"),
    ("a base beyond the end", RECURRENCE.format("h[7] = a\nh[t] = u*h[t+1] + x[t]"), sb.ShapeError,
     "found a base at 7, expected 0, or T+1 at the far end"),
    ("a base without a step", "param a\nh[0] = a\nloss = a", sb.FormulaError,
     "found the base h[0] alone, expected a step too, as h[t, ...] = ..."),
    ("no range", "param x[N]\nloss = sum(p, x[2*p])", UnsaidShapeError,
     "line 2, column 12: found the index p without a range, expected a range; it stands alone on no axis, so give it "
     "where it is introduced, as in p:N"),
    ("two sizes", "param x[N], y[M]\nloss = sum(i, x[i]*y[i])", RangeError,
     "line 2, column 20: index i runs over N in x[i] (line 2) and over M in y[i]"),
    ("another size than given", "param x[N]\nloss = sum(i:M, x[i])", RangeError,
     "found i over M, expected N, over which i runs in x[i]"),
    ("a literal outside", "param x[3]\nloss = x[4]", sb.ShapeError,
     "found the literal index 4 in x[4], expected 1 to 3"),
    ("an empty axis", "param x[0]\nloss = sum(i, x[i])", UnsaidShapeError,
     "found the size 0, expected a size of at least 1"),
    ("integer data of another size", "index t[N] in K\nparam x[N]\nloss = sum(n, x[t[n]])", sb.ShapeError,
     "found t[n], which is 1 to K, on axis 1 of x, expected an index over N"),
    ("an argmax over another size", "param x[N], y[K]\nloss = y[argmax(n, x[n])]", sb.ShapeError,
     "found argmax(n, x[n]), which is 1 to N, on axis 1 of y, expected an index over K"),
    ("an argmax of two indices as an index", "param x[N,K], y[N]\nloss = y[argmax(n, k, x[n,k])]", sb.FormulaError,
     "found `argmax(n, k, x[n,k])` as an index"),
    ("a real tensor as an index", "param x[N], y[N]\nloss = sum(n, x[y[n]])", sb.FormulaError,
     "found the tensor y as an index, expected an index, or an entry of an index tensor"),
    ("a quotient that is no integer", "param x[N]\nloss = sum(i:N, x[i/2])", sb.FormulaError,
     "found `/` in x[i/2], expected `//`, the quotient rounded down"),
    ("a remainder by 0", "param x[N]\nloss = sum(i:N, x[i%0])", sb.FormulaError, "a positive integer or a size"),
)  # fmt: skip


@pytest.mark.parametrize(("text", "kind", "said"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_misuse_is_said(text: str, kind: type[sb.SymBackpropError], said: str) -> None:
    """Each has an error of its kind that says what was found and what was expected."""
    with pytest.raises(sb.SymBackpropError) as caught:
        sb.parse(text)

    assert type(caught.value) is kind
    assert said in str(caught.value)


def test_what_counts_has_no_derivative() -> None:
    """An argmax as the loss, and a derivative by integer data."""
    with pytest.raises(sb.ArgumentError, match="loss counts, and has no derivative"):
        sb.derive(sb.parse("param x[N]\nloss = argmax(n, x[n])"))
    with pytest.raises(sb.UndefinedGradientError, match="t is an integer tensor"):
        sb.derive(sb.parse("index t[N] in K\nparam x[K]\nloss = sum(n, x[t[n]])"), wrt="t")


@pytest.mark.parametrize(("tokens", "kind", "said"), [
    ([1, 4], sb.DataError, "tok holds 4"),
    ([0, 1], sb.DataError, "tok holds 0"),
    ([1.0, 2.0], sb.DataError, "float64"),
    ([[1, 2]], sb.ShapeError, r"tok has (the )?shape \(1, 2\)"),
    ([], sb.SymBackpropError, "tok has (the )?shape"),
])  # fmt: skip
def test_wrong_integer_data_are_said(tokens: object, kind: type[sb.SymBackpropError], said: str) -> None:
    """Data outside 1..V, with fractions, of another shape or empty, in code and written out."""
    program = sb.parse("index tok[N] in V\nparam E[V]\nloss = sum(n, E[tok[n]]^2)")

    with pytest.raises(kind, match=said):
        sb.derive(program).compile()({"E": np.ones(3)}, tok=tokens)
    with pytest.raises(kind, match=said):
        program.expand({"N": 2, "V": 3}, data={"tok": tokens})


def test_sizes_that_leave_an_axis_empty_are_said() -> None:
    """A filter longer than what it is moved over: in code, written out and in scalar notation."""
    program = sb.parse("input x[N]\nparam w[R]\nz[p:N-R+1] = sum(r, w[r]*x[p+r-1])\nloss = sum(p, z[p]^2)")
    sizes = {"N": 2, "R": 4}

    with pytest.raises(sb.ShapeError, match="every axis needs at least one entry"):
        sb.derive(program).compile()({"w": np.ones(4)}, x=np.ones(2))
    for write in (lambda: program.expand(sizes), lambda: program.latex("scalar", sizes=sizes)):
        with pytest.raises(sb.ShapeError, match="N-R\\+1 = -1"):
            write()
    with pytest.raises(sb.ArgumentError, match="must be an integer of at least 1"):
        program.latex("scalar", sizes={"N": 2, "R": 0})
