"""Run with genuine Keras: loads each model of a folder and writes what it predicts.

Arguments: the package, `keras` or `tf_keras`, the folder, and the files in it. Beside a file `a.h5`
or `a.keras` lies `a.npz` with the inputs `x0`, `x1`, …; `a.weights.h5` is loaded into the model of
`a.keras`. Writes `a.h5.npz` with the outputs and prints a JSON object: file → what went wrong, or
the number of steps that the optimizer has taken. Where there are targets `t0`, … it takes another
step, if the model can, and writes the weights after it to `a.h5.trained.npz`.
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


def one_or_list(arrays):
    """The only array, or all."""
    return arrays[0] if len(arrays) == 1 else arrays


def predicted(keras, path):
    """Write what the model of a file predicts; the steps that its optimizer has taken."""
    whole = path.with_name(path.name.replace(".weights.h5", ".keras"))
    model = keras.models.load_model(whole)
    if whole != path:
        model.load_weights(path)
    with np.load(path.with_name(f"{path.name.partition('.')[0]}.npz")) as stored:
        arrays = {name: stored[name] for name in sorted(stored.files)}
    inputs = one_or_list([array for name, array in arrays.items() if name.startswith("x")])
    targets = [array for name, array in arrays.items() if name.startswith("t")]
    y = model(inputs, training=False)
    np.savez(path.with_name(f"{path.name}.npz"), *flat(y))
    optimizer = getattr(model, "optimizer", None)
    steps = int(optimizer.iterations) if optimizer is not None else 0
    # Keras 3 cannot train a model of HDF5 that has an optimizer's state, its own neither.
    if targets and (keras.__name__ == "tf_keras" or path.suffix == ".keras"):
        model.train_on_batch(inputs, one_or_list(targets))
        np.savez(path.with_name(f"{path.name}.trained.npz"), *model.get_weights())
    return steps


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
