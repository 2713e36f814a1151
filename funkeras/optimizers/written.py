"""Optimizers whose steps users write, in the ways of Keras 1 to 3, as pure functions."""

import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from funkeras import config, initializers
from funkeras.optimizers.hyperparameter import Hyperparameter
from funkeras.optimizers.updates import (
    OWN,
    OptimizerState,
    Rule,
    Scalars,
    Updates,
    laid_out,
    wide,
)
from funkeras.typing import Array, Params, PyTree
from funkeras.variables import Flow, Variable, current_flow, flowing

__all__ = ["EACH", "OLD", "RULE", "Written", "WrittenUpdates", "in_order"]

EACH = ("update_step",)
"""What a subclass writes to change one variable, in Keras 3."""
OLD = ("get_updates", "get_gradients")
"""What it writes in Keras 1 and 2: the next values of all variables, or the gradients for them."""


@dataclass(frozen=True)
class Step:
    """A step that is being taken, for the methods of an optimizer that user code calls in it."""

    updates: "WrittenUpdates"
    state: OptimizerState
    h: Scalars
    """The rule's numbers, with the learning rate of this step."""
    t: Array
    """Which step it is: 1, 2, …"""
    paths: Sequence[str]
    slopes: list[Array]
    moved: set[str] = field(default_factory=set)
    """Names of hyperparameters that `get_updates` gives other values."""

    def clipped(self) -> list[Array]:
        """The gradients as the optimizer's arguments clip them."""
        slopes = self.slopes
        for name, clip in self.updates.clips.items():
            slopes = clip(slopes, self.h[name])
        return slopes


