"""Variables, and the flow: which arrays stand for them while a model's program is traced."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, ClassVar, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import random

from funkeras import config
from funkeras.distribution.placing import fetched
from funkeras.typing import Key

__all__ = [
    "DRAWS",
    "Flow",
    "Sizes",
    "Variable",
    "current_flow",
    "flowing",
    "in_any_order",
    "learning_phase",
    "noting",
    "outside",
    "overridable",
    "running",
    "set_learning_phase",
    "value_of",
]

Function = TypeVar("Function", bound=Callable[..., Any])


def overridable(function: Function) -> Function:
    """The function of arrays, left to an argument that has a `__funkeras_function__`.

    So symbolic tensors, which are made above, record it. NumPy's `__array_function__` is the model.
    """

    @wraps(function)
    def known(*args: Any, **kwargs: Any) -> Any:
        for argument in (*args, *kwargs.values()):
            override = getattr(type(argument), "__funkeras_function__", None)
            if override is not None:
                return override(function, *args, **kwargs)
        return function(*args, **kwargs)

    wrapper: Any = known
    wrapper.__signature__ = inspect.signature(function)
    del wrapper.__wrapped__  # it is the function, and is known and saved as that
    return wrapper


@dataclass(eq=False)
class Flow:
    """One run of a pure function that user code takes part in.

    Fields:
        training: whether it runs as in training.
        key: where its random numbers come from, if it has any.
        bound: owner → what stands for its variables in this run: for a layer its params and its
            state, for a variable without a layer its value.
        reads_as: the dtype that variables of real numbers are read in, if not their own.
        losses, reports: what is added to the loss, and numbers for the logs by name.
        assigned: where new values of variables without a layer go, if the run may give some; they
            count after it.
        counting: metric → its state, of those whose counts go on from run to run; the runs inside
            share it.
        remade: gives the variable that stands for one which user code makes, where a run makes the
            same ones each time.
        first_order: whether no derivatives but first ones, backwards, are taken of it, and no
            `vmap`: operations that have no others may do its work.
    """

    training: bool = False
    key: Key | None = None
    bound: dict[Any, Any] = field(default_factory=dict)
    losses: list[Any] = field(default_factory=list)
    reports: dict[str, Any] = field(default_factory=dict)
    assigned: dict[Any, Any] | None = None
    reads_as: str | None = None
    counting: dict[Any, Any] = field(default_factory=dict)
    first_order: bool = False
    remade: Callable[..., Any] | None = None
    draws: int = 0

    def next_key(self) -> Key:
        """A key that no other draw of this run has.

        Raises:
            ValueError: if the run has none, and nobody notes that it needs one.
        """
        key = self.key
        if key is None:
            if not note(DRAWS):
                raise ValueError("a random operation needs a key: apply(..., key=key)")
            key = random.key(0)  # of a trial: whoever notes this runs again with a key
        self.draws += 1
        return random.fold_in(key, self.draws)


_flow: ContextVar[Flow | None] = ContextVar("flow", default=None)


def current_flow() -> Flow | None:
    """The run that is being traced, if one is."""
    return _flow.get()


F = TypeVar("F", Flow, None)


@contextmanager
def flowing(flow: F) -> Iterator[F]:
    """Make a run the current one."""
    token = _flow.set(flow)
    try:
        yield flow
    finally:
        _flow.reset(token)


def running(training: bool, key: Key | None) -> AbstractContextManager[Flow]:
    """The run of a part of the present run, if there is one."""
    outer = current_flow()
    if outer is None:
        return flowing(Flow(training, key))
    shared = {name: getattr(outer, name) for name in ("counting", "first_order")}
    return flowing(Flow(training, key, dict(outer.bound), **shared))


@contextmanager
def in_any_order() -> Iterator[None]:
    """Let derivatives of any kind, and `vmap`, be taken of what the present run computes now."""
    flow = current_flow() or Flow()
    kept, flow.first_order = flow.first_order, False
    try:
        yield
    finally:
        flow.first_order = kept


def outside() -> AbstractContextManager[None]:
    """Leave the present run: for what is made once, though a run is the occasion."""
    return flowing(None)


DRAWS = "random numbers"
"""What is noted of a run that draws random numbers and has no key for them."""

_noted: ContextVar[dict[Any, None] | None] = ContextVar("noted", default=None)


class noting:  # noqa: N801
    """Note which variables, or layers with theirs, are read that nothing stands for in the run.

    What is noted inside is noted outside too. Called like a function of `contextlib`, but several
    times as fast.
    """

    def __enter__(self) -> dict[Any, None]:
        self.outer, self.noted = _noted.get(), {}
        self.token = _noted.set(self.noted)
        return self.noted

    def __exit__(self, *exception: object) -> None:
        _noted.reset(self.token)
        if self.outer is not None:
            self.outer.update(self.noted)


def note(owner: Any) -> bool:
    """Tell whoever is noting that the variables of this owner are read as they are.

    Gives whether somebody is.
    """
    noted = _noted.get()
    if noted is None or current_flow() is None:
        return False
    noted[owner] = None
    return True


_phase: bool | None = None


def learning_phase() -> bool | None:
    """Whether everything runs as in training, or as at inference; None where each run says."""
    return _phase


def set_learning_phase(value: bool | None) -> None:
    """Let whatever is built from now on always run in that phase."""
    global _phase
    _phase = None if value is None else bool(value)


class Sizes(tuple[Any, ...]):
    """A shape with what TensorFlow's shapes had."""

    def as_list(self) -> list[Any]:
        """The sizes as a list; None is any size."""
        return list(self)


