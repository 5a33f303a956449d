"""How much memory there is, and sizes as people write them."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

from segment.errors import FileError, InputError

UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
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
