"""The class of `SpectralNormalization`: Keras 3's order of weights, and its kernel."""

from typing import Any

from funkeras import symbolic
from funkeras.functional.pair import Weight
from funkeras.functional.wrappers import kernel_name, of_norm_one
from funkeras.layers.layer import Layer
from funkeras.typing import Array
from funkeras.variables import current_flow

__all__ = ["Normalizing"]


class Normalizing(Layer):
    """`SpectralNormalization`: called on arrays in training it keeps the kernel of norm 1."""

    def _kernel(self) -> Any:
        """The variable that is divided by its norm."""
        inner = self._arguments["layer"]
        found = {variable.place: variable for variable in inner.weights}
        return found[kernel_name(found, inner.name)]

    def normalized_weights(self) -> tuple[Array, Array]:
        """The next vector of the power method, and the kernel divided by its norm."""
        vector = self.state["vector_u"]
        kernel, vector = of_norm_one(self._kernel().value, vector, self.power_iterations)
        return vector, kernel

    def declared_weights(self) -> list[Weight]:
        """As in Keras 3: the kernel, the vector of the power method, then the other weights."""
        declared = super().declared_weights()
        if not declared or self.dialect != "modern":
            return declared
        first = [f"layer/{self._kernel().place}", "vector_u"]
        return sorted(declared, key=lambda own: (*first, own.name).index(own.name))

    def _run(self, x: Any, *others: Any, training: bool | None = None, **named: Any) -> Any:
        """As any layer."""
        alone = not symbolic.is_symbolic(x) and current_flow() is None
        if not (training and alone):
            return super()._run(x, *others, training=training, **named)
        self.ensure_built(symbolic.shapes_of(x))
        _, kernel = self.normalized_weights()
        y = super()._run(x, *others, training=True, **named)
        self._kernel().assign(kernel)
        return y
