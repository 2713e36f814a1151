"""Vectors for TensorBoard's projector: a table of each layer's, and the file that names them."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from funkeras.tracing import evaluate

__all__ = ["Projector"]


class Projector:
    """Writes what layers make of some data, or the rows of embeddings, as tables.

    Args:
        folder: where the projector looks.
        names: of the layers; all embeddings if left out.
        metadata: the file with a label for each row, or one for each layer by name.
        data: what the model is given; without it the vectors are those that embeddings hold.
        batch_size: how many rows of it at a time; 32 if left out.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        names: Sequence[str] | None,
        metadata: str | Mapping[str, str] | None,
        data: Any,
        batch_size: int | None = None,
    ) -> None:
        self.folder = Path(folder)
        self.names = names
        self.metadata = metadata
        self.data = data
        self.batch_size = batch_size or 32

    def begin(self, model: Any) -> None:
        """Write the file that names the tables.

        Raises:
            ValueError: if the model has no such layer.
        """
        named = self.names or [
            layer.name for layer in model.layers if type(layer).__name__ == "Embedding"
        ]
        if not named:
            raise ValueError(f"{model.name!r} has no Embedding: give embeddings_layer_names")
        self.layers = [model.get_layer(name) for name in named]
        entries = []
        for layer in self.layers:
            label = self.metadata
            if isinstance(label, Mapping):
                label = label.get(layer.name)
            lines = [f'tensor_name: "{layer.name}"', f'tensor_path: "{layer.name}.tsv"']
            lines += [f'metadata_path: "{label}"'] if label else []
            entries.append("embeddings {\n  " + "\n  ".join(lines) + "\n}\n")
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "projector_config.pbtxt").write_text("".join(entries))

    def write(self, model: Any) -> None:
        """Write the vectors of the moment."""
        if self.data is None:
            found = [layer.get_weights()[0] for layer in self.layers]
        else:
            found = self._outputs(model.inputs)
        for layer, vectors in zip(self.layers, found, strict=True):
            rows = np.reshape(vectors, (len(vectors), -1))
            np.savetxt(self.folder / f"{layer.name}.tsv", rows, fmt="%.6g", delimiter="\t")

    def _outputs(self, inputs: Sequence[Any]) -> list[np.ndarray]:
        """What the layers give for the data, some rows at a time."""
        arrays = self.data if isinstance(self.data, list | tuple) else [self.data]
        tensors = [layer.output for layer in self.layers]
        parts = []
        for start in range(0, len(arrays[0]), self.batch_size):
            rows = slice(start, start + self.batch_size)
            given = {own: jnp.asarray(a[rows]) for own, a in zip(inputs, arrays, strict=True)}
            parts.append(evaluate(tensors, given))
        return [np.concatenate(column) for column in zip(*parts, strict=True)]
