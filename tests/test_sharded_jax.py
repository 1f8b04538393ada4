"""The JAX target with a batch over eight devices: the results are those of one, to 1e-12."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

WORKER = Path(__file__).parent / "oracles" / "sharded_worker.py"


def run(*arguments: str) -> dict[str, Any]:
    """What the worker says of each network, in a process of its own with eight devices."""
    flags = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=8"}
    command = [sys.executable, str(WORKER), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=flags)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def test_steps_on_eight_devices_are_those_of_one() -> None:
    """Five steps of gradient descent; each device holds an eighth of the samples, and their sums are reduced."""
    for name, found in run().items():
        assert found["distance"] < 1e-12, name
        assert found["rows"] == [8] * 8
        assert (found["devices"], found["reduces"], found["dtype"]) == (8, True, "float64")


def test_a_step_on_one_shard_is_seen() -> None:
    """The comparison fails where the samples of one device alone are learned."""
    assert min(found["distance"] for found in run("wrong").values()) > 1e-6
