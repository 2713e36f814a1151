"""`VGG16` with what its pictures and its classes need."""

from funkeras.applications.imagenet_utils import addresses, decode_predictions, preprocess_input
from funkeras.applications.vgg import VGG16

__all__ = ["VGG16", "decode_predictions", "preprocess_input"]

(TF_WEIGHTS_PATH, TF_WEIGHTS_PATH_NO_TOP, TH_WEIGHTS_PATH, TH_WEIGHTS_PATH_NO_TOP) = addresses(
    "v0.1", "vgg16"
)
