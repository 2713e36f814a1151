"""First values of kernels as Keras 1 drew them, so that `np.random.seed` gives its numbers."""

from typing import Any

from funkeras import config, initializers
from funkeras.typing import Identifier

__all__ = ["kernel_start", "recurrent_start"]

IN_OUT = (-2, -1)


def kernel_start(
    initializer: Identifier, channels_first: bool, transposed: bool = False
) -> Identifier:
    """The initializer of a kernel (*space, in, out), or (*space, out, in) of a transposed layer.

    In the classic dialect it draws the kernel as Keras 1 stored it, which tells how many inputs
    and outputs it joins: filters first where channels are, of a sequence with an axis of size 1.
    On Theano, which convolves, the kernel is the drawn one turned round.
    """
    if config.dialect() != "classic":
        return initializer
    turned = config.backend() == "theano"

    def draw(source: initializers.Source, shape: tuple[int, ...]) -> Any:
        xp, space, last = source.xp, shape[:-2], shape[-2:]
        if len(space) == 1:
            stored, ordering = (*space, 1, *last), "th"
        elif channels_first:
            stored, ordering = (*(last if transposed else last[::-1]), *space), "th"
        else:
            stored, ordering = (*space, *(last[::-1] if transposed else last)), "tf"
        values = initializers.draw(initializer, source, stored, dim_ordering=ordering)
        if len(space) == 1:
            values = values[:, 0]
        elif channels_first:
            values = xp.moveaxis(values, (0, 1), IN_OUT if transposed else IN_OUT[::-1])
        elif transposed:
            values = values.swapaxes(*IN_OUT)
        return xp.flip(values, tuple(range(len(space)))) if turned else values

    return initializers.Drawn(draw)


def recurrent_start(kernels: tuple[Identifier, Identifier]) -> tuple[Identifier, Identifier]:
    """The initializers of a gate's two kernels in Keras 1, whose LSTM and GRU drew both alike.

    One that was chosen for the second kernel, other than the default, holds.
    """
    first, second = kernels
    default = type(initializers.get(second)) is type(initializers.get("orthogonal"))
    return (first, first) if default else kernels
