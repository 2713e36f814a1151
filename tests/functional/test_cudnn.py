"""LSTM by cuDNN: weights are packed for it as JAX's own reference of it unpacks them.

No test here needs a GPU: where cuDNN would run, `jax.experimental.rnn.lstm_ref` does, with as few
derivatives as cuDNN's operation has.
"""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental import rnn

from funkeras import backend as K
from funkeras import config, layers, ops
from funkeras import functional as F
from funkeras.functional import cudnn
from funkeras.models import Model, Sequential, load_model, model_from_json

KEY = jax.random.key(3)
SEQUENCE = (2, 5, 3)
CASES = [
    {},
    {"go_backwards": True, "given": True},
    {"go_backwards": True, "return_sequences": True, "return_state": True, "given": True},
    {"use_bias": False, "return_state": True},
    {"dropout": 0.4, "time_major": True, "return_sequences": True},
    {"stateful": True, "return_sequences": True},
]


def numbers(*shape):
    generator = np.random.default_rng(len(shape) * 100 + sum(shape))
    return jnp.asarray(generator.normal(size=shape), "float32")


def variables(pair, shape=SEQUENCE):
    """Params and state of other numbers than those a layer starts with."""
    params, state = pair.init(KEY, shape)
    return jax.tree.map(lambda a: numbers(*a.shape) / 2, (params, state))


def close(got, wanted):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), got, wanted)


@pytest.fixture
def beside_a_gpu(monkeypatch):
    """As on a machine with a GPU, where cuDNN's LSTM is the reference; the shapes it was run on."""
    shapes = []

    def lstm(x, h, c, weights, lengths, features, units, count, rate, both):
        def reference(x, h, c, weights):
            parts = rnn.unpack_lstm_weights(weights, features, units, count, both)
            return rnn.lstm_ref(x, h, c, *parts, lengths, features, units, count, rate, both)

        shapes.append(x.shape)
        return differentiable_once(reference)(x, h, c, weights)

    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    monkeypatch.setattr(rnn, "lstm", lstm)
    cudnn._proven.cache_clear()
    yield shapes
    cudnn._proven.cache_clear()


def differentiable_once(function):
    """The function with first derivatives backwards, and no others."""

    def no_more(*_):
        raise TypeError("a second derivative")

    @jax.custom_vjp
    def backwards(args, change):
        return jax.vjp(function, *args)[1](change)

    once = jax.custom_vjp(function)
    once.defvjp(lambda *args: (function(*args), args), backwards)
    backwards.defvjp(no_more, no_more)
    return once


@pytest.fixture
def on_a_gpu(beside_a_gpu, monkeypatch):
    """The same, for programs that run on the GPU."""
    monkeypatch.setattr(jax.lax, "platform_dependent", lambda cuda, default: cuda())
    return beside_a_gpu


def changes(pair, state, params, x, *first, **flow):
    """What a layer gives, its new state, and the gradients by weights, inputs and first states."""

    def total(params, inputs):
        y, after = pair.apply(params, state, inputs, **flow)
        return sum(jnp.sum(jnp.sin(part)) for part in jax.tree.leaves(y)), (y, after)

    inputs = (x, *first) if first else x
    return jax.jit(jax.value_and_grad(total, (0, 1), has_aux=True))(params, inputs)


@pytest.mark.parametrize("case", CASES)
def test_numbers_and_gradients_are_the_scans(case, on_a_gpu):
    options = {name: value for name, value in case.items() if name != "given"}
    by_scan, by_cudnn = (F.lstm(4, use_cudnn=use, **options) for use in (False, True))
    params, state = variables(by_scan)
    first = (numbers(2, 4), numbers(2, 4) / 2) if "given" in case else ()
    x = numbers(*SEQUENCE)
    x = jnp.swapaxes(x, 0, 1) if "time_major" in case else x
    flow = {"training": True, "key": KEY}
    wanted = changes(by_scan, state, params, x, *first, **flow)
    assert on_a_gpu == []
    close(changes(by_cudnn, state, params, x, *first, **flow), wanted)
    assert on_a_gpu == [SEQUENCE]


def test_both_directions_are_the_scans(on_a_gpu):
    wanted, got = (
        layers.Bidirectional(
            layers.LSTM(4, recurrent_activation="sigmoid", return_sequences=True, use_cudnn=use)
        )
        for use in (False, True)
    )
    x = numbers(*SEQUENCE)
    y = wanted(x)
    assert on_a_gpu == []
    got.build(SEQUENCE)
    got.set_weights(wanted.get_weights())
    on_a_gpu.clear()
    close(got(x), y)
    assert on_a_gpu == [SEQUENCE] * 2


