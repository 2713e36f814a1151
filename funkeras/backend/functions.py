"""`function`, `gradients` and `stop_gradient`: graphs of symbolic tensors as compiled programs."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from funkeras.backend.differentiation import gradient_tensors
from funkeras.backend.lifting import op, spelled
from funkeras.backend.tensors import Update, set_value
from funkeras.programs import Program
from funkeras.symbolic import PHASE, SymbolicTensor, symbol
from funkeras.tracing import trace
from funkeras.typing import Key, Params, PyTree, State
from funkeras.variables import Variable, learning_phase

__all__ = ["Function", "function", "gradients", "stop_gradient"]

ABOUT_COMPILING = ("mode", "profile", "on_unused_input", "allow_input_downcast", "options")
"""Keywords that told Theano or TensorFlow how to compile, which has no bearing here."""


class Function:
    """What computes outputs from inputs, and carries out updates: compiled once per shape.

    Called with the list of the inputs' values it gives the outputs as NumPy arrays, in the form in
    which they were asked for. Variables have the value of the moment. All updates follow from the
    values before the call.

    Args:
        inputs: placeholders, or any other symbolic tensors, inputs and outputs of models among
            them; the learning phase; variables.
        outputs: symbolic tensors, variables or updates: a list, one alone, or a dict.
        updates: variables with their next values, as pairs or from `update`.

    Raises:
        ValueError: if an output needs data that no input gives.
    """

    def __init__(
        self,
        inputs: Any,
        outputs: Any,
        updates: Sequence[Any] | None = None,
        name: str | None = None,
        **options: Any,
    ) -> None:
        if unknown := set(options) - set(ABOUT_COMPILING):
            raise ValueError(
                f"function takes inputs, outputs, updates and name, got {min(unknown)!r}"
            )
        self.name = name
        self.inputs = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
        for given in self.inputs:
            if not isinstance(given, SymbolicTensor | Variable):
                raise TypeError(
                    f"inputs of a function are symbolic tensors, got {type(given).__name__}"
                )
        self._phase = next((place for place, own in enumerate(self.inputs) if own is PHASE), None)
        self._fed = [own for own in self.inputs if own is not PHASE]
        self._changes = [_pair(change) for change in updates or () if change is not None]
        asked = jax.tree.map(self._asked, outputs, is_leaf=lambda node: isinstance(node, Update))
        wanted = (asked, [_followed(value) for _, value in self._changes])
        leaves, self._form = jax.tree.flatten(wanted)
        self._results = leaves
        self._places = [n for n, leaf in enumerate(leaves) if isinstance(leaf, SymbolicTensor)]
        entered = [symbol(own) if isinstance(own, Variable) else own for own in self._fed]
        self._trace = trace(entered, [leaves[place] for place in self._places], named=False)
        self._pair = self._trace.pair()
        self._programs: dict[bool, Program] = {}

    def _asked(self, output: Any) -> Any:
        if isinstance(output, Update):
            self._changes.append(output)
            return _followed(output.value)
        return _followed(output)

    def _program(self, training: bool) -> Program:
        program = self._programs.get(training)
        if program is None:

            def run(
                variables: tuple[Params, State], arrays: PyTree, *, key: Key | None = None
            ) -> PyTree:
                x = arrays[0] if len(arrays) == 1 else arrays
                mask = None if arrays else ()
                return self._pair.run(*variables, x, training=training, key=key, mask=mask)[0]

            program = Program(run, training=training, drawing=training)
            self._programs[training] = program
        return program

    def __call__(self, inputs: Any = (), *others: Any) -> Any:
        """The outputs for these inputs, after which the updates hold."""
        values = list(inputs) if isinstance(inputs, list | tuple) else [inputs, *others]
        if len(values) != len(self.inputs):
            raise ValueError(
                f"the function has {len(self.inputs)} inputs "
                f"({', '.join(own.name for own in self.inputs)}), got {len(values)} values"
            )
        training = bool(learning_phase())
        if self._phase is not None:
            training = bool(np.asarray(values.pop(self._phase)))
        arrays = tuple(_entered(own, value) for own, value in zip(self._fed, values, strict=True))
        found = self._program(training)(self._trace.variables(), arrays)
        leaves = list(self._results)
        for place, array in zip(self._places, found, strict=True):
            leaves[place] = array
        outputs, changes = jax.tree.unflatten(self._form, leaves)
        for (variable, _), value in zip(self._changes, changes, strict=True):
            set_value(variable, value)
        return jax.tree.map(np.array, outputs)  # which scripts may write into

    @property
    def compiles(self) -> int:
        """How many programs were compiled: one for each shape of the inputs, in each phase."""
        return sum(program.compiles for program in self._programs.values())


def _pair(change: Any) -> tuple[Any, Any]:
    if not isinstance(change, tuple | list) or len(change) != 2:
        raise TypeError(
            f"updates are pairs of a variable and its next value, got {type(change).__name__}"
        )
    return change[0], change[1]


def _followed(value: Any) -> Any:
    return symbol(value) if isinstance(value, Variable) else value


def _entered(own: Any, value: Any) -> Any:
    """A value for an input as an array of its dtype, if it has its shape."""
    if hasattr(value, "toarray"):
        value = value.toarray()
    array = value if isinstance(value, jax.Array) else np.asarray(value)
    fits = len(array.shape) == len(own.shape) and all(
        size in (None, given) for size, given in zip(own.shape, array.shape, strict=True)
    )
    if not fits:
        raise ValueError(
            f"input {own.name!r} of a function has shape {own.shape}, got {array.shape}"
        )
    return array.astype(own.dtype)


def function(
    inputs: Any,
    outputs: Any,
    updates: Sequence[Any] | None = None,
    name: str | None = None,
    **options: Any,
) -> Function:
    """The `Function` from inputs to outputs."""
    return Function(inputs, outputs, updates, name, **options)


def gradients(loss: Any, variables: Any) -> list[Any]:
    """The gradients of a sum with respect to symbolic tensors or variables, as symbolic tensors.

    They can be part of a model, of a loss and of other gradients. None stands for the gradient
    with respect to what the loss does not follow from.

    Args:
        loss: a symbolic tensor, whose entries are summed, or a list of them.
        variables: one or a list of them: inputs, outputs of layers, weights, variables.

    Raises:
        TypeError: for arrays: how they were computed is not known; differentiate with `jax.grad`.
    """
    wanted = list(variables) if isinstance(variables, list | tuple) else [variables]
    losses = list(loss) if isinstance(loss, list | tuple) else [loss]
    if len(losses) == 1:
        return gradient_tensors(losses[0], wanted)
    return gradient_tensors(total(*losses), wanted)


@op
def total(*parts: Any) -> Any:
    """The sum of all entries of all parts."""
    return sum(jnp.sum(part) for part in parts)


@spelled
def stop_gradient(variables: Any) -> Any:
    """The same tensors, whose gradients are zero; one, or a list of them."""
    if isinstance(variables, list | tuple):
        return [constant_to_gradients(variable) for variable in variables]
    return constant_to_gradients(variables)


@op
def constant_to_gradients(x: Any) -> Any:
    """`lax.stop_gradient`."""
    return lax.stop_gradient(jnp.asarray(x))
