"""The class of layers whose kernels may be in eight bits."""

from functools import partial
from typing import Any

from funkeras.dtype_policies import QuantizedDTypePolicy
from funkeras.functional.pair import Pair
from funkeras.functional.quantization import quantize, quantized
from funkeras.layers.adapting import Adapting
from funkeras.quantizers import AbsMaxQuantizer, Int8QuantizationConfig, QuantizationConfig
from funkeras.typing import Config

__all__ = ["Quantizing"]


class Quantizing(Adapting):
    """A layer that may be quantized: `layer.quantize("int8")`, or `dtype="int8_from_float32"`."""

    after = (*Adapting.after, "quantization_config")
    quantizes = True

    def _building(self) -> tuple[Any, dict[str, Any]]:
        """The function that makes its pair, quantized if it is to be, and what this takes."""
        build, given = super()._building()
        if self.quantization_mode is None:
            return build, given
        return partial(self._quantized_pair, build), given

    def _quantized_pair(self, build: Any, **given: Any) -> Pair:
        own = self._arguments["quantization_config"]
        inputs = AbsMaxQuantizer() if own is None else own.activation_quantizer
        return quantized(build(**given), inputs)

    def quantize(
        self, mode: str | None = None, config: Any = None, *, type_check: bool = True
    ) -> None:
        """Have the kernel in eight bits from now on, and multiply whole numbers.

        Args:
            mode: `"int8"`, the only one that is here.
            config: an `Int8QuantizationConfig`, with quantizers of weights and inputs.
            type_check: whether to refuse a subclass that a user wrote.

        Raises:
            ValueError: if it is not built, is quantized, or computes in float16; for modes that
                Keras does not have.
            NotImplementedError: for Keras's other modes, and for such a subclass.
        """
        given = mode if config is None else config
        chosen = Int8QuantizationConfig() if isinstance(given, str) else given
        if not isinstance(chosen, QuantizationConfig):
            raise ValueError(f"quantize needs a mode or a QuantizationConfig, got {chosen!r}")
        named = given if isinstance(given, str) else chosen.mode
        if mode not in (None, named):
            raise ValueError(f"mode is {mode!r}, that of config {named!r}")
        if not self.built:
            raise ValueError(f"layer {self.name!r} must be built before quantize")
        if self.quantization_mode is not None:
            raise ValueError(f"layer {self.name!r} is quantized already: {self.dtype_policy}")
        if type_check and type(self).__module__ != "funkeras.layers":
            raise NotImplementedError(
                f"{type(self).__name__} may compute otherwise than its base: type_check=False "
                "quantizes it all the same"
            )
        policy = QuantizedDTypePolicy(named, str(self.dtype_policy))
        own = self.pair, self._params, self._state
        variables = quantize(*own, self.input_shape, chosen.weight_quantizer)
        self.dtype_policy = policy
        self._arguments["quantization_config"] = chosen
        self._become(self.make_pair(), *variables)

    def get_config(self) -> Config:
        """The arguments, with how it is quantized only where it is."""
        described = super().get_config()
        if described["quantization_config"] is None:
            del described["quantization_config"]
        return described
