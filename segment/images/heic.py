"""HEIC, as telephones write it, which the extra `codecs` reads."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np

from segment.images.color import to_srgb
from segment.images.damage import Damage, words
from segment.images.picture import Image, Pixels
from segment.images.quiet import no_stderr
from segment.images.source import Source


def decode(source: Source, check: Callable[[int, int, int, int], None]) -> Image:
    """Decode the main picture of a HEIC file; parameters and errors as in `raster.decode`."""
    data = source.read_all()
    check(*size(data), 8, 4)
    try:
        import pillow_heif
    except ImportError:
        raise source.needs_codecs("it is HEIC") from None
    try:
        with no_stderr():
            # Turned as the file asks; what EXIF says of that is not to count again.
            picture = pillow_heif.open_heif(data, convert_hdr_to_8bit=False)
            array = np.asarray(picture)
    except Exception as error:  # the decoder fails on hostile data in more ways than it documents
        raise Damage(words(error)) from error
    pixels, alpha = _parted(array, "A" in picture.mode)
    icc = picture.info.get("icc_profile")
    image = Image(pixels, alpha)
    if not icc:
        return image
    pixels, left, note = to_srgb(pixels, icc)
    return Image(pixels, alpha, icc=left, notes=(note,) if note else ())


def _parted(array: Pixels, transparent: bool) -> tuple[Pixels, Pixels | None]:
    """Return colours and alpha."""
    alpha = np.ascontiguousarray(array[..., -1]) if transparent else None
    colors = array[..., :-1] if transparent else array
    if colors.ndim == 3 and colors.shape[2] == 1:
        colors = colors[..., 0]
    return np.array(colors), alpha


def size(data: bytes) -> tuple[int, int]:
    """Return the width and height of the largest picture that a HEIC file declares."""
    sizes: list[tuple[int, int]] = []
    at = data.find(b"ispe")
    while at >= 0 and at + 16 <= len(data) and len(sizes) < 10_000:
        sizes.append(struct.unpack_from(">II", data, at + 8))
        at = data.find(b"ispe", at + 4)
    if not sizes:
        raise Damage("its size is missing")
    return max(sizes, key=lambda size: size[0] * size[1])
