"""Keras's import path of the noise layers."""

from funkeras.layers import __getattr__ as __getattr__
