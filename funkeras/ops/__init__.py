"""Keras 3's operations: pure functions of arrays, recorded where a tensor is symbolic.

Names, arguments and dtypes are those of Keras 3 on its JAX backend. As a function of arrays each
can be given to `jax.grad`, `jax.vmap` and `jax.jit`. `linalg`, `nn` and `numpy` hold the same ones.
"""

import sys

from funkeras.ops import (
    activations,
    bounds,
    comparing,
    complexes,
    control,
    converting,
    convolutions,
    elementwise,
    fourier,
    image,
    indexing,
    making,
    matrices,
    normalizing,
    products,
    reductions,
    scores,
    shaping,
    statistics,
    transcendental,
)
from funkeras.ops.activations import *
from funkeras.ops.bounds import *
from funkeras.ops.comparing import *
from funkeras.ops.complexes import *
from funkeras.ops.control import *
from funkeras.ops.converting import *
from funkeras.ops.convolutions import *
from funkeras.ops.elementwise import *
from funkeras.ops.fourier import *
from funkeras.ops.indexing import *
from funkeras.ops.making import *
from funkeras.ops.matrices import *
from funkeras.ops.normalizing import *
from funkeras.ops.products import *
from funkeras.ops.reductions import *
from funkeras.ops.scores import *
from funkeras.ops.shaping import *
from funkeras.ops.statistics import *
from funkeras.ops.transcendental import *

__all__ = [
    "image",
    "linalg",
    "nn",
    "numpy",
    *activations.__all__,
    *bounds.__all__,
    *comparing.__all__,
    *complexes.__all__,
    *control.__all__,
    *converting.__all__,
    *convolutions.__all__,
    *elementwise.__all__,
    *fourier.__all__,
    *indexing.__all__,
    *making.__all__,
    *matrices.__all__,
    *normalizing.__all__,
    *products.__all__,
    *reductions.__all__,
    *scores.__all__,
    *shaping.__all__,
    *statistics.__all__,
    *transcendental.__all__,
]

linalg = nn = numpy = sys.modules[__name__]
