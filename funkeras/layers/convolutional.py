"""Keras's import path of convolutions, padding, cropping and upsampling."""

from funkeras.layers import __getattr__ as __getattr__
