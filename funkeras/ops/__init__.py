"""Keras 3's operations: pure functions of arrays, recorded where a tensor is symbolic.

Names, arguments and dtypes are those of Keras 3 on its JAX backend. As a function of arrays each
can be given to `jax.grad`, `jax.vmap` and `jax.jit`.
"""

from funkeras.ops import (
    converting,
    elementwise,
    fourier,
    indexing,
    making,
    matrices,
    products,
    shaping,
)
from funkeras.ops.converting import *
from funkeras.ops.elementwise import *
from funkeras.ops.fourier import *
from funkeras.ops.indexing import *
from funkeras.ops.making import *
from funkeras.ops.matrices import *
from funkeras.ops.products import *
from funkeras.ops.shaping import *

__all__ = [
    *converting.__all__,
    *elementwise.__all__,
    *fourier.__all__,
    *indexing.__all__,
    *making.__all__,
    *matrices.__all__,
    *products.__all__,
    *shaping.__all__,
]
