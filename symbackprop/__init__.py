"""Backpropagation derived, shown, judged and run: from the forward formula alone."""

from __future__ import annotations

__version__ = "0.1.0"
