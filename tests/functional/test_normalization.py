import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import config
from funkeras import functional as F

KEY = jax.random.key(0)
X = np.random.default_rng(0).normal(3, 2, (6, 5, 4)).astype("float32")


def made(pair, x=X):
    return pair.init(KEY, x.shape)


def normalised(x, axes, epsilon=1e-3):
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + epsilon)


@pytest.mark.parametrize(
    ("dialect", "factor"), [("classic", 1), ("modern", 1), ("keras2", 30 / (30 - 1 - 1e-3))]
)
def test_moving_averages_follow_the_batch(dialect, factor):
    with config.using_dialect(dialect):
        pair = F.batch_normalization(momentum=0.9)
    params, state = made(pair)
    y, after = pair.apply(params, state, jnp.asarray(X), training=True)
    np.testing.assert_allclose(y, normalised(X, (0, 1)), atol=1e-5)
    np.testing.assert_allclose(after["moving_mean"], 0.1 * X.mean((0, 1)), rtol=1e-5)
    variance = 0.9 + 0.1 * X.var((0, 1)) * factor
    np.testing.assert_allclose(after["moving_variance"], variance, rtol=1e-5)
    y, same = pair.apply(params, after, jnp.asarray(X))
    scale = np.sqrt(np.asarray(after["moving_variance"]) + 1e-3)
    np.testing.assert_allclose(y, (X - np.asarray(after["moving_mean"])) / scale, atol=1e-5)
    assert same is after


def test_masked_steps_count_in_the_old_dialects_only():
    mask = jnp.asarray(np.random.default_rng(1).integers(0, 2, (6, 5)).astype(bool))
    kept = X[np.asarray(mask)]
    means = {}
    for dialect in config.DIALECTS:
        with config.using_dialect(dialect):
            pair = F.batch_normalization(momentum=0.0)
        means[dialect] = pair.apply(*made(pair), jnp.asarray(X), training=True, mask=mask)[1][
            "moving_mean"
        ]
    np.testing.assert_allclose(means["modern"], kept.mean(0), rtol=1e-5)
    np.testing.assert_allclose(means["classic"], X.mean((0, 1)), rtol=1e-5)
    np.testing.assert_allclose(means["keras2"], X.mean((0, 1)), rtol=1e-5)


def test_a_large_mean_leaves_the_variance_exact():
    x = X + 1e4
    pair = F.batch_normalization(momentum=0.0)
    after = pair.apply(*made(pair), jnp.asarray(x), training=True)[1]
    np.testing.assert_allclose(after["moving_variance"], x.astype(float).var((0, 1)), rtol=1e-4)


def test_statistics_of_half_precision_inputs_are_of_single_precision():
    pair = F.batch_normalization(momentum=0.0)
    x = jnp.asarray(X, "bfloat16")
    y, after = pair.apply(*made(pair), x, training=True)
    assert y.dtype == "bfloat16"
    exact = np.asarray(x, np.float64)
    np.testing.assert_allclose(after["moving_variance"], exact.var((0, 1)), rtol=1e-5)


def test_layer_group_and_unit_normalisation_follow_their_formulas():
    for pair, expected in {
        F.layer_normalization(axis=(1, 2)): normalised(X, (1, 2)),
        F.layer_normalization(axis=1, epsilon=1e-5): normalised(X, 1, 1e-5),
        F.group_normalization(1): normalised(X, (1, 2)),
        F.group_normalization(-1): normalised(X, 1),
        F.group_normalization(2): normalised(X.reshape(6, 5, 2, 2), (1, 3)).reshape(X.shape),
        F.rms_normalization(): X / np.sqrt((X**2).mean(-1, keepdims=True) + 1e-6),
        F.unit_normalization((1, 2)): X / np.sqrt((X**2).sum((1, 2), keepdims=True)),
    }.items():
        np.testing.assert_allclose(pair.apply(*made(pair), jnp.asarray(X))[0], expected, atol=2e-5)


def test_unit_normalisation_of_zero_is_zero_with_a_finite_gradient():
    pair = F.unit_normalization()
    zero = jnp.zeros((1, 3))
    assert (pair.apply({}, {}, zero)[0] == 0).all()
    assert jnp.isfinite(jax.grad(lambda x: pair.apply({}, {}, x)[0].sum())(zero)).all()


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="axis must name axes of an input of rank 3"):
        made(F.layer_normalization(axis=0))
    with pytest.raises(ValueError, match="groups must divide the 4 channels, got 3"):
        made(F.group_normalization(3))
    with pytest.raises(ValueError, match=r"momentum must be in \[0, 1\], got 1.5"):
        F.batch_normalization(momentum=1.5)
