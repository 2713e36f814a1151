import io
import os
import re

import numpy as np
import pytest

from funkeras import config, progress
from funkeras.progress import CLASSIC, MODERN, Progbar, render


class Clock:
    """Time that passes when told to."""

    def __init__(self, monkeypatch):
        self.now = 100.0
        monkeypatch.setattr(progress.time, "perf_counter", lambda: self.now)


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


@pytest.fixture
def terminal(monkeypatch, capsys):
    """A terminal of 80 columns; calling it gives what was written, without colours."""
    monkeypatch.setattr(progress, "_is_terminal", lambda _: True)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    return lambda: capsys.readouterr().out


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.4, "0s"),
        (59.9, "59s"),
        (60, "1:00"),
        (754, "12:34"),
        (3600, "1:00:00"),
        (7384, "2:03:04"),
    ],
)
def test_time_that_is_left(seconds, shown):
    assert f" - ETA: {shown} - " in render(1, 2, per_unit=seconds)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0s"), (2.2, "2s"), (0.0123, "12ms"), (0.000345, "345us")],
)
def test_time_of_one_unit(seconds, shown):
    assert f" {shown}/sample" in render(1, 2, per_unit=seconds, unit_name="sample")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.12345, "0.1235"),
        (-2, "-2.0000"),
        (1e-3, "1.0000e-03"),
        (0, "0.0000e+00"),
        (np.float32(0.5), "0.5000"),
        (np.array([1.0, 2.0]), "1.5000"),
        (float("nan"), "nan"),
        ("low", "low"),
        (None, "None"),
    ],
)
def test_values_have_four_digits(value, shown):
    assert render(1, 1, {"a": value}, finished=True).endswith(f" - a: {shown}")


def test_bar_fills_with_an_arrow():
    bars = [render(n, 4, width=4).split(" - ")[0] for n in range(5)]
    assert bars == ["0/4 [....]", "1/4 [>...]", "2/4 [=>..]", "3/4 [==>.]", "4/4 [====]"]
    assert render(9, 4, width=4).startswith("9/4 [====]")


def test_counts_are_aligned_and_unknown_targets_have_no_bar():
    assert render(7, 1000, width=5).startswith("   7/1000 [.....]")
    line = render(7, None, {"loss": 1.0}, elapsed=3, per_unit=0.4)
    assert line == "      7/Unknown - 3s 400ms/step - loss: 1.0000"
    assert render(0, 0, finished=True).startswith("      0/Unknown - 0s")


def test_keras_1_has_no_time_for_a_unit():
    line = render(60000, 60000, {"loss": 1.0}, elapsed=3, finished=True, unit_name="", width=5)
    assert line == "60000/60000 [=====] - 3s - loss: 1.0000"


@pytest.mark.parametrize("columns", range(1, 90))
def test_narrow_terminals_get_shorter_bars_then_none(columns):
    bare = " 50/100 - ETA: 5s - 100ms/step - loss: 0.2500 - acc: 0.5000"
    line = render(50, 100, {"loss": 0.25, "acc": 0.5}, per_unit=0.1, columns=columns)
    assert len(line) <= max(columns, len(" 50/100…"))
    if columns >= len(bare):
        assert re.sub(r" \[.*?\]", "", line) == bare
    assert ("[" in line) == (columns >= len(bare) + len(" [....>...]"))


@pytest.mark.parametrize("columns", range(1, 90))
def test_narrow_terminals_in_the_look_of_keras_3(columns):
    values = {"accuracy": 0.5, "loss": 0.25}
    line = render(50, 100, values, per_unit=0.1, width=20, columns=columns, look=MODERN)
    assert len(line) <= max(columns, len(" 50/100…"))
    if "━" in line:
        assert (
            re.sub("[━─]", "", line) == " 50/100  5s 100ms/step - accuracy: 0.5000 - loss: 0.2500"
        )
    elif columns > 60:
        assert line == " 50/100 - 5s - 100ms/step - accuracy: 0.5000 - loss: 0.2500"


@pytest.mark.parametrize("look", [CLASSIC, MODERN])
def test_colours_do_not_count(look):
    plain = render(50, 100, columns=50, look=look)
    coloured = render(50, 100, columns=50, colour=True, look=look)
    assert re.sub(r"\x1b\[\d+m", "", coloured) == plain != coloured


