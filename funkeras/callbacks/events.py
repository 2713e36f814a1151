"""TensorBoard's event files: records with checksums, holding protocol buffer messages.

A record is the length (8 bytes), the length's checksum, the data, the data's checksum, all little
endian. The checksum is CRC-32C, rotated and shifted. Of the messages only the fields needed here
are known; their numbers are those of `event.proto`, `summary.proto`, `tensor.proto` and
`graph.proto`.
"""

import os
import socket
import struct
import time
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

__all__ = [
    "EventFile",
    "crc32c",
    "histogram",
    "image",
    "node",
    "png",
    "scalar",
    "tensor_text",
]

POLYNOMIAL = 0x82F63B78
MASK = 0xA282EAD8


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (POLYNOMIAL if byte & 1 else 0)
        table.append(byte)
    return table


CRC_TABLE = _crc_table()


def crc32c(data: bytes) -> int:
    """The CRC-32C (Castagnoli) checksum.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    crc = 0xFFFFFFFF
    table = CRC_TABLE
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def masked(data: bytes) -> bytes:
    """The checksum as records hold it."""
    crc = crc32c(data)
    rotated = ((crc >> 15) | (crc << 17)) & 0xFFFFFFFF
    return struct.pack("<I", (rotated + MASK) & 0xFFFFFFFF)


def record(data: bytes) -> bytes:
    """One record of a file."""
    length = struct.pack("<Q", len(data))
    return length + masked(length) + data + masked(data)


# Protocol buffers: a field is its number and kind, then a varint, eight bytes, four, or a length
# and as many bytes.


def varint(value: int) -> bytes:
    """A whole number, seven bits a byte.

    >>> varint(300)
    b'\\xac\\x02'
    """
    value &= (1 << 64) - 1
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def whole(number: int, value: int) -> bytes:
    """A field with a whole number."""
    return varint(number << 3) + varint(value)


def double(number: int, value: float) -> bytes:
    """A field with a float of eight bytes."""
    return varint(number << 3 | 1) + struct.pack("<d", value)


def single(number: int, value: float) -> bytes:
    """A field with a float of four bytes."""
    return varint(number << 3 | 5) + struct.pack("<f", value)


def field(number: int, value: bytes | str) -> bytes:
    """A field with text or a message."""
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def packed(number: int, values: Iterable[float]) -> bytes:
    """A field with many floats of eight bytes."""
    return field(number, np.asarray(list(values), "<f8").tobytes())


def scalar(tag: str, value: float) -> bytes:
    """A value of a summary: one number."""
    return field(1, tag) + single(2, value)


def limits() -> np.ndarray:
    """Upper limits of TensorBoard's histogram buckets: ±1e-12 · 1.1ⁿ."""
    positive = 1e-12 * 1.1 ** np.arange(774)
    return np.concatenate([-positive[::-1], [0.0], positive, [np.finfo("f8").max]])


LIMITS = limits()


def histogram(tag: str, values: np.ndarray) -> bytes:
    """A value of a summary: how often numbers fall between the limits."""
    values = np.asarray(values, "f8").ravel()
    finite = values[np.isfinite(values)]
    counts = np.bincount(np.searchsorted(LIMITS, finite, "left"), minlength=len(LIMITS))
    used = np.flatnonzero(counts)
    first, last = (max(used[0] - 1, 0), used[-1]) if len(used) else (0, 0)
    chosen = slice(first, last + 1)
    numbers = (finite.min(initial=np.inf), finite.max(initial=-np.inf), float(len(finite)))
    if not len(finite):
        numbers = (0.0, 0.0, 0.0)
    sums = (finite.sum(), (finite**2).sum())
    message = b"".join(double(i + 1, float(value)) for i, value in enumerate((*numbers, *sums)))
    message += packed(6, LIMITS[chosen]) + packed(7, counts[chosen])
    return field(1, tag) + field(5, message)


def png(pixels: np.ndarray) -> bytes:
    """A picture (rows, columns, 1, 3 or 4 channels) of bytes as a PNG file."""
    rows, columns, channels = pixels.shape
    kinds = {1: 0, 3: 2, 4: 6}
    if channels not in kinds:
        raise ValueError(f"an image has 1, 3 or 4 channels, got {channels}")
    lines = np.zeros((rows, 1 + columns * channels), np.uint8)  # each line begins with a filter: 0
    lines[:, 1:] = np.asarray(pixels, np.uint8).reshape(rows, -1)

    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + crc

    header = struct.pack(">IIBBBBB", columns, rows, 8, kinds[channels], 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines.tobytes()))
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


def image(tag: str, pixels: np.ndarray) -> bytes:
    """A value of a summary: a picture (rows, columns, channels) of bytes."""
    rows, columns, channels = pixels.shape
    message = whole(1, rows) + whole(2, columns) + whole(3, channels) + field(4, png(pixels))
    return field(1, tag) + field(4, message)


def tensor_text(tag: str, text: str, plugin_name: str = "text") -> bytes:
    """A value of a summary: text, for the plugin that shows it."""
    plugin = field(1, field(1, plugin_name))
    shape = field(2, whole(1, 1))
    tensor = whole(1, 7) + field(2, shape) + field(8, text)
    return field(1, tag) + field(8, tensor) + field(9, plugin)


def node(name: str, kind: str, inputs: Sequence[str]) -> bytes:
    """A node of a graph: its name, what it does, and the names of those whose output it takes."""
    return field(1, field(1, name) + field(2, kind) + b"".join(field(3, each) for each in inputs))


class EventFile:
    """A file that TensorBoard reads while it grows."""

    def __init__(self, folder: str | os.PathLike[str], suffix: str = "") -> None:
        Path(folder).mkdir(parents=True, exist_ok=True)
        now = time.time()
        name = f"events.out.tfevents.{now:017.6f}.{socket.gethostname()}.{os.getpid()}{suffix}"
        self.path = Path(folder) / name
        self._file = self.path.open("ab")
        self._event(field(3, "brain.Event:2"))

    def _event(self, content: bytes, step: int | None = None) -> None:
        message = double(1, time.time())
        if step is not None:
            message += whole(2, step)
        self._file.write(record(message + content))

    def summaries(self, step: int, values: Sequence[bytes]) -> None:
        """Write the values of a step."""
        if values:
            self._event(field(5, b"".join(field(1, value) for value in values)), step)

    def graph(self, nodes: Iterable[bytes]) -> None:
        """Write a graph."""
        self._event(field(4, b"".join(nodes)))

    def flush(self) -> None:
        """Let readers see everything that was written."""
        self._file.flush()

    def close(self) -> None:
        """Write everything and close the file."""
        self._file.close()
