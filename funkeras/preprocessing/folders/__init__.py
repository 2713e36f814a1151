"""Datasets of the files in a folder: images, texts and sounds, with the folders as classes."""

from funkeras.preprocessing.folders import audio as _audio
from funkeras.preprocessing.folders import images as _images
from funkeras.preprocessing.folders import texts as _texts
from funkeras.preprocessing.folders.audio import *
from funkeras.preprocessing.folders.images import *
from funkeras.preprocessing.folders.texts import *

__all__ = [name for module in (_images, _texts, _audio) for name in module.__all__]
