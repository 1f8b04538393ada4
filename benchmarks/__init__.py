"""Measured times: `pip install '.[bench]'`, then `python -m benchmarks` from a checkout writes RESULTS.md.

Tests assert no times.
"""
