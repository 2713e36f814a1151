"""The mathematics: every layer as a pure pair, and the combinators that make nets of them."""

from funkeras.functional import combinators, core, noise, pair
from funkeras.functional.combinators import *
from funkeras.functional.core import *
from funkeras.functional.noise import *
from funkeras.functional.pair import *

__all__ = [*pair.__all__, *combinators.__all__, *core.__all__, *noise.__all__]
