import re
import shutil
import stat

import pytest

from funkeras.layers import Add, Dense, Input
from funkeras.models import Model, Sequential
from funkeras.utils import visualize_util
from funkeras.utils.vis_utils import model_to_dot, plot_model


def chain():
    return Sequential([Dense(4, input_dim=3, name="first"), Dense(2, name="second")])


def read(text):
    """The boxes of DOT text, number → cells of its label; and the arrows."""
    cells = {
        name: re.findall(r">([^<>]+)<", label)
        for name, label in re.findall(r"^ *(n\d+) \[label=<(.*)>\];$", text, re.M)
    }
    return cells, set(re.findall(r"(n\d+) -> (n\d+);", text))


def edges(text):
    boxes, arrows = read(text)
    return {(boxes[a][1], boxes[b][1]) for a, b in arrows}


def test_chain_has_its_layers_in_turn_with_shapes():
    boxes, arrows = read(model_to_dot(chain(), show_shapes=True))
    assert ["Dense", "first", "(None, 4)"] in boxes.values()
    assert ["Dense", "second", "(None, 2)"] in boxes.values()
    assert len(boxes) == 3
    assert len(arrows) == 2


def test_branches_meet_and_a_shared_layer_is_one_box():
    left, right = Input((3,), name="left"), Input((3,), name="right")
    shared = Dense(4, name="shared")
    out = Add(name="sum")([shared(left), shared(right)])
    text = model_to_dot(Model([left, right], out))
    assert edges(text) == {("left", "shared"), ("right", "shared"), ("shared", "sum")}


def test_names_can_be_left_out_and_direction_chosen():
    text = model_to_dot(chain(), show_layer_names=False, rankdir="LR")
    assert "first" not in text
    assert "rankdir=LR" in text
    with pytest.raises(ValueError, match="rankdir must be TB, LR, BT or RL, got 'XY'"):
        model_to_dot(chain(), rankdir="XY")


def test_dtype_activation_and_whether_it_is_trained_are_told():
    model = Sequential([Dense(2, input_dim=3, activation="tanh", name="a"), Dense(1, name="b")])
    model.layers[0].trainable = False
    text = model_to_dot(
        model, show_dtype=True, show_layer_activations=True, show_trainable=True, splines="ortho"
    )
    boxes, _ = read(text)
    assert ["Dense", "a", "tanh", "float32", "frozen"] in boxes.values()
    assert any(cells[:2] == ["Dense", "b"] and cells[-1] == "trained" for cells in boxes.values())
    assert "splines=ortho;" in text


def test_models_within_are_opened_on_demand():
    a, b = Input((3,), name="a"), Input((3,), name="b")
    inner_a, inner_b = Input((3,), name="inner_a"), Input((3,), name="inner_b")
    inner = Model([inner_a, inner_b], Dense(2, name="d")(Add(name="sum")([inner_a, inner_b])))
    chain = Sequential([Dense(3, input_dim=3, name="first"), Dense(3, name="last")], name="chain")
    model = Model([a, b], Dense(1, name="out")(inner([chain(b), a])))
    text = model_to_dot(model, expand_nested=True)
    assert edges(text) == {
        ("b", "first_input"),
        ("first_input", "first"),
        ("first", "last"),
        ("last", "inner_a"),
        ("a", "inner_b"),
        ("inner_a", "sum"),
        ("inner_b", "sum"),
        ("sum", "d"),
        ("d", "out"),
    }
    assert text.count("subgraph cluster_") == 2
    assert 'label="chain"' in text
    assert text.count("{") == text.count("}")
    assert "first" not in model_to_dot(model)
    assert model_to_dot(chain, subgraph=True).startswith("subgraph cluster_model {")


def test_letters_of_html_in_names_are_escaped():
    text = model_to_dot(Sequential([Dense(1, input_dim=1, name="a<b&c")]))
    assert "a&lt;b&amp;c" in text


def test_unbuilt_model_says_so():
    with pytest.raises(ValueError, match="has no input shape yet"):
        model_to_dot(Sequential([Dense(1)]))


def test_without_graphviz_the_text_is_written_and_told(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.warns(RuntimeWarning, match="Graphviz is not installed"):
        path = plot_model(chain(), tmp_path / "model.png")
    assert path == tmp_path / "model.dot"
    assert path.read_text() == model_to_dot(chain())


def test_text_alone_needs_no_graphviz(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    path = visualize_util.plot(chain(), to_file=str(tmp_path / "model.dot"), show_shapes=True)
    assert "(None, 4)" in path.read_text()


def test_file_needs_an_ending(tmp_path):
    with pytest.raises(ValueError, match="needs an ending"):
        plot_model(chain(), tmp_path / "model")


def test_failure_of_graphviz_is_told(tmp_path, monkeypatch):
    program = tmp_path / "dot"
    program.write_text("#!/bin/sh\necho no such format >&2\nexit 1\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="no such format"):
        plot_model(chain(), tmp_path / "model.xyz")


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_draws_the_picture(tmp_path):
    path = plot_model(chain(), tmp_path / "model.png", show_shapes=True)
    assert path.read_bytes().startswith(b"\x89PNG")
