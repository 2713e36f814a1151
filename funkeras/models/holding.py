"""What a model holds: the variables of its layers, read, replaced and counted."""

import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from funkeras.distribution import distribution
from funkeras.layers.layer import Layer
from funkeras.layers.nodes import mask_of, updates_of, uses_learning_phase
from funkeras.layers.weights import forms_version, variables_lock, variables_version
from funkeras.models.ends import Ends
from funkeras.models.ties import Ties, owner_of, synced, ties_of
from funkeras.tracing import trace
from funkeras.typing import Params, State
from funkeras.variables import Variable, current_flow

__all__ = ["Holding"]


def _histories(ends: str, part: int, told: str) -> Any:
    """For each tensor at the `ends` of a model one part of where it came from, as a property."""

    def listed(model: "Holding") -> list[Any]:
        entries: Any = getattr(model._structure, "entries", {})
        return [
            (entries[tensor], 0, 0)[part] if tensor in entries else tensor._keras_history[part]
            for tensor in getattr(model, ends)
        ]

    return property(listed, doc=told)


def _kept(variables: Sequence[Variable], own: Sequence[Variable]) -> list[Variable]:
    return [v for v in variables if any(v is other for other in own)]


def _of(layer: Any, own: Sequence[Variable], paths: Sequence[str]) -> list[str]:
    """The paths of a layer's weights that are among its `own`."""
    return [p for v, p in zip(layer.weights, paths, strict=True) if any(v is o for o in own)]


def _is_chosen(layer: Any, filters: Any) -> bool:
    """Whether a layer is one that `filters` of `quantize` mean."""
    if callable(filters):
        return bool(filters(layer))
    patterns = [filters] if isinstance(filters, str) else filters
    return patterns is None or any(re.search(pattern, layer.name) for pattern in patterns)


def _is_own(layer: Any) -> bool:
    return type(layer).__module__.partition(".")[0] == __name__.partition(".")[0]


