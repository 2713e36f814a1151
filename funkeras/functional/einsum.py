"""A dense layer whose product is any Einstein sum of the input and one kernel."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from jaxtyping import Shaped

from funkeras import activations, initializers
from funkeras.functional.checks import no_mask
from funkeras.functional.pair import Pair, Weight, layer, stateless
from funkeras.functional.quantized import contracted
from funkeras.typing import Array, Identifier, Params, Shape

__all__ = ["einsum_dense"]

EQUATION = re.compile(
    r"(?P<before>(?:\.\.\.)?)(?P<x>[a-zA-Z]+)(?P<behind>(?:\.\.\.)?),(?P<kernel>[a-zA-Z]+)"
    r"->(?P=before)(?P<y>[a-zA-Z]+)(?P=behind)"
)
"""Letters for the axes of input, kernel and output; `...` on one side stands for any others."""


class Letters(NamedTuple):
    """An equation in parts: what stands for the axes of input, kernel and output."""

    x: str
    kernel: str
    y: str
    before: bool
    behind: bool


def _letters(equation: str) -> Letters:
    found = EQUATION.fullmatch(equation.replace(" ", ""))
    if found is None or (found["before"] and found["behind"]):
        raise ValueError(
            "equation must be of the form ab,bc->ac, ...b,bc->...c or ab...,bc->ac..., "
            f"got {equation!r}"
        )
    letters = Letters(
        found["x"], found["kernel"], found["y"], bool(found["before"]), bool(found["behind"])
    )
    for name in letters.y:
        if name not in letters.x + letters.kernel:
            raise ValueError(f"axis {name!r} of the output is in neither operand of {equation!r}")
    for name in letters.kernel:
        if name not in letters.x + letters.y:
            raise ValueError(f"axis {name!r} of the kernel has no size: {equation!r}")
    return letters


def _sizes(letters: Letters, input_shape: Shape, wanted: Sequence[int | None]) -> dict[str, Any]:
    """The size of each letter, from the input and from the sizes of the output."""
    more = len(input_shape) - len(letters.x)
    if more < 0 or (more and not (letters.before or letters.behind)):
        axes = f"{'at least ' if letters.before or letters.behind else ''}{len(letters.x)} axes"
        raise ValueError(f"expected an input of {axes}, got shape {tuple(input_shape)}")
    sizes = dict(zip(letters.x, input_shape[more if letters.before else 0 :], strict=False))
    # The batch, whose size is not given, is the output's first letter or within the dots.
    named = letters.y if letters.before else letters.y[1:]
    if len(named) != len(wanted):
        raise ValueError(
            f"output_shape must have a size for each of {', '.join(named)}, got {tuple(wanted)}"
        )
    for name, size in zip(named, wanted, strict=True):
        known = sizes.get(name)
        if known is not None and size not in (None, known):
            raise ValueError(f"axis {name!r} is {known} in the input and {size} in the output")
        sizes[name] = size if known is None else known
    return sizes


@layer("EinsumDense")
def einsum_dense(
    equation: str,
    output_shape: int | Sequence[int | None],
    activation: Identifier = None,
    bias_axes: str | None = None,
    kernel_initializer: Identifier = "glorot_uniform",
    bias_initializer: Identifier = "zeros",
) -> Pair:
    """`activation(einsum(equation, x, kernel) + bias)`.

    Args:
        equation: as `jax.numpy.einsum` takes it, with `...` at one end for axes that stay.
        output_shape: sizes of the output's letters, without the batch; None for those of the input.
        bias_axes: the output's letters that the bias has its own numbers for; None for no bias.

    >>> from funkeras.functional import output_shape
    >>> output_shape(einsum_dense("abc,cde->abde", (None, 2, 4)), (None, 7, 3))
    (None, 7, 2, 4)
    """
    letters = _letters(equation)
    wanted = (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
    if unknown := set(bias_axes or "") - set(letters.y):
        raise ValueError(f"bias_axes must be of the output {letters.y!r}, got {sorted(unknown)}")
    activate = activations.get(activation)
    start = _counting(kernel_initializer, letters)

    def weights(input_shape: Shape) -> Iterator[Weight]:
        sizes = _sizes(letters, input_shape, wanted)
        shape = tuple(sizes[name] for name in letters.kernel)
        if None in shape:
            raise ValueError(f"the sizes of {letters.kernel!r} must be known, got {shape}")
        more = len(input_shape) - len(letters.x)
        channels = [letters.kernel.index(n) if n in letters.kernel else None for n in letters.y]
        others = [None] * more
        channels = [*others, *channels] if letters.before else [*channels, *others]
        yield Weight("kernel", shape, start, channels=tuple(channels))
        if bias_axes:
            first = min(letters.y.index(name) for name in bias_axes)
            own = [sizes[name] if name in bias_axes else 1 for name in letters.y[first:]]
            behind = [] if letters.before else [1] * more
            yield Weight("bias", (*own, *behind), bias_initializer)

    def apply(params: Params, x: Shaped[Array, "*n"]) -> Shaped[Array, "*m"]:
        y = contracted(equation, x, params["kernel"])
        return activate(y + params["bias"] if bias_axes else y)

    return stateless(apply, weights, no_mask)


def _counting(initializer: Identifier, letters: Letters) -> Any:
    """The initializer, told which axes of the kernel are inputs, where it counts them."""
    found: Any = initializers.get(initializer)
    options = found.get_config() if isinstance(found, initializers.Initializer) else {}
    if options.get("input_axes", ()) is not None:
        return found
    outputs = [place for place, name in enumerate(letters.kernel) if name in letters.y]
    inputs = [place for place in range(len(letters.kernel)) if place not in outputs]
    return type(found)(**{**options, "input_axes": inputs, "output_axes": outputs})
