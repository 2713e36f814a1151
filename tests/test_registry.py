"""Names to things and back."""

import sys
import threading
from typing import Any

import numpy as np
import pytest

from funkeras import regularizers
from funkeras.registry import Configured, Registry, custom_object_scope, get_custom_objects


class Shape(Configured):
    """A kind of thing."""


def registry() -> Registry[Any]:
    shapes: Registry[Any] = Registry("shape", Shape)

    @shapes.configured("BigCircle", "round")
    def big_circle(radius: float = 1.0) -> Any:
        """The circle's area: pi r²."""
        if radius < 0:
            raise ValueError(f"radius must not be negative, got {radius}")
        return lambda scale: scale * np.pi * radius**2

    return shapes


@pytest.mark.parametrize("name", ["BigCircle", "big_circle", "bigcircle", "round"])
def test_every_capitalisation_finds_the_thing(name: str) -> None:
    assert registry().get(name)(2) == pytest.approx(2 * np.pi)


def test_a_config_makes_an_equal_thing() -> None:
    shapes = registry()
    circle = shapes.get({"class_name": "BigCircle", "config": {"radius": 2.0}})
    assert shapes.serialize(circle) == {"class_name": "BigCircle", "config": {"radius": 2.0}}
    assert shapes.get(shapes.serialize(circle))(1) == circle(1) == pytest.approx(4 * np.pi)
    assert repr(circle) == "BigCircle(radius=2.0)"
    assert circle.radius == 2.0


def test_keras_1_configs_have_the_arguments_beside_the_name() -> None:
    assert registry().get({"name": "BigCircle", "radius": 3.0}).radius == 3.0


def test_arguments_are_checked_when_they_are_given() -> None:
    with pytest.raises(ValueError, match="radius must not be negative"):
        registry().find("round")(radius=-1)
    with pytest.raises(TypeError, match=r"BigCircle\(\) got an unknown argument 'radios'"):
        registry().find("round")(radios=1)


@pytest.mark.parametrize(
    ("identifier", "error", "message"),
    [
        ("big_circel", ValueError, "unknown shape 'big_circel'; did you mean 'BigCircle'"),
        (3, ValueError, "a shape is a name, a config, a function or None; got int"),
        ({"radius": 1}, ValueError, "has a 'class_name'"),
    ],
)
def test_what_is_no_thing_is_refused(identifier: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        registry().get(identifier)


def test_a_name_is_taken_once() -> None:
    shapes = registry()
    with pytest.raises(ValueError, match="'round' is registered already"):
        shapes.add(len, "round")
    shapes.remove("round")
    assert "big_circle" not in shapes


def test_the_user_s_names_come_first_within_their_scope() -> None:
    shapes = registry()
    before = dict(get_custom_objects())
    with custom_object_scope({"round": len}):
        assert shapes.get("round") is len
        assert shapes.serialize(len) == "round"
    assert shapes.get("round") is not len
    assert get_custom_objects() == before


def test_users_subclass_with_call_and_config() -> None:
    class Cubic(regularizers.Regularizer):
        def __init__(self, factor: float) -> None:
            self.factor = factor

        def __call__(self, x: Any) -> Any:
            return self.factor * abs(x**3).sum()

        def get_config(self) -> dict[str, Any]:
            return {"factor": self.factor}

    with custom_object_scope({"Cubic": Cubic}):
        again = regularizers.get(regularizers.serialize(Cubic(0.5)))
    assert again(np.array([2.0])) == 4.0


@pytest.fixture
def hasty():
    """Threads that take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_threads_in_scopes_lose_no_names(hasty):
    registry = get_custom_objects()
    lost = []

    def enter():
        for number in range(500):
            with custom_object_scope({f"own{number}": number}):
                pass
            if "kept" not in registry:
                lost.append(number)

    with custom_object_scope({"kept": 1}):
        threads = [threading.Thread(target=enter) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not lost
