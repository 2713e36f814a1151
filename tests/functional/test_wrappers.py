"""Bidirectional and TimeDistributed, against the layers that they wrap."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

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
