"""One optimizer step as a pure function: clipping, weight decay, the rule, moving averages.

A `Rule` says how one array changes; everything around it is here, once, for all optimizers.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from jax import lax

from funkeras import spellings
from funkeras.typing import Array, ArrayLike, Params, PyTree

__all__ = [
    "CLIPS",
    "NO_SLOT",
    "OWN",
    "OptimizerState",
    "Rule",
    "Scalars",
    "Slots",
    "Updates",
    "global_norm",
    "laid_out",
    "wide",
    "with_hyperparameters",
]

Scalars: TypeAlias = dict[str, Any]
"""Hyperparameters, and what a rule derives from them once per step, by name."""
Slots: TypeAlias = dict[str, Any]
"""What an optimizer remembers of one parameter array, by name."""
Initial: TypeAlias = float | Callable[[Any], Array]
"""First value of a slot: a number, or a function of the parameter array."""
Row: TypeAlias = tuple[Array, Slots]
"""The change of one array, and its slots."""


def _as_they_are(h: Scalars, t: Array) -> Scalars:
    return h


def _no_scalars(h: Mapping[str, Any], t: ArrayLike) -> dict[str, Any]:
    return {}


class Rule(NamedTuple):
    """How an optimizer changes one array.

    `step(h, gradient, value, slots)` gives the change to add and the new slots. `h` has the
    hyperparameters and whatever `prepare(h, t)` adds at step t = 1, 2, …
    """

    step: Callable[[Scalars, Array, Array, Slots], Row]
    slots: tuple[Mapping[str, Initial], ...] = ()
    """Slots with their first values, in groups; Keras 3 saves a group side by side."""
    prepare: Callable[[Scalars, Array], Scalars] = _as_they_are
    scalars: Callable[[Mapping[str, Any], ArrayLike], dict[str, Any]] = _no_scalars
    """Numbers carried from step to step, as they are after `t` steps; `prepare` renews them."""
    fixed: tuple[str, ...] = ()
    """Arguments that cannot change once the optimizer is built."""
    decay: str = "weight_decay"
    """The hyperparameter by which weights decay, if there is one of that name."""
    chosen: "Callable[[str, Array], Rule] | None" = None
    """The rule of one array by its path and value, where some have one with fewer slots."""


NO_SLOT = (0,)
"""Shape of a slot in the place of an array whose own rule has none of that name."""


OWN = "variables"
"""The slot with the variables of an optimizer that a user wrote, a list of any shapes."""


class OptimizerState(NamedTuple):
    """What an optimizer carries from step to step."""

    hyperparameters: dict[str, Array]
    iterations: Array
    slots: dict[str, PyTree]
    """Name → a tree like the parameters."""
    scalars: dict[str, Array]


def with_hyperparameters(state: OptimizerState, values: Mapping[str, Any]) -> OptimizerState:
    """The state with some hyperparameters replaced; nothing is recompiled for it.

    Raises:
        ValueError: for a name that this optimizer does not have.
    """
    present = state.hyperparameters
    for name in values:
        if name not in present:
            hint = spellings.nearest(name, present)
            raise ValueError(f"unknown hyperparameter {name!r}{hint}; there are {list(present)}")
    new = {name: jnp.asarray(value, present[name].dtype) for name, value in values.items()}
    return state._replace(hyperparameters={**present, **new})


def global_norm(arrays: Iterable[Array]) -> Array:
    """Euclidean norm of all the numbers in the arrays together."""
    return jnp.sqrt(sum((jnp.sum(jnp.square(x)) for x in arrays), start=jnp.zeros(())))


def _shortened(g: Array, limit: Array, norm: Array) -> Array:
    return g * (limit / jnp.maximum(norm, limit)).astype(g.dtype)


def _clip_value(gradients: list[Array], limit: Array) -> list[Array]:
    return [jnp.clip(g, -limit.astype(g.dtype), limit.astype(g.dtype)) for g in gradients]


def _clip_each(gradients: list[Array], limit: Array) -> list[Array]:
    return [_shortened(g, limit, global_norm([g])) for g in gradients]


def _clip_global(gradients: list[Array], limit: Array) -> list[Array]:
    norm = global_norm(gradients)
    return [_shortened(g, limit, norm) for g in gradients]


_OLD = {"clipnorm": _clip_global, "global_clipnorm": _clip_global, "clipvalue": _clip_value}
_NEW = {"clipnorm": _clip_each, "global_clipnorm": _clip_global, "clipvalue": _clip_value}
CLIPS: dict[str, dict[str, Callable[[list[Array], Array], list[Array]]]] = {
    "classic": _OLD,
    "keras2": _OLD,
    "legacy": {name: _NEW[name] for name in ("clipvalue", "clipnorm", "global_clipnorm")},
    "modern": _NEW,
}
"""Era → argument → what it does, in the order of application.

