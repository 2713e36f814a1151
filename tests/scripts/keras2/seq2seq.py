"""Sequence to sequence: trained as one model, run as an encoder and a decoder cut out of it."""

import numpy as np
from keras.layers import LSTM, Dense, Input
from keras.models import Model, load_model

np.random.seed(31)
TOKENS, LENGTH, LATENT, START = 6, 4, 24, 0
words = np.random.randint(1, TOKENS, size=(120, LENGTH))
shifted = np.concatenate([np.full((120, 1), START), words[:, :-1]], axis=1)
encoder_data, decoder_data, target = (np.eye(TOKENS)[w] for w in (words, shifted, words))

encoder_inputs = Input(shape=(None, TOKENS))
encoder = LSTM(LATENT, return_state=True)
encoder_outputs, state_h, state_c = encoder(encoder_inputs)
encoder_states = [state_h, state_c]
decoder_inputs = Input(shape=(None, TOKENS))
decoder_lstm = LSTM(LATENT, return_sequences=True, return_state=True)
decoder_outputs, _, _ = decoder_lstm(decoder_inputs, initial_state=encoder_states)
decoder_dense = Dense(TOKENS, activation="softmax")
decoder_outputs = decoder_dense(decoder_outputs)

model = Model([encoder_inputs, decoder_inputs], decoder_outputs)
model.compile(optimizer="rmsprop", loss="categorical_crossentropy")
history = model.fit(
    [encoder_data, decoder_data],
    target,
    batch_size=20,
    epochs=12,
    verbose=0,
    validation_split=0.2,
)
assert history.history["loss"][-1] < 0.95 * history.history["loss"][0], history.history
model.save("s2s.h5")

encoder_model = Model(encoder_inputs, encoder_states)
decoder_states_inputs = [Input(shape=(LATENT,)), Input(shape=(LATENT,))]
decoder_outputs, state_h, state_c = decoder_lstm(
    decoder_inputs, initial_state=decoder_states_inputs
)
decoder_model = Model(
    [decoder_inputs] + decoder_states_inputs,
    [decoder_dense(decoder_outputs)] + [state_h, state_c],
)

# One step at a time the decoder gives what it gives on the whole sequence.
states_value = encoder_model.predict(encoder_data[:1])
steps = []
for step in range(LENGTH):
    given = decoder_data[:1, step : step + 1]
    tokens, h, c = decoder_model.predict([given] + states_value)
    steps.append(tokens[:, 0])
    states_value = [h, c]
whole = model.predict([encoder_data[:1], decoder_data[:1]])
np.testing.assert_allclose(np.stack(steps, axis=1), whole, rtol=1e-4, atol=1e-6)

# The same from the file, by the attributes of its layers.
again = load_model("s2s.h5")
encoder_inputs = again.input[0]
_, h, c = again.layers[2].output
np.testing.assert_allclose(
    Model(encoder_inputs, [h, c]).predict(encoder_data[:2])[0],
    encoder_model.predict(encoder_data[:2])[0],
    rtol=1e-5,
)