@pytest.mark.parametrize(
    ("steps", "dtype", "mask"),
    [
        (5, "float32", np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], bool)),
        (5, "float16", None),
        (0, "float32", None),
    ],
)
def test_what_cudnn_does_not_do_runs_as_a_scan(steps, dtype, mask, beside_a_gpu):
    by_scan, by_cudnn = (F.lstm(4, return_sequences=True, use_cudnn=use) for use in (False, True))
    params, _ = jax.tree.map(lambda a: a.astype(dtype), variables(by_scan))
    x = numbers(*SEQUENCE).astype(dtype)[:, :steps]
    got, _ = by_cudnn.apply(params, {}, x, mask=mask)
    np.testing.assert_array_equal(got, by_scan.apply(params, {}, x, mask=mask)[0])
    assert beside_a_gpu == []


def test_coarse_products_run_as_a_scan(beside_a_gpu):
    pair = F.lstm(4, use_cudnn=True)
    with jax.default_matmul_precision("bfloat16"):
        pair.apply(variables(pair)[0], {}, numbers(*SEQUENCE))
    assert beside_a_gpu == []


@pytest.mark.parametrize("compiled", [jax.jit, lambda function: function])
def test_a_program_for_the_cpu_runs_the_scan_even_beside_a_gpu(compiled, beside_a_gpu, monkeypatch):
    monkeypatch.setattr(rnn, "lstm", lambda x, h, c, *_: (jnp.zeros((2, 5, 4)), h, c))
    pair = F.lstm(4, use_cudnn=True)
    params, x = variables(pair)[0], numbers(*SEQUENCE)
    wanted, _ = F.lstm(4).apply(params, {}, x)
    close(compiled(lambda params, x: pair.apply(params, {}, x)[0])(params, x), wanted)


def test_without_a_gpu_it_is_the_scan_with_all_its_derivatives():
    pair, params = F.lstm(4, use_cudnn=True), variables(F.lstm(4))[0]
    x = numbers(3, *SEQUENCE)

    def apply(x):
        return pair.apply(params, {}, x)[0]

    rows, moved = jax.jit(lambda x: jax.jvp(jax.vmap(apply), (x,), (jnp.ones_like(x),)))(x)
    close(rows[1], F.lstm(4).apply(params, {}, x[1])[0])
    assert moved.shape == rows.shape


@pytest.mark.parametrize(
    ("options", "need"),
    [
        ({"activation": "relu"}, "activation='tanh'"),
        ({"recurrent_activation": "hard_sigmoid"}, "recurrent_activation='sigmoid'"),
        ({"recurrent_dropout": 0.1}, "recurrent_dropout=0"),
        ({"dropout": 0.1, "implementation": 1}, "implementation=2 with dropout"),
        ({"unroll": True}, "unroll=False"),
    ],
)
def test_what_cudnn_can_never_do_is_refused(options, need):
    with pytest.raises(ValueError, match=f"^use_cudnn=True needs {need}$"):
        F.lstm(4, use_cudnn=True, **options)
    F.lstm(4, **options)


@pytest.mark.parametrize("build", [F.lstm, F.gru])
def test_another_choice_is_refused(build):
    with pytest.raises(ValueError, match="use_cudnn must be one of auto, True, False"):
        build(4, use_cudnn="yes")


