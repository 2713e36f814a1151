"""Damaged files, each made from its number alone, and a program that loads a range of them.

`python fuzzing.py FOLDER START STOP` loads the files START to STOP - 1 and prints one JSON line for
each that misbehaves; a hang or a crash ends it. FOLDER has the sound files, which
`python fuzzing.py FOLDER prepare ARCHIVE` writes, with genuine ones from the archive.
"""

import copy
import faulthandler
import io
import json
import random
import resource
import signal
import struct
import sys
import warnings
import zipfile
from pathlib import Path

import h5py
import numpy as np

SECONDS = 5
"""How long a file may take, of the processor's time: machines stand still at times."""
GROWTH = 200 << 20
"""Bytes by which the process may grow."""

GENUINE = (
    "k033-theano-mlp.weights_only.h5",
    "k1-theano-mlp_adam.h5",
    "k1-tensorflow-lstm_cpu.h5",
    "k2-tensorflow-nested_with_batchnorm.h5",
    "k2-theano-conv1d.h5",
    "k3-jax-embedding_bilstm.keras",
    "k3-jax-embedding_bilstm.weights.h5",
    "k3-jax-gru.h5",
    "k3-jax-nested_model.keras",
)
"""Files of genuine Keras among those that are damaged."""

OWN = ("own.h5", "own.keras", "own.weights.h5", "own.only.h5")
"""Ours, which have digests."""

VALUES = (
    *(-1, 0, 1, 3, 2**31, 2**63, 10**30, 1e308, -1e308, float("nan"), float("inf"), None, True, ""),
    *("x", "../../x", "x" * 5000, "\0", "Dense", "relu", "lambda", "LSTM", "Model", "Sequential"),
    *([], [[]], [None], [1, 2, 3, 4, 5, 6, 7], {}, {"class_name": "Lambda", "config": {}}),
    {"class_name": "__tensor__", "config": {"dtype": "float32", "value": [1]}},
    [[[[[[[[[]]]]]]]]],
)
"""What is put in the place of parts of a config."""


def own_model():
    """The model whose files have digests."""
    from funkeras.layers import LSTM, Dense, Embedding
    from funkeras.models import Sequential

    np.random.seed(0)
    layers = [Embedding(7, 4, input_length=5, name="e"), LSTM(3, name="l"), Dense(2, name="d")]
    model = Sequential(layers, name="own")
    model.compile("adam", "mse")
    model.train_on_batch(np.ones((2, 5), int), np.ones((2, 2)))
    return model


def prepare(folder: Path, archive: Path) -> None:
    """Write the sound files."""
    with zipfile.ZipFile(archive) as genuine:
        for name in GENUINE:
            genuine.extract(name, folder)
    model = own_model()
    for name in OWN:
        model.save_weights(folder / name) if name.count(".") > 1 else model.save(folder / name)


def mutated(folder: Path, index: int) -> tuple[str, bytes]:
    """The name of a sound file and what damage number `index` makes of its bytes."""
    chance = random.Random(index)
    name = chance.choice(GENUINE + OWN)
    content = bytearray((folder / name).read_bytes())
    damages = [flipped, overwritten, huge_number, cut, removed, doubled, spliced, emptied]
    if name in GENUINE:
        damages += [reconfigured] * 4
    if name.endswith(".h5") and name in GENUINE:
        damages += [relinked, reshaped]
    chosen = [chance.choice(damages) for _ in range(chance.choice((1, 1, 1, 2, 5)))]
    # HDF5 may never come back from changing a file that is damaged already.
    for damage in sorted(chosen, key=lambda damage: damage not in SOUND):
        content = bytearray(damage(chance, bytearray(content), name, folder))
    return name, bytes(content)


def _place(chance, content):
    """Somewhere, more often near the beginning, where the structure is."""
    last = max(len(content) - 1, 0)
    return (
        min(last, int(chance.expovariate(1 / 3000)))
        if chance.random() < 0.5
        else (chance.randint(0, last))
    )


def flipped(chance, content, name, folder):
    for _ in range(chance.choice((1, 1, 2, 8, 40))):
        if content:
            content[_place(chance, content)] ^= 1 << chance.randrange(8)
    return content


def overwritten(chance, content, name, folder):
    at = _place(chance, content)
    length = chance.choice((1, 4, 8, 64, 1000))
    content[at : at + length] = chance.randbytes(min(length, len(content) - at))
    return content


def huge_number(chance, content, name, folder):
    at = _place(chance, content) // 8 * 8
    number = chance.choice((0xFFFFFFFF, 1 << 31, 1 << 40, (1 << 63) - 1, (1 << 64) - 1))
    content[at : at + 8] = struct.pack("<Q", number)
    return content


def cut(chance, content, name, folder):
    return content[: chance.randint(0, len(content))]


def removed(chance, content, name, folder):
    at = _place(chance, content)
    del content[at : at + chance.choice((1, 8, 100, 4096))]
    return content


def doubled(chance, content, name, folder):
    at = _place(chance, content)
    part = content[at : at + chance.choice((1, 8, 512, 4096))]
    return content[:at] + part + content[at:]


def spliced(chance, content, name, folder):
    other = (folder / chance.choice(GENUINE + OWN)).read_bytes()
    at = _place(chance, content)
    return content[:at] + other[at:]


def emptied(chance, content, name, folder):
    at = _place(chance, content)
    length = chance.choice((8, 512, 4096))
    content[at : at + length] = bytes(min(length, max(len(content) - at, 0)))
    return content


