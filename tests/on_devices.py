"""Models trained on four devices, which the host stands for.

Run with genuine Keras and JAX: `python on_devices.py keras FILE` writes what training them gives
there. With `funkeras` it writes the same of this library, and what else the tests ask of it.
"""

import importlib
import json
import os
import sys

import numpy as np

ROWS = 48


def make(keras, name):
    """The layers of a model."""
    layers = keras.layers
    return {
        "dense": lambda: [
            layers.Input((8,)),
            layers.Dense(16, activation="relu", name="dense"),
            layers.BatchNormalization(name="norm"),
            layers.Dense(4, activation="softmax", name="out"),
        ],
        "image": lambda: [
            layers.Input((8, 8, 3)),
            layers.Conv2D(8, 3, activation="relu", name="conv"),
            layers.MaxPooling2D(name="pool"),
            layers.Flatten(name="flat"),
            layers.Dense(4, activation="softmax", name="out"),
        ],
        "words": lambda: [
            layers.Input((5,)),
            layers.Embedding(20, 8, name="embedding"),
            layers.LSTM(8, name="lstm"),
            layers.Dense(4, activation="softmax", name="out"),
        ],
    }[name]()


def distributions(keras):
    """Every kind of distribution, and none."""
    of = keras.distribution
    mesh = of.DeviceMesh((2, 2), ["batch", "model"], of.list_devices())
    layouts = of.LayoutMap(mesh)
    layouts[".*dense/kernel"] = (None, "model")
    layouts[".*dense/bias"] = ("model",)
    layouts[".*conv/kernel"] = (None, None, None, "model")
    layouts[".*embeddings"] = of.TensorLayout((None, "model"))
    layouts[".*lstm_cell/kernel"] = (None, "model")
    layouts[".*dense.output"] = ("batch", "model")
    return {
        "none": None,
        "data": of.DataParallel(),
        "model": of.ModelParallel(layout_map=layouts, batch_dim_name="batch"),
    }


def data(name, rows=ROWS):
    """Inputs and classes."""
    chance = np.random.default_rng(0)
    x = {
        "dense": lambda: chance.normal(size=(rows, 8)).astype("float32"),
        "image": lambda: chance.normal(size=(rows, 8, 8, 3)).astype("float32"),
        "words": lambda: chance.integers(0, 20, (rows, 5)).astype("int32"),
    }[name]()
    return x, chance.integers(0, 4, rows)


def built(keras, name):
    """A compiled model with weights that are the same everywhere."""
    model = keras.Sequential(make(keras, name), name="net")
    chance = np.random.default_rng(3)
    drawn = (chance.normal(size=w.shape).astype("float32") / 3 for w in model.get_weights())
    model.set_weights([np.abs(a) if a.ndim == 1 else a for a in drawn])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def worked(model, x, y):
    """What training, judging and predicting give."""
    history = model.fit(x, y, batch_size=16, epochs=3, shuffle=False, verbose=0).history
    return {
        "loss": history["loss"],
        "accuracy": history["accuracy"],
        "judged": model.evaluate(x, y, batch_size=16, verbose=0),
        "predicted": model.predict(x[:16], batch_size=16, verbose=0).tolist(),
    }


def layouts(model):
    """By which axes each weight is split."""
    return {w.path: [*w.value.sharding.spec] for w in model.weights}


def results(keras):
    """What each model gives with each distribution."""
    found = {}
    kinds = distributions(keras)
    for name, kind in (*(("dense", kind) for kind in kinds), ("image", "data"), ("words", "model")):
        keras.distribution.set_distribution(kinds[kind])
        model = built(keras, name)
        found[f"{name} {kind}"] = worked(model, *data(name))
        if kinds[kind] is not None:
            found[f"{name} {kind}"]["layouts"] = layouts(model)
        keras.distribution.set_distribution(None)
    return found


def checks(keras):
    """What only this library's own test asks for: pairs of what must be equal, or nearly so."""
    of, found = keras.distribution, {}
    x, y = data("dense", 50)
    alone = worked(built(keras, "dense"), x, y)
    before = built(keras, "dense")
    kinds = distributions(keras)
    for name, distribution in (("one", of.DataParallel(devices=["cpu:1"])), *kinds.items()):
        if distribution is not None:
            with distribution.scope():
                model = built(keras, "dense")
                found[f"{name}: rows that can't be shared"] = worked(model, x, y), alone
                slots = model._engine.slots.slots["momentum"]["dense"]["kernel"].sharding.spec
                found[f"{name}: slots"] = [*slots], layouts(model)["net/dense/kernel"]
    with kinds["model"].scope():
        laid_out, weights = layouts(model), model.get_weights()
        model.set_weights(weights)
        found["layouts after set_weights"] = layouts(model), laid_out
        model.save(sys.argv[2] + ".keras")
        again = keras.models.load_model(sys.argv[2] + ".keras")
        found["layouts from a file"] = layouts(again), laid_out
        found["a file"] = [[w.tolist() for w in own] for own in (again.get_weights(), weights)]
        streamed = built(keras, "dense")
        parts = [(x[i : i + 16], y[i : i + 16]) for i in range(0, 50, 16)]
        streamed.fit(iter(parts), steps_per_epoch=4, epochs=1, verbose=0)
        losses = [streamed.evaluate(x, y, batch_size=50, verbose=0)[0]]
        inner = keras.Sequential([keras.Input((8,)), keras.layers.Dense(16, name="dense")])
        found["an output's layout"] = [*inner(x[:16]).sharding.spec], ["batch", "model"]
    with kinds["data"].scope():
        found["made before"] = worked(before, x, y), alone
        model = keras.Sequential([keras.Input((8,)), told(keras, seen := [])])
        model.compile("sgd", "mse")
        model.fit(x[:48], x[:48], batch_size=16, verbose=0)
        model.evaluate(x[:48], x[:48], batch_size=16, verbose=0)
        model.predict(x[:32], batch_size=16, verbose=0)
        found["parts of batches on each device"] = [*map(list, {*seen})], [[4, 8]]
    model = built(keras, "dense")
    with kinds["model"].scope():
        model.predict(x, verbose=0)
    found["after it"] = worked(model, x, y), alone
    model = built(keras, "dense")
    model.fit(x, y, batch_size=16, shuffle=False, verbose=0)
    found["streamed"] = losses, [model.evaluate(x, y, batch_size=50, verbose=0)[0]]
    return found


def told(keras, seen):
    """A layer that notes which part of a batch each device computes, in every program."""
    import jax

    class Told(keras.layers.Dense):
        def call(self, x):
            def note(sharding):
                seen.append(sharding.shard_shape((16, 8)))

            jax.debug.inspect_array_sharding(x, callback=note)
            return super().call(x)

    return Told(8)


def main():
    """Write what the package of that name gives."""
    os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=4"
    os.environ["KERAS_BACKEND"] = "jax"
    keras = importlib.import_module(sys.argv[1])
    if sys.argv[1] == "keras":
        found = results(keras)
    else:
        keras.config.set_dialect("modern")
        found = {"results": results(keras), "checks": checks(keras)}
    with open(sys.argv[2], "w") as file:
        json.dump(found, file)


if __name__ == "__main__":
    main()
