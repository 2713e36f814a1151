"""Every optimizer against genuine Keras, and what holds for all of them."""

import copy
import json
import pickle
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax import lax

from funkeras import config, optimizers
from funkeras.optimizers import layouts

GOLDEN = Path(__file__).parent / "golden"
CASES = json.loads((GOLDEN / "optimizers.json").read_text())
ARRAYS = np.load(GOLDEN / "optimizers.npz")
VALUES = ARRAYS["values"]
KERAS3 = json.loads((GOLDEN / "optimizers_keras3.json").read_text())
EXCEPTIONS = json.loads((GOLDEN / "exceptions.json").read_text()).get("optimizers", {})

ERAS = {
    "keras-1.2.2": ("classic", "classic"),
    "keras-2.2.4": ("keras2", "keras2"),
    "tf_keras-2.18.0": ("modern", "tf_keras"),
    "keras-3.15.1": ("modern", "keras3"),
}
NETS = {
    "dense": [("dense", "kernel"), ("dense", "bias"), ("dense_1", "kernel"), ("dense_1", "bias")],
    "embedding": [("embedding", "embeddings"), ("dense", "kernel"), ("dense", "bias")],
}
ALL = [(name, dialect) for name in optimizers.registry for dialect in config.DIALECTS]


def made(name):
    """An optimizer with its defaults; Keras has none for those inside another."""
    if name == "LossScaleOptimizer":
        return optimizers.LossScaleOptimizer("sgd")
    if name == "MultiOptimizer":
        parts = {".*bias": optimizers.Adam()}
        return optimizers.MultiOptimizer(optimizers.OptimizerMap(optimizers.SGD(), parts))
    return optimizers.get(name)


def make(case):
    """The optimizer of a case: its constructor call, or its config where that has the defaults."""
    dialect, layout = ERAS[case["generation"]]
    name = case["class"].removeprefix("legacy.")
    with config.using_dialect(dialect):
        if case["ctor"].startswith("legacy."):
            return getattr(optimizers.legacy, name).from_config(case["config"]), "legacy"
        if case["generation"].startswith("tf_keras"):
            return getattr(optimizers, name).from_config(case["config"]), layout
        kwargs = eval(f"dict{case['ctor'][len(name) :]}")
        return getattr(optimizers, name)(**kwargs), layout


def nest(order, arrays):
    tree = {}
    for (layer, weight), array in zip(order, arrays, strict=True):
        tree.setdefault(layer, {})[weight] = jnp.asarray(array)
    return tree


def flat(order, tree):
    return [tree[layer][weight] for layer, weight in order]


def net_loss(net, variant, params, x, y):
    dense = params["dense"]
    if net == "embedding":
        hidden = params["embedding"]["embeddings"][x[:, 0]]
    else:
        hidden = jnp.tanh(x @ dense["kernel"] + dense["bias"])
        dense = params["dense_1"]
    loss = jnp.mean((hidden @ dense["kernel"] + dense["bias"] - y) ** 2)
    if variant == "dense_regularized":
        loss += 0.05 * jnp.sum(params["dense"]["kernel"] ** 2)
    return loss


def constrained(params):
    kernel, bias = params["dense"]["kernel"], params["dense"]["bias"]
    norms = jnp.sqrt(jnp.sum(kernel**2, axis=0, keepdims=True))
    kernel = kernel * jnp.clip(norms, 0, 1.0) / (1e-7 + norms)
    return {**params, "dense": {"kernel": kernel, "bias": bias * (bias >= 0)}}


