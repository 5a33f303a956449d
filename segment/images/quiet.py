"""Decoders without their chatter: what they log, and what C libraries write to descriptor 2."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import sys
import tempfile
import threading
from collections.abc import Iterator

_lock = threading.Lock()
_stderr_lock = threading.Lock()
_unlimited = 0
_limit: int | None = None


@functools.cache
def no_logging() -> None:
    """Keep Python from printing what decoders log, where nobody has asked for their logs."""
    for name in ("PIL", "tifffile"):
        logging.getLogger(name).addHandler(logging.NullHandler())


@contextlib.contextmanager
def no_pixel_limit() -> Iterator[None]:
    """Lift Pillow's own pixel limit, a global of the process, in any number of threads at once.

    Whoever enters has compared the size in the header with the caller's limit. The limit is as it
    was when the last one is out.
    """
    from PIL import Image

    global _unlimited, _limit
    with _lock:
        if _unlimited == 0:
            _limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        _unlimited += 1
    try:
        yield
    finally:
        with _lock:
            _unlimited -= 1
            if _unlimited == 0:
                Image.MAX_IMAGE_PIXELS = _limit


@contextlib.contextmanager
def no_stderr() -> Iterator[list[str]]:
    """Catch what C libraries print on file descriptor 2, one thread at a time.

    Yields a list that holds the lines once the body is done. The whole process shares the
    descriptor, so keep the body to the one call that decodes.
    """
    lines: list[str] = []
    with _stderr_lock:
        if sys.stderr is not None:
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.flush()
        try:
            saved = os.dup(2)
        except OSError:  # closed: nobody hears the chatter
            yield lines
            return
        with tempfile.TemporaryFile() as caught:
            os.dup2(caught.fileno(), 2)
            try:
                yield lines
            finally:
                os.dup2(saved, 2)
                os.close(saved)
                caught.seek(0)
                lines += caught.read(1 << 16).decode("utf-8", "replace").splitlines()
