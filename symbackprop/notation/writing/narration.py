"""The words of a derivation, a table for each language: what each recorded step did, and the terms of the field.

The engine records steps without words. What stands for a tensor in a sentence is handed in as it is to be set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symbackprop.calculus.chain import ChainStep
from symbackprop.errors import UnknownNameError


@dataclass(frozen=True, slots=True)
class Language:
    """The sentences of one language, with names in braces to fill in, and `terms`: the field's words, by their
    English ones."""

    code: str
    terms: tuple[tuple[str, str], ...]
    starts: str
    flows: str
    flows_many: str
    disconnected: str
    simpler: str
    folded: str
    folds: tuple[tuple[str, str], ...]
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
    disconnected="{numerator} does not depend on {tensor}: it is disconnected, and its gradient is zero.",
    simpler="The adjoint of {tensor} is written more simply.",
    folded="The adjoint of {tensor} is written with {names}.",
    folds=(
        ("definition", "In the adjoint of {tensor}, {names} stands for its definition."),
        ("assumption", "The adjoint of {tensor} uses the assumption {names}."),
        ("identity", "The adjoint of {tensor} uses the identity {names}."),
        ("inline", "The adjoint of {tensor} takes in {names}, which nothing else reads."),
        ("alias", "The adjoint of {tensor} is {names} itself."),
        ("zero", "The adjoint of {tensor} is zero."),
    ),
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
    disconnected="{numerator} 与 {tensor} 无关（不连通），梯度为零。",
    simpler="化简 {tensor} 的伴随。",
    folded="用 {names} 改写 {tensor} 的伴随。",
    folds=(
        ("definition", "在 {tensor} 的伴随中，用 {names} 代替其定义式。"),
        ("assumption", "{tensor} 的伴随用到假设 {names}。"),
        ("identity", "{tensor} 的伴随用到恒等式 {names}。"),
        ("inline", "把只用一次的 {names} 代入 {tensor} 的伴随。"),
        ("alias", "{tensor} 的伴随就是 {names}。"),
        ("zero", "{tensor} 的伴随为零。"),
    ),
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
    if step.disconnected:
        return words.disconnected.format(tensor=step.tensor, numerator=numerator)
    readers = tuple(dict.fromkeys(c.reader for c in step.contributions))
    if not readers:
        return words.starts.format(tensor=step.tensor)
    template = words.flows if len(readers) == 1 else words.flows_many
    return template.format(tensor=step.tensor, readers=words.join(readers))


def narrate_fold(kind: str, tensor: str, names: Sequence[str], language: str = "en") -> str:
    """What a fold did to the adjoint of `tensor`, using the definitions or identities `names`."""
    words = find_language(language)
    template = dict(words.folds).get(kind, words.folded)
    if not names and "{names}" in template:
        template = words.simpler
    return template.format(tensor=tensor, names=words.join(names))
