"""`Input` and `InputLayer`: the place where data enters a model."""

from typing import Any

from funkeras import config, spellings
from funkeras.functional.pair import freeze_shape
from funkeras.layers.layer import automatic_name
from funkeras.symbolic import SymbolicTensor

__all__ = ["Input", "InputLayer"]


def Input(*args: Any, **kwargs: Any) -> SymbolicTensor:  # noqa: N802
    """A symbolic tensor: `Input(shape=(784,))`, the batch left out, or `Input(batch_shape=…)`.

    >>> Input(shape=(784,)).shape
    (None, 784)
    """
    accepted = ("shape", "batch_size", "dtype", "sparse", "batch_shape", "name")
    given = spellings.translate("Input", accepted, args, kwargs)
    return symbolic_input("Input", given)


def symbolic_input(owner: str, given: dict[str, Any]) -> SymbolicTensor:
    """The symbolic tensor that arguments of `Input` or `InputLayer` describe."""
    shape = given.get("batch_shape")
    if shape is None:
        if given.get("shape") is None:
            raise TypeError(f"{owner}() needs shape=, without the batch, or batch_shape=")
        inner = given["shape"]
        shape = (given.get("batch_size"), *(inner if hasattr(inner, "__iter__") else (inner,)))
    dtype = given.get("dtype") or config.floatx()
    return SymbolicTensor(freeze_shape(shape), dtype, given.get("name") or automatic_name("Input"))


class InputLayer:
    """The entry of a model as a layer: `InputLayer(input_shape=(784,))`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        accepted = ("input_shape", "batch_size", "dtype", "name", "batch_shape", "shape", "sparse")
        given = spellings.translate("InputLayer", accepted, args, kwargs)
        given["shape"] = given.pop("input_shape", None) or given.get("shape")
        self.tensor = symbolic_input("InputLayer", given)
        self.name = self.tensor.name

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal layer."""
        return {
            "batch_input_shape": self.tensor.shape,
            "dtype": self.tensor.dtype,
            "name": self.name,
        }
