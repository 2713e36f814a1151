"""A table of numbers and words: who falls ill, told from raw columns by a FeatureSpace.

Made-up patients, of whom age, pressure and the kind of pain decide. One model is trained on columns
that are encoded beforehand; another, with the same weights, takes the raw columns of a patient.
"""

import keras
import numpy as np
from keras.utils import FeatureSpace

keras.utils.set_random_seed(3)
rng = np.random.default_rng(3)
count = 600
age = rng.integers(29, 78, count)
pressure = rng.normal(130, 18, count).round()
pain = rng.integers(0, 4, count)
defect = rng.choice(["fixed", "normal", "reversible"], count, p=[0.1, 0.6, 0.3])
clinic = rng.integers(1000, 1020, count)
slope = rng.uniform(0, 4, count).round(1)
risk = (age - 53) / 12 + (pressure - 130) / 25 + np.where(pain == 3, 2.5, -1.0)
risk = risk + np.where(defect == "reversible", 1.5, -0.5) * (pain > 1)
target = (risk + rng.normal(0, 0.5, count) > 0).astype("int32")
table = {
    "age": age,
    "pressure": pressure,
    "pain": pain,
    "defect": defect,
    "clinic": clinic,
    "slope": slope,
}
train = {name: values[:500] for name, values in table.items()}
test = {name: values[500:] for name, values in table.items()}

feature_space = FeatureSpace(
    features={
        "pain": FeatureSpace.integer_categorical(num_oov_indices=0),
        "defect": "string_categorical",
        "clinic": FeatureSpace.integer_hashed(num_bins=8),
        "age": FeatureSpace.float_discretized(num_bins=10),
        "pressure": FeatureSpace.float_normalized(),
        "slope": "float_rescaled",
    },
    crosses=[
        FeatureSpace.cross(feature_names=("pain", "age"), crossing_dim=32),
        FeatureSpace.cross(feature_names=("defect", "pain"), crossing_dim=16),
    ],
    output_mode="concat",
)
feature_space.adapt(train)
encoded = feature_space(train)
width = 4 + 4 + 8 + 10 + 1 + 1 + 32 + 16
assert encoded.shape == (500, width), encoded.shape
assert feature_space.preprocessors["defect"].get_vocabulary()[:2] == ["[UNK]", "normal"]
assert feature_space.crossers["pain_X_age"].num_bins == 32
ages = np.asarray(feature_space(test))[:, :10]
assert np.array_equal(ages.sum(1), np.ones(100)), ages

inputs = feature_space.get_inputs()
features = feature_space.get_encoded_features()
x = keras.layers.Dense(32, activation="relu")(features)
x = keras.layers.Dropout(0.3)(x)
output = keras.layers.Dense(1, activation="sigmoid")(x)
training_model = keras.Model(inputs=features, outputs=output)
training_model.compile(
    optimizer=keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"]
)
inference_model = keras.Model(inputs=inputs, outputs=output)
history = training_model.fit(
    encoded, target[:500], epochs=15, verbose=0, validation_data=(feature_space(test), target[500:])
)
assert history.history["loss"][-1] < history.history["loss"][0] / 2, history.history["loss"]
assert history.history["val_accuracy"][-1] > 0.85, history.history["val_accuracy"]

patient = {
    "age": 71,
    "pressure": 168.0,
    "pain": 3,
    "defect": "reversible",
    "clinic": 1003,
    "slope": 2.3,
}
raw = {name: keras.ops.expand_dims(v, 0) for name, v in patient.items() if name != "defect"}
raw["defect"] = np.array([patient["defect"]])
ill = inference_model.predict(raw, verbose=0)
assert ill.shape == (1, 1)
assert ill[0, 0] > 0.9, ill
alone = keras.ops.expand_dims(feature_space(patient), 0)
assert np.allclose(training_model.predict(alone, verbose=0), ill, atol=1e-5)
whole = inference_model.predict(test, verbose=0)
assert np.allclose(whole, training_model.predict(feature_space(test), verbose=0), atol=1e-5)

feature_space.save("features.keras")
again = keras.saving.load_model("features.keras")
assert np.array_equal(again(test), feature_space(test))
inference_model.save("whole.keras")
read = keras.models.load_model("whole.keras")
assert np.allclose(read.predict(test, verbose=0), whole, atol=1e-6)
