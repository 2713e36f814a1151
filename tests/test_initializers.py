import functools
import json
import pickle
from math import prod
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import config, initializers
from funkeras.initializers import KeySource, NumpySource, rules

GOLDEN = Path(__file__).parent / "golden"
CASES = json.loads((GOLDEN / "initializers.json").read_text())
ARRAYS = np.load(GOLDEN / "initializers.npz")
SEEDED = [case for case in CASES if case["variant"] == "seeded"]
STATISTICS = [case for case in CASES if case["variant"] == "statistics"]
DIALECTS = {"keras-1.2.2": "classic", "keras-2.2.4": "keras2"}
NAMES = [
    name for name in dict(initializers.registry.items()) if name != "STFT"
]  # it needs three axes
FIXED = ("Zeros", "Ones", "Constant", "Identity")


def made(case):
    with config.using_dialect(DIALECTS.get(case["generation"], "modern")):
        return initializers.get(case["class"])


@pytest.mark.parametrize("case", SEEDED, ids=lambda case: case["id"])
def test_draws_after_a_seed_are_those_of_keras_1_on_theano(case):
    initializer = made(case)
    np.random.seed(1337)
    got = initializer(dtype="float64", **case["kwargs"])
    np.testing.assert_allclose(got, ARRAYS[case["arrays"]["value"]], rtol=1e-12)


@pytest.mark.parametrize("source", ["numpy", "key"])
@pytest.mark.parametrize("case", STATISTICS, ids=lambda case: case["id"])
def test_distribution_is_that_of_genuine_keras(case, source):
    initializer = made(case)
    np.random.seed(7)
    key = jax.random.key(7) if source == "key" else None
    draw = np.asarray(initializer(key=key, **case["kwargs"]), np.float64)
    mean, std, low, high = ARRAYS[case["arrays"]["value"]]
    size = prod(case["kwargs"]["shape"])
    # Both sides are random: four standard errors of the difference of two independent draws.
    # Theano's truncated normals are 1 % too wide; `spread` is how far two genuine backends differ.
    spread = case["spread"] + 1e-7
    assert abs(draw.mean() - mean) <= 4 * std * np.sqrt(2 / size) + spread
    assert abs(draw.std() - std) <= 4 * std / np.sqrt(size) + spread
    # Extremes are sharp where the density ends in a step, and vary by about std in Gaussian tails.
    bounded = max(abs(low), abs(high)) < 2 * std
    slack = 32 * std / size if bounded else 1.5 * std
    assert abs(draw.min() - low) <= slack + spread
    assert abs(draw.max() - high) <= slack + spread


@pytest.mark.parametrize("name", NAMES)
def test_every_initializer_draws_alike_from_both_sources(name):
    initializer = initializers.get(name)
    shape = (3, 6)
    drawn = initializers.draw(initializer, NumpySource(), shape, "float32")
    assert type(drawn) is np.ndarray
    assert (drawn.shape, drawn.dtype) == (shape, np.float32)

    @jax.jit
    def from_key(key):
        return initializers.draw(initializer, KeySource(key), shape, "bfloat16")

    traced = from_key(jax.random.key(0))
    assert isinstance(traced, jax.Array)
    assert (traced.shape, traced.dtype) == (shape, jnp.bfloat16)


@pytest.mark.parametrize("name", NAMES)
def test_every_initializer_comes_back_from_its_config_and_from_a_pickle(name):
    initializer = initializers.get(name)
    config = json.loads(json.dumps(initializers.serialize(initializer)))
    for again in (
        initializers.deserialize(config),
        pickle.loads(pickle.dumps(initializer)),
    ):
        assert type(again) is type(initializer)
        assert again.get_config() == initializer.get_config()
        key = jax.random.key(3)
        np.testing.assert_array_equal(again((2, 4), key=key), initializer((2, 4), key=key))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in FIXED])
def test_a_seed_repeats_the_draw_and_spares_the_global_generator(name):
    initializer = initializers.registry.find(name)(seed=5)
    np.random.seed(1)
    first = initializer((3, 4))
    rest = np.random.uniform()
    np.testing.assert_array_equal(first, initializer((3, 4)))
    np.random.seed(1)
    assert rest == np.random.uniform()
    keys = jax.random.key(0), jax.random.key(1)
    np.testing.assert_array_equal(*(initializer((3, 4), key=key) for key in keys))


def test_seeded_orthogonal_is_that_of_keras_2():
    with config.using_dialect("keras2"):
        got = initializers.Orthogonal(seed=3)((2, 3, 4), dtype="float64")
    u, _, _ = np.linalg.svd(np.random.RandomState(3).normal(0, 1, (6, 4)), full_matrices=False)
    np.testing.assert_allclose(got, u.reshape(2, 3, 4), rtol=1e-12)


