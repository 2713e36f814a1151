import jax
import jax.numpy as jnp
import numpy as np
import pytest
from golden_layers import cases, check

from funkeras import config
from funkeras import functional as F

KEY = jax.random.key(3)
CLASSES = ("ActivityRegularization", "Highway", "Lambda", "Masking", "MaxoutDense")


@pytest.mark.parametrize("case", cases(*CLASSES), ids=lambda case: case["id"])
def test_layer_equals_genuine_keras(case):
    check(case)


@pytest.mark.parametrize(("dialect", "share"), [("classic", 1), ("keras2", 1), ("modern", 2)])
def test_activity_regularization_adds_its_penalty_to_the_loss(dialect, share):
    with config.using_dialect(dialect):
        pair = F.activity_regularization(l1=0.1, l2=0.2)
    x = jnp.asarray([[1.0, -2.0], [3.0, 0.5]])
    params, state = pair.init(KEY, x.shape)
    y, state = pair.apply(params, state, x)
    np.testing.assert_array_equal(y, x)
    expected = (0.1 * np.abs(x).sum() + 0.2 * np.square(x).sum()) / share
    np.testing.assert_allclose(F.penalty(state), expected, rtol=1e-6)


def test_lambda_gets_the_mask_the_phase_and_a_key_if_it_asks():
    def function(x, mask, training, key, bias=0):
        noise = jax.random.normal(key, x.shape) if training else 0
        return jnp.where(mask[:, None], x, 0) + bias + noise

    pair = F.lambda_(function, arguments={"bias": 2.0})
    x, mask = jnp.ones((2, 3)), jnp.asarray([True, False])
    y, _ = pair.apply({}, {}, x, mask=mask)
    np.testing.assert_array_equal(y, [[3.0] * 3, [2.0] * 3])
    noisy, _ = pair.apply({}, {}, x, mask=mask, training=True, key=KEY)
    assert (noisy != y).all()


def test_lambda_passes_on_the_mask_it_was_given_and_no_other():
    x, present = jnp.ones((2, 3)), jnp.asarray([True, False])
    assert F.lambda_(jnp.abs).mask(x, present) is None
    flipped = F.lambda_(jnp.abs, mask=lambda x, mask: ~mask).mask(x, present)
    np.testing.assert_array_equal(flipped, [False, True])


def test_a_new_highway_layer_mostly_passes_its_input():
    params, _ = F.highway().init(KEY, (None, 3))
    np.testing.assert_array_equal(params["bias_carry"], np.ones(3))
    np.testing.assert_array_equal(params["bias"], np.zeros(3))


def test_lambda_wants_a_function():
    with pytest.raises(TypeError, match="function must be callable, got str"):
        F.lambda_("relu")  # pyright: ignore[reportArgumentType]
