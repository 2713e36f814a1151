"""What tests of files share: this library by the names that scripts of Keras 3 use."""

from types import SimpleNamespace

import pytest

import funkeras
from funkeras import config, registry


@pytest.fixture
def keras():
    """The modules that classes of users are made of; they are forgotten after the test."""
    names = ("Input", "Model", "layers", "models", "ops")
    saving = SimpleNamespace(register_keras_serializable=registry.register_keras_serializable)
    with config.using_dialect("modern"), registry.custom_object_scope({}):
        yield SimpleNamespace(saving=saving, **{name: getattr(funkeras, name) for name in names})
