"""Recurrent layers equal genuine Keras of four generations and the formulas of their papers."""

import inspect
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import activations, config, spellings
from funkeras import functional as F
from funkeras.functional.pair import builders, flat_weights, nest
from funkeras.layers.facade import class_signature

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = json.loads((GOLDEN / "recurrent.json").read_text())
ARRAYS = np.load(GOLDEN / "recurrent.npz")
DIALECTS = {"keras-1.2.2": "classic", "keras-2.2.4": "keras2"}
INPUT_OPTIONS = ("input_dim", "input_length", "input_shape", "batch_input_shape")
KEY = jax.random.key(7)
GATES = {4: (0, 2, 1, 3), 3: (0, 1, 2)}
"""Number of gates → the place of each in Keras 1's lists of arrays."""


def constructor(name):
    """A Keras class's constructor as a maker of pairs."""

    def make(*args, **kwargs):
        build = builders.find(spellings.current_name(name))
        kwargs = {key: value for key, value in kwargs.items() if key not in INPUT_OPTIONS}
        bound = spellings.bind(name, class_signature(build), args, kwargs)
        own = inspect.signature(build).parameters
        return build(**{key: value for key, value in bound.items() if key in own})

    return make


class Constructors(dict):
    def __missing__(self, name):
        if name.startswith("__"):  # pytest looks for its own names in frames
            raise KeyError(name)
        return constructor(name)


def pair_of(case):
    ctor = case["ctor"]
    names = Constructors()
    if case["generation"].startswith("tf_keras"):  # it kept this formula of Keras 2
        names["former"] = activations.HARD_SIGMOIDS["keras2"]
        ctor = ctor.replace("'hard_sigmoid'", "former")
    return eval(ctor, {"__builtins__": {}}, names)


def joined(arrays, count):
    """As many arrays as we have: in Keras 1 each gate has its own."""
    if len(arrays) == count:
        return arrays
    gates = len(arrays) // count
    result = []
    for start in range(0, len(arrays), 3 * gates):
        for kind in range(3):
            own = arrays[start + kind : start + 3 * gates : 3]
            result.append(np.concatenate([own[place] for place in GATES[gates]], axis=-1))
    return result


def variables_of(pair, case, input_shape, arrays):
    declared = list(flat_weights(pair, input_shape))
    params, state = pair.init(KEY, input_shape)
    for weight, array in zip(declared, joined(arrays, len(declared)), strict=True):
        assert array.shape == weight.shape
        nest(
            params if weight.trainable else state, weight.name, jnp.asarray(as_stored(case, array))
        )
    return params, state


def as_stored(case, array):
    """Kernels of convolutions, which Theano flips."""
    return np.flip(array, (0, 1)) if case["id"].endswith("@theano") and array.ndim > 3 else array


def through(pre, x, weights):
    """What the layer `pre` in front makes of the input, and its mask."""
    if pre is None:
        return jnp.asarray(x), None
    if pre.startswith("Masking"):
        return jnp.asarray(x), (x != 0).any(axis=-1)
    assert pre.startswith("Embedding")
    return jnp.asarray(weights[0])[x.astype(int)], x != 0


def assert_close(got, expected, case):
    # Where genuine Keras computed in float32, what that cost it on the same layer was measured.
    tolerance = 2e-6 if case["difference"] is None else max(1e-6, 4 * case["difference"])
    error = np.abs(np.asarray(got, np.float64) - expected) / (1 + np.abs(expected))
    assert got.shape == expected.shape
    assert np.max(error, initial=0) <= tolerance


def wide(array):
    """Real numbers as float64, the precision of genuine Keras's here: only formulas can differ."""
    return array.astype(np.float64) if array.dtype == np.float32 else array


@pytest.fixture
def double():
    """Layers made and run in float64."""
    config.set_floatx("float64")
    with jax.enable_x64(True):
        yield


BRIEF = {case["id"].rpartition("-")[0]: case["id"] for case in CASES}.values()
"""One case of each layer and generation; the others are slow only because they are many."""


