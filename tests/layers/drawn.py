"""Random arguments and inputs for each layer: what to draw, as a table.

A drawn case is plain data: a layer's class name, its arguments (`(LAYER, name, arguments)` for a
layer inside), the inputs, and what else a call is given. `drawn_genuine.py` runs cases with
genuine Keras, `test_drawn.py` compares.
"""

import random
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["DRAWS", "LAYER", "OF_TF_KERAS", "Case", "draw"]

LAYER = "@layer"
ACTIVATIONS = (
    *("relu", "tanh", "sigmoid", "softplus", "softsign", "elu", "selu", "gelu"),
    *("silu", "linear", "exponential", "hard_sigmoid", "softmax"),
)
REGULARIZERS = ("l1", "l2")
CONSTRAINTS = ("max_norm", "non_neg", "unit_norm")
FORMATS = ("channels_last", "channels_first")


@dataclass
class Case:
    """One draw: a layer `name` made with `kwargs`, called on `inputs` with `call`.

    Fields:
        single: whether the only input is given as it is, rather than in a list.
        inputs, masks: arrays; a mask may be None.
        training: the phase.
        call: further arguments of the call.
        apart: whether inputs are arguments of their own, rather than a list.
        host: whether no compiled step runs it, so that there are no gradients.
    """

    name: str
    kwargs: dict[str, Any]
    inputs: list[np.ndarray]
    single: bool = True
    masks: list[np.ndarray] = field(default_factory=list)
    training: bool | None = None
    call: dict[str, Any] = field(default_factory=dict)
    apart: bool = False
    host: bool = False


class Draw(random.Random):
    """Draws of arguments."""

    def of(self, *values: Any) -> Any:
        """One of them."""
        return self.choice(values)

    def some(self, share: float = 0.4, **options: Any) -> dict[str, Any]:
        """Some of the arguments; a tuple of values stands for one of them."""
        return {
            name: self.choice(value) if isinstance(value, tuple) else value
            for name, value in options.items()
            if self.random() < share
        }

    def sizes(self, count: int, least: int, most: int) -> Any:
        """A number, or as many as there are axes."""
        if self.random() < 0.3:
            return self.randint(least, most)
        return tuple(self.randint(least, most) for _ in range(count))

    def rules(self, *stems: str) -> dict[str, Any]:
        """Initializers, penalties and constraints of weights."""
        given = {}
        for stem in stems:
            given |= self.some(
                0.15,
                **{
                    f"{stem}_regularizer": REGULARIZERS,
                    f"{stem}_constraint": CONSTRAINTS,
                    f"{stem}_initializer": ("ones", "he_normal", "random_uniform"),
                },
            )
        return given

    def normal(self, *shape: int) -> np.ndarray:
        """Real numbers, in `float32`."""
        generator = np.random.default_rng(self.getrandbits(32))
        return generator.normal(size=shape).astype("float32")

    def whole(self, below: int, *shape: int) -> np.ndarray:
        """Whole numbers below a bound."""
        return np.random.default_rng(self.getrandbits(32)).integers(0, below, shape).astype("int32")

    def shape(self, rank: int, data_format: str, least: int = 5, most: int = 8) -> tuple[int, ...]:
        """A batch with some channels and `rank` axes of space."""
        space = [self.randint(least, most) for _ in range(rank)]
        channels = [self.of(2, 4)]
        return (2, *(channels + space if data_format == "channels_first" else space + channels))

    def steps(self, *shape: int) -> list[np.ndarray]:
        """A mask of time steps, or none."""
        if self.random() < 0.5:
            return []
        mask = np.random.default_rng(self.getrandbits(32)).random(shape) < 0.7
        mask[:, 0] = True
        return [mask]


DRAWS: dict[str, Any] = {}
"""Class name → a function from a `Draw` to a case."""
OF_TF_KERAS: set[str] = set()
"""Classes that Keras 3 has no more."""


def drawn(*names: str, old: bool = False) -> Any:
    """Enter a function of a `Draw` and a name: it gives arguments, inputs and fields of a case."""

    def enter(make: Any) -> Any:
        DRAWS.update(dict.fromkeys(names, make))
        OF_TF_KERAS.update(names if old else ())
        return make

    return enter


