"""The mathematics: every layer as a pure pair, and the combinators that make nets of them."""

from funkeras.functional import adapted as _adapted
from funkeras.functional import adaptive as _adaptive
from funkeras.functional import attention as _attention
from funkeras.functional import cells as _cells
from funkeras.functional import combinators as _combinators
from funkeras.functional import conv_recurrent as _conv_recurrent
from funkeras.functional import convolution as _convolution
from funkeras.functional import core as _core
from funkeras.functional import einsum as _einsum
from funkeras.functional import embedding as _embedding
from funkeras.functional import foreign as _foreign
from funkeras.functional import graphs as _graphs
from funkeras.functional import local as _local
from funkeras.functional import low_rank as _low_rank
from funkeras.functional import merging as _merging
from funkeras.functional import noise as _noise
from funkeras.functional import nonlinear as _nonlinear
from funkeras.functional import normalization as _normalization
from funkeras.functional import pair as _pair
from funkeras.functional import plain as _plain
from funkeras.functional import pooling as _pooling
from funkeras.functional import preprocessing_categories as _preprocessing_categories
from funkeras.functional import preprocessing_changes as _preprocessing_changes
from funkeras.functional import preprocessing_colors as _preprocessing_colors
from funkeras.functional import preprocessing_hashing as _preprocessing_hashing
from funkeras.functional import preprocessing_images as _preprocessing_images
from funkeras.functional import preprocessing_lookup as _preprocessing_lookup
from funkeras.functional import preprocessing_mixing as _preprocessing_mixing
from funkeras.functional import preprocessing_random as _preprocessing_random
from funkeras.functional import preprocessing_strings as _preprocessing_strings
from funkeras.functional import preprocessing_warping as _preprocessing_warping
from funkeras.functional import quantization as _quantization
from funkeras.functional import recurrent as _recurrent
from funkeras.functional import resizing as _resizing
from funkeras.functional import separable as _separable
from funkeras.functional import spectrograms as _spectrograms
from funkeras.functional import transposed as _transposed
from funkeras.functional import wrappers as _wrappers
from funkeras.functional.adapted import *
from funkeras.functional.adaptive import *
from funkeras.functional.attention import *
from funkeras.functional.cells import *
from funkeras.functional.combinators import *
from funkeras.functional.conv_recurrent import *
from funkeras.functional.convolution import *
from funkeras.functional.core import *
from funkeras.functional.einsum import *
from funkeras.functional.embedding import *
from funkeras.functional.foreign import *
from funkeras.functional.graphs import *
from funkeras.functional.local import *
from funkeras.functional.low_rank import *
from funkeras.functional.merging import *
from funkeras.functional.noise import *
from funkeras.functional.nonlinear import *
from funkeras.functional.normalization import *
from funkeras.functional.pair import *
from funkeras.functional.plain import *
from funkeras.functional.pooling import *
from funkeras.functional.preprocessing_categories import *
from funkeras.functional.preprocessing_changes import *
from funkeras.functional.preprocessing_colors import *
from funkeras.functional.preprocessing_hashing import *
from funkeras.functional.preprocessing_images import *
from funkeras.functional.preprocessing_lookup import *
from funkeras.functional.preprocessing_mixing import *
from funkeras.functional.preprocessing_random import *
from funkeras.functional.preprocessing_strings import *
from funkeras.functional.preprocessing_warping import *
from funkeras.functional.quantization import *
from funkeras.functional.recurrent import *
from funkeras.functional.resizing import *
from funkeras.functional.separable import *
from funkeras.functional.spectrograms import *
from funkeras.functional.transposed import *
from funkeras.functional.wrappers import *

__all__ = [
    name
    for family in (
        _pair,
        _plain,
        _combinators,
        _low_rank,
        _quantization,
        _core,
        _einsum,
        _convolution,
        _transposed,
        _separable,
        _local,
        _resizing,
        _pooling,
        _adaptive,
        _normalization,
        _adapted,
        _preprocessing_changes,
        _preprocessing_images,
        _preprocessing_random,
        _preprocessing_colors,
        _preprocessing_mixing,
        _preprocessing_warping,
        _preprocessing_categories,
        _preprocessing_hashing,
        _preprocessing_lookup,
        _preprocessing_strings,
        _spectrograms,
        _noise,
        _cells,
        _recurrent,
        _conv_recurrent,
        _wrappers,
        _nonlinear,
        _embedding,
        _foreign,
        _graphs,
        _merging,
        _attention,
    )
    for name in sorted(family.__all__)
]
