"""Formulas read from and written to LaTeX, plain text and words."""
