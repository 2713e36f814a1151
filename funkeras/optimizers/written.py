"""Optimizers that users write for Keras 3, `build` and `update_step`, as pure functions."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from funkeras import config, initializers
from funkeras.optimizers.updates import OWN, OptimizerState, Rule, Scalars, Updates, laid_out, wide
from funkeras.typing import Array, Params, PyTree
from funkeras.variables import Flow, Variable, flowing

__all__ = ["RULE", "Written", "WrittenUpdates", "in_order"]


class Written:
    """What a subclass of `Optimizer` with an `update_step` of its own finds there.

    Its `build(variables)` makes variables of its own, and `update_step(gradient, variable,
    learning_rate)` assigns the next values of these and of the one that is trained. There
    `iterations` and `learning_rate` are those of the step.
    """

    name: str
    built: bool = False
    update_step: Callable[..., None]
    _trainable_variables: list[Variable]
    _own: list[tuple[Variable, int | None]]
    _places: dict[int, int]

    def build(self, variables: Sequence[Variable]) -> None:
        """Note the variables that are trained; an optimizer adds its own for them after this."""
        self._trainable_variables = list(variables)
        self._places = {id(variable): i for i, variable in enumerate(variables)}
        self.__dict__.setdefault("_of_init", len(self._own))  # made before there was a model
        self.built = True

    def rebuild(self, variables: Sequence[Variable]) -> None:
        """Make the optimizer's variables anew, for these."""
        self.built = False
        del self._own[self.__dict__.get("_of_init", len(self._own)) :]
        self.build(list(variables))
        if not self.built:
            raise RuntimeError(f"build of {type(self).__name__} must call super().build(variables)")

    def _get_variable_index(self, variable: Variable) -> int:
        return self._places[id(variable)]

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str | None = None,
        layout: Any = None,
        name: str | None = None,
    ) -> Variable:
        """A new variable of the optimizer; `aggregation` and `layout` have no meaning here."""
        return self._add(shape, initializer, dtype, name, None)

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """A new variable of the optimizer, of the shape of one that is trained."""
        place = self._places.get(id(reference_variable))
        name = f"{reference_variable.path.replace('/', '_')}_{name or 'var'}"
        dtype = wide(reference_variable.dtype)
        return self._add(reference_variable.shape, initializer, dtype, name, place)

    def add_optimizer_variables(
        self,
        trainable_variables: Sequence[Variable],
        name: str | Sequence[str],
        initializer: Any = "zeros",
    ) -> Any:
        """A new variable for each that is trained: a list, or with several names one for each."""
        if isinstance(name, str):
            return self.add_optimizer_variables(trainable_variables, [name], [initializer])[0]
        kinds = initializer if isinstance(initializer, list | tuple) else [initializer] * len(name)
        made: tuple[list[Variable], ...] = tuple([] for _ in name)
        for variable in trainable_variables:
            for column, own, kind in zip(made, name, kinds, strict=True):
                column.append(self.add_variable_from_reference(variable, own, kind))
        return made

    def _add(
        self, shape: Any, initializer: Any, dtype: Any, name: str | None, place: int | None
    ) -> Variable:
        dtype = str(np.dtype(dtype or config.floatx()))
        drawn = initializers.draw(initializer, initializers.NumpySource(), tuple(shape), dtype)
        variable = Variable(jnp.asarray(drawn, dtype), name=name or "variable", trainable=False)
        self._own.append((variable, place))
        return variable

    def assign(self, variable: Variable, value: Any) -> None:
        """Give a variable its next value."""
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Any) -> None:
        """Add to a variable."""
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """Subtract from a variable."""
        variable.assign_sub(value)

    def stepped(
        self, h: Scalars, made: Array, slopes: Sequence[Array], values: Sequence[Array], own: Any
    ) -> tuple[list[Array], tuple[Array, ...]]:
        """The next values of what is trained, and of the optimizer's own variables."""
        before = {name: self.__dict__[name] for name in ("iterations", "_places")}
        held = [variable for variable, _ in self._own]
        flow = Flow(training=True, bound=dict(zip(held, own, strict=True)))
        flow.assigned = flow.bound  # what is read after an assignment is the new value
        self.__dict__.update(iterations=made, learning_rate=h["learning_rate"])
        try:
            with flowing(flow):
                pairs = zip(self._trainable_variables, values, strict=True)
                standing = [Variable(value, name=known.path) for known, value in pairs]
                self._places = {id(variable): i for i, variable in enumerate(standing)}
                for gradient, variable in zip(slopes, standing, strict=True):
                    self.update_step(gradient, variable, h["learning_rate"])
                following = [variable.value for variable in standing]
                return following, tuple(variable.value for variable in held)
        finally:
            del self.__dict__["learning_rate"]
            self.__dict__.update(before)

    def in_files(self, arrange: Callable[[PyTree], Sequence[Any]]) -> Iterator[tuple[int, str]]:
        """Places and names of the optimizer's variables, in the order of files."""
        form = self.__dict__["_form"]
        order = arrange(form.unflatten(range(form.num_leaves)))
        for place in in_order([place for _, place in self._own], order):
            yield place, self._own[place][0].name


