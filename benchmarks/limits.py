"""`python -m benchmarks.limits`: an epoch beside the part of it that no library is spared.

For the dense nets and the recurrent ones that part is the matrix products alone, on data that is
zero, with nothing between them; for the first model the whole epoch by hand with a loss that, as
Keras's, is computed from probabilities.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from benchmarks.contestants import funkeras, training_step, whole_epoch
from benchmarks.timing import compare, repeated
from benchmarks.workloads import WORKLOADS
from funkeras.programs import compiler_options

__all__: list[str] = []

Arrays = Mapping[str, jax.Array]


def as_keras(work: Any, optimizer: Any) -> Callable[..., Any]:
    """A step whose loss is that of Keras: from probabilities, each kept away from 0 and 1."""

    def loss(logits: jax.Array, y: jax.Array) -> jax.Array:
        p = jax.nn.softmax(logits)
        p = jnp.clip(p / p.sum(-1, keepdims=True), 1e-7, 1 - 1e-7)
        return -(y * jnp.log(p)).sum(-1).mean()

    return training_step(work, optimizer, loss)


def of_dense(a: Arrays) -> Arrays:
    """The products of a step of the MLP: forward, for the inputs' gradients, for the kernels'."""
    return {
        "x": a["x"],
        "h1": a["x"] @ a["w1"],
        "h2": a["h1"] @ a["w2"],
        "d3": a["h2"] @ a["w3"],
        "d2": a["d3"] @ a["w3"].T,
        "d1": a["d2"] @ a["w2"].T,
        "w1": a["x"].T @ a["d1"],
        "w2": a["h1"].T @ a["d2"],
        "w3": a["h2"].T @ a["d3"],
    }


MLP = {
    "x": (128, 784),
    **dict.fromkeys(("h1", "h2", "d1", "d2"), (128, 512)),
    "d3": (128, 10),
    "w1": (784, 512),
    "w2": (512, 512),
    "w3": (512, 10),
}


def of_lstm(a: Arrays, *, steps: int, embedded: bool) -> Arrays:
    """The products of a step of an LSTM: two loops over time, and those of all times at once."""
    width = a["h"].shape[1]

    def forward(_: Any, h: jax.Array) -> jax.Array:
        return (h @ a["recurrent"])[:, :width]

    def backward(_: Any, d: jax.Array) -> jax.Array:
        return jnp.tile(d, (1, 4)) @ a["recurrent"].T

    h = lax.fori_loop(0, steps, forward, a["h"])
    return {
        "x": a["z"] @ a["kernel"].T if embedded else a["x"],
        "z": a["x"] @ a["kernel"],
        "h": lax.fori_loop(0, steps, backward, h),
        "hs": a["hs"],
        "kernel": a["x"].T @ a["z"],
        "recurrent": a["hs"].T @ a["z"],
    }


def lstm_shapes(batch: int, steps: int, features: int, units: int) -> dict[str, tuple[int, int]]:
    return {
        "x": (batch * steps, features),
        "z": (batch * steps, 4 * units),
        "h": (batch, units),
        "hs": (batch * steps, units),
        "kernel": (features, 4 * units),
        "recurrent": (units, 4 * units),
    }


def products(
    step: Callable[[Arrays], Arrays], shapes: Mapping[str, tuple[int, int]], steps: int
) -> Callable[[], object]:
    """The products of so many steps as one program, compiled as ours are."""
    zeros = {name: jnp.zeros(shape) for name, shape in shapes.items()}
    run = jax.jit(
        lambda arrays: lax.fori_loop(0, steps, lambda _, a: step(a), arrays),
        compiler_options=compiler_options(jax.default_backend()),
    )
    return lambda: jax.block_until_ready(run(zeros))


LIMITS: dict[str, tuple[str, Callable[[], Callable[[], object]]]] = {
    "first_model": (
        "by hand, from probabilities",
        lambda: whole_epoch(WORKLOADS["first_model"], as_keras),
    ),
    "mnist_mlp": ("matrix products", lambda: products(of_dense, MLP, 30)),
    "word_lstm": (
        "matrix products",
        lambda: products(
            partial(of_lstm, steps=80, embedded=True), lstm_shapes(32, 80, 128, 128), 20
        ),
    ),
    "char_lstm": (
        "matrix products",
        lambda: products(
            partial(of_lstm, steps=40, embedded=False), lstm_shapes(128, 40, 57, 128), 12
        ),
    ),
}
"""Workload → what its limit is and what makes the call that is timed, of an epoch like ours."""


def main() -> None:
    """Time each workload in turns with its limit."""
    for name, (what, make) in LIMITS.items():
        work = WORKLOADS[name]
        limit = make()
        own = limit if name == "first_model" else repeated(limit, work.epochs)
        compare(work.title, {"funkeras": funkeras(work), what: own}, 15, "funkeras")


if __name__ == "__main__":
    main()
