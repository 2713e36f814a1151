"""Keras's import path of the normalization layers."""

from funkeras.layers import __getattr__ as __getattr__
