import json
import pickle
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import config, losses, metrics

GOLDEN = Path(__file__).parent / "golden"
CASES = json.loads((GOLDEN / "metrics.json").read_text())
ARRAYS = np.load(GOLDEN / "metrics.npz")
RUNNING = json.loads((GOLDEN / "metrics_keras3.json").read_text())
RUNNING_ARRAYS = np.load(GOLDEN / "metrics_keras3.npz")
EXCEPTIONS = json.loads((GOLDEN / "exceptions.json").read_text()).get("metrics", {})
DIALECTS = {"keras-1.2.2": "classic", "keras-2.2.4": "keras2"}


def averaged(values, shape):
    """Values with the last axes averaged away: how far a metric reduces differs by generation."""
    while values.ndim > len(shape):
        values = values.mean(-1)
    return values.reshape(shape)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_function_equals_genuine_keras(case):
    if case["id"] in EXCEPTIONS:
        pytest.skip(EXCEPTIONS[case["id"]])
    arrays = {name: ARRAYS[key] for name, key in case["arrays"].items()}
    with config.using_dialect(DIALECTS.get(case["generation"], "modern")):
        function = metrics.values(getattr(metrics, case["class"]))
    got = np.asarray(function(arrays["y_true"], arrays["y_pred"], **case["kwargs"]), np.float64)
    expected = arrays["value"]
    error = np.abs(averaged(got, expected.shape) - expected) / (1 + np.abs(expected))
    tolerance = max(1e-6, 4 * (case["difference"] or 0))
    assert np.max(error, initial=0, where=~np.isnan(expected)) <= tolerance


def batches(case):
    for i in range(3):
        arrays = 1 if "values" in case["data"] else 2
        data = [RUNNING_ARRAYS[f"{case['data']}/{i}/{j}"] for j in range(arrays)]
        weights = RUNNING_ARRAYS[f"weights/{i}"] if case["weighted"] else None
        yield data, weights, RUNNING_ARRAYS[case["id"]][i]


@pytest.mark.parametrize("case", RUNNING, ids=lambda case: case["id"])
def test_running_value_equals_keras_3(case):
    with config.using_dialect("modern"):
        metric = getattr(metrics, case["class"])(**case["kwargs"])
    for data, weights, expected in batches(case):
        metric.update_state(*data, sample_weight=weights)
        got = metric.result()
        assert got.shape == expected.shape
        np.testing.assert_allclose(got, expected, rtol=3e-6, atol=3e-6)


@pytest.mark.parametrize("case", [c for c in RUNNING if c["weighted"]], ids=lambda c: c["id"])
def test_triple_compiles_and_keeps_the_shape_of_its_state(case):
    with config.using_dialect("modern"):
        metric = getattr(metrics, case["class"])(**case["kwargs"])
    *_, (data, _, _) = batches(case)
    start = metric.init(data[-1].shape)

    @jax.jit
    def run(state, parts):
        for data, weights in parts:
            state = metric.update(state, *data, weights=weights)
        return state, metric.result(state)

    state, value = run(start, [(data, weights) for data, weights, _ in batches(case)])
    assert jax.tree.map(lambda a: (a.shape, a.dtype), state) == jax.tree.map(
        lambda a: (a.shape, a.dtype), start
    )
    np.testing.assert_allclose(value, RUNNING_ARRAYS[case["id"]][-1], rtol=3e-6, atol=3e-6)


Y_TRUE = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
Y_PRED = np.array([[0.3, 0.7], [0.4, 0.6], [0.2, 0.8]])


def test_batch_values_are_what_training_averages():
    assert metrics.values(metrics.get("mse"))(Y_TRUE, Y_PRED).shape == (3,)
    assert metrics.values(metrics.get("fmeasure"))(Y_TRUE, Y_PRED).shape == ()
    of_loss = metrics.values(losses.MeanSquaredError())(Y_TRUE, Y_PRED)
    np.testing.assert_allclose(of_loss, np.square(Y_TRUE - Y_PRED).mean(-1), rtol=1e-6)


@pytest.mark.parametrize(
    ("dialect", "name", "kind"),
    [
        ("classic", "mse", "function"),
        ("classic", "cosine", "function"),
        ("classic", "precision", "function"),
        ("classic", "Precision", "class"),
        ("classic", "AUC", "class"),
        ("keras2", "sparse_top_k_categorical_accuracy", "function"),
        ("modern", "mse", "class"),
        ("modern", "precision", "class"),
        ("modern", "huber", "function"),
    ],
)
def test_names_find_functions_in_old_dialects_and_classes_in_the_modern_one(dialect, name, kind):
    with config.using_dialect(dialect):
        assert isinstance(metrics.get(name), metrics.Metric) == (kind == "class")


