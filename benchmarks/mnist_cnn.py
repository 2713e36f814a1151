"""The MNIST CNN (Conv 32, Conv 32, pool, dropout, Dense 128) at batch 128: one epoch of 12 steps.

`fit` beside the same net by hand, a jitted optax step with the library's convolutions in a Python
loop, which is what the loop on the device must never be slower than.
"""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax, random

from benchmarks.timing import compare
from funkeras.datasets import mnist_5k
from funkeras.layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from funkeras.models import Sequential

__all__: list[str] = []

ROWS, BATCH = 12 * 128, 128


def main(rounds: int = 5) -> None:
    """Print the table."""
    (x, y), _ = mnist_5k.load_data()
    x = x[:ROWS, :, :, None].astype("float32") / 255
    y = np.eye(10, dtype=np.float32)[y[:ROWS]]
    model = Sequential(
        [
            Conv2D(32, (3, 3), activation="relu", input_shape=(28, 28, 1)),
            Conv2D(32, (3, 3), activation="relu"),
            MaxPooling2D((2, 2)),
            Dropout(0.25),
            Flatten(),
            Dense(128, activation="relu"),
            Dropout(0.5),
            Dense(10, activation="softmax"),
        ]
    )
    model.compile(loss="categorical_crossentropy", optimizer="adadelta", metrics=["accuracy"])
    initial = jax.tree.map(jnp.copy, [layer.params for layer in model.layers if layer.params])
    optimizer = optax.adadelta(1.0, rho=0.95, eps=1e-8)

    def conv(x, p):
        numbers = ("NHWC", "HWIO", "NHWC")
        y = lax.conv_general_dilated(x, p["kernel"], (1, 1), "VALID", dimension_numbers=numbers)
        return jax.nn.relu(y + p["bias"])

    def drop(key, rate, x):
        return jnp.where(random.bernoulli(key, 1 - rate, x.shape), x / (1 - rate), 0)

    def loss(params, key, x, y):
        first, second, third, fourth = params
        one, two = random.split(key)
        h = conv(conv(x, first), second)
        h = lax.reduce_window(h, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
        h = drop(one, 0.25, h).reshape(len(x), -1)
        h = drop(two, 0.5, jax.nn.relu(h @ third["kernel"] + third["bias"]))
        p = jnp.clip(jax.nn.softmax(h @ fourth["kernel"] + fourth["bias"]), 1e-7, 1 - 1e-7)
        value = -jnp.mean(jnp.sum(y * jnp.log(p), -1))
        return value, jnp.mean(p.argmax(-1) == y.argmax(-1))

    @jax.jit
    def step(params, state, key, x, y):
        logs, gradients = jax.value_and_grad(loss, has_aux=True)(params, key, x, y)
        updates, state = optimizer.update(gradients, state, params)
        return optax.apply_updates(params, updates), state, logs

    def by_step() -> None:
        params, state = initial, optimizer.init(initial)
        order = np.random.permutation(ROWS)
        total = np.zeros(2)
        for index in range(ROWS // BATCH):
            rows = order[index * BATCH : (index + 1) * BATCH]
            params, state, logs = step(params, state, random.key(index), x[rows], y[rows])
            total += np.asarray(logs)
        jax.block_until_ready(params)

    compare(
        "MNIST CNN, 12 steps",
        {
            "step loop by hand": by_step,
            "funkeras fit": lambda: model.fit(x, y, batch_size=BATCH, epochs=1, verbose=0),
        },
        rounds,
        "step loop by hand",
    )


if __name__ == "__main__":
    main()
