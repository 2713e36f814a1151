"""Recurrent layers equal genuine Keras of four generations and the formulas of their papers."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import activations, config, spellings
from funkeras.functional.pair import builders, flat_weights, nest
from funkeras.layers.facade import class_signature

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = json.loads((GOLDEN / "recurrent.json").read_text())
ARRAYS = np.load(GOLDEN / "recurrent.npz")
DIALECTS = {"keras-1.2.2": "classic", "keras-2.2.4": "keras2"}
INPUT_OPTIONS = ("input_dim", "input_length", "input_shape", "batch_input_shape")
KEY = jax.random.key(7)
GATES = {4: (0, 2, 1, 3), 3: (0, 1, 2)}
"""Number of gates → the place of each in Keras 1's lists of arrays."""


def constructor(name):
    """A Keras class's constructor as a maker of pairs."""

    def make(*args, **kwargs):
        build = builders.find(spellings.current_name(name))
        kwargs = {key: value for key, value in kwargs.items() if key not in INPUT_OPTIONS}
        bound = spellings.bind(name, class_signature(build), args, kwargs)
        own = build.__wrapped__.__code__.co_varnames[: build.__wrapped__.__code__.co_argcount]
        return build(**{key: value for key, value in bound.items() if key in own})

    return make


class Constructors(dict):
    def __missing__(self, name):
        return constructor(name)


def pair_of(case):
    ctor = case["ctor"]
    names = Constructors()
    if case["generation"].startswith("tf_keras"):  # it kept this formula of Keras 2
        names["former"] = activations.HARD_SIGMOIDS["keras2"]
        ctor = ctor.replace("'hard_sigmoid'", "former")
    return eval(ctor, {"__builtins__": {}}, names)


def joined(arrays, count):
    """As many arrays as we have: in Keras 1 each gate has its own."""
    if len(arrays) == count:
        return arrays
    gates = len(arrays) // count
    result = []
    for start in range(0, len(arrays), 3 * gates):
        for kind in range(3):
            own = arrays[start + kind : start + 3 * gates : 3]
            result.append(np.concatenate([own[place] for place in GATES[gates]], axis=-1))
    return result


def variables_of(pair, case, input_shape, arrays):
    declared = list(flat_weights(pair, input_shape))
    params, state = pair.init(KEY, input_shape)
    for weight, array in zip(declared, joined(arrays, len(declared)), strict=True):
        assert array.shape == weight.shape
        nest(
            params if weight.trainable else state, weight.name, jnp.asarray(as_stored(case, array))
        )
    return params, state


def as_stored(case, array):
    """Kernels of convolutions, which Theano flips."""
    return np.flip(array, (0, 1)) if case["id"].endswith("@theano") and array.ndim > 3 else array


def through(pre, x, weights):
    """What the layer `pre` in front makes of the input, and its mask."""
    if pre is None:
        return jnp.asarray(x), None
    if pre.startswith("Masking"):
        return jnp.asarray(x), (x != 0).any(axis=-1)
    assert pre.startswith("Embedding")
    return jnp.asarray(weights[0])[x.astype(int)], x != 0


def assert_close(got, expected, case):
    # Genuine Keras's own difference between float32 and float64, where it was measured.
    tolerance = 2e-6 if case["difference"] is None else max(1e-6, 4 * case["difference"])
    error = np.abs(np.asarray(got, np.float64) - expected) / (1 + np.abs(expected))
    assert got.shape == expected.shape
    assert np.max(error, initial=0) <= tolerance


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_layer_equals_genuine_keras(case):
    arrays = {
        name: [None if key is None else ARRAYS[key] for key in keys]
        for name, keys in case["arrays"].items()
    }
    with config.using_dialect(DIALECTS.get(case["generation"], "modern")):
        pair = pair_of(case)
    inputs = [through(case.get("pre"), x, arrays.get("pre_weights")) for x in arrays["input"]]
    shape = inputs[0][0].shape
    params, start = variables_of(pair, case, shape, arrays.get("weights", []))

    if len(inputs) > 1:  # stateful, reset before the last one
        state = start
        for index, ((x, mask), expected) in enumerate(zip(inputs, arrays["output"], strict=True)):
            state = start if index == len(inputs) - 1 else state
            y, state = pair.apply(params, state, x, mask=mask)
            assert_close(y, expected, case)
        return

    ((x, mask),) = inputs

    def run(params, x):
        y, _, after = pair.run(params, start, x, mask=mask)
        return sum((part**2).sum() for part in jax.tree.leaves(y)), (y, after)

    differentiate = jax.jit(jax.value_and_grad(run, (0, 1), has_aux=True))
    (_, (y, after)), gradients = differentiate(params, x)
    for got, expected in zip(jax.tree.leaves(y), arrays["output"], strict=True):
        assert_close(got, expected, case)
    if any(expected is not None for expected in arrays.get("output_mask", [])):
        np.testing.assert_array_equal(after, arrays["output_mask"][0])
    if "grad_input" in arrays:
        assert_close(gradients[1], arrays["grad_input"][0], case)
    declared = [weight for weight in flat_weights(pair, shape) if weight.trainable]
    for weight, expected in zip(
        declared, joined(arrays.get("grad_weights", []), len(declared)), strict=True
    ):
        got = gradients[0]
        for part in weight.name.split("/"):
            got = got[part]
        assert_close(as_stored(case, np.asarray(got)), expected, case)
