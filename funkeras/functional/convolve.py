"""`convolve`: the n-dimensional convolution, with derivatives that are fast inside device loops.

XLA's CPU backend runs a convolution fast only in its plain form: samples first, channels last, no
contraction over the samples. The gradients that JAX derives are not in that form; inside a device
loop, where training runs, they take 10 to 100 times as long (`python -m benchmarks.convolution`).

A convolution is one trilinear form of input, kernel and output: given two of them, each of its
derivatives is the same form solved for the third. So one primitive holds them all, each of its
transposes is itself, and derivatives of any order and mode follow. What each of the three runs is
said where it is lowered: plain convolutions on CPU, the library's own transposes elsewhere.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import Any, Literal, TypeAlias

import jax
import jax.numpy as jnp
from jax import lax
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from funkeras.functional.precision import at_least_single
from funkeras.functional.products import times
from funkeras.typing import Array

__all__ = [
    "Padding",
    "convolve",
    "convolve_transposed",
    "explicit_padding",
    "output_sizes",
    "same_from",
]

Padding: TypeAlias = tuple[tuple[int, int], ...]
"""How much goes before and after each spatial axis."""

Wanted: TypeAlias = Literal["y", "x", "kernel"]

GIVEN: dict[Wanted, tuple[Wanted, Wanted]] = {
    "y": ("x", "kernel"),
    "x": ("y", "kernel"),
    "kernel": ("x", "y"),
}
"""What each part of the form follows from, in the order of the primitive's operands."""

BLOCK = 8
"""Samples whose share of the kernel's gradient is one convolution, small enough for the cache."""

UNROLLED = 16
"""Blocks that are written out before a loop runs them."""


@dataclass(frozen=True)
class Geometry:
    """The numbers of a convolution: all but its arrays.

    `size` and `kernel_size` are the spatial shapes of input and kernel, which the output's shape
    does not tell.
    """

    size: tuple[int, ...]
    kernel_size: tuple[int, ...]
    strides: tuple[int, ...]
    padding: Padding
    dilation: tuple[int, ...]
    groups: int


