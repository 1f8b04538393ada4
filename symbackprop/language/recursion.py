"""Room for formulas that are nested as deep as the limits allow."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from symbackprop.errors import LimitError

FRAMES = 12_000


@contextmanager
def deep_recursion() -> Iterator[None]:
    """Let Python call as deep as a formula within the limits needs: ten or twenty frames for each level of 200.

    What is deeper still, because a caller raised the limits, is a LimitError.
    """
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, FRAMES))
    try:
        yield
    except RecursionError:
        raise LimitError("the formula is nested deeper than Python can follow; lower the limit on nesting") from None
    finally:
        sys.setrecursionlimit(before)
