"""Image files changed by their structure: numbers, chunks and tables, with checksums made right.

What flips bytes at random seldom gets past a checksum or a length. Here each format is taken apart
by its own rules, one part is changed, left out, doubled or moved, and the file is put together so
that decoders look at the change.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

from numpy.random import Generator

NUMBERS = (*range(9), 127, 128, 255, 256, 4095, 32767, 32768, 65535, 2**31 - 1, 2**31, 2**32 - 1)
PNG = b"\x89PNG\r\n\x1a\n"
# Places of numbers in headers of a fixed form: (start of the file, [(offset, format), ...]).
HEADERS: tuple[tuple[bytes, tuple[tuple[int, str], ...]], ...] = (
    (b"BM", ((10, "<I"), (14, "<I"), (18, "<i"), (22, "<i"), (26, "<H"), (28, "<H"), (30, "<I"),
             (34, "<I"), (46, "<I"))),
    (b"GIF8", ((6, "<H"), (8, "<H"), (10, "B"), (11, "B"))),
    (b"DDS ", ((8, "<I"), (12, "<I"), (16, "<I"), (20, "<I"), (28, "<I"), (80, "<I"), (84, "<I"),
               (88, "<I"))),
    (b"qoif", ((4, ">I"), (8, ">I"), (12, "B"), (13, "B"))),
    (b"\n", ((1, "B"), (2, "B"), (3, "B"), (4, "<H"), (8, "<H"), (10, "<H"), (65, "B"),
             (66, "<H"))),
    (b"\x01\xda", ((2, "B"), (3, "B"), (4, ">H"), (6, ">H"), (8, ">H"), (10, ">H"))),
    (b"\0\0\1\0", ((4, "<H"), (6, "B"), (7, "B"), (12, "<H"), (14, "<I"), (18, "<I"))),
    (b"\0\0\2\0", ((2, "B"), (12, "<H"), (14, "<H"), (16, "B"), (17, "B"))),  # TGA
    (b"farbfeld", ((8, ">I"), (12, ">I"))),
    (b"v/1\1", ((4, "<I"),)),
)  # fmt: skip


def changed_number(rng: Generator, data: bytes, at: int, form: str) -> bytes:
    """Put another number where one of this `struct` format stands."""
    size = struct.calcsize(form)
    if at + size > len(data):
        return data
    value = int(rng.choice(NUMBERS))
    if rng.random() < 0.3:  # near the old one
        value = int.from_bytes(data[at : at + size], "big" if form[0] == ">" else "little")
        value += int(rng.integers(-2, 3))
    order = "big" if form[0] == ">" else "little"
    return data[:at] + (value % 256**size).to_bytes(size, order) + data[at + size :]


def shuffled(rng: Generator, parts: list[bytes]) -> list[bytes]:
    """Leave out, double or move one of the parts."""
    parts = list(parts)
    if not parts:
        return parts
    k = int(rng.integers(len(parts)))
    match int(rng.integers(3)):
        case 0:
            del parts[k]
        case 1:
            parts.insert(k, parts[k])
        case 2:
            parts.insert(int(rng.integers(len(parts))), parts.pop(k))
    return parts


def dented(rng: Generator, body: bytes) -> bytes:
    """Change a byte, or a number of two or four, or the length."""
    if not body or rng.random() < 0.2:
        return body[: int(rng.integers(len(body) + 1))] + bytes(int(rng.integers(0, 5)))
    form = str(rng.choice(["B", "<H", ">H", "<I", ">I"]))
    return changed_number(rng, body, int(rng.integers(len(body))), form)


def png_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Return (kind, body) of the chunks of a PNG."""
    chunks, at = [], len(PNG)
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + size]))
        at += 12 + size
    return chunks