def expected(case, shapes):
    """Losses, weights after 1, 2 and 16 steps, and the optimizer's arrays."""
    position = case["start"]

    def take(shape):
        nonlocal position
        size = int(np.prod(shape))
        position += size
        return VALUES[position - size : position].reshape(shape)

    losses = take((16,))
    weights = {n: [take(shape) for shape in shapes] for n in (1, 2, 16)}
    return losses, weights, [take(shape) for shape in case["optimizer_shapes"]]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_numbers_are_those_of_genuine_keras(case):
    net = "embedding" if case["variant"] == "embedding" else "dense"
    order = NETS[net]
    start = [ARRAYS[f"{net}_weights_{i}"] for i in range(len(order))]
    losses, weights, state_arrays = expected(case, [w.shape for w in start])
    optimizer, layout = make(case)
    transformation = optimizer.transformation

    @jax.jit
    def train(params, state, x, y):
        loss, gradients = jax.value_and_grad(lambda p: net_loss(net, case["variant"], p, x, y))(
            params
        )
        updates, state = transformation.update(gradients, state, params)
        params = optax.apply_updates(params, updates)
        return loss, constrained(params) if case["variant"] == "dense_constraint" else params, state

    excepted = case["id"] in EXCEPTIONS
    tolerance = 1e-5 if excepted else max(1e-6, 4 * (case["precision"] or 0))

    def close(actual, wanted):
        bound = tolerance * (1 + np.abs(wanted))
        assert np.shape(actual) == np.shape(wanted)
        assert (np.abs(np.asarray(actual, float) - wanted) <= bound).all()

    params = nest(order, start)
    state = transformation.init(params)
    for step in range(16):
        x, y = ARRAYS[f"{net}_x"][step], ARRAYS[f"{net}_y"][step]
        loss, params, state = train(params, state, x, y)
        close(loss, losses[step])
        for actual, wanted in zip(
            flat(order, params), weights.get(step + 1, flat(order, params)), strict=True
        ):
            close(actual, wanted)

    # Keras 1 takes the variables in the order of the layers' names, "dense" before "embedding".
    by_name = layout == "classic" and net == "embedding"
    saved = order[1:] + order[:1] if by_name else order
    arrays = optimizer.state_arrays(state, lambda tree: flat(saved, tree), layout)
    if excepted and case["class"] == "SGD":
        arrays, state_arrays = arrays[:1], state_arrays[:1]
    assert len(arrays) == len(state_arrays)
    for (_, actual), wanted in zip(arrays, state_arrays, strict=True):
        close(actual, wanted)


@pytest.mark.parametrize("row", KERAS3["rules"], ids=lambda row: row["class"])
def test_options_that_only_keras_3_has_give_its_numbers(row):
    with config.using_dialect("modern"):
        optimizer = getattr(optimizers, row["class"])(**row["arguments"])
    transformation = optimizer.transformation
    params = [jnp.asarray(value) for value in KERAS3["start"].values()]
    state = transformation.init(params)
    update = jax.jit(transformation.update)
    for gradients, wanted in zip(KERAS3["gradients"], row["history"], strict=True):
        gradients = [jnp.asarray(g) for g in gradients]
        updates, state = update(gradients, state, params)
        params = optax.apply_updates(params, updates)
        for actual, value in zip(params, wanted, strict=True):
            np.testing.assert_allclose(actual, value, rtol=2e-5, atol=1e-6)
    saved = optimizer.state_arrays(state)
    assert len(saved) == len(row["state"])
    for (_, actual), value in zip(saved, row["state"], strict=True):
        np.testing.assert_allclose(actual, value, rtol=2e-5, atol=1e-6)


def net_params():
    return {"dense": {"kernel": jnp.arange(6.0).reshape(3, 2) / 7, "bias": jnp.ones(2)}}


def run(optimizer, params, steps, start=0, state=None):
    transformation = optimizer.transformation
    state = transformation.init(params) if state is None else state
    for step in range(start, start + steps):
        gradients = jax.tree.map(lambda p, t=step: jnp.cos(p * 3 + t), params)
        updates, state = transformation.update(gradients, state, params)
        params = optax.apply_updates(params, updates)
    return params, state


@pytest.mark.parametrize(("name", "dialect"), ALL)
def test_config_pickle_and_copy_make_an_equal_optimizer(name, dialect):
    with config.using_dialect(dialect):
        optimizer = made(name)
        for part in getattr(optimizer, "optimizers", [optimizer]):
            part.learning_rate = 0.125
        config_text = json.dumps(optimizers.serialize(optimizer))
        from_config = optimizers.get(json.loads(config_text))
    wanted, _ = run(optimizer, net_params(), 2)
    for other in (from_config, pickle.loads(pickle.dumps(optimizer)), copy.deepcopy(optimizer)):
        assert type(other) is type(optimizer)
        assert other.get_config() == optimizer.get_config()
        actual, _ = run(other, net_params(), 2)
        jax.tree.map(np.testing.assert_array_equal, actual, wanted)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_config_is_the_one_that_genuine_keras_writes(case):
    optimizer, layout = make(case)
    ours = optimizer.get_config()
    genuine = dict(case["config"])
    for name in ("jit_compile", "is_legacy_optimizer", "decay" if layout == "legacy" else ""):
        genuine.pop(name, None)
    if case["generation"] == "keras-1.2.2":
        ours.pop("amsgrad", None)
    if layout in ("classic", "keras2", "keras3"):
        assert set(ours) == set(genuine)
    assert {name: ours[name] for name in genuine} == pytest.approx(genuine)


