"""`DTypePolicy`: which types a layer keeps its weights in and computes in, by one name."""

from collections.abc import Mapping
from typing import Any, Self

from funkeras import config
from funkeras.patterns import PatternMap

__all__ = [
    "DTypePolicy",
    "DTypePolicyMap",
    "FloatDTypePolicy",
    "QuantizedDTypePolicy",
    "deserialize",
    "get",
    "serialize",
]

MIXED = "mixed_"
MODES = ("int8", "int4", "float8", "gptq", "awq")
"""Ways of Keras 3 to have weights in fewer bits; the first one is here."""

FROM = "_from_"
"""What stands in a name between such a way and the types that a layer had before."""


class DTypePolicy(str):
    """The name of a type, or `mixed_bfloat16` or `mixed_float16`, that tells both its types.

    >>> policy = DTypePolicy("mixed_bfloat16")
    >>> policy.compute_dtype, policy.variable_dtype, policy == "mixed_bfloat16"
    ('bfloat16', 'float32', True)
    """

    __slots__ = ()

    def __new__(cls, name: str | None = None) -> Self:
        """The policy of that name; without one, that of new layers."""
        if name is not None and not isinstance(name, str):
            raise TypeError(f"the name of a dtype policy is a str, got {name!r}")
        mode, found, source = (name or "").partition(FROM)
        if found:
            return QuantizedDTypePolicy(mode, source)  # pyright: ignore[reportReturnType]: a kind
        return super().__new__(cls, name or config.dtype_policy())

    @property
    def name(self) -> str:
        """The name."""
        return str(self)

    @property
    def compute_dtype(self) -> str:
        """The type of computation and outputs."""
        return self.removeprefix(MIXED)

    @property
    def variable_dtype(self) -> str:
        """The type of weights."""
        return "float32" if self.startswith(MIXED) else str(self)

    @property
    def quantization_mode(self) -> str | None:
        """How weights are quantized, if they are."""
        return None

    def get_config(self) -> dict[str, str]:
        """Its arguments."""
        return {"name": str(self)}

    @classmethod
    def from_config(cls, config: Mapping[str, str]) -> Self:
        """The policy that a configuration describes."""
        return cls(**config)


FloatDTypePolicy = DTypePolicy


