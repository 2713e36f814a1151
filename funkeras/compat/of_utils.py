"""What later generations have in `keras.utils` that is elsewhere here."""

from funkeras.backend import clear_session, is_keras_tensor, standardize_dtype
from funkeras.config import (
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
)
from funkeras.models.feature_space import FeatureSpace
from funkeras.preprocessing import (
    audio_dataset_from_directory,
    image_dataset_from_directory,
    text_dataset_from_directory,
    timeseries_dataset_from_array,
)
from funkeras.preprocessing.image import array_to_img, img_to_array, load_img, save_img
from funkeras.preprocessing.sequence import pad_sequences
from funkeras.utils.batches import pack_x_y_sample_weight, unpack_x_y_sample_weight

__all__ = [
    "FeatureSpace",
    "array_to_img",
    "audio_dataset_from_directory",
    "clear_session",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "image_dataset_from_directory",
    "img_to_array",
    "is_interactive_logging_enabled",
    "is_keras_tensor",
    "load_img",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "save_img",
    "standardize_dtype",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
    "unpack_x_y_sample_weight",
]
