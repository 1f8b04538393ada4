"""Programs as code: stable rewrites, a plan of array operations, and printers of it."""

from symbackprop.codegen.numpy_function import NumpyFunction as NumpyFunction
from symbackprop.codegen.numpy_function import compile_numpy as compile_numpy
from symbackprop.codegen.numpy_function import source_numpy as source_numpy