class Variable:
    """One array that can be assigned: on its own, or a weight of a layer by its name.

    Arithmetic on it, and any function of JAX, takes its value: the present array, or in a model's
    program whatever stands for it there.

    Args:
        initializer: the value, or the name or function of what draws it for a `shape`.
        autocast: whether a layer that computes in another dtype reads it in that.
        aggregation, synchronization: of Keras 3, for devices; all have the same value here.
    """

    def __init__(
        self,
        initializer: Any,
        shape: Sequence[int] | None = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str | None = None,
        synchronization: str | None = None,
        name: str | None = None,
    ) -> None:
        value = initializer
        if isinstance(initializer, str) or callable(initializer):
            if shape is None:
                raise ValueError("a variable that an initializer draws needs shape=")
            value = self.draw(initializer, tuple(shape), dtype or config.floatx())
        array = jnp.asarray(value, dtype or _natural(value))
        self.autocast = autocast
        self.tensor: Any = None
        """The symbolic tensor that stands for it in graphs, once there is one."""
        self._owner: Any = None
        self._value: Any = array
        self.place = name or "variable"
        self.shape = array.shape
        self.trainable = trainable
        self._made_inside = current_flow() is not None
        """Made anew by each trace of a program, so a constant of it: `K.eye` within a call."""

    __funkeras_function__: ClassVar[Any]
    draw: ClassVar[Callable[..., Any]]
    """Values by an initializer, for a shape and a dtype; set where these are made."""

    place: str
    """Its name among the arrays of its owner, with `/` where those are nested."""
    autocast = True
    """Whether a layer that computes in another dtype reads it in that."""
    sparse = False
    """Whether it was made of a sparse matrix."""

    @classmethod
    def of(cls, layer: Any, name: str, shape: tuple[int, ...], trainable: bool) -> "Variable":
        """A weight of a layer: reading and assigning go to the layer."""
        variable = cls.__new__(cls)
        variable.tensor = None
        variable._value = None
        variable.shape = shape
        variable.trainable = trainable
        variable.give_to(layer, name)
        return variable

    def give_to(self, layer: Any, name: str) -> None:
        """Let a layer own it, under that name."""
        self._owner = layer
        self.place = name

    @property
    def owner(self) -> Any:
        """The layer it is a weight of, or None."""
        return self._owner

    @property
    def constraint(self) -> Any:
        """What training projects it with after each step, if anything."""
        return self._rule("constraint")

    @constraint.setter
    def constraint(self, rule: Any) -> None:
        self._set_rule("constraint", rule)

    @property
    def regularizer(self) -> Any:
        """The penalty on it that training adds to the loss, if any."""
        return self._rule("regularizer")

    @regularizer.setter
    def regularizer(self, rule: Any) -> None:
        self._set_rule("regularizer", rule)

    def _rule(self, kind: str) -> Any:
        ask = getattr(self._owner, "_rule", None)
        return vars(self).get(f"_{kind}") if ask is None else ask(self.place, f"_{kind}")

    def _set_rule(self, kind: str, rule: Any) -> None:
        rules = getattr(self._owner, "_own_rules", None)
        if rules is None:
            vars(self)[f"_{kind}"] = rule
        else:
            rules[f"{self.place}_{kind}"] = rule

    @property
    def name(self) -> str:
        """Its name, with that of its layer in front."""
        return self.place if self._owner is None else f"{self._owner.name}/{self.place}"

    @property
    def path(self) -> str:
        """Its name after those of the layers that it was made in: `model/dense/kernel`."""
        return self.place if self._owner is None else self._owner.path_of(self.place)

    @property
    def value(self) -> Any:
        """The array at this moment, or what stands for it in the present run."""
        flow, value = current_flow(), self.kept
        low = flow.reads_as if flow is not None and self.autocast else None
        real = low is not None and jnp.issubdtype(value.dtype, jnp.floating)
        return value.astype(low) if real else value

    @property
    def kept(self) -> Any:
        """Its value in the dtype that it is kept in."""
        if self._owner is None:
            flow = current_flow()
            if flow is not None and self in flow.bound:
                return flow.bound[self]
            if not self._made_inside:
                note(self)
            return self._value
        tree: Any = self._owner.params if self.trainable else self._owner.state
        for part in self.place.split("/"):
            tree = tree[part]
        return tree

    @property
    def held(self) -> Any:
        """What a program gets to let it stand for the variable."""
        return self._value

    @property
    def dtype(self) -> np.dtype:
        """The array's dtype."""
        return self.value.dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def assign(self, value: Any) -> Any:
        """Replace the array by one of the same shape, and give it.

        Raises:
            ValueError: for another shape.
            RuntimeError: while a program runs, if no layer owns it.
        """
        if self._owner is not None:
            self._owner.assign({self.place: value})
            return self.kept
        array = jnp.asarray(value, self._value.dtype)
        if array.shape != self.shape:
            raise ValueError(f"variable {self.name!r} has shape {self.shape}, got {array.shape}")
        flow = current_flow()
        if flow is not None and flow.assigned is not None:
            flow.assigned[self] = array
            return array
        if flow is not None:
            raise RuntimeError(
                f"variable {self.name!r} can't be assigned while a program runs: let a layer own "
                "it (add_weight), or give the update to a function(..., updates=[...])"
            )
        self._value = array
        return array

    set_value = assign

    def assign_add(self, value: Any) -> Any:
        """Add an array."""
        return self.assign(self.kept + jnp.asarray(value))

    def assign_sub(self, value: Any) -> Any:
        """Subtract an array."""
        return self.assign(self.kept - jnp.asarray(value))

    def get_value(self, borrow: bool = False) -> np.ndarray:
        """A NumPy copy, as Theano's variables gave it."""
        return self.numpy()

    def numpy(self) -> np.ndarray:
        """A NumPy copy."""
        return np.array(fetched(self.value))

    def eval(self) -> np.ndarray:
        """A NumPy copy, as `K.eval` gives it."""
        return self.numpy()

    def get_shape(self) -> Sizes:
        """The shape, as TensorFlow's variables gave it."""
        return Sizes(self.shape)

    @property
    def _keras_shape(self) -> tuple[int, ...]:  # what scripts of Keras 1 read
        return self.shape

    def __jax_array__(self) -> Any:
        return self.value

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.value, dtype=dtype)

    def __int__(self) -> int:
        return int(self.value)

    def __float__(self) -> float:
        return float(self.value)

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"<Variable {self.name} shape={self.shape}>"


def _natural(value: Any) -> Any:
    """The dtype that a value has in Keras: `floatx` for numbers and float64 arrays."""
    if isinstance(value, jax.Array):
        return value.dtype
    array = np.asarray(value)
    whole = isinstance(value, np.ndarray) and array.dtype.kind in "iub"
    return array.dtype if whole else config.floatx()


def value_of(thing: Any) -> Any:
    """The value of a variable; anything else as it is."""
    return thing.value if isinstance(thing, Variable) else thing
