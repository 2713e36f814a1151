"""A memory network for made-up questions, its branches joined by Merge."""

import numpy as np
from keras.layers import LSTM, Activation, Dense, Dropout, Merge, Permute
from keras.layers.embeddings import Embedding
from keras.models import Sequential
from keras.optimizers import RMSprop

np.random.seed(4)
VOCABULARY, STORY, QUERY = 12, 6, 2
stories = np.random.randint(2, VOCABULARY, size=(160, STORY))
places = np.random.randint(STORY - 1, size=160)
queries = np.stack([stories[np.arange(160), places], np.ones(160)], axis=1).astype(int)
answers = np.eye(VOCABULARY)[queries[:, 0]]

input_encoder_m = Sequential()
input_encoder_m.add(Embedding(input_dim=VOCABULARY, output_dim=16, input_length=STORY))
input_encoder_m.add(Dropout(0.1))
question_encoder = Sequential()
question_encoder.add(Embedding(input_dim=VOCABULARY, output_dim=16, input_length=QUERY))
match = Sequential()
match.add(Merge([input_encoder_m, question_encoder], mode="dot", dot_axes=[2, 2]))
match.add(Activation("softmax"))
assert match.output_shape == (None, STORY, QUERY)

input_encoder_c = Sequential()
input_encoder_c.add(Embedding(input_dim=VOCABULARY, output_dim=QUERY, input_length=STORY))
response = Sequential()
response.add(Merge([match, input_encoder_c], mode="sum"))
response.add(Permute((2, 1)))
answer = Sequential()
answer.add(Merge([response, question_encoder], mode="concat", concat_axis=-1))
assert answer.output_shape == (None, QUERY, STORY + 16)
answer.add(LSTM(16))
answer.add(Dense(VOCABULARY))
answer.add(Activation("softmax"))
answer.compile(optimizer=RMSprop(lr=0.02), loss="categorical_crossentropy", metrics=["accuracy"])

inputs = [stories, queries, stories]
history = answer.fit(inputs, answers, batch_size=32, nb_epoch=12, verbose=0)
losses = history.history["loss"]
assert losses[-1] < 0.9 * losses[0], losses
assert answer.predict(inputs).shape == (160, VOCABULARY)
assert len(question_encoder.get_weights()) == 1
