import json
import pickle
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import config, losses

GOLDEN = Path(__file__).parent / "golden"
CASES = json.loads((GOLDEN / "losses.json").read_text())
ARRAYS = np.load(GOLDEN / "losses.npz")
EXCEPTIONS = GOLDEN / "exceptions.json"
DIALECTS = {"keras-1.2.2": "classic", "keras-2.2.4": "keras2"}


def excused(group, case):
    listed = json.loads(EXCEPTIONS.read_text()) if EXCEPTIONS.exists() else {}
    return listed.get(group, {}).get(case["id"])


def assert_close(got, expected, case):
    """Equal within the case's tolerance; where genuine Keras gave NaN, any finite number is."""
    tolerance = max(1e-6, 4 * (case["difference"] or 0))
    error = np.abs(np.asarray(got, np.float64) - expected) / (1 + np.abs(expected))
    assert got.shape == expected.shape
    assert np.all(np.isfinite(got) | np.isinf(expected))
    assert np.max(error, initial=0, where=~np.isnan(expected)) <= tolerance


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_loss_and_its_gradient_equal_genuine_keras(case):
    if reason := excused("losses", case):
        pytest.skip(reason)
    arrays = {name: ARRAYS[key] for name, key in case["arrays"].items()}
    with config.using_dialect(DIALECTS.get(case["generation"], "modern")):
        loss = losses.get(case["class"])
    y_true, y_pred = arrays["y_true"], jnp.asarray(arrays["y_pred"])
    assert_close(jax.jit(loss)(y_true, y_pred), arrays["value"], case)
    gradient = jax.grad(lambda y: loss(y_true, y).sum())(y_pred)
    assert_close(gradient, arrays["grad_y_pred"], case)


OBJECTS = json.loads((GOLDEN / "losses_keras3.json").read_text())
OBJECT_ARRAYS = np.load(GOLDEN / "losses_keras3.npz")
REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", None)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("case", OBJECTS, ids=lambda case: case["id"])
def test_loss_object_equals_keras_3(case, reduction):
    y_true, y_pred = (OBJECT_ARRAYS[f"{case['data']}/{name}"] for name in ("y_true", "y_pred"))
    with config.using_dialect("modern"):
        loss = getattr(losses, case["class"])(**case["kwargs"], reduction=reduction)
    for weights, suffix in ((None, ""), (OBJECT_ARRAYS["weights"], "/weighted")):
        key = f"{case['id']}/{reduction}{suffix}"
        if key in OBJECT_ARRAYS:
            if weights is not None and case["data"] == "real_3d":
                weights = weights[:, None]
            got = loss(y_true, y_pred, sample_weight=weights)
            np.testing.assert_allclose(got, OBJECT_ARRAYS[key], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("case", OBJECTS, ids=lambda case: case["id"])
def test_loss_object_has_finite_gradient_and_survives_its_config(case):
    y_true, y_pred = (OBJECT_ARRAYS[f"{case['data']}/{name}"] for name in ("y_true", "y_pred"))
    loss = getattr(losses, case["class"])(**case["kwargs"])
    value, gradient = jax.value_and_grad(lambda y: loss(y_true, y))(jnp.asarray(y_pred))
    assert np.all(np.isfinite(gradient))
    copies = losses.get(losses.serialize(loss)), pickle.loads(pickle.dumps(loss))
    for copy in copies:
        assert copy.get_config() == loss.get_config()
        assert copy(y_true, y_pred) == value
    unreduced = jnp.mean(losses.unreduced(loss)(y_true, y_pred))
    np.testing.assert_allclose(unreduced, value, rtol=1e-5)


def test_masked_mean_counts_valid_entries_only():
    values, mask = jnp.array([[1.0, 2.0], [3.0, 4.0]]), jnp.array([[1, 0], [1, 1]])
    assert losses.reduce(values, mask=mask) == pytest.approx((1 + 3 + 4) / 3)
    assert losses.reduce(values, mask=mask, reduction="sum") == 8
    assert losses.reduce(values, mask=jnp.zeros((2, 2))) == 0


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mse", losses.mean_squared_error),
        ("MSE", losses.mean_squared_error),
        ("KLD", losses.kl_divergence),
        ("kullback_leibler_divergence", losses.kl_divergence),
        ("logcosh", losses.log_cosh),
        ("bce", losses.binary_crossentropy),
    ],
)
def test_old_and_new_names_find_the_function(name, expected):
    assert losses.get(name) is expected
    assert losses.get(losses.serialize(expected)) is expected


