"""Atomic writing and the names in messages."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from segment import files
from segment.errors import FileError
from segment.files import atomic_write, display_name, file_error, write_bytes


@pytest.fixture(params=["nameless", "named"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Try both ways of writing, where the system has both."""
    if request.param == "named":
        monkeypatch.setattr(files, "_open_nameless", lambda _: None)


@pytest.mark.usefixtures("way")
def test_a_file_appears_whole(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with atomic_write(path) as stream:
        stream.write(b"half")
        assert not path.exists()
        stream.write(b" and half")
    assert path.read_bytes() == b"half and half"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.usefixtures("way")
def test_a_failed_body_leaves_nothing(tmp_path: Path) -> None:
    write_bytes(tmp_path / "old", b"old")
    for path in (tmp_path / "new", tmp_path / "old"):
        with pytest.raises(TypeError), atomic_write(path, overwrite=True) as stream:
            stream.write("text")  # type: ignore[arg-type]
    assert (tmp_path / "old").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


@pytest.mark.usefixtures("way")
def test_an_existing_file_stays_unless_told(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write_bytes(path, b"old")
    with pytest.raises(FileError, match="it exists already"):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    write_bytes(path, b"new", overwrite=True)
    assert path.read_bytes() == b"new"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.usefixtures("way")
def test_a_file_that_appears_meanwhile_stays(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with pytest.raises(FileError, match="it exists already"), atomic_write(path):
        path.write_bytes(b"theirs")
    assert path.read_bytes() == b"theirs"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.usefixtures("way")
@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_the_umask_decides_the_permissions(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        path = write_bytes(tmp_path / "a", b"")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.usefixtures("way")
def test_a_name_of_255_bytes_can_be_written(tmp_path: Path) -> None:
    assert write_bytes(tmp_path / ("n" * 255), b"x").read_bytes() == b"x"


@pytest.mark.usefixtures("way")
def test_what_cannot_be_written_is_one_of_our_errors(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileError, match="folder: it is a folder"):
        write_bytes(tmp_path / "folder", b"", overwrite=True)
    with pytest.raises(FileError, match="no such file or folder"):
        write_bytes(tmp_path / "nowhere" / "a", b"")
    with pytest.raises(FileError, match="too long"):
        write_bytes(tmp_path / ("n" * 256), b"")


def test_names_are_shown_on_one_line() -> None:
    assert display_name("plain é.png") == "plain é.png"
    assert display_name("two\nlines\x1b[31m.png") == "two\\nlines\\x1b[31m.png"
    shown = display_name(b"\xff.png" if os.name != "nt" else "\udcff.png")
    assert shown == "\\udcff.png"
    assert shown.encode()


def test_an_error_tells_the_remedy_and_keeps_the_number() -> None:
    error = file_error("a.png", OSError(errno.ENOSPC, "No space left on device"), "write")
    assert str(error) == ("cannot write a.png: the disk is full; free some space and run again")
    assert error.errno == errno.ENOSPC
