"""NumPy helpers of Keras scripts: one-hot labels, normalisation, downloads."""

from funkeras.utils.data_utils import get_file
from funkeras.utils.np_utils import normalize, to_categorical

__all__ = ["get_file", "normalize", "to_categorical"]
