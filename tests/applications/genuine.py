"""Run with genuine Keras: makes nets, fills them by a formula, writes weights and predictions.

Arguments: the package, `keras` or `tf_keras`, the folder, and the nets as `Name:size`. Writes
`Name.h5`, `Name.npz` with the pictures `x` and the features `y`, and prints a JSON object: net →
number of entries in its weights, with its top. `keras` writes `Name.weights.h5` instead, and the
net with a top of ten classes, `Name.keras` and `Name.h5`, and its logits `z`.

With `read` in the place of the package it writes `Name.back.npz` with the logits `z` of what
`Name.back.keras` in the folder holds, of the pictures in `Name.npz`.
"""

import importlib
import json
import sys
from pathlib import Path

import numpy as np


def drawn(index, name, shape):
    """The values of one weight: like those of a trained net, so that the features stay moderate."""
    rng = np.random.default_rng(index)
    if "gamma" in name or "variance" in name:
        return rng.uniform(0.5, 1.5, shape)
    if len(shape) < 2:
        return rng.normal(0, 0.1, shape)
    fan = np.prod(shape[:2] if shape[-1] == 1 else shape[:-1])
    return rng.normal(0, np.sqrt(2 / fan), shape)


def fill(model, x):
    """Give a model such values.

    Where it has gates, normalizations get the moments of what comes to them, so that no gate is
    wide open or shut for all pictures. Elsewhere the size of values does not matter.
    """
    pairs = zip(model.weights, model.get_weights(), strict=True)
    model.set_weights(
        [np.asarray(drawn(n, w.name, old.shape), old.dtype) for n, (w, old) in enumerate(pairs)]
    )
    for layer in model.layers:
        if hasattr(layer, "finalize_state"):  # Normalization does not look at its weights again
            layer.finalize_state()
    if any(type(layer).__name__ == "Multiply" for layer in model.layers):
        settle(model, x)


def settle(model, x):
    """Give a model's normalizations the moments of what they get of these pictures."""
    changed = {"BatchNormalization": "momentum", "Dropout": "rate"}
    own = [(layer, changed.get(type(layer).__name__)) for layer in model.layers]
    before = [(layer, name, getattr(layer, name)) for layer, name in own if name]
    for layer, name, _ in before:
        setattr(layer, name, 0.0)
    model(x, training=True)
    for layer, name, value in before:
        setattr(layer, name, value)


def write(keras, folder, name, size):
    """Make one net and write what the module says; gives its size."""
    build = getattr(keras.applications, name)
    modern = keras.__name__ == "keras"
    shape = (size, size, 3)
    model = build(weights=None, include_top=False, pooling="avg", input_shape=shape)
    scaled = any(type(own).__name__ in ("Normalization", "Rescaling") for own in model.layers)
    low, high = (0, 255) if scaled else (-1, 1)
    x = np.random.default_rng(0).uniform(low, high, (8, *shape)).astype("float32")
    fill(model, x)
    model.save_weights(folder / f"{name}{'.weights' if modern else ''}.h5")
    arrays = {"x": x, "y": np.asarray(model(x, training=False))}
    if modern:
        top = {"classes": 10, "classifier_activation": None}
        whole = build(weights=None, input_shape=shape, **top)
        fill(whole, x)
        whole.save(folder / f"{name}.keras")
        whole.save(folder / f"{name}.h5")
        arrays["z"] = np.asarray(whole(x, training=False))
    np.savez(folder / f"{name}.npz", **arrays)
    return build(weights=None).count_params()


def read(folder, name):
    """Write what one net of the library predicts."""
    keras = importlib.import_module("keras")
    model = keras.models.load_model(folder / f"{name}.back.keras")
    x = np.load(folder / f"{name}.npz")["x"]
    np.savez(folder / f"{name}.back.npz", z=np.asarray(model(x, training=False)))


def main(package, folder, *nets):
    """Write or read each net."""
    counts = {}
    for net in nets:
        name, _, size = net.partition(":")
        if package == "read":
            read(Path(folder), name)
        else:
            counts[name] = write(importlib.import_module(package), Path(folder), name, int(size))
    print(json.dumps(counts))


if __name__ == "__main__":
    main(*sys.argv[1:])
