"""`ReversibleEmbedding`, with results of Keras 3.15 on JAX for the same weights."""

import jax.numpy as jnp
import numpy as np
import pytest

from funkeras import config, losses
from funkeras.layers import Dense, Input, ReversibleEmbedding
from funkeras.models import Model, load_model

TOKENS = np.array([[1, 2, 0, 6]])


@pytest.fixture(autouse=True)
def modern():
    config.set_dialect("modern")


def made(**options):
    layer = ReversibleEmbedding(7, 3, **options)
    layer.build((None, 4))
    shapes = [array.shape for array in layer.get_weights()]
    layer.set_weights([np.random.RandomState(i).randn(*s) for i, s in enumerate(shapes)])
    return layer


@pytest.mark.parametrize(
    ("options", "dtype", "scores"),
    [
        ({}, "float32", [3.7438703, 9.464447, 1.9472518, -0.2321122]),
        ({"tie_weights": False}, "float32", [1.1103786, 0.29984277, -1.4807798, 1.1840749]),
        ({"logit_soft_cap": 0.5}, "float32", [0.49999967, 0.5, 0.49958593, -0.21676047]),
        ({"dtype": "mixed_bfloat16"}, "bfloat16", [3.734375, 9.4375, 1.9375, -0.23242188]),
        (
            {"dtype": "mixed_bfloat16", "reverse_dtype": "float32"},
            *("float32", [3.7351837, 9.432495, 1.9388924, -0.23275757]),
        ),
    ],
)
def test_vectors_are_led_back_to_scores_as_in_keras_3(options, dtype, scores):
    layer = made(**options)
    y = layer(layer(TOKENS), reverse=True)
    assert (y.shape, str(y.dtype)) == ((1, 4, 7), dtype)
    np.testing.assert_allclose(np.ravel(np.asarray(y, "float32"))[:4], scores, rtol=1e-6)
    assert layer.compute_output_shape((None, 4, 3), reverse=True) == (None, 4, 7)


def test_a_model_that_uses_it_both_ways_trains_and_is_saved(tmp_path):
    layer = made()
    tokens = Input((4,), dtype="int32")
    vectors = Dense(3, kernel_initializer="ones")(layer(tokens))
    model = Model(tokens, layer(vectors, reverse=True))
    assert model.count_params() == 33
    model.compile("sgd", losses.SparseCategoricalCrossentropy(from_logits=True))
    history = model.fit(TOKENS, np.array([[1, 2, 3, 4]]), epochs=3, verbose=0).history["loss"]
    wanted = [5.389208793640137, 5.158217430114746, 4.939609527587891]
    np.testing.assert_allclose(history, wanted, rtol=1e-6)
    for name in ("both.keras", "both.h5"):
        model.save(tmp_path / name)
        loaded = load_model(tmp_path / name)
        np.testing.assert_array_equal(model.predict(TOKENS), loaded.predict(TOKENS))


def test_words_are_masked_and_scores_are_not():
    layer = made(mask_zero=True)
    np.testing.assert_array_equal(layer.compute_mask(jnp.asarray(TOKENS)), TOKENS != 0)
    assert layer.pair.mask({"reverse": np.ones((1, 4, 3))}, None) is None