def explicit_padding(
    padding: str,
    size: Sequence[int],
    kernel_size: Sequence[int],
    strides: Sequence[int],
    dilation: Sequence[int],
) -> Padding:
    """What `valid`, `same`, `full` or `causal` adds before and after each axis.

    `same` gives ceil(size / stride) outputs and puts an odd zero at the end, as TensorFlow does;
    `same_theano` gives as many, the first of them with half the kernel before the input.

    >>> explicit_padding("same", (5, 6), (3, 2), (1, 2), (1, 1))
    ((1, 1), (0, 0))
    """

    def same(n: int, span: int, stride: int) -> tuple[int, int]:
        total = max((math.ceil(n / stride) - 1) * stride + span + 1 - n, 0)
        return total // 2, total - total // 2

    rules: dict[str, Callable[[int, int, int], tuple[int, int]]] = {
        "valid": lambda n, span, stride: (0, 0),
        "same": same,
        "full": lambda n, span, stride: (span, span),
        "causal": lambda n, span, stride: (span, 0),
        "same_theano": lambda n, span, stride: same_from((span + 1) // 2, n, span, stride),
    }
    spans = [(k - 1) * d for k, d in zip(kernel_size, dilation, strict=True)]
    return tuple(map(rules[padding], size, spans, strides))


def same_from(before: int, n: int, span: int, stride: int) -> tuple[int, int]:
    """Padding of an axis for ceil(n / stride) outputs, with that much of it before the input.

    >>> same_from(1, 6, 2, 2), same_from(2, 6, 3, 1)
    ((1, 0), (2, 1))
    """
    return before, max((math.ceil(n / stride) - 1) * stride + span + 1 - n - before, 0)


def output_sizes(
    size: Sequence[int],
    kernel_size: Sequence[int],
    strides: Sequence[int],
    padding: Padding,
    dilation: Sequence[int],
) -> tuple[int, ...]:
    """Number of outputs along each axis; not positive where the kernel does not fit.

    >>> output_sizes((28, 28), (3, 3), (1, 2), ((0, 0), (1, 1)), (1, 1))
    (26, 14)
    """
    return tuple(
        (n + lo + hi - (k - 1) * d - 1) // s + 1
        for n, k, s, (lo, hi), d in zip(size, kernel_size, strides, padding, dilation, strict=True)
    )


def convolve(
    x: Array,
    kernel: Array,
    strides: tuple[int, ...],
    padding: Padding,
    dilation: tuple[int, ...],
    groups: int = 1,
) -> Array:
    """Cross-correlate `x` (batch, *space, in) and `kernel` (*space, in / groups, out).

    y[b, p, o] = sum over q, i of x[b, p * strides + q * dilation - padding, i] kernel[q, i, o]
    """
    dtype = jnp.result_type(x, kernel)
    x, kernel = x.astype(dtype), kernel.astype(dtype)
    space = kernel.ndim - 2
    pointwise = kernel.shape[:space] == (1,) * space and groups == 1
    if pointwise and set(strides) == {1} and padding == ((0, 0),) * space:
        return times(x, kernel.reshape(kernel.shape[space:]))
    geometry = Geometry(x.shape[1:-1], kernel.shape[:space], strides, padding, dilation, groups)
    return _bind("y", geometry, x[None], kernel[None])[0]


def convolve_transposed(
    y: Array,
    kernel: Array,
    size: tuple[int, ...],
    strides: tuple[int, ...],
    padding: Padding,
    dilation: tuple[int, ...],
) -> Array:
    """Spread `y` (batch, *space, in) over `size` places by `kernel` (*space, out, in).

    The transpose of `convolve` with the same geometry:
    x[b, p * strides + q * dilation - padding, o] sums y[b, p, i] kernel[q, o, i] over p, q and i.
    """
    dtype = jnp.result_type(y, kernel)
    y, kernel = y.astype(dtype), kernel.astype(dtype)
    geometry = Geometry(size, kernel.shape[: len(size)], strides, padding, dilation, 1)
    return _bind("x", geometry, y[None], kernel[None])[0]


# The primitive. Its operands have a leading axis of ensemble members, which `vmap` fills.

convolution_p = Primitive("convolution")


def _bind(wanted: Wanted, geometry: Geometry, a: Array, b: Array) -> Array:
    return convolution_p.bind(a, b, wanted=wanted, geometry=geometry)  # pyright: ignore


def _shape(wanted: Wanted, geometry: Geometry, a: Any, b: Any) -> tuple[int, ...]:
    g = geometry
    if wanted == "y":
        out = output_sizes(g.size, g.kernel_size, g.strides, g.padding, g.dilation)
        return (*a.shape[:2], *out, b.shape[-1])
    if wanted == "x":
        return (*a.shape[:2], *g.size, b.shape[-2] * g.groups)
    return (a.shape[0], *g.kernel_size, a.shape[-1] // g.groups, b.shape[-1])


def _abstract(a: Any, b: Any, *, wanted: Wanted, geometry: Geometry) -> Any:
    return a.update(shape=_shape(wanted, geometry, a, b), weak_type=False)


def _transpose(
    index: int, cotangent: Array, *operands: Any, wanted: Wanted, geometry: Geometry
) -> Array:
    names = GIVEN[wanted]
    sought = names[index]
    known = {wanted: cotangent, names[1 - index]: operands[1 - index]}
    return _bind(sought, geometry, *(known[name] for name in GIVEN[sought]))


def _batch(
    operands: Sequence[Array], axes: Sequence[int | None], *, wanted: Wanted, geometry: Geometry
) -> tuple[Array, int]:
    """`vmap`: over samples where the kernel is common, else over members of an ensemble."""
    common = [name for name, axis in zip(GIVEN[wanted], axes, strict=True) if axis is None]
    target = 1 if common == ["kernel"] else 0
    count = next(a.shape[axis] for a, axis in zip(operands, axes, strict=True) if axis is not None)

    def merge(a: Array, axis: int | None) -> Array:
        if axis is None and target == 1:
            return a
        a = jnp.broadcast_to(a, (count, *a.shape)) if axis is None else jnp.moveaxis(a, axis, 0)
        a = jnp.moveaxis(a, 0, target)
        return a.reshape(*a.shape[:target], -1, *a.shape[target + 2 :])

    y = _bind(wanted, geometry, *map(merge, operands, axes))
    return y.reshape(*y.shape[:target], count, -1, *y.shape[target + 1 :]), target


convolution_p.def_impl(jax.jit(convolution_p.bind, static_argnames=("wanted", "geometry")))
convolution_p.def_abstract_eval(_abstract)
ad.defbilinear(convolution_p, partial(_transpose, 0), partial(_transpose, 1))
batching.primitive_batchers[convolution_p] = _batch


# What it runs, for one member.


def _plain(x: Array, kernel: Array, **options: Any) -> Array:
    """The library's convolution, samples first and channels last."""
    last, space = x.ndim - 1, range(x.ndim - 2)
    arrays = (0, last, *(axis + 1 for axis in space))
    numbers = lax.ConvDimensionNumbers(arrays, (last, last - 1, *space), arrays)
    return lax.conv_general_dilated(x, kernel, dimension_numbers=numbers, **options)


def _forward(x: Array, kernel: Array, *, geometry: Geometry) -> Array:
    return _plain(
        x,
        kernel,
        window_strides=geometry.strides,
        padding=geometry.padding,
        rhs_dilation=geometry.dilation,
        feature_group_count=geometry.groups,
    )


def _backward(y: Array, kernel: Array, *, geometry: Geometry) -> Array:
    """The input's part: the output, spread by the strides, against the kernel turned round."""
    g = geometry
    spans = [(k - 1) * d for k, d in zip(g.kernel_size, g.dilation, strict=True)]
    spread = [(n - 1) * s + 1 for n, s in zip(y.shape[1:-1], g.strides, strict=True)]
    return _plain(
        y,
        jnp.flip(kernel, range(len(spans))).swapaxes(-1, -2),
        window_strides=(1,) * len(spans),
        padding=[
            (span - lo, n - m + lo)
            for span, n, m, (lo, _) in zip(spans, g.size, spread, g.padding, strict=True)
        ],
        lhs_dilation=g.strides,
        rhs_dilation=g.dilation,
    )


def _padded(x: Array, geometry: Geometry, out: Sequence[int]) -> Array:
    """The input with its padding, and without what no output reads."""
    g = geometry
    read = [
        (n - 1) * s + (k - 1) * d + 1
        for n, s, k, d in zip(out, g.strides, g.kernel_size, g.dilation, strict=True)
    ]
    edges = [(lo, m - n - lo, 0) for n, m, (lo, _) in zip(g.size, read, g.padding, strict=True)]
    return lax.pad(x, jnp.zeros((), x.dtype), ((0, 0, 0), *edges, (0, 0, 0)))


def _kernel_by_blocks(x: Array, y: Array, *, geometry: Geometry) -> Array:
    """The kernel's part as convolutions that contract a few samples each, as if channels."""
    space = len(geometry.size)
    x = _padded(x, geometry, y.shape[1:-1])

    def block(x: Array, y: Array) -> Array:
        part = _plain(
            jnp.moveaxis(jnp.moveaxis(x, -1, 0), 1, -1),
            jnp.moveaxis(y, 0, -2),
            window_strides=geometry.dilation,
            padding="VALID",
            rhs_dilation=geometry.strides,
            preferred_element_type=at_least_single(x.dtype),
        )
        return jnp.moveaxis(part, 0, space)

    count, rest = divmod(x.shape[0], BLOCK)
    if count < 2:
        return block(x, y).astype(x.dtype)
    blocks = [a[: count * BLOCK].reshape(count, BLOCK, *a.shape[1:]) for a in (x, y)]
    total, _ = lax.scan(
        lambda total, pair: (total + block(*pair), None),
        block(x[-rest:], y[-rest:]) if rest else block(blocks[0][0], blocks[1][0]),
        blocks if rest else [a[1:] for a in blocks],
        unroll=min(count, UNROLLED),
    )
    return total.astype(x.dtype)


def _products(x: Array, kernel: Array, *, geometry: Geometry) -> Array:
    """A convolution place by place: the input seen there times the kernel's matrix.

    With one channel a group (depthwise) the matrix is a row for each channel.
    """
    g = geometry
    out = output_sizes(g.size, g.kernel_size, g.strides, g.padding, g.dilation)
    x = _padded(x, g, out)
    through = times
    if g.groups > 1:
        through = jnp.multiply
        x = jnp.repeat(x, kernel.shape[-1] // g.groups, axis=-1)
        kernel = kernel[..., 0, :]

    def at(place: tuple[int, ...]) -> Array:
        seen = tuple(
            slice(q * d, q * d + (n - 1) * s + 1, s)
            for q, n, s, d in zip(place, out, g.strides, g.dilation, strict=True)
        )
        return through(x[:, *seen], kernel[place]).astype(at_least_single(x.dtype))

    first, *others = product(*map(range, g.kernel_size))
    return sum(map(at, others), start=at(first)).astype(x.dtype)


def _transposed(
    forward: Callable[..., Array], a: Array, b: Array, *, wanted: Wanted, geometry: Geometry
) -> Array:
    """Any part of the form, as JAX transposes a forward convolution."""
    forward = partial(forward, geometry=geometry)
    if wanted == "y":
        return forward(a, b)
    like = jax.ShapeDtypeStruct(_shape(wanted, geometry, a[None], b[None])[1:], a.dtype)
    if wanted == "x":
        return jax.linear_transpose(lambda x: forward(x, b), like)(a)[0]
    return jax.linear_transpose(lambda kernel: forward(a, kernel), like)(b)[0]


# Which of these runs where.

PLAIN: dict[Wanted, Callable[..., Array]] = {
    "y": _forward,
    "x": _backward,
    "kernel": _kernel_by_blocks,
}

Form: TypeAlias = Callable[..., Array]
"""Computes a part of the form: `(a, b, *, wanted, geometry)`."""

FORMS: dict[str, Form] = {
    "plain": lambda a, b, *, wanted, geometry: PLAIN[wanted](a, b, geometry=geometry),
    "products": partial(_transposed, _products),
    "library": partial(_transposed, _forward),
}

ON_CPU: dict[tuple[int, bool], str] = {
    (1, False): "plain",
    (2, False): "plain",
    (3, False): "products",
    (1, True): "products",
    (2, True): "products",
    (3, True): "products",
}
"""By the number of spatial axes, and whether each channel is a group of its own, what is fastest in
a training step whatever the channels, sizes, strides and dilations (`python -m
benchmarks.convolution`). A product by places alone may be twice as fast where there are many
channels; with what a net does before and after it, it takes up to twice as long."""


def _split(a: Array, groups: int) -> Array:
    """Groups as members: (members, ..., channels) to (members * groups, ..., channels / groups)."""
    a = jnp.moveaxis(a.reshape(*a.shape[:-1], groups, -1), -2, 1)
    return a.reshape(-1, *a.shape[2:])


def _join(a: Array, groups: int) -> Array:
    """Members as groups: `_split` undone."""
    a = jnp.moveaxis(a.reshape(-1, groups, *a.shape[1:]), 1, -2)
    return a.reshape(*a.shape[:-2], -1)


def _on_cpu(a: Array, b: Array, *, wanted: Wanted, geometry: Geometry) -> Array:
    """Plain convolutions of members and groups one by one; products where those are slow."""
    g = geometry
    depth = b.shape[-2] if wanted != "kernel" else a.shape[-1] // g.groups
    groups = 1 if depth == 1 else g.groups
    if groups > 1:
        g = replace(g, groups=1)
        a, b = (_split(part, groups) for part in (a, b))
    run = partial(
        FORMS[ON_CPU.get((len(g.size), g.groups > 1), "products")], wanted=wanted, geometry=g
    )
    if a.shape[0] > UNROLLED:
        y = lax.map(lambda pair: run(*pair), (a, b))
    else:
        y = jnp.stack([run(*pair) for pair in zip(a, b, strict=True)])
    return _join(y, groups) if groups > 1 else y


def _elsewhere(a: Array, b: Array, *, wanted: Wanted, geometry: Geometry) -> Array:
    """The library's convolution and its transposes, an ensemble as groups."""
    return jax.vmap(partial(FORMS["library"], wanted=wanted, geometry=geometry))(a, b)


mlir.register_lowering(convolution_p, mlir.lower_fun(_elsewhere, multiple_results=False))
mlir.register_lowering(
    convolution_p, mlir.lower_fun(_on_cpu, multiple_results=False), platform="cpu"
)
