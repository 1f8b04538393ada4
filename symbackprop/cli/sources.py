"""What a command is given to work on: a file in the formula language, a network `mlp:3-3-3`, or `catalogue:NAME`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import symbackprop as sb
from symbackprop.errors import ArgumentError, DataError
from symbackprop.language import extract_fences

CATALOGUE = "catalogue:"


def read_source(
    source: str, activation: str | None, output: str | None, loss: str | None, batch: str | None
) -> sb.Program | sb.Network:
    """The program of a file (its fences, where it is Markdown) or of a catalogue entry, or the network that
    `mlp:WIDTHS` describes.
    """
    if source.startswith("mlp:"):
        return read_network(source, activation, output, loss, batch)
    given = {"--activation": activation, "--output": output, "--loss": loss, "--batch": batch}
    wrong = [name for name, value in given.items() if value is not None]
    if wrong:
        raise ArgumentError(
            f"{', '.join(wrong)} goes with a network such as mlp:3-3-3; {source} says these things itself."
        )
    if source.startswith(CATALOGUE):
        return sb.find_entry(source.removeprefix(CATALOGUE)).program
    text = read_text(source)
    return sb.parse(extract_fences(text) if source.endswith((".md", ".markdown")) else text)


def read_source_or_matrix(
    source: str | None,
    matrix: str | None,
    shapes: Sequence[str],
    params: Sequence[str],
    network: tuple[str | None, str | None, str | None, str | None],
) -> sb.Program | sb.Network:
    """The program of a matrix expression with the shapes of its tensors, or else that of a source."""
    if matrix is None:
        if shapes or params:
            raise ArgumentError("--shape and --param go with a matrix expression; give it by --matrix.")
        if source is None:
            raise ArgumentError("Give a SOURCE, or a matrix expression by --matrix.")
        return read_source(source, *network)
    if source is not None:
        raise ArgumentError(f"--matrix takes the place of {source}; give one of them.")
    if any(option is not None for option in network):
        raise ArgumentError("--activation, --output, --loss and --batch go with a network such as mlp:3-3-3.")
    axes = {}
    for shape in shapes:
        name, equals, sizes = (part.strip() for part in shape.partition("="))
        if not name or not equals:
            raise ArgumentError(f"--shape {shape} is no shape; write X=N,D, x=N, or c= for a scalar.")
        axes[name] = tuple(size.strip() for size in sizes.split(",")) if sizes else ()
    return sb.matrix(matrix, axes, tuple(params))


def read_network(
    source: str, activation: str | None, output: str | None, loss: str | None, batch: str | None
) -> sb.Network:
    """The network that `mlp:3-3-3` describes, with the defaults of `sb.mlp` for what is not said."""
    if not source.startswith("mlp:"):
        raise ArgumentError(f"{source} is not a network; write its widths, such as mlp:4-8-3.")
    widths = [int(w) if w.isdecimal() else w for w in source.removeprefix("mlp:").split("-")]
    said = {"activation": activation, "output": output, "batch": batch}
    chosen: dict[str, Any] = {name: value for name, value in said.items() if value}
    if loss is not None:
        chosen["loss"] = read_loss(loss)
    if batch == "none":
        chosen["batch"] = None
    return sb.mlp(widths, **chosen)


def read_loss(text: str) -> sb.Loss:
    """A loss by name, with settings behind a colon.

    >>> read_loss("focal:gamma=1.5").fragment.settings
    {'gamma': '1.5'}
    """
    name, _, rest = text.partition(":")
    pairs = [part.partition("=") for part in rest.split(",")] if rest else []
    if any(not key.strip() or not equals for key, equals, _ in pairs):
        raise ArgumentError(f"--loss {text} is no loss with settings; write huber:delta=2.")
    return sb.loss(name.strip(), **{key.strip(): value.strip() for key, _, value in pairs})


def read_text(path: str) -> str:
    """The text of a file in UTF-8."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ArgumentError(f"{path} cannot be read: {error}.") from error


def read_data(path: str) -> dict[str, object]:
    """Arrays by name from a JSON object."""
    try:
        data = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise DataError(f"{path} is not JSON: {error}.") from error
    if not isinstance(data, dict):
        raise DataError(f'{path} must hold an object of arrays by name, such as {{"x": [1, 2]}}.')
    return data