@pytest.mark.parametrize("dialect", config.DIALECTS)
@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (2, 3, 4), (3, 3, 2, 30)])
@pytest.mark.parametrize("key", [None, 0])
def test_orthogonal_has_orthonormal_rows_or_columns(dialect, shape, key):
    with config.using_dialect(dialect):
        initializer = initializers.Orthogonal(gain=2.0)
    values = initializer(shape, key=None if key is None else jax.random.key(key))
    split = 1 if dialect == "classic" else -1
    matrix = np.asarray(values, np.float64).reshape(prod(shape[:split]), -1)
    gram = matrix @ matrix.T if len(matrix) < matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(gram, 4 * np.eye(len(gram)), atol=1e-5)


@pytest.mark.parametrize("source", [NumpySource(), KeySource(jax.random.key(0))])
def test_truncated_draws_stay_within_two_standard_deviations(source):
    values = np.asarray(source.truncated_normal((20000,), 1.0, 0.5))
    assert np.abs(values - 1).max() <= 1
    assert np.abs(values - 1).max() > 0.99
    np.testing.assert_allclose(values.std(), 0.5 * rules.TRUNCATED_STDDEV, rtol=0.02)
    assert source.truncated_normal(()).shape == ()


def test_two_draws_from_one_key_source_differ():
    source = KeySource(jax.random.key(0))
    assert (source.uniform((3,)) != source.uniform((3,))).all()


def test_variance_scaling_takes_its_axes():
    initializer = initializers.VarianceScaling(
        3.0, "fan_out", "uniform", input_axes=[1], output_axes=[0, 2]
    )
    limit = np.sqrt(3 * 3.0 / (40 * 50))
    values = initializer((40, 3, 50))
    assert limit * 0.99 < np.abs(values).max() <= limit


def test_fans_of_a_kernel_depend_on_where_its_channels_are():
    assert initializers.get_fans((32, 3, 5, 5)) == (75, 800)
    assert initializers.get_fans((5, 5, 3, 32), "tf") == (75, 800)
    assert initializers.get_fans((6, 3, 2), "tf") == (6, 6)  # as of no kernel that it knows
    config.set_dialect("keras2")
    assert initializers.get_fans((7, 3, 32), "tf") == (21, 224)
    assert initializers.get_fans((3, 32)) == (3, 32)
    with config.using_dialect("modern"):
        assert initializers.get_fans((9,)) == (9, 9)
        assert initializers.get_fans((2, 2, 2, 3, 4), "tf") == (24, 32)
    with config.using_dialect("classic"):
        assert initializers.get_fans((9,)) == (3, 3)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="mode must be one of fan_in, fan_out, fan_avg; got 'in'"):
        initializers.VarianceScaling(mode="in")
    with pytest.raises(ValueError, match="distribution must be one of uniform"):
        initializers.VarianceScaling(distribution="cauchy")
    with pytest.raises(ValueError, match="scale must be positive; got 0"):
        initializers.VarianceScaling(scale=0)
    with pytest.raises(ValueError, match="go together"):
        initializers.VarianceScaling(input_axes=0)
    with pytest.raises(ValueError, match="dim_ordering must be 'tf' or 'th'; got 'cn'"):
        initializers.get("he_normal")((2, 3), dim_ordering="cn")
    with pytest.raises(ValueError, match="Orthogonal needs a shape of at least 2 axes"):
        initializers.Orthogonal()((3,))
    with pytest.raises(ValueError, match="Identity needs a shape of 2 axes"):
        initializers.Identity()((3,))
    with pytest.raises(TypeError, match="GlorotUniform takes no scale"):
        initializers.get("glorot_uniform")((2, 3), scale=2)
    with pytest.raises(TypeError, match="got None"):
        initializers.draw(None, NumpySource(), (2,))


def test_constant_repeats_an_array():
    table = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(initializers.Constant(table)((2, 3)), table)
    np.testing.assert_array_equal(initializers.Constant(table[0])((2, 3)), [table[0]] * 2)


def test_dtype_is_floatx_unless_given():
    assert initializers.Zeros()((2,)).dtype == config.floatx()
    assert initializers.Zeros()((2,), "float16").dtype == np.float16
    assert initializers.Zeros()((2,), dtype="bfloat16").dtype == jnp.bfloat16


def test_an_initializer_keeps_the_dialect_that_it_was_made_in():
    with config.using_dialect("modern"):
        initializer = initializers.get("he_normal")
    with config.using_dialect("classic"):
        bound = 2 * np.sqrt(2 / 100) / rules.TRUNCATED_STDDEV
        assert np.abs(initializer((100, 300))).max() <= bound
        assert np.abs(initializers.get("he_normal")((100, 300))).max() > bound


