"""The variables of a layer: read, replaced, listed and counted."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp
import numpy as np

from funkeras import config, distribution, dtype_policies, initializers
from funkeras.distribution.placing import in_their_place
from funkeras.dtype_policies import FROM, MIXED
from funkeras.functional.combinators import CARRIED
from funkeras.functional.pair import Pair, Weight, draw_variables, flat_weights, nest
from funkeras.layers.inside import collected, parted
from funkeras.typing import Params, State
from funkeras.variables import Variable, current_flow

__all__ = [
    "Weighted",
    "dtypes_of",
    "forms_version",
    "note_change",
    "note_form",
    "variables_lock",
    "variables_version",
]

_version = _form = 0
variables_lock = threading.RLock()
"""Held while several layers are changed or read together: threads see one step or the next."""


def variables_version() -> int:
    """A count that grows whenever any layer's variables change."""
    return _version


def note_change() -> None:
    """Say that the variables of a layer are others now."""
    global _version
    with variables_lock:
        _version += 1


def forms_version() -> int:
    """A count that grows whenever any layer has other weights than before."""
    return _form


def note_form() -> None:
    """Say that a layer has other weights now."""
    global _form
    with variables_lock:
        _form += 1
        note_change()


class Listed(list[Variable]):
    """The weights of a layer by their use, to which scripts of Keras 1 and 2 add some."""

    def __init__(self, layer: Any, trainable: bool, variables: Sequence[Variable]) -> None:
        super().__init__(variables)
        self.layer = layer
        self.trainable = trainable

    def append(self, variable: Variable) -> None:
        """Let the layer own one more."""
        self.extend([variable])

    def extend(self, variables: Iterable[Variable]) -> None:
        """Let the layer own some more."""
        added = list(variables)
        super().extend(added)
        self.layer._own(added, trainable=self.trainable)

    def __iadd__(self, variables: Iterable[Variable]) -> Self:
        self.extend(variables)
        return self


