"""Whole training runs against genuine Keras 1.2.2 and 2.2.4: weighting, splits, histories."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from funkeras import callbacks, config, layers, optimizers, regularizers
from funkeras.models import Sequential

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = json.loads((GOLDEN / "training.json").read_text())
EXCEPTIONS = json.loads((GOLDEN / "exceptions.json").read_text()).get("training", {})
DIALECTS = {"keras-1.2.2": "classic", "keras-2.2.4": "keras2"}


@pytest.fixture(scope="module")
def stored() -> Any:
    with np.load(GOLDEN / "training.npz") as archive:
        return {name: archive[name] for name in archive.files}


def namespace() -> dict[str, Any]:
    names = {"Sequential": Sequential}
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


def oriented(model: Any, weights: list[np.ndarray], theano: bool) -> list[np.ndarray]:
    """Weights as ours: Theano convolves, so its kernels are flipped, and Keras 1's `th` ones are
    stored (filters, channels, rows, columns).
    """
    result = []
    for variable, value in zip(model.weights, weights, strict=True):
        if value.ndim == 4 and value.shape != variable.shape:
            value = value.transpose(2, 3, 1, 0)
        result.append(value[::-1, ::-1] if value.ndim == 4 and theano else value)
    return result


def close(actual: Any, expected: Any, tolerance: float) -> None:
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_run_equals_genuine_keras(case: dict[str, Any], stored: Any) -> None:
    if case["id"] in EXCEPTIONS:
        pytest.skip(EXCEPTIONS[case["id"]])
    data = {
        name: [stored[k] for k in key] if isinstance(key, list) else stored[key]
        for name, key in case["arrays"].items()
    }
    tolerance = max(2e-6, 6 * (case.get("f32_f64_max_rel_diff") or 0))
    config.set_dialect(DIALECTS[case["generation"]])
    config.set_backend("theano" if case["id"].endswith("@theano") else "tensorflow")
    names = Names(namespace())

    def value(item: Any) -> Any:
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
    theano = "th" in case["id"].split("-") or "cnn" in case["id"]
    if seeded:
        for drawn, expected in zip(model.get_weights(), data["weights"], strict=True):
            np.testing.assert_array_equal(drawn, expected.astype("float32"))
    else:
        model.set_weights(oriented(model, data["weights"], theano))
    for index, call in enumerate(case["calls"]):
        kwargs = {k: value(v) for k, v in call["kw"].items()}
        if "class_weight" in kwargs:
            kwargs["class_weight"] = {int(k): v for k, v in kwargs["class_weight"].items()}
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
        result = getattr(model, call["method"])(*map(value, call["args"]), **kwargs)
        if call["method"] == "fit":
            expected = {
                name.partition("_history_")[2]: array
                for name, array in data.items()
                if name.startswith(f"result_{index}_history_")
            }
            assert set(result.history) == set(expected)
            for name, array in expected.items():
                close(result.history[name], array, tolerance)
        else:
            close(result, data[f"result_{index}"], tolerance)
    after = oriented(model, data["weights_after"], theano)
    for variable, expected in zip(model.weights, after, strict=True):
        close(variable.numpy(), expected, tolerance)
    if model._engine is not None:
        assert model.metrics_names == case["metrics_names"]


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
