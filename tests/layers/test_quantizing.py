"""`quantize` of layers and models: what is kept, told, trained and refused, as in Keras 3.15."""

import pickle

import jax
import numpy as np
import pytest

from funkeras import config, dtype_policies
from funkeras.dtype_policies import DTypePolicy, QuantizedDTypePolicy
from funkeras.layers import Conv1D, Dense, EinsumDense, Embedding, Flatten, Input, TimeDistributed
from funkeras.models import Model, Sequential, clone_model
from funkeras.quantizers import AbsMaxQuantizer, Int8QuantizationConfig

CHANCE = np.random.default_rng(0)
X = CHANCE.normal(size=(8, 5)).astype("float32")
Y = CHANCE.normal(size=(8, 3)).astype("float32")


@pytest.fixture(autouse=True)
def _modern():
    with config.using_dialect("modern"):
        yield


def built(layer, shape=(None, 5)):
    layer.build(shape)
    layer.set_weights([CHANCE.normal(size=w.shape) for w in layer.get_weights()])
    return layer


def net():
    model = Sequential([Dense(4, "relu", input_shape=(5,)), Dense(3)])
    model.compile("adam", "mse")
    return model


def by_numpy(x, kernel):
    """A product of whole numbers: each row of `x` and each column of the kernel has a scale."""
    rows = 127 / (np.abs(x).max(-1, keepdims=True) + np.float32(1e-7))
    columns = 127 / (np.abs(kernel).max(0) + np.float32(1e-7))
    return np.round(x * rows) @ np.round(kernel * columns) / (rows * columns)


