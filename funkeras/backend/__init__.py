"""`K`: the functions of `keras.backend`, on arrays, tracers and symbolic tensors."""

from typing import Any

from funkeras import spellings
from funkeras.backend import (
    arranging,
    ctc,
    elementwise,
    functions,
    images,
    loops,
    phases,
    products,
    randoms,
    reductions,
    scores,
    settings,
    tensors,
)
from funkeras.backend.arranging import *
from funkeras.backend.ctc import *
from funkeras.backend.elementwise import *
from funkeras.backend.functions import *
from funkeras.backend.images import *
from funkeras.backend.loops import *
from funkeras.backend.phases import *
from funkeras.backend.products import *
from funkeras.backend.randoms import *
from funkeras.backend.reductions import *
from funkeras.backend.refused import REFUSED
from funkeras.backend.scores import *
from funkeras.backend.settings import *
from funkeras.backend.stepping import *
from funkeras.backend.tensors import *

__all__ = [*arranging.__all__, *elementwise.__all__, *functions.__all__, *images.__all__]
__all__ += [*phases.__all__, *products.__all__, *randoms.__all__, *reductions.__all__]
__all__ += [*scores.__all__, *settings.__all__, *tensors.__all__]
__all__ += [*ctc.__all__, *loops.__all__]


SETTINGS = {
    "_BACKEND": settings.backend,
    "_EPSILON": settings.epsilon,
    "_FLOATX": settings.floatx,
    "_get_available_gpus": lambda: settings.available_gpus,
    "py_all": lambda: all,
    "py_any": lambda: any,
    "py_slice": lambda: slice,
    "py_sum": lambda: sum,
    "th_sparse_module": lambda: None,
    "_IMAGE_DIM_ORDERING": settings.image_dim_ordering,
}
"""Names that scripts read, though Keras meant them for itself → what gives them."""


def __getattr__(name: str) -> Any:
    """A setting by the name that Keras 1 had for it; or what to use instead of a missing name."""
    if name in SETTINGS:
        return SETTINGS[name]()
    instead = f": {REFUSED[name]}" if name in REFUSED else spellings.nearest(name, __all__)
    raise AttributeError(f"keras.backend has no {name!r}{instead}")
