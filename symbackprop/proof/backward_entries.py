"""Which entries of a gradient are wrong: all in another order, those along an axis, those beside the diagonal."""

from __future__ import annotations

import numpy as np

from symbackprop.proof.backward_repairs import Same
from symbackprop.proof.gradient_entries import Gradients
from symbackprop.proof.inner_arrays import entry_name, entry_symbol
from symbackprop.proof.wording import say


def right_elsewhere(gradients: Gradients, same: Same, *, claimed: bool, masked: bool) -> str:
    """Where else only one side is 0, if the entries beside are right.

    What is `masked` by conditions on its entries is 0 where the sample point says, so that tells nothing of axes.
    """
    wrong = [(t != 0, c != 0) == (claimed, not claimed) for t, c in gradients.pairs()]
    others = [pair for pair, bad in zip(gradients.pairs(), wrong, strict=True) if not bad]
    if all(t == 0 for t, _ in others) or not all(same(*pair) for pair in others):
        return ""
    if not claimed:
        return ", and right where that is not 0: is a mask missing?"
    if masked:
        return ", and right elsewhere"
    bad = np.reshape(np.array(wrong), gradients.shape)
    for axis, size in enumerate(gradients.shape):
        hit = [k for k in range(size) if bad.take(k, axis).all()]
        if bad.sum() * size == len(hit) * bad.size and hit == list(range(hit[0], hit[-1] + 1)) and len(hit) < size:
            where = str(hit[0]) if len(hit) == 1 else f"{hit[0]} to {hit[-1]}"
            return f": all of it is at {where} along axis {axis}, and right elsewhere; does a loop miss a step?"
    return ", and right elsewhere"


def rearranged(gradients: Gradients, same: Same) -> str:
    """The right entries in another order of the axes, or backwards along one."""
    shape = gradients.shape
    if sum(entry != 0 for entry in gradients.truth) < 2:  # a single one stands elsewhere for many reasons
        return ""
    truth = np.empty(shape, dtype=object)
    truth.reshape(-1)[:] = gradients.truth
    candidates = []
    if len(shape) == 2 and shape[0] == shape[1]:
        candidates.append(("is transposed", truth.T))
    candidates += [(f"runs backwards along axis {k}", np.flip(truth, k)) for k in range(len(shape)) if shape[k] > 1]
    for words, changed in candidates:
        pairs = list(zip(changed.reshape(-1), gradients.claims, strict=True))
        if all(same(*pair) for pair in pairs):
            return f"the gradient of {gradients.name} {words}"
    return ""


def right_in_symmetric_part(gradients: Gradients, same: Same) -> str:
    """What is returned for a symmetric matrix, of which forward reads the two halves apart, or only one of them."""
    name, shape = gradients.name, gradients.shape
    if len(shape) < 2 or shape[-1] != shape[-2] or shape[-1] == 1:
        return ""
    mirrored = {
        entry_symbol(name, place): entry_symbol(name, (*place[:-2], place[-1], place[-2]))
        for place in np.ndindex(*shape)
        if place[-2] < place[-1]
    }
    pairs = [(truth.xreplace(mirrored), claim.xreplace(mirrored)) for truth, claim in gradients.pairs()]
    if all(same(*pair) for pair in pairs):
        return ""  # each entry by itself is right for a symmetric matrix
    truth, claims = np.empty(shape, dtype=object), np.empty(shape, dtype=object)
    truth.reshape(-1)[:], claims.reshape(-1)[:] = zip(*pairs, strict=True)
    for whole in (truth, claims):
        whole += np.swapaxes(whole, -1, -2).copy()
    if not all(same(*pair) for pair in zip(truth.flat, claims.flat, strict=True)):
        return ""
    return (
        f"the gradient of {name} is right if {name} is symmetric and stays so, with entries (i, j) and (j, i) added "
        "up: forward reads each by itself, or only one of them"
    )


def on_the_diagonal(gradients: Gradients, same: Same) -> str:
    """A square gradient that is right on its diagonal alone."""
    shape = gradients.shape
    if len(shape) != 2 or shape[0] != shape[1] or shape[0] == 1:
        return ""
    for place, pair in zip(np.ndindex(*shape), gradients.pairs(), strict=True):
        if same(*pair) != (place[0] == place[1]):
            return ""
    return (
        f"the gradient of {gradients.name} is right on its diagonal only: "
        "is a product transposed, or a sum along one axis put along the other, as without keepdims?"
    )


def off_along_an_axis(gradients: Gradients, place: tuple[int, ...], title: str, same: Same) -> str:
    """The same difference from the truth in all entries along an axis; one that is a number is told by itself."""
    shape = gradients.shape
    gaps = np.empty(shape, dtype=object)
    gaps.reshape(-1)[:] = [t - c for t, c in gradients.pairs()]
    if gaps[place].is_number and gaps[place] != 0:
        return f"{title} lacks the term {say(gaps[place])}"
    for axis in range(len(shape)):
        line = [gaps[(*place[:axis], k, *place[axis + 1 :])] for k in range(shape[axis])]
        if len(line) > 1 and all(same(line[0], other) for other in line[1:]):
            return f"{title} lacks the same term as all its neighbours along axis {axis}: a sum or mean over that axis"
    return ""


def misplaced(gradients: Gradients, where: int, title: str, same: Same) -> str:
    """The derivative by another entry: one that reads what its own does not, or of which several are shifted alike."""
    own = gradients.truth[where].free_symbols
    for k, place in enumerate(np.ndindex(*gradients.shape)):
        if k != where and gradients.truth[k] != 0 and same(gradients.truth[k], gradients.claims[where]):
            first, second = (gradients.truth, gradients.claims) if k < where else (gradients.claims, gradients.truth)
            pairs = list(zip(first, second[abs(k - where) :], strict=False))
            shifted = len(pairs) > 1 and all(same(*pair) for pair in pairs)
            if shifted or gradients.truth[k].free_symbols - own:
                end = ": the entries are shifted" if shifted else ""
                return f"{title} is the derivative by {entry_name(gradients.name, place)}{end}"
    return ""
