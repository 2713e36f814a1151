"""`pair_of`: a pair from a plain `init` and `apply`, as research code writes them."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax

from funkeras import initializers
from funkeras.functional.pair import Pair, Weight, at
from funkeras.functional.shapes import Shapes
from funkeras.typing import Key, Params, PyTree, State

__all__ = ["pair_of"]


def pair_of(init: Callable[..., Any], apply: Callable[..., Any]) -> Pair:
    """A pair from the two functions themselves, where no weights are declared one by one.

    `init(key, input_shape)` gives nested dicts of arrays, the parameters; or two of them,
    parameters and state. `apply(params, x)` gives the output; with a state, `apply(params, state,
    x)` gives the output and the state that follows. It gets those of `training`, `key` and `mask`
    that it names.

    >>> from funkeras.functional import output_shape
    >>> def init(key, input_shape):
    ...     return {"factor": jax.numpy.ones(input_shape[-1])}
    >>> net = pair_of(init, lambda params, x: params["factor"] * x)
    >>> params, state = net.init(jax.random.key(0), (None, 3))
    >>> params["factor"].shape, output_shape(net, (None, 3))
    ((3,), (None, 3))
    """
    offered = ("training", "key", "mask")
    wanted = [name for name in offered if name in inspect.signature(apply).parameters]

    def weights(input_shape: Shapes) -> Iterator[Weight]:
        drawn: list[Any] = []  # once, whatever the number of weights: they may be tied

        def made(source: initializers.Source) -> tuple[Params, State]:
            if not drawn:
                drawn.append(both(init(source.key(), input_shape)))
            return drawn[0]

        paths: list[list[str]] = []  # noted on the way: jax gives dicts back in another order

        def leaves(key: Key) -> list[list[Any]]:
            named = [dict(leaves_of(tree)) for tree in both(init(key, input_shape))]
            paths[:] = [list(tree) for tree in named]
            return [list(tree.values()) for tree in named]

        specs = jax.eval_shape(leaves, jax.random.key(0))
        for index, tree in enumerate(specs):
            for path, spec in zip(paths[index], tree, strict=True):

                def values(
                    source: initializers.Source, shape: Any, index: int = index, path: str = path
                ) -> Any:
                    return at(made(source)[index], path)

                initializer = initializers.Drawn(values)
                yield Weight(path, spec.shape, initializer, index == 0, dtype=str(spec.dtype))

    def lifted(
        params: Params,
        state: State,
        x: PyTree,
        *,
        training: bool = False,
        key: Key | None = None,
        mask: PyTree = None,
    ) -> tuple[PyTree, State]:
        flow = {"training": training, "key": key, "mask": mask}
        options = {name: flow[name] for name in wanted}
        if state:
            return apply(params, state, x, **options)
        return apply(params, x, **options), state

    return Pair(lifted, weights)


def both(made: Any) -> tuple[Params, State]:
    """Parameters and state, of what a plain `init` gives."""
    params, state = made if isinstance(made, tuple) else (made, {})
    for tree in (params, state):
        if not isinstance(tree, dict):
            raise TypeError(
                "init gives a dict of arrays by name, or two, parameters and state; "
                f"got {type(tree).__name__}"
            )
    return params, state


def leaves_of(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """`a/b/c` and the leaf there, in the order of the dicts: JAX would sort their keys."""
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from leaves_of(value, f"{prefix}{name}/")
        else:
            yield f"{prefix}{name}", value
