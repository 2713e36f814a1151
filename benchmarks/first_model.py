"""The first model of the guide: Dense 64 and 10 on 100 inputs, batch 32, SGD, 10,000 rows.

One epoch of `fit` beside the same net by hand: a jitted optax step called from a Python loop, and
a whole epoch as one program.
"""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

from benchmarks.timing import compare
from funkeras.layers import Activation, Dense
from funkeras.models import Sequential

__all__: list[str] = []

ROWS, BATCH, RATE = 10_000, 32, 0.01


def main(rounds: int = 15) -> None:
    """Print the table."""
    generator = np.random.default_rng(0)
    x = generator.standard_normal((ROWS, 100), dtype=np.float32)
    y = np.eye(10, dtype=np.float32)[generator.integers(0, 10, ROWS)]

    model = Sequential()
    model.add(Dense(64, input_dim=100))
    model.add(Activation("relu"))
    model.add(Dense(10))
    model.add(Activation("softmax"))
    model.compile(loss="categorical_crossentropy", optimizer="sgd", metrics=["accuracy"])
    initial = jax.tree.map(jnp.copy, [layer.params for layer in model.layers if layer.params])

    optimizer = optax.sgd(RATE)

    def loss(params, x, y):
        hidden = jax.nn.relu(x @ params[0]["kernel"] + params[0]["bias"])
        p = jax.nn.softmax(hidden @ params[1]["kernel"] + params[1]["bias"])
        p = jnp.clip(p / p.sum(-1, keepdims=True), 1e-7, 1 - 1e-7)
        value = -jnp.mean(jnp.sum(y * jnp.log(p), -1))
        return value, jnp.mean(p.argmax(-1) == y.argmax(-1))

    def step(params, state, x, y):
        logs, gradients = jax.value_and_grad(loss, has_aux=True)(params, x, y)
        updates, state = optimizer.update(gradients, state, params)
        return optax.apply_updates(params, updates), state, logs

    jitted = jax.jit(step)

    @jax.jit
    def epoch(params, state, x, y, order):
        def body(index, carry):
            params, state, total = carry
            rows = order[index]
            params, state, logs = step(params, state, x[rows], y[rows])
            return params, state, total + jnp.stack(logs)

        return lax.fori_loop(0, order.shape[0], body, (params, state, jnp.zeros(2)))

    steps = ROWS // BATCH

    def by_step() -> None:
        params, state = initial, optimizer.init(initial)
        order = np.random.permutation(ROWS)
        total = np.zeros(2)
        for index in range(steps):
            rows = order[index * BATCH : (index + 1) * BATCH]
            params, state, logs = jitted(params, state, x[rows], y[rows])
            total += np.asarray(logs)
        jax.block_until_ready(params)

    on_device = jnp.asarray(x), jnp.asarray(y)

    def by_epoch() -> None:
        order = jnp.asarray(np.random.permutation(ROWS)[: steps * BATCH].reshape(steps, BATCH))
        jax.block_until_ready(epoch(initial, optimizer.init(initial), *on_device, order))

    compare(
        "first model, one epoch",
        {
            "step loop by hand": by_step,
            "whole epoch by hand": by_epoch,
            "funkeras fit": lambda: model.fit(x, y, batch_size=BATCH, epochs=1, verbose=0),
        },
        rounds,
        "step loop by hand",
    )


if __name__ == "__main__":
    main()
