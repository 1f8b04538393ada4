"""The words of a derivation, a table for each language: what each recorded step did, and the terms of the field.

The engine records steps without words. What stands for a tensor in a sentence is handed in as it is to be set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symbackprop.calculus.chain import ChainStep
from symbackprop.calculus.foldsteps import FoldStep
from symbackprop.calculus.programs import Assumption
from symbackprop.calculus.tangents import TangentStep
from symbackprop.errors import UnknownNameError
from symbackprop.language.phrasing import phrase_terms
from symbackprop.language.writer import write_tree


@dataclass(frozen=True, slots=True)
class Language:
    """The sentences of one language, with names in braces to fill in, and `terms`: the field's words, by their
    English ones."""

    code: str
    terms: tuple[tuple[str, str], ...]
    starts: str
    flows: str
    flows_many: str
    moves: str
    rests: str
    disconnected: str
    simpler: str
    folded: str
    identities: str
    inlined: str
    comma: str
    last: str

    def term(self, english: str) -> str:
        """A term of the field in this language."""
        return dict(self.terms).get(english, english)

    def join(self, parts: Sequence[str]) -> str:
        """Names in a row: a, b and c."""
        return parts[0] if len(parts) == 1 else self.comma.join(parts[:-1]) + self.last + parts[-1] if parts else ""


ENGLISH = Language(
    code="en",
    terms=(),
    starts="The derivative of {tensor} by itself is 1.",
    flows="Only {readers} reads {tensor}: by the chain rule, the adjoint of {tensor} is the adjoint of {readers} times "
    "the local derivative.",
    flows_many="{readers} read {tensor}: by the chain rule, the adjoint of {tensor} is the sum of their adjoints times "
    "the local derivatives.",
    moves="The tangent of {tensor} is the sum, over what its definition reads, of the local derivative times the "
    "tangent of what is read.",
    rests="{tensor} does not change along the direction: its tangent is zero.",
    disconnected="{numerator} does not depend on {tensor}: it is disconnected, and its gradient is zero.",
    simpler="{tensor} is written more simply.",
    folded="{tensor} is written with {names}, as the program names it.",
    identities="Here {names}.",
    inlined="{names} is written into {tensor}.",
    comma=", ",
    last=" and ",
)

CHINESE = Language(
    code="zh",
    terms=(
        ("chain rule", "链式法则"),
        ("adjoint", "伴随"),
        ("gradient", "梯度"),
        ("learning rate", "学习率"),
        ("weight", "权重"),
        ("bias", "偏置"),
        ("activation function", "激活函数"),
        ("loss", "损失函数"),
        ("elementwise product", "逐元素乘积"),
        ("path", "路径"),
    ),
    starts="{tensor} 对自身的导数为 1。",
    flows="只有 {readers} 读取 {tensor}：由链式法则，{tensor} 的伴随等于 {readers} 的伴随乘以局部导数。",
    flows_many="{readers} 读取 {tensor}：由链式法则，{tensor} 的伴随是它们的伴随与局部导数之积的和。",
    moves="{tensor} 的切向量等于其定义所读各量的局部导数与该量切向量之积的和。",
    rests="{tensor} 沿该方向不变，切向量为零。",
    disconnected="{numerator} 与 {tensor} 无关（不连通），梯度为零。",
    simpler="化简 {tensor}。",
    folded="用程序中的名称 {names} 改写 {tensor}。",
    identities="其中用到 {names}。",
    inlined="把 {names} 代入 {tensor}。",
    comma="、",
    last=" 和 ",
)

LANGUAGES = (ENGLISH, CHINESE)


def find_language(code: str) -> Language:
    """The language "en" or "zh".

    >>> find_language("zh").term("chain rule")
    '链式法则'
    """
    for language in LANGUAGES:
        if language.code == code:
            return language
    known = tuple(one.code for one in LANGUAGES)
    raise UnknownNameError(f"There are no words for {code!r}; there are {', '.join(known)}.", name=code, known=known)


def narrate_chain(step: ChainStep, numerator: str, language: str = "en") -> str:
    """What the chain rule did for one tensor, in a sentence."""
    words = find_language(language)
    if isinstance(step, TangentStep):
        return (words.moves if step.contributions else words.rests).format(tensor=step.tensor)
    if step.disconnected:
        return words.disconnected.format(tensor=step.tensor, numerator=numerator)
    readers = tuple(dict.fromkeys(c.reader for c in step.contributions))
    if not readers:
        return words.starts.format(tensor=step.tensor)
    template = words.flows if len(readers) == 1 else words.flows_many
    return template.format(tensor=step.tensor, readers=words.join(readers))


def narrate_fold(step: FoldStep, language: str = "en") -> str:
    """What a fold did to an adjoint, and on what it rests, in a sentence or two."""
    words = find_language(language)
    parts: list[str] = []
    if step.inlined:
        taken = words.join([d.tensor.name for d in step.inlined])
        parts.append(words.inlined.format(tensor=step.tensor, names=taken))
    if step.using:
        parts.append(words.folded.format(tensor=step.tensor, names=words.join(step.using)))
    if not parts:
        parts.append(words.simpler.format(tensor=step.tensor))
    if step.identities:
        parts.append(words.identities.format(names=words.join([identity_text(i) for i in step.identities])))
    return ("" if words.code == "zh" else " ").join(parts)


def identity_text(identity: Assumption) -> str:
    """An identity or assumption in the formula language.

    >>> from symbackprop.calculus.definitions import make_term, slot_symbol
    >>> from symbackprop.calculus.tensors import Read, Role, Tensor
    >>> w = make_term((), slot_symbol(0), (Read(Tensor("w", (), Role.PARAM), ()),))
    >>> identity_text(Assumption((), (w,), ">", ()))
    'w > 0'
    """
    sides = (phrase_terms(side, identity.indices) for side in (identity.left, identity.right))
    return f" {identity.relation} ".join(write_tree(side) for side in sides)
