"""Reading a row of glyphs whose places are not given, with the loss of CTC inside a Lambda."""

import numpy as np
from keras import backend as K
from keras.layers import GRU, Activation, Dense, Input, Lambda, Reshape, add, concatenate
from keras.layers.convolutional import Conv2D, MaxPooling2D
from keras.models import Model
from keras.optimizers import SGD

np.random.seed(51)
WIDTH, HEIGHT, ALPHABET, LENGTH, POOL = 32, 8, 3, 2, 2
glyphs = np.random.random((ALPHABET, 8, HEIGHT)) > 0.5
labels = np.random.randint(ALPHABET, size=(48, LENGTH))
images = np.zeros((48, WIDTH, HEIGHT, 1), "float32")
for image, word in zip(images, labels):
    for place, letter in enumerate(word):
        image[4 + 14 * place : 12 + 14 * place, :, 0] = glyphs[letter]


def ctc_lambda_func(args):
    y_pred, labels, input_length, label_length = args
    y_pred = y_pred[:, 2:, :]  # the first outputs of a recurrent net say little
    return K.ctc_batch_cost(labels, y_pred, input_length, label_length)


input_data = Input(name="the_input", shape=(WIDTH, HEIGHT, 1), dtype="float32")
inner = Conv2D(4, (3, 3), padding="same", activation="relu", name="conv1")(input_data)
inner = MaxPooling2D(pool_size=(POOL, POOL), name="max1")(inner)
inner = Reshape(target_shape=(WIDTH // POOL, (HEIGHT // POOL) * 4), name="reshape")(inner)
inner = Dense(12, activation="relu", name="dense1")(inner)
gru_1 = GRU(12, return_sequences=True, kernel_initializer="he_normal", name="gru1")(inner)
gru_1b = GRU(12, return_sequences=True, go_backwards=True, name="gru1_b")(inner)
merged = add([gru_1, gru_1b])
gru_2 = GRU(12, return_sequences=True, name="gru2")(merged)
gru_2b = GRU(12, return_sequences=True, go_backwards=True, name="gru2_b")(merged)
inner = Dense(ALPHABET + 1, name="dense2")(concatenate([gru_2, gru_2b]))
y_pred = Activation("softmax", name="softmax")(inner)

the_labels = Input(name="the_labels", shape=[LENGTH], dtype="float32")
input_length = Input(name="input_length", shape=[1], dtype="int64")
label_length = Input(name="label_length", shape=[1], dtype="int64")
loss_out = Lambda(ctc_lambda_func, output_shape=(1,), name="ctc")(
    [y_pred, the_labels, input_length, label_length]
)
model = Model(inputs=[input_data, the_labels, input_length, label_length], outputs=loss_out)
sgd = SGD(lr=0.02, decay=1e-6, momentum=0.9, nesterov=True, clipnorm=5)
model.compile(loss={"ctc": lambda y_true, y_pred: y_pred}, optimizer=sgd)
given = {
    "the_input": images,
    "the_labels": labels,
    "input_length": np.full((48, 1), WIDTH // POOL - 2),
    "label_length": np.full((48, 1), LENGTH),
}
history = model.fit(given, {"ctc": np.zeros(48)}, batch_size=16, epochs=15, verbose=0)
losses = history.history["loss"]
assert losses[-1] < 0.75 * losses[0], losses

test_func = K.function([input_data], [y_pred])
out = test_func([images[:5]])[0]
assert out.shape == (5, WIDTH // POOL, ALPHABET + 1)
np.testing.assert_allclose(out.sum(axis=-1), 1.0, rtol=1e-5)
decoded, score = K.ctc_decode(out, np.full(5, WIDTH // POOL), greedy=True)
words = K.get_value(decoded[0])
assert len(words) == 5
assert K.get_value(score).shape == (5, 1)
assert words.max() < ALPHABET
