import math

import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import functional as F


@pytest.mark.parametrize("count", [1, 3, 5, 7, 9])
@pytest.mark.parametrize(
    ("make", "reduce"),
    [(F.adaptive_average_pooling1d, np.mean), (F.adaptive_max_pooling1d, np.max)],
)
def test_windows_cover_all_steps(make, reduce, count):
    x = np.random.default_rng(0).standard_normal((2, 7, 3)).astype("float32")
    ends = [(i * 7 // count, math.ceil((i + 1) * 7 / count)) for i in range(count)]
    expected = np.stack([reduce(x[:, first:end], axis=1) for first, end in ends], 1)
    y, _ = make(count).apply({}, {}, jnp.asarray(x))
    np.testing.assert_allclose(y, expected, atol=1e-6)


def test_wrong_arguments_and_inputs_are_refused():
    with pytest.raises(ValueError, match="output_size must be 2 integers of at least 1, got 0"):
        F.adaptive_max_pooling2d(0)
    with pytest.raises(ValueError, match="expected an input of rank 4"):
        F.output_shape(F.adaptive_max_pooling2d(2), (None, 4, 4))
