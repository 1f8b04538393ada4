"""The formula language: text to trees, trees to text, trees to programs."""

from symbackprop.language.fences import extract_fences as extract_fences
from symbackprop.language.limits import Limits as Limits
from symbackprop.language.matrix_program import read_matrix_claim as read_matrix_claim
from symbackprop.language.matrix_program import read_matrix_program as read_matrix_program
from symbackprop.language.matrix_text import write_matrix_tree as write_matrix_tree
from symbackprop.language.program_text import read_program as read_program
from symbackprop.language.program_text import write_program as write_program
from symbackprop.language.reader import read_expression as read_expression
from symbackprop.language.reader import read_statements as read_statements
from symbackprop.language.writer import write_statements as write_statements
from symbackprop.language.writer import write_tree as write_tree
