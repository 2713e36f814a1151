"""Learning rate schedules against genuine Keras 3, alone and inside an optimizer."""

import json
import pickle
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import config, optimizers
from funkeras.optimizers import schedules

GOLDEN = json.loads((Path(__file__).parent / "golden" / "optimizers_keras3.json").read_text())
ROWS = GOLDEN["schedules"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["class"])
def test_values_are_those_of_keras_3(row):
    schedule = schedules.deserialize({"class_name": row["class"], "config": row["config"]})
    values = [float(schedule(step)) for step in GOLDEN["points"]]
    np.testing.assert_allclose(values, row["values"], rtol=2e-6, atol=2e-7)
    compiled = jax.jit(schedule)
    np.testing.assert_allclose([compiled(step) for step in GOLDEN["points"]], values, 1e-6, 1e-7)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["class"])
def test_config_and_pickle_make_an_equal_schedule(row):
    schedule = getattr(schedules, row["class"])(**row["config"])
    assert schedule.get_config() == row["config"]
    assert pickle.loads(pickle.dumps(schedule)).get_config() == row["config"]
    assert schedules.get(schedules.serialize(schedule)).get_config() == row["config"]


def test_restarts_begin_at_the_full_rate():
    schedule = schedules.CosineDecayRestarts(1.0, first_decay_steps=10)
    np.testing.assert_allclose([schedule(step) for step in (0, 10, 30, 70, 150)], 1.0)


def test_a_schedule_is_evaluated_inside_the_update_from_step_zero():
    rate = schedules.PiecewiseConstantDecay([0, 1], [1.0, 0.5, 0.25])
    with config.using_dialect("modern"):
        optimizer = optimizers.SGD(rate)
    transformation = optimizer.transformation
    update = jax.jit(transformation.update)
    state = transformation.init(jnp.ones(1))
    seen = []
    for _ in range(3):
        updates, state = update(jnp.ones(1), state, jnp.ones(1))
        seen.append(-float(updates[0]))
    assert seen == [1.0, 0.5, 0.25]
    assert "learning_rate" not in optimizer.values()
    assert optimizer.learning_rate == 1.0
    optimizer.iterations = 1
    assert optimizer.learning_rate == 0.5
    with pytest.raises(AttributeError, match="fixed"):
        optimizer.learning_rate = 0.1
    other = optimizers.get(json.loads(json.dumps(optimizers.serialize(optimizer))))
    assert isinstance(other.schedule, schedules.LearningRateSchedule)


def test_users_subclass_learning_rate_schedule():
    class Halving(schedules.LearningRateSchedule):
        def __call__(self, step):
            return 0.5**step

    optimizer = optimizers.SGD(Halving())
    updates, _ = optimizer(jnp.ones(1), optimizer.transformation.init(jnp.ones(1)), jnp.ones(1))
    assert updates == -1.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: schedules.ExponentialDecay(0.1, 0, 0.5), "decay_steps must be positive, got 0"),
        (lambda: schedules.PiecewiseConstantDecay([1], [0.1]), "one entry more"),
        (lambda: schedules.CosineDecayRestarts(0.1, 10, t_mul=0), "t_mul must be positive"),
    ],
)
def test_bad_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
