"""Layers whose arguments `adapt` finds in data: bins, and vocabularies of numbers and words."""

import os
from collections import Counter
from collections.abc import Mapping, MutableMapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import jax
import numpy as np

from funkeras import symbolic
from funkeras.functional.preprocessing_categories import NOTHING, boundaries, summarized
from funkeras.functional.preprocessing_lookup import table_of
from funkeras.functional.preprocessing_strings import (
    string_lookup,
    strings_of,
    text_vectorization,
    tokenizer,
)
from funkeras.functional.shapes import STRING
from funkeras.layers.facade import facade
from funkeras.layers.layer import Layer
from funkeras.layers.special import BASES, CONTAINERS

__all__ = ["StringLookup", "TextVectorization"]


class Remade(Layer):
    """A layer that gets some of its arguments after it was made."""

    def remake(self, **arguments: Any) -> None:
        """Replace arguments, and with them the pair. Models compiled before keep the old one."""
        before = dict(self._arguments)
        self._arguments.update(arguments)
        try:
            self.pair = self.make_pair()
        except Exception:
            self._arguments = before
            raise
        self.built = False
        self.adopt({}, {})


class Binned(Remade):
    """`Discretization` with `adapt`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.num_bins is not None and self.bin_boundaries is not None:
            raise ValueError(
                "give bin_boundaries or num_bins, not both; "
                f"got {self.bin_boundaries!r} and {self.num_bins!r}"
            )

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> "Binned":
        """The layer that `get_config` described, with the bins that `adapt` found."""
        given = dict(config)
        found = given.pop("bin_boundaries", None) if given.get("num_bins") is not None else None
        layer = cls(**given)
        if found is not None:
            layer.remake(bin_boundaries=found)
        return layer

    _seen = NOTHING

    @property
    def adapts(self) -> bool:
        """Whether `adapt` sets the boundaries, as they are no argument."""
        return self.num_bins is not None

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Set `bin_boundaries` to quantiles of the data: an array, or batches of it."""
        self.reset_state()
        for batch in [data] if hasattr(data, "shape") else islice(data, steps):
            self.update_state(batch)
        self.finalize_state()

    def reset_state(self) -> None:
        """Forget the batches seen; the boundaries stay until `finalize_state`."""
        self._seen = NOTHING

    def update_state(self, data: Any) -> None:
        """Look at a batch."""
        if not self.adapts:
            raise ValueError(f"layer {self.name!r} has bin_boundaries: nothing to adapt")
        self._seen = summarized(self._seen, data, self.epsilon)

    def finalize_state(self) -> None:
        """Set `bin_boundaries` to quantiles of the batches seen."""
        if self.adapts:
            self.remake(bin_boundaries=boundaries(self._seen, self.num_bins))


class OnHost(Layer):
    """A layer that takes NumPy data as they are: strings, and whole numbers of 64 bits.

    A model gives it the strings among its inputs before the compiled step.
    """

    def _run(self, x: Any, *others: Any, **flow: Any) -> Any:
        """Run on data of the host, or as any layer on arrays of the device and in a model."""
        if symbolic.is_symbolic(x) or any(isinstance(a, jax.Array) for a in jax.tree.leaves(x)):
            return super()._run(x, *others, **flow)
        return self.pair.apply({}, {}, x)[0]


