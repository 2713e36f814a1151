"""The pure layer: `Pair`, the `Weight`s it declares, the lifts that make one, what it gives."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial, wraps
from typing import Any, NamedTuple, ParamSpec, Protocol

import jax
from jax import random

from funkeras import config, initializers
from funkeras.functional.shapes import (
    STRING,
    Shapes,
    abstract,
    freeze_shape,
    has_unknown,
    hashable,
    is_shape,
    stand_ins,
    with_shapes,
)
from funkeras.registry import Registry
from funkeras.typing import Array, Config, Identifier, Key, Params, PyTree, State
from funkeras.variables import DRAWS, note

__all__ = [
    "Apply",
    "Pair",
    "Weight",
    "builders",
    "draw_variables",
    "layer",
    "nest",
    "noise",
    "output_shape",
    "output_specs",
    "stateful",
    "stateless",
]

P = ParamSpec("P")


class Weight(NamedTuple):
    """One array that a layer needs: declared, not yet made.

    `name` is a path with `/` where combinators nest. A trainable weight lives in `params`, any
    other in `state`; one that is not `saved` (a recurrent state, a penalty) is no part of files.
    `part` and `adapted` are marks that go with it through combinators: the layer whose it is, and
    its name there; of a kernel in the state, how much the product of the factors beside it counts.
    `channels` says how a scale of the weight lies, for those that may be in eight bits: which of
    the weight's axes each of its axes is.
    """

    name: str
    shape: tuple[int, ...]
    initializer: Identifier = "glorot_uniform"
    trainable: bool = True
    saved: bool = True
    dtype: str | None = None
    part: tuple[Any, str] | None = None
    adapted: float | None = None
    channels: tuple[int | None, ...] | None = None

    @property
    def listed_first(self) -> bool:
        """Whether lists have it among the trainable ones, as they have a kernel that is adapted."""
        return self.trainable or (self.adapted is not None and self.dtype != "int8")


class Apply(Protocol):
    """What a pair computes: outputs and the state that follows, from nothing but its arguments."""

    def __call__(
        self,
        params: Params,
        state: State,
        x: PyTree,
        *,
        training: bool = False,
        key: Key | None = None,
        mask: PyTree = None,
    ) -> tuple[PyTree, State]:
        """Outputs and the state that follows."""
        ...


def _no_weights(input_shape: Shapes) -> Iterable[Weight]:
    return ()


def _same_mask(x: PyTree, mask: PyTree) -> PyTree:
    return mask


@dataclass(frozen=True, eq=False)
class Pair:
    """A pure layer: `init` makes its variables, `apply` runs it.

    >>> from funkeras import functional as F
    >>> net = F.dense(4)
    >>> params, state = net.init(jax.random.key(0), (None, 3))
    >>> y, state = net.apply(params, state, jax.numpy.ones((2, 3)))
    >>> params["kernel"].shape, y.shape, state
    ((3, 4), (2, 4), {})

    Fields:
        weights: from the input's shape to the declared weights, in the order of files.
        mask: from inputs and their mask to the mask that goes on.
        runner: `apply` and `mask` in one, giving `(y, state, mask)`, where the mask that goes on
            depends on what happens inside: in combinators.
        shape: a rule for the output's shape where composition knows it; found by abstract
            evaluation otherwise.
        specs: such a rule for shapes and dtypes of the outputs, from those of the inputs.
        name, config, builder: what made this pair, for names, configs and files.
    """

    apply: Apply
    weights: Callable[[Shapes], Iterable[Weight]] = _no_weights
    mask: Callable[[PyTree, PyTree], PyTree] = _same_mask
    runner: Callable[..., tuple[PyTree, State, PyTree]] | None = None
    shape: Callable[[Shapes], Shapes] | None = None
    specs: Callable[[Shapes, PyTree], PyTree] | None = None
    name: str = "layer"
    config: Config = field(default_factory=dict)
    builder: Any = None
    _shapes: dict[Any, Shapes] = field(default_factory=dict, repr=False)
    _specs: dict[Any, PyTree] = field(default_factory=dict, repr=False)

    def init(self, key: Key, input_shape: Shapes) -> tuple[Params, State]:
        """New variables for inputs of that shape; sizes that no weight depends on may be None."""

        def source(index: int) -> initializers.KeySource:
            return initializers.KeySource(random.fold_in(key, index))

        return draw_variables(self.weights(freeze_shape(input_shape)), source)

    def run(
        self,
        params: Params,
        state: State,
        x: PyTree,
        *,
        training: bool = False,
        key: Key | None = None,
        mask: PyTree = None,
    ) -> tuple[PyTree, State, PyTree]:
        """`apply` and the mask that goes on: `(y, state, mask)`."""
        if self.runner is not None:
            return self.runner(params, state, x, training=training, key=key, mask=mask)
        y, state = self.apply(params, state, x, training=training, key=key, mask=mask)
        return y, state, self.mask(x, mask)

    @classmethod
    def running(cls, runner: Callable[..., tuple[PyTree, State, PyTree]], **fields: Any) -> "Pair":
        """A pair whose `apply` and `mask` both follow from `runner`."""
        return cls(_apply_of(runner), runner=runner, mask=_mask_inside, **fields)

    def rerun(self, runner: Callable[..., tuple[PyTree, State, PyTree]], **fields: Any) -> "Pair":
        """This pair with another `runner`, otherwise unchanged."""
        return self.changed(apply=_apply_of(runner), runner=runner, **fields)

    def changed(self, **fields: Any) -> "Pair":
        """This pair with other fields, of which its shapes may be others."""
        return replace(self, _shapes={}, _specs={}, **fields)


def _apply_of(runner: Callable[..., tuple[PyTree, State, PyTree]]) -> Apply:
    def apply(
        params: Params,
        state: State,
        x: PyTree,
        *,
        training: bool = False,
        key: Key | None = None,
        mask: PyTree = None,
    ) -> tuple[PyTree, State]:
        y, state, _ = runner(params, state, x, training=training, key=key, mask=mask)
        return y, state

    return apply


def _mask_inside(x: PyTree, mask: PyTree) -> PyTree:
    raise TypeError("the mask after a combinator depends on its variables: use pair.run")


def draw_variables(
    weights: Iterable[Weight], source: Callable[[int], initializers.Source]
) -> tuple[Params, State]:
    """Draw each declared weight, in order, from the source of randomness of its index."""
    params: Params = {}
    state: State = {}
    for index, weight in enumerate(weights):
        value = initializers.draw(
            weight.initializer, source(index), weight.shape, weight.dtype or config.floatx()
        )
        nest(params if weight.trainable else state, weight.name, value)
    return params, state


def nest(tree: dict[str, Any], path: str, value: Any) -> None:
    """Put `value` at `a/b/c` of nested dicts."""
    *parents, last = path.split("/")
    for name in parents:
        tree = tree.setdefault(name, {})
    tree[last] = value


def at(tree: Mapping[str, Any], path: str) -> Any:
    """The entry at `a/b/c` of nested dicts."""
    for name in path.split("/"):
        tree = tree[name]
    return tree


def output_shape(pair: Pair, input_shape: Shapes) -> Shapes:
    """Shape of what a pair gives, with None for sizes that are unknown.

    >>> from funkeras import functional as F
    >>> output_shape(F.flatten(), (None, 4, 5))
    (None, 20)
    """
    input_shape = freeze_shape(input_shape)
    asked = hashable(input_shape)
    known = pair._shapes.get(asked)
    if known is None:
        if pair.shape is not None:
            known = pair.shape(input_shape)
        else:
            floats = jax.tree.map(lambda shape: config.floatx(), input_shape, is_leaf=is_shape)
            known = jax.tree.map(lambda y: y.shape, output_specs(pair, input_shape, floats))
        pair._shapes[asked] = known
    return known


def output_specs(pair: Pair, input_shape: Shapes, dtypes: PyTree) -> PyTree:
    """Shapes and dtypes of what a pair gives for inputs of those, which are nested alike.

    >>> from funkeras import functional as F
    >>> output_specs(F.flatten(), (None, 4, 5), "int32")
    Spec(shape=(None, 20), dtype=dtype('int32'))
    """
    input_shape = freeze_shape(input_shape)
    asked = hashable(input_shape), tuple(map(str, jax.tree.leaves(dtypes)))
    known = pair._specs.get(asked)
    if known is None:
        known = (pair.specs or _specs_by_evaluation(pair))(input_shape, dtypes)
        if pair.shape is not None:
            known = with_shapes(known, output_shape(pair, input_shape))
        pair._specs[asked] = known
    return known


def _specs_by_evaluation(pair: Pair) -> Callable[[Shapes, PyTree], PyTree]:
    def rule(input_shape: Shapes, dtypes: PyTree) -> PyTree:
        if STRING in jax.tree.leaves(dtypes):
            raise TypeError(
                f"{pair.name} computes with numbers, got strings: StringLookup, TextVectorization "
                "and Hashing make numbers of them"
            )
        variables: tuple[Params, State] = ({}, {})
        for weight in pair.weights(input_shape):
            dtype = weight.dtype or config.floatx()
            nest(
                variables[0] if weight.trainable else variables[1],
                weight.name,
                jax.ShapeDtypeStruct(weight.shape, dtype),
            )

        def evaluate(size: int) -> PyTree:
            x = stand_ins(input_shape, dtypes, size)
            key = random.key(0)  # of a part that draws at inference too: shapes tell no numbers
            return jax.eval_shape(partial(pair.apply, key=key), *variables, x)[0]

        return abstract(evaluate, has_unknown(input_shape))

    return rule


def stateless(
    apply: Callable[[Params, Any], Any],
    weights: Callable[[Any], Iterable[Weight]] = _no_weights,
    mask: Callable[[PyTree, PyTree], PyTree] = _same_mask,
) -> Pair:
    """A pair from `apply(params, x)`."""

    def lifted(
        params: Params,
        state: State,
        x: PyTree,
        *,
        training: bool = False,
        key: Key | None = None,
        mask: PyTree = None,
    ) -> tuple[PyTree, State]:
        return apply(params, x), state

    return Pair(lifted, weights, mask)


def noise(perturb: Callable[[Key, Array], Array], seed: int | None = None) -> Pair:
    """A pair from `perturb(key, x)`, which runs in training only.

    A `seed` sets this layer's draws apart from those of its neighbours; the key decides.
    """

    def lifted(
        params: Params,
        state: State,
        x: PyTree,
        *,
        training: bool = False,
        key: Key | None = None,
        mask: PyTree = None,
    ) -> tuple[PyTree, State]:
        return (perturb(key_in_training(key, seed), x) if training else x), state

    return Pair(lifted)


def key_in_training(key: Key | None, seed: int | None) -> Key:
    """The key of a layer with that seed, in training.

    Raises:
        ValueError: if there is none, and nobody notes that it is needed.
    """
    if key is None:
        if not note(DRAWS):
            raise ValueError("a random layer needs a key in training: apply(..., key=key)")
        key = random.key(0)  # of a trial: whoever notes this runs again with a key
    return key if seed is None else random.fold_in(key, seed)


def stateful(
    apply: Callable[..., tuple[Any, State]],
    weights: Callable[[Any], Iterable[Weight]],
    mask: Callable[[PyTree, PyTree], PyTree] = _same_mask,
) -> Pair:
    """A pair from `apply(params, state, x, training=...)`, which gives the next state too."""

    def lifted(
        params: Params,
        state: State,
        x: PyTree,
        *,
        training: bool = False,
        key: Key | None = None,
        mask: PyTree = None,
    ) -> tuple[PyTree, State]:
        return apply(params, state, x, training=training)

    return Pair(lifted, weights, mask)


builders: Registry[Any] = Registry("layer")
"""Every functional layer by its Keras class name."""


def builder_of(build: Callable[P, Pair], name: str) -> Callable[P, Pair]:
    """The function under its class's name; its pairs are named after it and know its arguments."""
    signature = inspect.signature(build)

    @wraps(build)
    def builder(*args: P.args, **kwargs: P.kwargs) -> Pair:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        pair = build(*args, **kwargs)
        return replace(pair, name=build.__name__, config=dict(bound.arguments), builder=builder)

    builder.keras_name = name  # pyright: ignore[reportAttributeAccessIssue]: names its class
    return builder


def layer(name: str, *aliases: str) -> Callable[[Callable[P, Pair]], Callable[P, Pair]]:
    """Declare a layer: the decorated builder makes a pair and knows its Keras class name.

    The class itself, its config, names and files follow from the builder's signature.
    """

    def declare(build: Callable[P, Pair]) -> Callable[P, Pair]:
        return builders.add(builder_of(build, name), name, *aliases)

    return declare


def flat_weights(pair: Pair, input_shape: Shapes) -> Iterator[Weight]:
    """The declared weights in the order of `get_weights`: trainable ones first."""
    declared = [weight for weight in pair.weights(freeze_shape(input_shape)) if weight.saved]
    yield from (weight for weight in declared if weight.listed_first)
    yield from (weight for weight in declared if not weight.listed_first)
