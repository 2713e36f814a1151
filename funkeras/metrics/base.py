"""The `Metric` class: a pure (init, update, result) triple with a stateful face on top."""

import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jax.core import Tracer

from funkeras import config
from funkeras.losses.base import snake_case
from funkeras.registry import Configured, Registry
from funkeras.typing import Array, ArrayLike, Shape, State
from funkeras.variables import current_flow

__all__ = ["Metric", "Triple", "Variable", "accumulator_dtype", "classes", "metric_class"]


class Triple(NamedTuple):
    """A metric as three pure functions; the state is a dict of arrays of constant shape."""

    init: Callable[[Shape | None], State]
    """The state before any data; a few metrics need the shape of the predictions for it."""
    update: Callable[..., State]
    """`update(state, y_true, y_pred, weights=None)`: the state with one more batch counted."""
    result: Callable[[State], Array]


def _undefined(*args: Any, **kwargs: Any) -> Any:
    raise NotImplementedError("a metric must define update_state and result")


OPEN = Triple(lambda shape: {}, _undefined, _undefined)
"""What a user's metric starts from."""


def accumulator_dtype(dtype: Any) -> str:
    """The type that sums are kept in: at least float32, or the counts of a batch would not fit."""
    name = str(dtype or config.floatx())
    return "float32" if name in ("float16", "bfloat16") or "mixed" in name else name


class Variable:
    """One array of a metric's state, as `add_variable` gives it: read it, `assign` to it."""

    def __init__(self, metric: "Metric", name: str) -> None:
        self.metric, self.name = metric, name

    @property
    def value(self) -> Array:
        """The array."""
        return self.metric.state[self.name]

    def assign(self, value: ArrayLike) -> Array:
        """Replace the array by one of the same shape."""
        old = self.value
        new = jnp.broadcast_to(jnp.asarray(value), old.shape).astype(old.dtype)
        self.metric.state = {**self.metric.state, self.name: new}
        return new

    def assign_add(self, value: ArrayLike) -> Array:
        """Add to the array."""
        return self.assign(self.value + value)

    def assign_sub(self, value: ArrayLike) -> Array:
        """Subtract from the array."""
        return self.assign(self.value - value)

    def __jax_array__(self) -> Array:
        return self.value

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self.value.__array__(dtype)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.value, name)

    def __repr__(self) -> str:
        return f"Variable({self.name}={self.value})"


def _forwarded(name: str) -> Callable[..., Any]:
    def operator(self: Variable, *args: Any) -> Any:
        values = [arg.value if isinstance(arg, Variable) else arg for arg in args]
        return getattr(self.value, name)(*values)

    return operator


_OPERATORS = (
    "abs add bool eq float floordiv ge getitem gt int iter le len lt matmul mod mul ne neg pow "
    "radd rfloordiv rmatmul rmod rmul rpow rsub rtruediv sub truediv"
)
for _name in _OPERATORS.split():
    setattr(Variable, f"__{_name}__", _forwarded(f"__{_name}__"))


def _with_state(own: Callable[..., Any]) -> Callable[..., Any]:
    """A subclass's `result`, with or without an argument `state`, callable both ways."""
    takes_state = len(inspect.signature(own).parameters) > 1

    @functools.wraps(own)
    def result(self: "Metric", state: State | None = None) -> Any:
        if takes_state:
            return own(self, self.state if state is None else state)
        if state is None:
            return own(self)
        with self.holding(state):
            return own(self)

    return result


