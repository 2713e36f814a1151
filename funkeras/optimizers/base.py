"""The `Optimizer` class, and how one is derived from a rule."""

import copyreg
import inspect
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import jax
import numpy as np

from funkeras import config, spellings
from funkeras.optimizers import layouts, schedules
from funkeras.optimizers.around import AROUND, Around
from funkeras.optimizers.hyperparameter import Hyperparameter, checked
from funkeras.optimizers.stateless import Applied
from funkeras.optimizers.updates import CLIPS, LAZY, OptimizerState, Rule, Updates
from funkeras.optimizers.written import EACH, OLD, RULE, Written, WrittenUpdates
from funkeras.registry import Configured, Registry
from funkeras.typing import Config, Params, PyTree
from funkeras.variables import Variable

if TYPE_CHECKING:
    import optax

__all__ = ["Optimizer", "optimizer", "registry"]


def _common(
    weight_decay: float | None = None,
    clipnorm: float | None = None,
    clipvalue: float | None = None,
    global_clipnorm: float | None = None,
    use_ema: bool = False,
    ema_momentum: float = 0.99,
    ema_overwrite_frequency: int | None = None,
    loss_scale_factor: float | None = None,
    gradient_accumulation_steps: int | None = None,
    name: str | None = None,
    decay: float = 0.0,
) -> None:
    """The arguments that every optimizer takes after its own."""


COMMON = dict(inspect.signature(_common).parameters)
OLD_ARGUMENTS: dict[str, tuple[str, ...]] = {
    "SGD": ("learning_rate", "momentum", "decay", "nesterov"),
    "RMSprop": ("learning_rate", "rho", "epsilon", "decay"),
    "Adagrad": ("learning_rate", "epsilon", "decay"),
    "Adadelta": ("learning_rate", "rho", "epsilon", "decay"),
    "Adam": ("learning_rate", "beta_1", "beta_2", "epsilon", "decay", "amsgrad"),
    "Adamax": ("learning_rate", "beta_1", "beta_2", "epsilon", "decay"),
    "Nadam": ("learning_rate", "beta_1", "beta_2", "epsilon", "schedule_decay"),
}
"""What Keras 1 and 2 take, in positional order, and write into configs."""
NOT_IN_KERAS_3 = ("decay", "schedule_decay")
DROPPED = ("jit_compile", "is_legacy_optimizer")
"""Keys of tf.keras configs without a meaning here."""


