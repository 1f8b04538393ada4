"""Formulas written: index, matrix and scalar LaTeX, plain text, drawings and the words of steps."""

from symbackprop.notation.writing.equations import Equation as Equation
from symbackprop.notation.writing.equations import align as align
from symbackprop.notation.writing.equations import make_equations as make_equations
from symbackprop.notation.writing.equations import write_definitions as write_definitions
from symbackprop.notation.writing.names import Names as Names
from symbackprop.notation.writing.names import choose_names as choose_names
from symbackprop.notation.writing.narration import narrate_chain as narrate_chain
from symbackprop.notation.writing.narration import narrate_fold as narrate_fold
from symbackprop.notation.writing.plain_text import write_text as write_text