class Metric(Configured):
    """A running value over batches.

    Pure: `init(shape)`, `update(state, y_true, y_pred, weights=None)` and `result(state)`, which
    compile. Stateful, for use by hand: `update_state(y_true, y_pred, sample_weight=None)`,
    `result()` and `reset_state()`. A subclass writes one of the two kinds, the other follows;
    one with `update_state` keeps its arrays in variables from `add_variable`.
    """

    signature = inspect.Signature(
        [
            inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None)
            for name in ("dtype", "name")
        ]
    )
    _state: State | None = None
    _is_held: bool = False
    _shape: Shape | None = None
    _arrays: ClassVar[int] = 2
    """How many arrays a batch has before its weights."""
    usual_dtype: ClassVar[str | None] = None
    """Of its sums where nobody says it, as configs tell; the type of real numbers if None."""
    masked: ClassVar[bool] = False
    """Whether what a mask hides does not count: so in means of a value for each step."""
    weighable: ClassVar[bool] = True
    """Whether it heeds weights, so that rows which only fill a batch up can be left out."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "result" in vars(cls):
            cls.result = _with_state(vars(cls)["result"])
        written = not cls.__module__.startswith("funkeras.")
        if written and not vars(cls).keys().isdisjoint(("update", "update_state")):
            cls.weighable = False  # it may take weights and leave them alone

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._initial: State = {}
        super().__init__(*args, **kwargs)
        self.name = self._config.get("name") or snake_case(type(self).__name__)
        self._config["name"] = self.name
        if self._config.get("dtype", "") is None:
            self._config["dtype"] = self.usual_dtype or config.floatx()

    def __getattr__(self, name: str) -> Any:
        if name in (self.__dict__.get("_state") or {}):
            return Variable(self, name)
        return super().__getattr__(name)

    @property
    def triple(self) -> Triple:
        """The metric's own pure functions."""
        return self.__dict__.get("function", OPEN)

    @property
    def state(self) -> State:
        """The arrays that the stateful methods work on: in a program, those of its run."""
        state = self._present()
        if state is None:
            state = self.state = self.fresh_state
        return state

    @state.setter
    def state(self, state: State | None) -> None:
        counting = self._counting()
        if counting is not None and self in counting:
            counting[self] = state
        elif counting is None or not any(isinstance(a, Tracer) for a in jax.tree.leaves(state)):
            if state is not None and not self._is_held:  # JAX sorts dicts; variables have an order
                state = {name: state[name] for name in self._state or self.fresh_state}
            self._state = state  # what a trial counts is forgotten with it

    def _counting(self) -> dict[Any, Any] | None:
        """The states of metrics in the present run; None outside of one, or inside `holding`."""
        flow = None if self._is_held else current_flow()
        return None if flow is None else flow.counting

    def _present(self) -> State | None:
        return (self._counting() or {}).get(self, self._state)

    @property
    def variables(self) -> list[Variable]:
        """The arrays of the state."""
        return [Variable(self, name) for name in self.state]

    def add_variable(
        self,
        shape: Shape = (),
        initializer: Any = None,
        dtype: Any = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:
        """Add an array to the state; `initializer` is "zeros", "ones" or `f(shape, dtype)`."""
        key = name or f"variable_{len(self._initial)}"
        if key in self._initial:
            key = f"{key}_{len(self._initial)}"
        kind = accumulator_dtype(dtype)
        fill = {None: jnp.zeros, "zeros": jnp.zeros, "ones": jnp.ones}
        make = initializer if callable(initializer) else fill.get(initializer)
        if make is None:
            raise ValueError(
                f"initializer must be 'zeros', 'ones' or a function of shape and dtype; "
                f"got {initializer!r}"
            )
        self._initial[key] = jnp.asarray(make(tuple(shape), dtype=kind))
        self._state = None
        return Variable(self, key)

    def add_weight(
        self,
        shape: Shape | str = (),
        initializer: Any = None,
        dtype: Any = None,
        name: str | None = None,
    ) -> Variable:
        """`add_variable`, as Keras 2 spells it, where the name may come first."""
        if isinstance(shape, str):
            shape, name = (), shape
        return self.add_variable(shape, initializer, dtype, name=name)

    @contextmanager
    def holding(self, state: State | None) -> Iterator[None]:
        """Work on another state inside a `with` block."""
        saved = self._state, self._is_held
        self._state, self._is_held = state, True
        try:
            yield
        finally:
            self._state, self._is_held = saved

    @property
    def fresh_state(self) -> State:
        """The state before any data, for predictions of the shape that it has last seen."""
        return self.init(self._shape)

    def init(self, shape: Shape | None = None) -> State:
        """The state before any data; `shape` is that of the predictions."""
        state = {**self.triple.init(shape), **self._initial}
        if type(self).reset_state is Metric.reset_state:
            return state
        with self.holding(state):
            self.reset_state()
            return self.state

    def update(self, state: State, *data: Any, weights: ArrayLike | None = None) -> State:
        """The state with a batch counted: `update(state, y_true, y_pred, weights=None)`."""
        if type(self).update_state is Metric.update_state:
            return {**state, **self.triple.update(state, *data, weights=weights)}
        with self.holding(state):
            given = {} if weights is None else {"sample_weight": weights}
            self.update_state(*data, **given)
            return self.state

    def result(self, state: State | None = None) -> Any:
        """The value so far, of `state` or of the metric's own."""
        return self.triple.result(self.state if state is None else state)

    def update_state(self, *data: Any, sample_weight: ArrayLike | None = None) -> None:
        """Count a batch: `update_state(y_true, y_pred, sample_weight=None)`."""
        if len(data) > self._arrays:
            data, sample_weight = data[:-1], data[-1]
        if self._present() is None:
            self._shape = jnp.shape(data[-1])
        pure = self.triple.update if type(self).update is Metric.update else self.update
        self.state = {**self.state, **pure(self.state, *data, weights=sample_weight)}

    def reset_state(self) -> None:
        """Forget all data."""
        self.state = None

    def reset_states(self) -> None:
        """`reset_state`, as Keras 2 spells it."""
        self.reset_state()

    def stateless_update_state(
        self, metric_variables: Sequence[Any], *data: Any, sample_weight: ArrayLike | None = None
    ) -> list[Array]:
        """The values of the `variables` with a batch counted, from values of theirs."""
        after = self.update(self._with(metric_variables), *data, weights=sample_weight)
        return list(after.values())

    def stateless_result(self, metric_variables: Sequence[Any]) -> Any:
        """What the metric has come to, from values of its `variables`."""
        return self.result(self._with(metric_variables))

    def stateless_reset_state(self) -> list[Array]:
        """The values of the `variables` before any data."""
        return list(self.fresh_state.values())

    def _with(self, values: Sequence[Any]) -> State:
        names = list(self.state)
        if len(values) != len(names):
            raise ValueError(f"{self.name!r} has {len(names)} variables, got {len(values)}")
        return dict(zip(names, map(jnp.asarray, values), strict=True))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Count a batch and give the value so far."""
        self.update_state(*args, **kwargs)
        return self.result()


classes: Registry[type[Metric]] = Registry("metric", Metric)


def metric_class(
    name: str,
    build: Callable[..., Triple],
    *aliases: str,
    signature: inspect.Signature | None = None,
    doc: str | None = None,
) -> Any:
    """Derive a metric's class from the function that makes its triple, and register it."""
    signature = signature or inspect.signature(build)
    members = {
        "build": staticmethod(build),
        "signature": signature,
        "__signature__": signature,
        "__doc__": doc or build.__doc__,
        "__module__": build.__module__,
    }
    return classes.add(type(name, (Metric,), members), name, *aliases)
