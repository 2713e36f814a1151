"""Every layer through every format and back: the same weights to the bit, and predictions."""

import jax
import numpy as np
import pytest
from cases import CASES, is_shape

from funkeras import config, layers
from funkeras.layers import Input
from funkeras.models import Model, Sequential, load_model, model_from_json

ENDINGS = (".h5", ".keras", ".weights.h5", ".only.h5")
INNER = {
    "Lambda": {},
    "StackedRNNCells": {},
    "RNN": {"cell": lambda: layers.LSTMCell(4)},
    "Bidirectional": {"layer": lambda: layers.LSTM(4, return_sequences=True)},
    "TimeDistributed": {"layer": lambda: layers.Dense(4)},
    "Pipeline": {"layers": lambda: [layers.Dense(2), layers.Dropout(0.5)]},
    "SpectralNormalization": {"layer": lambda: layers.Dense(4)},
}
"""Layers around others → the layers in them."""

EACH = [case for case in CASES if case.name != "StackedRNNCells"]  # a cell is part of RNN


def model_of(case):
    """A model of that one layer, with weights that no two are the same."""
    arguments = dict(case.arguments)
    arguments.update({name: make() for name, make in INNER.get(case.name, {}).items()})
    many = not is_shape(case.shape)
    dtype = "int32" if case.below is not None else "float32"
    inputs = [Input(batch_shape=(None, *shape[1:]), dtype=dtype) for shape in shapes(case)]
    layer = getattr(layers, case.name)(**arguments)
    y = layer(inputs if many else inputs[0])
    model = Model(inputs, y)
    chance = np.random.RandomState(0)
    model.set_weights(
        [
            np.abs(chance.randn(*w.shape)).astype(w.dtype) * 0.3 + 0.1 if w.dtype.kind == "f" else w
            for w in model.get_weights()
        ]
    )
    return model


def shapes(case):
    return jax.tree.leaves(case.shape, is_leaf=is_shape)


def inputs_of(case):
    x = jax.tree.map(np.asarray, case.inputs())
    return list(x) if isinstance(x, tuple) else x


def save(model, path):
    model.save(path) if path.name.count(".") == 1 else model.save_weights(path)


def again(model, path, objects):
    """The model that the file holds, or a fresh one of the same architecture with its weights."""
    if path.name.count(".") == 1:
        return load_model(path, custom_objects=objects)
    fresh = model_from_json(model.to_json(), custom_objects=objects)
    fresh.load_weights(path)
    return fresh


@pytest.mark.filterwarnings("ignore:.*Keras 3 computes")
@pytest.mark.parametrize("dialect", ["classic", pytest.param("modern", marks=pytest.mark.slow)])
@pytest.mark.parametrize("case", EACH, ids=str)
def test_files_keep_every_layer_and_every_bit(tmp_path, case, dialect):
    config.set_dialect(dialect)
    model = model_of(case)
    before = model.get_weights()
    objects = None
    if case.name == "Lambda":
        objects = {model.layers[-1].name: case.arguments["function"]}
    x = inputs_of(case)
    expected = jax.tree.leaves(model.predict(x)) if dialect == "modern" else None
    for ending in ENDINGS:
        path = tmp_path / f"a{ending}"
        save(model, path)
        got = again(model, path, objects)
        after = got.get_weights()
        assert len(before) == len(after)
        for old, new in zip(before, after, strict=True):
            assert old.dtype == new.dtype
            assert old.tobytes() == new.tobytes()
        assert [w.name.partition("/")[2] for w in model.weights] == [
            w.name.partition("/")[2] for w in got.weights
        ]
        if expected is not None:
            for old, new in zip(expected, jax.tree.leaves(got.predict(x)), strict=True):
                np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("frozen", [False, True])
def test_models_in_models_keep_every_weight_in_its_place(tmp_path, ending, frozen):
    def normalized():
        return layers.BatchNormalization(trainable=not frozen)

    one = Sequential([normalized(), normalized(), layers.Dense(4)], name="one")
    two = Sequential([layers.Dense(4), normalized(), one], name="two")
    around = layers.TimeDistributed(Sequential([normalized(), normalized()], name="each"))
    x = Input((5, 4))
    model = Model(x, around(two(two(x))))
    chance = np.random.RandomState(0)
    model.set_weights([chance.rand(*w.shape) for w in model.get_weights()])
    save(model, tmp_path / f"a{ending}")
    got = again(model, tmp_path / f"a{ending}", None)
    for old, new in zip(model.get_weights(), got.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    x = chance.rand(2, 5, 4).astype("float32")
    np.testing.assert_array_equal(model.predict(x), got.predict(x))


@pytest.mark.parametrize("dialect", ["classic", "modern"])
@pytest.mark.parametrize("ending", ENDINGS[:2])
def test_outputs_of_any_call_of_a_model_in_a_model_are_found(tmp_path, ending, dialect):
    config.set_dialect(dialect)
    x = Input((3,))
    inner = Model(x, [layers.Dense(3)(x), layers.Dense(2)(x)])
    tower = Sequential([layers.Dense(3, input_dim=3)])
    a, b = Input((3,)), Input((3,))
    calls = [inner(tower(a)), inner(b), inner(tower(b))]
    joined = layers.Concatenate()([part for call in calls for part in call])
    model = Model([a, b], [joined, calls[1][0], calls[2][1], tower(b)])
    model.save(tmp_path / f"a{ending}")
    got = load_model(tmp_path / f"a{ending}")
    data = list(np.random.RandomState(0).rand(2, 4, 3).astype("float32"))
    for old, new in zip(model.predict(data), got.predict(data), strict=True):
        np.testing.assert_array_equal(old, new)
