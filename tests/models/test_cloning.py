"""`clone_model` gives equal layers with weights of their own, and old layers by their names."""

import numpy as np
import pytest

from funkeras import backend as K
from funkeras import config
from funkeras.layers import (
    GRU,
    LSTM,
    Activation,
    CuDNNGRU,
    CuDNNLSTM,
    Dense,
    Dropout,
    Input,
    Layer,
    RepeatVector,
    TimeDistributed,
    TimeDistributedDense,
    add,
)
from funkeras.models import Model, Sequential, clone_model
from funkeras.optimizers import SGD


@pytest.mark.parametrize("kind", ["graph", "chain"])
def test_a_clone_has_its_own_weights_and_computes_the_same_with_equal_ones(kind):
    x = Input((4,))
    chain = Sequential([Dense(3, input_dim=4, activation="tanh")])
    model = chain if kind == "chain" else Model(x, Dense(3, activation="tanh")(x))
    clone = clone_model(model)
    data = np.random.random((5, 4))
    assert np.abs(clone.predict(data) - model.predict(data)).max() > 1e-3
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(clone.predict(data), model.predict(data))
    assert clone_model(model, Input((4,))).output_shape == (None, 3)


@pytest.mark.parametrize(
    ("old", "new", "arguments"),
    [
        (CuDNNLSTM, LSTM, {"recurrent_activation": "sigmoid"}),
        (CuDNNGRU, GRU, {"recurrent_activation": "sigmoid", "reset_after": True}),
        (TimeDistributedDense, Dense, {}),
    ],
)
def test_layers_that_were_renamed_compute_what_today_s_do(old, new, arguments):
    x = Input((5, 4))
    model, other = Model(x, old(3)(x)), Model(x, new(3, **arguments)(x))
    other.set_weights(model.get_weights())
    data = np.random.random((2, 5, 4))
    np.testing.assert_array_equal(model.predict(data), other.predict(data))


def test_a_clone_may_run_on_a_variable():
    model = Sequential([Dense(2, input_dim=3)])
    x = np.arange(6.0).reshape(2, 3)
    clone = clone_model(model, input_tensors=K.variable(x))
    kernel, bias = clone.get_weights()
    np.testing.assert_allclose(K.eval(clone.output), x @ kernel + bias, rtol=1e-5)


def test_a_chain_in_a_chain_is_built_when_data_comes():
    model = Sequential([Sequential([Dense(3), Dense(4)]), Dense(5)])
    model.compile("sgd", "mse")
    model.train_on_batch(np.ones((2, 6)), np.ones((2, 5)))
    assert [w.shape for w in model.get_weights()][::2] == [(6, 3), (3, 4), (4, 5)]


def test_layers_may_be_shared_replaced_or_wrapped_by_the_clone():
    x = Input((4,))
    model = Model(x, Dense(2, name="b")(Dense(3, name="a", activation="relu")(x)))
    same = clone_model(model, clone_function=lambda layer: layer)
    assert same.get_layer("a") is model.get_layer("a")

    def wider(layer):
        return (
            Dense(5, name="wide")
            if layer.name == "a"
            else type(layer).from_config(layer.get_config())
        )

    assert clone_model(model, clone_function=wider).get_layer("b").get_weights()[0].shape == (5, 2)

    def dropped(layer, *args, **kwargs):
        return Dropout(0.5)(layer(*args, **kwargs))

    more = clone_model(model, clone_function=lambda layer: layer, call_function=dropped)
    kinds = [type(layer).__name__ for layer in more.layers]
    assert kinds == ["InputLayer", "Dense", "Dropout", "Dense", "Dropout"]
    data = np.random.random((3, 4))
    np.testing.assert_array_equal(more.predict(data), model.predict(data))


