import jax
import jax.numpy as jnp
import numpy as np
import pytest
from golden_layers import arrays, build, cases, check

from funkeras import config
from funkeras import functional as F
from funkeras.functional.noise import kept

KEY = jax.random.key(3)
CLASSES = (
    "Dropout",
    "GaussianDropout",
    "GaussianNoise",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
)


@pytest.mark.parametrize("case", cases(*CLASSES), ids=lambda case: case["id"])
def test_layer_equals_genuine_keras(case):
    check(case)


def run(pair, x, key=KEY):
    return np.asarray(jax.jit(lambda x: pair.apply({}, {}, x, training=True, key=key)[0])(x))


def factors(x, y):
    """Rounded values of y / x, and the axes along which they are the same."""
    ratio = np.round(np.divide(y, x, out=np.ones(x.shape), where=x != 0), 4)
    shared = [
        axis
        for axis in range(x.ndim)
        if np.isclose(ratio, np.take(ratio, [0], axis), atol=2e-4).all()
    ]
    return set(np.unique(ratio)), shared


DROPOUTS = [
    case
    for case in cases("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D")
    if "train_output_sample" in case["arrays"]
]


@pytest.mark.parametrize("case", DROPOUTS, ids=lambda case: case["id"])
def test_dropout_has_the_structure_of_a_genuine_draw(case):
    stored = arrays(case)
    x = stored["input"][0]
    genuine = factors(x, stored["train_output_sample"][0])
    assert factors(x, run(build(case), x)) == genuine


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_dropout_keeps_the_mean(rate):
    x = jnp.ones((400, 500))
    y = run(F.dropout(rate), x)
    assert abs(y.mean() - 1) < 0.01
    assert abs((y == 0).mean() - rate) < 0.01


@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_gaussian_dropout_has_the_variance_of_dropout(rate):
    y = run(F.gaussian_dropout(rate), jnp.full((400, 500), 2.0)) / 2
    assert abs(y.mean() - 1) < 0.01
    assert abs(y.var() - rate / (1 - rate)) < 0.02


def test_gaussian_noise_has_mean_zero_and_its_standard_deviation():
    y = run(F.gaussian_noise(0.3), jnp.full((400, 500), 5.0)) - 5
    assert abs(y.mean()) < 0.005
    assert abs(y.std() - 0.3) < 0.005


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_alpha_dropout_keeps_mean_and_variance(rate):
    y = run(F.alpha_dropout(rate), jax.random.normal(jax.random.key(1), (400, 500)))
    assert abs(y.mean()) < 0.02
    assert abs(y.var() - 1) < 0.03


def test_alpha_dropout_puts_the_floor_of_selu_for_what_is_dropped():
    rate, floor = 0.4, -1.7580993408473766
    scale = ((1 - rate) * (1 + rate * floor**2)) ** -0.5
    y = run(F.alpha_dropout(rate, noise_shape=(None, 1)), jnp.ones((50, 4)))
    kept, dropped = scale * (1 - floor * rate), scale * floor * (1 - rate)
    assert (y == y[:, :1]).all()
    np.testing.assert_allclose(np.unique(y.round(5)), [dropped, kept], atol=1e-5)


@pytest.mark.parametrize(
    "pair",
    [F.gaussian_noise(0.3), F.gaussian_dropout(0.4), F.alpha_dropout(0.4), F.dropout(0.4)],
    ids=lambda pair: pair.name,
)
def test_noise_is_nothing_at_inference_and_follows_the_key_in_training(pair):
    x = jnp.arange(1.0, 13).reshape(3, 4)
    np.testing.assert_array_equal(pair.apply({}, {}, x)[0], x)
    np.testing.assert_array_equal(run(pair, x), run(pair, x))
    assert (run(pair, x) != run(pair, x, jax.random.key(4))).any()
    with pytest.raises(ValueError, match="needs a key"):
        pair.apply({}, {}, x, training=True)


