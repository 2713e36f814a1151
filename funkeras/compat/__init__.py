"""Keras scripts as they are: `import keras` of any generation means this package.

from funkeras import compat

compat.install()  # before the first import of Keras
from keras.layers.core import Dense
"""

import sys

from funkeras import config
from funkeras.compat.finder import Finder
from funkeras.compat.paths import ROOTS

__all__ = ["VERSIONS", "install", "uninstall"]

VERSIONS = {"1.2.2": "classic", "2.2.4": "keras2", "3": "modern"}
"""Version of Keras that a script may be written for → the dialect with its default values."""


def install(keras: str | None = None, backend: str | None = None) -> None:
    """Let `import keras`, and `tensorflow.keras` without TensorFlow, find this package.

    Args:
        keras: the version that scripts are written for, which `keras.__version__` then says, and
            whose dialect is set, and whose arrangement of kernels in `get_weights`: `1.2.2`,
            `2.2.4` or `3`; by default that of the present dialect.
        backend: what `keras.backend.backend()` answers, and whose numbers hold where they differ.

    Raises:
        ValueError: for a version that is not one of these.
        RuntimeError: if another Keras has been imported already.
    """
    if keras is not None and keras not in VERSIONS:
        raise ValueError(f"keras must be one of {', '.join(VERSIONS)}; got {keras!r}")
    uninstall()
    for root in ROOTS:
        if root in sys.modules:
            where = getattr(sys.modules[root], "__file__", "somewhere")
            raise RuntimeError(
                f"{root} has been imported already, from {where}: call install() before"
            )
    if keras is not None:
        config.set_dialect(VERSIONS[keras])
        config.set_kernel_layout("keras1" if keras == "1.2.2" else "keras2")
    if backend is not None:
        config.set_backend(backend)
    version = keras or next(v for v, name in VERSIONS.items() if name == config.dialect())
    sys.meta_path.insert(0, Finder(version, chosen=keras is not None))


def uninstall() -> None:
    """Take back what `install` did, and forget the modules that were imported through it."""
    for finder in [own for own in sys.meta_path if isinstance(own, Finder)]:
        sys.meta_path.remove(finder)
    for name, module in list(sys.modules.items()):
        if isinstance(getattr(getattr(module, "__spec__", None), "loader", None), Finder):
            del sys.modules[name]
