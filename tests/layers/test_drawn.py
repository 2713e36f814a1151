"""Each layer with random arguments and inputs gives what genuine Keras gives.

The ordinary test has stored results of a few draws. The slow one makes its own with the Python
that $KERAS_PYTHON names: $KERAS_DRAWS for each layer, 40 by default.
"""

import importlib.util
import os
import pickle
import subprocess
import sys
from dataclasses import asdict
from functools import cache
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import config, layers

sys.path.append(str(Path(__file__).parent))
from drawn import DRAWS, LAYER, OF_TF_KERAS, draw
from drawn_genuine import as_list, factors, is_real

PROGRAM = Path(__file__).parent / "drawn_genuine.py"
STORED = Path(__file__).parents[1] / "golden" / "drawn.npz"
KERAS = os.environ.get("KERAS_PYTHON") or (importlib.util.find_spec("keras") and sys.executable)
COUNT = int(os.environ.get("KERAS_DRAWS", "40"))
TOLERANCE, OF_GRADIENTS = 1e-5, 1e-4
"""Relative to 1 + |value|: float32 against float32."""
RENAMED = {"depthwise_kernel": "kernel"}
"""Weights that keep the name of Keras 2 → what Keras 3 calls them."""
SHORT = (
    *("Dense", "Conv1D", "Conv2DTranspose", "SeparableConv2D", "DepthwiseConv1D", "Embedding"),
    *("MaxPooling2D", "UpSampling2D", "ZeroPadding2D", "GRU", "Bidirectional", "Attention"),
    *("BatchNormalization", "GroupNormalization", "LayerNormalization", "PReLU", "Softmax"),
    *("Dot", "Concatenate", "STFTSpectrogram", "MelSpectrogram"),
)
LISTED = (
    *("StringLookup", "IntegerLookup", "Hashing", "HashedCrossing", "TextVectorization"),
    *("CategoryEncoding", "Discretization", "Normalization"),
)
"""Layers of which the ordinary test has ten draws: they cost next to nothing."""
NUMBERS = [(name, 0) for name in SHORT] + [(name, i) for name in LISTED for i in range(10)]
NUMBERS.append(("TimeDistributed", 8))  # of BatchNormalization, as it trains


