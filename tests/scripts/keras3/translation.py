"""An encoder and a decoder of Keras 3: layers with several arguments, cells called step by step."""

import os
import tempfile

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(5)
VOCABULARY, LENGTH, WIDTH = 9, 6, 24


@keras.saving.register_keras_serializable(package="translation")
class CrossAttention(layers.Layer):
    def __init__(self, heads=2, **options):
        super().__init__(**options)
        self.heads = heads
        self.attention = layers.MultiHeadAttention(heads, WIDTH // heads)
        self.norm = layers.LayerNormalization()
        self.add = layers.Add()

    def call(self, x, context, scale=1.0, return_scores=False):
        y, scores = self.attention(
            query=x, key=context, value=context, return_attention_scores=True
        )
        y = self.norm(self.add([x, scale * y]))
        return (y, scores) if return_scores else y

    def get_config(self):
        return {**super().get_config(), "heads": self.heads}


@keras.saving.register_keras_serializable(package="translation")
class Gated(layers.Layer):
    def build(self, x_shape, other_shape):
        self.kernel = self.add_weight(shape=(x_shape[-1] + other_shape[-1], x_shape[-1]))
        self.built = True

    def call(self, x, other):
        gate = ops.sigmoid(ops.matmul(ops.concatenate([x, other], axis=-1), self.kernel))
        return gate * x + (1 - gate) * other


@keras.saving.register_keras_serializable(package="translation")
class Decoder(layers.Layer):
    def __init__(self, **options):
        super().__init__(**options)
        self.cell = layers.GRUCell(WIDTH)

    def build(self, x_shape, state_shape):
        self.cell.build((None, x_shape[-1]))
        self.built = True

    def call(self, x, state):
        found, states = [], [state]
        for step in range(x.shape[1]):
            y, states = self.cell(x[:, step], states)
            found.append(y)
        return ops.stack(found, axis=1)


source = keras.Input(shape=(LENGTH,), dtype="int32", name="source")
before = keras.Input(shape=(LENGTH,), dtype="int32", name="before")
embed = layers.Embedding(VOCABULARY + 1, WIDTH)
context, last = layers.GRU(WIDTH, return_sequences=True, return_state=True)(embed(source))
decoded = Decoder()(embed(before), state=last)
attended = CrossAttention()(x=decoded, context=context, scale=0.5)
mixed = Gated()(attended, decoded)
model = keras.Model([source, before], layers.Dense(VOCABULARY)(mixed))
model.compile(
    optimizer=keras.optimizers.Adam(0.01),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)

words = np.random.randint(VOCABULARY, size=(512, LENGTH))
reversed_words = words[:, ::-1]
start = np.full((512, 1), VOCABULARY)
data = [words, np.concatenate([start, reversed_words[:, :-1]], axis=1)]
history = model.fit(data, reversed_words, epochs=12, batch_size=32, verbose=0).history
assert history["accuracy"][-1] > 0.9, history["accuracy"]

layer = next(own for own in model.layers if isinstance(own, CrossAttention))
x, memory = np.random.random((2, 4, WIDTH)), np.random.random((2, 7, WIDTH))
y, scores = layer(x, memory, return_scores=True)
assert tuple(scores.shape) == (2, 2, 4, 7)
assert np.allclose(ops.sum(scores, axis=-1), 1, atol=1e-5)
assert not np.allclose(y, layer(x, context=memory, scale=3.0))

path = os.path.join(tempfile.mkdtemp(), "translation.keras")
model.save(path)
again = keras.models.load_model(path)
one, other = (m.predict(data, verbose=0) for m in (model, again))
assert np.allclose(one, other, atol=1e-5)
