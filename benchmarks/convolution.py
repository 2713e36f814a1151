"""`python -m benchmarks.convolution`: which formulation of a convolution trains fastest on a CPU.

A small step of a net is timed, convolution, bias, relu and the gradients of input and kernel,
inside a device loop, by each formulation that `funkeras.functional.convolve` has. The table says
what its rule `ON_CPU` picks. Give shapes of your own as
`BATCH,SIZE,IN,OUT,KERNEL[,STRIDE[,DILATION[,AXES[,GROUPS]]]] ...`; groups have a channel each.
"""

import sys
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax, random

from benchmarks.timing import interleaved
from funkeras.functional.convolve import (
    FORMS,
    GIVEN,
    ON_CPU,
    Geometry,
    Wanted,
    explicit_padding,
    output_sizes,
)
from funkeras.programs import compiler_options
from funkeras.typing import Array

__all__: list[str] = []

STEPS = 3


class Shape(NamedTuple):
    """A convolution: as many spatial axes as `axes`, all of the same size."""

    batch: int
    size: int
    channels: int
    filters: int
    width: int
    stride: int = 1
    dilation: int = 1
    axes: int = 2
    groups: int = 1

    @property
    def geometry(self) -> Geometry:
        """What the formulations are told."""
        n = self.axes
        lists = (self.size,) * n, (self.width,) * n, (self.stride,) * n, (self.dilation,) * n
        size, width, stride, dilation = lists
        padding = explicit_padding("same", size, width, stride, dilation)
        return Geometry(size, width, stride, padding, dilation, self.groups)

    def operands(self) -> tuple[Array, Array]:
        """Input and kernel."""
        n = self.axes
        kernel = (*(self.width,) * n, self.channels // self.groups, self.filters)
        x = (self.batch, *(self.size,) * n, self.channels)
        return random.normal(random.key(0), x), random.normal(random.key(1), kernel) / 100

    @property
    def operations(self) -> int:
        """Of the three products of a step."""
        g = self.geometry
        out = output_sizes(g.size, g.kernel_size, g.strides, g.padding, g.dilation)
        places = self.batch * self.filters * self.channels // self.groups
        for own in (*out, *g.kernel_size):
            places *= own
        return 3 * 2 * places

    def __str__(self) -> str:
        own = f"{self.batch} x {' x '.join([str(self.size)] * self.axes)} x {self.channels}"
        own += f" to {self.filters} by {self.width}"
        options = {"stride": self.stride, "dilation": self.dilation, "groups": self.groups}
        return ", ".join([own, *(f"{name} {n}" for name, n in options.items() if n > 1)])


SHAPES = [
    Shape(128, 28, 1, 32, 3),
    Shape(32, 28, 1, 32, 5),
    Shape(32, 32, 3, 32, 3),
    Shape(8, 112, 3, 64, 7, 2),
    Shape(32, 28, 32, 32, 3),
    Shape(32, 28, 32, 32, 5),
    Shape(32, 28, 32, 32, 3, 2),
    Shape(32, 28, 32, 32, 3, 1, 2),
    Shape(32, 14, 64, 64, 3),
    Shape(32, 14, 64, 64, 1, 2),
    Shape(16, 14, 64, 64, 7),
    Shape(16, 14, 128, 128, 3),
    Shape(16, 14, 128, 128, 3, 2),
    Shape(8, 14, 256, 256, 3),
    Shape(32, 400, 64, 256, 3, axes=1),
    Shape(32, 256, 32, 32, 5, 1, 4, axes=1),
    Shape(8, 16, 1, 16, 3, axes=3),
    Shape(8, 14, 16, 32, 3, axes=3),
    Shape(4, 8, 64, 64, 3, axes=3),
    Shape(32, 28, 32, 32, 3, groups=32),
    Shape(16, 14, 128, 128, 3, groups=128),
]


def formulated(form: str, geometry: Geometry) -> Callable[[Array, Array], Array]:
    """The convolution whose three parts are computed by that formulation."""

    def part(wanted: Wanted, **known: Array) -> Array:
        a, b = (known[name] for name in GIVEN[wanted])
        return FORMS[form](a, b, wanted=wanted, geometry=geometry)

    @jax.custom_vjp
    def run(x: Array, kernel: Array) -> Array:
        return part("y", x=x, kernel=kernel)

    def forward(x: Array, kernel: Array) -> tuple[Array, tuple[Array, Array]]:
        return run(x, kernel), (x, kernel)

    def backward(kept: tuple[Array, Array], y: Array) -> tuple[Array, Array]:
        x, kernel = kept
        return part("x", y=y, kernel=kernel), part("kernel", x=x, y=y)

    run.defvjp(forward, backward)
    return run


def looped(shape: Shape, form: str) -> Callable[[], object]:
    """Steps of descent on input, kernel and bias; every step needs the one before it."""
    convolve = formulated(form, shape.geometry)

    def loss(x: Array, kernel: Array, bias: Array) -> Array:
        return jnp.mean(jnp.square(jax.nn.relu(convolve(jnp.tanh(x), kernel) + bias)))

    def body(_: int, all_three: tuple[Array, ...]) -> tuple[Array, ...]:
        gradients = jax.grad(loss, argnums=(0, 1, 2))(*all_three)
        return tuple(a - 1e-3 * g for a, g in zip(all_three, gradients, strict=True))

    options = compiler_options(jax.default_backend())
    run = jax.jit(lambda *given: lax.fori_loop(0, STEPS, body, given), compiler_options=options)
    given = (*shape.operands(), jnp.zeros(shape.filters))
    return lambda: jax.block_until_ready(run(*given))


def main(shapes: list[Shape], rounds: int = 5) -> None:
    """Print a row for each shape: milliseconds of a step, and the rate of the picked one."""
    print(f"| ms of a step | {' | '.join(FORMS)} | picked | GFLOP/s |")
    print("|---" * (len(FORMS) + 3) + "|")
    for shape in shapes:
        picked = ON_CPU[shape.axes, shape.groups > 1]
        able = [form for form in FORMS if shape.groups == 1 or form != "plain"]
        medians = interleaved({form: looped(shape, form) for form in able}, rounds)
        seconds = {form: median / STEPS for form, median in medians.items()}
        cells = " | ".join(f"{1e3 * seconds[f]:.2f}" if f in seconds else "" for f in FORMS)
        rate = shape.operations / seconds[picked] / 1e9
        print(f"| {shape} | {cells} | {picked} | {rate:.0f} |", flush=True)


if __name__ == "__main__":
    main([Shape(*map(int, text.split(","))) for text in sys.argv[1:]] or SHAPES)
