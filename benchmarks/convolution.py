"""A convolution with both its gradients inside a device loop, in the formulations to choose from.

`library` leaves the gradients to JAX; `patches` multiplies gathered patches by the kernel's matrix;
`plain` is `funkeras.functional.convolve`. Run with shapes of your own as
`python -m benchmarks.convolution BATCH,SIZE,IN,OUT,KERNEL ...`.
"""

import sys
from collections.abc import Callable
from itertools import product

import jax
import jax.numpy as jnp
from jax import lax, random

from benchmarks.timing import compare
from funkeras.functional.convolve import convolve
from funkeras.functional.products import times
from funkeras.typing import Array

__all__: list[str] = []

STEPS = 3
SHAPES = [
    (32, 32, 3, 32, 3),
    (32, 28, 1, 32, 5),
    (128, 28, 1, 32, 3),
    (32, 14, 64, 64, 1),
    (32, 14, 64, 64, 3),
    (32, 28, 32, 32, 3),
    (32, 28, 32, 32, 5),
    (128, 14, 32, 32, 3),
]


def library(x: Array, kernel: Array) -> Array:
    numbers = ("NHWC", "HWIO", "NHWC")
    return lax.conv_general_dilated(x, kernel, (1, 1), "VALID", dimension_numbers=numbers)


def patches(x: Array, kernel: Array) -> Array:
    rows, columns, _, filters = kernel.shape
    height, width = x.shape[1] - rows + 1, x.shape[2] - columns + 1
    seen = [x[:, i : i + height, j : j + width] for i, j in product(range(rows), range(columns))]
    return times(jnp.concatenate(seen, -1), kernel.reshape(-1, filters))


def plain(x: Array, kernel: Array) -> Array:
    return convolve(x, kernel, (1, 1), ((0, 0), (0, 0)), (1, 1))


def looped(forward: Callable[[Array, Array], Array]) -> Callable[..., Array]:
    """Steps of descent on input and kernel, so that every step needs the one before it."""

    def loss(x: Array, kernel: Array) -> Array:
        return jnp.mean(jnp.square(forward(x, kernel)))

    def body(_: int, both: tuple[Array, Array]) -> tuple[Array, Array]:
        gradients = jax.grad(loss, argnums=(0, 1))(*both)
        return jax.tree.map(lambda a, g: a - 1e-3 * g, both, gradients)

    @jax.jit
    def run(x: Array, kernel: Array, steps: int) -> tuple[Array, Array]:
        return lax.fori_loop(0, steps, body, (x, kernel))

    return run


def timed(forward: Callable[[Array, Array], Array], *operands: Array) -> Callable[[], object]:
    """A contestant: the loop over all steps, waited for."""
    run = looped(forward)
    return lambda: jax.block_until_ready(run(*operands, STEPS))


def main(shapes: list[tuple[int, ...]], rounds: int = 5) -> None:
    """Print a table for each shape."""
    for batch, size, channels, filters, width in shapes:
        x = random.normal(random.key(0), (batch, size, size, channels))
        kernel = random.normal(random.key(1), (width, width, channels, filters))
        formulations = {"plain": plain, "patches": patches, "library": library}
        compare(
            f"{batch} x {size} x {size}, {channels} to {filters}, {width} x {width}, {STEPS} steps",
            {name: timed(forward, x, kernel) for name, forward in formulations.items()},
            rounds,
            baseline="library",
        )


if __name__ == "__main__":
    main([tuple(map(int, text.split(","))) for text in sys.argv[1:]] or SHAPES)
