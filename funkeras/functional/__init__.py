"""The mathematics: every layer as a pure pair, and the combinators that make nets of them."""

from funkeras.functional import combinators as _combinators
from funkeras.functional import convolution as _convolution
from funkeras.functional import core as _core
from funkeras.functional import noise as _noise
from funkeras.functional import normalization as _normalization
from funkeras.functional import pair as _pair
from funkeras.functional import pooling as _pooling
from funkeras.functional.combinators import *
from funkeras.functional.convolution import *
from funkeras.functional.core import *
from funkeras.functional.noise import *
from funkeras.functional.normalization import *
from funkeras.functional.pair import *
from funkeras.functional.pooling import *

__all__ = [
    name
    for family in (_pair, _combinators, _core, _convolution, _pooling, _normalization, _noise)
    for name in sorted(family.__all__)
]
