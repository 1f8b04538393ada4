"""The example of docs/targets.md under DistributedDataParallel: two processes learn what one does."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np

PAGE = Path(__file__).parents[2] / "docs" / "targets.md"
SAVE = """
import numpy, sys
numpy.savez(sys.argv[1], **{name: w.detach().numpy() for name, w in model.module.weights.items()})
"""


def read_example() -> str:
    """The only block of the page that needs PyTorch."""
    (found,) = re.findall(r"^```py\n(.*?)^```", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return str(found)


def run(script: str, count: int, folder: Path) -> list[dict[str, np.ndarray]]:
    """Start processes on this host as torchrun does; the parameters that each ends with."""
    folder.mkdir()
    (folder / "parallel.py").write_text(script + SAVE, encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = {**os.environ, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(count)}
    started = [
        subprocess.Popen(
            [sys.executable, "parallel.py", f"{rank}.npz"],
            cwd=folder, env={**common, "RANK": str(rank), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for rank in range(count)
    ]  # fmt: skip
    ends = [process.communicate(timeout=300) for process in started]
    assert all(process.returncode == 0 for process in started), ends
    assert [out.startswith(f"process {rank} of {count}: ") for rank, (out, _) in enumerate(ends)] == [True] * count
    saved = [np.load(folder / f"{rank}.npz") for rank in range(count)]
    return [dict(archive) for archive in saved]


def farthest(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> float:
    """The largest distance of two runs, relative to the largest entry of each parameter."""
    return max(float(np.max(np.abs(one[n] - other[n])) / np.max(np.abs(other[n]))) for n in other)


def test_two_processes_learn_what_one_does(tmp_path: Path) -> None:
    """Twenty steps over half of the samples each, to 1e-12; both processes end alike."""
    script = read_example()
    (alone,) = run(script, 1, tmp_path / "one")
    first, second = run(script, 2, tmp_path / "two")

    assert farthest(first, alone) < 1e-12
    assert farthest(second, first) == 0


def test_processes_that_take_the_same_samples_are_seen(tmp_path: Path) -> None:
    """The comparison fails where half of the samples are learned twice."""
    script = read_example()
    (alone,) = run(script, 1, tmp_path / "one")
    first, _ = run(script.replace("rank::count", "0::count"), 2, tmp_path / "two")

    assert farthest(first, alone) > 1e-6
