"""`enable_lora` and `lora_rank`: what is trained, kept, told and refused, as in Keras 3.15."""

import pickle

import numpy as np
import pytest

from funkeras import config
from funkeras.layers import Conv2D, Dense, Embedding, Input, TimeDistributed
from funkeras.models import Model, Sequential, clone_model

CHANCE = np.random.default_rng(0)
X = CHANCE.normal(size=(8, 5)).astype("float32")
Y = CHANCE.normal(size=(8, 3)).astype("float32")


@pytest.fixture(autouse=True)
def _modern():
    with config.using_dialect("modern"):
        yield


def net(compiled=True):
    model = Sequential([Dense(4, "relu", input_shape=(5,)), Dense(3)])
    if compiled:
        model.compile("adam", "mse")
    return model


def names(variables):
    return [variable.place for variable in variables]


def test_the_kernel_is_frozen_and_the_factors_train():
    model = net()
    layer = model.layers[0]
    kernel, before = layer.kernel, model.predict(X)
    layer.enable_lora(2)
    np.testing.assert_array_equal(model.predict(X), before)
    assert names(layer.weights) == ["kernel", "bias", "lora_kernel_a", "lora_kernel_b"]
    assert names(layer.trainable_weights) == ["bias", "lora_kernel_a", "lora_kernel_b"]
    assert names(layer.non_trainable_weights) == ["kernel"]
    assert layer._kernel is kernel
    assert not kernel.trainable
    # What Keras 3.15 counts.
    assert (layer.count_params(), model.count_params()) == (42, 57)
    assert sum(v.numpy().size for v in model.trainable_weights) == 37
    old = kernel.numpy()
    model.fit(X, Y, epochs=3, verbose=0)
    a, b = layer.lora_kernel_a.numpy(), layer.lora_kernel_b.numpy()
    np.testing.assert_array_equal(kernel.numpy(), old)
    assert np.abs(b).max() > 0
    np.testing.assert_allclose(layer.kernel, old + a @ b, rtol=1e-5)


def test_after_a_fit_the_model_is_compiled_again():
    model = net()
    model.fit(X, Y, verbose=0)
    model.layers[0].enable_lora(2)
    assert np.isfinite(model.evaluate(X, Y, verbose=0))
    with pytest.raises(RuntimeError, match="compile it again"):
        model.fit(X, Y, verbose=0)
    model.compile("adam", "mse")
    model.fit(X, Y, verbose=0)
    paths = [variable.path.partition("lora_")[2] for variable in model.optimizer.variables]
    assert [path for path in paths if path] == [
        f"kernel_{factor}_{slot}" for factor in "ab" for slot in ("momentum", "velocity")
    ]


def test_other_models_are_left_alone():
    model, other = net(), net()
    model.fit(X, Y, verbose=0)
    other.fit(X, Y, verbose=0)
    slots = model._engine.slots
    other.layers[0].enable_lora(2)
    model.fit(X, Y, verbose=0)
    assert model._engine.step == 2
    assert slots is not model._engine.slots


def test_every_other_way_to_the_layer_knows():
    shared = Dense(5, name="shared")
    x = Input((5,))
    inner = Model(x, shared(x), name="inner")
    steps = Input((2, 5))
    model = Model([x, steps], [Dense(3)(shared(inner(x))), TimeDistributed(shared)(steps)])
    shared.enable_lora(1)
    model.compile("sgd", "mse")
    rows = CHANCE.normal(size=(8, 2, 5)).astype("float32")
    old = shared._kernel.numpy()
    model.fit([X, rows], [Y, rows], verbose=0)
    np.testing.assert_array_equal(shared._kernel.numpy(), old)
    assert np.abs(shared.lora_kernel_b.numpy()).max() > 0
    direct = shared(shared(X))
    np.testing.assert_allclose(inner.predict(X), shared(X), rtol=1e-5)
    hidden = Model(x, shared(inner(x))).predict(X)
    np.testing.assert_allclose(hidden, direct, rtol=1e-5, atol=1e-6)


