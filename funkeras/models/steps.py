"""Steps of training, judging and predicting that a subclass writes, as the engine takes them.

A training step is of one of two kinds: `train_step(ts, batch)` takes the nested arrays of a
`TrainState`; that of Keras 3 for JAX, `train_step(state, data)`, lists of variables' values.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import random

from funkeras.functional.objective import Batch, Totals
from funkeras.functional.pair import at, nest
from funkeras.functional.training import (
    TrainState,
    flat,
    merge,
    select,
    told,
    written_step,
)
from funkeras.layers.inside import bind
from funkeras.layers.stateless import key_of
from funkeras.models.engine import Engine, Tally
from funkeras.models.standard import StandardSteps, batch_of, given_input, one_or_list
from funkeras.typing import Array, Key, Params, PyTree, State
from funkeras.utils.batches import pack_x_y_sample_weight
from funkeras.variables import current_flow, running

__all__ = [
    "ListedSteps",
    "Lists",
    "judge_by_own_step",
    "judge_by_standard_step",
    "listed_steps",
    "predict_by_own_step",
    "train_by_own_step",
    "train_by_standard_step",
]

Lists = tuple[list[Any], ...]
"""Values of a model's variables: those that are trained, the others, and what else a step takes."""


def train_by_own_step(model: Any, engine: Engine, example: Batch) -> None:
    """Let an engine train by the `train_step` of the model's class.

    Raises:
        TypeError: unless it takes and gives what a step of one of the two kinds does.
    """
    ts, step = engine.train_state(*model.variables_now), model.train_step
    batch = _stand_ins(example)
    if _is_listed(step, "(ts, batch), the train state and a batch, or "):
        listed = listed_steps(model, engine)
        _train_by(engine, listed.train, listed.standard, ts, batch)
        return

    def nested(ts: TrainState, batch: Batch, counts: PyTree) -> tuple[TrainState, Any, PyTree]:
        given = step(ts, batch)
        if not (isinstance(given, tuple) and len(given) == 2 and isinstance(given[0], TrainState)):
            raise TypeError(
                "train_step(ts, batch) gives the next TrainState and a dict of numbers for the "
                f"logs; got {given!r:.200}"
            )
        if jax.tree.structure(given[0]) != jax.tree.structure(ts):
            raise TypeError("the TrainState that train_step gives must have the parts it got")
        return *given, counts

    names = _names_in_logs(nested, ts, batch, [])
    engine.train_by(partial(written_step, nested, names), _tally(names))


def judge_by_own_step(model: Any, engine: Engine, example: Batch) -> None:
    """Let an engine judge by the `test_step(state, data)` of the model's class, as in Keras 3."""
    _is_listed(model.test_step)
    listed = listed_steps(model, engine)
    _judge_by(engine, listed.test, listed.standard, _stand_ins(example))


def train_by_standard_step(model: Any, engine: Engine, example: Batch) -> None:
    """Let an engine train by Keras 3's step of any model, counting as the class says."""
    steps, ts = StandardSteps(model, engine), engine.train_state(*model.variables_now)
    _train_by(engine, steps.train, steps, ts, _stand_ins(example))


def judge_by_standard_step(model: Any, engine: Engine, example: Batch) -> None:
    """Let an engine judge by Keras 3's step of any model, counting as the class says."""
    steps = StandardSteps(model, engine)
    _judge_by(engine, steps.test, steps, _stand_ins(example))


def _train_by(
    engine: Engine, step: Callable[..., Any], steps: StandardSteps, ts: TrainState, batch: Batch
) -> None:
    counts = steps.counts
    names = counts.in_order(_names_in_logs(step, ts, batch, counts.fresh()))
    engine.train_by(partial(written_step, step, names), _tally(names, steps))


