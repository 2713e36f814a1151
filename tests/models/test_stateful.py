"""Models with stateful layers carry on where the last batch ended, in whatever runs them."""

import numpy as np
import pytest

from funkeras import layers
from funkeras.models import Model, Sequential

STEPS, PARTS = 3, 4
X = np.random.default_rng(0).normal(size=(2, PARTS * STEPS, 3)).astype("float32")
PIECES = np.split(X, PARTS, axis=1)


def stateful(layer, wrap=lambda layer: layer):
    return Sequential([wrap(layer(4, stateful=True, batch_input_shape=(2, STEPS, 3)))])


def whole(layer, weights, return_sequences=False):
    """Outputs for sequences in one piece, by the same layer without a state."""
    model = Sequential([layer(4, input_shape=X.shape[1:], return_sequences=return_sequences)])
    model.set_weights(weights)
    return model.predict(X)


@pytest.mark.parametrize("layer", [layers.SimpleRNN, layers.LSTM, layers.GRU])
def test_predictions_of_pieces_end_like_that_of_the_whole(layer):
    model = stateful(layer)
    expected = whole(layer, model.get_weights(), return_sequences=True)
    for index, piece in enumerate(PIECES):
        end = expected[:, (index + 1) * STEPS - 1]
        np.testing.assert_allclose(model.predict(piece), end, atol=1e-6)
    model.reset_states()
    np.testing.assert_allclose(model.predict(PIECES[0]), expected[:, STEPS - 1], atol=1e-6)


def test_batches_of_one_prediction_follow_each_other():
    model = stateful(layers.LSTM)
    expected = whole(layers.LSTM, model.get_weights())
    rows = np.concatenate(PIECES)
    for run in (lambda: model.predict(rows, batch_size=2), lambda: predict_by_generator(model)):
        model.reset_states()
        np.testing.assert_allclose(run()[-2:], expected, atol=1e-6)


def predict_by_generator(model):
    return model.predict_generator((piece for piece in PIECES), steps=PARTS)


def test_evaluation_carries_the_state_and_goes_on_from_it():
    model = stateful(layers.LSTM)
    model.compile("sgd", "mse")
    expected = whole(layers.LSTM, model.get_weights(), return_sequences=True)
    ends = expected[:, STEPS - 1 :: STEPS].swapaxes(0, 1)
    zeros = np.zeros((2, 4))
    losses = [model.evaluate(piece, zeros, batch_size=2, verbose=0) for piece in PIECES]
    np.testing.assert_allclose(losses, [np.mean(end**2) for end in ends], rtol=1e-5)
    model.reset_states()
    rows = np.concatenate(PIECES)
    loss = model.evaluate(rows, np.zeros((len(rows), 4)), batch_size=2, verbose=0)
    np.testing.assert_allclose(loss, np.mean(ends**2), rtol=1e-5)
    model.reset_states()
    assert model.test_on_batch(PIECES[0], zeros) == pytest.approx(np.mean(ends[0] ** 2), rel=1e-5)
    assert model.test_on_batch(PIECES[1], zeros) == pytest.approx(np.mean(ends[1] ** 2), rel=1e-5)


def test_training_goes_on_from_the_state_that_a_prediction_left():
    model = stateful(layers.GRU)
    model.compile("sgd", "mse")
    ends = whole(layers.GRU, model.get_weights(), return_sequences=True)[:, STEPS - 1 :: STEPS]
    model.predict(PIECES[0])
    loss = model.train_on_batch(PIECES[1], np.zeros((2, 4)))
    assert loss == pytest.approx(np.mean(ends[:, 1] ** 2), rel=1e-5)


def test_fit_trains_on_the_batches_one_after_another():
    model = stateful(layers.GRU)
    model.compile("sgd", "mse", metrics=["mae"])
    again = stateful(layers.GRU)
    again.set_weights(model.get_weights())
    again.compile("sgd", "mse", metrics=["mae"])
    rows, y = np.concatenate(PIECES), np.ones((2 * PARTS, 4))
    seen = model.fit(rows, y, epochs=1, shuffle=False, verbose=0, validation_data=(rows, y))
    losses = [again.train_on_batch(piece, y[:2])[0] for piece in PIECES]
    assert seen.history["loss"] == pytest.approx([np.mean(losses)], rel=1e-5)
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    held = [again.test_on_batch(piece, y[:2])[0] for piece in PIECES]
    assert seen.history["val_loss"] == pytest.approx([np.mean(held)], rel=1e-5)


def test_another_batch_size_is_refused_unless_there_is_one_batch_alone():
    one = np.zeros((2, STEPS, 3))
    assert stateful(layers.GRU).predict(one, batch_size=32).shape[0] == 2
    with pytest.raises(ValueError, match=r"keeps states of 2 rows, got batch_size=4"):
        stateful(layers.GRU).predict(np.zeros((4, STEPS, 3)), batch_size=4)


def test_states_inside_wrappers_and_models_are_carried_too():
    inner = stateful(layers.GRU)
    entry = layers.Input(batch_shape=(2, STEPS, 3))
    nested = Model(entry, inner(entry))
    expected = whole(layers.GRU, inner.get_weights(), return_sequences=True)
    for index, piece in enumerate(PIECES):
        np.testing.assert_allclose(
            nested.predict(piece), expected[:, (index + 1) * STEPS - 1], atol=1e-6
        )
    both = Sequential(
        [
            layers.Bidirectional(
                layers.LSTM(4, stateful=True), batch_input_shape=(2, STEPS, 3), merge_mode="sum"
            )
        ]
    )
    first, second = both.predict(PIECES[0]), both.predict(PIECES[0])
    assert np.abs(first - second).max() > 1e-3
    both.reset_states()
    np.testing.assert_array_equal(both.predict(PIECES[0]), first)


def test_a_layer_called_on_arrays_keeps_its_state():
    layer = layers.GRU(4, stateful=True)
    first = layer(PIECES[0])
    expected = whole(layers.GRU, layer.get_weights(), return_sequences=True)
    np.testing.assert_allclose(first, expected[:, STEPS - 1], atol=1e-6)
    np.testing.assert_allclose(layer(PIECES[1]), expected[:, 2 * STEPS - 1], atol=1e-6)
    layer.reset_states()
    np.testing.assert_array_equal(layer(PIECES[0]), first)


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
def test_rows_that_fill_no_last_batch_are_refused(method):
    model = stateful(layers.GRU)
    model.compile("sgd", "mse")
    x, y = np.zeros((3, STEPS, 3)), np.zeros((3, 4))
    given = (x,) if method == "predict" else (x, y)
    with pytest.raises(ValueError, match=r"batches of 2 rows, got 3"):
        getattr(model, method)(*given, batch_size=2)
