"""Keras's import path of the recurrent layers."""

from funkeras.layers import __getattr__ as __getattr__
