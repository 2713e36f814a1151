# Written by `python -m funkeras.layers.stub` from the signatures of the functional layers.
from collections.abc import Sequence
from typing import Any

from funkeras.layers.facade import deserialize as deserialize
from funkeras.layers.facade import serialize as serialize
from funkeras.layers.input import Input as Input
from funkeras.layers.input import InputLayer as InputLayer
from funkeras.layers.layer import Layer as Layer
from funkeras.layers.layer import Variable as Variable
from funkeras.layers.merge import add as add
from funkeras.layers.merge import average as average
from funkeras.layers.merge import concatenate as concatenate
from funkeras.layers.merge import dot as dot
from funkeras.layers.merge import maximum as maximum
from funkeras.layers.merge import minimum as minimum
from funkeras.layers.merge import multiply as multiply
from funkeras.layers.merge import subtract as subtract
from funkeras.layers.convolving import Convolving
from funkeras.layers.foreign import OfFlax
from funkeras.layers.foreign import OfJax
from funkeras.layers.imaging import Elastic
from funkeras.layers.imaging import Imaging
from funkeras.layers.imaging import Preparing
from funkeras.layers.imaging import Shifting
from funkeras.layers.imaging import Zooming
from funkeras.layers.lookup import Binned
from funkeras.layers.lookup import Lookup
from funkeras.layers.lookup import OnHost
from funkeras.layers.lookup import StringsLookup
from funkeras.layers.lookup import TextLookup
from funkeras.layers.normalizing import Normalizing
from funkeras.layers.quantizing import Quantizing
from funkeras.layers.recurring import Celled
from funkeras.layers.recurring import Recurrent
from funkeras.layers.recurring import TwoWay
from funkeras.layers.reversible import Reversible
from funkeras.layers.special import Adapted
from funkeras.layers.special import Applied
from funkeras.layers.special import Attending
from funkeras.layers.special import Joining
from funkeras.layers.special import Merging
from funkeras.layers.wrapping import Stepping
from funkeras.layers.spec import InputSpec as InputSpec
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
        autocast: bool = True,
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

