# Written by `python -m funkeras.layers.stub` from the signatures of the functional layers.
from collections.abc import Sequence
from typing import Any

from funkeras.layers.input import Input as Input
from funkeras.layers.input import InputLayer as InputLayer
from funkeras.layers.layer import Layer as Layer
from funkeras.layers.layer import Variable as Variable
from funkeras.typing import Identifier, Shape

def __getattr__(name: str) -> Any: ...

class Activation(Layer):
    """Apply a function to each input: `activation(x)`."""
    def __init__(
        self,
        activation: Identifier | Any = ...,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        activity_regularizer: Identifier = None,
        weights: Sequence[Any] | None = None,
        input_shape: Shape | None = None,
        batch_shape: Shape | None = None,
        input_dim: int | None = None,
        input_length: int | None = None,
        input_dtype: str | None = None,
        batch_size: int | None = None,
        remat: bool = False,
        **old_spellings: Any,
    ) -> None: ...

class Dense(Layer):
    """Affine map of the last axis: `activation(x @ kernel + bias)`."""
    def __init__(
        self,
        units: int | Any = ...,
        activation: Identifier = None,
        use_bias: bool = True,
        kernel_initializer: Identifier = 'glorot_uniform',
        bias_initializer: Identifier = 'zeros',
        kernel_regularizer: Identifier = None,
        bias_regularizer: Identifier = None,
        kernel_constraint: Identifier = None,
        bias_constraint: Identifier = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        activity_regularizer: Identifier = None,
        weights: Sequence[Any] | None = None,
        input_shape: Shape | None = None,
        batch_shape: Shape | None = None,
        input_dim: int | None = None,
        input_length: int | None = None,
        input_dtype: str | None = None,
        batch_size: int | None = None,
        remat: bool = False,
        **old_spellings: Any,
    ) -> None: ...

class Dropout(Layer):
    """Zero a random share `rate` of the inputs in training; scale the rest by 1 / (1 - rate)."""
    def __init__(
        self,
        rate: float | Any = ...,
        noise_shape: Shape | None = None,
        seed: int | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        activity_regularizer: Identifier = None,
        weights: Sequence[Any] | None = None,
        input_shape: Shape | None = None,
        batch_shape: Shape | None = None,
        input_dim: int | None = None,
        input_length: int | None = None,
        input_dtype: str | None = None,
        batch_size: int | None = None,
        remat: bool = False,
        **old_spellings: Any,
    ) -> None: ...

class Flatten(Layer):
    """All axes but the batch as one; `channels_first` inputs are read channels last."""
    def __init__(
        self,
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        activity_regularizer: Identifier = None,
        weights: Sequence[Any] | None = None,
        input_shape: Shape | None = None,
        batch_shape: Shape | None = None,
        input_dim: int | None = None,
        input_length: int | None = None,
        input_dtype: str | None = None,
        batch_size: int | None = None,
        remat: bool = False,
        **old_spellings: Any,
    ) -> None: ...

class Permute(Layer):
    """Axes in another order; counted from 1, the batch stays."""
    def __init__(
        self,
        dims: tuple[int, ...] | Any = ...,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        activity_regularizer: Identifier = None,
        weights: Sequence[Any] | None = None,
        input_shape: Shape | None = None,
        batch_shape: Shape | None = None,
        input_dim: int | None = None,
        input_length: int | None = None,
        input_dtype: str | None = None,
        batch_size: int | None = None,
        remat: bool = False,
        **old_spellings: Any,
    ) -> None: ...

class RepeatVector(Layer):
    """Each feature vector `n` times along a new time axis."""
    def __init__(
        self,
        n: int | Any = ...,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        activity_regularizer: Identifier = None,
        weights: Sequence[Any] | None = None,
        input_shape: Shape | None = None,
        batch_shape: Shape | None = None,
        input_dim: int | None = None,
        input_length: int | None = None,
        input_dtype: str | None = None,
        batch_size: int | None = None,
        remat: bool = False,
        **old_spellings: Any,
    ) -> None: ...

class Reshape(Layer):
    """Another shape for the same entries, the batch left out; one size may be -1."""
    def __init__(
        self,
        target_shape: Shape | Any = ...,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        activity_regularizer: Identifier = None,
        weights: Sequence[Any] | None = None,
        input_shape: Shape | None = None,
        batch_shape: Shape | None = None,
        input_dim: int | None = None,
        input_length: int | None = None,
        input_dtype: str | None = None,
        batch_size: int | None = None,
        remat: bool = False,
        **old_spellings: Any,
    ) -> None: ...