class Optimizer(Written, Applied, Configured):
    """An optimizer as an object; `transformation` is the same thing as pure functions.

    Its hyperparameters are attributes that can be set: `optimizer.learning_rate = 0.1`. Users
    subclass it with an `update_step`, as for Keras 3.
    """

    signature: ClassVar[inspect.Signature] = inspect.Signature(
        [
            inspect.Parameter("learning_rate", inspect.Parameter.POSITIONAL_OR_KEYWORD),
            *COMMON.values(),
        ]
    )
    rule_name: ClassVar[str] = ""
    """The name under which defaults and layouts are listed; subclasses keep it. None: a user's."""
    legacy: ClassVar[bool] = False
    make_rule: ClassVar[Callable[..., Rule]] = staticmethod(lambda: RULE)
    """Gives the rule, of some of the arguments."""
    build: Any
    hyperparameters: dict[str, Hyperparameter]
    era: str
    """Which Keras's arithmetic this object uses: a dialect, or `legacy`."""
    iterations: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kind = type(self)
        if not kind.rule_name and not self.writes("update_step", "get_updates"):
            raise TypeError(
                f"{kind.__name__} has no rule: give it an update_step, subclass a built-in "
                "optimizer, or declare a rule with funkeras.optimizers.optimizer"
            )
        era = "legacy" if kind.legacy else config.dialect()
        if not kind.rule_name and self.writes(*OLD):
            kwargs.setdefault("learning_rate", None)  # it keeps one of its own
        elif not kind.rule_name:
            era = "modern"
        arguments = _bind(kind, era, args, kwargs)
        self.__dict__.update(era=era, iterations=0, _config=arguments, _excluded=[])
        self.__dict__.update(_own=[], _places={})
        rule = self.rule
        own = inspect.signature(kind.make_rule).parameters
        floats = [name for name in own if own[name].annotation is float]
        names = [
            "learning_rate",
            *(["decay"] if kind.rule_name else []),
            *(n for n in floats if n not in rule.fixed),
        ]
        names += [name for name in CLIPS[era] if arguments[name]]
        names += [name for name in ("weight_decay", "loss_scale_factor") if arguments[name]]
        names += ["ema_momentum"] if arguments["use_ema"] else []
        values = {name: arguments[name] for name in names if arguments[name] is not None}
        if callable(self.schedule):
            del values["learning_rate"]
        self.__dict__["hyperparameters"] = {
            name: Hyperparameter(name, value) for name, value in values.items()
        }
        for name in rule.fixed:
            checked(name, arguments[name])

    @property
    def rule(self) -> Rule:
        """How one array is updated."""
        make = type(self).make_rule
        dialect = "keras2" if self.era == "legacy" else self.era
        own = inspect.signature(make).parameters
        with config.using_dialect(dialect):
            return make(**{name: self._config[name] for name in own})

    @property
    def schedule(self) -> Any:
        """The learning rate as a function of the step, or None when it is a number."""
        rate = self._config["learning_rate"]
        return rate if callable(rate) else None

    @property
    def transformation(self) -> "optax.GradientTransformation":
        """The optimizer as an optax transformation, to chain with others."""
        import optax  # it takes as long to import as all of this library, and few need it

        pure = self.functional
        return optax.GradientTransformation(pure.init, pure.update)  # pyright: ignore[reportArgumentType]: optax's own types are looser

    def writes(self, *names: str) -> bool:
        """Whether a user's subclass has a method of its own with one of these names."""
        return any(getattr(type(self), name) is not getattr(Optimizer, name) for name in names)

    @property
    def functional(self) -> Any:
        """The optimizer as pure functions `init(params)` and `update(grads, state, params)`."""
        return Around(self.steps, self) if self.writes(*AROUND) else self.steps

    @property
    def steps(self) -> Any:
        """The pure functions, without what a user's `apply` does around each step."""
        settings, rule = self._config, self.rule
        written = self.writes(*EACH, *OLD)
        return (WrittenUpdates if written else Updates)(
            **({"optimizer": self} if written else {}),
            rule=rule._replace(slots=()) if written else rule,
            values=self.values,
            schedule=self.schedule,
            clips={name: clip for name, clip in CLIPS[self.era].items() if settings[name]},
            lazy=self.era == "legacy" and self.rule_name in LAZY,
            undecayed=self._excluded,
            use_ema=settings["use_ema"],
            overwrite_every=settings["ema_overwrite_frequency"],
            accumulate=settings["gradient_accumulation_steps"],
        )

    def __getattr__(self, name: str) -> Any:
        members = self.__dict__
        known = spellings.RENAMED.get(name, (name,))[0]
        if known in members:
            return members[known]
        if known == "learning_rate" and callable(members.get("_config", {}).get(known)):
            return float(members["_config"][known](members["iterations"]))
        if known in members.get("hyperparameters", {}):
            return members["hyperparameters"][known]
        return super().__getattr__(known)

    def __setattr__(self, name: str, value: Any) -> None:
        known = spellings.RENAMED.get(name, (name,))[0]
        if known in self.__dict__.get("hyperparameters", {}):
            self.hyperparameters[known].assign(value)
        elif isinstance(value, Variable) and self.writes(*OLD):
            self._keep(known, value)
        elif known in self.__dict__.get("_config", {}):
            raise AttributeError(
                f"{name} of this {type(self).__name__} is fixed, as it was built with "
                f"{known}={self._config[known]!r}; make a new optimizer with another {known}"
            )
        else:
            self.__dict__[name] = value

    def _keep(self, name: str, variable: Variable) -> None:
        """Let a variable that `__init__` makes be a hyperparameter, or state of the steps."""
        if name == "iterations":
            self.__dict__[name] = int(variable.numpy())
        elif not variable.shape and np.issubdtype(variable.dtype, np.floating):
            self.hyperparameters[name] = Hyperparameter(name, variable.numpy())
        else:
            self.__dict__[name] = variable
            self._own.append((variable, None))

    def values(self) -> dict[str, float]:
        """The hyperparameters as they are now, for `with_hyperparameters`."""
        return {name: float(value) for name, value in self.hyperparameters.items()}

    def scale_loss(self, loss: Any) -> Any:
        """The loss to differentiate: `loss · loss_scale_factor`, which `update` divides out."""
        factor = self.hyperparameters.get("loss_scale_factor")
        return loss if factor is None else loss * float(factor)

    def finalize(self, params: Params, state: OptimizerState) -> Params:
        """The parameters to keep after training: their moving averages with `use_ema`."""
        if not self._config["use_ema"]:
            return params
        return jax.tree.map(lambda p, a: a.astype(p.dtype), params, state.slots["average"])

    def exclude_from_weight_decay(self, var_names: Sequence[str]) -> None:
        """Let weight decay pass over parameters whose path matches a regular expression."""
        self._excluded.extend(var_names)

    def state_arrays(
        self,
        state: OptimizerState,
        arrange: Callable[[PyTree], Sequence[Any]] = jax.tree.leaves,
        layout: str | None = None,
    ) -> list[tuple[str, np.ndarray]]:
        """The state as Keras saves it: names and arrays.

        Args:
            arrange: gives the leaves of a tree like the parameters in the order of the file.
            layout: a name in `layouts.LAYOUTS`; by default this optimizer's era's.
        """
        return layouts.saved(self, state, arrange, layout)

    def load_state_arrays(
        self,
        state: OptimizerState,
        arrays: Sequence[Any],
        arrange: Callable[[PyTree], Sequence[Any]] = jax.tree.leaves,
        layout: str | None = None,
    ) -> OptimizerState:
        """The state that `state_arrays` gave these arrays of; a saved learning rate is taken over.

        Raises:
            ValueError: when number or shapes of the arrays do not fit; nothing is changed then.
        """
        return layouts.loaded(self, state, arrays, arrange, layout)

    def get_config(self) -> Config:
        """The arguments that make an equal object, as this era's Keras writes them."""
        old = OLD_ARGUMENTS.get(self.rule_name) if self.era in ("classic", "keras2") else None
        if self.era != "modern" and not self.rule_name:
            return {
                name: float(own)
                for name, own in self.hyperparameters.items()
                if name in CLIPS[self.era]
            }
        defaults = _bind(type(self), self.era, (), {"learning_rate": 0.0})
        result: Config = {}
        for name, value in {**self._config, **self.values()}.items():
            known = name in old if old else name not in NOT_IN_KERAS_3
            if known or value != defaults[name]:
                result["lr" if old and name == "learning_rate" else name] = value
        if callable(self.schedule):
            result["lr" if old else "learning_rate"] = schedules.serialize(self.schedule)
        return {**result, "is_legacy_optimizer": True} if self.legacy else result

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """The optimizer that `get_config` of any generation described."""
        return cls(**{name: value for name, value in config.items() if name not in DROPPED})

    def __call__(self, gradients: PyTree, state: OptimizerState, params: Params) -> Any:
        """The changes of the parameters, and the next state."""
        return self.transformation.update(gradients, state, params)

    def _keeps(self, model: Any) -> Any:
        """Train that model, which reads and writes the state of its training."""
        self.__dict__["_training"] = weakref.ref(model)

    def _model(self) -> Any:
        """The model that it trains, if it has one."""
        return self.__dict__.get("_training", lambda: None)()

    def _state_of(self, what: str) -> Any:
        model = self._model()
        if model is None:
            raise RuntimeError(f"{what}: the optimizer trains no model yet; give it to compile")
        return model

    def get_weights(self) -> list[np.ndarray]:
        """Copies of the arrays with which it trains its model: steps, momenta and the like."""
        return self._state_of("get_weights").optimizer_weights()

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Go on training its model from arrays that `get_weights` gave.

        Raises:
            ValueError: if they do not fit.
        """
        self._state_of("set_weights").set_optimizer_weights(weights)

    def __reduce__(self) -> Any:
        kept = {name: value for name, value in self.__dict__.items() if name != "_training"}
        return copyreg.__newobj__, (type(self),), kept  # pyright: ignore[reportAttributeAccessIssue]: missing in typeshed


def _bind(
    kind: type[Optimizer], era: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Config:
    """All arguments of an optimizer, checked, in today's spelling."""
    owner, given = kind.rule_name or kind.__name__, dict(kwargs)
    if era == "legacy" and owner == "Nadam":
        given["schedule_decay"] = given.pop("decay", given.pop("schedule_decay", 0.004))
    if era in ("classic", "keras2") and owner in OLD_ARGUMENTS:
        order = OLD_ARGUMENTS[owner]
        for name, value in zip(order, args, strict=False):
            if name in given:
                raise TypeError(f"{owner}() got argument {name!r} twice")
            given[name] = value
        args = args[len(order) :]
    with config.using_dialect("modern" if era == "legacy" else era):
        bound = spellings.bind(owner, kind.signature, args, given)
    if bound["name"] is None:
        bound["name"] = layouts.snake_case(kind.__name__)
    if bound.get("epsilon", 0) is None:
        bound["epsilon"] = config.epsilon()
    rate = bound["learning_rate"]
    if isinstance(rate, Mapping):
        bound["learning_rate"] = schedules.deserialize(rate)
    elif isinstance(rate, Hyperparameter):
        bound["learning_rate"] = float(rate)
    for name in ("ema_overwrite_frequency", "gradient_accumulation_steps"):
        steps = bound[name]
        if steps is not None and (not isinstance(steps, int) or steps < 1):
            raise ValueError(f"{name} must be a positive integer or None, got {steps!r}")
    clips = [name for name in CLIPS[era] if bound[name]]
    if era == "modern" and len(clips) > 1:
        raise ValueError(f"only one of clipnorm, clipvalue and global_clipnorm, got {clips}")
    return bound


registry: Registry[type[Optimizer]] = Registry("optimizer", Optimizer)


def optimizer(name: str) -> Callable[[Callable[..., Rule]], type[Optimizer]]:
    """Derive the optimizer class of the decorated function, which gives a `Rule`, and register it.

    The function's `float` arguments become hyperparameters. The class also takes the arguments
    that are common to all optimizers.
    """

    def decorate(build: Callable[..., Rule]) -> type[Optimizer]:
        own = dict(inspect.signature(build).parameters)
        common = [parameter for key, parameter in COMMON.items() if key not in own]
        older = [own.pop(key) for key in NOT_IN_KERAS_3 if key in own]
        signature = inspect.Signature([*own.values(), *common, *older])
        members = {
            "make_rule": staticmethod(build),
            "rule_name": name,
            "signature": signature,
            "__signature__": signature,
            "__doc__": build.__doc__,
            "__module__": build.__module__,
        }
        return registry.add(type(name, (Optimizer,), members), name)

    return decorate
