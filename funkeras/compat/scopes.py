"""Scopes, `Function` and `Operation` of Keras 3, for programs that use it as a library."""

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from typing import Any

import jax
import jax.numpy as jnp

from funkeras import random, symbolic
from funkeras.functional.combinators import PENALTY
from funkeras.layers.layer import Layer
from funkeras.layers.options import automatic_name, rematerializing
from funkeras.models import Model
from funkeras.variables import Flow, Variable, flowing

__all__ = ["Function", "Operation", "RematScope", "StatelessScope"]


class Standing(dict[Any, Any]):
    """What stands for the variables of each owner in a scope: at first what they are."""

    def __contains__(self, owner: object) -> bool:
        known = super().__contains__(owner)
        if not known and isinstance(owner, Layer | Variable):
            self[owner] = owner.held
            return True
        return known

    def get(self, owner: Any, default: Any = None) -> Any:
        """What stands for an owner's variables."""
        known = owner in self
        return super().get(owner, default) if known else default


class StatelessScope:
    """Where variables have other values, and assigning to them leaves them as they are.

    >>> import funkeras
    >>> v = funkeras.variables.Variable([1.0, 2.0])
    >>> with StatelessScope(state_mapping=[(v, [3.0, 4.0])]) as scope:
    ...     _ = v.assign(v.value + 1)
    >>> scope.get_current_value(v).tolist(), v.numpy().tolist()
    ([4.0, 5.0], [1.0, 2.0])

    Args:
        state_mapping: pairs of a variable and its value within the scope.
        collect_losses: whether `losses` has what layers add to the loss in training.
    """

    def __init__(
        self,
        state_mapping: Iterable[tuple[Variable, Any]] | None = None,
        collect_losses: bool = False,
        initialize_variables: bool = True,
    ) -> None:
        self.collect_losses = collect_losses
        self.initialize_variables = initialize_variables
        self._flow = Flow(bound=Standing())
        self._flow.assigned = self._flow.bound
        self._stack = ExitStack()
        with flowing(self._flow):
            for variable, value in state_mapping or ():
                if not isinstance(variable, Variable):
                    raise TypeError(f"state_mapping has variables first, got {variable!r}")
                self.add_update((variable, value))

    @property
    def losses(self) -> list[Any]:
        """What layers that ran there as in training added to the loss."""
        if not self.collect_losses:
            return []
        states = (held[1] for owner, held in self._flow.bound.items() if isinstance(owner, Layer))
        return [*self._flow.losses, *(state[PENALTY] for state in states if PENALTY in state)]

    def add_update(self, update: tuple[Variable, Any]) -> None:
        """Let a variable have another value within the scope."""
        variable, value = update
        with flowing(self._flow):
            variable.assign(jnp.asarray(value, variable.dtype))

    def get_current_value(self, variable: Variable) -> Any:
        """What a variable has come to within the scope."""
        with flowing(self._flow):
            return variable.value

    def __enter__(self) -> "StatelessScope":
        if self._flow.key is None:
            self._flow.key = random.key_of(None)
        self._stack.enter_context(flowing(self._flow))
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()


class RematScope:
    """Layers that are made here compute their activations again in the backward pass.

    It saves memory, and changes no number.

    Args:
        mode: `full` or None; `list_of_layers` for those of `layer_names` alone. For `activations`
            and `larger_than`, which Keras has too, it is whole layers, of any size.
    """

    MODES = (None, "full", "activations", "larger_than", "list_of_layers")

    def __init__(
        self,
        mode: str | None = "full",
        output_size_threshold: int = 1024,
        layer_names: Iterable[str] | None = None,
    ) -> None:
        if mode not in self.MODES:
            raise ValueError(f"mode must be one of {self.MODES}, got {mode!r}")
        self.mode, self.output_size_threshold = mode, output_size_threshold
        self.layer_names = list(layer_names or ())
        self._stack = ExitStack()

    def _has(self, name: str) -> bool:
        listed = self.mode != "list_of_layers" or name in self.layer_names
        return self.mode is not None and listed

    def __enter__(self) -> "RematScope":
        self._stack.enter_context(rematerializing(self._has))
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()


class Function:
    """The computation between symbolic tensors, to be called on arrays or on other tensors."""

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None) -> None:
        self._model = Model(inputs, outputs, name=name)
        self.name = self._model.name
        self._inputs_struct, self._outputs_struct = inputs, outputs

    @property
    def inputs(self) -> list[Any]:
        """The tensors that it begins with."""
        return jax.tree.leaves(self._inputs_struct)

    @property
    def outputs(self) -> list[Any]:
        """The tensors that it ends with."""
        return jax.tree.leaves(self._outputs_struct)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Shapes of the outputs for those of the inputs."""
        return self._model.compute_output_shape(input_shape)

    def __call__(self, inputs: Any) -> Any:
        """The outputs for these inputs, nested as `outputs` were."""
        return self._model(inputs)


class Operation:
    """A function with settings: subclass it with `call`. On symbolic tensors it is recorded."""

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        self.name = name or automatic_name(type(self).__name__)
        self.dtype = dtype

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """What it computes of arrays."""
        raise NotImplementedError(f"{type(self).__name__} must define call")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What `call` gives, or where a tensor is symbolic, a symbolic tensor."""
        if any(map(symbolic.is_symbolic, jax.tree.leaves((args, kwargs)))):
            return self.symbolic_call(*args, **kwargs)
        return self.call(*args, **kwargs)

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """The symbolic tensors that it makes of others."""
        return symbolic.apply(self.call, *args, name=self.name, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make another one like it."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """The operation that `get_config` described."""
        return cls(**config)
