"""Where two leaves of a tree meet, by climbing from both."""

from __future__ import annotations

from typing import Any


def meeting(parents: Any, a: int, b: int) -> int:
    """Return the lowest node above both."""
    above = set()
    while a >= 0:
        above.add(a)
        a = int(parents[a])
    while b not in above:
        b = int(parents[b])
    return b
