import builtins
import threading

import numpy as np
import pytest
from PIL import Image

from funkeras import config
from funkeras.callbacks import Callback
from funkeras.layers import Dense, Flatten
from funkeras.models import Sequential
from funkeras.preprocessing import image
from funkeras.preprocessing.image import ImageDataGenerator

RNG = np.random.RandomState(0)
IMAGES = RNG.uniform(0, 255, (7, 6, 5, 3)).astype("float32")
LABELS = np.arange(7) % 2


@pytest.fixture
def folder(tmp_path):
    """Two classes of three pictures, one of them in a folder of its own, and another file."""
    for name, place in (("cat", "cat"), ("dog", "dog/young")):
        (tmp_path / place).mkdir(parents=True)
        for number in range(3):
            values = np.full((4, 6, 3), 40 * number + 10, "uint8")
            Image.fromarray(values).save(tmp_path / place / f"{name}{number}.png")
    (tmp_path / "cat" / "notes.txt").write_text("no picture")
    return tmp_path


@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_pictures_of_whole_numbers_survive_writing_and_reading(tmp_path, data_format, channels):
    x = RNG.randint(0, 256, (4, 5, channels)).astype("float32")
    x = np.moveaxis(x, -1, 0) if data_format == "channels_first" else x
    path, mode = tmp_path / "x.png", {1: "grayscale", 3: "rgb", 4: "rgba"}[channels]
    image.save_img(path, x, data_format, scale=False)
    got = image.img_to_array(image.load_img(path, mode), data_format)
    np.testing.assert_array_equal(got, x)
    assert got.dtype == "float32"


def test_deep_gray_is_kept_by_later_generations(tmp_path):
    x = np.array([[[0.0], [1000.0]]])
    image.save_img(tmp_path / "x.png", x, scale=False)
    with config.using_dialect("modern"):
        deep = image.img_to_array(image.load_img(tmp_path / "x.png", "grayscale"))
    assert deep.max() == 1000
    assert image.img_to_array(image.load_img(tmp_path / "x.png", grayscale=True)).max() <= 255


@pytest.mark.parametrize(
    ("dialect", "expected"), [("classic", [102, 255]), ("keras2", [0, 255]), ("modern", [0, 255])]
)
def test_scaled_values_of_each_generation(dialect, expected):
    with config.using_dialect(dialect):
        picture = image.array_to_img(np.array([[[2.0], [5.0]]]))
    assert np.asarray(picture).tolist() == [expected]


def test_jpeg_goes_without_transparency(tmp_path):
    with pytest.warns(UserWarning, match="no transparency"):
        image.save_img(tmp_path / "x.jpg", np.zeros((2, 2, 4)))
    with (tmp_path / "x.jpg").open("rb") as file:
        assert image.load_img(file).mode == "RGB"


def test_pictures_are_resized_and_cropped(folder):
    path = folder / "cat" / "cat1.png"
    assert image.load_img(str(path), False, (2, 3)).size == (3, 2)
    picture = image.load_img(path, "rgba", (8, 8), "bicubic", keep_aspect_ratio=True)
    assert (picture.size, picture.mode) == ((8, 8), "RGBA")
    x = np.arange(24.0).reshape(4, 6, 1)
    np.testing.assert_array_equal(image.smart_resize(x, (4, 4)), x[:, 1:5])
    assert image.smart_resize(
        np.zeros((2, 3, 9, 4)), (2, 2), data_format="channels_first"
    ).shape == (
        2,
        3,
        2,
        2,
    )


