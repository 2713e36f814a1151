"""Keras 3's view of a layer as a pure function of lists of arrays: `stateless_call`."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import random

from funkeras import symbolic
from funkeras.functional.combinators import PENALTY
from funkeras.functional.masks import attach
from funkeras.functional.pair import at, nest
from funkeras.layers.weights import dtypes_of
from funkeras.random import SeedGenerator
from funkeras.typing import Array, Key, Params, PyTree, State
from funkeras.variables import Variable

__all__ = ["MODERN", "Stateless", "key_of"]

RATES = ("rate", "dropout", "recurrent_dropout", "stddev", "factor")
"""Arguments of layers that draw random numbers; one that is 0 means that none are drawn."""


class Stateless:
    """What a layer computes as a function of its variables, and of nothing else."""

    name: str
    functional: Any
    built: bool
    dialect: str
    inner_layers: Any
    weights: Any
    ensure_built: Any
    _called_with: Callable[..., PyTree]
    _arguments: dict[str, Any]
    _params: Params
    params: Any
    state: Any
    _weights_by_use: Callable[[], tuple[list[Variable], list[Variable]]]
    _rules: Callable[[str], dict[str, Callable[[Any], Any]]]

    def _seed_states(self) -> list[Variable]:
        """The seeds of the layers that draw, two whole numbers each, as Keras 3 keeps them."""
        found = [own.state for own in self.__dict__.values() if isinstance(own, SeedGenerator)]
        rates = [self._arguments[name] for name in RATES if name in self._arguments]
        if "seed" in self._arguments and any(rates):
            own = self.__dict__.get("_seeds")
            if own is None:
                own = self.__dict__["_seeds"] = SeedGenerator(self._arguments["seed"])
            found = found or [own.state]
        inner = (own._seed_states() for own in self.inner_layers)
        return [*found, *(state for states in inner for state in states)]

    def _weight_paths(self) -> list[str]:
        """Where among the nested arrays each of the `weights` is."""
        return [variable.place for variable in self.weights]

    def stateless_call(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        x: Any,
        *others: Any,
        training: bool = False,
        mask: Any = None,
        return_losses: bool = False,
        **named: Any,
    ) -> Any:
        """Outputs and the next non-trainable variables, for values of both lists of variables.

        It is pure: `jax.jit`, `jax.grad` and `jax.vmap` take it. Random numbers follow from the
        seeds among the variables, and training gives others for the next call.

        Args:
            trainable_variables, non_trainable_variables: arrays, as those lists of the layer.
            return_losses: whether a list of penalties comes as a third result.

        Raises:
            ValueError: for other numbers of arrays than the layer has variables.
        """
        x = jax.tree.map(jnp.asarray, self._called_with((x, *others), named))
        self.ensure_built(symbolic.shapes_of(x))
        moved, still = self._weights_by_use()
        seeds = self._seed_states()
        given = [*trainable_variables, *non_trainable_variables]
        expected = (len(moved), len(still) + len(seeds))
        if (len(trainable_variables), len(non_trainable_variables)) != expected:
            raise ValueError(
                f"layer {self.name!r} has {expected[0]} trainable and {expected[1]} other "
                f"variables, got {len(trainable_variables)} and {len(non_trainable_variables)}"
            )
        values = dict(zip([*moved, *still, *seeds], map(_array, given), strict=True))
        paths = dict(zip(self.weights, self._weight_paths(), strict=True))
        params, state = jax.tree.map(lambda a: a, (self.params, self.state))
        for variable, path in paths.items():
            nest(params if variable.trainable else state, path, values[variable])
        key = key_of([values[seed] for seed in seeds])
        run = self.functional.run(params, state, x, training=training, key=key, mask=mask)
        y, after, masks = run
        attach(y, masks)
        trees = {True: params, False: after}
        following = [at(trees[own.trainable], paths[own]) for own in still]
        step = jnp.asarray([0, int(training)], "uint32")
        following += [values[seed] + step for seed in seeds]
        results = (jax.tree.map(lambda a: a, y), following)
        if not return_losses:
            return results
        ruled = self._rules("_regularizer").items()
        weighted = [rule(at(params, path)) for path, rule in ruled]
        return (*results, weighted + _penalties(after))


def _array(value: Any) -> Array:
    return value.value if isinstance(value, Variable) else jnp.asarray(value)


def key_of(seeds: Sequence[Array]) -> Key | None:
    """The key of a run, from all seeds."""
    if not seeds:
        return None
    key = random.key(0)
    for first, second in seeds:
        key = random.fold_in(random.fold_in(key, first), second)
    return key


def _penalties(state: State) -> list[Array]:
    """The parts of the loss that layers left in the state."""
    pairs = jax.tree_util.tree_leaves_with_path(state)
    return [value for path, value in pairs if path[-1].key == PENALTY]


def _policy(place: int) -> Callable[[Any], str]:
    return lambda layer: np.dtype(dtypes_of(layer.dtype_policy)[place]).name


def _seeds(layer: Any) -> list[Variable]:
    return layer._seed_states() if layer.dialect == "modern" else []


MODERN: dict[str, Callable[[Any], Any]] = {
    "compute_dtype": _policy(1),
    "dtype": _policy(0),
    "non_trainable_variables": lambda layer: layer.non_trainable_weights + _seeds(layer),
    "path": lambda layer: "/".join((*(layer._made_in or ()), layer.name)),
    "quantization_mode": lambda layer: getattr(layer.dtype_policy, "quantization_mode", None),
    "trainable_variables": lambda layer: layer.trainable_weights,
    "variable_dtype": _policy(0),
    "variables": lambda layer: layer.weights + _seeds(layer),
}
"""What later generations ask a layer; users may give theirs an attribute of the name."""
