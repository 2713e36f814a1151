"""Keras 1's module of model pictures: `plot` is today's `plot_model`."""

from funkeras.utils.vis_utils import model_to_dot
from funkeras.utils.vis_utils import plot_model as plot

__all__ = ["model_to_dot", "plot"]
