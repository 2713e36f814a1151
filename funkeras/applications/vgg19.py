"""`VGG19` with what its pictures and its classes need."""

from funkeras.applications.imagenet_utils import decode_predictions, preprocess_input
from funkeras.applications.vgg import VGG19

__all__ = ["VGG19", "decode_predictions", "preprocess_input"]
