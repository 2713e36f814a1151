import hashlib
import io
import os
import re
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from funkeras import config
from funkeras.utils import data_utils
from funkeras.utils.data_utils import get_file, validate_file

CONTENT = bytes(range(256)) * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MD5 = hashlib.md5(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves `files`; breaks off after `broken_after` bytes; can forget how to resume."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {"/data.bin": CONTENT}
        self.requests = []
        self.broken_after = None
        self.resumes = True

    def url(self, name="data.bin"):
        return f"http://127.0.0.1:{self.server_address[1]}/{name}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.requests.append(self.headers.get("Range"))
        content = server.files.get(self.path.partition("?")[0])
        if content is None:
            self.send_error(404)
            return
        start = 0
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        if asked and server.resumes:
            start = int(asked[1])
            if start >= len(content):
                self.send_error(416)
                return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start : server.broken_after])

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.mark.parametrize("digest", [None, SHA256, MD5, SHA256.upper()])
def test_file_is_downloaded_once_into_the_cache(server, tmp_path, digest):
    path = get_file("mine.bin", server.url(), file_hash=digest)
    assert path == str(tmp_path / "datasets" / "mine.bin")
    assert Path(path).read_bytes() == CONTENT
    assert get_file("mine.bin", server.url(), file_hash=digest) == path
    assert len(server.requests) == 1
    assert os.listdir(tmp_path / "datasets") == ["mine.bin"]


def test_name_comes_from_the_address(server):
    assert Path(get_file(origin=server.url() + "?x=1")).name == "data.bin"
    with pytest.raises(ValueError, match="fname must name a file"):
        get_file(origin="http://127.0.0.1/")
    with pytest.raises(TypeError, match="origin"):
        get_file("x")


def test_broken_download_is_taken_up_again(server, tmp_path):
    server.broken_after = 100_000
    with pytest.raises(ConnectionError, match="after 100000 of 256000 bytes"):
        get_file("mine.bin", server.url(), file_hash=SHA256)
    assert not (tmp_path / "datasets" / "mine.bin").exists()
    server.broken_after = None
    path = get_file("mine.bin", server.url(), file_hash=SHA256)
    assert Path(path).read_bytes() == CONTENT
    assert server.requests == [None, "bytes=100000-"]


@pytest.mark.parametrize("length", [100, len(CONTENT), len(CONTENT) + 5])
@pytest.mark.parametrize("resumes", [True, False])
def test_foreign_beginnings_are_given_up(server, tmp_path, length, resumes):
    server.resumes = resumes
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "mine.bin.part").write_bytes(b"x" * length)
    path = get_file("mine.bin", server.url(), file_hash=SHA256)
    assert Path(path).read_bytes() == CONTENT


def test_outdated_file_is_replaced_only_by_the_right_one(server, tmp_path):
    path = tmp_path / "datasets" / "mine.bin"
    path.parent.mkdir()
    path.write_bytes(b"old")
    server.files["/data.bin"] = b"wrong"
    with pytest.raises(ValueError, match="sha256 hash differs"):
        get_file("mine.bin", server.url(), file_hash=SHA256)
    assert path.read_bytes() == b"old"
    server.files["/data.bin"] = CONTENT
    get_file("mine.bin", server.url(), md5_hash=MD5)
    assert path.read_bytes() == CONTENT
    assert validate_file(path, SHA256)
    assert not validate_file(path, "0" * 32)


def test_download_can_be_forced(server):
    path = get_file("mine.bin", server.url())
    server.files["/data.bin"] = b"new"
    assert Path(get_file("mine.bin", server.url())).read_bytes() == CONTENT
    assert Path(get_file("mine.bin", server.url(), force_download=True)).read_bytes() == b"new"
    assert Path(path).read_bytes() == b"new"


def test_without_a_network_the_error_says_where_to_put_the_file(server, tmp_path):
    with pytest.raises(ConnectionError, match="Not Found"):
        get_file("mine.bin", server.url("missing"))
    address = server.url()
    server.server_close()
    with pytest.raises(ConnectionError) as raised:
        get_file("mine.bin", address.replace(str(server.server_address[1]), "1"))
    assert "put the file mine.bin into the folder" in str(raised.value)
    assert str(tmp_path / "datasets") in str(raised.value)


def tar_of(members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            if content is None:
                info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
            else:
                info.size = len(content)
            tar.addfile(info, io.BytesIO(content or b""))
    return buffer.getvalue()


def zip_of(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize("make", [tar_of, zip_of])
@pytest.mark.parametrize(
    ("dialect", "result", "place"),
    [("classic", "a.x", ""), ("keras2", "a.x", ""), ("modern", "a_extracted", "a_extracted")],
)
def test_archives_are_unpacked_where_each_keras_does(
    server, tmp_path, make, dialect, result, place
):
    server.files["/a.x"] = make({"pets/cat.txt": b"meow"})
    with config.using_dialect(dialect):
        for _ in range(2):
            path = get_file("a.x", server.url("a.x"), extract=True)
            assert path == str(tmp_path / "datasets" / result)
            assert (tmp_path / "datasets" / place / "pets" / "cat.txt").read_bytes() == b"meow"
    assert len(server.requests) == 1


@pytest.mark.parametrize("dialect", ["classic", "modern"])
def test_untar_gives_the_folder(server, tmp_path, dialect):
    server.files["/a.tar.gz"] = tar_of({"pets/cat.txt": b"meow"})
    with config.using_dialect(dialect):
        path = get_file("pets", server.url("a.tar.gz"), untar=True)
    assert path == str(tmp_path / "datasets" / "pets")
    inner = "cat.txt" if dialect == "classic" else "pets/cat.txt"
    assert (Path(path) / inner).read_bytes() == b"meow"


@pytest.mark.parametrize(
    "archive",
    [
        tar_of({"a.txt": b"", "../../evil.txt": b"x"}),
        tar_of({"a.txt": b"", "/tmp/evil.txt/../../evil": b"x"}),
        tar_of({"a.txt": b"", "link": None}),
        zip_of({"a.txt": b"", "../../evil.txt": b"x"}),
        zip_of({"a.txt": b"", "/evil.txt": b"x"}),
        tar_of({"a.txt": CONTENT})[:400],
        b"no archive",
    ],
)
def test_archives_that_lead_outside_or_are_damaged_leave_nothing(server, tmp_path, archive):
    server.files["/a.x"] = archive
    with pytest.raises(ValueError, match=r"a\.x"):
        get_file("a.x", server.url("a.x"), extract=True)
    assert os.listdir(tmp_path / "datasets") == ["a.x"]
    assert os.listdir(tmp_path) == ["datasets"]


def test_arguments_are_checked(server):
    with pytest.raises(ValueError, match="hash_algorithm must be md5, sha256 or auto"):
        get_file("a", server.url(), hash_algorithm="crc")
    with pytest.raises(ValueError, match="archive_format must be among"):
        get_file("a", server.url(), extract=True, archive_format="rar")


def test_meter_moves_on_a_terminal_only(server, monkeypatch, capsys):
    get_file("a", server.url())
    assert capsys.readouterr().out == f"Downloading data from {server.url()}\n"
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    get_file("b", server.url())
    assert capsys.readouterr().out.endswith("100% [" + "=" * 30 + "] 0.3/0.3 MB\n")


def test_cache_folder_that_cannot_be_written_is_replaced(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(data_utils.tempfile, "gettempdir", lambda: str(tmp_path))
    folder = data_utils._cache_folder("/nowhere", "datasets")
    assert folder == tmp_path / ".keras" / "datasets"
