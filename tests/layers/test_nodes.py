"""The graph around layers as scripts of Keras 1 and 2 ask for it: nodes, masks, updates, losses."""

import numpy as np
import pytest

from funkeras import backend as K
from funkeras.layers import (
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    Input,
    Layer,
    add,
)
from funkeras.models import Model, Sequential

x = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")


def test_nodes_tell_which_layers_stand_around_a_call():
    a, b = Input(shape=(3,), name="a"), Input(shape=(3,), name="b")
    dense = Dense(3, name="shared")
    y = add([dense(a), dense(b)])
    first, second = dense.inbound_nodes
    assert (first.input_tensors, second.input_tensors) == ([a], [b])
    assert first.inbound_layers == [a._keras_history[0]]
    assert (first.input_shapes, first.output_shapes) == ([(None, 3)], [(None, 3)])
    assert second.get_config() == {
        "outbound_layer": "shared",
        "inbound_layers": ["b"],
        "node_indices": [0],
        "tensor_indices": [0],
    }
    merging = y._keras_history[0]
    assert {node.outbound_layer for node in dense.outbound_nodes} == {merging}
    assert merging.inbound_nodes[0].node_indices == [0, 1]
    assert merging.outbound_nodes == []
    entry = a._keras_history[0]
    assert entry.inbound_nodes[0].inbound_layers == []
    with pytest.raises(AttributeError, match=r"called 2 times.*get_output_at"):
        _ = dense.output


def test_a_model_tells_which_calls_its_ends_are_of():
    a, b = Input(shape=(3,), name="a"), Input(shape=(3,), name="b")
    dense = Dense(3, name="shared")
    model = Model([b, a], [dense(a), dense(b)])
    assert [layer.name for layer in model.input_layers] == ["b", "a"]
    assert [layer.name for layer in model.output_layers] == ["shared", "shared"]
    assert (model.input_layers_node_indices, model.output_layers_node_indices) == ([0, 0], [0, 1])
    assert model.input_layers_tensor_indices == model.output_layers_tensor_indices == [0, 0]


def test_masks_of_a_graph():
    words = Input(shape=(4,), dtype="int32")
    embedding = Embedding(5, 2, mask_zero=True)
    y = Dense(2)(embedding(words))
    assert embedding.input_mask is None
    ids = np.array([[1, 2, 0, 0], [3, 0, 0, 0]])
    mask = K.function([words], [embedding.output_mask])([ids])[0]
    np.testing.assert_array_equal(mask, ids != 0)
    assert y._keras_history[0].get_input_mask_at(0) is not None
    assert Dense(1).supports_masking
    conv = Conv2D(1, (2, 2))
    assert conv.compute_mask([words], [None]) is None
    with pytest.raises(TypeError, match="does not support masking"):
        conv.compute_mask([words], [np.ones((2, 4))])


def test_which_tensors_differ_in_training():
    a = Input(shape=(3,))
    plain, dropped = Dense(2)(a), Dropout(0.5)(a)
    assert not plain._uses_learning_phase
    assert dropped._uses_learning_phase
    assert Model(a, [plain, dropped]).uses_learning_phase
    always = Model(a, Dropout(0.5)(a, training=True))
    assert not always.uses_learning_phase
    assert not always(Input(shape=(3,)))._uses_learning_phase


def test_updates_of_batch_normalization_carry_the_moving_averages_on():
    a = Input(shape=(3,))
    layer = BatchNormalization(momentum=0.9)
    model = Model(a, layer(a))
    assert len(model.updates) == len(layer.get_updates_for(a)) == 2
    K.function([a], model.outputs, updates=model.updates)([x])
    np.testing.assert_allclose(K.get_value(layer.moving_mean), 0.1 * x.mean(0), rtol=1e-4)
    layer.trainable = False
    assert layer.updates == []


def test_losses_and_updates_that_are_told_outside_of_a_call():
    a = Input(shape=(3,))
    layer = Dense(1)
    layer.add_update("next", inputs=a)
    assert (layer.get_updates_for(a), layer.get_updates_for(None)) == (["next"], [])
    model = Model(a, layer(a))
    layer.add_loss(K.sum(K.square(layer.kernel)))
    layer.add_loss(2.5, inputs=a)
    assert layer.get_losses_for(a) == [2.5]
    assert len(layer.get_losses_for(None)) == 1
    model.compile("sgd", "mse")
    y = model.predict(x)
    expected = 2.5 + np.sum(np.square(layer.get_weights()[0]))
    assert model.evaluate(x, y, verbose=0) == pytest.approx(expected, rel=1e-5)


def test_losses_of_a_model_are_those_of_its_layers_and_its_own():
    shared = Dense(2, kernel_regularizer="l1", activity_regularizer="l1")
    a, b = Input(shape=(3,)), Input(shape=(3,))
    model = Model([a, b], add([shared(a), shared(b)]))
    model.add_loss(K.mean(model.output))
    model.add_loss(1)
    assert len(model.losses) == 5  # of the kernel, of two calls, and the two added
    around = Model(a, Sequential([shared])(a))
    assert len(around.losses) == 2
    assert around.layers[1].trainable_weights[0] is shared.trainable_weights[0]


def test_a_layer_without_a_call_gives_what_it_gets():
    a = Input(shape=(3,))
    np.testing.assert_array_equal(Model(a, Layer(name="same")(a)).predict(x), x)


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_an_optimizer_gives_its_step_as_updates(name):
    from funkeras import optimizers

    a, target = Input(shape=(3,)), K.placeholder(shape=(None, 1))
    layer = Dense(1)
    loss = K.mean(K.square(layer(a) - target))
    optimizer, weights = optimizers.get(name), layer.trainable_weights
    updates = optimizer.get_updates(loss=loss, params=weights)
    assert len(optimizer.get_updates(weights, {}, loss)) == len(updates)
    step = K.function([a, target], [loss], updates=updates)
    model = Model(layer.input, layer.output)
    before = layer.get_weights()
    y = np.ones((8, 1), "float32")
    losses = [float(step([x, y])[0]) for _ in range(3)]
    after = layer.get_weights()
    layer.set_weights(before)
    model.compile(optimizers.get(name), "mse")
    expected = [model.train_on_batch(x, y) for _ in range(3)]
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    for one, other in zip(after, layer.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)


def test_what_always_runs_as_in_training_sees_no_rows_but_those_given():
    rows = np.random.default_rng(0).normal(5, 10, (20, 3)).astype("float32")
    a = Input(shape=(3,))
    model = Model(a, BatchNormalization()(a, training=True))
    y = model.predict(rows)
    np.testing.assert_allclose(y, (rows - rows.mean(0)) / rows.std(0), atol=1e-3)
    around = Model(a, model(a))
    around.compile("sgd", "mse")
    assert around.evaluate(rows, y, batch_size=32, verbose=0) < 1e-6
    dropped = Model(a, Dropout(0.9)(a, training=True)).predict(rows)
    assert 0.7 < np.mean(dropped == 0) < 1


def test_a_layer_called_on_a_variable_gives_what_follows_from_it():
    layer, given = Dense(2), K.variable(x)
    y = layer(given)
    kernel, bias = layer.get_weights()
    np.testing.assert_allclose(K.eval(layer.output), x @ kernel + bias, rtol=1e-5)
    K.set_value(given, 2 * x)
    np.testing.assert_allclose(K.eval(y), 2 * x @ kernel + bias, rtol=1e-5)
