"""Functions of JAX and modules of Flax as layers."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import random

from funkeras.functional.pair import Pair, Weight, at, layer, nest
from funkeras.functional.shapes import Shapes, is_shape
from funkeras.initializers import Drawn, Source
from funkeras.typing import Key, Params, PyTree, State
from funkeras.variables import DRAWS, note

__all__ = ["flax_layer", "jax_layer"]

OF_CALL = ("params", "state", "rng", "inputs", "training")
OF_INIT = ("rng", "inputs", "training")
"""The arguments that `call_fn` and `init_fn` may have, by these names."""
NUMBERS = (np.ndarray, np.generic, jax.Array, bool, int, float)
"""Leaves that become variables; others are left alone, as what configures a model."""

Rng = Callable[[Key], Any]


@dataclass(frozen=True, eq=False)
class Held:
    """A tree as an argument of a layer, of which no part is read as something else."""

    tree: PyTree


def argument_names(function: Callable[..., Any], name: str, allowed: Sequence[str]) -> list[str]:
    """The arguments of `call_fn` or `init_fn`, if they are as these must be."""
    names = list(inspect.signature(function).parameters)
    if "inputs" not in names:
        raise ValueError(f"{name} must have an argument inputs, it has {names}")
    for own in names:
        if own not in allowed:
            raise ValueError(f"arguments of {name} may be {', '.join(allowed)}; got {own!r}")
    return names


@layer("JaxLayer")
def jax_layer(
    call_fn: Callable[..., Any],
    init_fn: Callable[..., Any] | None = None,
    params: PyTree = None,
    state: PyTree = None,
    seed: int | None = None,
    native_serialization_platforms: Sequence[str] | None = None,
) -> Pair:
    """A function of JAX as a layer: `call_fn(params, state, rng, inputs, training)`.

    It has those of the arguments that it names; `inputs` is a tree of arrays, and `rng` a key in
    training, None at inference. With a `state` it gives `(outputs, next state)`, of the same
    structure, which training keeps.

    Args:
        init_fn: from those it names of `rng`, `inputs`, all ones, and `training`, which is True, to
            the first params, or `(params, state)`. A tree's leaves that are no numbers stay as
            they are.
        params, state: trees to begin with, in its place.
        native_serialization_platforms: without a meaning here.

    >>> from funkeras.functional import output_shape
    >>> def call(params, inputs):
    ...     return inputs @ params["w"]
    >>> output_shape(jax_layer(call, params={"w": np.ones((3, 2))}), (None, 3))
    (None, 2)
    """
    return _foreign(call_fn, init_fn, params, state, (random.key_data, random.key_data, None), seed)


@layer("FlaxLayer")
def flax_layer(
    module: Any,
    method: Any = None,
    variables: PyTree = None,
    seed: int | None = None,
) -> Pair:
    """A module of Flax, by its `init` and `apply`, as a layer.

    Its method, `__call__` if none is named, has the arguments `inputs` and, if it needs to be told,
    `training`. The collection `params` is trained; training keeps the others as its state.

    Args:
        method: a method's name, a method, or a function of the module and these arguments.
        variables: to begin with, as `module.init` gives them.
    """
    call_fn, init_fn = flax_functions(module, method)
    params, state = _collections(variables)

    def of_init(key: Key) -> dict[str, Any]:
        first, second = map(random.key_data, random.split(key))
        return {"params": first, "dropout": second}

    def of_call(key: Key) -> dict[str, Any]:
        return {"dropout": random.key_data(key)}

    return _foreign(call_fn, init_fn, params, state, (of_init, of_call, {}), seed)


def flax_functions(
    module: Any, method: Any = None
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """`call_fn` and `init_fn` of a module of Flax."""
    method = getattr(module, method) if isinstance(method, str) else method
    told = "training" in inspect.signature(method or module.__call__).parameters

    def run(params: Any, state: Any, rng: Any, inputs: Any, **training: Any) -> tuple[Any, Any]:
        given = {**(params or {}), **(state or {})}
        others = list(state or {})
        options = {"rngs": rng, "method": method, "mutable": others, **training}
        y, after = module.apply(given, inputs, **options)
        return y, {name: after.get(name, given[name]) for name in others}

    def begin(rng: Any, inputs: Any, **training: Any) -> tuple[Any, Any]:
        return _collections(module.init(rng, inputs, method=method, **training))

    if not told:
        return (
            lambda params, state, rng, inputs: run(params, state, rng, inputs),
            lambda rng, inputs: begin(rng, inputs),
        )
    return (
        lambda params, state, rng, inputs, training: run(
            params, state, rng, inputs, training=training
        ),
        lambda rng, inputs, training: begin(rng, inputs, training=training),
    )


def _collections(variables: Any) -> tuple[Any, Any]:
    """What is trained, and the other collections, of a module's variables."""
    tree = variables.tree if isinstance(variables, Held) else variables
    if tree is None:
        return None, None
    trained = {name: own for name, own in tree.items() if name == "params"}
    return trained, {name: own for name, own in tree.items() if name != "params"}


