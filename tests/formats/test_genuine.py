"""Genuine Keras loads each whole model that is written here, and predicts the same."""

import importlib.util
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import jax
import numpy as np
import pytest

from funkeras import backend as K
from funkeras import config, layers, optimizers
from funkeras.layers import (
    GRU,
    LSTM,
    Activation,
    BatchNormalization,
    Bidirectional,
    Concatenate,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Input,
    MaxPooling2D,
    TimeDistributed,
)
from funkeras.models import Model, Sequential

PROGRAM = Path(__file__).parent / "genuine.py"
KERAS = os.environ.get("KERAS_PYTHON") or (importlib.util.find_spec("keras") and sys.executable)
TOLERANCE = 1e-5
"""Of values relative to 1 + |value|: float32 against float32."""

MODELS = {}


def example(*shapes, below=None, dialect="classic"):
    """Enter a function that makes a model; `shapes` are those of its inputs, without the batch."""

    def enter(make):
        MODELS[make.__name__] = (make, shapes, below, dialect)
        return make

    return enter


@example((8, 8, 3))
def sequential():
    return Sequential(
        [
            Conv2D(4, (3, 3), activation="relu", input_shape=(8, 8, 3), kernel_regularizer="l2"),
            BatchNormalization(),
            MaxPooling2D((2, 2)),
            Dropout(0.5),
            Flatten(),
            Dense(5, kernel_constraint="max_norm"),
            layers.LeakyReLU(0.2),
            Activation("softmax"),
        ]
    )


@example((6,), (6,))
def graph_with_shared_layers():
    a, b = Input((6,), name="a"), Input((6,), name="b")
    shared = Dense(4, activation="tanh", name="shared")
    left, right = shared(a), shared(b)
    joined = Concatenate(name="joined")([left, right])
    more = Dense(3, name="more")(joined)
    return Model([a, b], [more, shared(Dense(6)(joined)), layers.Multiply()([left, right])])


@example((6,), (6,))
def nested_models():
    x = Input((6,))
    inner = Model(x, [Dense(3, name="one")(x), Dense(2, name="two")(x)], name="inner")
    tower = Sequential([Dense(6, input_shape=(6,), activation="relu"), Dense(6)], name="tower")
    a, b = Input((6,)), Input((6,))
    outputs = [*inner(tower(a)), *inner(b), *inner(tower(b)), tower(b)]
    return Model([a, b], [Dense(2)(Concatenate()(outputs)), outputs[4], outputs[3], outputs[-1]])


@example((6,), dialect="modern")
def graphs_in_a_row():
    x, y = Input((6,)), Input((4,))
    first = Model(x, Dense(4, activation="tanh")(x))
    return Sequential([first, Dense(4), Model(y, Dense(3)(y)), Activation("relu")])


@example((3, 6))
def graphs_in_a_row_over_time():
    x = Input((6,))
    inner = Sequential([Model(x, Dense(4, activation="tanh")(x)), Dense(2)])
    return Sequential([TimeDistributed(inner, input_shape=(3, 6)), layers.SimpleRNN(2)])


@example((3, 6))
def a_graph_over_time():
    x = Input((6,))
    return Sequential([TimeDistributed(Model(x, Dense(4)(x)), input_shape=(3, 6)), Flatten()])


@example((5,), below=9)
def recurrent():
    return Sequential(
        [
            Embedding(9, 4, input_length=5, mask_zero=True),
            Bidirectional(LSTM(3, return_sequences=True)),
            GRU(4, return_sequences=True),
            TimeDistributed(Dense(3, activation="relu")),
            layers.SimpleRNN(3, go_backwards=True, return_sequences=True),
            layers.RNN(layers.StackedRNNCells([layers.LSTMCell(3), layers.GRUCell(2)])),
        ]
    )


