"""Metrics that are layers with variables of their own, as Keras 2.1.3 to 2.2.5 took them."""

from typing import Any

import numpy as np
import pytest

from funkeras import backend as K
from funkeras import metrics
from funkeras.layers import Dense, Layer
from funkeras.models import Sequential, load_model

DRAWS = np.random.default_rng(0)
X = DRAWS.normal(size=(50, 2))
Y = DRAWS.integers(0, 2, (50, 1))


class Hits(Layer):
    """Counts the targets that are 1 and predicted so."""

    def __init__(self, name: str = "hits", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.stateful = True
        self.count = K.variable(0, dtype="int32")

    def reset_states(self) -> None:
        K.set_value(self.count, 0)

    def __call__(self, y_true: Any, y_pred: Any) -> Any:
        found = K.cast(K.sum(y_true * K.round(y_pred)), "int32")
        before = self.count * 1
        self.add_update(K.update_add(self.count, found), inputs=[y_true, y_pred])
        return before + found


class Recall(Layer):
    """The share of the targets that are 1 which another layer counts as found."""

    def __init__(self, name: str = "recall", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.stateful = True
        self.hits = Hits()
        self.all = K.variable(0.0)

    def reset_states(self) -> None:
        self.hits.reset_states()
        K.set_value(self.all, 0.0)

    def __call__(self, y_true: Any, y_pred: Any) -> Any:
        total = self.all + K.sum(y_true)
        self.add_update(K.update(self.all, total))
        return K.cast(self.hits(y_true, y_pred), "float32") / total


def compiled() -> Sequential:
    model = Sequential([Dense(1, activation="sigmoid", input_dim=2)])
    model.compile("sgd", "binary_crossentropy", metrics=[Hits(), Recall()])
    return model


def found(model: Sequential, x: np.ndarray, y: np.ndarray) -> int:
    return int(np.sum((model.predict(x) > 0.5) & (y == 1)))


@pytest.mark.parametrize("batch_size", [50, 10, 7])
def test_they_count_over_all_batches_of_a_pass(batch_size: int) -> None:
    model = compiled()
    assert model.metrics_names == ["loss", "hits", "recall"]
    options: dict[str, Any] = {"batch_size": batch_size, "verbose": 0}
    history = model.fit(X, Y, epochs=3, validation_data=(X[:30], Y[:30]), **options).history
    for rows in (slice(None), slice(0, 30)):
        _, hits, recall = model.evaluate(X[rows], Y[rows], **options)
        assert hits == found(model, X[rows], Y[rows])
        assert recall == pytest.approx(hits / Y[rows].sum())
    assert history["val_hits"][-1] == found(model, X[:30], Y[:30])
    assert history["hits"][-1] <= Y.sum()


def test_they_are_saved_by_class_and_config(tmp_path: Any) -> None:
    assert isinstance(
        metrics.deserialize(metrics.serialize(Hits()), custom_objects={"Hits": Hits}), Hits
    )
    model = compiled()
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "a.h5")
    again = load_model(tmp_path / "a.h5", custom_objects={"Hits": Hits, "Recall": Recall})
    assert again.evaluate(X, Y) == model.evaluate(X, Y)


def test_a_metric_that_leaves_weights_alone_counts_no_rows_that_fill_a_batch():
    class Errors(metrics.Metric):
        def __init__(self, name="errors", **options):
            super().__init__(name=name, **options)
            self.total = self.add_weight("total", initializer="zeros")
            self.count = self.add_weight("count", initializer="zeros")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.total.assign_add(K.sum(K.abs(y_true - y_pred)))
            self.count.assign_add(K.cast(K.prod(K.shape(y_true)), "float32"))

        def result(self):
            return self.total / self.count

    rng = np.random.RandomState(0)
    x, y = rng.normal(size=(10, 4)), rng.normal(size=(10, 1))
    model = Sequential([Dense(1, input_shape=(4,))])
    model.compile("sgd", "mse", metrics=[Errors()])
    expected = np.mean(np.abs(model.predict(x) - y))
    for size in (10, 5, 4):
        numbers = model.evaluate(x, y, batch_size=size, verbose=0)
        assert numbers[1] == pytest.approx(expected, rel=1e-5)
