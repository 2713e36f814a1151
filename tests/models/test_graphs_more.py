"""Graph models, further: names, cuts, losses and metrics of tensors, and what is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import backend as K
from funkeras import config, layers
from funkeras.formats.errors import FileFormatError
from funkeras.layers import (
    LSTM,
    Concatenate,
    Dense,
    Dropout,
    Input,
    Lambda,
    Layer,
    merge,
    multiply,
)
from funkeras.models import Model, Sequential, load_model, model_from_json


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def dense(x, layer):
    kernel, bias = layer.get_weights()
    return x @ kernel + bias


def two_headed(**compiled):
    left, right = Input(shape=(3,), name="left"), Input(shape=(2,), name="right")
    both = Concatenate()([left, right])
    model = Model(input=[left, right], output=[Dense(2, name="a")(both), Dense(1, name="b")(both)])
    if compiled:
        model.compile("sgd", **compiled)
    return model, {"left": numbers(8, 3), "right": numbers(8, 2)}


def test_a_siamese_net_learns_distances_by_one_set_of_weights():
    tower = Sequential([Dense(4, activation="tanh", input_dim=3), Dense(2)])
    a, b = Input(shape=(3,)), Input(shape=(3,))
    distance = Lambda(lambda v: jnp.sqrt(jnp.sum((v[0] - v[1]) ** 2, -1, keepdims=True) + 1e-7))
    model = Model([a, b], distance([tower(a), tower(b)]))
    x, y = [numbers(16, 3), numbers(16, 3, seed=1)], (np.arange(16) % 2).reshape(-1, 1)

    def contrastive(y_true, y_pred):
        return jnp.mean(y_true * y_pred**2 + (1 - y_true) * jnp.maximum(1 - y_pred, 0) ** 2)

    model.compile("adam", contrastive)
    first, second = (tower.predict(part) for part in x)
    d = np.sqrt(np.sum((first - second) ** 2, -1, keepdims=True) + 1e-7)
    expected = np.mean(y * d**2 + (1 - y) * np.maximum(1 - d, 0) ** 2)
    assert model.evaluate(x, y) == pytest.approx(expected, rel=1e-5)
    losses = model.fit(x, y, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert len(model.get_weights()) == 4
    np.testing.assert_array_equal(model.predict([x[0], x[1]]), model.predict([x[1], x[0]]))


def test_inputs_and_outputs_go_by_name_and_further_keys_are_left_alone():
    model, x = two_headed(loss={"a": "mse", "b": "mae"}, metrics={"b": ["mse"]})
    y = {"b": numbers(8, 1), "a": numbers(8, 2), "note": np.zeros(8)}
    given = {**x, "source": np.array(["word"] * 8)}
    assert model.metrics_names == ["loss", "a_loss", "b_loss", "b_mean_squared_error"]
    by_name = model.evaluate(given, y)
    assert by_name == model.evaluate([x["left"], x["right"]], [y["a"], y["b"]])
    named = Model(inputs={"r": model.inputs[1], "l": model.inputs[0]}, outputs=model.outputs)
    one, other = named.predict(x), model.predict(x)
    np.testing.assert_array_equal(one[0], other[0])
    with pytest.raises(ValueError, match=r"x has no array for \['left'\].*\['wrong', 'right'\]"):
        model.predict({"wrong": x["left"], "right": x["right"]})


def test_an_output_without_a_loss_needs_no_target():
    model, x = two_headed(loss={"a": "mse"})
    both = np.concatenate([x["left"], x["right"]], 1)
    y = numbers(8, 2)
    expected = np.mean((dense(both, model.get_layer("a")) - y) ** 2)
    assert model.metrics_names == ["loss", "a_loss"]
    for targets in ({"a": y}, [y], y, [y, numbers(8, 1)], [y, None]):
        np.testing.assert_allclose(model.evaluate(x, targets), [expected] * 2, rtol=1e-5)
    before = model.get_layer("b").get_weights()
    model.fit(x, {"a": y}, epochs=2, verbose=0, validation_split=0.25)
    np.testing.assert_array_equal(model.get_layer("b").get_weights()[0], before[0])
    with pytest.raises(ValueError, match="fit needs targets"):
        model.fit(x, verbose=0)


def test_metrics_of_an_output_without_a_loss_are_left_out_as_in_keras_2():
    model, x = two_headed(loss={"a": "mse"}, metrics=["mae"])
    assert model.metrics_names == ["loss", "a_loss", "a_mean_absolute_error"]
    y = numbers(8, 2)
    assert len(model.evaluate(x, y)) == 3
    model, x = two_headed(loss=None, metrics=["mae"])
    model.add_loss(K.mean(model.outputs[0]))
    assert model.metrics_names == ["loss"]
    assert model.evaluate(x, None) == pytest.approx(np.mean(model.predict(x)[0]), rel=1e-5)


def test_names_of_metrics_are_known_before_the_first_batch():
    model = Sequential([Dense(3, input_dim=2)])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    assert model.metrics_names == ["loss", "acc"]


@pytest.mark.parametrize(
    ("compiled", "message"),
    [
        ({"loss": ["mse"]}, "2 outputs, got 1 for loss"),
        ({"loss": {"c": "mse"}}, r"loss names the outputs \['c'\], the model has \['a', 'b'\]"),
        ({"loss": "mse", "loss_weights": [1, 2, 3]}, "2 outputs, got 3 for loss_weights"),
        ({"loss": "mse", "loss_weights": {"c": 1}}, r"loss_weights names the outputs \['c'\]"),
        ({"loss": "mse", "target_tensors": 1}, "target_tensors: .* takes its targets as arrays"),
    ],
)
def test_a_compilation_that_does_not_fit_says_what(compiled, message):
    def use():
        model, x = two_headed(**compiled)
        model.evaluate(x, [numbers(8, 2), numbers(8, 1)])

    with pytest.raises(ValueError, match=message):
        use()


def test_loss_weights_multiply_the_losses_by_position_or_name():
    y = [numbers(8, 2, seed=1), numbers(8, 1, seed=2)]
    for shares in ([0.5, 3], {"b": 3, "a": 0.5}):
        model, x = two_headed(loss="mse", loss_weights=shares)
        total, a, b = model.evaluate(x, y)
        assert total == pytest.approx(0.5 * a + 3 * b, rel=1e-5)


def test_each_call_of_a_layer_is_found_by_its_number():
    short, long = Input(shape=(3,)), Input(shape=(5, 3))
    layer = Dense(2, name="twice")
    results = [layer(short), layer(long)]
    assert [layer.get_output_at(i) for i in (0, 1)] == results
    assert [layer.get_input_at(i) for i in (0, 1)] == [short, long]
    assert layer.get_output_shape_at(-1) == (None, 5, 2)
    assert layer.get_input_shape_at(0) == (None, 3)
    with pytest.raises(ValueError, match=r"'twice' has been called 2 times.*call 7"):
        layer.get_input_at(7)
    with pytest.raises(AttributeError, match=r"'twice' has been called 2 times.*get_output_at"):
        _ = layer.output


@pytest.mark.parametrize(("dialect", "own"), [("classic", 1), ("keras2", 1), ("modern", 0)])
def test_a_model_counts_its_own_graph_as_a_call_before_keras_3(dialect, own):
    with config.using_dialect(dialect):
        for model in (Sequential([Dense(2, input_dim=3)]), Model(a := Input((3,)), Dense(2)(a))):
            outside = Input(shape=(3,))
            result = model(outside)
            assert model.get_output_at(own) is result
            assert model.get_input_at(own) is outside
            assert model.get_output_at(-1) is result
            if own:
                assert model.get_output_at(0) is model.output
                assert model.get_input_at(0) is model.input


def test_a_model_cut_at_a_tensor_inside_a_shared_layer():
    a, b = Input(shape=(3,)), Input(shape=(3,))
    shared = Dense(2, activation="tanh")
    whole = Model([a, b], Concatenate()([shared(a), shared(b)]))
    half = Model(b, shared.get_output_at(1))
    x = [numbers(4, 3), numbers(4, 3, seed=1)]
    np.testing.assert_allclose(half.predict(x[1]), whole.predict(x)[:, 2:], rtol=1e-6)
    inner = Model(whole.layers[-1].input, whole.layers[-1].output)
    given = [numbers(4, 2), numbers(4, 2, seed=1)]
    np.testing.assert_array_equal(inner.predict(given), np.concatenate(given, 1))


def test_states_of_graph_tensors_survive_the_config():
    x, h, c = Input(shape=(5, 3)), Input(shape=(4,)), Input(shape=(4,))
    sequence, *states = LSTM(4, return_state=True)(x, initial_state=[h, c])
    model = Model([x, h, c], [sequence, *states])
    again = model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    data = [numbers(2, 5, 3), numbers(2, 4), numbers(2, 4, seed=1)]
    for one, other in zip(again.predict(data), model.predict(data), strict=True):
        np.testing.assert_array_equal(one, other)
    zero = [data[0], np.zeros((2, 4)), np.zeros((2, 4))]
    assert np.abs(model.predict(zero)[0] - model.predict(data)[0]).max() > 0.01


def add_loss_model(cls):
    if cls is Sequential:
        model = Sequential([Dense(4, input_dim=3), Dense(2)])
        hidden = model.layers[0].output
    else:
        a = Input(shape=(3,))
        hidden = Dense(4)(a)
        model = Model(a, Dense(2)(hidden))
    model.add_loss(0.5 * hidden**2)
    model.add_metric(hidden, name="mean_hidden", aggregation="mean")
    return model


@pytest.mark.parametrize("cls", [Model, Sequential])
def test_tensors_are_added_to_the_loss_and_to_the_logs(cls):
    model = add_loss_model(cls)
    first = model.layers[-2]
    model.compile("sgd", "mse")
    x, y = numbers(10, 3), numbers(10, 2, seed=1)
    hidden = dense(x, first)
    error = np.mean((model.predict(x) - y) ** 2)
    assert model.metrics_names == ["loss", "mean_hidden"]
    np.testing.assert_allclose(
        model.evaluate(x, y), [error + 0.5 * np.sum(hidden**2), hidden.mean()], rtol=1e-4
    )
    kernel, _ = first.get_weights()
    through = (model.predict(x) - y) @ model.layers[-1].get_weights()[0].T * 2 / y.size + hidden
    model.train_on_batch(x, y)
    np.testing.assert_allclose(first.get_weights()[0], kernel - 0.01 * x.T @ through, atol=1e-5)
    history = model.fit(x, y, epochs=2, batch_size=5, verbose=0, validation_split=0.2).history
    assert set(history) == {"loss", "mean_hidden", "val_loss", "val_mean_hidden"}
    state = model.state
    model.state = jax.tree.map(lambda a: a, state)
    assert len(model.get_weights()) == 4
    outer = Sequential([model])
    outer.compile("sgd", "mse")
    hidden = dense(x, first)
    error = np.mean((model.predict(x) - y) ** 2)
    assert outer.evaluate(x, y)[0] == pytest.approx(error + 0.5 * np.sum(hidden**2), rel=1e-4)


def test_a_model_may_learn_from_what_is_added_alone():
    a = Input(shape=(3,))
    code = Dense(2)(a)
    decoded = Dense(3)(code)
    model = Model(a, decoded)
    model.add_loss((decoded - a) ** 2 / 10.0)
    model.compile("sgd")
    x = numbers(10, 3)
    expected = np.sum((model.predict(x) - x) ** 2) / 10
    assert model.evaluate(x) == pytest.approx(expected, rel=1e-5)
    history = model.fit(x, epochs=5, batch_size=10, verbose=0, validation_data=(x, None)).history
    assert history["loss"][-1] < history["loss"][0]
    assert list(history) == ["loss", "val_loss"]


def test_what_is_added_must_follow_from_the_inputs():
    model = add_loss_model(Model)
    with pytest.raises(ValueError, match=r"disconnected graph.*'stranger'"):
        model.add_loss(Input(shape=(3,), name="stranger") ** 2)
    with pytest.raises(TypeError, match="takes symbolic tensors that follow from its inputs; got"):
        model.add_loss(np.ones(3))
    with pytest.raises(ValueError, match="has a metric 'mean_hidden' already"):
        model.add_metric(model.output, name="mean_hidden")
    with pytest.raises(ValueError, match="aggregation='mean', got None"):
        model.add_metric(model.output, aggregation=None)


def test_freezing_a_model_around_a_model_is_settled_at_compile_time():
    with config.using_dialect("classic"):
        inner = Sequential([Dense(2, input_dim=3)])
        inner.trainable = False
        a = Input(shape=(3,))
        outer = Model(a, Dense(1)(inner(a)))
        outer.compile("sgd", "mse")
        inner.trainable = True
        before = inner.get_weights()[0]
        outer.train_on_batch(numbers(4, 3), numbers(4, 1))
        np.testing.assert_array_equal(inner.get_weights()[0], before)
        outer.compile("sgd", "mse")
        outer.train_on_batch(numbers(4, 3), numbers(4, 1))
        assert (inner.get_weights()[0] != before).any()


RANKS = {
    "LSTM": ({"units": 2}, (3,), r"\(batch, time, ...\), got shape \(None, 3\)"),
    "Conv2D": ({"filters": 2, "kernel_size": 3}, (8, 3), r"rank 4, got shape \(None, 8, 3\)"),
    "MaxPooling2D": ({}, (8, 3), r"rank 4, got shape \(None, 8, 3\)"),
    "UpSampling1D": ({}, (3,), r"rank 3, got shape \(None, 3\)"),
    "ZeroPadding2D": ({}, (3,), r"rank 4, got shape \(None, 3\)"),
    "GlobalMaxPooling1D": ({}, (3,), r"rank 3, got shape \(None, 3\)"),
}


@pytest.mark.parametrize("name", RANKS)
def test_a_layer_called_on_the_wrong_rank_says_its_name_and_the_shape(name):
    arguments, shape, message = RANKS[name]
    layer = getattr(layers, name)(**arguments, name="here")
    with pytest.raises(ValueError, match=message) as caught:
        layer(Input(shape=shape))
    assert f"while building layer 'here' for inputs of shape {(None, *shape)}" in "".join(
        caught.value.__notes__
    )


@pytest.mark.parametrize("ending", ["h5", "keras"])
def test_a_lambda_is_not_in_the_file_and_the_error_says_which_and_how(tmp_path, ending):
    a = Input(shape=(3,))
    model = Model(a, Lambda(lambda x: 2 * x, name="double")(a))
    path = tmp_path / f"m.{ending}"
    model.save(path)
    with pytest.raises(FileFormatError, match=r"Lambda layer 'double'.*custom_objects=\{'double'"):
        load_model(path)
    again = load_model(path, custom_objects={"double": lambda x: 2 * x})
    x = numbers(2, 3)
    np.testing.assert_array_equal(again.predict(x), 2 * x)


def test_an_operation_that_files_have_no_name_for_has_no_config():
    a = Input(shape=(3,))
    model = Model(a, K.sqrt(Dropout(0.5)(a)))
    with pytest.raises(ValueError, match=r"operation 'sqrt' outside of a layer.*Lambda"):
        model.to_json()


def test_a_layer_that_reports_and_adds_losses_in_its_call():
    class Watched(Layer):
        def call(self, x):
            self.add_loss(jnp.sum(x**2))
            self.add_metric(x, name="level")
            return 2 * x

    a = Input(shape=(3,))
    model = Model(a, Watched(name="w")(a))
    model.compile("sgd", "mse")
    x, y = numbers(8, 3), numbers(8, 3, seed=1)
    expected = [np.mean((2 * x - y) ** 2) + np.sum(x**2), x.mean()]
    assert model.metrics_names == ["loss", "level"]
    np.testing.assert_allclose(model.evaluate(x, y), expected, rtol=1e-5)
    chain = Sequential([Watched(input_shape=(3,))])
    chain.compile("sgd", "mse")
    np.testing.assert_allclose(chain.evaluate(x, y), expected, rtol=1e-5)
    assert set(chain.fit(x, y, epochs=1, verbose=0).history) == {"loss", "level"}


@pytest.mark.parametrize("by", ["Lambda", "merge"])
def test_a_function_takes_gradients_between_its_inputs(by):
    """What-where: the gradient of a maximum with respect to what it was taken of."""

    def places(ends):
        return K.gradients(K.sum(ends[1]), ends[0])

    a = Input(shape=(4,))
    hidden = Dense(4, kernel_initializer="identity")(a)
    largest = Lambda(lambda t: K.max(t, axis=-1, keepdims=True))(hidden)
    ends = [hidden, largest]
    where = Lambda(places)(ends) if by == "Lambda" else merge(ends, mode=places)
    model = Model(a, multiply([hidden, where]))
    x = numbers(6, 4)
    expected = np.where(x == x.max(-1, keepdims=True), x, 0)
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-6)
    model.compile("sgd", "mse")
    assert np.isfinite(model.train_on_batch(x, expected))


def test_inputs_of_64_bits_are_of_32_where_those_are_switched_off():
    whole = Input((1,), dtype="int64")
    model = Model(whole, Dense(1, kernel_initializer="ones")(Lambda(lambda x: x * 0.5)(whole)))
    model.compile("sgd", "mse")
    model.fit(np.array([[2], [4]], "int64"), np.zeros(2), epochs=1, verbose=0)
    assert model.predict(np.array([[3]], "int64")).shape == (1, 1)


@pytest.mark.parametrize("dialect", ["classic", "modern"])
def test_a_model_is_called_on_a_list_of_one_and_on_names(dialect):
    with config.using_dialect(dialect):
        first, second = Input((3,), name="first"), Input((3,), name="second")
        one = Sequential([Dense(2, input_dim=3)])
        two = Model([first, second], Concatenate()([one(first), second]))
        x = np.arange(6.0, dtype="float32").reshape(2, 3)
        np.testing.assert_array_equal(one([x]), one.predict(x))
        np.testing.assert_array_equal(two({"second": -x, "first": x}), two.predict([x, -x]))
        outer = Model([first, second], two({"first": second, "second": one_of_three(first)}))
        assert outer.output_shape == (None, 5)
        with pytest.raises(ValueError, match=r"has the inputs \['first', 'second'\].*'second'"):
            two({"first": x})


def one_of_three(tensor):
    return Model(tensor, Dense(3)(tensor))([tensor])


@pytest.mark.parametrize("ending", [".h5", ".keras"])
def test_the_part_of_a_graph_after_a_layer_is_a_model_that_is_saved(tmp_path, ending):
    a = Input(shape=(3,))
    h = Dense(4)(a)
    top = Dense(2, name="top")
    part, whole = Model(h, top(h)), Model(a, top.output)
    kernel = np.arange(8, dtype="float32").reshape(4, 2)
    top.set_weights([kernel, np.ones(2)])
    part.save(tmp_path / f"part{ending}")
    again = load_model(tmp_path / f"part{ending}")
    x = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    for model in (part, again):
        assert [type(layer).__name__ for layer in model.layers] == ["InputLayer", "Dense"]
        assert model.input_names == [model.input_layers[0].name] == [model.layers[0].name]
        np.testing.assert_allclose(model.predict(x), x @ kernel + 1, rtol=1e-5)
    assert [layer.name for layer in whole.layers[1:]] == [h._keras_history[0].name, "top"]
