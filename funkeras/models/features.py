"""What to do with columns of a table: a `Feature` for one, a `Cross` for several together."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import jax.numpy as jnp

from funkeras import layers
from funkeras.functional.checks import one_of
from funkeras.functional.shapes import STRING
from funkeras.typing import Config
from funkeras.utils.naming import next_number

__all__ = ["KINDS", "Cross", "Feature", "Kinds", "made"]

Real: TypeAlias = float
"""What `float` is, where a class has a method of that name."""


class Feature:
    """What to do with one column.

    Args:
        dtype: of its values: `float32`, `int32`, `string`, …
        preprocessor: the layer that prepares them.
        output_mode: `float` as the layer gives them, `int` as its whole numbers, or `one_hot`.
    """

    def __init__(self, dtype: str, preprocessor: Any, output_mode: str) -> None:
        self.dtype = dtype if dtype == STRING else jnp.dtype(dtype).name
        self.preprocessor: Any = made(preprocessor)
        self.output_mode = one_of("output_mode", output_mode, ("int", "one_hot", "float"))

    def get_config(self) -> Config:
        """The arguments, as Keras 3 writes them."""
        from funkeras.models.serializing import serialize_keras_object

        return {
            "dtype": self.dtype,
            "preprocessor": serialize_keras_object(self.preprocessor),
            "output_mode": self.output_mode,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Feature":
        """What `get_config` described."""
        return cls(**config)


class Cross:
    """Several columns as one: their values together, by a hash, as one of `crossing_dim` bins.

    Args:
        feature_names: the columns, in the order in which they are hashed.
        output_mode: `int` or `one_hot`.
    """

    def __init__(
        self, feature_names: Sequence[str], crossing_dim: int, output_mode: str = "one_hot"
    ) -> None:
        self.feature_names = tuple(feature_names)
        self.crossing_dim = crossing_dim
        self.output_mode = one_of("output_mode", output_mode, ("int", "one_hot"))

    @property
    def name(self) -> str:
        """The name of the column that it makes."""
        return "_X_".join(self.feature_names)

    def get_config(self) -> Config:
        """The arguments."""
        return {
            "feature_names": self.feature_names,
            "crossing_dim": self.crossing_dim,
            "output_mode": self.output_mode,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Cross":
        """What `get_config` described."""
        return cls(**config)


class Kinds:
    """What columns can be, as class methods that make a `Feature` or a `Cross`."""

    @classmethod
    def cross(
        cls, feature_names: Sequence[str], crossing_dim: int, output_mode: str = "one_hot"
    ) -> Cross:
        """Several columns as one, of `crossing_dim` bins."""
        return Cross(feature_names, crossing_dim, output_mode)

    @classmethod
    def feature(cls, dtype: str, preprocessor: Any, output_mode: str) -> Feature:
        """Values of a dtype, prepared by a layer of yours."""
        return Feature(dtype, preprocessor, output_mode)

    @classmethod
    def float(cls, name: str | None = None) -> Feature:
        """Real numbers as they are."""
        return _feature("float", layers.Identity, name, "float", dtype="float32")

    @classmethod
    def float_rescaled(
        cls, scale: Real = 1.0, offset: Real = 0.0, name: str | None = None
    ) -> Feature:
        """Real numbers as `x * scale + offset`."""
        given = {"scale": scale, "offset": offset}
        return _feature("float_rescaled", layers.Rescaling, name, "float", **given)

    @classmethod
    def float_normalized(cls, name: str | None = None) -> Feature:
        """Real numbers with the mean 0 and the variance 1 in the data that `adapt` saw."""
        return _feature("float_normalized", layers.Normalization, name, "float")

    @classmethod
    def float_discretized(
        cls,
        num_bins: int | None,
        bin_boundaries: Sequence[Real] | None = None,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Real numbers in bins with as many of the adapted data each, or between `boundaries`."""
        given = {"num_bins": num_bins, "bin_boundaries": bin_boundaries}
        return _feature("float_discretized", layers.Discretization, name, output_mode, **given)

    @classmethod
    def integer_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Whole numbers by their place among those that `adapt` saw, frequent ones first."""
        given = {"max_tokens": max_tokens, "num_oov_indices": num_oov_indices}
        return _feature("integer_categorical", layers.IntegerLookup, name, output_mode, **given)

    @classmethod
    def string_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Strings by their place among those that `adapt` saw, frequent ones first."""
        given = {"max_tokens": max_tokens, "num_oov_indices": num_oov_indices}
        return _feature("string_categorical", layers.StringLookup, name, output_mode, **given)

    @classmethod
    def string_hashed(
        cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """Strings in bins, by a hash."""
        return _feature("string_hashed", layers.Hashing, name, output_mode, num_bins=num_bins)

    @classmethod
    def integer_hashed(
        cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """Whole numbers in bins, by a hash."""
        return _feature("integer_hashed", layers.Hashing, name, output_mode, num_bins=num_bins)


KINDS = (
    *("float", "float_normalized", "float_rescaled", "float_discretized"),
    *("integer_categorical", "string_categorical", "integer_hashed", "string_hashed"),
)
"""What a column may be by a word."""


DTYPES = {"float": "float32", "integer": "int32", "string": STRING}
"""How such a word begins → the dtype of the column."""


def _feature(
    word: str, kind: Callable[..., Any], name: str | None, output_mode: str, **given: Any
) -> Feature:
    """A feature whose layer has the name of the column, or of the word and a number if needed."""
    if name is None:
        number = next_number(word)
        name = f"{word}_{number}" if number else word
    dtype = DTYPES[word.partition("_")[0]]
    return Feature(dtype, kind(name=f"{name}_preprocessor", **given), output_mode)


def made(given: Any) -> Any:
    """A layer, feature or cross, from its config if that is what was given."""
    if not isinstance(given, Mapping):
        return given
    from funkeras.models.serializing import deserialize_keras_object

    return deserialize_keras_object(given)
