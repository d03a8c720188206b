"""The path that a source names, and what is said of one that cannot be read."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from posebus.config.local_files import check_readable, local_path, same_for_children
from posebus.errors import SourceRejected


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("a b%20c#d?e.mp4", "a b%20c#d?e.mp4"),
        ("-x.mp4", "-x.mp4"),
        ("file:///a%20b/c%23d%3Fe%25.mp4", "/a b/c#d?e%.mp4"),
        ("file:///a b/c#d?e.mp4", "/a b/c#d?e.mp4"),
        ("FILE:///x.mp4", "/x.mp4"),
        ("File://LocalHost/x.mp4", "/x.mp4"),
        ("file:/x.mp4", "/x.mp4"),
        ("file:x%20y.mp4", "x y.mp4"),
        ("file:///caf%C3%A9.mp4", "/café.mp4"),
        ("file:///caf%E9.mp4", os.fsdecode(b"/caf\xe9.mp4")),
    ],
)
def test_path_of_a_source(source: str, path: str) -> None:
    assert local_path(source) == Path(path)


@pytest.mark.parametrize("source", ["file://nas/share/a.mp4", "file://a.mp4", "FILE://user:S3cret@nas/a.mp4"])
def test_file_on_another_computer_is_refused(source: str) -> None:
    with pytest.raises(SourceRejected, match=r"names a file on the computer .*: write file:///PATH") as caught:
        local_path(source)
    assert "S3cret" not in str(caught.value)


@pytest.mark.parametrize("source", ["file:", "file://", "FILE://localhost"])
def test_address_without_a_path_is_refused(source: str) -> None:
    with pytest.raises(SourceRejected, match="names no file"):
        local_path(source)


@pytest.mark.parametrize("name", [b"caf\xe9 %41#.mp4", "café.mp4".encode(), b"a\nb.mp4"])
def test_children_find_a_file_whatever_its_name(tmp_path: Path, name: bytes) -> None:
    path = tmp_path / os.fsdecode(name)
    path.write_bytes(b"x")
    source = same_for_children(str(path))
    source.encode()  # it can be written into settings
    assert local_path(source) == path


def test_children_do_not_read_their_own_standard_input(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"x")
    with path.open() as file:
        assert same_for_children(f"/dev/fd/{file.fileno()}") == str(path)


def test_pipes_sockets_and_devices_are_refused_without_being_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceRejected, match="pipe is a pipe, which can be read only once"):
        check_readable(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(tmp_path / "socket"))
        with pytest.raises(SourceRejected, match="is a socket and no file"):
            check_readable(tmp_path / "socket")
    with pytest.raises(SourceRejected, match="/dev/null is a device and no file"):
        check_readable(Path("/dev/null"))


@pytest.mark.parametrize("name", ["x" * 300, "a\0b.mp4", "missing.mp4", "file.mp4/below"])
def test_file_that_cannot_be_there_is_refused_in_one_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "file.mp4").write_bytes(b"x")
    with pytest.raises(SourceRejected, match=r"cannot be|there is no file"):
        check_readable(tmp_path / name)
