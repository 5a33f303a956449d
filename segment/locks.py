"""A folder's lock: one run at a time, and free again when its process dies, however."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from segment.errors import FileError
from segment.files import display_name, file_error


@contextlib.contextmanager
def locked(folder: Path, name: str) -> Iterator[None]:
    """Hold the lock of a folder, a file of that name in it, which is removed in the end.

    Raises
    ------
    FileError
        If another run holds it, or it cannot be made.
    """
    path = folder / name
    while True:
        try:
            stream = path.open("a+", encoding="utf-8")
        except OSError as error:
            raise file_error(folder, error, "write to") from error
        with stream:
            if not _try_lock(stream.fileno()):
                stream.seek(0)
                holder = stream.read(200).strip()
                raise FileError(
                    f"{display_name(folder)} is in use by another run "
                    f"({display_name(holder) or 'just started'}); wait for it, or stop it"
                )
            if not _still_there(path, stream.fileno()):
                continue  # its holder has just removed it
            _sign(stream)
            try:
                yield
            finally:
                with contextlib.suppress(OSError):
                    path.unlink()
            return


def _sign(stream: IO[str]) -> None:
    """Say in the file who holds it; on a full disk nobody does, and it is held all the same."""
    stream.truncate(0)
    text = f"process {os.getpid()} on {socket.gethostname()}\n"
    with contextlib.suppress(OSError):
        os.write(stream.fileno(), text.encode())


def _try_lock(descriptor: int) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            return False
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in {errno.EWOULDBLOCK, errno.EACCES}:
            return False
        if error.errno not in {errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS}:
            raise
        # A file system without locks: better to work without one than not at all.
    return True


def _still_there(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
