"""Every entry of the live catalogue against PyTorch: its own function of that name, or else its autograd.

`PEERS` names PyTorch's functions; an entry that has none there is written out, and PyTorch differentiates that. So
adding an entry needs no change here.
"""

from __future__ import annotations

import numpy as np
import pytest
import sympy
import torch
from catalogue_cases import CatalogueCase, find_cases
from peers import PEERS
from program_check import VALUE, run_compiled

import symbackprop as sb

ENTRIES = sb.catalogue()
TOLERANCE = 1e-10  # of the largest entry of an array

TORCH_FUNCTIONS = {
    "exp": torch.exp, "log": torch.log, "sqrt": torch.sqrt, "sin": torch.sin, "cos": torch.cos, "tan": torch.tan,
    "sinh": torch.sinh, "cosh": torch.cosh, "tanh": torch.tanh, "erf": torch.erf, "pi": torch.pi,
}  # fmt: skip


def leaves_of(case: CatalogueCase) -> dict[str, torch.Tensor]:
    """The data of a case as tensors; those that are differentiated require it."""
    tensors = {name: torch.tensor(array) for name, array in case.leaves.items()}
    for name in case.entry.derivation.gradients:
        tensors[name].requires_grad_()
    return tensors


def loss_by_peer(case: CatalogueCase, tensors: dict[str, torch.Tensor]) -> torch.Tensor:
    """The loss by PyTorch's own function: the output itself, or its product with what arrives from above."""
    output = PEERS[case.entry.name](tensors)
    if case.entry.kind == "loss":
        return output
    above = [name for name in tensors if name not in sb.parse(case.entry.text).core.tensors()]
    return (output * tensors[above[0]]).sum()


def loss_written_out(case: CatalogueCase, tensors: dict[str, torch.Tensor]) -> torch.Tensor:
    """The loss as one long formula of PyTorch scalars."""
    integers = {name: case.leaves[name] for name in case.sized.names_of_kind("index")}
    loss = case.entry.program.expand(case.sizes, integers)
    symbols, values = [], []
    for name, tensor in tensors.items():
        for at in np.ndindex(tuple(tensor.shape)) if name not in integers else ():
            symbols.append(sympy.Symbol(f"{name}[{','.join(str(k + 1) for k in at)}]", real=True))
            values.append(tensor[at])
    written = sympy.lambdify(symbols, loss, modules=[TORCH_FUNCTIONS, "math"], cse=True)(*values)
    return written + 0 * sum(tensors[name].sum() for name in case.entry.derivation.gradients)  # where it is constant


def faults(case: CatalogueCase, loss: torch.Tensor, tensors: dict[str, torch.Tensor]) -> list[str]:
    """Where the compiled code differs from a loss and its gradients by autograd."""
    value, gradients = run_compiled(case.entry.derivation, case.sized, case.leaves)
    wrt = list(case.entry.derivation.gradients)
    derived = torch.autograd.grad(loss, [tensors[name] for name in wrt], allow_unused=True, materialize_grads=True)
    wanted = {VALUE: loss.detach().numpy(), **{n: d.numpy() for n, d in zip(wrt, derived, strict=True)}}
    found = []
    for name, array in {VALUE: value, **gradients}.items():
        error, scale = np.max(np.abs(array - wanted[name])), np.max(np.abs(wanted[name]))
        if not error <= TOLERANCE * scale:
            found.append(f"{name} is off by {error:.3g} where the largest entry is {scale:.3g}")
    return found


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.kind}-{entry.name}")
def test_value_and_gradients_are_those_of_pytorch(entry: sb.Entry) -> None:
    """At every choice of sizes by the function of that name; where there is none, written out at the smallest."""
    cases = list(find_cases(entry))
    compute = loss_by_peer if entry.name in PEERS else loss_written_out
    for case in cases if entry.name in PEERS else [min(cases, key=lambda case: sum(case.sizes.values()))]:
        tensors = leaves_of(case)
        assert faults(case, compute(case, tensors), tensors) == [], case.sizes


def test_every_peer_is_that_of_an_entry() -> None:
    """A peer of nothing would compare nothing."""
    assert PEERS.keys() <= {entry.name for entry in ENTRIES}


def test_a_planted_mistake_is_found() -> None:
    """The peer of another function is caught, by either way."""
    case = next(find_cases(sb.find_entry("softplus")))
    tensors = leaves_of(case)
    wrong = (torch.nn.functional.silu(tensors["u"]) * tensors["g"]).sum()

    assert len(faults(case, wrong, tensors)) == 2
    assert faults(case, loss_written_out(case, tensors), tensors) == []
