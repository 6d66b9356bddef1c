"""Archives on a server of our own: resumed, refused, shared by two processes, read only."""

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import asdict, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from ssl_dynamics.data.images import ARCHIVES, Archive, DataError, data_folder, download
from ssl_dynamics.data.images.__main__ import main as command
from ssl_dynamics.data.images.archives import VARIABLE
from ssl_dynamics.data.images.download import PIECE
from ssl_dynamics.data.images.unpacking import located

FILES = {"train.bin": 300_000, "test.bin": 50_000}
NAMES = tuple(FILES)
FOLDER = "cifar-100-binary"


def packed(files, folder=FOLDER):
    """A .tar.gz with these files, and one that nobody asked for."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in {f"{folder}/{k}": v for k, v in files.items()}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        member = tarfile.TarInfo("../outside.txt")
        member.size = 4
        tar.addfile(member, io.BytesIO(b"evil"))
    return buffer.getvalue()


class Server:
    """Serves one file; can drop connections, ignore ranges, be slow, or answer with a status."""

    def __init__(self, content):
        self.content, self.requests = content, []
        self.cuts: list[int] = []  # bytes after which the next connections break
        self.ranges, self.status, self.pause = True, None, 0.0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.answer(self)

            def log_message(self, *args):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.http.server_port}/data/cifar-100-binary.tar.gz"

    def answer(self, handler):
        asked = handler.headers.get("Range")
        self.requests.append(asked)
        if self.status:
            handler.send_error(self.status)
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.ranges else 0
        body = self.content[start:]
        handler.send_response(206 if start else 200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if self.cuts:
            body = body[: self.cuts.pop(0)]
        try:
            for at in range(0, len(body), 20_000):
                handler.wfile.write(body[at : at + 20_000])
                time.sleep(self.pause)
        except OSError:  # the other side was killed
            pass
        handler.close_connection = True

    def close(self):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


@pytest.fixture
def content():
    rng = np.random.default_rng(0)
    return {name: rng.integers(0, 256, size, np.uint8).tobytes() for name, size in FILES.items()}


@pytest.fixture
def server(content, monkeypatch):
    monkeypatch.setattr(download, "PAUSE", 0.0)
    monkeypatch.delenv(VARIABLE, raising=False)
    texts = {"fine_label_names.txt": b"apple\nbear\n"}
    found = Server(packed(content | texts))
    yield found
    found.close()


@pytest.fixture
def archive(server):
    return Archive(
        server.address,
        len(server.content),
        hashlib.md5(server.content).hexdigest(),
        FOLDER,
        FILES,
        ("fine_label_names.txt",),
    )


def same(folder, content):
    return all((folder / name).read_bytes() == value for name, value in content.items())


def test_downloaded_checked_and_unpacked_once(server, archive, content, tmp_path):
    folder = located(archive, NAMES, tmp_path / "new" / "data", download=True)
    assert folder == tmp_path / "new" / "data" / FOLDER
    assert same(folder, content)
    assert (folder / "fine_label_names.txt").read_text() == "apple\nbear\n"
    assert not list(tmp_path.rglob("outside.txt"))
    assert not list(tmp_path.rglob("*.part"))
    assert located(archive, NAMES, tmp_path / "new" / "data", download=True) == folder
    assert server.requests == [None]


def test_interrupted_downloads_go_on_where_they_stopped(server, archive, content, tmp_path):
    server.cuts = [2 * PIECE + 5, PIECE, 0]  # a piece that has not arrived whole is asked for again
    assert same(located(archive, NAMES, tmp_path, download=True), content)
    assert server.requests == [None, *(f"bytes={n * PIECE}-" for n in (2, 3, 3))]


def test_a_later_call_goes_on_too(server, archive, content, tmp_path):
    server.cuts = [4 * PIECE, 0, 0, 0]
    with pytest.raises(DataError, match=r"65536 bytes .*What has arrived is kept") as caught:
        located(archive, NAMES, tmp_path, download=True)
    part = tmp_path / (archive.name + ".part")
    assert caught.value.file == part
    assert part.stat().st_size == 4 * PIECE == 65536
    assert same(located(archive, NAMES, tmp_path, download=True), content)
    assert server.requests[-1] == "bytes=65536-"


def test_a_server_that_cannot_resume_starts_anew(server, archive, content, tmp_path):
    server.cuts, server.ranges = [50_000], False
    assert same(located(archive, NAMES, tmp_path, download=True), content)


def test_wrong_checksum_is_refused_and_removed(server, archive, content, tmp_path):
    bad = replace(archive, md5="0" * 32)
    with pytest.raises(DataError, match=f"expected MD5 {'0' * 32}, found MD5 {archive.md5}"):
        located(bad, NAMES, tmp_path, download=True)
    assert [path.name for path in tmp_path.iterdir()] == [f".{archive.name}.lock"]
    assert same(located(archive, NAMES, tmp_path, download=True), content)


def test_a_part_of_another_file_is_noticed(server, archive, content, tmp_path):
    (tmp_path / (archive.name + ".part")).write_bytes(b"x" * 1000)
    with pytest.raises(DataError, match="found MD5"):
        located(archive, NAMES, tmp_path, download=True)
    assert same(located(archive, NAMES, tmp_path, download=True), content)
    (tmp_path / (archive.name)).rename(tmp_path / "kept")
    (tmp_path / FOLDER / "test.bin").unlink()
    (tmp_path / (archive.name + ".part")).write_bytes(b"x" * (archive.size + 1))
    assert same(located(archive, NAMES, tmp_path, download=True), content)


def test_another_file_or_no_file_at_the_address(server, archive, tmp_path):
    wrong = replace(archive, size=archive.size + 5)
    message = f"expected {wrong.size} bytes from .*found {archive.size} bytes offered"
    with pytest.raises(DataError, match=message):
        located(wrong, NAMES, tmp_path, download=True)
    server.status = 404
    with pytest.raises(DataError, match=r"found HTTP status 404. Try again later"):
        located(archive, NAMES, tmp_path, download=True)
    gone = replace(archive, address="http://127.0.0.1:9/cifar-100-binary.tar.gz")
    with pytest.raises(DataError, match=r"0 bytes \(ConnectionError"):
        located(gone, NAMES, tmp_path, download=True)


def test_an_archive_put_there_by_hand_is_checked_and_unpacked(server, archive, content, tmp_path):
    hand = tmp_path / archive.name
    hand.write_bytes(server.content[:-1])
    with pytest.raises(DataError, match=f"expected {archive.size} bytes, found {archive.size - 1}"):
        located(archive, NAMES, tmp_path)
    hand.write_bytes(server.content[:-1] + b"?")
    with pytest.raises(DataError, match="expected MD5"):
        located(archive, NAMES, tmp_path)
    hand.write_bytes(server.content)
    assert same(located(archive, NAMES, tmp_path), content)
    assert not server.requests


def test_missing_files_name_the_file_the_sizes_and_the_remedy(archive, tmp_path):
    with pytest.raises(DataError) as caught:
        located(archive, ("test.bin",), tmp_path)
    error = caught.value
    assert error.file == tmp_path / FOLDER / "test.bin"
    assert (error.expected, error.found) == ("50000 bytes", "no such file")
    for words in (
        "download=True",
        "python -m ssl_dynamics.data.images",
        archive.address,
        f"${VARIABLE}",
        str(tmp_path),
    ):
        assert words in str(error)
    assert not list(tmp_path.iterdir())


def test_a_truncated_file_is_refused_even_with_download(server, archive, content, tmp_path):
    folder = located(archive, NAMES, tmp_path, download=True)
    (folder / "test.bin").write_bytes(content["test.bin"][:-7])
    for allowed in (False, True):
        with pytest.raises(DataError, match=r"test.bin: expected 50000 bytes, found 49993 bytes"):
            located(archive, NAMES, tmp_path, download=allowed)
    assert located(archive, ("train.bin",), tmp_path) == folder
    (folder / "test.bin").unlink()
    assert same(located(archive, NAMES, tmp_path), content)


def test_an_archive_with_other_contents(content, server, tmp_path):
    for files, message in (
        ({"train.bin": content["train.bin"]}, "test.bin in it, found none"),
        (content | {"test.bin": b"short"}, "expected 50000 bytes, found 5 bytes"),
    ):
        body = packed(files)
        md5 = hashlib.md5(body).hexdigest()
        other = Archive(server.address, len(body), md5, FOLDER, FILES)
        (tmp_path / other.name).write_bytes(body)
        with pytest.raises(DataError, match=message):
            located(other, NAMES, tmp_path)
        assert not (tmp_path / FOLDER / "test.bin").exists()


def test_the_data_folder(archive, content, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert data_folder() == tmp_path / "home" / ".cache" / "ssl_dynamics"
    monkeypatch.setenv(VARIABLE, "~/sets")
    assert data_folder() == tmp_path / "home" / "sets"
    assert data_folder(tmp_path) == tmp_path
    # The files themselves may lie in it, without the archive's own folder.
    direct = tmp_path / "home" / "sets"
    direct.mkdir(parents=True)
    for name, value in content.items():
        (direct / name).write_bytes(value)
    assert located(archive, NAMES) == direct


CODE = """
import json, sys
from ssl_dynamics.data.images.archives import Archive
from ssl_dynamics.data.images.unpacking import located
given = json.loads(sys.argv[1])
print(located(Archive(**given), tuple(given["files"]), sys.argv[2], download=True))
"""


def process(archive, folder):
    given = json.dumps(asdict(archive))
    return subprocess.Popen(
        [sys.executable, "-c", CODE, given, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_two_processes_at_once_download_once(server, archive, content, tmp_path):
    server.pause = 0.15
    both = [process(archive, tmp_path) for _ in range(2)]
    ends = [one.communicate(timeout=120) for one in both]
    assert [one.returncode for one in both] == [0, 0], ends
    assert [out.strip() for out, _ in ends] == [str(tmp_path / FOLDER)] * 2
    assert server.requests == [None]
    assert same(tmp_path / FOLDER, content)


@pytest.mark.slow
def test_a_killed_download_is_taken_up(server, archive, content, tmp_path):
    server.pause = 0.2
    one = process(archive, tmp_path)
    part = tmp_path / (archive.name + ".part")
    end = time.monotonic() + 60
    while not (part.exists() and part.stat().st_size) and time.monotonic() < end:
        time.sleep(0.02)
    one.send_signal(signal.SIGKILL)
    one.communicate()
    arrived, server.pause = part.stat().st_size, 0.0
    assert 0 < arrived < archive.size
    assert same(located(archive, NAMES, tmp_path, download=True), content)
    assert server.requests == [None, f"bytes={arrived}-"]


@contextmanager
def read_only(*folders: Path):
    """The folders cannot be written to, not even by an administrator's test run."""
    for folder in folders:
        folder.chmod(0o555)
    administrator = os.geteuid() == 0
    if administrator:
        os.seteuid(65534)
    try:
        yield
    finally:
        if administrator:
            os.seteuid(0)
        for folder in folders:
            folder.chmod(0o755)


