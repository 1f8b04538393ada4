"""Identifiers of Python for the names of a program, which may be anything, and those in generated source."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable, Mapping

RESERVED = frozenset(
    {
        "np",
        "jnp",
        "jax",
        "torch",
        "math",
        "DTYPE",
        "LAYOUT",
        "gather",
        "take",
        "scatter",
        "window",
        "fold",
        "matrix_inverse",
        "log_determinant",
        "determinant",
        "erf",
        "keep",
        "positive",
        "first_of_few",
        "largest_of_few",
        "slices",
        "LONGEST",
        "choose",
        "exponent",
        "out",
        "work",
        "Workspace",
        "Workspaces",
        "horner",
        "select",
        "bind",
        "params",
        "data",
        "keyword",
        "itertools",
        "random",
        "states",
        "Any",
        "saved",
        "annotations",
        "compiled",
        "row_exp",
        "row_exponent",
        "row_tanh",
        "row_erf",
        "row_larger",
        "row_square",
        "row_plus",
        "row_higher",
        "row_entry",
        "ROW_LOWEST",
    }
    | set(dir(builtins))
)


def mangle(names: Iterable[str]) -> dict[str, str]:
    """A Python identifier for every name, each its own; what can stay as it is does.

    >>> mangle(["x", "lambda", "np", "a b"])
    {'x': 'x', 'lambda': 'lambda_', 'np': 'np_', 'a b': 'a_b'}
    """
    taken = set(RESERVED)
    result = {}
    for name in names:
        plain = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in name).strip("_") or "v"
        plain = f"v{plain}" if plain[0].isdigit() else plain
        while plain in taken or keyword.iskeyword(plain):
            plain += "_"
        taken.add(plain)
        result[name] = plain
    return result


def find_words(text: str) -> set[str]:
    """The identifiers and numbers in source.

    >>> sorted(find_words("np.add(u1, 2)"))
    ['2', 'add', 'np', 'u1']
    """
    return set(re.findall(r"\w+", text))


def rename_words(text: str, names: Mapping[str, str]) -> str:
    """Source with other names.

    >>> rename_words("np.add(u1, u12)", {"u1": "z"})
    'np.add(z, u12)'
    """
    return re.sub(r"\w+", lambda found: names.get(found[0], found[0]), text)
