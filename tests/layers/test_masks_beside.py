"""Which layers pass a mask on, and which have none after them: as in Keras 3.15."""

import pytest

from funkeras import config
from funkeras import layers as L
from funkeras.layers.nodes import mask_of

PASSED = {
    "Activation": ("relu",),
    "ActivityRegularization": (),
    "AlphaDropout": (0.5,),
    "BatchNormalization": (),
    "Dense": (2,),
    "Dropout": (0.5,),
    "ELU": (),
    "GaussianDropout": (0.5,),
    "GaussianNoise": (0.5,),
    "GroupNormalization": (1,),
    "Identity": (),
    "LayerNormalization": (),
    "LeakyReLU": (),
    "Normalization": (-1, 0.0, 1.0),
    "PReLU": (),
    "ReLU": (),
    "Rescaling": (1.0,),
    "SpatialDropout1D": (0.5,),
    "UnitNormalization": (),
}
DROPPED = {
    "AdaptiveAveragePooling1D": (2,),
    "CategoryEncoding": (3,),
    "Conv1D": (2, 2),
    "Conv1DTranspose": (2, 2),
    "Cropping1D": (1,),
    "DepthwiseConv1D": (2,),
    "Discretization": ([0.0],),
    "EinsumDense": ("abc,cd->abd", [None, 2]),
    "Flatten": (),
    "GlobalAveragePooling1D": (),
    "GlobalMaxPooling1D": (),
    "MaxPooling1D": (),
    "Permute": ((2, 1),),
    "RMSNormalization": (),
    "Reshape": ((12,),),
    "SeparableConv1D": (2, 2),
    "SimpleRNN": (2,),
    "UpSampling1D": (2,),
    "ZeroPadding1D": (1,),
}
OF_IMAGES = {
    "AutoContrast": (),
    "CenterCrop": (2, 2),
    "Conv2D": (2, 2),
    "MaxPooling2D": (),
    "RandomBrightness": (0.5,),
    "RandomCrop": (2, 2),
    "RandomFlip": (),
    "RandomRotation": (0.5,),
    "Resizing": (2, 2),
    "UpSampling2D": (2,),
    "ZeroPadding2D": (1,),
}


@pytest.fixture(autouse=True)
def keras_3():
    config.set_dialect("modern")


@pytest.mark.parametrize("name", [*PASSED, *DROPPED, *OF_IMAGES])
def test_a_mask_goes_on_or_ends(name):
    arguments = (PASSED | DROPPED | OF_IMAGES)[name]
    x = L.Masking()(L.Input((4, 4, 3) if name in OF_IMAGES else (4, 3)))
    y = getattr(L, name)(*arguments)(x)
    assert (mask_of(y) is not None) == (name in PASSED)
