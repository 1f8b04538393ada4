"""The imports of the package run one way, top to bottom, in the order of the house."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import symbackprop

PACKAGE = Path(symbackprop.__file__).parent
ROOMS = (
    "errors",
    "calculus",
    "functions",
    "language",
    "networks",
    "notation",
    "proof",
    "codegen",
    "training",
    "report",
    "facade",
    "testing",
    "cli",
)
STRANGERS = (frozenset({"notation", "codegen"}),)  # neither imports the other
EXTRAS = ("jax", "torch", "numba", "sklearn", "scipy", "matplotlib")


def room_of(module: str) -> str:
    """Return the room of a dotted module name; the root itself is `symbackprop`."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else parts[0]


def internal_imports(tree: ast.AST, module: str, is_package: bool) -> list[str]:
    """Return the dotted names inside the package that a module imports."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = module.split(".")
                parents = parents[: len(parents) - node.level + is_package]
                base = ".".join([*parents, *([node.module] if node.module else [])])
            # `from symbackprop import calculus` reaches a room, not the root.
            found += [f"{base}.{alias.name}" if base == "symbackprop" else base for alias in node.names]
    return sorted({name for name in found if name.split(".")[0] == "symbackprop"})


def import_faults(module: str, source: str, is_package: bool = False) -> list[str]:
    """Say which imports of a module run against the order of the house, or stand inside a function."""
    tree = ast.parse(source)
    faults = []
    room = room_of(module)
    for name in internal_imports(tree, module, is_package):
        other = room_of(name)
        if room == "symbackprop" or other == room:
            continue
        if other not in ROOMS:
            # The version, and what the root re-exports for the command line.
            if other == "__version__" or room in ("testing", "cli"):
                continue
            faults.append(f"{module} imports {name}, which is no room of the house")
        elif ROOMS.index(other) > ROOMS.index(room):
            faults.append(f"{module} imports {name}, which stands below it")
        elif frozenset({room, other}) in STRANGERS:
            faults.append(f"{module} imports {name}, its stranger")
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            inner = [node for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)]
            faults += [f"{module} line {node.lineno}: an import inside a function" for node in inner]
    return faults


def extra_faults(module: str, source: str) -> list[str]:
    """Say where a package root imports an extra, which would make `import symbackprop` need it."""
    names = [
        name.split(".")[0]
        for node in ast.parse(source).body
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom) and not node.level
            else []
        )
    ]
    return [f"{module} imports the extra {name}" for name in names if name in EXTRAS]


def modules() -> list[tuple[str, Path]]:
    """Return the dotted name and the file of each module of the installed package."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = ("symbackprop", *path.relative_to(PACKAGE).with_suffix("").parts)
        found.append((".".join(parts[:-1] if parts[-1] == "__init__" else parts), path))
    return found


def test_each_module_stands_in_a_room() -> None:
    """A new room of the house must be placed in its order before it is used."""
    rooms = {room_of(module) for module, _ in modules()} - {"symbackprop"}

    assert rooms <= set(ROOMS)


def test_imports_run_one_way() -> None:
    """No module imports from a room below its own, and none imports inside a function."""
    faults = [
        fault
        for module, path in modules()
        for fault in import_faults(module, path.read_text(encoding="utf-8"), path.name == "__init__.py")
    ]

    assert faults == []


def test_package_roots_import_no_extra() -> None:
    """The roots of the packages can be imported without any extra installed."""
    faults = [
        fault
        for module, path in modules()
        if path.name == "__init__.py"
        for fault in extra_faults(module, path.read_text(encoding="utf-8"))
    ]

    assert faults == []


def test_import_loads_no_extra() -> None:
    """`import symbackprop` in a new process loads none of the extras."""
    code = f"import sys, symbackprop; print(*(name for name in {EXTRAS!r} if name in sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout.split() == []


def test_planted_violations_are_seen() -> None:
    """Each kind of violation is detected, in each spelling of an import."""
    for source in (
        "from symbackprop.proof.decide import verify",
        "import symbackprop.proof.decide",
        "from symbackprop import proof",
        "from ..proof.decide import verify",
    ):
        found = "symbackprop.proof" if source == "from symbackprop import proof" else "symbackprop.proof.decide"
        assert import_faults("symbackprop.calculus.chain", source) == [
            f"symbackprop.calculus.chain imports {found}, which stands below it"
        ]
    assert import_faults("symbackprop.codegen.plan", "from symbackprop.notation import write") == [
        "symbackprop.codegen.plan imports symbackprop.notation, its stranger"
    ]
    assert import_faults("symbackprop.proof.decide", "def f():\n    from symbackprop.calculus import chain") == [
        "symbackprop.proof.decide line 2: an import inside a function"
    ]
    assert import_faults("symbackprop.proof.decide", "from symbackprop import derive") == [
        "symbackprop.proof.decide imports symbackprop.derive, which is no room of the house"
    ]
    assert extra_faults("symbackprop.training", "from sklearn.base import BaseEstimator") == [
        "symbackprop.training imports the extra sklearn"
    ]


def test_lawful_imports_pass() -> None:
    """Imports from above, from the same room, and relative ones are let through."""
    source = "from symbackprop.errors import ShapeError\nfrom . import indices\nfrom .tensors import Tensor"

    assert import_faults("symbackprop.calculus.chain", source) == []
    assert import_faults("symbackprop.proof", "from .decide import verify", is_package=True) == []
