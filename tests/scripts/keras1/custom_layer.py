"""A layer with weights of its own, made of build, call and get_output_shape_for."""

import numpy as np
from keras import backend as K
from keras import initializations, regularizers
from keras.engine.topology import InputSpec, Layer
from keras.layers import Dense
from keras.models import Sequential, model_from_json
from keras.optimizers import Adam

np.random.seed(11)


class Scaled(Layer):
    def __init__(self, init="one", W_regularizer=None, **kwargs):
        self.init = initializations.get(init)
        self.W_regularizer = regularizers.get(W_regularizer)
        self.input_spec = [InputSpec(ndim=2)]
        super().__init__(**kwargs)

    def build(self, input_shape):
        size = input_shape[1]
        self.W = self.add_weight(
            (size,),
            initializer=self.init,
            name="{}_W".format(self.name),
            regularizer=self.W_regularizer,
        )
        self.shift = K.variable(np.zeros(size), name="{}_shift".format(self.name))
        self.trainable_weights = [self.W, self.shift]
        super().build(input_shape)

    def call(self, x, mask=None):
        return K.tanh(x * self.W + self.shift)

    def get_output_shape_for(self, input_shape):
        return input_shape

    def get_config(self):
        return dict(super().get_config(), init="one")


model = Sequential()
model.add(Scaled(input_shape=(3,), name="scaled"))
model.add(Dense(1))
model.compile(Adam(lr=0.02), "mse")
assert model.layers[0].output_shape == (None, 3)
assert [w.shape for w in model.layers[0].get_weights()] == [(3,), (3,)]

x = np.random.normal(size=(64, 3))
y = np.tanh(x * [2.0, -1.0, 0.5] + 0.3).sum(axis=1)
before = model.layers[0].get_weights()
history = model.fit(x, y, nb_epoch=30, batch_size=16, verbose=0)
assert history.history["loss"][-1] < 0.5 * history.history["loss"][0]
assert all(np.abs(a - b).max() > 1e-3 for a, b in zip(before, model.layers[0].get_weights()))

again = model_from_json(model.to_json(), custom_objects={"Scaled": Scaled})
again.set_weights(model.get_weights())
np.testing.assert_allclose(again.predict(x), model.predict(x), rtol=1e-6)

try:
    model.layers[0](K.placeholder(shape=(None, 4, 3)))
    message = "nothing was wrong"
except ValueError as error:
    message = str(error)
assert "scaled" in message, message
