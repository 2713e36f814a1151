"""`VGG16` with what its pictures and its classes need."""

from funkeras.applications.imagenet_utils import decode_predictions, preprocess_input
from funkeras.applications.vgg import VGG16

__all__ = ["VGG16", "decode_predictions", "preprocess_input"]