@pytest.mark.parametrize(("name", "dialect"), ALL)
def test_training_resumes_exactly_from_saved_arrays(name, dialect):
    with config.using_dialect(dialect):
        optimizer, other = made(name), made(name)
    middle, state = run(optimizer, net_params(), 3)
    wanted, _ = run(optimizer, middle, 2, 3, state)
    arrays = [array for _, array in optimizer.state_arrays(state)]
    fresh = other.transformation.init(net_params())
    restored = other.load_state_arrays(fresh, arrays)
    actual, _ = run(other, middle, 2, 3, restored)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), actual, wanted)


@pytest.mark.parametrize(("name", "dialect"), ALL)
def test_a_compiled_loop_on_the_device_gives_the_numbers_of_single_steps(name, dialect):
    with config.using_dialect(dialect):
        optimizer = made(name)
    transformation = optimizer.transformation

    def body(step, carry):
        params, state = carry
        gradients = jax.tree.map(lambda p: jnp.cos(p * 3 + step), params)
        updates, state = transformation.update(gradients, state, params)
        return optax.apply_updates(params, updates), state

    params = net_params()
    looped, _ = jax.jit(lambda p, s: lax.fori_loop(0, 4, body, (p, s)))(
        params, transformation.init(params)
    )
    single, _ = run(optimizer, params, 4)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5), looped, single)


def test_a_hyperparameter_change_compiles_nothing():
    optimizer = optimizers.SGD(0.5)
    transformation = optimizer.transformation
    traces = []

    @jax.jit
    def step(gradients, state, hyper, params):
        traces.append(1)
        state = optimizers.with_hyperparameters(state, hyper)
        return transformation.update(gradients, state, params)[0]

    one = jnp.ones(2)
    state = transformation.init(one)
    assert step(one, state, optimizer.values(), one)[0] == -0.5
    optimizer.lr = 0.25
    assert step(one, state, optimizer.values(), one)[0] == -0.25
    assert len(traces) == 1


def test_hyperparameters_are_read_and_set_in_every_spelling():
    optimizer = optimizers.SGD(lr=0.1, momentum=0.5)
    assert float(optimizer.lr) == 0.1
    assert optimizer.lr is optimizer.learning_rate
    optimizer.lr.assign(0.2)
    optimizer.momentum = 0.25
    assert optimizer.values() == {"learning_rate": 0.2, "decay": 0.0, "momentum": 0.25}
    assert optimizer.lr * 2 == 0.4
    assert 1 - optimizer.lr == 0.8
    assert optimizer.lr < 0.3
    assert f"{optimizer.lr:.2f}" == "0.20"
    np.testing.assert_allclose(optimizer.lr.numpy(), np.float32(0.2))
    assert optimizer.lr.get_value().dtype == np.float32


def test_old_positional_order_holds_outside_of_the_modern_dialect():
    with config.using_dialect("classic"):
        assert optimizers.SGD(0.1, 0.9, 1e-3, True).get_config() == {
            "lr": 0.1,
            "momentum": 0.9,
            "decay": 1e-3,
            "nesterov": True,
        }
        assert float(optimizers.RMSprop(0.1, 0.8, 0.5).epsilon) == 0.5
    with config.using_dialect("modern"):
        assert float(optimizers.RMSprop(0.1, 0.8, 0.5).momentum) == 0.5
        assert optimizers.Nadam(0.1, 0.9, 0.99, 1e-7, 0.01).weight_decay == 0.01


def test_an_epsilon_of_none_is_the_fuzz_factor():
    with config.using_dialect("keras2"):
        assert float(optimizers.Adam(epsilon=None).epsilon) == config.epsilon()


def test_the_dialect_of_an_optimizer_is_that_of_its_making():
    with config.using_dialect("modern"):
        optimizer = optimizers.Adagrad(epsilon=1.0)
    with config.using_dialect("classic"):
        _, state = run(optimizer, jnp.zeros(1), 1)
        updates, _ = optimizer(jnp.ones(1), optimizer.transformation.init(jnp.ones(1)), jnp.ones(1))
    assert state.slots["accumulator"] == pytest.approx(1.1)
    assert updates == pytest.approx(-0.001 / np.sqrt(1.1 + 1.0))


