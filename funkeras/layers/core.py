"""Keras's import path of the core layers."""

from funkeras.layers import __getattr__ as __getattr__
