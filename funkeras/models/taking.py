"""What `fit`, `evaluate` and `predict` are given, as the model takes it: checked, in batches."""

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from funkeras import config
from funkeras.functional.objective import Batch
from funkeras.functional.shapes import STRING
from funkeras.models.checking import (
    Entrance,
    arrays,
    as_batch,
    checked_inputs,
    class_weights,
    holds_strings,
    rows_of,
    weight_arrays,
)
from funkeras.models.compiling import Compiling
from funkeras.models.data import Epochs, Feed, shuffled
from funkeras.models.own_rules import OwnRules
from funkeras.models.streams import Stream, gives_batches, in_batches, unpacked
from funkeras.models.written import described_inputs

__all__ = ["Taking"]


class Taking(OwnRules, Compiling):
    """Arrays, or a source of batches, on their way into a model."""

    def _inputs(self, x: Any) -> tuple[Any, ...]:
        """Checked inputs; a model without a shape is built from theirs."""
        if self._entered is None and not self.built:
            self._build_for(x)
        names, shapes, size, strings = self._entrance()
        parts = checked_inputs(arrays(self.by_key(x), names, "x", strings), shapes, names)
        if size is not None and len(parts[0]) % size:
            raise ValueError(
                f"{self.name!r} keeps states: it runs in whole batches of {size} rows, "
                f"got {len(parts[0])}"
            )
        if strings:
            rows_of({"x": parts})
            looked_up = self.numbers_of(parts)
            return arrays(looked_up, [tensor.name for tensor in self.fed], "x")
        return parts

    def _entrance(self) -> Entrance:
        """What data must be like; looked up once for a graph, as it costs a small prediction."""
        if self._entered is None:
            kept = self.input_shapes[0][0] if self.keeps_states else None
            names, kinds = self.input_keys, (tensor.dtype for tensor in self.inputs)
            strings = [name for name, kind in zip(names, kinds, strict=True) if kind == STRING]
            self._entered = Entrance(names, self.input_shapes, kept, strings)
        return self._entered

    def _batch_size(self, size: int | None, x: Any) -> int:
        """The batch size to use for that argument and these inputs."""
        fixed = self._entrance().kept_rows if self._entered or self.built else None
        chosen = checked_batch_size(size)
        if fixed is None:
            return chosen
        leaves = [] if gives_batches(x) else jax.tree.leaves(x)
        one_batch = chosen > fixed and bool(leaves) and np.shape(leaves[0])[:1] == (fixed,)
        if size not in (None, fixed) and not one_batch:
            raise ValueError(f"{self.name!r} keeps states of {fixed} rows, got batch_size={size}")
        return fixed

    def _build_for(self, x: Any) -> None:
        """Build from the shapes of data."""
        several = isinstance(x, Mapping) or (
            self.is_written() and isinstance(x, list | tuple) and hasattr(x[0], "shape")
        )
        names = sorted(x) if isinstance(x, Mapping) else ["x"] * (len(x) if several else 1)
        found = arrays(x, names, "x", names if holds_strings(x) else ())
        shapes, self.called_dtypes = described_inputs(x if several else None, found)
        self.ensure_built(shapes)

    def _batch(
        self, action: str, x: Any, y: Any, sample_weight: Any = None, class_weight: Any = None
    ) -> Batch:
        """Checked inputs, targets and weights."""
        self._require_compiled(action)
        inputs = self._inputs(x)
        targets = self._targets(action, y)
        weights: tuple[Any, ...] = (None,) * len(targets)
        if sample_weight is not None:
            weights = weight_arrays(sample_weight, self.output_names)
        elif class_weight is not None:
            by_name = isinstance(class_weight, Mapping) and any(
                isinstance(key, str) for key in class_weight
            )
            per_output = (
                self._by_output("class_weight", class_weight, None)
                if by_name
                else class_weight
                if isinstance(class_weight, list | tuple)
                else [class_weight] * len(targets)
            )
            weights = tuple(
                None if table is None or target is None else class_weights(target, table)
                for target, table in zip(targets, per_output, strict=True)
            )
        rows_of({"x": inputs, "y": targets, "sample_weight": weights})
        self._check_labels(targets)
        return as_batch(inputs, targets, weights)

    def _targets(self, action: str, y: Any) -> tuple[Any, ...]:
        """The target of each output; None for one that has neither loss nor metric."""
        names, wanted = self.output_names, self.wanted()
        if self._has_own_rules():  # which may use them in their own way, or none
            return (None,) * len(names) if y is None else arrays(y, names, "y")
        if y is None or len(wanted) == len(names):
            if y is None and wanted:
                raise ValueError(f"{action} needs targets: {action}(x, y)")
            return arrays(y, names, "y") if wanted else (None,) * len(names)
        if isinstance(y, list | tuple) and len(y) == len(names) > 1:
            y = dict(zip(names, y, strict=True))
        found = dict(zip(wanted, arrays(y, wanted, "y"), strict=True)) if wanted else {}
        return tuple(found.get(name) for name in names)

    def _source(
        self,
        action: str,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        size: int = 32,
        shuffle: bool | str = False,
        steps: int | None = None,
        samples: int | None = None,
        workers: int = 1,
        queue: int = 10,
        what: str = "the generator",
    ) -> Epochs | Stream:
        """Arrays, or a source of batches, as what the engine takes batches from."""
        fetching = {"steps": steps, "samples": samples, "workers": workers, "queue": queue}
        if gives_batches(x):
            if y is not None or sample_weight is not None:
                raise ValueError("y and sample_weight must be None when x gives batches of them")
            self._require_compiled(action)

            def read(item: Any) -> Batch:
                return self._batch(action, *unpacked(item), class_weight)

            return Stream(x, read, shuffle=bool(shuffle), what=what, **fetching)
        data = x if isinstance(x, Batch) else self._batch(action, x, y, sample_weight, class_weight)
        count, limit = data.x[0].shape[0], config.max_steps_per_epoch()
        limited = limit is not None and limit * size < count
        if steps is None and samples is None and not limited:
            return Epochs(Feed(data), size, shuffle)
        rows = np.arange(count, dtype=np.int32)
        again = in_batches(data, lambda: shuffled(rows, shuffle, size), size)
        return Stream(again, lambda batch: batch, what="x", **fetching)


def checked_batch_size(size: int | None) -> int:
    """A usable batch size; 32 when left out."""
    if size is None:
        return 32
    if int(size) != size or size < 1:
        raise ValueError(f"batch_size must be a positive integer, got {size!r}")
    return int(size)
