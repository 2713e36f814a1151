"""What a layer stores of itself in files, and how it is built from them: Keras 3's hooks."""

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, ClassVar

from funkeras.functional.pair import Weight
from funkeras.layers.calling import CELL, shapes_to_build
from funkeras.typing import Config
from funkeras.variables import Variable

__all__ = ["Storing"]


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
        for index, variable in enumerate(self._own_listed()):
            store[str(index)] = variable.numpy()

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Assign what `save_own_variables` has stored: override it together with that.

        Raises:
            ValueError: for another number of arrays.
        """
        own = self._own_listed()
        if len(store) != len(own):
            raise ValueError(
                f"layer {self.name!r} has {len(own)} variables of its own "
                f"({', '.join(variable.place for variable in own)}), got {len(store)}"
            )
        for index, variable in enumerate(own):
            variable.assign(store[str(index)])

    def _own_listed(self) -> list[Variable]:
        if getattr(type(self).builder, "keras_name", None) in CELL:
            return []
        declared = [weight for weight in self.declared_weights() if "/" not in weight.name]
        ordered = sorted(declared, key=lambda weight: not weight.trainable)
        return [self._variable(own.name, own.shape, own.trainable) for own in ordered]

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
