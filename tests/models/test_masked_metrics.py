"""Metrics of sequences with a mask, where Keras 3 holds: padded steps count for nothing."""

from typing import Any

import numpy as np
import pytest

from funkeras import config, metrics
from funkeras.layers import Dense, Embedding, Input, SimpleRNN
from funkeras.models import Sequential

DRAWS = np.random.default_rng(0)
X = DRAWS.integers(0, 6, (10, 5))
X[:, -1] = 0
LABELS = DRAWS.integers(0, 3, (10, 5))
WEIGHTS = DRAWS.uniform(0, 2, (10, 5)).astype("float32")


@pytest.fixture(params=["evaluate", "fit"])
def run(request: pytest.FixtureRequest) -> Any:
    """Metrics by name of a pass, and the probabilities that they are of."""
    config.set_dialect("modern")
    model = Sequential(
        [
            Input((5,)),
            Embedding(6, 4, mask_zero=True),
            SimpleRNN(4, return_sequences=True),
            Dense(3, activation="softmax"),
        ]
    )
    model.compile(
        "sgd",
        "sparse_categorical_crossentropy",
        metrics=["accuracy", metrics.SparseTopKCategoricalAccuracy(2, name="top")],
        weighted_metrics=["accuracy", metrics.SparseCategoricalCrossentropy(name="ce")],
    )
    model.optimizer.learning_rate = 0.0
    given = {"sample_weight": WEIGHTS, "batch_size": 4, "verbose": 0}
    if request.param == "fit":
        found = {k: v[0] for k, v in model.fit(X, LABELS, epochs=1, **given).history.items()}
    else:
        found = model.evaluate(X, LABELS, return_dict=True, **given)
    return found, model.predict(X)


def test_padded_steps_count_for_nothing(run: Any) -> None:
    found, proba = run
    mask, right = X != 0, proba.argmax(-1) == LABELS
    own = np.take_along_axis(proba, LABELS[..., None], -1)[..., 0]
    better = (proba > own[..., None]).sum(-1)
    shares = WEIGHTS * mask
    expected = {
        "accuracy": right[mask].mean(),
        "top": (better < 2)[mask].mean(),
        "weighted_accuracy": (right * shares).sum() / shares.sum(),
        "ce": -(np.log(own) * shares).sum() / shares.sum(),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("shares", [None, WEIGHTS])
def test_functions_are_means_over_the_steps_of_all_batches(shares: Any) -> None:
    config.set_dialect("modern")
    layers = [Input((5,)), Embedding(6, 4, mask_zero=True), Dense(2)]
    model = Sequential(layers)
    model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mse"])
    y = np.random.default_rng(1).random((10, 5, 2), "float32")
    found = model.evaluate(X, y, sample_weight=shares, batch_size=4, verbose=0, return_dict=True)
    gap, mask = model.predict(X) - y, X != 0
    weights = mask if shares is None else mask * shares
    assert found["mae"] == pytest.approx(np.abs(gap)[mask].mean(), rel=1e-5)
    squares = (gap**2).mean(-1)
    assert found["mse"] == pytest.approx((squares * weights).sum() / weights.sum(), rel=1e-5)
