"""Graphs and chains whose subclass has a `call`, which may run the graph by `super().call`."""

import numpy as np
import pytest

from funkeras import config, layers, ops
from funkeras.layers import Add, BatchNormalization, Dense, Input
from funkeras.models import Model, Sequential, load_model

X = np.random.default_rng(0).normal(size=(16, 3)).astype("float32")
Y = np.ones((16, 2), "float32")


class TwiceChain(Sequential):
    def call(self, inputs, training=None, mask=None):
        return 2 * super().call(inputs, training=training)


class TwiceGraph(Model):
    def call(self, inputs, training=None, mask=None):
        return 2 * super().call(inputs, training=training)


class LayerByLayer(Sequential):
    def call(self, x):
        for layer in self.layers:
            x = layer(x)
        return 2 * x


def graph(cls, *between):
    x = Input((3,))
    y = x
    for layer in between:
        y = layer(y)
    return cls(inputs=x, outputs=Dense(2)(y))


def chain(cls, *between):
    return cls([Input((3,)), *between, Dense(2)])


WAYS = {
    "chain": (chain, TwiceChain, Sequential),
    "graph": (graph, TwiceGraph, Model),
    "layers": (chain, LayerByLayer, Sequential),
}


@pytest.fixture(autouse=True)
def keras_3():
    config.set_dialect("modern")


@pytest.mark.parametrize("way", WAYS)
def test_the_call_is_what_the_model_computes(way):
    make, written, plain = WAYS[way]
    model, other = make(written), make(plain)
    other.set_weights(model.get_weights())
    expected = 2 * np.asarray(other(X))
    np.testing.assert_allclose(model(X), expected, rtol=1e-6)
    np.testing.assert_allclose(model.predict(X, verbose=0), expected, rtol=1e-6)
    outer = Sequential([Input((3,)), model])
    np.testing.assert_allclose(outer.predict(X, verbose=0), expected, rtol=1e-6)


@pytest.mark.parametrize("way", WAYS)
def test_it_trains_as_the_same_graph_with_a_layer_more(way):
    make, written, plain = WAYS[way]
    model, other = (make(cls, Dense(4), BatchNormalization()) for cls in (written, plain))
    twice = Sequential([*([Input((3,))]), other, layers.Rescaling(2.0)])
    other.set_weights(model.get_weights())
    for one in (model, twice):
        one.compile("sgd", "mse")
    options = {"epochs": 2, "batch_size": 4, "shuffle": False, "verbose": 0}
    losses = [one.fit(X, Y, **options).history["loss"] for one in (model, twice)]
    np.testing.assert_allclose(*losses, rtol=1e-6)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(twice.evaluate(X, Y, verbose=0))


@pytest.mark.parametrize("way", WAYS)
def test_a_file_keeps_graph_and_class(tmp_path, way):
    make, written, _ = WAYS[way]
    model = make(written)
    model.save(tmp_path / "m.keras")
    again = load_model(tmp_path / "m.keras", custom_objects={written.__name__: written})
    assert type(again) is written
    np.testing.assert_allclose(again.predict(X, verbose=0), model.predict(X, verbose=0))


def test_several_inputs_come_as_a_list():
    class Crossed(Model):
        def call(self, inputs, training=None, mask=None):
            a, b = inputs
            return ops.concatenate([super().call([a, b]), super().call([b, a])], axis=-1)

    a, b = Input((3,)), Input((3,))
    model = Crossed(inputs=[a, b], outputs=Add()([a, 2 * b]))
    expected = np.concatenate([X + 2 * X[::-1], X[::-1] + 2 * X], axis=-1)
    np.testing.assert_allclose(model.predict([X, X[::-1]], verbose=0), expected, rtol=1e-6)


def test_call_of_any_model_is_the_model():
    model = chain(Sequential)
    np.testing.assert_array_equal(model.call(X), model(X))
