"""One row for each registered layer: how to make it and what to feed it.

`test_conformance.py` runs every row through every check. A layer without a row fails there.
"""

from dataclasses import dataclass, field
from inspect import signature
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from funkeras import functional as F
from funkeras.functional import Pair, builders
from funkeras.registry import register_keras_serializable

__all__ = ["CASES", "Case"]


@dataclass(frozen=True, eq=False)
class Case:
    """A layer of class `name` made with `arguments`, for inputs of `shape`.

    Fields:
        shape: sizes with the batch first, or a tuple of shapes for several inputs.
        free: axes besides the batch whose size need not be known in advance.
        below: inputs are whole numbers below this one, instead of real numbers.
        smooth: whether finite differences tell the gradient.
        note: tells cases of the same layer apart.
    """

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    shape: Any = (2, 3)
    free: tuple[int, ...] = ()
    below: int | None = None
    smooth: bool = True
    note: str = ""

    def __str__(self) -> str:
        return f"{self.name}-{self.note}" if self.note else self.name

    def pair(self, **changes: Any) -> Pair:
        """The layer as a pair, with some arguments changed."""
        return builders.find(self.name)(**{**self.arguments, **changes})

    def accepts(self, argument: str) -> bool:
        """Whether the layer has such an argument."""
        return argument in signature(builders.find(self.name)).parameters

    def inputs(self, seed: int = 0, batch: int | None = None) -> Any:
        """Inputs of the case: no two entries are close, so that no maximum is near a tie."""
        generator = np.random.default_rng(seed)

        def draw(shape: tuple[int, ...]) -> jax.Array:
            sizes = shape if batch is None else (batch, *shape[1:])
            if self.below is not None:
                return jnp.asarray(generator.integers(0, self.below, sizes))
            values = generator.permutation(np.prod(sizes)) + 0.5
            return jnp.asarray((4 * values / values.size - 2).reshape(sizes), jnp.float32)

        return jax.tree.map(draw, self.shape, is_leaf=is_shape)

    def variables(self, pair: Pair, seed: int = 0) -> tuple[Any, Any]:
        """Params and state of the pair, away from their neutral starting values."""
        params, state = pair.init(jax.random.key(seed), self.shape)
        generator = np.random.default_rng(seed + 1)

        def away(a: jax.Array) -> jax.Array:
            if not jnp.issubdtype(a.dtype, jnp.floating):
                return a
            return a + jnp.asarray(generator.uniform(0.1, 0.5, a.shape), a.dtype)

        return jax.tree.map(away, (params, state))


def is_shape(shape: Any) -> bool:
    """Whether this is one shape rather than several."""
    return isinstance(shape, tuple) and all(isinstance(size, int) for size in shape)


@register_keras_serializable("tests")
def affine(params: Any, inputs: Any) -> Any:
    """`inputs @ w + b`, as a function of JAX."""
    return inputs @ params["w"] + params["b"]


@register_keras_serializable("tests")
def affine_start(rng: Any, inputs: Any) -> Any:
    """The first parameters of `affine`."""
    return {"w": jax.random.normal(rng, (inputs.shape[-1], 2)), "b": jnp.zeros(2)}


