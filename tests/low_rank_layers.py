"""Layers whose kernels are adapted by factors of low rank: what training them gives, and files.

`exchange.py` says how it is run with genuine Keras.
"""

import numpy as np
from exchange import run

RANK, ALPHA = 2, 3


def data():
    """Rows, words, images and volumes, and targets."""
    chance = np.random.default_rng(0)
    rows, images, volumes, y = (
        chance.normal(size=(8, *shape)).astype("float32")
        for shape in ((5,), (6, 6, 4), (4, 4, 4, 2), (3,))
    )
    return [rows, chance.integers(0, 7, (8, 6)), images, volumes], y


def graph_of(keras, adapted=True, alpha=ALPHA):
    """A graph with a layer of each kind that has such factors, in the ways in which these come.

    Args:
        alpha: of those that are adapted later, of which Keras 3.15 forgets it when it loads them.
    """
    layers = keras.layers
    own = {"lora_rank": RANK, "lora_alpha": ALPHA} if adapted else {}
    rows, words = keras.Input((5,)), keras.Input((6,), dtype="int32")
    images, volumes = keras.Input((6, 6, 4)), keras.Input((4, 4, 4, 2))
    dense = layers.Dense(6, activation="tanh", kernel_regularizer="l2")
    embedding, table = layers.Embedding(7, 3), layers.ReversibleEmbedding(7, 3)
    y = layers.EinsumDense("ab,bc->ac", 3, bias_axes="c", **own)(dense(rows))
    steps = layers.Conv1D(4, 3, padding="same", **own)(embedding(words))
    scores = table(layers.TimeDistributed(layers.Dense(3))(table(words)), reverse=True)
    z = layers.Conv2D(4, 3, strides=2, groups=2, use_bias=False, **own)(images)
    v = layers.Conv3D(4, 2, activation="relu", **own)(volumes)
    parts = [
        layers.GlobalAveragePooling1D()(steps),
        layers.GlobalAveragePooling1D()(scores),
        layers.GlobalAveragePooling2D()(z),
        layers.GlobalAveragePooling3D()(v),
    ]
    joined = layers.Concatenate()([y, *parts])
    model = keras.Model([rows, words, images, volumes], layers.Dense(3)(joined))
    if adapted:
        for layer in (dense, embedding, table):
            layer.enable_lora(RANK, lora_alpha=alpha)
    return model


def trained(keras, alpha=ALPHA):
    """The model after some steps from weights that are fixed, and its losses."""
    model = graph_of(keras, alpha=alpha)
    chance = np.random.default_rng(3)
    model.set_weights([chance.normal(0, 0.3, w.shape) for w in model.get_weights()])
    model.compile("sgd", "mean_squared_error")
    told = model.fit(*data(), epochs=3, batch_size=4, shuffle=False, verbose=0)
    return model, np.array(told.history["loss"])


def write(keras, folder):
    """Write files of the trained model, what it predicts, its weights and its losses."""
    (model, losses), (other, _) = trained(keras), trained(keras, alpha=RANK)
    model.save(folder / "adapted.keras")
    model.save_weights(folder / "adapted.weights.h5")
    other.save(folder / "adapted.h5")
    arrays = {f"w{number}": array for number, array in enumerate(model.get_weights())}
    y, of_other = (own.predict(data()[0], verbose=0) for own in (model, other))
    np.savez(folder / "results.npz", y=y, of_other=of_other, losses=losses, **arrays)


def differences(keras, folder):
    """How far predictions are from those written, by file; how far training is from theirs."""
    expected = np.load(folder / "results.npz")
    adapted, plain = graph_of(keras), graph_of(keras, adapted=False)
    for model in (adapted, plain):
        model.load_weights(folder / "adapted.weights.h5")
    whole = keras.models.load_model(folder / "adapted.keras")
    old = keras.models.load_model(folder / "adapted.h5", compile=False)
    models = {"keras": whole, "weights": adapted, "plain weights": plain}
    x = data()[0]
    found = {name: own.predict(x, verbose=0) - expected["y"] for name, own in models.items()}
    found["h5"] = old.predict(x, verbose=0) - expected["of_other"]
    model, losses = trained(keras)
    found["losses"] = losses / expected["losses"] - 1
    for number, array in enumerate(model.get_weights()):
        found[f"weight {number}"] = array - expected[f"w{number}"]
    return {name: float(abs(value).max()) for name, value in found.items()}


if __name__ == "__main__":
    run(write, differences)