@example((4, 8, 8, 2))
def images_over_time():
    return Sequential(
        [
            TimeDistributed(Conv2D(3, 3), input_shape=(4, 8, 8, 2)),
            TimeDistributed(BatchNormalization()),
            layers.ConvLSTM2D(2, 3, return_sequences=True),
            Bidirectional(layers.ConvLSTM2D(2, 3)),
        ]
    )


@example((3,), dialect="modern")
def normalized():
    normalization = layers.Normalization()
    normalization.adapt(np.random.RandomState(0).randn(50, 3).astype("float32") * 4 + 2)
    x = Input((3,))
    return Model(x, Dense(2)(layers.Rescaling(0.5, offset=1.0)(normalization(x))))


@example((6,), below=9, dialect="modern")
def looked_up():
    x = Input((6,), dtype="int32")
    table = layers.IntegerLookup(vocabulary=[3, 1, 7], output_mode="multi_hot")
    return Model(x, Dense(2)(table(x)))


@example((5, 4), (7, 4), dialect="modern")
def attention():
    a, b = Input((5, 4)), Input((7, 4))
    y = layers.MultiHeadAttention(2, 3)(a, b)
    y = layers.LayerNormalization()(layers.Add()([a, y]))
    y = layers.GroupedQueryAttention(2, 4, 2)(y, b)
    return Model([a, b], layers.Attention(use_scale=True)([y, b]))


@example((5, 4), (6, 4), dialect="modern")
def states_handed_on():
    a, b = Input((5, 4)), Input((6, 4))
    _, *states = LSTM(3, return_state=True)(a)
    return Model([a, b], LSTM(3)(b, initial_state=states))


@example((5, 4), dialect="modern")
def of_today():
    x = Input((5, 4))
    y = layers.SpectralNormalization(Dense(6))(x)
    y = layers.SpatialDropout1D(0.3)(layers.PReLU(shared_axes=[1])(y))
    y = layers.SeparableConv1D(3, 2, activation="gelu")(y)
    return Model(x, layers.GroupNormalization(3)(y))


@example((4,), below=7, dialect="modern")
def words_and_back():
    x = Input((4,))
    words = layers.ReversibleEmbedding(7, 3, tie_weights=False, logit_soft_cap=2.0)
    return Model(x, words(Dense(3)(words(x)), reverse=True))


@example((4, 6), (4, 6))
def operations_between_layers():
    a, b = Input((4, 6)), Input((4, 6))
    x = Dense(6)(a) * 2 - abs(b) / 3
    inner = Model(a, Dense(3)(a), name="inner")
    y = K.concatenate([inner(x), inner(b)[:, ::2, ...] @ np.ones((3, 3))], axis=1)
    return Model([a, b], [1 - y**2, K.mean(x, axis=1), K.maximum(x, 0.5), inner(a) > 0])


@example((4,), dialect="modern")
def layers_as_activations_and_in_a_pipeline():
    x = Input((4,))
    y = Dense(5, activation=layers.LeakyReLU(0.4))(x)
    y = layers.Pipeline([Dense(3), Dropout(0.5), Dense(4)])(y)
    return Model(x, Dense(2, activation=layers.ReLU(max_value=0.5))(y))


@example((4,), dialect="modern")
def compiled_with_scaled_losses():
    model = Sequential([Dense(5, activation="tanh", input_dim=4), Dense(2)])
    scaled = optimizers.LossScaleOptimizer(optimizers.Adam(0.01), 8.0, dynamic_growth_steps=3)
    model.compile(scaled, "mse")
    chance = np.random.RandomState(3)
    model.fit(chance.rand(6, 4), chance.rand(6, 2), batch_size=2, epochs=2, verbose=0)
    return model


@example((4,), dialect="modern")
def mixed_precision():
    return Sequential(
        [Input((4,)), Dense(6, dtype="mixed_float16", activation="relu"), Dense(2, dtype="float32")]
    )


