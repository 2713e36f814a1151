"""Functions of graphs, their updates and phases, and gradients, also inside losses and models."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import backend as K
from funkeras import config
from funkeras.layers import BatchNormalization, Dense, Dropout, Input, Lambda, Layer
from funkeras.models import Model, Sequential

rng = np.random.default_rng(0)
rows = rng.normal(size=(6, 3)).astype("float32")


@pytest.fixture(scope="module")
def net():
    a = Input(shape=(3,))
    hidden = Dense(4, activation="tanh")
    return Model(a, Dense(1)(hidden(a)))


def formula(x, kernel, bias, kernel_2, bias_2):
    return jnp.mean((jnp.tanh(x @ kernel + bias) @ kernel_2 + bias_2) ** 2)


def test_gradients_of_a_model_by_its_input_an_inner_tensor_and_its_weights(net):
    loss = K.mean(K.square(net.output))
    by_input, by_hidden = K.gradients(loss, [net.layers[0].input, net.layers[1].output])
    by_weights = K.gradients(loss, net.trainable_weights)
    compute = K.function([net.input], [loss, by_input, by_hidden, *by_weights])
    value, of_input, of_hidden, *of_weights = compute([rows])
    weights = net.get_weights()
    assert value == pytest.approx(float(formula(rows, *weights)), rel=1e-6)
    expected = jax.grad(formula, (0, 1, 2, 3, 4))(rows, *weights)
    for found, true in zip([of_input, *of_weights], expected, strict=True):
        np.testing.assert_allclose(found, true, rtol=1e-5, atol=1e-7)
    hidden = np.tanh(rows @ weights[0] + weights[1])
    outer = 2 * (hidden @ weights[2] + weights[3]) / len(rows) @ weights[2].T
    np.testing.assert_allclose(of_hidden, outer, rtol=1e-4, atol=1e-7)
    net.set_weights([weight * 2 for weight in weights])  # the program gets the weights of now
    assert compute([rows])[0] == pytest.approx(float(formula(rows, *net.get_weights())), rel=1e-5)


def test_gradients_of_gradients(net):
    loss = K.mean(K.square(net.output))
    penalty = K.sum(K.square(K.gradients(loss, net.input)[0]))
    (found,) = K.function([net.input], K.gradients(penalty, net.trainable_weights[0]))([rows])
    weights = net.get_weights()

    def steepness(kernel):
        return jnp.sum(jax.grad(formula)(rows, kernel, *weights[1:]) ** 2)

    np.testing.assert_allclose(found, jax.grad(steepness)(weights[0]), rtol=1e-4, atol=1e-7)


def test_gradients_by_tensors_one_of_which_follows_from_the_other():
    a = K.placeholder((None, 3))
    b = a * a
    found = K.function([a], K.gradients(K.sum(b * a), [a, b]))([rows])
    np.testing.assert_allclose(found[0], 3 * rows**2, rtol=1e-5)
    np.testing.assert_allclose(found[1], rows, rtol=1e-6)


def test_what_a_loss_does_not_follow_from_has_no_gradient_and_a_stopped_one_is_zero():
    a, b = K.placeholder((None, 3)), K.placeholder((None, 3))
    v, w = K.variable(2.0), K.variable(1.0)
    assert K.gradients(K.sum(a * v), [b, w]) == [None, None]
    stopped = K.gradients(K.sum(a * K.stop_gradient(a * v)), [a, v])
    by_a, by_v = K.function([a], stopped)([rows])
    np.testing.assert_allclose(by_a, 2 * rows)
    assert by_v == 0
    with pytest.raises(TypeError, match=r"jax\.grad"):
        K.gradients(np.float32(3), [a])


def test_dropout_is_the_same_in_a_value_and_in_its_gradient():
    a = Input(shape=(8,))
    dropped = Dropout(0.5)(a)
    compute = K.function([a, K.learning_phase()], [dropped, *K.gradients(K.sum(dropped), a)])
    ones = np.ones((5, 8), "float32")
    value, gradient = compute([ones, 1])
    np.testing.assert_array_equal(value, gradient)
    assert set(np.unique(value)) == {0.0, 2.0}
    assert (compute([ones, 1])[0] != value).any()
    np.testing.assert_array_equal(compute([ones, 0])[0], ones)


def test_a_function_is_compiled_once_for_each_shape_and_phase():
    a = K.placeholder((None, 3))
    v = K.variable(1.0)
    compute = K.function([a, K.learning_phase()], [K.in_train_phase(a * 2, a) * v])
    for factor in (1.0, 3.0):
        K.set_value(v, factor)
        np.testing.assert_allclose(compute([rows, 0])[0], factor * rows)
        np.testing.assert_allclose(compute([rows, 1])[0], 2 * factor * rows)
    assert compute.compiles == 2
    compute([rows[:2], 1])
    assert compute.compiles == 3


def test_updates_follow_from_the_values_before():
    v, w = K.variable(1.0), K.variable(10.0)
    a = K.placeholder(())
    step = K.function([a], [v + w], updates=[(v, w + a), K.update_add(w, v)])
    assert step([0.5])[0] == 11
    assert (K.get_value(v), K.get_value(w)) == (10.5, 11)
    K.function([], [], updates=[K.moving_average_update(v, 0.5, 0.9)])([])
    assert K.get_value(v) == pytest.approx(0.9 * 10.5 + 0.05)
    assert K.eval(K.update_sub(v, 1.0)) == pytest.approx(0.9 * 10.5 - 0.95)
    with config.using_dialect("modern"):
        assert K.get_value(K.update(v, 7.0)) == 7


def test_moving_averages_move_by_hand():
    x = rng.normal(3, 2, (50, 4)).astype("float32")
    mean, a = K.zeros((4,)), K.placeholder((None, 4))
    y, own, var = K.normalize_batch_in_training(a, K.ones((4,)), K.zeros((4,)), [0], 1e-3)
    found = K.function([a], [y], [K.moving_average_update(mean, own, 0.75)])([x])[0]
    np.testing.assert_allclose(
        found, (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-3), rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(K.get_value(mean), 0.25 * x.mean(0), rtol=1e-5)
    assert var.shape == (4,)


def test_a_function_says_what_it_was_given_wrong(net):
    compute = K.function([net.input], [net.output])
    with pytest.raises(ValueError, match="has shape"):
        compute([rows[:, :2]])
    with pytest.raises(ValueError, match="has 1 inputs"):
        compute([rows, 1])
    with pytest.raises(ValueError, match="disconnected graph"):
        K.function([K.placeholder((3,))], [net.output])
    with pytest.raises(ValueError, match="'givens'"):
        K.function([net.input], [net.output], givens=[])
    with pytest.raises(TypeError, match="are pairs"):
        K.function([net.input], [net.output], updates=[3])


def test_outputs_come_in_the_form_they_were_asked_for(net):
    found = K.function(net.inputs, {"a": net.output, "b": [K.constant(2.0)]})([rows])
    assert found["a"].shape == (6, 1)
    assert found["b"][0] == 2


def test_layers_by_their_phase_in_a_function():
    a = Input(shape=(4,))
    normalized = BatchNormalization()(a)
    x = rng.normal(5, 3, (40, 4)).astype("float32")
    compute = K.function([a, K.learning_phase()], [normalized])
    np.testing.assert_allclose(compute([x, 1])[0].mean(0), 0, atol=1e-3)
    np.testing.assert_allclose(compute([x, 0])[0], x / np.sqrt(1.001), rtol=1e-3)
    K.set_learning_phase(1)
    try:
        always = K.function([a], [BatchNormalization()(a)])([x])[0]
    finally:
        K.clear_session()
    np.testing.assert_allclose(always.mean(0), 0, atol=1e-3)


def test_a_gradient_penalty_in_a_loss_is_trained_through():
    a = Input(shape=(3,))
    critic = Model(a, Dense(1)(Dense(4, activation="tanh")(a)))
    point = Input(shape=(3,))
    model = Model(point, critic(point))

    def penalty(y_true, y_pred, points):
        steepness = K.gradients(y_pred, points)[0]
        return K.square(1 - K.sqrt(K.sum(K.square(steepness), axis=1)))

    loss = partial(penalty, points=point)
    loss.__name__ = "penalty"
    model.compile("sgd", loss)
    weights = [jnp.asarray(weight) for weight in model.get_weights()]

    def expected(weights):
        def score(x):
            return jnp.sum(jnp.tanh(x @ weights[0] + weights[1]) @ weights[2] + weights[3])

        return jnp.mean((1 - jnp.linalg.norm(jax.grad(score)(rows), axis=1)) ** 2)

    value, slopes = jax.value_and_grad(expected)(weights)
    assert model.train_on_batch(rows, np.zeros((6, 1))) == pytest.approx(float(value), rel=1e-5)
    for new, old, slope in zip(model.get_weights(), weights, slopes, strict=True):
        np.testing.assert_allclose(new, old - 0.01 * slope, rtol=1e-5, atol=1e-6)


def test_a_loss_may_close_over_tensors_of_the_graph():
    a = Input(shape=(3,))
    code = Dense(2)(a)
    model = Model(a, Dense(3)(code))

    def loss(y_true, y_pred):
        return K.mean(K.square(y_pred - y_true), axis=-1) + 0.1 * K.sum(K.square(code), axis=-1)

    model.compile("sgd", loss)
    kernel, bias, _, _ = model.get_weights()
    share = np.mean(0.1 * np.sum((rows @ kernel + bias) ** 2, -1))
    true = np.mean((model.predict(rows) - rows) ** 2) + share
    assert model.evaluate(rows, rows) == pytest.approx(true, rel=1e-5)
    history = model.fit(rows, rows, nb_epoch=5, verbose=0).history["loss"]
    assert history[-1] < history[0]


def test_a_variable_in_a_loss_has_the_value_of_the_moment():
    share = K.variable(1.0)
    model = Sequential([Dense(1, input_shape=(3,))])
    model.compile("sgd", lambda true, pred: share * K.mean(K.square(pred - true), axis=-1))
    targets = rows[:, :1]
    before = model.evaluate(rows, targets)
    K.set_value(share, 3.0)
    assert model.evaluate(rows, targets) == pytest.approx(3 * before, rel=1e-6)
    K.set_value(share, 0.0)
    weights = model.get_weights()
    model.fit(rows, targets, verbose=0)
    np.testing.assert_array_equal(weights[0], model.get_weights()[0])


def test_random_layers_draw_in_predict_too_and_follow_the_seed():
    def net():
        a = Input(shape=(3,))
        return Model(a, Lambda(lambda x: x + K.random_normal(K.shape(x)))(a))

    np.random.seed(3)
    model = net()
    first, second = model.predict(rows), model.predict(rows)
    assert (first != second).all()
    np.random.seed(3)
    np.testing.assert_array_equal(net().predict(rows), first)


def test_a_layer_of_keras_1_with_backend_functions_and_variables_of_its_own():
    class Scaled(Layer):
        def build(self, input_shape):
            self.scale = K.variable(np.full(input_shape[-1], 2.0), name="scale")
            self.trainable_weights = [self.scale]

        def call(self, x, mask=None):
            return K.in_train_phase(x, K.dot(x, K.eye(3)) * self.scale)

    model = Sequential([Scaled(input_shape=(3,)), Dense(1)])
    model.compile("sgd", "mse")
    kernel, bias = model.layers[1].get_weights()
    np.testing.assert_allclose(model.predict(rows), 2 * rows @ kernel + bias, rtol=1e-5, atol=1e-6)


def test_a_model_on_a_tensor_that_variables_are_part_of():
    style, place = K.variable(rows[:2]), K.placeholder((1, 3))
    joined = K.concatenate([style, place], axis=0)
    entry = Input(tensor=joined, shape=(3,))
    assert K.is_keras_tensor(entry)
    model = Model(entry, Dense(2)(entry))
    loss = K.sum(K.square(model.output))
    compute = K.function([place], [loss, *K.gradients(loss, place)])
    kernel, bias = model.get_weights()
    value, slope = compute([rows[2:3]])
    y = rows[:3] @ kernel + bias
    assert value == pytest.approx(np.sum(y**2), rel=1e-5)
    np.testing.assert_allclose(slope, 2 * y[2:] @ kernel.T, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("inside", [True, False], ids=["in a call", "in a graph"])
def test_shapes_may_be_computed_from_sizes(inside):
    def grouped(x):
        sizes = K.shape(x)
        shape = K.stack([sizes[0], 2, sizes[1] // 2])
        half = K.reshape(x, K.concatenate([K.expand_dims(sizes[0]), [2, -1]], axis=0))
        flat = K.reshape(K.reshape(x, shape) + half, [-1, K.prod(sizes[1:])])
        return flat / K.cast(sizes[1], "float32")

    inputs = Input((4,))
    model = Model(inputs, Lambda(grouped)(inputs) if inside else grouped(inputs))
    assert model.output_shape == (None, 4)
    x = rng.normal(size=(3, 4)).astype("float32")
    np.testing.assert_allclose(model.predict(x), x / 2, rtol=1e-6)


def test_arrays_that_are_handed_out_may_be_written_into(net):
    variable = K.variable(np.ones(3))
    given = [
        *K.function([net.input], [net.output])([rows]),
        *(K.get_value(variable), K.eval(2 * variable), net.predict(rows)),
        *net.get_weights(),
    ]
    for array in given:
        array *= 0
    np.testing.assert_array_equal(K.get_value(variable), np.ones(3))
    assert np.abs(net.get_weights()[0]).min() > 0


@pytest.mark.parametrize("dialect", ["keras2", "modern"])
def test_a_loss_in_the_graph_follows_what_it_computes_of_variables_alone(dialect):
    config.set_dialect(dialect)
    inputs = Input((3,))
    layer = Dense(2, use_bias=False)
    model = Model(inputs, layer(inputs))
    model.compile(
        "sgd", lambda true, pred: K.mean(K.square(inputs)) * K.sum(K.square(layer.kernel))
    )
    before = model.get_weights()[0]
    model.fit(rows, np.zeros((6, 2)), batch_size=6, epochs=2, verbose=0)
    factor = 1 - 0.02 * np.mean(rows**2)
    np.testing.assert_allclose(model.get_weights()[0], before * factor**2, rtol=1e-5)


def test_a_loss_may_ask_which_layer_gave_the_predictions():
    class Scored(Layer):
        def build(self, input_shape):
            self.kernel = self.add_weight(name="kernel", shape=(3, 2), initializer="ones")
            super().build(input_shape)

        def call(self, x):
            return K.dot(x, self.kernel)

        def loss(self, true, pred):
            return K.mean(
                K.square(true - K.dot(self.inbound_nodes[0].input_tensors[0], self.kernel))
            )

    def by_history(true, pred):
        layer, place, _ = pred._keras_history
        return K.sum(K.square(true)) * 0 + K.mean(
            K.square(true - K.dot(layer._inbound_nodes[place].input_tensors[0], layer.kernel))
        )

    target = rng.normal(size=(6, 2)).astype("float32")
    for kind in ("method", "history"):
        layer = Scored(input_shape=(3,))
        model = Sequential([layer])
        model.compile("sgd", layer.loss if kind == "method" else by_history)
        before = model.get_weights()[0]
        loss = model.train_on_batch(rows, target)
        assert loss == pytest.approx(np.mean((target - rows @ before) ** 2), rel=1e-5)
        slope = 2 * rows.T @ (rows @ before - target) / target.size
        np.testing.assert_allclose(model.get_weights()[0], before - 0.01 * slope, rtol=1e-5)


def test_a_model_may_give_one_number_for_a_whole_batch():
    inputs, target = Input((3,)), Input((2,))
    hidden = Dense(2)(inputs)
    loss = Lambda(lambda parts: K.mean(K.square(parts[0] - parts[1])))([hidden, target])
    model = Model([inputs, target], loss)
    model.compile("sgd", lambda true, pred: pred)
    y = rng.normal(size=(6, 2)).astype("float32")
    kernel, bias = model.get_weights()
    expected = np.mean((rows @ kernel + bias - y) ** 2)
    logs = model.fit([rows, y], np.zeros(6), batch_size=6, epochs=1, verbose=0).history
    assert logs["loss"][0] == pytest.approx(expected, rel=1e-5)
