"""`Layer`: what is stateful about a layer. It owns a pair's config, its name and its variables."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, nullcontext
from functools import partial
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from funkeras import (
    config,
    distribution,
    initializers,
    regularizers,
    spellings,
    symbolic,
)
from funkeras.dtype_policies import DTypePolicy, DTypePolicyMap
from funkeras.functional import combinators
from funkeras.functional.checks import no_mask
from funkeras.functional.masks import attach, masks_among, masks_that_go_on
from funkeras.functional.pair import Pair, Weight, draw_variables, output_shape, output_specs
from funkeras.functional.shapes import freeze_shape
from funkeras.layers.arguments import Argued
from funkeras.layers.asked import Asked
from funkeras.layers.calling import (
    as_list,
    as_tuple,
    as_users_see,
    first_by_name,
    first_of,
    joined,
    joined_inputs,
    shapes_to_build,
    written_inputs,
)
from funkeras.layers.cells import is_cell
from funkeras.layers.containing import Containing
from funkeras.layers.custom import (
    Written,
    custom_pair,
    discover,
    overridden,
)
from funkeras.layers.nodes import Noded
from funkeras.layers.options import (
    OPTIONS,
    SEQUENCES,
    automatic_name,
    declared_shape,
    is_rematerialized,
)
from funkeras.layers.stateless import MODERN, Stateless
from funkeras.layers.storing import Storing
from funkeras.layers.weights import Weighted, dtypes_of, note_change
from funkeras.registry import custom_object_scope
from funkeras.symbolic import SymbolicTensor, symbol
from funkeras.typing import Config, Key, Params, Shape, State
from funkeras.utils.naming import reset_names
from funkeras.utils.tracebacks import shorten
from funkeras.variables import DRAWS, Variable, current_flow, noting, outside

__all__ = ["Layer", "Variable", "reset_names"]

WEIGHT_NAMES = {
    "W": "kernel",
    "b": "bias",
    "U": "recurrent_kernel",
    "running_mean": "moving_mean",
    "running_std": "moving_variance",
}
"""Keras 1's attributes for weights."""