KERAS_1_CALLS = {
    "uniform": (lambda: initializers.uniform((3, 4), 0.5, "w"), 0.5 / np.sqrt(3)),
    "normal": (lambda: initializers.normal((3, 4), scale=0.5, name="w"), 0.5),
    "got": (lambda: initializers.get("normal")((3, 4), scale=0.5, name="w"), 0.5),
    "option": (lambda: initializers.get("normal", scale=0.5)((3, 4), name="w"), 0.5),
    "glorot": (lambda: initializers.glorot_uniform([3, 4], name="w"), np.sqrt(2 / 7)),
    "kernel": (
        lambda: initializers.get("he_normal", dim_ordering="th")((1, 2, 6, 1)),
        np.sqrt(2 / 12),
    ),
}


@pytest.mark.parametrize("name", KERAS_1_CALLS)
def test_keras_1_calls_give_values_at_once(name):
    call, std = KERAS_1_CALLS[name]
    with config.using_dialect("classic"):
        values = np.stack([call() for _ in range(2000)])
    assert values.shape[1:] in ((3, 4), (1, 2, 6, 1))
    np.testing.assert_allclose(values.std(), std, rtol=0.03)


class Tens(initializers.Initializer):
    def __call__(self, shape, dtype=None):
        return np.full(shape, 10, dtype)


class Doubled(initializers.RandomUniform):
    def __call__(self, shape, dtype=None):
        return 2 * super().__call__(shape, dtype)


USERS = {
    "subclass": Tens(),
    "class": Tens,
    "shape": lambda shape: np.full(shape, 10),
    "name": lambda shape, name=None: np.full(shape, 10),
    "needed name": lambda shape, name: np.full(shape, 10),
    "dtype": lambda shape, dtype: np.full(shape, 10, dtype),
    "options": lambda shape, **options: np.full(shape, 10),
    "partial": functools.partial(np.full, fill_value=10),
    "jax": lambda shape: jnp.full(shape, 10),
}


@pytest.mark.parametrize("name", USERS)
@pytest.mark.parametrize("source", [NumpySource(), KeySource(jax.random.key(0))])
def test_initializers_of_users_are_called_in_the_way_they_were_written_for(name, source):
    values = initializers.draw(USERS[name], source, (2, 3), "float32")
    assert isinstance(values, np.ndarray if source.xp is np else jax.Array)
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values, np.full((2, 3), 10))


def test_a_subclass_of_a_library_initializer_is_called():
    np.random.seed(0)
    values = initializers.draw(Doubled(0.25, 0.5), NumpySource(), (50,), "float32")
    assert values.min() >= 0.5
    assert 0.9 < values.max() <= 1


def test_values_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"must give an array of shape \(2, 3\); got \(3, 2\)"):
        initializers.draw(lambda shape: np.zeros((3, 2)), NumpySource(), (2, 3))


def test_identity_is_repeated_along_the_longer_axis_before_keras_3():
    wide = np.asarray(initializers.Identity(2.0)((2, 4)))
    np.testing.assert_array_equal(wide, 2 * np.tile(np.eye(2), (1, 2)))
    with pytest.raises(ValueError, match="multiple"):
        initializers.Identity()((3, 4))
    with config.using_dialect("modern"):
        np.testing.assert_array_equal(initializers.Identity()((2, 3)), np.eye(2, 3))


@pytest.mark.parametrize(
    ("arguments", "kernel"),
    [
        (
            (),
            [
                *([0, 0, 0], [0.408248, 0, -0.408248], [0.816497, -0.816497, 0.816497]),
                *([0.408248, 0, -0.408248], [0, 0, 0]),
            ],
        ),
        (
            ("imag", "hamming", "spectrum", True),
            [[0, 0, 0], [0, -0.147353, 0], [0, 0, 0], [0, 0.337833, 0], [0, 0, 0]],
        ),
        (("real", None), [[1, 1, 1], [1, 0, -1], [1, -1, 1], [1, 0, -1], [1, 1, 1]]),
        (
            ("imag", [1.0, 2.0, 3.0, 4.0, 5.0], None),
            [[0, 0, 0], [0, -2, 0], [0, 0, 0], [0, 4, 0], [0, 0, 0]],
        ),
    ],
)
def test_stft_gives_the_kernels_of_keras_3(arguments, kernel):
    initializer = initializers.STFT(*arguments)  # expected: Keras 3.15
    for source in (NumpySource(), KeySource(jax.random.key(0))):
        drawn = initializers.draw(initializer, source, (5, 1, 3), "float32")
        np.testing.assert_allclose(drawn[:, 0], kernel, atol=3e-6)
    config = json.loads(json.dumps(initializers.serialize(initializer)))
    again = initializers.deserialize(config)
    np.testing.assert_array_equal(again((5, 1, 3)), initializer((5, 1, 3)))


@pytest.mark.parametrize("given", [{"side": "left"}, {"scaling": "power"}, {"window": "no"}])
def test_stft_refuses_what_it_does_not_know(given):
    with pytest.raises(ValueError, match=f"{next(iter(given))} must be"):
        initializers.STFT(**given)
