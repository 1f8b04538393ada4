"""Runs generated modules one after the other where nothing can be imported but some packages.

`python -I module_worker.py numpy,jax FILE ...`; prints what the modules print, and exits with 1 if one of them fails.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

PACKAGES = frozenset(
    {"symbackprop", "sympy", "numpy", "scipy", "lark", "flint", "click", "tqdm", "jax", "torch", "numba", "sklearn"}
)


class Blocked:
    """Refuses to find some packages."""

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Nothing, or an error."""
        if name.split(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None


def main(allowed: str, *files: str) -> int:
    """Run the modules."""
    sys.meta_path.insert(0, Blocked(PACKAGES - set(allowed.split(","))))
    failed = 0
    for file in files:
        try:
            runpy.run_path(file, run_name="__main__")
        except SystemExit as end:
            failed += end.code != 0
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
