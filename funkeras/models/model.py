"""`Model`: layers with their variables, and compile, fit, evaluate and predict on pure programs."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from funkeras import config
from funkeras.layers.layer import Layer
from funkeras.models import saving, state_trees, summary
from funkeras.models.structure import layer_from_entry, structure_from_config
from funkeras.models.training import Training
from funkeras.registry import custom_object_scope
from funkeras.utils.messages import say

__all__ = ["Model"]


class Model(Training):
    """A graph of layers, or the base of other kinds of models, with what trains it.

    `Model(inputs, outputs)` holds the layers between symbolic tensors. It is a layer too: models
    can be called, shared and nested like layers.

    Args:
        inputs, outputs: a symbolic tensor, or a list or dict of them.
        name: numbered by class when left out.

    Raises:
        ValueError: if the outputs do not follow from the inputs, or two layers share a name.
    """

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Callable[[str], Any] | None = None,
    ) -> None:
        """Print a table of layers, output shapes and parameter counts.

        `positions` of columns, of Keras 1 and 2, are accepted: they follow from what these hold.
        """
        (print_fn or say)(summary.table(self, line_length))

    @property
    def stateful(self) -> bool:
        """Whether a layer goes on in each batch where the one before it ended."""
        return self.keeps_states

    def get_config(self) -> Any:
        """Layers and the calls between them, as Keras 2 writes them."""
        return self._known().get_config(self.name)

    @classmethod
    def from_config(
        cls,
        config: Any,
        custom_objects: Mapping[str, Any] | None = None,
        make: Callable[[Mapping[str, Any]], Layer] | None = None,
    ) -> Any:
        """The model that the `get_config` of any Keras generation described.

        `make` turns the entry of a layer into the layer; by its class's `from_config` if left out.
        A model with a call of its own is made of the options that it describes.
        """
        with custom_object_scope(custom_objects):
            if cls.writes_call() and "layers" not in config:
                return cls(**config)
            inputs, outputs = structure_from_config(config, make or layer_from_entry)
            return cls(inputs, outputs, name=config.get("name"))

    def to_json(self, **options: Any) -> str:
        """The config as JSON; `options` are those of `json.dumps`."""
        return json.dumps(saving.described(self), default=saving.plain, **options)

    def to_yaml(self, **options: Any) -> str:
        """The config as YAML of plain data; needs PyYAML, whose `options` they are."""
        from funkeras import formats

        # Through JSON, where tuples are lists and functions are names.
        return formats.as_yaml(json.loads(self.to_json()), **options)

    def save(self, filepath: Any, overwrite: bool = True, include_optimizer: bool = True) -> None:
        """Write architecture, weights and training to a file: `.keras`, or HDF5 as Keras 2."""
        saving.save_model(self, filepath, overwrite, include_optimizer)

    def save_weights(
        self, filepath: Any, overwrite: bool = True, max_shard_size: float | None = None
    ) -> None:
        """Write the weights to an HDF5 file, wholly or not at all.

        In the layout of Keras 2, or of Keras 3 where the name ends with `.weights.h5`.

        Args:
            max_shard_size: gigabytes of each of several files; `filepath`, which ends with
                `.weights.json` then, tells which has what (Keras 3).
        """
        self._require_built("save_weights")
        saving.save_weights(self, filepath, overwrite, max_shard_size)

    def load_weights(
        self,
        filepath: Any,
        by_name: bool = False,
        skip_mismatch: bool = False,
        backend: str | None = None,
    ) -> None:
        """Read weights of any Keras; all are checked against the model before any is replaced.

        Args:
            by_name: match layers by name and leave the others; in order otherwise.
            skip_mismatch: leave layers that do not fit, with a warning.
            backend: what wrote the file, `theano` or `tensorflow`, where it does not tell.

        Raises:
            FileFormatError: for a damaged file, or one that does not fit.
        """
        self._require_built("load_weights")
        saving.load_weights(self, filepath, by_name, skip_mismatch, backend)

    def optimizer_weights(self) -> list[Any]:
        """The arrays of the optimizer's state."""
        from funkeras.models import optimizing

        self._require_built("get_weights of an optimizer")
        return optimizing.read_weights(self)

    def optimizer_variables(self) -> list[Any]:
        """The optimizer's state as variables, by the names of Keras 3; none before it begins."""
        from funkeras.models import optimizing

        return optimizing.Slots(self).variables() if self.built and self._has_begun() else []

    def set_optimizer_weights(self, weights: Sequence[Any]) -> None:
        """Let training go on from arrays that `optimizer_weights` gave."""
        from funkeras.models import optimizing

        self._require_built("set_weights of an optimizer")
        optimizing.write_weights(self, weights)

    def get_state_tree(self, value_format: str = "backend_tensor") -> dict[str, Any]:
        """The values of all variables in nested dicts, by kind and by path (Keras 3).

        Args:
            value_format: `backend_tensor` for JAX's arrays, or `numpy_array`.
        """
        self._require_built("get_state_tree")
        return state_trees.state_tree(self, value_format)

    def set_state_tree(self, state_tree: Mapping[str, Any]) -> None:
        """Give variables the values that they have in a tree like that of `get_state_tree`.

        Raises:
            ValueError: if it has a kind, a path or a shape that the model hasn't; nothing is
                changed then.
        """
        self._require_built("set_state_tree")
        state_trees.replaced(self, state_tree)

    def __reduce__(self) -> Any:
        if self._compiled is None or not self.built:
            return super().__reduce__()
        state = self.optimizer_weights() if self._has_begun() else None
        return _compiled_again, (*super().__reduce__(), self.optimizer, self._compiled, state)

    def _has_begun(self) -> bool:
        return self._engine is not None or self._optimizer_state is not None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}, {len(self.layers)} layers>"


CHOICES = ("loss", "metrics", "loss_weights", "weighted_metrics")


def _compiled_again(
    make: Callable[..., Any], made_of: Any, optimizer: Any, settings: Mapping[str, Any], state: Any
) -> Any:
    """A model that was pickled, compiled as it was; it trains on from the state."""
    model = make(*made_of)
    with config.using_dialect(settings["dialect"]):
        model.compile(optimizer, **{name: settings[name] for name in CHOICES})
    if state:
        model.set_optimizer_weights(state)
    return model
