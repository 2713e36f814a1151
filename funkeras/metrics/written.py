"""Metrics that users wrote as layers with variables of their own, as in Keras 2.1.3 to 2.2.5."""

from typing import Any

import jax
import jax.numpy as jnp

from funkeras import config
from funkeras.metrics.base import Metric, State
from funkeras.typing import ArrayLike, Shape
from funkeras.variables import DRAWS, Flow, current_flow, flowing, noting

__all__ = ["LayerMetric", "is_stateful_layer"]


def is_stateful_layer(metric: Any) -> bool:
    """Whether this is a layer that counts over batches and begins anew with each epoch."""
    if isinstance(metric, Metric):
        return False
    return bool(getattr(metric, "stateful", False)) and hasattr(metric, "reset_states")


class LayerMetric(Metric):
    """A stateful layer as a metric.

    Called with targets and predictions the layer gives its value after the batch, and tells by
    `add_update` what its variables become. Weights of samples it does not see.

    Args:
        layer: has `stateful`, `reset_states` and a call of two arrays.
        shapes: of targets and predictions, the batch first, with which it is tried once to find
            the variables that it reads.
    """

    weighable = False

    def __init__(self, layer: Any, shapes: tuple[Shape, ...]) -> None:
        super().__init__(name=layer.name)
        self.layer = layer
        sizes = [(1, *(size or 1 for size in shape[1:])) for shape in shapes]
        with noting() as noted:
            jax.eval_shape(
                lambda *data: self._run({}, *data)[0],
                *(jax.ShapeDtypeStruct(size, config.floatx()) for size in sizes),
            )
        self._owners = [owner for owner in noted if owner is not DRAWS]

    def _run(self, held: dict[Any, Any], *data: Any) -> tuple[Any, Flow]:
        outer = current_flow()
        bound = {} if outer is None else outer.bound
        with flowing(Flow(bound={**bound, **held}, assigned={})) as flow:
            return jnp.asarray(self.layer(*data)), flow

    def init(self, shape: Shape | None = None) -> State:
        """What the layer's variables are after its `reset_states`."""
        self.layer.reset_states()
        held = tuple(owner.held for owner in self._owners)
        return {"held": held, "value": jnp.zeros((), config.floatx())}

    def update(self, state: State, *data: Any, weights: ArrayLike | None = None) -> State:
        """What they become with a batch, and the layer's value."""
        value, flow = self._run(dict(zip(self._owners, state["held"], strict=True)), *data)
        after = {**flow.bound, **(flow.assigned or {})}
        held = tuple(after[owner] for owner in self._owners)
        return {"held": held, "value": value.astype(state["value"].dtype)}

    def result(self, state: State | None = None) -> Any:
        """The layer's value after the last batch."""
        return (self.state if state is None else state)["value"]
