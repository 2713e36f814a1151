"""Built-in layers that scripts change after they were made, from outside or in a subclass."""

import numpy as np
import pytest

from funkeras import backend as K
from funkeras import initializers, optimizers, regularizers
from funkeras.layers import LSTM, Conv1D, Conv2D, Dense, Dropout, Input, MaxPooling2D, Wrapper
from funkeras.models import Model, Sequential, load_model, model_from_json

X = np.random.RandomState(0).normal(size=(4, 3)).astype("float32")
Y = np.random.RandomState(1).normal(size=(4, 2)).astype("float32")
START = np.random.RandomState(2).normal(size=(3, 2)).astype("float32")
RATE = 0.1


def test_another_activation_counts_in_configs_files_and_new_models(tmp_path):
    model = Sequential([Dense(2, activation="softmax", use_bias=False, input_shape=(3,))])
    model.set_weights([START])
    model.layers[-1].activation = "linear"
    model.save(tmp_path / "changed.h5")
    assert load_model(tmp_path / "changed.h5").layers[-1].get_config()["activation"] == "linear"
    for changed in (model, load_model(tmp_path / "changed.h5"), Model(model.input, model.output)):
        np.testing.assert_allclose(changed.predict(X), X @ START, rtol=1e-5, atol=1e-6)


def test_a_regularizer_that_a_layer_is_given_later_penalizes_it():
    model = Sequential([Dense(2, use_bias=False, input_shape=(3,))])
    model.set_weights([START])
    for layer in model.layers:
        layer.kernel_regularizer = regularizers.l2(0.5)
    again = model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    expected = np.mean((X @ START - Y) ** 2) + 0.5 * np.sum(START**2)
    for changed in (model, again):
        changed.compile("sgd", "mse")
        assert changed.evaluate(X, Y, verbose=0) == pytest.approx(expected, rel=1e-5)


def test_another_rate_of_dropout_counts_at_the_next_compile():
    model = Sequential([Dropout(0.5, input_shape=(3,))])
    model.layers[0].rate = 0.0
    model.compile("sgd", "mse")
    assert model.train_on_batch(X, X) == 0
    with pytest.raises(ValueError, match="rate must be in"):
        model.layers[0].rate = 1.5
    assert model.layers[0].rate == 0.0


def test_an_activity_penalty_that_a_layer_is_given_later_counts():
    model = Sequential([Dense(2, use_bias=False, input_shape=(3,))])
    model.set_weights([START])
    model.layers[0].activity_regularizer = regularizers.l2(0.1)
    model.compile("sgd", "mse")
    expected = np.mean((X @ START - Y) ** 2) + 0.1 * np.sum((X @ START) ** 2)
    assert model.evaluate(X, Y, batch_size=4, verbose=0) == pytest.approx(expected, rel=1e-5)


def test_sizes_for_each_axis_are_known_so_whatever_was_given():
    assert Conv2D(2, 3, strides=2).kernel_size == (3, 3)
    assert Conv2D(2, 3, strides=2).strides == (2, 2)
    assert Conv1D(2, 3).kernel_size == (3,)
    assert MaxPooling2D(2).pool_size == (2, 2)


class Scaled(Wrapper):
    """The layer inside, with a share of its output that is a weight of that layer."""

    def build(self, input_shape=None):
        super().build(input_shape)
        self.share = self.layer.add_weight(name="share", shape=(1,), initializer="ones")
        self.layer.add_loss(K.sum(K.square(self.share) * K.sum(K.square(self.layer.kernel))))

    def call(self, inputs):
        return self.layer.call(inputs) * self.share


