"""Runs a stored case of genuine Keras through the pair of its layer."""

import ast
import json
from functools import cache
from inspect import signature
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from funkeras import config, spellings
from funkeras import functional as F
from funkeras.functional.pair import flat_weights, nest

__all__ = ["Golden", "exceptions", "load"]

GOLDEN = Path(__file__).parent / "golden"
DIALECTS = {"keras-1.2.2": "classic", "keras-2.2.4": "keras2"}
OF_THE_CLASS = ("input_dim", "input_length", "input_shape", "W_regularizer", "b_regularizer")
"""Arguments of the Keras class that no pair takes: they do not change what it computes."""


@cache
def _arrays(group):
    with np.load(GOLDEN / f"{group}.npz") as archive:
        return {key: archive[key] for key in archive.files}


def load(group):
    """All stored cases of a group."""
    rows = json.loads((GOLDEN / f"{group}.json").read_text())
    return [Golden(group, row) for row in rows]


def exceptions(group):
    """Case id to `ARRAY: reason`, an array that is not to be reproduced."""
    return json.loads((GOLDEN / "exceptions.json").read_text()).get(group, {})


class Golden:
    """One case: what Keras computed, and the pair that should compute the same."""

    def __init__(self, group, row):
        self.group, self.row, self.id = group, row, row["id"]
        call = ast.parse(row["ctor"], mode="eval").body
        self.name = call.func.id
        self.args = tuple(ast.literal_eval(value) for value in call.args)
        self.kwargs = {
            word.arg: ast.literal_eval(word.value)
            for word in call.keywords
            if word.arg not in OF_THE_CLASS
        }

    def __str__(self):
        return self.id

    @property
    def dialect(self):
        """Whose default values hold. tf_keras kept Keras 2's hard sigmoid."""
        if "hard_sigmoid" in self.row["ctor"] and self.row["generation"].startswith("tf_keras"):
            return "keras2"
        return DIALECTS.get(self.row["generation"], "modern")

    @property
    def precision(self):
        """float32, or float64 where the order of a long sum decides the last digits of float32:
        in convolutions, and where nobody measured how much that is.
        """
        return "float64" if "Conv" in self.name or self.row["difference"] is None else "float32"

    def pair(self):
        """The layer, from the spelling of its generation."""
        builder = F.builders.find(spellings.current_name(self.name))
        with config.using_dialect(self.dialect), config.using_backend(self.row["backends"][0]):
            given = spellings.bind(self.name, signature(builder), self.args, self.kwargs)
            return builder(**given)

    def stored(self, name):
        """The arrays of that name, or nothing; those of weights laid out as ours."""
        keys = self.row["arrays"].get(name)
        if keys is None:
            return None
        values = [_arrays(self.group)[key] for key in keys]
        return [self._laid_out(value) for value in values] if "weights" in name else values

    def _laid_out(self, kernel):
        """A kernel of Keras 1 as (*space, in, out), of a deconvolution as (*space, out, in).

        `th` ones come as (out, in, *space), those of sequences with an axis of size 1, and
        Theano turns every kernel round.
        """
        if "convolution" not in self.name.lower() or kernel.ndim < 3:
            return kernel
        if self.name.endswith("1D"):
            kernel = kernel[:, 0]
        elif self.kwargs.get("dim_ordering") == "th":
            kernel = np.moveaxis(kernel, (1, 0), (-2, -1))
        if self.name == "Deconvolution2D":
            kernel = kernel.swapaxes(-1, -2)
        turned = self.row["backends"] == ["theano"]
        return np.flip(kernel, range(kernel.ndim - 2)) if turned else kernel

    def masked(self, x):
        """What the layer gets: the input and no mask, or both as `Masking` gives them."""
        if self.row["pre"] is None:
            return x, None
        assert self.row["pre"] == "Masking(0.)"
        mask = jnp.any(x != 0, axis=-1)
        return x * mask[..., None].astype(x.dtype), mask

    def run(self, training, precision):
        """Everything that the layer computes: outputs, gradients, and the weights that follow."""
        pair = self.pair()
        x = jnp.asarray(self.stored("input")[0], precision)
        declared = list(flat_weights(pair, x.shape))
        params, state = pair.init(jax.random.key(0), x.shape)
        for weight, value in zip(declared, self.stored("weights") or [], strict=True):
            assert weight.shape == value.shape
            nest(
                params if weight.trainable else state,
                weight.name,
                jnp.asarray(value, precision),
            )

        def loss(params, x):
            x, mask = self.masked(x)
            key = jax.random.key(0)
            y, after = pair.apply(params, state, x, training=training, key=key, mask=mask)
            return jnp.sum(jnp.square(y)), (y, after)

        gradients = jax.value_and_grad(loss, argnums=(0, 1), has_aux=True)
        (_, (y, after)), (by_weight, by_input) = jax.jit(gradients)(params, x)
        phase = "train_" if training else ""
        return {
            f"{phase}output": [y],
            f"{phase}grad_input": [by_input],
            f"{phase}grad_weights": [by_weight[w.name] for w in declared if w.trainable],
            **(
                {"weights_after_train_call": [{**params, **after}[w.name] for w in declared]}
                if training
                else {}
            ),
        }

    def check(self, leave=()):
        """Compare every stored array but some with ours, in each phase of which any is stored."""
        names = set(self.row["arrays"]) - set(leave)
        phases = [False, True] if any("train" in name for name in names) else [False]
        for training in phases:
            with jax.enable_x64(True):
                computed = self.run(training, self.precision)
                single = self.run(training, "float32") if self.unmeasured else computed
            measured = [
                error(rough, got)
                for name in names & set(computed)
                for rough, got in zip(single[name], computed[name], strict=True)
            ]
            cost = max(measured) if self.unmeasured else self.row["difference"] or 0
            for name in names & set(computed):
                for got, expected in zip(computed[name], self.stored(name), strict=True):
                    assert got.shape == expected.shape, name
                    assert error(got, expected) <= max(1e-6, 4 * cost), name

    @property
    def unmeasured(self):
        """Whether the case is of float32 only, so that ours has to tell what float32 costs."""
        return self.row["precision"] == "float32"


def error(got, expected):
    """Largest difference relative to 1 + |value|."""
    got, expected = np.asarray(got, np.float64), np.asarray(expected, np.float64)
    return (np.abs(got - expected) / (1 + np.abs(expected))).max(initial=0)
