"""Nested structures: all but the messages is what `keras.tree` of Keras 3 gives."""

from collections import namedtuple

import numpy as np
import pytest

from funkeras import tree

Point = namedtuple("Point", "x y")


def test_leaves_come_by_sorted_keys_and_none_is_one():
    assert tree.flatten({"b": {"c": 1, "a": 2}, "a": [3, None]}) == [3, None, 2, 1]
    assert tree.flatten(5) == [5]
    array = np.ones(2)
    assert tree.flatten([array])[0] is array


def test_paths():
    given = {"x": [1, (2, 3)], "a": Point(4, None)}
    assert tree.flatten_with_path(given) == [
        (("a", 0), 4),
        (("a", 1), None),
        (("x", 0), 1),
        (("x", 1, 0), 2),
        (("x", 1, 1), 3),
    ]


@pytest.mark.parametrize("nested", [[], (), {}, [1], Point(1, 2)])
def test_containers_are_nested(nested):
    assert tree.is_nested(nested)


@pytest.mark.parametrize("leaf", [None, 1, "text", np.ones(3)])
def test_leaves_are_not(leaf):
    assert not tree.is_nested(leaf)


def test_map_keeps_containers_and_tells_structures_that_differ():
    assert tree.map_structure(lambda x: x and -x, Point(1, [None])) == Point(-1, [None])
    assert tree.map_structure(lambda x: -x, [1, None], none_is_leaf=False) == [-1, None]
    with pytest.raises(ValueError, match="differ"):
        tree.map_structure(lambda x, y: x, [1, 2], [1, [2]])
    with pytest.raises(ValueError, match="at least one"):
        tree.map_structure(len)


def test_map_up_to():
    assert tree.map_structure_up_to([None, None], lambda a, b: (a, b), [[1], 2], [3, {}]) == [
        ([1], 3),
        (2, {}),
    ]


def test_pack_is_the_inverse_of_flatten():
    given = {"b": [1, (2, None)], "a": Point(3, 4)}
    assert tree.pack_sequence_as(given, tree.flatten(given)) == given
    with pytest.raises(ValueError, match="5 leaves, got 1"):
        tree.pack_sequence_as(given, [1])


def test_traverse_from_the_top_and_from_the_leaves():
    seen = []
    tree.traverse(seen.append, [1, (2, 3)])
    assert seen == [[1, (2, 3)], 1, (2, 3), 2, 3]
    seen = []
    tree.traverse(seen.append, [1, (2, 3)], top_down=False)
    assert seen == [1, 2, 3, (2, 3), [1, (2, 3)]]
    counted = tree.traverse(lambda part: len(part) if isinstance(part, tuple) else None, [(1, 2)])
    assert counted == [2]
    gone = tree.traverse(lambda part: tree.MAP_TO_NONE if part == 2 else None, [1, 2])
    assert gone == [1, None]


def test_same_structure_and_same_paths():
    tree.assert_same_structure([1, (2, 3)], [4, (5, None)])
    with pytest.raises(ValueError, match="differ"):
        tree.assert_same_structure([1], (1,))
    tree.assert_same_paths([1, (2,)], (1, [5]))
    with pytest.raises(ValueError, match="paths differ"):
        tree.assert_same_paths([1], [1, 2])
