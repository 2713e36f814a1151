"""What scripts of Keras 1 and 2 do to the lists of a model: layers, outputs, names of metrics."""

import numpy as np
import pytest

from funkeras import backend as K
from funkeras.layers import Dense, Input
from funkeras.models import Model, Sequential

X = np.random.RandomState(0).normal(size=(4, 3)).astype("float32")


def chain():
    return Sequential([Dense(4, input_shape=(3,)), Dense(5), Dense(6)])


def graph():
    inputs = Input((3,))
    return Model(inputs, Dense(6)(Dense(5)(Dense(4)(inputs))))


def product(weights):
    """What layers without an activation and biases give."""
    x = X
    for kernel in weights[::2]:
        x = x @ kernel
    return x


@pytest.mark.parametrize("make", [chain, graph])
def test_a_model_ends_where_its_outputs_are_said_to_be(make):
    model = make()
    kept = model.get_weights()[:4]
    model.outputs = [model.layers[-2].output]
    np.testing.assert_allclose(model.predict(X), product(kept), rtol=1e-5, atol=1e-6)
    assert model.output_shape == (None, 5)
    for own, weight in zip(model.get_weights(), kept, strict=True):
        np.testing.assert_array_equal(own, weight)
    assert model(Input((3,))).shape == (None, 5)


def test_outputs_of_a_chain_are_those_of_one_of_its_layers():
    model = chain()
    with pytest.raises(ValueError, match="must be those of one of its layers"):
        model.outputs = [Input((3,))]


def test_layers_may_be_popped_off_the_list_and_others_added():
    model = chain()
    kept = model.get_weights()[:4]
    model.layers.pop()
    model.outputs = [model.layers[-1].output]
    model.layers[-1].outbound_nodes = []
    assert model.layers[-1].outbound_nodes == []
    model.add(Dense(2, use_bias=False))
    expected = product([*kept, model.layers[-1].get_weights()[0]])
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-5, atol=1e-6)
    model.compile("sgd", "mse")
    model.fit(X, np.zeros((4, 2)), verbose=0)
    assert [w.shape for w in model.get_weights()] == [(3, 4), (4,), (4, 5), (5,), (5, 2)]


def test_tensors_appended_to_those_of_metrics_are_shown_by_the_names_appended():
    inputs = Input((3,))
    hidden = Dense(4, name="hidden")(inputs)
    model = Model(inputs, Dense(2)(hidden))
    for _ in range(2):  # also after it is compiled again
        model.compile("sgd", "mse", metrics=["mae"])
        for name, tensor in (("squares", K.mean(K.square(hidden))), ("largest", K.max(hidden))):
            model.metrics_names.append(name)
            model.metrics_tensors.append(tensor)
    assert model.metrics_names == ["loss", "mean_absolute_error", "squares", "largest"]
    kernel = model.get_layer("hidden").get_weights()[0]
    numbers = model.evaluate(X, np.zeros((4, 2)), verbose=0)
    np.testing.assert_allclose(numbers[2:], [np.mean((X @ kernel) ** 2), np.max(X @ kernel)], 1e-5)
    logs = model.fit(X, np.zeros((4, 2)), epochs=2, verbose=0).history
    assert list(logs) == model.metrics_names
    assert len(logs["squares"]) == 2
