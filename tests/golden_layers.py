"""Runs a layer against the numbers of genuine Keras: outputs, masks and gradients."""

import json
from functools import cache
from inspect import signature
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import config, spellings
from funkeras import functional as F
from funkeras.functional.pair import Pair, flat_weights, nest

__all__ = ["arrays", "build", "cases", "check"]

GOLDEN = Path(__file__).parent / "golden"
DIALECTS = {"keras-1.2.2": "classic", "keras-2.2.4": "keras2"}
EXCEPTIONS = json.loads((GOLDEN / "exceptions.json").read_text()).get("layers_more", {})
FUNCTIONS = {
    "lambda x: K.concatenate([x, -x], axis=1)": lambda x: jnp.concatenate([x, -x], axis=1),
    "lambda x, p=1: x * p": lambda x, p=1: x * p,
    "lambda ts: ts[0] - 2 * ts[1]": lambda ts: ts[0] - 2 * ts[1],
}
"""What the cases give as Python text."""


@cache
def _stored(name: str) -> Any:
    with np.load(GOLDEN / f"{name}.npz") as archive:
        return {key: archive[key] for key in archive.files}


def cases(*classes: str) -> list[dict[str, Any]]:
    """The stored cases of some classes, of every generation."""
    found = []
    for name in ("layers_more", "layers_more_keras3"):
        for case in json.loads((GOLDEN / f"{name}.json").read_text()):
            if case["class"] in classes:
                found.append({**case, "file": name})
    return found


def arrays(case: dict[str, Any]) -> dict[str, list[Any]]:
    """The arrays of a case by name; each name has a list of them."""
    stored = _stored(case["file"])
    return {
        name: [None if key is None else stored[key] for key in keys]
        for name, keys in case["arrays"].items()
    }


def build(case: dict[str, Any]) -> Pair:
    """The layer of a case, made in its dialect from its generation's spelling."""

    def value(given: Any) -> Any:
        if isinstance(given, dict) and "expr" in given:
            return FUNCTIONS.get(given["expr"])
        return given

    name = case["class"]
    builder = F.builders.find(spellings.current_name(name))
    backend = "theano" if case["id"].endswith("@theano") else "tensorflow"
    dialect = DIALECTS.get(case["generation"], "modern")
    with config.using_dialect(dialect), config.using_backend(backend):
        given = {key: value(text) for key, text in case["kwargs"].items()}
        args = tuple(value(text) for text in case["args"])
        return builder(**spellings.bind(name, signature(builder), args, given))


def close(got: Any, expected: Any, tolerance: float) -> None:
    assert got.shape == expected.shape
    errors = np.abs(np.asarray(got, np.float64) - expected) / (1 + np.abs(expected))
    assert errors.max(initial=0) <= tolerance


def check(case: dict[str, Any]) -> None:
    """Compare everything that the case holds with what the layer computes, compiled."""
    if case["id"] in EXCEPTIONS:
        pytest.skip(EXCEPTIONS[case["id"]])
    pair, stored = build(case), arrays(case)
    tolerance = max(1e-6, 4 * (case["difference"] or 0))
    inputs = tuple(jnp.asarray(a) for a in stored["input"])
    x = inputs[0] if len(inputs) == 1 else inputs
    masks = stored.get("mask")
    mask = None if masks is None else tuple(None if m is None else jnp.asarray(m) for m in masks)
    mask = mask[0] if mask is not None and len(inputs) == 1 else mask
    shape = jax.tree.map(jnp.shape, x)
    declared = list(flat_weights(pair, shape))
    params, state = pair.init(jax.random.key(0), shape)
    weights = stored.get("weights", [])
    assert [weight.shape for weight in declared] == [w.shape for w in weights]
    for weight, values in zip(declared, weights, strict=True):
        nest(params, weight.name, jnp.asarray(values))

    def run(params: Any, x: Any) -> Any:
        y, _, mask_after = pair.run(params, state, x, mask=mask)
        return y, mask_after

    y, mask_after = jax.jit(run)(params, x)
    outputs = y if isinstance(y, tuple) else (y,)
    for got, expected in zip(outputs, stored["output"], strict=True):
        close(got, expected, tolerance)
    if "output_mask" in stored:
        expected = stored["output_mask"][0]
        assert (mask_after is None) == (expected is None)
        if expected is not None:
            np.testing.assert_array_equal(mask_after, expected)

    def squares(params: Any, x: Any) -> Any:
        return sum(jnp.sum(jnp.square(y)) for y in jax.tree.leaves(run(params, x)[0]))

    if "grad_input" in stored:
        gradient = jax.tree.leaves(jax.jit(jax.grad(squares, argnums=1))(params, x))
        for got, expected in zip(gradient, stored["grad_input"], strict=True):
            close(got, expected, tolerance)
    if "grad_weights" in stored:
        tree = jax.jit(jax.grad(squares))(params, x)
        for weight, expected in zip(declared, stored["grad_weights"], strict=True):
            got = tree
            for part in weight.name.split("/"):
                got = got[part]
            close(got, expected, tolerance)
