"""Models as estimators of scikit-learn: for grid search, cross-validation and pipelines."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from funkeras import spellings
from funkeras.models import Sequential
from funkeras.utils.np_utils import to_categorical

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils import validation
    from sklearn.utils.multiclass import check_classification_targets
except ImportError as error:
    raise ImportError(
        "funkeras.wrappers.scikit_learn needs scikit-learn: pip install 'funkeras[sklearn]'"
    ) from error

check: Any = validation  # its own annotations are narrower than what it takes

__all__ = ["BaseWrapper", "KerasClassifier", "KerasRegressor"]

METHODS = ("fit", "predict", "predict_classes", "evaluate")
"""Methods of a model whose arguments an estimator may have."""

FITTED = ("n_features_in_", "n_classes_")
"""What the data tell, which `build_fn` may take as arguments."""


class BaseWrapper(BaseEstimator):
    """A model behind `fit`, `predict` and `score`; `KerasClassifier` and `KerasRegressor` derive.

    Args:
        build_fn: a function, or a callable object, that gives a compiled model; a subclass may
            have a `__call__` instead. It gets those of `sk_params` that it names, and, if it names
            them, `n_features_in_` and `n_classes_` of the data.
        sk_params: arguments of `build_fn`, and of the model's `fit`, `predict` and `evaluate` in
            any generation's spelling (`epochs`, `nb_epoch`, `batch_size`).
    """

    def __init__(self, build_fn: Any = None, **sk_params: Any) -> None:
        self.build_fn = build_fn
        self.sk_params = sk_params
        self.check_params(sk_params)

    def _builder(self) -> Callable[..., Any]:
        if self.build_fn is None:
            if not callable(self):
                raise TypeError(f"{type(self).__name__} needs build_fn, a function giving a model")
            return self
        return self.build_fn

    def check_params(self, params: Mapping[str, Any]) -> None:
        """Refuse names that neither `build_fn` nor the model's methods take.

        Raises:
            ValueError: for such a name.
        """
        for name in params:
            fits = any(_takes(getattr(Sequential, method), name) for method in METHODS)
            builds = (self.build_fn is not None or callable(self)) and _takes(self._builder(), name)
            if not (fits or builds or name == "build_fn"):
                raise ValueError(f"{name} is not a legal parameter of {type(self).__name__}")

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The arguments that make an equal estimator."""
        return {**self.sk_params, "build_fn": self.build_fn}

    def set_params(self, **params: Any) -> "BaseWrapper":
        """Replace arguments."""
        self.check_params(params)
        given = dict(params)
        self.build_fn = given.pop("build_fn", self.build_fn)
        self.sk_params = {**self.sk_params, **given}
        return self

    def filter_sk_params(
        self, fn: Callable[..., Any], override: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Those of the arguments that a function takes, and what overrides them."""
        own = {name: value for name, value in self.sk_params.items() if _takes(fn, name)}
        return {**own, **(override or {})}

    def _made(self) -> Any:
        """A new model of the present arguments."""
        build = self._builder()
        told = {name: getattr(self, name, None) for name in FITTED if _takes(build, name)}
        model = build(**self.filter_sk_params(build), **told)
        if not hasattr(model, "fit") or getattr(model, "_compiled", None) is None:
            raise TypeError(f"build_fn must give a compiled model, got {model!r}")
        return model

    def _features(self, x: Any, reset: bool = False) -> Any:
        """Checked inputs; lists or dicts of arrays, for several inputs, go on as they are."""
        several = isinstance(x, list | tuple) and x and all(np.ndim(part) > 1 for part in x)
        if isinstance(x, Mapping) and not (hasattr(x, "iloc") or hasattr(x, "toarray")):
            return x
        if several and not isinstance(x[0], list | tuple):
            return x
        return check.validate_data(self, x, reset=reset, allow_nd=True, dtype="numeric")

    def _fit(self, x: Any, y: Any, given: Mapping[str, Any]) -> Any:
        self.model = self._made()
        loss = getattr(self.model.loss, "__name__", self.model.loss)
        if loss == "categorical_crossentropy" and y.ndim != 2:
            y = to_categorical(y, getattr(self, "n_classes_", None))
        arguments = {"verbose": 0, **self.filter_sk_params(Sequential.fit), **given}
        self.history_ = self.model.fit(x, y, **arguments)
        return self

    def _outputs(self, x: Any, given: Mapping[str, Any]) -> np.ndarray:
        check.check_is_fitted(self, "model")
        arguments = self.filter_sk_params(Sequential.predict, given)
        return self.model.predict(self._features(x), **arguments)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True  # weights start from NumPy's global generator
        tags.target_tags.required = True
        return tags


class KerasClassifier(ClassifierMixin, BaseWrapper):
    """A classifier whose model gives a probability for each class, or one of the second class.

    Targets are labels of any kind, or rows with a column for each class.
    """

    def fit(self, x: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> Any:
        """Make a new model and train it; `kwargs` go to the model's `fit`."""
        x = self._features(x, reset=True)
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None"
            )
        y = check.check_array(y, ensure_2d=False, dtype=None)
        _same_length(x, y)
        if y.ndim == 2 and y.shape[1] > 1:
            self.classes_ = np.arange(y.shape[1])
        else:
            y = y.reshape(-1)
            check_classification_targets(y)
            self.classes_, y = np.unique(y, return_inverse=True)
        self.n_classes_ = len(self.classes_)
        if self.n_classes_ < 2:
            raise ValueError("a classifier needs at least two classes, the data have one class")
        if sample_weight is not None:
            kwargs["sample_weight"] = sample_weight
        return self._fit(x, y, kwargs)

    def predict_proba(self, x: Any, **kwargs: Any) -> np.ndarray:
        """Probabilities, with a column for each class."""
        proba = self._outputs(x, kwargs)
        return np.hstack([1 - proba, proba]) if proba.shape[1] == 1 else proba

    def predict(self, x: Any, **kwargs: Any) -> np.ndarray:
        """The most probable class of each sample."""
        proba = self.predict_proba(x, **kwargs)
        return self.classes_[np.argmax(proba, axis=-1)]

    def score(  # pyright: ignore[reportIncompatibleMethodOverride]: takes more, as Keras does
        self, x: Any, y: Any, sample_weight: Any = None, **kwargs: Any
    ) -> float:
        """Share of samples, weighted, whose predicted class is the given one."""
        y = np.asarray(y)
        labels = self.classes_[y.argmax(1)] if y.ndim == 2 and y.shape[1] > 1 else y.reshape(-1)
        return float(np.average(self.predict(x, **kwargs) == labels, weights=sample_weight))


