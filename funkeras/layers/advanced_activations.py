"""Keras's import path of the activations with parameters."""

from funkeras.layers import __getattr__ as __getattr__
