"""`FeatureSpace`: tables of numbers and words as vectors that a network takes.

A `Feature` tells of one column its dtype, the layer that prepares it and the form in which it goes
on; a `Cross` makes one column more of several. The space has these layers and calls them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from funkeras import layers, symbolic
from funkeras.functional.checks import one_of
from funkeras.functional.pair import STRING
from funkeras.layers.layer import Layer
from funkeras.layers.special import CONTAINERS
from funkeras.registry import custom_object_scope
from funkeras.symbolic import SymbolicTensor
from funkeras.typing import Config
from funkeras.utils.naming import next_number

__all__ = ["Cross", "Feature", "FeatureSpace"]

Real: TypeAlias = float
"""What `float` is, where a class has a method of that name."""

HOME = "keras.src.layers.preprocessing.feature_space"
"""Where Keras 3 finds `Feature` and `Cross`."""

ROWS = 32
"""How many single samples `adapt` looks at together, as Keras 3 does."""


class Feature:
    """What to do with one column.

    Args:
        dtype: of its values: `float32`, `int32`, `string`, …
        preprocessor: the layer that prepares them.
        output_mode: `float` as the layer gives them, `int` as its whole numbers, or `one_hot`.
    """

    def __init__(self, dtype: str, preprocessor: Any, output_mode: str) -> None:
        self.dtype = dtype if dtype == STRING else jnp.dtype(dtype).name
        self.preprocessor: Any = _made(preprocessor)
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


class FeatureSpace(Layer):
    """Named columns of a table, prepared, crossed and put side by side.

    `adapt` lets the layers of the columns look at data: for means, bins, vocabularies. Then a call
    gives the columns in the order of their names, the crosses after the others: as one matrix, or
    in a dict.

    Args:
        features: what to do with each column, by name: a `Feature`, which the class methods make,
            or the name of such a method, whose arguments have their default values then.
        output_mode: `concat` for a matrix, `dict` for the columns.
        crosses: names of columns that make one together, or a `cross` of them.
        crossing_dim: how many bins such a cross has.
        hashing_dim: how many bins `integer_hashed` and `string_hashed` have.
        num_discretization_bins: how many bins `float_discretized` has.

    >>> space = FeatureSpace({"age": "float_rescaled", "city": FeatureSpace.string_hashed(3)})
    >>> np.asarray(space({"age": [20, 30], "city": ["Ulm", "Rom"]})).tolist()
    [[20.0, 0.0, 0.0, 1.0], [30.0, 0.0, 1.0, 0.0]]
    >>> space({"age": 20, "city": "Ulm"}).shape
    (4,)
    """

    def __init__(
        self,
        features: Mapping[str, Any],
        output_mode: str = "concat",
        crosses: Sequence[Any] | None = None,
        crossing_dim: int = 32,
        hashing_dim: int = 32,
        num_discretization_bins: int = 32,
        name: str | None = None,
    ) -> None:
        if not features:
            raise ValueError("features must name at least one column, got none")
        super().__init__(name=name)
        self.output_mode = one_of("output_mode", output_mode, ("concat", "dict"))
        self.crossing_dim = crossing_dim
        self.hashing_dim = hashing_dim
        self.num_discretization_bins = num_discretization_bins
        self.features = {key: self._feature(key, given) for key, given in features.items()}
        self.crosses = [self._cross(given) for given in crosses or ()]
        self.inputs = {
            key: layers.Input(shape=(1,), dtype=feature.dtype, name=key)
            for key, feature in self.features.items()
        }
        self.preprocessors = {key: own.preprocessor for key, own in self.features.items()}
        self.crossers = {
            cross.name: layers.HashedCrossing(cross.crossing_dim, name=cross.name)
            for cross in self.crosses
        }
        self.one_hot_encoders: dict[str, Any] = {}
        self.concat = layers.Concatenate(axis=-1)
        self.encoded_features: Any = None
        self._is_adapted = False

    # What columns can be

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
        made = _named(layers.Identity, "float", name, dtype="float32")
        return Feature("float32", made, "float")

    @classmethod
    def float_rescaled(
        cls, scale: Real = 1.0, offset: Real = 0.0, name: str | None = None
    ) -> Feature:
        """Real numbers as `x * scale + offset`."""
        made = _named(layers.Rescaling, "float_rescaled", name, scale=scale, offset=offset)
        return Feature("float32", made, "float")

    @classmethod
    def float_normalized(cls, name: str | None = None) -> Feature:
        """Real numbers with the mean 0 and the variance 1 in the data that `adapt` saw."""
        return Feature("float32", _named(layers.Normalization, "float_normalized", name), "float")

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
        made = _named(layers.Discretization, "float_discretized", name, **given)
        return Feature("float32", made, output_mode)

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
        made = _named(layers.IntegerLookup, "integer_categorical", name, **given)
        return Feature("int32", made, output_mode)

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
        made = _named(layers.StringLookup, "string_categorical", name, **given)
        return Feature(STRING, made, output_mode)

    @classmethod
    def string_hashed(
        cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """Strings in bins, by a hash."""
        made = _named(layers.Hashing, "string_hashed", name, num_bins=num_bins)
        return Feature(STRING, made, output_mode)

    @classmethod
    def integer_hashed(
        cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """Whole numbers in bins, by a hash."""
        made = _named(layers.Hashing, "integer_hashed", name, num_bins=num_bins)
        return Feature("int32", made, output_mode)

    def _feature(self, name: str, given: Any) -> Feature:
        if not isinstance(given, str):
            return _made(given)
        one_of(f"the feature {name!r}", given, KINDS)
        size = {
            "float_discretized": {"num_bins": self.num_discretization_bins},
            "integer_hashed": {"num_bins": self.hashing_dim},
            "string_hashed": {"num_bins": self.hashing_dim},
        }
        return getattr(self, given)(name=name, **size.get(given, {}))

    def _cross(self, given: Any) -> Cross:
        made = _made(given)
        cross = made if isinstance(made, Cross) else Cross(made, self.crossing_dim)
        if unknown := [key for key in cross.feature_names if key not in self.features]:
            raise ValueError(
                f"crosses name the columns {unknown}, features has {list(self.features)}"
            )
        return cross

    # What data teach it

    def adapt(self, dataset: Any) -> None:
        """Let the layers of the columns look at data, once: means, bins, vocabularies.

        Args:
            dataset: a dict of arrays or lists with a row for each sample, or what gives dicts of
                single samples or of batches, as a `Dataset` or a generator does.

        Raises:
            ValueError: if a column is missing, or there are no data.
        """
        names = [key for key, own in self.preprocessors.items() if _adapts(own)]
        watched = {key: own for key, own in self.preprocessors.items() if key in names}
        held: dict[str, list[Any]] = {
            key: [] for key, own in watched.items() if not hasattr(own, "update_state")
        }
        for key in watched.keys() - held.keys():
            watched[key].reset_state()
        count = 0
        for batch in _batches(dataset, names):
            count += 1
            for key, values in batch.items():
                if key in held:
                    held[key].append(values)
                else:
                    watched[key].update_state(values)
        if names and not count:
            raise ValueError("adapt needs data, got none")
        for key, own in watched.items():
            if key in held:
                own.adapt(held[key])
            else:
                own.finalize_state()
        self._is_adapted = True
        self.one_hot_encoders, self.encoded_features = {}, None
        self.get_encoded_features()

    def _check(self) -> None:
        """Refuse to run on what nobody has told yet."""
        if not self._is_adapted and (unknown := [*filter(_adapts, self.preprocessors.values())]):
            names = ", ".join(repr(own.name) for own in unknown)
            raise ValueError(f"adapt(dataset) must be called first: nothing is known for {names}")

    # What it gives

    def get_inputs(self) -> dict[str, SymbolicTensor]:
        """A symbolic tensor for each column, for the inputs of a model of raw data."""
        self.get_encoded_features()
        return self.inputs

    def get_encoded_features(self) -> Any:
        """What a call gives, as symbolic tensors that follow from `get_inputs`."""
        self._check()
        if self.encoded_features is None:
            self.encoded_features = self._encoded(self.inputs)
            self.built = True
        return self.encoded_features

    def __call__(self, data: Any, *args: Any, **kwargs: Any) -> Any:
        """The encoded columns of a dict by name, of single values or of rows, or symbolic."""
        if not isinstance(data, Mapping):
            raise ValueError(
                f"a FeatureSpace is called with a dict of columns, got {type(data).__name__}"
            )
        self.get_encoded_features()
        if missing := [key for key in self.features if key not in data]:
            raise ValueError(f"the columns {missing} are missing, the data have {list(data)}")
        if unknown := [key for key in data if key not in self.features]:
            raise ValueError(f"the columns {unknown} are none of {list(self.features)}")
        if symbolic.is_symbolic(dict(data)):
            return self._encoded(data)
        columns = {key: _column(data[key], own.dtype) for key, own in self.features.items()}
        single = any(np.ndim(data[key]) == 0 for key in self.features)
        encoded = self._encoded(columns)
        if self.output_mode == "concat":
            return _given_back(encoded, single)
        return {key: _given_back(own, single) for key, own in encoded.items()}

    def _encoded(self, data: Mapping[str, Any]) -> Any:
        found = {key: own(data[key]) for key, own in self.preprocessors.items()}
        crossed = {
            cross.name: self.crossers[cross.name]([found[key] for key in cross.feature_names])
            for cross in self.crosses
        }
        specs = {**self.features, **{cross.name: cross for cross in self.crosses}}
        ordered = {**{key: found[key] for key in sorted(found)}, **dict(sorted(crossed.items()))}
        encoded = {key: self._in_mode(key, specs[key], x) for key, x in ordered.items()}
        if self.output_mode == "dict":
            return encoded
        columns = list(encoded.values())
        return self.concat(columns) if len(columns) > 1 else columns[0]

    def _in_mode(self, key: str, spec: Feature | Cross, x: Any) -> Any:
        """A column in its output mode."""
        kind = STRING if str(x.dtype) == STRING else np.dtype(x.dtype).kind
        if spec.output_mode == "one_hot":
            if key not in self.one_hot_encoders:
                if kind not in ("i", "u"):
                    raise ValueError(
                        f"feature {key!r} has output_mode='one_hot': its layer must give whole "
                        f"numbers, got {x.dtype}"
                    )
                size = _cardinality(key, self.preprocessors.get(key) or self.crossers[key])
                self.one_hot_encoders[key] = layers.CategoryEncoding(size, output_mode="multi_hot")
            return self.one_hot_encoders[key](x)
        if self.output_mode == "concat" and kind in ("i", "u", "U", "S", "O", STRING):
            raise ValueError(
                f"feature {key!r} is not encoded, it has dtype {x.dtype}: it can't be put beside "
                "others; use output_mode='dict'"
            )
        return x

    @property
    def weights(self) -> list[Any]:
        """What the layers of the columns keep as arrays: means and variances."""
        return [weight for own in self.preprocessors.values() for weight in own.weights]

    # Configs and files

    def get_config(self) -> Config:
        """The arguments, with the layers as they are now, as Keras 3 writes them."""
        return {
            "features": {key: _described(own) for key, own in self.features.items()},
            "output_mode": self.output_mode,
            "crosses": [_described(cross) for cross in self.crosses],
            "crossing_dim": self.crossing_dim,
            "hashing_dim": self.hashing_dim,
            "num_discretization_bins": self.num_discretization_bins,
        }

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> "FeatureSpace":
        """The space that `get_config` described. Means that `adapt` found are in files alone."""
        with custom_object_scope(custom_objects):
            return cls(**config)

    def get_build_config(self) -> Config:
        """The shapes that the layers of the columns were built for."""
        return {key: {"input_shape": (None, 1)} for key in self.features}

    def build_from_config(self, config: Mapping[str, Any]) -> None:
        """Build the layers of those columns."""
        for key in config:
            self.preprocessors[key].ensure_built((None, 1))

    def taught(self) -> None:
        """Take what the layers hold, of a file, for what data have taught them."""
        self._is_adapted = True

    def save(self, filepath: Any) -> None:
        """Write it to a `.keras` file, which `load_model` reads, and genuine Keras 3 too."""
        from funkeras.models import saving

        self.get_encoded_features()
        saving.save_space(self, filepath)

    def __reduce__(self) -> Any:
        arrays = [weight.numpy() for weight in self.weights] if self._is_adapted else None
        return _restored, (type(self), self.get_config(), arrays)


KINDS = (
    *("float", "float_normalized", "float_rescaled", "float_discretized"),
    *("integer_categorical", "string_categorical", "integer_hashed", "string_hashed"),
)
"""What a column may be by a word."""


def _restored(cls: Any, config: Config, arrays: Sequence[Any] | None) -> FeatureSpace:
    space = cls.from_config(config)
    if arrays is not None:
        space.build_from_config(space.get_build_config())
        for weight, value in zip(space.weights, arrays, strict=True):
            weight.assign(value)
        space.taught()
    return space


def _named(kind: Callable[..., Any], word: str, name: str | None, **given: Any) -> Any:
    """The layer of a column, named after it or after what it is, with a number if needed."""
    if name is None:
        number = next_number(word)
        name = f"{word}_{number}" if number else word
    return kind(name=f"{name}_preprocessor", **given)


def _made(given: Any) -> Any:
    """A layer, feature or cross, from its config if that is what was given."""
    if not isinstance(given, Mapping):
        return given
    from funkeras.models.serializing import deserialize_keras_object

    return deserialize_keras_object(given)


def _described(own: Feature | Cross) -> Config:
    name = type(own).__name__
    return {
        "module": HOME,
        "class_name": name,
        "config": own.get_config(),
        "registered_name": name,
    }


def _adapts(layer: Any) -> bool:
    """Whether data teach a layer what it needs."""
    return getattr(layer, "adapts", hasattr(layer, "adapt"))


def _batches(dataset: Any, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The columns of those names, each as arrays of shape (rows, 1) or more axes."""
    if isinstance(dataset, Mapping):
        whole = _of_names(dataset, names)
        counts = {len(values) for values in whole.values()}
        if len(counts) > 1:
            raise ValueError(f"all columns must be equally long, got lengths {sorted(counts)}")
        for start in range(0, max(counts, default=0), ROWS):
            yield {key: _rows(own[start : start + ROWS]) for key, own in whole.items()}
        return
    if isinstance(dataset, str | bytes | np.ndarray) or not isinstance(dataset, Iterable):
        raise ValueError(
            f"adapt takes a dict of columns or what gives dicts, got {type(dataset).__name__}"
        )
    elements = iter(dataset)
    first = next(elements, None)
    if first is None:
        return
    found = (_of_names(element, names) for element in chain([first], elements))
    if any(np.ndim(own) == 0 for own in _of_names(first, names).values()):
        while rows := list(islice(found, ROWS)):
            yield {key: _rows(np.stack([row[key] for row in rows])) for key in names}
        return
    for element in found:
        yield {key: _rows(own) for key, own in element.items()}


