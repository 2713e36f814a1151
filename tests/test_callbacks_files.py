"""Callbacks that write: checkpoints, tables, a server, TensorBoard's files."""

import json
import struct
import threading
import urllib.parse
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from funkeras import Input, callbacks, config
from funkeras.callbacks import events
from funkeras.layers import Add, Conv2D, Dense, Flatten
from funkeras.models import Model, Sequential

X = np.random.default_rng(0).standard_normal((12, 3)).astype("float32")
Y = X[:, :1]


def model(dialect: str = "classic") -> Sequential:
    config.set_dialect(dialect)
    made = Sequential([Dense(1, input_dim=3)])
    made.compile("sgd", "mse")
    return made


class Saved:
    """A model to checkpoints."""

    def __init__(self, callback: Any) -> None:
        self.calls: list[tuple[str, str]] = []
        callback.set_model(self)

    def save(self, path: str, overwrite: bool) -> None:
        self.calls.append(("model", path))

    def save_weights(self, path: str, overwrite: bool) -> None:
        self.calls.append(("weights", path))


LOSSES = [3.0, 2.0, 2.5, 1.0]
CHECKPOINTS: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "epochs of Keras 1 begin at 0": ("classic", {}, ["0-3.00", "1-2.00", "2-2.50", "3-1.00"]),
    "epochs of Keras 2 begin at 1": ("keras2", {}, ["1-3.00", "2-2.00", "3-2.50", "4-1.00"]),
    "every second": ("keras2", {"period": 2}, ["2-2.00", "4-1.00"]),
    "the best": ("keras2", {"save_best_only": True}, ["1-3.00", "2-2.00", "4-1.00"]),
    "the largest": ("keras2", {"save_best_only": True, "mode": "max"}, ["1-3.00"]),
    "what beats a threshold": (
        "keras2",
        {"save_best_only": True, "initial_value_threshold": 2.2},
        ["2-2.00", "4-1.00"],
    ),
}


@pytest.mark.parametrize("case", CHECKPOINTS)
@pytest.mark.parametrize("weights", [True, False])
def test_checkpoints_are_made_when_asked(case: str, weights: bool, tmp_path: Path) -> None:
    dialect, options, names = CHECKPOINTS[case]
    config.set_dialect(dialect)
    path = str(tmp_path / "new" / "{epoch}-{val_loss:.2f}.h5")
    callback = callbacks.ModelCheckpoint(path, save_weights_only=weights, **options)
    saved = Saved(callback)
    for epoch, loss in enumerate(LOSSES):
        callback.on_epoch_end(epoch, {"val_loss": loss})
    kind = "weights" if weights else "model"
    assert saved.calls == [(kind, str(tmp_path / "new" / f"{name}.h5")) for name in names]
    assert (tmp_path / "new").is_dir()


def test_positional_arguments_have_the_order_of_their_generation() -> None:
    given = ("a.h5", "loss", 0, False, False, "auto", 3)
    for dialect, counts in (
        ("classic", ("epoch", 3)),
        ("keras2", ("epoch", 3)),
        ("modern", (3, 1)),
    ):
        config.set_dialect(dialect)
        made = callbacks.ModelCheckpoint(*given)
        assert (made.save_freq, made.period) == counts
    with (
        pytest.raises(TypeError, match="argument 'filepath' twice"),
        config.using_dialect("keras2"),
    ):
        callbacks.ModelCheckpoint("a.h5", filepath="b.h5")
    with config.using_dialect("keras2"):
        assert callbacks.TensorBoard("logs", 2, 32, False, False, True).write_images is True
    with config.using_dialect("classic"):
        assert callbacks.TensorBoard("logs", 2, False, True).write_images is True


def test_checkpoints_between_batches(tmp_path: Path) -> None:
    made = model("modern")
    path = str(tmp_path / "{epoch}-{batch}.weights.h5")
    callback = callbacks.ModelCheckpoint(path, save_weights_only=True, save_freq=2)
    made.fit(X, Y, batch_size=4, epochs=2, verbose=0, callbacks=[callback])
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "1-2.weights.h5",
        "2-1.weights.h5",
        "2-3.weights.h5",
    ]


def test_checkpoints_hold_the_weights(tmp_path: Path) -> None:
    made = model()
    callback = callbacks.ModelCheckpoint(str(tmp_path / "w.h5"), "loss", save_weights_only=True)
    made.fit(X, Y, epochs=1, verbose=0, callbacks=[callback])
    after = made.get_weights()
    made.set_weights([0 * w for w in after])
    made.load_weights(str(tmp_path / "w.h5"))
    for a, b in zip(made.get_weights(), after, strict=True):
        np.testing.assert_array_equal(a, b)