class Weighted:
    """The arrays that a layer owns, nested by name, and as variables in the order of files."""

    name: str
    pair: Pair
    builder: ClassVar[Any]
    built: bool
    own_weights: list[Weight]
    _moves: Any
    dtype_policy: Any
    kernels_of: str | None = None
    _arguments: dict[str, Any]
    input_shape: Any
    _within: Callable[[], dict[tuple[str, ...], Any]]
    _params: Params
    _state: State
    _variables: dict[Any, Variable]

    @property
    def params(self) -> Params:
        """Trainable arrays by name. Assigning checks names and shapes."""
        return collected(self)[0]

    @params.setter
    def params(self, value: Params) -> None:
        self.adopt(_like(value, self.params, f"params of {self.name!r}"), self.state)

    @property
    def state(self) -> State:
        """Other arrays by name: moving averages, recurrent states."""
        return collected(self)[1]

    @state.setter
    def state(self, value: State) -> None:
        self.adopt(self.params, _like(value, self.state, f"state of {self.name!r}"))

    def adopt(self, params: Params, state: State) -> None:
        """Take over variables of the right structure, unchecked: what training hands back."""
        within = self._within()
        (params, of_params), (state, of_state) = (parted(within, tree) for tree in (params, state))
        for names, inner in within.items():
            if of_params[names] or of_state[names]:
                inner.adopt(of_params[names], of_state[names])
        flow = current_flow()
        if flow is not None and self in flow.bound:
            flow.bound[self] = (params, state)
            return
        own = (self._params, self._state)
        self._params, self._state = in_their_place((params, state), own)
        note_change()

    def lay_out(self) -> None:
        """Lay the arrays out as the current distribution says, if there is one."""
        current = distribution.distribution()
        if current is not None and (weights := self.weights):
            with jax.ensure_compile_time_eval():
                self.assign(
                    {
                        own.place: distribution.distribute_tensor(
                            own.kept, current.get_variable_layout(own)
                        )
                        for own in weights
                    }
                )

    def assign(self, values: Mapping[str, Any]) -> None:
        """Replace arrays by weight name; all are checked before any is replaced."""
        declared = {weight.name: weight for weight in self.declared_weights()}
        params = jax.tree.map(lambda a: a, self.params)
        state = jax.tree.map(lambda a: a, self.state)
        for name, value in values.items():
            weight = declared[name]
            value = jnp.asarray(value, weight.dtype or dtypes_of(self.dtype_policy)[0])
            if value.shape != weight.shape:
                raise ValueError(
                    f"weight {name!r} of layer {self.name!r} has shape {weight.shape}, "
                    f"got {value.shape}"
                )
            nest(params if weight.trainable else state, name, value)
        self.adopt(params, state)

    def declared_weights(self) -> list[Weight]:
        """The weights that files hold, in the order of `get_weights`."""
        # While its `call` is tried, to be built, it has those that its `build` has added.
        tried = bool(self.own_weights) and self.input_shape is not None
        return list(flat_weights(self.pair, self.input_shape)) if self.built or tried else []

    @property
    def weights(self) -> list[Variable]:
        """The weights that files hold, as readable and assignable variables."""
        return [
            self._variable(weight.name, weight.shape, weight.trainable)
            for weight in self.declared_weights()
        ]

    def _variable(self, *described: Any) -> Variable:
        """The weight of that name, shape and use: one object however often it is asked for."""
        if described not in self._variables:
            self._variables[described] = Variable.of(self, *described)
        return self._variables[described]

    def _weights_by_use(self) -> tuple[list[Variable], list[Variable]]:
        """The weights that training changes, and the others."""
        moving = [v.trainable and self._moves(v.place) for v in self.weights]
        by_use = [
            [v for v, m in zip(self.weights, moving, strict=True) if m == use]
            for use in (True, False)
        ]
        return by_use[0], by_use[1]

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes; what is added to the list becomes one of them."""
        return Listed(self, True, self._weights_by_use()[0])

    @trainable_weights.setter
    def trainable_weights(self: Any, variables: Sequence[Variable]) -> None:
        self._own(variables, trainable=True)

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves to the layer, or alone; likewise."""
        return Listed(self, False, self._weights_by_use()[1])

    @non_trainable_weights.setter
    def non_trainable_weights(self: Any, variables: Sequence[Variable]) -> None:
        self._own(variables, trainable=False)

    _trainable_weights = trainable_weights
    _non_trainable_weights = non_trainable_weights

    def get_weights(self) -> list[np.ndarray]:
        """Copies of the arrays, trainable ones first; kernels as `config.kernel_layout` says."""
        return self.as_given(self.kept_arrays())

    def kept_arrays(self) -> list[np.ndarray]:
        """Copies of the arrays as they are kept, in the order of `get_weights`."""
        return [variable.numpy() for variable in self.weights]

    def _kernels(self) -> Any:
        """How Keras 1 arranged this layer's kernels, if they are given and taken like that."""
        build = type(self).builder
        if self.kernels_of is None or build is None:
            return None
        from funkeras.formats.keras1 import Kernels  # with h5py, which few need

        first = self._arguments.get("data_format") == "channels_first"
        return Kernels.of(getattr(build, "keras_name", ""), first, self.kernels_of)

    def as_given(self, arrays: Sequence[Any]) -> list[Any]:
        """Arrays as they are kept, as `get_weights` gives them."""
        kernels = self._kernels()
        return list(arrays) if kernels is None else kernels.then(arrays)

    def as_kept(self, arrays: Sequence[Any]) -> list[Any]:
        """Arrays that `set_weights` takes, as they are kept."""
        kernels = self._kernels()
        return list(arrays) if kernels is None else kernels.today([*map(np.asarray, arrays)])

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Replace all arrays, in the order of `get_weights`.

        Raises:
            ValueError: for another number of arrays or another shape; nothing is changed then.
        """
        declared = self.declared_weights()
        if len(weights) != len(declared):
            raise ValueError(
                f"layer {self.name!r} has {len(declared)} weights "
                f"({', '.join(w.name for w in declared)}), got {len(weights)}"
            )
        self.keep_arrays(self.as_kept(weights))

    def keep_arrays(self, arrays: Sequence[Any]) -> None:
        """Replace all arrays by some arranged as they are kept."""
        names = [weight.name for weight in self.declared_weights()]
        self.assign(dict(zip(names, arrays, strict=True)))

    def count_params(self) -> int:
        """Number of entries in all weights."""
        return sum(int(np.prod(weight.shape)) for weight in self.declared_weights())

    def _kept(self) -> list[Weight]:
        """The recurrent states that go from one batch into the next."""
        declared = self.pair.weights(self.input_shape) if self.built else ()
        return [w for w in declared if not w.saved and f"/{CARRIED}" in f"/{w.name}"]

    @property
    def keeps_states(self) -> bool:
        """Whether each batch goes on where the one before it ended, in prediction too."""
        return bool(self._kept())

    def reset_states(self) -> None:
        """Set the recurrent states that are kept between batches back to their beginning."""
        _, fresh = draw_variables(self._kept(), lambda index: initializers.NumpySource())
        state = jax.tree.map(lambda a: a, self.state)
        for path, value in jax.tree_util.tree_leaves_with_path(fresh):
            nest(state, "/".join(part.key for part in path), jnp.asarray(value))
        self.adopt(self.params, state)

    def reset_state(self) -> None:
        """`reset_states`, as Keras 3 has it too."""
        self.reset_states()


def dtypes_of(policy: Any) -> tuple[str, str]:
    """Dtypes of variables and of computation under a policy or plain dtype.

    >>> dtypes_of("mixed_bfloat16"), dtypes_of("float64")
    (('float32', 'bfloat16'), ('float64', 'float64'))
    """
    if isinstance(policy, Mapping) or str(policy).startswith(MIXED) or FROM in str(policy):
        both = dtype_policies.get(policy)  # Keras 3 writes its policies as configs
        return both.variable_dtype, both.compute_dtype
    name = np.dtype(policy).name if not isinstance(policy, str) else policy
    if name not in config.FLOATS:
        return config.floatx(), config.floatx()
    return name, name


def _like(value: Any, present: Any, name: str) -> Any:
    """`value` as arrays, if it has the structure, shapes and dtypes of `present`."""
    if not isinstance(value, Mapping):
        raise TypeError(
            f"{name} are arrays by name, got {value!r:.80}: an attribute of your own needs "
            "another name"
        )
    if jax.tree.structure(value) != jax.tree.structure(present):
        raise ValueError(
            f"{name} have the structure {jax.tree.structure(present)}, "
            f"got {jax.tree.structure(value)}"
        )

    def check(path: Any, new: Any, old: Any) -> Any:
        new = jnp.asarray(new, old.dtype)
        if new.shape != old.shape:
            where = jax.tree_util.keystr(path)
            raise ValueError(f"{where} of {name} has shape {old.shape}, got {new.shape}")
        return new

    return jax.tree_util.tree_map_with_path(check, value, present)
