"""Library-wide settings: floatx, epsilon, image data format, dialect and backend of defaults.

Values come, strongest first, from the setters below, from the environment variables
`FUNKERAS_DIALECT`, `FUNKERAS_COMPILATION_CACHE` and `KERAS_BACKEND`, and from
`$KERAS_HOME/keras.json` (`~/.keras/keras.json`) in the spelling of Keras 1 or 2, so that a machine
set up for Keras needs no second file.
"""

import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "DATA_FORMATS",
    "DIALECTS",
    "FLOATS",
    "ORDERINGS",
    "backend",
    "compilation_cache",
    "dialect",
    "dtype_policy",
    "epsilon",
    "floatx",
    "image_data_format",
    "image_dim_ordering",
    "kernel_layout",
    "set_backend",
    "set_compilation_cache",
    "set_dialect",
    "set_dtype_policy",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_image_dim_ordering",
    "set_kernel_layout",
    "using_backend",
    "using_dialect",
]

FLOATS = ("float16", "bfloat16", "float32", "float64")
DATA_FORMATS = ("channels_first", "channels_last")
DIALECTS = ("classic", "keras2", "modern")
KERNEL_LAYOUTS = ("keras1", "keras2")
BACKENDS = {
    "theano": "theano",
    **dict.fromkeys(("tensorflow", "cntk", "jax", "numpy", "openvino", "torch"), "tensorflow"),
}
"""Backend that Keras may be set up for → whose numbers it means: Theano's or TensorFlow's."""
ORDERINGS = {"th": "channels_first", "tf": "channels_last"}


@dataclass
class _Settings:
    floatx: str = "float32"
    epsilon: float = 1e-7
    image_data_format: str = "channels_last"
    dialect: str = "classic"
    dtype_policy: str | None = None
    backend: str = "tensorflow"
    compilation_cache: str | None = None
    kernel_layout: str = "keras2"


def _one_of(name: str, value: str, allowed: tuple[str, ...], where: str = "") -> str:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}; got {value!r}{where}")
    return value


def _home() -> Path:
    return Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))


def _read_settings() -> _Settings:
    settings = _Settings()
    path = _home() / "keras.json"
    if path.is_file():
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{path} is not valid JSON: {error}") from error
        where = f" in {path}"
        ordering = ORDERINGS.get(stored.get("image_dim_ordering", ""), settings.image_data_format)
        settings = _Settings(
            floatx=_one_of("floatx", stored.get("floatx", settings.floatx), FLOATS, where),
            epsilon=float(stored.get("epsilon", settings.epsilon)),
            image_data_format=_one_of(
                "image_data_format", stored.get("image_data_format", ordering), DATA_FORMATS, where
            ),
            dialect=_one_of("dialect", stored.get("dialect", settings.dialect), DIALECTS, where),
            backend=_backend(stored.get("backend", settings.backend), where),
        )
    if name := os.environ.get("FUNKERAS_DIALECT"):
        settings.dialect = _one_of("dialect", name, DIALECTS, " in FUNKERAS_DIALECT")
    if name := os.environ.get("KERAS_BACKEND"):
        settings.backend = _backend(name, " in KERAS_BACKEND")
    return settings


def _backend(value: str, where: str = "") -> str:
    return BACKENDS[_one_of("backend", value, tuple(BACKENDS), where)]


_settings = _read_settings()
_scoped_dialect: ContextVar[str | None] = ContextVar("dialect", default=None)
_scoped_backend: ContextVar[str | None] = ContextVar("backend", default=None)


def floatx() -> str:
    """Default float type of weights and inputs.

    >>> floatx()
    'float32'
    """
    return _settings.floatx


def set_floatx(value: str) -> None:
    """Set the default float type: float16, bfloat16, float32 or float64.

    As long as it is float64, jax holds 64 bits: models that have them run as long.
    """
    _settings.floatx = _one_of("floatx", value, FLOATS)
    _hold_doubles()


_switched = False
"""Whether jax holds 64 bits because the default float does."""


def _hold_doubles() -> None:
    """Let jax hold 64 bits while the default float has them, and then as before."""
    global _switched
    needed = _settings.floatx == "float64"
    if needed == _switched:
        return
    import jax  # the rest of this module is read before jax is needed

    if _switched or jax.dtypes.canonicalize_dtype("float64") != "float64":
        jax.config.update("jax_enable_x64", needed)
        _switched = needed


def dtype_policy() -> str:
    """Dtype policy of layers that are made without one: `floatx()`, unless another was set."""
    return _settings.dtype_policy or _settings.floatx


def set_dtype_policy(policy: str | None) -> None:
    """Set the policy of new layers: a float type, `mixed_bfloat16` or `mixed_float16`.

    Under a mixed policy layers compute in the low type and keep float32 weights. None: `floatx()`.
    """
    if policy is not None:
        _one_of("dtype_policy", policy, (*FLOATS, "mixed_bfloat16", "mixed_float16"))
    _settings.dtype_policy = policy


def epsilon() -> float:
    """Fuzz factor that losses clip with (1e-7 in every Keras)."""
    return _settings.epsilon


