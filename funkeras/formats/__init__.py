"""Weight files as plain data: arrays by layer and name, read and written with h5py and NumPy."""

from funkeras.formats.errors import FileFormatError
from funkeras.formats.keras2 import WeightsFile, load_weights, save_weights, weight_shapes

__all__ = ["FileFormatError", "WeightsFile", "load_weights", "save_weights", "weight_shapes"]
