"""Losses: pure functions that reduce the last axis, and a class derived from each."""

from funkeras.losses import lookup, matching, probabilistic, regression
from funkeras.losses.base import Loss, classes, reduce, registry
from funkeras.losses.lookup import *
from funkeras.losses.matching import *
from funkeras.losses.probabilistic import *
from funkeras.losses.regression import *

__all__ = ["Loss", "classes", "reduce", "registry"]
__all__ += lookup.__all__
__all__ += matching.__all__
__all__ += probabilistic.__all__
__all__ += regression.__all__
