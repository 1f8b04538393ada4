"""Writes docs/kinks.md anew with `--write`: the derivatives at kinks and ties, ours, PyTorch's and JAX's."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

sys.path += [str(Path(__file__).parents[1] / "oracles"), str(Path(__file__).parent)]

import jax
import torch
from kinks import NONE, PAGE, TIES, Kink, Tie, jax_share, jax_slope, list_kinks, our_share, our_slope, write, write_all
from peers import find_function

jax.config.update("jax_enable_x64", True)

HEAD = """# Derivatives at kinks

There is one law: the derivative of `where(c, a, b)` is `where(c, a', b')`, and every kinked function is defined by
`where`. So the value at a kink follows from the definition, which [examples/catalogue.md](../examples/catalogue.md)
shows for each. Frameworks choose otherwise here and there; away from the kinks all three agree. The first table has
every function of the catalogue whose derivative jumps, parameters at their standard values; `none` is said where a
framework has no function of that name. The values are measured by tests, ours and JAX's in `tests/functions`, PyTorch's
in `tests/torch`.

| function | by | at | symbackprop | JAX | PyTorch |
|---|---|---|---|---|---|
"""
MIDDLE = """
`maximum` and `minimum` give one half to each side of a tie, and an extreme over an index gives all to the first entry
that has it.
Here x is (1, 1, 0, 1), its negative for `min`:

| extreme | by | symbackprop | JAX | PyTorch, `amax` and `amin` | PyTorch, `max` and `min` with `dim` |
|---|---|---|---|---|---|
"""
EXTREMES: dict[str, tuple[Callable[..., torch.Tensor], ...]] = {
    "max(i, x[i])": (lambda x: x.amax(), lambda x: x.max(dim=0).values),
    "min(i, x[i])": (lambda x: x.amin(), lambda x: x.min(dim=0).values),
}


def torch_slope(kink: Kink) -> str:
    """The cell of PyTorch's derivative of its own function, or that it has none."""
    peer = find_function(kink.function.name)
    if peer is None:
        return NONE
    given = [torch.tensor([v], dtype=torch.float64, requires_grad=True) for v in kink.point]
    (slope,) = torch.autograd.grad(peer(*given).sum(), given[kink.place])
    return write(float(slope))


def torch_shares(tie: Tie) -> list[str]:
    """The cells of PyTorch's two gradients at a tie."""
    found = []
    for extreme in EXTREMES[tie.text]:
        x = torch.tensor(tie.values, requires_grad=True)
        found.append(write_all(torch.autograd.grad(extreme(x), x)[0].numpy()))
    return found


def render() -> str:
    """The page."""
    rows = [[*kink.cells, our_slope(kink), jax_slope(kink), torch_slope(kink)] for kink in list_kinks()]
    ties = [[f"`{tie.text}`", "x", our_share(tie), jax_share(tie), *torch_shares(tie)] for tie in TIES]
    return HEAD + _table(rows) + MIDDLE + _table(ties)


def _table(rows: list[list[str]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


if __name__ == "__main__":
    page = render()
    if "--write" in sys.argv[1:]:
        PAGE.write_text(page, encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != page:
        sys.exit("docs/kinks.md is out of date; run python tests/torch/kink_page.py --write")