def set_epsilon(value: float) -> None:
    """Set the fuzz factor that losses clip with."""
    if not value > 0:
        raise ValueError(f"epsilon must be positive, got {value}")
    _settings.epsilon = float(value)


def image_data_format() -> str:
    """Default place of the channels axis: `channels_last` or `channels_first`."""
    return _settings.image_data_format


def set_image_data_format(value: str) -> None:
    """Set the default place of the channels axis."""
    _settings.image_data_format = _one_of("image_data_format", value, DATA_FORMATS)


def image_dim_ordering() -> str:
    """`image_data_format()` in the words of Keras 1: `th` (channels first) or `tf` (last)."""
    return next(old for old, new in ORDERINGS.items() if new == _settings.image_data_format)


def set_image_dim_ordering(value: str) -> None:
    """Set the default place of the channels axis in the words of Keras 1: `th` or `tf`."""
    set_image_data_format(ORDERINGS[_one_of("dim_ordering", value, tuple(ORDERINGS))])


def kernel_layout() -> str:
    """How `get_weights` and `set_weights` arrange the kernels of convolutions.

    `keras2`, which Keras 3 kept, has (rows, columns, in, out) wherever the channels are. `keras1`
    is for scripts of Keras 1: (out, in, rows, columns) with `th` ordering, (length, 1, in, out) of
    one dimension, and turned round on Theano.
    """
    return _settings.kernel_layout


def set_kernel_layout(value: str) -> None:
    """Set the arrangement of kernels: `keras1` or `keras2`. Layers made before keep theirs."""
    _settings.kernel_layout = _one_of("kernel_layout", value, KERNEL_LAYOUTS)


def dialect() -> str:
    """Which generation's default *values* hold where Keras changed them.

    `classic` is Keras 1 (and 2 where they agree), `keras2` has the few values that Keras 2 changed
    (the optimizers' epsilon, truncated normals), `modern` is tf.keras 2.x and Keras 3. Every
    generation's spelling is accepted in every dialect.
    """
    return _scoped_dialect.get() or _settings.dialect


def set_dialect(value: str) -> None:
    """Set the dialect: `classic`, `keras2` or `modern`. Things made before keep theirs."""
    _settings.dialect = _one_of("dialect", value, DIALECTS)


@contextmanager
def using_dialect(value: str) -> Iterator[None]:
    """Use a dialect for the things that are made inside the `with` block, in this thread.

    >>> with using_dialect("modern"):
    ...     dialect()
    'modern'
    """
    token = _scoped_dialect.set(_one_of("dialect", value, DIALECTS))
    try:
        yield
    finally:
        _scoped_dialect.reset(token)


def backend() -> str:
    """Whose numbers hold where Keras 1 and 2.2.4 gave others on Theano than on TensorFlow.

    There are few: moving variances of batch normalisation, `same` padding of even kernels. It is
    `theano` or `tensorflow`, whatever computes here; other backends count as TensorFlow.
    """
    return _scoped_backend.get() or _settings.backend


def set_backend(backend: str) -> None:
    """Set the backend that scripts were written for. Things made before keep theirs."""
    _settings.backend = _backend(backend)


@contextmanager
def using_backend(value: str) -> Iterator[None]:
    """Use a backend's numbers for what is made inside the `with` block, in this thread.

    >>> with using_backend("theano"):
    ...     backend()
    'theano'
    """
    token = _scoped_backend.set(_backend(value))
    try:
        yield
    finally:
        _scoped_backend.reset(token)


def compilation_cache() -> str | None:
    """The folder that keeps compiled programs for later processes, if there is one."""
    return _settings.compilation_cache


def set_compilation_cache(folder: str | os.PathLike[str] | bool | None) -> None:
    """Keep compiled programs in a folder, so that a script's next start compiles nothing.

    The folder is private: it is made for the present user alone, and one that others may write to
    is refused, since what lies there is run.

    Args:
        folder: True stands for `compiled` in `$KERAS_HOME`; None or False keeps no programs.

    Raises:
        PermissionError: if others own the folder or may write to it.
    """
    import jax  # the rest of this module is read before jax is needed
    from jax.experimental.compilation_cache import compilation_cache as programs

    path = None
    if folder is not None and folder is not False:
        path = _home() / "compiled" if folder is True else Path(folder)
        _make_private(path)
    _settings.compilation_cache = None if path is None else str(path)
    jax.config.update("jax_compilation_cache_dir", _settings.compilation_cache)
    # Most programs of small nets compile in less than the second that jax thinks worth keeping.
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 1.0 if path is None else 0.0)
    programs.reset_cache()


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.name != "posix":  # elsewhere modes say nothing
        return
    found = folder.stat()
    if found.st_uid != os.getuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(
            f"{folder} must belong to you and be writable by nobody else, since the programs in it "
            f"are run; its mode is {stat.S_IMODE(found.st_mode):o}"
        )


_hold_doubles()
if _wanted := os.environ.get("FUNKERAS_COMPILATION_CACHE"):
    set_compilation_cache({"1": True, "0": False}.get(_wanted, _wanted))
