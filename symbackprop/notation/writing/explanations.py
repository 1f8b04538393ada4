"""The chain rule path by path, in words: text, LaTeX and Markdown, in English and in Chinese.

An `Explanation` is a value that its maker has filled: paths with their factors, each as a tree and, where data were
given, as a number; the gradient that was derived; and the sentence of the verdict that compares both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from symbackprop.calculus.paths import Node
from symbackprop.language.phrasing import affine_tree
from symbackprop.language.tree import Access, Expression, Name
from symbackprop.language.writer import write_tree
from symbackprop.notation.writing.index_latex import IndexWriter
from symbackprop.notation.writing.names import Names


@dataclass(frozen=True, slots=True)
class ExplainedFactor:
    """One local derivative: the entry `of` by the entry `wrt`, what it is and its number at the data.

    `kind` is "loss", "weight", "activation", "bias" or "value": what the factor is in its structure.
    """

    of: Node
    wrt: Node
    value: Expression
    kind: str
    number: float | None = None


@dataclass(frozen=True, slots=True)
class ExplainedPath:
    """A path with its factors, numerator first, and their product summed over the letters `bound`."""

    nodes: tuple[Node, ...]
    factors: tuple[ExplainedFactor, ...]
    bound: tuple[str, ...]
    product: Expression
    number: float | None = None


@dataclass(frozen=True, slots=True)
class ExplainedAdjoint:
    """One line of the way back through the adjoints: the adjoint of an entry, and what it is."""

    of: Node
    value: Expression
    number: float | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """What an explanation says in one language."""

    opening: str
    one_path: str
    through: str
    steps: str
    path: str
    product: str
    summed: str
    total: str
    derived: str
    kinds: Mapping[str, str]


WORDS = {
    "en": Words(
        opening="The chain rule for {head}: {count} paths lead from {start} to {end}.",
        one_path="The chain rule for {head}: one path leads from {start} to {end}.",
        through="The chain rule for {head}: {count} paths lead from {start} to {end}; here through the adjoints.",
        steps="The chain rule for {head}: the paths from {start} to {end} lead through the steps of a recurrence, "
        "whose number is a symbol; here through the adjoints.",
        path="Path {number}",
        product="product",
        summed="summed over {letters}",
        total="Sum of the paths",
        derived="The derived gradient",
        kinds={
            "loss": "loss",
            "weight": "weight",
            "activation": "activation function",
            "bias": "bias",
            "value": "value of the layer below",
            "other": "",
        },
    ),
    "zh": Words(
        opening="链式法则：{head}，从 {start} 到 {end} 共有 {count} 条路径。",
        one_path="链式法则：{head}，从 {start} 到 {end} 只有一条路径。",
        through="链式法则：{head}，从 {start} 到 {end} 共有 {count} 条路径；下面沿伴随逐层写出。",
        steps="链式法则：{head}，从 {start} 到 {end} 的路径穿过递推的各步，步数为符号；下面沿伴随逐层写出。",
        path="路径 {number}",
        product="乘积",
        summed="对 {letters} 求和",
        total="各路径之和",
        derived="推导得到的梯度",
        kinds={
            "loss": "损失函数",
            "weight": "权重",
            "activation": "激活函数",
            "bias": "偏置",
            "value": "前一层的输出",
            "other": "",
        },
    ),
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a derivative is what it is: its `paths`, or the `adjoints` on the way back where there are too many paths.

    `count` is the number of paths, None where it depends on a size.
    """

    numerator: Node
    start: Node
    count: int | None
    paths: tuple[ExplainedPath, ...]
    adjoints: tuple[ExplainedAdjoint, ...]
    derived: Expression
    verdict: str
    number: float | None
    drawing: str
    language: str
    names: Names = field(repr=False)

    @property
    def steps(self) -> tuple[ExplainedPath | ExplainedAdjoint, ...]:
        """The paths, or the adjoints on the way back."""
        return self.paths or self.adjoints

    @property
    def words(self) -> Words:
        """The sentences of its language."""
        return WORDS[self.language]

    def text(self) -> str:
        """The explanation in plain text."""
        words = self.words
        lines = [self._opening(f"d {self.numerator} / d {self.start}", str(self.start), str(self.numerator))]
        for number, path in enumerate(self.paths, 1):
            lines += ["", f"{words.path.format(number=number)}: {' -> '.join(map(str, path.nodes))}"]
            rows = [
                (f"d {f.of} / d {f.wrt}", write_tree(f.value), _number(f.number), words.kinds[f.kind])
                for f in path.factors
            ]
            label = words.product
            if path.bound:
                label += f", {words.summed.format(letters=', '.join(path.bound))}"
            rows.append((label, write_tree(path.product), _number(path.number), ""))
            lines += _table(rows)
        if self.adjoints:
            rows = [
                (f"d {self.numerator} / d {a.of}", write_tree(a.value), _number(a.number), "") for a in self.adjoints
            ]
            lines += ["", *_table(rows)]
        lines += ["", *_table([(words.derived, write_tree(self.derived), _number(self.number), "")])]
        lines.append(f"{words.total} = {words.derived}: {self.verdict}")
        return "\n".join(lines)

    def latex(self) -> str:
        """The explanation as a LaTeX `align*`: all paths as products of partials, then each factor and each product."""
        words, head = self.words, _partial(self._node(self.numerator), self._node(self.start))
        rows: list[str] = []
        for number, path in enumerate(self.paths):
            factors = r" \cdot ".join(_partial(self._node(f.of), self._node(f.wrt)) for f in path.factors)
            rows.append(f"{'' if number else head} &{'+' if number else '='} {self._sum(path)}{factors}")
        for number, path in enumerate(self.paths, 1):
            rows.append(rf"&\text{{{words.path.format(number=number)}}}")
            for f in path.factors:
                left = _partial(self._node(f.of), self._node(f.wrt))
                rows.append(f"{left} &= {self._tree(f.value)}{_approximate(f.number)}")
            rows.append(rf"\text{{{words.product}}} &= {self._tree(path.product)}{_approximate(path.number)}")
        for adjoint in self.adjoints:
            left = _partial(self._node(self.numerator), self._node(adjoint.of))
            rows.append(f"{left} &= {self._tree(adjoint.value)}{_approximate(adjoint.number)}")
        rows.append(f"{head} &= {self._tree(self.derived)}{_approximate(self.number)}")
        return "\\begin{align*}\n" + " \\\\\n".join(rows) + "\n\\end{align*}"

    def markdown(self) -> str:
        """The explanation as Markdown with its formulas, and the network drawn in Mermaid."""
        head = f"${_partial(self._node(self.numerator), self._node(self.start))}$"
        opening = self._opening(head, f"${self._node(self.start)}$", f"${self._node(self.numerator)}$")
        parts = [opening, f"```mermaid\n{self.drawing}\n```", f"$$\n{self.latex()}\n$$", self.verdict]
        return "\n\n".join(parts) + "\n"

    def mermaid(self) -> str:
        """The network in Mermaid's diagram language, the paths highlighted."""
        return self.drawing

    def _opening(self, head: str, start: str, end: str) -> str:
        words = self.words
        if self.count is None:
            sentence = words.steps
        else:
            sentence = words.through if self.adjoints else words.one_path if self.count == 1 else words.opening
        return sentence.format(head=head, count=self.count, start=start, end=end)

    def _sum(self, path: ExplainedPath) -> str:
        return rf"\sum_{{{', '.join(path.bound)}}} " if path.bound else ""

    def _tree(self, tree: Expression) -> str:
        return IndexWriter(self.names).write(tree)

    def _node(self, node: Node) -> str:
        return self._tree(node_tree(node))

    def _repr_latex_(self) -> str:
        return self.latex()

    def __str__(self) -> str:
        return self.text()


def node_tree(node: Node) -> Expression:
    """An entry of a tensor as a tree."""
    return Access(node.tensor.name, tuple(map(affine_tree, node.at))) if node.at else Name(node.tensor.name)


def _partial(of: str, wrt: str) -> str:
    return rf"\frac{{\partial {of}}}{{\partial {wrt}}}"


def _number(value: float | None) -> str:
    return "" if value is None else f"= {value:.6g}"


def _approximate(value: float | None) -> str:
    if value is None:
        return ""
    mantissa, _, exponent = f"{value:.6g}".partition("e")
    return rf" \approx {mantissa}" + (rf" \times 10^{{{int(exponent)}}}" if exponent else "")


def _table(rows: list[tuple[str, str, str, str]]) -> list[str]:
    """Rows of a left side, a formula, a number and a remark, in columns."""
    width = max(len(left) for left, _, _, _ in rows)
    middle = max((len(formula) for _, formula, number, remark in rows if number or remark), default=0)
    made = []
    for left, formula, number, remark in rows:
        line = f"    {left:<{width}} = {formula:<{middle}}"
        if number:
            line += f"  {number}"
        if remark:
            line += f"  ({remark})"
        made.append(line.rstrip())
    return made
