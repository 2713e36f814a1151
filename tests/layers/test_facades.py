"""Each derived Keras class against its pair: the same numbers, config and file round trips."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from cases import CASES, Case

from funkeras import config, formats
from funkeras.functional import Pair
from funkeras.layers.facade import layer_class
from funkeras.layers.layer import Layer
from funkeras.models.saving import plain

each = pytest.mark.parametrize("case", CASES, ids=str)


def as_layers(value: Any) -> Any:
    """An argument as Keras takes it: layers where the functional builder takes pairs."""
    if isinstance(value, Pair):
        return layer_class(value.builder.keras_name)(**as_layers(value.config))
    if isinstance(value, dict):
        return {name: as_layers(part) for name, part in value.items()}
    if isinstance(value, list | tuple) and any(isinstance(part, Pair) for part in value):
        return [as_layers(part) for part in value]
    return value


@pytest.fixture(autouse=True)
def modern() -> Iterator[None]:
    """The dialect whose defaults the builders have."""
    with config.using_dialect("modern"):
        yield


def made(case: Case) -> tuple[Layer, Any, Any]:
    """The case's Keras layer, its inputs and what it gives."""
    np.random.seed(0)
    layer = layer_class(case.name)(**as_layers(case.arguments))
    x = case.inputs()
    return layer, x, layer(x, training=False)


def equal(a: Any, b: Any) -> None:
    for one, other in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_array_equal(one, other)


@each
def test_the_class_gives_what_its_pair_gives(case: Case) -> None:
    layer, x, y = made(case)
    expected, _ = case.pair().apply(layer.params, layer.state, x)
    equal(y, expected)


@each
def test_a_config_makes_an_equal_layer(case: Case) -> None:
    layer, x, y = made(case)
    described = json.loads(json.dumps(layer.get_config(), default=plain))
    if any(callable(value) for value in case.arguments.values()):
        pytest.skip("a function is no data: its layer needs custom_objects")
    again = type(layer).from_config(described)
    assert json.loads(json.dumps(again.get_config(), default=plain)) == described
    again.build(jax.tree.map(lambda a: a.shape, x))
    again.set_weights(layer.get_weights())
    equal(again(x, training=False), y)


@each
def test_a_file_holds_the_weights_bit_by_bit(case: Case, tmp_path: Path) -> None:
    layer, _, _ = made(case)
    path = tmp_path / "layer.h5"
    written = [(f"{v.name}:0", v.numpy()) for v in layer.weights]
    formats.save_weights(path, [(layer.name, written)])
    (name, read), *_ = formats.load_weights(path).layers
    assert name == layer.name
    assert [weight for weight, _ in read] == [weight for weight, _ in written]
    equal([array for _, array in read], [array for _, array in written])
