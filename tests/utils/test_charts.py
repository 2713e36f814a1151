import numpy as np
import pytest

from funkeras.utils.charts import plot_bars, plot_curves, plot_heatmap, plot_points

pytest.importorskip("matplotlib")


def test_curves_count_from_one_or_have_their_own_places():
    axes = plot_curves({"a": [3, 4], "b": ([0.1, 0.5, 0.9], [1, 2, 3])}, y_label="loss").axes[0]
    first, second = axes.lines
    np.testing.assert_array_equal(first.get_xdata(), [1, 2])
    np.testing.assert_array_equal(second.get_xdata(), [0.1, 0.5, 0.9])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a", "b"]
    assert axes.get_ylabel() == "loss"


def test_epochs_are_whole_numbers():
    axes = plot_curves({"a": [3, 4]}).axes[0]
    np.testing.assert_array_equal(axes.get_xticks() % 1, 0)


def test_bars_stand_from_the_top_and_tell_signs():
    axes = plot_bars({"good": 2.0, "bad": -1.0}).axes[0]
    good, bad = axes.patches
    assert (good.get_width(), bad.get_width()) == (2, -1)
    assert good.get_facecolor() != bad.get_facecolor()
    assert axes.yaxis_inverted()
    assert [label.get_text() for label in axes.get_yticklabels()] == ["good", "bad"]


def test_points_have_a_colour_for_each_class():
    points = np.array([[0, 1], [2, 3], [4, 5]])
    axes = plot_points(points, [1, 0, 1], names=["zero", "one"]).axes[0]
    zero, one = axes.collections
    np.testing.assert_array_equal(zero.get_offsets(), [[2, 3]])
    np.testing.assert_array_equal(one.get_offsets(), [[0, 1], [4, 5]])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["zero", "one"]


def test_points_may_have_texts():
    axes = plot_points([[0, 1], [2, 3]], texts=["king", "queen"]).axes[0]
    assert [text.get_text() for text in axes.texts] == ["king", "queen"]


def test_texts_of_near_points_stand_apart():
    figure = plot_points([[0, 0], [0.01, 0], [5, 5]], texts=["father", "sister", "far"])
    figure.draw_without_rendering()
    first, second, _ = (text.get_window_extent() for text in figure.axes[0].texts)
    assert not first.overlaps(second)


def test_heatmap_names_rows_and_columns():
    axes = plot_heatmap([[0.1, 0.9, 0], [1, 0, 0]], ["K", "AE"], list("cat")).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["c", "a", "t"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["K", "AE"]
    np.testing.assert_array_equal(axes.images[0].get_array(), [[0.1, 0.9, 0], [1, 0, 0]])


def test_long_names_of_columns_are_slanted():
    axes = plot_heatmap([[0.1, 0.9]], ["a"], ["probably", "stay"]).axes[0]
    assert {label.get_rotation() for label in axes.get_xticklabels()} == {45}


@pytest.mark.parametrize(
    ("draw", "args", "message"),
    [
        (plot_curves, ({},), "at least one curve"),
        (plot_bars, ({},), "at least one value"),
        (plot_points, (np.zeros((4, 3)),), r"\(n, 2\).*got \(4, 3\)"),
        (plot_points, (np.zeros((2, 2)), [1]), "1 labels came for 2 points"),
        (plot_heatmap, (np.zeros((2, 3)), ["a"], ["b"]), r"1 names.*shape \(2, 3\)"),
    ],
)
def test_what_does_not_fit_is_refused(draw, args, message):
    with pytest.raises(ValueError, match=message):
        draw(*args)
