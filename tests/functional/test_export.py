"""Models as programs of `jax.export`: one program for all numbers of rows and of steps."""

import jax
import jaxtyping
import numpy as np
import pytest
from jax import export

from funkeras import layers as L
from funkeras.models import Sequential

CASES = {
    "dense": ("b, 4", [L.Dense(3), L.BatchNormalization(), L.Dropout(0.5)], (4,)),
    "convolution": ("b, 8, 8, 3", [L.Conv2D(4, 3), L.MaxPooling2D(), L.Flatten()], (8, 8, 3)),
    "recurrent": ("b, t, 4", [L.LSTM(3, return_sequences=True), L.GRU(2)], (None, 4)),
    "masked": ("b, t, 4", [L.Masking(), L.Bidirectional(L.SimpleRNN(3))], (None, 4)),
    "distributed": ("b, t, 4", [L.TimeDistributed(L.Dense(3)), L.LayerNormalization()], (None, 4)),
    "images": ("b, 3, 6, 6, 1", [L.ConvLSTM2D(2, 3)], (3, 6, 6, 1)),
}


@pytest.fixture(autouse=True)
def unchecked():
    """Symbols for sizes are no ints, which the checks of shapes in tests ask for."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.mark.parametrize("name", CASES)
def test_a_program_takes_any_number_of_rows_and_steps(name):
    sizes, layers, shape = CASES[name]
    model = Sequential(
        [L.Input(shape), *(type(own).from_config(own.get_config()) for own in layers)]
    )
    variables = model.params, model.state
    program = export.export(jax.jit(lambda p, s, x: model.functional.apply(p, s, x)[0]))(
        *variables, jax.ShapeDtypeStruct(export.symbolic_shape(sizes), "float32")
    )
    for rows, steps in ((2, 5), (3, 7)):
        x = np.random.default_rng(rows).normal(size=(rows, *(s or steps for s in shape)))
        x = x.astype("float32")
        got = program.call(*variables, x)
        np.testing.assert_allclose(got, model.predict(x), rtol=1e-5, atol=1e-6)
