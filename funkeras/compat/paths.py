"""Every module path of Keras 1, 2 and 3, and what is found there, as tables."""

from functools import cache

__all__ = ["GONE", "MODULES", "OF_VERSION", "ROOTS", "sources"]

ROOTS = ("keras", "tensorflow.keras", "tensorflow.python.keras")
"""Where scripts look for Keras; the last two only where TensorFlow is not installed."""

LAYERS = ("layers", "")
ENGINE = (
    *("layers", "models", "compat.engine", "compat.training_utils", "compat.enqueuers"),
    *("utils.h5dict", "utils.io_utils", "utils.generic_utils", "compat.bytecode", ""),
)

MODULES: dict[str, tuple[str, ...]] = {
    "": ("", "compat.of_root", "compat.scopes"),
    "activations": ("activations",),
    "applications": ("applications",),
    **{
        f"applications.{name}": (f"applications.{name}",)
        for name in (
            *("convnext", "densenet", "efficientnet", "efficientnet_v2", "imagenet_utils"),
            *("inception_resnet_v2", "inception_v3", "mobilenet", "mobilenet_v2", "mobilenet_v3"),
            *("mobilenetv2", "nasnet", "resnet", "resnet50", "resnet_v2", "vgg16", "vgg19"),
            "xception",
        )
    },
    "backend": ("backend",),
    "backend.common": ("backend",),
    "backend.tensorflow_backend": ("compat.tensorflow_backend", "backend"),
    "backend.theano_backend": ("compat.theano", "backend"),
    "callbacks": ("callbacks",),
    "config": ("config",),
    "constraints": ("constraints",),
    "datasets": ("datasets",),
    **{
        f"datasets.{name}": (f"datasets.{name}",)
        for name in (
            *("boston_housing", "california_housing", "cifar", "cifar10", "cifar100"),
            *("fashion_mnist", "imdb", "mnist", "reuters"),
        )
    },
    "distribution": ("distribution",),
    "dtype_policies": ("dtype_policies",),
    "engine": ENGINE,
    **{
        f"engine.{name}": ENGINE
        for name in (
            *("base_layer", "input_layer", "network", "saving", "sequential", "topology"),
            *("training", "training_arrays", "training_generator", "training_utils"),
        )
    },
    "initializations": ("initializers",),
    "initializers": ("initializers", "compat.engine"),
    "layers": (*LAYERS, "registry"),
    **{
        f"layers.{name}": LAYERS
        for name in (
            *("advanced_activations", "convolutional", "convolutional_recurrent", "core"),
            *("cudnn_recurrent", "embeddings", "local", "noise", "normalization", "pooling"),
            *("preprocessing", "recurrent", "wrappers"),
        )
    },
    "layers.merge": ("layers.merge", *LAYERS),
    "legacy": (),
    "legacy.interfaces": ("compat.interfaces", "spellings"),
    "legacy.layers": LAYERS,
    "legacy.models": ("models",),
    "losses": ("losses",),
    "metrics": ("metrics",),
    "mixed_precision": ("compat.mixed_precision",),
    "models": ("models", "layers", "compat.engine", "compat.of_models"),
    "objectives": ("losses", "registry"),
    "ops": ("ops",),
    **{f"ops.{name}": ("ops",) for name in ("linalg", "nn", "numpy")},
    "ops.image": ("ops.image",),
    "optimizers": ("optimizers",),
    "optimizers.legacy": ("optimizers.legacy",),
    "optimizers.schedules": ("optimizers.schedules",),
    "preprocessing": ("preprocessing",),
    "preprocessing.image": ("preprocessing.image",),
    "preprocessing.sequence": ("preprocessing.sequence",),
    "preprocessing.text": ("preprocessing.text",),
    "quantizers": ("quantizers",),
    "random": ("random",),
    "regularizers": ("regularizers",),
    "saving": ("models.serializing", "models", "registry"),
    "tree": ("tree",),
    "utils": (
        *("utils", "registry", "progress", "utils.sequences", "utils.io_utils"),
        *("utils.layer_utils", "compat.engine", "compat.enqueuers", "compat.devices"),
        "compat.of_utils",
    ),
    "utils.bounding_boxes": ("utils.bounding_boxes",),
    "utils.conv_utils": ("utils.np_utils",),
    "utils.data_utils": ("utils.data_utils", "utils.sequences", "compat.enqueuers"),
    "utils.generic_utils": (
        *("utils.generic_utils", "registry", "progress", "compat.engine", "compat.bytecode"),
    ),
    "utils.io_utils": ("utils.io_utils", "utils.h5dict"),
    "utils.layer_utils": ("utils.layer_utils", "compat.engine"),
    "utils.multi_gpu_utils": ("compat.devices",),
    "utils.legacy": ("registry",),
    "utils.np_utils": ("utils.np_utils",),
    "utils.test_utils": ("compat.testing",),
    "utils.vis_utils": ("utils.vis_utils",),
    "utils.visualize_util": ("utils.visualize_util",),
    "wrappers": ("wrappers",),
    "wrappers.scikit_learn": ("wrappers.scikit_learn",),
}
"""Path within Keras → modules of this package in which its names are looked up, in this order."""

OF_VERSION: dict[str, dict[str, tuple[str, ...]]] = {
    "1.2.2": {"metrics": ("compat.batch_metrics",)},
    "3": {"utils": ("models.serializing",)},
}
"""Version that was asked for → path → modules whose names come before those above."""

SESSION = "there is no session: everything runs on JAX as it is; leave the line out"

GONE: dict[str, str] = {
    "backend.get_session": SESSION,
    "backend.set_session": SESSION,
    "models.Graph": "Keras 0's graphs are made by Model(inputs, outputs)",
    "optimizers.TFOptimizer": "compile(optimizer=...) takes any optax.GradientTransformation",
}
"""Name within Keras → why it is not here, and what to use instead."""


@cache
def sources(path: str, version: str | None = None) -> tuple[str, ...]:
    """Full names of the modules that a path within Keras stands for.

    >>> sources("objectives")
    ('funkeras.losses', 'funkeras.registry')
    >>> sources("metrics", "1.2.2")
    ('funkeras.compat.batch_metrics', 'funkeras.metrics')
    """
    own = OF_VERSION.get(version or "", {}).get(path, ())
    return tuple(f"funkeras.{name}" if name else "funkeras" for name in (*own, *MODULES[path]))