def test_names_that_do_not_do_say_why():
    with pytest.raises(ValueError, match="unknown metric 'acuracy'; did you mean"):
        metrics.get("acuracy")
    with pytest.raises(TypeError, match=r"MeanIoU\(\) needs the argument 'num_classes'"):
        metrics.get("mean_io_u")


BINARY, SPARSE = "binary_crossentropy", "sparse_categorical_crossentropy"


@pytest.mark.parametrize(
    ("dialect", "metric", "shape", "loss", "true_shape", "expected"),
    [
        ("classic", "accuracy", (None, 1), "mse", None, ("acc", "binary_accuracy")),
        ("classic", "acc", (None, 5), BINARY, None, ("acc", "binary_accuracy")),
        ("classic", "acc", (None, 5), SPARSE, None, ("acc", "sparse_categorical_accuracy")),
        ("keras2", "accuracy", (None, 5), "mse", None, ("acc", "categorical_accuracy")),
        ("keras2", "ce", (None, 5), SPARSE, None, ("ce", SPARSE)),
        ("keras2", "mae", (None, 5), "mse", None, ("mean_absolute_error",) * 2),
        (
            "classic",
            "kld",
            (None, 5),
            "mse",
            None,
            ("kullback_leibler_divergence", "kl_divergence"),
        ),
        ("modern", "mae", (None, 5), "mse", (None, 5), ("mae", "MeanAbsoluteError")),
        ("modern", "acc", (None, 1), "mse", (None,), ("acc", "binary_accuracy")),
        ("modern", "accuracy", (None, 5), BINARY, (None, 5), ("accuracy", "categorical_accuracy")),
        (
            "modern",
            "accuracy",
            (None, 5),
            SPARSE,
            (None, 1),
            ("accuracy", "sparse_categorical_accuracy"),
        ),
        ("modern", metrics.AUC(name="area"), (None, 1), "mse", None, ("area", "AUC")),
        ("classic", metrics.AUC(), (None, 1), "mse", None, ("auc", "AUC")),
    ],
)
def test_training_names_metrics_as_each_generation_does(
    dialect, metric, shape, loss, true_shape, expected
):
    with config.using_dialect(dialect):
        name, found = metrics.for_training(metric, shape, loss, true_shape)
    if isinstance(found, metrics.MeanMetricWrapper):
        kind = found.get_config()["fn"].__name__
    else:
        kind = type(found).__name__ if isinstance(found, metrics.Metric) else found.__name__
    assert (name, kind) == expected
    assert not isinstance(found, metrics.Metric) or found.name == name


def squared_distance(y_true, y_pred):
    return jnp.sum((y_true - y_pred) ** 2, axis=-1)


def test_functions_of_the_user_are_metrics():
    for dialect in ("classic", "modern"):
        with config.using_dialect(dialect):
            name, found = metrics.for_training(squared_distance, (None, 2), "mse")
        assert name == "squared_distance"
        assert isinstance(found, metrics.Metric) == (dialect == "modern")