def test_half_precision_parameters_keep_their_type_and_learn():
    with config.using_dialect("modern"), jax.numpy_dtype_promotion("strict"):
        for name in optimizers.registry:
            params, state = run(made(name), jnp.ones(4, jnp.bfloat16), 3)
            assert params.dtype == jnp.bfloat16
            for slot in jax.tree.leaves(state.slots):
                assert slot.dtype == jnp.float32


def test_weight_decay_can_pass_over_some_parameters():
    with config.using_dialect("modern"):
        optimizer = optimizers.SGD(1.0, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    params = net_params()
    zeros = jax.tree.map(jnp.zeros_like, params)
    updates, _ = optimizer(zeros, optimizer.transformation.init(params), params)
    np.testing.assert_allclose(updates["dense"]["kernel"], -0.5 * params["dense"]["kernel"])
    np.testing.assert_array_equal(updates["dense"]["bias"], 0)


def test_finalize_gives_the_moving_averages():
    with config.using_dialect("modern"):
        optimizer = optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5)
    transformation = optimizer.transformation
    params, state = jnp.zeros(1), transformation.init(jnp.zeros(1))
    for _ in range(2):
        updates, state = transformation.update(-jnp.ones(1), state, params)
        params = params + updates
    assert float(params[0]) == 2.0
    assert float(optimizer.finalize(params, state)[0]) == 1.5


def test_a_scaled_loss_gives_the_same_step():
    with config.using_dialect("modern"):
        plain, scaled = optimizers.SGD(0.5), optimizers.SGD(0.5, loss_scale_factor=64.0)
    one = jnp.ones(2)
    gradients = jax.grad(lambda p: scaled.scale_loss(jnp.sum(p**2)))(one)
    assert gradients[0] == 128
    updates, _ = scaled(gradients, scaled.transformation.init(one), one)
    wanted, _ = plain(gradients / 64, plain.transformation.init(one), one)
    np.testing.assert_array_equal(updates, wanted)


def test_an_optax_transformation_is_an_optimizer():
    optimizer = optimizers.get(optax.chain(optax.clip(1.0), optax.scale(-0.5)))
    assert isinstance(optimizer, optimizers.Optimizer)
    updates, _ = optimizer(
        jnp.full(2, 3.0), optimizer.transformation.init(jnp.ones(2)), jnp.ones(2)
    )
    np.testing.assert_array_equal(updates, -0.5)
    with pytest.raises(TypeError, match="cannot be written"):
        optimizers.serialize(optimizer)


def test_injected_optax_hyperparameters_are_attributes():
    inner = optax.inject_hyperparams(optax.adam)(learning_rate=0.5)
    optimizer = optimizers.get(optax.chain(optax.clip(10.0), inner))
    params = jnp.ones(2)
    state = optimizer.transformation.init(params)
    optimizer.learning_rate = 0.25
    state = optimizers.with_hyperparameters(state, optimizer.values())
    updates, state = jax.jit(optimizer.transformation.update)(params, state, params)
    np.testing.assert_allclose(updates, -0.25, rtol=1e-5)
    arrays = [array for _, array in optimizer.state_arrays(state)]
    other = optimizers.get(inner)
    with pytest.raises(ValueError, match="arrays of shapes"):
        other.load_state_arrays(other.transformation.init(params), arrays[:2])
    again = optimizers.get(optax.chain(optax.clip(10.0), inner))
    restored = again.load_state_arrays(again.transformation.init(params), arrays)
    jax.tree.map(np.testing.assert_array_equal, restored, state)
    assert float(again.lr) == 0.25


def test_users_subclass_a_built_in_optimizer():
    class Quick(optimizers.Adam):
        """Adam in a hurry."""

        def __init__(self, **kwargs):
            super().__init__(learning_rate=0.5, **kwargs)
            self.note = "mine"

    with config.using_dialect("classic"):
        quick = Quick(beta_1=0.5)
    assert float(quick.epsilon) == 1e-8
    assert quick.note == "mine"
    updates, _ = quick(jnp.ones(1), quick.transformation.init(jnp.ones(1)), jnp.ones(1))
    assert updates == pytest.approx(-0.5)


