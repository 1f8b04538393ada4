"""A person's own Python module, loaded from its file, with the functions and shapes that the command line names."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from symbackprop.errors import ArgumentError


def load_functions(code: str) -> tuple[Callable[..., Any], ...]:
    """The one or two functions of `MODULE.py:case` or `MODULE.py:forward,backward`; the module is run.

    A name may have dots, as `layer.forward` has.
    """
    path, colon, names = code.rpartition(":")
    wanted = [name.strip() for name in names.split(",")]
    if not colon or not path or len(wanted) > 2 or not all(wanted):
        raise ArgumentError(f"{code} does not name functions; write MODULE.py:forward,backward or MODULE.py:case.")
    file = Path(path)
    spec = spec_from_file_location(file.stem, file)
    if not file.is_file() or spec is None or spec.loader is None:
        raise ArgumentError(f"{path} is no Python file that can be read.")
    module = module_from_spec(spec)
    sys.modules.setdefault(file.stem, module)  # as an import does; dataclasses look their module up
    sys.path.insert(0, str(file.resolve().parent))  # so that it finds its neighbours
    try:
        spec.loader.exec_module(module)
    except SystemExit as error:
        raise ArgumentError(f"{path} ends the process while it is imported: {error!r}.") from error
    except Exception as error:  # their code may raise anything; it is a mistake of theirs, told in one line
        raise ArgumentError(f"{path} cannot be imported: {type(error).__name__}: {error}") from error
    found = [_find(module, name) for name in wanted]
    missing = [name for name, function in zip(wanted, found, strict=True) if not callable(function)]
    if missing:
        raise ArgumentError(f"{path} has no function {', '.join(missing)}.")
    return tuple(found)


def _find(module: object, name: str) -> Any:
    for part in name.split("."):
        module = getattr(module, part, None)
    return module


def read_shapes(shapes: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """The shapes of `x=2,3`, or `c=` for a scalar."""
    made = {}
    for shape in shapes:
        name, equals, sizes = (part.strip() for part in shape.partition("="))
        parts = [size.strip() for size in sizes.split(",")] if sizes else []
        if not name or not equals or not all(size.isdecimal() for size in parts):
            raise ArgumentError(f"--shape {shape} is no shape; write x=2,3, or c= for a scalar.")
        if name in made:
            raise ArgumentError(f"--shape {name} is given twice.")
        made[name] = tuple(map(int, parts))
    if not made:
        raise ArgumentError("Give the shape of each input, such as --shape x=2,3.")
    return made