@register_keras_serializable("tests")
class Affine:
    """`affine` with the methods of a module of Flax."""

    def init(self, rngs: Any, inputs: Any, method: Any = None) -> Any:
        """The first variables."""
        return {"params": affine_start(rngs["params"], inputs)}

    def apply(self, variables: Any, inputs: Any, **options: Any) -> Any:
        """The outputs, and no new state."""
        return affine(variables["params"], inputs), {}

    def __call__(self, inputs: Any) -> Any:
        """What Flax would run."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """No arguments."""
        return {}


COLORS, SPAN = (2, 5, 6, 3), (-9, 9)
SEQUENCE, IMAGE, VOLUME = (2, 5, 3), (2, 5, 6, 2), (2, 4, 3, 4, 2)

CASES = [
    Case("Dense", {"units": 4, "activation": "tanh"}, (2, 3)),
    Case("Dense", {"units": 4, "use_bias": False}, SEQUENCE, free=(1,), note="sequence"),
    Case(
        "EinsumDense",
        {"equation": "abc,cde->abde", "output_shape": (None, 2, 4), "bias_axes": "de"},
        SEQUENCE,
        free=(1,),
    ),
    Case("Activation", {"activation": "softmax"}, SEQUENCE, free=(1, 2)),
    Case("Flatten", {}, IMAGE),
    Case("Reshape", {"target_shape": (2, -1)}, (2, 6)),
    Case("Permute", {"dims": (2, 1)}, SEQUENCE, free=(1, 2)),
    Case("RepeatVector", {"n": 3}, (2, 3)),
    Case("Dropout", {"rate": 0.5}, SEQUENCE, free=(1, 2)),
    Case("Conv1D", {"filters": 3, "kernel_size": 2}, SEQUENCE, free=(1,)),
    Case(
        "Conv1D",
        {"filters": 2, "kernel_size": 2, "padding": "causal", "dilation_rate": 2},
        SEQUENCE,
        free=(1,),
        note="causal",
    ),
    Case("Conv2D", {"filters": 3, "kernel_size": (2, 3)}, IMAGE, free=(1, 2)),
    Case(
        "Conv2D",
        {"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same", "groups": 2},
        IMAGE,
        free=(1, 2),
        note="depthwise",
    ),
    Case(
        "Conv2D",
        {"filters": 2, "kernel_size": 2, "padding": "full", "use_bias": False, "groups": 2},
        (2, 4, 4, 4),
        free=(1, 2),
        note="groups",
    ),
    Case("Conv3D", {"filters": 2, "kernel_size": 2, "activation": "tanh"}, VOLUME, free=(1, 2, 3)),
    Case(
        "Conv1DTranspose", {"filters": 2, "kernel_size": 3, "dilation_rate": 2}, SEQUENCE, free=(1,)
    ),
    Case(
        "Conv2DTranspose",
        {"filters": 3, "kernel_size": (2, 3), "strides": 2, "padding": "same"},
        IMAGE,
        free=(1, 2),
    ),
    Case(
        "Conv2DTranspose",
        {"filters": 2, "kernel_size": 2, "strides": (3, 2), "output_padding": 1, "use_bias": False},
        IMAGE,
        free=(1, 2),
        note="output-padding",
    ),
    Case(
        "Conv3DTranspose",
        {"filters": 2, "kernel_size": 2, "strides": (1, 2, 1), "activation": "tanh"},
        VOLUME,
        free=(1, 2, 3),
    ),
    Case("DepthwiseConv1D", {"kernel_size": 2, "padding": "causal"}, SEQUENCE, free=(1,)),
    Case("DepthwiseConv2D", {"kernel_size": 3, "depth_multiplier": 2}, IMAGE, free=(1, 2)),
    Case("SeparableConv1D", {"filters": 4, "kernel_size": 3, "strides": 2}, SEQUENCE, free=(1,)),
    Case(
        "SeparableConv2D",
        {"filters": 3, "kernel_size": 2, "depth_multiplier": 2, "padding": "same"},
        IMAGE,
        free=(1, 2),
    ),
    # With one channel and no bias: else one kernel means something else in each data format.
    Case("LocallyConnected1D", {"filters": 2, "kernel_size": 2, "use_bias": False}, (2, 5, 1)),
    Case(
        "LocallyConnected2D",
        {"filters": 2, "kernel_size": (2, 3), "strides": 2, "use_bias": False},
        (2, 5, 6, 1),
    ),
    Case("ZeroPadding1D", {"padding": (1, 2)}, SEQUENCE, free=(1,)),
    Case("ZeroPadding2D", {"padding": ((1, 0), (2, 1))}, IMAGE, free=(1, 2)),
    Case("ZeroPadding3D", {}, VOLUME, free=(1, 2, 3)),
    Case("Cropping1D", {"cropping": (0, 2)}, SEQUENCE, free=(1,)),
    Case("Cropping2D", {"cropping": ((1, 2), (0, 1))}, IMAGE, free=(1, 2)),
    Case("Cropping3D", {}, VOLUME, free=(1, 2, 3)),
    Case("UpSampling1D", {}, SEQUENCE, free=(1,)),
    Case("UpSampling2D", {"size": (2, 3)}, IMAGE, free=(1, 2)),
    *(
        Case("UpSampling2D", {"interpolation": name}, IMAGE, free=(1, 2), note=name)
        for name in ("bilinear", "lanczos3")
    ),
    Case("UpSampling3D", {"size": (1, 2, 2)}, VOLUME, free=(1, 2, 3)),
    *(
        Case(f"Adaptive{kind}Pooling{space}D", {"output_size": 3}, shape, free=(1,))
        for space, shape in enumerate((SEQUENCE, IMAGE, VOLUME), start=1)
        for kind in ("Average", "Max")
    ),
    Case("MaxPooling1D", {"pool_size": 3, "strides": 2, "padding": "same"}, SEQUENCE, free=(1,)),
    Case("MaxPooling2D", {}, IMAGE, free=(1, 2)),
    Case("MaxPooling3D", {"pool_size": (3, 2, 1), "strides": 1}, VOLUME, free=(1, 2, 3)),
    Case("AveragePooling1D", {"pool_size": 5}, SEQUENCE, free=(1,)),
    Case("AveragePooling2D", {"strides": 1, "padding": "same"}, IMAGE, free=(1, 2)),
    Case("AveragePooling3D", {}, VOLUME, free=(1, 2, 3)),
    Case("GlobalMaxPooling1D", {}, SEQUENCE, free=(1,)),
    Case("GlobalMaxPooling2D", {"keepdims": True}, IMAGE, free=(1, 2)),
    Case("GlobalMaxPooling3D", {}, VOLUME, free=(1, 2, 3)),
    Case("GlobalAveragePooling1D", {}, SEQUENCE, free=(1,)),
    Case("GlobalAveragePooling2D", {}, IMAGE, free=(1, 2)),
    Case("GlobalAveragePooling3D", {"keepdims": True}, VOLUME, free=(1, 2, 3)),
    Case("BatchNormalization", {}, (4, 3)),
    Case("BatchNormalization", {"axis": 1, "center": False}, IMAGE, free=(2, 3), note="axis"),
    Case("BatchNormalization", {"mode": 1}, SEQUENCE, free=(1,), note="by sample"),
    Case("BatchNormalization", {"renorm": True}, (4, 3), smooth=False, note="renormalised"),
    Case("Normalization", {"axis": (1, 2)}, SEQUENCE),
    Case("Normalization", {"mean": 0.5, "variance": 2.0, "invert": True}, SEQUENCE, note="given"),
    Case("LayerNormalization", {"axis": (1, 2)}, SEQUENCE),
    Case("GroupNormalization", {"groups": 2}, (2, 3, 4), free=(1,)),
    Case("RMSNormalization", {}, SEQUENCE, free=(1,)),
    Case("UnitNormalization", {}, SEQUENCE, free=(1, 2)),
    Case("Identity", {}, SEQUENCE, free=(1, 2)),
    Case("LayerScale", {"init_values": 0.5, "projection_dim": 3}, SEQUENCE, free=(1,)),
    Case("Masking", {"mask_value": 9.0}, SEQUENCE, free=(1,)),
    Case("Lambda", {"function": jnp.tanh}, SEQUENCE, free=(1, 2)),
    Case("ActivityRegularization", {"l1": 0.1, "l2": 0.2}, (2, 3)),
    Case("Highway", {"activation": "tanh"}, (2, 3)),
    Case("MaxoutDense", {"output_dim": 2, "nb_feature": 3}, (2, 3)),
    Case("SpatialDropout1D", {"rate": 0.5}, SEQUENCE, free=(1,)),
    Case("SpatialDropout2D", {"rate": 0.5}, IMAGE, free=(1, 2)),
    Case("SpatialDropout3D", {"rate": 0.5}, VOLUME, free=(1, 2, 3)),
    Case("GaussianNoise", {"stddev": 0.5}, SEQUENCE, free=(1, 2)),
    Case("GaussianDropout", {"rate": 0.5}, SEQUENCE, free=(1, 2)),
    Case("AlphaDropout", {"rate": 0.5}, SEQUENCE, free=(1, 2)),
    Case("Embedding", {"input_dim": 7, "output_dim": 3}, (2, 5), free=(1,), below=7),
    Case("JaxLayer", {"call_fn": affine, "init_fn": affine_start}, SEQUENCE, free=(1,)),
    Case("FlaxLayer", {"module": Affine()}, SEQUENCE, free=(1,)),
    Case("ReversibleEmbedding", {"input_dim": 7, "output_dim": 3}, (2, 5), free=(1,), below=7),
    Case("PositionEmbedding", {"sequence_length": 6}, SEQUENCE),
    *(
        Case(name, {}, (SEQUENCE, SEQUENCE), free=(1,))
        for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Merge")
    ),
    Case("Concatenate", {}, (SEQUENCE, (2, 5, 2)), free=(1,)),
    Case("Dot", {"axes": -1}, ((2, 3), (2, 3))),
    Case("Merge", {"mode": "concat"}, (SEQUENCE, (2, 5, 2)), free=(1,), note="concat"),
    Case("ReLU", {"max_value": 1.5, "negative_slope": 0.1}, SEQUENCE, free=(1, 2)),
    Case("LeakyReLU", {}, SEQUENCE, free=(1, 2)),
    Case("ELU", {"alpha": 0.5}, SEQUENCE, free=(1, 2)),
    Case("ThresholdedReLU", {"theta": 0.3}, SEQUENCE, free=(1, 2)),
    Case("Softmax", {"axis": 1}, SEQUENCE, free=(1, 2)),
    Case("PReLU", {"shared_axes": (1,)}, SEQUENCE, free=(1,)),
    Case("ParametricSoftplus", {}, (2, 3)),
    Case("SReLU", {"shared_axes": (1,)}, SEQUENCE, free=(1,)),
    Case("Attention", {"use_scale": True}, (SEQUENCE, (2, 4, 3)), free=(1,)),
    Case("AdditiveAttention", {}, (SEQUENCE, (2, 4, 3)), free=(1,)),
    Case("MultiHeadAttention", {"num_heads": 2, "key_dim": 2}, (SEQUENCE, (2, 4, 3)), free=(1,)),
    Case(
        "GroupedQueryAttention",
        {"head_dim": 2, "num_query_heads": 4, "num_key_value_heads": 2},
        (SEQUENCE, (2, 4, 3)),
        free=(1,),
    ),
    Case("SimpleRNNCell", {"units": 4}, ((2, 3), (2, 4))),
    Case("LSTMCell", {"units": 4}, ((2, 3), (2, 4), (2, 4))),
    Case("GRUCell", {"units": 4}, ((2, 3), (2, 4))),
    Case(
        "StackedRNNCells",
        {"cells": (F.gru_cell(4), F.simple_rnn_cell(2))},
        ((2, 3), (2, 4), (2, 2)),
    ),
    Case("Rescaling", {"scale": 2.0, "offset": 0.5}, IMAGE, free=(1, 2)),
    Case("MaxNumBoundingBoxes", {"max_number": 2}, IMAGE, free=(1, 2)),
    Case("Resizing", {"height": 4, "width": 7}, IMAGE, free=(1, 2)),
    Case("CenterCrop", {"height": 3, "width": 3}, IMAGE, free=(1, 2)),
    Case("RandomFlip", {}, IMAGE, free=(1, 2)),
    Case("RandomCrop", {"height": 3, "width": 4}, IMAGE, free=(1, 2)),
    Case("RandomRotation", {"factor": 0.2}, IMAGE, free=(1, 2)),
    Case("RandomZoom", {"height_factor": 0.3}, IMAGE, free=(1, 2)),
    Case("RandomTranslation", {"height_factor": 0.3, "width_factor": 0.2}, IMAGE, free=(1, 2)),
    Case("RandomContrast", {"factor": 0.3, "value_range": (-9, 9)}, IMAGE, free=(1, 2)),
    Case("RandomBrightness", {"factor": 0.1, "value_range": (-9, 9)}, IMAGE, free=(1, 2)),
    Case("RandomShear", {"x_factor": 0.3, "y_factor": 0.2}, IMAGE, free=(1, 2)),
    Case("RandomHue", {"factor": 0.4, "value_range": SPAN}, COLORS, free=(1, 2), smooth=False),
    Case("RandomSaturation", {"factor": (0.2, 0.4)}, COLORS, free=(1, 2), smooth=False),
    *(
        Case(f"Random{name}", {"value_range": SPAN, **arguments}, COLORS, free=(1, 2))
        for name, arguments in (
            ("ColorDegeneration", {"factor": 0.4}),
            ("Invert", {"factor": 0.5}),
            ("Sharpness", {"factor": 0.4}),
            ("GaussianBlur", {"factor": (0.2, 0.9), "kernel_size": (3, 5)}),
            ("Erasing", {"factor": 0.9, "fill_value": 0.5}),
            ("ColorJitter", {"brightness_factor": 0.1, "contrast_factor": 0.2}),
        )
    ),
    Case("RandomGrayscale", {}, COLORS, free=(1, 2)),
    Case(
        "RandomPosterization",
        {"factor": 4, "value_range": SPAN},
        COLORS,
        free=(1, 2),
        smooth=False,
    ),
    Case(
        "Solarization",
        {"threshold_factor": 0.5, "value_range": SPAN},
        COLORS,
        free=(1, 2),
        smooth=False,
    ),
    Case("AutoContrast", {"value_range": (-1, 1)}, IMAGE, free=(1, 2)),
    # Bins whose edges are far from the inputs: half precision must not move any across.
    Case("Equalization", {"value_range": (-2, 2), "bins": 7}, IMAGE, free=(1, 2), smooth=False),
    Case(
        "ContrastLimitedAdaptiveHistogramEqualization",
        {"value_range": SPAN, "tile_grid_size": (2, 2)},
        IMAGE,
        free=(1, 2),
        smooth=False,
    ),
    Case("AugMix", {"value_range": SPAN, "num_chains": 2}, COLORS, free=(1, 2), smooth=False),
    Case("RandomPerspective", {"factor": (1, 1), "scale": 0.3}, IMAGE, free=(1, 2)),
    Case("RandomElasticTransform", {"factor": (1, 1), "value_range": (-9, 9)}, IMAGE, free=(1, 2)),
    Case("MelSpectrogram", {"fft_length": 16, "sequence_stride": 8, "num_mel_bins": 3}, (2, 40)),
    Case("STFTSpectrogram", {"frame_length": 8, "mode": "psd"}, (2, 20, 3)),
    Case("CutMix", {"factor": 0.8}, IMAGE, free=(1, 2)),
    Case("MixUp", {}, IMAGE, free=(1, 2)),
    Case("RandAugment", {"value_range": SPAN}, COLORS, free=(1, 2), smooth=False),
    Case("Pipeline", {"layers": (F.dense(2), F.dropout(0.5))}, SEQUENCE, free=(1,)),
    Case("CategoryEncoding", {"num_tokens": 5, "output_mode": "count"}, (2, 3), below=5),
    Case(
        "Discretization",
        {"bin_boundaries": (-0.5, 0.6), "output_mode": "one_hot"},
        (2, 3),
        free=(1,),
    ),
    Case("Hashing", {"num_bins": 4, "mask_value": 1, "output_mode": "one_hot"}, (2, 3), below=5),
    Case("HashedCrossing", {"num_bins": 4, "output_mode": "one_hot"}, ((3,), (3,)), below=5),
    Case("IntegerLookup", {"vocabulary": (3, 1), "output_mode": "multi_hot"}, (2, 3), below=5),
    Case("RNN", {"cell": F.gru_cell(4)}, SEQUENCE, free=(1,)),
    Case("SimpleRNN", {"units": 4, "return_sequences": True}, SEQUENCE, free=(1,)),
    Case("LSTM", {"units": 4, "return_state": True}, SEQUENCE, free=(1,)),
    Case("GRU", {"units": 4, "go_backwards": True, "reset_after": True}, SEQUENCE, free=(1,)),
    Case("ConvLSTM2DCell", {"filters": 3, "kernel_size": 2}, (IMAGE, (2, 4, 5, 3), (2, 4, 5, 3))),
    Case("ConvLSTM1D", {"filters": 3, "kernel_size": 2}, (2, 3, 4, 2), free=(1,)),
    Case(
        "ConvLSTM2D",
        {"filters": 2, "kernel_size": (2, 3), "padding": "same", "return_sequences": True},
        (2, 3, 4, 3, 2),
        free=(1,),
    ),
    Case("ConvLSTM3D", {"filters": 2, "kernel_size": 2}, (2, 2, 3, 3, 2, 2), free=(1,)),
    Case("Bidirectional", {"layer": F.lstm(2, return_sequences=True)}, SEQUENCE, free=(1,)),
    Case("TimeDistributed", {"layer": F.dense(2, "tanh")}, SEQUENCE, free=(1,)),
    Case("SpectralNormalization", {"layer": F.dense(2)}, SEQUENCE, free=(1,), smooth=False),
]
