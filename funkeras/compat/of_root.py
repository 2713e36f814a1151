"""What later generations have in `keras` itself that is elsewhere here."""

from funkeras.backend import name_scope
from funkeras.dtype_policies import DTypePolicy
from funkeras.initializers import Initializer
from funkeras.layers import InputSpec, Layer
from funkeras.losses import Loss
from funkeras.metrics import Metric
from funkeras.optimizers import Optimizer
from funkeras.regularizers import Regularizer
from funkeras.symbolic import SymbolicTensor as KerasTensor
from funkeras.variables import Variable

__all__ = [
    "DTypePolicy",
    "Initializer",
    "InputSpec",
    "KerasTensor",
    "Layer",
    "Loss",
    "Metric",
    "Optimizer",
    "Regularizer",
    "Variable",
    "name_scope",
]
