"""The meta-path finder that resolves imports of Keras to this package."""

import importlib
import importlib.util
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

from funkeras import config
from funkeras.compat.alias import Alias, CallableAlias, missing, modules_of
from funkeras.compat.paths import MODULES, ROOTS
from funkeras.compat.tensorflow import TensorFlow

__all__ = ["Finder"]


class Finder(MetaPathFinder, Loader):
    """Finds `keras` and, where TensorFlow is not installed, `tensorflow.keras`.

    Args:
        version: what `keras.__version__` says.
        chosen: whether that version was asked for; if not, `tensorflow.keras` means its own.
    """

    def __init__(self, version: str, chosen: bool) -> None:
        self.version = version
        self.chosen = chosen
        absent = importlib.util.find_spec("tensorflow") is None
        self.roots = ROOTS if absent else ROOTS[:1]
        self.parents = {
            root[:place] for root in self.roots for place, c in enumerate(root) if c == "."
        }

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """How to make the module of that name; None for modules of others.

        Raises:
            ImportError: for a name within Keras that is not there; it says what to use instead.
        """
        if fullname in self.parents or self.split(fullname) is not None:
            return ModuleSpec(fullname, self, is_package=True)
        parent, _, name = fullname.rpartition(".")
        if parent in self.parents:
            raise ImportError(TensorFlow.missing(name), name=parent)
        if (found := self.split(parent)) is None:
            return None
        root, within = found
        raise ImportError(missing(root, within, name), name=parent)

    def split(self, fullname: str) -> tuple[str, str] | None:
        """Root and path of a module of Keras; None for other modules."""
        for root in self.roots:
            if fullname == root or fullname.startswith(f"{root}."):
                path = fullname[len(root) + 1 :]
                return (root, path) if path in MODULES else None
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """An empty module."""
        found = self.split(spec.name)
        if found is None:
            return TensorFlow(spec.name)
        root, path = found
        callable_too = any(callable(source) for source in modules_of(path)[:1])
        module = (CallableAlias if callable_too else Alias)(spec.name)
        module.keras_root, module.keras_path = root, path
        module.keras_version = self.version if self.chosen else None
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is run: names are found when they are asked for."""
        if module.__name__ in self.roots:
            module.__dict__["__version__"] = self.version
            if module.__name__ != "keras" and not self.chosen:
                config.set_dialect("modern")
