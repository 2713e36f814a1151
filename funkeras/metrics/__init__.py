"""Metrics: pure (init, update, result) triples, their classes, and plain functions."""

from funkeras.metrics import confusion, functions, lookup, means, scores
from funkeras.metrics.base import Metric, Triple, classes
from funkeras.metrics.confusion import *
from funkeras.metrics.functions import *
from funkeras.metrics.lookup import *
from funkeras.metrics.means import *
from funkeras.metrics.scores import *

__all__ = ["Metric", "Triple", "classes"]
__all__ += confusion.__all__
__all__ += functions.__all__
__all__ += lookup.__all__
__all__ += means.__all__
__all__ += scores.__all__
