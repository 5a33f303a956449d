"""GIF by its blocks: how large its frames are, told before a decoder makes room for them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import islice

IMAGE, EXTENSION, TABLE = 0x2C, 0x21, 0x80
HEADER = 13


def canvas(data: bytes, page: int) -> tuple[int, int]:
    """Return the width and height of the canvas once the frames up to a page are drawn.

    It grows with frames that stand over its edge.
    """
    width, height = struct.unpack_from("<HH", data.ljust(HEADER, b"\0"), 6)
    for right, bottom in islice(frames(data), page + 1):
        width, height = max(width, right), max(height, bottom)
    return width, height


def frames(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the right and the lower end of each frame."""
    if len(data) < HEADER:
        return
    at = HEADER + _table(data[10])
    while at < len(data):
        if data[at] == IMAGE:
            if at + 11 > len(data):
                return
            left, top, width, height, flags = struct.unpack_from("<HHHHB", data, at + 1)
            yield left + width, top + height
            at = _after_blocks(data, at + 11 + _table(flags))
        elif data[at] == EXTENSION:
            at = _after_blocks(data, at + 2)
        else:  # the trailer ends it, and what is none is passed by, as Pillow does
            if data[at] == 0x3B:
                return
            at += 1


def _table(flags: int) -> int:
    """Return the bytes of the colours that stand behind a descriptor with these flags."""
    return 3 << (flags & 7) + 1 if flags & TABLE else 0


def _after_blocks(data: bytes, at: int) -> int:
    """Return where the blocks of data end that begin here."""
    while at < len(data) and data[at]:
        at += 1 + data[at]
    return at + 1
