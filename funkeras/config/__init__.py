"""Settings of the library, and what it does for whoever looks at it or tries a script out."""

from funkeras.config import settings, switches
from funkeras.config.settings import *
from funkeras.config.switches import *

__all__ = [*settings.__all__, *switches.__all__]
