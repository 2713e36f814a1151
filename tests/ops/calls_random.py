"""Calls of random functions with seeds: the numbers are those of Keras 3 on JAX."""

import numpy as np

SPACE = "random"
X = np.linspace(-1, 1, 24, dtype="float32").reshape(4, 6)


def in_turn(random):
    """Draws of one generator, one after another and by leaps."""
    seeds = random.SeedGenerator(7)
    first, second = (random.normal((3,), seed=seeds) for _ in range(2))
    return [first, second, seeds.next(), seeds.next(ordered=False), seeds.next()]


CALLS = {
    "normal": [
        ((), lambda random: random.normal((2, 3), seed=1)),
        ((), lambda random: random.normal((4,), 2.0, 0.5, "float16", seed=5)),
    ],
    "truncated_normal": [((), lambda random: random.truncated_normal((6,), 1.0, 2.0, seed=2))],
    "uniform": [((), lambda random: random.uniform([2, 2], -1, 3, seed=3))],
    "randint": [((), lambda random: random.randint((5,), 2, 9, seed=4))],
    "gamma": [((), lambda random: random.gamma((3,), 2.5, seed=5))],
    "beta": [((), lambda random: random.beta((3,), 2.0, [0.5, 1.0, 3.0], seed=6))],
    "binomial": [((), lambda random: random.binomial((4,), 10, 0.3, seed=7))],
    "categorical": [((X,), lambda random, x: random.categorical(x, 5, seed=8))],
    "dropout": [
        ((X,), lambda random, x: random.dropout(x, 0.4, seed=9)),
        ((X,), lambda random, x: random.dropout(x, 0.5, noise_shape=(None, 1), seed=9)),
        ((X,), lambda random, x: random.dropout(x, 0.0, seed=9)),
    ],
    "shuffle": [
        ((X,), lambda random, x: random.shuffle(x, seed=10)),
        ((X,), lambda random, x: random.shuffle(x, axis=1, seed=10)),
    ],
    "SeedGenerator": [((), in_turn)],
}
EAGER = set()
