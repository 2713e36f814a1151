from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import functional as F

KEY = jax.random.key(0)
SIZE, KERNEL, STRIDES, CHANNELS, FILTERS = (5, 4), (3, 2), (2, 1), 2, 3


def connections(padding):
    """Every (output place, kernel place, input place), in row-major order of the first two."""
    if padding == "valid":
        out = [(n - k) // s + 1 for n, k, s in zip(SIZE, KERNEL, STRIDES, strict=True)]
        before = (0, 0)
    else:
        out = [-(-n // s) for n, s in zip(SIZE, STRIDES, strict=True)]
        before = tuple(k // 2 for k in KERNEL)
    for place, offset in product(product(*map(range, out)), product(*map(range, KERNEL))):
        seen = tuple(
            p * s + q - b for p, s, q, b in zip(place, STRIDES, offset, before, strict=True)
        )
        if all(0 <= i < n for i, n in zip(seen, SIZE, strict=True)):
            yield place, offset, seen


@pytest.mark.parametrize("first", [False, True], ids=["last", "first"])
@pytest.mark.parametrize(("how", "padding"), [(1, "valid"), (2, "valid"), (2, "same"), (3, "same")])
def test_outputs_are_sums_over_their_own_connections(how, padding, first):
    pair = F.locally_connected2d(
        FILTERS,
        KERNEL,
        STRIDES,
        padding,
        "channels_first" if first else "channels_last",
        bias_initializer="normal",
        implementation=how,
    )
    x = np.random.default_rng(0).standard_normal((2, *SIZE, CHANNELS)).astype("float32")
    given = np.moveaxis(x, -1, 1) if first else x
    params, state = pair.init(KEY, given.shape)
    y, _ = pair.apply(params, state, jnp.asarray(given))
    y = np.moveaxis(np.asarray(y), 1, -1) if first else np.asarray(y)
    kernel, bias, out = np.asarray(params["kernel"]), np.asarray(params["bias"]), y.shape[1:3]
    if first:
        bias = np.moveaxis(bias.reshape(FILTERS, *out), 0, -1)

    def dense_index(place, seen, channel, unit):
        left = (channel, *seen) if first else (*seen, channel)
        right = (unit, *place) if first else (*place, unit)
        return left, right

    entries = [
        (*wire, channel, unit)
        for wire in connections(padding)
        for channel in range(CHANNELS)
        for unit in range(FILTERS)
    ]

    def by_output(entry):
        place, _, seen, channel, unit = entry
        return dense_index(place, seen, channel, unit)[::-1]

    ranks = {entry: rank for rank, entry in enumerate(sorted(entries, key=by_output))}

    def weight(entry):
        place, offset, seen, channel, unit = entry
        if how == 3:
            return kernel[ranks[entry]]
        if how == 2:
            left, right = dense_index(place, seen, channel, unit)
            return kernel[(*left, *right)]
        spot = offset[0] * KERNEL[1] + offset[1]
        places = KERNEL[0] * KERNEL[1]
        feature = channel * places + spot if first else spot * CHANNELS + channel
        return kernel[place[0] * out[1] + place[1], feature, unit]

    if how == 3:
        assert kernel.shape == (len(entries),)
    expected = np.zeros_like(y) + bias
    for entry in entries:
        place, _, seen, channel, unit = entry
        expected[:, *place, unit] += x[:, *seen, channel] * weight(entry)
    np.testing.assert_allclose(y, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"filters": 0}, "filters must be a positive integer, got 0"),
        ({"padding": "same"}, "padding must be valid in implementation 1, got 'same'"),
        ({"implementation": 4}, "implementation must be one of 1, 2, 3; got 4"),
        ({"padding": "full"}, "padding must be one of valid, same; got 'full'"),
    ],
)
def test_wrong_arguments_are_refused_when_the_layer_is_made(arguments, message):
    with pytest.raises(ValueError, match=message):
        F.locally_connected2d(**{"filters": 4, "kernel_size": 3, **arguments})


def test_wrong_inputs_are_refused():
    pair = F.locally_connected2d(2, 3)
    with pytest.raises(ValueError, match="spatial axes of the input must be known"):
        pair.init(KEY, (None, None, 4, 1))
    with pytest.raises(ValueError, match="must fit the input, got one of"):
        pair.init(KEY, (None, 2, 4, 1))
    with pytest.raises(ValueError, match="expected an input of rank 4"):
        pair.init(KEY, (None, 4, 1))
