"""Optimizers in loops that users write: applied to variables, or as a function of arrays."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from funkeras.optimizers.updates import with_hyperparameters
from funkeras.optimizers.written import EACH, OLD
from funkeras.typing import Array
from funkeras.variables import Variable

__all__ = ["Applied"]


class Applied:
    """What Keras 3's optimizers do beside training a model that was compiled with them."""

    name: str
    functional: Any
    steps: Any
    values: Callable[[], dict[str, float]]
    writes: Callable[..., bool]
    built: bool
    _model: Callable[[], Any]
    _trainable_variables: list[Variable]

    def begin(self, variables: Iterable[Variable]) -> None:
        """Make the state for training these variables; `build` of an optimizer is this."""
        trained = tuple(variables)
        if self.writes(*EACH, *OLD):
            self.steps.build_for(trained)
            self._begin(trained, self.steps.begun)
        else:
            self._begin(trained, self.steps.init)

    def _begin(self, trained: tuple[Variable, ...], init: Callable[..., Any]) -> None:
        values = [_value(own) for own in trained]
        self.__dict__.update(_trained=trained, _init=init, _listed=jax.eval_shape(init, values))
        self.__dict__.pop("_kept", None)

    @property
    def variables(self) -> list[Variable]:
        """The state as variables: hyperparameters, the count of steps, momenta and the like.

        Those it was given to `build` for; else of the model that it trains, once it has begun.
        """
        if self._is_begun():
            return list(self._state_variables())
        model = self._model()
        return [] if model is None else model.optimizer_variables()

    def _state_variables(self) -> list[Variable]:
        """The variables of the state, which are as large as the weights: made when asked for."""
        if "_kept" not in self.__dict__:
            state = self.__dict__["_init"]([_value(own) for own in self.__dict__["_trained"]])
            name = f"{self.name}_state"
            leaves = jax.tree.leaves(state)
            self.__dict__["_kept"] = [Variable(a, name=name, trainable=False) for a in leaves]
        return self.__dict__["_kept"]

    def _is_begun(self) -> bool:
        """Whether there is a state, as there is one after the `build` that a user wrote."""
        if self.built and not {"_listed", "_form"} & self.__dict__.keys():
            self._begin(tuple(self._trainable_variables), self.steps.begun)
        return "_listed" in self.__dict__

    def _built(self, what: str) -> tuple[tuple[Variable, ...], Any]:
        if not self._is_begun():
            raise ValueError(f"{what} needs to know the variables: build(trainable_variables)")
        return self.__dict__["_trained"], jax.tree.structure(self.__dict__["_listed"])

    def stateless_apply(
        self,
        optimizer_variables: Sequence[Any],
        grads: Sequence[Any],
        trainable_variables: Sequence[Any],
    ) -> tuple[list[Array], list[Array]]:
        """The trainable and the optimizer's variables after a step from these values.

        It is pure, and constraints of the variables given to `build` hold.

        Raises:
            ValueError: before `build`, and for other numbers of arrays than it was told.
        """
        trained, form = self._built("stateless_apply")
        counts = (len(optimizer_variables), len(grads), len(trainable_variables))
        if counts != (form.num_leaves, len(trained), len(trained)):
            raise ValueError(
                f"expected {form.num_leaves} optimizer variables, {len(trained)} gradients and "
                f"trainable variables, got {', '.join(map(str, counts))}"
            )
        state = form.unflatten(map(_value, optimizer_variables))
        return self._moved(self.functional, state, grads, trainable_variables)

    def _moved(
        self, updates: Any, state: Any, grads: Sequence[Any], variables: Sequence[Any]
    ) -> tuple[list[Array], list[Array]]:
        params = [*map(_value, variables)]
        changes, state = updates.update([*map(_value, grads)], state, params)
        moved = [p + change for p, change in zip(params, changes, strict=True)]
        rules = map(_constraint, self.__dict__["_trained"])
        moved = [p if rule is None else rule(p) for p, rule in zip(moved, rules, strict=True)]
        return moved, jax.tree.leaves(state)

    def apply(
        self, grads: Sequence[Any], trainable_variables: Iterable[Variable] | None = None
    ) -> None:
        """Take a step: the variables, those of `build` if none are given, get their next values."""
        if (taking := self.__dict__.get("_taking")) is not None:
            taking.take(grads, self._trainable_variables)
            return
        if not self._is_begun():
            self.begin(trainable_variables or ())
        trained, form = self._built("apply")
        kept = self._state_variables()
        if trainable_variables is not None and tuple(trainable_variables) != trained:
            raise ValueError("apply must be given the variables that build was given")
        state = with_hyperparameters(form.unflatten([own.value for own in kept]), self.values())
        moved, after = self._moved(self.steps, state, grads, trained)
        for variable, value in zip([*trained, *kept], [*moved, *after], strict=True):
            variable.assign(value)
        self.__dict__["iterations"] = int(form.unflatten(after).iterations)

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> None:
        """`apply` to pairs of a gradient and its variable."""
        grads, variables = zip(*grads_and_vars, strict=True)
        self.apply(grads, variables)


def _value(own: Any) -> Array:
    return own.value if isinstance(own, Variable) else jnp.asarray(own)


def _constraint(variable: Any) -> Any:
    """The projection that belongs to a variable: its own, or the one that its layer has for it."""
    owner = getattr(variable, "owner", None)
    if owner is None:
        return getattr(variable, "constraint", None)
    return owner.weight_constraints.get(variable.place)
