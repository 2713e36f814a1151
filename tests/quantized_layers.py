"""Layers with kernels of eight bits: what they compute, and files.

`exchange.py` says how it is run with genuine Keras.
"""

import numpy as np
from exchange import run


def data():
    """Rows and words."""
    chance = np.random.default_rng(0)
    return [chance.normal(size=(8, 6)).astype("float32"), chance.integers(0, 9, (8, 4))]


def graph_of(keras, dtype=None):
    """A graph with a layer of each kind that may be quantized.

    Args:
        dtype: of these layers; quantized from their start.
    """
    layers, own = keras.layers, {"dtype": dtype}
    rows, words = keras.Input((6,)), keras.Input((4,), dtype="int32")
    tied = layers.ReversibleEmbedding(9, 5, **own)
    untied = layers.ReversibleEmbedding(9, 5, tie_weights=False, logit_soft_cap=3.0, **own)
    v = layers.Dense(7, activation="tanh", **own)(rows)
    v = layers.Dense(3, use_bias=False, **own)(v)
    steps = layers.Embedding(9, 5, **own)(words)
    steps = layers.EinsumDense("abc,cde->abde", (None, 3, 2), bias_axes="de", **own)(steps)
    steps = layers.EinsumDense("abde,fge->abgdf", (None, 4, 3, 2), **own)(steps)
    steps = layers.Reshape((4, 24))(steps)
    steps = layers.Dense(3, activation="relu", **own)(steps)
    parts = [layers.GlobalAveragePooling1D()(steps)]
    for table in (tied, untied):
        parts.append(layers.GlobalAveragePooling1D()(table(table(words), reverse=True)))
    return keras.Model([rows, words], layers.Concatenate()([v, *parts]))


def quantized(keras):
    """The graph, quantized from weights that are fixed; two of its layers are adapted then."""
    model = graph_of(keras)
    chance = np.random.default_rng(3)
    model.set_weights([chance.normal(0, 0.5, w.shape) for w in model.get_weights()])
    model.quantize("int8")
    return model


def adapted(keras):
    """The quantized graph with factors of low rank beside two kernels."""
    model = quantized(keras)
    chance = np.random.default_rng(4)
    for kind in (keras.layers.Embedding, keras.layers.EinsumDense):
        layer = next(own for own in model.layers if type(own) is kind)
        layer.enable_lora(2)
        for variable in layer.trainable_weights:
            variable.assign(chance.normal(0, 0.3, variable.shape))
    return model


def write(keras, folder):
    """Write files of both models, what they predict, and the weights of the first."""
    models = {"quantized": quantized(keras), "adapted": adapted(keras)}
    arrays = {}
    for name, model in models.items():
        model.save(folder / f"{name}.keras")
        arrays[name] = model.predict(data(), verbose=0)
    models["quantized"].save_weights(folder / "quantized.weights.h5")
    models["quantized"].save(folder / "quantized.h5")
    whole = keras.models.load_model(folder / "adapted.keras")  # in eight bits with its factors
    arrays["whole"] = whole.predict(data(), verbose=0)
    weights = {f"w{n}": array for n, array in enumerate(models["quantized"].get_weights())}
    np.savez(folder / "results.npz", **arrays, **weights)


def differences(keras, folder):
    """How far predictions and weights are from those written."""
    expected, x = np.load(folder / "results.npz"), data()
    model = quantized(keras)
    started = graph_of(keras, dtype="int8_from_float32")
    started.load_weights(folder / "quantized.weights.h5")
    load = keras.models.load_model
    predicted = {
        "quantized": (model, "quantized"),
        "adapted": (adapted(keras), "adapted"),
        "quantized.keras": (load(folder / "quantized.keras"), "quantized"),
        "quantized.weights.h5": (started, "quantized"),
        "quantized.h5": (load(folder / "quantized.h5", compile=False), "quantized"),
        "adapted.keras": (load(folder / "adapted.keras"), "whole"),
    }
    found = {
        name: own.predict(x, verbose=0) - expected[wanted]
        for name, (own, wanted) in predicted.items()
    }
    for number, array in enumerate(model.get_weights()):
        other = expected[f"w{number}"]
        assert array.dtype == other.dtype
        found[f"weight {number}"] = array.astype(float) - other
    return {name: float(abs(value).max()) for name, value in found.items()}


if __name__ == "__main__":
    run(write, differences)
