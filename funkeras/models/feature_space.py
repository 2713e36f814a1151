"""`FeatureSpace`: tables of numbers and words as vectors that a network takes.

The space has the layers that prepare the columns and those that make one column of several, and
calls them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from funkeras import layers, symbolic
from funkeras.functional.checks import one_of
from funkeras.functional.shapes import STRING
from funkeras.layers.layer import Layer
from funkeras.layers.special import CONTAINERS
from funkeras.models.features import KINDS, Cross, Feature, Kinds, made
from funkeras.models.tables import as_column, batches, given_back
from funkeras.registry import custom_object_scope
from funkeras.symbolic import SymbolicTensor
from funkeras.typing import Config

__all__ = ["Cross", "Feature", "FeatureSpace"]

HOME = "keras.src.layers.preprocessing.feature_space"
"""Where Keras 3 finds `Feature` and `Cross`."""


class FeatureSpace(Kinds, Layer):
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

    def _feature(self, name: str, given: Any) -> Feature:
        if not isinstance(given, str):
            return made(given)
        one_of(f"the feature {name!r}", given, KINDS)
        size = {
            "float_discretized": {"num_bins": self.num_discretization_bins},
            "integer_hashed": {"num_bins": self.hashing_dim},
            "string_hashed": {"num_bins": self.hashing_dim},
        }
        return getattr(self, given)(name=name, **size.get(given, {}))

    def _cross(self, given: Any) -> Cross:
        told = made(given)
        cross = told if isinstance(told, Cross) else Cross(told, self.crossing_dim)
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
        for batch in batches(dataset, names):
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
        columns = {key: as_column(data[key], own.dtype) for key, own in self.features.items()}
        single = any(np.ndim(data[key]) == 0 for key in self.features)
        encoded = self._encoded(columns)
        if self.output_mode == "concat":
            return given_back(encoded, single)
        return {key: given_back(own, single) for key, own in encoded.items()}

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


def _restored(cls: Any, config: Config, arrays: Sequence[Any] | None) -> FeatureSpace:
    space = cls.from_config(config)
    if arrays is not None:
        space.build_from_config(space.get_build_config())
        for weight, value in zip(space.weights, arrays, strict=True):
            weight.assign(value)
        space.taught()
    return space


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
