import jax
import jax.numpy as jnp
import numpy as np
import pytest
from golden_cases import Golden, load

from funkeras import config
from funkeras import functional as F
from funkeras.layers import ConvLSTM2D

KEY = jax.random.key(0)
X = jnp.asarray(np.random.default_rng(0).normal(size=(2, 4, 5, 4, 3)), "float32")


class Case(Golden):
    """A case whose weights of Keras 1 are 12: kernel, recurrent kernel and bias of each gate."""

    @property
    def dialect(self):
        """tf_keras kept the hard sigmoid of Keras 2."""
        return "keras2" if self.row["generation"].startswith("tf_keras") else super().dialect

    def stored(self, name):
        values = super().stored(name)
        if values is None or "weights" not in name or len(values) != 12:
            return values
        gates = {gate: values[3 * place : 3 * place + 3] for place, gate in enumerate("icfo")}
        parts = zip(*(gates[gate] for gate in "ifco"), strict=True)
        return [np.concatenate([self.as_ours(array) for array in part], -1) for part in parts]

    def as_ours(self, kernel):
        if kernel.ndim < 4:
            return kernel
        if self.kwargs["dim_ordering"] == "th":
            kernel = kernel.transpose(2, 3, 1, 0)
        return kernel[::-1, ::-1] if self.row["backends"] == ["theano"] else kernel


CASES = [Case(case.group, case.row) for case in load("conv_recurrent")]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_layer_equals_genuine_keras(case):
    case.check()


def variables(pair, x=X):
    return pair.init(KEY, x.shape)


def test_the_layer_runs_its_cell_step_by_step():
    pair = F.conv_lstm2d(3, 2, strides=(2, 1), return_sequences=True, return_state=True)
    params, state = variables(pair)
    (ys, h, c), _ = pair.apply(params, state, X)
    cell = F.conv_lstm2d_cell(3, 2, strides=(2, 1))
    states = (jnp.zeros(h.shape), jnp.zeros(c.shape))
    for step in range(X.shape[1]):
        (y, *states), _ = cell.apply(params, {}, (X[:, step], *states))
        np.testing.assert_allclose(ys[:, step], y, atol=1e-6)
    np.testing.assert_allclose(h, ys[:, -1], atol=1e-6)
    np.testing.assert_allclose(c, states[1], atol=1e-6)


def test_backwards_is_forwards_on_the_reversed_sequence():
    forwards = F.conv_lstm2d(2, 3, padding="same", return_sequences=True)
    backwards = F.conv_lstm2d(2, 3, padding="same", return_sequences=True, go_backwards=True)
    known = variables(forwards)
    expected, _ = forwards.apply(*known, X[:, ::-1])
    np.testing.assert_allclose(backwards.apply(*known, X)[0], expected, atol=1e-6)


def test_a_stateful_layer_goes_on_where_the_batch_before_ended():
    whole = F.conv_lstm2d(2, 3, return_sequences=True)
    kept = F.conv_lstm2d(2, 3, return_sequences=True, stateful=True)
    params, state = variables(kept)
    first, state = kept.apply(params, state, X[:, :2])
    second, _ = kept.apply(params, state, X[:, 2:])
    expected, _ = whole.apply(params, {}, X)
    np.testing.assert_allclose(jnp.concatenate([first, second], 1), expected, atol=1e-6)


def test_masked_steps_repeat_the_output_before_them():
    pair = F.conv_lstm2d(2, 3, return_sequences=True)
    mask = jnp.asarray([[True, False, True, True], [True, True, False, False]])
    y, _ = pair.apply(*variables(pair), X, mask=mask)
    np.testing.assert_array_equal(y[0, 1], y[0, 0])
    np.testing.assert_array_equal(y[1, 3], y[1, 1])


@pytest.mark.parametrize("rates", [(0.5, 0.0), (0.0, 0.5)])
def test_dropout_is_one_draw_for_all_steps_and_gates_apart(rates):
    pair = F.conv_lstm2d(2, 3, dropout=rates[0], recurrent_dropout=rates[1])
    known = variables(pair)
    y, _ = pair.apply(*known, X, training=True, key=KEY)
    again, _ = pair.apply(*known, X, training=True, key=KEY)
    other, _ = pair.apply(*known, X, training=True, key=jax.random.key(1))
    np.testing.assert_array_equal(y, again)
    assert not np.allclose(y, other)
    with pytest.raises(ValueError, match="needs a key"):
        pair.apply(*known, X, training=True)


def test_the_recurrent_convolution_of_theano_pads_even_kernels_before():
    layers = {}
    for backend in ("theano", "tensorflow"):
        with config.using_backend(backend):
            layers[backend] = F.conv_lstm2d(2, 2)
    known = variables(layers["theano"])
    first, second = (pair.apply(*known, X)[0] for pair in layers.values())
    assert not np.allclose(first, second)


def test_keras_1_spelling_and_defaults():
    layer = ConvLSTM2D(4, 3, 2, inner_activation="sigmoid", border_mode="same", subsample=(2, 1))
    assert layer.kernel_size == (3, 2)
    assert (layer.filters, layer.padding, layer.strides) == (4, "same", (2, 1))
    assert ConvLSTM2D(4, 3, 3).get_config()["recurrent_activation"] == "hard_sigmoid"
    with config.using_dialect("modern"):
        assert ConvLSTM2D(4, (3, 3)).get_config()["recurrent_activation"] == "sigmoid"


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="padding must be one of valid, same; got 'full'"):
        F.conv_lstm2d(2, 3, padding="full")
    with pytest.raises(ValueError, match="kernel_size must be 2 integers"):
        F.conv_lstm2d(2, (3, 3, 3))
    wide = F.conv_lstm2d(2, 7)
    with pytest.raises(ValueError, match="must fit the input"):
        wide.apply(*variables(wide), X)
    with pytest.raises(ValueError, match=r"dropout must be in \[0, 1\)"):
        F.conv_lstm1d(2, 3, dropout=1.0)
    with pytest.raises(ValueError, match="rank 4"):
        variables(F.conv_lstm2d(2, 3), X[..., 0])
