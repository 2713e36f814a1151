"""Low precision, loss scaling, accumulated gradients and recomputed activations."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import config, layers, optimizers
from funkeras.layers import Activation, BatchNormalization, Dense, Dropout
from funkeras.models import Sequential

RNG = np.random.default_rng(0)
X = RNG.standard_normal((24, 3)).astype("float32")
Y = (X @ RNG.standard_normal((3, 2))).astype("float32")


@pytest.fixture(autouse=True)
def no_policy() -> Iterator[None]:
    yield
    config.set_dtype_policy(None)


def build(**compiled: Any) -> Sequential:
    np.random.seed(4)
    model = Sequential(
        [Dense(8, input_dim=3, activation="tanh"), Dense(2), Activation("linear", dtype="float32")]
    )
    model.compile(**{"optimizer": "adam", "loss": "mse", **compiled})
    return model


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_policies_compute_low_and_keep_single_weights(policy: str) -> None:
    config.set_dtype_policy(policy)
    model = build()
    model.optimizer.learning_rate = 0.01
    assert model.layers[0].dtype_policy == policy
    assert {str(w.dtype) for w in model.weights} == {"float32"}
    low = policy.removeprefix("mixed_")
    layer = model.layers[0]
    y, _ = layer.functional.apply(layer.params, layer.state, jnp.asarray(X))
    kernel, bias = (jnp.asarray(w, low) for w in layer.get_weights())
    np.testing.assert_array_equal(y, jnp.tanh(jnp.asarray(X, low) @ kernel + bias))
    assert y.dtype == low
    history = model.fit(X, Y, batch_size=8, epochs=60, verbose=0).history["loss"]
    assert history[-1] < 0.2 * history[0]
    assert model.predict(X).dtype == "float32"
    assert {str(w.dtype) for w in model.weights} == {"float32"}
    scaled = isinstance(model.optimizer, optimizers.LossScaleOptimizer)
    assert scaled == (policy == "mixed_float16")


def test_the_policy_is_the_layer_s_own_and_part_of_its_config() -> None:
    config.set_dtype_policy("mixed_bfloat16")
    layer = Dense(2, input_dim=3)
    config.set_dtype_policy(None)
    assert Dense.from_config(layer.get_config()).dtype_policy == "mixed_bfloat16"
    assert Dense(2).dtype_policy == "float32"
    with pytest.raises(ValueError, match="dtype_policy must be one of"):
        config.set_dtype_policy("mixed_float8")


def scaled_step(optimizer: Any, state: Any, gradient: Any) -> tuple[float, Any]:
    params = {"w": jnp.ones(2)}
    scale = state.scalars["dynamic_scale"]
    changes, state = optimizer.functional.update({"w": gradient * scale}, state, params)
    return float(changes["w"][0]), state


def test_the_scale_doubles_after_good_steps_and_halves_at_an_overflow() -> None:
    optimizer = optimizers.LossScaleOptimizer(
        optimizers.SGD(0.5), initial_scale=8.0, dynamic_growth_steps=2
    )
    state = optimizer.functional.init({"w": jnp.ones(2)})
    good, bad = jnp.ones(2), jnp.asarray([1.0, np.inf])
    seen = []
    for gradient in (good, good, good, bad, good, bad, bad, bad, bad, bad):
        change, state = scaled_step(optimizer, state, gradient)
        seen.append((change, float(state.scalars["dynamic_scale"]), int(state.iterations)))
    assert seen == [
        (-0.5, 8.0, 1),
        (-0.5, 16.0, 2),
        (-0.5, 16.0, 3),
        (0.0, 8.0, 3),
        (-0.5, 8.0, 4),
        (0.0, 4.0, 4),
        (0.0, 2.0, 4),
        (0.0, 1.0, 4),
        (0.0, 1.0, 4),
        (0.0, 1.0, 4),
    ]


def test_small_gradients_survive_in_float16_by_the_scale() -> None:
    """A gradient of 1e-9 is zero in float16; scaled by 2¹⁵ it is not."""

    def moved(auto: bool) -> float:
        config.set_dtype_policy("mixed_float16")
        model = Sequential([Dense(1, input_dim=1, use_bias=False, kernel_initializer="zeros")])
        model.compile(optimizers.SGD(1e6), lambda y, p: 1e-9 * p, auto_scale_loss=auto)
        model.fit(np.ones((4, 1)), np.zeros((4, 1)), batch_size=4, epochs=1, verbose=0)
        return float(model.get_weights()[0][0, 0])

    assert moved(False) == 0
    assert moved(True) == pytest.approx(-1e-3, rel=1e-2)


def test_an_overflow_leaves_the_weights_alone_and_training_goes_on() -> None:
    config.set_dtype_policy("mixed_float16")
    model = build(optimizer="sgd")
    before = model.get_weights()
    y = Y.copy()
    y[0] = 60000  # its gradient, times the scale, is beyond float16
    model.fit(X, y, batch_size=24, epochs=1, verbose=0)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert int(model.optimizer.iterations) == 0
    model.fit(X, Y, batch_size=24, epochs=1, verbose=0)
    assert not np.array_equal(before[0], model.get_weights()[0])
    assert all(np.isfinite(w).all() for w in model.get_weights())


def test_the_scaling_optimizer_is_its_inner_one_to_users() -> None:
    optimizer = optimizers.LossScaleOptimizer(optimizers.Adam(0.25))
    optimizer.learning_rate = 0.5
    assert float(optimizer.inner_optimizer.learning_rate) == float(optimizer.lr) == 0.5
    again = optimizers.deserialize(optimizers.serialize(optimizer))
    assert float(again.learning_rate) == 0.5
    params = {"w": jnp.ones(2)}
    state = optimizer.functional.init(params)
    _, state = scaled_step(optimizer, state, jnp.ones(2))
    arrays = [array for _, array in optimizer.state_arrays(state)]
    loaded = again.load_state_arrays(again.functional.init(params), arrays)
    for a, b in zip(jax.tree.leaves(state), jax.tree.leaves(loaded), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(TypeError, match="another optimizer"):
        optimizers.LossScaleOptimizer(optimizer)
    with pytest.raises(TypeError, match="give clipnorm to the inner optimizer"):
        optimizers.LossScaleOptimizer("sgd", clipnorm=1.0)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_floatx_is_the_type_of_everything(dtype: str) -> None:
    config.set_floatx(dtype)
    np.random.seed(4)
    model = Sequential([Dense(8, input_dim=3, activation="tanh"), Dense(2)])
    model.compile(optimizers.SGD(0.05), "mse")
    assert {str(w.dtype) for w in model.weights} == {dtype}
    history = model.fit(X, Y, batch_size=8, epochs=20, verbose=0).history["loss"]
    assert history[-1] < 0.5 * history[0]
    assert {str(w.dtype) for w in model.weights} == {dtype}


def test_accumulated_gradients_make_one_step_of_a_large_batch() -> None:
    def run(size: int, **options: Any) -> Sequential:
        model = build(optimizer=optimizers.SGD(0.1, **options))
        model.fit(X, Y, batch_size=size, epochs=2, shuffle=False, verbose=0)
        return model

    small, large = run(6, gradient_accumulation_steps=4), run(24)
    for a, b in zip(small.get_weights(), large.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    assert not np.array_equal(small.get_weights()[0], build().get_weights()[0])


@pytest.mark.parametrize(
    ("option", "norm"), [({"clipvalue": 1e-3}, None), ({"global_clipnorm": 1e-3}, 1e-3)]
)
def test_clipped_gradients_make_small_steps(option: dict[str, float], norm: float | None) -> None:
    with config.using_dialect("modern"):
        model = build(optimizer=optimizers.SGD(1.0, **option))
    before = model.get_weights()
    model.fit(X, Y, batch_size=24, epochs=1, verbose=0)
    moves = np.concatenate(
        [(a - b).ravel() for a, b in zip(model.get_weights(), before, strict=True)]
    )
    if norm is None:
        assert np.abs(moves).max() == pytest.approx(1e-3, rel=1e-3)
    else:
        assert np.linalg.norm(moves) == pytest.approx(norm, rel=1e-3)


def test_recomputed_activations_give_the_same_numbers() -> None:
    def run(again: bool) -> Sequential:
        np.random.seed(4)
        model = Sequential(
            [
                Dense(8, input_dim=3, activation="tanh", remat=again),
                BatchNormalization(),
                Dropout(0.5, remat=again),
                Dense(2, remat=again),
            ]
        )
        model.compile("adam", "mse")
        model.fit(X, Y, batch_size=8, epochs=2, verbose=0)
        return model

    kept, recomputed = run(False), run(True)
    for a, b in zip(kept.get_weights(), recomputed.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)

    def program(model: Sequential) -> str:
        def loss(params: Any) -> Any:
            y, _ = model.functional.apply(
                params, model.state, jnp.asarray(X), training=True, key=jax.random.key(0)
            )
            return y.sum()

        return str(jax.make_jaxpr(jax.grad(loss))(model.params))

    assert "remat" not in program(kept)
    assert program(recomputed).count("remat") >= 2


def rows(*shape: int, low: float, high: float) -> np.ndarray:
    return np.random.default_rng(1).uniform(low, high, shape)


def attended(q: np.ndarray, v: np.ndarray) -> np.ndarray:
    scores = q @ v.swapaxes(1, 2)
    shares = np.exp(scores - scores.max(-1, keepdims=True))
    return shares / shares.sum(-1, keepdims=True) @ v


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return ((a * b).sum(1) / lengths)[:, None]


def standardized(x: np.ndarray) -> np.ndarray:
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-3)


PICTURES, TABLE = rows(2, 40, 40, 4, low=200, high=300), rows(4, 512, low=200, high=300)
SEQUENCES = rows(2, 12, 16, low=0, high=10)
DELICATE: list[tuple[Any, list[np.ndarray], Any]] = [
    (layers.GlobalAveragePooling2D, [PICTURES], lambda x: x.mean((1, 2))),
    (partial(layers.AveragePooling2D, 40), [PICTURES], lambda x: x.mean((1, 2), keepdims=True)),
    (layers.LayerNormalization, [TABLE], standardized),
    (layers.UnitNormalization, [TABLE], lambda x: x / np.linalg.norm(x, axis=1, keepdims=True)),
    (partial(layers.Dot, 1, normalize=True), [TABLE, TABLE[::-1]], cosines),
    (layers.Attention, [SEQUENCES, SEQUENCES[:, ::-1]], attended),
    (
        partial(layers.DepthwiseConv2D, 9, depthwise_initializer="ones"),
        [PICTURES[:, :9, :9] / 1000],
        lambda x: x.sum((1, 2), keepdims=True),
    ),
]
"""Layers whose sums or exponentials would overflow or vanish in half precision; NumPy's formula."""