class QuantizedDTypePolicy(DTypePolicy):
    """Kernels in eight bits, everything else as the policy of that name says.

    >>> policy = QuantizedDTypePolicy("int8", "mixed_bfloat16")
    >>> policy, policy.compute_dtype, policy.variable_dtype
    ('int8_from_mixed_bfloat16', 'bfloat16', 'float32')
    """

    __slots__ = ()

    def __new__(cls, mode: str, source_name: str | None = None) -> Self:
        """The policy of that mode, from the policy of that name, or that of new layers.

        Raises:
            ValueError: for modes that are unknown, and where 16 bits would not hold the sums.
            NotImplementedError: for those of Keras 3 that are not here.
        """
        kind = mode.partition("/")[0]
        if kind not in MODES:
            raise ValueError(f"the mode of quantization is one of {', '.join(MODES)}, got {mode!r}")
        if mode != "int8":
            raise NotImplementedError(f"kernels are quantized to int8 here, not by {mode!r}")
        source = DTypePolicy(source_name)
        if source.compute_dtype == "float16":
            raise ValueError("float16 does not hold sums of int8: quantize from another type")
        return str.__new__(cls, f"{mode}{FROM}{source}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(self.get_config().values())

    @property
    def _source(self) -> DTypePolicy:
        return DTypePolicy(self.partition(FROM)[2])

    @property
    def compute_dtype(self) -> str:
        """The type of computation and outputs."""
        return self._source.compute_dtype

    @property
    def variable_dtype(self) -> str:
        """The type of weights that are no kernels."""
        return self._source.variable_dtype

    @property
    def quantization_mode(self) -> str:
        """How kernels are quantized."""
        return self.partition(FROM)[0]

    def get_config(self) -> dict[str, str]:
        """Its arguments."""
        return {"mode": self.quantization_mode, "source_name": str(self._source)}


class DTypePolicyMap(PatternMap[DTypePolicy]):
    """Policies by the paths of layers, which may be regular expressions; others have the default.

    As the `dtype` of layers it gives each the policy of its path when the layer is made.

    >>> policies = DTypePolicyMap(policy_map={"dense": "float16", "encoder/.*": "bfloat16"})
    >>> policies["dense"], policies["encoder/query"], policies["decoder"]
    ('float16', 'bfloat16', 'float32')
    """

    thing = "policy"

    def __init__(
        self, default_policy: Any = None, policy_map: Mapping[str, Any] | None = None
    ) -> None:
        if isinstance(default_policy, DTypePolicyMap):
            raise ValueError("default_policy is one policy, got a DTypePolicyMap")
        if policy_map is not None and not isinstance(policy_map, Mapping):
            raise TypeError(f"policy_map is a dict, got {policy_map!r}")
        self._default = None if default_policy is None else _one(default_policy)
        super().__init__(policy_map)

    @property
    def default_policy(self) -> DTypePolicy:
        """The policy of layers without one of their own: that of new layers if none was given."""
        return DTypePolicy(self._default)

    @property
    def name(self) -> str:
        """The name of the default, as that of a map."""
        return f"map_{self.default_policy}"

    @property
    def compute_dtype(self) -> str:
        """The type of computation of the default."""
        return self.default_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        """The type of weights of the default."""
        return self.default_policy.variable_dtype

    def checked(self, path: str, value: Any) -> DTypePolicy:
        """The policy, also by its name."""
        return _one(value)

    def otherwise(self) -> DTypePolicy:
        """The default."""
        return self.default_policy

    def get_config(self) -> dict[str, Any]:
        """Its arguments, as data."""
        default = None if self._default is None else self._default.name
        policies = {path: serialize(policy) for path, policy in self.items()}
        return {"default_policy": default, "policy_map": policies}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The map that a configuration describes."""
        return cls(**config)


def _one(identifier: Any) -> DTypePolicy:
    policy = get(identifier)
    if isinstance(policy, DTypePolicyMap):
        raise ValueError("a map has plain policies, got another map")
    return policy


def get(identifier: Any) -> Any:
    """The policy of a name, a configuration or a policy; None is that of new layers.

    Raises:
        ValueError: for anything else.
    """
    if isinstance(identifier, DTypePolicyMap):
        return identifier
    if isinstance(identifier, Mapping):
        return deserialize(identifier)
    if identifier is None or isinstance(identifier, str):
        return DTypePolicy(identifier)
    raise ValueError(f"a dtype policy is a name or a configuration, got {identifier!r}")


def serialize(dtype_policy: DTypePolicy | DTypePolicyMap) -> dict[str, Any]:
    """A policy as files have it.

    >>> deserialize(serialize(DTypePolicy("float16")))
    'float16'
    """
    kind = type(dtype_policy)
    return {
        "module": "keras" if kind is DTypePolicy else "keras.dtype_policies",
        "class_name": kind.__name__,
        "config": dtype_policy.get_config(),
        "registered_name": None,
    }


KINDS: dict[str, Any] = {
    kind.__name__: kind for kind in (DTypePolicy, DTypePolicyMap, QuantizedDTypePolicy)
}
"""Classes of policies by name."""


def deserialize(config: Mapping[str, Any]) -> Any:
    """The policy, or the map of some, that `serialize` described.

    Raises:
        NotImplementedError: for quantization that is not here.
    """
    options = config["config"]
    if "mode" in options:  # each has a class of its own in Keras 3
        return QuantizedDTypePolicy(options["mode"], options.get("source_name"))
    return KINDS.get(str(config.get("class_name")), DTypePolicy)(**options)