def test_wrong_checkpoints_say_why(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='save_freq must be "epoch" or a number'):
        callbacks.ModelCheckpoint("a.h5", save_freq="week")
    wrong = callbacks.ModelCheckpoint("{val_acc}.h5")
    with pytest.raises(KeyError, match="val_acc"):
        wrong.on_epoch_end(0, {"loss": 1.0})
    best = callbacks.ModelCheckpoint(str(tmp_path / "a.h5"), save_best_only=True)
    saved = Saved(best)
    with pytest.warns(RuntimeWarning, match="the logs lack it; nothing is saved"):
        best.on_epoch_end(0, {"loss": 1.0})
    assert not saved.calls
    config.set_dialect("modern")
    with pytest.raises(ValueError, match=r"must end in \.weights\.h5"):
        callbacks.ModelCheckpoint("a.h5", save_weights_only=True)


@pytest.mark.parametrize(
    ("dialect", "validates", "head"),
    [
        ("classic", False, b"epoch,loss\r\n"),
        ("classic", True, b"epoch,loss,val_loss\r\n"),
        ("modern", False, b"epoch,loss,val_loss\r\n"),  # as Keras 3.15.1 writes
    ],
)
def test_a_table_of_epochs(dialect: str, validates: bool, head: bytes, tmp_path: Path) -> None:
    made = model(dialect)
    path = tmp_path / "log.csv"
    given = {"validation_data": (X, Y)} if validates else {}
    logger = callbacks.CSVLogger(str(path))
    run = made.fit(X, Y, epochs=2, verbose=0, callbacks=[logger], **given)
    lines = path.read_bytes().splitlines(keepends=True)
    assert lines[0] == head
    for epoch, line in enumerate(lines[1:]):
        loss = run.history["loss"][epoch]
        rest = (
            [str(run.history["val_loss"][epoch])] if validates else ["NA"] * (dialect == "modern")
        )
        assert line.decode() == ",".join([str(epoch), str(loss), *rest]) + "\r\n"
    made.fit(
        X, Y, epochs=1, verbose=0, callbacks=[callbacks.CSVLogger(path, ";", append=True)], **given
    )
    assert path.read_bytes().splitlines()[3].startswith(b"0;")


