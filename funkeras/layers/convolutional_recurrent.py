"""Keras's import path of the convolutional recurrent layers."""

from funkeras.layers import __getattr__ as __getattr__