class Lookup(OnHost, Remade):
    """`IntegerLookup` with `adapt` and its vocabulary at hand."""

    special: ClassVar[dict[str, Any]] = {}
    """Arguments of the lookup which the layer does not have."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._vocabulary_given = self._arguments["vocabulary"] is not None
        self.reset_state()

    @property
    def adapts(self) -> bool:
        """Whether `adapt` sets the vocabulary, as it is no argument."""
        return not self._vocabulary_given

    def values(self, data: Any) -> np.ndarray:
        """The tokens as an array."""
        return np.asarray(data).astype("int64")

    def rows(self, data: Any, single: bool) -> list[list[Any]]:
        """The tokens of each sample; a batch without axes for them is a `single` one."""
        values = np.atleast_1d(self.values(data))
        samples = 1 if single and values.ndim < 2 else len(values)
        return values.reshape(samples, -1).tolist()

    def _table(self) -> Any:
        names = ("vocabulary", "idf_weights", "max_tokens", "num_oov_indices", "mask_token")
        names += ("oov_token", "invert", "output_mode", "sparse", "pad_to_max_tokens")
        given = {**self._arguments, **self.special}
        return table_of(*(given[name] for name in names))

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Set the vocabulary to the tokens of the data, the most frequent first.

        Of equally frequent ones the greatest comes first. In `tf_idf` mode the weights are set
        too: `log(1 + samples / (1 + samples that have the token))`.

        Args:
            data: an array or a list, or an iterator over batches, of which `steps` are taken.

        Raises:
            ValueError: if the vocabulary is an argument of the layer.
        """
        self.reset_state()
        if hasattr(data, "shape") or isinstance(data, list | tuple):
            self._look(data, single=False)
        else:
            for batch in islice(data, steps):
                self.update_state(batch)
        self.finalize_state()

    def reset_state(self) -> None:
        """Forget the batches seen; the vocabulary stays until `finalize_state`."""
        self._counts: Counter[Any] = Counter()
        self._samples: Counter[Any] = Counter()
        self._number = 0

    def update_state(self, data: Any) -> None:
        """Look at a batch, or at one sample without an axis for the batch."""
        self._look(data, single=True)

    def _look(self, data: Any, single: bool) -> None:
        if not self.adapts:
            raise ValueError(f"layer {self.name!r} was made with a vocabulary: nothing to adapt")
        for row in self.rows(data, single):
            self._counts.update(row)
            self._samples.update(set(row))
            self._number += 1

    def finalize_state(self) -> None:
        """Set the vocabulary to the tokens of the batches seen, as `adapt` does."""
        if not self.adapts:
            return
        given = {**self._arguments, **self.special}
        special = (given["mask_token"], given["oov_token"])
        counts = {token: count for token, count in self._counts.items() if token not in special}
        words = sorted(counts, key=lambda token: (counts[token], token), reverse=True)
        if self.max_tokens is not None:
            words = words[: self.max_tokens - self._table().start]
        number, samples = self._number, self._samples
        weights = [float(np.log(1 + number / (1 + samples[word]))) for word in words]
        idf = self._table().mode == "tf_idf"
        self.remake(vocabulary=words, idf_weights=weights if idf else None)

    def set_vocabulary(self, vocabulary: Any, idf_weights: Sequence[float] | None = None) -> None:
        """Set the vocabulary: a list, or the path of a file with an entry on each line."""
        if isinstance(vocabulary, str | os.PathLike):
            lines = Path(vocabulary).read_text(encoding="utf-8").splitlines()
            vocabulary = [self.entry(line) for line in lines]
        elif hasattr(vocabulary, "tolist"):
            vocabulary = vocabulary.tolist()
        weights = None if idf_weights is None else [float(weight) for weight in idf_weights]
        self.remake(vocabulary=list(vocabulary), idf_weights=weights)

    def entry(self, line: str) -> Any:
        """What a line of a vocabulary file stands for."""
        return int(line)

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Put the weights of `tf_idf` mode into a dict, as Keras 3 has them in its files."""
        table = self._table()
        if table.mode == "tf_idf" and table.weights is not None:
            store["idf_weights"] = table.weights.astype("float32")

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Take the weights of `tf_idf` mode, for the vocabulary that there is.

        Raises:
            ValueError: for another number of them.
        """
        table = self._table()
        if table.mode != "tf_idf" or "idf_weights" not in store:
            return
        given = np.asarray(store["idf_weights"])
        if given.shape != (table.depth,):
            raise ValueError(
                f"layer {self.name!r} has a vocabulary of {table.depth}, got idf_weights of shape "
                f"{given.shape}"
            )
        if not np.allclose(given, np.asarray(table.weights)):
            words = given[table.start : table.start + len(table.known)].tolist()
            self.remake(vocabulary=table.known, idf_weights=words)

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """The entries by place; without special tokens only those of the vocabulary."""
        table = self._table()
        return [*(table.specials if include_special_tokens else ()), *(table.words or ())]

    def vocabulary_size(self) -> int:
        """Number of places, with those of special tokens."""
        return len(self.get_vocabulary())


class StringsLookup(Lookup):
    """`StringLookup`: runs on NumPy strings, on the host."""

    def entry(self, line: str) -> str:
        """What a line of a vocabulary file stands for."""
        return line

    def values(self, data: Any) -> np.ndarray:
        """The tokens as an array."""
        return strings_of(data, self.encoding)

    def _run(self, x: Any, *others: Any, **flow: Any) -> Any:
        """Look up NumPy strings, now or as a model is given them."""
        if symbolic.is_symbolic(x):
            if x.dtype != STRING and not self._arguments.get("invert"):
                raise TypeError(
                    f"layer {self.name!r} looks up strings, got {x.dtype}: make the input with "
                    'Input(shape, dtype="string")'
                )
            return Layer._run(self, x, **flow)
        return self.pair.apply({}, {}, x)[0]


class TextLookup(StringsLookup):
    """`TextVectorization`: runs on NumPy strings, on the host."""

    special: ClassVar[dict[str, Any]] = {
        "num_oov_indices": 1,
        "mask_token": "",
        "oov_token": "[UNK]",
        "invert": False,
    }

    def adapt(  # pyright: ignore[reportIncompatibleMethodOverride]: the order that Keras 3 has
        self, data: Any, batch_size: int | None = None, steps: int | None = None
    ) -> None:
        """Set the vocabulary to the words of texts, as `StringLookup` does to strings.

        `batch_size`, of Keras 3, changes nothing: an array is one batch.
        """
        super().adapt(data, steps)

    def rows(self, data: Any, single: bool) -> list[list[str]]:
        """The words of each text."""
        rows = tokenizer(self.standardize, self.split, self.ngrams, self.encoding)(data)
        words = self.split is None and np.ndim(data) < 2
        return [[word for row in rows for word in row]] if single and words else rows


BASES.update(
    Discretization=Binned,
    HashedCrossing=OnHost,
    Hashing=OnHost,
    IntegerLookup=Lookup,
    StringLookup=StringsLookup,
    TextVectorization=TextLookup,
)
StringLookup = facade(string_lookup)
TextVectorization = facade(text_vectorization)
CONTAINERS.update(StringLookup=StringLookup, TextVectorization=TextVectorization)
