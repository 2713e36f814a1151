"""Keras's import path of the embeddings."""

from funkeras.layers import __getattr__ as __getattr__
