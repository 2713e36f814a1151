"""Steps of training, judging and predicting that a subclass writes, as the engine takes them.

A training step is of one of two kinds: `train_step(ts, batch)` takes the nested arrays of a
`TrainState`; that of Keras 3 for JAX, `train_step(state, data)`, lists of variables' values.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import random

from funkeras.functional.objective import Batch, Totals, net_input
from funkeras.functional.pair import at, nest
from funkeras.functional.training import TrainState, flat, merge, select, told, written_step
from funkeras.layers.calling import as_list
from funkeras.layers.inside import bind
from funkeras.models.engine import Engine, Tally
from funkeras.typing import Array, Key, Params, PyTree, State
from funkeras.utils.batches import pack_x_y_sample_weight
from funkeras.variables import running

__all__ = ["judge_by_own_step", "one_or_list", "predict_by_own_step", "train_by_own_step"]

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
        listed = ListedSteps(model, ts.optimizer, engine.is_trainable)
        names = _names_in_logs(listed.train, ts, batch, listed.fresh())
        engine.train_by(partial(written_step, listed.train, names), _tally(names, listed))
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
    listed = ListedSteps(model)
    params, state = model.variables_now
    names = _names_in_logs(listed.test, (params, state), _stand_ins(example), listed.fresh())

    def judge(
        params: Params, state: State, totals: Totals, batch: Batch, key: Key | None, valid: Array
    ) -> tuple[Totals, State]:
        (_, after), logs, counts = listed.test((params, state), batch, totals.states, key)
        return told(totals, names, logs, counts, batch), after

    engine.judge_by(judge, _tally(names, listed))
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
        optimizer: the optimizer's state on nested arrays, for training.
        is_trainable: of which paths the parameters are trained, likewise.
    """

    def __init__(
        self,
        model: Any,
        optimizer: PyTree = (),
        is_trainable: Callable[[str], bool] = lambda path: True,
    ) -> None:
        if model.keeps_states:
            raise NotImplementedError(
                f"{model.name!r} keeps recurrent states, which are not among the lists of "
                "variables of Keras 3's steps: write train_step(ts, batch)"
            )
        self.model = model
        self.is_trainable = is_trainable
        self.seeds = len(model._seed_states())
        paths = dict(zip(model.weights, model._weight_paths(), strict=True))
        moved, still = model._weights_by_use()
        self.moved, self.still = (
            [f"{'params' if own.trainable else 'state'}/{paths[own]}" for own in variables]
            for variables in (moved, still)
        )
        if optimizer:
            self._list_optimizer(optimizer, moved, [paths[own] for own in moved])

    def _list_optimizer(self, state: PyTree, moved: Sequence[Any], paths: Sequence[str]) -> None:
        """Find the order in which the optimizer's own list has the numbers of its state."""
        model = self.model
        trained = select(model.params, self.is_trainable)
        leaves, self.form = jax.tree.flatten(state)
        if set(paths) != set(_paths(trained)):
            raise ValueError(
                f"what is trained of {model.name!r} was changed after compile: compile it again"
            )
        like = jax.tree.structure(trained)

        def is_like(part: Any) -> bool:
            return jax.tree.structure(part) == like

        def listed(part: Any) -> Any:
            return [at(part, path) for path in paths] if is_like(part) else part

        numbers = self.form.unflatten(range(len(leaves)))
        self.order = jax.tree.leaves(jax.tree.map(listed, numbers, is_leaf=is_like))
        model.optimizer.begin(moved)

    def fresh(self) -> list[Array]:
        """The values of all metrics' variables before any data."""
        return [a for metric in self.model.metrics for a in metric.stateless_reset_state()]

    def hand_over(self, totals: Totals) -> None:
        """Give the metrics what was counted."""
        counts = iter(totals.states)
        for metric in self.model.metrics:
            metric.state = dict(zip(metric.state, counts, strict=False))

    def train(
        self, ts: TrainState, batch: Batch, counts: Sequence[Array]
    ) -> tuple[TrainState, Mapping[str, Array], list[Array]]:
        """The train state, the logs and the metrics' variables after `train_step`."""
        whole = merge(ts.params, ts.frozen), ts.state
        leaves = self.form.flatten_up_to(ts.optimizer)
        kept = [leaves[index] for index in self.order]
        with self._running(whole, ts.step_key, True) as variables:
            lists = (*variables, kept, list(counts))
            given = self.model.train_step(lists, self._data(batch))
        logs, (moved, still, kept, counts) = _checked("train_step", given, lists)
        params, state = self._nested(whole, moved, still)
        for index, leaf in zip(self.order, kept, strict=True):
            leaves[index] = leaf
        after = ts._replace(
            params=select(params, self.is_trainable),
            frozen=select(params, lambda path: not self.is_trainable(path)),
            state=state,
            optimizer=self.form.unflatten(leaves),
            step=ts.step + 1,
        )
        return after, logs, counts

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

    def predict(
        self, whole: tuple[Params, State], x: PyTree, key: Key | None
    ) -> tuple[PyTree, State]:
        """What `predict_step` gives, and the state that follows."""
        with self._running(whole, key, False) as variables:
            y, still = self.model.predict_step(variables, self._given(x))
        return y, self._nested(whole, variables[0], still)[1]

    @contextmanager
    def _running(
        self, whole: tuple[Params, State], key: Key | None, training: bool
    ) -> Iterator[tuple[list[Any], list[Any]]]:
        """Run user code with arrays in the place of variables; gives the two lists of these."""
        tree = {"params": whole[0], "state": whole[1]}
        chance = random.key(0) if key is None else key
        seeds = [
            random.bits(random.fold_in(chance, number), (2,), "uint32")
            for number in range(self.seeds)
        ]
        moved, still = ([at(tree, place) for place in own] for own in (self.moved, self.still))
        with running(training, key) as flow:
            bind(flow, self.model, *whole)
            yield moved, still + seeds

    def _nested(
        self, whole: tuple[Params, State], moved: Sequence[Any], still: Sequence[Any]
    ) -> tuple[Params, State]:
        params, state = jax.tree.map(lambda a: a, whole)
        tree = {"params": params, "state": state}
        for place, value in zip([*self.moved, *self.still], [*moved, *still], strict=False):
            nest(tree, place, value)  # the seeds at the end are not kept
        return tree["params"], tree["state"]

    def _given(self, x: PyTree) -> PyTree:
        form = getattr(self.model._known(), "form", None)
        return as_list(x) if form is None else as_list(form.unflatten(jax.tree.leaves(x)))

    def _data(self, batch: Batch) -> Any:
        """A batch as Keras 3 gives it to a step."""
        x = self._given(net_input(batch.x, tuple(self.model.input_dtypes)))
        return pack_x_y_sample_weight(x, *map(one_or_list, (batch.y, batch.weights)))


def one_or_list(parts: Sequence[Any]) -> Any:
    """Parts of a batch as users see them: one alone, several as a list, none at all as None."""
    if all(part is None for part in parts):
        return None
    return parts[0] if len(parts) == 1 else list(parts)


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


def _tally(names: list[str], listed: ListedSteps | None = None) -> Tally:
    """How such numbers become logs: as the last of these steps gave them, or averaged over rows."""

    def start() -> Totals:
        zeros = jnp.zeros(len(names), jnp.float32)
        counts = () if listed is None else tuple(listed.fresh())
        return Totals(zeros, jnp.zeros((), jnp.float32), zeros, counts)

    sources = [(listed is not None, index) for index in range(len(names))]
    given = () if listed is None else (listed.hand_over,)
    return Tally(names, sources, start, lambda totals: list(totals.last), *given)