class Holding(Ends):
    """The variables of a model, which its layers own."""

    @property
    def variables_now(self) -> tuple[Params, State]:
        """`params` and `state` of one moment, though another thread trains."""
        if current_flow() is not None:  # where other arrays may stand for them
            return self._gather()
        gathered = self._gathered
        if gathered[0] != variables_version():
            with variables_lock:
                gathered = self._gathered = (variables_version(), *self._gather())
        return gathered[1], gathered[2]

    def _keep_up(self) -> None:
        """Forget the programs that were made for other weights than the layers have by now."""
        version, nested = self._formed
        if version == forms_version() or not self.built:
            return
        self._formed = forms_version(), jax.tree.structure(self.variables_now)
        if nested is not None and nested != self._formed[1]:
            slots = None if self._engine is None else self._engine.slots
            self._outgrown = slots is not None or self._optimizer_state is not None
            self._changed_graph()

    def _gather(self) -> tuple[Params, State]:
        params, state = self.own_variables()
        params = params | {layer.name: layer.params for layer in self.layers if layer.params}
        return params, state | {layer.name: layer.state for layer in self.layers if layer.state}

    @property
    def ties(self) -> Ties:
        """Paths of arrays that are those of other paths: it has some layers in several places."""
        if self._tied is None:
            every = [*self._every_layer()]
            found = ties_of(self, self._gather()) if len({*every}) < len(every) else {}
            if not self.built:
                return found
            self._tied = found
        return self._tied

    def _every_layer(self) -> Iterator[Any]:
        """The layers in it and in these, each as often as it is there."""
        left = [*self.layers]
        while left:
            layer = left.pop()
            yield layer
            inside = layer.layers if isinstance(layer, Holding) else layer._within().values()
            left.extend(inside)

    @property
    def params(self) -> Params:
        """Trainable arrays as nested dicts by layer name. Assigning checks names and shapes."""
        return self.variables_now[0]

    @params.setter
    def params(self, value: Params) -> None:
        self._set("params", value)

    @property
    def state(self) -> State:
        """Other arrays (moving averages, recurrent states) as nested dicts by layer name."""
        return self.variables_now[1]

    @state.setter
    def state(self, value: State) -> None:
        self._set("state", value)

    def _set(self, kind: str, value: Mapping[str, Any]) -> None:
        present = {layer.name: layer for layer in self.layers if getattr(layer, kind)}
        own = self.own_variables()[kind == "state"]
        if set(value) != {*present, *own}:
            raise ValueError(
                f"{kind} of {self.name!r} has the layers {sorted({*present, *own})}, "
                f"got {sorted(value)}"
            )
        saved = {name: getattr(layer, kind) for name, layer in present.items()}
        try:
            for name, layer in present.items():
                setattr(layer, kind, value[name])
        except (ValueError, TypeError):
            for name, layer in present.items():
                setattr(layer, kind, saved[name])
            raise

    def adopt(self, params: Params, state: State) -> None:
        """Take over variables of the right structure, unchecked: what training hands back."""
        if ties := self.ties:
            params, state = synced(params, ties), synced(state, ties)
        with variables_lock:
            super().adopt(params, state)
            if current_flow() is None and distribution() is None:
                self._gathered = (variables_version(), params, state)

    @property
    def weights(self) -> list[Variable]:
        """The weights that files hold, layer by layer."""
        return [*self._own_weights(), *(v for _, own in self._by_place() for v in own)]

    def _by_place(self) -> list[tuple[Any, list[Variable]]]:
        """The weights of each layer that no layer before it has."""
        if not self.ties:
            return [(layer, layer.weights) for layer in self.layers]
        seen: set[Any] = set()
        found = []
        for layer in self.layers:
            own = [(owner_of(v.owner, v.place), v) for v in layer.weights]
            found.append((layer, [v for key, v in own if key not in seen]))
            seen |= {key for key, _ in own}
        return found

    def _weight_paths(self) -> list[str]:
        """Where among the nested arrays each of the `weights` is."""
        inner = [
            f"{layer.name}/{path}"
            for layer, own in self._by_place()
            for path in _of(layer, own, layer._weight_paths())
        ]
        return [*(own.place for own in self._own_weights()), *inner]

    def _own_weights(self) -> list[Variable]:
        """Those of `add_weight` in a subclass."""
        return [self._variable(w.name, w.shape, w.trainable) for w in self.own_weights]

    def _weights_by_use(self) -> tuple[list[Variable], list[Variable]]:
        if not self.trainable:
            return [], self.weights
        own = self._own_weights()
        listed = self._by_place()
        moved = [v for layer, own in listed for v in _kept(layer.trainable_weights, own)]
        still = [v for layer, own in listed for v in _kept(layer.non_trainable_weights, own)]
        return [v for v in own if v.trainable] + moved, [v for v in own if not v.trainable] + still

    def as_given(self, arrays: Sequence[Any]) -> list[Any]:
        """Arrays as the layers keep them, as `get_weights` gives them."""
        return self._by_layer("as_given", arrays)

    def as_kept(self, arrays: Sequence[Any]) -> list[Any]:
        """Arrays that `set_weights` takes, as the layers keep them."""
        return self._by_layer("as_kept", arrays)

    def _by_layer(self, arranging: str, arrays: Sequence[Any]) -> list[Any]:
        left = iter(arrays)
        arranged = [next(left) for _ in self._own_weights()]
        for layer, own in self._by_place():
            given = [next(left) for _ in own]
            whole = len(own) == len(layer.weights)
            arranged += getattr(layer, arranging)(given) if whole else given
        return arranged

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Replace all arrays, in the order of `get_weights`; all are checked first."""
        self._require_built("set_weights")
        variables = self.weights
        if len(weights) != len(variables):
            raise ValueError(f"{self.name!r} has {len(variables)} weights, got {len(weights)}")
        weights = self.as_kept(weights)
        for variable, value in zip(variables, weights, strict=True):
            if np.shape(value) != variable.shape:
                raise ValueError(
                    f"weight {variable.name} has shape {variable.shape}, got {np.shape(value)}"
                )
        self.keep_arrays(weights)

    def keep_arrays(self, arrays: Sequence[Any]) -> None:
        """Replace all arrays by some arranged as the layers keep them."""
        left = iter(arrays)
        for variable in self._own_weights():
            variable.assign(next(left))
        for layer, own in self._by_place():
            given = [next(left) for _ in own]
            if len(own) == len(layer.weights):
                layer.keep_arrays(given)
            else:
                for variable, array in zip(own, given, strict=True):
                    variable.assign(array)

    def quantize(
        self,
        mode: str | None = None,
        config: Any = None,
        filters: Any = None,
        *,
        type_check: bool = True,
    ) -> None:
        """Have the kernels of `Dense`, `EinsumDense` and embeddings in eight bits, for inference.

        Args:
            mode: `"int8"`; or `config` says so, with quantizers of weights and inputs.
            filters: which layers: a regular expression that their names match, several of them, or
                a function of a layer.
            type_check: whether to leave subclasses alone that users wrote.

        Other layers with kernels stay as they are; a warning names them.
        """
        self._require_built("quantize")
        left = []
        for layer in dict.fromkeys(self._every_layer()):
            if isinstance(layer, Holding) or not _is_chosen(layer, filters):
                continue
            try:
                layer.quantize(mode, config=config, type_check=type_check)
            except NotImplementedError:
                if layer.quantizes and type_check and _is_own(layer):
                    raise
                if any(len(w.shape) > 1 for w in layer.weights) and not layer.inner_layers:
                    left.append(layer.name)
        if left:
            warnings.warn(f"not quantized: {', '.join(left)}", stacklevel=2)

    def count_params(self) -> int:
        """Number of entries in all weights."""
        self._require_built("count_params")
        return sum(int(np.prod(variable.shape)) for variable in self.weights)

    @property
    def trainable(self) -> bool:
        """Whether training changes the model at all.

        In Keras 1 and 2 a word about the model that leaves its layers alone; in later ones
        assigning it freezes or frees every layer.
        """
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        if self.dialect == "modern":
            for layer in self.inner_layers:
                layer.trainable = self._trainable

    def trainable_paths(self) -> set[str]:
        """Paths (`dense_1/kernel`) of the arrays that training changes."""
        if not self.trainable:
            return set()
        own = {weight.name for weight in self.own_weights if weight.trainable}
        inner = ((layer.name, path) for layer in self.layers for path in layer.trainable_paths())
        return (own | {f"{name}/{path}" for name, path in inner}) - {*self.ties}

    def _rules(self, suffix: str) -> dict[str, Callable[[Any], Any]]:
        own = {w.name: self._own_rules.get(f"{w.name}{suffix}") for w in self.own_weights}
        rules = {name: rule for name, rule in own.items() if rule is not None}
        for layer in self.layers:
            rules |= {f"{layer.name}/{name}": rule for name, rule in layer._rules(suffix).items()}
        ties = self.ties
        return {path: rule for path, rule in rules.items() if path not in ties}

    def _by_weight(self, suffix: str) -> list[tuple[Variable, Any]]:
        own = [(v, self._own_rules.get(f"{v.place}{suffix}")) for v in self._own_weights()]
        ruled = {variable: rule for variable, rule in own if rule is not None}
        for layer in self.layers:  # two inner models may share one
            ruled |= layer._by_weight(suffix)
        return list(ruled.items())

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask that goes on with each output: none where none comes and no layer makes one."""
        if jax.tree.leaves(mask) or self.is_written():
            return super().compute_mask(inputs, mask)
        found = [mask_of(tensor) for tensor in self.outputs]
        return found[0] if len(found) == 1 else found

    @property
    def updates(self) -> list[Any]:
        """Pairs of a variable and its next value that training carries out."""
        told = [update for update, _ in self._told_updates]
        known = self.built and not self.is_written() and self.trainable
        calls = trace(self.inputs, self.outputs).calls if known else ()
        layers = (call for call in calls if isinstance(call.callee, Layer))
        return [update for call in layers for update in updates_of(call.callee, call)] + told

    @property
    def uses_learning_phase(self) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]: only read
        """Whether an output is another in training."""
        return any(uses_learning_phase(tensor) for tensor in self.outputs)

    input_layers = _histories("inputs", 0, "The layers that data enters by.")
    input_layers_node_indices = _histories("inputs", 1, "The number of the call of each of these.")
    input_layers_tensor_indices = _histories("inputs", 2, "Which of its outputs each input is.")
    output_layers = _histories("outputs", 0, "The layers that the outputs come from.")
    output_layers_node_indices = _histories("outputs", 1, "The number of the call of each.")
    output_layers_tensor_indices = _histories("outputs", 2, "Which of its outputs each output is.")
    _input_layers, _output_layers = input_layers, output_layers

    @property
    def losses(self) -> list[Any]:
        """The penalties on weights, on what layers give here, and what `add_loss` was given."""
        known = self.built and not self.is_written()
        activity = [
            loss
            for call in (trace(self.inputs, self.outputs).calls if known else ())
            if isinstance(call.callee, Layer)
            for loss in call.callee.get_losses_for(call.inputs)
        ]
        return [*self.get_losses_for(None), *activity, *self._losses]

    def penalizes_activity(self) -> bool:
        """Whether a layer adds a penalty on its outputs to the loss."""
        own = self._losses or self._numbers or self._places()
        return bool(own) or any(layer.penalizes_activity() for layer in self.layers)

    @property
    def keeps_states(self) -> bool:
        """Whether each batch goes on where the one before it ended, in prediction too."""
        return bool(self.state) and any(layer.keeps_states for layer in self.layers)

    def reset_states(self) -> None:
        """Set what layers keep between batches back to its beginning."""
        for layer in self.layers:
            layer.reset_states()
