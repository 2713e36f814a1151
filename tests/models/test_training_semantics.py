"""Whole training runs against genuine Keras 1.2.2 and 2.2.4: weights, splits, histories, seeds."""

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import funkeras
import funkeras.layers.advanced_activations
from funkeras import callbacks, config, layers, optimizers, regularizers
from funkeras.formats import Origin
from funkeras.formats.keras1 import array_count
from funkeras.models import Model, Sequential, placement, places

GOLDEN = Path(__file__).parents[1] / "golden"
STORED = json.loads((GOLDEN / "training.json").read_text())
CASES = [case for case in STORED if case["group"] == "training"]
DRAWN = [case for case in STORED if case["group"] == "initializers"]
EXCEPTIONS = json.loads((GOLDEN / "exceptions.json").read_text()).get("training", {})
DIALECTS = {"keras-1.2.2": "classic", "keras-2.2.4": "keras2"}


@pytest.fixture(scope="module")
def stored() -> Any:
    with np.load(GOLDEN / "training.npz") as archive:
        return {name: archive[name] for name in archive.files}


def namespace() -> dict[str, Any]:
    names = {"Sequential": Sequential, "Model": Model, "Input": layers.Input, "keras": funkeras}
    names["merge"] = layers.merge
    for module in (callbacks, optimizers, regularizers):
        names.update({name: getattr(module, name) for name in module.__all__})
    return names | {name: getattr(layers, name) for name in layers.class_names()}


class Names(dict):
    """Globals of a case's code; constraints and the like come in by the name they have there."""

    def __missing__(self, name: str) -> Any:
        from funkeras import constraints, initializers

        for module in (constraints, initializers):
            if name in module.registry:
                return module.registry.find(name)
        raise KeyError(name)


def arranged(model: Any, arrays: list[np.ndarray], case: dict[str, Any]) -> placement.Change:
    """What `get_weights` of genuine Keras gave, by our layers and names, arranged as ours."""
    origin = Origin(1 if case["generation"] == "keras-1.2.2" else 2, case["backends"][0])
    left, change = [("", array) for array in arrays], {}
    for layer in placement.flattened(model):
        count = 0
        for part in places.parts(layer):
            shapes = [weight.shape for weight in part.weights]
            rest = [array for _, array in left[count:]]
            count += array_count(part.kind, rest, shapes)
        placement.merge(change, placement.from_list(layer, left[:count], origin, case["id"]))
        left = left[count:]
    assert not left
    return change


def compare(change: placement.Change, tolerance: float, of: Any = np.asarray) -> None:
    """The layers hold the arrays of the change, as far as the function `of` tells."""
    for layer, arrays in change.values():
        held = {weight.name: weight for weight in layer.declared_weights()}
        assert set(arrays) == set(held)
        for variable in layer.weights:
            expected = arrays[variable.name.partition("/")[2]]
            close(of(variable.numpy()), of(expected), tolerance)


def close(actual: Any, expected: Any, tolerance: float) -> None:
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


BRIEF = {case["id"].partition("-k")[2][2:]: case["id"] for case in reversed(CASES)}.values()
"""Each kind of run once; those of another generation are slow only because they are many."""


@pytest.mark.parametrize(
    "case",
    [pytest.param(c, marks=[] if c["id"] in BRIEF else pytest.mark.slow) for c in CASES],
    ids=lambda case: case["id"],
)
def test_run_equals_genuine_keras(case: dict[str, Any], stored: Any) -> None:
    if case["id"] in EXCEPTIONS:
        pytest.skip(EXCEPTIONS[case["id"]])
    data = {
        name: [stored[k] for k in key] if isinstance(key, list) else stored[key]
        for name, key in case["arrays"].items()
    }
    tolerance = max(2e-6, 6 * (case.get("f32_f64_max_rel_diff") or 0))
    config.set_dialect(DIALECTS[case["generation"]])
    config.set_backend(case["backends"][0])
    names = Names(namespace())

    def value(item: Any) -> Any:
        if isinstance(item, list):
            return [value(part) for part in item]
        if isinstance(item, dict):
            return {name: value(part) for name, part in item.items()}
        if isinstance(item, str) and item.startswith("$"):
            return data[f"data_{item[1:]}"]
        return item

    seeded = "seeded-" in case["id"]
    if seeded:
        np.random.seed(1337)
    scope: dict[str, Any] = {}
    exec(case["model_code"], {}, Scope(names, scope))
    model = scope["model"]
    settings = dict(case["compile"])
    settings["optimizer"] = eval(settings["optimizer"], {}, names)
    model.compile(**settings)
    if seeded:
        compare(arranged(model, data["weights"], case), 1e-7)
    else:
        placement.swap(arranged(model, data["weights"], case))
    for index, call in enumerate(case["calls"]):
        kwargs = {k: value(v) for k, v in call["kw"].items()}
        if "class_weight" in kwargs:
            kwargs["class_weight"] = by_class(kwargs["class_weight"])
        if "callbacks" in kwargs:
            kwargs["callbacks"] = [eval(text, {}, names) for text in kwargs["callbacks"]]
        if call["method"] == "set_lr":
            model.optimizer.lr = call["args"][0]
            continue
        if call["method"] in ("fit", "evaluate"):
            kwargs.setdefault("verbose", 0)
        if call["method"] == "fit":
            kwargs.setdefault("shuffle", seeded)
        if "numpy_seed" in call:
            np.random.seed(call["numpy_seed"])
        args = [value(item) for item in call["args"]]
        if call["method"].endswith("_generator"):
            args = [itertools.cycle(zip(*args, strict=True))]
        result = getattr(model, call["method"])(*args, **kwargs)
        if call["method"].startswith("fit"):
            expected = {
                name.partition("_history_")[2]: array
                for name, array in data.items()
                if name.startswith(f"result_{index}_history_")
            }
            assert set(result.history) == set(expected)
            for name, array in expected.items():
                close(result.history[name], array, tolerance)
        elif f"result_{index}" in data:
            expected = data[f"result_{index}"]
            several = isinstance(expected, list)
            pairs = zip(result, expected, strict=True) if several else [(result, expected)]
            for got, wanted in pairs:
                close(got, wanted, tolerance)
    if "result_predict" in data:
        close(model.predict(data["data_x"]), data["result_predict"], tolerance)
    compare(arranged(model, data["weights_after"], case), tolerance)
    if model._engine is not None:
        assert model.metrics_names == case["metrics_names"]


