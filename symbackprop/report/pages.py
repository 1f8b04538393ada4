"""A derivation as a page: Markdown with LaTeX, and HTML whose formulas are MathML, so that it reads without a
network.
"""

from __future__ import annotations

import html
from dataclasses import dataclass

from latex2mathml.converter import convert

STYLE = """\
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; color: #1a1a1a; }
pre { background: #f5f5f2; padding: 0.75rem 1rem; overflow-x: auto; }
math { font: 1.1rem "Latin Modern Math", "STIX Two Math", "Cambria Math", "DejaVu Math TeX Gyre", math; }
.formula { overflow: auto hidden; margin: 0.75rem 0; padding: 0.25rem 0; }
mtd[columnalign="right"] { text-align: right; text-align: -webkit-right; padding-right: 0; }
mtd[columnalign="left"] { text-align: left; }
mtd[columnalign="right"] + mtd[columnalign="left"] { padding-left: 0; }
"""
"""Browsers know the alignment of MathML's columns from style sheets alone."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with a formula in LaTeX or a block of text below it."""

    heading: str
    latex: str = ""
    text: str = ""


def write_markdown(title: str, sections: tuple[Section, ...]) -> str:
    """A Markdown document: formulas between $$, text in fences.

    >>> print(write_markdown("A", (Section("B", latex="x^2"),)))
    # A
    <BLANKLINE>
    ## B
    <BLANKLINE>
    $$
    x^2
    $$
    <BLANKLINE>
    """
    parts = [f"# {title}"]
    for section in sections:
        parts.append(f"## {section.heading}")
        if section.text:
            parts.append(f"```symbackprop\n{section.text}\n```")
        if section.latex:
            parts.append(f"$$\n{section.latex}\n$$")
    return "\n\n".join(parts) + "\n"


def write_html(title: str, sections: tuple[Section, ...]) -> str:
    """A standalone HTML page."""
    body = [f"<h1>{html.escape(title)}</h1>"]
    for section in sections:
        body.append(f"<h2>{html.escape(section.heading)}</h2>")
        if section.text:
            body.append(f"<pre>{html.escape(section.text)}</pre>")
        if section.latex:
            body.append(write_formula(section.latex))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{html.escape(title)}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def write_formula(latex: str) -> str:
    """One displayed formula as MathML in a block."""
    return f'<div class="formula">{convert(latex, display="block")}</div>'
