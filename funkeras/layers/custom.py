"""Layers that users write: what their `build` and `call` do, as a pure pair."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import wraps
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from funkeras import config, constraints, initializers, regularizers
from funkeras.functional.cells import Cell
from funkeras.functional.combinators import PENALTY, REPORT, real_as
from funkeras.functional.masks import attach, masks_that_go_on
from funkeras.functional.pair import Pair, Weight
from funkeras.functional.shapes import Shapes, abstract, has_unknown, is_shape, stand_ins
from funkeras.layers.calling import as_list, as_tuple, first_of, joined, run_as_written
from funkeras.layers.inside import bind, collected, declared
from funkeras.layers.weights import dtypes_of
from funkeras.metrics import Metric
from funkeras.typing import Key, Params, PyTree, State
from funkeras.variables import Flow, Variable, current_flow, flowing, note, running

__all__ = ["Written", "custom_pair"]

ADD_WEIGHT = {
    "keras1": ("shape", "initializer", "name", "trainable", "regularizer", "constraint"),
    "keras2": (
        "name",
        "shape",
        "dtype",
        "initializer",
        "regularizer",
        "trainable",
        "constraint",
    ),
    "modern": (
        "shape",
        "initializer",
        "dtype",
        "trainable",
        "autocast",
        "regularizer",
        "constraint",
        "aggregation",
        "name",
    ),
}
"""Positional arguments of `add_weight`, by generation."""


def custom_pair(layer: Any) -> Pair:
    """The pair of a layer with a `call` of its own."""

    def weights(input_shape: Shapes) -> Iterator[Weight]:
        layer.ensure_built(input_shape)
        yield from declared(layer)
        for place in layer._places():
            yield Weight(place, (), "zeros", trainable=False, saved=False)

    def run(
        params: Params, state: State, x: PyTree, *, training: bool, key: Key | None, mask: PyTree
    ) -> tuple[PyTree, State, PyTree]:
        with running(training, key) as flow:
            bind(flow, layer, params, state)
            given = layer.begin_computing(flow, x)
            attach(given, mask)
            y = run_as_written(layer, given, mask, training)
            after = collected(layer)[1]
            told = {f"{REPORT}{name}": jnp.mean(value) for name, value in flow.reports.items()}
            told[PENALTY] = sum((jnp.sum(loss) for loss in flow.losses), start=jnp.zeros(()))
            own = {place: told[place].astype(state[place].dtype) for place in layer._places()}
            after = {**after, **own}
            mask = layer.compute_mask(*(as_list(first_of(own)) for own in (x, mask)))
        return y, after, masks_that_go_on(y, mask)

    def specs(input_shape: Shapes, dtypes: PyTree) -> PyTree:
        layer.ensure_built(input_shape)
        return discover(layer, input_shape, dtypes)

    return Pair.running(run, weights=weights, specs=specs, name=layer.name)


def overridden(layer: Any, inherited: Pair) -> Pair:
    """The pair of a built-in layer whose subclass has a `call` or weights of its own.

    Its `call` may use that of the built-in layer, which then runs the `inherited` pair.
    """

    def weights(input_shape: Shapes) -> Iterator[Weight]:
        if not layer.builds_alone:
            yield from inherited.weights(joined(input_shape))
        yield from declared(layer)

    def run(
        params: Params, state: State, x: PyTree, *, training: bool, key: Key | None, mask: PyTree
    ) -> tuple[PyTree, State, PyTree]:
        with running(training, key) as flow:
            bind(flow, layer, params, state)
            attach(x, mask)
            if layer._overrides("call"):
                y = run_as_written(layer, x, mask, training)
            else:
                y = as_tuple(layer.inherited_call(x, mask, training))
            after = collected(layer)[1]
            x, mask = joined(x), joined(mask)
            if layer._overrides("compute_mask"):
                return y, after, as_tuple(layer.compute_mask(as_list(x), as_list(mask)))
        return y, after, mask if inherited.runner is not None else inherited.mask(x, mask)

    return inherited.rerun(run, weights=weights, shape=None)


def run_inherited(layer: Any, x: PyTree, mask: PyTree, training: bool | None = None) -> PyTree:
    """What the built-in layer computes, within the `call` of its subclass.

    It runs as the subclass says, or as that is run.
    """
    flow = current_flow()
    assert flow is not None
    params, state = collected(layer)
    training = flow.training if training is None else bool(training)
    key = None
    with suppress(ValueError):  # of a run without a key: a layer that needs one says so
        key = flow.next_key() if training or flow.key is not None else None
    leaves, nested = jax.tree.flatten(x)
    celled = isinstance(layer.inherited, Cell)  # its states are in a list, as elsewhere in Keras
    x = tuple(leaves) if celled else as_tuple(x)
    y, after = layer.inherited.apply(
        params, state, x, training=training, key=key, mask=as_tuple(mask)
    )
    layer.adopt(params, {**state, **after})
    return jax.tree.unflatten(nested, y) if celled else y


def discover(layer: Any, input_shape: Shapes, dtypes: PyTree = None) -> PyTree:
    """Shapes and dtypes of what `call` gives; the layers that it calls are built on the way."""
    floats = jax.tree.map(lambda shape: config.floatx(), input_shape, is_leaf=is_shape)
    told = jax.tree.structure(layer.called_dtypes) == jax.tree.structure(floats)
    dtypes = dtypes or (layer.called_dtypes if told else floats)
    flow = Flow()
    params, state = layer.own_variables()
    flow.bound[layer] = (params, state)

    def evaluate(size: int) -> PyTree:
        def inner(x: PyTree) -> PyTree:
            x = layer.begin_computing(flow, x)
            with flowing(flow):
                try:
                    return run_as_written(layer, x, None, training=False)
                except (AttributeError, TypeError, ValueError):
                    if not layer.supports_masking:
                        raise
                # It needs the mask that layers before it give: one of (batch, time) stands in.
                mask = jax.tree.map(lambda a: jnp.ones(a.shape[:2], bool), x)
                return run_as_written(layer, x, mask, training=False)

        return jax.eval_shape(inner, stand_ins(input_shape, dtypes, size))

    specs = abstract(evaluate, has_unknown(input_shape))
    layer.adds_losses = bool(flow.losses)
    layer.reported = tuple(flow.reports)
    return specs


def _told_of(build: Callable[..., None]) -> Callable[..., None]:
    """A `build` of a user's class, which tells the layer that it has run."""

    @wraps(build)
    def telling(self: Any, *shapes: Any, **named: Any) -> None:
        first, self.was_built = not self.was_built, True
        try:
            build(self, *shapes, **named)
        except BaseException:
            self.was_built = not first
            raise
        if first:
            self._built_apart([*shapes, *named.values()])

    return telling


