"""Symbolic tensors: what a layer will get, by shape and dtype, before there are arrays."""

from dataclasses import dataclass

from funkeras.typing import Shape

__all__ = ["SymbolicTensor"]


@dataclass(frozen=True, eq=False)
class SymbolicTensor:
    """A place for arrays of one shape and dtype; None is a size that is not known yet."""

    shape: Shape
    dtype: str
    name: str