def genuine(package, cases, path):
    """What genuine Keras gives of each case."""
    path.write_bytes(pickle.dumps([asdict(case) for case in cases]))
    quiet = {"KERAS_BACKEND": "jax", "TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | quiet
    command = [KERAS, str(PROGRAM), package, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return pickle.loads(path.read_bytes())


def made(name, kwargs):
    """The layer of that name, with the layers inside."""

    def inner(value):
        if isinstance(value, tuple | list) and value and value[0] == LAYER:
            return made(*value[1:])
        return [inner(part) for part in value] if isinstance(value, list) else value

    return getattr(layers, name)(**{k: inner(value) for k, value in kwargs.items()})


def close(what, got, wanted, tolerance=TOLERANCE):
    """Whether two arrays agree in shape, dtype and values; the note says which they are."""
    got, wanted = np.asarray(got), np.asarray(wanted)
    assert (got.shape, got.dtype) == (wanted.shape, wanted.dtype), what
    a, b = got.astype("float64"), wanted.astype("float64")
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance, err_msg=what)


def compare(case, expected):
    """Run a case and compare all that genuine Keras gave."""
    if "error" in expected:
        with pytest.raises((TypeError, ValueError)):
            outputs(case)
        return
    layer, y, x, call = outputs(case, expected.get("weights"))
    for i, (own, wanted) in enumerate(zip(as_list(y), expected["y"], strict=True)):
        close(f"output {i}", own, wanted)
    if case.host:
        return
    assert last_words(weight.name for weight in layer.weights) == last_words(expected["names"])
    after = [np.asarray(w) for w in layer.non_trainable_weights if is_real(w)]
    for own, wanted in zip(after, expected["after"], strict=True):
        close("state after the call", own, wanted)
    layer.set_weights(expected["weights"])
    if not case.call:
        gradients(case, layer, x, call, expected)
    if case.masks and expected["mask"] is not None:
        mask = layer.compute_mask(x, call["mask"])
        close("mask", mask[0] if isinstance(mask, list | tuple) else mask, expected["mask"])
    if None not in expected["shape"]:
        shape = tuple(x.shape) if case.single else [tuple(a.shape) for a in x]
        as_tuples = jax.tree.map(int, layer.compute_output_shape(shape))
        assert jax.tree.leaves(as_tuples) == jax.tree.leaves(expected["shape"])


def last_words(names):
    """The names of weights without those of layers around them."""
    words = [name.rpartition("/")[2].partition(":")[0] for name in names]
    return [RENAMED.get(word, word) for word in words]


def outputs(case, weights=None):
    """The layer of a case, its output with those weights, its input and how it is called."""
    layer = made(case.name, case.kwargs)
    inputs = case.inputs if case.host else [jnp.asarray(a) for a in case.inputs]
    x = inputs[0] if case.single else inputs
    call = dict(case.call)
    if case.masks:
        masks = [jnp.asarray(mask) for mask in case.masks]
        call["mask"] = masks[0] if case.single else masks
    if case.training is not None:
        call["training"] = case.training
    y = layer(x, **call)
    if weights is not None:
        layer.set_weights(weights)
        y = layer(x, **call)
    return layer, y, x, call


def gradients(case, layer, x, call, expected):
    """Compare the gradients of a sum over the outputs, by weights and by inputs."""
    flow = {"training": bool(call.get("training")), "mask": call.get("mask")}

    def objective(params, x):
        y, _ = layer.functional.apply(params, layer.state, x, **flow)
        return sum(jnp.sum(part * factors(part.shape)) for part in as_list(y) if is_real(part))

    of_params = jax.grad(objective)(layer.params, x)
    if expected["of_x"] is not None:
        of_x = as_list(jax.grad(objective, 1)(layer.params, x))
        for i, (own, wanted) in enumerate(zip(of_x, expected["of_x"], strict=True)):
            close(f"gradient of input {i}", own, wanted, OF_GRADIENTS)
    layer.params = of_params
    for weight, wanted in zip(layer.trainable_weights, expected["of_weights"], strict=True):
        own = np.asarray(weight)
        zeros = np.zeros_like(own)
        close(f"gradient of {weight.name}", own, zeros if wanted is None else wanted, OF_GRADIENTS)


@cache
def stored():
    """What genuine Keras gave of the draws of the ordinary test."""
    with np.load(STORED, allow_pickle=False) as archive:
        return unpacked({name: archive[name] for name in archive.files})


def packed(results):
    """Results by name as arrays only: `number/field/place`."""
    arrays = {}
    for key, result in results.items():
        for name, value in result.items():
            parts = value if isinstance(value, list | tuple) else [value]
            arrays[f"{key}/{name}"] = np.array([part is not None for part in parts])
            found = {f"{key}/{name}/{i}": np.asarray(p) for i, p in enumerate(parts)}
            arrays |= {k: a for k, a in found.items() if a.dtype != object}
    return arrays


def unpacked(arrays):
    """The results again."""
    results = {}
    for path, present in arrays.items():
        key, name, *place = path.split("/")
        if not place:
            values = [arrays[f"{path}/{i}"] if own else None for i, own in enumerate(present)]
            single = name in ("error", "message", "mask") or (name == "of_x" and not present.all())
            plain = [
                a.tolist() if name in ("names", "shape") and a is not None else a for a in values
            ]
            results.setdefault(key, {})[name] = plain[0] if single else plain
    return results


@pytest.mark.parametrize(("name", "number"), NUMBERS)
def test_stored_draws_equal_genuine_keras(name, number):
    config.set_dialect("modern")
    compare(draw(name, number), stored()[f"{name}-{number}"])


@pytest.mark.slow
@pytest.mark.skipif(not KERAS, reason="needs genuine Keras, here or in the python $KERAS_PYTHON")
@pytest.mark.parametrize("name", DRAWS)
def test_draws_equal_genuine_keras(name, tmp_path):
    package = "tf_keras" if name in OF_TF_KERAS else "keras"
    config.set_dialect("modern")
    cases = [draw(name, number) for number in range(COUNT)]
    different = []
    for number, (case, expected) in enumerate(
        zip(cases, genuine(package, cases, tmp_path / "cases"), strict=True)
    ):
        try:
            compare(case, expected)
        except (AssertionError, pytest.fail.Exception, TypeError, ValueError) as error:
            different.append(f"{number}: {case.kwargs} {str(error)[:500]}")
    assert not different, "\n".join(different)
    jax.clear_caches()
