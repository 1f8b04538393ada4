"""Formulas read from LaTeX: blocks to statements, statements to the neutral tree, with the names that there are."""

from symbackprop.notation.reading.blocks import LatexStatement as LatexStatement
from symbackprop.notation.reading.blocks import read_block as read_block
from symbackprop.notation.reading.extents import check_extents as check_extents
from symbackprop.notation.reading.grammar import read_syntax as read_syntax
from symbackprop.notation.reading.index_formulas import read_formula as read_formula
from symbackprop.notation.reading.index_formulas import read_head as read_head
from symbackprop.notation.reading.layers import LayerStatement as LayerStatement
from symbackprop.notation.reading.layers import expand_layers as expand_layers
from symbackprop.notation.reading.matrix_formulas import read_matrix_formula as read_matrix_formula
from symbackprop.notation.reading.refusals import AmbiguousFormulaError as AmbiguousFormulaError
from symbackprop.notation.reading.refusals import UnknownCommandError as UnknownCommandError
from symbackprop.notation.reading.statements import MatrixClaim as MatrixClaim
from symbackprop.notation.reading.statements import read_any_claim as read_any_claim
from symbackprop.notation.reading.statements import read_claim as read_claim
from symbackprop.notation.reading.statements import read_definition as read_definition
from symbackprop.notation.reading.syntax import Syntax as Syntax
from symbackprop.notation.reading.syntax import write_syntax as write_syntax
from symbackprop.notation.reading.vocabulary import Vocabulary as Vocabulary
from symbackprop.notation.reading.vocabulary import make_vocabulary as make_vocabulary
from symbackprop.notation.reading.vocabulary import read_names as read_names
