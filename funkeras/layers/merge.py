"""Keras's import path of the layers with several inputs."""

from funkeras.layers import __getattr__ as __getattr__
