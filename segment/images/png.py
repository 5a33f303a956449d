"""PNG files by their chunks: complete or not, and freed of all that is not picture.

Decoders get only the chunks that make the picture. So a broken comment, a bomb of a text chunk or
an animation cannot hurt, and every checksum of what is decoded has been compared.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import numpy as np

from segment.images.picture import Pixels

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PICTURE = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
METADATA = frozenset({b"iCCP", b"pHYs", b"eXIf", b"acTL", b"sRGB", b"sBIT"})
MAX_PROFILE = 1 << 24  # bytes of an uncompressed ICC profile; real ones have less than 4 MB
METERS_PER_INCH = 0.0254


@dataclass(frozen=True)
class Png:
    """The chunks of a PNG that matter."""

    width: int
    height: int
    depth: int
    color_type: int
    picture: bytes  # a PNG of the picture's chunks alone
    metadata: dict[bytes, bytes]
    damage: str | None

    @property
    def n_frames(self) -> int:
        """Frames of an APNG; 1 for a plain PNG."""
        frames = self.metadata.get(b"acTL", b"")
        return max(1, int.from_bytes(frames[:4], "big")) if len(frames) >= 4 else 1

    @property
    def icc(self) -> bytes | None:
        """The embedded ICC profile, unless the file declares itself sRGB."""
        if b"sRGB" in self.metadata or b"iCCP" not in self.metadata:
            return None
        _, _, packed = self.metadata[b"iCCP"].partition(b"\0")
        unpacker = zlib.decompressobj()
        try:
            profile = unpacker.decompress(packed[1:], MAX_PROFILE)
        except zlib.error:
            return None
        return profile if unpacker.eof else None

    @property
    def resolution(self) -> tuple[float, float] | None:
        """Pixels per inch."""
        chunk = self.metadata.get(b"pHYs", b"")
        if len(chunk) != 9 or chunk[8] != 1:
            return None
        x, y = struct.unpack(">II", chunk[:8])
        return (x * METERS_PER_INCH, y * METERS_PER_INCH) if x and y else None

    @property
    def white(self) -> int | None:
        """The largest value of the significant bits of deep samples; None where all 16 are."""
        bits = max(self.metadata.get(b"sBIT", b"\x10"), default=16)
        return 2**bits - 1 if self.depth == 16 and 8 <= bits < 16 else None

    @property
    def exif(self) -> bytes | None:
        """The EXIF block."""
        return self.metadata.get(b"eXIf")


def read_png(data: bytes) -> Png:
    """Take a PNG apart.

    Raises
    ------
    ValueError
        If not even its header can be read.
    """
    if len(data) < 33 or data[12:16] != b"IHDR":
        raise ValueError("the header is missing")
    width, height, depth, color_type = struct.unpack(">IIBB", data[16:26])
    picture = [SIGNATURE]
    metadata: dict[bytes, bytes] = {}
    damage = "the end is missing"
    view = memoryview(data)
    position = len(SIGNATURE)
    while position + 12 <= len(data):
        length = int.from_bytes(view[position : position + 4], "big")
        kind = bytes(view[position + 4 : position + 8])
        end = position + 12 + length
        if end > len(data):
            if kind == b"IDAT":  # what there is of it
                picture.append(_chunk(kind, bytes(view[position + 8 :])))
            break
        if kind == b"IHDR" and len(picture) > 1:  # decoders believe the last
            damage = "it has several headers"
            break
        if kind in PICTURE or kind in METADATA:
            stored = int.from_bytes(view[end - 4 : end], "big")
            sound = zlib.crc32(view[position + 4 : end - 4]) == stored
            if kind in PICTURE:
                picture.append(bytes(view[position:end]))
                if not sound:
                    damage = f"wrong checksum in {kind.decode('ascii')}"
                    break
            elif sound and kind not in metadata:
                metadata[kind] = bytes(view[position + 8 : end - 4])
        position = end
        if kind == b"IEND":
            return Png(width, height, depth, color_type, b"".join(picture), metadata, None)
    picture.append(_chunk(b"IEND", b""))
    return Png(width, height, depth, color_type, b"".join(picture), metadata, damage)


def with_metadata(
    data: bytes, *, icc: bytes | None, resolution: tuple[float, float] | None
) -> bytes:
    """Return an encoded PNG with an ICC profile and a resolution put behind its header."""
    chunks = []
    if icc is not None:
        chunks.append(_chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(icc)))
    if resolution is not None:
        x, y = (min(round(value / METERS_PER_INCH), 2**31 - 1) for value in resolution)
        chunks.append(_chunk(b"pHYs", struct.pack(">IIB", x, y, 1)))
    return data[:33] + b"".join(chunks) + data[33:]


def gray_alpha(gray: Pixels, alpha: Pixels) -> bytes:
    """Encode gray and alpha, uint8 or uint16, which OpenCV does not write."""
    samples = np.stack([gray, alpha], axis=2)
    rows = samples.astype(samples.dtype.newbyteorder(">")).view(np.uint8).reshape(len(gray), -1)
    lines = np.concatenate([np.zeros((len(rows), 1), np.uint8), rows], axis=1)  # 0: no filter
    header = struct.pack(">IIBBBBB", *gray.shape[::-1], 8 * gray.itemsize, 4, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes())), (b"IEND", b""))
    return SIGNATURE + b"".join(_chunk(kind, body) for kind, body in chunks)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
