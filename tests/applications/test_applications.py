"""Nets for ImageNet: their published sizes, their layers' names, pictures and classes."""

import hashlib
import inspect
import json
from pathlib import Path

import numpy as np
import pytest

from funkeras import applications, config
from funkeras import backend as K
from funkeras.applications import blocks, efficientnet, imagenet_utils, mobilenet
from funkeras.layers import Input, Lambda, LayerScale, Rescaling
from funkeras.models import Model

GENUINE = json.loads((Path(__file__).parents[1] / "golden" / "applications.json").read_text())
"""What Keras 3 says of its nets."""

SMALLEST = ("ResNet50V2", "MobileNetV3Small", "EfficientNetB0", "EfficientNetV2B0", "ConvNeXtTiny")
"""One net of each family of Keras 3, made in a second or two."""

PARAMETERS = {
    ("VGG16", True): 138_357_544,
    ("VGG16", False): 14_714_688,
    ("VGG19", False): 20_024_384,
    ("ResNet50", True): 25_636_712,
    ("ResNet50", False): 23_587_712,
    ("InceptionV3", True): 23_851_784,
    ("InceptionV3", False): 21_802_784,
    ("Xception", True): 22_910_480,
    ("Xception", False): 20_861_480,
    ("MobileNet", True): 4_253_864,
    ("MobileNet", False): 3_228_864,
    ("MobileNetV2", True): 3_538_984,
    ("MobileNetV2", False): 2_257_984,
    ("DenseNet121", True): 8_062_504,
    ("DenseNet121", False): 7_037_504,
    ("DenseNet169", True): 14_307_880,
    ("DenseNet201", True): 20_242_984,
    ("NASNetMobile", True): 5_326_716,
    ("NASNetMobile", False): 4_269_716,
    ("NASNetLarge", True): 88_949_818,
    ("InceptionResNetV2", True): 55_873_736,
    ("InceptionResNetV2", False): 54_336_736,
}
"""The figures that Keras publishes."""


@pytest.mark.slow
@pytest.mark.parametrize(("name", "include_top"), PARAMETERS)
def test_numbers_of_parameters_are_the_published_ones(name, include_top):
    model = getattr(applications, name)(weights=None, include_top=include_top)
    assert model.count_params() == PARAMETERS[name, include_top]


@pytest.mark.parametrize("name", GENUINE)
def test_arguments_are_keras_3_s(name):
    own = inspect.signature(getattr(applications, name)).parameters
    kept = [[key, p.default] for key, p in own.items() if key != "depth_multiplier"]
    expected = [pair for pair in GENUINE[name]["arguments"] if pair[0] != "depth_multiplier"]
    assert kept == expected
    assert getattr(applications, name).__name__ == name


@pytest.mark.parametrize(
    ("name", "told"),
    [
        pytest.param(name, told, id=f"{name}-{number}", marks=() if quick else pytest.mark.slow)
        for name, net in GENUINE.items()
        for number, told in enumerate(net["told"])
        for quick in [name in SMALLEST and number == 0]
    ],
)
def test_layers_and_shapes_of_weights_are_keras_3_s(name, told):
    K.clear_session()
    with config.using_dialect("modern"):
        model = getattr(applications, name)(weights=None, **told["options"])
    lines = [f"{own.name} {tuple(w.shape)}" for own in model.layers for w in own.weights]
    assert model.count_params() == told["parameters"]
    assert len(model.layers) == told["layers"]
    assert hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16] == told["digest"]


def small(**options):
    return applications.MobileNet((32, 32, 3), alpha=0.25, weights=None, **options)


def test_a_net_predicts_probabilities_trains_and_goes_by_keras_s_names(tmp_path):
    model = small(classes=3)
    x = np.random.default_rng(0).uniform(-1, 1, (4, 32, 32, 3)).astype("float32")
    np.testing.assert_allclose(model.predict(x).sum(1), 1, rtol=1e-5)
    names = [layer.name for layer in model.layers]
    assert names[1:7] == [
        *("conv1", "conv1_bn", "conv1_relu"),
        *("conv_dw_1", "conv_dw_1_bn", "conv_dw_1_relu"),
    ]
    assert names[-5:] == ["reshape_1", "dropout", "conv_preds", "reshape_2", "act_softmax"]
    path = tmp_path / "w.h5"
    model.save_weights(path)
    again = applications.MobileNet((32, 32, 3), alpha=0.25, weights=str(path), classes=3)
    np.testing.assert_array_equal(again.predict(x), model.predict(x))


def test_without_the_top_features_are_pooled_or_left_in_place():
    entry = Input(shape=(32, 32, 3))
    shapes = {
        None: (None, 1, 1, 256),
        "avg": (None, 256),
        "max": (None, 256),
    }
    for pooling, shape in shapes.items():
        model = small(include_top=False, pooling=pooling, input_tensor=entry)
        assert model.output_shape == shape
        assert model.input is entry


def test_a_net_includes_what_came_before_its_input():
    entry = Input(shape=(32, 32, 3))
    model = small(include_top=False, input_tensor=Rescaling(1 / 255, name="before")(entry))
    assert model.input is entry
    assert "before" in [layer.name for layer in model.layers]


@pytest.mark.parametrize(
    ("activation", "formula"), [(None, lambda z: z), ("sigmoid", lambda z: 1 / (1 + np.exp(-z)))]
)
def test_the_classifier_s_activation_is_the_one_asked_for(activation, formula):
    model = small(classifier_activation=activation, name="own")
    z = np.random.default_rng(0).normal(size=(2, 1000)).astype("float32")
    np.testing.assert_allclose(model.layers[-1](z), formula(z), rtol=1e-5)
    assert model.name == "own"


