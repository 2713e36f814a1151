"""`K`: the functions of `keras.backend`, on arrays, tracers and symbolic tensors."""

from funkeras.backend import (
    arranging,
    elementwise,
    functions,
    images,
    phases,
    products,
    randoms,
    reductions,
    scores,
    settings,
    tensors,
)
from funkeras.backend.arranging import *
from funkeras.backend.elementwise import *
from funkeras.backend.functions import *
from funkeras.backend.images import *
from funkeras.backend.phases import *
from funkeras.backend.products import *
from funkeras.backend.randoms import *
from funkeras.backend.reductions import *
from funkeras.backend.scores import *
from funkeras.backend.settings import *
from funkeras.backend.tensors import *

__all__ = [*arranging.__all__, *elementwise.__all__, *functions.__all__, *images.__all__]
__all__ += [*phases.__all__, *products.__all__, *randoms.__all__, *reductions.__all__]
__all__ += [*scores.__all__, *settings.__all__, *tensors.__all__]
