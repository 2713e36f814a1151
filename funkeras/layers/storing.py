"""What a layer stores of itself in files, and how it is built from them: Keras 3's hooks."""

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np

from funkeras.functional.low_rank import changed, factors
from funkeras.functional.pair import Weight
from funkeras.functional.quantization import SCALE
from funkeras.functional.quantized import spread, whole_numbers
from funkeras.layers.calling import CELL, shapes_to_build
from funkeras.typing import Config
from funkeras.variables import Variable

__all__ = ["Storing", "array_of", "stored", "stored_arrays", "unchanging"]


def stored(weights: Iterable[Weight]) -> list[Weight]:
    """Of weights those that Keras 3's files have: kernels whole, and no factors that adapt them.

    Before the others is a kernel of eight bits.
    """
    listed = list(weights)
    adapted = [weight.name for weight in listed if weight.adapted is not None]
    factored = {factor for kernel in adapted for factor in factors(kernel)}
    few = (own.name for own in listed if own.dtype == "int8" and own.channels is not None)
    first = next(few, None)
    kept = (weight for weight in listed if weight.name not in factored)
    return sorted(kept, key=lambda weight: weight.name != first)


def unchanging(weights: Iterable[Weight]) -> dict[str, np.ndarray]:
    """Names and values of factors of no change, beside kernels that a file has whole."""
    shapes = {weight.name: weight for weight in weights}
    adapted = [name for name, weight in shapes.items() if weight.adapted is not None]
    return {b: np.zeros(shapes[b].shape, "float32") for _, b in map(factors, adapted)}


def array_of(owner: Any, weight: Weight) -> np.ndarray:
    """The array of a weight."""
    return Variable.of(owner, weight.name, weight.shape, weight.trainable).numpy()


def stored_arrays(owner: Any, weights: Iterable[Weight]) -> list[np.ndarray]:
    """The arrays of weights, kernels with what adapts them, in eight bits if they are so."""
    listed = list(weights)
    arrays = {weight.name: array_of(owner, weight) for weight in listed}
    for weight in listed:
        if weight.adapted is None:
            continue
        name, kernel = weight.name, arrays[weight.name]
        few = weight.channels if weight.dtype == "int8" else None
        declared = {own.name: own for own in owner.declared_weights()}
        a, b = (jnp.asarray(array_of(owner, declared[own])) for own in factors(name))
        if few is not None:
            kernel = kernel / spread(arrays[f"{name}{SCALE}"], few, kernel.ndim)
        whole = changed(jnp.asarray(kernel, a.dtype), a, b, weight.adapted)
        arrays[name] = np.asarray(whole, kernel.dtype)
        if few is not None:
            arrays[name], arrays[f"{name}{SCALE}"] = whole_numbers(arrays[name], few)
    return [arrays[weight.name] for weight in listed]


class Storing:
    """Methods that users override to store in `.keras` and `.weights.h5` files in their own way.

    A user's layer may also have `save_assets(folder)` and `load_assets(folder)`, which write and
    read files of its own in a `.keras` archive.
    """

    builder: ClassVar[Any]
    name: str
    built: bool
    input_shape: Any
    build: Callable[..., None]
    declared_weights: Callable[[], list[Weight]]
    _variable: Callable[..., Variable]

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Put the arrays of the layer itself into a dict: override it to store others.

        By `"0"`, `"1"`, …, trainable ones first. Those of layers inside are stored by these.
        """
        for index, array in enumerate(stored_arrays(self, self._own_listed())):
            store[str(index)] = array

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Assign what `save_own_variables` has stored: override it together with that.

        Raises:
            ValueError: for another number of arrays.
        """
        own = self._own_listed()
        if len(store) != len(own):
            raise ValueError(
                f"layer {self.name!r} has {len(own)} variables of its own "
                f"({', '.join(weight.name for weight in own)}), got {len(store)}"
            )
        values = {weight.name: store[str(index)] for index, weight in enumerate(own)}
        declared = {weight.name: weight for weight in self.declared_weights()}
        for name, value in (values | unchanging(declared.values())).items():
            own_weight = declared[name]
            self._variable(name, own_weight.shape, own_weight.trainable).assign(value)

    def _own_listed(self) -> list[Weight]:
        if getattr(type(self).builder, "keras_name", None) in CELL:
            return []
        declared = [weight for weight in self.declared_weights() if "/" not in weight.name]
        return stored(sorted(declared, key=lambda weight: not weight.listed_first))

    def get_build_config(self) -> Config | None:
        """What `build_from_config` takes: the shapes of inputs. Override it to tell more."""
        if not self.built:
            return None
        told = shapes_to_build(self, self.input_shape)
        return told if "input_shape" in told else {"shapes_dict": told}

    def build_from_config(self, config: Mapping[str, Any]) -> None:
        """Make the variables from what `get_build_config` told, before a file's are loaded."""
        if config.get("input_shape") is not None:
            self.build(config["input_shape"])
        elif config.get("shapes_dict"):
            self.build(**config["shapes_dict"])
