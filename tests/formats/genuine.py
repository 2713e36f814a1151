"""Run with genuine Keras: loads each model of a folder and writes what it predicts.

Arguments: the package, `keras` or `tf_keras`, the folder, and the files in it. Beside a file `a.h5`
or `a.keras` lies `a.npz` with the inputs `x0`, `x1`, …; `a.weights.h5` is loaded into the model of
`a.keras`. Writes `a.h5.npz` with the outputs `y0`, …, and prints a JSON object: file → what went
wrong, or the number of steps that the optimizer has taken.
"""

import importlib
import json
import sys
import traceback
from pathlib import Path

import numpy as np


def flat(value):
    """The arrays of a list, tuple or dict, or of one array."""
    if isinstance(value, dict):
        value = [value[name] for name in sorted(value)]
    return (
        [np.asarray(part) for part in value]
        if isinstance(value, list | tuple)
        else [np.asarray(value)]
    )


def predicted(keras, path):
    """Write what the model of a file predicts; the steps that its optimizer has taken."""
    whole = path.with_name(path.name.replace(".weights.h5", ".keras"))
    model = keras.models.load_model(whole)
    if whole != path:
        model.load_weights(path)
    with np.load(path.with_name(f"{path.name.partition('.')[0]}.npz")) as stored:
        inputs = [stored[name] for name in sorted(stored.files)]
    y = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    np.savez(path.with_name(f"{path.name}.npz"), *flat(y))
    optimizer = getattr(model, "optimizer", None)
    return int(optimizer.iterations) if optimizer is not None else 0


def main(package, folder, *names):
    """Load each file; one that fails does not stop the others."""
    keras = importlib.import_module(package)
    results = {}
    for name in names:
        try:
            results[name] = predicted(keras, Path(folder) / name)
        except Exception:
            results[name] = traceback.format_exc(limit=-3)
    print(json.dumps(results))


if __name__ == "__main__":
    main(*sys.argv[1:])
