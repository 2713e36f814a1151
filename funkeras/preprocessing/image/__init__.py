"""Images: read and written, transformed at random, and given out in batches."""

from funkeras.preprocessing.image import files as _files
from funkeras.preprocessing.image import generator as _generator
from funkeras.preprocessing.image import iterators as _iterators
from funkeras.preprocessing.image import pictures as _pictures
from funkeras.preprocessing.image import transforms as _transforms
from funkeras.preprocessing.image.files import *
from funkeras.preprocessing.image.generator import *
from funkeras.preprocessing.image.iterators import *
from funkeras.preprocessing.image.pictures import *
from funkeras.preprocessing.image.transforms import *

__all__ = [
    name
    for module in (_generator, _iterators, _files, _pictures, _transforms)
    for name in module.__all__
]