@pytest.fixture
def server() -> Iterator[Any]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            received.append((self.path, self.headers["Content-Type"], self.headers["X-Key"], body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    received: list[Any] = []
    made = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{made.server_address[1]}", received
    made.shutdown()
    thread.join()
    made.server_close()


def test_a_server_is_sent_every_epoch(server: Any) -> None:
    root, received = server
    logs = {"loss": np.float32(0.5), "acc": 0.25}
    callbacks.RemoteMonitor(root, headers={"X-Key": "k"}).on_epoch_end(3, logs)
    callbacks.RemoteMonitor(root, path="/p", send_as_json=True).on_epoch_end(4, logs)
    (path, kind, key, body), (second, json_kind, _, text) = received
    assert (path, kind, key) == ("/publish/epoch/end/", "application/x-www-form-urlencoded", "k")
    form = urllib.parse.parse_qs(body)
    assert json.loads(form["data"][0]) == {"epoch": 3, "loss": 0.5, "acc": 0.25}
    assert (second, json_kind) == ("/p", "application/json")
    assert json.loads(text)["epoch"] == 4


def test_a_server_that_is_away_is_warned_of() -> None:
    with pytest.warns(RuntimeWarning, match="cannot reach http://127.0.0.1:9"):
        callbacks.RemoteMonitor("http://127.0.0.1:9").on_epoch_end(0, {"loss": 1.0})


# TensorBoard


def test_a_record_is_these_bytes() -> None:
    """Checksums of the standard (RFC 3720, B.4), and their masked form by its formula."""
    assert events.crc32c(bytes(32)) == 0x8A9136AA
    assert events.crc32c(b"\xff" * 32) == 0x62A8AB43
    assert events.crc32c(bytes(range(32))) == 0x46DD794E
    rotated = (0x8A9136AA >> 15 | 0x8A9136AA << 17) & 0xFFFFFFFF
    assert events.masked(bytes(32)) == struct.pack("<I", (rotated + 0xA282EAD8) & 0xFFFFFFFF)
    written = events.record(bytes(32))
    assert written[:8] == struct.pack("<Q", 32)
    assert written[12:44] == bytes(32)
    assert written[44:] == events.masked(bytes(32))


def test_a_number_is_this_message() -> None:
    assert events.scalar("loss", 0.5) == b"\x0a\x04loss\x15\x00\x00\x00\x3f"


def messages(data: bytes) -> dict[int, list[Any]]:
    """The fields of a protocol buffer message by number, undecoded."""
    fields: dict[int, list[Any]] = {}
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = varint()
        if key & 7 == 0:
            value: Any = varint()
        else:
            size = {1: 8, 5: 4}.get(key & 7) or varint()
            value = data[at : at + size]
            at += size
        fields.setdefault(key >> 3, []).append(value)
    return fields


def summaries(folder: Path) -> dict[str, dict[int, dict[int, list[Any]]]]:
    """Tag → step → fields of the value."""
    (path,) = folder.glob("events.out.tfevents.*")
    data, found = path.read_bytes(), {}
    at = 0
    while at < len(data):
        (length,) = struct.unpack("<Q", data[at : at + 8])
        assert data[at + 8 : at + 12] == events.masked(data[at : at + 8])
        body = data[at + 12 : at + 12 + length]
        assert data[at + 12 + length : at + 16 + length] == events.masked(body)
        at += 16 + length
        event = messages(body)
        for summary in event.get(5, []):
            for value in messages(summary)[1]:
                fields = messages(value)
                step = event.get(2, [0])[0]
                found.setdefault(fields[1][0].decode(), {})[step] = fields
    return found


def number(fields: dict[int, list[Any]]) -> float:
    return struct.unpack("<f", fields[2][0])[0]


def test_numbers_of_epochs_are_where_their_generation_puts_them(tmp_path: Path) -> None:
    run = model("keras2").fit(
        X,
        Y,
        epochs=2,
        verbose=0,
        validation_data=(X, Y),
        callbacks=[callbacks.TensorBoard(str(tmp_path / "old"))],
    )
    old = summaries(tmp_path / "old")
    for name in ("loss", "val_loss"):
        np.testing.assert_allclose([number(old[name][e]) for e in (0, 1)], run.history[name])
    run = model("modern").fit(
        X,
        Y,
        batch_size=4,
        epochs=2,
        verbose=0,
        validation_data=(X, Y),
        callbacks=[callbacks.TensorBoard(str(tmp_path / "new"), update_freq=2)],
    )
    train, held = (summaries(tmp_path / "new" / name) for name in ("train", "validation"))
    for found, name in ((train, "loss"), (held, "val_loss")):
        numbers = [number(found["epoch_loss"][epoch]) for epoch in (0, 1)]
        np.testing.assert_allclose(numbers, run.history[name])
    assert sorted(train["batch_loss"]) == [1, 3, 5]
    assert b"class_name" in messages(train["keras"][0][8][0])[8][0]


def test_histograms_and_pictures_of_weights(tmp_path: Path) -> None:
    config.set_dialect("modern")
    made = Sequential([Conv2D(2, 3, input_shape=(5, 4, 1)), Flatten(), Dense(2)])
    made.compile("sgd", "mse")
    images = np.random.default_rng(0).standard_normal((4, 5, 4, 1))
    board = callbacks.TensorBoard(tmp_path, histogram_freq=1, write_images=True)
    made.fit(images, np.zeros((4, 2)), epochs=1, verbose=0, callbacks=[board])
    found = summaries(tmp_path / "train")
    layer, kernel = made.layers[2].name, made.layers[2].get_weights()[0].astype("float64")
    drawn = messages(found[f"{layer}/kernel/histogram"][0][5][0])
    doubles = {key: np.frombuffer(b"".join(values), "<f8") for key, values in drawn.items()}
    expected = [kernel.min(), kernel.max(), kernel.size, kernel.sum(), (kernel**2).sum()]
    np.testing.assert_allclose([doubles[key][0] for key in range(1, 6)], expected)
    limits, counts = doubles[6], doubles[7]
    for limit, below in zip(limits, np.cumsum(counts), strict=True):
        assert below == (kernel <= limit).sum()
    picture = messages(found[f"{layer}/kernel"][0][4][0])
    assert (picture[1], picture[2], picture[3]) == ([2], [12], [1])
    assert pixels(picture[4][0]).shape == (2, 12)
    stencil = made.layers[0].get_weights()[0]
    grey = (stencil - stencil.min()) / (stencil.max() - stencil.min()) * 255
    first = messages(found[f"{made.layers[0].name}/kernel/image/0"][0][4][0])
    np.testing.assert_allclose(pixels(first[4][0]), grey[:, :, 0, 0], atol=0.51)


def pixels(png: bytes) -> np.ndarray:
    """A grey picture of a PNG file without filters, by the format's description."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    columns, rows = struct.unpack(">II", png[16:24])
    at = png.index(b"IDAT")
    (length,) = struct.unpack(">I", png[at - 4 : at])
    lines = np.frombuffer(zlib.decompress(png[at + 4 : at + 4 + length]), np.uint8)
    return lines.reshape(rows, columns + 1)[:, 1:]


def test_what_tensorboard_reads(tmp_path: Path) -> None:
    reading = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    config.set_dialect("modern")
    made = branched()
    board = callbacks.TensorBoard(tmp_path, histogram_freq=1, write_images=True)
    run = made.fit(X, Y, epochs=2, verbose=0, validation_data=(X, Y), callbacks=[board])
    found = reading.EventAccumulator(
        str(tmp_path / "train"), {"histograms": 0, "images": 0, "scalars": 0}
    ).Reload()
    held = reading.EventAccumulator(str(tmp_path / "validation")).Reload()
    for events_of, tag, name in ((found, "epoch_loss", "loss"), (held, "epoch_loss", "val_loss")):
        seen = events_of.Scalars(tag)
        np.testing.assert_allclose([e.value for e in seen], run.history[name], rtol=1e-6)
        assert [e.step for e in seen] == [0, 1]
    kernel = made.get_layer("left").get_weights()[0]
    drawn = found.Histograms("left/kernel/histogram")[-1].histogram_value
    np.testing.assert_allclose([drawn.min, drawn.max, drawn.num], [kernel.min(), kernel.max(), 6])
    picture = found.Images("left/kernel")[-1]
    assert (picture.width, picture.height) == (3, 2)
    nodes = {node.name: (node.op, list(node.input)) for node in found.Graph().node}
    assert nodes == GRAPH
    # The page of conceptual graphs makes its own graph of the config.
    plugin = pytest.importorskip("tensorboard.plugins.graph.keras_util")
    text = found.Tensors("keras")[0].tensor_proto.string_val[0]
    conceptual = plugin.keras_model_to_graph_def(json.loads(text))
    assert {node.name.rpartition("/")[2] for node in conceptual.node} >= set(GRAPH)


GRAPH = {
    "x": ("InputLayer", []),
    "left": ("Dense", ["x"]),
    "right": ("Dense", ["x"]),
    "sum": ("Add", ["left", "right"]),
    "out": ("Dense", ["sum"]),
}


def branched() -> Model:
    x = Input((3,), name="x")
    both = Add(name="sum")([Dense(2, name="left")(x), Dense(2, name="right")(x)])
    made = Model(x, Dense(1, name="out")(both))
    made.compile("sgd", "mse")
    return made


def test_a_graph_is_these_messages(tmp_path: Path) -> None:
    """A node's name, operation and inputs are its fields 1 to 3, by `node_def.proto`."""
    board = callbacks.TensorBoard(tmp_path)
    board.set_model(branched())
    board.on_train_begin()
    board.release()
    (path,) = tmp_path.glob("events.out.tfevents.*")
    data, nodes = path.read_bytes(), {}
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        for graph in messages(data[12 : 12 + length]).get(4, []):
            for node in messages(graph)[1]:
                fields = messages(node)
                inputs = [name.decode() for name in fields.get(3, [])]
                nodes[fields[1][0].decode()] = (fields[2][0].decode(), inputs)
        data = data[16 + length :]
    assert nodes == GRAPH


@pytest.mark.parametrize("option", [{"profile_batch": 1}, {"write_grads": True}])
def test_tensorboard_says_what_it_cannot_do(option: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="TensorBoard cannot do"):
        callbacks.TensorBoard(**option)


def test_tensorboard_writes_what_layers_make_of_data_for_the_projector(tmp_path):
    model = Sequential([Dense(4, input_dim=3, name="features"), Dense(1)])
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).normal(size=(10, 3)).astype("float32")
    board = callbacks.TensorBoard(
        tmp_path,
        batch_size=4,
        embeddings_freq=1,
        embeddings_layer_names=["features"],
        embeddings_metadata="labels.tsv",
        embeddings_data=x,
    )
    model.fit(x, x[:, :1], epochs=1, verbose=0, callbacks=[board])
    kernel, bias = model.layers[0].get_weights()
    table = np.loadtxt(tmp_path / "features.tsv", delimiter="\t")
    np.testing.assert_allclose(table, x @ kernel + bias, rtol=1e-4, atol=1e-5)
    described = (tmp_path / "projector_config.pbtxt").read_text()
    assert 'tensor_path: "features.tsv"' in described
    assert 'metadata_path: "labels.tsv"' in described
    with pytest.raises(ValueError, match="needs embeddings_data"):
        callbacks.TensorBoard(tmp_path, embeddings_freq=1)
    board.projector.names = None
    with pytest.raises(ValueError, match="has no Embedding"):
        board.projector.begin(model)