def test_a_weight_that_a_layer_gets_from_outside_is_trained_and_saved_with_it(tmp_path):
    model = Sequential([Scaled(Dense(2, use_bias=False), input_shape=(3,))])
    assert [own.shape for own in model.get_weights()] == [(3, 2), (1,)]
    model.set_weights([START, [0.5]])
    model.compile(optimizers.SGD(RATE), "mse")
    y, error = X @ START, 0.5 * X @ START - Y
    loss = np.mean(error**2) + 0.25 * np.sum(START**2)
    assert model.train_on_batch(X, Y) == pytest.approx(loss, rel=1e-5)
    kernel, share = model.get_weights()
    slope = X.T @ error / Y.size + 0.5 * START
    np.testing.assert_allclose(kernel, START - RATE * slope, rtol=1e-4, atol=1e-6)
    of_share = 2 * np.sum(error * y) / Y.size + np.sum(START**2)
    np.testing.assert_allclose(share, [0.5 - RATE * of_share], rtol=1e-4)
    model.save_weights(tmp_path / "scaled.h5")
    other = Sequential([Scaled(Dense(2, use_bias=False), input_shape=(3,))])
    other.load_weights(tmp_path / "scaled.h5")
    np.testing.assert_array_equal(other.predict(X), model.predict(X))


def test_what_a_call_puts_in_the_place_of_a_weight_is_used_in_that_run_alone():
    class Normed(Wrapper):
        def build(self, input_shape=None):
            super().build(input_shape)
            self.long = self.layer.kernel

        def call(self, inputs):
            self.layer.kernel = self.long / K.sqrt(K.sum(K.square(self.long), axis=0))
            return self.layer.call(inputs)

    model = Sequential([Normed(Dense(2, use_bias=False), input_shape=(3,))])
    model.set_weights([START])
    expected = X @ (START / np.sqrt((START**2).sum(0)))
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-5, atol=1e-6)
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    assert np.abs(model.get_weights()[0] - START).min() > 0
    kernel = model.layers[0].layer.get_weights()[0]
    np.testing.assert_array_equal(kernel, model.get_weights()[0])


def test_a_subclass_may_make_all_weights_of_a_built_in_layer_itself(tmp_path):
    class Halved(Dense):
        def build(self, input_shape):
            self.kernel = self.add_weight(
                name="kernel",
                shape=(input_shape[-1], self.units),
                initializer=self.kernel_initializer,
                regularizer=self.kernel_regularizer,
            )
            self.bias = None
            self.seen = self.add_weight(
                name="seen", shape=(), initializer=initializers.Zeros(), trainable=False
            )
            self.built = True

        def call(self, inputs):
            self.add_update(K.update_add(self.seen, 1.0))
            return self.activation(K.dot(inputs, self.kernel) / 2)

    def net():
        layer = Halved(2, activation="tanh", kernel_regularizer="l2", input_shape=(3,))
        return Sequential([layer])

    model = net()
    assert [own.shape for own in model.get_weights()] == [(3, 2), ()]
    model.set_weights([START, 0.0])
    model.compile(optimizers.SGD(RATE), "mse")
    y = np.tanh(X @ START / 2)
    loss = np.mean((y - Y) ** 2) + 0.01 * np.sum(START**2)
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(loss, rel=1e-5)
    model.train_on_batch(X, Y)
    slope = X.T @ ((y - Y) * (1 - y**2)) / Y.size + 0.02 * START
    kernel, seen = model.get_weights()
    np.testing.assert_allclose(kernel, START - RATE * slope, rtol=1e-4, atol=1e-6)
    assert seen == 1
    model.save_weights(tmp_path / "halved.h5")
    other = net()
    other.load_weights(tmp_path / "halved.h5")
    np.testing.assert_array_equal(other.predict(X), model.predict(X))


def test_how_a_recurrent_layer_runs_may_be_changed():
    inputs = Input((5, 3))
    layer = LSTM(2, return_sequences=True)
    Model(inputs, layer(inputs))
    layer.return_sequences = False
    assert layer(inputs).shape == (None, 2)
    assert (
        Sequential.from_config(Sequential([layer]).get_config()).layers[0].return_sequences is False
    )
