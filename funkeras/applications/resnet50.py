"""`ResNet50` with what its pictures and its classes need."""

from funkeras.applications.imagenet_utils import addresses, decode_predictions, preprocess_input
from funkeras.applications.resnet import ResNet50

__all__ = ["ResNet50", "decode_predictions", "preprocess_input"]

(TF_WEIGHTS_PATH, TF_WEIGHTS_PATH_NO_TOP, TH_WEIGHTS_PATH, TH_WEIGHTS_PATH_NO_TOP) = addresses(
    "v0.2", "resnet50"
)
