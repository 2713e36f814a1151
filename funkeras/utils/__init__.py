"""Helpers of Keras scripts: one-hot labels, normalisation, downloads, graphs of models."""

from funkeras.utils.data_utils import get_file
from funkeras.utils.np_utils import normalize, to_categorical
from funkeras.utils.pipelines import Dataset
from funkeras.utils.seeding import set_random_seed
from funkeras.utils.splitting import split_dataset
from funkeras.utils.vis_utils import model_to_dot, plot_model

__all__ = [
    "Dataset",
    "get_file",
    "model_to_dot",
    "normalize",
    "plot_model",
    "set_random_seed",
    "split_dataset",
    "to_categorical",
]