def draw(name: str, number: int) -> Case:
    """The case of that number: always the same one."""
    source = Draw(zlib.crc32(f"{name}/{number}".encode()))
    kwargs, inputs, *fields = DRAWS[name](source, name)
    single = not isinstance(inputs, list)
    return Case(name, kwargs, [inputs] if single else inputs, single, **(fields or [{}])[0])


def rank_of(name: str) -> int:
    """How many axes of space the inputs of a class have: its name says so."""
    return int(name[name.index("D") - 1]) if name[-1] != "D" else int(name[-2])


@drawn("Dense")
def dense(r, name):
    kwargs = {"units": r.randint(1, 5)} | r.some(activation=ACTIVATIONS, use_bias=False)
    return kwargs | r.rules("kernel", "bias"), r.normal(*r.of((2, 3), (2, 4, 3), (2, 3, 2, 3)))


@drawn("EinsumDense")
def einsum_dense(r, name):
    equation, output, shape = r.of(
        ("ab,bc->ac", 4, (2, 3)),
        ("abc,cd->abd", (None, 4), (2, 5, 3)),
        ("...x,xy->...y", 4, (2, 5, 3)),
        ("abc,cde->abde", (None, 2, 4), (2, 5, 3)),
        ("abc,bde->ade", (2, 4), (2, 5, 3)),
    )
    bias = {"bias_axes": equation[-1]} if r.random() < 0.5 else {}
    kwargs = {"equation": equation, "output_shape": output} | bias | r.some(activation=ACTIVATIONS)
    return kwargs | r.rules("kernel"), r.normal(*shape)


@drawn("Activation")
def activation(r, name):
    return {"activation": r.of(*ACTIVATIONS)}, r.normal(*r.of((2, 3), (2, 4, 3)))


@drawn("Flatten")
def flatten(r, name):
    return r.some(data_format=FORMATS), r.normal(*r.of((2, 3), (2, 4, 3), (2, 3, 2, 3), (3,)))


@drawn("Reshape")
def reshape(r, name):
    target = r.of((12,), (3, 4), (-1,), (2, -1), (2, 3, 2), (-1, 6), (5, -1))
    return {"target_shape": target}, r.normal(2, *r.of((12,), (4, 3), (2, 3, 2)))


@drawn("Permute")
def permute(r, name):
    return {"dims": r.of((1, 2), (2, 1), (3, 1, 2), (2, 3, 1), (1, 3))}, r.normal(2, 3, 4, 2)


@drawn("RepeatVector")
def repeat_vector(r, name):
    return {"n": r.of(1, 3, 4, 2.5)}, r.normal(*r.of((2, 3), (2, 3), (2, 3, 4)))


@drawn("Masking")
def masking(r, name):
    x = r.normal(2, 4, 3)
    x[0, 1] = x[1, 3] = x[1, 0, 1] = 0.5
    return {"mask_value": r.of(0.0, 0.5)}, x


@drawn("ActivityRegularization")
def activity_regularization(r, name):
    return r.some(0.7, l1=0.1, l2=0.2), r.normal(2, 3)


@drawn("Identity", "UnitNormalization")
def plain(r, name):
    axes = {"axis": r.of(-1, 1, (1, 2))} if name != "Identity" and r.random() < 0.7 else {}
    return axes, r.normal(2, 3, 4)


@drawn("Conv1D", "Conv2D", "Conv3D")
def convolution(r, name):
    rank = rank_of(name)
    layout = r.of(*FORMATS)
    kwargs = {"filters": r.of(2, 4), "kernel_size": r.sizes(rank, 1, 3), "data_format": layout}
    kwargs |= {"padding": r.of("valid", "same", *(["causal"] if rank == 1 else []))}
    kwargs |= r.some(0.3, **{r.of("strides", "dilation_rate"): r.sizes(rank, 1, 3)})
    kwargs |= r.some(0.3, groups=2) | r.some(0.3, activation=ACTIVATIONS[:8], use_bias=False)
    return kwargs | r.rules("kernel", "bias"), r.normal(*r.shape(rank, layout, 5, 8 - rank + 1))


