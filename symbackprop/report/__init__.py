"""Derivations as documents."""

from symbackprop.report.pages import Section as Section
from symbackprop.report.pages import write_formula as write_formula
from symbackprop.report.pages import write_html as write_html
from symbackprop.report.pages import write_markdown as write_markdown