def test_a_layer_that_is_called_twice_has_one_clone():
    a, b = Input((3,)), Input((3,))
    shared = Dense(2)
    model = Model([a, b], add([shared(a), shared(b)]))
    clone = clone_model(
        model, clone_function=lambda layer: type(layer).from_config(layer.get_config())
    )
    assert len(clone.get_weights()) == 2
    clone.set_weights(model.get_weights())
    data = [np.random.random((2, 3)), np.random.random((2, 3))]
    np.testing.assert_array_equal(clone.predict(data), model.predict(data))


@pytest.mark.parametrize("recursive", [False, True])
def test_inner_models_are_a_layer_or_are_gone_into(recursive):
    met = []

    def noted(layer):
        met.append(type(layer).__name__)
        return type(layer).from_config(layer.get_config())

    x = Input((3,))
    inner = Sequential([Dense(2, input_shape=(3,)), Activation("relu")])
    clone = clone_model(Model(x, inner(x)), clone_function=noted, recursive=recursive)
    assert met == (["Dense", "Activation"] if recursive else ["Sequential"])
    assert clone.output_shape == (None, 2)


def test_a_clone_in_a_chain_keeps_or_takes_its_input():
    model = Sequential([Dense(2, input_shape=(3,)), Dense(1)])
    copy = clone_model(
        model, clone_function=lambda layer: type(layer).from_config(layer.get_config())
    )
    assert isinstance(copy, Sequential)
    assert copy.input_shape == (None, 3)
    wide = Input((3,), name="mine")
    on = clone_model(model, input_tensors=wide)
    assert isinstance(on, Sequential)
    assert on.inputs == [wide]
    unbuilt = clone_model(Sequential([Dense(2)]), clone_function=lambda layer: layer)
    assert not unbuilt.built


def test_a_graph_on_other_inputs_is_no_model_within_a_model():
    x, y = Input((4,)), Input((4,))
    model = Model(x, Dense(3)(x))
    clone = clone_model(model, y)
    assert clone.inputs == [y]
    assert [type(layer).__name__ for layer in clone.layers] == ["InputLayer", "Dense"]


@pytest.mark.parametrize("dialect", ["classic", "modern"])
def test_since_keras_3_a_clone_is_compiled_with_an_optimizer_of_its_own(dialect):
    with config.using_dialect(dialect):
        model = Sequential([Dense(1, input_shape=(2,))])
        model.compile(SGD(0.125), "mse", metrics=["mae"])
        clone = clone_model(model)
        assert (clone._compiled is not None) == (dialect == "modern")
        if dialect == "modern":
            clone.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
            assert float(clone.optimizer.learning_rate) == 0.125
            assert clone.optimizer is not model.optimizer
            assert model.optimizer.iterations == 0


def test_what_clone_model_refuses():
    class Own(Model):
        def __init__(self):
            super().__init__()
            self.dense = Dense(2)

        def call(self, x):
            return self.dense(x)

    with pytest.raises(ValueError, match="by code of its own"):
        clone_model(Own(), clone_function=lambda layer: layer)
    with pytest.raises(ValueError, match="call_function is for graphs"):
        clone_model(Sequential([Dense(2)]), call_function=lambda layer, x: layer(x))
    with pytest.raises(TypeError, match="no arguments"):
        clone_model(Sequential([Dense(2)]), other=1)


class Twice(Layer):
    """Of no registry."""

    def call(self, x):
        return 2 * x


@pytest.mark.parametrize("kind", ["graph", "chain", "nested"])
def test_layers_of_users_are_cloned_without_a_registry(kind):
    layers = [Dense(3, input_dim=4), Twice(), TimeDistributed(Twice())]
    model = Sequential([*layers[:2], RepeatVector(2), layers[2]])
    if kind != "chain":
        x = Input((4,))
        model = Model(x, model(x) if kind == "nested" else layers[1](layers[0](x)))
    clone = clone_model(model)
    clone.set_weights(model.get_weights())
    data = np.random.random((5, 4))
    np.testing.assert_array_equal(clone.predict(data), model.predict(data))
