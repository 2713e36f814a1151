"""The net of `mnist_cnn.py` as pure functions, trained by a loop of its own with optax.

Score: 97.3 % of 1,000 test digits after 15 epochs, in 23 seconds.
"""

import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import optax

sys.path.append(str(Path(__file__).parents[1]))
from common import digits, start

from funkeras import functional as F
from funkeras.utils.plotting import plot_confusion


def main() -> float:
    run = start(__doc__, epochs=15)
    (x, y), (x_test, y_test) = jax.tree.map(jnp.asarray, digits(run))
    first = [F.conv2d(32, 3, activation="relu"), F.max_pooling2d()]
    second = [F.conv2d(64, 3, activation="relu"), F.max_pooling2d(), F.dropout(0.25)]
    net = F.serial(*first, *second, F.flatten(), F.dense(128, "relu"), F.dropout(0.5), F.dense(10))
    params, state = net.init(run.key(), x.shape)
    optimizer = optax.adam(optax.cosine_decay_schedule(2e-3, len(x) // 50 * run.epochs))

    def loss(params, x, y, key):
        logits, _ = net.apply(params, state, x, training=True, key=key)
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

    @jax.jit
    def epoch(key, params, slots):
        def step(carry, batch):
            rows, key = batch
            gradients = jax.grad(loss)(carry[0], x[rows], y[rows], key)
            changes, slots = optimizer.update(gradients, carry[1])
            return (optax.apply_updates(carry[0], changes), slots), None

        rows = jax.random.permutation(key, len(x)).reshape(-1, 50)
        return jax.lax.scan(step, (params, slots), (rows, jax.random.split(key, len(rows))))[0]

    slots = optimizer.init(params)
    for key in jax.random.split(run.key(), run.epochs):
        params, slots = epoch(key, params, slots)
    logits, _ = jax.jit(net.apply)(params, state, x_test)
    run.picture("mnist_cnn_functional", plot_confusion, y_test, logits)
    accuracy = float((logits.argmax(-1) == y_test).mean())
    print(f"Test accuracy {accuracy:.4f}")
    return accuracy


if __name__ == "__main__":
    main()
