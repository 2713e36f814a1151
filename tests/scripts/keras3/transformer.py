"""A transformer of Keras 3: blocks and embeddings as layers, a causal mask of operations."""

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(3)
VOCABULARY, LENGTH, WIDTH = 12, 8, 16


class TokenAndPosition(layers.Layer):
    def __init__(self):
        super().__init__()
        self.tokens = layers.Embedding(VOCABULARY, WIDTH)
        self.places = layers.Embedding(LENGTH, WIDTH)

    def call(self, x):
        places = ops.arange(0, ops.shape(x)[-1], 1)
        return self.tokens(x) + self.places(places)


class Block(layers.Layer):
    def __init__(self, heads):
        super().__init__()
        self.attention = layers.MultiHeadAttention(heads, WIDTH // heads)
        self.inner = keras.Sequential([layers.Dense(32, activation="gelu"), layers.Dense(WIDTH)])
        self.first = layers.LayerNormalization(epsilon=1e-6)
        self.second = layers.LayerNormalization(epsilon=1e-6)
        self.dropout = layers.Dropout(0.1)

    def call(self, x, training=False):
        batch, length = ops.shape(x)[0], ops.shape(x)[1]
        seen = ops.broadcast_to(
            ops.tril(ops.ones((length, length), "bool")), (batch, length, length)
        )
        y = self.attention(x, x, attention_mask=seen)
        x = self.first(x + self.dropout(y, training=training))
        return self.second(x + self.dropout(self.inner(x), training=training))


inputs = keras.Input(shape=(LENGTH,), dtype="int32")
x = TokenAndPosition()(inputs)
x = Block(2)(x)
outputs = layers.Dense(VOCABULARY)(x)
model = keras.Model(inputs, outputs)


def perplexity(y_true, y_pred):
    entropy = keras.losses.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)
    return ops.exp(ops.mean(entropy))


model.compile(
    optimizer=keras.optimizers.AdamW(0.01),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy", perplexity],
)
starts = np.random.randint(VOCABULARY, size=(128, 1))
tokens = (starts + 3 * np.arange(LENGTH + 1)) % VOCABULARY  # each step adds three
history = model.fit(tokens[:, :-1], tokens[:, 1:], epochs=8, batch_size=16, verbose=0).history
assert history["accuracy"][-1] > 0.9, history["accuracy"]
assert history["perplexity"][-1] < history["perplexity"][0]

changed = tokens[:1, :-1].copy()
changed[0, -1] = (changed[0, -1] + 1) % VOCABULARY
one, other = (model.predict(x, verbose=0) for x in (tokens[:1, :-1], changed))
assert np.allclose(one[:, :-1], other[:, :-1], atol=1e-5)  # what comes later is not seen
