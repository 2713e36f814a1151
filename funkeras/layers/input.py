"""`Input` and `InputLayer`: the place where data enters a model."""

from typing import Any

from funkeras import config, spellings
from funkeras.functional.pair import Pair, stateless
from funkeras.functional.shapes import freeze_shape
from funkeras.layers.layer import Layer
from funkeras.layers.nodes import Node
from funkeras.layers.options import automatic_name
from funkeras.symbolic import SymbolicTensor, symbol
from funkeras.typing import Config
from funkeras.variables import Variable

__all__ = ["Input", "InputLayer"]

ARGUMENTS = ("shape", "batch_size", "dtype", "sparse", "batch_shape", "name", "optional", "tensor")


def Input(*args: Any, **kwargs: Any) -> SymbolicTensor:  # noqa: N802
    """A symbolic tensor: `Input(shape=(784,))`, the batch left out, or `Input(batch_shape=…)`.

    `Input(tensor=…)` is that tensor, or the one that stands for a variable, as a model's input.

    >>> Input(shape=(784,)).shape
    (None, 784)
    """
    given = spellings.translate("Input", ARGUMENTS, args, kwargs)
    return InputLayer(**given).tensor


class InputLayer(Layer):
    """The entry of a model as a layer: `InputLayer(input_shape=(784,))`."""

    spelling = "InputLayer"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        accepted = ("input_shape", *ARGUMENTS[1:], "shape", "ragged", "input_tensor")
        given = spellings.translate("InputLayer", accepted, args, kwargs)
        entry = given.get("tensor", given.get("input_tensor"))
        if isinstance(entry, Variable):
            entry = symbol(entry)
        shape = given.get("batch_shape") if entry is None else entry.shape
        if shape is None:
            inner = given.get("input_shape", given.get("shape"))
            if inner is None:
                raise TypeError("an input needs shape=, without the batch, or batch_shape=")
            shape = (given.get("batch_size"), *(inner if hasattr(inner, "__iter__") else (inner,)))
        modern = config.dialect() == "modern"
        super().__init__(
            name=given.get("name") or automatic_name("InputLayer" if modern else "Input"),
            batch_shape=freeze_shape(shape),
            input_dtype=given.get("dtype") or config.floatx(),
        )
        dtype = str(given.get("dtype") or config.floatx())
        if entry is None:
            entry = SymbolicTensor(freeze_shape(shape), dtype, name=self.name, source=self)
        self.tensor = entry
        self.tensor.source = self.tensor.source or self
        self.build(self.tensor.shape)

    def make_pair(self) -> Pair:
        """What goes in comes out."""
        return stateless(lambda params, x: x)

    @property
    def output(self) -> SymbolicTensor:
        """The symbolic tensor."""
        return self.tensor

    @property
    def input(self) -> SymbolicTensor:
        """The symbolic tensor."""
        return self.tensor

    @property
    def inbound_nodes(self) -> list[Node]:
        """Where data enters, as the only call."""
        return [Node(self, self.tensor, self.tensor)]

    _inbound_nodes = inbound_nodes

    def get_output_at(self, node_index: int) -> SymbolicTensor:
        """The symbolic tensor."""
        return self.tensor

    get_input_at = get_output_at

    def get_config(self) -> Config:
        """The arguments that make an equal layer."""
        return {
            "batch_input_shape": self.batch_shape,
            "dtype": self.input_dtype,
            "name": self.name,
        }
