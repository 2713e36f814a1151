"""Pairs from pairs: `serial` chains them; `named`, `cast`, `frozen` and `penalized` change one."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
from jax import random

from funkeras.distribution import distribute_tensor
from funkeras.functional.pair import Pair, Weight, output_shape, output_specs
from funkeras.functional.shapes import Shapes, Spec
from funkeras.typing import Array, Key, Params, PyTree, State

__all__ = [
    "autocast",
    "cast",
    "frozen",
    "in_phase",
    "laid_out",
    "named",
    "penalized",
    "penalty",
    "real_as",
    "remat",
    "reporting",
    "reports",
    "serial",
]

CARRIED = "state_"
"""How the names of recurrent states begin, which one batch hands to the next."""

PENALTY = "penalty"
"""Name of the state entry in which a layer hands its part of the loss to the training step."""

REPORT = "report:"
"""What begins the names of state entries in which a layer hands numbers to the logs."""


def named(pair: Pair, name: str) -> Pair:
    """The same pair under another name, the one its variables have inside a combinator."""
    return replace(pair, name=name)


def unique_names(names: Sequence[str]) -> list[str]:
    """The names, numbered where one repeats.

    >>> unique_names(["dense", "relu", "dense"])
    ['dense', 'relu', 'dense_1']
    """
    seen: dict[str, int] = {}
    result = []
    for name in names:
        count = seen.get(name, 0)
        seen[name] = count + 1
        result.append(f"{name}_{count}" if count else name)
    return result


def serial(*pairs: Pair) -> Pair:
    """Pairs in a chain: each takes what the one before it gives.

    Variables are nested dicts by the names of the parts, numbered where one repeats.

    >>> from funkeras import functional as F
    >>> net = F.serial(F.dense(4, "relu"), F.dropout(0.5), F.dense(2))
    >>> params, state = net.init(jax.random.key(0), (None, 3))
    >>> sorted(params), output_shape(net, (None, 3))
    (['dense', 'dense_1'], (None, 2))
    """
    names = unique_names([pair.name for pair in pairs])
    parts = list(zip(names, pairs, strict=True))

    def weights(input_shape: Shapes) -> Iterator[Weight]:
        shape = input_shape
        for name, pair in parts:
            with located(name, shape):
                for weight in pair.weights(shape):
                    yield weight._replace(name=f"{name}/{weight.name}")
                shape = output_shape(pair, shape)

    def shape_after(input_shape: Shapes) -> Shapes:
        shape = input_shape
        for name, pair in parts:
            with located(name, shape):
                shape = output_shape(pair, shape)
        return shape

    def run(
        params: Params, state: State, x: PyTree, *, key: Key | None, mask: PyTree, training: bool
    ) -> tuple[PyTree, State, PyTree]:
        new_state: State = {}
        for index, (name, pair) in enumerate(parts):
            own_key = None if key is None else random.fold_in(key, index)
            with located(name, x):
                x, own, mask = pair.run(
                    params.get(name, {}),
                    state.get(name, {}),
                    x,
                    training=training,
                    key=own_key,
                    mask=mask,
                )
            if own:
                new_state[name] = own
        return x, new_state, mask

    return Pair.running(run, weights=weights, shape=shape_after, name="serial")


@contextmanager
def located(name: str, x: PyTree) -> Iterator[None]:
    """Add to an error which layer it came from and what that layer got."""
    try:
        yield
    except Exception as error:
        shape = jax.tree.map(lambda a: getattr(a, "shape", a), x)
        error.add_note(f"in layer {name!r}, with input of shape {shape}")
        raise


def real_as(dtype: str, tree: PyTree) -> PyTree:
    """Arrays with those of real numbers in that dtype; whole numbers and lists stay as they are."""

    def one(a: Any) -> Any:
        own = getattr(a, "dtype", dtype)
        return a.astype(dtype) if own != dtype and jnp.issubdtype(own, jnp.floating) else a

    return jax.tree.map(one, tree)


def autocast(pair: Pair, dtype: str) -> Pair:
    """The pair with inputs of real numbers cast to that dtype."""

    def run(params: Params, state: State, x: PyTree, **flow: Any) -> tuple[PyTree, State, PyTree]:
        return pair.run(params, state, real_as(dtype, x), **flow)

    return pair.rerun(run)


def cast(pair: Pair, dtype: str, inputs: bool = True, outputs: bool = True) -> Pair:
    """The pair computing in another dtype: variables stay, what it takes of them is cast.

    So are its `inputs` and `outputs`, unless they are left as they are.
    """

    def run(params: Params, state: State, x: PyTree, **flow: Any) -> tuple[PyTree, State, PyTree]:
        x = real_as(dtype, x) if inputs else x
        y, new_state, mask = pair.run(real_as(dtype, params), state, x, **flow)
        kept = jax.tree.map(lambda new, old: new.astype(old.dtype), new_state, state)
        return real_as(dtype, y) if outputs else y, kept, mask

    def specs(input_shape: Any, dtypes: PyTree) -> PyTree:
        def cast_one(own: Any) -> Spec:
            real = jnp.issubdtype(own.dtype, jnp.floating)
            return Spec(own.shape, jnp.dtype(dtype) if real else own.dtype)

        return jax.tree.map(cast_one, output_specs(pair, input_shape, dtypes))

    return pair.rerun(run, **({"specs": specs} if pair.specs and outputs else {}))


def frozen(pair: Pair, inference: bool) -> Pair:
    """The pair with a state that training does not change, but for recurrent states and reports.

    With `inference` it runs as at inference too, which is what `trainable=False` means for batch
    normalisation since tf.keras 2; in Keras 1 and 2.2.4 it still normalises by the batch.
    """

    def kept(path: tuple[Any, ...], old: Array, new: Array) -> Array:
        name = path[-1].key
        return new if name.startswith((PENALTY, REPORT, CARRIED)) else old

    def run(
        params: Params, state: State, x: PyTree, *, training: bool, **flow: Any
    ) -> tuple[PyTree, State, PyTree]:
        y, after, mask = pair.run(params, state, x, training=training and not inference, **flow)
        return y, jax.tree_util.tree_map_with_path(kept, state, after), mask

    return pair.rerun(run)


def in_phase(pair: Pair, training: bool) -> Pair:
    """The pair that always, or never, runs as in training."""

    def run(
        params: Params, state: State, x: PyTree, *, training: bool, **flow: Any
    ) -> tuple[PyTree, State, PyTree]:
        return pair.run(params, state, x, training=phase, **flow)

    phase = training
    return pair.rerun(run)


def laid_out(pair: Pair, layout: Any) -> Pair:
    """The pair with its outputs in a layout over the devices of a mesh."""

    def run(params: Params, state: State, x: PyTree, **flow: Any) -> tuple[PyTree, State, PyTree]:
        y, after, mask = pair.run(params, state, x, **flow)
        return jax.tree.map(lambda a: distribute_tensor(a, layout), y), after, mask

    return pair.rerun(run)


def penalized(pair: Pair, regularizer: Callable[[Array], Array], per_sample: bool) -> Pair:
    """The pair with a penalty on its outputs, which the training step adds to the loss.

    Keras 1 and 2.2.4 sum it over the batch; later ones divide by the batch size (`per_sample`).
    """

    def weights(input_shape: Shapes) -> Iterator[Weight]:
        yield from pair.weights(input_shape)
        yield Weight(PENALTY, (), "zeros", trainable=False, saved=False)

    def run(params: Params, state: State, x: PyTree, **flow: Any) -> tuple[PyTree, State, PyTree]:
        inner = {name: value for name, value in state.items() if name != PENALTY}
        y, new_state, mask = pair.run(params, inner, x, **flow)
        leaves = jax.tree.leaves(y)
        total = sum(jnp.asarray(regularizer(leaf)) for leaf in leaves)
        share = total / leaves[0].shape[0] if per_sample else total
        return y, {**new_state, PENALTY: jnp.asarray(share, state[PENALTY].dtype)}, mask

    return pair.rerun(run, weights=weights)


def reporting(pair: Pair, names: Sequence[str] = ()) -> Pair:
    """Of a pair with the outputs `(y, losses, numbers)` the one that gives `y`.

    The training step adds each of the losses, summed, to the loss; the means of the numbers go to
    the logs by their names.
    """
    places = [PENALTY, *(f"{REPORT}{name}" for name in names)]

    def weights(input_shape: Shapes) -> Iterator[Weight]:
        yield from pair.weights(input_shape)
        for place in places:
            yield Weight(place, (), "zeros", trainable=False, saved=False)

    def run(params: Params, state: State, x: PyTree, **flow: Any) -> tuple[PyTree, State, PyTree]:
        inner = {name: value for name, value in state.items() if name not in places}
        (y, losses, numbers), new_state, mask = pair.run(params, inner, x, **flow)
        told = [sum((jnp.sum(loss) for loss in losses), start=jnp.zeros(()))]
        told += [jnp.mean(number) for number in numbers]
        own = {
            place: jnp.asarray(value, state[place].dtype)
            for place, value in zip(places, told, strict=True)
        }
        return y, {**new_state, **own}, None if mask is None else mask[0]

    def shape(input_shape: Shapes) -> Shapes:
        return output_shape(pair, input_shape)[0]

    return Pair.running(run, weights=weights, shape=shape, name=pair.name)


def reports(state: State, prefix: str = "") -> dict[str, str]:
    """Name → path in the state, of numbers that the layers of a net leave there for the logs."""
    found: dict[str, str] = {}
    for name, value in state.items():
        if isinstance(value, dict):
            found |= reports(value, f"{prefix}{name}/")
        elif name.startswith(REPORT):
            found[name.removeprefix(REPORT)] = f"{prefix}{name}"
    return found


def penalty(state: State) -> Array | float:
    """Sum of the penalties that the layers of a net left in its state."""
    total: Array | float = 0.0
    for name, value in state.items():
        if isinstance(value, dict):
            total = total + penalty(value)
        elif name == PENALTY:
            total = total + value
    return total


def remat(pair: Pair) -> Pair:
    """The pair with its activations computed again in the backward pass instead of kept."""

    def run(
        params: Params, state: State, x: PyTree, *, training: bool, **arrays: Any
    ) -> tuple[PyTree, State, PyTree]:
        def body(params: Params, state: State, x: PyTree, arrays: Any) -> Any:
            return pair.run(params, state, x, training=training, **arrays)

        return jax.checkpoint(body)(params, state, x, arrays)

    return pair.rerun(run)
