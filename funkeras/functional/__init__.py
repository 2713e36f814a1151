"""The mathematics: every layer as a pure pair, and the combinators that make nets of them."""

from funkeras.functional import combinators as _combinators
from funkeras.functional import core as _core
from funkeras.functional import noise as _noise
from funkeras.functional import pair as _pair
from funkeras.functional.combinators import *
from funkeras.functional.core import *
from funkeras.functional.noise import *
from funkeras.functional.pair import *

__all__ = [
    name for family in (_pair, _combinators, _core, _noise) for name in sorted(family.__all__)
]