@drawn("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose")
def transposed(r, name):
    rank = rank_of(name)
    layout = r.of(*FORMATS)
    kwargs = {"filters": r.of(2, 3), "kernel_size": r.sizes(rank, 1, 3), "data_format": layout}
    kwargs |= {"padding": r.of("valid", "same")}
    if r.random() < 0.7:
        kwargs["strides"] = r.sizes(rank, 1, 3)
        if r.random() < 0.3:
            kwargs["output_padding"] = r.sizes(rank, 0, 2)
    else:
        kwargs["dilation_rate"] = r.sizes(rank, 1, 2)
    kwargs |= r.some(0.3, activation=ACTIVATIONS[:8], use_bias=False)
    return kwargs | r.rules("kernel", "bias"), r.normal(*r.shape(rank, layout, 3, 5))


@drawn("SeparableConv1D", "SeparableConv2D", "DepthwiseConv1D", "DepthwiseConv2D")
def separable(r, name):
    rank = rank_of(name)
    layout = r.of(*FORMATS)
    kwargs = {"kernel_size": r.sizes(rank, 1, 3), "data_format": layout}
    kwargs |= {"padding": r.of("valid", "same")} | r.some(0.4, depth_multiplier=2)
    if r.random() < 0.4:
        size = r.randint(1, 3)  # TensorFlow's strides of depthwise kernels are the same both ways
        kwargs[r.of("strides", "dilation_rate")] = size
    kwargs |= r.some(0.3, activation=ACTIVATIONS[:8], use_bias=False)
    if name.startswith("Separable"):
        kwargs |= {"filters": r.of(2, 3)} | r.rules("depthwise", "pointwise")
    else:
        kwargs |= r.rules("depthwise")
    return kwargs | r.rules("bias"), r.normal(*r.shape(rank, layout))


@drawn("LocallyConnected1D", "LocallyConnected2D", old=True)
def local(r, name):
    rank = rank_of(name)
    kwargs = {"filters": r.of(2, 3), "kernel_size": r.sizes(rank, 1, 3)}
    kwargs |= r.some(0.4, strides=r.sizes(rank, 1, 2), use_bias=False, implementation=(1, 2, 3))
    if kwargs.get("implementation", 1) != 1:
        kwargs |= r.some(0.3, padding="same")
    kwargs |= r.some(0.3, activation=ACTIVATIONS[:8]) | r.rules("kernel", "bias")
    return kwargs, r.normal(*r.shape(rank, "channels_last", 4, 6))


@drawn("ThresholdedReLU", old=True)
def thresholded(r, name):
    return r.some(0.7, theta=(0.0, 0.5, 1.5, 1.0)), r.normal(3, 4)


def margins(r, rank, most):
    """Padding or cropping of each side: a number, one an axis, or two an axis."""
    kind = r.of(0, 1, 2)
    if kind == 0:
        return r.randint(0, most)
    if kind == 1 and rank > 1:
        return tuple(r.randint(0, most) for _ in range(rank))
    pairs = tuple((r.randint(0, most), r.randint(0, most)) for _ in range(rank))
    return pairs[0] if rank == 1 else pairs


@drawn("Cropping1D", "Cropping2D", "Cropping3D", "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D")
def margin(r, name):
    rank, crops = rank_of(name), name.startswith("Crop")
    layout = r.of(*FORMATS)
    kwargs = {"cropping" if crops else "padding": margins(r, rank, 3 if crops else 2)}
    if rank > 1 or not crops:
        kwargs["data_format"] = layout
    else:
        layout = "channels_last"
    return kwargs, r.normal(*r.shape(rank, layout, 4, 7))


@drawn("UpSampling1D", "UpSampling2D", "UpSampling3D")
def up_sampling(r, name):
    rank = rank_of(name)
    layout = r.of(*FORMATS) if rank > 1 else "channels_last"
    kwargs = {"size": r.sizes(rank, 1, 3) if rank > 1 else r.randint(1, 3)}
    kwargs |= {"data_format": layout} if rank > 1 else {}
    if rank == 2:
        ways = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")
        kwargs |= r.some(0.7, interpolation=ways)
    return kwargs, r.normal(*r.shape(rank, layout, 2, 4))


