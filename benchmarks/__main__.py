"""`python -m benchmarks`: all workloads, or those named, in turns, as a table and as JSON.

Figures of workloads that the JSON file has from before stay in it, so that a table can be made of
several short runs.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("KERAS_BACKEND", "jax")  # before Keras is imported

import jax

from benchmarks.contestants import CONTESTANTS, available
from benchmarks.first_epoch import LEARNERS
from benchmarks.predictions import PREDICTORS
from benchmarks.timing import interleaved, repeated
from benchmarks.workloads import WORKLOADS
from funkeras import config

__all__: list[str] = []

MARKS = "<!-- speed -->", "<!-- /speed -->"
"""What stands before and after the table in a document."""


class Row(NamedTuple):
    """A line of the table: contestant → what makes the call that is timed, so many times.

    A call does what the title says `parts` times.
    """

    title: str
    makers: Mapping[str, Callable[[], Callable[[], object]]]
    calls: int = 1
    parts: int = 1


def one_epoch(name: str) -> Row:
    work = WORKLOADS[name]
    makers = {who: partial(make, work) for who, make in CONTESTANTS.items()}
    return Row(work.title, makers, parts=work.epochs)


def prediction(title: str, count: int, calls: int) -> Row:
    return Row(title, {who: partial(make, count) for who, make in PREDICTORS.items()}, calls)


def process(who: str) -> Callable[[], object]:
    command = [sys.executable, "-m", "benchmarks.first_epoch", who]
    return partial(subprocess.run, command, check=True, capture_output=True)


ROWS: dict[str, Callable[[], Row]] = {
    **{name: partial(one_epoch, name) for name in WORKLOADS},
    "predict_one": lambda: prediction("The MLP predicts one row", 1, 100),
    "predict_all": lambda: prediction("The MLP predicts 10,000 rows", 10_000, 1),
    "start": lambda: Row(
        "A new process until it has trained the MLP for an epoch",
        {who: partial(process, who) for who in LEARNERS},
    ),
}
"""Name on the command line → row."""


def measured(row: Row, names: list[str], rounds: int) -> dict[str, float]:
    """Seconds of what the title says, for each contestant: medians over the rounds."""
    runs = {name: repeated(row.makers[name](), row.calls) for name in names if name in row.makers}
    medians = interleaved(runs, rounds)
    return {name: value / (row.calls * row.parts) for name, value in medians.items()}


def machine() -> dict[str, str]:
    """Where the figures come from."""
    packages = {"jax": "jax", "Keras 3": "keras", "PyTorch": "torch"}
    found = {d.metadata["Name"].lower(): d.version for d in importlib.metadata.distributions()}
    versions = {name: found[package] for name, package in packages.items() if package in found}
    device = jax.devices()[0].device_kind
    return {
        "device": device,
        "cores": str(os.cpu_count()),
        "machine": platform.machine(),
    } | versions


def shown(value: float) -> str:
    """Three digits, or all of those before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(results: Mapping[str, Mapping[str, float]]) -> str:
    """Milliseconds in Markdown, and how many times as long as funkeras."""
    names = [name for name in CONTESTANTS if any(name in row for row in results.values())]
    lines = ["| ms (times funkeras) | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for key, make in ROWS.items():
        if key in results:
            medians = results[key]
            own = medians["funkeras"]
            cells = [
                f"{shown(medians[name] * 1e3)} ({medians[name] / own:.2f})"
                if name in medians
                else ""
                for name in names
            ]
            lines.append(f"| {make().title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def put(text: str, path: Path) -> None:
    """Replace what stands between the marks of a document."""
    before, found, rest = path.read_text().partition(MARKS[0])
    _, closed, after = rest.partition(MARKS[1])
    if not found or not closed:
        raise SystemExit(f"{path} has no lines {MARKS[0]} and {MARKS[1]}")
    path.write_text(f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{after}")


def main() -> None:
    """Time the workloads that were named, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("workloads", nargs="*", help=f"among {', '.join(ROWS)}; all if none")
    parser.add_argument("--rounds", type=int, default=7, help="timed calls of each")
    parser.add_argument("--json", type=Path, help="keep the medians, in seconds, here")
    parser.add_argument("--table", type=Path, help=f"write the table here, between {MARKS[0]}")
    parser.add_argument("--only", nargs="+", choices=list(CONTESTANTS), help="contestants")
    options = parser.parse_args()
    if unknown := set(options.workloads) - set(ROWS):
        parser.error(f"no workload {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    config.set_dialect("modern")
    names = list(dict.fromkeys(["funkeras", *(options.only or available())]))
    kept: dict[str, Any] = {}
    if options.json and options.json.exists():
        kept = json.loads(options.json.read_text())["seconds"]
    for key in options.workloads or ROWS:
        kept[key] = measured(ROWS[key](), names, options.rounds)
        print(table({key: kept[key]}), flush=True)
        if options.json:
            text = json.dumps({"machine": machine(), "seconds": kept}, indent=2)
            options.json.write_text(text + "\n")
        jax.clear_caches()
    print("\n" + table(kept))
    if options.table:
        put(table(kept), options.table)


if __name__ == "__main__":
    main()