def _foreign(
    call_fn: Callable[..., Any],
    init_fn: Callable[..., Any] | None,
    params: PyTree,
    state: PyTree,
    rngs: tuple[Rng, Rng, Any],
    seed: int | None,
) -> Pair:
    """The pair of both functions; `rngs`: what init and call get for a key, and call for none."""
    of_init, of_call, without = rngs
    taken = argument_names(call_fn, "call_fn", OF_CALL)
    asked = argument_names(init_fn, "init_fn", OF_INIT) if init_fn is not None else []
    given = tuple(own.tree if isinstance(own, Held) else own for own in (params, state))
    known = given != (None, None) or not {"params", "state"} & set(taken)
    if not known and init_fn is None:
        raise ValueError("init_fn, params or state must be given: call_fn takes params or a state")
    trees: list[tuple[PyTree, PyTree]] = [given] if known else []
    declared: dict[str, list[Weight]] = {}

    def begin(inputs: PyTree, key: Key) -> tuple[PyTree, PyTree]:
        """The first params and state."""
        if known or init_fn is None:
            return given
        offered = {"rng": of_init(key), "inputs": inputs, "training": True}
        made = init_fn(*(offered[name] for name in asked))
        return made if "state" in taken else (made, None)

    def declare(input_shape: Shapes) -> list[Weight]:
        inputs = jax.tree.map(
            lambda shape: jnp.ones([size or 1 for size in shape]), input_shape, is_leaf=is_shape
        )
        trees[:] = [begin(inputs, random.key(0))]
        drawn: dict[str, Any] = {}

        def values(source: Source, name: str) -> Any:
            if name == first:  # the others come with it
                drawn.update(_named(begin(inputs, source.key())))
            return drawn[name]

        leaves = _named(trees[0])
        first = next(iter(leaves), "")
        weights = []
        for name, leaf in leaves.items():
            dtype = jnp.result_type(leaf)
            weights.append(
                Weight(
                    name,
                    jnp.shape(leaf),
                    Drawn(lambda source, shape, name=name: values(source, name)),
                    trainable=name.partition("/")[0] == "params",
                    dtype=None if jnp.issubdtype(dtype, jnp.floating) else str(dtype),
                )
            )
        return weights

    def weights(input_shape: Shapes) -> Iterator[Weight]:
        place = repr(input_shape)
        if place not in declared:
            declared[place] = declare(input_shape)
        yield from declared[place]

    def apply(
        params: Params,
        state: State,
        x: PyTree,
        *,
        training: bool = False,
        key: Key | None = None,
        mask: PyTree = None,
    ) -> tuple[PyTree, State]:
        form = trees[0] if trees else begin(jax.tree.map(jnp.ones_like, x), random.key(0))
        rng = without
        if training and "rng" in taken:
            if key is None and not note(DRAWS):
                raise ValueError("call_fn needs a key in training: apply(..., key=key)")
            key = random.key(0) if key is None else key
            rng = of_call(key if seed is None else random.fold_in(key, seed))
        own = _filled(form, {**params, **state})
        offered: dict[str, Any] = dict(zip(OF_CALL, (*own, rng, x, training), strict=True))
        y = call_fn(*(offered[name] for name in taken))
        if "state" not in taken:
            return y, state
        y, after = y
        if jax.tree.structure(after) != jax.tree.structure(form[1]):
            raise ValueError(
                f"call_fn must give a state of the structure {jax.tree.structure(form[1])}, "
                f"got {jax.tree.structure(after)}"
            )
        following: State = {}
        for name, leaf in _named((None, after)).items():
            nest(following, name, jnp.asarray(leaf, at(state, name).dtype))
        return y, following

    return Pair(apply, weights)


def _name(root: str, path: Sequence[Any]) -> str:
    return "/".join([root, *(jax.tree_util.keystr((part,), simple=True) for part in path)])


def _named(trees: tuple[PyTree, PyTree]) -> dict[str, Any]:
    """The numbers in params and state, each by the name of its weight."""
    return {
        _name(root, path): leaf
        for root, tree in zip(("params", "state"), trees, strict=True)
        for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
        if isinstance(leaf, NUMBERS)
    }


def _filled(trees: tuple[PyTree, PyTree], arrays: Mapping[str, Any]) -> list[PyTree]:
    """Params and state with the arrays in the place of their numbers."""
    return [
        jax.tree_util.tree_map_with_path(
            lambda path, leaf, root=root: (
                at(arrays, _name(root, path)) if isinstance(leaf, NUMBERS) else leaf
            ),
            tree,
        )
        for root, tree in zip(("params", "state"), trees, strict=True)
    ]
