"""`MultiOptimizer` and `OptimizerMap` beside genuine Keras 3."""

import json
import pickle
from pathlib import Path

import jax
import numpy as np
import pytest
import several_optimizers

import funkeras
from funkeras import config, models
from funkeras.optimizers import SGD, Adam, LossScaleOptimizer, MultiOptimizer, OptimizerMap, get

GOLDEN = Path(__file__).parent / "golden" / "several_optimizers"
EXPECTED = json.loads((GOLDEN / "results.json").read_text())
CLOSE = {"rtol": 2e-5, "atol": 1e-5}


@pytest.fixture(autouse=True)
def keras():
    with config.using_dialect("modern"):
        yield funkeras


def check(found, expected):
    """See that losses and weights are those."""
    np.testing.assert_allclose(found["losses"], expected["losses"], **CLOSE)
    for one, other in zip(found["weights"], expected["weights"], strict=True):
        np.testing.assert_allclose(one, other, **CLOSE)


def test_each_optimizer_trains_its_variables_as_in_keras_3(keras, tmp_path):
    found = several_optimizers.results(keras, tmp_path)
    assert set(found) == set(EXPECTED)
    for name, expected in EXPECTED.items():
        check(found[name], expected)
    again = models.load_model(tmp_path / "trained.keras")
    check(several_optimizers.trained(again), EXPECTED["resumed"])


def test_training_goes_on_from_a_file_of_keras_3():
    model = models.load_model(GOLDEN / "trained.keras")
    check(several_optimizers.trained(model), EXPECTED["resumed"])


def test_steps_of_a_user_apply_it_too(keras):
    class Own(keras.Model):
        def train_step(self, state, data):
            return super().train_step(state, data)

    class ByHand(keras.Model):
        def train_step(self, state, data):
            moved, still, kept, counts = state

            def loss(moved):
                y, _ = self.stateless_call(moved, still, data[0])
                return keras.ops.mean(keras.ops.square(y - data[1]))

            value, slopes = jax.value_and_grad(loss)(moved)
            moved, kept = self.optimizer.stateless_apply(kept, slopes, moved)
            return {"loss": value}, (moved, still, kept, counts)

    for kind in (Own, ByHand):
        plain = several_optimizers.model_of(keras, several_optimizers.chosen(keras)["map"])
        model = kind(plain.inputs, plain.outputs)
        model.compile(MultiOptimizer(several_optimizers.chosen(keras)["map"]), "mse")
        found = several_optimizers.trained(model)
        for one, other in zip(found["weights"], EXPECTED["map"]["weights"], strict=True):
            np.testing.assert_allclose(one, other, **CLOSE)


def test_a_scaled_loss_has_the_same_gradients(keras):
    model = several_optimizers.model_of(
        keras, several_optimizers.chosen(keras)["map"], loss_scale_factor=8.0
    )
    check(several_optimizers.trained(model), EXPECTED["map"])


def test_each_has_its_learning_rate_which_may_change(keras):
    model = several_optimizers.model_of(keras, several_optimizers.chosen(keras)["map"])
    for one in model.optimizer.optimizers:
        one.learning_rate = 0.0
    before = model.get_weights()
    several_optimizers.trained(model)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert {int(one.iterations) for one in model.optimizer.optimizers} == {9}
    shapes = [variable.shape for variable in model.optimizer.variables]
    adam = [(3, 4), (3, 4), (4,), (4,)]  # the order of genuine Keras 3, numbers before each
    assert [shape for shape in shapes if shape] == [*adam, (2,), (4, 2)]
    with pytest.raises(AttributeError, match="learning_rate of its own"):
        model.optimizer.learning_rate = 1.0
    with pytest.raises(AttributeError, match="learning_rate of its own"):
        _ = model.optimizer.learning_rate


def test_configs_and_pickles_make_it_again():
    made = MultiOptimizer(OptimizerMap(SGD(0.5), {"a/.*": Adam(0.25)}), name="both")
    for again in (get(funkeras.optimizers.serialize(made)), pickle.loads(pickle.dumps(made))):
        assert again.get_config() == made.get_config()
    assert [type(one) for one in made.optimizers] == [Adam, SGD]


def test_a_map_is_asked_by_paths():
    chosen = OptimizerMap(SGD(), {"a/.*": Adam(), ".*/bias": Adam(0.5), "b": Adam(0.25)})
    assert [type(chosen[path]) for path in ("a/kernel", "b", "b/kernel")] == [Adam, Adam, SGD]
    assert len(chosen) == 3
    with pytest.raises(ValueError, match="must fit one optimizer, it fits those of"):
        chosen["a/bias"]
    with pytest.raises(ValueError, match=r"has the optimizer .* already"):
        chosen["b"] = SGD()
    with pytest.raises(TypeError, match="plain optimizer"):
        chosen["c"] = LossScaleOptimizer(SGD())
    with pytest.raises(TypeError, match="OptimizerMap or a function"):
        MultiOptimizer("sgd")
