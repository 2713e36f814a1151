"""What scripts imported from `keras.models` though it belongs elsewhere."""

from funkeras.optimizers import optimizer_from_config
from funkeras.utils.generic_utils import has_arg
from funkeras.utils.io_utils import ask_to_proceed_with_overwrite

__all__ = ["ask_to_proceed_with_overwrite", "has_arg", "optimizer_from_config"]
