"""Compressed TIFF strips and tiles, decompressed by the libtiff inside Pillow.

Pillow knows few pixel types; its libtiff knows every compression. So the segments of any TIFF are
put, as they are, into a small TIFF of 8-bit gray whose "pixels" are the bytes that the compression
hides: n bands, 12 bits, floats, all come out as the bytes that went in. Only compressions that
encode pictures and not bytes (JPEG, fax) are decoded as the pictures they are.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.images.picture import Pixels
from segment.images.quiet import no_stderr

NONE, LZW, JPEG, DEFLATE = 1, 5, 7, 8
BYTES = frozenset({LZW, DEFLATE, 32773, 32946, 34925, 50000})  # + PackBits, LZMA, Zstandard
FAX = frozenset({2, 3, 4})
PICTURES = frozenset({JPEG}) | FAX

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 256, 257, 258, 259, 262
FILL_ORDER, STRIP_OFFSETS, SAMPLES, ROWS_PER_STRIP, STRIP_COUNTS = 266, 273, 277, 278, 279
TILE_WIDTH, TILE_LENGTH, TILE_OFFSETS, TILE_COUNTS, EXTRA_SAMPLES = 322, 323, 324, 325, 338
FAX3_OPTIONS, FAX4_OPTIONS, JPEG_TABLES = 292, 293, 347
YCBCR = (529, 530, 531, 532)


def decompress(
    segments: Sequence[bytes],
    rows: int,
    row_bytes: int,
    rows_per_segment: int,
    compression: int,
    fill_order: int,
) -> tuple[NDArray[np.uint8], str | None]:
    """Return the bytes in `segments`, one below the other, and what is wrong with them.

    Parameters
    ----------
    segments : sequence of bytes
        Strips, or tiles taken for strips.
    rows, row_bytes, rows_per_segment : int
        Shape of the result, and the rows in each segment but the last.
    compression : int
        TIFF tag 259, one of `BYTES`.
    fill_order : int
        TIFF tag 266.

    Returns
    -------
    ndarray, (rows, row_bytes), uint8
    str or None
    """
    tags: dict[int, Any] = {
        WIDTH: row_bytes,
        HEIGHT: rows,
        BITS: 8,
        COMPRESSION: compression,
        PHOTOMETRIC: 1,
        FILL_ORDER: fill_order,
        SAMPLES: 1,
        ROWS_PER_STRIP: rows_per_segment,
    }
    array, damage = _decode(assemble(tags, segments, tiled=False))
    return array.reshape(rows, row_bytes), damage


def decode_picture(
    tags: dict[int, Any], segments: Sequence[bytes], *, tiled: bool
) -> tuple[Pixels, str | None]:
    """Return the picture in a TIFF of these tags and segments, and what is wrong with it."""
    if tags[COMPRESSION] == NONE:  # Pillow reads subsampled YCbCr only if it is compressed
        tags = tags | {COMPRESSION: DEFLATE}
        segments = [zlib.compress(segment, 0) for segment in segments]
    return _decode(assemble(tags, segments, tiled=tiled))


def _decode(data: bytes) -> tuple[Pixels, str | None]:
    from PIL import TiffImagePlugin

    picture = TiffImagePlugin.TiffImageFile(io.BytesIO(data))
    damage = None
    with no_stderr() as said:
        try:
            picture.load()
        except OSError as error:
            damage = str(error)
            picture.tile = []  # keep what was decompressed before
    if said:  # libtiff fills gaps in faxes, and prints that it did
        damage = said[0]
    if picture.mode == "1":
        return np.asarray(picture, np.uint8), damage
    if picture.mode in {"YCbCr", "RGBX"}:
        return np.asarray(picture.convert("RGB")), damage
    return np.asarray(picture), damage


def assemble(tags: dict[int, Any], segments: Sequence[bytes], *, tiled: bool) -> bytes:
    """Return a little-endian TIFF of one page.

    Raises
    ------
    ValueError
        If it would have more than 4 GiB.
    """
    offsets, body, position = [], [], 8
    for segment in segments:
        offsets.append(position)
        padded = segment + b"\0" * (len(segment) % 2)
        body.append(padded)
        position += len(padded)
    tags = tags | {
        TILE_OFFSETS if tiled else STRIP_OFFSETS: offsets,
        TILE_COUNTS if tiled else STRIP_COUNTS: [len(segment) for segment in segments],
    }
    entries, values = [], b""
    values_at = position + 2 + 12 * len(tags) + 4
    if values_at + 8 * len(segments) > 2**32 - 2**16:
        raise ValueError("its compressed data have more than 4 GiB")
    for code in sorted(tags):
        kind, count, packed = _pack(tags[code])
        if len(packed) > 4:
            entries.append(struct.pack("<HHII", code, kind, count, values_at + len(values)))
            values += packed + b"\0" * (len(packed) % 2)
        else:
            entries.append(struct.pack("<HHI4s", code, kind, count, packed))
    directory = struct.pack("<H", len(entries)) + b"".join(entries) + b"\0" * 4
    return struct.pack("<2sHI", b"II", 42, position) + b"".join(body) + directory + values


def _pack(value: Any) -> tuple[int, int, bytes]:
    """Return (TIFF type, count, bytes) of a tag's value."""
    if isinstance(value, bytes):
        return 7, len(value), value
    if isinstance(value, int):
        value = (value,)
    if any(isinstance(item, float) for item in value):
        pairs = [(round(item * 10**6), 10**6) for item in value]
        return 5, len(pairs), b"".join(struct.pack("<II", *pair) for pair in pairs)
    if max(value) < 65536:
        return 3, len(value), struct.pack(f"<{len(value)}H", *value)
    return 4, len(value), struct.pack(f"<{len(value)}I", *value)
