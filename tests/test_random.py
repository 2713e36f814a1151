"""Random numbers of Keras 3 within layers; the numbers themselves are in tests/ops."""

import numpy as np
import pytest

from funkeras import config, layers, models, random


@pytest.fixture(autouse=True)
def keras_3():
    config.set_dialect("modern")


class Sampling(layers.Layer):
    """A point near the one it is given, in training."""

    def __init__(self, **options):
        super().__init__(**options)
        self.seed_generator = random.SeedGenerator(1337)

    def call(self, x, training=False):
        if not training:
            return x
        return x + random.normal(x.shape, seed=self.seed_generator)


def test_a_layer_draws_other_numbers_in_each_step_and_none_at_inference():
    layer = Sampling()
    x = np.zeros((2, 3), "float32")
    first, second = (np.asarray(layer(x, training=True)) for _ in range(2))
    assert not np.allclose(first, second)
    assert np.allclose(layer(x), x)
    model = models.Sequential([layers.Input((3,)), Sampling()])
    model.compile("sgd", "mse")
    losses = model.fit(x, x, batch_size=2, epochs=4, verbose=0).history["loss"]
    assert len(set(losses)) == 4


def test_training_from_the_same_seed_draws_the_same_numbers():
    def trained():
        np.random.seed(0)
        model = models.Sequential([layers.Input((3,)), layers.Dense(2), Sampling()])
        model.compile("sgd", "mse")
        x = np.ones((4, 3), "float32")
        return model.fit(x, x[:, :2], epochs=3, verbose=0).history["loss"]

    assert trained() == trained()


def test_a_whole_seed_gives_the_same_numbers_and_none_others():
    assert np.array_equal(random.uniform((4,), seed=3), random.uniform((4,), seed=3))
    assert not np.array_equal(random.uniform((4,)), random.uniform((4,)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: random.normal((2,), seed="a"), "seed must be"),
        (lambda: random.SeedGenerator(1.5), "seed must be a whole number"),
        (lambda: random.uniform((2,), dtype="int32"), "one of floats, got 'int32'"),
        (lambda: random.randint((2,), 0, 4, dtype="float32"), "whole numbers"),
        (lambda: random.dropout(np.ones(3), 1.5), r"rate must be in \[0, 1\]"),
        (lambda: random.categorical(np.ones(3), 2), r"logits must be \(batch, classes\)"),
    ],
)
def test_wrong_arguments_are_told(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_generator_is_made_anew_from_its_config():
    seeds = random.SeedGenerator(5, name="own")
    seeds.next()
    again = random.SeedGenerator.from_config(seeds.get_config())
    assert again.name == "own"
    assert np.array_equal(again.next(), [5, 0])
