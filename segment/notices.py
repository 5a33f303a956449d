"""Words that go with a result which was reached by an assumption: warnings, or whoever listens."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from segment.errors import InputWarning

Listener = Callable[[str], None]
_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


def say(text: str) -> None:
    """Tell the listener of this context, or else warn at the line that called into `segment`."""
    listener = _listener.get()
    if listener is not None:
        listener(text)
        return
    level = 2
    while sys._getframe(level - 1).f_globals.get("__name__", "").partition(".")[0] == "segment":
        level += 1
    warnings.warn(text, InputWarning, stacklevel=level)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Let `listener` be told what is said on this thread in the block, in place of warnings."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
