"""How much memory there is."""

from __future__ import annotations

import contextlib
from pathlib import Path

from segment.errors import FileError


def refuse_beyond(needed: float, what: str, remedy: str) -> None:
    """Raise FileError if there is less free memory than `needed` bytes for `what`."""
    free = free_memory()
    if needed > free:
        raise FileError(
            f"{what} needs about {needed / 1e9:.1f} GB of memory and {free / 1e9:.1f} GB are free; "
            f"{remedy}"
        )


def free_memory() -> float:
    """Return the bytes of memory that can be taken; infinite where the system does not tell."""
    limits = [float("inf")]
    with contextlib.suppress(OSError, ValueError, KeyError):
        facts = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        limits.append(float(facts["MemAvailable"].split()[0]) * 1024)
    with contextlib.suppress(OSError, ValueError):  # a container's own limit
        most = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        used = Path("/sys/fs/cgroup/memory.current").read_text().strip()
        limits.append(float(most) - float(used))
    return max(min(limits), 0.0)