def test_a_read_only_folder(server, archive, content):
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        home.chmod(0o755)
        with read_only(home), pytest.raises(DataError, match="Permission denied") as caught:
            located(archive, NAMES, home, download=True)
        assert caught.value.file == home
        assert f"Let ${VARIABLE} name another folder" in str(caught.value)
        assert not server.requests
        located(archive, NAMES, home, download=True)
        with read_only(home, home / FOLDER):
            assert same(located(archive, NAMES, home), content)


def test_without_pooch_the_error_says_what_to_do(archive, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(DataError, match=r"pip install 'ssl-dynamics\[data\]'; or save http"):
        located(archive, NAMES, tmp_path, download=True)


def test_fetched_from_the_command_line(server, tmp_path, monkeypatch, capsys):
    sizes = {name: 12 * 3074 for name in FILES}
    files = {name: bytes(size) for name, size in sizes.items()}
    server.content = packed(files)
    md5 = hashlib.md5(server.content).hexdigest()
    published = replace(ARCHIVES["cifar100"], address=server.address)
    small = replace(published, size=len(server.content), md5=md5, files=sizes)
    monkeypatch.setitem(ARCHIVES, "cifar100", small)
    assert command(["cifar100", "--root", str(tmp_path)]) == 0
    words = [f"cifar100 {split}: 12 images of 32 pixels a side" for split in ("train", "test")]
    assert capsys.readouterr().out.splitlines() == words
    monkeypatch.setitem(ARCHIVES, "cifar100", replace(small, md5="0" * 32))
    assert command(["cifar100", "--root", str(tmp_path / "other")]) == 1
    assert "expected MD5" in capsys.readouterr().err


def test_the_published_table():
    """Sizes are those of the official layouts: records times (labels + 3 planes)."""
    assert {name: sum(a.files.values()) for name, a in ARCHIVES.items()} == {
        "cifar10": 60_000 * 3073,
        "cifar100": 60_000 * 3074,
        "stl10": 113_000 * 27_648 + 13_000,
    }
    for archive in ARCHIVES.values():
        assert archive.name.endswith(".tar.gz")
        assert len(bytes.fromhex(archive.md5)) == 16
