"""`TensorBoard`: the run as event files, which `tensorboard --logdir logs` shows."""

import os
import time
from contextlib import suppress
from typing import Any

import numpy as np

from funkeras import config
from funkeras.callbacks import events
from funkeras.callbacks.base import Callback, Logs
from funkeras.callbacks.projector import Projector
from funkeras.spellings import placed
from funkeras.utils.vis_utils import flows

__all__ = ["TensorBoard"]


KERAS_2 = (
    *("log_dir", "histogram_freq", "batch_size", "write_graph", "write_grads", "write_images"),
    *("embeddings_freq", "embeddings_layer_names", "embeddings_metadata", "embeddings_data"),
    "update_freq",
)
"""Positional order of Keras 2."""


class TensorBoard(Callback):
    """Writes logs, histograms and pictures of the weights for TensorBoard.

    The numbers of epochs go under the names of the logs in Keras 1 and 2; in Keras 3 those of
    training into the folder `train` and those of validation into `validation`, as `epoch_loss`.

    Args:
        log_dir: folder of the event files.
        histogram_freq: epochs between two histograms of all weights; 0 for none.
        write_graph: draw the model's layers and what flows between them.
        write_images: draw the weights when histograms are written.
        write_steps_per_second: speed, with the numbers of each epoch.
        update_freq: `"epoch"`; `"batch"` or a number of batches (of samples in Keras 2) writes in
            between too.
        embeddings_freq: epochs between two tables of vectors for the projector; 0 for none.
        embeddings_layer_names: whose vectors; by default those of all embeddings.
        embeddings_metadata: a file with labels in `log_dir`, or one for each layer by name.
        embeddings_data: what the layers' outputs are taken for; needed before Keras 3, which writes
            the rows of embeddings without it.
        batch_size: how many rows of that data at a time.
        write_grads, profile_batch: only the values that turn them off.
    """

    @placed(keras2=KERAS_2)
    def __init__(
        self,
        log_dir: str | os.PathLike[str] = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: str | int = "epoch",
        profile_batch: int | tuple[int, int] = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
        batch_size: int | None = None,
        write_grads: bool = False,
        embeddings_layer_names: Any = None,
        embeddings_data: Any = None,
    ) -> None:
        super().__init__()
        off = {
            "profile_batch": profile_batch,
            "write_grads": write_grads,
        }
        for name, value in off.items():
            if value:
                raise ValueError(f"TensorBoard cannot do {name}={value!r}; leave it out")
        freq = 1 if update_freq == "batch" else update_freq
        if freq != "epoch" and (not isinstance(freq, int) or freq < 1):
            raise ValueError(
                f'update_freq must be "epoch", "batch" or a number of batches; got {update_freq!r}'
            )
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = histogram_freq
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = update_freq
        self.every = freq
        self.modern = config.dialect() == "modern"
        if embeddings_freq and embeddings_data is None and not self.modern:
            raise ValueError("embeddings_freq needs embeddings_data, what the layers are shown")
        self.embeddings_freq = embeddings_freq
        self.projector = Projector(
            self.log_dir, embeddings_layer_names, embeddings_metadata, embeddings_data, batch_size
        )
        self.batches = 0
        self.samples = 0
        self.since = 0
        self._files: dict[str, events.EventFile] = {}
        if freq != "epoch":  # a batch hook only where it is needed: it slows the run
            self.on_train_batch_end = self._batch_ended

    def file(self, name: str) -> events.EventFile:
        """The event file of `train` or `validation`."""
        folder = name if self.modern else ""
        if folder not in self._files:
            self._files[folder] = events.EventFile(os.path.join(self.log_dir, folder))
        return self._files[folder]

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begin the files with the model's description."""
        self.began, self.began_at = time.perf_counter(), 0
        if self.embeddings_freq:
            self.projector.begin(self.model)
        if self.write_graph and self.model.built:
            file = self.file("train")
            file.graph(events.node(*row) for row in graph_of(self.model))
            with suppress(ValueError, NotImplementedError):  # a model may have no config
                described = self.model.to_json()
                file.summaries(0, [events.tensor_text("keras", described, "graph_keras_model")])

    def _batch_ended(self, batch: int, logs: Logs | None = None) -> None:
        logs = {k: v for k, v in (logs or {}).items() if k != "batch"}
        size = logs.pop("size", 1)
        self.batches += 1
        self.samples += size
        # Keras 2 counts samples, also between two writings.
        self.since += 1 if self.modern or self.update_freq == "batch" else size
        if self.since >= int(self.every):
            self.since = 0
            prefix, step = ("batch_", self.batches - 1) if self.modern else ("", self.samples)
            self._write("train", prefix, step, logs)

    def _write(self, name: str, prefix: str, step: int, logs: Logs) -> None:
        values = [
            events.scalar(prefix + tag, float(value))
            for tag, value in logs.items()
            if np.ndim(value) == 0
        ]
        self.file(name).summaries(step, values)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Note the time."""
        self.began, self.began_at = time.perf_counter(), self._iterations()

    def _iterations(self) -> int:
        return int(getattr(self.model.optimizer, "iterations", 0))

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write the epoch's numbers, and weights if it is time."""
        logs = dict(logs or {})
        if self.write_steps_per_second:
            took = max(time.perf_counter() - self.began, 1e-9)
            logs["steps_per_second"] = (self._iterations() - self.began_at) / took
        if not self.modern:
            step = epoch if self.every == "epoch" else self.samples
            self._write("train", "", step, logs)
        else:
            held = {k.removeprefix("val_"): v for k, v in logs.items() if k.startswith("val_")}
            own = {k: v for k, v in logs.items() if not k.startswith("val_")}
            self._write("train", "epoch_", epoch, own)
            if held:
                self._write("validation", "epoch_", epoch, held)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            self.projector.write(self.model)
        for file in self._files.values():
            file.flush()

    def _write_weights(self, epoch: int) -> None:
        values = []
        for layer in self.model.layers:
            for weight in layer.weights:
                tag = f"{layer.name}/{weight.name.rpartition('/')[2]}"
                array = np.asarray(weight.numpy(), "float64")
                values.append(events.histogram(f"{tag}/histogram", array))
                if self.write_images:
                    pictures = pictures_of(array)
                    values += [
                        events.image(f"{tag}/image/{index}" if len(pictures) > 1 else tag, picture)
                        for index, picture in enumerate(pictures)
                    ]
        self.file("train").summaries(epoch, values)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Close the files."""
        self.release()

    def release(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()
        self._files.clear()


def graph_of(model: Any) -> list[tuple[str, str, list[str]]]:
    """The boxes of a model's graph: name, class, and the names of those they take."""
    takes: dict[Any, list[str]] = {}
    for source, target, _ in flows(model):
        takes.setdefault(source, [])
        if target is not None and source.name not in takes.setdefault(target, []):
            takes[target].append(source.name)
    return [(box.name, type(box).__name__, names) for box, names in takes.items()]


MOST_PICTURES = 3


def pictures_of(array: np.ndarray) -> list[np.ndarray]:
    """An array as grey pictures (rows, columns, 1), from its least (black) to its largest entry.

    A vector is one row; a matrix is put on its long side; of kernels the first few are shown.
    """
    low, high = (array.min(), array.max()) if array.size else (0.0, 0.0)
    share = (array - low) / (high - low) if high > low else np.zeros_like(array)
    grey: Any = np.round(share * 255).astype(np.uint8)
    if array.ndim < 2:
        planes = grey.reshape(1, 1, -1)
    elif array.ndim == 2:
        planes = (grey.T if grey.shape[0] > grey.shape[1] else grey)[None]
    else:
        rows = int(np.prod(array.shape[:-3]))
        moved = grey.reshape(rows, *array.shape[-3:])[:, :, 0] if array.ndim > 3 else grey
        planes = np.moveaxis(moved, -1, 0)
    return [
        np.asarray(plane, np.uint8)[..., None] for plane in planes[:MOST_PICTURES] if plane.size
    ]
