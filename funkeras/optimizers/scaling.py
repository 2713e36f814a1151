"""Loss scaling, for gradients that float16 would round to zero."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from funkeras.optimizers.base import Optimizer, registry
from funkeras.optimizers.updates import OptimizerState
from funkeras.typing import Array, Config, Params, PyTree

__all__ = ["LossScaleOptimizer"]

SCALE, STEPS = "dynamic_scale", "finite_steps"
LARGEST = 2.0**31
"""The scale grows no further: far beyond float16, and a finite loss times it stays finite."""


class Scaled(NamedTuple):
    """The inner optimizer's updates, after the gradients are divided by the scale.

    A step whose gradients are not finite is left out and halves the scale; after so many good ones
    it doubles.
    """

    inner: Any
    initial_scale: float
    growth_steps: int

    def init(self, params: Params) -> OptimizerState:
        """The inner state, and the scale."""
        state = self.inner.init(params)
        scale = jnp.asarray(self.initial_scale, jnp.float32)
        return _joined(state, scale, jnp.zeros((), jnp.int32))

    def update(
        self, gradients: PyTree, state: OptimizerState, params: Params | None = None, **extra: Any
    ) -> tuple[PyTree, OptimizerState]:
        """The changes, none if a gradient is not finite, and the next state."""
        old, scale, steps = _parted(state)
        slopes = jax.tree.map(lambda g: g / scale.astype(g.dtype), gradients)
        good = jnp.asarray(True)
        for slope in jax.tree.leaves(slopes):
            good &= jnp.all(jnp.isfinite(slope))
        changes, new = self.inner.update(slopes, old, params, **extra)
        changes = jax.tree.map(lambda c: jnp.where(good, c, jnp.zeros_like(c)), changes)
        new = jax.tree.map(lambda n, o: jnp.where(good, n, o), new, old)
        grows = steps + 1 >= self.growth_steps
        grown = jnp.where(grows, jnp.minimum(2 * scale, LARGEST), scale)
        scale = jnp.where(good, grown, jnp.maximum(scale / 2, 1.0))
        return changes, _joined(new, scale, jnp.where(good & ~grows, steps + 1, 0))


def _joined(state: OptimizerState, scale: Array, steps: Array) -> OptimizerState:
    return state._replace(scalars={**state.scalars, SCALE: scale, STEPS: steps})


def _parted(state: OptimizerState) -> tuple[OptimizerState, Array, Array]:
    own = dict(state.scalars)
    scale, steps = own.pop(SCALE), own.pop(STEPS)
    return state._replace(scalars=own), scale, steps


class LossScaleOptimizer(Optimizer):
    """An optimizer that multiplies the loss before differentiating and divides the gradients after.

    The scale is halved when a gradient overflows, and that step left out; it doubles after
    `dynamic_growth_steps` steps without one (Micikevicius et al., Mixed Precision Training, 2018).
    `compile` puts it around the optimizer of a model with layers of the policy `mixed_float16`.
    """

    def __init__(
        self,
        inner_optimizer: Any,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **options: Any,
    ) -> None:
        inner = registry.get(inner_optimizer)
        if not isinstance(inner, Optimizer) or isinstance(inner, LossScaleOptimizer):
            raise TypeError(f"inner_optimizer must be another optimizer, got {inner_optimizer!r}")
        if "loss_scale_factor" in inner.hyperparameters:
            raise ValueError("the inner optimizer has a loss_scale_factor already")
        if not initial_scale > 0:
            raise ValueError(f"initial_scale must be positive, got {initial_scale!r}")
        if not isinstance(dynamic_growth_steps, int) or dynamic_growth_steps < 1:
            raise ValueError(
                f"dynamic_growth_steps must be a positive integer, got {dynamic_growth_steps!r}"
            )
        given = {key: value for key, value in options.items() if value not in (None, False)}
        if unknown := sorted(set(given) - {"ema_momentum"}):
            raise TypeError(f"give {', '.join(unknown)} to the inner optimizer")
        self.__dict__.update(
            era=inner.era,
            iterations=0,
            inner_optimizer=inner,
            initial_scale=float(initial_scale),
            dynamic_growth_steps=dynamic_growth_steps,
            _config={"name": name or "loss_scale_optimizer"},
            hyperparameters=inner.hyperparameters,
        )

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.inner_optimizer, name, value)
        if name == "iterations":
            self.__dict__[name] = value

    def __getattr__(self, name: str) -> Any:
        inner = self.__dict__.get("inner_optimizer")
        return super().__getattr__(name) if inner is None else getattr(inner, name)

    @property
    def schedule(self) -> Any:
        """The inner optimizer's."""
        return self.inner_optimizer.schedule

    @property
    def steps(self) -> Any:
        """The inner optimizer's, of gradients divided by the scale."""
        return Scaled(
            self.inner_optimizer.functional, self.initial_scale, self.dynamic_growth_steps
        )

    def finalize(self, params: Params, state: OptimizerState) -> Params:
        """What the inner optimizer keeps after training."""
        return self.inner_optimizer.finalize(params, _parted(state)[0])

    def exclude_from_weight_decay(self, var_names: Sequence[str]) -> None:
        """Let the inner optimizer's weight decay pass over parameters."""
        self.inner_optimizer.exclude_from_weight_decay(var_names)

    def state_arrays(
        self,
        state: OptimizerState,
        arrange: Callable[[PyTree], Sequence[Any]] = jax.tree.leaves,
        layout: str | None = None,
    ) -> list[tuple[str, np.ndarray]]:
        """Steps since the scale changed, the scale, then the inner optimizer's state.

        In Keras 3 a counter and a learning rate come first, which nothing uses.
        """
        inner, scale, steps = _parted(state)
        own = [("step_counter", np.asarray(steps)), (SCALE, np.asarray(scale))]
        if layout == "keras3" or (layout is None and self.era == "modern"):
            names = ("loss_scale/iterations", "loss_scale/learning_rate")
            own = [(names[0], np.zeros((), "i4")), (names[1], np.zeros((), "f4")), *own]
        return own + self.inner_optimizer.state_arrays(inner, arrange, layout)

    def load_state_arrays(
        self,
        state: OptimizerState,
        arrays: Sequence[Any],
        arrange: Callable[[PyTree], Sequence[Any]] = jax.tree.leaves,
        layout: str | None = None,
    ) -> OptimizerState:
        """The state that `state_arrays` gave these arrays of."""
        inner, _, _ = _parted(state)
        first = 2 if layout == "keras3" or (layout is None and self.era == "modern") else 0
        own, others = arrays[first : first + 2], arrays[first + 2 :]
        if len(own) < 2 or np.shape(own[0]) or np.shape(own[1]):
            raise ValueError("the state of a LossScaleOptimizer begins with single numbers")
        loaded = self.inner_optimizer.load_state_arrays(inner, others, arrange, layout)
        scale, steps = jnp.asarray(own[1], jnp.float32), jnp.asarray(own[0], jnp.int32)
        return _joined(loaded, scale, steps)

    def get_config(self) -> Config:
        """The arguments that make an equal object."""
        return {
            "name": self._config["name"],
            "inner_optimizer": registry.serialize(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """The optimizer that `get_config` described."""
        return cls(**config)


registry.add(LossScaleOptimizer, "LossScaleOptimizer")
