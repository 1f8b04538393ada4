"""Random formulas over what can be read: functions, reductions, conditions, numbers.

Values stay moderate and inside every domain by construction: logarithms, roots and quotients are guarded, as in
`log(1+u^2)` and `u/(1+v^2)`, and what grows fast takes a bounded argument, as in `exp(tanh(u))`.
"""

from __future__ import annotations

from random_reads import SIZES, Reads, Scope

from symbackprop.functions import FUNCTIONS

SMOOTH = (
    "tanh({u})", "sigmoid({u})", "sin({u})", "cos({u})", "erf({u})", "softplus({u})", "silu({u})", "gelu({u})",
    "gelu_tanh({u})", "identity({u})", "log(1 + ({u})^2)", "sqrt(1 + ({u})^2)", "exp(tanh({u}))", "exp(-({u})^2)",
    "sinh(tanh({u}))", "cosh(sin({u}))", "tan(sin({u})/2)", "1/(1 + ({u})^2)", "(2 + sin({u}))^0.5",
    "(1 + ({u})^2)^(-1)", "(3/2 + tanh({u}))^(1/3)",
)  # fmt: skip
KINKED = (
    "relu({u})", "abs({u})", "leaky_relu({u})", "leaky_relu({u}, 0.2)", "elu({u})", "elu({u}, 0.5)", "sign({u})",
)  # fmt: skip
BINARY = (
    "{u} + {v}", "{u} - {v}", "({u})*({v})", "({u})/(1 + ({v})^2)", "({u})*({v})/2", "-({u}) + ({v})*0.3",
    "(2 + tanh({u}))^(sin({v}))",
)  # fmt: skip
KINKED_PAIRS = ("maximum({u}, {v})", "minimum({u}, {v})")
WRITTEN = " ".join((*SMOOTH, *KINKED, *BINARY, *KINKED_PAIRS))
OTHERS = tuple(  # whatever else the catalogue has that takes every number
    f"{f.name}({', '.join(('{u}', '{v}')[: f.arity])})"
    for f in FUNCTIONS
    if f.domain is None and f"{f.name}(" not in WRITTEN
)
BOUNDING = ("tanh({u})", "sin({u})", "erf({u})", "sigmoid({u})")
NUMBERS = ("2", "0.5", "3", "1/3", "0.1", "pi/4", "1e-1")