@pytest.mark.parametrize(
    "case",
    [pytest.param(c, marks=[] if c["id"] in BRIEF else pytest.mark.slow) for c in CASES],
    ids=lambda case: case["id"],
)
@pytest.mark.usefixtures("double")
def test_layer_equals_genuine_keras(case):
    arrays = {
        name: [None if key is None else wide(ARRAYS[key]) for key in keys]
        for name, keys in case["arrays"].items()
    }
    with config.using_dialect(DIALECTS.get(case["generation"], "modern")):
        pair = pair_of(case)
    inputs = [through(case.get("pre"), x, arrays.get("pre_weights")) for x in arrays["input"]]
    shape = inputs[0][0].shape
    params, start = variables_of(pair, case, shape, arrays.get("weights", []))

    if len(inputs) > 1:  # stateful, reset before the last one
        state = start
        for index, ((x, mask), expected) in enumerate(zip(inputs, arrays["output"], strict=True)):
            state = start if index == len(inputs) - 1 else state
            y, state = pair.apply(params, state, x, mask=mask)
            assert_close(y, expected, case)
        return

    ((x, mask),) = inputs

    def run(params, x):
        y, _, after = pair.run(params, start, x, mask=mask)
        return sum((part**2).sum() for part in jax.tree.leaves(y)), (y, after)

    differentiate = jax.jit(jax.value_and_grad(run, (0, 1), has_aux=True))
    (_, (y, after)), gradients = differentiate(params, x)
    for got, expected in zip(jax.tree.leaves(y), arrays["output"], strict=True):
        assert_close(got, expected, case)
    if any(expected is not None for expected in arrays.get("output_mask", [])):
        np.testing.assert_array_equal(after, arrays["output_mask"][0])
    if "grad_input" in arrays:
        assert_close(gradients[1], arrays["grad_input"][0], case)
    declared = [weight for weight in flat_weights(pair, shape) if weight.trainable]
    for weight, expected in zip(
        declared, joined(arrays.get("grad_weights", []), len(declared)), strict=True
    ):
        got = gradients[0]
        for part in weight.name.split("/"):
            got = got[part]
        assert_close(as_stored(case, np.asarray(got)), expected, case)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_by_hand(w, x, h, c):
    outputs = []
    for x_t in np.swapaxes(x, 0, 1):
        i, f, g, o = np.split(x_t @ w["kernel"] + h @ w["recurrent_kernel"] + w["bias"], 4, axis=-1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs, 1), h, c


def gru_by_hand(w, x, h, reset_after):
    units = h.shape[-1]
    kernel, recurrent = w["kernel"], w["recurrent_kernel"]
    bias, inner_bias = w["bias"] if reset_after else (w["bias"], np.zeros(3 * units))
    for x_t in np.swapaxes(x, 0, 1):
        given, kept = x_t @ kernel + bias, h @ recurrent + inner_bias
        z, r = np.split(sigmoid(given + kept)[:, : 2 * units], 2, axis=-1)
        inner = r * kept[:, 2 * units :] if reset_after else (r * h) @ recurrent[:, 2 * units :]
        h = z * h + (1 - z) * np.tanh(given[:, 2 * units :] + inner)
    return h


def drawn(pair, shape=(None, 5, 3), spread=0.3):
    params, state = pair.init(KEY, shape)
    generator = np.random.default_rng(0)
    moved = jax.tree.map(lambda a: a + spread * generator.normal(size=a.shape).astype("f"), params)
    return moved, state


def numbers(*shape):
    return np.random.default_rng(1).normal(size=shape).astype("float32")


LAYERS = {
    "simple_rnn": F.simple_rnn,
    "lstm": F.lstm,
    "gru": F.gru,
    "gru_reset_before": lambda *args, **kwargs: F.gru(*args, reset_after=False, **kwargs),
}
each = pytest.mark.parametrize("build", LAYERS.values(), ids=LAYERS.keys())
MASK = np.array([[1, 0, 1, 1, 0], [0, 0, 1, 0, 1]], bool)


def close(a, b, tolerance=1e-6):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, tolerance, tolerance), a, b)


def test_lstm_is_its_formula_from_given_states_and_returns_the_last_ones():
    pair = F.lstm(4, return_sequences=True, return_state=True)
    params, state = drawn(pair)
    x, h, c = numbers(2, 5, 3), numbers(2, 4), numbers(2, 4) / 2
    got, _ = pair.apply(params, state, (x, h, c))
    close(got, lstm_by_hand(params, x, h, c), 1e-5)


@pytest.mark.parametrize("reset_after", [False, True])
def test_gru_is_its_formula(reset_after):
    pair = F.gru(4, reset_after=reset_after)
    params, state = drawn(pair)
    x, h = numbers(2, 5, 3), numbers(2, 4)
    close(pair.apply(params, state, (x, h))[0], gru_by_hand(params, x, h, reset_after), 1e-5)


@each
def test_masked_steps_are_as_if_they_were_not_there(build):
    pair = build(4, return_sequences=True)
    params, state = drawn(pair)
    x = jnp.asarray(numbers(2, 5, 3))
    y, _ = pair.apply(params, state, x, mask=MASK)
    for row, kept in enumerate(MASK):
        alone, _ = pair.apply(params, state, x[row : row + 1, kept])
        close(y[row, kept], alone[0])
        for step in np.flatnonzero(~kept):
            close(y[row, step], y[row, step - 1] if step else jnp.zeros(4))