class KerasRegressor(RegressorMixin, BaseWrapper):
    """A model that predicts numbers. Its score is the negative loss, as Keras has it."""

    def fit(self, x: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> Any:
        """Make a new model and train it; `kwargs` go to the model's `fit`."""
        x = self._features(x, reset=True)
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None"
            )
        y = check.check_array(y, ensure_2d=False, dtype="numeric")
        _same_length(x, y)
        if sample_weight is not None:
            kwargs["sample_weight"] = sample_weight
        return self._fit(x, y, kwargs)

    def predict(self, x: Any, **kwargs: Any) -> np.ndarray:
        """The numbers; one for each sample where the model has one output."""
        y = self._outputs(x, kwargs)
        return y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y

    def score(  # pyright: ignore[reportIncompatibleMethodOverride]: takes more, as Keras does
        self, x: Any, y: Any, sample_weight: Any = None, **kwargs: Any
    ) -> float:
        """The negative loss: more is better."""
        check.check_is_fitted(self, "model")
        arguments = self.filter_sk_params(Sequential.evaluate, kwargs)
        loss = self.model.evaluate(
            self._features(x), np.asarray(y), sample_weight=sample_weight, **arguments
        )
        return -float(loss[0] if isinstance(loss, list) else loss)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True  # no share of the variance
        return tags


def _takes(fn: Callable[..., Any], name: str) -> bool:
    """Whether a function takes that argument, a model's method also under an older name."""
    parameters = inspect.signature(fn).parameters
    if fn in (getattr(Sequential, method) for method in METHODS):
        return name in parameters or any(
            new in parameters for new in spellings.RENAMED.get(name, ())
        )
    return name in parameters


def _same_length(x: Any, y: np.ndarray) -> None:
    if hasattr(x, "shape") and len(x) != len(y):
        raise ValueError(f"x and y must have as many samples: {len(x)} and {len(y)}")