@drawn(*(f"{kind}Pooling{rank}D" for kind in ("Max", "Average") for rank in (1, 2, 3)))
def pooling(r, name):
    rank = rank_of(name)
    layout = r.of(*FORMATS)
    kwargs = {"pool_size": r.sizes(rank, 1, 3), "padding": r.of("valid", "same")}
    kwargs |= {"data_format": layout} | r.some(0.5, strides=r.sizes(rank, 1, 3))
    return kwargs, r.normal(*r.shape(rank, layout, 4, 7))


@drawn(*(f"Global{kind}Pooling{rank}D" for kind in ("Max", "Average") for rank in (1, 2, 3)))
def global_pooling(r, name):
    rank = rank_of(name)
    layout = r.of(*FORMATS)
    x = r.normal(*r.shape(rank, layout, 3, 5))
    kwargs = {"data_format": layout} | r.some(keepdims=True)
    averages = name == "GlobalAveragePooling1D"
    steps = x.shape[1] if layout == "channels_last" else x.shape[2]
    return kwargs, x, {"masks": r.steps(2, steps) if averages else []}


@drawn(*(f"Adaptive{kind}Pooling{rank}D" for kind in ("Max", "Average") for rank in (1, 2, 3)))
def adaptive_pooling(r, name):
    rank = rank_of(name)
    layout = r.of(*FORMATS)
    kwargs = {"output_size": r.sizes(rank, 1, 4), "data_format": layout}
    return kwargs, r.normal(*r.shape(rank, layout, 4, 7))


RECURRENT = ("SimpleRNN", "LSTM", "GRU")


def recurrence(r, name):
    """Arguments of a cell."""
    kwargs = {"units": r.randint(1, 4)} | r.some(0.3, activation=ACTIVATIONS[:8], use_bias=False)
    if name.startswith(("LSTM", "GRU")):
        kwargs |= r.some(0.3, recurrent_activation=("sigmoid", "hard_sigmoid", "tanh"))
    if name.startswith("GRU"):
        kwargs |= r.some(reset_after=(True, False))
    if name.startswith("LSTM"):
        kwargs |= r.some(unit_forget_bias=False)
    return kwargs | r.rules("kernel", "recurrent", "bias") | r.some(0.2, dropout=0.3)


@drawn(*RECURRENT)
def recurrent(r, name):
    kwargs = recurrence(r, name)
    kwargs |= r.some(0.4, return_sequences=True, return_state=True, go_backwards=True)
    kwargs |= r.some(0.2, unroll=True, recurrent_dropout=0.2)
    steps = r.randint(1, 5)
    masks = r.steps(3, steps)
    if masks and kwargs.get("return_sequences"):
        kwargs |= r.some(0.3, zero_output_for_mask=True)
    if kwargs.get("unroll"):  # then Keras 3 on JAX forgets it, where on TensorFlow there are zeros
        kwargs.pop("zero_output_for_mask", None)
    return kwargs, r.normal(3, steps, 2), {"masks": masks}


@drawn("RNN")
def rnn(r, name):
    cells = [
        (LAYER, cell, recurrence(r, cell))
        for cell in r.choices([f"{kind}Cell" for kind in RECURRENT], k=r.of(1, 1, 2, 3))
    ]
    cell = cells[0] if len(cells) == 1 else (LAYER, "StackedRNNCells", {"cells": cells})
    kwargs = {"cell": cell} | r.some(0.4, return_sequences=True, return_state=True)
    return kwargs | r.some(0.3, go_backwards=True), r.normal(3, 4, 2), {"masks": r.steps(3, 4)}


@drawn("Bidirectional")
def bidirectional(r, name):
    inner = r.of(*RECURRENT)
    given = (
        recurrence(r, inner) | r.some(0.5, return_sequences=True) | r.some(0.2, return_state=True)
    )
    kwargs = {"layer": (LAYER, inner, given)}
    kwargs |= r.some(0.8, merge_mode=("concat", "sum", "mul", "ave", None))
    return kwargs, r.normal(3, 4, 2), {"masks": r.steps(3, 4)}


