"""TIFF compressions that are pictures of their own, decoded by whoever can: JPEG 2000, LERC, ..."""

from __future__ import annotations

from typing import Any

import numpy as np

from segment.images.damage import Damage, words
from segment.images.picture import Pixels
from segment.images.quiet import no_stderr
from segment.images.source import Source
from segment.images.tifflayout import Layout

RGB, MIN_IS_BLACK, YCBCR = 2, 1, 6
# What imagecodecs decodes by tifffile: the compressions, and what messages call them.
NAMES = {
    7: "JPEG of other than 8 bits",
    22610: "JPEG XR",
    33003: "JPEG 2000",
    33004: "JPEG 2000",
    33005: "JPEG 2000",
    33007: "lossless JPEG",
    34712: "JPEG 2000",
    34887: "LERC",
    34892: "lossy JPEG",
    34933: "PNG",
    34934: "JPEG XR",
    50001: "WebP",
    50002: "JPEG XL",
    52546: "JPEG XL",
}
# And by its libtiff, as RGB only.
AS_RGB = {6: "old JPEG", 32766: "NeXT", 32809: "ThunderScan", 34676: "LogLuv", 34677: "LogLuv"}


def decode_otherwise(page: Any, index: int, layout: Layout, source: Source) -> tuple[Pixels, int]:
    """Return the samples (H, W, n) of a page, and their photometric interpretation.

    Raises
    ------
    FileError
        If the compression is not known, or needs a package that is not installed.
    Damage
        If it cannot be decoded.
    """
    name = NAMES.get(layout.compression) or AS_RGB.get(layout.compression)
    if name is None:
        raise source.error(
            f"its compression {layout.compression} is not known; convert it to LZW or deflate"
        )
    if layout.compression in AS_RGB:
        return _as_rgb(index, name, source), RGB
    try:
        import imagecodecs  # noqa: F401
    except ImportError:
        raise _needs_codecs(name, source) from None
    try:
        with no_stderr():
            found = np.asarray(page.asarray())
    except Exception as error:  # codecs fail on hostile data in more ways than they document
        raise Damage(words(error)) from error
    samples = found if layout.samples > 1 else found.reshape(*found.shape, 1)
    if layout.planar:
        samples = np.moveaxis(samples, 0, -1)
    if samples.shape[:2] != (layout.height, layout.width) or samples.ndim != 3:
        raise Damage(f"it decodes to {found.shape}")
    return samples, RGB if layout.photometric == YCBCR else layout.photometric


def _as_rgb(index: int, name: str, source: Source) -> Pixels:
    data = source.read_all()
    try:
        with no_stderr():
            return _by_pillow(data, index)
    except Exception:
        try:
            import imagecodecs
        except ImportError:
            raise _needs_codecs(name, source) from None
    try:
        with no_stderr():
            return np.asarray(imagecodecs.tiff_decode(data, index=index, asrgb=True))[..., :3]
    except Exception as error:
        raise Damage(words(error)) from error


def _by_pillow(data: bytes, index: int) -> Pixels:
    import io

    from PIL import TiffImagePlugin

    picture = TiffImagePlugin.TiffImageFile(io.BytesIO(data))
    picture.seek(index)
    return np.asarray(picture.convert("RGB"))


def _needs_codecs(name: str, source: Source) -> Exception:
    return source.needs_codecs(f"its compression is {name}")
