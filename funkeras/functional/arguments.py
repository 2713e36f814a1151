"""`Arguments`: what a call with several arguments is given, as one input of a pair."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax

__all__ = ["Arguments"]


@jax.tree_util.register_pytree_node_class
class Arguments:
    """Positional and named arguments: a tree of the arrays among them, beside what is fixed.

    >>> x = jax.numpy.ones(2)
    >>> given = Arguments.of((x,), {"scale": 3.0}, lambda own: hasattr(own, "shape"))
    >>> shapes = jax.tree.map(lambda own: own.shape, given)
    >>> shapes.args, shapes.named
    (((2,),), {'scale': 3.0})
    """

    def __init__(
        self, leaves: Sequence[Any], form: Any, fixed: tuple[tuple[int, Any], ...]
    ) -> None:
        self.leaves = tuple(leaves)
        self.form = form
        self.fixed = tuple(fixed)

    @classmethod
    def of(
        cls, args: Sequence[Any], named: Mapping[str, Any], is_array: Callable[[Any], bool]
    ) -> "Arguments":
        """Those arguments, with the leaves for which `is_array` says so as arrays."""
        leaves, form = jax.tree.flatten((tuple(args), dict(named)))
        fixed = tuple((place, leaf) for place, leaf in enumerate(leaves) if not is_array(leaf))
        return cls([leaf for leaf in leaves if is_array(leaf)], form, fixed)

    def _given(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        leaves, fixed = iter(self.leaves), dict(self.fixed)
        places = range(self.form.num_leaves)
        return jax.tree.unflatten(
            self.form, [fixed[place] if place in fixed else next(leaves) for place in places]
        )

    @property
    def args(self) -> tuple[Any, ...]:
        """The positional ones."""
        return self._given()[0]

    @property
    def named(self) -> dict[str, Any]:
        """Those that were given by name."""
        return self._given()[1]

    @property
    def first(self) -> Any:
        """The first of them."""
        args, named = self._given()
        return [*args, *named.values()][0]

    def tree_flatten(self) -> tuple[tuple[Any, ...], Any]:
        """For JAX."""
        return self.leaves, (self.form, self.fixed)

    @classmethod
    def tree_unflatten(cls, kept: Any, leaves: Sequence[Any]) -> "Arguments":
        """For JAX."""
        return cls(leaves, *kept)

    def __repr__(self) -> str:
        args, named = self._given()
        told = [*map(repr, args), *(f"{name}={value!r}" for name, value in named.items())]
        return f"({', '.join(told)})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Arguments) and (self.leaves, self.form, self.fixed) == (
            other.leaves,
            other.form,
            other.fixed,
        )

    def __hash__(self) -> int:
        return hash((self.leaves, self.form))
