"""Where a model begins and ends: its layers, inputs and outputs, names and shapes."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from funkeras import config, spellings, symbolic
from funkeras.callbacks import History
from funkeras.functional.combinators import PENALTY, REPORT, frozen, named, reporting
from funkeras.functional.pair import Pair
from funkeras.functional.shapes import STRING
from funkeras.layers.layer import Layer
from funkeras.layers.options import OPTIONS
from funkeras.models.checking import Entrance, as_column
from funkeras.models.counting import Trackers
from funkeras.models.engine import Engine
from funkeras.models.structure import Structure
from funkeras.models.ties import Ties, tied
from funkeras.models.written import AroundGraph, Body, call_around
from funkeras.spellings import spelled
from funkeras.symbolic import SymbolicTensor
from funkeras.tracing import Call, trace
from funkeras.typing import Params, Shape, State
from funkeras.variables import current_flow

__all__ = ["Ends"]


class Ends(Layer):
    """Layers between inputs and outputs, which make one pair."""

    spelling = "Model"
    _tied: Ties | None = None
    _formed: tuple[int, Any] = (-1, None)
    """A count of changes of how variables are nested, when it was last read, and how they were."""
    _outgrown = False
    """Whether the optimizer has a state that is of other weights than there are."""

    @spelled
    def __init__(
        self,
        inputs: Any = None,
        outputs: Any = None,
        name: str | None = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
    ) -> None:
        self._arguments = {}
        self._begin({**OPTIONS, "name": name, "dtype": dtype, "autocast": autocast})
        self._trainable = bool(trainable)
        self.stop_training = False
        self.history: History | None = None
        self.optimizer: Any = None
        self.loss: Any = None
        self._compiled: dict[str, Any] | None = None
        self._trackers: Trackers | None = None
        self._engine: Engine | None = None
        self._optimizer_state: Any = None
        self._made_for = config.dialect(), config.backend()
        self._settled: tuple[Pair, set[str]] | None = None
        self._judged: Any = None
        self._predict: Callable[..., Any] | None = None
        self._entered: Entrance | None = None
        self.mixes_rows = False
        """Whether what a row gives depends on the others in its batch, as `compile` found it."""
        self._gathered: tuple[int, Params, State] = (-1, {}, {})
        self._structure: Structure | Body | None = None
        self._params: Params = {}
        self._state: State = {}
        self._losses: list[SymbolicTensor] = []
        self._taken: list[Any] = []
        self._numbers: dict[str, SymbolicTensor] = {}
        self._told_names: list[Any] = []
        self._told_tensors: list[Any] = []
        if inputs is not None or outputs is not None:
            self._structure = Structure(inputs, outputs)

    # What a kind of model says

    def _known(self) -> Structure | Body:
        if self._structure is None:
            reason = "has no inputs and outputs: Model(inputs, outputs)"
            if self.is_written():
                reason = "does not know its inputs yet: call build(input_shape), or give it data"
            raise RuntimeError(f"{self.name!r} {reason}")
        return self._structure

    @classmethod
    def writes_call(cls) -> bool:
        """Whether a subclass says in its `call` what the model computes."""
        return cls.call is not Ends.call

    def is_written(self) -> bool:
        """Whether only the `call` of a subclass says it: there is no graph."""
        return self.writes_call() and not self._has_graph()

    def _has_own_call(self) -> bool:
        return self.is_written()

    def _has_graph(self) -> bool:
        return isinstance(self._structure, Structure)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """What the graph makes of inputs, for the `call` of a subclass."""
        flow = current_flow()
        around = None if flow is None else flow.bound.get(AroundGraph.of(self))
        if around is None:
            return self(inputs, training=training, mask=mask)
        return around.run(inputs, training, mask)

    @property
    def built(self) -> bool:
        """Whether the variables exist."""
        return self._is_known()

    def _is_known(self) -> bool:
        return self._structure is not None

    @built.setter
    def built(self, value: bool) -> None:
        """Assigned by the `build` of subclasses; what there is decides."""

    @property
    def layers(self) -> list[Layer]:
        """The layers, those furthest from the outputs first; of a subclass in their order there."""
        return self.inner_layers if self.is_written() else self._known().layers

    def _attributes(self) -> list[Any]:
        graph = self._structure is not None and not self.is_written()
        return self.layers if graph else super()._attributes()

    @property
    def pair(self) -> Pair:
        """The pure pair between inputs and outputs."""
        plain = self._plain_pair()
        if self._losses or self._numbers:
            y = self._known().outputs if self._structure else self.output
            plain = self.pair_between(self.fed, y)
        return call_around(self, plain) if self.writes_call() and self._has_graph() else plain

    def pair_between(self, inputs: Sequence[SymbolicTensor], outputs: Any) -> Pair:
        """The pure pair between tensors of its graph, which tells the losses that were added."""
        if not (self._losses or self._numbers):
            return trace(inputs, outputs).pair()
        told = (outputs, tuple(self._losses), tuple(self._numbers.values()))
        return reporting(trace(inputs, told).pair(), tuple(self._numbers))

    def _plain_pair(self) -> Pair:
        return self._known().pair()

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Add tensors, or numbers, to what training minimizes, each summed over its entries.

        They follow from the inputs of the model: `model.add_loss(K.mean(model.output ** 2))`.
        """
        if current_flow() is not None:  # within the call of a subclass
            super().add_loss(losses, inputs)
            return
        given = [
            symbolic.apply(partial(_constant, own), self.inputs[0], name="constant")
            if isinstance(own, int | float)
            else own
            for own in jax.tree.leaves(losses)
        ]
        tensors = self._told("add_loss", given)
        self._losses += tensors
        self._tell(PENALTY)

    def add_metric(
        self, value: Any, name: str | None = None, aggregation: str | None = "mean"
    ) -> None:
        """Show the mean of a tensor that follows from the inputs of the model beside the loss."""
        if current_flow() is not None:
            super().add_metric(value, name, aggregation)
            return
        if aggregation != "mean":
            raise ValueError(f"add_metric shows means: aggregation='mean', got {aggregation!r}")
        tensor = self._told("add_metric", [value])[0]
        name = name or tensor.name
        if name in self._numbers:
            raise ValueError(f"{self.name!r} has a metric {name!r} already")
        self._numbers[name] = tensor
        self._tell(PENALTY, f"{REPORT}{name}")

    def _told(self, what: str, tensors: list[Any]) -> list[SymbolicTensor]:
        for tensor in tensors:
            if not isinstance(tensor, SymbolicTensor):
                raise TypeError(
                    f"{what} of a model takes symbolic tensors that follow from its inputs; got "
                    f"{type(tensor).__name__}. A layer may call {what} within its call"
                )
        trace(self.inputs, tensors)  # says which other input they would need
        return tensors

    def _tell(self, *places: str) -> None:
        """Make room in the state for what the pair leaves there, and compile anew."""
        for place in places:
            self._state[place] = jnp.zeros(())
        self._changed_graph()

    def _changed_graph(self) -> None:
        """Forget the programs that were made for the graph as it was."""
        self._engine = None
        self._settled = None
        self._tied = None
        self._predict = None
        self._entered = None
        self._gathered = (-1, {}, {})

    @property
    def ties(self) -> Ties:
        """Paths of arrays that are those of other paths: it has some layers in several places."""
        raise NotImplementedError

    @property
    def functional(self) -> Pair:
        """This model as a pure pair, with the layers frozen that are not trainable."""
        return named(self.at_rest(self.pair), self.name)

    def at_rest(self, pair: Pair) -> Pair:
        """A pair of this model, frozen if it is not trainable: in Keras 1 and 2."""
        still = not self.trainable and self.dialect != "modern"
        pair = tied(pair, self.ties)
        return frozen(pair, inference=False) if still else pair

    @property
    def inputs(self) -> list[SymbolicTensor]:
        """The symbolic tensors that data enters by."""
        return self._known().inputs

    @property
    def fed(self) -> list[SymbolicTensor]:
        """The tensors that arrays enter by: the inputs, or what is looked up for their strings."""
        return getattr(self._known(), "fed", self.inputs)

    @property
    def outputs(self) -> list[SymbolicTensor]:
        """The symbolic tensors that come out."""
        return jax.tree.leaves(self._known().outputs)

    @outputs.setter
    def outputs(self, tensors: Sequence[SymbolicTensor]) -> None:
        """Let others between the inputs and the end come out: scripts cut the last layers off."""
        self._structure = Structure(self.inputs, list(tensors))
        self._changed_graph()

    @property
    def input(self) -> Any:
        """The input, or the list of them."""
        return self.inputs[0] if len(self.inputs) == 1 else self.inputs

    @property
    def output(self) -> Any:
        """The output, or the list of them, or the dict that the model was made with."""
        nested = getattr(self._structure, "outputs", None)
        if isinstance(nested, Mapping):
            return nested
        return self.outputs[0] if len(self.outputs) == 1 else self.outputs

    @property
    def input_shape(self) -> Any:
        """Shape of the input, or the list of them."""
        return self.input_shapes[0] if len(self.input_shapes) == 1 else self.input_shapes

    @property
    def output_shape(self) -> Any:
        """Shape of the output, or the list of them."""
        return self.output_shapes[0] if len(self.output_shapes) == 1 else self.output_shapes

    @property
    def batch_shape(self) -> Any:
        """Shape of the input, as the first layer of a chain tells it."""
        return self.input_shape if self.built else None

    @property
    def input_shapes(self) -> list[Shape]:
        """Shape of each input, the batch first."""
        return [tensor.shape for tensor in self.inputs]

    @property
    def input_names(self) -> list[str]:
        """Name of each input."""
        return self._known().input_names

    @property
    def input_keys(self) -> list[str]:
        """What a dict of data has for each input: the keys of the model's own, or their names."""
        return getattr(self._structure, "input_keys", None) or self.input_names

    def by_key(self, data: Any) -> Any:
        """A dict of data by the `input_keys`, where the layers' names stand for these too."""
        if not isinstance(data, Mapping) or all(key in data for key in self.input_keys):
            return data
        meant = dict(zip(self.input_names, self.input_keys, strict=True))
        return {meant.get(name, name): value for name, value in data.items()}

    @property
    def takes_strings(self) -> bool:
        """Whether an input is one of strings, which are looked up before the compiled step."""
        return any(tensor.dtype == STRING for tensor in self.inputs)

    def numbers_of(self, parts: Sequence[Any]) -> tuple[Any, ...]:
        """Arrays, or symbolic tensors, for `fed` from those of the inputs."""
        look_up = getattr(self._known(), "numbers_of", tuple)
        return look_up(parts)

    @property
    def input_dtypes(self) -> list[str]:
        """Dtype that each array is cast to which enters."""
        return [tensor.dtype for tensor in self.fed]

    @property
    def output_names(self) -> list[str]:
        """Name of each output: that of its layer."""
        return self._known().output_names

    @property
    def output_shapes(self) -> list[Shape]:
        """Shape of each output, the batch first."""
        return [tensor.shape for tensor in self.outputs]

    def get_output_at(self, node_index: int) -> Any:
        """What the model gave in one of its calls; before Keras 3 its own outputs come first."""
        return self.output if self._is_own(node_index) else super().get_output_at(node_index)

    def get_input_at(self, node_index: int) -> Any:
        """What the model got in one of its calls; before Keras 3 its own inputs come first."""
        return self.input if self._is_own(node_index) else super().get_input_at(node_index)

    def _is_own(self, node_index: int) -> bool:
        count = len(self._calls) + 1
        return self.dialect != "modern" and self.built and node_index in (0, -count)

    def _call_at(self, node_index: int) -> Call:
        shifted = self.dialect != "modern" and self.built and node_index > 0
        return super()._call_at(node_index - shifted)

    def build(self, input_shape: Any = None) -> None:
        """Make the variables, where they do not exist yet: of a subclass for such inputs."""
        if self.is_written() and not self.built and input_shape is not None:
            self._connect(input_shape)

    def _connect(self, shapes: Any) -> None:
        self._structure = body = Body(self, shapes)
        try:
            with self.within_makers():
                body.connect()
        except Exception as error:
            self._structure = None
            error.add_note(f"while building model {self.name!r} for inputs of shape {shapes}")
            raise
        self._state |= {place: jnp.zeros(()) for place in self._places()}
        self._changed_graph()

    def ensure_built(self, input_shape: Any) -> None:
        """Make the variables once, by `build`, also by one that a subclass wrote."""
        if not self.built:
            self.build(input_shape)
        if not self.built and self.is_written():
            self._connect(input_shape)

    def _run(self, x: Any, *others: Any, **named: Any) -> Any:
        """Run the model on arrays, or record it on symbolic tensors, as a layer is called.

        Inputs may also come in a dict by their names, and a single one in a list.
        """
        if not self.is_written():  # a subclass says in its `call` what it takes
            if isinstance(x, Mapping):
                x = self._by_input_name(x)
            if isinstance(x, list | tuple) and len(x) == 1 and not others:
                x = x[0]
            if self.built and self.takes_strings:
                x, others = self._as_numbers((x, *others)), ()
            if not others and self.dialect == "modern" and not symbolic.is_symbolic(x):
                x = self._as_inputs(x)
        return super()._run(x, *others, **named)

    def _as_inputs(self, x: Any) -> Any:
        """Arrays in the dtypes of the model's inputs, as Keras 3 takes them."""
        leaves, form = jax.tree.flatten(x)
        if not self.built or len(leaves) != len(self.input_dtypes):
            return x  # as it is built it will say what it takes
        columns = map(as_column, leaves, [tensor.shape for tensor in self.fed])
        cast = map(jnp.asarray, columns, self.input_dtypes)
        return jax.tree.unflatten(form, cast)

    def _as_numbers(self, x: Any) -> Any:
        """What a call gives with its strings looked up, if that is not done yet."""
        parts = x[0] if len(x) == 1 and len(self.inputs) > 1 else x
        recorded = symbolic.is_symbolic(parts)
        if not recorded:
            parts = [as_column(*both) for both in zip(parts, self.input_shapes, strict=True)]
        if not recorded or any(getattr(part, "dtype", "") == STRING for part in parts):
            parts = self.numbers_of(parts)
        return parts[0] if len(parts) == 1 else tuple(parts)

    def _by_input_name(self, given: Mapping[str, Any]) -> list[Any]:
        names, given = self.input_keys, self.by_key(given)
        if missing := [name for name in names if name not in given]:
            raise ValueError(
                f"model {self.name!r} has the inputs {names}; the call gives {list(given)}, "
                f"not {missing[0]!r}"
            )
        return [given[name] for name in names]

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by its name or its index."""
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise ValueError(f"{self.name!r} has {len(self.layers)} layers, asked for {index}")
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        names = [layer.name for layer in self.layers]
        raise ValueError(
            f"{self.name!r} has no layer {name!r}{spellings.nearest(str(name), names)}"
        )


def _constant(number: float, x: Any) -> Any:
    return jnp.asarray(number, x.dtype)
