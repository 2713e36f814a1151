"""Settings as the backend's functions, names that are numbered, and the phase for everything."""

import contextlib
import gc
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from funkeras import config
from funkeras.backend.lifting import spelled
from funkeras.utils import naming
from funkeras.variables import set_learning_phase

__all__ = [
    "backend",
    "cast_to_floatx",
    "clear_session",
    "epsilon",
    "floatx",
    "get_uid",
    "image_data_format",
    "image_dim_ordering",
    "is_float_dtype",
    "is_int_dtype",
    "legacy_weight_ordering",
    "manual_variable_initialization",
    "name_scope",
    "normalize_data_format",
    "reset_uids",
    "result_type",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "set_image_dim_ordering",
    "set_legacy_weight_ordering",
    "standardize_dtype",
]

backend = config.backend
epsilon = config.epsilon
floatx = config.floatx
image_data_format = config.image_data_format
image_dim_ordering = config.image_dim_ordering
set_epsilon = spelled(config.set_epsilon)
set_floatx = spelled(config.set_floatx)


def set_image_data_format(data_format: str) -> None:
    """Let images have their channels last, or first, where no layer says where."""
    config.set_image_data_format(data_format)


def set_image_dim_ordering(dim_ordering: str) -> None:
    """Let images have their channels last, `tf`, or first, `th`, where no layer says where."""
    config.set_image_dim_ordering(dim_ordering)


def available_gpus() -> list[str]:
    """The GPUs that JAX has."""
    return [str(device) for device in jax.devices() if device.platform == "gpu"]


def cast_to_floatx(x: Any) -> np.ndarray:
    """An array in the default float type."""
    return np.asarray(x, dtype=config.floatx())


def normalize_data_format(value: str | None) -> str:
    """`channels_first` or `channels_last`; None is the default.

    Raises:
        ValueError: for anything else.
    """
    chosen = config.image_data_format() if value is None else str(value).lower()
    if chosen not in config.DATA_FORMATS:
        raise ValueError(
            f"data_format must be one of {', '.join(config.DATA_FORMATS)}, got {value!r}"
        )
    return chosen


def standardize_dtype(dtype: Any) -> str:
    """The name of a dtype; None is the default float type."""
    return config.floatx() if dtype is None else jnp.dtype(dtype).name


def is_float_dtype(dtype: Any) -> bool:
    """Whether a dtype holds floats."""
    return jnp.issubdtype(standardize_dtype(dtype), jnp.floating)


def is_int_dtype(dtype: Any) -> bool:
    """Whether a dtype holds whole numbers."""
    return jnp.issubdtype(standardize_dtype(dtype), jnp.integer)


def result_type(*dtypes: Any) -> str:
    """The dtype that arithmetic on those dtypes gives.

    >>> result_type("int32", "float16"), result_type()
    ('float16', 'float32')
    """
    return jnp.result_type(*map(standardize_dtype, dtypes)).name if dtypes else config.floatx()


def get_uid(prefix: str = "") -> int:
    """The next number for a name that begins so, from 1 on; layers count with it too."""
    return naming.next_number(prefix) + 1


def reset_uids() -> None:
    """Number names from the beginning again."""
    naming.reset_names()


def clear_session(free_memory: bool = True) -> None:
    """Number names from the beginning again, let each run say its phase, and free memory.

    There is no session that holds models: those that nothing refers to are freed here, and the
    programs that jax keeps. A model that is still in use is compiled again at its next run.
    """
    naming.reset_names()
    set_learning_phase(None)
    if free_memory:
        gc.collect()
        jax.clear_caches()


@contextlib.contextmanager
def name_scope(name: str) -> Iterator[str]:
    """Put a name and a slash before the names of variables and placeholders made inside."""
    with naming.scope(name) as path:
        yield path


_chosen = {"legacy_weight_ordering": False, "manual_variable_initialization": False}


def legacy_weight_ordering() -> bool:
    """What `set_legacy_weight_ordering` was told."""
    return _chosen["legacy_weight_ordering"]


def set_legacy_weight_ordering(value: bool) -> None:
    """Note an order of weights for files of Keras before 1.0, which are told by their layout here.

    Raises:
        ValueError: for anything but True or False.
    """
    if value not in (True, False):
        raise ValueError(f"legacy_weight_ordering must be True or False, got {value!r}")
    _chosen["legacy_weight_ordering"] = bool(value)


def manual_variable_initialization(value: bool) -> None:
    """Note who initializes variables: here they have their values from the moment they exist."""
    _chosen["manual_variable_initialization"] = bool(value)