def test_pictures_stay_as_they_are_where_the_net_scales_them():
    x = np.random.default_rng(0).uniform(0, 255, (2, 4, 5, 3))
    assert efficientnet.preprocess_input(x) is x


def test_a_scale_of_features_starts_small():
    x = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
    layer = LayerScale(1e-6, 3)
    np.testing.assert_allclose(layer(x), x * np.float32(1e-6))
    layer.set_weights([np.array([2.0, -1.0, 0.5])])
    np.testing.assert_allclose(layer(x), x * [2, -1, 0.5], rtol=1e-6)
    with pytest.raises(ValueError, match="projection_dim"):
        LayerScale(1e-6, 0)


def test_whole_pictures_drop_out_of_a_block_in_training_alone():
    entry = Input(shape=(2, 2, 3))
    made = blocks.joined(Rescaling(2.0)(entry), entry, stride=1, name="", add="add", drop=0.5)
    model = Model(entry, made)
    x = np.random.default_rng(0).uniform(1, 2, (64, 2, 2, 3)).astype("float32")
    np.testing.assert_allclose(model.predict(x), 3 * x, rtol=1e-6)
    share = np.asarray(model(x, training=True)) / x  # x + 2x / (1 - 0.5), or x alone
    np.testing.assert_allclose(share, np.broadcast_to(share[:, :1, :1, :1], share.shape), rtol=1e-5)
    np.testing.assert_allclose(np.unique(share.round(3)), [1, 5])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"weights": "imagenet", "input_shape": None, "classifier_activation": "relu"},
            "softmax or None, got 'relu'",
        ),
        ({"weights": "nowhere.h5"}, "weights must be None, 'imagenet' or the path of a file"),
        ({"classes": 3, "weights": "imagenet"}, "published weights have 1000 classes"),
        ({"input_shape": (16, 32, 3)}, "at least 32 rows and columns"),
        ({"include_top": False, "pooling": "sum"}, "pooling must be None, avg or max"),
        ({"alpha": 0.3, "weights": "imagenet"}, r"weights for alpha \[0.25, 0.5, 0.75, 1.0\]"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    given = {"input_shape": (32, 32, 3), "alpha": 0.25, "weights": None, **arguments}
    with pytest.raises(ValueError, match=message):
        applications.MobileNet(**given)


def test_pictures_are_scaled_as_each_net_was_trained():
    x = np.random.default_rng(0).uniform(0, 255, (2, 4, 5, 3))
    kept = x.copy()
    means = np.array([103.939, 116.779, 123.68])
    expected = {
        "caffe": x[..., ::-1] - means,
        "tf": x / 127.5 - 1,
        "torch": (x / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225],
    }
    for mode, value in expected.items():
        result = imagenet_utils.preprocess_input(x, mode=mode)
        np.testing.assert_allclose(result, value, rtol=1e-4, atol=1e-4)
        first = imagenet_utils.preprocess_input(np.moveaxis(x, -1, 1), "channels_first", mode)
        old = imagenet_utils.preprocess_input(np.moveaxis(x, -1, 1), dim_ordering="th", mode=mode)
        np.testing.assert_array_equal(old, first)
        np.testing.assert_allclose(np.moveaxis(first, 1, -1), value, rtol=1e-4, atol=1e-4)
        inputs = Input((4, 5, 3))
        given = Lambda(lambda x: imagenet_utils.preprocess_input(x, mode=mode))(inputs)  # noqa: B023
        got = Model(inputs, given).predict(x)
        np.testing.assert_allclose(got, value, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(x, kept)
    np.testing.assert_allclose(mobilenet.preprocess_input(x), expected["tf"], atol=1e-5)
    with pytest.raises(ValueError, match="mode must be one of caffe, tf, torch"):
        imagenet_utils.preprocess_input(x, mode="keras")
    with pytest.raises(ValueError, match=r"3 colours on axis -3, got shape \(2, 4, 5, 3\)"):
        imagenet_utils.preprocess_input(x, "channels_first")


def test_classes_come_from_a_file_in_the_cache(tmp_path, monkeypatch):
    table = {str(number): [f"n{number:08d}", f"thing_{number}"] for number in range(1000)}
    path = tmp_path / "classes.json"
    path.write_text(json.dumps(table))
    monkeypatch.setattr(imagenet_utils, "get_file", lambda *args, **options: str(path))
    rows = np.random.default_rng(0).dirichlet(np.ones(1000), size=2)
    decoded = imagenet_utils.decode_predictions(rows, top=3)
    for row, best in zip(rows, decoded, strict=True):
        order = np.argsort(row)[::-1][:3]
        assert [name for _, name, _ in best] == [f"thing_{index}" for index in order]
        np.testing.assert_allclose([share for *_, share in best], row[order])
    with pytest.raises(ValueError, match=r"shape \(rows, 1000\), got \(2, 10\)"):
        imagenet_utils.decode_predictions(np.ones((2, 10)))


@pytest.mark.slow
@pytest.mark.parametrize("dialect", ["classic", "modern"])
def test_layers_of_resnet_are_named_as_in_their_generation(dialect):
    with config.using_dialect(dialect):
        model = applications.ResNet50(include_top=False, weights=None, input_shape=(32, 32, 3))
    expected = {
        "classic": ("conv1", "bn_conv1", "res2a_branch2a", "res2a_branch1", "bn5c_branch2c"),
        "modern": (
            *("conv1_conv", "conv1_bn", "conv2_block1_1_conv", "conv2_block1_0_conv"),
            "conv5_block3_3_bn",
        ),
    }
    assert {*expected[dialect]} <= {layer.name for layer in model.layers}
