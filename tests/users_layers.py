"""Layers and models as users of Keras 3 write them, and what is done with their files.

`exchange.py` says how it is run with genuine Keras.
"""

from types import SimpleNamespace

import numpy as np
from exchange import run


def define(keras):
    """The classes, for genuine Keras or something with its names."""
    layers, ops = keras.layers, keras.ops

    @keras.saving.register_keras_serializable(package="users")
    class Widened(layers.Dense):
        """A built-in layer with others as attributes."""

        def __init__(self, units, **options):
            super().__init__(units, **options)
            self.before = layers.Dense(2)
            self.steps = [layers.Dense(2, activation="tanh"), layers.LayerNormalization()]
            self._after = layers.Dense(units)

        def call(self, x):
            x = self.before(x)
            for step in self.steps:
                x = step(x)
            return self._after(super().call(x))

        def build(self, input_shape):
            super().build(input_shape)
            for layer in (self.before, *self.steps, self._after):
                layer.build(input_shape)

    @keras.saving.register_keras_serializable(package="users")
    class Block(layers.Layer):
        """Layers as attributes, in lists, in dicts and in lists in those; two arguments."""

        def __init__(self, units=2, **options):
            super().__init__(**options)
            self.units = units
            self.steps = [layers.Dense(units, activation="relu"), layers.Dense(units)]
            self.steps.append(layers.LayerNormalization())
            self.named = {"one": layers.Dense(units)}
            self.named["two"] = [layers.Dense(units), layers.Dense(units)]
            self._hidden = layers.Dense(units)
            self.cell = layers.LSTMCell(units)
            self.attention = layers.MultiHeadAttention(2, 3)

        def build(self, x_shape, context_shape):
            self.scale = self.add_weight(shape=(self.units,), initializer="ones", name="scale")
            shape = (None, None, self.units)
            for layer in (*self.steps, self.named["one"], *self.named["two"], self._hidden):
                layer.build(shape)
            self.cell.build((None, self.units))
            self.attention.build(shape, context_shape)
            self.built = True

        def call(self, x, context, training=False):
            for step in self.steps:
                x = step(x)
            one, two = self.named["two"]
            x = x + self.named["one"](x) + one(x) * two(x) + self._hidden(x)
            x = x + self.attention(query=x, value=context)
            y, _ = self.cell(x[:, 0], [x[:, 1], x[:, 2]])
            return x * self.scale + ops.expand_dims(y, 1)

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    class Net(keras.Model):
        """A model with a call of its own; some of its attributes come after `layers`."""

        def __init__(self):
            super().__init__()
            self.first = layers.Dense(2)
            self.block = Block()
            self.reader = layers.Bidirectional(layers.GRU(3))
            self.wide = Widened(2)
            self.out = layers.Dense(2)

        def call(self, x):
            y = self.wide(self.first(x))
            return self.out(self.reader(self.block(y, context=y)))

    def graph():
        a, b = keras.Input((3, 2)), keras.Input((5, 2))
        y = Block()(a, context=b)
        y = Widened(2)(Block()(layers.Dense(2)(y), b))
        return keras.Model([a, b], layers.Dense(2)(Widened(2)(y)))

    return SimpleNamespace(graph=graph, net=Net)


def inputs():
    """Sequences of two lengths."""
    chance = np.random.default_rng(0)
    return [chance.normal(size=(2, length, 2)).astype("float32") for length in (3, 5)]


def models_of(keras):
    """The graph and the model with a call of its own, built, both with weights of their own."""
    made = define(keras)
    models = made.graph(), made.net()
    models[1](inputs()[0])
    return models


def write(keras, folder):
    """Write the files of both, and what they predict."""
    for model in (models := models_of(keras)):
        chance = np.random.default_rng(3)
        model.set_weights([chance.normal(0, 0.3, w.shape) for w in model.get_weights()])
    graph, net = models
    x = inputs()
    graph.save(folder / "graph.keras")
    net.save_weights(folder / "net.weights.h5")
    y, z = graph.predict(x, verbose=0), net.predict(x[0], verbose=0)
    np.savez(folder / "predicted.npz", graph=y, net=z)


def differences(keras, folder):
    """How far predictions are from those written, by file."""
    _, net = models_of(keras)
    expected, x = np.load(folder / "predicted.npz"), inputs()
    net.load_weights(folder / "net.weights.h5")
    whole = keras.models.load_model(folder / "graph.keras")
    found = {
        "graph.keras": whole.predict(x, verbose=0) - expected["graph"],
        "net.weights.h5": net.predict(x[0], verbose=0) - expected["net"],
    }
    return {name: float(abs(value).max()) for name, value in found.items()}


if __name__ == "__main__":
    run(write, differences)
