import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import config
from funkeras import functional as F
from funkeras.layers import Conv2D, Dense, DepthwiseConv2D, SpectralNormalization

KEY = jax.random.key(0)
X = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")


def unit(vector):
    return vector / np.linalg.norm(vector)


def power_method(kernel, u, iterations):
    kernel, u = np.asarray(kernel, np.float64), np.asarray(u, np.float64)
    for _ in range(iterations):
        v = unit(u @ kernel.T)
        u = unit(v @ kernel)
    return (v @ kernel @ u.T).item(), u


@pytest.mark.parametrize("iterations", [1, 3])
def test_training_divides_the_kernel_by_an_estimate_of_its_norm(iterations):
    pair = F.spectral_normalization(F.dense(5), iterations)
    params, state = pair.init(KEY, X.shape)
    kernel, bias = (np.asarray(params["layer"][n], np.float64) for n in ("kernel", "bias"))
    size, u = power_method(kernel, state["vector_u"], iterations)
    y, after = pair.apply(params, state, jnp.asarray(X), training=True)
    np.testing.assert_allclose(y, X @ kernel / size + bias, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(after["vector_u"], u, rtol=1e-5, atol=1e-6)


def test_the_estimate_becomes_the_largest_singular_value():
    pair = F.spectral_normalization(F.conv2d(4, 3, use_bias=False), 100)
    x = jnp.ones((1, 3, 3, 2))
    params, state = pair.init(KEY, x.shape)
    kernel = np.asarray(params["layer"]["kernel"], np.float64).reshape(-1, 4)
    y, _ = pair.apply(params, state, x, training=True)
    expected = kernel.sum(0) / np.linalg.norm(kernel, 2)
    np.testing.assert_allclose(y[0, 0, 0], expected, rtol=1e-4)


def test_gradients_take_the_vectors_for_constants():
    pair = F.spectral_normalization(F.dense(5, use_bias=False))
    params, state = pair.init(KEY, X.shape)
    kernel = np.asarray(params["layer"]["kernel"], np.float64)
    size, u = power_method(kernel, state["vector_u"], 1)
    v = unit(np.asarray(state["vector_u"], np.float64) @ kernel.T)

    def objective(params):
        return pair.apply(params, state, jnp.asarray(X), training=True)[0].sum()

    gradient = jax.grad(objective)(params)
    outer = X.sum(0)[:, None] * np.ones((1, 5))
    expected = outer / size - (outer * kernel).sum() / size**2 * (v.T @ u)
    np.testing.assert_allclose(gradient["layer"]["kernel"], expected, rtol=1e-4, atol=1e-5)


def test_inference_uses_the_kernel_and_leaves_the_state():
    pair, dense = F.spectral_normalization(F.dense(5)), F.dense(5)
    params, state = pair.init(KEY, X.shape)
    y, after = pair.apply(params, state, jnp.asarray(X))
    np.testing.assert_array_equal(y, dense.apply(params["layer"], {}, jnp.asarray(X))[0])
    np.testing.assert_array_equal(after["vector_u"], state["vector_u"])


def test_a_kernel_of_zeros_stays_and_is_finite():
    pair = F.spectral_normalization(F.dense(5, kernel_initializer="zeros"))
    params, state = pair.init(KEY, X.shape)
    y, after = pair.apply(params, state, jnp.asarray(X), training=True)
    assert (y == 0).all()
    np.testing.assert_array_equal(after["vector_u"], state["vector_u"])


def test_embeddings_are_normalised_too():
    pair = F.spectral_normalization(F.embedding(6, 3), 100)
    x = jnp.arange(6)[None]
    y, _ = pair.apply(*pair.init(KEY, x.shape), x, training=True)
    np.testing.assert_allclose(np.linalg.norm(y[0], 2), 1, rtol=1e-4)


def test_the_class_wraps_a_layer_and_knows_its_penalties():
    layer = SpectralNormalization(Conv2D(2, 3, kernel_regularizer="l2"), power_iterations=2)
    layer.build((None, 8, 8, 1))
    assert list(layer.weight_regularizers) == ["layer/kernel"]
    assert [v.name.partition("/")[2] for v in layer.non_trainable_weights] == ["vector_u"]


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="power_iterations must be a positive integer, got 0"):
        F.spectral_normalization(F.dense(2), 0)
    for inner, shape in ((F.flatten(), (2, 3)), (F.lstm(2), (2, 4, 3))):  # as Keras 3 refuses
        with pytest.raises(ValueError, match="must have one kernel, or embeddings"):
            F.spectral_normalization(inner).init(KEY, shape)


@pytest.mark.parametrize(
    ("inner", "shape", "sizes", "y"),
    [
        (lambda: Dense(4), (2, 3), [(3, 4), (1, 4), (4,)], [1.3343382, 0.83536637, 1.3997252]),
        (
            lambda: DepthwiseConv2D(2, depth_multiplier=2),
            *((2, 5, 5, 3), [(2, 2, 3, 2), (1, 2), (6,)], [1.1767678, 1.1064932, 1.3804607]),
        ),
    ],
)
def test_called_on_arrays_in_training_it_keeps_the_kernel_of_norm_one(inner, shape, sizes, y):
    # Keras 3.15, with the same weights: shapes of get_weights, output, weights after.
    with config.using_dialect("modern"):
        layer = SpectralNormalization(inner())
        layer.build(shape)
    assert [w.shape for w in layer.get_weights()] == sizes
    layer.set_weights([np.random.RandomState(i).rand(*size) for i, size in enumerate(sizes)])
    vector, kernel = layer.normalized_weights()
    got = layer(np.ones(shape, "float32"), training=True)
    np.testing.assert_allclose(np.ravel(got)[:3], y, rtol=1e-5)
    after = layer.get_weights()
    np.testing.assert_array_equal(after[0], kernel)
    np.testing.assert_array_equal(after[1], vector)
    np.testing.assert_allclose(np.linalg.norm(after[1]), 1, rtol=1e-6)
    np.testing.assert_allclose(layer(np.ones(shape, "float32")), got, rtol=1e-6)
