"""`python -m benchmarks`: epochs of the workloads, in turns, as a table and as JSON."""

import argparse
import json
import os
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "jax")  # before Keras is imported

import jax

from benchmarks.contestants import CONTESTANTS, available
from benchmarks.timing import interleaved
from benchmarks.workloads import WORKLOADS
from funkeras import config

__all__: list[str] = []


def table(results: dict[str, dict[str, float]], names: list[str]) -> str:
    """Milliseconds of an epoch in Markdown, and how many times as long as funkeras."""
    lines = ["| one epoch, ms (times funkeras) | " + " | ".join(names) + " |"]
    lines.append("|---" * (len(names) + 1) + "|")
    for key, medians in results.items():
        own = medians["funkeras"]
        cells = [f"{medians[name] * 1e3:.1f} ({medians[name] / own:.2f})" for name in names]
        lines.append(f"| {WORKLOADS[key].title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Time the workloads that were named, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("workloads", nargs="*", help=f"among {', '.join(WORKLOADS)}; all if none")
    parser.add_argument("--rounds", type=int, default=7, help="timed epochs of each")
    parser.add_argument("--json", type=Path, help="also write the medians, in seconds, here")
    parser.add_argument("--only", nargs="+", choices=list(CONTESTANTS), help="contestants")
    options = parser.parse_args()
    if unknown := set(options.workloads) - set(WORKLOADS):
        parser.error(f"no workload {', '.join(sorted(unknown))}; there are {', '.join(WORKLOADS)}")
    config.set_dialect("modern")
    names = ["funkeras", *(options.only or available())]
    names = list(dict.fromkeys(names))
    results = {}
    for key in options.workloads or WORKLOADS:
        epochs = {name: CONTESTANTS[name](WORKLOADS[key]) for name in names}
        results[key] = interleaved(epochs, options.rounds)
        print(table({key: results[key]}, names).splitlines()[-1], flush=True)
        jax.clear_caches()
    print("\n" + table(results, names))
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