def png_from(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """Put chunks together, each with its checksum."""
    return PNG + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def shape_png(rng: Generator, data: bytes) -> bytes:
    chunks = png_chunks(data)
    if not chunks or rng.random() < 0.3:
        parts = shuffled(rng, [kind + body for kind, body in chunks])
        return png_from([(part[:4], part[4:]) for part in parts])
    k = int(rng.integers(len(chunks)))
    kind, body = chunks[k]
    if kind == b"IDAT" and rng.random() < 0.7:  # the rows themselves, well compressed
        try:
            chunks[k] = kind, zlib.compress(dented(rng, zlib.decompress(body)))
        except zlib.error:
            chunks[k] = kind, dented(rng, body)
    elif kind == b"IHDR" and len(body) == 13:
        at, form = [(0, ">I"), (4, ">I"), (8, "B"), (9, "B"), (10, "B"), (11, "B"), (12, "B")][
            int(rng.integers(7))
        ]
        chunks[k] = kind, changed_number(rng, body, at, form)
    else:
        kinds = (kind, b"PLTE", b"tRNS", b"iCCP", b"pHYs", b"eXIf", b"sBIT", b"acTL", b"fcTL")
        chunks[k] = (
            kinds[int(rng.integers(len(kinds)))] if rng.random() < 0.3 else kind,
            dented(rng, body),
        )
    return png_from(chunks)


def shape_jpeg(rng: Generator, data: bytes) -> bytes:
    segments, at = [], 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        segments.append(data[at + 1 : at + 2] + data[at + 4 : at + 2 + size])
        at += 2 + size
    rest = data[at:]
    if segments and rng.random() < 0.7:
        k = int(rng.integers(len(segments)))
        marker = segments[k][:1]
        if rng.random() < 0.2:
            marker = bytes(
                [int(rng.choice([0xC0, 0xC1, 0xC2, 0xC3, 0xC4, 0xDB, 0xE1, 0xEE, 0xF7]))]
            )
        segments[k] = marker + dented(rng, segments[k][1:])
    else:
        segments = shuffled(rng, segments)
    if rng.random() < 0.3:
        rest = rest[:20] + dented(rng, rest[20:])
    return (
        data[:2]
        + b"".join(
            b"\xff" + part[:1] + struct.pack(">H", (len(part) + 1) % 65536) + part[1:]
            for part in segments
        )
        + rest
    )


def shape_tiff(rng: Generator, data: bytes) -> bytes:
    """Change a field of an entry of the first directory: its tag, type, count or value."""
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    count_form, word, size, head = ("Q", "Q", 20, 8) if big else ("H", "I", 12, 2)
    (at,) = struct.unpack_from(order + word, data, 8 if big else 4)
    if at + head > len(data):
        return dented(rng, data)
    (n,) = struct.unpack_from(order + count_form, data, at)
    if not 0 < n < 1000:
        return dented(rng, data)
    entry = at + head + size * int(rng.integers(n))
    form = "Q" if big else "I"
    fields = ((0, "H"), (2, "H"), (4, form), (8 + 4 * big, form), (8 + 4 * big, "H"))
    offset, field_form = fields[int(rng.choice(5, p=[0.15, 0.15, 0.2, 0.25, 0.25]))]
    if offset == 0 and entry + 2 <= len(data):
        tags = [
            256,
            257,
            258,
            259,
            262,
            266,
            277,
            284,
            317,
            320,
            322,
            323,
            338,
            339,
            347,
            530,
            42113,
        ]
        return data[:entry] + struct.pack(order + "H", int(rng.choice(tags))) + data[entry + 2 :]
    return changed_number(rng, data, entry + offset, order + field_form)


def shape_riff(rng: Generator, data: bytes) -> bytes:
    chunks, at = [], 12
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        chunks.append(data[at : at + 4] + data[at + 8 : at + 8 + size])
        at += 8 + size + size % 2
    if chunks and rng.random() < 0.7:
        k = int(rng.integers(len(chunks)))
        chunks[k] = chunks[k][:4] + dented(rng, chunks[k][4:])
    else:
        chunks = shuffled(rng, chunks)
    body = b"WEBP" + b"".join(
        part[:4] + struct.pack("<I", len(part) - 4) + part[4:] + b"\0" * (len(part) % 2)
        for part in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


NESTED = {b"meta", b"iprp", b"ipco", b"jp2h", b"moov", b"iinf"}


def shape_boxes(rng: Generator, data: bytes) -> bytes:
    """JPEG 2000, AVIF, HEIC and JPEG XL: boxes within boxes, whose lengths are made right."""
    parts, at = [], 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        end = at + size if size >= 8 else len(data)
        parts.append(data[at + 4 : end])
        at = end
    if not parts:
        return dented(rng, data)
    if rng.random() < 0.2:
        parts = shuffled(rng, parts)
    else:
        k = int(rng.integers(len(parts)))
        kind, body = parts[k][:4], parts[k][4:]
        skip = 4 if kind == b"meta" else 6 if kind == b"iinf" else 0
        if kind in NESTED and len(body) > skip + 8:
            body = body[:skip] + shape_boxes(rng, body[skip:])
        else:
            body = dented(rng, body)
        parts[k] = kind + body
    return b"".join(struct.pack(">I", len(part) + 4) + part for part in parts)


def shape_header(rng: Generator, data: bytes) -> bytes:
    for start, places in HEADERS:
        if data.startswith(start):
            at, form = places[int(rng.integers(len(places)))]
            return changed_number(rng, data, at, form)
    return dented(rng, data[:200]) + data[200:]


def shaper(data: bytes) -> Callable[[Generator, bytes], bytes]:
    """Return what takes a file of this format apart."""
    if data.startswith(PNG):
        return shape_png
    if data.startswith(b"\xff\xd8"):
        return shape_jpeg
    if data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return shape_tiff
    if data.startswith(b"RIFF"):
        return shape_riff
    if data[4:8] in (b"ftyp", b"jP  ", b"JXL "):
        return shape_boxes
    return shape_header


def shaped(data: bytes, rng: Generator) -> bytes:
    """Change a file by its structure, once to three times."""
    for _ in range(int(rng.integers(1, 4))):
        data = shaper(data)(rng, data)
        if len(data) < 16:
            break
    return data
