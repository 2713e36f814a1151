"""Models whose inputs and outputs are dicts, or nested: data, losses and files go by their keys."""

import numpy as np
import pytest

from funkeras import config
from funkeras.layers import Concatenate, Dense, Input
from funkeras.models import Model, clone_model, load_model

DRAWS = np.random.default_rng(0)
A, B = DRAWS.random((5, 3), "float32"), DRAWS.random((5, 2), "float32")
X = {"a": A, "b": B}
Y = {"wide": DRAWS.random((5, 2), "float32"), "thin": DRAWS.random((5, 1), "float32")}


@pytest.fixture(autouse=True)
def modern():
    with config.using_dialect("modern"):
        yield


def graph(nested=lambda wide, thin: {"wide": wide, "thin": thin}, names=("a", "b")):
    a, b = Input((3,), name=names[0]), Input((2,), name=names[1])
    both = Concatenate()([a, b])
    return Model({"a": a, "b": b}, nested(Dense(2)(both), Dense(1)(both)))


class Written(Model):
    def __init__(self):
        super().__init__()
        self.wide, self.thin = Dense(2), Dense(1)

    def call(self, x):
        both = Concatenate()([x["a"], x["b"]])
        return {"wide": self.wide(both), "thin": self.thin(both)}


def outputs(model):
    both, weights = np.concatenate([A, B], -1), model.get_weights()
    by_size = {own.shape: own for own in weights}
    return {
        name: both @ by_size[5, size] + by_size[size,] for name, size in (("wide", 2), ("thin", 1))
    }


def check(given, expected):
    assert isinstance(given, dict)
    assert {*given} == {*expected}
    for key, value in expected.items():
        np.testing.assert_allclose(given[key], value, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("make", [graph, Written, lambda: graph(names=("first", "second"))])
def test_a_dict_of_outputs_is_given_and_judged_by_its_keys(make):
    model = make()
    model(X)
    expected = outputs(model)
    check(model(X), expected)
    check(model.predict(X, verbose=0), expected)
    check(model.predict_on_batch(X), expected)
    losses = {"wide": "mse", "thin": "mae"}
    model.compile("sgd", losses, metrics={"thin": ["mse"]}, loss_weights={"wide": 0.5, "thin": 2.0})
    found = model.evaluate(X, Y, verbose=0, return_dict=True)
    gaps = {key: expected[key] - Y[key] for key in Y}
    wide, thin = np.mean(gaps["wide"] ** 2), np.mean(np.abs(gaps["thin"]))
    numbers = {"wide_loss": wide, "thin_loss": thin, "loss": 0.5 * wide + 2 * thin}
    numbers["thin_mse"] = np.mean(gaps["thin"] ** 2)
    assert found == pytest.approx(numbers, rel=1e-5)
    history = model.fit(X, Y, batch_size=5, verbose=0).history
    assert history["loss"][0] == pytest.approx(numbers["loss"], rel=1e-5)


def test_files_and_copies_keep_the_keys(tmp_path):
    model = graph()
    expected = outputs(model)
    model.compile("sgd", {"wide": "mse", "thin": "mae"})
    model.save(tmp_path / "model.keras")
    check(load_model(tmp_path / "model.keras").predict(X, verbose=0), expected)
    for copy in (clone_model(model), Model.from_config(model.get_config())):
        copy.set_weights(model.get_weights())
        check(copy.predict(X, verbose=0), expected)


def test_a_model_of_dicts_inside_another():
    inner = graph()
    entries = {"a": Input((3,)), "b": Input((2,))}
    given = inner(entries)
    assert {key: tensor.shape for key, tensor in given.items()} == {
        "wide": (None, 2),
        "thin": (None, 1),
    }
    model = Model(entries, given["wide"])
    check({"wide": model.predict(X, verbose=0)}, {"wide": outputs(inner)["wide"]})


def test_outputs_nested_deeper_come_as_they_are():
    model = graph(lambda wide, thin: [wide, {"deep": thin}])
    expected = outputs(model)
    wide, rest = model.predict(X, verbose=0)
    check({"wide": wide, **rest}, {"wide": expected["wide"], "deep": expected["thin"]})
