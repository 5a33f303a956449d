"""How much memory there is, and sizes as people write them."""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from segment.errors import FileError, InputError

UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
SMALL = 1 << 26  # bytes for which nobody looks at what is free
SHARE = 0.8  # of the free memory may be taken by what is done at once
CONTROL_GROUPS = Path("/sys/fs/cgroup")
# Of version 2 and of version 1: the folder, the files of the limit and of what is taken, and what
# is said of files that are kept at hand.
GROUP_FILES = {
    "": ("", "memory.max", "memory.current", "inactive_file"),
    "memory": ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
}
UNITS |= {f"{prefix}I": 1024**k for k, prefix in enumerate("KMGT", 1)}


def parse_size(name: str, value: object) -> int:
    """Return a number of bytes, or raise InputError.

    Parameters
    ----------
    name : str
        Of the parameter, for the message.
    value : int or str
        Bytes, or such as "4GB" (10**9 each) or "512MiB" (2**20 each).
    """
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?I?)B?\s*", str(value).upper())
    size = int(float(found[1]) * UNITS.get(found[2], 0)) if found else 0
    if size <= 0:
        raise InputError(f"{name}={value!r} is no size; give one such as 4GB or 512MB")
    return size


def size_text(n_bytes: float) -> str:
    """Return bytes for people.

    >>> size_text(3_210_000_000)
    '3.2 GB'
    """
    size = float(n_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if size >= 10 or unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def refuse_beyond(needed: float, what: str, remedy: str) -> None:
    """Raise FileError if there is less free memory than `needed` bytes for `what`."""
    if needed < SMALL:
        return
    free = free_memory()
    if needed > free:
        raise FileError(
            f"{what} needs about {size_text(needed)} of memory and {size_text(free)} are free; "
            f"{remedy}"
        )


def free_memory() -> float:
    """Return the bytes of memory that can be taken; infinite where the system does not tell."""
    limits = [float("inf"), *_of_machine(), *_of_process(), *_of_containers()]
    return max(min(limits), 0.0)


def _of_machine() -> Iterator[float]:
    with contextlib.suppress(OSError, ValueError, KeyError):
        facts = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        yield float(facts["MemAvailable"].split()[0]) * 1024
        return
    with contextlib.suppress(AttributeError, OSError, ValueError):  # all that is built in
        yield float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))


def _of_process() -> Iterator[float]:
    """Yield what `ulimit -v` leaves."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        most, _ = resource.getrlimit(resource.RLIMIT_AS)
        if most != resource.RLIM_INFINITY:
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            yield float(most - pages * resource.getpagesize())


def _of_containers() -> Iterator[float]:
    """Yield what the control groups leave that this process is in.

    Files that are kept at hand for reading make room when it is needed.
    """
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, group = line.split(":", 2)
            if controllers in GROUP_FILES:
                folder, *names = GROUP_FILES[controllers]
                own = PurePosixPath(group)
                for place in (own, *own.parents):
                    yield from _of_group(CONTROL_GROUPS / folder / place.relative_to("/"), *names)


def _of_group(folder: Path, limit: str, usage: str, inactive: str) -> Iterator[float]:
    with contextlib.suppress(OSError, ValueError, KeyError):
        most = float((folder / limit).read_text())  # where there is none, "max", no number
        used = float((folder / usage).read_text())
        facts = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        yield most - used + float(facts[inactive])


class Budget:
    """Memory that pictures share which are done at once.

    Parameters
    ----------
    n_bytes : float
        How much there is; one picture may always go on, however much it takes.
    """

    def __init__(self, n_bytes: float) -> None:
        self._left, self._takers = n_bytes, 0
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def sharing(self) -> Iterator[Callable[[float], None]]:
        """Yield what waits for so many bytes; they are given back at the end of the block."""
        taken: list[float] = []

        def take(n_bytes: float) -> None:
            with self._changed:
                self._changed.wait_for(lambda: not self._takers or n_bytes <= self._left)
                taken.append(n_bytes)
                self._left -= n_bytes
                self._takers += 1

        try:
            yield take
        finally:
            with self._changed:
                self._left += sum(taken)
                self._takers -= len(taken)
                self._changed.notify_all()
