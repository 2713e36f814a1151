"""An image gets the style of one and the content of another, by L-BFGS on gradients of a graph."""

import numpy as np
from keras import backend as K
from keras.layers import AveragePooling2D, Conv2D, Input
from keras.models import Model

np.random.seed(41)
ROWS = COLS = 8
base_image = K.variable(np.random.random((1, ROWS, COLS, 3)))
style_image = K.variable(np.random.random((1, ROWS, COLS, 3)) ** 3)
combination_image = K.placeholder((1, ROWS, COLS, 3))
input_tensor = K.concatenate([base_image, style_image, combination_image], axis=0)

entry = Input(tensor=input_tensor, shape=(ROWS, COLS, 3))
x = Conv2D(6, (3, 3), activation="relu", padding="same", name="block1_conv1")(entry)
x = AveragePooling2D((2, 2), name="pool1")(x)
x = Conv2D(8, (3, 3), activation="relu", padding="same", name="block2_conv1")(x)
model = Model(entry, x)
outputs_dict = dict([(layer.name, layer.output) for layer in model.layers])


def gram_matrix(x):
    assert K.ndim(x) == 3
    features = K.batch_flatten(K.permute_dimensions(x, (2, 0, 1)))
    return K.dot(features, K.transpose(features))


def style_loss(style, combination):
    difference = gram_matrix(style) - gram_matrix(combination)
    return K.sum(K.square(difference)) / (4.0 * 9 * (ROWS * COLS) ** 2)


def total_variation_loss(x):
    a = K.square(x[:, : ROWS - 1, : COLS - 1, :] - x[:, 1:, : COLS - 1, :])
    b = K.square(x[:, : ROWS - 1, : COLS - 1, :] - x[:, : ROWS - 1, 1:, :])
    return K.sum(K.pow(a + b, 1.25))


loss = K.variable(0.0)
features = outputs_dict["block2_conv1"]
loss = loss + 0.05 * K.sum(K.square(features[2, :, :, :] - features[0, :, :, :]))
for name in ("block1_conv1", "block2_conv1"):
    features = outputs_dict[name]
    loss = loss + 50.0 * style_loss(features[1, :, :, :], features[2, :, :, :])
loss = loss + 0.001 * total_variation_loss(combination_image)
grads = K.gradients(loss, combination_image)
outputs = [loss] + (list(grads) if isinstance(grads, (list, tuple)) else [grads])
f_outputs = K.function([combination_image], outputs)


def evaluate(x):
    value, slope = f_outputs([x.reshape((1, ROWS, COLS, 3))])
    return float(value), np.asarray(slope).flatten().astype("float64")


x = np.random.random(ROWS * COLS * 3)
value, slope = evaluate(x)
direction = slope / np.linalg.norm(slope)
ahead, behind = evaluate(x + 0.1 * direction)[0], evaluate(x - 0.1 * direction)[0]
np.testing.assert_allclose((ahead - behind) / 0.2, slope @ direction, rtol=0.02)
first, rate = value, 0.1
for _step in range(40):
    trial = x - rate * slope
    lower, slope_there = evaluate(trial)
    if lower < value:
        x, value, slope, rate = trial, lower, slope_there, rate * 1.5
    else:
        rate /= 3
assert value < 0.5 * first, (first, value)
