"""Wrappers around layers that have weights already."""

import numpy as np

from funkeras.layers import BatchNormalization, Dense, Input, TimeDistributed
from funkeras.models import Model, Sequential


def test_a_trained_model_keeps_its_weights_inside_a_wrapper():
    x = Input((4,))
    inner = Model(x, BatchNormalization()(Dense(3)(x)))
    inner.compile("sgd", "mse")
    inner.fit(np.random.random((20, 4)), np.random.random((20, 3)), epochs=2, verbose=0)
    video = Input((5, 4))
    frames = np.random.random((2, 5, 4))
    each = Model(video, TimeDistributed(inner)(video)).predict(frames)
    np.testing.assert_allclose(each[:, 3], inner.predict(frames[:, 3]), rtol=1e-5, atol=1e-6)


def test_a_wrapper_and_the_layer_inside_have_the_same_weights():
    x = np.random.default_rng(0).normal(size=(4, 5, 3)).astype("float32")
    inner = Sequential([Dense(4, input_dim=3), BatchNormalization(), Dense(2)])
    model = Sequential([TimeDistributed(inner, input_shape=(5, 3))])
    model.compile("sgd", "mse")
    before = inner.get_weights()
    model.fit(x, np.ones((4, 5, 2)), epochs=2, verbose=0)
    after = inner.get_weights()
    assert not any(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    np.testing.assert_allclose(inner.predict(x[:, 1]), model.predict(x)[:, 1], rtol=1e-5)
    inner.set_weights([np.zeros_like(own) for own in after])
    np.testing.assert_array_equal(model.predict(x), 0)
    dense = Dense(2)
    TimeDistributed(dense).build((None, 5, 3))  # which builds the layer inside
    assert [own.shape for own in dense.get_weights()] == [(3, 2), (2,)]
