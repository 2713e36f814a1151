"""Datasets of files and series, held against those of genuine Keras."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from funkeras import preprocessing, utils
from funkeras.layers import Conv2D, Dense, Flatten, Rescaling, TextVectorization
from funkeras.models import Sequential
from funkeras.preprocessing import (
    audio_dataset_from_directory,
    image_dataset_from_directory,
    text_dataset_from_directory,
    timeseries_dataset_from_array,
)

spec = importlib.util.spec_from_file_location("folders", Path(__file__).parent / "folders.py")
folders = importlib.util.module_from_spec(spec)
spec.loader.exec_module(folders)

STORED = json.loads((folders.GOLDEN / "folders.json").read_text())


class Functions:
    """The functions under their names, wherever they are."""

    def __getattr__(self, name):
        return getattr(utils if name == "split_dataset" else preprocessing, name)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    folders.write(folder)
    return folder


@pytest.fixture(scope="module")
def arrays():
    with np.load(folders.GOLDEN / "folders.npz") as archive:
        return dict(archive)


@pytest.mark.parametrize("name", folders.CASES)
def test_same_files_labels_and_numbers_as_keras(name, files, arrays):
    for i, (facts, columns) in enumerate(folders.results(name, Functions(), files)):
        expected = STORED[f"{name} {i}"]
        if not expected["paths"]:  # Keras tells those of images alone
            facts["paths"] = []
        assert json.loads(json.dumps(facts)) == expected
        for j, column in enumerate(columns):
            wanted = arrays[f"{name} {i} {j}"]
            if wanted.dtype.kind == "U":
                assert column.tolist() == wanted.tolist()
            else:
                assert column.dtype == wanted.dtype
                np.testing.assert_allclose(column, wanted, rtol=1e-5, atol=2e-4)


def test_a_model_learns_from_images_judges_and_predicts_them(files):
    train, held_out = image_dataset_from_directory(
        **{**folders.IMAGES, "directory": files / "images"},
        class_names=["cats", "dogs"],
        seed=1,
        validation_split=0.3,
        subset="both",
    )
    model = Sequential(
        [Rescaling(1 / 255, input_shape=(5, 7, 3)), Conv2D(2, 3), Flatten(), Dense(2, "softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(train, validation_data=held_out, epochs=3, verbose=0)
    assert len(history.history["val_loss"]) == 3
    x, y = (np.concatenate(parts) for parts in zip(*held_out, strict=True))
    np.testing.assert_allclose(model.evaluate(held_out), model.evaluate(x, y), rtol=1e-5)
    np.testing.assert_allclose(model.predict(held_out), model.predict(x), rtol=1e-5)


def test_a_text_layer_adapts_to_texts_and_a_model_learns_from_them(files):
    dataset = text_dataset_from_directory(files / "texts", batch_size=3, verbose=False)
    vectorize = TextVectorization(output_sequence_length=4)
    vectorize.adapt(dataset.map(lambda text, label: text))
    assert vectorize.get_vocabulary()[2] == "hellö"
    model = Sequential([Dense(1, "sigmoid", input_shape=(4,))])
    model.compile("sgd", "binary_crossentropy")
    numbers = dataset.map(lambda text, label: (vectorize(text), label))
    assert np.isfinite(model.fit(numbers, epochs=2, verbose=0).history["loss"]).all()


def test_each_pass_is_in_another_order_that_the_seed_decides(files):
    def passes(seed):
        dataset = image_dataset_from_directory(
            files / "images", image_size=4, seed=seed, verbose=False
        )
        return [np.concatenate([y for _, y in dataset]).tolist() for _ in range(3)]

    first, again, other = passes(1), passes(1), passes(2)
    assert first == again
    assert first != other
    assert first[0] != first[1] != first[2]
    assert sorted(first[0]) == sorted(first[1])


def test_shuffled_windows_keep_their_targets():
    x = np.arange(50)
    dataset = timeseries_dataset_from_array(x, x + 3, 3, batch_size=7, shuffle=True, seed=0)
    for _ in range(2):
        windows, targets = (np.concatenate(p) for p in zip(*dataset, strict=True))
        np.testing.assert_array_equal(windows[:, 0] + 3, targets)
        np.testing.assert_array_equal(np.sort(targets), np.arange(3, 51))
        assert (np.diff(targets) != 1).any()


def test_sounds_are_resampled_and_keep_their_lengths_if_ragged(tmp_path):
    import wave

    for i, seconds in enumerate((0.2, 0.3)):
        t = np.arange(int(8000 * seconds)) / 8000
        with wave.open(str(tmp_path / f"{i}.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes((2**14 * np.sin(2 * np.pi * 200 * t)).astype("<i2").tobytes())
    (sounds,) = audio_dataset_from_directory(
        tmp_path, labels=None, sampling_rate=12000, ragged=True, shuffle=False, verbose=False
    )
    assert [len(sound) for sound in sounds] == [2400, 3600]
    t = np.arange(2400) / 12000
    inner = slice(200, -200)  # the ends are smoothed
    expected = 0.5 * np.sin(2 * np.pi * 200 * t)
    np.testing.assert_allclose(sounds[0][inner, 0], expected[inner], atol=2e-3)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"labels": "cats"}, "labels must be"),
        ({"labels": [0, 1]}, "labels has 2 entries for 12 files"),
        ({"label_mode": "one_hot"}, "label_mode must be one of"),
        ({"label_mode": "binary", "class_names": ["cats"]}, "needs two classes"),
        ({"class_names": ["cows"]}, r"\['cows'\] have no folder"),
        ({"class_names": ["cats"], "labels": None}, "class_names go with"),
        ({"validation_split": 0.2}, "go together"),
        ({"validation_split": 0.2, "subset": "both"}, "needs a seed"),
        ({"validation_split": 2, "subset": "both", "seed": 1}, "between 0 and 1"),
        ({"interpolation": "sinc"}, "interpolation must be one of"),
        ({"color_mode": "hsv"}, "color_mode must be one of"),
        ({"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True}, "exclude one another"),
        ({"image_size": (1, 2, 3)}, "image_size must be"),
    ],
)
def test_arguments_that_do_not_go_together_are_refused(given, message, files):
    with pytest.raises(ValueError, match=message):
        image_dataset_from_directory(files / "images", **given)


def test_a_folder_without_images_and_a_broken_image_are_named(files, tmp_path):
    with pytest.raises(ValueError, match="there are no files for it in"):
        image_dataset_from_directory(files / "texts", verbose=False)
    (tmp_path / "broken.png").write_bytes(b"no image")
    dataset = image_dataset_from_directory(tmp_path, labels=None, verbose=False)
    with pytest.raises(OSError, match="cannot identify") as caught:
        list(dataset)
    assert str(tmp_path / "broken.png") in caught.value.__notes__[0]


def test_what_is_found_is_printed(files, capsys):
    image_dataset_from_directory(
        files / "images", seed=1, validation_split=0.25, subset="both", image_size=4
    )
    assert capsys.readouterr().out.splitlines() == [
        "Found 11 files belonging to 2 classes.",
        "Using 9 files for training.",
        "Using 2 files for validation.",
    ]
