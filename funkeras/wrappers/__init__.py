"""Models in the interface of other libraries.

`SKLearnClassifier`, `SKLearnRegressor` and `SKLearnTransformer` are found here, as in Keras 3;
`scikit_learn` has the estimators of Keras 1 and 2. Both need scikit-learn.
"""

from importlib import import_module
from typing import Any

ESTIMATORS = ("SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer")


def __getattr__(name: str) -> Any:
    """An estimator, from the module that imports scikit-learn."""
    if name in ESTIMATORS:
        return getattr(import_module("funkeras.wrappers.estimators"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *ESTIMATORS]