class Written:
    """What a subclass of `Layer` with a `call` of its own finds there besides it."""

    builder: ClassVar[Callable[..., Pair] | None]
    inherited: Pair | None
    make_pair: Callable[[], Pair]
    pair: Pair
    build: Callable[..., None]
    ensure_built: Callable[[Any], None]
    name: str
    dialect: str
    dtype_policy: Any
    autocast: bool
    _told_updates: list[tuple[Any, list[Any]]]
    _has_inside: Callable[[Any], bool]
    _joined: list[Any]
    """Layers whose weights it has been given as its own."""
    _params: Params
    _state: State
    supports_masking: bool = False
    adds_losses: bool = False
    reported: tuple[str, ...] = ()
    called_dtypes: Any = None
    """Dtypes of what it was called on, nested alike."""

    was_built: bool = False
    """Whether a `build` that a user wrote has run, or runs."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in vars(cls) and not cls.__module__.startswith("funkeras."):
            cls.build = _told_of(vars(cls)["build"])

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        parts = [*value.values()] if isinstance(value, dict) else value
        parts = parts if isinstance(parts, list | tuple) else [parts]
        if variables := [own for own in parts if isinstance(own, Variable)]:
            self._track(variables)

    def _track(self, variables: Sequence[Variable]) -> None:
        """Own the variables that are attributes and nobody's yet, as layers of Keras 3 do."""
        written = type(self).builder is None or getattr(self, "inherited", None) is not None
        if "own_weights" in self.__dict__ and self.dialect == "modern" and current_flow() is None:
            for own in variables if written else ():
                if own.owner is None:
                    self._own([own], own.trainable)

    def _built_apart(self, shapes: Sequence[Any]) -> None:
        """Find what else there is to know of a layer whose `build` the user has called."""
        is_layer = type(self).builder is None and not hasattr(self, "compile")
        if is_layer and hasattr(self, "call") and len(shapes) == 1:
            with suppress(Exception):  # its first call says what is wrong, with real inputs
                self.ensure_built(shapes[0])

    def inherited_call(self, x: PyTree, mask: PyTree, training: bool | None) -> PyTree:
        """What the built-in layer computes, for the `call` of its subclass."""
        return run_inherited(self, x, mask, training)

    def _places(self) -> list[str]:
        """Names in the state under which `call` leaves what it adds to the loss and the logs."""
        return [PENALTY] * self.adds_losses + [f"{REPORT}{name}" for name in self.reported]

    def _variable(self, *described: Any) -> Variable:
        raise NotImplementedError

    def _begin_writing(self) -> None:
        self._told_losses: list[tuple[Any, list[Any]]] = []
        self.own_weights: list[Weight] = []
        self._own_rules: dict[str, Any] = {}
        self._joined = []

    @property
    def held(self) -> Any:
        """What a program gets to let it stand for the layer's own variables."""
        return self._params, self._state

    def own_variables(self) -> tuple[Params, State]:
        """The arrays of the layer itself, in the present run."""
        flow = current_flow()
        bound = None if flow is None else flow.bound.get(self)
        if bound is None and any(self.held):  # one without any may be made anew in each trace
            note(self)
        return bound or (self._params, self._state)

    def begin_computing(self, flow: Flow, x: PyTree) -> PyTree:
        """Inputs as `call` takes them; since Keras 3 it computes as the policy of the layer says.

        Real numbers among the inputs and the variables, in the flow, are cast.
        """
        if self.dialect != "modern":
            return x
        kept, computed = dtypes_of(self.dtype_policy)
        flow.reads_as = None if kept == computed else computed
        return real_as(computed, x) if self.autocast else x

    def add_weight(self, *args: Any, **kwargs: Any) -> Variable:
        """A new weight, in the spelling of any generation.

        Args:
            name, shape, initializer, regularizer, constraint, trainable, dtype: as in layers; the
                order of positional ones follows the generation, told by a name that comes first
                or by the dialect.
        """
        era = "keras2" if args and isinstance(args[0], str) else "modern"
        era = "keras1" if era == "modern" and self.dialect == "classic" else era
        given = {**dict(zip(ADD_WEIGHT[era], args, strict=False)), **kwargs}
        taken = {weight.name for weight in self.own_weights}
        name = str(given.get("name") or f"weight_{len(taken)}").replace("/", "_")
        while name in taken:
            name += "_"
        shape = tuple(given.get("shape") or ())
        dtype = given.get("dtype")
        if dtype is None and (kept := dtypes_of(self.dtype_policy)[0]) != config.floatx():
            dtype = kept
        weight = Weight(
            name,
            tuple(int(size) for size in shape),
            initializers.get(given.get("initializer") or "glorot_uniform"),
            bool(given.get("trainable", True)),
            dtype=None if dtype is None else np.dtype(dtype).name,
        )
        value = initializers.draw(
            weight.initializer, initializers.NumpySource(), weight.shape, weight.dtype or "float32"
        )
        for kind, module in (("regularizer", regularizers), ("constraint", constraints)):
            self._own_rules[f"{name}_{kind}"] = module.get(given.get(kind))
        variable = self._enter(weight, value)
        if self.builder is not None and self.inherited is None:  # from outside of the layer
            self.pair = self.make_pair()
        variable.autocast = bool(given.get("autocast", True))
        return variable

    def _enter(self, weight: Weight, value: Any) -> Variable:
        with jax.ensure_compile_time_eval():
            array = jnp.asarray(value)
        self.own_weights.append(weight)
        (self._params if weight.trainable else self._state)[weight.name] = array
        return self._variable(weight.name, weight.shape, weight.trainable)

    def _own(self, variables: Sequence[Variable], trainable: bool) -> None:
        """Take over variables that were made outside, as layers of Keras 1 and 2 do.

        Those of another layer stay its own: that one is inside this from now on.
        """
        for variable in variables:
            if variable.owner is not None:
                if variable.owner is not self and not self._has_inside(variable.owner):
                    self._joined.append(variable.owner)
                continue
            value = variable.numpy()
            name = variable.place.removeprefix(f"{self.name}_").replace("/", "_")
            taken = {weight.name for weight in self.own_weights}
            name = f"{name}_{len(taken)}" if name in taken else name
            variable.trainable = trainable
            rules = variable.constraint, variable.regularizer
            variable.give_to(self, name)
            variable.constraint, variable.regularizer = rules
            constant = initializers.get(lambda shape, value=value, **_: value)
            dtype = None if value.dtype == config.floatx() else value.dtype.name
            self._enter(Weight(name, value.shape, constant, trainable, dtype=dtype), value)

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Add these to the loss of the model: within `call` values, outside symbolic tensors.

        What is added outside follows from `inputs`, or from none of them; a model that has the
        layer takes it up when it is compiled.
        """
        flow = current_flow()
        if flow is None:
            given = jax.tree.leaves(inputs)
            self._told_losses += [(loss, given) for loss in jax.tree.leaves(losses)]
            return
        flow.losses.extend(losses if isinstance(losses, list | tuple) else [losses])

    def add_metric(
        self, value: Any, name: str | None = None, aggregation: str | None = "mean"
    ) -> None:
        """Within `call`: show the mean of this beside the loss.

        Without a name it is what a metric that is an attribute has given: that is shown anyway.
        """
        flow = current_flow()
        if flow is None:
            raise RuntimeError("add_metric of a layer belongs into its call")
        if name is not None:
            flow.reports[name] = value
        elif not any(isinstance(own, Metric) for own in vars(self).values()):
            raise ValueError(f"add_metric of layer {self.name!r} needs a name")

    def add_update(self, updates: Any, inputs: Any = None) -> None:
        """Assign new values to variables, given as (variable, value) pairs, within `call`.

        Outside they are listed in `updates`, for `K.function`.
        """
        pairs = updates if isinstance(updates, list) else [updates]
        if current_flow() is None:
            given = jax.tree.leaves(inputs)
            self._told_updates += [(pair, given) for pair in pairs]
            return
        for variable, value in (pair for pair in pairs if pair is not None):
            variable.assign(value)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask that goes on: the same where the layer supports masks, none otherwise.

        Raises:
            TypeError: in Keras 1 and 2, for a mask that the layer does not support.
        """
        if self.supports_masking:
            return mask
        if not jax.tree.leaves(mask):
            return None
        if self.dialect != "modern":
            raise TypeError(f"layer {self.name!r} does not support masking, but got a mask")
        return None