def test_penalties_are_those_of_the_factors():
    layer = Dense(4, kernel_regularizer="l2", lora_rank=2, lora_alpha=1)
    layer.build((None, 5))
    layer.set_weights([CHANCE.normal(size=w.shape) for w in layer.get_weights()])
    _, _, a, b = layer.get_weights()
    expected = 0.01 * (a**2).sum(), 0.01 * (b**2).sum()
    np.testing.assert_allclose(layer.losses, expected, rtol=1e-5)


def test_low_policies_keep_the_factors_in_float32():
    layer = Dense(4, dtype="mixed_bfloat16", lora_rank=2)
    y = layer(X)
    assert str(y.dtype) == "bfloat16"
    assert {str(variable.dtype) for variable in layer.weights} == {"float32"}
    half = Dense(4, dtype="float16", lora_rank=2)
    assert str(half(X).dtype) == "float16"
    assert [str(variable.dtype) for variable in half.weights] == ["float16"] * 2 + ["float32"] * 2


def test_copies_have_the_factors_too():
    model = net()
    model.layers[0].enable_lora(2, lora_alpha=5)
    model.set_weights([CHANCE.normal(size=w.shape) for w in model.get_weights()])
    copies = [clone_model(model), pickle.loads(pickle.dumps(model))]
    copies[0].set_weights(model.get_weights())
    for copy in copies:
        assert (copy.layers[0].lora_rank, copy.layers[0].lora_alpha) == (2, 5)
        np.testing.assert_allclose(copy.predict(X), model.predict(X), rtol=1e-5)


def test_configs_tell_of_factors_only_where_there_are_some():
    layer = Dense(4)
    layer.build((None, 5))
    assert "lora_rank" not in layer.get_config()
    layer.enable_lora(2)
    told = layer.get_config()
    assert (told["lora_rank"], told["lora_alpha"]) == (2, 2)


def test_a_file_of_whole_kernels_leaves_the_factors_able_to_train(tmp_path):
    model = net()
    model.layers[0].enable_lora(2)
    model.fit(X, Y, epochs=3, verbose=0)
    model.save(tmp_path / "net.keras")
    from funkeras.models import load_model

    loaded = load_model(tmp_path / "net.keras")
    np.testing.assert_allclose(loaded.predict(X), model.predict(X), rtol=1e-5)
    own = loaded.layers[0]
    assert not own.lora_kernel_b.numpy().any()
    assert own.lora_kernel_a.numpy().any()


def test_own_variables_are_stored_whole():
    layer = Dense(4, lora_rank=2)
    layer.build((None, 5))
    layer.set_weights([CHANCE.normal(size=w.shape) for w in layer.get_weights()])
    store = {}
    layer.save_own_variables(store)
    kernel, _, a, b = layer.get_weights()
    assert [*store] == ["0", "1"]
    np.testing.assert_allclose(store["0"], kernel + a @ b, rtol=1e-5)
    layer.load_own_variables(store)
    np.testing.assert_allclose(layer.kernel, kernel + a @ b, rtol=1e-5)


def test_what_cannot_be_adapted_is_refused():
    with pytest.raises(ValueError, match="must be built before enable_lora"):
        Dense(4).enable_lora(2)
    layer = Conv2D(4, 3, lora_rank=2)
    layer.build((None, 6, 6, 2))
    with pytest.raises(ValueError, match="has factors of rank 2 already"):
        layer.enable_lora(2)
    bounded = Embedding(4, 3, embeddings_constraint="non_neg")
    bounded.build((None, 2))
    with pytest.raises(ValueError, match="embeddings_constraint must be None"):
        bounded.enable_lora(2)
    assert not bounded.lora_enabled
    assert bounded.embeddings.shape == (4, 3)


def test_a_subclass_with_a_call_of_its_own_computes_with_the_factors():
    class Doubled(Dense):
        def call(self, x):
            return 2 * super().call(x)

    layer = Doubled(4, use_bias=False)
    layer.build((None, 5))
    layer.enable_lora(2)
    layer.set_weights([CHANCE.normal(size=w.shape) for w in layer.get_weights()])
    kernel, a, b = layer.get_weights()
    np.testing.assert_allclose(layer(X), 2 * X @ (kernel + a @ b), rtol=1e-4, atol=1e-5)
