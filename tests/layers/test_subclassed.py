"""Subclasses of built-in layers whose `call` or `build` is their own."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import backend as K
from funkeras import config, random
from funkeras.layers import (
    LSTM,
    RNN,
    Activation,
    Add,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    GlobalAveragePooling1D,
    Input,
    Layer,
    Masking,
    SimpleRNN,
    SimpleRNNCell,
)
from funkeras.models import Model, Sequential, load_model


class Doubled(Dense):
    """A dense layer whose result counts twice."""

    def call(self, x, mask=None):
        return 2 * super().call(x)


class Rewritten(Dense):
    """A dense layer without its bias, by its weights alone."""

    def call(self, x):
        return K.dot(x, self.kernel)


class Scaled(Dense):
    """A dense layer with one weight more."""

    def build(self, input_shape):
        super().build(input_shape)
        self.factor = self.add_weight(shape=(self.units,), initializer="ones", name="factor")

    def call(self, inputs):
        return super().call(inputs) * self.factor


def numbers(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def test_its_call_may_use_the_built_in_one():
    layer = Doubled(4, activation="tanh", input_dim=3)
    x = numbers(5, 3)
    kernel, bias = Sequential([layer]).get_weights()
    expected = 2 * np.tanh(x @ kernel + bias)
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5)
    np.testing.assert_allclose(Sequential([layer]).predict(x), expected, rtol=1e-5)


def test_its_call_may_replace_the_built_in_one():
    layer = Rewritten(4, bias_initializer="ones", input_dim=3)
    x = numbers(5, 3)
    model = Sequential([layer])
    np.testing.assert_allclose(model.predict(x), x @ layer.get_weights()[0], rtol=1e-5)


def test_weights_of_its_own_are_trained_and_saved(tmp_path):
    x = numbers(8, 3)
    model = Sequential([Scaled(2, input_dim=3)])
    model.compile("sgd", "mse")
    model.fit(x, x[:, :2], epochs=3, verbose=0)
    kernel, bias, factor = model.get_weights()
    assert np.all(factor != 1)
    np.testing.assert_allclose(model.predict(x), (x @ kernel + bias) * factor, rtol=1e-4, atol=1e-6)
    model.save(tmp_path / "scaled.h5")
    again = load_model(tmp_path / "scaled.h5", custom_objects={"Scaled": Scaled})
    assert isinstance(again.layers[0], Scaled)
    np.testing.assert_array_equal(again.predict(x), model.predict(x))


def test_a_build_of_its_own_runs_once():
    layer = Scaled(2)
    for _ in range(2):
        layer(numbers(5, 3))
    Sequential([layer]).build((None, 3))
    assert [weight.name.split("/")[1] for weight in layer.weights] == ["kernel", "bias", "factor"]


def test_a_build_of_its_own_leaves_the_built_in_call():
    class Started(Dense):
        def build(self, input_shape):
            super().build(input_shape)
            kernel, bias = self.get_weights()
            self.set_weights([kernel, bias + 3])

    layer = Started(4, input_dim=3)
    model = Sequential([layer])
    x = numbers(5, 3)
    np.testing.assert_allclose(model.predict(x), x @ layer.get_weights()[0] + 3, rtol=1e-4)


def test_another_shape_is_found():
    class Last(LSTM):
        def call(self, x, mask=None):
            return super().call(x)[:, -1]

    model = Sequential([Last(4, return_sequences=True, input_shape=(6, 3))])
    assert model.output_shape == (None, 4)
    whole = LSTM(4, return_sequences=True, input_shape=(6, 3))
    Sequential([whole]).set_weights(model.get_weights())
    x = numbers(2, 6, 3)
    np.testing.assert_allclose(model.predict(x), np.asarray(whole(x))[:, -1], rtol=1e-5)


def test_states_and_random_numbers_pass_through():
    class Normal(BatchNormalization):
        def call(self, x, training=None):
            return super().call(x) + 1

    class Dropped(Dropout):
        def call(self, x, training=None):
            return super().call(x) * 3

    model = Sequential([Normal(input_shape=(4,)), Dropped(0.5)])
    model.compile("sgd", "mse")
    x = numbers(64, 4) + 5
    before = model.layers[0].get_weights()[2]
    model.fit(x, x, epochs=1, verbose=0)
    assert np.all(model.layers[0].get_weights()[2] != before)
    kept = np.asarray(Dropped(0.5)(jnp.ones((100, 100)), training=True))
    assert set(np.unique(kept)) == {0.0, 6.0}


def test_it_takes_part_in_graphs_and_in_other_dtypes():
    given = Input((3,))
    layer = Doubled(2, dtype="float16")
    model = Model(given, layer(given))
    kernel, bias = model.get_weights()
    x = numbers(4, 3)
    np.testing.assert_allclose(model.predict(x), 2 * (x @ kernel + bias), rtol=0.02, atol=0.02)


def test_its_penalties_are_those_of_its_arguments():
    model = Sequential([Doubled(2, kernel_regularizer="l2", input_dim=3)])
    model.compile("sgd", "mse")
    x = np.zeros((4, 3), "float32")
    kernel, _ = model.get_weights()
    expected = 0.01 * np.sum(kernel**2)
    assert model.evaluate(x, np.zeros((4, 2)), verbose=0) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", ["params", "state"])
def test_attributes_of_its_own_do_not_take_the_names_of_arrays(name):
    class Taken(Layer):
        def build(self, input_shape):
            setattr(self, name, K.variable(0.0))
            super().build(input_shape)

    with pytest.raises(TypeError, match=f"{name} of 'taken_.*' are arrays by name.*another name"):
        Taken().build((None, 2))


class Widened(Dense):
    """A built-in layer with another one as attribute."""

    def __init__(self, units, **options):
        super().__init__(units, **options)
        self.before = Dense(3, kernel_regularizer="l2", name="before")

    def call(self, inputs):
        return super().call(inputs) + self.before(inputs)


def test_layers_that_are_attributes_of_a_subclass_are_trained_and_saved(tmp_path):
    model = Sequential([Widened(3, input_dim=2)])
    layer = model.layers[0]
    kernel, bias, inner, inner_bias = layer.get_weights()
    np.testing.assert_array_equal(inner, layer.before.get_weights()[0])
    x = np.ones((4, 2), "float32")
    y = x @ kernel + bias + x @ inner + inner_bias
    np.testing.assert_allclose(model.predict(x), y, rtol=1e-5)
    model.compile("sgd", "mse")
    penalty = 0.01 * np.sum(inner**2)
    np.testing.assert_allclose(model.evaluate(x, y, verbose=0), penalty, rtol=1e-4)
    model.fit(x, 0 * y, verbose=0)
    assert (layer.before.get_weights()[0] != inner).all()
    model.save_weights(path := tmp_path / "all.weights.h5")
    again = Sequential([Widened(3, input_dim=2)])
    again.load_weights(path)
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    layer.before.trainable = False
    assert len(model.trainable_weights) == 2


class Uncertain(Dropout):
    """Drops at inference too: Gal and Ghahramani 2016."""

    def call(self, inputs, training=None):
        return super().call(inputs, training=True)


class UncertainByPlace(Dropout):
    def call(self, inputs):
        return super().call(inputs, True)


@pytest.mark.parametrize("kind", [Uncertain, UncertainByPlace])
@pytest.mark.parametrize("dialect", ["classic", "keras2", "modern"])
def test_a_subclass_says_whether_the_layer_trains(kind, dialect):
    with config.using_dialect(dialect):
        model = Sequential([kind(0.5, input_shape=(200,))])
    x = np.ones((1, 200), "float32")
    for drop in (model.predict, model, kind(0.5)):
        y = np.asarray(drop(x))
        assert set(np.unique(y)) == {0.0, 2.0}
        assert np.any(y != np.asarray(drop(x)))
    with pytest.raises(ValueError, match="needs a key"):
        model.functional.apply(model.params, model.state, x)


def test_a_subclass_may_keep_a_layer_at_inference():
    class Still(BatchNormalization):
        def call(self, inputs, training=None, mask=None):
            return super().call(inputs, training=False)

    class Always(BatchNormalization):
        def call(self, inputs):
            return super().call(inputs, training=True)

    x = numbers(16, 3) * 4 + 5
    for kind, moves in ((Still, False), (Always, True)):
        model = Sequential([kind(input_shape=(3,))])
        model.compile("sgd", "mse")
        model.fit(x, x, verbose=0)
        assert np.any(model.get_weights()[2] != 0) == moves
        y = model.predict(x, batch_size=16)
        assert (abs(y.mean()) < 0.5) == moves


def test_the_mask_of_keras_1_is_handed_on_by_place():
    class Old(Dense):
        def call(self, x, mask=None):
            return super().call(x, mask)

    class Averaged(GlobalAveragePooling1D):
        def call(self, x, mask=None):
            return super().call(x, mask)

    rows = numbers(4, 3)
    model = Sequential([Old(2, input_dim=3)])
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(model.predict(rows), rows @ kernel + bias, rtol=1e-5)
    x = numbers(2, 5, 3)
    x[0, 2:] = 0
    with config.using_dialect("modern"):
        model = Sequential([Masking(input_shape=(5, 3)), Averaged()])
    expected = np.stack([x[0, :2].mean(0), x[1].mean(0)])
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-5, atol=1e-6)


class InOrderOfKeras2(LSTM):
    def call(self, inputs, mask=None, training=None, initial_state=None):
        return super().call(inputs, mask, training, initial_state)


class InOrderOfKeras3(LSTM):
    def call(self, sequences, initial_state=None, mask=None, training=False):
        return super().call(sequences, initial_state, mask, training)


@pytest.mark.parametrize(
    ("dialect", "kind"),
    [("classic", InOrderOfKeras2), ("keras2", InOrderOfKeras2), ("modern", InOrderOfKeras3)],
)
def test_recurrent_layers_take_masks_and_states_in_the_order_of_their_generation(dialect, kind):
    x = numbers(2, 5, 3)
    x[0, 2:] = 0
    with config.using_dialect(dialect):
        own, plain = (Sequential([Masking(input_shape=(5, 3)), k(2)]) for k in (kind, LSTM))
        plain.set_weights(own.get_weights())
        np.testing.assert_allclose(own.predict(x), plain.predict(x), rtol=1e-6)
        states = [numbers(2, 2), numbers(2, 2) / 2]
        y = own.layers[1](x, initial_state=states)
        np.testing.assert_allclose(y, plain.layers[1](x, initial_state=states), rtol=1e-6)


def test_more_arguments_than_a_call_takes_are_refused():
    class Many(Dense):
        def call(self, x):
            return super().call(x, None, None, None)

    with pytest.raises(TypeError, match="takes mask after its input"):
        Many(2)(numbers(4, 3))


def test_a_layer_that_draws_runs_on_arrays():
    class Noisy(Layer):
        def call(self, x):
            return x + random.normal(x.shape)

    layer, x = Noisy(), numbers(4, 3)
    np.random.seed(3)
    first, second = layer(x), layer(x)
    assert np.all(first != second)
    np.random.seed(3)
    np.testing.assert_array_equal(layer(x), first)


@pytest.mark.parametrize("base", [Embedding, Activation])
def test_a_subclass_says_which_mask_goes_on(base):
    told = []

    class Unmasking(base):
        def compute_mask(self, inputs, mask=None):
            told.append(super().compute_mask(inputs, mask))

    first = Unmasking if base is Embedding else Embedding
    layers = [first(5, 3, mask_zero=True, input_length=4)]
    layers += [] if base is Embedding else [Unmasking("linear")]
    model = Sequential([*layers, LSTM(2)])
    plain = Sequential([Embedding(5, 3, input_length=4), LSTM(2)])
    plain.set_weights(model.get_weights())
    rows = np.array([[1, 2, 0, 0]])
    np.testing.assert_allclose(model.predict(rows), plain.predict(rows), rtol=1e-6)
    assert any(mask is not None for mask in told)


def test_a_mask_that_a_subclass_computes_is_the_one_that_goes_on():
    class OnlyOnes(Embedding):
        def compute_mask(self, inputs, mask=None):
            return K.equal(inputs, 1)

    model = Sequential([OnlyOnes(5, 3, input_length=4), LSTM(2)])
    rows = [np.array([row]) for row in ([1, 2, 1, 3], [1, 1], [1, 4, 1, 0])]
    alone = Sequential([Embedding(5, 3), LSTM(2)])
    alone.build((None, None))
    alone.set_weights(model.get_weights())
    for padded in (rows[0], rows[2]):
        np.testing.assert_allclose(model.predict(padded), alone.predict(rows[1]), rtol=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"strides": 2, "padding": "same", "activation": "relu"},
        {"use_bias": False, "data_format": "channels_first"},
        {"dilation_rate": 2, "data_format": "channels_first"},
        {"groups": 2},
    ],
)
def test_a_convolution_op_of_a_subclass_is_the_middle_of_the_layer(options):
    class Tripled(Conv2D):
        def convolution_op(self, inputs, kernel):
            return super().convolution_op(inputs, 3 * kernel)

    x = np.random.default_rng(0).normal(size=(2, 6, 6, 6)).astype("float32")
    own, plain = Tripled(4, 2, **options), Conv2D(4, 2, **options)
    np.testing.assert_allclose(own(x).shape, plain(x).shape)
    arrays = own.get_weights()
    if own.use_bias:
        arrays[1] = np.arange(4.0)
        own.set_weights(arrays)
    plain.set_weights([3 * arrays[0], *arrays[1:]])
    np.testing.assert_allclose(own(x), plain(x), rtol=1e-5, atol=1e-5)


def test_a_merge_function_of_a_subclass_merges():
    class Tenfold(Add):
        def _merge_function(self, inputs):
            return 10 * super()._merge_function(inputs) + inputs[0]

    a, b = np.ones((2, 3), "float32"), np.full((2, 3), 2, "float32")
    np.testing.assert_array_equal(Tenfold()([a, b]), np.full((2, 3), 31))
    x, y = Input((3,)), Input((3,))
    np.testing.assert_array_equal(Model([x, y], Tenfold()([x, y])).predict([a, b]), 31 + 0 * a)


def begins_with_ones(base):
    """A layer or cell of that kind, all of whose weights and first states are ones."""

    class Own(base):
        def get_initial_state(self, batch_size=None):
            return [K.ones((batch_size, 2)) for _ in range(1 if base is SimpleRNNCell else 2)]

    return Own(2, kernel_initializer="ones", recurrent_initializer="ones", activation="linear")


@pytest.mark.parametrize("form", ["layer", "cell", "chain", "written"])
def test_states_begin_as_get_initial_state_says(form):
    """Of a plain recurrent step `x @ 1 + h @ 1` with x and the first h of ones: 3 + 2, …"""

    class OwnCell(Layer):
        state_size = 2

        def call(self, inputs, states):
            y = K.dot(inputs, K.ones((3, 2))) + K.dot(states[0], K.ones((2, 2)))
            return y, [y]

        def get_initial_state(self, batch_size=None):
            return K.ones((batch_size, 2))

    class OwnLayer(SimpleRNN):
        def get_initial_state(self, batch_size):
            return [K.ones((batch_size, 2))]

    options = {"kernel_initializer": "ones", "recurrent_initializer": "ones"}
    layer = {
        "layer": lambda: OwnLayer(2, activation="linear", return_sequences=True, **options),
        "cell": lambda: RNN(begins_with_ones(SimpleRNNCell), return_sequences=True),
        "chain": lambda: RNN([begins_with_ones(SimpleRNNCell)], return_sequences=True),
        "written": lambda: RNN(OwnCell(), return_sequences=True),
    }[form]()
    x = np.ones((1, 3, 3), "float32")
    expected = np.array([5, 13, 29])[None, :, None] + np.zeros((1, 3, 2))
    np.testing.assert_array_equal(layer(x), expected)
    model = Sequential([Input((None, 3)), layer])
    np.testing.assert_array_equal(model.predict(x), expected)
    assert np.isfinite(jax.grad(lambda x: jnp.sum(model(x)))(jnp.asarray(x))).all()


def test_states_of_an_lstm_begin_as_a_subclass_says():
    layer = begins_with_ones(LSTM)
    x = np.zeros((1, 1, 3), "float32")
    layer.build(x.shape)

    def sigmoid(a):
        return np.clip(0.2 * a + 0.5, 0, 1)  # the hard one of Keras 1 and 2

    gate, forget = sigmoid(2.0), sigmoid(3.0)  # of h @ 1 = 2, and the unit bias of the forget gate
    np.testing.assert_allclose(layer(x), np.full((1, 2), gate * (forget + gate * 2)), rtol=1e-5)
    given = layer(x, initial_state=[np.zeros((1, 2), "float32")] * 2)
    np.testing.assert_allclose(given, np.zeros((1, 2)), atol=1e-6)
