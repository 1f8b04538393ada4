r"""Reads matrix notation back: the LaTeX of an equation computed with NumPy, by a small grammar of its own.

Everything is an array of two axes, vectors being columns. A product with the vector of ones behind or before it that is
no sum is kept as one column or one row, which NumPy repeats.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import numpy as np

FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    r"\tanh": np.tanh,
    r"\exp": np.exp,
    r"\log": np.log,
    r"\sin": np.sin,
    r"\cos": np.cos,
    r"\sigma": lambda u: 1 / (1 + np.exp(-u)),
    r"\operatorname{ReLU}": lambda u: np.maximum(u, 0),
    r"\operatorname{softplus}": lambda u: np.log1p(np.exp(u)),
    r"\operatorname{tr}": lambda u: np.array([[np.trace(u)]]),
    r"\operatorname{vec}": lambda u: u.reshape(-1, 1, order="F"),
    r"\operatorname{diag}": lambda u: np.diag(u[:, 0]) if u.shape[1] == 1 else np.diag(u).reshape(-1, 1),
}
ENDS = (")", "]", "}", "+", "-", r"\odot", r"\oslash", r"\otimes", ">", r"\le", r"\ge", "<", "|end", "||end", "&")


class MatrixReader:
    """Computes right sides; `values` are arrays by how they are printed, `scalars` the sizes and constants.

    A letter with an index below is the row that it picks, where a sum over that index stands before.
    """

    def __init__(self, values: Mapping[str, np.ndarray], scalars: Mapping[str, float]) -> None:
        self.values = dict(values)
        for name, value in values.items():
            self.values[_turned(name)] = value.T
        self.scalars = dict(scalars)
        self.tokens: list[str] = []

    def read(self, text: str) -> np.ndarray:
        """The value of a right side."""
        text = text.replace(r"\left\lVert", r"\norm ").replace(r"\right\rVert", "||end")
        text = text.replace(r"\left|", r"\abs ").replace(r"\right|", "|end")
        text = re.sub(r"\\left|\\right|\\,", "", text)
        names = sorted((*self.values, *self.scalars), key=len, reverse=True)
        pattern = "|".join(
            (
                r"(?<![A-Za-z\\])[A-Za-z]_\{[a-z]\}",
                *map(re.escape, names),
                r"\\frac|\\odot|\\oslash|\\otimes|\\mathbf\{1\}(?:\^\{\\top\})?|\\mathbf\{K\}_\{\w+,\w+\}|I_\{\w+\}|I\b",
                r"\\sum_\{\w=1\}\^\{\w+\}|\\sqrt|\\norm|\\abs|\\cdot|\\det|\\le|\\ge|\\[a-z]+(?![a-z])\{[A-Za-z]+\}|\\[a-z]+",
                r"\|\|end|\|end|e\^(?=\{)|[0-9]+(?:\.[0-9]+)?|[(){}+\-\[\]<>^_]|F\b",
            )
        )
        self.tokens = re.findall(pattern, text)
        assert "".join(self.tokens) == re.sub(r"\s", "", text), (self.tokens, text)
        result = self.sum()
        assert not self.tokens, self.tokens
        return result

    def peek(self) -> str:
        return self.tokens[0] if self.tokens else ""

    def take(self, wanted: str = "") -> str:
        token = self.tokens.pop(0)
        assert not wanted or token == wanted, (token, wanted, self.tokens)
        return token

    def sum(self) -> np.ndarray:
        sign = -1 if self.peek() == "-" and self.take() else 1
        total = sign * self.kronecker()
        while self.peek() in ("+", "-"):
            operator = self.take()
            total = total + (1 if operator == "+" else -1) * self.kronecker()
        return total

    def kronecker(self) -> np.ndarray:
        total = self.hadamard()
        while self.peek() == r"\otimes":
            self.take()
            total = np.kron(total, self.hadamard())
        return total

    def hadamard(self) -> np.ndarray:
        total = self.product()
        while self.peek() in (r"\odot", r"\oslash"):
            total = total * self.product() if self.take() == r"\odot" else total / self.product()
        return total

    def product(self) -> np.ndarray:
        factors: list[np.ndarray | str] = []
        while self.peek() and self.peek() not in ENDS:
            if self.peek() == r"\cdot":
                self.take()
            elif self.peek().startswith(r"\sum_"):
                factors.append(self.over_samples())
                break
            else:
                factors.append(self.powers(self.factor()))
        return self.multiply(factors)

    def over_samples(self) -> np.ndarray:
        """A sum over an index that picks rows of matrices, up to the end of the addend."""
        index, size = re.fullmatch(r"\\sum_\{(\w)=1\}\^\{(\w+)\}", self.take()).groups()
        kept = list(self.tokens)
        total: np.ndarray | float = 0.0
        for k in range(int(self.scalars[size])):
            self.tokens = list(kept)
            for name, value in list(self.values.items()):
                if value.ndim == 2 and value.shape[0] == int(self.scalars[size]):
                    self.values[f"{name}_{{{index}}}"] = value[k].reshape(-1, 1)
                    self.values[f"{name.lower()}_{{{index}}}"] = value[k].reshape(-1, 1)
            total = total + self.kronecker()
        return np.asarray(total)

    def powers(self, value: np.ndarray | float | str) -> np.ndarray | float | str:
        while self.peek() == "^" and not isinstance(value, str):
            self.take()
            self.take("{")
            if self.peek() == r"\odot":
                self.take()
                exponent = self.sum().item()
                value = value**exponent
            elif self.peek() == r"\top":
                self.take()
                value = np.asarray(value).T
            elif self.tokens[:2] == ["-", r"\top"]:
                del self.tokens[:2]
                value = np.linalg.inv(value).T
            else:
                exponent = self.sum().item()
                square = isinstance(value, np.ndarray) and value.size > 1
                value = np.linalg.matrix_power(value, int(exponent)) if square else value**exponent
            self.take("}")
        return value

    def multiply(self, factors: list) -> np.ndarray:
        scale = np.prod([f for f in factors if isinstance(f, float)])
        arrays = [f for f in factors if not isinstance(f, float)]
        if not arrays:
            return np.array([[scale]])
        start = next((k for k, f in enumerate(arrays) if not isinstance(f, str)), 0)
        if isinstance(arrays[start], str):
            assert arrays == ["ones", "ones^T"] or len(arrays) == 1, arrays
            return np.array([[scale]])
        total = arrays[start]
        for factor in arrays[start + 1 :]:
            if isinstance(factor, str):
                total = total if factor == "ones^T" else total.sum(1, keepdims=True)
            elif total.size == 1 or factor.size == 1:
                total = total * factor
            elif total.shape[1] == factor.shape[0]:
                total = total @ factor
            else:
                raise ValueError(f"shapes {total.shape} and {factor.shape} do not multiply")
        for factor in reversed(arrays[:start]):
            total = total if factor == "ones" else total.sum(0, keepdims=True)
        return scale * total

    def factor(self) -> np.ndarray | float | str:
        token = self.take()
        if token in self.values:
            return self.values[token]
        if token in self.scalars:
            return float(self.scalars[token])
        if token == r"\frac":
            above, below = self.group(), self.group()
            return float((above / below).item())
        if token.startswith(r"\mathbf{1}"):
            return "ones^T" if "top" in token else "ones"
        if token.startswith(r"\mathbf{K}"):
            rows, columns = (int(self.scalars[n]) for n in re.fullmatch(r".*_\{(\w+),(\w+)\}", token).groups())
            return np.eye(rows * columns)[np.arange(rows * columns).reshape(columns, rows).T.reshape(-1)]
        if token.startswith("I_"):
            return np.eye(int(self.scalars[token[3:-1]]))
        if token == "(":
            inner = self.sum()
            self.take(")")
            return inner
        if token == "[":
            left, relation, right = self.sum(), self.take(), self.sum()
            self.take("]")
            return {">": left > right, r"\le": left <= right, "<": left < right, r"\ge": left >= right}[
                relation
            ].astype(float)
        if token == r"\norm":
            inner = self.sum()
            self.take("||end")
            self.take("_")
            self.take()
            return np.array([[np.sqrt(np.sum(inner**2))]])
        if token == r"\abs":
            inner = self.sum()
            self.take("|end")
            return np.abs(inner)
        if token == r"\sqrt":
            return np.sqrt(self.group())
        if token == "e^":
            return np.exp(self.group())
        if token == r"\det":
            inner = self.powers(self.factor())
            return np.array([[np.linalg.det(inner)]])
        if token == r"\log" and self.peek() == r"\abs":
            return np.log(self.factor())
        if token in FUNCTIONS:
            self.take("(")
            inner = FUNCTIONS[token](self.sum())
            self.take(")")
            return inner
        if re.fullmatch(r"[0-9.]+", token):
            return float(token)
        raise ValueError(f"{token!r} has no value; known are {sorted(self.values)}")

    def group(self) -> np.ndarray:
        self.take("{")
        inner = self.sum()
        self.take("}")
        return inner


def _turned(name: str) -> str:
    """How the transpose of what is printed so is printed."""
    match = re.fullmatch(r"(.*)\^\{([^{}]*)\}(_\{.*\})?", name)
    if match:
        return rf"{match[1]}^{{{match[2]}\top}}{match[3] or ''}"
    base, mark, below = name.partition("_") if not name.endswith("}") or "_" not in name else _split_subscript(name)
    return rf"{base}^{{\top}}{mark}{below}"


def _split_subscript(name: str) -> tuple[str, str, str]:
    place = name.rindex("_{")
    whole = name[:place].count("{") == name[:place].count("}")
    return (name[:place], "_", name[place + 1 :]) if whole else (name, "", "")
