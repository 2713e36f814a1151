"""The class of layers with one large kernel: what adapts it by factors of low rank."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from funkeras import initializers
from funkeras.functional.low_rank import changed, factors, low_rank
from funkeras.functional.pair import Pair, draw_variables
from funkeras.functional.quantization import SCALE
from funkeras.functional.quantized import spread
from funkeras.layers.layer import Layer
from funkeras.layers.weights import note_form, variables_lock
from funkeras.typing import Array, Config, Identifier, Params, State
from funkeras.variables import Variable

__all__ = ["Adapting"]


class Adapting(Layer):
    """A layer whose kernel may be adapted: `layer.enable_lora(4)`, or `lora_rank=4` from its start.

    The kernel is then frozen; training changes `lora_kernel_a` and `lora_kernel_b`, and the layer
    computes with `kernel + lora_alpha / lora_rank * a @ b`.
    """

    after = ("lora_rank", "lora_alpha")
    _starts: tuple[Identifier, Identifier] = ("he_uniform", "zeros")
    """The initializers of the factors."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._arguments["lora_alpha"] = self._arguments["lora_alpha"] or self.lora_rank

    @property
    def _adapted(self) -> str:
        """The name of the weight that is adapted."""
        return "embeddings" if "embeddings_initializer" in self.signature.parameters else "kernel"

    def _building(self) -> tuple[Any, dict[str, Any]]:
        """The function that makes its pair, adapted if it is to be, and what this takes."""
        build, given = super()._building()
        if not self._arguments["lora_rank"]:
            return build, given
        constraint = f"{self._adapted}_constraint"
        if (rule := self._arguments[constraint]) is not None:
            raise ValueError(f"{constraint} must be None where factors adapt it, got {rule!r}")
        return partial(self._adapted_pair, build), given

    def _adapted_pair(self, build: Any, **given: Any) -> Pair:
        rank, alpha = self._arguments["lora_rank"], self._arguments["lora_alpha"]
        return low_rank(build(**given), rank, alpha, [self._adapted], *self._starts)

    @property
    def lora_enabled(self) -> bool:
        """Whether its kernel is adapted; as in Keras, from when it is built."""
        return self.built and bool(self._arguments["lora_rank"])

    def enable_lora(
        self,
        rank: int,
        lora_alpha: float | None = None,
        a_initializer: Identifier = "he_uniform",
        b_initializer: Identifier = "zeros",
    ) -> None:
        """Freeze the kernel, and train two factors of that rank whose product changes it.

        A model that was compiled before has to be compiled again before it is trained.

        Args:
            lora_alpha: the product counts `lora_alpha / rank` times; once when left out.

        Raises:
            ValueError: if the layer has a constraint on its kernel, is not built, or has them.
        """
        if not self.built:
            raise ValueError(f"layer {self.name!r} must be built before enable_lora")
        if self.lora_enabled:
            raise ValueError(f"layer {self.name!r} has factors of rank {self.lora_rank} already")
        before = dict(self._arguments)
        self._arguments |= {"lora_rank": rank, "lora_alpha": lora_alpha or rank}
        self._starts = a_initializer, b_initializer
        try:
            pair = self.make_pair()
        except Exception:
            self._arguments = before
            raise
        kernel, *_ = (weight for weight in self.declared_weights() if weight.name == self._adapted)
        new = [w for w in pair.weights(self.input_shape) if w.name in factors(kernel.name)]
        drawn, _ = draw_variables(new, lambda index: initializers.NumpySource())
        params, state = dict(self._params), dict(self._state)
        if kernel.name in params:
            state[kernel.name] = params.pop(kernel.name)
        self._become(pair, {**params, **drawn}, state)

    def _become(self, pair: Pair, params: Params, state: State) -> None:
        """Compute by another pair from now on. Variables of the same name stay the same objects."""
        known = {variable.place: variable for variable in self._variables.values()}
        with jax.ensure_compile_time_eval(), variables_lock:
            self.pair = pair
            self._params, self._state = jax.tree.map(jnp.asarray, (params, state))
            self._variables = {}
            for name, shape, _, trainable, *_ in self.declared_weights():
                if name in known:
                    known[name].trainable = trainable
                    self._variables[name, shape, trainable] = known[name]
            note_form()
        self.lay_out()

    def _whole(self) -> Array:
        """The kernel with what adapts it."""
        params, state = self.own_variables()
        a, b = (params[name] for name in factors(self._adapted))
        scale = self._arguments["lora_alpha"] / self._arguments["lora_rank"]
        kernel = state[self._adapted]
        if kernel.dtype != "int8":
            return changed(kernel, a, b, scale).astype(kernel.dtype)
        (channels,) = (own.channels for own in self.declared_weights() if own.name == self._adapted)
        assert channels is not None
        counts = spread(state[f"{self._adapted}{SCALE}"], channels, kernel.ndim)
        return changed(kernel / counts, a, b, scale)

    def _rule(self, weight: str, suffix: str) -> Any:
        """The penalty or constraint of a weight; the factors have that of their kernel."""
        own = weight in factors(self._adapted)
        return super()._rule(self._adapted if own else weight, suffix)

    def __getattr__(self, name: str) -> Any:
        adapted = self.__dict__.get("_arguments", {}).get("lora_rank")
        if name == f"_{self._adapted}":  # as it was before it was adapted
            return super().__getattr__(self._adapted)
        found = super().__getattr__(name)
        if adapted and isinstance(found, Variable) and found.place == self._adapted:
            return self._whole()
        return found

    def get_config(self) -> Config:
        """The arguments, with those of the factors only where there are some."""
        described = super().get_config()
        if not described["lora_rank"]:
            del described["lora_rank"], described["lora_alpha"]
        return described
