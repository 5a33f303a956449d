"""Files written whole or not at all, and file names fit for one line of text."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from segment.errors import FileError

# What the messages say instead of the C library's words, where a remedy is known.
REMEDIES = {
    errno.ENOSPC: "the disk is full; free some space and run again",
    errno.EDQUOT: "the disk quota is used up; free some space and run again",
    errno.EACCES: "permission denied; change its permissions or choose another place",
    errno.EROFS: "the file system is read-only; choose another place",
    errno.ENAMETOOLONG: "the name is too long for this file system; use a shorter one",
    errno.ENOENT: "no such file or folder; check the name",
    errno.ENOTDIR: "a part of the path is a file, not a folder; check the name",
    errno.ELOOP: "its symbolic links form a loop; give the file itself",
    errno.EISDIR: "it is a folder; give a file",
    errno.EEXIST: "it exists already; remove it or allow overwriting",
    errno.EMFILE: "too many open files; close some or raise the limit (ulimit -n)",
}
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})

TEMPORARY = ".segment-"


def display_name(path: str | bytes | os.PathLike[str] | os.PathLike[bytes]) -> str:
    """Return a file name as one printable line: control and undecodable characters are escaped.

    >>> display_name("two\\nlines.png")
    'two\\\\nlines.png'
    """
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in os.fsdecode(path)
    )


def distinct(candidates: Sequence[Sequence[str]]) -> list[str]:
    """Choose a name for each item so that no two are one file on any disk.

    Names that differ in case, or in how accents are composed, are one file on many disks.

    Parameters
    ----------
    candidates : sequence of sequences of str
        The names that an item may have, the best first. Items that would get the same name all
        get their next one; those that are alike to the last are numbered.

    Returns
    -------
    names : list of str

    Examples
    --------
    >>> distinct([["a", "a.jpg"], ["a", "a.png"], ["b", "b.png"]])
    ['a.jpg', 'a.png', 'b']
    >>> distinct([["A"], ["a"]])
    ['A', 'a-2']
    """
    level = [0] * len(candidates)
    while True:
        names = [options[k] for options, k in zip(candidates, level, strict=True)]
        uses = Counter(map(_on_any_disk, names))
        raised = [
            k + 1 if uses[_on_any_disk(name)] > 1 and k + 1 < len(options) else k
            for options, k, name in zip(candidates, level, names, strict=True)
        ]
        if raised == level:
            break
        level = raised
    taken = {key for key, n in uses.items() if n == 1}
    for place, name in enumerate(names):
        tried, number = name, 1
        while uses[_on_any_disk(name)] > 1 and _on_any_disk(tried) in taken:
            number += 1
            tried = f"{name}-{number}"
        taken.add(_on_any_disk(tried))
        names[place] = tried
    return names


def _on_any_disk(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def file_error(path: str | os.PathLike[str], error: OSError, doing: str = "read") -> FileError:
    """Return the FileError for an operating system's error: the file, the reason, the remedy."""
    code = error.errno or 0
    reason = REMEDIES.get(code) or error.strerror or str(error) or type(error).__name__
    made = FileError(f"cannot {doing} {display_name(path)}: {reason}")
    made.errno = code or None
    return made


def is_whole(path: Path) -> bool:
    """Whether something is there that `atomic_write` may have written, not an emptied file."""
    return os.path.lexists(path) and not (path.is_file() and path.stat().st_size == 0)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, if need be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise file_error(folder, error, "make the folder") from error


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str], *, overwrite: bool = False) -> Iterator[IO[bytes]]:
    """Open a file that appears under its name only once it is complete.

    The bytes go to a temporary file in the same folder, which then takes the name in one step. If
    the body raises, or the process dies, nothing bears the name that did not before.

    Parameters
    ----------
    path : path-like
        Where the file shall be. Its folder must exist.
    overwrite : bool
        Whether a file of that name may be replaced.

    Yields
    ------
    binary file

    Raises
    ------
    FileError
        If the file exists and `overwrite` is false, or the system refuses to write.
    """
    target = Path(path)
    refuse_existing(target, overwrite=overwrite)
    temporary = temporary_name(target.parent)
    try:
        descriptor = _open_nameless(target.parent)
        nameless = descriptor is not None
        if descriptor is None:
            # os.open and not tempfile: the file keeps the permissions that the umask grants.
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
            descriptor = os.open(temporary, flags, 0o666)
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            if nameless:
                _name(stream.fileno(), temporary if overwrite else target)
        if overwrite or not nameless:
            _take_name(temporary, target, overwrite=overwrite)
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise file_error(target, error, "write") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike[str], *, overwrite: bool = False) -> Iterator[Path]:
    """Yield a name for a library to write to; the file takes the name `path` once it is complete.

    As `atomic_write`, for what insists on opening files by name. The suffix is kept.
    """
    target = Path(path)
    refuse_existing(target, overwrite=overwrite)
    try:
        with tempfile.TemporaryDirectory(prefix=TEMPORARY, dir=target.parent) as folder:
            unfinished = Path(folder, f"unfinished{target.suffix.lower()}")
            yield unfinished
            _take_name(unfinished, target, overwrite=overwrite)
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise file_error(target, error, "write") from error


def temporary_name(folder: Path) -> Path:
    """Return a new name for an unfinished file, which tells the process that writes it.

    It is short, so that it fits wherever the file's own name fits.
    """
    return folder / f"{TEMPORARY}{os.getpid()}-{secrets.token_hex(6)}.tmp"


def _open_nameless(folder: Path) -> int | None:
    """Open a file without a name, which vanishes if the process is killed; Linux has them."""
    if not hasattr(os, "O_TMPFILE") or not Path("/proc/self/fd").is_dir():
        return None
    try:
        return os.open(folder, os.O_TMPFILE | os.O_WRONLY, 0o666)
    except OSError as error:
        if error.errno in {errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT}:
            return None  # not on this file system; a missing folder shows in the next step
        raise


def _name(descriptor: int, path: Path) -> None:
    folder = os.open(path.parent, os.O_RDONLY)
    try:  # given a folder, os.link follows the link that /proc holds
        os.link(f"/proc/self/fd/{descriptor}", path.name, src_dir_fd=folder, dst_dir_fd=folder)
    finally:
        os.close(folder)


def write_bytes(path: str | os.PathLike[str], data: bytes, *, overwrite: bool = False) -> Path:
    """Write `data` to `path`, whole or not at all; see `atomic_write`."""
    with atomic_write(path, overwrite=overwrite) as stream:
        stream.write(data)
    return Path(path)


def refuse_existing(path: Path, *, overwrite: bool) -> None:
    """Raise FileError if `path` exists and may not be replaced, or is no regular file."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise file_error(path, error, "write") from error
    if stat.S_ISDIR(mode):
        raise FileError(f"cannot write {display_name(path)}: it is a folder; give another name")
    if not overwrite:
        raise file_error(path, OSError(errno.EEXIST, ""), "write")


def _take_name(temporary: Path, target: Path, *, overwrite: bool) -> None:
    if overwrite:
        os.replace(temporary, target)
        return
    try:
        # A link, unlike a rename, fails if the name has been taken meanwhile.
        os.link(temporary, target)
    except FileExistsError:
        raise
    except (OSError, NotImplementedError, AttributeError):
        refuse_existing(target, overwrite=False)
        os.replace(temporary, target)