@pytest.mark.parametrize(
    "case", DELICATE, ids=lambda case: getattr(case[0], "func", case[0]).__name__
)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_sums_and_softmax_are_in_single_precision(case: Any, dtype: str) -> None:
    make, inputs, formula = case
    given = [jnp.asarray(x, dtype) for x in inputs]
    config.set_dtype_policy(f"mixed_{dtype}")
    y = make()(given[0] if len(given) == 1 else given)
    assert y.dtype == dtype
    expected = formula(*(np.asarray(x, "float64") for x in given))
    largest = np.abs(expected).max()
    np.testing.assert_allclose(
        np.asarray(y, "float64"), expected, rtol=0, atol=3 * float(jnp.finfo(dtype).eps) * largest
    )


def test_with_a_default_float_of_64_bits_a_model_computes_with_them() -> None:
    config.set_floatx("float64")
    x, y = np.random.default_rng(0).normal(size=(2, 6, 3))
    model = Sequential([Dense(3, input_dim=3)])
    kernel, bias = model.get_weights()
    model.compile("sgd", "mse")
    model.fit(x, y, batch_size=6, epochs=1, verbose=0)
    slope = 2 * (x @ kernel + bias - y) / y.size
    expected = [kernel - 0.01 * x.T @ slope, bias - 0.01 * slope.sum(0)]
    for found, own in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_allclose(found, own, rtol=0, atol=1e-15)
    np.testing.assert_allclose(model.predict(x), x @ expected[0] + expected[1], rtol=0, atol=1e-14)
