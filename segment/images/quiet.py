"""Decoders without their chatter: warnings, and what C libraries write to file descriptor 2."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator

_lock = threading.Lock()
_stderr_lock = threading.Lock()
_inside = 0
_filters: warnings.catch_warnings[None] | None = None


@contextlib.contextmanager
def no_warnings() -> Iterator[None]:
    """Silence Python warnings of the decoders, in any number of threads at once.

    ``warnings.catch_warnings`` alone is not safe here: two threads that leave in the wrong order
    restore each other's filters. The first in saves the filters and the last out restores them.
    """
    global _inside, _filters
    with _lock:
        if _inside == 0:
            _filters = warnings.catch_warnings()
            _filters.__enter__()
            warnings.simplefilter("ignore")
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0 and _filters is not None:
                _filters.__exit__(None, None, None)
                _filters = None


@contextlib.contextmanager
def no_stderr() -> Iterator[None]:
    """Swallow what C libraries print on file descriptor 2, one thread at a time.

    Keep the body short: the whole process shares the descriptor. Lines of others that land in
    between are passed on afterwards.
    """
    with _stderr_lock:
        if sys.stderr is not None:
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.flush()
        try:
            saved = os.dup(2)
        except OSError:  # closed: there is nothing to swallow
            yield
            return
        with tempfile.TemporaryFile() as caught:
            os.dup2(caught.fileno(), 2)
            try:
                yield
            finally:
                os.dup2(saved, 2)
                os.close(saved)
                caught.seek(0)
                others = [line for line in caught if not _is_chatter(line)]
                if others:
                    os.write(2, b"".join(others))


def _is_chatter(line: bytes) -> bool:
    # OpenCV's log, libpng, libjpeg, OpenJPEG: every line they write begins like this.
    starts = (b"[ WARN:", b"[ERROR:", b"[ INFO:", b"libpng ", b"Corrupt JPEG", b"Premature end")
    return line.startswith(starts) or b"global grfmt" in line or b"imread_" in line
