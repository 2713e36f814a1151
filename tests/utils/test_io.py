import os
import subprocess
import sys

import pytest

from funkeras.utils.io import atomic_write


def test_new_file_appears_with_its_contents(tmp_path):
    with atomic_write(tmp_path / "a") as temporary:
        temporary.write_text("new")
        assert not (tmp_path / "a").exists()
    assert (tmp_path / "a").read_text() == "new"
    assert os.listdir(tmp_path) == ["a"]


def test_error_keeps_the_old_file_and_leaves_nothing(tmp_path):
    (tmp_path / "a").write_text("old")
    with pytest.raises(TypeError), atomic_write(tmp_path / "a") as temporary:
        temporary.write_text(b"half")
    assert (tmp_path / "a").read_text() == "old"
    assert os.listdir(tmp_path) == ["a"]


def test_permissions_of_the_old_file_and_links_stay(tmp_path):
    (tmp_path / "a").write_text("old")
    (tmp_path / "a").chmod(0o640)
    (tmp_path / "link").symlink_to("a")
    with atomic_write(tmp_path / "link") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "a").read_text() == "new"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_new_file_has_usual_permissions(tmp_path):
    (tmp_path / "plain").write_text("")
    with atomic_write(tmp_path / "a"):
        pass
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_temporaries_of_a_killed_process_are_removed_others_stay(tmp_path):
    script = (
        "import os, sys\n"
        "from funkeras.utils.io import atomic_write\n"
        "with atomic_write(sys.argv[1]) as t:\n"
        "    t.write_text('half')\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(tmp_path / "a")], check=False)
    assert killed.returncode == -9
    assert len(os.listdir(tmp_path)) == 1
    with atomic_write(tmp_path / "b") as outer, atomic_write(tmp_path / "c"):
        assert outer.exists()
    assert sorted(os.listdir(tmp_path)) == ["b", "c"]


def test_folder_is_no_file(tmp_path):
    with pytest.raises(IsADirectoryError, match="folder"), atomic_write(tmp_path):
        pass
