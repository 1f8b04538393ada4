"""Programs as code: stable rewrites, a plan of array operations, and its source for each library of arrays."""

from symbackprop.codegen.block_functions import BlockFunction as BlockFunction
from symbackprop.codegen.block_functions import compile_blocks as compile_blocks
from symbackprop.codegen.code import Code as Code
from symbackprop.codegen.code import write_code as write_code
from symbackprop.codegen.functions import CompiledFunction as CompiledFunction
from symbackprop.codegen.functions import compile_code as compile_code
from symbackprop.codegen.modules import write_module as write_module
from symbackprop.codegen.targets import find_target as find_target
