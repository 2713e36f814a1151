"""Recurrence, folds, labels of sequences, random numbers, variables and settings."""

import itertools

import jax
import numpy as np
import pytest

from funkeras import backend as K
from funkeras import config
from funkeras.layers import Dense, Input

rng = np.random.default_rng(0)
x = rng.normal(size=(2, 5, 3)).astype("float32")
kernel = (rng.normal(size=(3, 4)) * 0.5).astype("float32")
recurrent = (rng.normal(size=(4, 4)) * 0.5).astype("float32")
mask = np.array([[0, 1, 1, 0, 1], [1, 1, 0, 0, 1]], bool)


def by_hand(steps, present):
    state, output = np.zeros((2, 4)), np.zeros((2, 4))
    outputs = []
    for time in steps:
        here = present[:, time, None]
        new = np.tanh(x[:, time] @ kernel + state @ recurrent)
        output = np.where(here, new, output)
        state = np.where(here, new, state)
        outputs.append(output)
    return output, np.stack(outputs, 1), state


@pytest.mark.parametrize("unroll", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_rnn_is_its_loop_with_masks_and_backwards(unroll, backwards, masked):
    w, u = K.variable(kernel), K.variable(recurrent)

    def step(now, states):
        output = K.tanh(K.dot(now, w) + K.dot(states[0], u) * states[1])
        return output, [output]

    a = K.placeholder((None, 5, 3))
    start = K.zeros_like(K.dot(a[:, 0], w))
    last, outputs, states = K.rnn(
        step,
        a,
        [start],
        go_backwards=backwards,
        mask=mask if masked else None,
        constants=[K.constant(1.0)],
        unroll=unroll,
    )
    assert outputs.shape == (None if not masked else 2, 5, 4)
    found = K.function([a], [last, outputs, states[0]])([x])
    order = range(4, -1, -1) if backwards else range(5)
    expected = by_hand(order, mask if masked else np.ones_like(mask))
    for value, true in zip(found, expected, strict=True):
        np.testing.assert_allclose(value, true, rtol=1e-4, atol=1e-5)
    (slope,) = K.function([a], K.gradients(K.sum(last), w))([x])
    moved = []
    for sign in (1, -1):
        K.set_value(w, kernel + sign * 1e-2 * (np.arange(12) == 5).reshape(3, 4))
        moved.append(K.function([a], [K.sum(last)])([x])[0])
    assert slope[1, 1] == pytest.approx((moved[0] - moved[1]) / 2e-2, rel=1e-2, abs=2e-3)


def test_folds_and_maps():
    a = K.placeholder((None, 3))
    rows = x[0]
    outputs = [
        K.foldl(lambda total, row: total * 0.5 + row, a),
        K.foldr(lambda total, row: total * 0.5 + row, a, K.zeros((3,))),
        K.map_fn(lambda row: K.sum(K.square(row)), a),
        K.map_fn(lambda pair: pair[0] * pair[1], [a, a + 1]),
    ]
    left, right = rows[0], np.zeros(3)
    for row in rows[1:]:
        left = left * 0.5 + row
    for row in rows[::-1]:
        right = right * 0.5 + row
    expected = [left, right, (rows**2).sum(1), rows * (rows + 1)]
    for value, true in zip(K.function([a], outputs)([rows]), expected, strict=True):
        np.testing.assert_allclose(value, true, rtol=1e-5, atol=1e-6)


STEPS = np.array(
    [
        [0.30999, 0.309938, 0.0679938, 0.0673362, 0.0708352, 0.173908],
        [0.215136, 0.439699, 0.0370931, 0.0393967, 0.0381581, 0.230517],
        [0.199959, 0.489485, 0.0233221, 0.0251417, 0.0233289, 0.238763],
        [0.279611, 0.452966, 0.0204795, 0.0209126, 0.0194803, 0.20655],
        [0.51286, 0.288951, 0.0243026, 0.0220788, 0.0219297, 0.129878],
    ]
)[None]
"""Probabilities that TensorFlow's own test of the beam search uses, with its published scores."""


@pytest.fixture(scope="module")
def every_labelling():
    """Log probability of each label sequence, summed over all 6^5 alignments."""
    total = {}
    for path in itertools.product(range(6), repeat=5):
        labels = tuple(label for label, _ in itertools.groupby(path) if label != 5)
        chance = np.prod([STEPS[0, time, label] for time, label in enumerate(path)])
        total[labels] = total.get(labels, 0) + chance
    return {labels: np.log(chance) for labels, chance in total.items()}


def test_beam_search_gives_the_published_scores():
    labels, scores = K.ctc_decode(STEPS, np.array([5]), greedy=False, beam_width=2, top_paths=2)
    assert [own[0].tolist() for own in labels] == [[1, 0], [0, 1, 0]]
    np.testing.assert_allclose(scores, [[0.584855, 0.389139]], atol=2e-6)


def test_costs_and_a_wide_search_are_the_sums_over_all_alignments(every_labelling):
    for labels in [(1, 0), (0, 1, 0), (1, 1)]:
        cost = K.ctc_batch_cost(
            np.array([[*labels, 0][:3]]), STEPS, np.array([[5]]), np.array([[len(labels)]])
        )
        assert cost.shape == (1, 1)
        assert float(cost[0, 0]) == pytest.approx(-every_labelling[labels], rel=1e-5)
    with config.using_dialect("modern"):
        found, scores = K.ctc_decode(STEPS, np.array([5]), False, beam_width=300, top_paths=5)
    best = sorted(every_labelling, key=every_labelling.__getitem__)[::-1][:5]
    assert [tuple(own[0][own[0] >= 0].tolist()) for own in found] == best
    np.testing.assert_allclose(scores[0], [every_labelling[own] for own in best], rtol=1e-5)


@pytest.mark.parametrize("labels", [(1, 0), (1, 1), (2,)])
def test_on_theano_costs_are_sums_over_alignments_and_steps(labels):
    """Of probabilities that have an even share mixed in, as `ctc_cost` of Keras 1 and 2 says."""
    even = 1e-4 / (2 * len(labels) + 1)
    p = (1 - 1e-4) * STEPS[0, :4] + even
    paths = itertools.product(range(6), repeat=4)
    total = sum(
        p[range(4), path].prod()
        for path in paths
        if tuple(label for label, _ in itertools.groupby(path) if label != 5) == labels
    )
    arguments = np.array([[*labels, 0][:2]]), STEPS, np.array([[4]]), np.array([[len(labels)]])
    with config.using_backend("theano"):
        cost = K.ctc_batch_cost(*arguments)
    assert cost.shape == (1, 1)
    assert float(cost[0, 0]) == pytest.approx(-np.log(4 * total), rel=1e-5)


def test_decoding_of_shorter_sequences_and_in_a_program():
    both = np.concatenate([STEPS, STEPS[:, ::-1]])
    labels, scores = K.ctc_decode(both, np.array([5, 3]))
    assert labels[0].tolist() == [[0, 1, 0], [0, 1, -1]]
    logs = np.log(both.max(-1))
    np.testing.assert_allclose(scores[:, 0], [-logs[0].sum(), -logs[1, :3].sum()], rtol=1e-5)
    a = K.placeholder((None, None, 6))
    compiled = K.function([a], K.ctc_decode(a, np.array([5, 3]), greedy=False)[0])
    assert compiled([both])[0].shape == (2, 5)
    sparse = K.ctc_label_dense_to_sparse(np.array([[3, 1, 0], [2, 0, 0]]), np.array([2, 1]))
    assert sparse.indices.tolist() == [[0, 0], [0, 1], [1, 0]]
    assert sparse.values.tolist() == [3, 1, 2]


def test_random_numbers_have_their_distributions():
    draw = K.function(
        [],
        [
            K.random_normal((4000,), 2.0, 3.0),
            K.random_uniform((4000,), -1.0, 3.0),
            K.random_binomial((4000,), 0.3),
            K.truncated_normal((4000,), 1.0, 0.5),
        ],
    )
    normal, even, chosen, cut = draw([])
    assert normal.mean() == pytest.approx(2, abs=0.2)
    assert normal.std() == pytest.approx(3, abs=0.15)
    assert -1 <= even.min() < -0.95 < 2.95 < even.max() < 3
    assert set(np.unique(chosen)) == {0.0, 1.0}
    assert chosen.mean() == pytest.approx(0.3, abs=0.04)
    assert np.abs(cut - 1).max() <= 1
    assert (draw([])[0] != normal).all()
    dropped = K.eval(K.dropout(K.ones((1000,)), 0.25))
    assert set(np.unique(dropped)) == {0.0, np.float32(1 / 0.75)}
    with config.using_dialect("modern"):
        assert isinstance(K.random_normal((2,), seed=3), jax.Array)
        np.testing.assert_array_equal(K.random_normal((2,), seed=3), K.random_normal((2,), seed=3))


def test_variables_and_what_is_said_of_tensors():
    v = K.variable([[1, 2], [3, 4]], name="v")
    assert (K.dtype(v), K.int_shape(v), v._keras_shape, K.ndim(v)) == ("float32", (2, 2), (2, 2), 2)
    K.batch_set_value([(v, np.zeros((2, 2)))])
    assert K.get_value(v).sum() == 0
    assert K.count_params(v) == 4
    assert (K.is_variable(v), K.is_tensor(v), K.is_placeholder(v)) == (True, True, False)
    a, b = K.placeholder((None, 3)), Input(shape=(3,))
    assert (K.is_placeholder(a), K.is_keras_tensor(a)) == (True, False)
    assert (K.is_keras_tensor(b), K.is_keras_tensor(Dense(2)(b))) == (True, True)
    assert K.is_keras_tensor(b * 2) is False
    assert K.placeholder(ndim=3, dtype="int32").shape == (None, None, None)
    np.testing.assert_array_equal(K.eval(K.eye(2)), np.eye(2))
    np.testing.assert_array_equal(K.eval(K.constant(3, shape=(2,))), [3, 3])
    np.random.seed(1)
    drawn = K.get_value(K.random_uniform_variable((2, 3), -1.0, 1.0))
    np.random.seed(1)
    np.testing.assert_allclose(drawn, np.random.uniform(-1, 1, (2, 3)), rtol=1e-6)
    with K.name_scope("outer"):
        assert K.variable(1.0, name="inner").name == "outer/inner"
    with pytest.raises(ValueError, match="is_keras_tensor"), config.using_dialect("keras2"):
        K.is_keras_tensor(x)


def test_settings_and_numbers_of_names():
    K.set_epsilon(1e-3)
    assert (K.epsilon(), config.epsilon()) == (1e-3, 1e-3)
    K.set_floatx(floatx="float16")
    assert K.dtype(K.zeros((2,))) == "float16"
    assert K.cast_to_floatx(x).dtype == np.float16
    K.set_image_dim_ordering("th")
    assert (K.image_data_format(), K.normalize_data_format(None)) == ("channels_first",) * 2
    assert K.backend() == "tensorflow"
    K.reset_uids()
    assert [K.get_uid("dense"), K.get_uid("dense"), K.get_uid("other")] == [1, 2, 1]
    assert Dense(2).name == "dense_3"
    K.clear_session()
    assert Dense(2).name == "dense_1"


def test_print_tensor_prints_when_it_is_computed(capfd):
    a = K.placeholder((None,))
    compute = K.function([a], [K.print_tensor(a, "a is ") * 2])
    assert "a is" not in capfd.readouterr().out
    np.testing.assert_array_equal(compute([[1.0, 2.0]])[0], [2, 4])
    jax.effects_barrier()
    assert "a is  [1. 2.]" in capfd.readouterr().out


def test_switch_by_rows_and_lazily():
    a = K.placeholder((None, 3))
    rows = x[0]
    (found,) = K.function([a], [K.switch(a[:, 0] > 0, a, -a)])([rows])
    np.testing.assert_array_equal(found, np.where(rows[:, :1] > 0, rows, -rows))
    chosen = jax.jit(lambda c: K.switch(c, lambda: c * 2, lambda: c - 1))
    assert (float(chosen(3.0)), float(chosen(0.0))) == (6, -1)
    assert K.switch(True, 1.0, 2.0) == 1