def by_class(weights: Any) -> Any:
    """Weights of classes, whose numbers are text in JSON; maybe for each output by name."""
    return {
        int(key) if key.isdigit() else key: by_class(weight) if isinstance(weight, dict) else weight
        for key, weight in weights.items()
    }


@pytest.mark.parametrize("case", DRAWN, ids=lambda case: case["id"])
def test_layers_draw_after_a_seed_what_keras_1_drew(case: dict[str, Any], stored: Any) -> None:
    config.set_backend("theano")
    np.random.seed(1337)
    layer = eval(case["ctor"], {}, Names(namespace()))
    model = Sequential([layer])
    values = [stored[key] for key in case["arrays"]["value"]]
    compare(arranged(model, values, case), 1e-7, np.abs if case["id"] in EXCEPTIONS else np.asarray)


class Scope(dict):
    """Local names of executed code, falling back to the case's."""

    def __init__(self, names: Names, found: dict[str, Any]) -> None:
        super().__init__()
        self.names = names
        self.found = found

    def __getitem__(self, name: str) -> Any:
        return self.found[name] if name in self.found else self.names[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self.found[name] = value


def test_weighted_metrics_are_logged_as_such_before_keras_3():
    x, y = np.ones((4, 2), "float32"), np.arange(4.0).reshape(4, 1)
    weight = np.array([1.0, 0, 0, 1])
    model = Sequential([layers.Dense(1, input_dim=2, kernel_initializer="zeros")])
    model.compile("sgd", "mse", metrics=["mse"], weighted_metrics=["mse"])
    found = dict(
        zip(model.metrics_names, model.test_on_batch(x, y, sample_weight=weight), strict=True)
    )
    assert list(found) == ["loss", "mean_squared_error", "weighted_mean_squared_error"]
    assert found["mean_squared_error"] == pytest.approx(14 / 4)
    assert found["weighted_mean_squared_error"] == pytest.approx(9 / 2)


def test_a_metric_of_keras_1_may_give_several_numbers_in_a_dict():
    def powers(true: Any, pred: Any) -> dict[str, Any]:
        error = funkeras.backend.mean(funkeras.backend.square(true - pred))
        return {"squared": error**2, "cubed": error**3}

    inputs = layers.Input((2,))
    outputs = [
        layers.Dense(1, kernel_initializer="zeros", name=name)(inputs) for name in ("a", "b")
    ]
    model = Model(inputs, outputs)
    model.compile("sgd", "mse", metrics={"b": [powers, "mae"]})
    x, y = np.ones((4, 2), "float32"), np.arange(4.0).reshape(4, 1)
    found = dict(
        zip(model.metrics_names, model.evaluate(x, [y, y], batch_size=2, verbose=0), strict=True)
    )
    own = ["b_squared", "b_cubed", "b_mean_absolute_error"]
    assert list(found) == ["loss", "a_loss", "b_loss", *own]
    errors = np.array([(0 + 1) / 2, (4 + 9) / 2])  # of the two batches, where predictions are 0
    assert found["b_squared"] == pytest.approx(np.mean(errors**2))
    assert found["b_cubed"] == pytest.approx(np.mean(errors**3))
    assert found["b_mean_absolute_error"] == pytest.approx(1.5)
