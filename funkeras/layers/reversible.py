"""The class of `ReversibleEmbedding`: one call looks vectors up, another leads back from them."""

from typing import Any

import jax

from funkeras.functional.arguments import Arguments
from funkeras.functional.embedding import REVERSE, is_reverse
from funkeras.functional.pair import Pair
from funkeras.layers.calling import written_inputs
from funkeras.layers.quantizing import Quantizing
from funkeras.layers.weights import dtypes_of
from funkeras.typing import Params, PyTree, State

__all__ = ["Reversible"]


class Reversible(Quantizing):
    """`ReversibleEmbedding`: `layer(x, reverse=True)` gives scores of words for vectors."""

    def _run(self, x: Any, *others: Any, **named: Any) -> Any:
        """Look vectors up, or lead back from them."""
        reverse = (*others, named.pop(REVERSE, False))[0]
        x = written_inputs(self, (x,), {REVERSE: True} if reverse else {})
        return super()._run(x, **named)

    def compute_output_shape(self, input_shape: Any, reverse: bool = False) -> Any:
        """Shape of the output for that input."""
        return super().compute_output_shape({REVERSE: input_shape} if reverse else input_shape)

    def make_pair(self) -> Pair:
        """The pair of this layer's arguments; where it computes low, the way back may do better."""
        pair = super().make_pair()
        build, given = self._building()
        plain = build(**given)
        better = self.casts and self._arguments["reverse_dtype"] is not None
        low = dtypes_of(self.dtype_policy)[1]

        def run(params: Params, state: State, x: PyTree, **flow: Any) -> tuple[PyTree, State, Any]:
            x = {REVERSE: x.first} if isinstance(x, Arguments) else x
            if not (better and is_reverse(x)):
                return pair.run(params, state, x, **flow)
            params, x = jax.tree.map(lambda a: a.astype(low), (params, x))
            return plain.run(params, state, x, **flow)

        return pair.rerun(run)
