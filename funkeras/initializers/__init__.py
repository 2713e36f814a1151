"""Where weights start: each initializer is one function of a source of randomness and a shape."""

from funkeras.initializers import rules
from funkeras.initializers.base import (
    Drawn,
    Initializer,
    deserialize,
    draw,
    get,
    registry,
    serialize,
)
from funkeras.initializers.fans import get_fans
from funkeras.initializers.rules import *
from funkeras.initializers.sources import KeySource, NumpySource, Source

__all__ = [
    "Drawn",
    "Initializer",
    "KeySource",
    "NumpySource",
    "Source",
    "deserialize",
    "draw",
    "get",
    "get_fans",
    "registry",
    "serialize",
]
__all__ += rules.__all__
