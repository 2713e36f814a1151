import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import functional as F

KEY = jax.random.key(0)
X = np.random.default_rng(0).normal(3, 2, (6, 5, 4)).astype("float32")


@pytest.mark.parametrize(
    ("axis", "reduced"), [(-1, (0, 1)), (1, (0, 2)), ((2, 1), (0,)), (None, (0, 1, 2))]
)
def test_data_are_normalised_by_their_own_statistics_and_back(axis, reduced):
    pair, undone = F.normalization(axis), F.normalization(axis, invert=True)
    params, state = pair.init(KEY, X.shape)
    mean, variance = F.mean_and_variance([X[:1], X[1:4], X[4:]], axis)
    np.testing.assert_allclose(mean, X.astype(float).mean(reduced), rtol=1e-12)
    np.testing.assert_allclose(variance, X.astype(float).var(reduced), rtol=1e-12)
    assert state["mean"].shape == mean.shape
    state |= {"mean": jnp.asarray(mean), "variance": jnp.asarray(variance)}
    y, same = pair.apply(params, state, jnp.asarray(X))
    expected = (X - X.mean(reduced, keepdims=True)) / X.std(reduced, keepdims=True)
    np.testing.assert_allclose(y, expected, atol=1e-5)
    assert same is state
    np.testing.assert_allclose(undone.apply(params, state, y)[0], X, atol=1e-5)


def test_given_statistics_are_those_along_the_last_of_the_axes():
    x = jnp.asarray(X)
    pair = F.normalization((1, 2), mean=[1.0, 2, 3, 4], variance=[1.0, 4, 9, 16])
    params, state = pair.init(KEY, X.shape)
    assert (params, state) == ({}, {})
    expected = (X - np.array([1, 2, 3, 4])) / np.array([1, 2, 3, 4])
    np.testing.assert_allclose(pair.apply({}, {}, x)[0], expected, rtol=1e-5)
    pair = F.normalization(mean=3.0, variance=4.0)
    np.testing.assert_allclose(pair.apply({}, {}, x)[0], (X - 3) / 2, rtol=1e-5, atol=1e-6)


def test_a_feature_that_never_varies_stays_finite_and_whole_numbers_become_real():
    pair = F.normalization(mean=2.0, variance=0.0)
    y, _ = pair.apply({}, {}, jnp.asarray([[2, 3]]))
    np.testing.assert_allclose(y, [[0, 1e7]], rtol=1e-6)


def test_statistics_of_far_values_are_exact():
    x = X.astype("float64") + 1e6
    mean, variance = F.mean_and_variance(np.array_split(x, 3))
    np.testing.assert_allclose(mean, x.mean((0, 1)), rtol=1e-14)
    np.testing.assert_allclose(variance, x.var((0, 1)), rtol=1e-9)


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="mean and variance must be given together"):
        F.normalization(mean=1.0)
    with pytest.raises(ValueError, match="in one shape"):
        F.normalization(mean=[1.0, 2.0], variance=1.0)
    with pytest.raises(ValueError, match="an axis for each of axis -1"):
        F.normalization(mean=[[1.0]], variance=[[1.0]])
    with pytest.raises(ValueError, match="axis 0 of the input must be known"):
        F.normalization(0).init(KEY, (None, 3))
    with pytest.raises(ValueError, match="an input of rank 2, got"):
        F.normalization(2).init(KEY, (2, 3))
    with pytest.raises(ValueError, match="axis 1 of the input must be known"):
        F.normalization(1).init(KEY, (None, None, 3))
    with pytest.raises(ValueError, match="at least one batch"):
        F.mean_and_variance([])
    with pytest.raises(ValueError, match="batches must agree along axis -1"):
        F.mean_and_variance([np.ones((2, 3)), np.ones((2, 4))])
