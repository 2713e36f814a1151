"""An image that excites one filter most, by gradient ascent with K.gradients and K.function."""

import numpy as np
from keras import backend as K
from keras.layers import Activation, Convolution2D, MaxPooling2D, ZeroPadding2D
from keras.models import Sequential

np.random.seed(1)

model = Sequential()
model.add(ZeroPadding2D((1, 1), input_shape=(16, 16, 3)))
model.add(Convolution2D(4, 3, 3, activation="relu", name="conv1"))
model.add(MaxPooling2D((2, 2), strides=(2, 2)))
model.add(Convolution2D(6, 3, 3, name="conv2", border_mode="same"))
model.add(Activation("relu"))

layers = dict((layer.name, layer) for layer in model.layers)
image = model.input
output = layers["conv2"].output
assert K.int_shape(output) == (None, 8, 8, 6)


def normalize(x):
    return x / (K.sqrt(K.mean(K.square(x))) + 1e-5)


for index in (0, 5):
    loss = K.mean(output[:, :, :, index])
    grads = normalize(K.gradients(loss, image)[0])
    iterate = K.function([image, K.learning_phase()], [loss, grads])
    data = np.random.random((1, 16, 16, 3)) * 20 + 128.0
    values = []
    for _step in range(15):
        value, slope = iterate([data, 0])
        values.append(float(value))
        data += slope
    assert slope.shape == data.shape
    assert all(a < b for a, b in zip(values, values[1:])), values

# The slope is that of finite differences.
plain = K.function([image], [loss, K.gradients(loss, [image])[0]])
moved = data.copy()
moved[0, 5, 5, 1] += 1.0
(low, slope), (high, _) = plain([data]), plain([moved])
np.testing.assert_allclose(high - low, slope[0, 5, 5, 1], rtol=0.02, atol=2e-4)
