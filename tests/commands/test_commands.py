"""The command line: what its words mean."""

import subprocess
import sys

import pytest

from funkeras import commands


def test_a_path_alone_means_run_and_the_script_gets_its_arguments(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["funkeras"])
    monkeypatch.setattr(sys, "path", list(sys.path))
    script = tmp_path / "script.py"
    script.write_text("import sys\nprint(__name__, sys.argv[1:])")
    assert commands.main([str(script), "--epochs", "3", "-h"]) == 0
    assert capsys.readouterr().out == "__main__ ['--epochs', '3', '-h']\n"
    assert sys.argv[0] == str(script)


def test_help_names_every_command(capsys):
    assert commands.main(["--help"]) == 0
    shown = capsys.readouterr().out
    for name, what in commands.COMMANDS.items():
        assert f"{name} " in shown
        assert what in shown
        with pytest.raises(SystemExit) as left:
            commands.main([name, "--help"])
        assert left.value.code == 0


def test_wrong_words_are_told(capsys):
    assert commands.main([]) == 2
    with pytest.raises(SystemExit) as left:
        commands.main(["--what"])
    assert left.value.code == 2
    assert "usage: funkeras run" in capsys.readouterr().err
    assert commands.main(["missing.py"]) == 2
    assert "can't open file 'missing.py'" in capsys.readouterr().err


def test_the_package_is_a_program(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("raise SystemExit(5)")
    done = subprocess.run([sys.executable, "-m", "funkeras", str(script)], check=False)
    assert done.returncode == 5