class Layer(Argued, Containing, Weighted, Stateless, Storing, Asked, Noded, Written):
    """Base of all Keras layers. Derived classes have a `builder` that makes their pair.

    Args:
        name: unique within a model; numbered by class when left out.
        trainable: whether training changes its weights; looked at by `compile`.
        dtype: of its computation and weights (`float32`, `bfloat16`, `float16`, `float64`), or a
            policy, `mixed_bfloat16` or `mixed_float16`: computes low, keeps float32 weights.
        autocast: since Keras 3, whether inputs of real numbers are cast to the type of computation.
        activity_regularizer: a penalty on its outputs.
        input_shape, batch_shape, input_dim, input_length, input_dtype: of a first layer's input.
        weights: initial values, as `set_weights` takes them.
        remat: compute its activations again in the backward pass to save memory.
    """

    builder: ClassVar[Callable[..., Pair] | None] = None
    signature: ClassVar[inspect.Signature] = inspect.Signature()
    spelling: ClassVar[str] = "Layer"
    positional: ClassVar[tuple[str, ...]] = ()
    """The order of positional arguments, if not that of the signature."""
    before: ClassVar[tuple[str, ...]] = ()
    after: ClassVar[tuple[str, ...]] = ()
    """Arguments before and after those of the builder, which the pair does not know."""
    is_function: ClassVar[bool] = False
    """Whether a function of the user's is what it computes."""
    lookup: ClassVar[Any]
    """From a class name in a config to the class."""
    inside_call: ClassVar[tuple[str, ...]] = ()
    """Methods besides `call` that say what a subclass of this class computes."""
    quantizes: ClassVar[bool] = False
    """Whether kernels of it may be in eight bits."""
    inherited: Pair | None = None
    """What the built-in layer computes, where a subclass has a `call` or `build` of its own."""
    builds_alone: bool = False
    """Whether a subclass of a built-in layer has made all weights, those of that one too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        owner = type(self).spelling
        accepted = (*(self.positional or self.signature.parameters), *OPTIONS)
        given = spellings.translate(owner, accepted, args, kwargs)
        options = {
            name: default if name in self.signature.parameters else given.pop(name, default)
            for name, default in OPTIONS.items()
        }
        self._argue(given)
        self._begin(options)
        self._trainable = bool(options["trainable"])
        self.input_dtype: str | None = options["input_dtype"]
        self.batch_shape = declared_shape(
            options, "input_dim" in self.signature.parameters, owner in SEQUENCES
        )
        self.input_shape: Any = None
        self._initial_weights = options["weights"]
        self._params: Params = {}
        self._state: State = {}
        self.built = False
        self.pair = self.make_pair()
        if type(self).builder is not None:
            self.supports_masking = self.pair.mask is not no_mask

    def _begin(self, options: Mapping[str, Any]) -> None:
        """Set what layers and models have in common."""
        given = options["name"]
        if given is not None and not isinstance(given, str):
            raise TypeError(f"the name of a {type(self).__name__} must be a str, got {given!r:.80}")
        self.name: str = given or automatic_name(type(self).__name__)
        self.activity_regularizer = regularizers.get(options["activity_regularizer"])
        policy = options["dtype"]
        if isinstance(policy, DTypePolicyMap):
            policy = policy[self.name]
        policy = policy or config.dtype_policy()
        self.dtype_policy: Any = DTypePolicy(policy) if isinstance(policy, str) else policy
        if getattr(self.dtype_policy, "quantization_mode", None) and not self.quantizes:
            raise NotImplementedError(
                f"{type(self).__name__} is not quantized: dtype={str(self.dtype_policy)!r}"
            )
        # Beside layers that compute low, one with a dtype of its own casts what it is given.
        self.casts = options["dtype"] is not None or self.dtype_policy != config.floatx()
        self.autocast = bool(options["autocast"])
        self.remat = bool(options["remat"]) or is_rematerialized(self.name)
        self.dialect = config.dialect()
        # The backend as whose Keras 1 `get_weights` gives kernels, None for Keras 2 and 3.
        self.kernels_of = config.backend() if config.kernel_layout() == "keras1" else None
        self._variables: dict[Any, Variable] = {}
        self._begin_inside()
        self._begin_graph()
        self._begin_writing()

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute: an argument of a built-in layer counts from then on.

        One that has the name of a weight stands for this in the present run.
        """
        own = self.__dict__
        if name in own.get("_arguments", ()) and not hasattr(type(self), name):
            self._take(name, value)
        elif name == "activity_regularizer" and "pair" in own:
            own[name] = regularizers.get(value)
            self.pair = self.make_pair()
            if self.built and type(self).builder and value is not None:
                self._state = {**self._state, combinators.PENALTY: jnp.zeros(())}
        elif not (own.get("built") and type(self).builder and self._stand_in(name, value)):
            super().__setattr__(name, value)

    def _stand_in(self, name: str, value: Any) -> bool:
        """Let an array stand for the weight of that name in the present run, if there are both."""
        flow, wanted = current_flow(), WEIGHT_NAMES.get(name, name)
        if flow is None:
            return False
        params, state = self.own_variables()
        if wanted in params:
            flow.bound[self] = ({**params, wanted: jnp.asarray(value)}, state)
        return wanted in params

    # What follows from the pair

    def make_pair(self) -> Pair:
        """The pair of this layer's arguments."""
        build = type(self).builder
        if build is None:
            return custom_pair(self) if hasattr(self, "call") else combinators.serial()
        self._parts = {}
        try:
            build, given = self._building()
            pair = build(**{name: self._passed(name, value) for name, value in given.items()})
        except (TypeError, ValueError) as error:
            error.add_note(f"in layer {self.name!r} ({type(self).__name__})")
            raise
        variable_dtype, compute_dtype = dtypes_of(self.dtype_policy)
        takes = gives = self.autocast
        if type(self).spelling in CODING:
            told = CODING[type(self).spelling]
            takes, gives = False, told is not None
            compute_dtype = variable_dtype if told == "variable" else compute_dtype
        if variable_dtype != config.floatx():
            pair = _with_variable_dtype(pair, variable_dtype)
        if self.own_weights or self._overrides("call", "build", "compute_mask", *self.inside_call):
            self.inherited = pair
            pair = overridden(self, pair)
        modern = self.dialect == "modern"
        if self.casts:
            written = modern and (self.inherited is not None or self.is_function)
            pair = combinators.cast(
                pair, compute_dtype, inputs=takes, outputs=gives and not written
            )
        elif modern and takes:
            pair = combinators.autocast(pair, compute_dtype)
        if self.activity_regularizer is not None:
            per_sample = self.dialect == "modern"
            pair = combinators.penalized(pair, self.activity_regularizer, per_sample)
        return pair

    def _overrides(self, *methods: str) -> bool:
        """Whether a subclass of a built-in layer has one of these methods of its own."""
        base = next(cls for cls in type(self).__mro__ if "builder" in vars(cls))
        found = ((getattr(kind, name, None) for kind in (type(self), base)) for name in methods)
        return any(own is not inherited for own, inherited in found)

    @property
    def functional(self) -> Pair:
        """This layer as a pure pair, under its name, frozen if it is not trainable."""
        pair = combinators.remat(self.pair) if self.remat else self.pair
        current = distribution.distribution()
        if current is not None and (layout := current.get_tensor_layout(self.path_of("output"))):
            pair = combinators.laid_out(pair, layout)
        modern = self.dialect == "modern"
        if not self.trainable and (not modern or type(self).spelling in RESTING):
            pair = combinators.frozen(pair, inference=modern)
        return combinators.named(pair, self.name)

    # Variables

    def build(self, input_shape: Any = None, *others: Any, **named: Any) -> None:
        """Make the variables for inputs of that shape; once built it only checks.

        Several inputs have a list of shapes, or each its own argument, as in Keras 3.
        """
        given = (input_shape, *others, *(named[word] for word in named if word.endswith("_shape")))
        shapes = [shape for shape in given if shape is not None]
        if not shapes:
            raise TypeError(f"build of layer {self.name!r} needs the shape of its input")
        input_shape = freeze_shape(shapes if len(shapes) > 1 else shapes[0])
        if self.built or (type(self).builder is None and hasattr(self, "call")):
            return
        try:
            with self.within_makers():
                params, state = self._draw(input_shape)
            self.input_shape = input_shape
            self.output_shape = output_shape(self.inherited or self.pair, input_shape)
        except Exception as error:
            error.add_note(f"while building layer {self.name!r} for inputs of shape {input_shape}")
            raise
        with jax.ensure_compile_time_eval():  # also while a layer around this one is traced
            self._params = jax.tree.map(jnp.asarray, params)
            self._state = jax.tree.map(jnp.asarray, state)
        self._finish()

    def _draw(self, input_shape: Any) -> tuple[Params, State]:
        """Initial variables for inputs of that shape."""
        own = self._build_inside(self.pair.weights(input_shape))
        return draw_variables(own, lambda index: initializers.NumpySource())

    def _finish(self) -> None:
        self.built = True
        self.lay_out()
        note_change()
        if self._initial_weights is not None:
            self.set_weights(self._initial_weights)
            self._initial_weights = None

    def ensure_built(self, input_shape: Any) -> None:
        """Make the variables once, by `build`, also by one that a subclass wrote."""
        if type(self).builder is not None or not hasattr(self, "call"):
            if self.built and self.input_shape is not None:
                return
            if not self.built:
                own = self._overrides("build") if type(self).builder else False
                made_once = (jax.ensure_compile_time_eval(), outside()) if own else ()
                with ExitStack() as stack:
                    for context in (*made_once, self.within_makers()):
                        stack.enter_context(context)
                    self.build(joined(input_shape))
            if self.input_shape is None:  # a subclass has made all weights itself
                self.builds_alone = True
                self.input_shape = freeze_shape(joined(input_shape))
                self._finish()
            if self.inherited is not None and not is_cell(self):
                self.output_shape = output_shape(self.pair, input_shape)
        elif self.input_shape is None:
            self.input_shape = freeze_shape(input_shape)
            try:
                if not self.was_built:
                    self._build_as_written()
                if not is_cell(self):
                    with self.within_makers():
                        found = discover(self, self.input_shape)
                    self.output_shape = jax.tree.map(lambda y: y.shape, found)
            except Exception as error:
                self.input_shape = None
                error.add_note(f"while building layer {self.name!r} for shape {input_shape}")
                raise
            self._state |= {place: jnp.zeros(()) for place in self._places()}
            self._finish()

    def _build_as_written(self) -> None:
        """Run the `build` of a user's class."""
        self.was_built = True
        try:
            with jax.ensure_compile_time_eval(), outside(), self.within_makers():
                told = shapes_to_build(self, self.input_shape)
                self.build(*told.values()) if len(told) == 1 else self.build(**told)
        except BaseException:
            self.was_built = False
            raise

    # Calling and describing

    def __call__(
        self, *inputs: Any, mask: Any = None, training: bool | None = None, **named: Any
    ) -> Any:
        """Run the layer on arrays, or record it where an input is symbolic; builds it first.

        Args:
            inputs, named: the input, and further ones (`value`, `key`, `initial_state`); what the
                `call` of a user's layer takes.
            mask: which time steps count; left out, it is the one that comes along with the inputs.
            training: run as in training; at inference if left out, or as the model runs.
        """
        try:
            if self._has_own_call():
                inputs, named = (written_inputs(self, inputs, named),), {}
            inputs = first_by_name(self.name, inputs, named)
            return self._run(*inputs, mask=mask, training=training, **named)
        except Exception as error:
            shorten(error)
            raise

    def _run(
        self,
        x: Any,
        *others: Any,
        mask: Any = None,
        training: bool | None = None,
        **named: Any,
    ) -> Any:
        """What a call does, with the first input told from others."""
        x = joined_inputs(self.name, x, others, named)
        if symbolic.graphs_are_built():
            x = jax.tree.map(lambda own: symbol(own) if isinstance(own, Variable) else own, x)
        if not symbolic.is_symbolic(x):
            x = jax.tree.map(jnp.asarray, x)
        self.assert_input_compatibility(first_of(x))
        self.called_dtypes = jax.tree.map(lambda a: str(a.dtype), x)
        self.ensure_built(symbolic.shapes_of(x))
        if symbolic.is_symbolic(x):
            x = x if mask is None else symbolic.masked(x, mask)
            y = symbolic.record(self, x, training)
            self._note_call(jax.tree.leaves(y)[0].call)
            return as_list(y)
        flow = current_flow()
        if flow is not None:
            training = flow.training if training is None else training
            key = flow.next_key() if flow.key is not None else None
        else:
            key = _host_key() if training else None
        mask = masks_among(x) if mask is None else jax.tree.map(jnp.asarray, mask)
        run = partial(self.functional.run, self.params, self.state, x, mask=mask)
        with nullcontext({}) if flow is not None else noting() as noted:
            y, state, goes_on = run(training=bool(training), key=key)
        if DRAWS in noted:  # by user code that draws at inference too
            y, state, goes_on = run(training=bool(training), key=_host_key())
        attach(y, masks_that_go_on(y, goes_on))
        if training or self.keeps_states:
            self.adopt(self.params, state)
        return y

    def symbolic_call(self, *inputs: Any, **named: Any) -> Any:
        """The symbolic tensors that the layer makes of others; calling it does the same."""
        return self(*inputs, **named)

    def _has_own_call(self) -> bool:
        """Whether a user wrote its `call`."""
        return hasattr(self, "call") if type(self).builder is None else self._overrides("call")

    def _called_with(self, inputs: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """What it is called with, as its pair takes it."""
        if self._has_own_call():
            return written_inputs(self, inputs, named)
        x, *others = first_by_name(self.name, inputs, named)
        return joined_inputs(self.name, x, others, named)

    @spellings.spelled
    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask that goes on, for inputs and the mask that comes with them."""
        if not self.supports_masking or type(self).builder is None:
            return super().compute_mask(inputs, mask)
        self.ensure_built(symbolic.shapes_of(as_tuple(inputs)))
        pair, params, state = self.inherited or self.pair, self.params, self.state

        def after(x: Any, mask: Any) -> Any:
            if pair.runner is None:
                return pair.mask(x, mask)
            return pair.run(params, state, x, mask=mask, training=False, key=None)[2]

        return symbolic.apply(after, as_tuple(inputs), as_tuple(mask), name="mask")

    def compute_output_spec(self, *inputs: Any, **named: Any) -> Any:
        """Tensors of the shapes and dtypes that a call would give, as parts of no graph."""
        x = self._called_with(inputs, named)
        dtypes = jax.tree.map(lambda a: str(a.dtype), x)
        self.called_dtypes = dtypes
        self.ensure_built(symbolic.shapes_of(x))
        specs = output_specs(self.pair, symbolic.shapes_of(x), dtypes)
        name = f"{self.name}_output"
        return as_list(jax.tree.map(lambda y: SymbolicTensor(y.shape, y.dtype, name=name), specs))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Shape of the output for that input, or a list of those of several outputs."""
        return as_users_see(output_shape(self.pair, input_shape))

    get_output_shape_for = compute_output_shape

    def quantize(
        self, mode: str | None = None, config: Any = None, *, type_check: bool = True
    ) -> None:
        """Have kernels in eight bits: of `Dense`, `EinsumDense` and embeddings."""
        raise NotImplementedError(f"{type(self).__name__} {self.name!r} is not quantized")

    def get_config(self) -> Config:
        """The arguments that make an equal layer, as plain data."""
        described: Config = {"name": self.name, "trainable": self.trainable}
        if self.casts or self.dtype_policy != "float32":
            policy = self.dtype_policy
            described["dtype"] = policy.name if isinstance(policy, DTypePolicy) else policy
        if self.batch_shape is not None:
            described["batch_input_shape"] = self.batch_shape
        if self.input_dtype is not None:
            described["input_dtype"] = self.input_dtype
        if self.activity_regularizer is not None:
            described["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        return {**described, **self._described_arguments()}

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> "Layer":
        """The layer that `get_config` described, in any generation's spelling.

        `custom_objects` are names that it may hold, of classes and functions.
        """
        with custom_object_scope(custom_objects):
            return cls(**config)

    def __getattr__(self, name: str) -> Any:
        arguments = self.__dict__.get("_arguments", {})
        if name in arguments:
            return arguments[name]
        if self.__dict__.get("built"):
            wanted = WEIGHT_NAMES.get(name, name)
            for variable in self.weights:
                if variable.name.partition("/")[2] == wanted:
                    return variable
        for new in spellings.RENAMED.get(name, ()):
            if new in arguments:
                return arguments[new]
        if name in MODERN and "_variables" in self.__dict__:
            return MODERN[name](self)
        if isinstance(asked := getattr(type(self), name, None), property) and asked.fget:
            return asked.fget(self)  # which has failed: its own message says why
        raise AttributeError(f"layer of class {type(self).__name__} has no attribute {name!r}")

    def __repr__(self) -> str:
        arguments = ", ".join(
            f"{name}={value!r}" for name, value in self.get_config().items() if value is not None
        )
        return f"{type(self).__name__}({arguments})"

    def __reduce__(self) -> Any:
        weights = (self.input_shape, self.kept_arrays()) if self.built else None
        return _restore, (type(self), self.get_config(), weights)


def _host_key() -> Key:
    """A key that follows from NumPy's global generator."""
    return jax.random.key(np.random.randint(1 << 31))


RESTING = ("BatchNormalization",)
"""Layers that run as at inference where they are not trainable, since tf.keras 2."""

CODING = {
    **dict.fromkeys(("CategoryEncoding", "HashedCrossing", "Hashing"), "variable"),
    **dict.fromkeys(("IntegerLookup", "StringLookup", "TextVectorization"), None),
    "Discretization": "compute",
}
"""Layers whose inputs no policy casts, or other numbers were told from each other → which of its
dtypes their ones and counts have; None for their own.
"""


def _restore(cls: type[Layer], config: Config, built: tuple[Shape, Any] | None) -> Layer:
    layer = cls.from_config(config)
    if built is not None:
        layer.build(built[0])
        layer.keep_arrays(built[1])
    return layer


def _with_variable_dtype(pair: Pair, dtype: str) -> Pair:
    def weights(input_shape: Any) -> Iterator[Weight]:
        for weight in pair.weights(input_shape):
            yield weight if weight.dtype else weight._replace(dtype=dtype)

    return pair.changed(weights=weights)
