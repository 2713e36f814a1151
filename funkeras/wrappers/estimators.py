"""Models as estimators of scikit-learn, as Keras 3 has them: a model, or a function of the data."""

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np

from funkeras.models import Model, clone_model
from funkeras.models.cloning import compile_as
from funkeras.wrappers.scikit_learn import check

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin
    from sklearn.utils.multiclass import type_of_target
except ImportError as error:
    raise ImportError(
        "funkeras.wrappers needs scikit-learn: pip install 'funkeras[sklearn]'"
    ) from error

__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"]


class _Estimator(BaseEstimator):
    """A model behind `fit` and `predict`.

    Args:
        model: a compiled model, of which each `fit` trains a newly initialized clone; or a
            function `model(X=..., y=..., **model_kwargs)` that gives a compiled one.
        warm_start: train on from where the last `fit` ended; a model that is given is trained
            itself then.
        model_kwargs: further arguments of the function.
        fit_kwargs: arguments of the model's `fit`, such as `epochs`.

    Attributes:
        model_: the trained model; history_: what its `fit` gave.
    """

    def __init__(
        self,
        model: Any,
        warm_start: bool = False,
        model_kwargs: Mapping[str, Any] | None = None,
        fit_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        self.model = model
        self.warm_start = warm_start
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True  # weights start from NumPy's global generator
        tags.target_tags.multi_output = True
        return tags

    def __sklearn_clone__(self) -> Any:
        given = dict(self.get_params(deep=False))
        if isinstance(self.model, Model):
            given["model"] = copy.deepcopy(self.model)
        return type(self)(**given)

    @property
    def epoch_(self) -> int:
        """How many epochs the last `fit` ran."""
        return len(self.history_.epoch) if hasattr(self, "history_") else 0

    def _made(self, x: np.ndarray, y: np.ndarray) -> Any:
        if self.warm_start and hasattr(self, "model_"):
            return self.model_
        if not isinstance(self.model, Model):
            model = self.model(X=x, y=y, **(self.model_kwargs or {}))
        elif self.warm_start or self.model._compiled is None:
            model = self.model
        else:
            model = clone_model(self.model)
            if model._compiled is None:
                compile_as(model, self.model)
        if getattr(model, "_compiled", None) is None or not model.loss:
            raise RuntimeError("the model must be compiled, with an optimizer and a loss")
        return model

    def fit(self, X: Any, y: Any, **kwargs: Any) -> Any:  # noqa: N803  scikit-learn's name
        """Train a model on samples and targets; `kwargs` go to its `fit`."""
        several = self.__sklearn_tags__().target_tags.multi_output
        x, y = check.validate_data(self, X, y, multi_output=several)
        y = self._learned(y)
        model = self._made(x, y)
        self.history_ = model.fit(x, y, **{**(self.fit_kwargs or {}), **kwargs})
        self.model_ = model
        return self

    def _outputs(self, x: Any) -> np.ndarray:
        check.check_is_fitted(self, "model_")
        return self.model_.predict(check.validate_data(self, x, reset=False))

    def _learned(self, y: np.ndarray) -> np.ndarray:
        """Targets in a form that a model learns: a column for each number."""
        type_of_target(y, raise_unknown=True)  # refuses what is none
        self._flat = y.ndim == 1
        return y.reshape(-1, 1) if self._flat else y

    def predict(self, X: Any) -> np.ndarray:  # noqa: N803
        """What the model says of each sample, in the form of the targets."""
        y = self._outputs(X)
        return y[:, 0] if self._flat and y.ndim == 2 and y.shape[1] == 1 else y


class SKLearnClassifier(ClassifierMixin, _Estimator):
    """A classifier: the model learns a column for each class, and gives one for each."""

    __doc__ = f"{__doc__}\n{_Estimator.__doc__}"

    def _learned(self, y: np.ndarray) -> np.ndarray:
        kind = type_of_target(y, raise_unknown=True)
        if kind not in ("binary", "multiclass"):
            raise ValueError(f"Unknown label type: classes are binary or multiclass, not {kind}")
        self.classes_, numbers = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("a classifier needs at least two classes, the data have one class")
        return np.eye(len(self.classes_))[numbers]

    def decision_function(self, X: Any) -> np.ndarray:  # noqa: N803
        """What the model gives of each sample: a column for each class."""
        return self._outputs(X)

    def predict(self, X: Any) -> np.ndarray:  # noqa: N803
        """The class of each sample with the greatest output."""
        numbers = np.argmax(self._outputs(X), axis=1)
        return self.classes_[numbers]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        tags.target_tags.multi_output = False
        return tags


class SKLearnRegressor(RegressorMixin, _Estimator):
    """A model that predicts numbers."""

    __doc__ = f"{__doc__}\n{_Estimator.__doc__}"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags


class SKLearnTransformer(TransformerMixin, _Estimator):
    """A model whose outputs are features, as a step of a pipeline."""

    __doc__ = f"{__doc__}\n{_Estimator.__doc__}"

    def transform(self, X: Any) -> np.ndarray:  # noqa: N803
        """The model's outputs."""
        return self._outputs(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags
