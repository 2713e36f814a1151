"""One optimizer for some parameters and others for the rest: Keras 3's `MultiOptimizer`."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from funkeras.optimizers.base import Optimizer, registry
from funkeras.optimizers.scaling import LossScaleOptimizer
from funkeras.optimizers.updates import OptimizerState, laid_out
from funkeras.patterns import PatternMap
from funkeras.registry import get_registered_object, serialize_keras_object
from funkeras.typing import Config, Params, PyTree
from funkeras.variables import Variable

__all__ = ["MultiOptimizer", "OptimizerMap"]

SCALE = "loss_scale_factor"


class Path(NamedTuple):
    """Stands for a variable where there are arrays alone: `choose` is given it."""

    path: str


class OptimizerMap(PatternMap[Optimizer]):
    """Paths of variables, or regular expressions that match whole paths → their optimizers.

    >>> from funkeras.optimizers import SGD, Adam
    >>> chosen = OptimizerMap(SGD(), {"encoder/.*": Adam()})
    >>> chosen["encoder/dense/kernel"].name, chosen["decoder/kernel"].name
    ('adam', 'sgd')
    """

    thing = "optimizer"

    def __init__(
        self, default_optimizer: Optimizer, optimizer_map: Mapping[str, Optimizer] | None = None
    ) -> None:
        self.default_optimizer = _checked(default_optimizer)
        super().__init__(optimizer_map)

    def checked(self, path: str, value: Any) -> Optimizer:
        """The optimizer, which must be a plain one."""
        return _checked(value)

    def otherwise(self) -> Optimizer:
        """The default."""
        return self.default_optimizer

    def __call__(self, variable: Any) -> Optimizer:
        """The optimizer of a variable, by its `path`."""
        return self[variable.path]

    def get_config(self) -> Config:
        """The arguments that make an equal object."""
        own = {key: registry.serialize(one) for key, one in self.items()}
        default = registry.serialize(self.default_optimizer)
        return {"default_optimizer": default, "optimizer_map": own}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "OptimizerMap":
        """The map that `get_config` described."""
        own = {key: registry.get(one) for key, one in config["optimizer_map"].items()}
        return cls(registry.get(config["default_optimizer"]), own)


def _checked(optimizer: Any) -> Optimizer:
    whole = isinstance(optimizer, LossScaleOptimizer | MultiOptimizer)
    if not isinstance(optimizer, Optimizer) or whole:
        raise TypeError(f"a part of a MultiOptimizer is a plain optimizer, got {optimizer!r}")
    return optimizer


class Several(NamedTuple):
    """Each optimizer's updates, of the parameters that it is chosen for.

    In the state each has its hyperparameters, slots and scalars under its number: `0/momentum`.
    """

    optimizer: "MultiOptimizer"

    def init(self, params: Params) -> OptimizerState:
        """The states of all."""
        _, paths, values, _ = laid_out(params, params)
        paths = self.optimizer.named(paths)
        state = OptimizerState(self._scale(), jnp.zeros((), jnp.int32), {}, {})
        for number, one, own in self._parts(paths):
            begun = one.functional.init({paths[i]: values[i] for i in own})
            state = _joined(state, number, begun)
        return state

    def update(
        self, gradients: PyTree, state: OptimizerState, params: Params | None = None
    ) -> tuple[PyTree, OptimizerState]:
        """The changes by all, and the next state."""
        form, paths, values, slopes = laid_out(gradients, params)
        paths = self.optimizer.named(paths)
        if SCALE in state.hyperparameters:
            factor = state.hyperparameters[SCALE]
            slopes = [g / factor.astype(g.dtype) for g in slopes]
        changes: list[Any] = [None] * len(paths)
        after = state._replace(iterations=state.iterations + 1)
        for number, one, own in self._parts(paths):
            given = [{paths[i]: arrays[i] for i in own} for arrays in (slopes, values)]
            changed, next_one = one.functional.update(given[0], _parted(state, number), given[1])
            after = _joined(after, number, next_one)
            for i in own:
                changes[i] = changed[paths[i]]
        kept = [p.dtype for p in jax.tree.leaves(params)]
        changes = [change.astype(dtype) for change, dtype in zip(changes, kept, strict=True)]
        return form.unflatten(changes), after

    def _scale(self) -> dict[str, Any]:
        factor = self.optimizer.loss_scale_factor
        return {} if factor is None else {SCALE: jnp.asarray(factor, jnp.result_type(float))}

    def _parts(self, paths: Sequence[str]) -> Iterator[tuple[int, Optimizer, list[int]]]:
        chosen = self.optimizer.chosen(paths)
        for number, one in enumerate(self.optimizer.optimizers):
            own = [i for i, path in enumerate(paths) if chosen[path] == number]
            if own:
                yield number, one, own


def _joined(state: OptimizerState, number: int, own: OptimizerState) -> OptimizerState:
    """The state of all with that of one in its place."""
    fields = ("hyperparameters", "slots", "scalars")
    told = {
        name: {f"{number}/{key}": value for key, value in getattr(own, name).items()}
        for name in fields
    }
    return state._replace(**{name: {**getattr(state, name), **told[name]} for name in fields})


def _parted(state: OptimizerState, number: int) -> OptimizerState:
    """The state of one."""

    def own(tree: Mapping[str, Any]) -> dict[str, Any]:
        start = f"{number}/"
        return {k.removeprefix(start): value for k, value in tree.items() if k.startswith(start)}

    return OptimizerState(
        own(state.hyperparameters), state.iterations, own(state.slots), own(state.scalars)
    )


class MultiOptimizer(Optimizer):
    """Several optimizers, each for its own variables.

    Each has its learning rate: `optimizer.optimizers[0].learning_rate = 0.1`.

    Args:
        optimizer_map: an `OptimizerMap`, or a function that gives the optimizer of a variable;
            one object for all variables that it trains together.
        loss_scale_factor: what the loss is multiplied by before it is differentiated.
    """

    def __init__(
        self,
        optimizer_map: OptimizerMap | Callable[[Any], Optimizer],
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ) -> None:
        if not callable(optimizer_map):
            raise TypeError(
                f"optimizer_map must be an OptimizerMap or a function, got {optimizer_map!r}"
            )
        mapped = isinstance(optimizer_map, OptimizerMap)
        known = [*optimizer_map.values(), optimizer_map.default_optimizer] if mapped else []
        self.__dict__.update(
            era="modern",
            iterations=0,
            optimizer_map=optimizer_map,
            loss_scale_factor=loss_scale_factor,
            optimizers=list({id(one): one for one in known}.values()),
            hyperparameters={},
            _config={"name": name or "multi_optimizer"},
            _chosen={},
            _listing=(),
        )

    def __getattr__(self, name: str) -> Any:
        if name in ("learning_rate", "lr"):
            raise AttributeError("each of its optimizers has a learning_rate of its own")
        return super().__getattr__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("learning_rate", "lr"):
            raise AttributeError("each of its optimizers has a learning_rate of its own")
        self.__dict__[name] = value
        if name == "iterations":
            for one in self.optimizers:
                one.iterations = value

    @property
    def schedule(self) -> None:
        """None: each optimizer has its own."""
        return

    @property
    def steps(self) -> Any:
        """The pure functions of all together."""
        return Several(self)

    def chosen(self, paths: Iterable[str]) -> dict[str, int]:
        """Which of the `optimizers` changes what stands at each path of the parameters."""
        known: dict[str, int] = self._chosen
        variables = self._by_path()
        for path in paths:
            if path not in known:
                one = _checked(self.optimizer_map(variables.get(path, Path(path))))
                if not any(one is other for other in self.optimizers):
                    self.optimizers.append(one)
                known[path] = next(i for i, other in enumerate(self.optimizers) if other is one)
        return known

    def _by_path(self) -> dict[str, Any]:
        """The variables that it trains, by the paths of their values."""
        own: dict[str, Any] = {}
        if (model := self._model()) is not None and model.built:
            own = dict(zip(model._weight_paths(), model.weights, strict=True))
        return {str(index): one for index, one in enumerate(self._listing)} | own

    def named(self, paths: Sequence[str]) -> list[str]:
        """Paths of a list, `0`, `1`, …, as the model has them that holds these variables."""
        variables = self._by_path()
        known = {one: path for path, one in variables.items()}
        return [known.get(variables.get(path), path) for path in paths]

    def _keeps(self, model: Any) -> Any:
        self.__dict__.update(_chosen={}, _listing=())
        return super()._keeps(model)

    def begin(self, variables: Iterable[Variable]) -> None:
        """Make the state for training these variables."""
        trained = tuple(variables)
        self.__dict__.update(_chosen={}, _listing=trained)
        self._begin(trained, self.steps.init)

    def values(self) -> dict[str, float]:
        """The hyperparameters of all that train something, as they are now."""
        active = sorted(set(self._chosen.values()))
        own = {} if self.loss_scale_factor is None else {SCALE: float(self.loss_scale_factor)}
        for number in active:
            told = self.optimizers[number].values().items()
            own |= {f"{number}/{name}": value for name, value in told}
        return own

    def scale_loss(self, loss: Any) -> Any:
        """The loss to differentiate: `loss · loss_scale_factor`, which `update` divides out."""
        return loss if self.loss_scale_factor is None else loss * float(self.loss_scale_factor)

    def finalize(self, params: Params, state: OptimizerState) -> Params:
        """The parameters to keep after training: what each optimizer keeps of its own."""
        form, paths, _, _ = laid_out(params, params)
        kept = jax.tree.leaves(params)
        for number, one, own in self.steps._parts(paths):
            part = one.finalize({paths[i]: kept[i] for i in own}, _parted(state, number))
            for i in own:
                kept[i] = part[paths[i]]
        return form.unflatten(kept)

    def exclude_from_weight_decay(self, var_names: Sequence[str]) -> None:
        """Let weight decay pass over parameters whose path matches a regular expression."""
        for one in self.optimizers:
            one.exclude_from_weight_decay(var_names)

    def _arranging(self, arrange: Callable[[PyTree], Sequence[Any]]) -> Callable[..., list[Any]]:
        """How the leaves of one optimizer's slots come in a file, for the order of all."""
        tree: Params = {}
        for path in self._chosen:
            *outer, last = path.split("/")
            node = tree
            for step in outer:
                node = node.setdefault(step, {})
            node[last] = path
        order = list(arrange(tree))
        return lambda own: [own[path] for path in order if path in own]

    def state_arrays(
        self,
        state: OptimizerState,
        arrange: Callable[[PyTree], Sequence[Any]] = jax.tree.leaves,
        layout: str | None = None,
    ) -> list[tuple[str, np.ndarray]]:
        """A counter, a learning rate that nothing uses, then the state of each optimizer."""
        own = [("iterations", np.asarray(state.iterations)), ("learning_rate", np.zeros((), "f4"))]
        for number, arrays in self._stored(state, self._arranging(arrange)):
            own += [(f"{number}/{name}", array) for name, array in arrays]
        return own

    def _stored(
        self, state: OptimizerState, arrange: Callable[..., list[Any]]
    ) -> Iterator[tuple[int, list[tuple[str, np.ndarray]]]]:
        for number in sorted(set(self._chosen.values())):
            part = _parted(state, number)
            yield number, self.optimizers[number].state_arrays(part, arrange, "keras3")

    def load_state_arrays(
        self,
        state: OptimizerState,
        arrays: Sequence[Any],
        arrange: Callable[[PyTree], Sequence[Any]] = jax.tree.leaves,
        layout: str | None = None,
    ) -> OptimizerState:
        """The state that `state_arrays` gave these arrays of."""
        inner = self._arranging(arrange)
        stored = {number: len(part) for number, part in self._stored(state, inner)}
        if len(arrays) != 2 + sum(stored.values()):
            raise ValueError(f"{2 + sum(stored.values())} arrays are expected, got {len(arrays)}")
        left = list(arrays[2:])
        for number, count in stored.items():
            own, left = left[:count], left[count:]
            one, part = self.optimizers[number], _parted(state, number)
            state = _joined(state, number, one.load_state_arrays(part, own, inner, "keras3"))
        return state._replace(iterations=jnp.asarray(arrays[0], jnp.int32))

    def get_config(self) -> Config:
        """The arguments that make an equal object."""
        chosen = self.optimizer_map
        mapped = isinstance(chosen, OptimizerMap)
        return {
            "name": self._config["name"],
            "optimizer_map": {"class_name": "OptimizerMap", "config": chosen.get_config()}
            if mapped
            else serialize_keras_object(chosen),
            "loss_scale_factor": self.loss_scale_factor,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """The optimizer that `get_config` described; a function by its name in custom objects."""
        given = dict(config)
        described = given["optimizer_map"]
        if isinstance(described, Mapping):
            given["optimizer_map"] = OptimizerMap.from_config(described["config"])
        elif isinstance(described, str):
            given["optimizer_map"] = get_registered_object(described)
        return cls(**given)


registry.add(MultiOptimizer, "MultiOptimizer")