class Written:
    """What subclasses of `Optimizer` that write steps of their own find there.

    In Keras 3 `build(variables)` makes variables of its own, and `update_step(gradient, variable,
    learning_rate)` assigns the next values of these and of the one that is trained. There
    `iterations` and `learning_rate` are those of the step.

    In Keras 1 and 2 `get_updates` gives pairs of variables and their next values, of those that are
    trained and of those that it makes by `K.zeros` and `K.variable`, the same in each step; numbers
    that `__init__` keeps in variables are hyperparameters.
    """

    name: str
    built: bool = False
    writes: Callable[..., bool]
    hyperparameters: dict[str, Hyperparameter]
    rule: Any
    begin: Callable[..., None]
    symbolic: ClassVar[dict[str, Callable[..., Any]]] = {}
    """`get_updates` and `get_gradients` of symbolic tensors, which are made above."""
    _trainable_variables: list[Variable]
    _config: dict[str, Any]
    _own: list[tuple[Variable, int | None]]
    _places: dict[int, int]
    _step: Step | None = None

    def build(self, variables: Sequence[Variable]) -> None:
        """Note the variables that are trained; an optimizer adds its own for them after this."""
        if not self.writes(*EACH, *OLD):
            self.begin(variables)
            return
        self._trainable_variables = list(variables)
        self._places = {id(variable): i for i, variable in enumerate(variables)}
        self.__dict__.setdefault("_of_init", len(self._own))  # made before there was a model
        self.__dict__["_slots"] = None
        if not self.writes("get_updates"):
            self._make_slots()
        self.built = True

    def rebuild(self, variables: Sequence[Variable]) -> None:
        """Make the optimizer's variables anew, for these."""
        self.built = False
        del self._own[self.__dict__.get("_of_init", len(self._own)) :]
        self.build(list(variables))
        if not self.built:
            raise RuntimeError(f"build of {type(self).__name__} must call super().build(variables)")

    def _make_slots(self) -> None:
        """The variables of the rule, if this is a subclass of an optimizer that has one."""
        slots: list[dict[str, Variable]] = [{} for _ in self._trainable_variables]
        for group in self.rule.slots:
            for own, variable in zip(slots, self._trainable_variables, strict=True):
                chosen = self.rule.chosen
                rule = self.rule if chosen is None else chosen(variable.path, variable.value)
                names = {name for part in rule.slots for name in part}
                for name in (name for name in group if name in names):
                    make = partial(_slot, variable, name, group[name])
                    own[name] = self._held(make, self._places[id(variable)])
        self.__dict__["_slots"] = slots

    def _get_variable_index(self, variable: Variable) -> int:
        return self._places[id(variable)]

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Assign a variable, and what is kept for it, the next values by the optimizer's rule.

        For the `update_step` of subclasses to call.
        """
        step, place = self._step, self._get_variable_index(variable)
        if step is None or self.__dict__["_slots"] is None:
            raise RuntimeError("update_step is for subclasses to call in a step")
        slots, p = self.__dict__["_slots"][place], variable.value
        g = jnp.asarray(gradient, p.dtype)
        h = step.updates.scalars_at(step.state, step.t, jnp.asarray(learning_rate))
        h = {name: value.astype(p.dtype) for name, value in h.items()}
        rule = step.updates.rule_of(step.paths[place], p)
        change, new = rule.step(h, g, p, {name: own.value for name, own in slots.items()})
        variable.assign(p + change)
        for name, value in new.items():
            slots[name].assign(value)

    def get_gradients(self, loss: Any, params: Sequence[Any]) -> list[Any]:
        """The gradients of a loss, in a step as the optimizer's arguments clip them.

        Raises:
            ValueError: naming the parameters that the loss does not follow from.
        """
        if self._step is not None:
            return self._step.clipped()
        return self.symbolic["get_gradients"](self, loss, params)

    def get_updates(self, *args: Any, **named: Any) -> list[Any]:
        """The parameters and the optimizer's own numbers after one step, as updates.

        Called `(params, constraints, loss)` as in Keras 1, or `(loss, params)` as in Keras 2.
        """
        step = self._step
        if step is None:
            return self.symbolic["get_updates"](self, *args, **named)
        slopes = self.get_gradients(None, self._trainable_variables)
        if self.__dict__["_slots"] is None:
            self._make_slots()
        self._decay(step)
        for gradient, variable in zip(slopes, self._trainable_variables, strict=True):
            Written.update_step(self, gradient, variable, step.h["learning_rate"])
        return []

    def _decay(self, step: Step) -> None:
        for path, variable in zip(step.paths, self._trainable_variables, strict=True):
            variable.assign(step.updates.decayed(step.h, path, variable.value))

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
        name = _name_for(reference_variable, name or "var")
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

        def make() -> Variable:
            drawn = initializers.draw(initializer, initializers.NumpySource(), tuple(shape), dtype)
            with jax.ensure_compile_time_eval():
                array = jnp.asarray(drawn, dtype)
            return Variable(array, name=name or "variable", trainable=False)

        return self._held(make, place)

    def _held(self, make: Callable[[], Variable], place: int | None) -> Variable:
        """A new variable of the optimizer, or in a further run of a step the one of the first."""
        flow = current_flow()
        if flow is not None and flow.remade is not None:
            return flow.remade(make, place)
        self._own.append((made := make(), place))
        return made

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
        self, step: Step, values: Sequence[Array], own: Sequence[Array] | None
    ) -> tuple[list[Array], tuple[Array, ...]]:
        """The next values of what is trained, and of the optimizer's own variables.

        Args:
            own: the values of these; None in a first run, in which `get_updates` makes them.
        """
        held = [variable for variable, _ in self._own]
        flow = Flow(training=True, remade=self._remade(held, own is None))
        flow.bound = dict(zip(held, own or [one.value for one in held], strict=True))
        flow.assigned = flow.bound  # what is read after an assignment is the new value
        before = dict(self.__dict__)
        try:
            with flowing(flow):
                pairs = zip(self._trainable_variables, values, strict=True)
                standing = [Variable(value, name=known.path) for known, value in pairs]
                places = {id(variable): i for i, variable in enumerate(standing)}
                self.__dict__.update(_step=step, _trainable_variables=standing, _places=places)
                run = self._step_of_keras_1 if self.writes(*OLD) else self._step_of_keras_3
                following = run(step, standing)
                made = [variable for variable, _ in self._own]
                return (
                    [following.get(one, one.value) for one in standing],
                    tuple(following.get(one, one.value) for one in made),
                )
        finally:
            self.__dict__.clear()
            self.__dict__.update(before)

    def _step_of_keras_3(self, step: Step, standing: list[Variable]) -> dict[Variable, Any]:
        rate = step.h["learning_rate"]
        self.__dict__.update(iterations=step.t - 1, learning_rate=rate)
        slopes = step.clipped()
        self._decay(step)
        for gradient, variable in zip(slopes, standing, strict=True):
            self.update_step(gradient, variable, rate)
        return {}

    def _step_of_keras_1(self, step: Step, standing: list[Variable]) -> dict[Variable, Any]:
        """What `get_updates` says comes next; numbers to which it gives other values are state."""
        raw = step.state.hyperparameters
        numbers = {name: Variable(value, name=name) for name, value in raw.items()}
        counter = Variable(step.t - 1, name="iterations")
        known = {"updates": [], "weights": [], "initial_decay": self._config["decay"]}
        self.__dict__.update({**known, **self.__dict__, **numbers, "iterations": counter})
        given = {"loss": None, "params": standing, "constraints": {}}
        asked = inspect.signature(self.get_updates).parameters
        named = {name: given[name] for name in asked if name in given}
        found = self.get_updates(**named) if named else self.get_updates(None, standing)
        pairs = [pair for pair in found or () if isinstance(pair, tuple | list)]
        own = [*standing, *(variable for variable, _ in self._own)]
        following: dict[Variable, Any] = {}
        for variable, value in pairs:
            if not any(variable is one for one in (*own, *numbers.values(), counter)):
                raise ValueError(
                    f"get_updates of {type(self).__name__} gives {variable!r} another value, which "
                    "is neither trained nor made by the optimizer"
                )
            array = jnp.asarray(value, variable.dtype)
            if array.shape != variable.shape:
                raise ValueError(
                    f"get_updates of {type(self).__name__} gives {variable!r} a value of shape "
                    f"{array.shape}"
                )
            following[variable] = array
        flow = current_flow()
        assigned = {*following, *(flow.bound if flow is not None else ())}
        step.moved.update(name for name, number in numbers.items() if number in assigned)
        return following

    def _remade(self, held: Sequence[Variable], first: bool) -> Callable[..., Variable] | None:
        """What gives `get_updates` the variables that it makes: in its first run new ones."""
        if not self.writes(*OLD):
            return None
        known = iter(held[self.__dict__["_of_init"] :])

        def remade(make: Callable[[], Variable], place: int | None = None) -> Variable:
            if first:
                self._own.append((made := make(), place))
                return made
            found = next(known, None)
            if found is None:
                raise RuntimeError(
                    f"get_updates of {type(self).__name__} must make the same variables in each run"
                )
            return found

        return remade

    def try_out(self, step: Step, values: Sequence[Array]) -> None:
        """Run `get_updates` once, for the variables that it makes and those numbers it changes."""
        self.stepped(step, values, None)
        for name in step.moved:
            number = Variable(float(self.hyperparameters.pop(name)), name=name, trainable=False)
            self.__dict__[name] = number
            self._own.insert(self.__dict__["_of_init"], (number, None))
            self.__dict__["_of_init"] += 1
        shapes = [value.shape for value in values]
        for start in range(len(self._own) - len(shapes) + 1):
            run = self._own[start : start + len(shapes)]
            if [own.shape for own, _ in run] == shapes and {place for _, place in run} == {None}:
                pairs = ((own, place) for place, (own, _) in enumerate(run))
                self._own[start : start + len(shapes)] = pairs

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
        self.build_for(
            [
                Variable(leaf, name=jax.tree_util.keystr(path, simple=True, separator="/"))
                for path, leaf in leaves
            ]
        )
        return self.begun(params)

    def build_for(self, variables: Sequence[Variable]) -> None:
        """Make the optimizer's variables, for the training of these."""
        self.optimizer.rebuild(variables)
        if self.optimizer.writes(*OLD):
            values = [variable.value.astype(wide(variable.dtype)) for variable in variables]
            params: Any = values
            state, paths = super().init(params), [variable.path for variable in variables]
            self.optimizer.try_out(
                self.step(state, 1, paths, [jnp.zeros_like(value) for value in values]), values
            )

    def begun(self, params: Params) -> OptimizerState:
        """The state with the optimizer's variables as they are."""
        self.optimizer.__dict__["_form"] = jax.tree.structure(params)
        state = super().init(params)
        own = tuple(variable.value for variable, _ in self.optimizer._own)
        return state._replace(slots={**state.slots, OWN: own})

    def decayed(self, h: Scalars, path: str, p: Array) -> Array:
        """An array after weight decay: `p - rate · decay · p`."""
        decay = self.rule_of(path, p).decay
        if decay not in h or any(re.search(name, path) for name in self.undecayed):
            return p
        return p - (h["learning_rate"] * h[decay]).astype(p.dtype) * p

    def step(
        self, state: OptimizerState, t: Any, paths: Sequence[str], slopes: list[Array]
    ) -> Step:
        """Step t = 1, 2, … by these gradients."""
        h = self.scalars_at(state, jnp.asarray(t), self.rate(state))
        if "loss_scale_factor" in h:
            slopes = [g / h["loss_scale_factor"].astype(g.dtype) for g in slopes]
        return Step(self, state, h, jnp.asarray(t), paths, slopes)

    def update(
        self, gradients: PyTree, state: OptimizerState, params: Params | None = None
    ) -> tuple[PyTree, OptimizerState]:
        """The changes to add to the parameters, and the next state."""
        tree, paths, values, slopes = laid_out(gradients, params)
        made = state.iterations + 1
        t = state.iterations // self.accumulate + 1 if self.accumulate else made
        step = self.step(state, t, paths, slopes)
        h, slots = step.h, dict(state.slots)
        scalars = {name: h[name] for name in state.scalars}

        def taken(slopes: list[Array]) -> tuple[list[Array], tuple[Array, ...]]:
            following = replace(step, slopes=slopes)
            after, own = self.optimizer.stepped(following, values, state.slots[OWN])
            return [new - p for new, p in zip(after, values, strict=True)], own

        if count := self.accumulate:
            held = tree.flatten_up_to(slots["gradient_accumulator"])
            sums = [g + a for g, a in zip(step.slopes, held, strict=True)]
            due = made % count == 0
            changes, slots[OWN] = lax.cond(
                due,
                lambda: taken([g / count for g in sums]),
                lambda: ([jnp.zeros_like(g) for g in sums], state.slots[OWN]),
            )
            sums = [jnp.where(due, 0, g) for g in sums]
            slots["gradient_accumulator"] = tree.unflatten(sums)
            scalars = {k: jnp.where(due, v, state.scalars[k]) for k, v in scalars.items()}
        else:
            changes, slots[OWN] = taken(step.slopes)
        if self.use_ema:
            averages = tree.flatten_up_to(slots["average"])
            rows = [
                self.averaged(h, t, p, change, {"average": average})
                for p, change, average in zip(values, changes, averages, strict=True)
            ]
            changes = [change for change, _ in rows]
            slots["average"] = tree.unflatten([own["average"] for _, own in rows])
        changes = [c.astype(p.dtype) for c, p in zip(changes, jax.tree.leaves(params), strict=True)]
        after = state._replace(iterations=made, slots=slots, scalars=scalars)
        return tree.unflatten(changes), after


def _name_for(variable: Variable, name: str) -> str:
    return f"{variable.path.replace('/', '_')}_{name}"


def _slot(variable: Variable, name: str, first: Any) -> Variable:
    """A rule's slot for a variable, with its first value."""
    value, dtype = variable.value, wide(variable.dtype)
    if callable(first):
        array = jnp.asarray(first(value), dtype)
    else:
        with jax.ensure_compile_time_eval():
            array = jnp.full(value.shape, first, dtype)
    return Variable(array, name=_name_for(variable, name), trainable=False)


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
