"""Keras's import path of the locally connected layers."""

from funkeras.layers import __getattr__ as __getattr__
