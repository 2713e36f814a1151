"""Bidirectional and TimeDistributed, against the layers that they wrap."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import config, layers, models
from funkeras import functional as F

KEY = jax.random.key(3)
MASK = jnp.asarray([[1, 1, 1, 0, 0], [1, 0, 1, 1, 1]], bool)
MERGES = {
    "concat": lambda a, b: np.concatenate([a, b], axis=-1),
    "sum": np.add,
    "mul": np.multiply,
    "ave": lambda a, b: (a + b) / 2,
}


def numbers(*shape):
    return jnp.asarray(np.random.default_rng(1).normal(size=shape), jnp.float32)


def close(a, b, tolerance=1e-6):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, tolerance, tolerance), a, b)


@pytest.mark.parametrize("mode", [*MERGES, None])
@pytest.mark.parametrize("sequences", [False, True])
def test_bidirectional_merges_both_directions(mode, sequences):
    forward = F.gru(4, return_sequences=sequences)
    pair = F.bidirectional(forward, mode)
    params, state = pair.init(KEY, (None, 5, 3))
    x = numbers(2, 5, 3)
    there, _ = forward.apply(params["forward_layer"], {}, x, mask=MASK)
    back, _ = forward.apply(params["backward_layer"], {}, x[:, ::-1], mask=MASK[:, ::-1])
    back = back[:, ::-1] if sequences else back
    y, after, mask = pair.run(params, state, x, mask=MASK)
    close(y, (there, back) if mode is None else MERGES[mode](there, back))
    assert after == {}
    masks = [] if mask is None else jax.tree.leaves(mask)
    assert len(masks) == (sequences and (2 if mode is None else 1))
    for own in masks:
        np.testing.assert_array_equal(own, MASK)


def test_a_backward_layer_of_its_own_reads_backwards():
    pair = F.bidirectional(F.lstm(4), "concat", F.gru(2, go_backwards=True))
    params, state = pair.init(KEY, (None, 5, 3))
    x = numbers(2, 5, 3)
    y, _ = pair.apply(params, state, x)
    close(y[:, :4], F.lstm(4).apply(params["forward_layer"], {}, x)[0])
    close(y[:, 4:], F.gru(2).apply(params["backward_layer"], {}, x[:, ::-1])[0])


@pytest.mark.parametrize(
    ("backward", "message"),
    [
        (F.lstm(4), "opposite go_backwards"),
        (F.lstm(4, go_backwards=True, return_sequences=True), "return_sequences"),
    ],
)
def test_a_backward_layer_that_does_not_match_is_refused(backward, message):
    with pytest.raises(ValueError, match=message):
        F.bidirectional(F.lstm(4), backward_layer=backward)


def test_bidirectional_refuses_other_layers_and_modes():
    with pytest.raises(TypeError, match="recurrent"):
        F.bidirectional(F.dense(3))
    with pytest.raises(ValueError, match="merge_mode must be one of"):
        F.bidirectional(F.lstm(3), "max")


def test_bidirectional_takes_and_gives_states_forward_ones_first():
    pair = F.bidirectional(F.lstm(4, return_state=True))
    params, state = pair.init(KEY, (None, 5, 3))
    x, states = numbers(2, 5, 3), [numbers(2, 4) * scale for scale in (1, 2, 3, 4)]
    (y, *after), _ = pair.apply(params, state, (x, *states))
    one = F.lstm(4, return_state=True)
    there, _ = one.apply(params["forward_layer"], {}, (x, *states[:2]))
    back, _ = one.apply(params["backward_layer"], {}, (x[:, ::-1], *states[2:]))
    close(y, jnp.concatenate([there[0], back[0]], -1))
    close(after, [*there[1:], *back[1:]])


def test_stateful_bidirectional_keeps_the_states_of_both():
    pair = F.bidirectional(F.gru(4, stateful=True))
    params, state = pair.init(KEY, (2, 5, 3))
    x = numbers(2, 5, 3)
    _, state = pair.apply(params, state, x)
    y, _ = pair.apply(params, state, x)
    twice = jnp.concatenate([x, x], axis=1)
    there, _ = F.gru(4).apply(params["forward_layer"], {}, twice)
    back, _ = F.gru(4).apply(params["backward_layer"], {}, twice[:, ::-1])
    close(y, jnp.concatenate([there, back], -1))


def test_time_distributed_is_the_layer_at_each_step():
    pair = F.time_distributed(F.dense(4, "tanh"))
    params, state = pair.init(KEY, (None, None, 3))
    x = numbers(2, 5, 3)
    y, _, mask = pair.run(params, state, x, mask=MASK)
    inner = F.dense(4, "tanh")
    close(y, jnp.stack([inner.apply(params["layer"], {}, x[:, t])[0] for t in range(5)], 1))
    np.testing.assert_array_equal(mask, MASK)
    assert F.output_shape(pair, (None, None, 3)) == (None, None, 4)


def test_time_distributed_batch_normalization_sees_all_steps_and_follows_them():
    pair = F.time_distributed(F.batch_normalization(momentum=0.5))
    params, state = pair.init(KEY, (None, 5, 3))
    x = numbers(2, 5, 3) + 2
    y, state = pair.apply(params, state, x, training=True)
    close(y.mean((0, 1)), np.zeros(3), 1e-5)
    close(state["layer"]["moving_mean"], 0.5 * x.mean((0, 1)), 1e-5)


@pytest.fixture
def modern():
    with config.using_dialect("modern"):
        yield


def test_in_keras_3_each_step_is_normalized_by_itself(modern):
    x = numbers(4, 5, 3)
    pair, each = F.time_distributed(F.batch_normalization()), F.batch_normalization()
    params, state = pair.init(KEY, (None, 5, 3))
    y, after = pair.apply(params, state, x, training=True)
    own, wanted = state["layer"], []
    for step in range(5):
        part, own = each.apply(params["layer"], own, x[:, step], training=True)
        wanted.append(part)
    close(y, np.stack(wanted, 1))
    close(after["layer"], own)
    y, _ = pair.apply(params, after, x)
    close(y[:, 2], each.apply(params["layer"], own, x[:, 2])[0])


def test_a_model_for_each_step_trains_as_in_keras_3(modern):
    """The numbers are Keras 3.15's on JAX."""
    chance = np.random.default_rng(0)
    chance.normal(size=(8, 5, 3))  # drawn before these where the numbers come from
    x, y = (chance.normal(size=(4, 5, 6, size)).astype("float32") for size in (3, 2))
    inner = models.Sequential([layers.Conv1D(2, 3, padding="same"), layers.BatchNormalization()])
    model = models.Sequential([layers.Input((5, 6, 3)), layers.TimeDistributed(inner)])
    chance = np.random.default_rng(1)
    model.set_weights([np.abs(chance.normal(size=w.shape)) for w in model.get_weights()])
    model.compile("sgd", "mse")
    history = model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0).history
    np.testing.assert_allclose(history["loss"], [2.2575883866, 2.2301766872], rtol=1e-6)
    np.testing.assert_allclose(model.evaluate(x, y, verbose=0), 1.7980272770, rtol=1e-6)
    averages = [2.5033700466, 1.7081999779, 0.2919499874, 0.6181499958]
    np.testing.assert_allclose(np.ravel(model.get_weights()[4:]), averages, atol=1.5e-5)