def _judge_by(engine: Engine, step: Callable[..., Any], steps: StandardSteps, batch: Batch) -> None:
    counts, whole = steps.counts, steps.model.variables_now
    names = counts.in_order(_names_in_logs(step, whole, batch, counts.fresh()))

    def judge(
        params: Params, state: State, totals: Totals, batch: Batch, key: Key | None, valid: Array
    ) -> tuple[Totals, State]:
        (_, after), logs, counts = step((params, state), batch, totals.states, key)
        return told(totals, names, logs, counts, batch), after

    engine.judge_by(judge, _tally(names, steps))
    engine.paddable = False


def predict_by_own_step(model: Any) -> Callable[..., tuple[PyTree, State]]:
    """The `predict_step(state, data)` of the model's class as `pair.apply` is called."""
    _is_listed(model.predict_step)
    listed = ListedSteps(model)

    def apply(params: Params, state: State, x: PyTree, *, key: Key | None) -> tuple[PyTree, State]:
        return listed.predict((params, state), x, key)

    return apply


class ListedSteps:
    """The steps of Keras 3 for JAX that a model's class has, between nested arrays.

    Random numbers of layers follow from the key of a step: their seeds among the lists are made of
    it anew each time.

    Args:
        engine: for training and judging.
    """

    def __init__(self, model: Any, engine: Engine | None = None) -> None:
        if model.keeps_states:
            raise NotImplementedError(
                f"{model.name!r} keeps recurrent states, which are not among the lists of "
                "variables of Keras 3's steps: write train_step(ts, batch)"
            )
        self.model, self.engine = model, engine
        self.seeds = len(model._seed_states())
        self.paths = dict(zip(model.weights, model._weight_paths(), strict=True))
        self.trained, still = model._weights_by_use()
        self.moved, self.still = (
            [f"{'params' if own.trainable else 'state'}/{self.paths[own]}" for own in variables]
            for variables in (self.trained, still)
        )

    @cached_property
    def standard(self) -> StandardSteps:
        """The steps of any model."""
        return StandardSteps(self.model, self._compiled)

    @property
    def _compiled(self) -> Engine:
        if self.engine is None:
            raise RuntimeError(
                f"{self.model.name!r} is not compiled: call compile(optimizer, loss)"
            )
        return self.engine

    @cached_property
    def layout(self) -> tuple[Any, list[int]]:
        """The form of the optimizer's state, and in which order its own list has the leaves.

        Raises:
            ValueError: if others are trained now than when the model was compiled.
        """
        model, engine = self.model, self._compiled
        trained = select(model.params, engine.is_trainable)
        leaves, form = jax.tree.flatten(jax.eval_shape(engine.optimizer.functional.init, trained))
        paths = [self.paths[own] for own in self.trained]
        if set(paths) != set(_paths(trained)):
            raise ValueError(
                f"what is trained of {model.name!r} was changed after compile: compile it again"
            )
        like = jax.tree.structure(trained)

        def is_like(part: Any) -> bool:
            return jax.tree.structure(part) == like

        def listed(part: Any) -> Any:
            return [at(part, path) for path in paths] if is_like(part) else part

        numbers = form.unflatten(range(len(leaves)))
        model.optimizer.begin(self.trained)
        return form, jax.tree.leaves(jax.tree.map(listed, numbers, is_leaf=is_like))

    def train(
        self, ts: TrainState, batch: Batch, counts: Sequence[Array]
    ) -> tuple[TrainState, Mapping[str, Array], list[Array]]:
        """The train state, the logs and the metrics' variables after `train_step`."""
        whole = merge(ts.params, ts.frozen), ts.state
        with self._running(whole, ts.step_key, True) as variables:
            lists = (*variables, self._optimizer_list(ts.optimizer), list(counts))
            given = self.model.train_step(lists, self._data(batch))
        logs, (*variables, kept, counts) = _checked("train_step", given, lists)
        after = self._train_state(whole, variables, kept)
        return after._replace(step=ts.step + 1, key=ts.key), logs, counts

    def standard_train(self, state: Lists, data: Any) -> tuple[Mapping[str, Array], Lists]:
        """The logs and the state after the step of any model, for such a state and data."""
        *variables, kept, counts = state
        key = self._key(variables[1])
        ts = self._train_state(self.model.variables_now, variables, kept)
        ts = ts._replace(key=random.key(0) if key is None else key)
        ts, logs, counts = self.standard.train(ts, self._batch(data), counts)
        whole = merge(ts.params, ts.frozen), ts.state
        variables = self._lists(whole, self._seeds(variables[1], 1))
        return dict(logs), (*variables, self._optimizer_list(ts.optimizer), counts)

    def _optimizer_list(self, state: PyTree) -> list[Array]:
        form, order = self.layout
        leaves = form.flatten_up_to(state)
        return [leaves[index] for index in order]

    def _train_state(
        self, whole: tuple[Params, State], variables: Sequence[Any], kept: Sequence[Any]
    ) -> TrainState:
        """The train state of such lists, without the key of a step."""
        params, state = self._nested(whole, *variables)
        form, order = self.layout
        leaves = [value for _, value in sorted(zip(order, kept, strict=True), key=_first)]
        keep = self._compiled.is_trainable
        return TrainState(
            params=select(params, keep),
            frozen=select(params, lambda path: not keep(path)),
            state=state,
            optimizer=form.unflatten(leaves),
            step=0,
            key=random.key(0),
        )

    def test(
        self,
        whole: tuple[Params, State],
        batch: Batch,
        counts: Sequence[Array],
        key: Key | None = None,
    ) -> tuple[tuple[Params, State], Mapping[str, Array], list[Array]]:
        """The variables, the logs and the metrics' variables after `test_step`."""
        with self._running(whole, key, False) as variables:
            lists = (*variables, list(counts))
            given = self.model.test_step(lists, self._data(batch))
        logs, (moved, still, counts) = _checked("test_step", given, lists)
        return self._nested(whole, moved, still), logs, counts

    def standard_test(self, state: Lists, data: Any) -> tuple[Mapping[str, Array], Lists]:
        """The logs and the state after the judgement of any model, for such a state and data."""
        *variables, counts = state
        whole, key = self._nested(self.model.variables_now, *variables), self._key(variables[1])
        whole, logs, counts = self.standard.test(whole, self._batch(data), counts, key)
        return dict(logs), (*self._lists(whole, self._seeds(variables[1], 0)), counts)

    def predict(
        self, whole: tuple[Params, State], x: PyTree, key: Key | None
    ) -> tuple[PyTree, State]:
        """What `predict_step` gives, and the state that follows."""
        with self._running(whole, key, False) as variables:
            y, still = self.model.predict_step(variables, given_input(self.model, x))
        return y, self._nested(whole, variables[0], still)[1]

    def _seeds(self, still: Sequence[Any], steps: int) -> list[Array]:
        """The seeds among values of the variables that are not trained, so many steps later."""
        own = still[len(self.still) :]
        return [jnp.asarray(seed) + jnp.asarray([0, steps], "uint32") for seed in own]

    def _key(self, still: Sequence[Any]) -> Key | None:
        """The key of a step of any model: of the run that it is a part of, or from the seeds."""
        flow = current_flow()
        if flow is None or flow.key is None:
            return key_of(self._seeds(still, 0))
        return flow.next_key()

    def _lists(
        self, whole: tuple[Params, State], seeds: Sequence[Array]
    ) -> tuple[list[Any], list[Any]]:
        tree = {"params": whole[0], "state": whole[1]}
        moved, still = ([at(tree, place) for place in own] for own in (self.moved, self.still))
        return moved, [*still, *seeds]

    @contextmanager
    def _running(
        self, whole: tuple[Params, State], key: Key | None, training: bool
    ) -> Iterator[tuple[list[Any], list[Any]]]:
        """Run user code with arrays in the place of variables; gives the two lists of these."""
        chance = random.key(0) if key is None else key
        seeds = [
            random.bits(random.fold_in(chance, number), (2,), "uint32")
            for number in range(self.seeds)
        ]
        with running(training, key) as flow:
            bind(flow, self.model, *whole)
            yield self._lists(whole, seeds)

    def _nested(
        self, whole: tuple[Params, State], moved: Sequence[Any], still: Sequence[Any]
    ) -> tuple[Params, State]:
        params, state = jax.tree.map(lambda a: a, whole)
        tree = {"params": params, "state": state}
        for place, value in zip([*self.moved, *self.still], [*moved, *still], strict=False):
            nest(tree, place, value)  # the seeds at the end are not kept
        return tree["params"], tree["state"]

    def _data(self, batch: Batch) -> Any:
        """A batch as Keras 3 gives it to a step."""
        x = given_input(self.model, batch.x)
        return pack_x_y_sample_weight(x, *map(one_or_list, (batch.y, batch.weights)))

    def _batch(self, data: Any) -> Batch:
        return batch_of(data, len(self.model.output_names))


