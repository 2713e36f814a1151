"""`python -m benchmarks.memory`: the most memory that each contestant takes, in fresh processes.

Resident memory of the process, with all it imports; on a GPU also the device's bytes.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")  # before Keras is imported

import jax
import numpy as np

from benchmarks.contestants import CONTESTANTS
from benchmarks.workloads import CLASSES, WORKLOADS, Data, Workload, affine, one_hot
from funkeras import config

__all__: list[str] = []

EPOCHS = 3


def rows(count: int, features: int) -> Data:
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 10, count)
    return generator.random((count, features), dtype=np.float32), one_hot(labels)


def layered(sizes: Sequence[int]) -> dict[str, Any]:
    """Dense layers of these sizes with relu between them, as a workload has them."""

    def by_hand(params: Sequence[Any], key: jax.Array, x: jax.Array) -> jax.Array:
        for p in params[:-1]:
            x = jax.nn.relu(affine(p, x))
        return affine(params[-1], x)

    def layers(layers: Any) -> Sequence[Any]:
        inner = [layers.Dense(size, activation="relu") for size in sizes]
        return [*inner, layers.Dense(10, activation="softmax")]

    return {"layers": layers, "by_hand": by_hand, "torch": None}


LARGE = {
    "large_net": Workload(
        "80 M parameters, Adam", 32, "adam", CLASSES, lambda: rows(256, 4096), **layered([4096] * 5)
    ),
    "large_data": Workload(
        "1 GB of rows", 1024, "sgd", CLASSES, lambda: rows(250_000, 1024), **layered([64])
    ),
}
"""What the timed workloads are too small for."""

ALL = {**WORKLOADS, **LARGE}
NAMES = ("funkeras", "step loop by hand", "whole epoch by hand")


def peak(key: str, name: str) -> dict[str, float]:
    """Megabytes that this process took at most for some epochs of a workload."""
    epoch = CONTESTANTS[name](ALL[key])
    for _ in range(EPOCHS):
        epoch()
    found = {"resident": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
    stats = jax.devices()[0].memory_stats()
    if stats and jax.default_backend() != "cpu":
        found["device"] = stats["peak_bytes_in_use"] / 2**20
    return found


def main() -> None:
    """Measure the workloads that were named, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("workloads", nargs="*", help=f"among {', '.join(ALL)}; all if none")
    parser.add_argument(
        "--one", nargs=2, metavar=("WORKLOAD", "CONTESTANT"), help="in this process"
    )
    options = parser.parse_args()
    config.set_dialect("modern")
    if options.one:
        print(json.dumps(peak(*options.one)))
        return
    if unknown := set(options.workloads) - set(ALL):
        parser.error(f"no workload {', '.join(sorted(unknown))}; there are {', '.join(ALL)}")
    print("| peak, MiB (times funkeras) | " + " | ".join(NAMES) + " |")
    print("|---" * (len(NAMES) + 1) + "|")
    for key in options.workloads or ALL:
        found: list[dict[str, float]] = []
        for name in NAMES:
            command = [sys.executable, "-m", "benchmarks.memory", "--one", key, name]
            ran = subprocess.run(command, capture_output=True, text=True, check=True)
            found.append(json.loads(ran.stdout.splitlines()[-1]))
        for kind, own in found[0].items():
            cells = [f"{one[kind]:.0f} ({one[kind] / own:.2f})" for one in found]
            print(f"| {ALL[key].title}, {kind} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
