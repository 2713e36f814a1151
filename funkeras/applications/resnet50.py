"""`ResNet50` with what its pictures and its classes need."""

from funkeras.applications.imagenet_utils import decode_predictions, preprocess_input
from funkeras.applications.resnet import ResNet50

__all__ = ["ResNet50", "decode_predictions", "preprocess_input"]
