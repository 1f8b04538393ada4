"""The state of a training run on disk: a NumPy archive of plain arrays and one JSON text; nothing is unpickled."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from symbackprop.errors import DataError
from symbackprop.training.data import read_arrays
from symbackprop.training.rules import Array, Memory

FORMAT = "symbackprop checkpoint 2"  # 2: the settings hold the equations of the rule


@dataclass(frozen=True, eq=False, slots=True)
class Checkpoint:
    """What a run needs to go on after an epoch as if it had never stopped.

    `settings` identifies the run (rule, its equations and constants, batch size, seed, fingerprints of the data and of
    the first parameters).
    """

    params: dict[str, Array]
    memory: Memory
    step: int
    history: tuple[float, ...]
    generator: dict[str, Any]
    settings: dict[str, Any]


def fingerprint(arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    """Return a SHA-256 digest of names, shapes, dtypes and entries.

    >>> fingerprint({"x": np.zeros(2)}) == fingerprint({"x": np.zeros((2, 1))})
    False
    """
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def write_checkpoint(path: str | Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint in one motion: a run that is killed while writing leaves the previous one whole."""
    meta = {
        "format": FORMAT,
        "step": checkpoint.step,
        "history": checkpoint.history,
        "generator": checkpoint.generator,
        "settings": checkpoint.settings,
    }
    arrays: dict[str, npt.NDArray[Any]] = {"meta": np.array(json.dumps(meta))}
    arrays |= {f"param.{name}": value for name, value in checkpoint.params.items()}
    for slot, tensors in checkpoint.memory.items():
        arrays |= {f"state.{slot}.{name}": value for name, value in tensors.items()}
    target = Path(path)
    partial = target.with_name(target.name + ".partial")
    try:
        with partial.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        os.replace(partial, target)
    except OSError as error:
        raise DataError(f"{path}: the checkpoint cannot be written ({error}); give another path.") from error


def read_checkpoint(path: str | Path) -> Checkpoint:
    """Read what `write_checkpoint` wrote."""
    arrays = read_arrays(path)
    try:
        meta = json.loads(str(arrays.pop("meta")))
        if meta["format"] != FORMAT:
            raise DataError(f"{path}: the format is {meta['format']!r} and not {FORMAT!r}.")
        memory: Memory = {}
        params: dict[str, Array] = {}
        for name, value in arrays.items():
            kind, _, rest = name.partition(".")
            if kind == "param":
                params[rest] = value
            else:
                slot, _, tensor = rest.partition(".")
                memory.setdefault(slot, {})[tensor] = value
        return Checkpoint(params, memory, meta["step"], tuple(meta["history"]), meta["generator"], meta["settings"])
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: not a checkpoint of symbackprop ({error}); give another path.") from error