def test_listed_pictures(folder):
    every = image.list_pictures(folder)
    assert [name.rpartition("/")[2] for name in every] == [
        f"{name}{number}.png" for name in ("cat", "dog") for number in range(3)
    ]
    assert image.list_pictures(folder, "jpg|bmp") == []
    assert len(image.list_pictures(str(folder), ext=("TXT",))) == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: image.load_img("x", "cmyk"), "color_mode must be one of grayscale, rgb, rgba"),
        (lambda: image.array_to_img(np.zeros((2, 2))), "an image has 3 axes"),
        (lambda: image.array_to_img(np.zeros((2, 2, 5))), "1, 3 or 4 channels"),
        (lambda: image.img_to_array(np.zeros(3)), "2 or 3 axes"),
        (lambda: image.img_to_array(np.zeros((2, 2)), "last"), "data_format must be one of"),
        (lambda: image.smart_resize(IMAGES, (2,)), "size must be"),
        (lambda: image.smart_resize(LABELS, (2, 2)), "image or a batch"),
        (lambda: image.random_zoom(IMAGES[0], 0.5), "zoom_range must be two numbers"),
        (lambda: image.apply_affine_transform(IMAGES[0], row_axis=2), "row_axis, col_axis"),
        (lambda: ImageDataGenerator(zoom_range=(1, 2, 3)), "zoom_range must be two numbers"),
        (lambda: ImageDataGenerator(brightness_range=(1,)), "brightness_range must be two"),
        (lambda: ImageDataGenerator(validation_split=2), r"validation_split must be in \(0, 1\)"),
        (lambda: ImageDataGenerator(data_format="x"), "data_format must be one of"),
        (lambda: ImageDataGenerator().fit(IMAGES[0]), "rank 4"),
        (lambda: ImageDataGenerator().flow(IMAGES[0]), "rank 4"),
        (lambda: ImageDataGenerator().flow(IMAGES, LABELS[:3]), "x and y must have the same"),
        (lambda: ImageDataGenerator().flow(IMAGES, batch_size=0), "batch_size must be at least 1"),
        (lambda: ImageDataGenerator().flow(IMAGES, subset="test"), "subset must be one of"),
    ],
)
def test_wrong_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_missing_packages_are_named(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith(("PIL", "scipy")):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    import importlib

    monkeypatch.setattr(importlib, "import_module", lambda name: without(name))
    with pytest.raises(ImportError, match=r"needs Pillow.*pip install 'funkeras\[images\]'"):
        image.load_img("x.png")
    with pytest.raises(ImportError, match="a transformation of images needs SciPy"):
        image.random_rotation(IMAGES[0], 40)


@pytest.mark.parametrize("dialect", ["classic", "keras2", "modern"])
def test_whole_pixels_move_without_mixture(dialect):
    """A shift is exact in every generation; Keras 3 has rows and columns exchanged."""
    x = IMAGES[0]
    with config.using_dialect(dialect):
        moved = image.apply_affine_transform(
            x, tx=1, row_axis=0, col_axis=1, channel_axis=2, fill_mode="nearest", order=1
        )
    axis = 1 if dialect == "modern" else 0
    expected = np.take(x, np.minimum(np.arange(x.shape[axis]) + 1, x.shape[axis] - 1), axis)
    np.testing.assert_allclose(moved, expected, rtol=1e-6)


def test_a_quarter_turn_of_keras_3_is_exact():
    x = RNG.rand(5, 5, 1)
    axes = {"row_axis": 0, "col_axis": 1, "channel_axis": 2}
    with config.using_dialect("modern"):
        turned = image.apply_affine_transform(x, theta=90, order=1, **axes)
    np.testing.assert_allclose(turned, np.rot90(x, 1), atol=1e-12)
    assert image.apply_affine_transform(x, **axes) is x


def test_statistics_by_their_formulas():
    with config.using_dialect("modern"):
        generator = ImageDataGenerator(
            featurewise_center=True, featurewise_std_normalization=True, rescale=0.1
        )
    generator.fit(IMAGES)
    got = np.stack([generator.standardize(x) for x in IMAGES])
    np.testing.assert_allclose(got.mean((0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(got.std((0, 1, 2)), 1, rtol=1e-5)
    with config.using_dialect("keras2"):
        generator = ImageDataGenerator(
            featurewise_center=True, zca_whitening=True, zca_epsilon=1e-10, dtype="float64"
        )
    x = RNG.rand(500, 2, 2, 1)
    generator.fit(x)
    white = np.stack([generator.standardize(image).ravel() for image in x])
    np.testing.assert_allclose(white.T @ white / 500, np.eye(4), atol=1e-6)


def test_options_that_follow_from_others_are_told():
    with config.using_dialect("modern"), pytest.warns(UserWarning, match="samplewise_center=True"):
        generator = ImageDataGenerator(samplewise_std_normalization=True)
    assert generator.samplewise_center
    generator = ImageDataGenerator(featurewise_center=True)
    with pytest.warns(UserWarning, match=r"does nothing before \.fit"):
        generator.standardize(IMAGES[0])
    for call in (ImageDataGenerator().flow, ImageDataGenerator().fit):
        with pytest.warns(UserWarning, match="usually have 1, 3 or 4 channels on axis 3"):
            call(np.zeros((2, 4, 4, 2)))


def test_keras_1_spellings_and_positions(tmp_path):
    generator = ImageDataGenerator(False, False, False, False, False, 30, dim_ordering="th")
    assert generator.rotation_range == 30
    assert (generator.dim_ordering, generator.data_format) == ("th", "channels_first")
    iterator = generator.flow(np.moveaxis(IMAGES, -1, 1), LABELS, 4, True, 7, tmp_path, "seen")
    assert (iterator.seed, iterator.save_format, iterator.dim_ordering) == (7, "jpeg", "th")
    next(iterator)
    assert len(list(tmp_path.glob("seen_*.jpeg"))) == 4
    iterator = generator.flow(X=np.moveaxis(IMAGES, -1, 1))
    assert next(iterator).shape == (7, 3, 6, 5)
    with pytest.raises(TypeError, match="'seed' twice"):
        generator.flow(IMAGES, LABELS, 4, True, 7, seed=3)
    with pytest.raises(TypeError, match="did you mean 'zoom_range'"):
        ImageDataGenerator(zoom_rang=1)


def test_batches_by_index_are_those_of_the_iterator():
    options = {"rotation_range": 40, "zoom_range": 0.2, "horizontal_flip": True}

    def made():
        return ImageDataGenerator(**options).flow(IMAGES, LABELS, batch_size=3, seed=3)

    ahead, by_index = made(), made()
    assert len(by_index) == 3
    for _ in range(2):
        batches = [next(ahead) for _ in range(3)]
        for index in (2, 0, 1):
            for a, b in zip(by_index[index], batches[index], strict=True):
                np.testing.assert_array_equal(a, b)
        by_index.on_epoch_end()
    with pytest.raises(IndexError):
        by_index[3]


def test_a_seed_leaves_the_global_generator_alone():
    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    next(ImageDataGenerator(rotation_range=9).flow(IMAGES, seed=1))
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_every_sample_once_per_epoch_from_several_threads():
    x = np.arange(60.0).reshape(60, 1, 1, 1)
    iterator = ImageDataGenerator().flow(x, batch_size=7, shuffle=True)
    seen, lock = [], threading.Lock()

    def work():
        for _ in range(3):
            batch = next(iterator)
            with lock:
                seen.extend(batch.ravel().tolist())

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == sorted(2 * list(range(60)))


def test_weights_further_inputs_and_subsets():
    generator = ImageDataGenerator(validation_split=0.3)
    flow = generator.flow([IMAGES, LABELS], LABELS, 9, False, sample_weight=np.arange(7))
    (x, other), y, weight = next(flow)
    np.testing.assert_array_equal(x, IMAGES)
    np.testing.assert_array_equal(other, y)
    assert weight.tolist() == list(range(7))
    for subset, rows in (("validation", slice(0, 2)), ("training", slice(2, 7))):
        x, y = next(generator.flow(IMAGES, LABELS, shuffle=False, subset=subset))
        np.testing.assert_array_equal(x, IMAGES[rows])
        np.testing.assert_array_equal(y, LABELS[rows])
    with pytest.raises(ValueError, match="different labels"):
        generator.flow(IMAGES, np.arange(7), subset="training")
    generator.flow(IMAGES, np.arange(7), subset="training", ignore_class_split=True)


@pytest.mark.parametrize(
    ("class_mode", "expected"),
    [
        ("categorical", [[1, 0]] * 3 + [[0, 1]] * 3),
        ("binary", [0, 0, 0, 1, 1, 1]),
        ("sparse", [0, 0, 0, 1, 1, 1]),
    ],
)
def test_a_folder_for_each_class(folder, capsys, class_mode, expected):
    iterator = ImageDataGenerator().flow_from_directory(
        str(folder), (4, 6), class_mode=class_mode, shuffle=False
    )
    assert capsys.readouterr().out == "Found 6 images belonging to 2 classes.\n"
    x, y = next(iterator)
    assert y.tolist() == expected
    assert x[:, 0, 0, 0].tolist() == [10, 50, 90, 10, 50, 90]
    assert iterator.filenames[3] == "dog/young/dog0.png"
    assert iterator.class_indices == {"cat": 0, "dog": 1}
    assert (iterator.nb_sample, iterator.nb_class) == (6, 2)


def test_chosen_classes_and_subsets_of_a_folder(folder):
    generator = ImageDataGenerator(validation_split=0.4)
    flow = generator.flow_from_directory
    iterator = flow(folder, (2, 2), "grayscale", ["dog"], None, shuffle=False, subset="training")
    assert next(iterator).shape == (2, 2, 2, 1)
    assert iterator.filenames == ["dog/young/dog1.png", "dog/young/dog2.png"]
    x, y = next(flow(folder, (2, 2), class_mode="input", subset="validation"))
    np.testing.assert_array_equal(x, y)
    with pytest.raises(ValueError, match="class 'cow' has no folder"):
        flow(folder, classes=["cow"])
    with pytest.raises(ValueError, match="class_mode must be one of"):
        flow(folder, class_mode="raw")
    (folder / "empty" / "a").mkdir(parents=True)
    with pytest.raises(ValueError, match="no samples"):
        next(flow(folder / "empty"))


TABLE = {
    "filename": ["cat/cat0.png", "dog/young/dog1.png", "cat/cat2.png"],
    "class": ["b", "a", "b"],
    "labels": [["a", "b"], ["a"], ["c"]],
    "value": [1.5, 2.5, 3.5],
}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, [[0, 1], [1, 0], [0, 1]]),
        ({"y_col": "labels"}, [[1, 1, 0], [1, 0, 0], [0, 0, 1]]),
        ({"class_mode": "binary"}, [1, 0, 1]),
        ({"class_mode": "raw", "y_col": "value"}, [1.5, 2.5, 3.5]),
        ({"class_mode": "other", "y_col": "value"}, [1.5, 2.5, 3.5]),
        ({"class_mode": "raw", "y_col": ["value", "value"]}, [[1.5] * 2, [2.5] * 2, [3.5] * 2]),
        ({"classes": ["b"]}, [[1], [1]]),
    ],
)
def test_a_table_of_files(folder, given, expected):
    iterator = ImageDataGenerator().flow_from_dataframe(
        TABLE, folder, target_size=(2, 2), shuffle=False, **given
    )
    x, y = next(iterator)
    assert x.shape == (len(expected), 2, 2, 3)
    assert y.tolist() == expected


def test_tables_with_weights_several_outputs_and_missing_files(folder):
    generator, options = ImageDataGenerator(), {"target_size": (2, 2), "shuffle": False}
    _, _, weight = next(generator.flow_from_dataframe(TABLE, folder, weight_col="value", **options))
    assert weight.tolist() == TABLE["value"]
    _, (one, two) = next(
        generator.flow_from_dataframe(
            TABLE, folder, y_col=["value", "class"], class_mode="multi_output", **options
        )
    )
    assert (one.tolist(), two.tolist()) == (TABLE["value"], TABLE["class"])
    missing = {**TABLE, "filename": ["cat/cat0.png", "x.png", "cat/notes.txt"]}
    with pytest.warns(UserWarning, match="2 names in column 'filename' are no picture's"):
        iterator = generator.flow_from_dataframe(missing, folder, class_mode=None, **options)
    assert iterator.filenames == ["cat/cat0.png"]


@pytest.mark.parametrize("given", [{"sort": True}, {"drop_duplicates": False}])
def test_options_that_later_keras_ignores_are_said_to_do_nothing(folder, given):
    with pytest.warns(UserWarning, match=f"{min(given)} does nothing"):
        iterator = ImageDataGenerator().flow_from_dataframe(TABLE, folder, **given)
    assert iterator.filenames == TABLE["filename"]


@pytest.mark.parametrize(("subset", "weights"), [("validation", [0, 1]), ("training", [2, 3, 4])])
def test_a_subset_has_the_weights_of_its_own_rows(subset, weights):
    generator = ImageDataGenerator(validation_split=0.4)
    flow = generator.flow(
        IMAGES[:5], LABELS[:5], shuffle=False, sample_weight=np.arange(5), subset=subset
    )
    np.testing.assert_array_equal(next(flow)[2], weights)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"x_col": "value"}, "must hold file names"),
        ({"class_mode": "sparse", "y_col": "value"}, "give class_mode='raw' for numbers"),
        ({"class_mode": "multi_output", "y_col": "value"}, "needs a list of columns"),
        ({"weight_col": "class"}, "must hold numbers"),
    ],
)
def test_tables_that_do_not_fit_are_refused(folder, given, message):
    with pytest.raises(TypeError, match=message):
        ImageDataGenerator().flow_from_dataframe(TABLE, folder, **given)


def test_an_iterator_of_images_tells_a_fit_how_many_batches_it_has():
    x, y = np.zeros((10, 4, 4, 1)), np.zeros((10, 1))
    model = Sequential([Flatten(input_shape=(4, 4, 1)), Dense(1)])
    model.compile("sgd", "mse")
    seen = []

    class Counting(Callback):
        def on_batch_end(self, batch, logs=None):
            seen.append(batch)

    with config.using_dialect("keras2"):
        flow = ImageDataGenerator().flow(x, y, batch_size=4)
        model.fit_generator(flow, epochs=1, verbose=0, callbacks=[Counting()])
    assert seen == [0, 1, 2]
