"""Words that go with a result which was reached by an assumption, and no words of libraries."""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from segment.errors import InputWarning

Listener = Callable[[str], None]
_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)
_lock = threading.Lock()
_inside = 0
_silenced: set[type[Warning]] = set()
_filters: warnings.catch_warnings[None] | None = None


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


@contextmanager
def no_warnings(category: type[Warning] = Warning) -> Iterator[None]:
    """Silence warnings of a category, in any number of threads at once.

    ``warnings.catch_warnings`` alone is not safe here: two threads that leave in the wrong order
    restore each other's filters. The first in saves the filters and the last out restores them.
    Libraries that we call use it as well (Numba does while it compiles): a run whose threads open
    files therefore enters this before they start, so that no filter changes under them.
    """
    global _inside, _filters
    with _lock:
        if _inside == 0:
            _filters = warnings.catch_warnings()
            _filters.__enter__()
        if category not in _silenced:
            warnings.simplefilter("ignore", category)
            _silenced.add(category)
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0 and _filters is not None:
                _filters.__exit__(None, None, None)
                _filters = None
                _silenced.clear()
