"""``python -m segment`` is the same as the ``segment`` command."""

import os
import signal
import sys
from types import FrameType

from segment.errors import INTERRUPTED


def run() -> None:
    """Run the command line; Ctrl-C ends it without a traceback from its first moment on."""
    # Where a module is half imported, a KeyboardInterrupt may become any other error.
    guarded = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if guarded:
        signal.signal(signal.SIGINT, _leave)
    from segment.cli.main import run as run_commands

    try:
        if guarded:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        run_commands()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _leave(*_: int | FrameType | None) -> None:
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    run()
