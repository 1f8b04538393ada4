"""Scalar functions as SymPy definitions."""

from symbackprop.functions.catalogue import FUNCTION_BY_NAME as FUNCTION_BY_NAME
from symbackprop.functions.catalogue import FUNCTIONS as FUNCTIONS
from symbackprop.functions.catalogue import applications as applications
from symbackprop.functions.catalogue import derivative as derivative
from symbackprop.functions.catalogue import expand_applications as expand_applications
from symbackprop.functions.recognition import recognise as recognise
from symbackprop.functions.scalar import ScalarFunction as ScalarFunction
from symbackprop.functions.scalar import where as where