def test_get_takes_classes_configs_functions_and_none():
    assert isinstance(losses.get("MeanSquaredError"), losses.MeanSquaredError)
    assert isinstance(losses.get(losses.Huber), losses.Huber)
    assert losses.get({"class_name": "Tversky", "config": {"alpha": 0.3}}).alpha == 0.3
    plain = {
        "class_name": "function",
        "config": "mean_squared_error",
        "registered_name": "function",
    }
    assert losses.get(plain) is losses.mean_squared_error
    assert losses.get(np.hypot) is np.hypot
    assert losses.get(None) is None
    with pytest.raises(ValueError, match="did you mean 'mean_squared_error'"):
        losses.get("mean_squared_eror")


def test_a_loss_keeps_the_dialect_it_was_looked_up_in():
    y_true, y_pred = np.array([[0.0, 1.0]]), np.array([[0.5, 0.5]])
    with config.using_dialect("modern"):
        modern, of_class = losses.get("hinge"), losses.Hinge()
        assert losses.hinge(y_true, y_pred) == 1.0
    with config.using_dialect("classic"):
        classic = losses.get(losses.hinge)
        assert modern(y_true, y_pred) == of_class(y_true, y_pred) == 1.0
    assert classic(y_true, y_pred) == 0.75
    assert classic is losses.get("hinge")


def test_files_of_old_dialects_have_old_names():
    with config.using_dialect("classic"):
        assert losses.serialize(losses.get("kld")) == "kullback_leibler_divergence"
    with config.using_dialect("modern"):
        assert losses.serialize(losses.get("kld")) == "kl_divergence"


def test_users_subclass_with_call():
    class Quartic(losses.Loss):
        def call(self, y_true, y_pred):
            return jnp.mean((y_true - y_pred) ** 4, axis=-1)

    loss = Quartic(reduction="sum")
    y_true, y_pred = np.zeros((3, 2)), np.full((3, 2), 2.0)
    assert loss.name == "quartic"
    assert loss(y_true, y_pred) == 48
    assert losses.reduction(loss) == "sum"
    assert losses.unreduced(loss)(y_true, y_pred).tolist() == [16, 16, 16]
    assert losses.get(Quartic).get_config()["reduction"] == "sum_over_batch_size"


def test_half_precision_is_summed_in_float32():
    y_pred = jnp.full((1, 4), 300.0, jnp.float16)
    assert losses.mean_squared_error(jnp.zeros((1, 4), jnp.float16), y_pred) == 90000


def test_labels_may_have_a_last_axis_and_any_number_type():
    y_pred = np.array([[0.2, 0.8], [0.5, 0.5]])
    for y_true in (np.array([1, 0]), np.array([[1], [0]]), np.array([1.0, 0.0])):
        got = losses.sparse_categorical_crossentropy(y_true, y_pred)
        np.testing.assert_allclose(got, -np.log([0.8, 0.5]), rtol=1e-6)


@pytest.mark.parametrize(
    ("loss", "y_true", "dtype", "y_pred", "words"),
    [
        ("mse", (None, 3), "float32", (None, 4), [r"\(None, 3\)", r"\(None, 4\)"]),
        ("categorical_crossentropy", (8,), "int32", (None, 5), ["sparse_cat", "to_categorical"]),
        ("categorical_crossentropy", (8, 1), "int64", (None, 5), ["sparse_cat", "int64"]),
        ("categorical_crossentropy", (8, 1), "float32", (8, 1), ["binary_crossentropy"]),
        ("sparse_categorical_crossentropy", (8, 5), "float32", (8, 5), ["use categorical_cross"]),
        ("binary_crossentropy", (8,), "int32", (8, 5), [r"\(8,\)", r"\(8, 5\)"]),
        (losses.MeanSquaredError(), (8, 2), "float32", (8, 5), ["mean_squared_error"]),
    ],
)
def test_targets_that_do_not_fit_are_refused(loss, y_true, dtype, y_pred, words):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words below are the check
        losses.check(loss, y_true, dtype, y_pred)
    for word in words:
        caught.match(word)


