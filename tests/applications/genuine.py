"""Run with genuine Keras: makes nets, fills them by a formula, writes weights and predictions.

Arguments: the package, `keras` or `tf_keras`, the folder, and the nets as `Name:size`. Writes
`Name.h5`, `Name.npz` with the pictures `x` and the features `y`, and prints a JSON object: net →
number of entries in its weights, with its top.
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
    fan = np.prod(shape[:-1]) if "depthwise" not in name else np.prod(shape[:2])
    return rng.normal(0, np.sqrt(2 / fan), shape)


def main(package, folder, *nets):
    """Make each net and write what the module says."""
    keras = importlib.import_module(package)
    counts = {}
    for net in nets:
        name, _, size = net.partition(":")
        build = getattr(keras.applications, name)
        counts[name] = build(weights=None).count_params()
        shape = (int(size), int(size), 3)
        model = build(weights=None, include_top=False, pooling="avg", input_shape=shape)
        values = [drawn(n, w.name, tuple(w.shape)) for n, w in enumerate(model.weights)]
        model.set_weights(values)
        model.save_weights(Path(folder) / f"{name}.h5")
        x = np.random.default_rng(0).uniform(-1, 1, (2, *shape)).astype("float32")
        np.savez(Path(folder) / f"{name}.npz", x=x, y=np.asarray(model(x, training=False)))
    print(json.dumps(counts))


if __name__ == "__main__":
    main(*sys.argv[1:])