def test_values_are_averaged_over_units_and_stateful_ones_are_not(clock, capsys):
    bar = Progbar(10, stateful_metrics=["acc"])
    bar.update(2, [("loss", 1.0), ("acc", 1.0)])
    bar.add(8, [("loss", 6.0), ("acc", 7.0), ("val", 3.0)])
    assert bar.averages() == {"loss": 5.0, "acc": 7.0, "val": 3.0}
    bar.update(10, [("val_loss", 2.0)])
    assert capsys.readouterr().out.endswith(" - acc: 7.0000 - val: 3.0000 - val_loss: 2.0000\n")


@pytest.mark.parametrize(
    ("verbose", "line"),
    [
        # What Keras 3.15 prints, without its colours.
        (1, "4/4 ━━━━━━━━━━━━━━━━━━━━ 4s 1s/step - loss: 2.0000"),
        (2, "4/4 - 4s - 1s/step - loss: 2.0000"),
    ],
)
def test_modern_dialect_has_the_lines_of_keras_3(clock, capsys, verbose, line):
    with config.using_dialect("modern"):
        bar = Progbar(4, verbose=verbose)
    clock.now += 4
    bar.update(4, [("loss", 2.0)])
    assert capsys.readouterr().out == f"{line}\n"


def test_letters_that_cannot_be_written_are_not_used(clock, monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    monkeypatch.setattr("sys.stdout", stream)
    with config.using_dialect("modern"):
        bar = Progbar(2, width=4)
    bar.update(2)
    stream.seek(0)
    assert stream.read().startswith("2/2 [====] - ")


def test_modern_dialect_shows_values_as_they_come():
    with config.using_dialect("modern"):
        bar = Progbar(10, verbose=0, stateless_metrics=["mean"])
    bar.update(2, [("loss", 1.0), ("mean", 1.0)])
    bar.update(4, [("loss", 5.0), ("mean", 5.0)])
    assert bar.averages() == {"loss": 5.0, "mean": 3.0}
    bar = Progbar(10, verbose=0, stateful_metrics="all")
    bar.update(2, [("loss", 1.0)])
    bar.update(4, [("loss", 5.0)])
    assert bar.averages() == {"loss": 5.0}


@pytest.mark.parametrize("verbose", [1, 2, "auto"])
def test_one_line_when_not_on_a_terminal(clock, capsys, verbose):
    bar = Progbar(4, verbose=verbose, width=4)
    for step in range(1, 5):
        clock.now += 1
        bar.update(step, [("loss", 2.0)])
    start = "4/4 - " if verbose == 2 else "4/4 [====] - "
    assert capsys.readouterr().out == f"{start}4s 1s/step - loss: 2.0000\n"


def test_silence(capsys):
    Progbar(1, verbose=0).update(1, [("loss", 1.0)])
    assert capsys.readouterr().out == ""
    with pytest.raises(ValueError, match="verbose must be 0, 1, 2 or 'auto'; got 3"):
        Progbar(1, verbose=3)


def test_line_is_rewritten_and_what_was_longer_wiped(clock, terminal):
    bar = Progbar(3, width=3)
    for step in range(4):
        bar.update(step)
        clock.now += 1
    lines = terminal().split("\r")
    assert [line.rstrip() for line in lines] == [
        "0/3 [...] - ETA: 0s - 0s/step",
        "1/3 [>..] - ETA: 2s - 1s/step",
        "2/3 [=>.] - ETA: 1s - 1s/step",
        "3/3 [===] - 3s 1s/step",
    ]
    assert len(lines[-1]) == len(lines[-2]) + len("\n")


def test_drawings_keep_their_distance_unless_forced(clock, terminal):
    bar = Progbar(1000, interval=0.1)
    for step in range(100):
        clock.now += 0.01
        bar.update(step)
    assert terminal().count("\r") <= 10
    bar.update(101, force=True)
    assert "101/1000" in terminal()


def test_first_units_do_not_spoil_the_estimate(clock, terminal):
    bar = Progbar(101, interval=0)
    clock.now += 30  # a compilation
    bar.update(1)
    clock.now += 1
    bar.update(51)
    assert "ETA: 1s - 20ms/step" in terminal().split("\r")[-1]


def test_unknown_target_ends_when_told(clock, terminal):
    bar = Progbar(None)
    bar.update(5, [("loss", 1.0)])
    bar.update(6, [("loss", 1.0)], finalize=True)
    assert terminal().endswith("      6/Unknown - 0s 0s/step - loss: 1.0000\n")


def test_colours_only_on_a_terminal_that_wants_them(clock, terminal, monkeypatch):
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "xterm")
    Progbar(2).update(2)
    assert "\x1b[32m" in terminal()
    monkeypatch.setenv("TERM", "dumb")
    Progbar(2).update(2)
    assert "\x1b" not in terminal()
    assert "NO_COLOR" not in os.environ
