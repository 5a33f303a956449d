"""The errors that `segment` raises on purpose.

Each message is one line: the value, the reason, the remedy. Every class is both ours and Python's,
so ``except SegmentError`` catches all of them and ``except ValueError`` keeps working.
"""

from __future__ import annotations

INTERRUPTED = 130  # exit code: 128 + SIGINT, as shells report it


class SegmentError(Exception):
    """Base class of every error that `segment` raises on purpose."""


class InputError(SegmentError, ValueError):
    """An array or a parameter cannot be used; the message says why and what to do."""


class InputWarning(UserWarning):
    """A result rests on an assumption about the input; the message says which."""


class FileError(SegmentError, OSError):
    """A file cannot be read or written; the message names it and says why."""


class ExtraError(SegmentError, ImportError):
    """An optional dependency is missing; the message says which extra installs it."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(
            f"{feature} needs the '{extra}' extra: install it with  pip install 'segment[{extra}]'"
        )
