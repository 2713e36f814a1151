"""scikit-learn's grid search over a network, and the network within a pipeline."""

import numpy as np
from keras.layers import Dense
from keras.models import Sequential
from keras.wrappers.scikit_learn import KerasClassifier, KerasRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

np.random.seed(0)
x = np.random.normal(size=(90, 4))
labels = (x[:, 0] + x[:, 1] > 0).astype(int)


def build(width=4, activation="relu"):
    model = Sequential()
    model.add(Dense(width, activation=activation, input_dim=4))
    model.add(Dense(2, activation="softmax"))
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


search = GridSearchCV(
    KerasClassifier(build_fn=build, epochs=1, batch_size=16, verbose=0),
    {"width": [2, 16], "epochs": [1, 60]},
    cv=2,
)
search.fit(x, labels)
assert search.best_params_["epochs"] == 60, search.best_params_
assert search.best_score_ > 0.8, search.best_score_
assert search.best_estimator_.predict_proba(x).shape == (90, 2)


def regression():
    model = Sequential([Dense(1, input_dim=4)])
    model.compile(loss="mse", optimizer="sgd")
    return model


line = make_pipeline(
    StandardScaler(), KerasRegressor(build_fn=regression, epochs=40, batch_size=10, verbose=0)
)
line.fit(x, x @ np.arange(4.0))
predicted = line.predict(x)
assert predicted.shape == (90,)
assert np.corrcoef(predicted, x @ np.arange(4.0))[0, 1] > 0.99
