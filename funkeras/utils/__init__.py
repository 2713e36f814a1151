"""NumPy helpers of Keras scripts: one-hot labels, normalisation, downloads."""

from funkeras.utils.data_utils import get_file
from funkeras.utils.np_utils import normalize, to_categorical
from funkeras.utils.seeding import set_random_seed

__all__ = ["get_file", "normalize", "set_random_seed", "to_categorical"]