class ActivityRegularization(Layer):
    """The inputs as they are; `l1 * sum(|x|) + l2 * sum(x²)` joins the loss."""
    def __init__(
        self,
        l1: float = 0.0,
        l2: float = 0.0,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class AdaptiveAveragePooling1D(Layer):
    """Mean of `output_size` windows that cover all steps."""
    def __init__(
        self,
        output_size: Any | Any = ...,
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class AdaptiveAveragePooling2D(Layer):
    """Mean of windows that cover all pixels, `output_size` of them along each axis."""
    def __init__(
        self,
        output_size: Any | Any = ...,
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class AdaptiveAveragePooling3D(Layer):
    """Mean of windows that cover all voxels, `output_size` of them along each axis."""
    def __init__(
        self,
        output_size: Any | Any = ...,
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class AdaptiveMaxPooling1D(Layer):
    """Largest value of each of `output_size` windows that cover all steps."""
    def __init__(
        self,
        output_size: Any | Any = ...,
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class AdaptiveMaxPooling2D(Layer):
    """Largest value of windows that cover all pixels, `output_size` of them along each axis."""
    def __init__(
        self,
        output_size: Any | Any = ...,
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class AdaptiveMaxPooling3D(Layer):
    """Largest value of windows that cover all voxels, `output_size` of them along each axis."""
    def __init__(
        self,
        output_size: Any | Any = ...,
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class Add(Joining):
    """Sum of the inputs."""
    def __init__(
        self,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class AdditiveAttention(Attending):
    """Attention with the scores `sum(scale * tanh(query + key))`, the scale learned by feature."""
    def __init__(
        self,
        use_scale: bool = True,
        dropout: float = 0.0,
        seed: int | None = None,
        use_causal_mask: bool = False,
        return_attention_scores: bool = False,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class AlphaDropout(Layer):
    """Dropout for `selu` nets: mean 0 and variance 1 stay what they are in training."""
    def __init__(
        self,
        rate: float | Any = ...,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class Attention(Attending):
    """Dot-product attention: `softmax(scale * query @ keyᵀ) @ value`, with a learned scale if any."""
    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = 'dot',
        dropout: float = 0.0,
        seed: int | None = None,
        use_causal_mask: bool = False,
        return_attention_scores: bool = False,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class AugMix(Imaging):
    """Mix images with the mean of `num_chains` chains of changes, within `value_range`."""
    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        num_chains: int = 3,
        chain_depth: int = 3,
        factor: Any = 0.3,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: str = 'bilinear',
        seed: int | None = None,
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class AutoContrast(Imaging):
    """Stretch each channel of each image so that it fills `value_range`, at inference too."""
    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class Average(Joining):
    """Mean of the inputs, entry by entry, in shapes as `add` takes them."""
    def __init__(
        self,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class AveragePooling1D(Layer):
    """Mean of each window of steps, padding left out; `strides` is `pool_size` by default."""
    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = 'valid',
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class AveragePooling2D(Layer):
    """Mean of each window of pixels, padding left out; `strides` is `pool_size` by default."""
    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = 'valid',
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class AveragePooling3D(Layer):
    """Mean of each window of voxels, padding left out; `strides` is `pool_size` by default."""
    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = 'valid',
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class BatchNormalization(Layer):
    """Normalise each feature: `gamma * (x - mean) / sqrt(variance + epsilon) + beta`."""
    def __init__(
        self,
        axis: Any = -1,
        momentum: float = 0.99,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Identifier = 'zeros',
        gamma_initializer: Identifier = 'ones',
        moving_mean_initializer: Identifier = 'zeros',
        moving_variance_initializer: Identifier = 'ones',
        beta_regularizer: Identifier = None,
        gamma_regularizer: Identifier = None,
        beta_constraint: Identifier = None,
        gamma_constraint: Identifier = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        mode: int = 0,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class Bidirectional(TwoWay):
    """A recurrent layer, and another that reads backwards, with their outputs merged."""
    def __init__(
        self,
        layer: Layer | Any = ...,
        merge_mode: str | None = 'concat',
        backward_layer: Layer | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class CategoryEncoding(Layer):
    """Numbers below `num_tokens` as ones and zeros, one place for each."""
    def __init__(
        self,
        num_tokens: int | Any = ...,
        output_mode: str = 'multi_hot',
        sparse: bool = False,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class CenterCrop(Imaging):
    """The middle `height` rows and `width` columns."""
    def __init__(
        self,
        height: int | Any = ...,
        width: int | Any = ...,
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class Concatenate(Joining):
    """The inputs one after another along an axis."""
    def __init__(
        self,
        axis: int = -1,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class ContrastLimitedAdaptiveHistogramEqualization(Imaging):
    """Make the levels of each channel more even, by the histograms of tiles, at inference too."""
    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        clip_limit: float = 4.0,
        tile_grid_size: Sequence[int] = (8, 8),
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class Conv1D(Convolving):
    """Slide `filters` kernels along time: `activation(conv(x, kernel) + bias)`."""
    def __init__(
        self,
        filters: int | Any = ...,
        kernel_size: Any | Any = ...,
        strides: Any = 1,
        padding: str = 'valid',
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
        activation: Identifier = None,
        use_bias: bool = True,
        kernel_initializer: Identifier = 'glorot_uniform',
        bias_initializer: Identifier = 'zeros',
        kernel_regularizer: Identifier = None,
        bias_regularizer: Identifier = None,
        kernel_constraint: Identifier = None,
        bias_constraint: Identifier = None,
        lora_rank: Any = None,
        lora_alpha: Any = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class Conv1DTranspose(Layer):
    """The transpose of a convolution in time: `activation(conv_transposed(x, kernel) + bias)`."""
    def __init__(
        self,
        filters: int | Any = ...,
        kernel_size: Any | Any = ...,
        strides: Any = 1,
        padding: str = 'valid',
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Identifier = None,
        use_bias: bool = True,
        kernel_initializer: Identifier = 'glorot_uniform',
        bias_initializer: Identifier = 'zeros',
        kernel_regularizer: Identifier = None,
        bias_regularizer: Identifier = None,
        kernel_constraint: Identifier = None,
        bias_constraint: Identifier = None,
        output_shape: Sequence[int | None] | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class Conv2D(Convolving):
    """Slide `filters` kernels over an image: `activation(conv(x, kernel) + bias)`."""
    def __init__(
        self,
        filters: int | Any = ...,
        kernel_size: Any | Any = ...,
        strides: Any = 1,
        padding: str = 'valid',
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
        activation: Identifier = None,
        use_bias: bool = True,
        kernel_initializer: Identifier = 'glorot_uniform',
        bias_initializer: Identifier = 'zeros',
        kernel_regularizer: Identifier = None,
        bias_regularizer: Identifier = None,
        kernel_constraint: Identifier = None,
        bias_constraint: Identifier = None,
        lora_rank: Any = None,
        lora_alpha: Any = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class Conv2DTranspose(Layer):
    """The transpose of a convolution of images: `activation(conv_transposed(x, kernel) + bias)`."""
    def __init__(
        self,
        filters: int | Any = ...,
        kernel_size: Any | Any = ...,
        strides: Any = 1,
        padding: str = 'valid',
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Identifier = None,
        use_bias: bool = True,
        kernel_initializer: Identifier = 'glorot_uniform',
        bias_initializer: Identifier = 'zeros',
        kernel_regularizer: Identifier = None,
        bias_regularizer: Identifier = None,
        kernel_constraint: Identifier = None,
        bias_constraint: Identifier = None,
        output_shape: Sequence[int | None] | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class Conv3D(Convolving):
    """Slide `filters` kernels through a volume: `activation(conv(x, kernel) + bias)`."""
    def __init__(
        self,
        filters: int | Any = ...,
        kernel_size: Any | Any = ...,
        strides: Any = 1,
        padding: str = 'valid',
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
        activation: Identifier = None,
        use_bias: bool = True,
        kernel_initializer: Identifier = 'glorot_uniform',
        bias_initializer: Identifier = 'zeros',
        kernel_regularizer: Identifier = None,
        bias_regularizer: Identifier = None,
        kernel_constraint: Identifier = None,
        bias_constraint: Identifier = None,
        lora_rank: Any = None,
        lora_alpha: Any = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class Conv3DTranspose(Layer):
    """The transpose of a convolution of volumes: `activation(conv_transposed(x, kernel) + bias)`."""
    def __init__(
        self,
        filters: int | Any = ...,
        kernel_size: Any | Any = ...,
        strides: Any = 1,
        padding: str = 'valid',
        data_format: str | None = None,
        output_padding: Any = None,
        dilation_rate: Any = 1,
        activation: Identifier = None,
        use_bias: bool = True,
        kernel_initializer: Identifier = 'glorot_uniform',
        bias_initializer: Identifier = 'zeros',
        kernel_regularizer: Identifier = None,
        bias_regularizer: Identifier = None,
        kernel_constraint: Identifier = None,
        bias_constraint: Identifier = None,
        output_shape: Sequence[int | None] | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class ConvLSTM1D(Recurrent):
    """`conv_lstm2d` over sequences of sequences, (batch, time, steps, channels)."""
    def __init__(
        self,
        filters: int | Any = ...,
        kernel_size: Any | Any = ...,
        strides: Any = 1,
        padding: str = 'valid',
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Identifier = 'tanh',
        recurrent_activation: Identifier = 'sigmoid',
        use_bias: bool = True,
        kernel_initializer: Identifier = 'glorot_uniform',
        recurrent_initializer: Identifier = 'orthogonal',
        bias_initializer: Identifier = 'zeros',
        unit_forget_bias: bool | Identifier = True,
        kernel_regularizer: Identifier = None,
        recurrent_regularizer: Identifier = None,
        bias_regularizer: Identifier = None,
        kernel_constraint: Identifier = None,
        recurrent_constraint: Identifier = None,
        bias_constraint: Identifier = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class ConvLSTM2D(Recurrent):
    """A convolutional LSTM over sequences of images, by the formula of `conv_lstm2d_cell`."""
    def __init__(
        self,
        filters: int | Any = ...,
        kernel_size: Any | Any = ...,
        strides: Any = 1,
        padding: str = 'valid',
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Identifier = 'tanh',
        recurrent_activation: Identifier = 'sigmoid',
        use_bias: bool = True,
        kernel_initializer: Identifier = 'glorot_uniform',
        recurrent_initializer: Identifier = 'orthogonal',
        bias_initializer: Identifier = 'zeros',
        unit_forget_bias: bool | Identifier = True,
        kernel_regularizer: Identifier = None,
        recurrent_regularizer: Identifier = None,
        bias_regularizer: Identifier = None,
        kernel_constraint: Identifier = None,
        recurrent_constraint: Identifier = None,
        bias_constraint: Identifier = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class ConvLSTM2DCell(Layer):
    """`lstm_cell` with convolutions for products: states are images of `filters` channels."""
    def __init__(
        self,
        filters: int | Any = ...,
        kernel_size: Any | Any = ...,
        strides: Any = 1,
        padding: str = 'valid',
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Identifier = 'tanh',
        recurrent_activation: Identifier = 'sigmoid',
        use_bias: bool = True,
        kernel_initializer: Identifier = 'glorot_uniform',
        recurrent_initializer: Identifier = 'orthogonal',
        bias_initializer: Identifier = 'zeros',
        unit_forget_bias: bool | Identifier = True,
        kernel_regularizer: Identifier = None,
        recurrent_regularizer: Identifier = None,
        bias_regularizer: Identifier = None,
        kernel_constraint: Identifier = None,
        recurrent_constraint: Identifier = None,
        bias_constraint: Identifier = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class ConvLSTM3D(Recurrent):
    """`conv_lstm2d` over sequences of volumes."""
    def __init__(
        self,
        filters: int | Any = ...,
        kernel_size: Any | Any = ...,
        strides: Any = 1,
        padding: str = 'valid',
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Identifier = 'tanh',
        recurrent_activation: Identifier = 'sigmoid',
        use_bias: bool = True,
        kernel_initializer: Identifier = 'glorot_uniform',
        recurrent_initializer: Identifier = 'orthogonal',
        bias_initializer: Identifier = 'zeros',
        unit_forget_bias: bool | Identifier = True,
        kernel_regularizer: Identifier = None,
        recurrent_regularizer: Identifier = None,
        bias_regularizer: Identifier = None,
        kernel_constraint: Identifier = None,
        recurrent_constraint: Identifier = None,
        bias_constraint: Identifier = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class Cropping1D(Layer):
    """Leave out the first and last steps: as many at both ends, or `(before, after)`."""
    def __init__(
        self,
        cropping: Any = 1,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class Cropping2D(Layer):
    """Leave out the edges of an image: `((top, bottom), (left, right))`, or `(rows, columns)`."""
    def __init__(
        self,
        cropping: Any = 0,
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class Cropping3D(Layer):
    """Leave out the edges of a volume: as many on both sides of each axis, or a pair for each."""
    def __init__(
        self,
        cropping: Any = 1,
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class CutMix(Imaging):
    """Put a rectangle of another image of the batch into each; labels are mixed by the areas."""
    def __init__(
        self,
        factor: Any = 1.0,
        seed: int | None = None,
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class Dense(Quantizing):
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
        lora_rank: Any = None,
        lora_alpha: Any = None,
        quantization_config: Any = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class DepthwiseConv1D(Layer):
    """Slide `depth_multiplier` kernels along each channel of a sequence, by itself."""
    def __init__(
        self,
        kernel_size: Any | Any = ...,
        strides: Any = 1,
        padding: str = 'valid',
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Identifier = None,
        use_bias: bool = True,
        depthwise_initializer: Identifier = 'glorot_uniform',
        bias_initializer: Identifier = 'zeros',
        depthwise_regularizer: Identifier = None,
        bias_regularizer: Identifier = None,
        depthwise_constraint: Identifier = None,
        bias_constraint: Identifier = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class DepthwiseConv2D(Layer):
    """Slide `depth_multiplier` kernels over each channel of an image, by itself."""
    def __init__(
        self,
        kernel_size: Any | Any = ...,
        strides: Any = 1,
        padding: str = 'valid',
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Identifier = None,
        use_bias: bool = True,
        depthwise_initializer: Identifier = 'glorot_uniform',
        bias_initializer: Identifier = 'zeros',
        depthwise_regularizer: Identifier = None,
        bias_regularizer: Identifier = None,
        depthwise_constraint: Identifier = None,
        bias_constraint: Identifier = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class Discretization(Binned):
    """The number of the bin that each value falls into: how many boundaries are not above it."""
    def __init__(
        self,
        bin_boundaries: Sequence[float] | None = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = 'int',
        sparse: bool = False,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class Dot(Joining):
    """Sums of products of two inputs along an axis of each, sample by sample."""
    def __init__(
        self,
        axes: int | Sequence[int] | Any = ...,
        normalize: bool = False,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class ELU(Layer):
    """`x` above 0, `alpha * (exp(x) - 1)` below."""
    def __init__(
        self,
        alpha: float = 1.0,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class EinsumDense(Quantizing):
    """`activation(einsum(equation, x, kernel) + bias)`."""
    def __init__(
        self,
        equation: str | Any = ...,
        output_shape: int | Sequence[int | None] | Any = ...,
        activation: Identifier = None,
        bias_axes: str | None = None,
        kernel_initializer: Identifier = 'glorot_uniform',
        bias_initializer: Identifier = 'zeros',
        kernel_regularizer: Identifier = None,
        bias_regularizer: Identifier = None,
        kernel_constraint: Identifier = None,
        bias_constraint: Identifier = None,
        lora_rank: Any = None,
        lora_alpha: Any = None,
        quantization_config: Any = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class Embedding(Quantizing):
    """Row `x` of a table: `embeddings[x]` for each integer `x` from 0 to `input_dim - 1`."""
    def __init__(
        self,
        input_dim: int | Any = ...,
        output_dim: int | Any = ...,
        embeddings_initializer: Identifier = 'uniform',
        embeddings_regularizer: Identifier = None,
        embeddings_constraint: Identifier = None,
        mask_zero: bool = False,
        dropout: float = 0.0,
        lora_rank: Any = None,
        lora_alpha: Any = None,
        quantization_config: Any = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
        activity_regularizer: Identifier = None,
        weights: Sequence[Any] | None = None,
        input_shape: Shape | None = None,
        batch_shape: Shape | None = None,
        input_length: int | None = None,
        input_dtype: str | None = None,
        batch_size: int | None = None,
        remat: bool = False,
        **old_spellings: Any,
    ) -> None: ...

class Equalization(Imaging):
    """Make all levels of each channel equally frequent in a batch: by its cumulative histogram."""
    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        bins: int = 256,
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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
        autocast: bool = True,
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

class FlaxLayer(OfFlax):
    """A module of Flax, by its `init` and `apply`, as a layer."""
    def __init__(
        self,
        module: Any | Any = ...,
        method: Any = None,
        variables: Any = None,
        seed: int | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class GRU(Recurrent):
    """Gated recurrent units over the steps of a sequence, by the formula of `gru_cell`."""
    def __init__(
        self,
        units: int | Any = ...,
        activation: Identifier = 'tanh',
        recurrent_activation: Identifier = 'sigmoid',
        use_bias: bool = True,
        kernel_initializer: Identifier = 'glorot_uniform',
        recurrent_initializer: Identifier = 'orthogonal',
        bias_initializer: Identifier = 'zeros',
        kernel_regularizer: Identifier = None,
        recurrent_regularizer: Identifier = None,
        bias_regularizer: Identifier = None,
        kernel_constraint: Identifier = None,
        recurrent_constraint: Identifier = None,
        bias_constraint: Identifier = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
        use_cudnn: str | bool = 'auto',
        zero_output_for_mask: bool = False,
        time_major: bool = False,
        implementation: int = 2,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class GRUCell(Celled):
    """Gates `z`, `r` and candidate `g`, columns of the kernels; `h = z * h + (1 - z) * g`."""
    def __init__(
        self,
        units: int | Any = ...,
        activation: Identifier = 'tanh',
        recurrent_activation: Identifier = 'sigmoid',
        use_bias: bool = True,
        kernel_initializer: Identifier = 'glorot_uniform',
        recurrent_initializer: Identifier = 'orthogonal',
        bias_initializer: Identifier = 'zeros',
        kernel_regularizer: Identifier = None,
        recurrent_regularizer: Identifier = None,
        bias_regularizer: Identifier = None,
        kernel_constraint: Identifier = None,
        recurrent_constraint: Identifier = None,
        bias_constraint: Identifier = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset_after: bool = True,
        seed: int | None = None,
        implementation: int = 2,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class GaussianDropout(Layer):
    """Multiply by normal noise of mean 1 and variance `rate / (1 - rate)` in training."""
    def __init__(
        self,
        rate: float | Any = ...,
        seed: int | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class GaussianNoise(Layer):
    """Add normal noise of mean 0 in training. Keras 3 refuses a `stddev` above 1."""
    def __init__(
        self,
        stddev: float | Any = ...,
        seed: int | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class GlobalAveragePooling1D(Layer):
    """Mean over time, of the steps that the mask keeps: sum(x * mask) / sum(mask)."""
    def __init__(
        self,
        data_format: str | None = None,
        keepdims: bool = False,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class GlobalAveragePooling2D(Layer):
    """Mean over an image."""
    def __init__(
        self,
        data_format: str | None = None,
        keepdims: bool = False,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class GlobalAveragePooling3D(Layer):
    """Mean over a volume."""
    def __init__(
        self,
        data_format: str | None = None,
        keepdims: bool = False,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class GlobalMaxPooling1D(Layer):
    """Largest value over time."""
    def __init__(
        self,
        data_format: str | None = None,
        keepdims: bool = False,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class GlobalMaxPooling2D(Layer):
    """Largest value over an image."""
    def __init__(
        self,
        data_format: str | None = None,
        keepdims: bool = False,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class GlobalMaxPooling3D(Layer):
    """Largest value over a volume."""
    def __init__(
        self,
        data_format: str | None = None,
        keepdims: bool = False,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class GroupNormalization(Layer):
    """Normalise each sample over all positions of each of `groups` groups of channels."""
    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Identifier = 'zeros',
        gamma_initializer: Identifier = 'ones',
        beta_regularizer: Identifier = None,
        gamma_regularizer: Identifier = None,
        beta_constraint: Identifier = None,
        gamma_constraint: Identifier = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class GroupedQueryAttention(Attending):
    """Multi-head attention in which groups of query heads share their keys and values."""
    def __init__(
        self,
        head_dim: int | Any = ...,
        num_query_heads: int | Any = ...,
        num_key_value_heads: int | Any = ...,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Identifier = 'glorot_uniform',
        bias_initializer: Identifier = 'zeros',
        kernel_regularizer: Identifier = None,
        bias_regularizer: Identifier = None,
        kernel_constraint: Identifier = None,
        bias_constraint: Identifier = None,
        use_gate: bool = False,
        seed: int | None = None,
        use_causal_mask: bool = False,
        return_attention_scores: bool = False,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class HashedCrossing(OnHost):
    """One bin for what several inputs say together, by TensorFlow's hash of them in that order."""
    def __init__(
        self,
        num_bins: int | Any = ...,
        output_mode: str = 'int',
        sparse: bool = False,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class Hashing(OnHost):
    """The bin of each number or string, by TensorFlow's hashes of its digits or letters."""
    def __init__(
        self,
        num_bins: int | Any = ...,
        mask_value: float | str | None = None,
        salt: Any = None,
        output_mode: str = 'int',
        sparse: bool = False,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class Highway(Layer):
    """A dense layer that lets part of its input pass: `t * dense(x) + (1 - t) * x`."""
    def __init__(
        self,
        kernel_initializer: Identifier = 'glorot_uniform',
        activation: Identifier = None,
        use_bias: bool = True,
        bias_initializer: Identifier = 'zeros',
        kernel_regularizer: Identifier = None,
        bias_regularizer: Identifier = None,
        kernel_constraint: Identifier = None,
        bias_constraint: Identifier = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class Identity(Layer):
    """The inputs as they are."""
    def __init__(
        self,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class IntegerLookup(Lookup):
    """The place of each whole number in `vocabulary`."""
    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int = -1,
        vocabulary: Sequence[int] | None = None,
        vocabulary_dtype: str = 'int64',
        idf_weights: Sequence[float] | None = None,
        invert: bool = False,
        output_mode: str = 'int',
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = 'floormod',
        salt: Any = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class JaxLayer(OfJax):
    """A function of JAX as a layer: `call_fn(params, state, rng, inputs, training)`."""
    def __init__(
        self,
        call_fn: Any | Any = ...,
        init_fn: Any = None,
        params: Any = None,
        state: Any = None,
        seed: int | None = None,
        native_serialization_platforms: Sequence[str] | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class LSTM(Recurrent):
    """Long short-term memory over the steps of a sequence, by the formula of `lstm_cell`."""
    def __init__(
        self,
        units: int | Any = ...,
        activation: Identifier = 'tanh',
        recurrent_activation: Identifier = 'sigmoid',
        use_bias: bool = True,
        kernel_initializer: Identifier = 'glorot_uniform',
        recurrent_initializer: Identifier = 'orthogonal',
        bias_initializer: Identifier = 'zeros',
        unit_forget_bias: bool | Identifier = True,
        kernel_regularizer: Identifier = None,
        recurrent_regularizer: Identifier = None,
        bias_regularizer: Identifier = None,
        kernel_constraint: Identifier = None,
        recurrent_constraint: Identifier = None,
        bias_constraint: Identifier = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        use_cudnn: str | bool = 'auto',
        zero_output_for_mask: bool = False,
        time_major: bool = False,
        implementation: int = 2,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class LSTMCell(Celled):
    """Gates `i`, `f`, candidate `g` and gate `o`; `c = f * c + i * g`, `h = o * activation(c)`."""
    def __init__(
        self,
        units: int | Any = ...,
        activation: Identifier = 'tanh',
        recurrent_activation: Identifier = 'sigmoid',
        use_bias: bool = True,
        kernel_initializer: Identifier = 'glorot_uniform',
        recurrent_initializer: Identifier = 'orthogonal',
        bias_initializer: Identifier = 'zeros',
        unit_forget_bias: bool | Identifier = True,
        kernel_regularizer: Identifier = None,
        recurrent_regularizer: Identifier = None,
        bias_regularizer: Identifier = None,
        kernel_constraint: Identifier = None,
        recurrent_constraint: Identifier = None,
        bias_constraint: Identifier = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        implementation: int = 2,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class Lambda(Applied):
    """Any pure function of the inputs: `function(x, **arguments)`."""
    def __init__(
        self,
        function: Any | Any = ...,
        output_shape: Any = None,
        mask: Any = None,
        arguments: Any = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class LayerNormalization(Layer):
    """Normalise each sample over `axis`: `gamma * (x - mean) / sqrt(variance + epsilon) + beta`."""
    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Identifier = 'zeros',
        gamma_initializer: Identifier = 'ones',
        beta_regularizer: Identifier = None,
        gamma_regularizer: Identifier = None,
        beta_constraint: Identifier = None,
        gamma_constraint: Identifier = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class LayerScale(Layer):
    """Scale each feature by a learned factor: `gamma * x`."""
    def __init__(
        self,
        init_values: float | Any = ...,
        projection_dim: int | Any = ...,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class LeakyReLU(Layer):
    """`x` above 0, `negative_slope * x` below. A negative slope is refused where Keras 3 holds."""
    def __init__(
        self,
        negative_slope: float = 0.3,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class LocallyConnected1D(Layer):
    """A convolution in time whose kernel and bias differ from step to step."""
    def __init__(
        self,
        filters: int | Any = ...,
        kernel_size: Any | Any = ...,
        strides: Any = 1,
        padding: str = 'valid',
        data_format: str | None = None,
        activation: Identifier = None,
        use_bias: bool = True,
        kernel_initializer: Identifier = 'glorot_uniform',
        bias_initializer: Identifier = 'zeros',
        kernel_regularizer: Identifier = None,
        bias_regularizer: Identifier = None,
        kernel_constraint: Identifier = None,
        bias_constraint: Identifier = None,
        implementation: int = 1,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class LocallyConnected2D(Layer):
    """A convolution of images whose kernel and bias differ from place to place."""
    def __init__(
        self,
        filters: int | Any = ...,
        kernel_size: Any | Any = ...,
        strides: Any = 1,
        padding: str = 'valid',
        data_format: str | None = None,
        activation: Identifier = None,
        use_bias: bool = True,
        kernel_initializer: Identifier = 'glorot_uniform',
        bias_initializer: Identifier = 'zeros',
        kernel_regularizer: Identifier = None,
        bias_regularizer: Identifier = None,
        kernel_constraint: Identifier = None,
        bias_constraint: Identifier = None,
        implementation: int = 1,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class Masking(Layer):
    """Zero and mask the time steps at which every feature equals `mask_value`."""
    def __init__(
        self,
        mask_value: float = 0.0,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class MaxNumBoundingBoxes(Imaging):
    """Of each image the first `max_number` boxes with their labels; `fill_value` for missing ones."""
    def __init__(
        self,
        max_number: int | Any = ...,
        fill_value: float = -1,
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class MaxPooling1D(Layer):
    """Largest value of each window of steps; `strides` is `pool_size` when not given."""
    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = 'valid',
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class MaxPooling2D(Layer):
    """Largest value of each window of pixels; `strides` is `pool_size` when not given."""
    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = 'valid',
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class MaxPooling3D(Layer):
    """Largest value of each window of voxels; `strides` is `pool_size` when not given."""
    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = 'valid',
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class Maximum(Joining):
    """The largest of the inputs, entry by entry, in shapes as `add` takes them."""
    def __init__(
        self,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class MaxoutDense(Layer):
    """The largest of `nb_feature` affine maps: `max_k(x @ kernel[k] + bias[k])`."""
    def __init__(
        self,
        output_dim: int | Any = ...,
        nb_feature: int = 4,
        kernel_initializer: Identifier = 'glorot_uniform',
        use_bias: bool = True,
        bias_initializer: Identifier = 'zeros',
        kernel_regularizer: Identifier = None,
        bias_regularizer: Identifier = None,
        kernel_constraint: Identifier = None,
        bias_constraint: Identifier = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class MelSpectrogram(Layer):
    """The strength of each band of the mel scale over time, (bands, steps), of a signal."""
    def __init__(
        self,
        fft_length: int = 2048,
        sequence_stride: int = 512,
        sequence_length: int | None = None,
        window: Any = 'hann',
        sampling_rate: int = 16000,
        num_mel_bins: int = 128,
        min_freq: float = 20.0,
        max_freq: float | None = None,
        power_to_db: bool = True,
        top_db: float = 80.0,
        mag_exp: float = 2.0,
        min_power: float = 1e-10,
        ref_power: float = 1.0,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class Merge(Merging):
    """Keras 1's layer of several inputs: `sum`, `mul`, `ave`, `max`, `concat`, `dot` or `cos`."""
    def __init__(
        self,
        layers: Any = None,
        mode: Any = 'sum',
        concat_axis: int = -1,
        dot_axes: int | Sequence[int] = -1,
        output_shape: Any = None,
        output_mask: Any = None,
        arguments: Any = None,
        node_indices: Any = None,
        tensor_indices: Any = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class Minimum(Joining):
    """The smallest of the inputs, entry by entry, in shapes as `add` takes them."""
    def __init__(
        self,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class MixUp(Imaging):
    """`w * x + (1 - w) * other` with another image of the batch and w from Beta(alpha, alpha)."""
    def __init__(
        self,
        alpha: float = 0.2,
        data_format: str | None = None,
        seed: int | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class MultiHeadAttention(Attending):
    """Attention in `num_heads` learned projections of the inputs, projected back together."""
    def __init__(
        self,
        num_heads: int | Any = ...,
        key_dim: int | Any = ...,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: int | Sequence[int] | None = None,
        attention_axes: int | Sequence[int] | None = None,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Identifier = 'glorot_uniform',
        bias_initializer: Identifier = 'zeros',
        kernel_regularizer: Identifier = None,
        bias_regularizer: Identifier = None,
        kernel_constraint: Identifier = None,
        bias_constraint: Identifier = None,
        use_gate: bool = False,
        seed: int | None = None,
        use_causal_mask: bool = False,
        return_attention_scores: bool = False,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class Multiply(Joining):
    """Product of the inputs, entry by entry, in shapes as `add` takes them."""
    def __init__(
        self,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class Normalization(Adapted):
    """Shift and scale by fixed statistics: `(x - mean) / sqrt(variance)`, or that undone."""
    def __init__(
        self,
        axis: Any = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class PReLU(Layer):
    """`x` above 0, `alpha * x` below, with one learned `alpha` for each input of a sample."""
    def __init__(
        self,
        alpha_initializer: Identifier = 'zeros',
        alpha_regularizer: Identifier = None,
        alpha_constraint: Identifier = None,
        shared_axes: int | Sequence[int] | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class ParametricSoftplus(Layer):
    """`alpha * log(1 + exp(beta * x))` with learned `alpha` and `beta`. A layer of Keras 1."""
    def __init__(
        self,
        alpha_init: float = 0.2,
        beta_init: float = 5.0,
        shared_axes: int | Sequence[int] | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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
        autocast: bool = True,
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

class Pipeline(Preparing):
    """Layers one after another, most often of preprocessing, as one layer."""
    def __init__(
        self,
        layers: Sequence[Layer] | Any = ...,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class PositionEmbedding(Layer):
    """A learned vector for each position, in the shape of the input, to be added to it."""
    def __init__(
        self,
        sequence_length: int | Any = ...,
        initializer: Identifier = 'glorot_uniform',
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class RMSNormalization(Layer):
    """Scale each sample by its root mean square: `scale * x / sqrt(mean(x**2) + epsilon)`."""
    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 1e-06,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class RNN(Recurrent):
    """A cell run over the time steps of `x`, (batch, time, ...): the last output, or all."""
    def __init__(
        self,
        cell: Layer | Sequence[Layer] | Any = ...,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        time_major: bool = False,
        num_constants: int = 0,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class RandAugment(Imaging):
    """`num_ops` changes of a batch, each drawn from eleven and all as strong as `factor`."""
    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        num_ops: int = 2,
        factor: Any = 0.5,
        interpolation: str = 'bilinear',
        seed: int | None = None,
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class RandomBrightness(Imaging):
    """Add a draw of `factor`, as a share of `value_range`, to each image; stay in that range."""
    def __init__(
        self,
        factor: Any | Any = ...,
        value_range: Sequence[float] = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class RandomColorDegeneration(Imaging):
    """Bring each image a draw of `factor` nearer to gray, within `value_range`; 1 makes gray."""
    def __init__(
        self,
        factor: Any | Any = ...,
        value_range: Sequence[float] = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class RandomColorJitter(Imaging):
    """Random brightness, contrast, saturation and hue, one after another, where a factor is given."""
    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        brightness_factor: Any = None,
        contrast_factor: Any = None,
        saturation_factor: Any = None,
        hue_factor: Any = None,
        seed: int | None = None,
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class RandomContrast(Imaging):
    """`(x - mean) * c + mean`, within `value_range`, for a draw c from [1 - low, 1 + high]."""
    def __init__(
        self,
        factor: Any | Any = ...,
        value_range: Sequence[float] = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class RandomCrop(Imaging):
    """A part of `height` rows and `width` columns, the same of all images of a batch."""
    def __init__(
        self,
        height: int | Any = ...,
        width: int | Any = ...,
        seed: int | None = None,
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class RandomElasticTransform(Elastic):
    """Move the pixels of each image about, near ones alike, with a probability drawn from `factor`."""
    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = 1.0,
        interpolation: str = 'bilinear',
        fill_mode: str = 'reflect',
        fill_value: float = 0.0,
        value_range: Sequence[float] = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class RandomErasing(Imaging):
    """Fill a rectangle of each image, with a probability drawn from `factor`."""
    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = (0.02, 0.33),
        fill_value: float | Sequence[float] | None = None,
        value_range: Sequence[float] = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class RandomFlip(Imaging):
    """Reverse the columns (`horizontal`), the rows (`vertical`) or both of every second image."""
    def __init__(
        self,
        mode: str = 'horizontal_and_vertical',
        seed: int | None = None,
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class RandomGaussianBlur(Imaging):
    """Blur each image, with a probability drawn from `factor`, by a Gaussian; within `value_range`."""
    def __init__(
        self,
        factor: Any = 1.0,
        kernel_size: int | Sequence[int] = 3,
        sigma: Any = 1.0,
        value_range: Sequence[float] = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class RandomGrayscale(Imaging):
    """Make each image gray with probability `factor`; the number of channels stays."""
    def __init__(
        self,
        factor: float = 0.5,
        data_format: str | None = None,
        seed: int | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class RandomHue(Imaging):
    """Turn the hue of each image by half a draw of `factor`, in full turns, either way."""
    def __init__(
        self,
        factor: Any | Any = ...,
        value_range: Sequence[float] = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class RandomInvert(Imaging):
    """Take each image from the end of `value_range`, with a probability drawn from `factor`."""
    def __init__(
        self,
        factor: Any = 1.0,
        value_range: Sequence[float] = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class RandomPerspective(Imaging):
    """Look at each image, with a probability drawn from `factor`, from elsewhere."""
    def __init__(
        self,
        factor: Any = 1.0,
        scale: float = 1.0,
        interpolation: str = 'bilinear',
        fill_value: float = 0.0,
        seed: int | None = None,
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class RandomPosterization(Imaging):
    """Keep the first bits of the 8 that a pixel has: a draw from the first of `factor` to below"""
    def __init__(
        self,
        factor: int | Sequence[int] | Any = ...,
        value_range: Sequence[float] = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class RandomRotation(Imaging):
    """Turn each image about its middle, counterclockwise, by a draw of `factor` in full turns."""
    def __init__(
        self,
        factor: Any | Any = ...,
        fill_mode: str = 'reflect',
        interpolation: str = 'bilinear',
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class RandomSaturation(Imaging):
    """Multiply the saturation of each image by `f / (1 - f)` for a draw f of `factor`."""
    def __init__(
        self,
        factor: Any | Any = ...,
        value_range: Sequence[float] = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class RandomSharpness(Imaging):
    """Sharpen or soften each image by a draw of `factor`, within `value_range`."""
    def __init__(
        self,
        factor: Any | Any = ...,
        value_range: Sequence[float] = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class RandomShear(Shifting):
    """Move each row by its number times a draw of `x_factor`, each column so by `y_factor`."""
    def __init__(
        self,
        x_factor: Any = 0.0,
        y_factor: Any = 0.0,
        interpolation: str = 'bilinear',
        fill_mode: str = 'reflect',
        fill_value: float = 0.0,
        data_format: str | None = None,
        seed: int | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class RandomTranslation(Shifting):
    """Shift each image down and to the right by draws of the factors, as shares of its size."""
    def __init__(
        self,
        height_factor: Any | Any = ...,
        width_factor: Any | Any = ...,
        fill_mode: str = 'reflect',
        interpolation: str = 'bilinear',
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class RandomZoom(Zooming):
    """Zoom each image: of its height, 1 plus a draw of `height_factor` is seen; so of its width."""
    def __init__(
        self,
        height_factor: Any | Any = ...,
        width_factor: Any = None,
        fill_mode: str = 'reflect',
        interpolation: str = 'bilinear',
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class ReLU(Layer):
    """`min(x, max_value)` above the threshold, `negative_slope * (x - threshold)` below it."""
    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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
        autocast: bool = True,
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

class Rescaling(Preparing):
    """`scale * x + offset`; a list has a number for each channel."""
    def __init__(
        self,
        scale: float | Sequence[float] | Any = ...,
        offset: float | Sequence[float] = 0.0,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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
        autocast: bool = True,
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

class Resizing(Imaging):
    """Images of `height` rows and `width` columns. Whole numbers are rounded and stay whole."""
    def __init__(
        self,
        height: int | Any = ...,
        width: int | Any = ...,
        interpolation: str = 'bilinear',
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = 'constant',
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class ReversibleEmbedding(Reversible):
    """An embedding that also leads back from vectors to scores of words: `x @ embeddingsᵀ`."""
    def __init__(
        self,
        input_dim: int | Any = ...,
        output_dim: int | Any = ...,
        tie_weights: bool = True,
        embeddings_initializer: Identifier = 'uniform',
        embeddings_regularizer: Identifier = None,
        embeddings_constraint: Identifier = None,
        mask_zero: bool = False,
        reverse_dtype: str | None = None,
        logit_soft_cap: float | None = None,
        lora_rank: Any = None,
        lora_alpha: Any = None,
        quantization_config: Any = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
        activity_regularizer: Identifier = None,
        weights: Sequence[Any] | None = None,
        input_shape: Shape | None = None,
        batch_shape: Shape | None = None,
        input_length: int | None = None,
        input_dtype: str | None = None,
        batch_size: int | None = None,
        remat: bool = False,
        **old_spellings: Any,
    ) -> None: ...

class SReLU(Layer):
    """`x` between two learned thresholds, of slope `a_left` below them and `a_right` above."""
    def __init__(
        self,
        t_left_initializer: Identifier = 'zeros',
        a_left_initializer: Identifier = 'glorot_uniform',
        t_right_initializer: Identifier = 'glorot_uniform',
        a_right_initializer: Identifier = 'ones',
        t_left_regularizer: Identifier = None,
        a_left_regularizer: Identifier = None,
        t_right_regularizer: Identifier = None,
        a_right_regularizer: Identifier = None,
        t_left_constraint: Identifier = None,
        a_left_constraint: Identifier = None,
        t_right_constraint: Identifier = None,
        a_right_constraint: Identifier = None,
        shared_axes: int | Sequence[int] | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class STFTSpectrogram(Layer):
    """The spectrum of each piece of a signal, by a convolution whose kernels may be trained."""
    def __init__(
        self,
        mode: str = 'log',
        frame_length: int = 256,
        frame_step: int | None = None,
        fft_length: int | None = None,
        window: Any = 'hann',
        periodic: bool = False,
        scaling: str | None = 'density',
        padding: str = 'valid',
        expand_dims: bool = False,
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class SeparableConv1D(Layer):
    """Convolve each channel of a sequence by itself, then mix the channels of each step."""
    def __init__(
        self,
        filters: int | Any = ...,
        kernel_size: Any | Any = ...,
        strides: Any = 1,
        padding: str = 'valid',
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Identifier = None,
        use_bias: bool = True,
        depthwise_initializer: Identifier = 'glorot_uniform',
        pointwise_initializer: Identifier = 'glorot_uniform',
        bias_initializer: Identifier = 'zeros',
        depthwise_regularizer: Identifier = None,
        pointwise_regularizer: Identifier = None,
        bias_regularizer: Identifier = None,
        depthwise_constraint: Identifier = None,
        pointwise_constraint: Identifier = None,
        bias_constraint: Identifier = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class SeparableConv2D(Layer):
    """Convolve each channel of an image by itself, then mix the channels of each pixel."""
    def __init__(
        self,
        filters: int | Any = ...,
        kernel_size: Any | Any = ...,
        strides: Any = 1,
        padding: str = 'valid',
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Identifier = None,
        use_bias: bool = True,
        depthwise_initializer: Identifier = 'glorot_uniform',
        pointwise_initializer: Identifier = 'glorot_uniform',
        bias_initializer: Identifier = 'zeros',
        depthwise_regularizer: Identifier = None,
        pointwise_regularizer: Identifier = None,
        bias_regularizer: Identifier = None,
        depthwise_constraint: Identifier = None,
        pointwise_constraint: Identifier = None,
        bias_constraint: Identifier = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class SimpleRNN(Recurrent):
    """`h = activation(x @ kernel + h @ recurrent_kernel + bias)` over the steps of a sequence."""
    def __init__(
        self,
        units: int | Any = ...,
        activation: Identifier = 'tanh',
        use_bias: bool = True,
        kernel_initializer: Identifier = 'glorot_uniform',
        recurrent_initializer: Identifier = 'orthogonal',
        bias_initializer: Identifier = 'zeros',
        kernel_regularizer: Identifier = None,
        recurrent_regularizer: Identifier = None,
        bias_regularizer: Identifier = None,
        kernel_constraint: Identifier = None,
        recurrent_constraint: Identifier = None,
        bias_constraint: Identifier = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: int | None = None,
        zero_output_for_mask: bool = False,
        time_major: bool = False,
        implementation: int = 2,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class SimpleRNNCell(Celled):
    """`h = activation(x @ kernel + h @ recurrent_kernel + bias)`: Elman 1990."""
    def __init__(
        self,
        units: int | Any = ...,
        activation: Identifier = 'tanh',
        use_bias: bool = True,
        kernel_initializer: Identifier = 'glorot_uniform',
        recurrent_initializer: Identifier = 'orthogonal',
        bias_initializer: Identifier = 'zeros',
        kernel_regularizer: Identifier = None,
        recurrent_regularizer: Identifier = None,
        bias_regularizer: Identifier = None,
        kernel_constraint: Identifier = None,
        recurrent_constraint: Identifier = None,
        bias_constraint: Identifier = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class Softmax(Layer):
    """`exp(x) / sum(exp(x))` along an axis, or several; what is masked gets 0 and counts nothing."""
    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class Solarization(Imaging):
    """Add a draw to each image and take what reaches a drawn threshold from the upper end."""
    def __init__(
        self,
        addition_factor: Any = 0.0,
        threshold_factor: Any = 0.0,
        value_range: Sequence[float] = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class SpatialDropout1D(Layer):
    """Dropout of whole channels of (batch, steps, channels)."""
    def __init__(
        self,
        rate: float | Any = ...,
        seed: int | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class SpatialDropout2D(Layer):
    """Dropout of whole channels of images."""
    def __init__(
        self,
        rate: float | Any = ...,
        data_format: str | None = None,
        seed: int | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class SpatialDropout3D(Layer):
    """Dropout of whole channels of volumes."""
    def __init__(
        self,
        rate: float | Any = ...,
        data_format: str | None = None,
        seed: int | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class SpectralNormalization(Normalizing):
    """A layer that trains with its kernel, or embeddings, divided by their largest singular value."""
    def __init__(
        self,
        layer: Layer | Any = ...,
        power_iterations: int = 1,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class StackedRNNCells(Celled):
    """Cells in a chain within each step; the states of all follow one another."""
    def __init__(
        self,
        cells: Sequence[Layer] | Any = ...,
        reverse_state_order: bool = False,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class Subtract(Joining):
    """The first input minus the second, in shapes as `add` takes them."""
    def __init__(
        self,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class ThresholdedReLU(Layer):
    """`x` above `theta`, 0 elsewhere."""
    def __init__(
        self,
        theta: float = 1.0,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class TimeDistributed(Stepping):
    """A layer applied to each time step: time is folded into the batch, and unfolded after."""
    def __init__(
        self,
        layer: Layer | Any = ...,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class UnitNormalization(Layer):
    """Scale each sample to Euclidean length 1 along `axis`: `x / max(norm(x), 1e-12)`."""
    def __init__(
        self,
        axis: Any = -1,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class UpSampling1D(Layer):
    """Repeat every step `size` times."""
    def __init__(
        self,
        size: Any = 2,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class UpSampling2D(Layer):
    """Enlarge an image by whole factors: repeat pixels, or interpolate between them."""
    def __init__(
        self,
        size: Any = 2,
        data_format: str | None = None,
        interpolation: str = 'nearest',
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class UpSampling3D(Layer):
    """Repeat every voxel along each axis."""
    def __init__(
        self,
        size: Any = 2,
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class ZeroPadding1D(Layer):
    """Put zeros before and after a sequence: as many on both sides, or `(before, after)`."""
    def __init__(
        self,
        padding: Any = 1,
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class ZeroPadding2D(Layer):
    """Put zeros around an image: `((top, bottom), (left, right))`, or `(rows, columns)`."""
    def __init__(
        self,
        padding: Any = 1,
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class ZeroPadding3D(Layer):
    """Put zeros around a volume: as many on both sides of each axis, or a pair for each."""
    def __init__(
        self,
        padding: Any = 1,
        data_format: str | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: str | None = None,
        autocast: bool = True,
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

class AtrousConv1D(Conv1D): ...

class AtrousConv2D(Conv2D): ...

class AtrousConvolution1D(Conv1D): ...

class AtrousConvolution2D(Conv2D): ...

class AvgPool1D(AveragePooling1D): ...

class AvgPool2D(AveragePooling2D): ...

class AvgPool3D(AveragePooling3D): ...

class ConvRNN2D(RNN): ...

class Convolution1D(Conv1D): ...

class Convolution1DTranspose(Conv1DTranspose): ...

class Convolution2D(Conv2D): ...

class Convolution2DTranspose(Conv2DTranspose): ...

class Convolution3D(Conv3D): ...

class Convolution3DTranspose(Conv3DTranspose): ...

class CuDNNGRU(GRU): ...

class CuDNNLSTM(LSTM): ...

class Deconv2D(Conv2DTranspose): ...

class Deconv3D(Conv3DTranspose): ...

class Deconvolution2D(Conv2DTranspose): ...

class Deconvolution3D(Conv3DTranspose): ...

class GlobalAvgPool1D(GlobalAveragePooling1D): ...

class GlobalAvgPool2D(GlobalAveragePooling2D): ...

class GlobalAvgPool3D(GlobalAveragePooling3D): ...

class GlobalMaxPool1D(GlobalMaxPooling1D): ...

class GlobalMaxPool2D(GlobalMaxPooling2D): ...

class GlobalMaxPool3D(GlobalMaxPooling3D): ...

class GroupQueryAttention(GroupedQueryAttention): ...

class MaxPool1D(MaxPooling1D): ...

class MaxPool2D(MaxPooling2D): ...

class MaxPool3D(MaxPooling3D): ...

class SeparableConvolution1D(SeparableConv1D): ...

class SeparableConvolution2D(SeparableConv2D): ...

class TimeDistributedDense(Dense): ...