def listed_steps(model: Any, engine: Engine) -> ListedSteps:
    """The steps of Keras 3 of a compiled model."""
    if engine.listed is None:
        engine.listed = ListedSteps(model, engine)
    return engine.listed


def _paths(tree: Params, prefix: str = "") -> Iterator[str]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _paths(value, f"{prefix}{name}/")
        else:
            yield f"{prefix}{name}"


def _is_listed(step: Callable[..., Any], other: str = "") -> bool:
    """Whether a step is one of Keras 3, by the names of what it takes.

    Raises:
        TypeError: if it takes something else; `other` says what else it might.
    """
    names = list(inspect.signature(step).parameters)
    if len(names) == 2 and (names[0] == "state" or other):
        return names[0] == "state"
    kind = type(getattr(step, "__self__", step)).__name__
    raise TypeError(
        f"{step.__name__} of {kind} takes {other}(state, data) as in Keras 3 on JAX, lists of "
        f"variables and a batch; it takes ({', '.join(names)})"
    )


def _checked(name: str, given: Any, lists: Lists) -> tuple[Mapping[str, Array], Lists]:
    """The logs and the lists that a step gives, if these are as those it got."""
    if not (isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], tuple | list)):
        raise TypeError(f"{name}(state, data) gives logs and the next state; got {given!r:.200}")
    logs, after = given
    counts, expected = ([len(own) for own in each] for each in (after, lists))
    if counts != expected:
        raise ValueError(
            f"{name} got lists of {expected} variables in the state and gives {counts}"
        )
    return logs, tuple(list(own) for own in after)