def _of_names(element: Any, names: Sequence[str]) -> dict[str, np.ndarray]:
    if not isinstance(element, Mapping):
        raise ValueError(f"adapt takes dicts of columns, got {type(element).__name__}")
    if missing := [key for key in names if key not in element]:
        raise ValueError(f"the columns {missing} are missing, the data have {list(element)}")
    return {key: np.asarray(element[key]) for key in names}


def _rows(values: np.ndarray) -> np.ndarray:
    return values[:, None] if values.ndim == 1 else values


def _column(given: Any, dtype: str) -> Any:
    """Values of one column in rows; a single one as a row of its own."""
    x = given if isinstance(given, jax.Array) else np.asarray(given)
    if dtype.startswith("float"):
        x = x.astype(dtype)
    return x.reshape(-1, 1) if x.ndim < 2 else x


def _given_back(x: Any, single: bool) -> Any:
    """An encoded column as an array of the device; the only row of a single sample by itself."""
    words = isinstance(x, np.ndarray) and x.dtype.kind in "US"
    x = x if words else jnp.asarray(x)
    return x[0] if single and x.ndim == 2 and len(x) == 1 else x


def _cardinality(key: str, layer: Any) -> int:
    """How many numbers a layer gives.

    Raises:
        ValueError: if that is not known.
    """
    if hasattr(layer, "vocabulary_size"):
        return layer.vocabulary_size()
    boundaries = getattr(layer, "bin_boundaries", None)
    for size in ("num_bins", "num_tokens"):
        if (known := getattr(layer, size, None)) is not None:
            return known
    if boundaries is not None:
        return len(boundaries) + 1
    raise ValueError(
        f"feature {key!r} has output_mode='one_hot', but how many numbers a "
        f"{type(layer).__name__} gives is not known: use output_mode='int'"
    )


CONTAINERS |= {"FeatureSpace": FeatureSpace}
