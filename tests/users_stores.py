"""Layers of users that store what they have in their own way, and what is done with their files.

`exchange.py` says how it is run with genuine Keras.
"""

from pathlib import Path

import numpy as np
from exchange import run


def define(keras):
    """The classes, for genuine Keras or something with its names."""
    layers = keras.layers
    register = keras.saving.register_keras_serializable(package="users")

    @register
    class Named(layers.Layer):
        """Stores by names; a layer inside stores as ever."""

        def __init__(self, units=2, **options):
            super().__init__(**options)
            self.units = units
            self.inner = layers.Dense(units)

        def build(self, input_shape):
            size = input_shape[-1]
            self.kernel = self.add_weight(shape=(size, self.units), name="kernel")
            self.shift = self.add_weight(shape=(self.units,), trainable=False, name="shift")
            self.inner.build((None, self.units))
            self.built = True

        def call(self, x):
            return self.inner(x @ self.kernel + self.shift)

        def compute_output_shape(self, input_shape):
            return (*input_shape[:-1], self.units)

        def save_own_variables(self, store):
            store["matrix"] = np.transpose(np.array(self.kernel))
            store["shift"] = self.shift

        def load_own_variables(self, store):
            self.kernel.assign(np.array(store["matrix"]).T)
            self.shift.assign(store["shift"])

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    @register
    class Scaled(layers.Dense):
        """A built-in layer that stores a number of its own besides its weights."""

        factor = 1.0

        def call(self, x):
            return self.factor * super().call(x)

        def save_own_variables(self, store):
            super().save_own_variables(store)
            store["factor"] = np.array(self.factor, "float32")

        def load_own_variables(self, store):
            self.factor = float(np.array(store["factor"]))
            super().load_own_variables({name: store[name] for name in ("0", "1")})

    @register
    class Listed(layers.Layer):
        """Has files of its own, one in a folder, and no weights."""

        numbers = (1.0, 1.0)

        def call(self, x):
            return x * np.array(self.numbers, "float32")

        def save_assets(self, folder):
            for index, number in enumerate(self.numbers):
                path = Path(folder) / ("numbers" * index) / f"{index}.txt"
                path.parent.mkdir(exist_ok=True)
                path.write_text(str(number))

        def load_assets(self, folder):
            paths = Path(folder) / "0.txt", Path(folder) / "numbers" / "1.txt"
            self.numbers = tuple(float(path.read_text()) for path in paths)

    @register
    class Recalling(layers.LSTM):
        """A built-in layer whose weights are a cell's, with a number and a file of its own."""

        times, note = 1.0, ""

        def call(self, sequences, initial_state=None, mask=None, training=False):
            return self.times * super().call(sequences, initial_state, mask, training)

        def save_own_variables(self, store):
            super().save_own_variables(store)
            store["times"] = np.array(self.times, "float32")

        def load_own_variables(self, store):
            self.times = float(np.array(store["times"]))

        def save_assets(self, folder):
            (Path(folder) / "note.txt").write_text(f"times {self.times}")

        def load_assets(self, folder):
            self.note = (Path(folder) / "note.txt").read_text()

    @register
    class Prepared(layers.Layer):
        """Has weights of a size that is not that of its inputs."""

        def prepare(self, size):
            self.size = size
            self.table = self.add_weight(shape=(size,), initializer="ones", name="table")

        def build(self, input_shape):
            self.gain = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="gain")
            super().build(input_shape)

        def call(self, x):
            return x * self.gain + keras.ops.sum(self.table)

        def get_build_config(self):
            return {**super().get_build_config(), "size": self.size}

        def build_from_config(self, config):
            self.prepare(config["size"])
            super().build_from_config(config)

    @register
    class Net(keras.Model):
        """A model with a call of its own that stores a number, and holds such layers."""

        def __init__(self, **options):
            super().__init__(**options)
            self.first = Named()
            self.others = [Scaled(2), Listed()]
            self.bias = 0.0

        def call(self, x):
            y = self.first(x)
            for layer in self.others:
                y = layer(y)
            return y + self.bias

        def save_own_variables(self, store):
            store["bias"] = np.array(self.bias, "float32")

        def load_own_variables(self, store):
            self.bias = float(np.array(store["bias"]))

        def save_assets(self, folder):
            (Path(folder) / "note.txt").write_text(f"bias {self.bias}")

        def load_assets(self, folder):
            self.note = (Path(folder) / "note.txt").read_text()

    return {kind.__name__: kind for kind in (Named, Scaled, Listed, Recalling, Prepared, Net)}


def inputs():
    """Rows and sequences."""
    chance = np.random.default_rng(0)
    return [chance.normal(size=shape).astype("float32") for shape in ((4, 3), (4, 5, 3))]


def graph_of(keras, kinds, prepared=True):
    """A graph with all layers, one of them in a wrapper."""
    rows, steps = keras.Input((3,)), keras.Input((5, 3))
    table = kinds["Prepared"]()
    if prepared:
        table.prepare(4)
    y = kinds["Listed"]()(kinds["Scaled"](2)(kinds["Named"]()(rows)))
    z = keras.layers.TimeDistributed(kinds["Named"](2))(steps)
    z = keras.layers.GlobalAveragePooling1D()(z)
    return keras.Model([rows, steps], table(y + z + kinds["Recalling"](2)(steps)))


def models_of(keras):
    """The graph and the model with a call of its own, built."""
    kinds = define(keras)
    models = graph_of(keras, kinds), kinds["Net"]()
    models[1](inputs()[0])
    return models


def change(keras, models):
    """Give all weights, and what else is stored, other values."""
    graph, net = models
    for model in models:
        chance = np.random.default_rng(3)
        model.set_weights([chance.normal(0, 0.5, w.shape) for w in model.get_weights()])
    for layer in (*graph.layers, *net.others):
        kind = type(layer).__name__
        if kind == "Scaled":
            layer.factor = 1.5
        if kind == "Listed":
            layer.numbers = (0.5, -2.0)
        if kind == "Recalling":
            layer.times = 3.0
    net.bias = 0.25


def write(keras, folder):
    """Write the files of both, and what they predict."""
    change(keras, models := models_of(keras))
    graph, net = models
    x = inputs()
    graph.save(folder / "graph.keras")
    net.save(folder / "net.keras")
    graph.save_weights(folder / "graph.weights.h5")
    np.savez(
        folder / "predicted.npz",
        graph=graph.predict(x, verbose=0),
        net=net.predict(x[0], verbose=0),
    )


def differences(keras, folder):
    """How far predictions are from those written, by file."""
    graph, _ = models_of(keras)
    expected, x = np.load(folder / "predicted.npz"), inputs()
    graph.load_weights(folder / "graph.weights.h5")
    for layer in graph.layers:
        if type(layer).__name__ == "Listed":
            layer.numbers = (0.5, -2.0)  # of which no weights tell
    whole = keras.models.load_model(folder / "graph.keras")
    own = keras.models.load_model(folder / "net.keras")
    assert own.note == "bias 0.25"
    assert "times 3.0" in [getattr(layer, "note", None) for layer in whole.layers]
    found = {
        "graph.weights.h5": graph.predict(x, verbose=0) - expected["graph"],
        "graph.keras": whole.predict(x, verbose=0) - expected["graph"],
        "net.keras": own.predict(x[0], verbose=0) - expected["net"],
    }
    return {name: float(abs(value).max()) for name, value in found.items()}


if __name__ == "__main__":
    run(write, differences)