@drawn("TimeDistributed")
def time_distributed(r, name):
    inner, shape = r.of(
        ((LAYER, "Dense", {"units": 3, "activation": "tanh"}), (3, 4, 2)),
        ((LAYER, "Conv1D", {"filters": 2, "kernel_size": 2}), (2, 3, 5, 2)),
        ((LAYER, "BatchNormalization", {}), (3, 4, 2)),
        ((LAYER, "Flatten", {}), (3, 4, 2, 2)),
        ((LAYER, "LSTM", {"units": 2}), (2, 3, 4, 2)),
        ((LAYER, "TimeDistributed", {"layer": (LAYER, "Dense", {"units": 2})}), (2, 3, 4, 2)),
    )
    training = inner[1] == "BatchNormalization" and r.random() < 0.5
    return {"layer": inner}, r.normal(*shape), {"training": training}


@drawn("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")
def conv_lstm(r, name):
    rank = rank_of(name)
    layout = r.of(*FORMATS)
    kwargs = {"filters": r.of(1, 2), "kernel_size": r.sizes(rank, 1, 3), "data_format": layout}
    kwargs |= {"padding": r.of("valid", "same")}
    kwargs |= r.some(0.3, **{r.of("strides", "dilation_rate"): r.sizes(rank, 1, 2)})
    kwargs |= r.some(0.3, return_sequences=True, return_state=True, go_backwards=True)
    kwargs |= r.some(0.3, activation=("tanh", "relu"), recurrent_activation=("tanh", "sigmoid"))
    kwargs |= r.some(0.2, use_bias=False, unit_forget_bias=False) | r.rules("kernel", "recurrent")
    batch, *rest = r.shape(rank, layout, 3, 5 - rank // 2)
    # Keras 3.15 fails on masks here: it broadcasts them along the last axis.
    return kwargs, r.normal(batch, r.of(2, 3), *rest)


@drawn("Embedding")
def embedding(r, name):
    kwargs = {"input_dim": 6, "output_dim": 3} | r.some(0.4, mask_zero=True)
    return kwargs | r.rules("embeddings"), r.whole(6, *r.of((2, 4), (3,), (2, 3, 2)))


@drawn("BatchNormalization")
def batch_normalization(r, name):
    kwargs = r.some(0.4, axis=(-1, 1, 2), momentum=(0.5, 0.9), epsilon=(1e-3, 0.1))
    kwargs |= r.some(0.3, center=False, scale=False) | r.rules("beta", "gamma")
    x = r.normal(4, 3, 5)
    return kwargs, x, {"training": r.random() < 0.6, "masks": r.steps(4, 3)}


@drawn("LayerNormalization", "RMSNormalization")
def layer_normalization(r, name):
    inner = 1 if name[0] == "L" else 2  # RMSNormalization of Keras 3.15 fails for any but the last
    kwargs = r.some(0.6, axis=(-1, inner, (1, 2), [2], (-1, -2)), epsilon=(1e-3, 0.1))
    if name[0] == "L":
        kwargs |= r.some(0.3, center=False, scale=False, beta_initializer="ones")
        kwargs |= r.rules("beta", "gamma")
    return kwargs, r.normal(2, 3, 4)


@drawn("GroupNormalization")
def group_normalization(r, name):
    kwargs = {"groups": r.of(1, 2, 4, -1, 3)} | r.some(0.4, axis=(-1, 1), epsilon=(1e-3, 0.1))
    kwargs |= r.some(0.3, center=False, scale=False) | r.rules("beta", "gamma")
    return kwargs, r.normal(2, 4, 3, 4)


@drawn("SpectralNormalization")
def spectral_normalization(r, name):
    inner, shape = r.of(
        ((LAYER, "Dense", {"units": 3}), (2, 4)),
        ((LAYER, "Conv2D", {"filters": 2, "kernel_size": 2, "use_bias": False}), (2, 4, 4, 3)),
        ((LAYER, "Conv1D", {"filters": 3, "kernel_size": 2, "strides": 2}), (2, 5, 3)),
        ((LAYER, "DepthwiseConv1D", {"kernel_size": 2, "depth_multiplier": 2}), (2, 5, 3)),
        ((LAYER, "LSTM", {"units": 2}), (2, 5, 3)),
    )
    kwargs = {"layer": inner} | r.some(0.4, power_iterations=(1, 3))
    return kwargs, r.normal(*shape), {"training": r.random() < 0.5}


@drawn("LeakyReLU", "ELU", "ReLU", "PReLU", "Softmax")
def nonlinear(r, name):
    x, fields = r.normal(2, 4, 3), {}
    if name == "LeakyReLU":
        kwargs = r.some(0.7, negative_slope=(0.0, 0.1, 0.5, -0.2))
    elif name == "ELU":
        kwargs = r.some(0.7, alpha=(0.5, 2.0))
    elif name == "ReLU":
        kwargs = r.some(
            0.5, max_value=(0.5, 1.5, -1), negative_slope=(0.1, -0.1), threshold=(0.3, -1)
        )
    elif name == "PReLU":
        kwargs = r.some(0.7, shared_axes=([1], [2], [1, 2], 1)) | r.rules("alpha")
    else:
        kwargs = r.some(0.7, axis=(-1, 1, (1, 2), [-1]))
        fields = {"masks": [np.asarray(r.normal(2, 4, 3) > -0.5)] if r.random() < 0.5 else []}
    return kwargs, x, fields


@drawn(
    "Dropout",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "GaussianNoise",
    "GaussianDropout",
    "AlphaDropout",
)
def noise(r, name):
    rate = r.of(0.0, 0.3, 0.5, 1.5, -0.1)
    kwargs = {"stddev" if name == "GaussianNoise" else "rate": rate}
    if name == "Dropout":
        kwargs |= r.some(0.3, noise_shape=((2, 1, 4), (None, 1, None)))
    rank = rank_of(name) if name.startswith("Spatial") else 1
    if rank > 1:
        kwargs |= r.some(data_format=FORMATS)
    return kwargs, r.normal(2, *[3] * rank, 4)


@drawn("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")
def merging(r, name):
    count = 2 if name == "Subtract" else r.of(1, 2, 3)
    shapes = r.of([(2, 3)], [(2, 4, 3)], [(2, 4, 3), (2, 1, 3)], [(2, 4, 3), (2, 3)])
    return {}, [r.normal(*shapes[i % len(shapes)]) for i in range(count)]


@drawn("Concatenate")
def concatenate(r, name):
    shapes = r.of([(2, 4, 3)], [(2, 4, 3), (2, 4, 2)], [(2, 4, 3), (2, 2, 3)])
    inputs = [r.normal(*shapes[i % len(shapes)]) for i in range(r.of(2, 3))]
    return r.some(0.7, axis=(-1, 1, 2, -2)), inputs


@drawn("Dot")
def dot(r, name):
    axes, shapes = r.of(
        (1, [(2, 3), (2, 3)]),
        (-1, [(2, 3), (2, 3)]),
        (1, [(2, 3, 4), (2, 3, 5)]),
        ((2, 1), [(2, 3, 4), (2, 4, 5)]),
        ((1, 2), [(2, 3, 4), (2, 5, 3)]),
        (2, [(2, 3, 4), (2, 5, 4)]),
        ((2, 1), [(2, 3, 4), (2, 4)]),
        (1, [(2, 3, 4), (2, 5, 4)]),
    )
    return {"axes": axes} | r.some(normalize=True), [r.normal(*shape) for shape in shapes]


@drawn("Attention", "AdditiveAttention")
def attention(r, name):
    kwargs = r.some(0.4, use_scale=(True, False), dropout=0.3)
    if name == "Attention":
        kwargs |= r.some(0.4, score_mode=("dot", "concat"))
    inputs = [r.normal(2, 3, 4), r.normal(2, 5, 4)]
    if r.random() < 0.5:
        inputs.append(r.normal(2, 5, 4))
    masks = []
    if r.random() < 0.5:
        masks = [np.ones((2, size), bool) for size in [3, 5, 5][: len(inputs)]]
        masks[0][1, 2] = masks[1][0, 3:] = False
    return kwargs, inputs, {"masks": masks, "call": r.some(0.3, use_causal_mask=True)}


@drawn("MultiHeadAttention", "GroupQueryAttention")
def heads(r, name):
    kwargs = r.some(0.3, use_bias=False, dropout=0.2) | r.rules("kernel", "bias")
    if name[0] == "M":
        kwargs |= {"num_heads": r.of(1, 2), "key_dim": r.of(2, 3)}
        # Keras 3.15 fails where values and keys differ in size.
        kwargs |= r.some(0.4, value_dim=kwargs["key_dim"], output_shape=5)
    else:
        kwargs |= {"head_dim": r.of(2, 3)}
        kwargs |= r.of(
            {"num_query_heads": 4, "num_key_value_heads": 2},
            {"num_query_heads": 2, "num_key_value_heads": 1},
            {"num_query_heads": 3, "num_key_value_heads": 2},
        )
    if r.random() < 0.3:
        kwargs["use_gate"] = True
    inputs = [r.normal(2, 3, 4), r.normal(2, 5, 4)]
    kwargs |= r.some(0.3, sliding_window=2)
    inputs = inputs if r.random() < 0.6 else [*inputs, r.normal(2, 5, 4)]
    return kwargs, inputs, {"call": r.some(0.3, use_causal_mask=True), "apart": True}


@drawn("MelSpectrogram")
def mel_spectrogram(r, name):
    kwargs = {"fft_length": 64, "sequence_stride": r.of(16, 20), "num_mel_bins": r.of(5, 10)}
    kwargs |= r.some(0.4, sequence_length=(40, 64, 80), window=("hamming", None, "blackman"))
    kwargs |= r.some(0.4, power_to_db=False, mag_exp=1.0, top_db=20.0, ref_power=2.0)
    kwargs |= r.some(0.4, sampling_rate=8000, min_freq=100.0, max_freq=3000.0)
    return kwargs, r.normal(*r.of((2, 150), (160,)))


@drawn("STFTSpectrogram")
def stft_spectrogram(r, name):
    modes = ("log", "magnitude", "psd", "real", "imag", "angle", "stft", "power")
    layout = r.of(*FORMATS)
    kwargs = {"frame_length": r.of(12, 16), "mode": r.of(*modes), "data_format": layout}
    kwargs |= r.some(0.4, frame_step=(4, 5, 20), fft_length=(16, 32, 8), padding="same")
    windows = ("hamming", "blackman", "nuttall", "flattop", "boxcar", "blackmanharris", None, "no")
    kwargs |= r.some(0.4, window=windows, periodic=True, scaling=("spectrum", None))
    kwargs |= r.some(0.3, expand_dims=True)
    return kwargs, r.normal(*((2, 60, 3) if layout == "channels_last" else (2, 3, 60)))


WORDS = ("a", "b", "cat", "dog", "é", "zz", "long word", "x" * 40)
UNKNOWN = ("u", "v", "what else", "ü")


def looked_up(r, pool, unknown, *more):
    """Arguments and inputs of a lookup."""
    kwargs = {"vocabulary": r.sample(pool, r.randint(1, 5)), "output_mode": r.of(*more)}
    kwargs |= r.some(0.4, num_oov_indices=(0, 2, 5), mask_token=(pool[0], unknown[0]))
    kwargs |= r.some(0.3, max_tokens=(1, 8, 12), pad_to_max_tokens=True, salt=(5, [1, 2], [3]))
    if kwargs["output_mode"] == "tf_idf":
        kwargs["idf_weights"] = [round(r.random(), 2) for _ in kwargs["vocabulary"]]
    shape = r.of((4,), (3, 4), (3, 1), (2, 3, 2))
    x = np.array(r.choices([*pool, *unknown], k=int(np.prod(shape)))).reshape(shape)
    return kwargs, x, {"host": True}


MODES = ("int", "int", "one_hot", "multi_hot", "count")


@drawn("StringLookup")
def string_lookup(r, name):
    return looked_up(r, WORDS, UNKNOWN, *MODES, "tf_idf", "no")


@drawn("IntegerLookup")
def integer_lookup(r, name):
    pool, unknown = (1, 2, 3, 10, -4, 2**40, 7, 0), (100, 101, -7, 2**35 + 1)
    kwargs, x, fields = looked_up(r, pool, unknown, *MODES, "tf_idf")
    return kwargs | r.some(0.5, oov_method="farmhash"), x, fields


@drawn("Hashing")
def hashing(r, name):
    kwargs = {"num_bins": r.randint(1, 9), "output_mode": r.of(*MODES, "no")}
    kwargs |= r.some(0.4, salt=(5, (133, 137), [2**62, -3]))
    shape = r.of((4,), (3, 4), (3, 1), (2, 3, 2))
    pool = r.of(WORDS, (0, 1, 3, -5, 7, 2**40, 12), (0.6, -1.5, 3.0))
    kwargs |= r.some(0.4, mask_value=pool[0])
    x = np.array(r.choices(pool, k=int(np.prod(shape)))).reshape(shape)
    return kwargs, x, {"host": True}


@drawn("HashedCrossing")
def hashed_crossing(r, name):
    shape = r.of((4,), (3, 1), (), (3, 2))
    pools = (WORDS, (0, 1, 3, -5, 7, 2**40), (-1, 5))
    inputs = [
        np.array(r.choices(r.of(*pools), k=int(np.prod(shape)))).reshape(shape)
        for _ in range(r.of(1, 2, 2, 3))
    ]
    return (
        {"num_bins": r.randint(1, 9), "output_mode": r.of("int", "one_hot")},
        inputs,
        {"host": True},
    )


@drawn("TextVectorization")
def text_vectorization(r, name):
    words = ["the", "cat", "dog", "a", "b", "x", "cat dog", "c", "t", "The"]
    kwargs = {"vocabulary": r.sample(words, 4), "output_mode": r.of("int", "multi_hot", "count")}
    standards = (None, "lower", "strip_punctuation", "lower_and_strip_punctuation", "no")
    kwargs |= r.some(0.4, standardize=standards, split=(None, "whitespace", "character"))
    kwargs |= r.some(0.4, ngrams=(2, 3, (2,), (1, 3), (1, 2)), output_sequence_length=(1, 3, 8))
    kwargs |= r.some(0.2, max_tokens=(3, 9), pad_to_max_tokens=True)
    texts = ("The Cat sat.", "a b  c!", "É x; dog", "", "cat\tdog\ncat", "Don't; stop (now) ^_^")
    shape = r.of((3,), (3, 1), (2, 2))
    x = np.array(r.choices(texts, k=int(np.prod(shape)))).reshape(shape)
    return kwargs, x, {"host": True}


@drawn("CategoryEncoding", "Discretization")
def categories(r, name):
    shape = r.of((4,), (3, 4), (3, 1), (2, 3, 2))
    if name[0] == "C":
        kwargs = {"num_tokens": r.of(5, 6, 0), "output_mode": r.of("one_hot", "multi_hot", "count")}
        return kwargs, r.whole(5, *shape), {"host": True}
    bins = r.of([0.0, 1.0, 2.5], [-1, 0, 3], [0.5])
    return {"bin_boundaries": bins, "output_mode": r.of(*MODES)}, r.normal(*shape), {"host": True}


@drawn("Normalization")
def normalization(r, name):
    shape = r.of((4, 2), (3, 4), (3, 4, 2), (2, 3, 4, 2))
    kwargs = {"axis": r.of(-1, None, 0, 1, (1,), (0, 1), (-1, 1), 5)} | r.some(invert=True)
    sizes = r.of((), (shape[-1],), (1,), shape[-2:])
    mean = r.normal(*sizes)
    kwargs |= {"mean": mean.tolist(), "variance": (np.abs(mean) + 0.1).tolist()}
    return kwargs, r.normal(*shape), {"host": True}
