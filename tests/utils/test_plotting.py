import sys

import numpy as np
import pytest

from funkeras.callbacks import History
from funkeras.layers import Dense
from funkeras.models import Sequential
from funkeras.utils.plotting import (
    confusion_matrix,
    plot_confusion,
    plot_history,
    samples_grid,
)

HISTORY = {"loss": [2.0, 1.0, 0.5], "acc": [0.1, 0.6, 0.8], "val_loss": [2.1, 1.2, 0.9]}


@pytest.fixture
def drawn():
    pytest.importorskip("matplotlib")


@pytest.mark.usefixtures("drawn")
def test_history_has_a_panel_for_each_metric():
    loss, accuracy = plot_history(HISTORY).axes
    assert (loss.get_title(), accuracy.get_title()) == ("loss", "acc")
    assert [line.get_label() for line in loss.lines] == ["training", "validation"]
    np.testing.assert_array_equal(loss.lines[1].get_xdata(), [1, 2, 3])
    np.testing.assert_array_equal(loss.lines[1].get_ydata(), HISTORY["val_loss"])
    assert len(accuracy.lines) == 1


@pytest.mark.usefixtures("drawn")
def test_history_of_a_fit_plots_itself(tmp_path):
    model = Sequential([Dense(1, input_dim=2)])
    model.compile("sgd", "mse")
    record = model.fit(np.ones((4, 2)), np.ones((4, 1)), epochs=3, initial_epoch=1, verbose=0)
    figure = record.plot("a title")
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_xdata(), [2, 3])
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_ydata(), record.history["loss"])
    figure.savefig(tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_empty_history_says_so():
    with pytest.raises(ValueError, match="no epoch has ended"):
        plot_history(History())


@pytest.mark.usefixtures("drawn")
@pytest.mark.parametrize("shape", [(5, 4, 6), (5, 4, 6, 1), (5, 4, 6, 3)])
def test_samples_grid_shows_each_image_as_it_is(shape):
    images = np.random.default_rng(0).random(shape)
    figure = samples_grid(images, [str(n) for n in range(5)], columns=3, row_names=["a", "b"])
    assert [axes.get_title() for axes in figure.axes] == ["0", "1", "2", "3", "4"]
    assert [axes.get_ylabel() for axes in figure.axes] == ["a", "", "", "b", ""]
    for axes, image in zip(figure.axes, images, strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), image.squeeze())
        if images.shape[-1] != 3:
            assert axes.images[0].get_clim() == (images.min(), images.max())


@pytest.mark.parametrize("shape", [(4, 6), (0, 4, 6), (2, 4, 6, 2)])
def test_samples_grid_wants_images(shape):
    with pytest.raises(ValueError, match="samples_grid needs images"):
        samples_grid(np.zeros(shape))


def test_samples_grid_wants_a_title_for_each():
    with pytest.raises(ValueError, match="1 titles came for 2 images"):
        samples_grid(np.zeros((2, 3, 3)), ["one"])


def test_confusion_matrix_counts_pairs():
    rng = np.random.default_rng(0)
    true, scores = rng.integers(4, size=50), rng.random((50, 4))
    expected = [[((true == i) & (scores.argmax(1) == j)).sum() for j in range(4)] for i in range(4)]
    np.testing.assert_array_equal(confusion_matrix(true, scores), expected)
    np.testing.assert_array_equal(confusion_matrix(np.eye(4)[true], scores), expected)


def test_confusion_matrix_keeps_classes_that_do_not_occur():
    assert confusion_matrix([0], [0], classes=3).shape == (3, 3)
    assert confusion_matrix([0], [[0.9, 0.1, 0.0]]).shape == (3, 3)


@pytest.mark.parametrize(
    ("true", "predicted", "message"),
    [
        ([0, 1], [0], "2 rows and y_pred 1"),
        ([0, -1], [0, 1], "got -1 to 1"),
        (np.zeros((1, 2, 3)), [0], "y_true must be"),
    ],
)
def test_confusion_matrix_tells_what_is_wrong(true, predicted, message):
    with pytest.raises(ValueError, match=message):
        confusion_matrix(true, predicted)


@pytest.mark.usefixtures("drawn")
def test_confusion_picture_has_counts_and_shares():
    axes = plot_confusion([0, 0, 0, 1], [0, 0, 1, 1], ["cat", "dog"]).axes[0]
    assert [text.get_text() for text in axes.texts] == ["2", "1", "1"]
    np.testing.assert_allclose(axes.images[0].get_array(), [[2 / 3, 1 / 3], [0, 1]])
    assert axes.get_title() == "75.0% right"


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r'pip install "funkeras\[examples\]"'):
        plot_history(HISTORY)