@pytest.mark.parametrize("unroll", [False, True])
def test_masked_steps_give_zeros_on_request(unroll):
    params, state = drawn(F.lstm(4))
    x = numbers(2, 5, 3)
    pair = F.lstm(4, return_sequences=True, unroll=unroll, zero_output_for_mask=True)
    y, _ = pair.apply(params, state, x, mask=MASK)
    repeated, _ = F.lstm(4, return_sequences=True).apply(params, state, x, mask=MASK)
    close(y, np.where(MASK[..., None], repeated, 0))


def test_mask_goes_on_with_sequences_only():
    x = jnp.ones((2, 5, 3))
    assert F.lstm(4).mask(x, MASK) is None
    np.testing.assert_array_equal(F.lstm(4, return_sequences=True).mask(x, MASK), MASK)
    after, *states = F.lstm(4, return_sequences=True, return_state=True).mask(x, MASK)
    np.testing.assert_array_equal(after, MASK)
    assert states == [None, None]


def test_a_mask_of_another_shape_is_refused():
    pair = F.lstm(4)
    with pytest.raises(ValueError, match="does not fit steps"):
        pair.apply(*drawn(pair), jnp.ones((2, 5, 3)), mask=MASK[:, :3])


@each
def test_backwards_is_forwards_on_the_reversed_sequence(build):
    forwards, backwards = (
        build(4, return_sequences=True, go_backwards=back) for back in (False, True)
    )
    params, state = drawn(forwards)
    x = numbers(2, 5, 3)
    y, _ = forwards.apply(params, state, x[:, ::-1], mask=MASK[:, ::-1])
    close(backwards.apply(params, state, x, mask=MASK)[0], y)


@each
def test_options_of_speed_and_layout_change_no_number(build):
    plain = build(4, return_sequences=True)
    params, state = drawn(plain)
    x = jnp.asarray(numbers(2, 5, 3))
    y, _ = plain.apply(params, state, x)
    for options in ({"unroll": True}, {"implementation": 0}, {"implementation": 1}):
        close(build(4, return_sequences=True, **options).apply(params, state, x)[0], y)
    major = build(4, return_sequences=True, time_major=True)
    close(major.apply(params, state, jnp.swapaxes(x, 0, 1))[0], jnp.swapaxes(y, 0, 1))


@each
@pytest.mark.parametrize("training", [False, True])
def test_stateful_layer_on_pieces_equals_one_on_the_whole_sequence(build, training):
    stateful, plain = build(4, stateful=True), build(4)
    params, state = drawn(stateful, (2, 3, 3))
    x = jnp.asarray(numbers(2, 6, 3))
    first, second = jnp.split(x, [3], axis=1)
    _, state = stateful.apply(params, state, first, training=training)
    y, _ = stateful.apply(params, state, second, training=training)
    close(y, plain.apply(params, {}, x)[0])


def test_states_of_a_stateful_layer_are_in_no_file_and_need_a_known_batch():
    pair = F.lstm(4, stateful=True)
    names = [weight.name for weight in flat_weights(pair, (2, 5, 3))]
    assert names == ["kernel", "recurrent_kernel", "bias"]
    with pytest.raises(ValueError, match="known batch size"):
        pair.init(KEY, (None, 5, 3))


DROPPED = {"dropout": 0.3, "recurrent_dropout": 0.2}
SIGMOIDS = activations.HARD_SIGMOIDS
CELLS = {
    "simple_rnn": (F.simple_rnn, F.simple_rnn_cell, DROPPED),
    "lstm": (F.lstm, F.lstm_cell, DROPPED),
    "lstm_whole": (F.lstm, F.lstm_cell, {}),
    "lstm_classic": (F.lstm, F.lstm_cell, {"recurrent_activation": SIGMOIDS["classic"]}),
    "lstm_hard": (F.lstm, F.lstm_cell, {"recurrent_activation": SIGMOIDS["modern"]}),
    "lstm_soft": (F.lstm, F.lstm_cell, {"activation": "softsign", **DROPPED}),
    "gru": (F.gru, F.gru_cell, {"reset_after": True, **DROPPED}),
    "gru_reset_before": (F.gru, F.gru_cell, {"reset_after": False, **DROPPED}),
}


