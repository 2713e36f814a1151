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


def variance_learned(variance, dialect, backend, n=30, epsilon=1e-3):
    if backend == "theano" and dialect != "modern":
        variance = variance + epsilon
    return variance * n / (n - 1 - epsilon) if dialect == "keras2" else variance


@pytest.mark.parametrize("dialect", config.DIALECTS)
@pytest.mark.parametrize("backend", ["tensorflow", "theano"])
def test_moving_averages_follow_the_batch(dialect, backend):
    with config.using_dialect(dialect), config.using_backend(backend):
        pair = F.batch_normalization(momentum=0.9)
    params, state = made(pair)
    y, after = pair.apply(params, state, jnp.asarray(X), training=True)
    np.testing.assert_allclose(y, normalised(X, (0, 1)), atol=1e-5)
    y, after = pair.apply(params, after, jnp.asarray(2 * X), training=True)
    mean, variance = X.mean((0, 1)), X.var((0, 1))
    means, variances = (mean, 2 * mean), (variance, 4 * variance)
    variances = [variance_learned(own, dialect, backend) for own in variances]
    share = np.array([0.09, 0.1])
    start = 0.81
    if (dialect, backend) == ("keras2", "tensorflow"):
        start, share = 0, share / share.sum()
    np.testing.assert_allclose(after["moving_mean"], share @ means, rtol=1e-5)
    np.testing.assert_allclose(after["moving_variance"], start + share @ variances, rtol=1e-5)
    y, same = pair.apply(params, after, jnp.asarray(X))
    scale = np.sqrt(np.asarray(after["moving_variance"]) + 1e-3)
    np.testing.assert_allclose(y, (X - np.asarray(after["moving_mean"])) / scale, atol=1e-5)
    assert same is after


def test_image_variances_of_keras_2_on_tensorflow_are_corrected_twice():
    x = jnp.asarray(X.reshape(3, 2, 5, 4))
    with config.using_dialect("keras2"):
        pair = F.batch_normalization(momentum=0.5)
    after = pair.apply(*made(pair, x), x, training=True)[1]
    expected = variance_learned(X.var((0, 1)), "keras2", "tensorflow") * 30 / 29
    np.testing.assert_allclose(after["moving_variance"], expected, rtol=1e-5)


def test_mode_1_normalises_each_sample_and_mode_2_each_batch():
    by_sample, by_batch = F.batch_normalization(mode=1), F.batch_normalization(mode=2)
    variables = made(by_sample)
    deviation = np.sqrt(X.var(-1, keepdims=True) + 1e-3) + 1e-3
    expected = {by_sample: (X - X.mean(-1, keepdims=True)) / deviation}
    expected[by_batch] = normalised(X, (0, 1))
    for pair, y in expected.items():
        for training in (False, True):
            got, state = pair.apply(*variables, jnp.asarray(X), training=training)
            np.testing.assert_allclose(got, y, atol=1e-5)
            assert state is variables[1]
    alone = by_sample.apply(*variables, jnp.asarray(X[0, 0]))[0]
    assert F.output_shape(by_sample, X[0, 0].shape) == X[0, 0].shape
    np.testing.assert_allclose(alone, expected[by_sample][0, 0], atol=1e-5)


def test_renormalisation_scales_by_moving_averages_within_bounds():
    bounds = {"rmin": 0.5, "rmax": 1.5, "dmax": 0.25}
    pair = F.batch_normalization(renorm=True, renorm_clipping=bounds, renorm_momentum=0.8)
    params, state = made(pair)
    state |= {"renorm_mean": jnp.asarray([3.0, 2.9, 0, 9]), "renorm_stddev": jnp.full(4, 1.4)}
    y, after = pair.apply(params, state, jnp.asarray(X), training=True)
    mean, deviation = X.mean((0, 1)), np.sqrt(X.var((0, 1)) + 1e-3)
    r = np.clip(deviation / 1.4, 0.5, 1.5)
    d = np.clip((mean - np.asarray(state["renorm_mean"])) / 1.4, -0.25, 0.25)
    np.testing.assert_allclose(y, normalised(X, (0, 1)) * r + d, atol=1e-5)
    np.testing.assert_allclose(after["renorm_stddev"], 0.8 * 1.4 + 0.2 * deviation, rtol=1e-5)
    moving = 0.99 + 0.01 * deviation
    np.testing.assert_allclose(after["moving_stddev"], moving, rtol=1e-5)
    np.testing.assert_allclose(after["moving_variance"], moving**2 - 1e-3, rtol=1e-5)


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
    with pytest.raises(ValueError, match="mode must be one of 0, 1, 2; got 3"):
        F.batch_normalization(mode=3)
    with pytest.raises(ValueError, match="mode 1 normalises the last axis"):
        F.batch_normalization(mode=1, axis=1).apply(*made(F.batch_normalization()), jnp.asarray(X))
    with pytest.raises(ValueError, match="rmin <= rmax"):
        F.batch_normalization(renorm=True, renorm_clipping={"rmin": 2, "rmax": 1})
    with pytest.raises(ValueError, match="must be one of rmin, rmax, dmax; got 'max'"):
        F.batch_normalization(renorm=True, renorm_clipping={"max": 1})
