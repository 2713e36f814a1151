"""Models that others trained with genuine Keras and published: all load and predict the same."""

import hashlib
import io
import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from funkeras import config, layers
from funkeras.models import Model, Sequential, load_model, model_from_json

GOLDEN = Path(__file__).parents[1] / "golden" / "realmodels"
INDEX = {row["id"]: row for row in json.loads((GOLDEN / "index.json").read_text())}


class ConvDNA(layers.Conv1D):
    """A user's layer, whose config has a key of its own."""

    def __init__(self, *args, seq_length=None, **kwargs):
        super().__init__(*args, **kwargs)


def handicap_preflop(path, folder):
    sizes = [256, 64]
    model = Sequential()
    for index, size in enumerate(sizes):
        model.add(layers.Dense(size, **({} if index else {"input_dim": 52})))
        model.add(layers.Activation("relu"))
        model.add(layers.Dropout(0.5))
    model.add(layers.Dense(1))
    model.load_weights(path)
    return model


def handicap_flop(path, folder):
    with config.using_backend("theano"):
        model = Sequential()
        for index in range(4):
            first = {} if index else {"input_shape": (1, 5, 17)}
            options = {"border_mode": "same", "dim_ordering": "th", "activation": "relu"}
            model.add(layers.Convolution2D(128, 3, 3, **options, **first))
            if index % 2:
                model.add(layers.MaxPooling2D((2, 2), dim_ordering="th"))
                model.add(layers.Dropout(0.25))
        for layer in (
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(1),
        ):
            model.add(layer)
    model.load_weights(path, backend="theano")
    return model


def deepcut(path, folder):
    with config.using_dialect("keras2"):
        chars, types = layers.Input(shape=(21,)), layers.Input(shape=(21,))
        a = layers.SpatialDropout1D(0.15)(layers.Embedding(178, 32)(chars))
        a = layers.BatchNormalization()(a)
        branches = []
        for width in range(1, 13):
            filters = 200 if width <= 8 else 150 if width <= 11 else 100
            x = layers.Conv1D(filters, width, activation="relu")(a)
            x = layers.TimeDistributed(layers.Dense(5))(x)
            branches.append(layers.ZeroPadding1D((0, width - 1))(x))
        merged = layers.Maximum()(branches)
        b = layers.SpatialDropout1D(0.15)(layers.Embedding(12, 12)(types))
        x = layers.BatchNormalization()(layers.Concatenate()([a, merged, b]))
        x = layers.Dense(100, activation="relu")(layers.Flatten()(x))
        model = Model([chars, types], layers.Dense(1, activation="sigmoid")(x))
    model.load_weights(path)
    return model


def chars2vec_50(path, folder):
    hard = {"recurrent_activation": "hard_sigmoid"}
    with config.using_dialect("keras2"):
        first = layers.LSTM(50, return_sequences=True, input_shape=(None, 59), **hard)
        model = Sequential([first, layers.LSTM(50, **hard)])
    model.load_weights(path)
    return model


class ReversedLSTM(layers.LSTM):
    """A user's layer: an LSTM that reads backwards and gives its outputs in the input's order."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **{**kwargs, "go_backwards": True})

    def make_pair(self):
        pair = super().make_pair()

        def run(params, state, x, **flow):
            y, state, mask = pair.run(params, state, x, **flow)
            return y[:, ::-1], state, mask

        return pair.rerun(run)


def rnnmorph_en(path, folder):
    text = (folder / "architecture").read_text()
    model = model_from_json(text, custom_objects={"ReversedLSTM": ReversedLSTM})
    model.load_weights(path)
    return model


BUILT = {
    "chars2vec_50": chars2vec_50,
    "deepcut": deepcut,
    "handicap_flop": handicap_flop,
    "handicap_preflop": handicap_preflop,
    "rnnmorph_en": rnnmorph_en,
}
"""Files of weights only → what builds their model."""


def check(name, path, folder):
    build = BUILT.get(name)
    model = build(path, folder) if build else load_model(path, custom_objects={"ConvDNA": ConvDNA})
    with np.load(GOLDEN / f"{name}.npz") as stored:
        inputs = [stored[key] for key in sorted(stored.files) if key.startswith("x")]
        outputs = [stored[key] for key in sorted(stored.files) if key.startswith("y")]
    got = model.predict(inputs[0] if len(inputs) == 1 else inputs)
    tolerance = INDEX[name]["tolerance"]
    for y, expected in zip(got if isinstance(got, list) else [got], outputs, strict=True):
        np.testing.assert_allclose(y, expected, **tolerance)


@pytest.mark.parametrize(
    "name", [name for name, row in INDEX.items() if (GOLDEN / row.get("copied_as", "-")).is_file()]
)
def test_published_models_predict_as_in_genuine_keras(name, tmp_path):
    check(name, GOLDEN / INDEX[name]["copied_as"], tmp_path)


def member_of(archive, name):
    content = archive.read_bytes()
    if archive.suffix in (".whl", ".zip"):
        with zipfile.ZipFile(io.BytesIO(content)) as opened:
            return opened.read(name)
    with tarfile.open(fileobj=io.BytesIO(content)) as opened:
        return opened.extractfile(name).read()


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [name for name, row in INDEX.items() if not (GOLDEN / row.get("copied_as", "-")).is_file()],
)
def test_large_published_models_predict_as_in_genuine_keras(name, tmp_path):
    row = INDEX[name]
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "-q", "-d", tmp_path / "p"]
    done = subprocess.run([*command, row["requirement"]], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"cannot be downloaded: {done.stderr[-300:]}")
    (archive,) = (tmp_path / "p").iterdir()
    content = member_of(archive, row["member"])
    assert hashlib.sha256(content).hexdigest() == row["sha256"]
    path = tmp_path / "model.h5"
    path.write_bytes(content)
    if "architecture_member" in row:
        (tmp_path / "architecture").write_bytes(member_of(archive, row["architecture_member"]))
    check(name, path, tmp_path)
