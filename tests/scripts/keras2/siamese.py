"""Two views through shared layers, and a contrastive loss on their distance."""

import numpy as np
from keras import backend as K
from keras.layers import Dense, Dropout, Flatten, Input, Lambda
from keras.models import Model
from keras.optimizers import RMSprop

np.random.seed(12)


def euclidean_distance(vectors):
    x, y = vectors
    sum_square = K.sum(K.square(x - y), axis=1, keepdims=True)
    return K.sqrt(K.maximum(sum_square, K.epsilon()))


def eucl_dist_output_shape(shapes):
    shape1, shape2 = shapes
    return (shape1[0], 1)


def contrastive_loss(y_true, y_pred):
    margin = 1
    square_pred = K.square(y_pred)
    margin_square = K.square(K.maximum(margin - y_pred, 0))
    return K.mean(y_true * square_pred + (1 - y_true) * margin_square)


def accuracy(y_true, y_pred):
    return K.mean(K.equal(y_true, K.cast(y_pred < 0.5, y_true.dtype)))


labels = np.random.randint(3, size=(80, 2))
centres = np.random.normal(size=(3, 4, 5))
pairs = centres[labels] + 0.3 * np.random.normal(size=(80, 2, 4, 5))
same = (labels[:, 0] == labels[:, 1]).astype("float32")

input_shape = pairs.shape[2:]
entry = Input(shape=input_shape)
x = Flatten()(entry)
x = Dense(16, activation="relu")(x)
x = Dropout(0.1)(x)
x = Dense(8, activation="relu")(x)
base_network = Model(entry, x)

input_a, input_b = Input(shape=input_shape), Input(shape=input_shape)
processed_a, processed_b = base_network(input_a), base_network(input_b)
distance = Lambda(euclidean_distance, output_shape=eucl_dist_output_shape)(
    [processed_a, processed_b]
)
model = Model([input_a, input_b], distance)
assert model.count_params() == base_network.count_params()
model.compile(loss=contrastive_loss, optimizer=RMSprop(lr=0.003), metrics=[accuracy])
history = model.fit(
    [pairs[:, 0], pairs[:, 1]],
    same,
    batch_size=16,
    epochs=20,
    verbose=0,
    validation_data=([pairs[:, 0], pairs[:, 1]], same),
)
assert history.history["loss"][-1] < 0.6 * history.history["loss"][0], history.history
assert history.history["val_accuracy"][-1] > 0.8, history.history
swapped = model.predict([pairs[:, 1], pairs[:, 0]])
np.testing.assert_allclose(swapped, model.predict([pairs[:, 0], pairs[:, 1]]), rtol=1e-5)