class CountedByHand(metrics.Metric):
    """As Keras users write them."""

    def __init__(self, name="by_hand", **kwargs):
        super().__init__(name=name, **kwargs)
        self.total = self.add_weight(name="total", initializer="zeros")
        self.count = self.add_weight(name="count", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.total.assign_add(jnp.sum(jnp.abs(y_true - y_pred)))
        self.count.assign(self.count + y_true.shape[0])

    def result(self):
        return self.total / self.count


class CountedPurely(metrics.Metric):
    def init(self, shape=None):
        return {"total": jnp.zeros(()), "count": jnp.zeros(())}

    def update(self, state, y_true, y_pred, weights=None):
        total = state["total"] + jnp.sum(jnp.abs(y_true - y_pred))
        return {"total": total, "count": state["count"] + y_true.shape[0]}

    def result(self, state):
        return state["total"] / state["count"]


class Doubled(metrics.Mean):
    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(
            jnp.sum(jnp.abs(y_true - y_pred), axis=-1), sample_weight=sample_weight
        )

    def result(self):
        return 2 * super().result() / 2


@pytest.mark.parametrize("make", [CountedByHand, CountedPurely, Doubled])
def test_subclasses_of_either_kind_are_pure_and_stateful(make):
    metric = make()
    expected = np.abs(Y_TRUE - Y_PRED).sum() / 3
    update, result = jax.jit(metric.update), jax.jit(metric.result)
    state = metric.init((None, 2))
    for _ in range(2):
        state = update(state, Y_TRUE, Y_PRED)
        metric.update_state(Y_TRUE, Y_PRED)
    np.testing.assert_allclose(result(state), expected, rtol=1e-6)
    np.testing.assert_allclose(metric.result(), expected, rtol=1e-6)
    metric.reset_state()
    np.testing.assert_allclose(metric(Y_TRUE, Y_PRED), expected, rtol=1e-6)


def test_reset_state_of_the_user_decides_what_a_metric_starts_from():
    class FromOne(CountedByHand):
        def reset_state(self):
            self.total.assign(1.0)
            self.count.assign(1.0)

    assert float(FromOne().init()["total"]) == 1
    metric = FromOne()
    metric.reset_states()
    assert metric.result() == 1


@pytest.mark.parametrize(
    "metric",
    [
        metrics.AUC(curve="PR", num_thresholds=11),
        metrics.TopKCategoricalAccuracy(k=3),
        metrics.MeanIoU(num_classes=3),
        metrics.MeanMetricWrapper(losses.huber, delta=0.5),
    ],
)
def test_configs_make_the_metric_again(metric):
    copy = metrics.get(metrics.serialize(metric))
    assert type(copy) is type(metric)
    assert copy.get_config() == metric.get_config()


@pytest.mark.parametrize("dtype", [None, "float16"])
@pytest.mark.parametrize(
    ("kind", "usual"),
    [
        (metrics.Mean, "float32"),
        (metrics.AUC, "float32"),
        (metrics.MeanAbsoluteError, "float32"),
        (partial(metrics.MeanMetricWrapper, losses.huber), "float32"),
        (CountedByHand, "float32"),
        (metrics.BinaryIoU, "int32"),
        (partial(metrics.MeanIoU, 3), "int32"),
        (partial(metrics.IoU, 3, [0]), "int32"),
        (partial(metrics.OneHotIoU, 3, [0]), "int32"),
        (partial(metrics.OneHotMeanIoU, 3), "int32"),
    ],
)
def test_configs_tell_the_dtype_that_genuine_keras_3_tells(kind, usual, dtype):
    metric = kind(dtype=dtype)
    assert metric.get_config()["dtype"] == metric.dtype == (dtype or usual)


@pytest.mark.parametrize("metric", [metrics.AUC(name="area"), metrics.MeanMetricWrapper(np.hypot)])
def test_metrics_pickle(metric):
    assert pickle.loads(pickle.dumps(metric)).get_config() == metric.get_config()


def test_metrics_whose_state_has_a_column_per_class_need_the_shape():
    with pytest.raises(ValueError, match="predictions of shape"):
        metrics.F1Score().init()
    assert metrics.F1Score().init((None, 4))["true_positives"].shape == (4,)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: metrics.AUC(curve="RCO"), "curve must be one of roc, pr, prgain; got 'RCO'"),
        (lambda: metrics.AUC(num_thresholds=1), "num_thresholds must be 2 or more"),
        (lambda: metrics.Precision(thresholds=1.5), r"thresholds must be in \[0, 1\]; got 1.5"),
        (lambda: metrics.PrecisionAtRecall(2.0), r"recall must be in \[0, 1\], got 2.0"),
        (lambda: metrics.FBetaScore(beta=0.0), "beta must be above 0"),
        (lambda: metrics.IoU(3, [4]), "target_class_ids must be below num_classes 3"),
        (lambda: metrics.binary_accuracy(Y_TRUE, Y_PRED[:, :1]), r"\(3, 2\).*\(3, 1\)"),
    ],
)
def test_bad_arguments_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_one_number_for_the_batch_counts_by_the_weight_of_the_batch():
    metric = metrics.MeanMetricWrapper(lambda y_true, y_pred: jnp.max(y_pred), name="highest")
    metric.update_state(Y_TRUE, np.full((3, 2), 5.0), sample_weight=np.array([1.0, 1.0, 0.0]))
    metric.update_state(Y_TRUE, np.full((3, 2), 2.0), sample_weight=np.array([1.0, 0.0, 0.0]))
    assert metric.result() == 4


@pytest.mark.parametrize("labels", [[[1], [0]], [1, 0]])
def test_shares_within_the_top_k_are_one_number_before_keras_3(labels):
    scores = np.array([[0.3, 0.2, 0.1], [0.1, 0.2, 0.7]], "float32")
    shares = [metrics.sparse_top_k_categorical_accuracy(labels, scores, k=k) for k in (3, 2, 1)]
    assert [float(share) for share in shares] == [1, 0.5, 0]
    with config.using_dialect("modern"):
        each = metrics.sparse_top_k_categorical_accuracy(labels, scores, k=2)
    np.testing.assert_array_equal(each, [1, 0])
