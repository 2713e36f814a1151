"""Keras's import path of the layers around layers."""

from funkeras.layers import __getattr__ as __getattr__