def test_penalties_and_recurrent_states_of_steps(modern):
    x = numbers(4, 5, 6)
    penalized = F.combinators.penalized(F.batch_normalization(), jnp.sum, True)
    pair = F.time_distributed(penalized)
    params, state = pair.init(KEY, (None, 5, 6))
    y, after = pair.apply(params, state, x, training=True)
    close(after["layer"]["penalty"], y.sum() / 20, 1e-5)
    pair = F.time_distributed(F.simple_rnn(2, stateful=True))
    sequences = numbers(4, 5, 6, 3)
    params, state = pair.init(KEY, (4, 5, 6, 3))
    y, after = pair.apply(params, state, sequences)
    long = F.simple_rnn(2, return_sequences=True)
    wanted, _ = long.apply(params["layer"], {}, sequences.reshape(4, 30, 3))
    close(y, wanted[:, 5::6])
    close(after["layer"]["state_0"], wanted[:, -1])


def test_nested_sequences_keep_their_masks_apart():
    pair = F.time_distributed(F.lstm(4))
    params, state = pair.init(KEY, (None, 2, 5, 3))
    x = numbers(3, 2, 5, 3)
    mask = jnp.asarray(np.random.default_rng(0).random((3, 2, 5)) < 0.5).at[0, 0].set(False)
    y, _, after = pair.run(params, state, x, mask=mask)
    for row in range(3):
        inner, _ = F.lstm(4).apply(params["layer"], {}, x[row], mask=mask[row])
        close(y[row], inner)
    np.testing.assert_array_equal(after, mask.any(axis=-1))


def test_time_distributed_needs_a_time_axis():
    with pytest.raises(ValueError, match="batch, time"):
        F.time_distributed(F.dense(3)).init(KEY, (None, 3))
