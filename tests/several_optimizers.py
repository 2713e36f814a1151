"""A model that several optimizers train, each its own variables, for genuine Keras 3 and for this.

Run with genuine Keras: `python several_optimizers.py FOLDER` writes there what training gives, and
a file of the model in the midst of it.
"""

import json
import sys
from pathlib import Path

import numpy as np

OPTIONS = {"batch_size": 4, "shuffle": False, "verbose": 0}


def data():
    """Inputs and targets of ten samples."""
    chance = np.random.default_rng(0)
    return [chance.normal(size=(10, size)).astype("float32") for size in (3, 2)]


def chosen(keras):
    """Ways to say which optimizer trains which variable."""
    optimizers = keras.optimizers
    first = optimizers.Adam(learning_rate=0.01)
    last = optimizers.SGD(learning_rate=0.05, momentum=0.9)

    def by_function(variable):
        return first if variable.path.endswith("kernel") else last

    mapped = optimizers.OptimizerMap(
        optimizers.SGD(learning_rate=0.05, momentum=0.9),
        {"first/.*": optimizers.Adam(learning_rate=0.01, clipnorm=0.1)},
    )
    mapped["last/bias"] = optimizers.RMSprop(learning_rate=0.02)
    return {"map": mapped, "function": by_function}


def model_of(keras, optimizer_map, **options):
    """Two layers with fixed weights."""
    inputs = keras.Input((3,))
    y = keras.layers.Dense(4, activation="tanh", name="first")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2, name="last")(y))
    chance = np.random.default_rng(3)
    model.set_weights([chance.normal(0, 0.5, w.shape) for w in model.get_weights()])
    model.compile(keras.optimizers.MultiOptimizer(optimizer_map, **options), "mse")
    return model


def trained(model, epochs=3):
    """Losses, and the weights that follow."""
    losses = model.fit(*data(), epochs=epochs, **OPTIONS).history["loss"]
    return {"losses": losses, "weights": [w.tolist() for w in model.get_weights()]}


def results(keras, folder):
    """What training gives, and what goes on from the file that is written meanwhile."""
    found = {}
    for name, optimizer_map in chosen(keras).items():
        model = model_of(keras, optimizer_map)
        found[name] = trained(model)
        if name == "map":
            model.save(folder / "trained.keras")
            found["resumed"] = trained(model)
    return found


if __name__ == "__main__":
    import keras

    folder = Path(sys.argv[1])
    (folder / "results.json").write_text(json.dumps(results(keras, folder)))
