"""Measured times; `python -m benchmarks` from a checkout writes RESULTS.md. Tests assert no times."""
