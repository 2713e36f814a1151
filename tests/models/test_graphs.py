"""Graph models: layers called on symbolic tensors, shared, nested, cut out, described."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import config
from funkeras.layers import (
    LSTM,
    Activation,
    BatchNormalization,
    Concatenate,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Input,
    Lambda,
    Masking,
    TimeDistributed,
)
from funkeras.models import Model, Sequential


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def dense(x, layer):
    kernel, bias = layer.get_weights()
    return x @ kernel + bias


def test_a_chain_by_calls_is_what_sequential_gives():
    a = Input(shape=(4,))
    hidden, last = Dense(3, activation="relu"), Dense(2)
    model = Model(input=a, output=last(hidden(a)))
    chain = Sequential([Dense(3, activation="relu", input_dim=4), Dense(2)])
    chain.set_weights(model.get_weights())
    x = numbers(5, 4)
    np.testing.assert_array_equal(model.predict(x), chain.predict(x))
    assert model.layers == [model.get_layer(index=0), hidden, last]
    assert (model.input_shape, model.output_shape) == ((None, 4), (None, 2))
    assert model.input_names == [a.name]


def test_several_inputs_and_outputs_with_names_losses_and_weights():
    left, right = Input(shape=(4,), name="left"), Input(shape=(2,), name="right")
    both = Concatenate()([left, right])
    outputs = [Dense(3, name="a")(both), Dense(1, name="b")(both)]
    model = Model(inputs=[left, right], outputs=outputs)
    model.compile("sgd", {"a": "mse", "b": "mae"}, loss_weights={"a": 1.0, "b": 0.5})
    x = {"left": numbers(8, 4), "right": numbers(8, 2)}
    y = {"a": numbers(8, 3, seed=1), "b": numbers(8, 1, seed=2)}
    joined = np.concatenate([x["left"], x["right"]], axis=1)
    a = np.mean((dense(joined, model.get_layer("a")) - y["a"]) ** 2)
    b = np.mean(np.abs(dense(joined, model.get_layer("b")) - y["b"]))
    assert model.metrics_names == ["loss", "a_loss", "b_loss"]
    np.testing.assert_allclose(model.evaluate(x, y), [a + b / 2, a, b], rtol=1e-5)
    history = model.fit(x, y, epochs=3, batch_size=4, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    assert [part.shape for part in model.predict([x["left"], x["right"]])] == [(8, 3), (8, 1)]


def test_a_layer_called_twice_has_one_set_of_weights_and_the_sum_of_their_gradients():
    a, b = Input(shape=(3,)), Input(shape=(3,))
    shared = Dense(2)
    model = Model([a, b], Concatenate()([shared(a), shared(b)]))
    assert len(model.get_weights()) == 2
    model.compile("sgd", "mse")
    x, y = [numbers(4, 3), numbers(4, 3, seed=1)], numbers(4, 4, seed=2)
    kernel, bias = shared.get_weights()
    error = np.concatenate([part @ kernel + bias for part in x], 1) - y
    gradient = 2 / error.size * (x[0].T @ error[:, :2] + x[1].T @ error[:, 2:])
    model.train_on_batch(x, y)
    np.testing.assert_allclose(shared.get_weights()[0], kernel - 0.01 * gradient, atol=1e-6)
    assert shared.get_output_at(1).shape == (None, 2)
    with pytest.raises(AttributeError, match="get_output_at"):
        _ = shared.output


def test_models_are_layers_of_models():
    inner = Sequential([Dense(5, input_dim=3, activation="tanh"), Dense(2)])
    a = Input(shape=(3,))
    graph = Model(a, Dense(4)(inner(a)))
    outer = Sequential([graph, Dense(1)])
    x = numbers(6, 3)
    expected = outer.layers[1](graph.layers[-1](inner.predict(x)))
    np.testing.assert_allclose(outer.predict(x), expected, rtol=1e-5)
    assert len(outer.get_weights()) == 8
    outer.compile("adam", "mse")
    before = [w.copy() for w in inner.get_weights()]
    outer.fit(x, x[:, :1], epochs=2, verbose=0)
    assert all((a != b).any() for a, b in zip(before, inner.get_weights(), strict=True))


def test_a_model_applied_to_each_time_step():
    digit = Input(shape=(4,))
    encoder = Model(digit, Dense(3)(digit))
    sequence = Input(shape=(5, 4))
    model = Model(sequence, LSTM(2)(TimeDistributed(encoder)(sequence)))
    assert model.predict(numbers(2, 5, 4)).shape == (2, 2)


def test_a_model_cut_out_of_another_shares_its_weights():
    model = Sequential([Dense(5, input_dim=3), Activation("relu"), Dense(2)])
    features = Model(input=model.input, output=model.layers[1].output)
    x = numbers(4, 3)
    np.testing.assert_allclose(
        features.predict(x), np.maximum(dense(x, model.layers[0]), 0), rtol=1e-5, atol=1e-6
    )
    model.compile("sgd", "mse")
    model.fit(x, numbers(4, 2), verbose=0)
    np.testing.assert_allclose(
        features.predict(x), np.maximum(dense(x, model.layers[0]), 0), rtol=1e-5, atol=1e-6
    )


def test_encoder_and_decoder_are_cut_out_of_a_recurrent_model_with_states():
    encoder_in, decoder_in = Input(shape=(None, 3)), Input(shape=(None, 2))
    _, h, c = LSTM(4, return_state=True)(encoder_in)
    decoder = LSTM(4, return_sequences=True, return_state=True)
    sequence, *_ = decoder(decoder_in, initial_state=[h, c])
    dense_layer = Dense(2)
    whole = Model([encoder_in, decoder_in], dense_layer(sequence))
    encoder = Model(encoder_in, [h, c])
    h_in, c_in = Input(shape=(4,)), Input(shape=(4,))
    step, h_out, c_out = decoder(decoder_in, initial_state=[h_in, c_in])
    one_step = Model([decoder_in, h_in, c_in], [dense_layer(step), h_out, c_out])
    x, y = numbers(2, 6, 3), numbers(2, 3, 2, seed=1)
    states = encoder.predict(x)
    outputs = []
    for t in range(3):
        out, *states = one_step.predict([y[:, t : t + 1], *states])
        outputs.append(out)
    np.testing.assert_allclose(np.concatenate(outputs, 1), whole.predict([x, y]), rtol=1e-5)


def test_masks_go_through_the_graph_into_the_loss():
    words = Input(shape=(4,), dtype="int32")
    x = Embedding(9, 3, mask_zero=True)(words)
    model = Model(words, TimeDistributed(Dense(1))(LSTM(2, return_sequences=True)(x)))
    model.compile("sgd", "mse")
    data = np.array([[1, 2, 0, 0], [3, 4, 5, 6]])
    target = numbers(2, 4, 1)
    errors = ((model.predict(data) - target)[..., 0]) ** 2
    present = data != 0
    np.testing.assert_allclose(
        model.evaluate(data, target), errors[present].sum() / present.sum(), rtol=1e-5
    )


def test_what_is_trained_is_settled_at_compile_time():
    with config.using_dialect("classic"):
        discriminator = Sequential([Dense(3, input_dim=2, activation="tanh"), Dense(1)])
        discriminator.compile("sgd", "mse")
        discriminator.trainable = False
        generator = Sequential([Dense(2, input_dim=4)])
        noise = Input(shape=(4,))
        gan = Model(noise, discriminator(generator(noise)))
        gan.compile("sgd", "mse")
    z, y = numbers(8, 4), numbers(8, 1)
    fixed, moving = discriminator.get_weights(), generator.get_weights()
    gan.train_on_batch(z, y)
    for before, after in zip(fixed, discriminator.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    assert (generator.get_weights()[0] != moving[0]).any()
    discriminator.train_on_batch(numbers(8, 2), y)
    assert (discriminator.get_weights()[0] != fixed[0]).any()
    fixed = discriminator.get_weights()
    gan.train_on_batch(z, y)
    np.testing.assert_array_equal(discriminator.get_weights()[0], fixed[0])


def test_operations_on_symbolic_tensors_are_part_of_the_model():
    a, b = Input(shape=(3,)), Input(shape=(3,))
    model = Model([a, b], 2.0 * (a - b)[:, :2] ** 2 / 4 + np.ones(2, "float32"))
    x, y = numbers(4, 3), numbers(4, 3, seed=1)
    expected = (x - y)[:, :2] ** 2 / 2 + 1
    np.testing.assert_allclose(model.predict([x, y]), expected, rtol=1e-6)
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(a > 0)


def test_training_can_be_fixed_where_a_layer_is_called():
    a = Input(shape=(3,))
    layer = BatchNormalization()
    model = Model(a, layer(a, training=False))
    model.compile("sgd", "mse")
    before = layer.get_weights()[2:]
    model.fit(numbers(8, 3), numbers(8, 3), verbose=0)
    for old, new in zip(before, layer.get_weights()[2:], strict=True):
        np.testing.assert_array_equal(old, new)


def test_config_and_json_describe_the_graph():
    a, b = Input(shape=(3,)), Input(shape=(3,))
    shared = Dense(2, name="shared")
    inner = Sequential([Dense(2, input_dim=2, name="deep")], name="inner")
    model = Model([a, b], [Concatenate()([shared(a), inner(shared(b))]), Dropout(0.5)(shared(a))])
    described = json.loads(json.dumps(model.get_config()))
    again = Model.from_config(described)
    again.set_weights(model.get_weights())
    x = [numbers(4, 3), numbers(4, 3, seed=1)]
    for own, other in zip(again.predict(x), model.predict(x), strict=True):
        np.testing.assert_array_equal(own, other)
    assert again.get_config() == model.get_config()


def test_the_pure_pair_of_a_model_has_its_variables_by_layer_name():
    a = Input(shape=(3,))
    model = Model(a, Dense(2, name="out")(Flatten()(Masking()(Lambda(lambda x: x[:, None])(a)))))
    x = numbers(4, 3)
    y, _ = model.functional.apply(model.params, model.state, jnp.asarray(x))
    np.testing.assert_allclose(y, model.predict(x), rtol=1e-6)
    gradient = jax.grad(lambda p: model.functional.apply(p, model.state, jnp.asarray(x))[0].sum())(
        model.params
    )
    np.testing.assert_allclose(gradient["out"]["bias"], [4, 4])


def test_wrong_graphs_say_what_is_wrong():
    a, b = Input(shape=(3,)), Input(shape=(3,), name="lost")
    with pytest.raises(ValueError, match=r"disconnected graph.*'lost'.*layer 'concatenate"):
        Model(a, Concatenate()([a, b]))
    with pytest.raises(ValueError, match="the name 'twin'"):
        Model(a, Concatenate()([Dense(1, name="twin")(a), Dense(1, name="twin")(a)]))
    with pytest.raises(TypeError, match="must be symbolic tensors"):
        Model(a, np.ones(3))
    with pytest.raises(ValueError, match=r"shape") as caught:
        Concatenate()([a, Input(shape=(3, 3))])
    assert any("concatenate" in note for note in caught.value.__notes__)
