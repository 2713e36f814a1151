"""The optimizers of tf.keras before 2.11, which later versions keep under this name.

They differ from Keras 3 in small ways: `decay` of the learning rate, epsilon outside of roots, and
rows of an embedding that a batch does not use stay as they are.
"""

from funkeras.optimizers import rules
from funkeras.optimizers.base import Optimizer

__all__ = ["SGD", "Adadelta", "Adagrad", "Adam", "Adamax", "Ftrl", "Nadam", "RMSprop"]


def _legacy(kind: type[Optimizer]) -> type[Optimizer]:
    members = {"legacy": True, "__doc__": kind.__doc__, "__module__": __name__}
    return type(kind.__name__, (kind,), members)


SGD = _legacy(rules.SGD)
RMSprop = _legacy(rules.RMSprop)
Adagrad = _legacy(rules.Adagrad)
Adadelta = _legacy(rules.Adadelta)
Adam = _legacy(rules.Adam)
Adamax = _legacy(rules.Adamax)
Nadam = _legacy(rules.Nadam)
Ftrl = _legacy(rules.Ftrl)