def changed_json(chance, text):
    """JSON with a few of its parts replaced by others."""
    described = json.loads(text)
    if isinstance(described, str):
        described = json.loads(described)
    for _ in range(chance.choice((1, 1, 2, 4))):
        places = []
        _walk(described, places)
        if not places:
            return json.dumps(described)
        holder, key = chance.choice(places)
        action = chance.random()
        if action < 0.7:
            holder[key] = copy.deepcopy(chance.choice(VALUES))
        elif action < 0.85:
            del holder[key]
        else:
            other, other_key = chance.choice(places)
            try:
                holder[key] = json.loads(json.dumps(other[other_key]))
            except (KeyError, IndexError):
                holder[key] = None
    return json.dumps(described)


def _walk(value, places):
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in list(items):
        places.append((value, key))
        if isinstance(part, dict | list):
            _walk(part, places)


def reconfigured(chance, content, name, folder):
    """A config with other values in it, in a file that is sound."""
    try:
        if name.endswith(".keras"):
            return _rezipped(chance, bytes(content))
        with io.BytesIO(bytes(content)) as memory:
            with h5py.File(memory, "r+") as file:
                for key in ("model_config", "training_config"):
                    if key in file.attrs and (key == "model_config" or chance.random() < 0.5):
                        file.attrs[key] = changed_json(chance, file.attrs[key])
            return memory.getvalue()
    except Exception:  # damaged before
        return content


def _rezipped(chance, content):
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        members = {info.filename: old.read(info) for info in old.infolist()}
    members["config.json"] = changed_json(chance, members["config.json"]).encode()
    with io.BytesIO() as memory:
        with zipfile.ZipFile(memory, "w", chance.choice((0, zipfile.ZIP_DEFLATED))) as new:
            for member, data in members.items():
                new.writestr(member, data)
        return memory.getvalue()


def _edited(chance, content, edit):
    try:
        with io.BytesIO(bytes(content)) as memory:
            with h5py.File(memory, "r+") as file:
                nodes = []
                file.visit(nodes.append)
                edit(file, nodes[chance.randrange(len(nodes))])
            return memory.getvalue()
    except Exception:  # damaged before
        return content


def relinked(chance, content, name, folder):
    """A node that is a link, or another node."""

    def edit(file, node):
        del file[node]
        file[node] = chance.choice(
            (
                h5py.SoftLink("/"),
                h5py.SoftLink(f"/{node}"),
                h5py.ExternalLink(str(folder / name), "/"),
                file["/"],
            )
        )

    return _edited(chance, content, edit)


def reshaped(chance, content, name, folder):
    """An array of another shape or type."""

    def edit(file, node):
        if isinstance(file[node], h5py.Dataset):
            del file[node]
            shape = chance.choice(((), (0,), (1,), (1 << 50,), (3, 1 << 30), (2,) * 20))
            file.create_dataset(node, shape, chance.choice(("f4", "f8", "i8", "S5", "u1", "f2")))

    return _edited(chance, content, edit)


SOUND = (reconfigured, relinked, reshaped)
"""Changes that leave the file as such sound."""


def loads(path: Path, name: str, models: dict):
    """Load a file as its kind: (what came of it, what is wrong with that)."""
    from funkeras.formats import FileFormatError
    from funkeras.models import load_model

    model = models.get(name)
    before = None if model is None else model.get_weights()
    try:
        if model is None:
            got = load_model(path)
        else:
            model.load_weights(path, backend="theano")
            got = model
    except FileFormatError as error:
        if not str(error):
            return "refused", "the error says nothing"
        if model is not None and not same(before, model.get_weights()):
            return "refused", "the model was changed all the same"
        return "refused", None
    except (FileNotFoundError, IsADirectoryError):
        raise
    except Exception as error:
        return "failed", f"{type(error).__name__}: {error}"[:300]
    if name in OWN and not same(got.get_weights(), models["own"].get_weights()):
        return "loaded", "the digest fits, the values are others"
    if model is not None:
        model.set_weights(before)
    return "loaded", None


def same(first, second):
    return len(first) == len(second) and all(
        np.array_equal(a, b) for a, b in zip(first, second, strict=True)
    )


def for_weights(folder: Path) -> dict:
    """The models that files of weights are loaded into, by name of the file; our own as `own`."""
    from funkeras.layers import Dense
    from funkeras.models import Sequential, load_model

    own = own_model()
    return {
        "own": own,
        "own.weights.h5": own,
        "own.only.h5": own,
        "k3-jax-embedding_bilstm.weights.h5": load_model(folder / "k3-jax-embedding_bilstm.keras"),
        "k033-theano-mlp.weights_only.h5": Sequential([Dense(6, input_dim=5), Dense(3)]),
    }


def main(folder: Path, start: int, stop: int) -> None:
    warnings.simplefilter("ignore")
    faulthandler.register(signal.SIGPROF, chain=True)  # says where, then ends the process
    models = for_weights(folder)
    for name in GENUINE + OWN:  # what a first load brings along is no growth
        came, wrong = loads(folder / name, name, models)
        assert (came, wrong) == ("loaded", None), (name, came, wrong)
    least = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    counts: dict[str, int] = {}
    for index in range(start, stop):
        print(json.dumps({"at": index}), flush=True)
        name, content = mutated(folder, index)
        path = folder / f"damaged-{start}{''.join(Path(name).suffixes)}"
        path.write_bytes(content)
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        came, wrong = loads(path, name, models)
        signal.setitimer(signal.ITIMER_PROF, 0)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - least) * 1024
        if grown > GROWTH:
            wrong = f"the process has grown by {grown >> 20} MB"
        if wrong:
            print(json.dumps({"index": index, "name": name, "wrong": wrong}), flush=True)
        counts[came] = counts.get(came, 0) + 1
    print(json.dumps({"done": counts}), flush=True)


if __name__ == "__main__":
    if sys.argv[2] == "prepare":
        prepare(Path(sys.argv[1]), Path(sys.argv[3]))
    else:
        main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
