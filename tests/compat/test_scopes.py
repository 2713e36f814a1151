"""Scopes, `Function`, `Operation` and state trees of Keras 3."""

import jax
import numpy as np
import pytest

from funkeras import config, initializers, layers, ops
from funkeras.compat.scopes import Function, Operation, RematScope, StatelessScope
from funkeras.layers import BatchNormalization, Dense, Dropout, Input
from funkeras.models import Model, Sequential
from funkeras.symbolic import SymbolicTensor

X = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")


@pytest.fixture(autouse=True)
def keras_3():
    config.set_dialect("modern")


def test_variables_have_other_values_in_a_stateless_scope():
    model = Sequential([Input((4,)), Dense(2, use_bias=False)])
    kernel = model.trainable_variables[0]
    before = kernel.numpy()
    with StatelessScope(state_mapping=[(kernel, np.ones((4, 2)))]) as scope:
        y = model(X)
        kernel.assign(np.zeros((4, 2)))
        zeros = model(X)
    np.testing.assert_allclose(y, np.repeat(X.sum(1, keepdims=True), 2, axis=1), rtol=1e-5)
    np.testing.assert_array_equal(zeros, np.zeros((8, 2)))
    np.testing.assert_array_equal(scope.get_current_value(kernel), np.zeros((4, 2)))
    np.testing.assert_array_equal(kernel.numpy(), before)


def test_a_stateless_scope_holds_under_transformations():
    model = Sequential([Input((4,)), Dense(1, use_bias=False)])
    kernel = model.trainable_variables[0]

    def loss(value):
        with StatelessScope(state_mapping=[(kernel, value)]):
            return ops.sum(model(X))

    slope = jax.jit(jax.grad(loss))(kernel.value)
    np.testing.assert_allclose(slope[:, 0], X.sum(0), rtol=1e-5)


def test_statistics_are_told_and_not_kept():
    layer = BatchNormalization()
    layer.build((None, 4))
    with StatelessScope() as scope:
        layer(X, training=True)
    told = scope.get_current_value(layer.moving_mean)
    np.testing.assert_allclose(told, 0.01 * X.mean(0), rtol=1e-4, atol=1e-7)
    np.testing.assert_array_equal(layer.moving_mean.numpy(), np.zeros(4))


def test_losses_are_collected():
    class Adding(layers.Layer):
        def call(self, x):
            self.add_loss(ops.sum(x))
            return 2 * x

    adding = Adding()
    adding(X)
    for collects in (True, False):
        with StatelessScope(collect_losses=collects) as scope:
            adding(X, training=True)
        np.testing.assert_allclose(scope.losses, [X.sum()] * collects, rtol=1e-5)
    with pytest.raises(TypeError, match="variables first"):
        StatelessScope(state_mapping=[(1.0, 2.0)])


def test_a_function_is_what_lies_between_tensors():
    x = Input((4,))
    hidden = Dense(3, activation="relu")(x)
    function = Function(inputs=x, outputs=[hidden, ops.sum(hidden, axis=-1)])
    h, total = function(X)
    np.testing.assert_allclose(total, np.asarray(h).sum(-1), rtol=1e-5)
    assert [t.shape for t in function(Input((4,)))] == [(None, 3), (None,)]
    assert (len(function.inputs), len(function.outputs)) == (1, 2)


def test_an_operation_is_recorded():
    class Power(Operation):
        def __init__(self, n, name=None):
            super().__init__(name=name)
            self.n = n

        def call(self, x):
            return x**self.n

    x = Input((4,))
    y = Power(3)(x)
    assert isinstance(y, SymbolicTensor)
    np.testing.assert_allclose(Model(x, y)(X), X**3, rtol=1e-5)
    np.testing.assert_array_equal(Power(2)(X), X**2)
    with pytest.raises(NotImplementedError, match="Operation must define call"):
        Operation()(X)


def test_a_remat_scope_chooses_layers_and_changes_no_number():
    with RematScope():
        one = Dense(2)
        with RematScope("list_of_layers", layer_names=["b"]):
            a, b = Dense(2, name="a"), Dense(2, name="b")
        with RematScope(None):
            none = Dense(2)
    assert [layer.remat for layer in (one, a, b, none, Dense(2))] == [
        True,
        False,
        True,
        False,
        False,
    ]
    one.build((None, 4))
    np.testing.assert_allclose(one(X), X @ one.kernel.numpy(), rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="mode must be one of"):
        RematScope("all")


def compiled():
    model = Sequential(
        [Input((4,)), Dense(3, name="d"), BatchNormalization(name="b"), Dropout(0.5), Dense(2)],
        name="s",
    )
    model.compile("adam", "mse", metrics=["mae"])
    return model


def test_a_state_tree_takes_a_model_back():
    model = compiled()
    options = {"batch_size": 4, "verbose": 0, "shuffle": False}
    model.fit(X, X[:, :2], **options)
    tree = model.get_state_tree("numpy_array")
    assert set(tree) == {
        "trainable_variables",
        "non_trainable_variables",
        "optimizer_variables",
        "metrics_variables",
    }
    shapes = jax.tree.map(np.shape, tree)
    assert shapes["trainable_variables"]["s"]["d"] == {"kernel": (4, 3), "bias": (3,)}
    assert set(shapes["non_trainable_variables"]["s"]["b"]) == {"moving_mean", "moving_variance"}
    assert shapes["optimizer_variables"]["adam"]["s_d_kernel_momentum"] == (4, 3)
    assert set(shapes["metrics_variables"]) == {"loss", "mae"}
    losses = [model.fit(X, X[:, :2], **options).history["loss"]]
    model.set_state_tree(tree)
    assert int(model.optimizer.iterations) == 2
    for got, wanted in zip(*map(jax.tree.leaves, (model.get_state_tree(), tree)), strict=True):
        np.testing.assert_array_equal(got, wanted)
    assert np.isfinite(losses).all()


def test_a_state_tree_that_does_not_fit_changes_nothing():
    model = compiled()
    model.fit(X, X[:, :2], verbose=0)
    before = model.get_state_tree("numpy_array")
    kernel = {"kernel": np.zeros((4, 3))}
    for wrong, message in (
        ({"trainable_variables": {"s": {"d": kernel, "x": 1.0}}}, "no s/x among its trainable"),
        ({"trainable_variables": {"s": {"d": {**kernel, "bias": np.zeros(4)}}}}, r"shape \(3,\)"),
        ({"trainable_variables": {"s": {"d": kernel}}, "others": {}}, "has no others"),
    ):
        with pytest.raises(ValueError, match=message):
            model.set_state_tree(wrong)
    jax.tree.map(np.testing.assert_array_equal, model.get_state_tree("numpy_array"), before)
    with pytest.raises(ValueError, match="value_format must be one of"):
        model.get_state_tree("torch")


def test_smaller_names_of_keras_3():
    lstm = layers.LSTM(2, stateful=True)
    lstm(np.ones((1, 3, 4), "float32"))
    lstm.reset_state()
    assert not np.asarray(lstm.states[0].value).any()
    again = initializers.GlorotUniform(seed=3).clone()
    assert again.get_config()["seed"] == 3
    assert Dense(3).symbolic_call(Input((4,))).shape == (None, 3)