@dataclass(frozen=True)
class WrittenUpdates(Updates):
    """One step of an optimizer that a user wrote, with what surrounds the steps of all others."""

    optimizer: Any = None

    def init(self, params: Params) -> OptimizerState:
        """The state before the first step."""
        leaves = jax.tree_util.tree_leaves_with_path(params)
        variables = [
            Variable(leaf, name=jax.tree_util.keystr(path, simple=True, separator="/"))
            for path, leaf in leaves
        ]
        self.optimizer.rebuild(variables)
        return self.begun(params)

    def begun(self, params: Params) -> OptimizerState:
        """The state with the optimizer's variables as they are."""
        self.optimizer.__dict__["_form"] = jax.tree.structure(params)
        state = super().init(params)
        own = tuple(variable.value for variable, _ in self.optimizer._own)
        return state._replace(slots={**state.slots, OWN: own})

    def decayed(self, h: Scalars, path: str, p: Array) -> Array:
        """An array after weight decay: `p - rate · decay · p`."""
        if "weight_decay" not in h or any(re.search(name, path) for name in self.undecayed):
            return p
        return p - (h["learning_rate"] * h["weight_decay"]).astype(p.dtype) * p

    def update(
        self, gradients: PyTree, state: OptimizerState, params: Params | None = None
    ) -> tuple[PyTree, OptimizerState]:
        """The changes to add to the parameters, and the next state."""
        tree, paths, values, slopes = laid_out(gradients, params)
        made = state.iterations + 1
        past = state.iterations // self.accumulate if self.accumulate else state.iterations
        h = self.scalars_at(state, past + 1)
        if "loss_scale_factor" in h:
            slopes = [g / h["loss_scale_factor"].astype(g.dtype) for g in slopes]

        def step(slopes: list[Array]) -> tuple[list[Array], tuple[Array, ...]]:
            for name, clip in self.clips.items():
                slopes = clip(slopes, h[name])
            before = [self.decayed(h, path, p) for path, p in zip(paths, values, strict=True)]
            after, own = self.optimizer.stepped(h, past, slopes, before, state.slots[OWN])
            return [new - p for new, p in zip(after, values, strict=True)], own

        slots = dict(state.slots)
        if count := self.accumulate:
            held = tree.flatten_up_to(slots["gradient_accumulator"])
            sums = [g + a for g, a in zip(slopes, held, strict=True)]
            due = made % count == 0
            changes, slots[OWN] = lax.cond(
                due,
                lambda: step([g / count for g in sums]),
                lambda: ([jnp.zeros_like(g) for g in sums], state.slots[OWN]),
            )
            sums = [jnp.where(due, 0, g) for g in sums]
            slots["gradient_accumulator"] = tree.unflatten(sums)
        else:
            changes, slots[OWN] = step(slopes)
        if self.use_ema:
            averages = tree.flatten_up_to(slots["average"])
            rows = [
                self.averaged(h, past + 1, p, change, {"average": average})
                for p, change, average in zip(values, changes, averages, strict=True)
            ]
            changes = [change for change, _ in rows]
            slots["average"] = tree.unflatten([own["average"] for _, own in rows])
        changes = [c.astype(p.dtype) for c, p in zip(changes, jax.tree.leaves(params), strict=True)]
        return tree.unflatten(changes), state._replace(iterations=made, slots=slots)


RULE = Rule(lambda h, g, p, slots: (g, slots))
"""Stands where other optimizers have theirs: it has no slots, and is not asked for a step."""


def in_order(places: Sequence[int | None], order: Sequence[int]) -> Iterator[int]:
    """Which of an optimizer's variables comes where, had `build` got what is trained in `order`.

    `places` are those of the trained variables for which each was made. As long as they do not
    fall, one loop over what is trained has made them.

    >>> list(in_order([0, 0, 1, 1], [1, 0])), list(in_order([0, 1, 0, 1], [1, 0]))
    ([2, 3, 0, 1], [1, 0, 3, 2])
    """
    ranks: dict[int | None, int] = {place: rank for rank, place in enumerate(order)}
    loops: list[list[int]] = []
    for index, place in enumerate(places):
        last = places[index - 1] if index else None
        if place is None or last is None or place < last:
            loops.append([])
        loops[-1].append(index)
    for loop in loops:
        yield from sorted(loop, key=lambda index: ranks.get(places[index], 0))
