"""Wrappers around layers that have weights already."""

import numpy as np

from funkeras.layers import BatchNormalization, Dense, Input, TimeDistributed
from funkeras.models import Model


def test_a_trained_model_keeps_its_weights_inside_a_wrapper():
    x = Input((4,))
    inner = Model(x, BatchNormalization()(Dense(3)(x)))
    inner.compile("sgd", "mse")
    inner.fit(np.random.random((20, 4)), np.random.random((20, 3)), epochs=2, verbose=0)
    video = Input((5, 4))
    frames = np.random.random((2, 5, 4))
    each = Model(video, TimeDistributed(inner)(video)).predict(frames)
    np.testing.assert_allclose(each[:, 3], inner.predict(frames[:, 3]), rtol=1e-5, atol=1e-6)