@pytest.mark.parametrize("case", CELLS)
@pytest.mark.parametrize("go_backwards", [False, True])
def test_derivatives_of_both_orders_equal_those_of_a_written_out_loop(case, go_backwards):
    """The rule that takes the recurrent kernel out of the loop is exact, and differentiable."""
    build, build_cell, options = CELLS[case]
    cell, pair = build_cell(3, **options), build(3, **options, go_backwards=go_backwards)
    params, _ = drawn(pair, (None, 4, 2))
    x = jnp.asarray(numbers(2, 4, 2))
    mask = jnp.asarray(MASK[:, :4])
    flow = {"training": True, "key": KEY}

    def by_rule(params, x):
        return (pair.apply(params, {}, x, mask=mask, **flow)[0] ** 2).sum()

    def by_hand(params, x):
        states = [jnp.zeros((2, 3))] * len(cell.state_shapes((2, 2)))
        for step in range(4)[:: -1 if go_backwards else 1]:
            (_, *after), _ = cell.apply(params, {}, (x[:, step], *states), **flow)
            pairs = zip(after, states, strict=True)
            states = [jnp.where(mask[:, step, None], new, old) for new, old in pairs]
        return (states[0] ** 2).sum()

    def derivatives(loss):
        """The gradient; and how it changes along the ones, forwards and backwards."""
        slope = jax.grad(loss, (0, 1))
        tangents = jax.tree.map(jnp.ones_like, (params, x))

        def along(*at):
            return sum(change.sum() for change in jax.tree.leaves(slope(*at)))

        return jax.jit(lambda *at: (jax.jvp(slope, at, tangents), jax.grad(along, (0, 1))(*at)))(
            params, x
        )

    close(derivatives(by_rule), derivatives(by_hand), 1e-5)


def test_dropout_is_the_same_in_all_steps_and_differs_between_sequences():
    pair = F.simple_rnn(
        6,
        activation="linear",
        kernel_initializer="identity",
        recurrent_initializer="zeros",
        dropout=0.5,
        return_sequences=True,
    )
    params, state = pair.init(KEY, (None, 5, 6))
    y, _ = pair.apply(params, state, jnp.ones((40, 5, 6)), training=True, key=KEY)
    assert set(np.unique(y)) == {0.0, 2.0}
    close(y, jnp.broadcast_to(y[:, :1], y.shape))
    assert 0.3 < float((y[:, 0] == 0).mean()) < 0.7
    assert len(np.unique(y[:, 0], axis=0)) > 20
    with pytest.raises(ValueError, match="needs a key"):
        pair.apply(params, state, jnp.ones((2, 5, 6)), training=True)


def test_forget_bias_starts_at_one():
    params, _ = F.lstm(2).init(KEY, (None, 5, 3))
    close(params["bias"], [0, 0, 1, 1, 0, 0, 0, 0])
    params, _ = F.lstm(2, unit_forget_bias=False).init(KEY, (None, 5, 3))
    close(params["bias"], np.zeros(8))


def test_keras_1_initialises_each_gate_by_itself():
    """Its LSTM drew both kernels of a gate with `init`, unless the gates were fused."""
    with config.using_dialect("classic"):
        pair, fused = F.lstm(64, implementation=0), F.lstm(64, implementation=2)
        chosen = F.lstm(64, implementation=0, recurrent_initializer="identity")
    params, _ = pair.init(KEY, (None, 5, 64))
    limit = np.sqrt(6 / 128)
    for kernel in "kernel", "recurrent_kernel":
        for gate in np.split(np.asarray(params[kernel]), 4, axis=-1):
            assert 0.95 * limit < np.abs(gate).max() <= limit
    params, _ = fused.init(KEY, (None, 5, 64))
    assert np.abs(params["kernel"]).max() <= np.sqrt(6 / (5 * 64))
    rows = np.asarray(params["recurrent_kernel"], np.float64)
    close(rows @ rows.T, 1.1**2 * np.eye(64), 1e-4)
    params, _ = chosen.init(KEY, (None, 5, 64))
    close(params["recurrent_kernel"], np.tile(np.eye(64), 4))


def test_a_user_cell_needs_only_a_step():
    def step(params, masks, x, states):
        y = params["rate"] * states[0] + x
        return y, (y,)

    def weights(shape):
        yield F.Weight("rate", (), "ones")

    cell = F.make_cell(step, weights, lambda shape: (shape,))
    pair = F.rnn(cell, return_sequences=True)
    params, state = pair.init(KEY, (None, 5, 3))
    x = numbers(2, 5, 3)
    close(pair.apply(params, state, x)[0], np.cumsum(x, axis=1), 1e-5)


def test_rnn_refuses_a_layer_that_is_no_cell():
    with pytest.raises(TypeError, match="cell must be a recurrent cell"):
        F.rnn(F.dense(3))
    with pytest.raises(TypeError, match="recurrent cells"):
        F.rnn([F.lstm_cell(2), F.dense(3)])


def test_wrong_initial_states_are_refused():
    pair = F.lstm(4)
    with pytest.raises(ValueError, match="expected 2 initial states, got 1"):
        pair.apply(*drawn(pair), (jnp.ones((2, 5, 3)), jnp.ones((2, 4))))
