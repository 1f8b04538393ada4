"""Programs as code: stable rewrites, a plan of array operations and its source for each library, straight lines."""

from symbackprop.codegen.code import Code as Code
from symbackprop.codegen.code import write_code as write_code
from symbackprop.codegen.functions import CompiledFunction as CompiledFunction
from symbackprop.codegen.functions import compile_code as compile_code
from symbackprop.codegen.modules import write_module as write_module
from symbackprop.codegen.scalar_code import write_scalar_code as write_scalar_code
from symbackprop.codegen.scalar_compiled import ScalarFunction as ScalarFunction
from symbackprop.codegen.scalar_compiled import compile_scalar_code as compile_scalar_code
from symbackprop.codegen.targets import ScalarTarget as ScalarTarget
from symbackprop.codegen.targets import find_scalar_target as find_scalar_target
from symbackprop.codegen.targets import find_target as find_target