def test_configs_keep_the_choice_and_files_leave_it_to_who_loads_them(tmp_path):
    config.set_dialect("modern")
    model = Sequential([layers.LSTM(4, use_cudnn=True, input_shape=(5, 3))])
    assert layers.LSTM.from_config(model.layers[0].get_config()).get_config()["use_cudnn"] is True
    x = numbers(*SEQUENCE)
    model.save(path := tmp_path / "model.keras")
    loaded = load_model(path)
    assert loaded.layers[0].get_config()["use_cudnn"] == "auto"
    close(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    told = model_from_json(model.to_json())
    assert told.layers[0].get_config()["use_cudnn"] is True


def recurrent(**options):
    """A compiled model of an LSTM layer as it is by default, and rows to train it on."""
    config.set_dialect("modern")
    layer = layers.LSTM(4, return_sequences=True, input_shape=SEQUENCE[1:], **options)
    model = Sequential([layer, layers.Dense(1)])
    model.set_weights([np.asarray(numbers(*w.shape)) / 3 for w in model.weights])
    model.compile("sgd", "mse")
    return model, (numbers(6, 5, 3), numbers(6, 5, 1))


def worked(model, x, y):
    """What fit, evaluate and predict of a model give."""
    losses = model.fit(x, y, batch_size=3, epochs=2, shuffle=False, verbose=0).history["loss"]
    judged = model.evaluate(x, y, batch_size=3, verbose=0)
    return [*losses, judged, model.predict(x, batch_size=3), *model.get_weights()]


def test_models_train_and_predict_by_cudnn_as_they_are(on_a_gpu):
    wanted = worked(*(lambda model, data: (model, *data))(*recurrent(use_cudnn=False)))
    assert on_a_gpu == []
    model, data = recurrent()
    close(worked(model, *data), wanted)
    assert set(on_a_gpu) == {(2, 4, 3), (3, 5, 3)}  # of what was tried, and of the model


def test_functions_of_a_model_have_all_derivatives(on_a_gpu):
    model, (x, _) = recurrent()

    def total(x):
        return jnp.sum(model.functional.apply(model.params, model.state, x)[0] ** 2)

    moved = jax.jvp(jax.grad(total), (x,), (jnp.ones_like(x),))[1]
    assert np.abs(moved).max() > 0
    assert on_a_gpu == []


class OfGradients(layers.Layer):
    """How an LSTM changes along its input, and its outputs for each row."""

    def __init__(self):
        super().__init__()
        self.inner = layers.LSTM(4)

    def call(self, x):
        y, moved = ops.jvp(self.inner, (x,), (ops.ones_like(x),))
        return y + moved + ops.vectorized_map(lambda row: self.inner(row[None])[0], x)


def test_operations_that_need_other_derivatives_have_them_while_a_model_trains(on_a_gpu):
    config.set_dialect("modern")
    model = Sequential([layers.Input(SEQUENCE[1:]), OfGradients(), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(numbers(6, 5, 3), numbers(6, 1), verbose=0)
    assert on_a_gpu == []


def test_a_penalty_on_gradients_has_its_second_derivatives(on_a_gpu):
    first = layers.Input(shape=SEQUENCE[1:])
    y = layers.Dense(1)(layers.LSTM(4, recurrent_activation="sigmoid")(first))
    model = Model(first, y)
    model.compile("sgd", lambda true, pred: K.square(K.gradients(pred, [first])[0] - 1))
    x = numbers(6, 5, 3)
    before = model.get_weights()
    model.fit(x, numbers(6, 1), verbose=0)
    assert any(np.any(a != b) for a, b in zip(model.get_weights(), before, strict=True))


def test_steps_and_losses_of_users_may_take_any_derivative(on_a_gpu):
    class Penalized(Sequential):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
            slope = jax.grad(lambda x: jnp.sum(self(x)))(x)
            return jnp.mean((y - y_pred) ** 2) + jnp.mean(slope**2)

    config.set_dialect("modern")
    model = Penalized([layers.LSTM(4, input_shape=SEQUENCE[1:]), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(numbers(6, 5, 3), numbers(6, 1), verbose=0)
    assert on_a_gpu == []


def in_another_order(lstm):
    """cuDNN's LSTM if it had the arrays of the weights elsewhere."""
    return lambda x, h, c, weights, *rest: lstm(x, h, c, jnp.roll(weights, 12), *rest)


def not_supported(lstm):
    def refuse(*_):
        raise jax.errors.JaxRuntimeError("CUDNN_STATUS_NOT_SUPPORTED")

    return refuse


@pytest.mark.parametrize(
    ("other", "trouble"),
    [
        (in_another_order, "its numbers are .* from those of the steps"),
        (not_supported, "JaxRuntimeError: CUDNN_STATUS_NOT_SUPPORTED"),
    ],
)
def test_where_cudnn_has_not_proven_itself_layers_scan_and_a_warning_says_why(
    other, trouble, on_a_gpu, monkeypatch
):
    model, (x, _) = recurrent(use_cudnn=False)
    wanted = model.predict(x)
    monkeypatch.setattr(rnn, "lstm", other(rnn.lstm))
    model, _ = recurrent()
    with pytest.warns(UserWarning, match=f"LSTM layers run without cuDNN: {trouble}"):
        close(model.predict(x), wanted)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        close(recurrent()[0].predict(x), wanted)
