"""Layers around a layer: both directions, each step of a sequence, a kernel of norm 1."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax, random

from funkeras import config, initializers
from funkeras.functional.checks import one_of, positive
from funkeras.functional.combinators import CARRIED, PENALTY, REPORT
from funkeras.functional.pair import Pair, Weight, layer, output_shape
from funkeras.functional.precision import at_least_single
from funkeras.functional.shapes import Shapes, is_shape
from funkeras.typing import Array, Key, Params, PyTree, Shape, State

__all__ = ["bidirectional", "reversed_time", "spectral_normalization", "time_distributed"]

MERGES: dict[str, Callable[[Array, Array], Array]] = {
    "concat": lambda a, b: jnp.concatenate([a, b], axis=-1),
    "sum": jnp.add,
    "mul": jnp.multiply,
    "ave": lambda a, b: (a + b) / 2,
}


@layer("Bidirectional")
def bidirectional(
    layer: Pair, merge_mode: str | None = "concat", backward_layer: Pair | None = None
) -> Pair:
    """A recurrent layer, and another that reads backwards, with their outputs merged.

    Without a `backward_layer` it is the same layer with weights of its own on reversed sequences.
    `merge_mode` is concat, sum, mul, ave, or None for a tuple of both outputs. Initial states in
    the input are the forward layer's, then the backward layer's; so are the states that follow
    the output. Masked steps of whole sequences are 0 in the dialect of Keras 3 and tf.keras.
    Schuster and Paliwal 1997.

    >>> from funkeras.functional import lstm, output_shape
    >>> output_shape(bidirectional(lstm(4)), (None, 5, 3))
    (None, 8)
    """
    one_of("merge_mode", merge_mode, (*MERGES, None))
    if "return_sequences" not in layer.config:
        raise TypeError(f"layer must be a recurrent one, got {layer.name!r}")
    if backward_layer is not None:
        differing = [
            name
            for name in ("return_sequences", "return_state", "stateful")
            if layer.config.get(name) != backward_layer.config.get(name)
        ]
        if differing:
            raise ValueError(f"backward_layer must agree with layer in {', '.join(differing)}")
        if layer.config.get("go_backwards") == backward_layer.config.get("go_backwards"):
            raise ValueError("backward_layer must have the opposite go_backwards of layer")
    axis = 0 if layer.config.get("time_major") else 1
    parts = {
        "forward_layer": layer,
        "backward_layer": backward_layer or reversed_time(layer, axis),
    }

    shared = layer.config.get("num_constants", 0)
    zeroing = config.dialect() == "modern"

    def shares(x: PyTree) -> tuple[PyTree, PyTree]:
        """What of the input each takes: the sequence, half of any states, and all constants."""
        if not isinstance(x, tuple | list) or is_shape(x):
            return x, x
        first, *others = x
        half = (len(others) - shared) // 2
        states, constants = others[: 2 * half], others[2 * half :]
        return (first, *states[:half], *constants), (first, *states[half:], *constants)

    def weights(input_shape: Shapes) -> Iterator[Weight]:
        for (name, pair), shape in zip(parts.items(), shares(input_shape), strict=True):
            for weight in pair.weights(shape):
                yield weight._replace(name=f"{name}/{weight.name}")

    def run(
        params: Params, state: State, x: PyTree, *, training: bool, key: Key | None, mask: PyTree
    ) -> tuple[PyTree, State, PyTree]:
        results = []
        new_state: State = {}
        inputs = zip(parts.items(), shares(x), shares(mask), strict=True)
        for index, ((name, pair), own_x, own_mask) in enumerate(inputs):
            y, own_state, after = pair.run(
                params.get(name, {}),
                state.get(name, {}),
                own_x,
                training=training,
                key=None if key is None else random.fold_in(key, index),
                mask=own_mask,
            )
            y, *states = y if isinstance(y, tuple) else (y,)
            results.append((y, states, after[0] if isinstance(after, tuple) else after))
            if own_state:
                new_state[name] = own_state
        (y, states, after), (back, back_states, _) = results
        if layer.config["return_sequences"]:
            back = jnp.flip(back, axis)
            own = mask[0] if isinstance(mask, tuple | list) else mask
            if zeroing and own is not None:
                y, back = (present(part, own) for part in (y, back))
        states = (*states, *back_states)
        outputs = (y, back) if merge_mode is None else (MERGES[merge_mode](y, back),)
        masks = (after,) * len(outputs) + (None,) * len(states)
        if len(outputs) + len(states) == 1:
            return outputs[0], new_state, after
        return (*outputs, *states), new_state, masks if after is not None else None

    return Pair.running(run, weights=weights)


def present(y: Array, mask: Array) -> Array:
    """Outputs of the steps that a mask keeps; 0 at others."""
    return jnp.where(mask.astype(bool).reshape(*mask.shape, *[1] * (y.ndim - mask.ndim)), y, 0)


def reversed_time(pair: Pair, axis: int = 1) -> Pair:
    """The pair on sequences with their last step first; any states beside them stay."""

    def flip(x: PyTree) -> PyTree:
        if isinstance(x, tuple | list):
            return (flip(x[0]), *x[1:])
        return None if x is None else jnp.flip(x, axis)

    def run(
        params: Params, state: State, x: PyTree, *, mask: PyTree, **flow: Any
    ) -> tuple[PyTree, State, PyTree]:
        y, state, _ = pair.run(params, state, flip(x), mask=flip(mask), **flow)
        return y, state, None

    return pair.rerun(run)


@layer("TimeDistributed")
def time_distributed(layer: Pair) -> Pair:
    """A layer applied to each time step: time is folded into the batch, and unfolded after.

    A mask of (batch, time) goes on; of one with more axes, what the layer makes of it. In the
    dialect of Keras 3 a layer with a state that changes is applied to one step after another: batch
    normalisation normalises each by itself, and its averages move with each.

    >>> from funkeras.functional import dense, output_shape
    >>> output_shape(time_distributed(dense(2)), (None, 5, 3))
    (None, 5, 2)
    """

    if not isinstance(layer, Pair):
        raise TypeError(f"layer must be a layer, got {layer!r}")
    modern = config.dialect() == "modern"

    def step_shape(input_shape: Shapes) -> Shapes:
        shape_of = one_step if modern else folded_shape
        return jax.tree.map(shape_of, input_shape, is_leaf=is_shape)

    def weights(input_shape: Shapes) -> Iterator[Weight]:
        for weight in layer.weights(step_shape(input_shape)):
            yield weight._replace(name=f"layer/{weight.name}")

    def shape_after(input_shape: Shapes) -> Shapes:
        batch, time, *_ = jax.tree.leaves(input_shape, is_leaf=is_shape)[0]
        return jax.tree.map(
            lambda shape: (batch, time, *shape[1:]),
            output_shape(layer, step_shape(input_shape)),
            is_leaf=is_shape,
        )

    def run(
        params: Params, state: State, x: PyTree, *, training: bool, key: Key | None, mask: PyTree
    ) -> tuple[PyTree, State, PyTree]:
        own = params.get("layer", {}), state.get("layer", {})
        names = [path[-1].key for path, _ in jax.tree_util.tree_leaves_with_path(own[1])]
        goes_on = [name for name in names if training or name.startswith(CARRIED)]
        # What a layer tells of its outputs is the same mean either way.
        apart = modern and any(not name.startswith((PENALTY, REPORT)) for name in goes_on)
        apply = _step_by_step if apart else _all_steps
        y, own_state, after = apply(layer, *own, x, training=training, key=key, mask=mask)
        if after is None and mask is not None:
            after = jax.tree.map(lambda own: own.any(axis=tuple(range(2, own.ndim))), mask)
        return y, {"layer": own_state} if own_state else {}, after

    return Pair.running(run, weights=weights, shape=shape_after)


def _all_steps(
    layer: Pair, params: Params, state: State, x: PyTree, *, mask: PyTree, **flow: Any
) -> tuple[PyTree, State, PyTree]:
    """A layer applied to all time steps at once."""
    sizes = jax.tree.leaves(x)[0].shape[:2]

    def fold(a: Array) -> Array:
        return a.reshape((-1, *a.shape[2:]))

    def unfold(a: Array) -> Array:
        return a.reshape((*sizes, *a.shape[1:]))

    x, mask = jax.tree.map(fold, (x, mask))
    y, state, after = layer.run(params, state, x, mask=mask, **flow)
    return jax.tree.map(unfold, y), state, jax.tree.map(unfold, after)


def _step_by_step(
    layer: Pair,
    params: Params,
    state: State,
    x: PyTree,
    *,
    training: bool,
    key: Key | None,
    mask: PyTree,
) -> tuple[PyTree, State, PyTree]:
    """A layer applied to one time step after another; what it tells of its outputs is averaged."""

    def step(state: State, given: Any) -> tuple[State, Any]:
        index, x, mask = given
        own = None if key is None else random.fold_in(key, index)
        y, after, own_mask = layer.run(params, state, x, training=training, key=own, mask=mask)
        return after, (y, own_mask, [a for path, a in leaves(after) if is_told(path)])

    def is_told(path: Any) -> bool:
        return path[-1].key.startswith((PENALTY, REPORT))

    def turned(tree: PyTree) -> PyTree:
        return jax.tree.map(lambda a: jnp.swapaxes(a, 0, 1), tree)

    leaves = jax.tree_util.tree_leaves_with_path
    steps = jnp.arange(jax.tree.leaves(x)[0].shape[1])
    after, (y, masks, penalties) = lax.scan(step, state, (steps, turned(x), turned(mask)))
    means = map(jnp.mean, penalties)
    after = jax.tree_util.tree_map_with_path(
        lambda path, a: next(means) if is_told(path) else a, after
    )
    return turned(y), after, turned(masks)


def one_step(shape: Shape) -> Shape:
    """Shape of one time step.

    >>> one_step((2, 5, 3))
    (2, 3)
    """
    folded_shape(shape)
    return (shape[0], *shape[2:])


def folded_shape(shape: Shape) -> Shape:
    """Shape of all time steps of a batch below each other.

    >>> folded_shape((None, 5, 3)), folded_shape((2, 5, 3))
    ((None, 3), (10, 3))
    """
    if len(shape) < 3:
        raise ValueError(f"expected an input of (batch, time, ...), got shape {shape}")
    batch, time, *rest = shape
    return (None if batch is None or time is None else batch * time, *rest)


@layer("SpectralNormalization")
def spectral_normalization(layer: Pair, power_iterations: int = 1) -> Pair:
    """A layer that trains with its kernel, or embeddings, divided by their largest singular value.

    That is `v @ kernel @ u` for the unit vectors of the power method, of which each training step
    does `power_iterations`: `v = unit(u @ kernelᵀ)`, `u = unit(v @ kernel)`. They count as
    constants in the gradient. At inference the kernel is used as it is.
    Miyato et al. 2018, https://arxiv.org/abs/1802.05957

    >>> from funkeras.functional import conv2d, output_shape
    >>> output_shape(spectral_normalization(conv2d(2, 3)), (None, 8, 8, 1))
    (None, 6, 6, 2)
    """
    positive("power_iterations", power_iterations)

    def weights(input_shape: Shapes) -> Iterator[Weight]:
        inner = list(layer.weights(input_shape))
        for weight in inner:
            yield weight._replace(name=f"layer/{weight.name}")
        normalized = kernel_name([weight.name for weight in inner], layer.name)
        (last,) = (weight.shape[-1] for weight in inner if weight.name == normalized)
        start = initializers.truncated_normal(stddev=0.02)
        yield Weight("vector_u", (1, last), start, trainable=False)

    def run(
        params: Params, state: State, x: PyTree, *, training: bool, **flow: Any
    ) -> tuple[PyTree, State, PyTree]:
        own, vector = params["layer"], state["vector_u"]
        if training:
            name = kernel_name(own, layer.name)
            kernel, vector = of_norm_one(own[name], vector, power_iterations)
            own = {**own, name: kernel}
        y, inner, after = layer.run(own, state.get("layer", {}), x, training=training, **flow)
        return y, {"vector_u": vector, **({"layer": inner} if inner else {})}, after

    return Pair.running(run, weights=weights, shape=lambda shape: output_shape(layer, shape))


def kernel_name(names: Iterable[str], layer: str) -> str:
    """Which of a layer's weights is its only kernel or, without one, its embeddings."""
    own = list(names)
    found = [name for name in own if name.endswith("kernel")]
    found = found or [name for name in own if name == "embeddings"]
    if len(found) != 1 or "/" in found[0]:
        raise ValueError(f"layer must have one kernel, or embeddings; {layer!r} has {own}")
    return found[0]


def of_norm_one(kernel: Array, vector: Array, iterations: int) -> tuple[Array, Array]:
    """A kernel over its largest singular value, and the vector that leads there; zeros stay."""
    matrix = kernel.reshape(-1, kernel.shape[-1]).astype(at_least_single(kernel.dtype))
    u = vector.astype(matrix.dtype)
    v = jnp.zeros((1, matrix.shape[0]), matrix.dtype)
    for _ in range(iterations):
        v = _unit(u @ matrix.T)
        u = _unit(v @ matrix)
    u, v = lax.stop_gradient((u, v))
    zero = jnp.all(matrix == 0)
    size = jnp.where(zero, jnp.ones((), matrix.dtype), jnp.sum(v @ matrix * u))
    normalized = (matrix / size).astype(kernel.dtype).reshape(kernel.shape)
    return normalized, jnp.where(zero, vector, u.astype(vector.dtype))


def _unit(vector: Array) -> Array:
    """The vector at length 1; zeros stay zeros."""
    least = config.epsilon() ** 2
    return vector * lax.rsqrt(jnp.maximum(jnp.sum(jnp.square(vector)), least))
