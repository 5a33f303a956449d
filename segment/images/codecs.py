"""What imagecodecs reads, of the extra `codecs`: JPEG XL, and JPEGs that browsers do not show."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from segment.images.damage import Damage, words
from segment.images.picture import Pixels
from segment.images.quiet import no_stderr
from segment.images.source import Source

LOSSLESS, JPEG_LS = 0xC3, 0xF7  # markers of frames
NAMES = {"jxl": "JPEG XL", "jpeg": "a JPEG of a rare kind"}


def decode(source: Source, data: bytes) -> tuple[Pixels, Pixels | None]:
    """Return (pixels, alpha) in the file's depth.

    Raises
    ------
    FileError
        If the package is not installed.
    Damage
        If the data cannot be decoded.
    """
    try:
        import imagecodecs
    except ImportError:
        raise source.needs_codecs(f"it is {NAMES[source.format]}") from None
    name = {"jxl": "jpegxl", "jpeg": "jpeg8"}[source.format]
    if source.format == "jpeg" and (frame := jpeg_frame(data)) is not None:
        name = {LOSSLESS: "ljpeg", JPEG_LS: "jpegls"}.get(frame[0], name)
    try:
        with no_stderr():
            found: Any = getattr(imagecodecs, f"{name}_decode")(data)
    except ImportError:  # not every build has every codec
        raise source.error(
            f"this imagecodecs does not read {NAMES[source.format]}; convert it to PNG"
        ) from None
    except Exception as error:  # codecs fail on hostile data in more ways than they document
        raise Damage(words(error)) from error
    array = np.asarray(found)
    if array.ndim == 4:  # frames
        array = array[0]
    if array.ndim not in {2, 3}:
        raise Damage(f"it decodes to {array.shape}")
    bands = 1 if array.ndim == 2 else array.shape[2]
    if bands == 1:
        return np.ascontiguousarray(array.reshape(array.shape[:2])), None
    if bands == 3 or source.format == "jpeg":  # four bands of a JPEG are inks
        return np.ascontiguousarray(array), None
    pixels = array[..., 0] if bands == 2 else array[..., :3]
    return np.ascontiguousarray(pixels), np.ascontiguousarray(array[..., -1])


def jxl_size(data: bytes) -> tuple[int, int]:
    """Return the width and height in a JPEG XL codestream, bare or in a container.

    References
    ----------
    ISO/IEC 18181-1:2022, C.3 (SizeHeader).
    """
    start = 0
    if not data.startswith(b"\xff\x0a"):
        start = data.find(b"\xff\x0a", max(data.find(b"jxlc"), data.find(b"jxlp")))
        if start < 0:
            raise Damage("it has no codestream")
    bits = int.from_bytes(data[start + 2 : start + 18], "little")

    def take(n: int) -> int:
        nonlocal bits
        value = bits & ((1 << n) - 1)
        bits >>= n
        return value

    small = take(1)

    def side() -> int:
        return 8 * (take(5) + 1) if small else take((9, 13, 18, 30)[take(2)]) + 1

    height = side()
    ratio = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
    shape = take(3)
    if shape == 0:
        return side(), height
    across, down = ratio[shape - 1]
    return height * across // down, height


def jpeg_frame(data: bytes) -> tuple[int, int, int, int] | None:
    """Return (marker, bits, width, height) of a JPEG's frame header, None if there is none."""
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # fill
            at += 1
            continue
        if marker == JPEG_LS or (0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}):
            height, width = struct.unpack_from(">HH", data, at + 5)
            return marker, data[at + 4], width, height
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def size(format_: str, data: bytes) -> tuple[int, int, int] | None:
    """Return width, height and bits (16 if unknown) of a file to be decoded here, else None.

    Of JPEGs these are the lossless ones, JPEG-LS, and those of other than 8 bits.
    """
    if format_ == "jxl":
        return (*jxl_size(data), 16)
    frame = jpeg_frame(data) if format_ == "jpeg" else None
    if frame is None or (frame[0] not in {LOSSLESS, JPEG_LS} and frame[1] == 8):
        return None
    return frame[2], frame[3], frame[1]