@example((4,), dialect="modern")
def compiled():
    model = Sequential([Dense(5, activation="relu", input_dim=4), Dense(2)])
    losses = {"loss": "mse", "metrics": ["mae"], "weighted_metrics": ["mse"]}
    model.compile(optimizers.Adam(0.01, clipnorm=1.0), **losses)
    chance = np.random.RandomState(3)
    model.fit(chance.rand(6, 4), chance.rand(6, 2), batch_size=2, epochs=2, verbose=0)
    return model


@example((4,), below=9, dialect="modern")
def compiled_with_rules_by_array():
    model = Sequential([Embedding(9, 3, input_length=4), Flatten(), Dense(5), Dense(2)])
    model.compile(optimizers.Muon(0.01, weight_decay=0.1), "mse")
    chance = np.random.RandomState(3)
    model.fit(chance.randint(0, 9, (6, 4)), chance.rand(6, 2), batch_size=2, epochs=2, verbose=0)
    return model


@example((4,))
def compiled_as_in_keras_2():
    x = Input((4,))
    model = Model(x, [Dense(2, name="a")(x), Dense(1, name="b")(x)])
    model.compile("sgd", {"a": "mse", "b": "mae"}, metrics={"a": ["mse"]}, loss_weights=[1.0, 0.5])
    chance = np.random.RandomState(3)
    model.fit(chance.rand(6, 4), [chance.rand(6, 2), chance.rand(6, 1)], verbose=0)
    return model


@example((4,))
def compiled_with_decay():
    model = Sequential([Dense(5, activation="tanh", input_dim=4), Dense(2)])
    model.compile(optimizers.Adam(lr=0.01, decay=0.1, clipnorm=0.1), "mse", metrics=["mae"])
    chance = np.random.RandomState(3)
    model.fit(chance.rand(6, 4), chance.rand(6, 2), batch_size=2, epochs=2, verbose=0)
    return model


@example((8, 8, 2))
def between_pixels():
    first = layers.UpSampling2D(2, interpolation="bilinear", input_shape=(8, 8, 2))
    return Sequential([first, Conv2D(2, 3)])


STEPS = {
    "compiled.h5": 6,
    "compiled.keras": 6,
    "compiled_with_decay.keras": 6,
    "compiled_with_rules_by_array.keras": 6,
}
"""File → steps that its optimizer has taken."""

OF_KERAS_2 = ("between_pixels.h5", "between_pixels.keras", "images_over_time.h5", "recurrent.h5")
"""Files of which Keras 3 would compute something otherwise, the old `hard_sigmoid` for example."""

OF_TENSORFLOW_1 = ("between_pixels",)
"""Models of which tf.keras would compute something otherwise."""

WRITTEN_FOR_KERAS_3 = ("operations_between_layers",)
"""Models of the classic dialect that are written for Keras 3."""

BOTH = ("looked_up", "mixed_precision", "normalized")
"""Models of the modern dialect that tf.keras has too, and calls as Keras 3 does."""

RUN_BY_TENSORFLOW = ("looked_up",)
"""Models with a layer that genuine Keras 3 has from TensorFlow, whatever the backend."""


def has(package):
    command = [KERAS, "-c", f"import importlib.util as u; assert u.find_spec({package!r})"]
    return bool(KERAS) and not subprocess.run(command, stderr=subprocess.DEVNULL).returncode


