"""Run with genuine Keras: what each layer of a file of drawn cases gives.

Arguments: the package, `keras` or `tf_keras`, and a pickle of cases as dicts, in the place of which
comes one of results: for each case what was raised, or names, shapes and values of weights, the
output, its mask, the gradients of a sum over it, the penalties and the weights after the call.
"""

import importlib
import pickle
import sys

import numpy as np

LAYER = "@layer"


def made(keras, name, kwargs):
    """The layer of that name, with the layers inside."""

    def inner(value):
        if isinstance(value, tuple | list) and value and value[0] == LAYER:
            return made(keras, *value[1:])
        return [inner(part) for part in value] if isinstance(value, list) else value

    return getattr(keras.layers, name)(**{k: inner(value) for k, value in kwargs.items()})


def factors(shape):
    """A factor for each entry of an output."""
    size = int(np.prod(shape))
    return np.cos(np.arange(size)).reshape(shape).astype("float32")


def as_list(value):
    """Parts one after another: states of a chain of cells are lists in a list."""
    if not isinstance(value, list | tuple):
        return [value]
    return [inner for part in value for inner in as_list(part)]


def is_real(a):
    return "float" in str(a.dtype)


def plain(shape):
    """A shape, or several, as tuples."""
    parts = shape.as_list() if hasattr(shape, "as_list") else shape
    return tuple(p if isinstance(p, int | None) else plain(p) for p in parts)


def of_keras(keras, layer, args, call):
    """Output, gradients and the state that follows, in Keras 3 on JAX."""
    import jax
    import jax.numpy as jnp

    trained = [v.value for v in layer.trainable_variables]
    others = [v.value for v in layer.non_trainable_variables]

    def objective(trained, args):
        y, after = layer.stateless_call(trained, others, *args, **call)
        parts = [part for part in as_list(y) if is_real(part)]
        return sum(jnp.sum(part * factors(part.shape)) for part in parts), (y, after)

    if all(is_real(a) for a in jax.tree.leaves(args)):
        gradient = jax.grad(objective, (0, 1), has_aux=True)
        (of_weights, of_args), (y, after) = gradient(trained, args)
        return y, of_weights, jax.tree.leaves(of_args), after
    of_weights, (y, after) = jax.grad(objective, has_aux=True)(trained, args)
    return y, of_weights, None, after


def of_tf(keras, layer, args, call):
    """The same in tf_keras, for layers of one input."""
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(args)
        y = layer(*args, **call)
        total = tf.reduce_sum(y * factors(y.shape))
    of_weights, of_args = tape.gradient(total, (layer.trainable_variables, args))
    return y, of_weights, of_args, layer.non_trainable_variables


def run(keras, case):
    """What one case gives."""
    layer = made(keras, case["name"], case["kwargs"])
    convert = keras.ops.convert_to_tensor if hasattr(keras, "ops") else keras.backend.constant
    inputs = case["inputs"] if case["host"] else [convert(a) for a in case["inputs"]]
    x = inputs[0] if case["single"] else inputs
    call = dict(case["call"])
    if case["masks"]:
        call["mask"] = [convert(a) for a in case["masks"]]
        call["mask"] = call["mask"][0] if case["single"] else call["mask"]
    if case["training"] is not None:
        call["training"] = case["training"]
    shape = tuple(x.shape) if case["single"] else [tuple(a.shape) for a in x]
    args = [x]
    if case["apart"]:
        args = x
    output = layer(*args, **call)
    if case["host"]:
        return {"y": [np.asarray(output)], "shape": plain(tuple(output.shape))}
    values = drawn_weights(layer)
    layer.set_weights(values)
    output = layer(*args, **call)
    mask = getattr(as_list(output)[0], "_keras_mask", None)
    layer.set_weights(values)
    runner = of_keras if hasattr(keras, "ops") else of_tf
    y, of_weights, of_x, after = runner(keras, layer, args, call)
    return {
        "names": [weight.name for weight in layer.weights],
        "weights": values,
        "y": [np.asarray(part) for part in as_list(y)],
        "mask": None if mask is None else np.asarray(mask),
        "of_weights": [None if g is None else np.asarray(g) for g in of_weights],
        "of_x": of_x and [None if g is None else np.asarray(g) for g in of_x],
        "after": [np.asarray(a) for a in after if is_real(a)],
        "shape": plain(layer.compute_output_shape(*(shape if case["apart"] else [shape]))),
    }


def drawn_weights(layer):
    """Values for the weights of a layer, away from those that they start with."""
    rng, values = np.random.default_rng(0), []
    for weight in layer.weights:
        value = np.asarray(weight)
        if value.dtype.kind == "f":
            drawn = rng.normal(0, 0.5, value.shape)
            drawn = np.abs(drawn) + 0.2 if "variance" in weight.name else drawn
            value = drawn.astype(value.dtype)
        values.append(value)
    return values


def main(package, path):
    """Run all cases; one that fails does not stop the others."""
    keras = importlib.import_module(package)
    with open(path, "rb") as file:
        cases = pickle.load(file)
    results = []
    for case in cases:
        try:
            results.append(run(keras, case))
        except Exception as error:
            results.append({"error": type(error).__name__, "message": str(error)})
    with open(path, "wb") as file:
        pickle.dump(results, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