Keras 1 and 2 measure all gradients together for `clipnorm`, later versions each by itself.
"""

LAZY = ("SGD", "RMSprop", "Adadelta", "Adamax", "Ftrl")
"""Rules that leave rows of an embedding as they were when a batch does not use them (legacy)."""


def _said(path: Any) -> str:
    """The path of an array in the parameters, as `dense/kernel`."""
    return jax.tree_util.keystr(path, simple=True, separator="/")


def laid_out(
    gradients: PyTree, params: Params | None
) -> tuple[Any, list[str], list[Array], list[Array]]:
    """The form of the parameters, and for each array its path, its value and its gradient.

    Raises:
        TypeError: without parameters, of which optax lets a caller give none.
    """
    if params is None:
        raise TypeError("update needs the parameters: update(gradients, state, params)")
    leaves, form = jax.tree_util.tree_flatten_with_path(params)
    values = [p.astype(wide(p.dtype)) for _, p in leaves]
    raw = form.flatten_up_to(gradients)
    slopes = [g.astype(p.dtype) for g, p in zip(raw, values, strict=True)]
    return form, [_said(path) for path, _ in leaves], values, slopes


def wide(dtype: Any) -> Any:
    """The type to compute in: half precision loses small changes and moving averages."""
    return dtype if jnp.dtype(dtype).itemsize >= 4 else jnp.dtype(jnp.float32)


@dataclass(frozen=True)
class Updates:
    """The two pure functions of an optax transformation, `init` and `update`, of one optimizer."""

    rule: Rule
    values: Callable[[], Mapping[str, float]]
    schedule: Callable[[Array], ArrayLike] | None = None
    clips: Mapping[str, Callable[[list[Array], Array], list[Array]]] = field(default_factory=dict)
    lazy: bool = False
    undecayed: Sequence[str] = ()
    use_ema: bool = False
    overwrite_every: int | None = None
    accumulate: int | None = None

    def init(self, params: Params) -> OptimizerState:
        """The state before the first step."""
        first: dict[str, Initial] = {}
        first.update({"average": 0.0} if self.use_ema else {})
        first.update({"gradient_accumulator": 0.0} if self.accumulate else {})
        named = {name for group in self.rule.slots for name in group}
        for group in self.rule.slots:
            first.update(group)

        def started(path: Any, p: Array, name: str) -> Array:
            if self.rule.chosen and name in named and name not in self.slots_of(_said(path), p):
                return jnp.zeros(NO_SLOT, wide(p.dtype))
            value = first[name]
            return value(p) if callable(value) else jnp.full_like(p, value, dtype=wide(p.dtype))

        real = jnp.result_type(float)
        h = self.values()
        return OptimizerState(
            hyperparameters={name: jnp.asarray(value, real) for name, value in h.items()},
            iterations=jnp.zeros((), jnp.int32),
            slots={
                name: jax.tree_util.tree_map_with_path(partial(started, name=name), params)
                for name in first
            },
            scalars={k: jnp.asarray(v, real) for k, v in self.rule.scalars(h, 0).items()},
        )

    def update(
        self, gradients: PyTree, state: OptimizerState, params: Params | None = None
    ) -> tuple[PyTree, OptimizerState]:
        """The changes to add to the parameters, and the next state."""
        tree, paths, values, slopes = laid_out(gradients, params)
        columns = {name: tree.flatten_up_to(slot) for name, slot in state.slots.items()}
        slots = [{name: column[i] for name, column in columns.items()} for i in range(len(values))]

        made = state.iterations + 1
        t = state.iterations // self.accumulate + 1 if self.accumulate else made
        h = self.scalars_at(state, t, self.rate(state))
        if "loss_scale_factor" in h:
            slopes = [g / h["loss_scale_factor"].astype(g.dtype) for g in slopes]
        scalars = {name: h[name] for name in state.scalars}
        if self.accumulate:
            due = made % self.accumulate == 0
            rows = self.accumulated(due, h, paths, slopes, values, slots)
            scalars = {k: jnp.where(due, v, state.scalars[k]) for k, v in scalars.items()}
        else:
            rows = self.advanced(h, paths, slopes, values, slots)
        if self.use_ema:
            rows = [self.averaged(h, t, p, *row) for p, row in zip(values, rows, strict=True)]
        changes = [
            c.astype(p.dtype) for (c, _), p in zip(rows, jax.tree.leaves(params), strict=True)
        ]
        return tree.unflatten(changes), OptimizerState(
            hyperparameters=state.hyperparameters,
            iterations=made,
            slots={name: tree.unflatten([s[name] for _, s in rows]) for name in state.slots},
            scalars=scalars,
        )

    def rate(self, state: OptimizerState) -> Any:
        """The learning rate of this step, scheduled and decayed; None where there is none."""
        real, h = jnp.result_type(float), state.hyperparameters
        rate = h.get("learning_rate")
        if self.schedule is not None:
            rate = jnp.asarray(self.schedule(state.iterations), real)
        if "decay" in h and rate is not None:
            rate = rate / (1 + h["decay"] * state.iterations.astype(real))
        return rate

    def scalars_at(self, state: OptimizerState, t: Array, rate: Any) -> Scalars:
        """Hyperparameters of this step with that learning rate, and what the rule derives."""
        h: Scalars = {**state.hyperparameters, **state.scalars}
        h |= {} if rate is None else {"learning_rate": rate}
        return self.rule.prepare(h, t.astype(jnp.result_type(float)))

    def advanced(
        self,
        h: Scalars,
        paths: Sequence[str],
        slopes: list[Array],
        values: Sequence[Array],
        slots: Sequence[Slots],
    ) -> list[Row]:
        """One step of the rule on each array, by the clipped gradients."""
        for name, clip in self.clips.items():
            slopes = clip(slopes, h[name])
        types = {p.dtype for p in values}
        typed = {dtype: {name: h[name].astype(dtype) for name in h} for dtype in types}
        return [
            self.stepped(typed[p.dtype], path, g, p, s)
            for path, g, p, s in zip(paths, slopes, values, slots, strict=True)
        ]

    def rule_of(self, path: str, p: Array) -> Rule:
        """The rule of one array."""
        return self.rule if self.rule.chosen is None else self.rule.chosen(path, p)

    def slots_of(self, path: str, p: Array) -> set[str]:
        """Names of the slots that one array's rule has."""
        return {name for group in self.rule_of(path, p).slots for name in group}

    def stepped(self, h: Scalars, path: str, g: Array, p: Array, slots: Slots) -> Row:
        """One step of the rule on one array, after weight decay: `p ← p - rate · decay · p`."""
        rule, decay = self.rule_of(path, p), None
        if rule.decay in h and not any(re.search(name, path) for name in self.undecayed):
            decay = h["learning_rate"] * h[rule.decay] * p
            p = p - decay
        change, new = rule.step(h, g, p, slots)
        if decay is not None:
            change = change - decay
        if self.lazy and path.endswith("embeddings"):
            used = jnp.any(g != 0, axis=tuple(range(1, g.ndim)), keepdims=True)
            change = jnp.where(used, change, 0)
            new = {name: jnp.where(used, new[name], slots[name]) for name in new}
        return change, {**slots, **new}

    def accumulated(
        self,
        due: Array,
        h: Scalars,
        paths: Sequence[str],
        slopes: list[Array],
        values: Sequence[Array],
        slots: Sequence[Slots],
    ) -> list[Row]:
        """A step by the mean of the last gradients when it is due; else their sum is kept."""
        sums = [g + s["gradient_accumulator"] for g, s in zip(slopes, slots, strict=True)]

        def apply() -> list[Row]:
            means = [g / self.accumulate for g in sums]
            cleared = [
                {**s, "gradient_accumulator": jnp.zeros_like(g)}
                for s, g in zip(slots, sums, strict=True)
            ]
            return self.advanced(h, paths, means, values, cleared)

        def wait() -> list[Row]:
            return [
                (jnp.zeros_like(g), {**s, "gradient_accumulator": g})
                for s, g in zip(slots, sums, strict=True)
            ]

        return lax.cond(due, apply, wait)

    def averaged(self, h: Scalars, t: Array, p: Array, change: Array, slots: Slots) -> Row:
        """The moving average of the parameters after this step; the first one starts it."""
        momentum = jnp.where(t == 1, 0, h["ema_momentum"]).astype(p.dtype)
        average = momentum * slots["average"] + (1 - momentum) * (p + change)
        if self.overwrite_every:
            change = jnp.where(t % self.overwrite_every == 0, average - p, change)
        return change, {**slots, "average": average}
