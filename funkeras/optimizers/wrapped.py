"""Any optax transformation as an `Optimizer`."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from funkeras.optimizers.base import Optimizer
from funkeras.optimizers.hyperparameter import Hyperparameter
from funkeras.optimizers.updates import OptimizerState
from funkeras.typing import Config, Params, PyTree

if TYPE_CHECKING:
    import optax

__all__ = ["OptaxOptimizer"]

SLOT = "optax"


class Functions(NamedTuple):
    """The two functions of an optimizer."""

    init: Callable[..., OptimizerState]
    update: Callable[..., tuple[PyTree, OptimizerState]]


def _has_hyperparameters(node: Any) -> bool:
    return hasattr(node, "hyperparams") and hasattr(node, "_replace")


def _injected(state: PyTree) -> list[Any]:
    """The states of `optax.inject_hyperparams` inside an optax state."""
    nodes = jax.tree.leaves(state, is_leaf=_has_hyperparameters)
    return [node for node in nodes if _has_hyperparameters(node)]


def _names(state: PyTree) -> list[tuple[int, str, str]]:
    """For each injected number: which node it is in, its name there, and its name outside."""
    rows: list[tuple[int, str, str]] = []
    for index, node in enumerate(_injected(state)):
        for name, value in node.hyperparams.items():
            if jnp.ndim(value) == 0 and jnp.issubdtype(jnp.result_type(value), jnp.floating):
                same = sum(known == name for _, known, _ in rows)
                rows.append((index, name, f"{name}_{same}" if same else name))
    return rows


def _exposed(state: PyTree) -> dict[str, Any]:
    nodes = _injected(state)
    return {outside: nodes[i].hyperparams[name] for i, name, outside in _names(state)}


def _with_exposed(state: PyTree, values: dict[str, Any]) -> PyTree:
    new = [dict(node.hyperparams) for node in _injected(state)]
    for index, name, outside in _names(state):
        new[index][name] = jnp.asarray(values[outside], jnp.result_type(new[index][name]))
    rest = iter(new)

    def replaced(node: Any) -> Any:
        if not _has_hyperparameters(node):
            return node
        return node._replace(hyperparams=next(rest))

    return jax.tree.map(replaced, state, is_leaf=_has_hyperparameters)


class OptaxOptimizer(Optimizer):
    """An optax transformation behind the interface of a Keras optimizer.

    What `optax.inject_hyperparams` exposes can be read and set as attributes, provided that the
    transformation can be initialized for a single array.
    """

    def __init__(self, inner: "optax.GradientTransformation", name: str = "optax") -> None:
        import optax  # imported already by whoever made `inner`

        known = _exposed(inner.init(jnp.zeros(())))
        self.__dict__.update(
            era="modern",
            iterations=0,
            inner=optax.with_extra_args_support(inner),
            _config={"name": name},
            hyperparameters={key: Hyperparameter(key, value) for key, value in known.items()},
        )

    @property
    def schedule(self) -> None:
        """None: a schedule is inside the transformation."""

    @property
    def steps(self) -> "Functions":
        """The wrapped transformation, its state inside an `OptimizerState`."""
        inner: Any = self.inner

        def init(params: Params) -> OptimizerState:
            state = inner.init(params)
            given = {k: jnp.asarray(v, jnp.result_type(float)) for k, v in self.values().items()}
            zero = jnp.zeros((), jnp.int32)
            return OptimizerState(given, zero, {SLOT: _with_exposed(state, given)}, {})

        def update(
            gradients: PyTree, state: OptimizerState, params: Params | None = None, **extra: Any
        ) -> tuple[PyTree, OptimizerState]:
            held = _with_exposed(state.slots[SLOT], state.hyperparameters)
            updates, held = inner.update(gradients, held, params, **extra)
            return updates, state._replace(iterations=state.iterations + 1, slots={SLOT: held})

        return Functions(init, update)

    def finalize(self, params: Params, state: OptimizerState) -> Params:
        """The parameters as they are."""
        return params

    def state_arrays(
        self,
        state: OptimizerState,
        arrange: Callable[[PyTree], Sequence[Any]] = jax.tree.leaves,
        layout: str | None = None,
    ) -> list[tuple[str, np.ndarray]]:
        """The optax state leaf by leaf, after the step counter; no Keras has a layout for it."""
        kept = {"iterations": state.iterations, SLOT: state.slots[SLOT]}
        return [
            (jax.tree_util.keystr(path, simple=True, separator="/"), np.asarray(leaf))
            for path, leaf in jax.tree_util.tree_leaves_with_path(kept)
        ]

    def load_state_arrays(
        self,
        state: OptimizerState,
        arrays: Sequence[Any],
        arrange: Callable[[PyTree], Sequence[Any]] = jax.tree.leaves,
        layout: str | None = None,
    ) -> OptimizerState:
        """The state that `state_arrays` gave these arrays of; hyperparameters are taken over."""
        kept = {"iterations": state.iterations, SLOT: state.slots[SLOT]}
        leaves, tree = jax.tree.flatten(kept)
        shapes = [np.shape(leaf) for leaf in leaves]
        came = [np.shape(array) for array in arrays]
        if shapes != came:
            raise ValueError(f"the optax state has arrays of shapes {shapes}, got {came}")
        new = [jnp.asarray(a, leaf.dtype) for a, leaf in zip(arrays, leaves, strict=True)]
        kept = tree.unflatten(new)
        for name, value in _exposed(kept[SLOT]).items():
            self.hyperparameters[name].assign(value)
        h = {k: jnp.asarray(v, state.hyperparameters[k].dtype) for k, v in self.values().items()}
        return OptimizerState(h, kept["iterations"], {SLOT: kept[SLOT]}, {})

    def get_config(self) -> Config:
        """Never: functions have no config.

        Raises:
            TypeError: always.
        """
        raise TypeError(
            "an optax transformation is made of functions and cannot be written to a file; "
            "save the weights alone, or use an optimizer of funkeras.optimizers"
        )

    def __repr__(self) -> str:
        return f"OptaxOptimizer({self.values()})"