@pytest.mark.parametrize("pair", [F.dropout, F.spatial_dropout1d, F.alpha_dropout])
def test_at_a_rate_of_one_everything_is_dropped_in_keras_3_and_nothing_before(pair):
    x = jnp.arange(1.0, 13.0).reshape(2, 3, 2)
    for dialect in ("classic", "keras2"):  # `if 0 < rate < 1`, says Keras 1.2.2 and 2.2.4
        with config.using_dialect(dialect):
            np.testing.assert_array_equal(run(pair(1.0), x), x)
    with config.using_dialect("modern"):
        if pair is F.alpha_dropout:
            with pytest.raises(ValueError, match="rate must be below 1 in training"):
                run(pair(1.0), x)  # Keras 3.15: ZeroDivisionError
        else:
            np.testing.assert_array_equal(run(pair(1.0), x), np.zeros((2, 3, 2)))
        np.testing.assert_array_equal(pair(1.0).apply({}, {}, x)[0], x)


def test_attention_may_drop_all_its_weights():
    with config.using_dialect("modern"):
        pair = F.attention(dropout=1.0)
    y, _ = pair.apply({}, {}, (jnp.ones((1, 2, 3)),) * 2, training=True, key=KEY)
    np.testing.assert_array_equal(y, np.zeros((1, 2, 3)))


def test_spatial_dropout_drops_channels_where_the_data_format_has_them():
    x = jnp.ones((20, 3, 4, 5))
    last = run(F.spatial_dropout2d(0.5, "channels_last"), x)
    first = run(F.spatial_dropout2d(0.5, "channels_first"), x)
    assert factors(np.asarray(x), last)[1] == [1, 2]
    assert factors(np.asarray(x), first)[1] == [2, 3]


@pytest.mark.parametrize("training", [True, False])
def test_spatial_dropout_refuses_other_ranks(training):
    # Keras 2 and 3: expected ndim=3, found ndim=2.
    pair = F.spatial_dropout1d(0.5)
    with pytest.raises(ValueError, match="expected an input of rank 3"):
        pair.apply({}, {}, jnp.ones((2, 3)), training=training, key=KEY)


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"rate must be in \[0, 1\], got 1.5"):
        F.spatial_dropout1d(1.5)
    with pytest.raises(ValueError, match="stddev must not be negative, got -1"):
        F.gaussian_noise(-1.0)
    with pytest.raises(ValueError, match="data_format must be one of"):
        F.spatial_dropout3d(0.5, "last")


def test_what_is_kept_is_as_good_as_drawn_from_bernoulli():
    keys = [jax.random.split(jax.random.key(1), 256), jax.vmap(jax.random.key)(jnp.arange(256))]
    for drawn in keys:
        stay = np.asarray(jax.vmap(lambda key: kept(key, 0.3, (32, 32)))(drawn)).reshape(256, -1)
        z = (stay - 0.7) / np.sqrt(0.7 * 0.3)
        # Each is normal with deviation 1 where the draws are independent: 5 is never seen then.
        assert abs(z.mean() * np.sqrt(z.size)) < 5
        for scaled in (z @ z.T / np.sqrt(z.shape[1]), z.T @ z / np.sqrt(z.shape[0])):
            others = scaled[~np.eye(len(scaled), dtype=bool)]
            assert abs(others.std() - 1) < 0.02
            assert abs(others).max() < 6.5


def test_what_is_kept_follows_from_key_and_place_alone():
    key = jax.random.key(7)
    first = kept(key, 0.5, (3, 4))
    np.testing.assert_array_equal(first, jax.jit(lambda k: kept(k, 0.5, (3, 4)))(key))
    np.testing.assert_array_equal(first.reshape(-1), kept(key, 0.5, (12,)))
    assert (np.asarray(first) != np.asarray(kept(jax.random.key(8), 0.5, (3, 4)))).any()


@pytest.mark.parametrize(("rate", "share"), [(0.0, 1.0), (1.0 - 1e-12, 0.0)])
def test_at_the_ends_of_the_rate_all_or_nothing_is_kept(rate, share):
    assert np.mean(kept(KEY, rate, (1000,))) == share
