"""`DTypePolicy`: which types a layer keeps its weights in and computes in, by one name."""

from collections.abc import Mapping
from typing import Any, Self

from funkeras import config

__all__ = ["DTypePolicy", "FloatDTypePolicy", "deserialize", "get", "serialize"]

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


def get(identifier: Any) -> DTypePolicy:
    """The policy of a name, a configuration or a policy; None is that of new layers.

    Raises:
        ValueError: for anything else.
    """
    if isinstance(identifier, Mapping):
        return deserialize(identifier)
    if identifier is None or isinstance(identifier, str):
        return DTypePolicy(identifier)
    raise ValueError(f"a dtype policy is a name or a configuration, got {identifier!r}")


def serialize(dtype_policy: DTypePolicy) -> dict[str, Any]:
    """A policy as files have it.

    >>> deserialize(serialize(DTypePolicy("float16")))
    'float16'
    """
    return {
        "module": "keras",
        "class_name": "DTypePolicy",
        "config": dtype_policy.get_config(),
        "registered_name": None,
    }


def deserialize(config: Mapping[str, Any]) -> DTypePolicy:
    """The policy that `serialize` described."""
    return DTypePolicy(**config["config"])
