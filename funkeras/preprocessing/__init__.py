"""NumPy preparation of data: sequences, texts and images, as in `keras.preprocessing`."""

from funkeras.preprocessing import folders, image, sequence, text
from funkeras.preprocessing.folders import *
from funkeras.preprocessing.timeseries import timeseries_dataset_from_array

__all__ = [
    *folders.__all__,
    "image",
    "sequence",
    "text",
    "timeseries_dataset_from_array",
]
