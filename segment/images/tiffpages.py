"""Which directories of a TIFF are pages, and which are overviews of one, or masks for one."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

SUBFILE_TYPE, WIDTH, HEIGHT = 254, 256, 257
REDUCED, MASK = 1, 4  # bits of NewSubfileType
SIZES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q"}  # of the TIFF types that such tags have


@dataclass(frozen=True)
class Directory:
    """What one image file directory says of itself."""

    kind: int  # NewSubfileType
    width: int
    height: int


@dataclass(frozen=True)
class Page:
    """A page: its place among the directories, and that of the mask that goes with it."""

    index: int
    mask: int | None = None


def find_pages(stream: BinaryIO, byteorder: str, *, big: bool, count: int) -> list[Page]:
    """Return the pages among the `count` directories of a TIFF.

    Overviews (NewSubfileType 1) and masks (4) are none, unless there is nothing else. A mask goes
    with the page before it, if it has its size.
    """
    found = _directories(stream, byteorder, big=big, count=count)
    if len(found) != count:  # the chain is broken: whoever decodes will tell
        return [Page(index) for index in range(count)]
    pages: list[Page] = []
    for index, directory in enumerate(found):
        if not directory.kind & (REDUCED | MASK):
            pages.append(Page(index))
        elif directory.kind & MASK and not directory.kind & REDUCED and pages:
            last = pages[-1]
            own = found[last.index]
            if last.mask is None and (own.width, own.height) == (directory.width, directory.height):
                pages[-1] = Page(last.index, index)
    return pages or [Page(index) for index in range(count)]


def _directories(stream: BinaryIO, byteorder: str, *, big: bool, count: int) -> list[Directory]:
    """Return the first `count` directories, as far as they can be read."""
    head, step = (8, 20) if big else (2, 12)
    address = byteorder + ("Q" if big else "I")
    found: list[Directory] = []
    try:
        stream.seek(8 if big else 4)
        (offset,) = struct.unpack(address, stream.read(struct.calcsize(address)))
        while offset and len(found) < count:
            stream.seek(offset)
            (n,) = struct.unpack(byteorder + ("Q" if big else "H"), stream.read(head))
            if n > 4096:
                return found
            entries = stream.read(n * step)
            values = {SUBFILE_TYPE: 0, WIDTH: 0, HEIGHT: 0}
            for start in range(0, n * step, step):
                code, kind = struct.unpack_from(byteorder + "HH", entries, start)
                if code in values and kind in SIZES:
                    at = start + (12 if big else 8)
                    (values[code],) = struct.unpack_from(byteorder + SIZES[kind], entries, at)
            found.append(Directory(*values.values()))
            (offset,) = struct.unpack(address, stream.read(struct.calcsize(address)))
    except struct.error:  # it ends too early
        return found
    return found
