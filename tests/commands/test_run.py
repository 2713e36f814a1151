"""A script runs as with `python`: arguments, main module, folder, exit status, tracebacks."""

import os
import subprocess
import sys

import pytest

from funkeras import compat
from funkeras.commands import main


@pytest.fixture(autouse=True)
def process():
    """What running a script in this process changes, as it was."""
    saved = sys.argv, list(sys.path), sys.modules["__main__"]
    yield
    sys.argv, sys.path[:], sys.modules["__main__"] = saved
    compat.uninstall()


@pytest.fixture
def script(tmp_path):
    def write(text):
        path = tmp_path / "script.py"
        path.write_text(text)
        return str(path)

    return write


def test_a_script_sees_what_it_would_see(script, tmp_path, capsys):
    (tmp_path / "beside.py").write_text("found = True")
    path = script(
        '"""What it does."""\n'
        "import sys, keras, pickle, beside\n"
        "class Here: pass\n"
        "pickle.dumps(Here())\n"
        "print([__name__, __doc__, sys.argv[1:], keras.__version__, sys.path[0], beside.found])\n"
    )
    assert main(["--keras", "2.2.4", path, "--keras", "9", "x"]) == 0
    expected = ["__main__", "What it does.", ["--keras", "9", "x"], "2.2.4", str(tmp_path), True]
    assert capsys.readouterr().out == f"{expected}\n"


def test_an_exit_status_is_passed_on(script):
    with pytest.raises(SystemExit) as caught:
        main(["run", script("import sys; sys.exit(7)")])
    assert caught.value.code == 7


def test_a_traceback_begins_in_the_script(script, capsys):
    assert main([script("def f():\n    raise ValueError('no')\n\nf()\n")]) == 1
    error = capsys.readouterr().err
    assert "commands/run.py" not in error
    assert ("line 4" in error, "line 2" in error, error.endswith("ValueError: no\n")) == (True,) * 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("import sys\nprint 'hello'\n", "line 2 is not Python 3"),
        ("a = 1\nfor i in xrange(3): pass\n", "line 2: xrange is Python 2; write range"),
        ("\n\nimport cPickle\n", "line 3: cPickle is Python 2; write pickle"),
        ("{}.iteritems()\n", "line 1: iteritems is Python 2; write items"),
    ],
)
def test_what_only_python_2_had_is_named_with_its_line(text, says, script, capsys):
    assert main([script(text)]) == 1
    assert says in capsys.readouterr().err


def test_an_ordinary_mistake_has_no_word_about_python_2(script, capsys):
    assert main([script("undefined\n")]) == 1
    assert "Python 2" not in capsys.readouterr().err


def test_a_missing_script_is_named(capsys):
    assert main(["no_such_script.py"]) == 2
    assert "can't open file 'no_such_script.py'" in capsys.readouterr().err


def test_keras_json_and_the_environment_hold(script, tmp_path):
    (tmp_path / "keras.json").write_text(
        '{"floatx": "float16", "epsilon": 1e-3, "image_dim_ordering": "th", "backend": "theano"}'
    )
    path = script(
        "from keras import config as c\n"
        "print(c.floatx(), c.epsilon(), c.image_dim_ordering(), c.backend())\n"
    )
    given = {**os.environ, "KERAS_HOME": str(tmp_path)}
    words = [sys.executable, "-m", "funkeras", path]
    shown = subprocess.run(words, env=given, capture_output=True, text=True, check=True).stdout
    assert shown == "float16 0.001 th theano\n"
    given["KERAS_BACKEND"] = "tensorflow"
    shown = subprocess.run(words, env=given, capture_output=True, text=True, check=True).stdout
    assert shown == "float16 0.001 th tensorflow\n"
