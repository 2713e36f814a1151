"""`python interrupted.py FOLDER KIND COUNT`: COUNT times kills a process that saves, and looks.

Prints one JSON line: how often the old and the new file were found, and which temporary files a
last save left.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import numpy as np

from funkeras import formats

LENGTH = 20_000


def arrays(version: int) -> np.ndarray:
    return np.full(LENGTH, version, "float32")


def save(path: Path, kind: str, version: int) -> None:
    layers = [(f"layer_{i}", [(f"layer_{i}/kernel:0", arrays(version))]) for i in range(5)]
    holders = {f"layers/dense_{i}": (f"dense_{i}", [arrays(version)]) for i in range(5)}
    if kind == "weights":
        formats.save_weights(path, layers)
    elif kind == "model":
        formats.save_model(path, layers, json.dumps({"version": version}))
    elif kind == "holders":
        formats.save_holders(path, holders)
    else:
        formats.save_archive(path, {}, {"version": version}, holders)


def load(path: Path) -> int:
    """The version that a file has throughout; loading checks its digest."""
    _, _, config, _, weights, _, digest = formats.contents(path)
    found = {float(number) for _, own in weights for _, array in own for number in (array[0],)}
    whole = all(bool((array == array[0]).all()) for _, own in weights for _, array in own)
    assert len(weights) == 5
    assert digest
    assert whole
    (version,) = found
    assert config.get("version", version) == version
    return int(version)


def main(folder: Path, kind: str, count: int) -> None:
    chance = random.Random(0)
    path = folder / {"holders": "a.weights.h5", "archive": "a.keras"}.get(kind, "a.h5")
    save(path, kind, 0)
    started = time.perf_counter()
    save(path, kind, 0)
    duration = time.perf_counter() - started
    last, kept, changed, left = 0, 0, 0, 0
    for _ in range(count):
        child = os.fork()
        if not child:
            save(path, kind, last + 1)
            os._exit(0)
        time.sleep(chance.uniform(0, 1.2 * duration))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        left += len(list(folder.iterdir())) > 1
        version = load(path)
        assert version in (last, last + 1)
        kept += version == last
        changed += version > last
        last = version
    save(path, kind, last)
    remaining = [other.name for other in folder.iterdir() if other != path]
    found = {"kept": kept, "changed": changed, "interrupted": left, "remaining": remaining}
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
