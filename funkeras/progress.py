"""Keras's progress bar: `render` is pure, `Progbar` keeps the averages and writes the lines."""

import os
import shutil
import sys
import time
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple, TextIO

import numpy as np

from funkeras import config
from funkeras.utils.messages import say

__all__ = ["Progbar", "render"]

GREEN, DIM, PLAIN = "\x1b[32m", "\x1b[2m", "\x1b[0m"
SHORTEST_BAR = 8


class Look(NamedTuple):
    """How a line is drawn.

    Fields:
        done, head, rest: the letters of a bar: what is done, the last of it, and what is left.
        ends: what is around the bar.
        gap: what is between a bar and the times.
        left: what is before the time that is left.
        width: of the bar.
    """

    done: str
    head: str
    rest: str
    ends: tuple[str, str]
    gap: str
    left: str
    width: int


CLASSIC = Look("=", ">", ".", ("[", "]"), " - ", "ETA: ", 30)
MODERN = Look("━", "━", "─", ("", ""), " ", "", 20)
"""Keras 3's."""


def render(
    current: int,
    target: int | None,
    values: Mapping[str, Any] | None = None,
    *,
    elapsed: float = 0.0,
    per_unit: float = 0.0,
    finished: bool = False,
    width: int = 30,
    unit_name: str = "step",
    columns: int | None = None,
    colour: bool = False,
    look: Look = CLASSIC,
) -> str:
    """One line of progress.

    Args:
        target: how many units there are; None when that is unknown.
        values: what to show behind the bar, by name.
        elapsed: seconds since the start, shown when finished or when the target is unknown.
        per_unit: seconds for one unit; they give the time that is left.
        width: of the bar; 0 for none.
        unit_name: what is counted; an empty name leaves out the time for one.
        columns: a longer line gets a shorter bar, then none, and then its end is cut off.
        colour: with codes of a terminal, which `columns` does not count.
        look: the letters, `CLASSIC` or `MODERN`.

    >>> render(120, 469, {"loss": 0.1234, "acc": 0.9}, per_unit=0.005, width=10)
    '120/469 [=>........] - ETA: 1s - 5ms/step - loss: 0.1234 - acc: 0.9000'
    >>> render(469, 469, {"loss": 0.12}, elapsed=2.3, per_unit=0.005, finished=True, width=10)
    '469/469 [==========] - 2s 5ms/step - loss: 0.1200'
    >>> render(120, 469, {"loss": 0.1234}, per_unit=0.005, width=10, look=MODERN)
    '120/469 ━━──────── 1s 5ms/step - loss: 0.1234'
    """
    rate = f"{_duration(per_unit)}/{unit_name}" if unit_name else ""
    over = finished or not target
    time = f"{elapsed:.0f}s"
    if target and not over:
        time = f"{look.left}{_clock(per_unit * max(target - current, 0))}"
    count = f"{current:{len(str(target))}d}/{target}" if target else f"{current:7d}/Unknown"
    shown = "".join(f" - {name}: {_number(value)}" for name, value in (values or {}).items())

    def info(gap: str) -> str:
        between = " " if over and look is CLASSIC else gap
        return gap + between.join(filter(None, (time, rate))) + shown

    width = width if target else 0
    if columns is not None:
        free = columns - len(count) - len(info(look.gap)) - len(" ".join(look.ends))
        width = min(width, free) if free >= SHORTEST_BAR else 0
    if target and width:
        done = min(width * current // target, width)
        head = look.head if done and current < target else look.done
        full, rest = look.done * (done - 1) + head * (done > 0), look.rest * (width - done)
        if colour:
            full, rest = f"{GREEN}{full}{PLAIN}", f"{DIM}{rest}{PLAIN}"
        return f"{count} {look.ends[0]}{full}{rest}{look.ends[1]}{info(look.gap)}"
    line = count + info(" - ")
    if columns is None or len(line) <= columns:
        return line
    return line[: max(columns - 1, len(count))] + "…"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{rest:02d}"
    return f"{minutes}:{rest:02d}" if minutes else f"{rest}s"


def _duration(seconds: float) -> str:
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s"
    return f"{seconds * 1e3:.0f}ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us"


def _number(value: Any) -> str:
    if isinstance(value, str) or value is None:
        return str(value)
    mean = float(np.mean(value))
    return f"{mean:.4e}" if abs(mean) <= 1e-3 else f"{mean:.4f}"


class Progbar:
    """A bar that moves on a terminal, and one line at the end elsewhere.

    Args:
        target: how many units there are, None if unknown.
        verbose: 0 silent, 1 or "auto" a bar, 2 one line at the end.
        width: of the bar; by default 30, and 20 in the dialect `modern`.
        interval: seconds between two drawings, at least.
        stateful_metrics: names whose value is shown as it comes; other values are averaged over
            the units. `"all"` averages nothing, and so does None in the dialect `modern`.
        stateless_metrics: names to average although None averages nothing.
        unit_name: what is counted: `step`, `sample`, or nothing to leave out the time for one.
    """

    def __init__(
        self,
        target: int | None,
        width: int | None = None,
        verbose: int | str = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | Literal["all"] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        if verbose not in (0, 1, 2, "auto"):
            raise ValueError(f"verbose must be 0, 1, 2 or 'auto'; got {verbose!r}")
        self.target = target
        self.look = MODERN if config.dialect() == "modern" and _can_draw(MODERN) else CLASSIC
        self.width = self.look.width if width is None else width
        self.verbose = 1 if verbose == "auto" else verbose
        self.interval = interval
        self.unit_name = unit_name
        if stateful_metrics is None and config.dialect() == "modern":
            stateful_metrics = "all"
        self._all_stateful = stateful_metrics == "all"
        self._stateful = set(stateful_metrics or ())
        self._stateless = set(stateless_metrics or ())
        self._sums: dict[str, tuple[Any, int]] = {}
        self._seen = 0
        self._start = time.perf_counter()
        self._first: tuple[int, float] | None = None
        self._drawn_at = float("-inf")
        self._drawn = 0

    def update(
        self,
        current: int,
        values: Iterable[tuple[str, Any]] | None = None,
        finalize: bool | None = None,
        force: bool = False,
    ) -> None:
        """Move to `current`, with new values by name.

        Args:
            finalize: end the line; by default when the target is reached.
            force: draw, however short the time since the last drawing (Keras 1).
        """
        now = time.perf_counter()
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        for name, value in values or ():
            self._take(name, value, current - self._seen)
        self._seen = current
        per_unit = self._seconds_per_unit(current, now)
        due = force or now - self._drawn_at >= self.interval
        if self.verbose == 0 or not (finalize or due):
            return
        stream = sys.stdout
        logged = not config.is_interactive_logging_enabled()
        terminal = _is_terminal(stream) and not logged
        if not finalize and (self.verbose == 2 or logged or not _moves(stream)):
            return
        line = render(
            current,
            self.target,
            self.averages(),
            elapsed=now - self._start,
            per_unit=per_unit,
            finished=finalize,
            width=0 if self.verbose == 2 else self.width,
            unit_name=self.unit_name,
            columns=_columns() if terminal and self.verbose == 1 else None,
            colour=terminal and self.verbose == 1 and _colours(),
            look=self.look,
        )
        if logged:
            say(line)
        else:
            self._write(stream, line, end=finalize)
        self._drawn_at = now

    def add(self, n: int, values: Iterable[tuple[str, Any]] | None = None) -> None:
        """Move on by `n`."""
        self.update(self._seen + n, values)

    def averages(self) -> dict[str, Any]:
        """What is shown for each name now."""
        return {
            name: total / count if count else total for name, (total, count) in self._sums.items()
        }

    def _take(self, name: str, value: Any, units: int) -> None:
        if (self._all_stateful and name not in self._stateless) or name in self._stateful:
            self._sums[name] = (value, 0)
        elif name in self._sums:
            total, count = self._sums[name]
            self._sums[name] = (total + value * units, count + units)
        else:
            units = max(units, 1)  # a value that comes with the last call only
            self._sums[name] = (value * units, units)

    def _seconds_per_unit(self, current: int, now: float) -> float:
        """The present speed: without the first units, which may include a compilation."""
        if self._first is None and current:
            self._first = (current, now)
        if not current or self._first is None:
            return 0.0
        count, time_then = self._first
        if current >= 2 * count and current > count:
            return (now - time_then) / (current - count)
        return (now - self._start) / current

    def _write(self, stream: TextIO, line: str, end: bool) -> None:
        length = len(line) - sum(line.count(code) * len(code) for code in (GREEN, DIM, PLAIN))
        if self._drawn:
            line = "\r" + line + " " * (self._drawn - length)
        stream.write(line + "\n" if end else line)
        stream.flush()
        self._drawn = 0 if end else length


def _is_terminal(stream: TextIO) -> bool:
    return bool(getattr(stream, "isatty", lambda: False)())


def _moves(stream: TextIO) -> bool:
    """Whether a line can be written again: on a terminal or in a notebook."""
    return _is_terminal(stream) or "ipykernel" in sys.modules


def _can_draw(look: Look) -> bool:
    """Whether the letters of a bar can be written where lines go."""
    try:
        "".join(look[:3]).encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _columns() -> int:
    """Columns to use; a letter in the last one would begin a new line on some terminals."""
    return max(shutil.get_terminal_size().columns - 1, 1)


def _colours() -> bool:
    return "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
