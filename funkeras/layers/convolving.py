"""What the layers `Conv1D`, `Conv2D` and `Conv3D` have besides others: a convolution to change."""

from typing import Any

from funkeras.layers.adapting import Adapting
from funkeras.layers.layer import Layer
from funkeras.typing import Array

__all__ = ["Convolving"]


class Convolving(Adapting):
    """A convolution, of which a subclass may write the middle, as in Keras 3.

    >>> import funkeras
    >>> class Standardized(funkeras.layers.Conv2D):
    ...     def convolution_op(self, inputs, kernel):
    ...         kernel = kernel / (kernel.value.std(axis=(0, 1, 2)) + 1e-5)
    ...         return super().convolution_op(inputs, kernel)
    """

    inside_call = ("convolution_op",)

    def convolution_op(self, inputs: Any, kernel: Any) -> Array:
        """The inputs convolved with a kernel, without bias and activation."""
        build, arguments = Layer._building(self)  # the kernel that is given has what adapts it
        pair = build(**{**arguments, "use_bias": False, "activation": None})
        return pair.apply({"kernel": kernel}, {}, inputs)[0]

    def inherited_call(self, x: Any, mask: Any, training: bool | None) -> Any:
        """What the built-in layer computes, by the `convolution_op` of a subclass."""
        if not self._overrides("convolution_op"):
            return super().inherited_call(x, mask, training)
        y = self.convolution_op(x, self.kernel)
        if self.use_bias:
            first = self.data_format == "channels_first"
            y = y + self.bias.value.reshape(-1, *(1,) * (y.ndim - 2) if first else ())
        return self.activation(y)