def test_a_new_rule_is_one_function():
    @optimizers.optimizer("Signed")
    def signed(learning_rate: float = 0.5, power: float = 2.0) -> optimizers.Rule:
        """Steps of one size."""
        return optimizers.Rule(
            lambda h, g, p, s: (-h["learning_rate"] * jnp.sign(g) ** h["power"], {})
        )

    made = optimizers.get({"class_name": "Signed", "config": {"lr": 0.25, "clipvalue": 1.0}})
    assert made.values() == {"learning_rate": 0.25, "decay": 0, "power": 2, "clipvalue": 1}
    updates, _ = made(-jnp.ones(1), made.transformation.init(jnp.ones(1)), jnp.ones(1))
    assert updates == -0.25


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: optimizers.SGD(lr=-0.1), ValueError, "learning_rate must be at least 0, got -0.1"),
        (lambda: optimizers.SGD([0.1, 0.2]), TypeError, r"single number, got shape \(2,\)"),
        (lambda: optimizers.SGD("fast"), TypeError, "single number, got 'fast'"),
        (lambda: optimizers.SGD(lr=float("nan")), ValueError, "learning_rate must be"),
        (lambda: optimizers.SGD(momentum=2), ValueError, r"momentum must be in \[0, 1\]"),
        (lambda: optimizers.SGD(momentun=0.9), TypeError, "did you mean 'momentum'"),
        (lambda: optimizers.SGD(clipnorm=-1.0), ValueError, "clipnorm must be positive"),
        (lambda: optimizers.Adam(gradient_accumulation_steps=0), ValueError, "positive integer"),
        (lambda: optimizers.Adagrad(initial_accumulator_value=-1.0), ValueError, "at least 0"),
        (lambda: optimizers.get("adm"), ValueError, "did you mean"),
        (lambda: optimizers.get(None), TypeError, "optimizer must be"),
        (lambda: optimizers.get(len), TypeError, "optimizer must be"),
        (lambda: optimizers.Optimizer(), TypeError, "has no rule"),
    ],
)
def test_bad_arguments_are_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_only_one_kind_of_clipping_is_taken_by_keras_3():
    with config.using_dialect("modern"), pytest.raises(ValueError, match="only one of"):
        optimizers.SGD(clipnorm=1.0, clipvalue=1.0)


def test_bad_assignments_are_named():
    with config.using_dialect("modern"):
        optimizer = optimizers.SGD()
    with pytest.raises(AttributeError, match="momentum of this SGD is fixed"):
        optimizer.momentum = 0.9
    with pytest.raises(AttributeError, match="nesterov of this SGD is fixed"):
        optimizer.nesterov = True
    with pytest.raises(ValueError, match="at least 0"):
        optimizer.lr = -1.0
    with pytest.raises(ValueError, match=re.escape("unknown hyperparameter 'momentun'")):
        optimizers.with_hyperparameters(
            optimizer.transformation.init(jnp.ones(1)), {"momentun": 1.0}
        )
    with pytest.raises(TypeError, match="needs the parameters"):
        optimizer.transformation.update(
            jnp.ones(1), optimizer.transformation.init(jnp.ones(1)), None
        )


def test_arrays_that_do_not_fit_are_refused_and_nothing_changes():
    with config.using_dialect("modern"):
        optimizer = optimizers.Adam(0.5)
    state = optimizer.transformation.init(net_params())
    arrays = [array for _, array in optimizer.state_arrays(state)]
    arrays[1] = np.float32(0.25)
    for wrong, message in (
        (arrays[:-1], "6 arrays are expected, got 5"),
        ([*arrays[:-1], np.ones(7)], r"velocity/dense/kernel must have shape \(3, 2\), got \(7,\)"),
    ):
        with pytest.raises(ValueError, match=message):
            optimizer.load_state_arrays(state, wrong)
        assert float(optimizer.lr) == 0.5
    loaded = optimizer.load_state_arrays(state, arrays)
    assert float(optimizer.lr) == 0.25
    assert loaded.hyperparameters["learning_rate"] == 0.25
    with pytest.raises(ValueError, match="layout must be one of"):
        optimizer.state_arrays(state, layout="keras9")


def test_an_sgd_without_momentum_takes_the_arrays_that_tf_keras_saves_for_it():
    with config.using_dialect("modern"):
        optimizer = optimizers.SGD()
    state = optimizer.transformation.init(net_params())
    loaded = optimizer.load_state_arrays(state, [np.int64(5), np.ones((3, 2)), np.ones(2)])
    assert loaded.iterations == 5


def test_every_layout_is_listed_for_an_era():
    assert {name for row in layouts.FAMILIES.values() for name in row} == set(layouts.LAYOUTS)
