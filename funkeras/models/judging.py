"""Losses that are part of the graph: they close over its tensors, or take gradients in it."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax

from funkeras import config
from funkeras.functional.combinators import named
from funkeras.functional.pair import Pair
from funkeras.functional.shapes import stand_in_for
from funkeras.symbolic import NoGraphError, SymbolicTensor, building, is_symbolic
from funkeras.tracing import Operation, trace
from funkeras.typing import Shape
from funkeras.variables import Flow, flowing, noting

__all__ = ["Judged", "judged"]


class Judged(NamedTuple):
    """A net that computes losses too.

    Fields:
        pair: from inputs and targets to outputs and scores.
        inside: numbers of the outputs whose loss it computes.
    """

    pair: Pair
    inside: tuple[int, ...] = ()


def judged(model: Any, losses: Sequence[Callable[..., Any] | None]) -> Judged | None:
    """The model with those of its losses that need its graph, if any does.

    Raises:
        ValueError: if a loss needs weights of a layer that the model does not have.
    """
    shapes = [tensor.shape for tensor in model.outputs]
    inside = tuple(
        number
        for number, (loss, shape) in enumerate(zip(losses, shapes, strict=True))
        if loss is not None and _needs_graph(loss, shape)
    )
    if not inside:
        return None
    targets, scores = [], []
    for number in inside:
        name = f"{model.output_names[number]}_target"
        target = SymbolicTensor(shapes[number], config.floatx(), name=name)
        loss: Any = losses[number]
        targets.append(target)
        with building():
            scores.append(loss(target, model.outputs[number]))
    ends = [*model.fed, *targets], [*model.outputs, *scores]
    found = trace(*ends)
    layers = [callee for callee in found.owners if not isinstance(callee, Operation)]
    for layer in layers:
        if layer not in model.layers and (layer.params or layer.state):
            raise ValueError(
                f"a loss of {model.name!r} needs the layer {layer.name!r}, whose weights are not "
                "among those of the model"
            )
    pair = model.at_rest(model.pair_between(*ends))
    return Judged(named(pair, model.name), inside)


def _needs_graph(loss: Callable[..., Any], shape: Shape) -> bool:
    """Whether a loss of arrays comes upon tensors of the graph, or asks for gradients in it."""

    def trial(true: Any, pred: Any) -> Any:
        value = loss(true, pred)
        if is_symbolic(value):
            raise NoGraphError
        return value

    spec = stand_in_for(shape, 8, config.floatx())
    try:
        with noting(), flowing(Flow()):
            jax.eval_shape(trial, spec, spec)
    except NoGraphError:
        return True
    except AttributeError as error:
        return "_keras_" in str(error)  # what only tensors of a graph have: `_keras_history`
    except Exception:  # whatever else is wrong, the real targets will say
        return False
    return False