def test_a_dense_layer_multiplies_whole_numbers():
    layer = built(Dense(4))
    kernel, bias = layer.get_weights()
    layer.quantize("int8")
    assert [variable.place for variable in layer.weights] == ["bias", "kernel", "kernel_scale"]
    assert [w.dtype.name for w in layer.get_weights()] == ["float32", "int8", "float32"]
    assert [variable.place for variable in layer.trainable_weights] == ["bias"]
    np.testing.assert_array_equal(np.abs(layer.get_weights()[1]).max(0), 127)
    expected = by_numpy(X, kernel) + bias
    np.testing.assert_allclose(layer(X), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(layer(X[:1]), expected[:1], rtol=1e-5, atol=1e-6)
    assert (layer.quantization_mode, layer.dtype_policy) == ("int8", "int8_from_float32")


@pytest.mark.parametrize("equation", ["...a,ba->...b", "abc,dc->abd", "ab...,bc->ac..."])
def test_a_kernel_may_lie_in_any_way(equation):
    # Keras 3.15 cannot quantize those with dots.
    layer = built(EinsumDense(equation, 3 if "." in equation else (None, 3)), (None, 6, 5))
    x = CHANCE.normal(size=(2, 6, 5)).astype("float32")
    (kernel,) = layer.get_weights()
    behind = equation.endswith("...")
    kernel = kernel if behind else kernel.T
    expected = by_numpy(np.moveaxis(x, 1, -1) if behind else x, kernel)
    layer.quantize("int8")
    expected = np.moveaxis(expected, -1, 1) if behind else expected
    np.testing.assert_allclose(layer(x), expected, rtol=1e-4, atol=1e-5)


def test_inputs_may_stay_as_they_are():
    layer = built(Dense(4, use_bias=False))
    (kernel,) = layer.get_weights()
    layer.quantize(config=Int8QuantizationConfig(activation_quantizer=None))
    values, scale = layer.get_weights()
    np.testing.assert_allclose(layer(X), X @ (values / scale), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(values / scale, kernel, atol=0.02)
    again = Dense.from_config(layer.get_config())
    assert again.quantization_config.activation_quantizer is None


def test_derivatives_are_those_of_real_numbers():
    layer = built(Dense(4, use_bias=False))
    layer.quantize("int8")
    values, scale = layer.get_weights()
    slopes = jax.grad(lambda x: layer(x).sum())(X)
    expected = np.broadcast_to((values / scale).sum(-1), X.shape)
    np.testing.assert_allclose(slopes, expected, rtol=1e-5)


def test_layers_before_a_quantized_one_still_train():
    model = net()
    model.quantize("int8", filters=lambda layer: layer is model.layers[-1])
    assert [own.quantization_mode for own in model.layers] == [None, "int8"]
    model.compile("adam", "mse")
    before = model.layers[0].kernel.numpy(), model.layers[1].kernel.numpy()
    model.fit(X, Y, verbose=0)
    assert np.abs(model.layers[0].kernel.numpy() - before[0]).max() > 0
    np.testing.assert_array_equal(model.layers[1].kernel.numpy(), before[1])


def test_a_model_that_was_trained_is_compiled_again():
    model = net()
    model.fit(X, Y, verbose=0)
    before = model.predict(X)
    model.quantize("int8")
    np.testing.assert_allclose(model.predict(X), before, atol=0.05)
    with pytest.raises(RuntimeError, match="compile it again"):
        model.fit(X, Y, verbose=0)


def test_quantized_layers_are_adapted():
    layer = built(Dense(4, use_bias=False))
    layer.quantize("int8")
    before = np.asarray(layer(X))
    layer.enable_lora(2, lora_alpha=4)
    places = [variable.place for variable in layer.weights]
    assert places == ["lora_kernel_a", "lora_kernel_b", "kernel", "kernel_scale"]
    np.testing.assert_array_equal(layer(X), before)
    a, b = (CHANCE.normal(size=shape).astype("float32") for shape in ((5, 2), (2, 4)))
    layer.lora_kernel_a.assign(a)
    layer.lora_kernel_b.assign(b)
    np.testing.assert_allclose(layer(X), before + 2 * X @ a @ b, rtol=1e-4, atol=1e-4)
    values, scale = layer.get_weights()[2:]
    np.testing.assert_allclose(layer.kernel, values / scale + 2 * a @ b, rtol=1e-4, atol=1e-5)


def test_every_other_way_to_the_layer_knows():
    shared = Dense(5)
    x, steps = Input((5,)), Input((2, 5))
    inner = Model(x, shared(x))
    model = Model([x, steps], [inner(x), TimeDistributed(shared)(steps)])
    rows = CHANCE.normal(size=(8, 2, 5)).astype("float32")
    model.predict([X, rows])
    model.quantize("int8")
    first, second = model.predict([X, rows])
    np.testing.assert_allclose(first, shared(X), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(second, shared(rows), rtol=1e-5, atol=1e-6)


def test_copies_are_quantized_too():
    model = net()
    model.quantize("int8")
    copies = [clone_model(model), pickle.loads(pickle.dumps(model))]
    copies[0].set_weights(model.get_weights())
    for copy in copies:
        assert copy.layers[0].quantization_mode == "int8"
        np.testing.assert_array_equal(copy.predict(X), model.predict(X))


def test_the_table_of_a_model_tells_the_memory(capsys):
    model = net()
    model.summary()
    model.quantize("int8")
    model.summary()
    # What Keras 3.15 prints, of 32 kernels in eight bits and their scales and biases.
    assert [line for line in capsys.readouterr().out.splitlines() if "Total" in line] == [
        "Total params: 39 (156 B)",
        "Total params: 46 (88 B)",
    ]


def test_layers_that_are_not_quantized_are_named():
    model = Sequential([Conv1D(3, 2, input_shape=(6, 5), name="conv"), Flatten(), Dense(2)])
    with pytest.warns(UserWarning, match="not quantized: conv$"):
        model.quantize("int8")
    assert model.layers[-1].quantization_mode == "int8"
    with pytest.raises(NotImplementedError, match="Conv1D is not quantized"):
        Conv1D(3, 2, dtype="int8_from_float32")


def test_what_cannot_be_quantized_is_refused():
    with pytest.raises(ValueError, match="must be built before quantize"):
        Dense(4).quantize("int8")
    layer = built(Dense(4))
    with pytest.raises(ValueError, match="the mode of quantization is one of"):
        layer.quantize("int9")
    with pytest.raises(NotImplementedError, match="quantized to int8 here, not by 'int4'"):
        layer.quantize("int4")
    with pytest.raises(NotImplementedError, match="not by 'gptq"):
        net().quantize("gptq/4/128")
    with pytest.raises(ValueError, match="needs a mode or a QuantizationConfig"):
        layer.quantize()
    with pytest.raises(ValueError, match="that of config 'int8'"):
        layer.quantize("int4", config=Int8QuantizationConfig())
    with pytest.raises(ValueError, match="float16 does not hold"):
        built(Dense(4, dtype="float16")).quantize("int8")
    layer.quantize("int8")
    with pytest.raises(ValueError, match="is quantized already"):
        layer.quantize("int8")

    class Own(Dense):
        pass

    with pytest.raises(NotImplementedError, match="type_check=False"):
        built(Own(4)).quantize("int8")
    own = built(Own(4))
    own.quantize("int8", type_check=False)
    assert own.quantization_mode == "int8"


def test_policies_tell_how_kernels_are_kept():
    policy = QuantizedDTypePolicy("int8", "mixed_bfloat16")
    assert DTypePolicy("int8_from_mixed_bfloat16") == policy
    assert (policy.variable_dtype, policy.compute_dtype) == ("float32", "bfloat16")
    # What Keras 3.15 writes.
    told = {"mode": "int8", "source_name": "mixed_bfloat16"}
    assert dtype_policies.serialize(policy) == {
        "module": "keras.dtype_policies",
        "class_name": "QuantizedDTypePolicy",
        "config": told,
        "registered_name": None,
    }
    for same in (
        dtype_policies.deserialize(dtype_policies.serialize(policy)),
        pickle.loads(pickle.dumps(policy)),
        QuantizedDTypePolicy.from_config(told),
    ):
        assert (same, same.quantization_mode) == (policy, "int8")
    other = {"class_name": "Int4DTypePolicy", "config": {"mode": "int4/128"}}
    with pytest.raises(NotImplementedError, match="int8 here, not by 'int4/128'"):
        dtype_policies.deserialize(other)
    layer = Embedding(7, 3, dtype=policy)
    assert str(layer(np.array([[1, 2]])).dtype) == "bfloat16"


def test_a_quantizer_with_other_numbers_of_its_own():
    layer = built(Dense(4, use_bias=False))
    (kernel,) = layer.get_weights()
    quantizer = AbsMaxQuantizer(axis=0, value_range=(-15, 15))
    layer.quantize(config=Int8QuantizationConfig(weight_quantizer=quantizer))
    values, scale = layer.get_weights()
    assert np.abs(values).max() == 15
    np.testing.assert_allclose(scale, 15 / (np.abs(kernel).max(0) + 1e-7), rtol=1e-6)
