"""`Body`: what a model with a `call` of its own consists of, once it knows its inputs."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from funkeras import config
from funkeras.functional.masks import masks_of, nested_masks
from funkeras.functional.pair import Pair, output_specs
from funkeras.functional.shapes import STRING, freeze_shape, is_shape
from funkeras.layers.calling import as_tuple, run_as_written
from funkeras.layers.custom import custom_pair
from funkeras.layers.input import InputLayer
from funkeras.layers.inside import bind, collected
from funkeras.layers.layer import Layer
from funkeras.layers.options import automatic_name
from funkeras.symbolic import SymbolicTensor, record
from funkeras.typing import Config, Key, Params, PyTree, State
from funkeras.variables import Flow, running

__all__ = ["AroundGraph", "Body", "call_around", "described_inputs"]


class Body:
    """Inputs, outputs and layers of a model that its `call` makes, as `Structure` of a graph.

    Fields:
        inputs: symbolic tensors, in the order of leaves; outputs: nested as `call` gives them.
    """

    def __init__(self, model: Any, shapes: PyTree) -> None:
        self.model = model
        shapes = freeze_shape(shapes)
        leaves, self.form = jax.tree.flatten(shapes, is_leaf=is_shape)
        kinds = jax.tree.leaves(model.called_dtypes) or [config.floatx()] * len(leaves)
        names = list(shapes) if isinstance(shapes, Mapping) else [None] * len(leaves)
        entries = [
            InputLayer(batch_shape=shape, dtype=dtype, name=name or automatic_name("Input"))
            for shape, dtype, name in zip(leaves, kinds, sorted(names, key=str), strict=True)
        ]
        self.inputs: list[SymbolicTensor] = [entry.tensor for entry in entries]
        self.input_names = [entry.name for entry in entries]
        self.given = jax.tree.unflatten(self.form, self.inputs)
        model.called_dtypes = jax.tree.map(lambda tensor: tensor.dtype, self.given)
        self.inner = custom_pair(model)
        self.outputs: PyTree = None

    def connect(self) -> None:
        """Find the outputs: `call` runs on stand-ins, which builds the layers that it calls."""
        callee = _Whole(self.model.name, self.inner)
        self.outputs = record(callee, self.given)
        flat = jax.tree.leaves(self.outputs)
        named = isinstance(self.outputs, Mapping)
        self.output_names = (
            sorted(self.outputs) if named else [f"output_{i + 1}" for i in range(len(flat))]
        )
        self.output_shapes = [tensor.shape for tensor in flat]

    @property
    def layers(self) -> list[Layer]:
        """The layers that are attributes of the model."""
        return self.model.inner_layers

    def pair(self) -> Pair:
        """What `call` does, with the inputs as a model gets them: one, or a tuple of leaves."""

        def nested(x: PyTree) -> PyTree:
            return jax.tree.unflatten(self.form, jax.tree.leaves(x))

        def run(
            params: Params, state: State, x: PyTree, *, mask: PyTree, **flow: Any
        ) -> tuple[PyTree, State, PyTree]:
            masks = nested_masks(self.form, masks_of(jax.tree.leaves(x), mask))
            return self.inner.run(params, state, nested(x), mask=masks, **flow)

        def specs(input_shape: PyTree, dtypes: PyTree) -> PyTree:
            shapes = jax.tree.leaves(input_shape, is_leaf=is_shape)
            return output_specs(self.inner, jax.tree.unflatten(self.form, shapes), nested(dtypes))

        return self.inner.rerun(run, specs=specs)

    def get_config(self, name: str) -> Config:
        """Only the model's author can say what makes it again, unless nothing does but options.

        Raises:
            NotImplementedError: if its `__init__` takes more than these; it says what to write.
        """
        _, *taken = inspect.signature(type(self.model).__init__).parameters.values()
        if [own.kind for own in taken] == [inspect.Parameter.VAR_KEYWORD]:
            return {"name": name, "trainable": self.model.trainable}
        raise NotImplementedError(
            f"model {name!r} ({type(self.model).__name__}) has a call of its own: write its "
            "get_config (and from_config), or save its weights alone with save_weights"
        )


class AroundGraph:
    """A run of the `call` that a subclass wrote around the graph of a model.

    Fields:
        state: the variables' state, after each run of the graph the next.
        mask: what goes on with the graph's outputs.
    """

    def __init__(self, graph: Pair, flow: Flow, params: Params, state: State) -> None:
        self.graph, self.flow, self.params, self.state = graph, flow, params, state
        self.mask: PyTree = None
        self.ran = False

    @staticmethod
    def of(model: Any) -> tuple[str, int]:
        """Under which name a run stands in the flow."""
        return "around the graph", id(model)

    def run(self, x: PyTree, training: bool | None, mask: PyTree) -> PyTree:
        """What the graph gives."""
        flow = self.flow
        training = flow.training if training is None else bool(training)
        key = flow.next_key() if flow.key is not None else None
        options = {"training": training, "key": key, "mask": as_tuple(mask)}
        y, self.state, self.mask = self.graph.run(self.params, self.state, as_tuple(x), **options)
        self.ran = True
        return y


def call_around(model: Any, graph: Pair) -> Pair:
    """The pair of a model of that graph whose subclass has a `call`, which may run the graph."""

    def run(
        params: Params, state: State, x: PyTree, *, training: bool, key: Key | None, mask: PyTree
    ) -> tuple[PyTree, State, PyTree]:
        with running(training, key) as flow:
            bind(flow, model, params, state)
            flow.bound[AroundGraph.of(model)] = around = AroundGraph(graph, flow, params, state)
            y = run_as_written(model, x, mask, training)
            after = around.state if around.ran else {**state, **collected(model)[1]}
        return y, after, around.mask

    return graph.rerun(run, shape=None)


class _Whole:
    """The body of a model as something to call on symbolic tensors."""

    def __init__(self, name: str, pair: Pair) -> None:
        self.name = name
        self.pair = self.functional = pair


def described_inputs(x: Any, arrays: Sequence[Any]) -> tuple[PyTree, PyTree]:
    """Shapes, with any number of rows, and dtypes of a model's inputs, nested as `x` is.

    Whole numbers of 32 or 64 bits stay what they are: words, classes; others, as of pictures,
    become floats. Strings are such.
    """
    shapes = [(None, *array.shape[1:]) for array in arrays]
    kinds = [np.dtype(array.dtype) for array in arrays]
    dtypes = [
        STRING
        if kind.kind in "OUS"
        else "int32"
        if kind.kind in "iu" and kind.itemsize >= 4
        else config.floatx()
        for kind in kinds
    ]
    if isinstance(x, Mapping):
        names = sorted(x)
        return dict(zip(names, shapes, strict=True)), dict(zip(names, dtypes, strict=True))
    if len(arrays) == 1:
        return shapes[0], dtypes[0]
    return tuple(shapes), tuple(dtypes)