class Writer(Reads):
    """Writes formulas."""

    def expression(self, scope: Scope, depth: int) -> str:
        """An expression over the indices in scope."""
        if depth <= 0:
            return self.leaf(scope)
        kind = self.source.weighted(
            ("leaf", "smooth", "kinked", "other", "binary", "extreme", "reduction", "where", "power", "scaled"),
            (3, 6, 2, 0.8, 8, 0.7, 5, 1.2, 1, 2),
        )
        if kind == "leaf":
            return self.leaf(scope)
        if kind in ("smooth", "kinked"):
            template = self.source.choice(SMOOTH if kind == "smooth" else KINKED)
            self.features.update((template, kind))
            return template.format(u=self.expression(scope, depth - 1))
        if kind == "other":
            template = OTHERS[int(self.source.random() * len(OTHERS))]  # so that a longer catalogue changes this alone
            self.features.update((template, kind))
            return template.format(u=self.expression(scope, depth - 1), v=self.expression(scope, 0))
        if kind in ("binary", "extreme"):
            template = self.source.choice(BINARY if kind == "binary" else KINKED_PAIRS)
            self.features.update((template, kind))
            text = template.format(u=self.expression(scope, depth - 1), v=self.expression(scope, depth - 1))
            return f"({text})" if kind == "binary" else text
        if kind == "reduction":
            return self.reduction(scope, depth)
        if kind == "where":
            return self.choice_of(scope, depth)
        if kind == "power":
            return f"({self.expression(scope, depth - 1)})^{self.source.choice('23')}"
        return f"{self.scale(scope)}*({self.expression(scope, depth - 1)})"

    def scale(self, scope: Scope) -> str:
        """A number, a size, an index, an integer form, an entry of an integer tensor or an argmax as a number."""
        entry = self.integer_entry(scope) if self.chance(0.25) else None
        if entry:
            self.features["integer entry as a number"] += 1
            return f"sin({entry[0]}/3)"
        if not self.plain and self.chance(0.1):
            self.features["argmax as a number"] += 1
            return f"(1/{self.argmax(scope)[0]})"
        if not self.plain and self.chance(0.08):
            self.features["argmax over several"] += 1
            i = self.fresh(scope)
            j = self.fresh({**scope, i: ""})
            wide = {**scope, i: self.source.choice(self.sizes()), j: self.source.choice(self.sizes())}
            body = f"{self.factor(wide, i)}*cos({i}+2*{j}) + {self.factor(wide, j)}*sin({i}*{j})"
            return f"(1/argmax({i}:{wide[i]}, {j}:{wide[j]}, {body}))"
        if not self.plain and scope and self.chance(0.15):
            self.features["integer form as a number"] += 1
            letter = self.source.choice(sorted(scope))
            return f"cos({self.source.choice(('{i}//2', '{i}%2', '(2*{i}+1)//3')).format(i=letter)})"
        if scope and self.chance(0.3):
            self.features["index as a number"] += 1
            return f"sin({self.source.choice(sorted(scope))}/3)"
        if self.chance(0.3):
            self.features["size as a number"] += 1
            names = sorted({a for t in self.tensors for a in t.axes if a in SIZES}) or ["2"]
            return f"(1/{self.source.choice(names)})"
        return self.source.choice(NUMBERS)

    def reduction(self, scope: Scope, depth: int) -> str:
        """A reduction over one or two new indices of a product or of any expression."""
        inner = dict(scope)
        bound: list[str] = []
        for _ in range(self.source.choice((1, 1, 1, 2))):
            letter = self.letter(inner, bound)
            bound.append(letter)
            inner[letter] = self.source.choice(self.sizes())
        self.features["nested sum"] += depth < 3
        body = self.expression(inner, depth - 1)
        if self.chance(0.5):
            body = f"{self.factor(inner, bound[0])}*({body})"
        operation = self.source.choice(("sum", "sum", "sum", "mean", "mean", *(() if self.plain else ("max", "min"))))
        self.features[operation] += 1
        if operation in ("max", "min"):
            parts = [f"{self.factor(inner, i)}*sin({i})" for i in bound]
            body = f"{' + '.join(parts)} + {body}"
            self.features["an extreme over several"] += len(bound) > 1
        self.features["mean over several"] += operation == "mean" and len(bound) > 1
        return f"{operation}({self.binders(bound, inner, body)}, {body})"

    def choice_of(self, scope: Scope, depth: int) -> str:
        """A `where` with a condition on values, indices or both."""
        self.features["where"] += 1
        condition = self.condition(scope, depth)
        if self.chance(0.3):
            condition = f"{condition} {self.source.choice(('and', 'or'))} {self.condition(scope, depth)}"
            self.features["and, or"] += 1
        elif self.chance(0.2):
            condition = f"not {condition}"
            self.features["not"] += 1
        return f"where({condition}, {self.expression(scope, depth - 1)}, {self.expression(scope, depth - 1)})"

    def condition(self, scope: Scope, depth: int) -> str:
        """One comparison."""
        same = [(i, j) for i, s in scope.items() for j, t in scope.items() if i < j and s == t]
        if same and self.chance(0.4):
            self.features["condition on indices"] += 1
            i, j = self.source.choice(same)
            left = self.source.choice((i, i, i, f"{i}+1", f"2*{i}")) if not self.plain else i
            return f"{left} {self.source.choice(('<', '<=', '==', '!='))} {j}"
        entry = self.integer_entry(scope) if self.chance(0.3) else None
        if entry:
            self.features["condition on integer data"] += 1
            others = [*self.fitting(scope, entry[1]), "1"]
            return f"{entry[0]} {self.source.choice(('==', '!=', '<=', '>'))} {self.source.choice(others)}"
        if scope and self.chance(0.25):
            self.features["condition on indices"] += 1
            letter = self.source.choice(sorted(scope))
            if not self.plain and self.chance(0.3):
                self.features["condition on a remainder"] += 1
                return f"{letter}%2 == {self.source.choice('01')}"
            return f"{letter} {self.source.choice(('==', '!=', '>'))} 1"
        self.features["condition on values"] += 1
        relation = self.source.choice(("<", "<=", ">", ">="))
        left = self.expression(scope, min(depth - 1, 1))
        return f"{left} {relation} {'0.1' if self.chance(0.5) else self.expression(scope, 0)}"
