"""Keras's import path of the pooling layers."""

from funkeras.layers import __getattr__ as __getattr__
