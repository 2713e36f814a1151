"""Sixteen networks trained as one: `vmap` over the whole training of a net, in one program.

Each has its own weights and its own order of the data. Their mean probability is more often right
than one network, and more often as sure as it ought to be: the calibration error is the distance
between how sure a network is and how often it is right. Lakshminarayanan, Pritzel and Blundell
2017, https://arxiv.org/abs/1612.01474

Score: 94.4 % of 1,000 test digits, against 93.8 % by one; calibration error 0.012 against 0.027;
after 12 epochs, in 13 seconds.
"""

import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

sys.path.append(str(Path(__file__).parents[1]))
from common import digits, start

from funkeras import functional as F
from funkeras.utils.charts import plot_curves

NETS, BATCH, BINS = 16, 50, 10


def reliability(probabilities, y):
    """How sure and how often right, in ten bins by how sure; and the mean distance of the two."""
    sure, right = probabilities.max(-1), probabilities.argmax(-1) == y
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    filled = [bins == number for number in range(BINS) if np.any(bins == number)]
    means = [(sure[rows].mean(), right[rows].mean(), rows.mean()) for rows in filled]
    sure, right, share = np.array(means).T
    return sure, right, float(np.sum(share * np.abs(sure - right)))


def main() -> float:
    run = start(__doc__, epochs=12)
    (x, y), (x_test, y_test) = digits(run)
    x, y = jnp.asarray(x), jnp.asarray(y)
    net = F.serial(F.flatten(), F.dense(128, "relu"), F.dense(128, "relu"), F.dense(10))
    optimizer = optax.adam(1e-3)

    def loss(params, x, y):
        logits, _ = net.apply(params, {}, x)
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

    def step(carry, rows) -> Any:
        params, slots = carry
        changes, slots = optimizer.update(jax.grad(loss)(params, x[rows], y[rows]), slots)
        return (optax.apply_updates(params, changes), slots), None

    def trained(key):
        """The probabilities that a network of this key gives for the test digits."""
        params, _ = net.init(key, x.shape)
        epochs = jax.random.split(key, run.epochs)
        orders = jax.vmap(lambda key: jax.random.permutation(key, len(x)))(epochs)
        carry = params, optimizer.init(params)
        (params, _), _ = jax.lax.scan(step, carry, orders.reshape(-1, BATCH))
        return jax.nn.softmax(net.apply(params, {}, jnp.asarray(x_test))[0])

    each = np.asarray(jax.jit(jax.vmap(trained))(jax.random.split(run.key(), NETS)))
    together = each.mean(0)
    one = np.mean(each.argmax(-1) == y_test)
    all_of_them = np.mean(together.argmax(-1) == y_test)
    print(f"Test accuracy: one network {one:.1%}, {NETS} networks {all_of_them:.1%}")
    single = [reliability(probabilities, y_test)[2] for probabilities in each]
    *curve, error = reliability(together, y_test)
    print(f"Calibration error: one network {np.mean(single):.3f}, {NETS} networks {error:.3f}")
    run.picture(
        "ensemble",
        plot_curves,
        {
            "perfect": ([0, 1], [0, 1]),
            "one network": reliability(each[0], y_test)[:2],
            f"{NETS} networks": tuple(curve),
        },
        x_label="how sure",
        y_label="how often right",
    )
    return float(all_of_them)


if __name__ == "__main__":
    main()
