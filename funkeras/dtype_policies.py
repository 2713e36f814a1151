"""`DTypePolicy`: which types a layer keeps its weights in and computes in, by one name."""

import re
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, Self

from funkeras import config

__all__ = [
    "DTypePolicy",
    "DTypePolicyMap",
    "FloatDTypePolicy",
    "deserialize",
    "get",
    "serialize",
]

MIXED = "mixed_"


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

    def get_config(self) -> dict[str, str]:
        """Its argument."""
        return {"name": str(self)}

    @classmethod
    def from_config(cls, config: Mapping[str, str]) -> Self:
        """The policy that a configuration describes."""
        return cls(**config)


FloatDTypePolicy = DTypePolicy


class DTypePolicyMap(MutableMapping[str, DTypePolicy]):
    """Policies by the paths of layers, which may be regular expressions; others have the default.

    As the `dtype` of layers it gives each the policy of its path when the layer is made.

    >>> policies = DTypePolicyMap(policy_map={"dense": "float16", "encoder/.*": "bfloat16"})
    >>> policies["dense"], policies["encoder/query"], policies["decoder"]
    ('float16', 'bfloat16', 'float32')
    """

    def __init__(
        self, default_policy: Any = None, policy_map: Mapping[str, Any] | None = None
    ) -> None:
        if isinstance(default_policy, DTypePolicyMap):
            raise ValueError("default_policy is one policy, got a DTypePolicyMap")
        if policy_map is not None and not isinstance(policy_map, Mapping):
            raise TypeError(f"policy_map is a dict, got {policy_map!r}")
        self._default = None if default_policy is None else _one(default_policy)
        self._policies = {path: _one(policy) for path, policy in (policy_map or {}).items()}

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

    def __getitem__(self, path: str) -> DTypePolicy:
        """The policy under that path, else under the expression that fits it, else the default.

        Raises:
            ValueError: if several expressions fit.
        """
        if path in self._policies:
            return self._policies[path]
        fitting = [pattern for pattern in self._policies if re.fullmatch(pattern, path)]
        if len(fitting) > 1:
            raise ValueError(f"path {path!r} must fit one policy, it fits those of {fitting}")
        return self._policies[fitting[0]] if fitting else self.default_policy

    def __setitem__(self, path: str, policy: Any) -> None:
        """Enter a policy, or its name.

        Raises:
            ValueError: if there is one under that path, or it is none.
        """
        if path in self._policies:
            raise ValueError(f"path {path!r} has the policy {self._policies[path]!r} already")
        self._policies[path] = _one(policy)

    def __delitem__(self, path: str) -> None:
        del self._policies[path]

    def __contains__(self, path: object) -> bool:
        return path in self._policies

    def __iter__(self) -> Iterator[str]:
        return iter(self._policies)

    def __len__(self) -> int:
        return len(self._policies)

    def get_config(self) -> dict[str, Any]:
        """Its arguments, as data."""
        default = None if self._default is None else self._default.name
        policies = {path: serialize(policy) for path, policy in self._policies.items()}
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
    several = isinstance(dtype_policy, DTypePolicyMap)
    return {
        "module": "keras.dtype_policies" if several else "keras",
        "class_name": "DTypePolicyMap" if several else "DTypePolicy",
        "config": dtype_policy.get_config(),
        "registered_name": None,
    }


def deserialize(config: Mapping[str, Any]) -> Any:
    """The policy, or the map of some, that `serialize` described."""
    several = config.get("class_name") == "DTypePolicyMap"
    return (DTypePolicyMap if several else DTypePolicy)(**config["config"])
