"""Backpropagation derived, shown, judged and run, from the forward formula alone.

>>> import symbackprop as sb
>>> d = sb.derive(sb.parse("input x, y\\nparam w\\nloss = (sigmoid(w*x) - y)^2"))
>>> sorted(d.gradients)
['w']
"""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

from symbackprop.errors import ArgumentError as ArgumentError
from symbackprop.errors import CurvatureError as CurvatureError
from symbackprop.errors import CycleError as CycleError
from symbackprop.errors import DataError as DataError
from symbackprop.errors import DivergenceError as DivergenceError
from symbackprop.errors import DocumentError as DocumentError
from symbackprop.errors import FormulaError as FormulaError
from symbackprop.errors import LimitError as LimitError
from symbackprop.errors import ShapeError as ShapeError
from symbackprop.errors import SymBackpropError as SymBackpropError
from symbackprop.errors import UndefinedGradientError as UndefinedGradientError
from symbackprop.errors import UnknownNameError as UnknownNameError
from symbackprop.errors import UnsupportedError as UnsupportedError
from symbackprop.errors import WorkerError as WorkerError
from symbackprop.facade.derivations import Derivation as Derivation
from symbackprop.facade.derivations import Gradient as Gradient
from symbackprop.facade.derivations import derive as derive
from symbackprop.facade.networks import Network as Network
from symbackprop.facade.networks import mlp as mlp
from symbackprop.facade.programs import Program as Program
from symbackprop.facade.programs import matrix as matrix
from symbackprop.facade.programs import parse as parse

if TYPE_CHECKING:
    from symbackprop import testing as testing
    from symbackprop import training as training
    from symbackprop.facade.backward import upstream as upstream
    from symbackprop.facade.backward import verify_backward as verify_backward
    from symbackprop.facade.catalogue import Entry as Entry
    from symbackprop.facade.catalogue import catalogue as catalogue
    from symbackprop.facade.catalogue import find_entry as find_entry
    from symbackprop.facade.descent import descend as descend
    from symbackprop.facade.latex import LatexFormula as LatexFormula
    from symbackprop.facade.latex import latex_formula as latex_formula
    from symbackprop.facade.newton import gauss_newton as gauss_newton
    from symbackprop.facade.newton import newton as newton
    from symbackprop.facade.training import Training as Training
    from symbackprop.facade.training import train as train
    from symbackprop.facade.verification import check_document as check_document
    from symbackprop.facade.verification import verify as verify
    from symbackprop.facade.verification import verify_gradient as verify_gradient
    from symbackprop.networks import Concatenated as Concatenated
    from symbackprop.networks import Dense as Dense
    from symbackprop.networks import Fragment as Fragment
    from symbackprop.networks import Layer as Layer
    from symbackprop.networks import Loss as Loss
    from symbackprop.networks import Residual as Residual
    from symbackprop.networks import layer as layer
    from symbackprop.networks import loss as loss
    from symbackprop.networks import transformer_block as transformer_block
    from symbackprop.proof import Verdict as Verdict
    from symbackprop.training import SGD as SGD
    from symbackprop.training import Adagrad as Adagrad
    from symbackprop.training import Adam as Adam
    from symbackprop.training import AdamW as AdamW
    from symbackprop.training import ClipByNorm as ClipByNorm
    from symbackprop.training import Descent as Descent
    from symbackprop.training import Momentum as Momentum
    from symbackprop.training import Nesterov as Nesterov
    from symbackprop.training import RMSprop as RMSprop
    from symbackprop.training import Schedule as Schedule
    from symbackprop.training import WeightDecay as WeightDecay
    from symbackprop.training import cosine as cosine
    from symbackprop.training import exponential_decay as exponential_decay
    from symbackprop.training import inverse_sqrt as inverse_sqrt
    from symbackprop.training import polynomial_decay as polynomial_decay
    from symbackprop.training import step_decay as step_decay
    from symbackprop.training import warm_up as warm_up

__version__ = "0.1.0"

PLACES: Mapping[str, str] = MappingProxyType({
    "facade.backward": "upstream verify_backward",
    "facade.catalogue": "Entry catalogue find_entry",
    "facade.descent": "descend",
    "facade.latex": "LatexFormula latex_formula",
    "facade.newton": "gauss_newton newton",
    "facade.training": "Training train",
    "facade.verification": "check_document verify verify_gradient",
    "networks": "Concatenated Dense Fragment Layer Loss Residual layer loss transformer_block",
    "proof": "Verdict",
    "training": "SGD Adagrad Adam AdamW ClipByNorm Descent Momentum Nesterov "
    "RMSprop Schedule WeightDecay cosine exponential_decay inverse_sqrt polynomial_decay step_decay warm_up",
})
"""The modules that hold the other public names; each is imported when one of its names is first asked for."""

ROOMS = ("testing", "training")


def __getattr__(name: str) -> object:
    """Import what a first gradient does not need when it is first asked for (PEP 562), so that nobody waits for it."""
    if name in ROOMS:
        return import_module(f"symbackprop.{name}")
    for place, names in PLACES.items():
        if name in names.split():
            return getattr(import_module(f"symbackprop.{place}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names, those that are not imported yet included."""
    return sorted({*globals(), *ROOMS, *(name for names in PLACES.values() for name in names.split())})
