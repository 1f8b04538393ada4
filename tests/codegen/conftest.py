"""Programs for the tests of codegen, built without the formula language."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import sympy

from symbackprop.calculus.definitions import Definition, make_term, slot_symbol
from symbackprop.calculus.indices import Affine, Index
from symbackprop.calculus.programs import Program
from symbackprop.calculus.tensors import Count, Read, Role, Slot, Tensor

READ = re.compile(r"([A-Za-z]\w*)\[([^\]]*)\]")
Builder = Callable[..., Program]


def _form(text: str, indices: dict[str, Index]) -> Affine:
    total = Affine.of(0)
    for sign, atom in re.findall(r"([+-]?)(\w+)", text):
        value = Affine.of(int(atom)) if atom.isdigit() else Affine.of(indices.get(atom, atom))
        total = total - value if sign == "-" else total + value
    return total


def _tensor(text: str, role: Role) -> Tensor:
    name, axes = READ.fullmatch(text).groups()  # type: ignore[union-attr]
    return Tensor(name, tuple(_form(a, {}) for a in axes.split(",") if a), role)


@pytest.fixture
def build() -> Builder:
    """build(params, inputs, {"z[n,k]": ["d: W[k,d]*x[n,d]", "b[k]"]}): scalars are written x[], sizes-as-numbers N."""

    def make(params: str, inputs: str, definitions: dict[str, list[str]]) -> Program:
        leaves = [_tensor(t, Role.PARAM) for t in params.split()] + [_tensor(t, Role.INPUT) for t in inputs.split()]
        tensors = {t.name: t for t in leaves}
        made = []
        for head, texts in definitions.items():
            name, letters = READ.fullmatch(head).groups()  # type: ignore[union-attr]
            ranges: dict[str, Affine] = {}
            for text in texts:
                for read, at in READ.findall(text):
                    for form, size in zip([a for a in at.split(",") if a], tensors[read].axes, strict=True):
                        if form.isalpha():
                            ranges.setdefault(form, size)
            indices = {n: Index(n, size) for n, size in ranges.items()}
            free = tuple(indices[n] for n in letters.split(",") if n)
            terms = []
            for text in texts:
                bound, _, body = text.rpartition(":")
                slots: list[Slot] = []

                def slot(match: re.Match[str], slots: list[Slot] = slots, known: dict[str, Index] = indices) -> str:
                    at = tuple(_form(a, known) for a in match[2].split(",") if a)
                    slots.append(Read(tensors[match[1]], at))
                    return f"s{len(slots) - 1}"

                plain = READ.sub(slot, body)
                sizes = sorted(set(re.findall(r"\b[A-Z]\b", plain)))
                for size in sizes:
                    plain = re.sub(rf"\b{size}\b", f"s{len(slots)}", plain)
                    slots.append(Count(Affine.of(size)))
                names = {f"s{k}": slot_symbol(k) for k in range(len(slots))} | {"where": _where}
                term = make_term(
                    tuple(indices[n] for n in bound.replace(" ", "").split(",") if n),
                    sympy.sympify(plain, names),
                    slots,
                )
                terms += [term] if term else []
            tensor = Tensor(name, tuple(i.size for i in free), Role.DEFINED)
            tensors[name] = tensor
            made.append(Definition(tensor, free, tuple(terms)))
        return Program(tuple(leaves), tuple(made), (), name)

    return make


def _where(condition: sympy.Basic, yes: sympy.Expr, no: sympy.Expr) -> sympy.Expr:
    return sympy.Piecewise((yes, condition), (no, True))
