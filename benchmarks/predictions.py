"""Prediction beside the bare jitted call of the same net: one row, and a whole set."""

import importlib
from collections.abc import Callable, Mapping
from functools import partial

import jax
import numpy as np

from benchmarks.contestants import keras_like
from benchmarks.workloads import WORKLOADS
from funkeras import layers, models

__all__ = ["PREDICTORS"]

NET = WORKLOADS["mnist_mlp"]
BATCH = 128

Call = Callable[[], object]


def rows_of(count: int) -> np.ndarray:
    return np.random.default_rng(0).random((count, 784), dtype=np.float32)


def funkeras(count: int) -> Call:
    model = keras_like(models, layers, NET)
    return partial(model.predict, rows_of(count), batch_size=BATCH, verbose=0)


def bare(count: int) -> Call:
    """The jitted forward pass, called batch by batch; its results are read at the end."""
    model = keras_like(models, layers, NET)
    pair, (params, state) = model.functional, model.variables_now
    run = jax.jit(lambda params, state, x: pair.apply(params, state, x)[0])
    x = rows_of(count)

    def call() -> object:
        outputs = [run(params, state, x[at : at + BATCH]) for at in range(0, count, BATCH)]
        return np.concatenate([np.asarray(y) for y in outputs])

    return call


def keras(count: int) -> Call:
    keras = importlib.import_module("keras")
    model = keras_like(keras.models, keras.layers, NET)
    return partial(model.predict, rows_of(count), batch_size=BATCH, verbose=0)


def torch(count: int) -> Call:
    torch = importlib.import_module("torch")
    net = NET.torch(torch.nn).eval()
    x = torch.from_numpy(rows_of(count))

    def call() -> object:
        with torch.inference_mode():
            return torch.cat([net(part).softmax(-1) for part in x.split(BATCH)]).numpy()

    return call


PREDICTORS: Mapping[str, Callable[[int], Call]] = {
    "funkeras": funkeras,
    "whole epoch by hand": bare,
    "Keras 3": keras,
    "PyTorch": torch,
}
"""Contestant → from a number of rows to a call that predicts them. By hand it is the bare call."""