def inputs_of(shapes, below):
    chance = np.random.RandomState(1)
    if below is not None:
        return [chance.randint(0, below, (4, *shape)).astype("int32") for shape in shapes]
    return [chance.randn(4, *shape).astype("float32") for shape in shapes]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The folder with the files of all models, what each model predicts, its weights after a step.

    The step is that of models that are compiled, with `tanh` of their predictions as targets.
    """
    folder = tmp_path_factory.mktemp("models")
    expected, trained = {}, {}
    for name, (make, shapes, below, dialect) in MODELS.items():
        np.random.seed(0)
        with config.using_dialect(dialect):
            model, x = make(), inputs_of(shapes, below)
            chance = np.random.RandomState(2)
            model.set_weights([w + 0.1 * chance.rand(*w.shape) for w in model.get_weights()])
            y = jax.tree.leaves(model.predict(x if len(x) > 1 else x[0]))
        targets = y if model.optimizer is not None else ()
        arrays = {f"x{i}": array for i, array in enumerate(x)}
        arrays |= {f"t{i}": np.tanh(array) for i, array in enumerate(targets)}
        np.savez(folder / f"{name}.npz", **arrays)
        for ending in (".h5", ".keras"):
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "(?s).*Keras 3 computes")
                model.save(folder / f"{name}{ending}")
            expected[f"{name}{ending}"] = y
        model.save_weights(folder / f"{name}.weights.h5")
        expected[f"{name}.weights.h5"] = y
        if targets:
            targets = [np.tanh(array) for array in y]
            model.train_on_batch(x[0], targets if len(targets) > 1 else targets[0])
            trained[name] = model.get_weights()
    return folder, expected, trained


def results_of(package, folder, names):
    """What the program says of each file."""
    environment = {**os.environ, "KERAS_BACKEND": "jax", "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment.pop("PYTHONPATH", None)
    command = [KERAS, PROGRAM, package, folder, *names]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def check(package, written, names, trained, refused=()):
    """The files `names` predict, and those of the models `trained` learn, the same there."""
    folder, expected, learned = written
    results = results_of(package, folder, [*names, *refused])
    for name in refused:
        assert "Unrecognized keyword arguments passed to" in str(results.pop(name)), name
    assert {name: what for name, what in results.items() if isinstance(what, str)} == {}
    for name in names:
        compare(name, folder / f"{name}.npz", expected[name])
    for name in trained:
        compare(name, folder / f"{name}.trained.npz", learned[name.partition(".")[0]])
    return results


def compare(name, path, expected):
    with np.load(path) as stored:
        for index, y in enumerate(expected):
            got = stored[f"arr_{index}"]
            assert got.shape == y.shape, name
            error = np.abs(got.astype(float) - y) / (1 + np.abs(y))
            assert error.max() <= TOLERANCE, (name, error.max())


needs_keras = pytest.mark.skipif(
    not KERAS, reason="needs genuine Keras 3, here or in the python $KERAS_PYTHON"
)


@needs_keras
def test_genuine_keras_3_predicts_and_trains_on_as_here_or_refuses(written):
    left_out = {name for name in written[1] if name.startswith(OF_TENSORFLOW_1)} | {*OF_KERAS_2}
    if not has("tensorflow"):
        left_out |= {name for name in written[1] if name.startswith(RUN_BY_TENSORFLOW)}
    trained = [f"{name}.keras" for name in written[2]]
    results = check("keras", written, sorted(written[1].keys() - left_out), trained, OF_KERAS_2)
    assert {name: results[name] for name in STEPS} == STEPS


@pytest.mark.slow
@pytest.mark.skipif(not has("tf_keras"), reason="needs tf_keras beside genuine Keras")
def test_genuine_tf_keras_loads_hdf5_and_predicts_the_same(written):
    of_keras_3 = [name for name, (*_, dialect) in MODELS.items() if dialect == "modern"]
    names = [name for name in MODELS if name not in of_keras_3 or name in BOTH]
    names = [f"{name}.h5" for name in names if name not in (*OF_TENSORFLOW_1, *WRITTEN_FOR_KERAS_3)]
    check("tf_keras", written, names, ["compiled_as_in_keras_2.h5"])


def test_a_model_that_keras_3_computes_otherwise_is_told_of(tmp_path):
    layer = layers.UpSampling2D(2, interpolation="bilinear", input_shape=(4, 4, 1), name="up")
    model = Sequential([layer])
    with pytest.warns(UserWarning, match="Keras 3 computes 'up' otherwise"):
        model.save(tmp_path / "a.keras")