@pytest.mark.parametrize(
    ("loss", "y_true", "y_pred"),
    [
        ("mse", (8,), (None, 1)),
        ("mse", (None, 7, 3), (None, None, 3)),
        ("sparse_categorical_crossentropy", (8,), (None, 5)),
        ("sparse_categorical_crossentropy", (8, 7, 1), (None, None, 5)),
        (losses.CategoricalCrossentropy(axis=1), (8, 5, 2), (None, 5, 2)),
        ("ctc", (8, 3), (None, 20, 5)),
        (lambda y_true, y_pred: y_pred, (8, 9), (None, 2)),
    ],
)
def test_targets_that_fit_are_let_through(loss, y_true, y_pred):
    losses.check(loss, y_true, "float32", y_pred)


@pytest.mark.parametrize(
    ("loss", "labels", "shape", "words"),
    [
        ("sparse_categorical_crossentropy", [0, 4], (None, 4), "labels from 0 to 3, .* 0 to 4"),
        ("sparse_categorical_crossentropy", [-1, 3], (None, 4), "labels from -1 to 3"),
        (
            losses.SparseCategoricalCrossentropy(ignore_class=-1, axis=1),
            [[-1, 2]],
            (None, 2, 2),
            "of 2 classes .* labels from 2 to 2",
        ),
        ("categorical_generalized_cross_entropy", [5.0], (None, 5), "of 5 classes"),
    ],
)
def test_labels_beyond_the_classes_are_refused(loss, labels, shape, words):
    with pytest.raises(ValueError, match=words):
        losses.check_labels(loss, np.asarray(labels), shape)


@pytest.mark.parametrize(
    ("loss", "labels", "shape"),
    [
        ("sparse_categorical_crossentropy", [0, 3], (None, 4)),
        ("sparse_categorical_crossentropy", [9], (None, None)),
        (losses.SparseCategoricalCrossentropy(ignore_class=255), [255, 1], (None, 2)),
        (losses.SparseCategoricalCrossentropy(ignore_class=255), [255], (None, 2)),
        ("mse", [-7.0], (None, 1)),
    ],
)
def test_labels_of_classes_are_let_through(loss, labels, shape):
    losses.check_labels(loss, np.asarray(labels), shape)


def test_shapes_that_differ_are_not_broadcast():
    with pytest.raises(ValueError, match=r"\(4, 1, 1\).*\(4, 3\)"):
        losses.mean_squared_error(np.zeros((4, 1, 1)), np.zeros((4, 3)))


def test_options_are_checked():
    with pytest.raises(ValueError, match="label_smoothing must be in"):
        losses.BinaryCrossentropy(label_smoothing=2.0)(np.ones((1, 1)), np.ones((1, 1)))
    with pytest.raises(ValueError, match="reduction must be one of"):
        losses.MeanSquaredError(reduction="median")
    with pytest.raises(TypeError, match="did you mean 'delta'"):
        losses.Huber(delt=1.0)


class Mixed:
    """A user's loss: a share of one loss, and what is left of another."""

    def __init__(self, share):
        self.share = share

    def __call__(self, y_true, y_pred):
        return self.share * losses.mse(y_true, y_pred) + (1 - self.share) * losses.mae(
            y_true, y_pred
        )

    def get_config(self):
        return {"share": self.share}


def test_an_object_of_the_users_own_class_is_made_again_from_its_config():
    described = losses.serialize(Mixed(0.25))
    assert described == {"class_name": "Mixed", "config": {"share": 0.25}}
    found = losses.deserialize(described, {"Mixed": Mixed})
    assert isinstance(found, Mixed)
    assert found.share == 0.25


GENUINE = {
    "MeanSquaredError": {"name": "mean_squared_error", "reduction": "sum_over_batch_size"},
    "CTC": {"name": "ctc", "reduction": "sum_over_batch_size"},
    "Tversky": {
        "alpha": 0.5,
        "axis": None,
        "beta": 0.5,
        "name": "tversky",
        "reduction": "sum_over_batch_size",
    },
    "BinaryCrossentropy": {
        "axis": -1,
        "from_logits": False,
        "label_smoothing": 0.0,
        "name": "binary_crossentropy",
        "reduction": "sum_over_batch_size",
    },
}
"""What genuine Keras 3.15 says of some losses."""


@pytest.mark.parametrize("name", GENUINE)
def test_configs_are_those_of_keras_3_and_older_ones_are_read(name):
    made = losses.classes.find(name)
    assert made().get_config() == GENUINE[name]
    assert made.from_config({**GENUINE[name], "dtype": None}).get_config() == GENUINE[name]
    assert made(dtype="bfloat16").get_config() == {**GENUINE[name], "dtype": "bfloat16"}