def _stand_ins(example: Batch) -> Batch:
    """Two rows of such data."""
    return jax.tree.map(
        lambda a: jax.ShapeDtypeStruct((2, *a.shape[1:]), jnp.asarray(a[:1]).dtype),
        example,
        is_leaf=lambda a: hasattr(a, "shape"),
    )


def _names_in_logs(step: Callable[..., Any], *given: Any) -> list[str]:
    """The names of the numbers that a step gives for the logs; it is tried on stand-ins."""
    names: list[str] = []

    def trial(*given: Any) -> Any:
        _, logs, _ = step(*given)
        if not isinstance(logs, Mapping) or not logs:
            raise TypeError(f"a step gives a dict of numbers for the logs; got {logs!r:.200}")
        names.extend(flat(logs))
        for name, value in flat(logs).items():
            if jnp.ndim(value):
                raise TypeError(f"the logs of a step are numbers; {name!r} is an array")
        return logs

    jax.eval_shape(trial, *given)
    return names


def _tally(names: list[str], steps: StandardSteps | None = None) -> Tally:
    """How such numbers become logs: as the last of these steps gave them, or averaged over rows."""

    def start() -> Totals:
        zeros = jnp.zeros(len(names), jnp.float32)
        counts = () if steps is None else tuple(steps.counts.fresh())
        return Totals(zeros, zeros, zeros, counts)

    sources = [(steps is not None, index) for index in range(len(names))]
    tally = Tally(names, sources, start, lambda totals: list(totals.last))
    if steps is not None:
        tally.hand_over, tally.own_results = steps.counts.hand_over, steps.model.get_metrics_result
    return tally


def _first(pair: tuple[int, Any]) -> int:
    return pair[0]
