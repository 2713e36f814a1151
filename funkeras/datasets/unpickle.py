"""Arrays and plain containers out of pickles and `.npz` files, without executing a pickle.

The published CIFAR, IMDB and Reuters files are pickles, or hold them. Here nothing that a pickle
names is imported or called: arrays and dtypes are rebuilt by the classes below, which check what
they are given; every other name is refused.
"""

import pickle
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np

__all__ = ["load_npz", "load_pickle"]

SAFE_DTYPE = re.compile(r"[<>|=]?(\?|[biufSU]\d+|O8?)")


class _Dtype:
    """Stands for `numpy.dtype`, for numbers, strings and objects."""

    def __init__(self, code: str | bytes, *_: Any) -> None:
        self.code = code.decode("latin1") if isinstance(code, bytes) else code
        if not isinstance(self.code, str) or not SAFE_DTYPE.fullmatch(self.code):
            raise pickle.UnpicklingError(f"refused the array type {code!r}")
        self.order = "="

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        order = state[1].decode("latin1") if isinstance(state[1], bytes) else state[1]
        if order not in ("<", ">", "|", "=") or any(part is not None for part in state[2:5]):
            raise pickle.UnpicklingError("refused a structured array type")
        self.order = order

    def real(self) -> np.dtype[Any]:
        code = self.code.lstrip("<>|=")
        return np.dtype(code if self.order == "|" else self.order + code)


class _Array(np.ndarray):
    """Stands for `numpy.ndarray`: its state is checked before NumPy sees it."""

    def __setstate__(self, state: tuple[Any, ...]) -> None:  # pyright: ignore
        version, shape, dtype, fortran, data = state
        if not isinstance(dtype, _Dtype):
            raise pickle.UnpicklingError("refused an array without a type")
        super().__setstate__((version, shape, dtype.real(), fortran, data))


class _ArrayName:
    """What a pickle gets for the name `numpy.ndarray`: an argument, not something to call."""


def _reconstruct(kind: Any, *_: Any) -> np.ndarray:
    if kind is not _ArrayName:
        raise pickle.UnpicklingError(f"refused an array of the class {kind!r}")
    return np.ndarray.__new__(_Array, (0,), np.int8)


def _scalar(dtype: Any, data: Any) -> Any:
    if not isinstance(dtype, _Dtype) or not isinstance(data, bytes):
        raise pickle.UnpicklingError("refused a scalar that is neither number nor string")
    real = dtype.real()
    if real.hasobject or len(data) != real.itemsize:
        raise pickle.UnpicklingError(f"refused a scalar of the type {real}")
    return np.frombuffer(data, real)[0]


def _encode(text: Any, codec: Any = "latin1") -> bytes:
    if not isinstance(text, str) or codec != "latin1":
        raise pickle.UnpicklingError(f"refused the codec {codec!r}")
    return text.encode("latin1")


_MULTIARRAY: dict[str, Any] = {"_reconstruct": _reconstruct, "scalar": _scalar}
NAMES: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): _ArrayName,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _encode,
    **{("numpy.core.multiarray", name): value for name, value in _MULTIARRAY.items()},
    **{("numpy._core.multiarray", name): value for name, value in _MULTIARRAY.items()},
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str, /) -> Any:
        try:
            return NAMES[module_name, global_name]
        except KeyError:
            raise pickle.UnpicklingError(f"refused {module_name}.{global_name}") from None

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError("refused a persistent reference")


def _guarded(path: Path, read: Callable[[], Any]) -> Any:
    """Run `read`; whatever a malformed file makes it raise becomes a ValueError with its path."""
    try:
        return read()
    except (FileNotFoundError, PermissionError):
        raise
    except Exception as error:  # a pickle can fail in any way
        raise ValueError(f"{path} is not a data set as published: {error}") from error


def load_pickle(path: Path, file: IO[bytes] | None = None) -> Any:
    """What a pickle holds: numbers, strings, containers and arrays. Old strings become bytes.

    Raises:
        ValueError: for a pickle that is damaged or holds anything else.
    """

    def read() -> Any:
        if file is not None:
            return _plain(_Unpickler(file, encoding="bytes").load())
        with path.open("rb") as opened:
            return _plain(_Unpickler(opened, encoding="bytes").load())

    return _guarded(path, read)


def load_npz(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an `.npz` file by name; object arrays are read like `load_pickle` reads."""

    def read() -> dict[str, np.ndarray]:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith(".npy")]
            return {name.removesuffix(".npy"): _member(archive, name) for name in names}

    return _guarded(path, read)


def _member(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with archive.open(name) as file:
        version = np.lib.format.read_magic(file)
        header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
            (3, 0): np.lib.format.read_array_header_2_0,  # differs in the header's encoding only
        }
        dtype = header[version](file)[2]
        if dtype.hasobject:
            return np.asarray(_plain(_Unpickler(file, encoding="bytes").load()))
    with archive.open(name) as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _plain(value: Any) -> Any:
    """The same with arrays of NumPy's own class, at the top and in a dict."""
    if isinstance(value, _Array):
        return value.view(np.ndarray)
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    return value
